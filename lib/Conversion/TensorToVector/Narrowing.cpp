//===- Narrowing.cpp - functions of what is repeated ----------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// What is computed of blocks that are all repeated along the same dimensions
// (a mask of rows, spread over the columns of a tile) is computed once and
// repeated afterwards, so that no larger block has to be written:
//
//   broadcast(a) < broadcast(b)    ->    broadcast(a < b)
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

/// The broadcast along whose dimensions all operands of `op` are repeated; null
/// if there is none, or one of them is not.
static linalg::BroadcastOp findRepeated(Operation *op) {
  linalg::BroadcastOp found;
  for (Value operand : op->getOperands()) {
    SplatElementsAttr constant;
    if (operand.getDefiningOp<tensor::SplatOp>() ||
        matchPattern(operand, m_Constant(&constant)))
      continue;
    auto broadcast = operand.getDefiningOp<linalg::BroadcastOp>();
    if (!broadcast ||
        (found && found.getDimensions() != broadcast.getDimensions()))
      return {};
    found = broadcast;
  }
  return found;
}

/// `operand` without the dimensions along which `broadcast` repeats.
static Value narrowed(OpBuilder &b, Value operand,
                      linalg::BroadcastOp broadcast) {
  auto repeated = operand.getDefiningOp<linalg::BroadcastOp>();
  if (repeated)
    return repeated.getInput();
  RankedTensorType type =
      typeOf(broadcast.getInput()).clone(typeOf(operand).getElementType());
  if (auto splat = operand.getDefiningOp<tensor::SplatOp>())
    return tensor::SplatOp::create(b, operand.getLoc(), splat.getInput(), type);
  SplatElementsAttr constant;
  matchPattern(operand, m_Constant(&constant));
  return arith::ConstantOp::create(b, operand.getLoc(),
                                   constant.resizeSplat(type));
}

void vectorize::narrowRepeated(func::FuncOp kernel) {
  SmallVector<Operation *> found;
  kernel.walk([&](Operation *op) {
    if (op->hasTrait<OpTrait::Elementwise>() && isLazy(op) && isPure(op) &&
        op->getNumResults() == 1 && op->getNumRegions() == 0)
      found.push_back(op);
  });
  for (Operation *op : found) {
    linalg::BroadcastOp broadcast = findRepeated(op);
    if (!broadcast || !llvm::all_of(op->getOperands(), isBlock))
      continue;
    OpBuilder b(op);
    IRMapping mapping;
    for (Value operand : op->getOperands())
      mapping.map(operand, narrowed(b, operand, broadcast));
    Operation *small = b.clone(*op, mapping);
    Type wide = op->getResult(0).getType();
    RankedTensorType type =
        typeOf(broadcast.getInput()).clone(getElementTypeOrSelf(wide));
    small->getResult(0).setType(type);
    Value empty = tensor::EmptyOp::create(
        b, op->getLoc(), cast<RankedTensorType>(wide).getShape(),
        type.getElementType());
    Value repeated =
        linalg::BroadcastOp::create(b, op->getLoc(), small->getResult(0), empty,
                                    broadcast.getDimensions())
            ->getResult(0);
    op->getResult(0).replaceAllUsesWith(repeated);
    op->erase();
  }
}

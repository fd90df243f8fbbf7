//===- BlockMistakes.cpp - mistakes in reductions, scans and shapes -------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mistakes.h"

#include "seagrove/Dialect/Access/IR/Access.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace seagrove;

/// The one operation of a combiner, or null where it has more.
static Operation *getOnlyOperation(Block &combiner) {
  return llvm::hasNItems(combiner, 2) ? &combiner.front() : nullptr;
}

static bool isSquare(Type type) {
  auto block = dyn_cast<RankedTensorType>(type);
  return block && block.getRank() == 2 &&
         block.getDimSize(0) == block.getDimSize(1);
}

static void startAtZero(OpBuilder &b, Operation *op) {
  auto reduce = dyn_cast<sg::ReduceOp>(op);
  Operation *combine =
      reduce ? getOnlyOperation(reduce.getCombiner()) : nullptr;
  if (!combine ||
      isa<arith::AddIOp, arith::AddFOp, arith::OrIOp, arith::XOrIOp>(combine))
    return;
  b.setInsertionPointAfter(op);
  Value result = reduce.getResults()[0];
  Type type = result.getType();
  Value zero = arith::ConstantOp::create(b, op->getLoc(), b.getZeroAttr(type));
  // Arithmetic is the same on one element and on a block.
  OperationState state(op->getLoc(), combine->getName(),
                       ValueRange{result, zero}, TypeRange{type},
                       combine->getAttrs());
  Operation *wrong = b.create(state);
  result.replaceAllUsesExcept(wrong->getResult(0), wrong);
}

static void reduceOtherAxis(OpBuilder &b, Operation *op) {
  auto reduce = dyn_cast<sg::ReduceOp>(op);
  if (reduce && isSquare(reduce.getInputType()))
    reduce.setAxis(1 - reduce.getAxis());
}

static void takeLast(OpBuilder &b, Operation *op) {
  auto compare = dyn_cast<arith::CmpIOp>(op);
  auto reduce = dyn_cast_or_null<sg::ReduceOp>(op->getParentOp());
  // Values come first, then their indices.
  if (compare && reduce && reduce.getInputs().size() == 2 &&
      compare.getLhs() == reduce.getCombiner().getArgument(1))
    compare.setPredicate(arith::CmpIPredicate::sgt);
}

static void excludeOwn(OpBuilder &b, Operation *op) {
  auto scan = dyn_cast<sg::ScanOp>(op);
  Operation *combine = scan ? getOnlyOperation(scan.getCombiner()) : nullptr;
  if (!combine || !isa<arith::AddIOp, arith::AddFOp>(combine))
    return;
  b.setInsertionPointAfter(op);
  Value result = scan.getResults()[0], input = scan.getInputs()[0];
  Value before;
  if (isa<arith::AddIOp>(combine))
    before = arith::SubIOp::create(b, op->getLoc(), result, input);
  else
    before = arith::SubFOp::create(b, op->getLoc(), result, input);
  result.replaceAllUsesExcept(before, before.getDefiningOp());
}

static void scanForward(OpBuilder &b, Operation *op) {
  if (auto scan = dyn_cast<sg::ScanOp>(op))
    scan.setReverse(false);
}

static void forgetTranspose(OpBuilder &b, Operation *op) {
  auto transpose = dyn_cast<linalg::TransposeOp>(op);
  if (transpose && isSquare(transpose.getInput().getType()))
    op->getResult(0).replaceAllUsesWith(transpose.getInput());
}

static void broadcastOtherAxis(OpBuilder &b, Operation *op) {
  auto broadcast = dyn_cast<linalg::BroadcastOp>(op);
  if (broadcast && isSquare(broadcast.getInit().getType()) &&
      broadcast.getDimensions().size() == 1)
    broadcast.setDimensions(
        SmallVector<int64_t>{1 - broadcast.getDimensions()[0]});
}

static void swapHalves(OpBuilder &b, Operation *op) {
  auto concat = dyn_cast<tensor::ConcatOp>(op);
  if (!concat || concat.getInputs().size() != 2 ||
      concat.getInputs()[0].getType() != concat.getInputs()[1].getType())
    return;
  Value first = op->getOperand(0);
  op->setOperand(0, op->getOperand(1));
  op->setOperand(1, first);
}

static void dropAccumulator(OpBuilder &b, Operation *op) {
  if (!isa<linalg::MatmulOp, linalg::BatchMatmulOp>(op))
    return;
  OpOperand &init = cast<linalg::LinalgOp>(op).getDpsInitsMutable()[0];
  if (matchPattern(init.get(), m_AnyZeroFloat()) ||
      matchPattern(init.get(), m_Zero()))
    return;
  init.set(arith::ConstantOp::create(b, op->getLoc(),
                                     b.getZeroAttr(init.get().getType())));
}

ArrayRef<Mistake> seagrove::getBlockMistakes() {
  static const Mistake mistakes[] = {
      {"reduction-from-zero", startAtZero},
      {"reduction-other-axis", reduceOtherAxis},
      {"argmax-takes-last", takeLast},
      {"scan-exclusive", excludeOwn},
      {"scan-forward", scanForward},
      {"transpose-forgotten", forgetTranspose},
      {"broadcast-other-axis", broadcastOtherAxis},
      {"join-swapped", swapHalves},
      {"dot-drops-accumulator", dropAccumulator},
  };
  return mistakes;
}

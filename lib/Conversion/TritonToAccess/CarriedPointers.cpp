//===- CarriedPointers.cpp - blocks of pointers as addresses --------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block of pointers that a loop or a branch carries, and that LoopRewrite
// could not explain, is carried as a block of i64 addresses. The casts at the
// ends meet in the analysis of addresses, which sees through them.
//
//===----------------------------------------------------------------------===//

#include "Stages.h"

#include "seagrove/Analysis/BlockState.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

using namespace mlir;
using namespace seagrove;

/// True for operations that pass values on without looking at them.
static bool isCarrier(Operation *op) {
  return isa<scf::SCFDialect, cf::ControlFlowDialect>(op->getDialect()) ||
         isa<arith::SelectOp, ub::PoisonOp, tt::CatOp, tt::JoinOp, tt::SplitOp,
             tt::GatherOp>(op);
}

static Type addressesFor(Type pointers) {
  return cast<RankedTensorType>(pointers).clone(
      IntegerType::get(pointers.getContext(), 64));
}

/// Turns `value` into addresses; its uses get the pointers back.
static void retype(OpBuilder &b, Value value) {
  Type pointers = value.getType();
  if (!isPointerBlock(pointers))
    return;
  value.setType(cast<RankedTensorType>(addressesFor(pointers)));
  b.setInsertionPointAfterValue(value);
  auto cast = tt::IntToPtrOp::create(b, value.getLoc(), pointers, value);
  value.replaceAllUsesExcept(cast.getResult(), cast);
}

void seagrove::carryAddresses(tt::FuncOp func) {
  OpBuilder b(func.getContext());
  SmallVector<Operation *> carriers;
  func.walk([&](Operation *op) {
    if (isCarrier(op))
      carriers.push_back(op);
  });
  for (Operation *op : carriers) {
    for (Value result : op->getResults())
      retype(b, result);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          retype(b, argument);
    if (isa<ub::PoisonOp>(op))
      continue;
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isPointerBlock(operand.get().getType()))
        continue;
      b.setInsertionPoint(op);
      operand.set(b.createOrFold<tt::PtrToIntOp>(
          op->getLoc(), addressesFor(operand.get().getType()), operand.get()));
    }
  }
  for (Block &block : llvm::drop_begin(func.getBody()))
    for (BlockArgument argument : block.getArguments())
      retype(b, argument);
}

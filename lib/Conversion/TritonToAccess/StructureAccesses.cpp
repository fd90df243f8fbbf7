//===- StructureAccesses.cpp - the pass structure-accesses ----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Stages.h"

#include "seagrove/Analysis/BlockState.h"
#include "seagrove/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"

namespace seagrove {
#define GEN_PASS_DEF_STRUCTUREACCESSES
#include "seagrove/Conversion/Passes.h.inc"
} // namespace seagrove

using namespace mlir;
using namespace seagrove;

void seagrove::eraseDead(tt::FuncOp func) {
  bool changed = true;
  while (changed) {
    changed = false;
    func.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
      if (op == func || !isOpTriviallyDead(op))
        return;
      op->erase();
      changed = true;
    });
  }
}

/// Takes blocks of pointers and offsets out of loops and branches, the inner
/// ones first: their results are then moved blocks, which the outer ones read.
static void rewriteControlFlow(tt::FuncOp func) {
  SmallVector<Operation *> operations;
  func.walk<WalkOrder::PostOrder>([&](Operation *op) {
    if (isa<scf::ForOp, scf::IfOp>(op))
      operations.push_back(op);
  });
  for (Operation *op : operations) {
    if (auto loop = dyn_cast<scf::ForOp>(op))
      rewriteLoop(loop);
    else
      rewriteBranch(cast<scf::IfOp>(op));
  }
  // What a branch chooses may have become clear only by the loop around it.
  SmallVector<scf::IfOp> branches;
  func.walk<WalkOrder::PostOrder>(
      [&](scf::IfOp branch) { branches.push_back(branch); });
  for (scf::IfOp branch : branches)
    rewriteBranch(branch);
}

/// Reports a value whose type must be gone by now.
static LogicalResult checkGone(tt::FuncOp func) {
  auto isLeft = [](Type type) {
    auto pointer = dyn_cast<tt::PointerType>(type);
    return isPointerBlock(type) || isa<tt::TensorDescType>(type) ||
           (pointer && pointer.isBlockPointer());
  };
  WalkResult result = func.walk([&](Operation *op) {
    // What only computes pointers is not at fault, its last user is.
    bool isUser = llvm::any_of(op->getOperandTypes(), isLeft) &&
                  llvm::none_of(op->getResultTypes(), isLeft);
    bool isLast = llvm::any_of(op->getResultTypes(), isLeft) && op->use_empty();
    if (!isUser && !isLast)
      return WalkResult::advance();
    op->emitError("SG0210: this use of a block of pointers or of a tensor "
                  "descriptor is not supported")
            .attachNote()
        << "they can be computed, selected, carried through loops, stored and "
           "used to read and write memory";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

namespace {

struct StructureAccesses
    : public seagrove::impl::StructureAccessesBase<StructureAccesses> {
  using StructureAccessesBase::StructureAccessesBase;

  void runOnOperation() override {
    SmallVector<tt::FuncOp> functions;
    for (auto func : getOperation().getOps<tt::FuncOp>())
      if (!func.isExternal())
        functions.push_back(func);
    for (tt::FuncOp func : functions) {
      uplift(func);
      expandDescriptorArguments(func);
    }
    if (failed(expandAggregates(getOperation())))
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    for (tt::FuncOp func : functions) {
      rewriteControlFlow(func);
      carryAddresses(func);
      if (failed(rewriteAccesses(func, remarks)))
        return signalPassFailure();
      eraseDead(func);
      // Equal bounds must be one value: later passes compare them by identity.
      DominanceInfo dominance(func);
      eliminateCommonSubExpressions(rewriter, dominance, func);
      if (failed(checkGone(func)))
        return signalPassFailure();
    }
  }
};

} // namespace

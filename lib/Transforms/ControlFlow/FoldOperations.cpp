//===- FoldOperations.cpp - what is known, in one sweep -------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/FoldUtils.h"

namespace seagrove {
#define GEN_PASS_DEF_FOLDOPERATIONS
#include "seagrove/Transforms/Passes.h.inc"
} // namespace seagrove

using namespace mlir;

namespace {

struct FoldOperations
    : public seagrove::impl::FoldOperationsBase<FoldOperations> {
  void runOnOperation() override {
    removeTrivialLoops();
    OperationFolder folder(&getContext());
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      bool updated = false;
      bool folded = succeeded(folder.tryToFold(op, &updated));
      return folded && !updated ? WalkResult::skip() : WalkResult::advance();
    });
    mergeBlocks();
    // Backwards, so that what only the dead read is dead by then.
    getOperation()->walk<WalkOrder::PostOrder, ReverseIterator>(
        [](Operation *op) {
          if (isOpTriviallyDead(op))
            op->erase();
        });
  }

private:
  /// Makes one block of two where each is the other's only neighbour there.
  void mergeBlocks() {
    IRRewriter rewriter(&getContext());
    SmallVector<cf::BranchOp> branches;
    getOperation()->walk(
        [&](cf::BranchOp branch) { branches.push_back(branch); });
    for (cf::BranchOp branch : branches) {
      Block *before = branch->getBlock(), *after = branch.getDest();
      if (after == before || after->getSinglePredecessor() != before)
        continue;
      SmallVector<Value> arguments(branch.getDestOperands());
      rewriter.eraseOp(branch);
      rewriter.mergeBlocks(after, before, arguments);
    }
  }

  /// Removes loops of no iteration and of one.
  void removeTrivialLoops() {
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](scf::ForOp loop) {
      APInt lower, upper;
      bool isEmpty =
          matchPattern(loop.getLowerBound(), m_ConstantInt(&lower)) &&
          matchPattern(loop.getUpperBound(), m_ConstantInt(&upper)) &&
          !loop.getUnsignedCmp() && lower.sge(upper);
      if (isEmpty)
        rewriter.replaceOp(loop, loop.getInitArgs());
      else
        (void)loop.promoteIfSingleIteration(rewriter);
    });
  }
};

} // namespace

//===- LowerControlFlow.cpp - structured control flow to branches ---------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Transforms/Passes.h"

#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/DialectConversion.h"

namespace seagrove {
#define GEN_PASS_DEF_LOWERCONTROLFLOW
#include "seagrove/Transforms/Passes.h.inc"
} // namespace seagrove

using namespace mlir;

namespace {

/// Replaces a counted loop by a test, a preheader and a body that tests at its
/// end:
///
///       cond_br (lower < upper), ^preheader, ^end(inits)
///     ^preheader:
///       br ^body(lower, inits)
///     ^body(%i, %values):
///       ...
///       %next = %i + step
///       cond_br (%next < upper), ^body(%next, yields), ^end(yields)
///     ^end(%results):
void lowerFor(IRRewriter &rewriter, scf::ForOp loop) {
  Location loc = loop.getLoc();
  Block *before = loop->getBlock();
  Block *end = rewriter.splitBlock(before, loop->getIterator());
  SmallVector<Location> locations(loop.getNumResults(), loc);
  for (auto [result, location] : llvm::zip(loop.getResults(), locations))
    result.replaceAllUsesWith(end->addArgument(result.getType(), location));

  Block *body = &loop.getRegion().front();
  Block *last = &loop.getRegion().back();
  rewriter.inlineRegionBefore(loop.getRegion(), end);
  Block *preheader = rewriter.createBlock(body);
  cf::BranchOp::create(rewriter, loc, body, [&] {
    SmallVector<Value> arguments{loop.getLowerBound()};
    llvm::append_range(arguments, loop.getInitArgs());
    return arguments;
  }());

  auto predicate = loop.getUnsignedCmp() ? arith::CmpIPredicate::ult
                                         : arith::CmpIPredicate::slt;
  auto test = [&](Value index) -> Value {
    return arith::CmpIOp::create(rewriter, loc, predicate, index,
                                 loop.getUpperBound());
  };
  rewriter.setInsertionPointToEnd(before);
  cf::CondBranchOp::create(rewriter, loc, test(loop.getLowerBound()), preheader,
                           ValueRange(), end, loop.getInitArgs());

  auto yield = cast<scf::YieldOp>(last->getTerminator());
  rewriter.setInsertionPoint(yield);
  Value next = arith::AddIOp::create(rewriter, loc, body->getArgument(0),
                                     loop.getStep());
  SmallVector<Value> again{next};
  llvm::append_range(again, yield.getOperands());
  cf::CondBranchOp::create(rewriter, loc, test(next), body, again, end,
                           yield.getOperands());
  rewriter.eraseOp(yield);
  rewriter.eraseOp(loop);
}

void lowerIf(IRRewriter &rewriter, scf::IfOp branch) {
  Location loc = branch.getLoc();
  Block *before = branch->getBlock();
  Block *end = rewriter.splitBlock(before, branch->getIterator());
  for (OpResult result : branch.getResults())
    result.replaceAllUsesWith(end->addArgument(result.getType(), loc));

  auto inlineSide = [&](Region &side) {
    if (side.empty())
      return end;
    Block *first = &side.front();
    auto yield = cast<scf::YieldOp>(side.back().getTerminator());
    rewriter.setInsertionPoint(yield);
    cf::BranchOp::create(rewriter, loc, end, yield.getOperands());
    rewriter.eraseOp(yield);
    rewriter.inlineRegionBefore(side, end);
    return first;
  };
  Block *thenBlock = inlineSide(branch.getThenRegion());
  Block *elseBlock = inlineSide(branch.getElseRegion());
  rewriter.setInsertionPointToEnd(before);
  cf::CondBranchOp::create(rewriter, loc, branch.getCondition(), thenBlock,
                           elseBlock);
  rewriter.eraseOp(branch);
}

struct LowerControlFlow
    : public seagrove::impl::LowerControlFlowBase<LowerControlFlow> {
  void runOnOperation() override {
    SmallVector<Operation *> structured;
    bool others = false;
    // Post-order: what is inside of a loop is lowered before it.
    getOperation()->walk([&](Operation *op) {
      if (isa<scf::ForOp, scf::IfOp>(op))
        structured.push_back(op);
      else if (isa<scf::WhileOp, scf::IndexSwitchOp, scf::ExecuteRegionOp>(op))
        others = true;
    });
    // First, since upstream's patterns look for the terminator in the last
    // block of a region, which the loops inside of it must not have divided
    // yet.
    if (others && failed(lowerOthers()))
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    for (Operation *op : structured) {
      if (auto loop = dyn_cast<scf::ForOp>(op))
        lowerFor(rewriter, loop);
      else
        lowerIf(rewriter, cast<scf::IfOp>(op));
    }
  }

private:
  LogicalResult lowerOthers() {
    RewritePatternSet patterns(&getContext());
    populateSCFToControlFlowConversionPatterns(patterns);
    ConversionTarget target(getContext());
    target
        .addIllegalOp<scf::WhileOp, scf::IndexSwitchOp, scf::ExecuteRegionOp>();
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    return applyPartialConversion(getOperation(), target, std::move(patterns));
  }
};

} // namespace

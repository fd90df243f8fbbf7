//===- Combine.cpp - reductions, scans, maps, histograms, gathers ---------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "seagrove/Dialect/Access/IR/Access.h"

#include "mlir/Conversion/ControlFlowToSCF/ControlFlowToSCF.h"
#include "mlir/IR/Dominance.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace seagrove;

/// Moves the region of `op` into `lowered` and ends its blocks with sg.yield.
static void moveRegion(IRRewriter &rewriter, Region &from, Operation *lowered) {
  Region &to = lowered->getRegion(0);
  rewriter.inlineRegionBefore(from, to, to.end());
  for (Block &block : to) {
    Operation *end = block.getTerminator();
    if (!isa<tt::ReduceReturnOp, tt::ScanReturnOp, tt::MapElementwiseReturnOp>(
            end))
      continue;
    rewriter.setInsertionPoint(end);
    rewriter.replaceOpWithNewOp<sg::YieldOp>(end, end->getOperands());
  }
}

/// Turns the branches of a region into structured ones, so that it is one block
/// that the vectorizer can follow.
static LogicalResult structureBranches(Operation *lowered) {
  Region &region = lowered->getRegion(0);
  if (region.hasOneBlock())
    return success();
  {
    // What it says of a failure is of no use to people.
    ScopedDiagnosticHandler silent(lowered->getContext(),
                                   [](Diagnostic &) { return success(); });
    ControlFlowToSCFTransformation transformation;
    DominanceInfo dominance(lowered);
    if (succeeded(transformCFGToSCF(region, transformation, dominance)) &&
        region.hasOneBlock())
      return success();
  }
  return lowered->emitError("SG0303: the function that is mapped over this "
                            "block does not end on every path");
}

static void replaceRegionOp(IRRewriter &rewriter, Operation *op,
                            Operation *lowered) {
  moveRegion(rewriter, op->getRegion(0), lowered);
  rewriter.replaceOp(op, lowered->getResults());
}

Lowered seagrove::lowerCombine(IRRewriter &rewriter, Operation *op) {
  Location loc = op->getLoc();
  return llvm::TypeSwitch<Operation *, Lowered>(op)
      .Case([&](tt::ReduceOp reduce) -> Lowered {
        auto lowered = sg::ReduceOp::create(
            rewriter, loc, reduce.getResultTypes(), reduce.getSrcs(),
            static_cast<int64_t>(reduce.getAxis()));
        replaceRegionOp(rewriter, op, lowered);
        return success();
      })
      .Case([&](tt::ScanOp scan) -> Lowered {
        auto lowered = sg::ScanOp::create(
            rewriter, loc, scan.getResultTypes(), scan.getSrcs(),
            static_cast<int64_t>(scan.getAxis()), scan.getReverse());
        replaceRegionOp(rewriter, op, lowered);
        return success();
      })
      .Case([&](tt::MapElementwiseOp map) -> Lowered {
        auto lowered = sg::MapOp::create(rewriter, loc, map.getResultTypes(),
                                         map.getSrcs(),
                                         static_cast<int64_t>(map.getPack()));
        replaceRegionOp(rewriter, op, lowered);
        return structureBranches(lowered);
      })
      .Case([&](tt::HistogramOp histogram) -> Lowered {
        rewriter.replaceOpWithNewOp<sg::HistogramOp>(
            op, histogram.getType(), histogram.getSrc(), histogram.getMask());
        return success();
      })
      .Case([&](tt::GatherOp gather) -> Lowered {
        rewriter.replaceOpWithNewOp<sg::TakeOp>(
            op, gather.getType(), gather.getSrc(), gather.getIndices(),
            static_cast<int64_t>(gather.getAxis()));
        return success();
      })
      .Default([](Operation *) -> Lowered { return std::nullopt; });
}

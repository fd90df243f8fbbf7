//===- LiftCallees.cpp - branches of callees to structured control flow ---===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Transforms/Passes.h"

#include "mlir/Conversion/ControlFlowToSCF/ControlFlowToSCF.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

namespace seagrove {
#define GEN_PASS_DEF_LIFTCALLEES
#include "seagrove/Transforms/Passes.h.inc"
} // namespace seagrove

using namespace mlir;

namespace {

/// The upstream transformation, for functions of any dialect: a loop that never
/// ends is left as it is.
struct Lifting : ControlFlowToSCFTransformation {
  FailureOr<Operation *> createUnreachableTerminator(Location, OpBuilder &,
                                                     Region &) override {
    return failure();
  }
};

struct LiftCallees : seagrove::impl::LiftCalleesBase<LiftCallees> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<FunctionOpInterface>()) {
      Region &body = function.getFunctionBody();
      if (!function.isPrivate() || body.empty() || body.hasOneBlock())
        continue;
      // What stands behind a return is of no use, and the lifting trips on it.
      IRRewriter rewriter(&getContext());
      (void)eraseUnreachableBlocks(rewriter, body);
      Lifting lifting;
      DominanceInfo dominance(function);
      if (failed(transformCFGToSCF(body, lifting, dominance))) {
        function.emitError("SG0213: this function has a loop without an end");
        return signalPassFailure();
      }
    }
  }
};

} // namespace

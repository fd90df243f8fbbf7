//===- AllowFPContraction.cpp - let products and sums fuse ----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinOps.h"

namespace seagrove {
#define GEN_PASS_DEF_ALLOWFPCONTRACTION
#include "seagrove/Transforms/Passes.h.inc"
} // namespace seagrove

using namespace mlir;

namespace {

struct AllowFPContraction
    : public seagrove::impl::AllowFPContractionBase<AllowFPContraction> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (!isa<arith::MulFOp, arith::AddFOp, arith::SubFOp>(op))
        return;
      // Fused with a product, the difference of a number and the largest one
      // would be that of the exact product, and may be positive.
      if (llvm::any_of(op->getUsers(), [](Operation *user) {
            return user->hasAttr(seagrove::kNeverPositive);
          }))
        return;
      auto fastMath = cast<arith::ArithFastMathInterface>(op);
      arith::FastMathFlags flags = fastMath.getFastMathFlagsAttr().getValue() |
                                   arith::FastMathFlags::contract;
      op->setAttr(fastMath.getFastMathAttrName(),
                  arith::FastMathFlagsAttr::get(op->getContext(), flags));
    });
  }
};

} // namespace

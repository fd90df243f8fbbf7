//===- PlantMiscompile.cpp - break a kernel on purpose --------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mistakes.h"
#include "seagrove/Testing/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"

namespace seagrove {
#define GEN_PASS_DEF_PLANTMISCOMPILE
#include "seagrove/Testing/Passes.h.inc"
} // namespace seagrove

using namespace mlir;
using namespace seagrove;

static const Mistake *findMistake(StringRef kind) {
  for (ArrayRef<Mistake> theme :
       {getAccessMistakes(), getBlockMistakes(), getElementMistakes()})
    for (const Mistake &mistake : theme)
      if (mistake.kind == kind)
        return &mistake;
  return nullptr;
}

namespace {

struct PlantMiscompile
    : public seagrove::impl::PlantMiscompileBase<PlantMiscompile> {
  using PlantMiscompileBase::PlantMiscompileBase;

  void runOnOperation() override {
    const Mistake *mistake = findMistake(kind);
    if (!mistake) {
      getOperation()->emitError("no mistake is called '") << kind << "'";
      return signalPassFailure();
    }
    // A mistake may put new operations next to one, but erases only that one.
    SmallVector<Operation *> operations;
    getOperation()->walk([&](Operation *op) { operations.push_back(op); });
    for (Operation *op : operations) {
      OpBuilder builder(op);
      mistake->make(builder, op);
    }
  }
};

} // namespace

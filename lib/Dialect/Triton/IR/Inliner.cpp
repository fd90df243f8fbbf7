//===- Inliner.cpp - inlining of tt functions -----------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inliner.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Transforms/InliningUtils.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove::tt;

namespace {

/// Every function may be inlined, also one that the user marked `noinline`: a
/// kernel becomes one function of blocks, which no call boundary may cut.
struct TritonInlinerInterface final : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;

  bool isLegalToInline(Operation *, Operation *, bool) const final {
    return true;
  }
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const final {
    return true;
  }
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final {
    return true;
  }

  /// A callee of several blocks: its returns branch to what follows the call.
  void handleTerminator(Operation *op, Block *next) const final {
    auto ret = dyn_cast<ReturnOp>(op);
    if (!ret)
      return;
    OpBuilder builder(ret);
    cf::BranchOp::create(builder, ret.getLoc(), next, ret.getSrcs());
    ret.erase();
  }

  /// A callee of one block: what it returns replaces what the call gave.
  void handleTerminator(Operation *op, ValueRange results) const final {
    for (auto [result, returned] :
         llvm::zip_equal(results, cast<ReturnOp>(op).getSrcs()))
      result.replaceAllUsesWith(returned);
  }
};

} // namespace

void seagrove::tt::addInlinerInterface(TritonDialect &dialect) {
  dialect.addInterfaces<TritonInlinerInterface>();
}

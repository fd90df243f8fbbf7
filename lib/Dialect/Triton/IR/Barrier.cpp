//===- Barrier.cpp - ttg.barrier ------------------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Dialect/Triton/IR/Barrier.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace seagrove::ttg;

#include "seagrove/Dialect/Triton/IR/BarrierDialect.cpp.inc"
#include "seagrove/Dialect/Triton/IR/BarrierEnums.cpp.inc"

/// barrier-space ::= keyword (`|` keyword)*
static ParseResult parseBarrierSpace(OpAsmParser &parser,
                                     BarrierSpaceAttr &attr) {
  auto value = BarrierSpace::None;
  do {
    llvm::SMLoc loc = parser.getCurrentLocation();
    StringRef keyword;
    if (parser.parseKeyword(&keyword))
      return failure();
    std::optional<BarrierSpace> space = symbolizeBarrierSpace(keyword);
    if (!space)
      return parser.emitError(loc, "unknown memory of a barrier: '")
             << keyword << "'";
    value = value | *space;
  } while (succeeded(parser.parseOptionalVerticalBar()));
  attr = BarrierSpaceAttr::get(parser.getContext(), value);
  return success();
}

static void printBarrierSpace(OpAsmPrinter &printer, Operation *,
                              BarrierSpaceAttr attr) {
  printer << stringifyBarrierSpace(attr.getValue());
}

#define GET_OP_CLASSES
#include "seagrove/Dialect/Triton/IR/BarrierOps.cpp.inc"

namespace {
struct BarrierInlinerInterface final : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final {
    return true;
  }
};
} // namespace

void BarrierDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "seagrove/Dialect/Triton/IR/BarrierOps.cpp.inc"
      >();
  addInterfaces<BarrierInlinerInterface>();
}

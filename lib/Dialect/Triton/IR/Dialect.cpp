//===- Dialect.cpp - the tt dialect ---------------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Dialect/Triton/IR/Dialect.h"

#include "Inliner.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace seagrove::tt;

#include "seagrove/Dialect/Triton/IR/Dialect.cpp.inc"
#include "seagrove/Dialect/Triton/IR/Enums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "seagrove/Dialect/Triton/IR/Attributes.cpp.inc"

void TritonDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "seagrove/Dialect/Triton/IR/Attributes.cpp.inc"
      >();
}

void TritonDialect::initialize() {
  registerTypes();
  registerAttributes();
  registerOps();
  addInlinerInterface(*this);
}

Operation *TritonDialect::materializeConstant(OpBuilder &builder,
                                              Attribute value, Type type,
                                              Location loc) {
  if (auto poison = dyn_cast<ub::PoisonAttr>(value))
    return ub::PoisonOp::create(builder, loc, type, poison);
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

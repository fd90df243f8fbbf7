//===- AccessDialect.cpp - the `sg` dialect -------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Dialect/Access/IR/Access.h"

using namespace mlir;
using namespace seagrove;

#include "seagrove/Dialect/Access/IR/AccessDialect.cpp.inc"

void sg::SgDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "seagrove/Dialect/Access/IR/AccessOps.cpp.inc"
      >();
}

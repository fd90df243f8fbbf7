//===- Access.h - the `sg` dialect ----------------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_ACCESS_IR_ACCESS_H
#define SEAGROVE_DIALECT_ACCESS_IR_ACCESS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "seagrove/Dialect/Access/IR/AccessDialect.h.inc"

#define GET_OP_CLASSES
#include "seagrove/Dialect/Access/IR/AccessOps.h.inc"

#endif // SEAGROVE_DIALECT_ACCESS_IR_ACCESS_H

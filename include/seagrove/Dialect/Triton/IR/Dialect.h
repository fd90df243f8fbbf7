//===- Dialect.h - the tt dialect -------------------------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one include for users of the dialect: types, attributes, operations.
//
//===----------------------------------------------------------------------===//
#ifndef SEAGROVE_DIALECT_TRITON_IR_DIALECT_H
#define SEAGROVE_DIALECT_TRITON_IR_DIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "seagrove/Dialect/Triton/IR/Dialect.h.inc"
#include "seagrove/Dialect/Triton/IR/Enums.h.inc"
#include "seagrove/Dialect/Triton/IR/Types.h"

#define GET_ATTRDEF_CLASSES
#include "seagrove/Dialect/Triton/IR/Attributes.h.inc"

namespace seagrove::tt {

/// The memory that kernels read and write; never aliases a program's own.
struct GlobalMemory : mlir::SideEffects::Resource::Base<GlobalMemory> {
  llvm::StringRef getName() final { return "<tt.global>"; }
};

/// Registers every dialect that TTIR text may hold (tt, ttg, arith, math, scf,
/// cf, ub, llvm, gpu) and the interfaces that inlining it needs.
void registerTTIRDialects(mlir::DialectRegistry &registry);

} // namespace seagrove::tt

#define GET_OP_CLASSES
#include "seagrove/Dialect/Triton/IR/Ops.h.inc"

#endif // SEAGROVE_DIALECT_TRITON_IR_DIALECT_H

//===- Barrier.h - ttg.barrier ----------------------------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_TRITON_IR_BARRIER_H
#define SEAGROVE_DIALECT_TRITON_IR_BARRIER_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "seagrove/Dialect/Triton/IR/BarrierDialect.h.inc"
#include "seagrove/Dialect/Triton/IR/BarrierEnums.h.inc"

#define GET_OP_CLASSES
#include "seagrove/Dialect/Triton/IR/BarrierOps.h.inc"

#endif // SEAGROVE_DIALECT_TRITON_IR_BARRIER_H

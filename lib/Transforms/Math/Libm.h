//===- Libm.h - calls of the C library per element --------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TRANSFORMS_MATH_LIBM_H
#define SEAGROVE_LIB_TRANSFORMS_MATH_LIBM_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"

namespace seagrove::math_expansion {

/// Calls the C library's `name` (the name for f64, such as "lgamma"; the one
/// for f32 follows from it) with the operands, which are of one type: scalars,
/// or vectors of f32 or f64, whose elements are then taken one by one.
mlir::Value callLibm(mlir::ImplicitLocOpBuilder &b, mlir::SymbolTable &symbols,
                     llvm::StringRef name, mlir::ValueRange operands);

} // namespace seagrove::math_expansion

#endif // SEAGROVE_LIB_TRANSFORMS_MATH_LIBM_H

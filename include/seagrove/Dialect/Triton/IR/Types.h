//===- Types.h - helpers for tt's types -------------------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_TRITON_IR_TYPES_H
#define SEAGROVE_DIALECT_TRITON_IR_TYPES_H

#include "mlir/IR/BuiltinTypes.h"

#define GET_TYPEDEF_CLASSES
#include "seagrove/Dialect/Triton/IR/Types.h.inc"

namespace seagrove::tt {

/// Returns the type that an access through `type` reads: T for a pointer to T,
/// a block of T for a block of pointers, the block for a block pointer. Returns
/// `type` itself if it is no pointer, so that a parser may call it on any text.
mlir::Type getPointeeTypeOrSelf(mlir::Type type);

/// Returns `type` with i1 elements: i1, or a block of the same shape.
mlir::Type getMaskType(mlir::Type type);

/// Returns the pointer to the elements of a block pointer's block; any other
/// type is returned as it is.
mlir::Type getElementPointerType(mlir::Type type);

/// Returns the pointer type, or block of pointers, through which an access
/// reads `type`.
mlir::Type getPointerTypeTo(mlir::Type type,
                            int addressSpace = PointerType::kGlobal);

/// True for pointers, blocks of pointers and block pointers.
bool isPointerLike(mlir::Type type);

/// Writes a type as a user thinks of it: "block of 64x32 f32", "scalar i1",
/// "block of 64 pointers to f32".
std::string describe(mlir::Type type);

/// Writes a shape as "64x32", and "scalar" for none.
std::string describeShape(mlir::Type type);

} // namespace seagrove::tt

#endif // SEAGROVE_DIALECT_TRITON_IR_TYPES_H

//===- EmitAccess.h - writes structured accesses --------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_CONVERSION_TRITONTOACCESS_EMITACCESS_H
#define SEAGROVE_LIB_CONVERSION_TRITONTOACCESS_EMITACCESS_H

#include "seagrove/Analysis/MaskState.h"
#include "seagrove/Dialect/Access/IR/Access.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

namespace seagrove {

/// A structured access that is not written yet. A dimension with an index may
/// have a stride as well.
struct StructuredAccess {
  mlir::Value base;
  Scalar offset;
  llvm::SmallVector<Scalar> strides;
  llvm::SmallVector<BlockState::Index> indices;
  Bounds bounds;
};

/// Reads a block of `type`; a null `other` leaves lanes out of bounds
/// undefined.
mlir::Value emitLoad(mlir::OpBuilder &b, mlir::Location loc,
                     const StructuredAccess &access,
                     mlir::RankedTensorType type, mlir::Value other,
                     bool isVolatile);
void emitStore(mlir::OpBuilder &b, mlir::Location loc,
               const StructuredAccess &access, mlir::Value value);

/// The offset of each lane of `access` from its base, as a block of i64.
mlir::Value emitOffsets(mlir::OpBuilder &b, mlir::Location loc,
                        const StructuredAccess &access,
                        llvm::ArrayRef<int64_t> shape);
/// The lanes of `bounds` as a block of bits, or null for all of them.
mlir::Value emitMask(mlir::OpBuilder &b, mlir::Location loc,
                     const Bounds &bounds, llvm::ArrayRef<int64_t> shape);

/// Repeats a block of one dimension along all other dimensions of `shape`.
mlir::Value spread(mlir::OpBuilder &b, mlir::Location loc, mlir::Value block,
                   int64_t dim, llvm::ArrayRef<int64_t> shape);

/// The name that `sg` operations use for an ordering of memory accesses.
llvm::StringRef getOrderingName(tt::MemSemantic semantic);

} // namespace seagrove

#endif // SEAGROVE_LIB_CONVERSION_TRITONTOACCESS_EMITACCESS_H

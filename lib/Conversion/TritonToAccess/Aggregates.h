//===- Aggregates.h - block pointers and descriptors as scalars -----------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_CONVERSION_TRITONTOACCESS_AGGREGATES_H
#define SEAGROVE_LIB_CONVERSION_TRITONTOACCESS_AGGREGATES_H

#include "EmitAccess.h"

#include "mlir/Transforms/DialectConversion.h"

namespace seagrove {

/// A strided tensor in memory: what block pointers and descriptors hold.
struct TensorInMemory {
  mlir::Value base;
  llvm::SmallVector<Scalar> shape;
  llvm::SmallVector<Scalar> strides;
};

/// The access to the block of `blockShape` that starts at `offsets`. Dimensions
/// that are not `checked` are taken to be in bounds. If the block is read as
/// one of lower rank, `rank`, the leading dimensions, of size 1, are dropped.
StructuredAccess accessBlock(mlir::OpBuilder &b, mlir::Location loc,
                             const TensorInMemory &tensor,
                             llvm::ArrayRef<Scalar> offsets,
                             llvm::ArrayRef<bool> checked,
                             llvm::ArrayRef<int64_t> blockShape, int64_t rank);

/// The scalars of integers.
llvm::SmallVector<Scalar> toScalars(mlir::OpBuilder &b, mlir::Location loc,
                                    mlir::ValueRange values);

/// A constant that fills lanes out of bounds.
mlir::Value emitPadding(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Type element, bool nan);

void populateBlockPointerPatterns(const mlir::TypeConverter &converter,
                                  mlir::RewritePatternSet &patterns);
void populateDescriptorPatterns(const mlir::TypeConverter &converter,
                                mlir::RewritePatternSet &patterns);

/// Reports descriptor reductions that have no lowering.
mlir::LogicalResult checkDescriptorReductions(mlir::Operation *root);

/// The scalars of operands of which each is one scalar.
inline llvm::SmallVector<mlir::Value>
flatten(llvm::ArrayRef<mlir::ValueRange> operands) {
  return llvm::map_to_vector(
      operands, [](mlir::ValueRange range) { return range.front(); });
}

} // namespace seagrove

#endif // SEAGROVE_LIB_CONVERSION_TRITONTOACCESS_AGGREGATES_H

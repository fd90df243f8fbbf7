//===- ShapeBuilders.h - writes moves of elements -------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_CONVERSION_TRITONTOTENSOR_SHAPEBUILDERS_H
#define SEAGROVE_LIB_CONVERSION_TRITONTOTENSOR_SHAPEBUILDERS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace seagrove {

/// The same elements in row-major order under another shape.
mlir::Value reshape(mlir::OpBuilder &b, mlir::Location loc, mlir::Value block,
                    llvm::ArrayRef<int64_t> shape);
/// Inserts a dimension of size 1 before dimension `axis`.
mlir::Value expandDims(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value block, int64_t axis);
/// Repeats `block` along its dimensions of size 1 up to `shape`.
mlir::Value broadcast(mlir::OpBuilder &b, mlir::Location loc, mlir::Value block,
                      llvm::ArrayRef<int64_t> shape);
/// Dimension `i` of the result is dimension `order[i]` of `block`.
mlir::Value transpose(mlir::OpBuilder &b, mlir::Location loc, mlir::Value block,
                      llvm::ArrayRef<int64_t> order);
/// Two blocks along a new last dimension.
mlir::Value join(mlir::OpBuilder &b, mlir::Location loc, mlir::Value lhs,
                 mlir::Value rhs);

} // namespace seagrove

#endif // SEAGROVE_LIB_CONVERSION_TRITONTOTENSOR_SHAPEBUILDERS_H

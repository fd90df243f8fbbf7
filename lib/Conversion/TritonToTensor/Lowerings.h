//===- Lowerings.h - how each operation is lowered ------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each function lowers the operations of its theme. It replaces `op` and
// returns success, reports an error and returns failure, or returns nothing if
// `op` is none of its own. The rewriter stands before `op`.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_CONVERSION_TRITONTOTENSOR_LOWERINGS_H
#define SEAGROVE_LIB_CONVERSION_TRITONTOTENSOR_LOWERINGS_H

#include "seagrove/Dialect/Triton/IR/Dialect.h"

#include "mlir/IR/PatternMatch.h"

namespace seagrove {

using Lowered = std::optional<llvm::LogicalResult>;

/// splat, make_range and whatever moves elements without looking at them.
Lowered lowerShape(mlir::IRRewriter &rewriter, mlir::Operation *op);
/// Arithmetic on each element, of scalars and of blocks.
Lowered lowerElementwise(mlir::IRRewriter &rewriter, mlir::Operation *op);
/// Calls of library functions.
Lowered lowerExtern(mlir::IRRewriter &rewriter, mlir::Operation *op);
/// Casts with a rounding mode, casts from and to 8-bit floats.
Lowered lowerFloatCast(mlir::IRRewriter &rewriter, mlir::Operation *op);
/// Operations with a region, histogram, gather.
Lowered lowerCombine(mlir::IRRewriter &rewriter, mlir::Operation *op);
/// Matrix products.
Lowered lowerDot(mlir::IRRewriter &rewriter, mlir::Operation *op);
Lowered lowerDotScaled(mlir::IRRewriter &rewriter, tt::DotScaledOp dot);
/// `lhs * rhs + acc`, accumulated in place.
mlir::Operation *emitProduct(mlir::OpBuilder &b, mlir::Location loc,
                             mlir::Value lhs, mlir::Value rhs, mlir::Value acc);

/// True for floats of 8 bits or fewer.
bool isNarrowFloat(mlir::Type element);
/// The value of each element of `value`, a narrow float, in f16, bf16, f32 or
/// f64; exact.
mlir::Value widenNarrowFloat(mlir::OpBuilder &b, mlir::Location loc,
                             mlir::Value value, mlir::Type element);
/// Turns what is left of narrow floats below `root` into i8.
void retypeNarrowFloats(mlir::Operation *root);

/// `type` with other elements; scalars are their own element.
mlir::Type withElement(mlir::Type type, mlir::Type element);
/// A constant of `type`: a scalar, or a block of equal elements.
mlir::Value constantLike(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::Type type, int64_t value);
mlir::Value floatConstantLike(mlir::OpBuilder &b, mlir::Location loc,
                              mlir::Type type, double value);

} // namespace seagrove

#endif // SEAGROVE_LIB_CONVERSION_TRITONTOTENSOR_LOWERINGS_H

//===- Variation.h - along which dimensions a block varies ----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block such as `(offs_m[:, None] // w) * stride` has a full shape but varies
// along one dimension only. This analysis finds the dimensions that a block
// varies along, and writes the computation again for a scalar (no dimension) or
// for a block of one dimension. Dimensions of size 1 never count.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_ANALYSIS_VARIATION_H
#define SEAGROVE_ANALYSIS_VARIATION_H

#include "seagrove/Analysis/ScalarMath.h"

#include "mlir/IR/BuiltinTypes.h"

namespace seagrove {

/// A set of dimensions, bit `d` for dimension `d`.
using DimSet = uint32_t;

class Variation {
public:
  explicit Variation(TrackingBuilder &builder) : b(builder) {}

  /// The dimensions along which elements of `block` may differ.
  DimSet dimsOf(mlir::Value block);
  bool isUniform(mlir::Value block) { return dimsOf(block) == 0; }
  /// The only dimension along which `block` varies, if there is exactly one.
  std::optional<int64_t> onlyDimOf(mlir::Value block);

  /// The scalar that all elements of a uniform block equal.
  mlir::Value scalarOf(mlir::Value block);
  /// The elements of `block` along `dim` as a block of one dimension; `block`
  /// must not vary along another dimension.
  mlir::Value projectTo(mlir::Value block, int64_t dim);

private:
  DimSet computeDims(mlir::Value block);
  mlir::Value computeScalar(mlir::Value block);
  mlir::Value computeProjection(mlir::Value block, int64_t dim);

  TrackingBuilder &b;
  llvm::DenseMap<mlir::Value, DimSet> dims;
  llvm::DenseMap<mlir::Value, mlir::Value> scalars;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, mlir::Value> projections;
};

/// True for operations that compute each element of their one result from the
/// elements of their operands in the same place, without memory.
bool isElementwise(mlir::Operation *op);

/// For a reshape that only adds or removes dimensions of size 1: the dimension
/// of the source that each dimension of the result stems from, or -1.
std::optional<llvm::SmallVector<int64_t>>
matchUnitReshape(llvm::ArrayRef<int64_t> source,
                 llvm::ArrayRef<int64_t> result);

/// The operand of a `tt` operation that only moves elements (broadcast,
/// expand_dims, trans, reshape), or null.
mlir::Value getReshapedSource(mlir::Operation *op);

/// Applies the shape operation `op` to another block of its operand's shape.
mlir::Value applyShapeOp(mlir::OpBuilder &b, mlir::Operation *op,
                         mlir::Value block);

} // namespace seagrove

#endif // SEAGROVE_ANALYSIS_VARIATION_H

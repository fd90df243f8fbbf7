//===- BlockState.h - what a block of integers or pointers holds ----------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Triton programs describe memory by arithmetic on blocks of integers. For
// nearly all of them each element is, in elements of the pointee,
//
//   value[i] = base + offset + sum_d (stride_d * i_d + index_d[i_d])
//
// with scalars `base` (a pointer; absent for integers), `offset`, `stride_d`
// and blocks of one dimension `index_d`. Example, the left side of a product
// whose rows wrap around at M:
//
//   rows = (pid * 64 + tl.arange(0, 64)) % M
//   ptrs = a + rows[:, None] * stride_m + tl.arange(0, 32)[None, :] + k
//
//   base = a   offset = k   stride_1 = 1   index_0 = rows * stride_m
//
// The operations of the program are read from the operands to the result, and
// each state is written with scalars that stand right behind the operation that
// it describes. What does not fit (a product of two dimensions, a loaded block
// of two dimensions) is opaque: it stays a block of numbers.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_ANALYSIS_BLOCKSTATE_H
#define SEAGROVE_ANALYSIS_BLOCKSTATE_H

#include "seagrove/Analysis/Variation.h"

namespace seagrove {

struct BlockState {
  /// The part of a dimension that no stride describes.
  struct Index {
    /// One-dimensional, of any integer type; null for none.
    mlir::Value tensor;
    /// Consecutive entries differ by one unless they wrap around.
    bool wrapped = false;
  };

  bool structured = false;
  mlir::Value base;
  Scalar offset;
  llvm::SmallVector<Scalar> strides;
  llvm::SmallVector<Index> indices;

  static BlockState opaque() { return {}; }
  int64_t rank() const { return strides.size(); }
  bool hasIndex() const {
    return llvm::any_of(indices, [](const Index &i) { return !!i.tensor; });
  }
};

/// Computes the states of the blocks of one function, each once. The function
/// may grow scalars, nothing else changes.
class BlockAnalysis {
public:
  explicit BlockAnalysis(TrackingBuilder &builder)
      : b(builder), variation(builder) {}

  const BlockState &stateOf(mlir::Value block);
  Variation &getVariation() { return variation; }
  TrackingBuilder &getBuilder() { return b; }

  /// The state of `lhs - rhs`.
  BlockState subtract(mlir::Location loc, const BlockState &lhs,
                      const BlockState &rhs);

  /// True where an integer block is known not to be negative.
  bool isNonNegative(mlir::Value block);

private:
  BlockState compute(mlir::Value block);
  BlockState computeInteger(mlir::Value block);
  BlockState computePointer(mlir::Value block);
  BlockState computeReshaped(mlir::Operation *op);
  BlockState computeIndexed(mlir::Value block, int64_t dim);

  BlockState uniform(int64_t rank, mlir::Value base, Scalar offset);
  BlockState add(mlir::Location loc, const BlockState &lhs,
                 const BlockState &rhs);
  BlockState scale(mlir::Location loc, const BlockState &state,
                   mlir::Value factor);
  BlockState rescalePointer(mlir::Location loc, const BlockState &state,
                            int64_t factor);
  BlockState::Index addIndices(mlir::Location loc, BlockState::Index lhs,
                               BlockState::Index rhs);
  mlir::Value widen(mlir::Location loc, mlir::Value tensor, mlir::Type element);

  TrackingBuilder &b;
  Variation variation;
  llvm::DenseMap<mlir::Value, std::unique_ptr<BlockState>> states;
};

/// The size of an element behind a pointer, in bytes.
int64_t getElementBytes(mlir::Type pointee);
/// True for blocks of pointers.
bool isPointerBlock(mlir::Type type);

} // namespace seagrove

#endif // SEAGROVE_ANALYSIS_BLOCKSTATE_H

//===- MaskState.h - what a mask holds ------------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mask is read as a conjunction: an interval for each dimension, scalar
// conditions, and the rest as a block of bits. `(rows < m) & (cols < n) & flag`
// with rows = pid * 64 + iota on dimension 0 and cols = iota on dimension 1 is
//
//   0 <= i_0 < m - pid * 64,   0 <= i_1 < n,   condition = flag
//
// so that loops run over whole vectors up to a scalar end and never look at
// bits. A condition is folded into the interval of dimension 0 at the end.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_ANALYSIS_MASKSTATE_H
#define SEAGROVE_ANALYSIS_MASKSTATE_H

#include "seagrove/Analysis/BlockState.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace seagrove {

/// The lanes that an access touches: low_d <= i_d < high_d, and `mask`.
struct Bounds {
  llvm::SmallVector<Scalar> lows;
  llvm::SmallVector<Scalar> highs;
  /// Null where the intervals say it all.
  mlir::Value mask;
};

/// Bounds that leave out nothing.
Bounds getFullBounds(mlir::MLIRContext *context, llvm::ArrayRef<int64_t> shape);

/// `low` and `high` limited to [0, size].
void clampBounds(mlir::OpBuilder &b, mlir::Location loc, int64_t size,
                 Scalar &low, Scalar &high);

class MaskAnalysis {
public:
  explicit MaskAnalysis(BlockAnalysis &blocks) : blocks(blocks) {}

  /// The bounds of a mask, clamped to its shape. One mask gives one set of
  /// values, however often it is asked for.
  const Bounds &boundsOf(mlir::Value mask);

private:
  /// Null bounds are unbounded, a null condition holds.
  struct State {
    llvm::SmallVector<Scalar> lows;
    llvm::SmallVector<Scalar> highs;
    mlir::Value condition;
    llvm::SmallVector<mlir::Value> rest;

    bool isStructured() const { return rest.empty(); }
  };

  const State &stateOf(mlir::Value mask);
  State compute(mlir::Value mask);
  State unbounded(int64_t rank);
  State residual(mlir::Value mask);
  State computeCompare(mlir::arith::CmpIOp compare);
  State computeReshaped(mlir::Operation *op);
  State computeAnd(mlir::Value mask, mlir::Value lhs, mlir::Value rhs);
  std::optional<BlockState> differenceOf(mlir::arith::CmpIOp compare);
  mlir::Value both(mlir::Location loc, mlir::Value lhs, mlir::Value rhs);

  BlockAnalysis &blocks;
  llvm::DenseMap<mlir::Value, std::unique_ptr<State>> states;
  llvm::DenseMap<mlir::Value, std::unique_ptr<Bounds>> bounds;
};

} // namespace seagrove

#endif // SEAGROVE_ANALYSIS_MASKSTATE_H

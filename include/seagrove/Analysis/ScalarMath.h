//===- ScalarMath.h - scalar arithmetic that folds ------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_ANALYSIS_SCALARMATH_H
#define SEAGROVE_ANALYSIS_SCALARMATH_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"
#include "llvm/ADT/DenseSet.h"

namespace seagrove {

/// An i64 scalar: a value, or a constant that has no operation yet.
using Scalar = mlir::OpFoldResult;

/// A builder that knows which operations it made, so that it can insert "right
/// after the definition of v" again and again without putting a later
/// computation in front of an earlier one that it uses.
class TrackingBuilder : public mlir::OpBuilder,
                        private mlir::OpBuilder::Listener {
public:
  explicit TrackingBuilder(mlir::MLIRContext *context) : OpBuilder(context) {
    setListener(this);
  }

  /// Moves behind the definition of `value` and all that was made there.
  void insertAfter(mlir::Value value);
  /// The same, at the beginning of `block`.
  void insertAtStart(mlir::Block *block);

private:
  void notifyOperationInserted(mlir::Operation *op, InsertPoint) override {
    made.insert(op);
  }
  void skipMade();

  llvm::DenseSet<mlir::Operation *> made;
};

/// Arithmetic on i64 scalars where constants and neutral elements fold away.
/// Division rounds as its name says; the divisor is a positive constant.
namespace scalar {

Scalar constant(mlir::MLIRContext *context, int64_t value);
std::optional<int64_t> constantOf(Scalar scalar);
bool isConstant(Scalar scalar, int64_t value);

Scalar add(mlir::OpBuilder &b, mlir::Location loc, Scalar lhs, Scalar rhs);
Scalar sub(mlir::OpBuilder &b, mlir::Location loc, Scalar lhs, Scalar rhs);
Scalar mul(mlir::OpBuilder &b, mlir::Location loc, Scalar lhs, Scalar rhs);
Scalar min(mlir::OpBuilder &b, mlir::Location loc, Scalar lhs, Scalar rhs);
Scalar max(mlir::OpBuilder &b, mlir::Location loc, Scalar lhs, Scalar rhs);
Scalar ceilDiv(mlir::OpBuilder &b, mlir::Location loc, Scalar lhs, int64_t rhs);
Scalar floorDiv(mlir::OpBuilder &b, mlir::Location loc, Scalar lhs,
                int64_t rhs);
/// `condition ? lhs : rhs`; a null condition is true.
Scalar select(mlir::OpBuilder &b, mlir::Location loc, mlir::Value condition,
              Scalar lhs, Scalar rhs);

/// The i64 of an integer or index value, sign-extended unless `isUnsigned`.
Scalar fromInteger(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value,
                   bool isUnsigned = false);
/// The value of a scalar; constants become operations.
mlir::Value toValue(mlir::OpBuilder &b, mlir::Location loc, Scalar scalar);
llvm::SmallVector<mlir::Value> toValues(mlir::OpBuilder &b, mlir::Location loc,
                                        llvm::ArrayRef<Scalar> scalars);

} // namespace scalar
} // namespace seagrove

#endif // SEAGROVE_ANALYSIS_SCALARMATH_H

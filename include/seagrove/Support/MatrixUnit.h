//===- MatrixUnit.h - what multiplies small matrices ------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A chip may multiply small matrices in one instruction. Its directory says
// what shapes there are and emits the instructions; how a product is cut into
// them is decided by shared code. A target description names the unit.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_SUPPORT_MATRIXUNIT_H
#define SEAGROVE_SUPPORT_MATRIXUNIT_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <memory>
#include <optional>
#include <utility>

namespace seagrove {

/// One step: a result of `rows` x `columns` gains the product of `rows` x
/// `depth` and `depth` x `columns` elements.
struct MatrixStep {
  int64_t rows, columns, depth;
  /// Rows of the right operand that lie interleaved, element by element:
  /// b[0][0] b[1][0] b[0][1] b[1][1] ... for 2.
  int64_t interleave;
  /// The type that the operands have where the unit reads them.
  mlir::Type stored;
  /// An element of an operand may be the sum of several stored ones, its parts;
  /// each operand then is as many matrices.
  unsigned parts = 1;
  /// Which part of the left operand is multiplied by which of the right one, in
  /// an order that changes as few of them as possible at a time.
  llvm::SmallVector<std::pair<unsigned, unsigned>, 4> terms = {{0, 0}};
  /// What is summed has more than the product: something that is the same for
  /// all rows, a sum over the right operand.
  bool hasExcess = false;
  /// Subnormal elements count as zeros.
  bool flushes = false;
};

/// Where a matrix lies: its first element, and the bytes from one row (of
/// interleaved rows, for a right operand) to the next.
struct MatrixPlace {
  mlir::Value pointer, rowBytes;
};

class MatrixUnit {
public:
  virtual ~MatrixUnit();

  /// The step for operands of type `element`, of at most `depth` columns of
  /// the left one, whose products are summed in `result`; none if the unit has
  /// none. A depth that a block is no multiple of is of no use to the caller.
  virtual std::optional<MatrixStep>
  findStep(mlir::Type element, mlir::Type result, int64_t depth) const = 0;
  /// How many results, down and across, fit the registers beside the operands
  /// of one step each.
  virtual int64_t resultsDown() const = 0;
  virtual int64_t resultsAcross() const = 0;

  using Builder = mlir::ImplicitLocOpBuilder;
  /// The parts of a vector of an operand's elements (or of one element), of the
  /// type `step.stored`. Only called where there are several.
  virtual llvm::SmallVector<mlir::Value>
  split(Builder &b, const MatrixStep &step, mlir::Value value) const;
  // `element` is the stored type in what follows.
  virtual mlir::Value zeroResult(Builder &b, const MatrixStep &step,
                                 mlir::Type element) const = 0;
  virtual mlir::Value loadResult(Builder &b, const MatrixStep &step,
                                 mlir::Type element,
                                 const MatrixPlace &place) const = 0;
  virtual mlir::Value loadLeft(Builder &b, const MatrixStep &step,
                               mlir::Type element,
                               const MatrixPlace &place) const = 0;
  virtual mlir::Value loadRight(Builder &b, const MatrixStep &step,
                                mlir::Type element,
                                const MatrixPlace &place) const = 0;
  virtual mlir::Value multiply(Builder &b, const MatrixStep &step,
                               mlir::Type element, mlir::Value left,
                               mlir::Value right, mlir::Value sum) const = 0;
  /// `sum`, a result, and what a step has too much for each row of `right`, and
  /// `result` without the excess of all its steps. Only called where there is
  /// some.
  virtual mlir::Value addExcess(Builder &b, const MatrixStep &step,
                                mlir::Type element, mlir::Value right,
                                mlir::Value sum) const;
  virtual mlir::Value withoutExcess(Builder &b, const MatrixStep &step,
                                    mlir::Type element, mlir::Value result,
                                    mlir::Value excess) const;
  virtual void storeResult(Builder &b, const MatrixStep &step,
                           mlir::Type element, mlir::Value value,
                           const MatrixPlace &place) const = 0;
};

/// The unit called `name`, or null. Units are registered by
/// `registerMatrixUnits`, which the build writes from what the directories of
/// the chips hold.
const MatrixUnit *findMatrixUnit(llvm::StringRef name);
void addMatrixUnit(llvm::StringRef name, std::unique_ptr<MatrixUnit> unit);

} // namespace seagrove

#endif // SEAGROVE_SUPPORT_MATRIXUNIT_H

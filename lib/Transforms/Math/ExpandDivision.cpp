//===- ExpandDivision.cpp - division of integers that cannot trap ---------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A vector of integers is divided in floats that hold them exactly. Let a and b
// be integers of less than n bits, and the floats have a precision of p bits:
//
// - The float nearest to a / b, cut off, is the quotient if p > n: where a / b
//   is no integer it is at least 1 / b away from the next one, which is more
//   than the rounding error of at most |a / b| 2^-p.
// - (a + 1/2) times the float nearest to 1 / b, cut off, is the quotient if
//   p > n + 2: the exact product is at least 1 / 2b away from any integer, and
//   the error of both roundings is at most |a / b| 2^(1 - p), about.
//
// Hence 32 bits go by f64 and fewer by f32.
//
//===----------------------------------------------------------------------===//

#include "seagrove/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

namespace seagrove {
#define GEN_PASS_DEF_EXPANDDIVISION
#include "seagrove/Transforms/Passes.h.inc"
} // namespace seagrove

using namespace mlir;

namespace {

using Predicate = arith::CmpIPredicate;

/// One division or remainder.
class Division {
public:
  explicit Division(Operation *op)
      : op(op), b(op->getLoc(), op), dividend(op->getOperand(0)),
        divisor(op->getOperand(1)), type(dividend.getType()),
        isSigned(isa<arith::DivSIOp, arith::RemSIOp, arith::CeilDivSIOp,
                     arith::FloorDivSIOp>(op)),
        isRemainder(isa<arith::RemSIOp, arith::RemUIOp>(op)) {}

  /// True if no dividend makes it trap: LLVM does these well by itself.
  bool isSafe() const {
    APInt number;
    return matchPattern(divisor, m_ConstantInt(&number)) && !number.isZero() &&
           !(isSigned && number.isAllOnes());
  }

  unsigned bits() const {
    Type element = getElementTypeOrSelf(type);
    return element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  }

  bool isFixedVector() const {
    auto vector = dyn_cast<VectorType>(type);
    return vector && !vector.isScalable() && vector.getNumElements() > 1;
  }

  /// The values of the two truth values.
  void expandTruthValues() {
    op->replaceAllUsesWith(
        ValueRange{isRemainder ? constant(0) : Value(dividend)});
    op->erase();
  }

  /// Divides by 1 instead of what would trap.
  void guard() {
    Value one = constant(1);
    Value isOdd = isSigned ? isZeroOrMinusOne() : compare(Predicate::eq, 0);
    Value safe = arith::SelectOp::create(b, isOdd, one, divisor);
    op->setOperand(1, safe);
    if (!isSigned || isRemainder)
      return;
    b.setInsertionPointAfter(op);
    Value result = op->getResult(0);
    Value chosen = negatedForMinusOne(result);
    result.replaceAllUsesExcept(chosen, chosen.getDefiningOp());
  }

  /// Computes the quotients in floats.
  void expandInFloats() {
    Value quotient = isSigned ? signedQuotient() : unsignedQuotient();
    if (isRemainder)
      quotient = arith::SubIOp::create(
          b, dividend, arith::MulIOp::create(b, quotient, divisor));
    op->replaceAllUsesWith(ValueRange{quotient});
    op->erase();
  }

private:
  Value constant(int64_t number) {
    Type element = getElementTypeOrSelf(type);
    TypedAttr attribute = b.getIntegerAttr(element, number);
    if (auto vector = dyn_cast<VectorType>(type))
      attribute = DenseElementsAttr::get(vector, Attribute(attribute));
    return arith::ConstantOp::create(b, attribute);
  }

  Value compare(Predicate predicate, int64_t number) {
    return arith::CmpIOp::create(b, predicate, divisor, constant(number));
  }

  Value isZeroOrMinusOne() {
    Value next = arith::AddIOp::create(b, divisor, constant(1));
    return arith::CmpIOp::create(b, Predicate::ult, next, constant(2));
  }

  /// The least integer has no opposite, and its bits stay.
  Value negatedForMinusOne(Value quotient) {
    Value minus = arith::SubIOp::create(b, constant(0), dividend);
    Value isMinusOne = compare(Predicate::eq, -1);
    return arith::SelectOp::create(b, isMinusOne, minus, quotient);
  }

  Value signedQuotient() {
    Value isOdd = isZeroOrMinusOne(), one = constant(1);
    Value safe = arith::SelectOp::create(b, isOdd, one, divisor);
    return negatedForMinusOne(inFloats<arith::SIToFPOp>(safe));
  }

  /// Quotients by 2 or more have no highest bit, so that they are converted as
  /// signed numbers, for which every chip has an instruction.
  Value unsignedQuotient() {
    Value isSmall = compare(Predicate::ult, 2), two = constant(2);
    Value safe = arith::SelectOp::create(b, isSmall, two, divisor);
    return arith::SelectOp::create(b, isSmall, dividend,
                                   inFloats<arith::UIToFPOp>(safe));
  }

  template <typename ToFloat> Value inFloats(Value safe) {
    Type element = bits() > 16 ? b.getF64Type() : b.getF32Type();
    auto floats = cast<VectorType>(cast<VectorType>(type).clone(element));
    Value number = ToFloat::create(b, floats, dividend);
    Value exact;
    if (!isUniform()) {
      exact =
          arith::DivFOp::create(b, number, ToFloat::create(b, floats, safe));
    } else {
      // Where the divisor is known outside of a loop, so is this.
      Value first = vector::ExtractOp::create(
          b, safe, SmallVector<int64_t>(floats.getRank(), 0));
      Value one = arith::ConstantOp::create(b, b.getFloatAttr(element, 1.0));
      Value reciprocal =
          arith::DivFOp::create(b, one, ToFloat::create(b, element, first));
      Value half = arith::ConstantOp::create(
          b, DenseElementsAttr::get(floats,
                                    Attribute(b.getFloatAttr(element, 0.5))));
      if (isSigned)
        half = math::CopySignOp::create(b, half, number);
      Value sum = arith::AddFOp::create(b, number, half);
      Value all = vector::BroadcastOp::create(b, floats, reciprocal);
      exact = arith::MulFOp::create(b, sum, all);
    }
    return arith::FPToSIOp::create(b, type, exact);
  }

  bool isUniform() {
    if (auto broadcast = divisor.getDefiningOp<vector::BroadcastOp>())
      return !isa<VectorType>(broadcast.getSource().getType());
    DenseElementsAttr elements;
    return matchPattern(divisor, m_Constant(&elements)) && elements.isSplat();
  }

  Operation *op;
  ImplicitLocOpBuilder b;
  Value dividend, divisor;
  Type type;
  bool isSigned, isRemainder;
};

struct ExpandDivision
    : public seagrove::impl::ExpandDivisionBase<ExpandDivision> {
  using ExpandDivisionBase::ExpandDivisionBase;

  void runOnOperation() override {
    SmallVector<Operation *> found;
    getOperation()->walk([&](Operation *op) {
      if (isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
              arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp>(op))
        found.push_back(op);
    });
    for (Operation *op : found) {
      Division division(op);
      bool rounds =
          isa<arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp>(op);
      if (division.isSafe())
        continue;
      if (division.bits() == 1)
        division.expandTruthValues();
      else if (!rounds && !vectors && division.isFixedVector() &&
               division.bits() <= 32)
        division.expandInFloats();
      else
        division.guard();
    }
  }
};

} // namespace

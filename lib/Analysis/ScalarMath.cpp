//===- ScalarMath.cpp - scalar arithmetic that folds ----------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Analysis/ScalarMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace seagrove;

//===----------------------------------------------------------------------===//
// TrackingBuilder
//===----------------------------------------------------------------------===//

void TrackingBuilder::insertAfter(Value value) {
  setInsertionPointAfterValue(value);
  skipMade();
}

void TrackingBuilder::insertAtStart(Block *block) {
  setInsertionPointToStart(block);
  skipMade();
}

void TrackingBuilder::skipMade() {
  Block *block = getInsertionBlock();
  Block::iterator point = getInsertionPoint();
  while (point != block->end() && made.contains(&*point))
    ++point;
  setInsertionPoint(block, point);
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Scalar scalar::constant(MLIRContext *context, int64_t value) {
  return Builder(context).getI64IntegerAttr(value);
}

std::optional<int64_t> scalar::constantOf(Scalar scalar) {
  if (!scalar)
    return std::nullopt;
  return getConstantIntValue(scalar);
}

bool scalar::isConstant(Scalar scalar, int64_t value) {
  return constantOf(scalar) == value;
}

Value scalar::toValue(OpBuilder &b, Location loc, Scalar scalar) {
  if (auto value = dyn_cast<Value>(scalar))
    return value;
  return arith::ConstantOp::create(b, loc,
                                   cast<IntegerAttr>(cast<Attribute>(scalar)));
}

SmallVector<Value> scalar::toValues(OpBuilder &b, Location loc,
                                    ArrayRef<Scalar> scalars) {
  return llvm::map_to_vector(
      scalars, [&](Scalar scalar) { return toValue(b, loc, scalar); });
}

/// Builds `Op` unless `fold` knows the answer for two constants.
template <typename Op, typename Fold>
static Scalar combine(OpBuilder &b, Location loc, Scalar lhs, Scalar rhs,
                      Fold fold) {
  std::optional<int64_t> left = scalar::constantOf(lhs);
  std::optional<int64_t> right = scalar::constantOf(rhs);
  if (left && right)
    return scalar::constant(b.getContext(), fold(*left, *right));
  Value lhsValue = scalar::toValue(b, loc, lhs);
  Value rhsValue = scalar::toValue(b, loc, rhs);
  return Op::create(b, loc, lhsValue, rhsValue).getResult();
}

/// Two's complement arithmetic, as the operations have it.
static int64_t wrap(uint64_t value) { return static_cast<int64_t>(value); }

Scalar scalar::add(OpBuilder &b, Location loc, Scalar lhs, Scalar rhs) {
  if (isConstant(lhs, 0))
    return rhs;
  if (isConstant(rhs, 0))
    return lhs;
  return combine<arith::AddIOp>(
      b, loc, lhs, rhs, [](uint64_t x, uint64_t y) { return wrap(x + y); });
}

Scalar scalar::sub(OpBuilder &b, Location loc, Scalar lhs, Scalar rhs) {
  if (isConstant(rhs, 0))
    return lhs;
  if (lhs == rhs)
    return constant(b.getContext(), 0);
  // Bounds are negated differences: -(x - y) is y - x.
  if (isConstant(lhs, 0))
    if (auto value = dyn_cast<Value>(rhs))
      if (auto difference = value.getDefiningOp<arith::SubIOp>())
        return sub(b, loc, difference.getRhs(), difference.getLhs());
  return combine<arith::SubIOp>(
      b, loc, lhs, rhs, [](uint64_t x, uint64_t y) { return wrap(x - y); });
}

Scalar scalar::mul(OpBuilder &b, Location loc, Scalar lhs, Scalar rhs) {
  if (isConstant(lhs, 1) || isConstant(rhs, 0))
    return rhs;
  if (isConstant(rhs, 1) || isConstant(lhs, 0))
    return lhs;
  return combine<arith::MulIOp>(
      b, loc, lhs, rhs, [](uint64_t x, uint64_t y) { return wrap(x * y); });
}

Scalar scalar::min(OpBuilder &b, Location loc, Scalar lhs, Scalar rhs) {
  if (lhs == rhs)
    return lhs;
  return combine<arith::MinSIOp>(
      b, loc, lhs, rhs, [](int64_t x, int64_t y) { return std::min(x, y); });
}

Scalar scalar::max(OpBuilder &b, Location loc, Scalar lhs, Scalar rhs) {
  if (lhs == rhs)
    return lhs;
  return combine<arith::MaxSIOp>(
      b, loc, lhs, rhs, [](int64_t x, int64_t y) { return std::max(x, y); });
}

Scalar scalar::ceilDiv(OpBuilder &b, Location loc, Scalar lhs, int64_t rhs) {
  if (rhs == 1)
    return lhs;
  return combine<arith::CeilDivSIOp>(
      b, loc, lhs, constant(b.getContext(), rhs),
      [](int64_t x, int64_t y) { return llvm::divideCeilSigned(x, y); });
}

Scalar scalar::floorDiv(OpBuilder &b, Location loc, Scalar lhs, int64_t rhs) {
  if (rhs == 1)
    return lhs;
  return combine<arith::FloorDivSIOp>(
      b, loc, lhs, constant(b.getContext(), rhs),
      [](int64_t x, int64_t y) { return llvm::divideFloorSigned(x, y); });
}

Scalar scalar::select(OpBuilder &b, Location loc, Value condition, Scalar lhs,
                      Scalar rhs) {
  if (!condition || lhs == rhs || matchPattern(condition, m_One()))
    return lhs;
  if (matchPattern(condition, m_Zero()))
    return rhs;
  Value lhsValue = toValue(b, loc, lhs);
  Value rhsValue = toValue(b, loc, rhs);
  return arith::SelectOp::create(b, loc, condition, lhsValue, rhsValue)
      .getResult();
}

Scalar scalar::fromInteger(OpBuilder &b, Location loc, Value value,
                           bool isUnsigned) {
  APInt known;
  if (matchPattern(value, m_ConstantInt(&known)))
    return constant(b.getContext(),
                    isUnsigned ? known.getZExtValue() : known.getSExtValue());
  if (value.getType().isIndex())
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), value)
        .getResult();
  unsigned width = value.getType().getIntOrFloatBitWidth();
  if (width == 64)
    return value;
  if (isUnsigned)
    return arith::ExtUIOp::create(b, loc, b.getI64Type(), value).getResult();
  return arith::ExtSIOp::create(b, loc, b.getI64Type(), value).getResult();
}

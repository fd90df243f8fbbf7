//===- MathBuilder.cpp - formulas that read like formulas -----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MathBuilder.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include <limits>

using namespace mlir;

namespace seagrove::math_expansion {

MathBuilder::MathBuilder(ImplicitLocOpBuilder &builder, Type like,
                         const ExpandMathOptions &options,
                         ConstantCache &constants)
    : b(builder), like(like), floatElement(getElementTypeOrSelf(like)),
      bits(floatElement.getIntOrFloatBitWidth()), options(options),
      constants(constants) {}

MathBuilder MathBuilder::withElement(Type element) {
  return MathBuilder(b, shaped(element), options, constants);
}

Type MathBuilder::intElement(unsigned width) const {
  return IntegerType::get(b.getContext(), width);
}

Type MathBuilder::shaped(Type element) const {
  if (auto vector = dyn_cast<VectorType>(like))
    return VectorType::get(vector.getShape(), element,
                           vector.getScalableDims());
  return element;
}

Value MathBuilder::constantOf(TypedAttr attribute) {
  Value &known = constants[attribute];
  if (!known) {
    Operation *parent = b.getInsertionBlock()->getParentOp();
    auto function = dyn_cast<FunctionOpInterface>(parent);
    if (!function)
      function = parent->getParentOfType<FunctionOpInterface>();
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function.getFunctionBody().front());
    known = arith::ConstantOp::create(b, attribute);
  }
  return known;
}

static TypedAttr splat(Type type, TypedAttr element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return DenseElementsAttr::get(vector, Attribute(element));
  return element;
}

Flt MathBuilder::constant(double value) {
  return flt(
      constantOf(splat(floatType(), b.getFloatAttr(floatElement, value))));
}

Int MathBuilder::constantInt(int64_t value) {
  llvm::APInt wide(64, value, /*isSigned=*/true);
  return integer(constantOf(
      splat(intType(), b.getIntegerAttr(intElement(bits), wide.trunc(bits)))));
}

Flt MathBuilder::infinity() {
  return constant(std::numeric_limits<double>::infinity());
}

Flt MathBuilder::negativeInfinity() {
  return constant(-std::numeric_limits<double>::infinity());
}

Flt MathBuilder::nan() {
  return constant(std::numeric_limits<double>::quiet_NaN());
}

//===----------------------------------------------------------------------===//
// Floating point
//===----------------------------------------------------------------------===//

Flt operator+(Flt a, Flt b) {
  return a.m->flt(a.m->binary<arith::AddFOp>(a.value, b.value));
}
Flt operator-(Flt a, Flt b) {
  return a.m->flt(a.m->binary<arith::SubFOp>(a.value, b.value));
}
Flt operator*(Flt a, Flt b) {
  return a.m->flt(a.m->binary<arith::MulFOp>(a.value, b.value));
}
Flt operator/(Flt a, Flt b) {
  return a.m->flt(a.m->binary<arith::DivFOp>(a.value, b.value));
}
Flt operator-(Flt a) {
  return a.m->flt(arith::NegFOp::create(a.m->ops(), a.value));
}

Flt mulAdd(Flt a, Flt b, Flt c) {
  if (!a.m->target().fma)
    return a * b + c;
  return a.m->flt(
      ::mlir::math::FmaOp::create(a.m->ops(), a.value, b.value, c.value));
}

Flt polynomial(Flt x, ArrayRef<double> coefficients) {
  Flt sum = x.m->constant(coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = mulAdd(sum, x, coefficient);
  return sum;
}

Flt abs(Flt x) {
  return x.m->flt(::mlir::math::AbsFOp::create(x.m->ops(), x.value));
}

Flt sqrt(Flt x) {
  return x.m->flt(::mlir::math::SqrtOp::create(x.m->ops(), x.value));
}

Flt copySign(Flt magnitude, Flt sign) {
  return magnitude.m->flt(::mlir::math::CopySignOp::create(
      magnitude.m->ops(), magnitude.value, sign.value));
}

Flt clampAbove(Flt x, double high) {
  Flt limit = x.m->constant(high);
  return select(limit < x, limit, x);
}

Flt clampBelow(Flt x, double low) {
  Flt limit = x.m->constant(low);
  return select(limit > x, limit, x);
}

Flt clamp(Flt x, double low, double high) {
  return clampBelow(clampAbove(x, high), low);
}

static Bool compare(arith::CmpFPredicate predicate, Flt a, Flt b) {
  return a.m->boolean(
      arith::CmpFOp::create(a.m->ops(), predicate, a.value, b.value));
}
Bool operator<(Flt a, Flt b) {
  return compare(arith::CmpFPredicate::OLT, a, b);
}
Bool operator>(Flt a, Flt b) {
  return compare(arith::CmpFPredicate::OGT, a, b);
}
Bool operator<=(Flt a, Flt b) {
  return compare(arith::CmpFPredicate::OLE, a, b);
}
Bool operator>=(Flt a, Flt b) {
  return compare(arith::CmpFPredicate::OGE, a, b);
}
Bool equal(Flt a, Flt b) { return compare(arith::CmpFPredicate::OEQ, a, b); }
Bool isNaN(Flt a) { return compare(arith::CmpFPredicate::UNO, a, a); }

static Value selectValue(Bool condition, Value yes, Value no) {
  return arith::SelectOp::create(condition.m->ops(), condition.value, yes, no);
}
Flt select(Bool condition, Flt yes, Flt no) {
  return yes.m->flt(selectValue(condition, yes.value, no.value));
}

//===----------------------------------------------------------------------===//
// Integers and truth values
//===----------------------------------------------------------------------===//

Int operator+(Int a, Int b) {
  return a.m->integer(a.m->binary<arith::AddIOp>(a.value, b.value));
}
Int operator-(Int a, Int b) {
  return a.m->integer(a.m->binary<arith::SubIOp>(a.value, b.value));
}
Int operator*(Int a, Int b) {
  return a.m->integer(a.m->binary<arith::MulIOp>(a.value, b.value));
}
Int operator&(Int a, Int b) {
  return a.m->integer(a.m->binary<arith::AndIOp>(a.value, b.value));
}
Int operator|(Int a, Int b) {
  return a.m->integer(a.m->binary<arith::OrIOp>(a.value, b.value));
}
Int operator^(Int a, Int b) {
  return a.m->integer(a.m->binary<arith::XOrIOp>(a.value, b.value));
}
Int shiftLeft(Int a, Int count) {
  return a.m->integer(a.m->binary<arith::ShLIOp>(a.value, count.value));
}
Int shiftRight(Int a, Int count) {
  return a.m->integer(a.m->binary<arith::ShRUIOp>(a.value, count.value));
}
Int shiftRightSigned(Int a, int64_t count) {
  return a.m->integer(
      a.m->binary<arith::ShRSIOp>(a.value, a.m->constantInt(count).value));
}
Int select(Bool condition, Int yes, Int no) {
  return yes.m->integer(selectValue(condition, yes.value, no.value));
}

static Bool compare(arith::CmpIPredicate predicate, Int a, Int b) {
  return a.m->boolean(
      arith::CmpIOp::create(a.m->ops(), predicate, a.value, b.value));
}
Bool equal(Int a, Int b) { return compare(arith::CmpIPredicate::eq, a, b); }
Bool lessUnsigned(Int a, Int b) {
  return compare(arith::CmpIPredicate::ult, a, b);
}
Bool lessSigned(Int a, Int b) {
  return compare(arith::CmpIPredicate::slt, a, b);
}

Bool operator&(Bool a, Bool b) {
  return a.m->boolean(a.m->binary<arith::AndIOp>(a.value, b.value));
}
Bool operator|(Bool a, Bool b) {
  return a.m->boolean(a.m->binary<arith::OrIOp>(a.value, b.value));
}
Bool operator!(Bool a) {
  Type type = a.value.getType();
  Value one = a.m->constantOf(
      splat(type, a.m->ops().getIntegerAttr(getElementTypeOrSelf(type), 1)));
  return a.m->boolean(a.m->binary<arith::XOrIOp>(a.value, one));
}

Value any(Bool a) {
  auto type = dyn_cast<VectorType>(a.value.getType());
  if (!type)
    return a.value;
  ImplicitLocOpBuilder &b = a.m->ops();
  Value flat = a.value;
  if (type.getRank() == 0)
    return vector::ExtractOp::create(b, flat, ArrayRef<int64_t>{});
  if (type.getRank() > 1) {
    auto flatType = VectorType::get({type.getNumElements()},
                                    type.getElementType(), {type.isScalable()});
    flat = vector::ShapeCastOp::create(b, flatType, flat);
  }
  return vector::ReductionOp::create(b, vector::CombiningKind::OR, flat);
}

Int bitsOf(Flt x) {
  return x.m->integer(
      arith::BitcastOp::create(x.m->ops(), x.m->intType(), x.value));
}
Flt fromBits(Int x) {
  return x.m->flt(
      arith::BitcastOp::create(x.m->ops(), x.m->floatType(), x.value));
}
Flt toFloat(Int x) {
  return x.m->flt(
      arith::SIToFPOp::create(x.m->ops(), x.m->floatType(), x.value));
}

//===----------------------------------------------------------------------===//
// Between builders of one shape
//===----------------------------------------------------------------------===//

Flt convert(Flt x, MathBuilder &m) {
  unsigned from = getElementTypeOrSelf(x.value).getIntOrFloatBitWidth();
  unsigned to = getElementTypeOrSelf(m.floatType()).getIntOrFloatBitWidth();
  if (from < to)
    return m.flt(arith::ExtFOp::create(m.ops(), m.floatType(), x.value));
  if (from > to)
    return m.flt(arith::TruncFOp::create(m.ops(), m.floatType(), x.value));
  return m.flt(x.value);
}

Int resize(Int x, MathBuilder &m) {
  unsigned from = getElementTypeOrSelf(x.value).getIntOrFloatBitWidth();
  unsigned to = getElementTypeOrSelf(m.intType()).getIntOrFloatBitWidth();
  if (from < to)
    return m.integer(arith::ExtUIOp::create(m.ops(), m.intType(), x.value));
  if (from > to)
    return m.integer(arith::TruncIOp::create(m.ops(), m.intType(), x.value));
  return m.integer(x.value);
}

} // namespace seagrove::math_expansion

//===- MathBuilder.h - formulas that read like formulas ---------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The expansions are written over three handles, `Flt`, `Int` and `Bool`, whose
// operators create arith operations without fast-math flags. All handles of one
// expansion have one shape: a scalar, or a fixed or scalable vector. An `Int`
// is as wide as the `Flt` that its bits come from.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TRANSFORMS_MATH_MATHBUILDER_H
#define SEAGROVE_LIB_TRANSFORMS_MATH_MATHBUILDER_H

#include "seagrove/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace seagrove::math_expansion {

class MathBuilder;

struct Handle {
  MathBuilder *m;
  mlir::Value value;
};
struct Flt : Handle {};
struct Int : Handle {};
struct Bool : Handle {};

/// Constants of one function, made once at its entry.
using ConstantCache = llvm::DenseMap<mlir::Attribute, mlir::Value>;

/// Creates the operations of one expansion.
class MathBuilder {
public:
  /// `like` gives the shape and the element type of the computation.
  MathBuilder(mlir::ImplicitLocOpBuilder &builder, mlir::Type like,
              const ExpandMathOptions &options, ConstantCache &constants);

  /// A builder of the same shape that computes in `element`.
  MathBuilder withElement(mlir::Type element);

  mlir::ImplicitLocOpBuilder &ops() { return b; }
  const ExpandMathOptions &target() const { return options; }
  bool isF64() const { return bits == 64; }
  unsigned mantissaBits() const { return isF64() ? 52 : 23; }
  int64_t bias() const { return isF64() ? 1023 : 127; }
  mlir::Type floatType() const { return shaped(floatElement); }
  mlir::Type intType() const { return shaped(intElement(bits)); }
  mlir::Type boolType() const { return shaped(intElement(1)); }
  mlir::Type intElement(unsigned width) const;
  mlir::Type shaped(mlir::Type element) const;

  Flt flt(mlir::Value value) { return {{this, value}}; }
  Int integer(mlir::Value value) { return {{this, value}}; }
  Bool boolean(mlir::Value value) { return {{this, value}}; }

  /// Constants, equal in all elements.
  Flt constant(double value);
  Int constantInt(int64_t value);
  Flt infinity();
  Flt negativeInfinity();
  Flt nan();
  mlir::Value constantOf(mlir::TypedAttr attribute);

  template <typename Op> mlir::Value binary(mlir::Value lhs, mlir::Value rhs) {
    return Op::create(b, lhs, rhs);
  }

private:
  mlir::ImplicitLocOpBuilder &b;
  mlir::Type like;
  mlir::Type floatElement;
  unsigned bits;
  const ExpandMathOptions &options;
  ConstantCache &constants;
};

//===----------------------------------------------------------------------===//
// Floating point
//===----------------------------------------------------------------------===//

Flt operator+(Flt a, Flt b);
Flt operator-(Flt a, Flt b);
Flt operator*(Flt a, Flt b);
Flt operator/(Flt a, Flt b);
Flt operator-(Flt a);
inline Flt operator+(Flt a, double b) { return a + a.m->constant(b); }
inline Flt operator-(Flt a, double b) { return a - a.m->constant(b); }
inline Flt operator*(Flt a, double b) { return a * a.m->constant(b); }
inline Flt operator/(Flt a, double b) { return a / a.m->constant(b); }
inline Flt operator+(double a, Flt b) { return b.m->constant(a) + b; }
inline Flt operator-(double a, Flt b) { return b.m->constant(a) - b; }
inline Flt operator*(double a, Flt b) { return b.m->constant(a) * b; }
inline Flt operator/(double a, Flt b) { return b.m->constant(a) / b; }

/// a * b + c with one rounding where the target can, with two elsewhere.
Flt mulAdd(Flt a, Flt b, Flt c);
inline Flt mulAdd(Flt a, double b, Flt c) {
  return mulAdd(a, a.m->constant(b), c);
}
inline Flt mulAdd(Flt a, Flt b, double c) {
  return mulAdd(a, b, a.m->constant(c));
}
inline Flt mulAdd(Flt a, double b, double c) {
  return mulAdd(a, a.m->constant(b), a.m->constant(c));
}

/// The sum of coefficients[k] * x**k by Horner's rule.
Flt polynomial(Flt x, llvm::ArrayRef<double> coefficients);

Flt abs(Flt x);
Flt sqrt(Flt x);
/// `magnitude` with the sign of `sign`.
Flt copySign(Flt magnitude, Flt sign);
/// x limited to [low, high]; NaN stays NaN.
Flt clamp(Flt x, double low, double high);
Flt clampAbove(Flt x, double high);
Flt clampBelow(Flt x, double low);

/// Ordered comparisons: false where an operand is NaN.
Bool operator<(Flt a, Flt b);
Bool operator>(Flt a, Flt b);
Bool operator<=(Flt a, Flt b);
Bool operator>=(Flt a, Flt b);
Bool equal(Flt a, Flt b);
Bool isNaN(Flt a);
inline Bool operator<(Flt a, double b) { return a < a.m->constant(b); }
inline Bool operator>(Flt a, double b) { return a > a.m->constant(b); }
inline Bool operator<=(Flt a, double b) { return a <= a.m->constant(b); }
inline Bool operator>=(Flt a, double b) { return a >= a.m->constant(b); }
inline Bool equal(Flt a, double b) { return equal(a, a.m->constant(b)); }

Flt select(Bool condition, Flt yes, Flt no);
inline Flt select(Bool condition, Flt yes, double no) {
  return select(condition, yes, yes.m->constant(no));
}
inline Flt select(Bool condition, double yes, Flt no) {
  return select(condition, no.m->constant(yes), no);
}

//===----------------------------------------------------------------------===//
// Integers and truth values
//===----------------------------------------------------------------------===//

Int operator+(Int a, Int b);
Int operator-(Int a, Int b);
Int operator*(Int a, Int b);
Int operator&(Int a, Int b);
Int operator|(Int a, Int b);
Int operator^(Int a, Int b);
Int shiftLeft(Int a, Int count);
Int shiftRight(Int a, Int count);
Int shiftRightSigned(Int a, int64_t count);
inline Int operator+(Int a, int64_t b) { return a + a.m->constantInt(b); }
inline Int operator-(Int a, int64_t b) { return a - a.m->constantInt(b); }
inline Int operator-(int64_t a, Int b) { return b.m->constantInt(a) - b; }
inline Int operator&(Int a, int64_t b) { return a & a.m->constantInt(b); }
inline Int operator|(Int a, int64_t b) { return a | a.m->constantInt(b); }
inline Int operator^(Int a, int64_t b) { return a ^ a.m->constantInt(b); }
inline Int shiftLeft(Int a, int64_t count) {
  return shiftLeft(a, a.m->constantInt(count));
}
inline Int shiftRight(Int a, int64_t count) {
  return shiftRight(a, a.m->constantInt(count));
}
Int select(Bool condition, Int yes, Int no);
Bool equal(Int a, Int b);
Bool lessUnsigned(Int a, Int b);
Bool lessSigned(Int a, Int b);
inline Bool equal(Int a, int64_t b) { return equal(a, a.m->constantInt(b)); }
inline Bool notZero(Int a) { return lessUnsigned(a.m->constantInt(0), a); }

Bool operator&(Bool a, Bool b);
Bool operator|(Bool a, Bool b);
Bool operator!(Bool a);
/// One truth value for all elements: true if any of them is.
mlir::Value any(Bool a);

/// The bits of a number, and back.
Int bitsOf(Flt x);
Flt fromBits(Int x);
/// The value of an integer, exactly or rounded to nearest.
Flt toFloat(Int x);

//===----------------------------------------------------------------------===//
// Between builders of one shape
//===----------------------------------------------------------------------===//

/// `x` in the format of `m`: extended, rounded, or as it is.
Flt convert(Flt x, MathBuilder &m);
/// `x`, which is not negative, in the width of `m`.
Int resize(Int x, MathBuilder &m);

} // namespace seagrove::math_expansion

#endif // SEAGROVE_LIB_TRANSFORMS_MATH_MATHBUILDER_H

//===- Exponential.cpp - exponentials, logarithms, powers -----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// exp and exp2: x = n ln(2) + r with n to nearest (Cody and Waite, "Software
// manual for the elementary functions", 1980: ln(2) in two parts, so that n
// times the first cancels exactly), a polynomial in r, and a product with 2^n.
//
// log: x = 2^e m with m around 1, a polynomial in m - 1 (f32) or in
// (m-1)/(m+1) (f64, the form of Tang, "Table-driven implementation of the
// logarithm function", ACM TOMS 16, 1990, without the table).
//
//===----------------------------------------------------------------------===//

#include "Coefficients.h"
#include "Functions.h"

#include <cmath>

namespace seagrove::math_expansion {

namespace {

constexpr double kLn2 = 0x1.62e42fefa39efp-1;
constexpr double kLog2E = 0x1.71547652b82fep+0;

/// ln(2) in two parts. The first has so few bits that its product with an
/// exponent is exact even where there is no fused multiply-add.
struct SplitConstant {
  double high, low;
};
constexpr SplitConstant kLn2F32 = {0x1.62e8p-1, -0x1.e8082ep-16};
constexpr SplitConstant kLn2F64 = {0x1.62e42fefa4p-1, -0x1.8432a1b0e2634p-43};
constexpr SplitConstant kLog10Of2F32 = {0x1.344p-2, 0x1.3509f8p-18};
constexpr SplitConstant kLog10Of2F64 = {0x1.34413509f8p-2,
                                        -0x1.80433b83b532ap-44};

SplitConstant ln2For(MathBuilder &m) { return m.isF64() ? kLn2F64 : kLn2F32; }

/// An integral number close to x * scale, as a number and, plus `offset`, in
/// the low bits of an integer. Adding 1.5 * 2^mantissaBits leaves no bits for a
/// fraction.
struct Rounded {
  Flt number;
  Int bits;
};
Rounded roundScaled(Flt x, double scale, int64_t offset) {
  MathBuilder &m = *x.m;
  double magic = std::ldexp(1.5, m.mantissaBits()) + double(offset);
  Flt shifted = scale == 1 ? x + magic : mulAdd(x, scale, magic);
  return {shifted - magic, bitsOf(shifted)};
}

/// p * 2^n, given the bits of n plus twice the bias. Both factors are normal
/// powers of two for every n that does not certainly overflow or vanish, and
/// only the second product rounds.
Flt scaleByPowerOfTwo(Flt p, Int biased) {
  MathBuilder &m = *p.m;
  int64_t mantissa = m.mantissaBits();
  int64_t exponentMask = ~((int64_t(1) << mantissa) - 1);
  Int half = shiftLeft(biased, mantissa - 1) & exponentMask;
  Int rest = shiftLeft(biased, mantissa) - half;
  return p * fromBits(half) * fromBits(rest);
}

/// x - n ln(2).
Flt reduceByLn2(Flt x, Flt n) {
  SplitConstant ln2 = ln2For(*x.m);
  return mulAdd(n, -ln2.low, mulAdd(n, -ln2.high, x));
}

/// The polynomial for exp(r), |r| <= ln(2)/2.
llvm::SmallVector<double> expCoefficients(const MathBuilder &m) {
  llvm::SmallVector<double> c{1, 1};
  if (m.isF64())
    c.append(std::begin(kExpF64), std::end(kExpF64));
  else
    c.append(std::begin(kExpF32), std::end(kExpF32));
  return c;
}

/// exp(r) for |r| <= ln(2)/2.
Flt expOfReduced(Flt r) { return polynomial(r, expCoefficients(*r.m)); }

/// expm1(r) for |r| <= ln(2)/2, f32.
Flt expm1OfReduced(Flt r) { return mulAdd(r * r, polynomial(r, kExpF32), r); }

} // namespace

Flt expTimesPowerOfTwo(Flt x, int exponent, double low, double high) {
  MathBuilder &m = *x.m;
  Flt limited = clamp(x, low, high);
  Rounded n = roundScaled(limited, kLog2E, 0);
  Flt p = expOfReduced(reduceByLn2(limited, n.number));
  return scaleByPowerOfTwo(p, n.bits + (2 * m.bias() + exponent));
}

Flt exp(Flt x) {
  MathBuilder &m = *x.m;
  // Beyond these the result is certainly infinite, certainly zero.
  Flt limited = m.isF64() ? clamp(x, -746, 710) : clamp(x, -104, 89);
  Rounded n = roundScaled(limited, kLog2E, 2 * m.bias());
  Flt p = expOfReduced(reduceByLn2(limited, n.number));
  return scaleByPowerOfTwo(p, n.bits);
}

/// The polynomial P(r) 2^n for n <= 0, given the bits of n plus the bias and
/// half of the bias. The latter half goes into the coefficients, where it
/// rounds nothing, so that the other factor is normal wherever the result is
/// not zero.
static Flt scaledDown(Flt r, llvm::SmallVector<double> c, Int raised) {
  MathBuilder &m = *r.m;
  for (double &coefficient : c)
    coefficient = std::ldexp(coefficient, -int(m.bias() / 2));
  return polynomial(r, c) * fromBits(shiftLeft(raised, m.mantissaBits()));
}

Flt expOfNegative(Flt x) {
  MathBuilder &m = *x.m;
  Flt limited = clampBelow(x, m.isF64() ? -746 : -104);
  Rounded n = roundScaled(limited, kLog2E, m.bias() + m.bias() / 2);
  return scaledDown(reduceByLn2(limited, n.number), expCoefficients(m), n.bits);
}

Flt expModerate(Flt x) {
  MathBuilder &m = *x.m;
  Rounded n = roundScaled(x, kLog2E, m.bias());
  Flt p = expOfReduced(reduceByLn2(x, n.number));
  return p * fromBits(shiftLeft(n.bits, m.mantissaBits()));
}

/// The polynomial for exp2(r), |r| <= 1/2.
static llvm::SmallVector<double> exp2Coefficients(const MathBuilder &m) {
  llvm::SmallVector<double> c{1};
  if (m.isF64())
    c.append(std::begin(kExp2F64), std::end(kExp2F64));
  else
    c.append(std::begin(kExp2F32), std::end(kExp2F32));
  return c;
}

Flt exp2(Flt x) {
  MathBuilder &m = *x.m;
  Flt limited = m.isF64() ? clamp(x, -1076, 1025) : clamp(x, -151, 129);
  Rounded n = roundScaled(limited, 1, 2 * m.bias());
  return scaleByPowerOfTwo(polynomial(limited - n.number, exp2Coefficients(m)),
                           n.bits);
}

Flt exp2OfNegative(Flt x) {
  MathBuilder &m = *x.m;
  Flt limited = clampBelow(x, m.isF64() ? -1076 : -151);
  Rounded n = roundScaled(limited, 1, m.bias() + m.bias() / 2);
  return scaledDown(limited - n.number, exp2Coefficients(m), n.bits);
}

Flt expm1(Flt x) {
  MathBuilder &m = *x.m;
  Flt limited = clamp(x, -18, 89);
  // Half of the result is computed, so that 2^128 never occurs.
  Rounded n = roundScaled(limited, kLog2E, m.bias() - 1);
  Flt p = expm1OfReduced(reduceByLn2(limited, n.number));
  Flt halfScale = fromBits(shiftLeft(n.bits, m.mantissaBits()));
  Flt half = mulAdd(p, halfScale, halfScale - 0.5);
  // Keeps the sign of zero and all bits of denormals.
  return select(abs(x) < 0x1p-30, x, half + half);
}

//===----------------------------------------------------------------------===//
// Logarithms
//===----------------------------------------------------------------------===//

namespace {

/// x = 2^exponent * (1 + fraction) with 1 + fraction in [sqrt(1/2), sqrt(2)].
struct Decomposed {
  Flt exponent;
  Flt fraction;
};

constexpr int64_t kOneF32 = 0x3f800000, kSqrtHalfF32 = 0x3f3504f3;
constexpr int64_t kOneF64 = 0x3ff0000000000000,
                  kSqrtHalfF64 = 0x3fe6a09e667f3bcd;

/// A number between 0 and 2^mantissaBits as a Flt; cheap for every width.
Flt smallToFloat(Int x) {
  MathBuilder &m = *x.m;
  if (!m.isF64())
    return toFloat(x);
  // Written into the low bits of 2^52.
  return fromBits(x | 0x4330000000000000) - 0x1p52;
}

/// For normal and denormal x; anything for others.
Decomposed decompose(Flt x) {
  MathBuilder &m = *x.m;
  int64_t one = m.isF64() ? kOneF64 : kOneF32;
  int64_t sqrtHalf = m.isF64() ? kSqrtHalfF64 : kSqrtHalfF32;
  int64_t mantissa = m.mantissaBits();
  double up = std::ldexp(1.0, mantissa + 1);
  double smallest = std::ldexp(1.0, 1 - m.bias());

  Bool tiny = x < smallest;
  Flt normal = select(tiny, x * up, x);
  Flt bias = select(tiny, double(m.bias() + mantissa + 1),
                    m.constant(double(m.bias())));
  Int moved = bitsOf(normal) + (one - sqrtHalf);
  Flt exponent = smallToFloat(shiftRight(moved, mantissa)) - bias;
  Int fractionBits = moved & ((int64_t(1) << mantissa) - 1);
  return {exponent, fromBits(fractionBits + sqrtHalf) - 1};
}

/// log(1 + f) - f for 1 + f in [sqrt(1/2), sqrt(2)].
Flt logTail(Flt f) {
  MathBuilder &m = *f.m;
  if (!m.isF64())
    return f * f * mulAdd(f, polynomial(f, kLogF32), -0.5);
  // log(1+f) = 2s + s^3 P(s^2) = f - (f^2/2 - s (f^2/2 + s^2 P)).
  Flt s = f / (f + 2);
  Flt z = s * s;
  Flt halfSquare = f * f * 0.5;
  return s * (halfSquare + z * polynomial(z, kLogF64)) - halfSquare;
}

/// The values of a logarithm at and beyond the ends of its domain (0, inf);
/// `distance` is the distance of x from the lower end.
Flt withLogSpecials(Flt result, Flt x, Flt distance) {
  MathBuilder &m = *x.m;
  Flt below = select(distance < 0.0, m.nan(), m.negativeInfinity());
  Flt inside = select(distance > 0.0, result, below);
  // Infinity and NaN are their own logarithms.
  return select(x < m.infinity(), inside, x);
}

} // namespace

Flt log(Flt x) {
  SplitConstant ln2 = ln2For(*x.m);
  Decomposed d = decompose(x);
  Flt tail = mulAdd(d.exponent, ln2.low, logTail(d.fraction));
  Flt result = mulAdd(d.exponent, ln2.high, d.fraction + tail);
  return withLogSpecials(result, x, x);
}

/// The logarithm to a base b, given 1/log(b) in two parts and the logarithm of
/// two to that base, in two parts as well.
static Flt logToBase(Flt x, SplitConstant factor, SplitConstant ofTwo) {
  Decomposed d = decompose(x);
  Flt tail = logTail(d.fraction);
  Flt low = mulAdd(tail, factor.high + factor.low, d.fraction * factor.low);
  if (ofTwo.low != 0)
    low = mulAdd(d.exponent, ofTwo.low, low);
  Flt fraction = mulAdd(d.fraction, factor.high, low);
  Flt result = ofTwo.high == 1 ? d.exponent + fraction
                               : mulAdd(d.exponent, ofTwo.high, fraction);
  return withLogSpecials(result, x, x);
}

Flt log2(Flt x) {
  SplitConstant factor = x.m->isF64()
                             ? SplitConstant{kLog2E, 0x1.777d0ffda0d24p-56}
                             : SplitConstant{0x1.715476p+0, 0x1.4ae0cp-26};
  return logToBase(x, factor, {1, 0});
}

Flt log10(Flt x) {
  if (x.m->isF64())
    return logToBase(x, {0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57},
                     kLog10Of2F64);
  return logToBase(x, {0x1.bcb7b2p-2, -0x1.5b235ep-27}, kLog10Of2F32);
}

Flt log1p(Flt x) {
  MathBuilder &m = *x.m;
  // 1 + x gives the exponent e; x 2^-e + (2^-e - 1) gives its fraction without
  // the rounding error of 1 + x.
  Flt sum = x + 1;
  Int moved = bitsOf(sum) + (kOneF32 - kSqrtHalfF32);
  Int biased = shiftRight(moved, m.mantissaBits());
  Flt exponent = toFloat(biased) - double(m.bias());
  Flt scale = fromBits(shiftLeft(2 * m.bias() - biased, m.mantissaBits()));
  Flt fraction = mulAdd(x, scale, scale - 1);
  // Where 1 does not matter to x, the scale may not be a normal number.
  Flt ownFraction = fromBits((moved & 0x7fffff) + kSqrtHalfF32) - 1;
  fraction = select(x > 0x1p30, ownFraction, fraction);

  Flt tail = mulAdd(exponent, kLn2F32.low, logTail(fraction));
  Flt result = mulAdd(exponent, kLn2F32.high, fraction + tail);
  result = select(abs(x) < 0x1p-30, x, result);
  return withLogSpecials(result, x, sum);
}

//===----------------------------------------------------------------------===//
// Powers and roots
//===----------------------------------------------------------------------===//

/// exp2(y log2 |x|) in f64, rounded once to f32: f64 has room for the product,
/// for every exponent of f32 and for the rounding.
static Flt powOfMagnitude(Flt magnitude, Flt y) {
  MathBuilder wide = magnitude.m->withElement(magnitude.m->ops().getF64Type());
  Flt product = log2(convert(magnitude, wide)) * convert(y, wide);
  Flt limited = clamp(product, -200, 200);
  Rounded n = roundScaled(limited, 1, wide.bias());
  llvm::SmallVector<double> c{1};
  c.append(std::begin(kExp2Medium), std::end(kExp2Medium));
  Flt p = polynomial(limited - n.number, c);
  Flt power = p * fromBits(shiftLeft(n.bits, wide.mantissaBits()));
  return convert(power, *magnitude.m);
}

Flt pow(Flt x, Flt y) {
  MathBuilder &m = *x.m;
  Flt magnitude = abs(x);
  Flt power = powOfMagnitude(magnitude, y);

  // Every f32 from 2^24 on is an even integer.
  Flt ySize = abs(y);
  Bool integral = equal(trunc(y), y);
  Flt yHalf = y * 0.5;
  Bool odd = integral & !equal(trunc(yHalf), yHalf) & (ySize < 0x1p24);
  Int signBit = bitsOf(x) & (int64_t(1) << 31);
  Flt negated = fromBits(bitsOf(power) ^ signBit);
  power = select(odd, negated, power);

  Bool finiteNegative = (x < 0.0) & (x > m.negativeInfinity());
  power = select(finiteNegative & !integral & !isNaN(y), m.nan(), power);
  Bool oneToInfinity = equal(magnitude, 1) & equal(ySize, m.infinity());
  return select(equal(x, 1) | equal(y, 0) | oneToInfinity, 1, power);
}

Flt cbrt(Flt x) {
  // Halley's iteration in f64 from an estimate of 5 bits, made by dividing the
  // exponent by three (Kahan, "Computing a real cube root", 1991).
  MathBuilder &m = *x.m;
  MathBuilder wide = m.withElement(m.ops().getF64Type());
  Flt magnitude = abs(x);
  Bool tiny = magnitude < 0x1p-126;
  Flt normal = select(tiny, magnitude * 0x1p24, magnitude);
  Int bits = bitsOf(normal);
  Int third = m.integer(mlir::arith::DivUIOp::create(m.ops(), bits.value,
                                                     m.constantInt(3).value));
  Flt y = convert(fromBits(third + 0x2a512ce3), wide);
  Flt a = convert(normal, wide);
  for (int step = 0; step < 3; ++step) {
    Flt cube = y * y * y;
    y = y * ((cube + a + a) / (cube + cube + a));
  }
  Flt root = convert(y, m);
  root = select(tiny, root * 0x1p-8, root);
  // Zero, infinity and NaN are their own cube roots.
  Bool ordinary = (magnitude > 0.0) & (magnitude < m.infinity());
  return select(ordinary, copySign(root, x), x);
}

Flt rsqrt(Flt x) { return 1.0 / sqrt(x); }

} // namespace seagrove::math_expansion

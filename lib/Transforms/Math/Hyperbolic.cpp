//===- Hyperbolic.cpp - hyperbolic and error functions, f32 ---------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Functions that are a polynomial around zero, where the exponential would
// cancel, and a simple term of an exponential elsewhere. Both are computed and
// one is picked; odd functions work on |x|, which also keeps the sign of zero.
//
//===----------------------------------------------------------------------===//

#include "Coefficients.h"
#include "Functions.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

namespace seagrove::math_expansion {

namespace {

constexpr double kLn2 = 0x1.62e42fefa39efp-1;

/// x + x^3 P(x^2).
Flt oddPolynomial(Flt x, llvm::ArrayRef<double> coefficients) {
  Flt z = x * x;
  return mulAdd(x * z, polynomial(z, coefficients), x);
}

/// The even and the odd coefficients by Horner's rule in x^2, at the same time:
/// one multiplication more than `polynomial`, and half of its latency.
Flt polynomialInHalves(Flt x, llvm::ArrayRef<double> coefficients) {
  llvm::SmallVector<double> halves[2];
  for (auto [power, coefficient] : llvm::enumerate(coefficients))
    halves[power % 2].push_back(coefficient);
  Flt square = x * x;
  return mulAdd(polynomial(square, halves[1]), x,
                polynomial(square, halves[0]));
}

/// exp(x)/2 for x >= 0; finite as long as sinh and cosh are.
Flt halfExp(Flt x) { return expTimesPowerOfTwo(x, -1, -1, 91); }

/// 1 - 2^x for x <= -2 that is not far below: the power is a small part of the
/// result, so that a short polynomial will do.
Flt oneMinusExp2(Flt x) {
  MathBuilder &m = *x.m;
  double magic = std::ldexp(1.5, m.mantissaBits()) + double(m.bias());
  Flt shifted = x + magic;
  Flt p = polynomialInHalves(x - (shifted - magic), kExp2CoarseF32);
  Flt scale = fromBits(shiftLeft(bitsOf(shifted), m.mantissaBits()));
  return mulAdd(-p, scale, m.constant(1));
}

/// The rounding error of x * x.
Flt errorOfSquare(Flt x, Flt square) {
  if (x.m->target().fma)
    return mulAdd(x, x, -square);
  // Dekker, "A floating-point technique for extending the available
  // precision", 1971: halves whose products are exact.
  Flt high = fromBits(bitsOf(x) & ~int64_t(0xfff));
  Flt low = x - high;
  return ((high * high - square) + (high + high) * low) + low * low;
}

} // namespace

Flt sinh(Flt x) {
  Flt size = abs(x);
  Flt half = halfExp(size);
  Flt large = half - 0.25 / half;
  return copySign(select(size < 1, oddPolynomial(size, kSinhF32), large), x);
}

Flt cosh(Flt x) {
  Flt half = halfExp(abs(x));
  return half + 0.25 / half;
}

Flt tanh(Flt x) {
  Flt size = clampAbove(abs(x), 10); // tanh(10) rounds to 1
  Flt large = 1.0 - 2.0 / (expModerate(size + size) + 1);
  return copySign(select(size < 0.625, oddPolynomial(size, kTanhF32), large),
                  x);
}

Flt asinh(Flt x) {
  MathBuilder &m = *x.m;
  Flt size = abs(x);
  Bool large = size > 0x1p30; // log(2|x|), without overflow
  Flt square = size * size;
  Flt argument = size + square / (sqrt(square + 1) + 1);
  Flt result =
      log1p(select(large, size, argument)) + select(large, kLn2, m.constant(0));
  return copySign(result, x);
}

Flt acosh(Flt x) {
  MathBuilder &m = *x.m;
  Flt distance = x - 1;
  Bool large = x > 0x1p30;
  Flt argument = distance + sqrt(distance * (distance + 2));
  Flt result =
      log1p(select(large, x, argument)) + select(large, kLn2, m.constant(0));
  return select(x < 1, m.nan(), result);
}

Flt atanh(Flt x) {
  Flt size = abs(x);
  Flt result = log1p((size + size) / (1.0 - size)) * 0.5;
  return copySign(result, x);
}

// The chain of operations is so long that a core has few of them under way.
Flt erf(Flt x) {
  Flt size = clampAbove(abs(x), 4); // erf(4) rounds to 1
  Flt small = mulAdd(size, polynomialInHalves(size * size, kErfSmallF32), size);
  Flt exponent = size * polynomialInHalves(size, kErfLargeF32);
  Flt large = oneMinusExp2(exponent);
  return copySign(select(size < 1, small, large), x);
}

Flt erfc(Flt x) {
  MathBuilder &m = *x.m;
  Flt size = clampAbove(abs(x), 10.1); // erfc(10.1) rounds to 0
  Flt small = mulAdd(size, polynomial(size * size, kErfSmallF32), size);

  Flt square = size * size;
  Flt error = errorOfSquare(size, square);
  Flt t = (size - 2) / (size + 2);
  Flt scaled = polynomial(t, kErfcF32) / mulAdd(size, 2, 1);
  scaled = mulAdd(-error, scaled, scaled); // exp(-error), to first order
  Flt gauss = exp(-square);
  Flt tail = gauss * scaled;

  Bool negative = x < 0.0;
  Flt inner = 1.0 - copySign(small, x);
  Flt outer = select(negative, 2.0 - tail, tail);
  return select(size < m.constant(0.5), inner, outer);
}

} // namespace seagrove::math_expansion

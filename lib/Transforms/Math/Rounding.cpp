//===- Rounding.cpp - rounding to integral values, exact fused products ---===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For targets without these as instructions.
//
//===----------------------------------------------------------------------===//

#include "Functions.h"

#include <cmath>

namespace seagrove::math_expansion {

namespace {

/// |x| rounded to nearest even. Adding 2^mantissaBits leaves no fraction bits;
/// larger numbers, infinity and NaN have none.
Flt roundSize(Flt size) {
  double limit = std::ldexp(1.0, size.m->mantissaBits());
  return select(size < limit, (size + limit) - limit, size);
}

Flt oneWhere(Bool condition, MathBuilder &m) {
  return select(condition, 1, m.constant(0));
}

/// |x| rounded towards zero.
Flt truncSize(Flt size) {
  Flt rounded = roundSize(size);
  return rounded - oneWhere(rounded > size, *size.m);
}

} // namespace

Flt roundEven(Flt x) { return copySign(roundSize(abs(x)), x); }

Flt trunc(Flt x) { return copySign(truncSize(abs(x)), x); }

Flt floor(Flt x) {
  Flt rounded = roundEven(x);
  return copySign(rounded - oneWhere(rounded > x, *x.m), x);
}

Flt ceil(Flt x) {
  Flt rounded = roundEven(x);
  return copySign(rounded + oneWhere(rounded < x, *x.m), x);
}

Flt roundAwayFromZero(Flt x) {
  Flt size = abs(x);
  Flt whole = truncSize(size);
  return copySign(whole + oneWhere(size - whole >= 0.5, *x.m), x);
}

Flt fusedMultiplyAdd(Flt a, Flt b, Flt c) {
  // The product of two f32 is exact in f64. Their sum with c is rounded to odd,
  // which makes the final rounding to f32 the only one that counts (Boldo and
  // Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms
  // using rounding to odd", IEEE Trans. Comp. 57, 2008).
  MathBuilder &m = *a.m;
  MathBuilder wide = m.withElement(m.ops().getF64Type());
  Flt product = convert(a, wide) * convert(b, wide);
  Flt addend = convert(c, wide);
  Flt sum = product + addend;
  // Knuth's two-sum: what the addition lost.
  Flt back = sum - product;
  Flt lost = (product - (sum - back)) + (addend - back);

  Int bits = bitsOf(sum);
  Bool inexact = (!equal(lost, 0)) & (abs(sum) < wide.infinity());
  Bool isEven = equal(bits & 1, 0);
  // Towards zero if the loss and the sum differ in sign, away otherwise.
  Bool shrink = lessSigned(bits ^ bitsOf(lost), wide.constantInt(0));
  Int odd = select(shrink, bits - 1, bits + 1);
  return convert(fromBits(select(inexact & isEven, odd, bits)), m);
}

} // namespace seagrove::math_expansion

//===- Trigonometric.cpp - circular functions and their inverses ----------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sine and cosine reduce |x| to r = |x| - n pi/2 with n to nearest, evaluate
// both polynomials in r and pick by n. The reduction subtracts pi/2 in parts
// (Cody and Waite, "Software manual for the elementary functions", 1980). Where
// n is too large for that, f32 multiplies by the part of 2/pi that matters in
// fixed point (Payne and Hanek, "Radian reduction for trigonometric functions",
// SIGNUM Newsletter 18, 1983), behind a branch that is rarely taken.
//
//===----------------------------------------------------------------------===//

#include "Coefficients.h"
#include "Functions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>

using namespace mlir;

namespace seagrove::math_expansion {

namespace {

constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;

/// pi/2 in parts, and the largest |x| that subtracting them reduces well.
/// Without a fused multiply-add the parts are short, so that their products
/// with n are exact.
struct Reduction {
  llvm::ArrayRef<double> parts;
  double limit;
};
constexpr double kPartsF32Fused[] = {0x1.921fb6p+0, -0x1.777a5cp-25,
                                     -0x1.ee59dap-50};
constexpr double kPartsF32[] = {0x1.92p+0, 0x1.fb4p-12, 0x1.444p-24,
                                0x1.68c234p-39};
constexpr double kPartsF64Fused[] = {
    0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110};
constexpr double kPartsF64[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34,
                                0x1.3198a2ep-69, 0x1.b839a252049c1p-104};

Reduction reductionFor(MathBuilder &m) {
  bool fused = m.target().fma;
  if (m.isF64())
    return fused ? Reduction{kPartsF64Fused, 0x1p30}
                 : Reduction{kPartsF64, 0x1p20};
  return fused ? Reduction{kPartsF32Fused, 0x1p16}
               : Reduction{kPartsF32, 0x1p12};
}

/// |x| = quadrant * pi/2 + rest, the quadrant modulo 4 at least.
struct Reduced {
  Flt rest;
  Int quadrant;
};

Reduced reduceShort(Flt size, Reduction reduction) {
  MathBuilder &m = *size.m;
  double magic = std::ldexp(1.5, m.mantissaBits());
  Flt shifted = mulAdd(size, kTwoOverPi, magic);
  Flt n = shifted - magic;
  Flt rest = size;
  for (double part : reduction.parts)
    rest = mulAdd(n, -part, rest);
  return {rest, bitsOf(shifted)};
}

/// 2/pi in binary after 32 zeros, so that small exponents find a window too.
constexpr uint32_t kTwoOverPiWords[] = {0,          0xa2f9836e, 0x4e441529,
                                        0xfc2757d1, 0xf534ddc0, 0xdb629599,
                                        0x3c439041, 0xfe5163ab};
constexpr unsigned kMaxWindow = 4;

/// words[index + offset], index at most kMaxWindow.
Int wordAt(Int index, unsigned offset) {
  MathBuilder &m = *index.m;
  Int word = m.constantInt(int32_t(kTwoOverPiWords[offset]));
  for (unsigned i = 1; i <= kMaxWindow; ++i)
    word = select(equal(index, i),
                  m.constantInt(int32_t(kTwoOverPiWords[offset + i])), word);
  return word;
}

/// The 32 bits that start `shift` bits into high:low.
Int funnel(Int high, Int low, Int shift) {
  Int inverse = 31 - shift;
  return shiftLeft(high, shift) | shiftRight(shiftRight(low, 1), inverse);
}

/// Payne and Hanek for f32 from 2^12 on: |x| = M 2^k with a 24-bit integer M;
/// the bits of 2/pi whose products with it are multiples of 4 are skipped, and
/// 96 further bits are enough for a rest of full precision.
Reduced reduceLong(Flt size) {
  MathBuilder &m = *size.m;
  MathBuilder wide = m.withElement(m.ops().getF64Type());
  Int bits = bitsOf(size);
  Int mantissa = resize((bits & 0x7fffff) | 0x800000, wide);
  // The window starts k - 2 bits after the (zero-extended) binary point.
  Int start = shiftRight(bits, 23) - 120;
  Int index = shiftRight(start, 5);
  Int shift = start & 31;
  Int words[4] = {wordAt(index, 0), wordAt(index, 1), wordAt(index, 2),
                  wordAt(index, 3)};
  Int high = resize(funnel(words[0], words[1], shift), wide);
  Int middle = resize(funnel(words[1], words[2], shift), wide);
  Int low = resize(funnel(words[2], words[3], shift), wide);

  // |x| 2/pi modulo 4 with 62 fraction bits.
  Int turns = shiftLeft(mantissa * high, 32) + mantissa * middle +
              shiftRight(mantissa * low, 32);
  Int quadrant = shiftRight(turns + (int64_t(1) << 61), 62);
  Flt fraction = toFloat(turns - shiftLeft(quadrant, 62));
  Flt rest = convert(fraction * (0x1.921fb54442d18p+0 * 0x1p-62), m);
  rest = select(size < m.infinity(), rest, m.nan());
  return {rest, resize(quadrant, m)};
}

/// Reduces |x|, taking the long way only if some element needs it.
Reduced reduceF32(Flt size) {
  MathBuilder &m = *size.m;
  Reduction reduction = reductionFor(m);
  Reduced near = reduceShort(size, reduction);
  Bool far = size > reduction.limit;
  ImplicitLocOpBuilder &b = m.ops();
  auto branch = scf::IfOp::create(b, TypeRange{m.floatType(), m.intType()},
                                  any(far), /*withElse=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Reduced distant = reduceLong(size);
  scf::YieldOp::create(
      b, ValueRange{select(far, distant.rest, near.rest).value,
                    select(far, distant.quadrant, near.quadrant).value});
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, ValueRange{near.rest.value, near.quadrant.value});
  return {m.flt(branch.getResult(0)), m.integer(branch.getResult(1))};
}

/// Sine and cosine of a reduced argument.
SinCos sinCosOfReduced(Flt r) {
  llvm::ArrayRef<double> sine(kSinF32), cosine(kCosF32);
  if (r.m->isF64()) {
    sine = kSinF64;
    cosine = kCosF64;
  }
  Flt z = r * r;
  Flt sin = mulAdd(r * z, polynomial(z, sine), r);
  Flt cos = mulAdd(z, mulAdd(z, polynomial(z, cosine), -0.5), 1);
  return {sin, cos};
}

Int signBitOf(Flt x) {
  MathBuilder &m = *x.m;
  return bitsOf(x) & (int64_t(1) << (m.isF64() ? 63 : 31));
}

/// Bit 1 of `quadrant` as a sign bit.
Int signOfQuadrant(Int quadrant) {
  return shiftLeft(quadrant & 2, quadrant.m->isF64() ? 62 : 30);
}

} // namespace

SinCos sinCos(Flt x, bool wantSin, bool wantCos, Fallback fallback) {
  MathBuilder &m = *x.m;
  Flt size = abs(x);
  Reduction reduction = reductionFor(m);
  Reduced reduced = m.isF64() ? reduceShort(size, reduction) : reduceF32(size);
  SinCos parts = sinCosOfReduced(reduced.rest);
  Bool even = equal(reduced.quadrant & 1, 0);

  SinCos result = {x, x};
  if (wantSin) {
    Flt sin = select(even, parts.sin, parts.cos);
    result.sin =
        fromBits(bitsOf(sin) ^ signBitOf(x) ^ signOfQuadrant(reduced.quadrant));
  }
  if (wantCos) {
    Flt cos = select(even, parts.cos, parts.sin);
    result.cos = fromBits(bitsOf(cos) ^ signOfQuadrant(reduced.quadrant + 1));
  }
  if (!m.isF64())
    return result;

  // Too large for the reduction (or infinite): the C library, per element.
  Bool far = size > reduction.limit;
  ImplicitLocOpBuilder &b = m.ops();
  auto branch = scf::IfOp::create(b, TypeRange{m.floatType(), m.floatType()},
                                  any(far), /*withElse=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Flt sin = wantSin ? select(far, fallback("sin", x), result.sin) : x;
  Flt cos = wantCos ? select(far, fallback("cos", x), result.cos) : x;
  scf::YieldOp::create(b, ValueRange{sin.value, cos.value});
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, ValueRange{result.sin.value, result.cos.value});
  return {m.flt(branch.getResult(0)), m.flt(branch.getResult(1))};
}

Flt tan(Flt x) {
  Reduced reduced = reduceF32(abs(x));
  SinCos parts = sinCosOfReduced(reduced.rest);
  Int odd = reduced.quadrant & 1;
  Bool even = equal(odd, 0);
  Flt quotient =
      select(even, parts.sin, parts.cos) / select(even, parts.cos, parts.sin);
  return fromBits(bitsOf(quotient) ^ signBitOf(x) ^ shiftLeft(odd, 31));
}

//===----------------------------------------------------------------------===//
// Inverses, f32
//===----------------------------------------------------------------------===//

namespace {

constexpr double kHalfPiHigh = 0x1.921fb6p+0, kHalfPiLow = -0x1.777a5cp-25;
constexpr double kPiHigh = 0x1.921fb6p+1, kPiLow = -0x1.777a5cp-24;

/// asin(|x|) = value, or pi/2 - 2 value where |x| > 1/2.
struct HalfAngle {
  Flt value;
  Bool large;
};
HalfAngle asinOfSize(Flt size) {
  Bool large = size > 0.5;
  Flt z = select(large, (1.0 - size) * 0.5, size * size);
  Flt s = select(large, sqrt(z), size);
  return {mulAdd(s * z, polynomial(z, kAsinF32), s), large};
}

Flt atanOfUnit(Flt t) {
  Flt z = t * t;
  return mulAdd(t * z, polynomial(z, kAtanF32), t);
}

/// pi/2 - x.
Flt complement(Flt x) { return kHalfPiHigh - (x - kHalfPiLow); }

} // namespace

Flt asin(Flt x) {
  HalfAngle angle = asinOfSize(abs(x));
  Flt twice = angle.value + angle.value;
  return copySign(select(angle.large, complement(twice), angle.value), x);
}

Flt acos(Flt x) {
  HalfAngle angle = asinOfSize(abs(x));
  Flt twice = angle.value + angle.value;
  Flt large = select(x > 0.0, twice, kPiHigh - (twice - kPiLow));
  return select(angle.large, large, complement(copySign(angle.value, x)));
}

Flt atan(Flt x) {
  Flt size = abs(x);
  Bool large = size > 1;
  Flt angle = atanOfUnit(select(large, 1.0 / size, size));
  return copySign(select(large, complement(angle), angle), x);
}

Flt atan2(Flt y, Flt x) {
  MathBuilder &m = *x.m;
  Flt ySize = abs(y), xSize = abs(x);
  Bool steep = ySize > xSize;
  Flt larger = select(steep, ySize, xSize);
  Flt smaller = select(steep, xSize, ySize);
  Flt ratio = smaller / larger;
  // 0/0 stands for angle 0, inf/inf for the diagonal.
  ratio = select(equal(larger, 0), 0, ratio);
  ratio = select(equal(smaller, m.infinity()), 1, ratio);

  Flt angle = atanOfUnit(ratio);
  angle = select(steep, complement(angle), angle);
  Bool left = lessSigned(bitsOf(x), m.constantInt(0));
  angle = select(left, kPiHigh - (angle - kPiLow), angle);
  return select(isNaN(x) | isNaN(y), x + y, copySign(angle, y));
}

} // namespace seagrove::math_expansion

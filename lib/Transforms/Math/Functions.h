//===- Functions.h - elementary functions as arithmetic ---------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each function takes a value of f32 or f64 (where it says so) and returns the
// function's value within the error that test/numeric/test_math_accuracy.py
// states. None of them branches, except for the arguments of sine and cosine
// that are too large for a short reduction.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TRANSFORMS_MATH_FUNCTIONS_H
#define SEAGROVE_LIB_TRANSFORMS_MATH_FUNCTIONS_H

#include "MathBuilder.h"

namespace seagrove::math_expansion {

// f32 and f64.
Flt exp(Flt x);
Flt exp2(Flt x);
/// The same for x that is not positive; cheaper by five operations.
Flt expOfNegative(Flt x);
Flt exp2OfNegative(Flt x);
Flt log(Flt x);
Flt log2(Flt x);
Flt log10(Flt x);
Flt rsqrt(Flt x);
Flt roundEven(Flt x);
Flt floor(Flt x);
Flt ceil(Flt x);
Flt trunc(Flt x);
Flt roundAwayFromZero(Flt x);

// f32 only.
Flt expm1(Flt x);
Flt log1p(Flt x);
Flt pow(Flt x, Flt y);
Flt cbrt(Flt x);
Flt sinh(Flt x);
Flt cosh(Flt x);
Flt tanh(Flt x);
Flt asinh(Flt x);
Flt acosh(Flt x);
Flt atanh(Flt x);
Flt tan(Flt x);
Flt asin(Flt x);
Flt acos(Flt x);
Flt atan(Flt x);
Flt atan2(Flt y, Flt x);
Flt erf(Flt x);
Flt erfc(Flt x);
/// a * b + c with one rounding, on a target that has no such instruction.
Flt fusedMultiplyAdd(Flt a, Flt b, Flt c);

// Sine and cosine of f32 and f64. A call of the C library's function named by
// `fallback` computes each element that the reduction does not reach; f32 needs
// none.
struct SinCos {
  Flt sin;
  Flt cos;
};
using Fallback = llvm::function_ref<Flt(llvm::StringRef name, Flt x)>;
SinCos sinCos(Flt x, bool wantSin, bool wantCos, Fallback fallback);

/// exp(x) * 2**exponent, x limited to [low, high]; `exponent` is small. The
/// product overflows to infinity and underflows gradually.
Flt expTimesPowerOfTwo(Flt x, int exponent, double low, double high);

/// exp(x) for |x| small enough that neither it nor its reciprocal leaves the
/// range of normal numbers; cheaper by four operations.
Flt expModerate(Flt x);

} // namespace seagrove::math_expansion

#endif // SEAGROVE_LIB_TRANSFORMS_MATH_FUNCTIONS_H

//===- symbols.cpp - what kernels may call --------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The functions of the C library, and of the compiler's own, that generated
// code refers to. What a program prints goes to the host.
//
//===----------------------------------------------------------------------===//

#include "channel.h"
#include "image.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
// In the compiler's own library.
double __floattidf(__int128);
double __floatuntidf(unsigned __int128);
__int128 __fixdfti(double);
__int128 __divti3(__int128, __int128);
__int128 __modti3(__int128, __int128);
__int128 __multi3(__int128, __int128);
unsigned __int128 __udivti3(unsigned __int128, unsigned __int128);
unsigned __int128 __umodti3(unsigned __int128, unsigned __int128);
int __popcountdi2(long);
}

namespace seagrove::worker {
namespace {

extern "C" int printText(const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  char small[256];
  int length = std::vsnprintf(small, sizeof(small), format, arguments);
  if (length >= int(sizeof(small))) {
    std::string text(size_t(length) + 1, '\0');
    std::vsnprintf(text.data(), text.size(), format, again);
    theChannel->send(Kind::Text, text.data(), size_t(length));
  } else if (length > 0) {
    theChannel->send(Kind::Text, small, size_t(length));
  }
  va_end(again);
  va_end(arguments);
  return length;
}

/// LLVM turns printf into these where the format is simple.
extern "C" int printLine(const char *text) { return printText("%s\n", text); }
extern "C" int printCharacter(int character) {
  return printText("%c", character);
}

float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

uint64_t bitsOf(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

/// Rounds a double to a float of `exponent` and `mantissa` bits, to nearest,
/// ties to even; a float's value may be given, for it is one of double's.
uint16_t narrow(double value, int exponent, int mantissa) {
  uint64_t bits = bitsOf(value);
  auto sign = uint16_t(bits >> 63 << 15);
  int bias = (1 << (exponent - 1)) - 1;
  auto infinity = uint16_t(((1 << exponent) - 1) << mantissa);
  if (std::isnan(value))
    return uint16_t(sign | infinity | 1 << (mantissa - 1));
  if (std::isinf(value))
    return sign | infinity;
  int scale = 0;
  double fraction = std::frexp(std::fabs(value), &scale); // in [0.5, 1)
  if (fraction == 0)
    return sign;
  // The unit of the last place: that of the smallest normal number below it.
  int unit = std::max(scale - 1, 1 - bias) - mantissa;
  double steps = std::nearbyint(std::ldexp(fraction, scale - unit));
  auto whole = int64_t(steps);
  int biased = std::max(scale - 1, 1 - bias) + bias;
  // Numbers below 2^mantissa steps are subnormal; a carry moves upwards.
  int64_t encoded = whole < (1 << mantissa)
                        ? whole
                        : whole + (int64_t(biased - 1) << mantissa);
  return sign | uint16_t(std::min<int64_t>(encoded, infinity));
}

float widenHalf(uint16_t bits) {
  uint32_t sign = uint32_t(bits >> 15) << 31, rest = bits & 0x7fff;
  if (rest >= 0x7c00)
    return floatOf(sign | 0x7f800000 | (rest & 0x3ff) << 13);
  float magnitude = rest < 0x400 ? std::ldexp(float(rest), -24)
                                 : floatOf((rest << 13) + ((127 - 15) << 23));
  return sign ? -magnitude : magnitude;
}

// Small floats are passed in the lowest bits of a floating point register.
extern "C" float extendHalf(float half) {
  uint32_t bits;
  std::memcpy(&bits, &half, sizeof(bits));
  return widenHalf(uint16_t(bits));
}
extern "C" float truncateToHalf(float value) {
  return floatOf(0xffff0000 | narrow(double(value), 5, 10));
}
extern "C" float truncateDoubleToHalf(double value) {
  return floatOf(0xffff0000 | narrow(value, 5, 10));
}
extern "C" float truncateToBFloat(float value) {
  return floatOf(0xffff0000 | narrow(double(value), 8, 7));
}
extern "C" float truncateDoubleToBFloat(double value) {
  return floatOf(0xffff0000 | narrow(value, 8, 7));
}

struct Symbol {
  const char *name;
  void *address;
};

#define FUNCTION(name) {#name, reinterpret_cast<void *>(::name)}
#define AS(name, function) {name, reinterpret_cast<void *>(function)}
#define UNARY(name)                                                            \
  {#name, reinterpret_cast<void *>(static_cast<double (*)(double)>(::name))},  \
      FUNCTION(name##f)
#define BINARY(name)                                                           \
  {#name,                                                                      \
   reinterpret_cast<void *>(static_cast<double (*)(double, double)>(::name))}, \
      FUNCTION(name##f)

const Symbol kSymbols[] = {
    UNARY(acos),
    UNARY(acosh),
    UNARY(asin),
    UNARY(asinh),
    UNARY(atan),
    UNARY(atanh),
    UNARY(cbrt),
    UNARY(ceil),
    UNARY(cos),
    UNARY(cosh),
    UNARY(erf),
    UNARY(erfc),
    UNARY(exp),
    UNARY(exp2),
    UNARY(expm1),
    UNARY(fabs),
    UNARY(floor),
    UNARY(j0),
    UNARY(j1),
    UNARY(lgamma),
    UNARY(log),
    UNARY(log10),
    UNARY(log1p),
    UNARY(log2),
    UNARY(nearbyint),
    UNARY(rint),
    UNARY(round),
    UNARY(roundeven),
    UNARY(sin),
    UNARY(sinh),
    UNARY(sqrt),
    UNARY(tan),
    UNARY(tanh),
    UNARY(tgamma),
    UNARY(trunc),
    UNARY(y0),
    UNARY(y1),
    BINARY(atan2),
    BINARY(copysign),
    BINARY(fdim),
    BINARY(fmax),
    BINARY(fmin),
    BINARY(fmod),
    BINARY(hypot),
    BINARY(nextafter),
    BINARY(pow),
    BINARY(remainder),
    FUNCTION(fma),
    FUNCTION(fmaf),
    FUNCTION(frexp),
    FUNCTION(frexpf),
    FUNCTION(ilogb),
    FUNCTION(ilogbf),
    FUNCTION(jn),
    FUNCTION(jnf),
    FUNCTION(yn),
    FUNCTION(ynf),
    FUNCTION(ldexp),
    FUNCTION(ldexpf),
    FUNCTION(llrint),
    FUNCTION(llrintf),
    FUNCTION(llround),
    FUNCTION(llroundf),
    FUNCTION(scalbn),
    FUNCTION(scalbnf),
    FUNCTION(sincos),
    FUNCTION(sincosf),
    AS("memcpy", std::memcpy),
    AS("memmove", std::memmove),
    AS("memset", std::memset),
    AS("memcmp", std::memcmp),
    AS("bcmp", std::memcmp),
    AS("strlen", std::strlen),
    AS("abort", std::abort),
    AS("printf", printText),
    AS("puts", printLine),
    AS("putchar", printCharacter),
    AS("__extendhfsf2", extendHalf),
    AS("__gnu_h2f_ieee", extendHalf),
    AS("__truncsfhf2", truncateToHalf),
    AS("__gnu_f2h_ieee", truncateToHalf),
    AS("__truncdfhf2", truncateDoubleToHalf),
    AS("__truncsfbf2", truncateToBFloat),
    AS("__truncdfbf2", truncateDoubleToBFloat),
    FUNCTION(__floattidf),
    FUNCTION(__floatuntidf),
    FUNCTION(__fixdfti),
    FUNCTION(__divti3),
    FUNCTION(__modti3),
    FUNCTION(__multi3),
    FUNCTION(__udivti3),
    FUNCTION(__umodti3),
    FUNCTION(__popcountdi2),
};

} // namespace

void *findOwnSymbol(const char *name) {
  for (const Symbol &symbol : kSymbols)
    if (std::strcmp(symbol.name, name) == 0)
      return symbol.address;
  return nullptr;
}

} // namespace seagrove::worker

//===- FloatCasts.cpp - rounding modes and 8-bit floats -------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Few chips know 8-bit floats, so that they become bit patterns in i8 and
// their casts become integer arithmetic that works at any vector width. All of
// it is exact: a cast up loses nothing, a cast down rounds once. Casts down
// saturate, as Triton's do: what is too large, infinities included, becomes
// the largest finite number, and a NaN stays one.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "seagrove/Support/FloatsAsBits.h"

using namespace mlir;
using namespace seagrove;

namespace {

/// An 8-bit format: sign, exponent, `mantissa` bits.
struct Format {
  int mantissa;
  int bias;
  /// The largest magnitude that is a finite number.
  int maxFinite;
  /// The pattern of a NaN, with its sign where that matters.
  int nan;
  /// Magnitudes from here on are infinity (only if `hasInfinity`) or NaN.
  bool hasInfinity;
  /// No negative zero: its pattern is the NaN.
  bool unsignedZero;
};

} // namespace

static std::optional<Format> formatOf(Type element) {
  if (isa<Float8E5M2Type>(element))
    return Format{2, 15, 0x7B, 0x7F, true, false};
  if (isa<Float8E4M3FNType>(element))
    return Format{3, 7, 0x7E, 0x7F, false, false};
  if (isa<Float8E5M2FNUZType>(element))
    return Format{2, 16, 0x7F, 0x80, false, true};
  if (isa<Float8E4M3FNUZType>(element))
    return Format{3, 8, 0x7F, 0x80, false, true};
  if (isa<Float8E4M3B11FNUZType>(element))
    return Format{3, 11, 0x7F, 0x80, false, true};
  return std::nullopt;
}

bool seagrove::isNarrowFloat(Type element) {
  return formatOf(element).has_value();
}

namespace {

/// Writes integer arithmetic on i32, scalars or blocks alike.
class Bits {
public:
  Bits(OpBuilder &b, Location loc, Type like)
      : b(b), loc(loc), i32(withElement(like, b.getI32Type())),
        f32(withElement(like, b.getF32Type())) {}

  Value constant(int64_t value) {
    return constantLike(b, loc, i32, static_cast<int32_t>(value));
  }
  Value add(Value lhs, Value rhs) {
    return arith::AddIOp::create(b, loc, lhs, rhs);
  }
  Value add(Value lhs, int64_t rhs) { return add(lhs, constant(rhs)); }
  Value bitAnd(Value lhs, int64_t rhs) {
    return arith::AndIOp::create(b, loc, lhs, constant(rhs));
  }
  Value bitOr(Value lhs, Value rhs) {
    return arith::OrIOp::create(b, loc, lhs, rhs);
  }
  Value left(Value lhs, int64_t rhs) {
    return arith::ShLIOp::create(b, loc, lhs, constant(rhs));
  }
  Value right(Value lhs, int64_t rhs) {
    return arith::ShRUIOp::create(b, loc, lhs, constant(rhs));
  }
  Value compare(arith::CmpIPredicate predicate, Value lhs, int64_t rhs) {
    return arith::CmpIOp::create(b, loc, predicate, lhs, constant(rhs));
  }
  Value select(Value condition, Value lhs, Value rhs) {
    return arith::SelectOp::create(b, loc, condition, lhs, rhs);
  }
  Value toFloat(Value bits) {
    return arith::BitcastOp::create(b, loc, f32, bits);
  }
  Value toBits(Value number) {
    return arith::BitcastOp::create(b, loc, i32, number);
  }

  OpBuilder &b;
  Location loc;
  Type i32, f32;
};

} // namespace

//===----------------------------------------------------------------------===//
// Casts up
//===----------------------------------------------------------------------===//

/// The bits of the f32 that equals each element.
static Value widenToBits(Bits &bits, Value value, const Format &format) {
  OpBuilder &b = bits.b;
  Location loc = bits.loc;
  Value pattern = arith::BitcastOp::create(
      b, loc, withElement(value.getType(), b.getI8Type()), value);
  Value wide = arith::ExtUIOp::create(b, loc, bits.i32, pattern);
  Value magnitude = bits.bitAnd(wide, 0x7F);
  int shift = 23 - format.mantissa;
  using Predicate = arith::CmpIPredicate;

  Value normal = bits.add(bits.left(magnitude, shift),
                          static_cast<int64_t>(127 - format.bias) << 23);
  // Subnormal numbers are small integers times a power of two.
  Value count = arith::UIToFPOp::create(b, loc, bits.f32, magnitude);
  Value unit = floatConstantLike(
      b, loc, bits.f32, std::ldexp(1.0, 1 - format.bias - format.mantissa));
  Value subnormal = bits.toBits(arith::MulFOp::create(b, loc, count, unit));
  Value isSubnormal =
      bits.compare(Predicate::ult, magnitude, int64_t(1) << format.mantissa);
  Value result = bits.select(isSubnormal, subnormal, normal);

  Value quiet = bits.constant(0x7FC00000);
  if (format.hasInfinity) {
    Value special = bits.compare(Predicate::ugt, magnitude, format.maxFinite);
    Value infinity =
        bits.bitOr(bits.left(magnitude, shift), bits.constant(0x7F800000));
    result = bits.select(special, infinity, result);
  } else if (!format.unsignedZero) {
    Value isNan = bits.compare(Predicate::eq, magnitude, format.nan);
    result = bits.select(isNan, quiet, result);
  }
  Value sign = bits.left(bits.bitAnd(wide, 0x80), 24);
  result = bits.bitOr(result, sign);
  if (format.unsignedZero) {
    Value isNan = bits.compare(Predicate::eq, wide, format.nan);
    result = bits.select(isNan, quiet, result);
  }
  return result;
}

Value seagrove::widenNarrowFloat(OpBuilder &b, Location loc, Value value,
                                 Type element) {
  Bits bits(b, loc, value.getType());
  Value wide = widenToBits(bits, value,
                           *formatOf(getElementTypeOrSelf(value.getType())));
  Type result = withElement(value.getType(), element);
  if (element.isBF16()) {
    // The lower half is zero: nothing is rounded.
    Value upper = arith::TruncIOp::create(
        b, loc, withElement(result, b.getI16Type()), bits.right(wide, 16));
    return arith::BitcastOp::create(b, loc, result, upper);
  }
  Value number = bits.toFloat(wide);
  if (element.isF16())
    return arith::TruncFOp::create(b, loc, result, number);
  if (element.isF64())
    return arith::ExtFOp::create(b, loc, result, number);
  return number;
}

//===----------------------------------------------------------------------===//
// Casts down
//===----------------------------------------------------------------------===//

/// The magnitude pattern of a number whose bits, without sign, are `magnitude`,
/// before saturation. Large numbers give large patterns.
static Value roundMagnitude(Bits &bits, Value magnitude, const Format &format,
                            bool toZero) {
  OpBuilder &b = bits.b;
  Location loc = bits.loc;
  int shift = 23 - format.mantissa;
  Value rounded = magnitude;
  if (!toZero) {
    // To nearest, ties to even: half a unit less one, plus the last bit kept.
    Value odd = bits.bitAnd(bits.right(magnitude, shift), 1);
    rounded =
        bits.add(bits.add(magnitude, odd), (int64_t(1) << (shift - 1)) - 1);
  }
  Value normal =
      bits.add(bits.right(rounded, shift),
               -(static_cast<int64_t>(127 - format.bias) << format.mantissa));

  Value number = bits.toFloat(magnitude);
  Value subnormal;
  int unit = 1 - format.bias - format.mantissa;
  if (toZero) {
    // The scale is a power of two and the product below 2 ^ mantissa. Numbers
    // that take the other branch could leave the range of the cast: clear them.
    Value small = arith::MinNumFOp::create(
        b, loc, number,
        floatConstantLike(b, loc, bits.f32, std::ldexp(1.0, 1 - format.bias)));
    Value units = arith::MulFOp::create(
        b, loc, small,
        floatConstantLike(b, loc, bits.f32, std::ldexp(1.0, -unit)));
    subnormal = arith::FPToUIOp::create(b, loc, bits.i32, units);
  } else {
    // In the sum with 2 ^ (23 + unit) the last bit counts units, so that the
    // addition itself rounds.
    Value magic =
        floatConstantLike(b, loc, bits.f32, std::ldexp(1.0, 23 + unit));
    Value sum = arith::AddFOp::create(b, loc, number, magic);
    subnormal =
        arith::SubIOp::create(b, loc, bits.toBits(sum), bits.toBits(magic));
  }
  Value isSubnormal =
      bits.compare(arith::CmpIPredicate::ult, magnitude,
                   static_cast<int64_t>(128 - format.bias) << 23);
  return bits.select(isSubnormal, subnormal, normal);
}

/// What a cast down does with numbers that are too large.
enum class Overflow {
  /// All become the largest finite number.
  Saturate,
  /// An infinity stays one, where the format has it: the way of arithmetic,
  /// whose f32 result is infinite only where an operand or the exact result is.
  KeepInfinity,
};

/// `value`, an f32, as the bit pattern of a narrow format.
static Value narrow(OpBuilder &b, Location loc, Value value,
                    const Format &format, bool toZero, Overflow overflow) {
  Bits bits(b, loc, value.getType());
  using Predicate = arith::CmpIPredicate;
  Value pattern = bits.toBits(value);
  Value magnitude = bits.bitAnd(pattern, 0x7FFFFFFF);
  Value result = roundMagnitude(bits, magnitude, format, toZero);
  result =
      arith::MinUIOp::create(b, loc, result, bits.constant(format.maxFinite));
  if (overflow == Overflow::KeepInfinity && format.hasInfinity)
    result = bits.select(bits.compare(Predicate::eq, magnitude, 0x7F800000),
                         bits.constant(format.maxFinite + 1), result);
  Value sign = bits.bitAnd(bits.right(pattern, 24), 0x80);
  if (format.unsignedZero)
    sign = bits.select(bits.compare(Predicate::eq, result, 0), bits.constant(0),
                       sign);
  Value isNan = bits.compare(Predicate::ugt, magnitude, 0x7F800000);
  if (format.unsignedZero) {
    result =
        bits.select(isNan, bits.constant(format.nan), bits.bitOr(result, sign));
  } else {
    result =
        bits.bitOr(bits.select(isNan, bits.constant(format.nan), result), sign);
  }
  return arith::TruncIOp::create(
      b, loc, withElement(value.getType(), b.getI8Type()), result);
}

/// A narrowing cast toward zero: to nearest, and one step back where that went
/// away from zero. Also right at infinity, whose predecessor is the largest
/// number, and for NaN, which compares false.
static Value truncateTowardZero(OpBuilder &b, Location loc, Value value,
                                Type result) {
  Value nearest = arith::TruncFOp::create(b, loc, result, value);
  Value back = arith::ExtFOp::create(b, loc, value.getType(), nearest);
  auto width = getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth();
  Type wideBits = withElement(value.getType(), b.getIntegerType(width));
  auto magnitude = [&](Value number) -> Value {
    Value pattern = arith::BitcastOp::create(b, loc, wideBits, number);
    return arith::ShLIOp::create(b, loc, pattern,
                                 constantLike(b, loc, wideBits, 1));
  };
  Value isLarger = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ugt,
                                         magnitude(back), magnitude(value));
  Value isNumber =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, value, value);
  Value stepBack = arith::AndIOp::create(b, loc, isLarger, isNumber);
  auto narrowWidth = getElementTypeOrSelf(result).getIntOrFloatBitWidth();
  Type bits = withElement(result, b.getIntegerType(narrowWidth));
  Value pattern = arith::BitcastOp::create(b, loc, bits, nearest);
  Value one = arith::ExtUIOp::create(b, loc, bits, stepBack);
  return arith::BitcastOp::create(b, loc, result,
                                  arith::SubIOp::create(b, loc, pattern, one));
}

/// An f32 toward zero to bf16: its upper half. A NaN whose payload lies in the
/// lower half must not become an infinity.
static Value dropLowerHalf(OpBuilder &b, Location loc, Value value) {
  Bits bits(b, loc, value.getType());
  Value pattern = bits.toBits(value);
  Value isNan = bits.compare(arith::CmpIPredicate::ugt,
                             bits.bitAnd(pattern, 0x7FFFFFFF), 0x7F800000);
  Value quiet = bits.bitOr(pattern, bits.constant(0x00400000));
  Value upper = bits.right(bits.select(isNan, quiet, pattern), 16);
  Type half = withElement(value.getType(), b.getI16Type());
  Value result = arith::TruncIOp::create(b, loc, half, upper);
  return arith::BitcastOp::create(
      b, loc, withElement(value.getType(), b.getBF16Type()), result);
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

static Value castBetweenWideFloats(OpBuilder &b, Location loc, Value value,
                                   Type result, bool toZero) {
  unsigned from = getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth();
  unsigned to = getElementTypeOrSelf(result).getIntOrFloatBitWidth();
  if (value.getType() == result)
    return value;
  if (from < to)
    return arith::ExtFOp::create(b, loc, result, value);
  if (from == to) {
    // f16 and bf16: neither holds the other, f32 holds both.
    value = arith::ExtFOp::create(b, loc, withElement(result, b.getF32Type()),
                                  value);
  }
  if (!toZero)
    return arith::TruncFOp::create(b, loc, result, value);
  if (!getElementTypeOrSelf(result).isBF16())
    return truncateTowardZero(b, loc, value, result);
  // Two steps toward zero are one.
  Type f32 = withElement(result, b.getF32Type());
  if (value.getType() != f32)
    value = truncateTowardZero(b, loc, value, f32);
  return dropLowerHalf(b, loc, value);
}

/// An f64 as the f32 toward zero whose last bit tells that something was lost,
/// so that rounding once more rounds right.
static Value roundToOdd(OpBuilder &b, Location loc, Value value) {
  Bits bits(b, loc, value.getType());
  Value lower = truncateTowardZero(b, loc, value, bits.f32);
  Value back = arith::ExtFOp::create(b, loc, value.getType(), lower);
  Value inexact =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ONE, back, value);
  Value last = arith::ExtUIOp::create(b, loc, bits.i32, inexact);
  return bits.toFloat(bits.bitOr(bits.toBits(lower), last));
}

static Value cast(OpBuilder &b, Location loc, Value value, Type result,
                  bool toZero, Overflow overflow = Overflow::Saturate) {
  Type from = getElementTypeOrSelf(value.getType());
  Type to = getElementTypeOrSelf(result);
  if (from == to)
    return value;
  Type f32 = withElement(result, b.getF32Type());
  if (isNarrowFloat(from)) {
    if (!isNarrowFloat(to))
      return widenNarrowFloat(b, loc, value, to);
    value = widenNarrowFloat(b, loc, value, b.getF32Type());
  }
  std::optional<Format> format = formatOf(to);
  if (!format)
    return castBetweenWideFloats(b, loc, value, result, toZero);
  if (from.isF64() && !toZero)
    value = roundToOdd(b, loc, value);
  else
    value = castBetweenWideFloats(b, loc, value, f32, toZero);
  Value bits = narrow(b, loc, value, *format, toZero, overflow);
  return arith::BitcastOp::create(b, loc, result, bits);
}

/// A wide integer as bf16. By way of f32 it would be rounded twice; so bits
/// that f32 has no place for are first gathered in the last one kept, by which
/// the second rounding tells on which side of a tie the integer lies.
static Lowered lowerIntegerToBF16(IRRewriter &rewriter, Operation *op) {
  if (!isa<arith::SIToFPOp, arith::UIToFPOp>(op) ||
      !getElementTypeOrSelf(op->getResult(0)).isBF16())
    return std::nullopt;
  Location loc = op->getLoc();
  Value number = op->getOperand(0);
  Type type = number.getType();
  unsigned width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  bool isSigned = isa<arith::SIToFPOp>(op);
  auto power = [&](int bit) {
    return constantLike(rewriter, loc, type, int64_t(1) << bit);
  };
  // From 2 ^ first on, 24 bits up to the next step's first are kept.
  for (auto [first, last] :
       {std::pair(24, 15), std::pair(39, 30), std::pair(54, 45)}) {
    if (width <= static_cast<unsigned>(first))
      break;
    Value shifted = number, limit = power(first);
    if (isSigned) {
      shifted = arith::AddIOp::create(rewriter, loc, number, limit);
      limit = power(first + 1);
    }
    Value isLarge = arith::CmpIOp::create(
        rewriter, loc, arith::CmpIPredicate::uge, shifted, limit);
    Value below = constantLike(rewriter, loc, type, (int64_t(1) << last) - 1);
    Value lost = arith::AndIOp::create(rewriter, loc, number, below);
    Value carry = arith::AddIOp::create(rewriter, loc, lost, below);
    Value gathered = arith::OrIOp::create(rewriter, loc, number, carry);
    Value kept = constantLike(rewriter, loc, type, -(int64_t(1) << last));
    gathered = arith::AndIOp::create(rewriter, loc, gathered, kept);
    number = arith::SelectOp::create(rewriter, loc, isLarge, gathered, number);
  }
  rewriter.modifyOpInPlace(op, [&] { op->setOperand(0, number); });
  return success();
}

/// Arithmetic on narrow floats is done in f32, of which they are a part.
static Lowered lowerNarrowArithmetic(IRRewriter &rewriter, Operation *op) {
  auto isNarrow = [](Type type) {
    return isNarrowFloat(getElementTypeOrSelf(type));
  };
  bool moves = isa<arith::SelectOp, arith::BitcastOp, arith::ConstantOp>(op);
  bool isMath = isa<arith::ArithDialect, math::MathDialect>(op->getDialect());
  if (moves || !isMath || op->getNumResults() != 1 ||
      (llvm::none_of(op->getOperandTypes(), isNarrow) &&
       llvm::none_of(op->getResultTypes(), isNarrow)))
    return std::nullopt;
  Location loc = op->getLoc();
  Type f32 = rewriter.getF32Type();
  IRMapping mapping;
  for (Value operand : op->getOperands())
    if (isNarrow(operand.getType()))
      mapping.map(operand, widenNarrowFloat(rewriter, loc, operand, f32));
  Operation *wide = rewriter.clone(*op, mapping);
  Value result = wide->getResult(0);
  Type type = op->getResult(0).getType();
  if (isNarrow(type)) {
    result.setType(withElement(type, f32));
    result = cast(rewriter, loc, result, type, /*toZero=*/false,
                  Overflow::KeepInfinity);
  }
  rewriter.replaceOp(op, result);
  return success();
}

Lowered seagrove::lowerFloatCast(IRRewriter &rewriter, Operation *op) {
  Value source;
  bool toZero = false;
  if (auto convert = dyn_cast<tt::FpToFpOp>(op)) {
    source = convert.getSrc();
    toZero = convert.getRounding() == tt::RoundingMode::TowardZero;
  } else if (isa<arith::ExtFOp, arith::TruncFOp>(op) &&
             (isNarrowFloat(getElementTypeOrSelf(op->getOperand(0))) ||
              isNarrowFloat(getElementTypeOrSelf(op->getResult(0))))) {
    source = op->getOperand(0);
  } else if (Lowered lowered = lowerIntegerToBF16(rewriter, op)) {
    return lowered;
  } else {
    return lowerNarrowArithmetic(rewriter, op);
  }
  rewriter.replaceOp(op, cast(rewriter, op->getLoc(), source,
                              op->getResult(0).getType(), toZero));
  return success();
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

void seagrove::retypeNarrowFloats(Operation *root) {
  holdFloatsAsBits(root, [](FloatType type) { return isNarrowFloat(type); });
}

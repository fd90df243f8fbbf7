//===- SmallFloats.cpp - formats narrower than f32 ------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LLVM would compute on a format that the target lacks one element at a time,
// through functions of a compiler's run-time library that a user's machine need
// not have. Here a vector stays a vector, and each operation still rounds once.
//
//===----------------------------------------------------------------------===//

#include "SmallFloats.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "seagrove/Support/FloatsAsBits.h"

#include <cmath>
#include <optional>

using namespace mlir;

namespace seagrove::math_expansion {

namespace {

/// What the bit patterns above the largest number mean, and whether rounding a
/// larger number makes an infinity.
enum class Specials {
  /// Infinity and NaN with the highest exponent, as in IEEE 754.
  Ieee,
  /// The same patterns, but conversion stops at the largest number.
  IeeeSaturating,
  /// NaN is all ones; there is no infinity; conversion saturates.
  FiniteNaN,
  /// NaN is minus zero; there is no infinity; conversion saturates.
  UnsignedZero,
};

struct Format {
  unsigned width;
  unsigned mantissa;
  int bias;
  Specials specials;

  int64_t magnitudeMask() const { return (int64_t(1) << (width - 1)) - 1; }
  /// The pattern of infinity, or the first one beyond the largest number.
  int64_t limit() const {
    switch (specials) {
    case Specials::Ieee:
    case Specials::IeeeSaturating:
      return magnitudeMask() & -(int64_t(1) << mantissa);
    case Specials::FiniteNaN:
      return magnitudeMask();
    case Specials::UnsignedZero:
      return magnitudeMask() + 1;
    }
    return 0;
  }
  int64_t nan() const {
    if (specials == Specials::UnsignedZero)
      return magnitudeMask() + 1;
    if (specials == Specials::FiniteNaN)
      return magnitudeMask();
    return limit() | (int64_t(1) << (mantissa - 1));
  }
  double smallestNormal() const { return std::ldexp(1.0, 1 - bias); }
};

/// The formats that are narrower than f32, bf16 apart.
std::optional<Format> formatOf(Type type) {
  if (type.isF16())
    return Format{16, 10, 15, Specials::Ieee};
  if (isa<Float8E5M2Type>(type))
    return Format{8, 2, 15, Specials::IeeeSaturating};
  if (isa<Float8E4M3FNType>(type))
    return Format{8, 3, 7, Specials::FiniteNaN};
  if (isa<Float8E5M2FNUZType>(type))
    return Format{8, 2, 16, Specials::UnsignedZero};
  if (isa<Float8E4M3FNUZType>(type))
    return Format{8, 3, 8, Specials::UnsignedZero};
  if (isa<Float8E4M3B11FNUZType>(type))
    return Format{8, 3, 11, Specials::UnsignedZero};
  return std::nullopt;
}

/// Returns true if `type` is or holds a format that we know how to convert.
bool isNarrow(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isBF16() || formatOf(element).has_value();
}

//===----------------------------------------------------------------------===//
// Conversion; `m` computes in f32
//===----------------------------------------------------------------------===//

/// The bits of a narrow value, in the low bits of an i32.
Int narrowBits(MathBuilder &m, Value narrow) {
  unsigned width = getElementTypeOrSelf(narrow).getIntOrFloatBitWidth();
  Value bits =
      arith::BitcastOp::create(m.ops(), m.shaped(m.intElement(width)), narrow);
  return m.integer(arith::ExtUIOp::create(m.ops(), m.intType(), bits));
}

Value fromNarrowBits(Int bits, Type type) {
  MathBuilder &m = *bits.m;
  unsigned width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  Value narrow = arith::TruncIOp::create(m.ops(), m.shaped(m.intElement(width)),
                                         bits.value);
  return arith::BitcastOp::create(m.ops(), type, narrow);
}

Flt extendBF16(MathBuilder &m, Value narrow) {
  return fromBits(shiftLeft(narrowBits(m, narrow), 16));
}

Value truncateBF16(Flt x, Type type) {
  Int bits = bitsOf(x);
  // To nearest, ties to even; NaN must not round to infinity.
  Int odd = shiftRight(bits, 16) & 1;
  Int rounded = bits + odd + 0x7fff;
  Int quiet = bits | 0x400000;
  return fromNarrowBits(shiftRight(select(isNaN(x), quiet, rounded), 16), type);
}

Flt extendNarrow(MathBuilder &m, Value narrow, const Format &format) {
  Int bits = narrowBits(m, narrow);
  Int size = bits & format.magnitudeMask();
  // The exponent moves to its place in f32; a product corrects its bias, which
  // also makes normal numbers of denormal ones.
  Int placed = shiftLeft(size, 23 - format.mantissa);
  Flt value = fromBits(placed) * std::ldexp(1.0, 127 - format.bias);
  Bool finite = lessUnsigned(size, m.constantInt(format.limit()));
  switch (format.specials) {
  case Specials::Ieee:
  case Specials::IeeeSaturating:
    value = select(finite, value, fromBits(placed | 0x7f800000));
    break;
  case Specials::FiniteNaN:
    value = select(finite, value, m.nan());
    break;
  case Specials::UnsignedZero:
    value = select(equal(bits, format.nan()), m.nan(), value);
    break;
  }
  Int sign = shiftLeft(bits, 32 - format.width) & (int64_t(1) << 31);
  return fromBits(bitsOf(value) | sign);
}

Value truncateNarrow(Flt x, Type type, const Format &format) {
  MathBuilder &m = *x.m;
  Flt size = abs(x);
  Int sizeBits = bitsOf(size);
  int64_t dropped = 23 - format.mantissa;

  // Normal: correct the bias, then round to nearest even in the integers; a
  // carry moves into the exponent as it should.
  Int moved = sizeBits - (int64_t(127 - format.bias) << 23);
  Int odd = shiftRight(moved, dropped) & 1;
  Int normal =
      shiftRight(moved + odd + ((int64_t(1) << (dropped - 1)) - 1), dropped);
  // Denormal: let the addition of a power of two do the rounding.
  double magic = format.smallestNormal() * std::ldexp(1.0, dropped);
  Int denormal = bitsOf(size + magic) - bitsOf(m.constant(magic));
  Int result = select(size < format.smallestNormal(), denormal, normal);

  bool saturate = format.specials != Specials::Ieee;
  Int largest = m.constantInt(format.limit() - (saturate ? 1 : 0));
  result = select(lessUnsigned(largest, result), largest, result);
  Int sign = shiftRight(bitsOf(x) & (int64_t(1) << 31), 32 - format.width);
  if (format.specials == Specials::UnsignedZero)
    sign = select(equal(result, 0), m.constantInt(0), sign);
  result = result | sign;
  return fromNarrowBits(select(isNaN(x), m.constantInt(format.nan()), result),
                        type);
}

/// An f64 as the f32 toward zero whose last bit is set where something was
/// lost, so that one more rounding, to a narrower format, comes out as if it
/// were the only one.
Flt roundToOdd(Value wide, MathBuilder &m) {
  MathBuilder m64 = m.withElement(Float64Type::get(wide.getContext()));
  Flt exact = m64.flt(wide);
  Flt nearest = convert(exact, m);
  Flt back = convert(nearest, m64);
  Int bits = bitsOf(nearest);
  Int lower = select(abs(back) > abs(exact), bits - 1, bits);
  return fromBits(select((back < exact) | (back > exact), lower | 1, lower));
}

/// Expands conversions and promotes arithmetic, each at its place.
class Legalizer {
public:
  Legalizer(const ExpandMathOptions &options,
            DenseMap<Operation *, ConstantCache> &constants)
      : options(options), constants(constants) {}

  /// Computes `op`, arithmetic on a narrow format, in f32.
  void promote(Operation *op) {
    ImplicitLocOpBuilder b(op->getLoc(), op);
    IRMapping mapping;
    for (Value operand : op->getOperands())
      if (isNarrow(operand.getType()) && !mapping.contains(operand))
        mapping.map(operand, arith::ExtFOp::create(b, inF32(operand.getType()),
                                                   operand));
    Operation *wide = b.clone(*op, mapping);
    for (auto [result, wideResult] :
         llvm::zip_equal(op->getResults(), wide->getResults())) {
      if (!isNarrow(result.getType()))
        continue;
      wideResult.setType(inF32(result.getType()));
    }
    SmallVector<Value> results;
    for (auto [result, wideResult] :
         llvm::zip_equal(op->getResults(), wide->getResults()))
      results.push_back(
          isNarrow(result.getType())
              ? arith::TruncFOp::create(b, result.getType(), wideResult)
                    .getResult()
              : Value(wideResult));
    op->replaceAllUsesWith(results);
    op->erase();
  }

  void expandExtension(arith::ExtFOp op) {
    Type from = getElementTypeOrSelf(op.getIn());
    bool toF32 = getElementTypeOrSelf(op.getType()).isF32();
    if (isNativeConversion(from) && (toF32 || from.isF16()))
      return;
    rewrite(op, [&](MathBuilder &m) -> Value {
      Flt wide = isNativeConversion(from) ? nativeExtend(m, op.getIn())
                 : from.isBF16() ? extendBF16(m, op.getIn())
                                 : extendNarrow(m, op.getIn(), *formatOf(from));
      if (toF32)
        return wide.value;
      return resizeTo(m, wide, op.getType());
    });
  }

  void expandTruncation(arith::TruncFOp op) {
    Type from = getElementTypeOrSelf(op.getIn());
    Type to = getElementTypeOrSelf(op.getType());
    bool native = isNativeConversion(to);
    // To look for subnormal numbers and take the instruction where there are
    // none was slower in kernels with several results (a branch in each loop).
    if (to.isBF16() && options.bf16Flushing)
      native &= op->hasAttr(kMayFlush);
    if (native && from.isF32())
      return;
    rewrite(op, [&](MathBuilder &m) -> Value {
      Flt x = from.isF64() ? roundToOdd(op.getIn(), m)
                           : convert(m.flt(op.getIn()), m);
      if (native)
        return arith::TruncFOp::create(m.ops(), op.getType(), x.value);
      if (to.isBF16())
        return truncateBF16(x, op.getType());
      return truncateNarrow(x, op.getType(), *formatOf(to));
    });
  }

private:
  static Type inF32(Type type) {
    Type f32 = Float32Type::get(type.getContext());
    if (auto vector = dyn_cast<VectorType>(type))
      return vector.clone(f32);
    return f32;
  }

  bool isNativeConversion(Type element) const {
    if (element.isF16())
      return options.f16Conversion;
    return element.isBF16() && options.bf16Conversion;
  }

  Flt nativeExtend(MathBuilder &m, Value narrow) {
    return m.flt(arith::ExtFOp::create(m.ops(), m.floatType(), narrow));
  }

  /// An f32 to f64, or to another narrow format, in a second step.
  Value resizeTo(MathBuilder &m, Flt x, Type type) {
    if (getElementTypeOrSelf(type).isF64())
      return arith::ExtFOp::create(m.ops(), type, x.value);
    auto truncation = arith::TruncFOp::create(m.ops(), type, x.value);
    auto anchor = arith::BitcastOp::create(m.ops(), type, truncation);
    expandTruncation(truncation);
    Value result = anchor.getIn();
    anchor.erase();
    return result;
  }

  template <typename Op>
  void rewrite(Op op, function_ref<Value(MathBuilder &)> build) {
    ImplicitLocOpBuilder b(op->getLoc(), op);
    ConstantCache &cache =
        constants[op->template getParentOfType<FunctionOpInterface>()];
    MathBuilder m(b, inF32(op.getType()), options, cache);
    op->replaceAllUsesWith(ValueRange{build(m)});
    op->erase();
  }

  const ExpandMathOptions &options;
  DenseMap<Operation *, ConstantCache> &constants;
};

/// Returns true if `op` computes with the numbers and does not merely move
/// them.
bool computes(Operation *op) {
  return isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp,
             arith::RemFOp, arith::NegFOp, arith::MaximumFOp, arith::MinimumFOp,
             arith::MaxNumFOp, arith::MinNumFOp, arith::CmpFOp, arith::SIToFPOp,
             arith::UIToFPOp, arith::FPToSIOp, arith::FPToUIOp,
             vector::ReductionOp, vector::FMAOp>(op);
}

/// The narrow format that `op` reads or makes, or none.
Type narrowElement(Operation *op) {
  for (Type type :
       llvm::concat<const Type>(llvm::to_vector(op->getOperandTypes()),
                                llvm::to_vector(op->getResultTypes())))
    if (isNarrow(type))
      return getElementTypeOrSelf(type);
  return {};
}

} // namespace

bool isNativeFormat(Type element, const ExpandMathOptions &options) {
  if (element.isF16())
    return options.f16Arithmetic;
  return element.isBF16() && options.bf16Arithmetic;
}

void legalizeSmallFloats(Operation *root, const ExpandMathOptions &options,
                         DenseMap<Operation *, ConstantCache> &constants) {
  Legalizer legalizer(options, constants);
  SmallVector<Operation *> arithmetic;
  root->walk([&](Operation *op) {
    if (!computes(op))
      return;
    Type element = narrowElement(op);
    if (element && !isNativeFormat(element, options))
      arithmetic.push_back(op);
  });
  for (Operation *op : arithmetic)
    legalizer.promote(op);

  SmallVector<Operation *> conversions;
  root->walk([&](Operation *op) {
    if (isa<arith::ExtFOp, arith::TruncFOp>(op) && narrowElement(op))
      conversions.push_back(op);
  });
  for (Operation *op : conversions) {
    if (auto extension = dyn_cast<arith::ExtFOp>(op))
      legalizer.expandExtension(extension);
    else
      legalizer.expandTruncation(cast<arith::TruncFOp>(op));
  }
  // A vector of a type that the target lacks would be put together by functions
  // of a run-time library, even where it is only moved.
  if (!options.bf16Arithmetic && !options.bf16Conversion)
    holdFloatsAsBits(root, [](FloatType type) { return type.isBF16(); });
  if (!options.f16Arithmetic && !options.f16Conversion)
    holdFloatsAsBits(root, [](FloatType type) { return type.isF16(); });
}

} // namespace seagrove::math_expansion

//===- Externs.cpp - calls of library functions ---------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace seagrove;

using Emit = Value (*)(OpBuilder &, Location, Type, ValueRange);

template <typename Op>
static Value emit(OpBuilder &b, Location loc, Type type, ValueRange operands) {
  return Op::create(b, loc, TypeRange(type), operands,
                    ArrayRef<NamedAttribute>())
      ->getResult(0);
}

//===----------------------------------------------------------------------===//
// Functions without an operation of their own
//===----------------------------------------------------------------------===//

static Value emitPow(OpBuilder &b, Location loc, Type type,
                     ValueRange operands) {
  if (isa<IntegerType>(getElementTypeOrSelf(operands[1])))
    return emit<math::FPowIOp>(b, loc, type, operands);
  return emit<math::PowFOp>(b, loc, type, operands);
}

/// sqrt(x^2 + y^2) as large * sqrt(1 + (small / large)^2), which does not
/// overflow before its result does.
static Value emitHypot(OpBuilder &b, Location loc, Type type,
                       ValueRange operands) {
  Value x = math::AbsFOp::create(b, loc, operands[0]);
  Value y = math::AbsFOp::create(b, loc, operands[1]);
  Value large = arith::MaximumFOp::create(b, loc, x, y);
  Value small = arith::MinimumFOp::create(b, loc, x, y);
  Value zero = floatConstantLike(b, loc, type, 0.0);
  Value one = floatConstantLike(b, loc, type, 1.0);
  Value infinity = floatConstantLike(b, loc, type, HUGE_VAL);
  Value ratio = arith::DivFOp::create(b, loc, small, large);
  Value square = arith::MulFOp::create(b, loc, ratio, ratio);
  Value root = math::SqrtOp::create(
      b, loc, arith::AddFOp::create(b, loc, one, square).getResult());
  Value result = arith::MulFOp::create(b, loc, large, root);
  using Predicate = arith::CmpFPredicate;
  // 0 / 0 and inf / inf give no number, and an infinity wins over a NaN.
  Value isZero = arith::CmpFOp::create(b, loc, Predicate::OEQ, large, zero);
  result = arith::SelectOp::create(b, loc, isZero, zero, result);
  for (Value side : {x, y}) {
    Value isInfinite =
        arith::CmpFOp::create(b, loc, Predicate::OEQ, side, infinity);
    result = arith::SelectOp::create(b, loc, isInfinite, infinity, result);
  }
  return result;
}

/// One more than the position of the lowest bit set, 0 if none is.
static Value emitFirstSet(OpBuilder &b, Location loc, Type type,
                          ValueRange operands) {
  Value number = operands[0];
  Type wide = number.getType();
  Value zeros = math::CountTrailingZerosOp::create(b, loc, number);
  Value position =
      arith::AddIOp::create(b, loc, zeros, constantLike(b, loc, wide, 1));
  Value zero = constantLike(b, loc, wide, 0);
  Value isZero =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, number, zero);
  Value result = arith::SelectOp::create(b, loc, isZero, zero, position);
  if (wide == type)
    return result;
  return arith::TruncIOp::create(b, loc, type, result);
}

/// A number of bits, as an integer of the result's type.
template <typename CountOp>
static Value emitCount(OpBuilder &b, Location loc, Type type,
                       ValueRange operands) {
  Value count = CountOp::create(b, loc, operands[0]);
  if (count.getType() == type)
    return count;
  return arith::TruncIOp::create(b, loc, type, count);
}

static Type bitsOf(OpBuilder &b, Type type) {
  unsigned width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  return withElement(type, b.getIntegerType(width));
}

static Value emitSignBit(OpBuilder &b, Location loc, Type type,
                         ValueRange operands) {
  Type bits = bitsOf(b, operands[0].getType());
  unsigned width = getElementTypeOrSelf(bits).getIntOrFloatBitWidth();
  Value pattern = arith::BitcastOp::create(b, loc, bits, operands[0]);
  Value sign = arith::ShRUIOp::create(b, loc, pattern,
                                      constantLike(b, loc, bits, width - 1));
  unsigned result = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  if (result < width)
    return arith::TruncIOp::create(b, loc, type, sign);
  if (result > width)
    return arith::ExtUIOp::create(b, loc, type, sign);
  return sign;
}

/// The next number after x in the direction of y. In the order of magnitudes a
/// step is one unit of the bit pattern.
static Value emitNextAfter(OpBuilder &b, Location loc, Type type,
                           ValueRange operands) {
  Value x = operands[0], y = operands[1];
  Type bits = bitsOf(b, type);
  using Predicate = arith::CmpFPredicate;
  auto compare = [&](Predicate predicate, Value lhs, Value rhs) -> Value {
    return arith::CmpFOp::create(b, loc, predicate, lhs, rhs);
  };
  auto select = [&](Value condition, Value lhs, Value rhs) -> Value {
    return arith::SelectOp::create(b, loc, condition, lhs, rhs);
  };
  Value zero = floatConstantLike(b, loc, type, 0.0);
  Value one = constantLike(b, loc, bits, 1);
  Value pattern = arith::BitcastOp::create(b, loc, bits, x);
  Value up = arith::AddIOp::create(b, loc, pattern, one);
  Value down = arith::SubIOp::create(b, loc, pattern, one);
  Value grows = compare(Predicate::OGT, y, x);
  Value positive = compare(Predicate::OGT, x, zero);
  Value outward =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, grows, positive);
  Value moved =
      arith::BitcastOp::create(b, loc, type, select(outward, up, down));
  Value tiny = arith::BitcastOp::create(b, loc, type, one);
  Value fromZero = math::CopySignOp::create(b, loc, tiny, y);
  Value result = select(compare(Predicate::OEQ, x, zero), fromZero, moved);
  result = select(compare(Predicate::OEQ, x, y), y, result);
  Value notNumbers = arith::AddFOp::create(b, loc, x, y);
  return select(compare(Predicate::UNO, x, y), notNumbers, result);
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

static const llvm::StringMap<Emit> &getFunctions() {
  static const llvm::StringMap<Emit> functions = {
      {"abs", emit<math::AbsFOp>},
      {"acos", emit<math::AcosOp>},
      {"acosh", emit<math::AcoshOp>},
      {"asin", emit<math::AsinOp>},
      {"asinh", emit<math::AsinhOp>},
      {"atan", emit<math::AtanOp>},
      {"atan2", emit<math::Atan2Op>},
      {"atanh", emit<math::AtanhOp>},
      {"cbrt", emit<math::CbrtOp>},
      {"ceil", emit<math::CeilOp>},
      {"clz", emitCount<math::CountLeadingZerosOp>},
      {"copysign", emit<math::CopySignOp>},
      {"cos", emit<math::CosOp>},
      {"cosh", emit<math::CoshOp>},
      {"div_rn", emit<arith::DivFOp>},
      {"erf", emit<math::ErfOp>},
      {"erfc", emit<math::ErfcOp>},
      {"exp", emit<math::ExpOp>},
      {"exp2", emit<math::Exp2Op>},
      {"expm1", emit<math::ExpM1Op>},
      {"fabs", emit<math::AbsFOp>},
      {"ffs", emitFirstSet},
      {"finite", emit<math::IsFiniteOp>},
      {"floor", emit<math::FloorOp>},
      {"fma", emit<math::FmaOp>},
      {"fmax", emit<arith::MaxNumFOp>},
      {"fmin", emit<arith::MinNumFOp>},
      {"fmod", emit<arith::RemFOp>},
      {"hypot", emitHypot},
      {"isfinite", emit<math::IsFiniteOp>},
      {"isinf", emit<math::IsInfOp>},
      {"isnan", emit<math::IsNaNOp>},
      {"log", emit<math::LogOp>},
      {"log10", emit<math::Log10Op>},
      {"log1p", emit<math::Log1pOp>},
      {"log2", emit<math::Log2Op>},
      {"nearbyint", emit<math::RoundEvenOp>},
      {"nextafter", emitNextAfter},
      {"popc", emitCount<math::CtPopOp>},
      {"pow", emitPow},
      {"powi", emitPow},
      {"rint", emit<math::RoundEvenOp>},
      {"round", emit<math::RoundOp>},
      {"roundeven", emit<math::RoundEvenOp>},
      {"rsqrt", emit<math::RsqrtOp>},
      {"signbit", emitSignBit},
      {"sin", emit<math::SinOp>},
      {"sinh", emit<math::SinhOp>},
      {"sqrt", emit<math::SqrtOp>},
      {"tan", emit<math::TanOp>},
      {"tanh", emit<math::TanhOp>},
      {"trunc", emit<math::TruncOp>},
  };
  return functions;
}

/// The function behind a library's symbol: `__sg_acos_f32` and `acosf` are
/// `acos`. Libraries prefix their name and suffix the type.
static Emit findFunction(StringRef symbol) {
  const llvm::StringMap<Emit> &functions = getFunctions();
  if (symbol.consume_front("__"))
    symbol = symbol.drop_front(symbol.find('_') + 1);
  while (true) {
    size_t last = symbol.rfind('_');
    if (last == StringRef::npos)
      break;
    StringRef type = symbol.drop_front(last + 1);
    if (type.size() != 3 || !StringRef("fi").contains(type.front()))
      break;
    symbol = symbol.take_front(last);
  }
  for (StringRef suffix : {"", "f", "d"}) {
    StringRef name = symbol;
    if (name.consume_back(suffix))
      if (auto found = functions.find(name); found != functions.end())
        return found->second;
  }
  return nullptr;
}

Lowered seagrove::lowerExtern(IRRewriter &rewriter, Operation *op) {
  auto call = dyn_cast<tt::ExternElementwiseOp>(op);
  if (!call)
    return std::nullopt;
  Emit emitter = findFunction(call.getSymbol());
  if (!emitter) {
    InFlightDiagnostic error = call.emitError("SG0310: the library function '")
                               << call.getSymbol()
                               << "' is not available on this backend";
    error.attachNote() << "use a function of tl.math, or write it out with "
                          "Triton operations";
    return error;
  }
  Type type = call.getType();
  Location loc = op->getLoc();
  Type wanted = type;
  // Predicates of a library are i32, those of MLIR are bits.
  bool isPredicate = emitter == emit<math::IsNaNOp> ||
                     emitter == emit<math::IsInfOp> ||
                     emitter == emit<math::IsFiniteOp>;
  if (isPredicate)
    type = withElement(type, rewriter.getI1Type());
  Value result = emitter(rewriter, loc, type, call.getSrcs());
  if (type != wanted)
    result = arith::ExtUIOp::create(rewriter, loc, wanted, result);
  rewriter.replaceOp(op, result);
  return success();
}

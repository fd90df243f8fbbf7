//===- ElementMistakes.cpp - mistakes in arithmetic and casts -------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mistakes.h"

#include "seagrove/Dialect/Access/IR/Access.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace seagrove;

static void replace(Operation *op, Value value) {
  op->getResult(0).replaceAllUsesWith(value);
  op->erase();
}

/// Makes another operation of an operation with the same operands and result.
template <typename From, typename To>
static void exchange(OpBuilder &b, Operation *op) {
  if (isa<From>(op))
    replace(op, To::create(b, op->getLoc(), op->getResultTypes(),
                           op->getOperands()));
}

template <typename First, typename FirstTo, typename Second, typename SecondTo>
static void exchangeEither(OpBuilder &b, Operation *op) {
  if (isa<First>(op))
    exchange<First, FirstTo>(b, op);
  else
    exchange<Second, SecondTo>(b, op);
}

/// True for arithmetic of the user's: on blocks, or on what a block combines.
/// What bounds an access is the compiler's.
static bool isOnElements(Operation *op) {
  return isa<RankedTensorType>(op->getOperand(0).getType()) ||
         isa<sg::ReduceOp, sg::ScanOp>(op->getParentOp());
}

template <typename From, typename To>
static void exchangeOnElements(OpBuilder &b, Operation *op) {
  if (isa<From>(op) && isOnElements(op))
    exchange<From, To>(b, op);
}

static void confuseExtremes(OpBuilder &b, Operation *op) {
  if (isa<arith::MinSIOp, arith::MaxSIOp>(op) && isOnElements(op))
    exchangeEither<arith::MinSIOp, arith::MinUIOp, arith::MaxSIOp,
                   arith::MaxUIOp>(b, op);
}

static void swapSelect(OpBuilder &b, Operation *op) {
  auto select = dyn_cast<arith::SelectOp>(op);
  if (!select || isa<sg::ReduceOp, sg::ScanOp>(op->getParentOp()))
    return;
  Value first = select.getTrueValue();
  select.getTrueValueMutable().set(select.getFalseValue());
  select.getFalseValueMutable().set(first);
}

static void
changePredicate(Operation *op,
                arith::CmpIPredicate (*change)(arith::CmpIPredicate)) {
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    compare.setPredicate(change(compare.getPredicate()));
}

static void compareSigned(OpBuilder &b, Operation *op) {
  changePredicate(op, [](arith::CmpIPredicate predicate) {
    using P = arith::CmpIPredicate;
    return predicate == P::ult   ? P::slt
           : predicate == P::ule ? P::sle
           : predicate == P::ugt ? P::sgt
           : predicate == P::uge ? P::sge
                                 : predicate;
  });
}

static void compareUnsigned(OpBuilder &b, Operation *op) {
  changePredicate(op, [](arith::CmpIPredicate predicate) {
    using P = arith::CmpIPredicate;
    return predicate == P::slt   ? P::ult
           : predicate == P::sle ? P::ule
           : predicate == P::sgt ? P::ugt
           : predicate == P::sge ? P::uge
                                 : predicate;
  });
}

static void compareOrEqual(OpBuilder &b, Operation *op) {
  changePredicate(op, [](arith::CmpIPredicate predicate) {
    using P = arith::CmpIPredicate;
    return predicate == P::slt   ? P::sle
           : predicate == P::sgt ? P::sge
           : predicate == P::ult ? P::ule
           : predicate == P::ugt ? P::uge
                                 : predicate;
  });
  using P = arith::CmpFPredicate;
  auto compare = dyn_cast<arith::CmpFOp>(op);
  if (compare && compare.getPredicate() == P::OLT)
    compare.setPredicate(P::OLE);
  else if (compare && compare.getPredicate() == P::OGT)
    compare.setPredicate(P::OGE);
}

static Type withElement(Type type, Type element) {
  auto block = dyn_cast<ShapedType>(type);
  return block ? block.clone(element) : element;
}

static Value constantLike(OpBuilder &b, Location loc, Type type,
                          TypedAttr element) {
  TypedAttr value = element;
  if (auto block = dyn_cast<ShapedType>(type))
    value = DenseElementsAttr::get(block, Attribute(element));
  return arith::ConstantOp::create(b, loc, value);
}

static void cutBits(OpBuilder &b, Operation *op) {
  auto truncate = dyn_cast<arith::TruncFOp>(op);
  if (!truncate)
    return;
  Type type = truncate.getIn().getType();
  auto wide = cast<FloatType>(getElementTypeOrSelf(type));
  auto narrow = cast<FloatType>(getElementTypeOrSelf(truncate.getType()));
  Type integer = b.getIntegerType(wide.getWidth());
  Type bits = withElement(type, integer);
  unsigned cut = wide.getFPMantissaWidth() - narrow.getFPMantissaWidth();
  APInt kept = ~APInt::getLowBitsSet(wide.getWidth(), cut);
  Location loc = op->getLoc();
  Value pattern = arith::BitcastOp::create(b, loc, bits, truncate.getIn());
  Value mask = constantLike(b, loc, bits, b.getIntegerAttr(integer, kept));
  Value less = arith::AndIOp::create(b, loc, pattern, mask);
  truncate.getInMutable().set(arith::BitcastOp::create(b, loc, type, less));
}

static void roundInteger(OpBuilder &b, Operation *op) {
  if (isa<arith::FPToSIOp, arith::FPToUIOp>(op))
    op->setOperand(
        0, math::RoundEvenOp::create(b, op->getLoc(), op->getOperand(0)));
}

static void floorDivision(OpBuilder &b, Operation *op) {
  auto divide = dyn_cast<arith::DivSIOp>(op);
  if (!divide)
    return;
  Location loc = op->getLoc();
  Type type = divide.getType();
  Type element = getElementTypeOrSelf(type);
  Value zero = constantLike(b, loc, type, b.getIntegerAttr(element, 0));
  Value one = constantLike(b, loc, type, b.getIntegerAttr(element, 1));
  Value quotient =
      arith::DivSIOp::create(b, loc, divide.getLhs(), divide.getRhs());
  Value rest = arith::RemSIOp::create(b, loc, divide.getLhs(), divide.getRhs());
  Value signs = arith::XOrIOp::create(b, loc, rest, divide.getRhs());
  Value inexact =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, zero);
  Value negative =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, signs, zero);
  Value lower = arith::SubIOp::create(b, loc, quotient, one);
  Value both = arith::AndIOp::create(b, loc, inexact, negative);
  replace(op, arith::SelectOp::create(b, loc, both, lower, quotient));
}

static void halveClamp(OpBuilder &b, Operation *op) {
  auto least = dyn_cast<arith::MinNumFOp>(op);
  if (least && least.getLhs().getDefiningOp<arith::MaxNumFOp>())
    replace(op, least.getLhs());
}

static void fuseWrongSign(OpBuilder &b, Operation *op) {
  auto difference = dyn_cast<arith::SubFOp>(op);
  if (!difference)
    return;
  auto product = difference.getLhs().getDefiningOp<arith::MulFOp>();
  Value added = difference.getRhs();
  if (!product) {
    product = difference.getRhs().getDefiningOp<arith::MulFOp>();
    added = difference.getLhs();
  }
  if (product)
    replace(op, math::FmaOp::create(b, op->getLoc(), product.getLhs(),
                                    product.getRhs(), added));
}

static void fuse(OpBuilder &b, Operation *op) {
  auto sum = dyn_cast<arith::AddFOp>(op);
  if (!sum)
    return;
  auto product = sum.getLhs().getDefiningOp<arith::MulFOp>();
  Value added = sum.getRhs();
  if (!product) {
    product = sum.getRhs().getDefiningOp<arith::MulFOp>();
    added = sum.getLhs();
  }
  if (product)
    replace(op, math::FmaOp::create(b, op->getLoc(), product.getLhs(),
                                    product.getRhs(), added));
}

static void divideByReciprocal(OpBuilder &b, Operation *op) {
  auto divide = dyn_cast<arith::DivFOp>(op);
  if (!divide)
    return;
  Type element = getElementTypeOrSelf(divide.getType());
  Value one = constantLike(b, op->getLoc(), divide.getType(),
                           b.getFloatAttr(element, 1.0));
  Value inverse = arith::DivFOp::create(b, op->getLoc(), one, divide.getRhs());
  replace(op, arith::MulFOp::create(b, op->getLoc(), divide.getLhs(), inverse));
}

static void negateZero(OpBuilder &b, Operation *op) {
  auto difference = dyn_cast<arith::SubFOp>(op);
  if (difference && matchPattern(difference.getLhs(), m_PosZeroFloat()))
    replace(op, arith::NegFOp::create(b, op->getLoc(), difference.getRhs()));
}

static void multiplyNarrow(OpBuilder &b, Operation *op) {
  auto multiply = dyn_cast<arith::MulIOp>(op);
  if (!multiply || !getElementTypeOrSelf(multiply.getType()).isInteger(64))
    return;
  Location loc = op->getLoc();
  Type type = withElement(multiply.getType(), b.getI32Type());
  Value lhs = arith::TruncIOp::create(b, loc, type, multiply.getLhs());
  Value rhs = arith::TruncIOp::create(b, loc, type, multiply.getRhs());
  Value low = arith::MulIOp::create(b, loc, lhs, rhs);
  replace(op, arith::ExtSIOp::create(b, loc, multiply.getType(), low));
}

ArrayRef<Mistake> seagrove::getElementMistakes() {
  static const Mistake mistakes[] = {
      {"zero-extend", exchangeOnElements<arith::ExtSIOp, arith::ExtUIOp>},
      {"sign-extend", exchangeOnElements<arith::ExtUIOp, arith::ExtSIOp>},
      {"nan-lost", exchangeEither<arith::MaximumFOp, arith::MaxNumFOp,
                                  arith::MinimumFOp, arith::MinNumFOp>},
      {"nan-gained", exchangeEither<arith::MaxNumFOp, arith::MaximumFOp,
                                    arith::MinNumFOp, arith::MinimumFOp>},
      {"select-swapped", swapSelect},
      {"signed-compare", compareSigned},
      {"unsigned-compare", compareUnsigned},
      {"compare-or-equal", compareOrEqual},
      {"unsigned-extremes", confuseExtremes},
      {"round-to-zero", cutBits},
      {"integer-cast-rounds", roundInteger},
      {"unsigned-to-float", exchange<arith::SIToFPOp, arith::UIToFPOp>},
      {"division-floors", floorDivision},
      {"remainder-unsigned", exchange<arith::RemSIOp, arith::RemUIOp>},
      {"shift-logical", exchange<arith::ShRSIOp, arith::ShRUIOp>},
      {"shift-arithmetic", exchange<arith::ShRUIOp, arith::ShRSIOp>},
      {"clamp-half", halveClamp},
      {"fused-sign", fuseWrongSign},
      {"fused-unasked", fuse},
      {"division-by-reciprocal", divideByReciprocal},
      {"negated-zero", negateZero},
      {"narrow-multiply", multiplyNarrow},
  };
  return mistakes;
}

//===- Intervals.cpp - what an index reaches
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A read at quotients and remainders of positions reaches from the least to the
// largest of them, which follow from the ends of the block by a few operations
// on scalars. So it can be seen whether a store overlaps with it, and whether
// all lanes of the block find the same element: the bias of a channel.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// What an index is computed by at most.
static constexpr unsigned kDeepestIndex = 16;
// Reads that a nest takes once at most.
static constexpr size_t kMostOnce = 4;
// Numbers of 64 bits are taken for known up to these, so that neither sums nor
// products of them wrap.
static constexpr unsigned kWidestSum = 62, kWidestFactor = 31;

/// Returns true if all elements of `value` are one number.
static bool isSplat(Value value) {
  SplatElementsAttr constant;
  return value.getDefiningOp<tensor::SplatOp>() ||
         matchPattern(value, m_Constant(&constant));
}

static bool isBounded(Value index, unsigned deepest) {
  auto type = dyn_cast<RankedTensorType>(index.getType());
  if (!type || type.getRank() != 1 || !type.getElementType().isInteger() ||
      type.getElementType().isInteger(1))
    return false;
  Operation *op = index.getDefiningOp();
  if (!op || deepest == 0)
    return false;
  if (isSplat(index) || isa<sg::IotaOp>(op))
    return true;
  bool byNumber = isa<arith::MulIOp, arith::DivSIOp, arith::RemSIOp>(op);
  if (!byNumber && !isa<arith::ExtSIOp, arith::TruncIOp, arith::AddIOp,
                        arith::SubIOp, arith::MaxSIOp, arith::MinSIOp>(op))
    return false;
  if (byNumber && !isSplat(op->getOperand(1)))
    return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    return isBounded(operand, deepest - 1);
  });
}

bool vectorize::hasInterval(Value index) {
  return isBounded(index, kDeepestIndex);
}

namespace {
/// Emits the ends of an index.
struct Ends {
  OpBuilder &builder;
  Location loc;
  function_ref<Value(Value)> scalar;
  function_ref<Value(int64_t)> constant;
  Value from, last;
  /// Null where nothing has to hold.
  Value known;

  using Pair = std::pair<Value, Value>;
  template <typename Op> Value make(Value left, Value right) {
    return builder.createOrFold<Op>(loc, left, right);
  }
  void require(Value holds) {
    known = known ? make<arith::AndIOp>(known, holds) : holds;
  }
  void atLeast(Value value, Value limit) {
    require(builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sge,
                                                value, limit));
  }
  void fits(Pair ends, unsigned bits) {
    atLeast(ends.first, constant(llvm::minIntN(bits)));
    atLeast(constant(llvm::maxIntN(bits)), ends.second);
  }
  Value number(Value splat);
  Pair of(Value index);
  Pair ofOperation(Operation *op);
};
} // namespace

/// What all elements of `splat` are, as i64.
Value Ends::number(Value splat) {
  SplatElementsAttr elements;
  if (matchPattern(splat, m_Constant(&elements)))
    return constant(elements.getSplatValue<APInt>().getSExtValue());
  Value value = scalar(splat.getDefiningOp<tensor::SplatOp>().getInput());
  if (value.getType().isInteger(64))
    return value;
  return builder.createOrFold<arith::ExtSIOp>(loc, builder.getI64Type(), value);
}

Ends::Pair Ends::of(Value index) {
  if (isSplat(index)) {
    Value value = number(index);
    return {value, value};
  }
  Operation *op = index.getDefiningOp();
  if (auto iota = dyn_cast<sg::IotaOp>(op)) {
    Value start = constant(iota.getStart());
    return {make<arith::AddIOp>(from, start), make<arith::AddIOp>(last, start)};
  }
  Pair ends = ofOperation(op);
  if (!isa<arith::ExtSIOp>(op))
    fits(ends, std::min(typeOf(index).getElementTypeBitWidth(), kWidestSum));
  return ends;
}

Ends::Pair Ends::ofOperation(Operation *op) {
  Pair left = of(op->getOperand(0));
  if (isa<arith::ExtSIOp, arith::TruncIOp>(op))
    return left;
  if (isa<arith::DivSIOp, arith::RemSIOp>(op)) {
    Value one = constant(1), divisor = number(op->getOperand(1));
    atLeast(divisor, one);
    divisor = make<arith::MaxSIOp>(divisor, one);
    if (isa<arith::DivSIOp>(op))
      return {make<arith::DivSIOp>(left.first, divisor),
              make<arith::DivSIOp>(left.second, divisor)};
    // Of what is not negative.
    atLeast(left.first, constant(0));
    Value most = make<arith::SubIOp>(divisor, one);
    return {constant(0), make<arith::MinSIOp>(left.second, most)};
  }
  Pair right = of(op->getOperand(1));
  if (isa<arith::AddIOp>(op))
    return {make<arith::AddIOp>(left.first, right.first),
            make<arith::AddIOp>(left.second, right.second)};
  if (isa<arith::SubIOp>(op))
    return {make<arith::SubIOp>(left.first, right.second),
            make<arith::SubIOp>(left.second, right.first)};
  if (isa<arith::MaxSIOp>(op))
    return {make<arith::MaxSIOp>(left.first, right.first),
            make<arith::MaxSIOp>(left.second, right.second)};
  if (isa<arith::MinSIOp>(op))
    return {make<arith::MinSIOp>(left.first, right.first),
            make<arith::MinSIOp>(left.second, right.second)};
  fits(left, kWidestFactor);
  fits(right, kWidestFactor);
  Value first = make<arith::MulIOp>(left.first, right.first),
        second = make<arith::MulIOp>(left.second, right.first);
  return {make<arith::MinSIOp>(first, second),
          make<arith::MaxSIOp>(first, second)};
}

Lowering::Interval Lowering::intervalOf(Value index, Value from, Value to) {
  auto lookup = [&](Value value) { return scalar(value); };
  auto number = [&](int64_t value) { return constant(value); };
  Value last =
      builder.createOrFold<arith::SubIOp>(loc, scalar(to), constant(1));
  Ends ends{builder, loc, lookup, number, scalar(from), last, {}};
  auto [low, high] = ends.of(index);
  Value known = ends.known;
  if (!known)
    known = arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
  return {low, high, known};
}

/// The reads through an index that evaluating `readers` takes and that mostly
/// find one number in all of their block, and a bit that says that all of them
/// do. Null where there are none.
Value Lowering::readOnce(ValueRange readers,
                         SmallVectorImpl<sg::LoadOp> &loads) {
  llvm::SetVector<sg::LoadOp> found;
  for (Value reader : readers) {
    SmallVector<int64_t> identity =
        llvm::to_vector(llvm::seq<int64_t>(0, typeOf(reader).getRank()));
    forEachRead(reader, identity, [&](Value read, ArrayRef<int64_t>) {
      auto load = read.getDefiningOp<sg::LoadOp>();
      if (!load || buffers.contains(read) || views.contains(load) ||
          load.getMask() || typeOf(read).getRank() != 1)
        return;
      Value index = load.getIndexOf(0);
      if (index && isConstantIntValue(load.getStrides()[0], 0) &&
          hasInterval(index) && isMostlyUniform(index))
        found.insert(load);
    });
  }
  if (found.empty() || found.size() > kMostOnce)
    return {};
  using Relation = arith::CmpIPredicate;
  Value all;
  auto require = [&](Value holds) {
    all = all ? arith::AndIOp::create(builder, loc, all, holds).getResult()
              : holds;
  };
  for (sg::LoadOp load : found) {
    Value from = load.getLows()[0], to = load.getHighs()[0];
    Interval reach = intervalOf(load.getIndexOf(0), from, to);
    require(reach.known);
    require(arith::CmpIOp::create(builder, loc, Relation::eq, reach.low,
                                  reach.high));
    require(arith::CmpIOp::create(builder, loc, Relation::slt, scalar(from),
                                  scalar(to)));
    noteDecision(load, "memory",
                 "read once where all of the block finds one element");
  }
  loads.assign(found.begin(), found.end());
  return all;
}

//===- MaskState.cpp - what a mask holds ----------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Analysis/MaskState.h"

#include "seagrove/Dialect/Triton/IR/Dialect.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace seagrove;

static ArrayRef<int64_t> shapeOf(Value block) {
  return cast<RankedTensorType>(block.getType()).getShape();
}

Bounds seagrove::getFullBounds(MLIRContext *context, ArrayRef<int64_t> shape) {
  Bounds full;
  for (int64_t size : shape) {
    full.lows.push_back(scalar::constant(context, 0));
    full.highs.push_back(scalar::constant(context, size));
  }
  return full;
}

void seagrove::clampBounds(OpBuilder &b, Location loc, int64_t size,
                           Scalar &low, Scalar &high) {
  Scalar zero = scalar::constant(b.getContext(), 0);
  Scalar full = scalar::constant(b.getContext(), size);
  auto clamp = [&](Scalar bound) {
    return scalar::max(b, loc, scalar::min(b, loc, bound, full), zero);
  };
  low = low ? clamp(low) : zero;
  high = high ? clamp(high) : full;
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

MaskAnalysis::State MaskAnalysis::unbounded(int64_t rank) {
  State state;
  state.lows.resize(rank);
  state.highs.resize(rank);
  return state;
}

MaskAnalysis::State MaskAnalysis::residual(Value mask) {
  State state = unbounded(shapeOf(mask).size());
  state.rest.push_back(mask);
  return state;
}

const MaskAnalysis::State &MaskAnalysis::stateOf(Value mask) {
  if (auto known = states.find(mask); known != states.end())
    return *known->second;
  auto state = std::make_unique<State>(compute(mask));
  return *(states[mask] = std::move(state));
}

MaskAnalysis::State MaskAnalysis::compute(Value mask) {
  Variation &variation = blocks.getVariation();
  if (variation.isUniform(mask)) {
    State state = unbounded(shapeOf(mask).size());
    Value condition = variation.scalarOf(mask);
    if (!matchPattern(condition, m_One()))
      state.condition = condition;
    return state;
  }
  Operation *op = mask.getDefiningOp();
  if (auto compare = dyn_cast_if_present<arith::CmpIOp>(op))
    return computeCompare(compare);
  if (auto conjunction = dyn_cast_if_present<arith::AndIOp>(op))
    return computeAnd(mask, conjunction.getLhs(), conjunction.getRhs());
  // `a and b` on blocks of bits is also written as a choice or a product.
  if (auto choice = dyn_cast_if_present<arith::SelectOp>(op))
    if (isa<RankedTensorType>(choice.getCondition().getType()) &&
        matchPattern(choice.getFalseValue(), m_Zero()))
      return computeAnd(mask, choice.getCondition(), choice.getTrueValue());
  if (auto product = dyn_cast_if_present<arith::MulIOp>(op))
    return computeAnd(mask, product.getLhs(), product.getRhs());
  if (op && getReshapedSource(op))
    return computeReshaped(op);
  return residual(mask);
}

Value MaskAnalysis::both(Location loc, Value lhs, Value rhs) {
  if (!lhs || !rhs || lhs == rhs)
    return lhs ? lhs : rhs;
  return arith::AndIOp::create(blocks.getBuilder(), loc, lhs, rhs);
}

MaskAnalysis::State MaskAnalysis::computeAnd(Value mask, Value lhs, Value rhs) {
  const State &left = stateOf(lhs);
  const State &right = stateOf(rhs);
  TrackingBuilder &b = blocks.getBuilder();
  b.insertAfter(mask);
  Location loc = mask.getLoc();
  State state = left;
  for (size_t dim = 0; dim < state.lows.size(); ++dim) {
    Scalar low = right.lows[dim], high = right.highs[dim];
    if (low)
      state.lows[dim] =
          state.lows[dim] ? scalar::max(b, loc, state.lows[dim], low) : low;
    if (high)
      state.highs[dim] =
          state.highs[dim] ? scalar::min(b, loc, state.highs[dim], high) : high;
  }
  state.condition = both(loc, left.condition, right.condition);
  for (Value rest : right.rest)
    if (!llvm::is_contained(state.rest, rest))
      state.rest.push_back(rest);
  return state;
}

MaskAnalysis::State MaskAnalysis::computeReshaped(Operation *op) {
  Value mask = op->getResult(0), source = getReshapedSource(op);
  const State &state = stateOf(source);
  ArrayRef<int64_t> from = shapeOf(source), to = shapeOf(mask);
  SmallVector<int64_t> origin;
  if (isa<tt::BroadcastOp>(op)) {
    origin = llvm::to_vector(llvm::seq<int64_t>(from.size()));
  } else if (auto expand = dyn_cast<tt::ExpandDimsOp>(op)) {
    for (int64_t dim = 0; dim < static_cast<int64_t>(to.size()); ++dim)
      origin.push_back(
          dim == expand.getAxis() ? -1 : dim - (dim > expand.getAxis()));
  } else if (auto trans = dyn_cast<tt::TransOp>(op)) {
    origin = llvm::to_vector_of<int64_t>(trans.getOrder());
  } else if (auto units = matchUnitReshape(from, to)) {
    origin = *units;
  } else {
    return residual(mask);
  }

  State result = unbounded(to.size());
  result.condition = state.condition;
  for (auto [dim, old] : llvm::enumerate(origin)) {
    if (old < 0)
      continue;
    result.lows[dim] = state.lows[old];
    result.highs[dim] = state.highs[old];
  }
  bool onlyRest = !state.condition &&
                  llvm::none_of(state.lows, [](Scalar s) { return !!s; }) &&
                  llvm::none_of(state.highs, [](Scalar s) { return !!s; });
  if (onlyRest)
    return residual(mask);
  blocks.getBuilder().insertAfter(mask);
  for (Value rest : state.rest)
    result.rest.push_back(applyShapeOp(blocks.getBuilder(), op, rest));
  return result;
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

static bool isUnsigned(arith::CmpIPredicate predicate) {
  return predicate == arith::CmpIPredicate::ult ||
         predicate == arith::CmpIPredicate::ule ||
         predicate == arith::CmpIPredicate::ugt ||
         predicate == arith::CmpIPredicate::uge;
}

/// The difference of the two sides as numbers, or nothing if that would need
/// the sign of a side that is not known.
std::optional<BlockState> MaskAnalysis::differenceOf(arith::CmpIOp compare) {
  TrackingBuilder &b = blocks.getBuilder();
  Variation &variation = blocks.getVariation();
  BlockState sides[2];
  for (auto [side, operand] : llvm::enumerate(compare->getOperands())) {
    sides[side] = blocks.stateOf(operand);
    if (!isUnsigned(compare.getPredicate()) || blocks.isNonNegative(operand))
      continue;
    // A uniform unsigned number keeps its value in i64.
    if (!variation.isUniform(operand))
      return std::nullopt;
    Value number = variation.scalarOf(operand);
    if (number.getType().getIntOrFloatBitWidth() > 32)
      return std::nullopt;
    b.insertAfter(operand);
    sides[side].offset = scalar::fromInteger(b, compare.getLoc(), number,
                                             /*isUnsigned=*/true);
  }
  b.insertAfter(compare);
  return blocks.subtract(compare.getLoc(), sides[0], sides[1]);
}

MaskAnalysis::State MaskAnalysis::computeCompare(arith::CmpIOp compare) {
  Value mask = compare.getResult();
  Location loc = mask.getLoc();
  TrackingBuilder &b = blocks.getBuilder();
  std::optional<BlockState> difference = differenceOf(compare);
  if (!difference || !difference->structured || difference->hasIndex())
    return residual(mask);
  std::optional<int64_t> only;
  for (auto [dim, stride] : llvm::enumerate(difference->strides)) {
    if (scalar::isConstant(stride, 0))
      continue;
    if (only || !scalar::constantOf(stride))
      return residual(mask);
    only = dim;
  }
  if (!only)
    return residual(mask);

  // lhs - rhs = offset + stride * i; make it `offset + stride * i < 0`.
  int64_t stride = *scalar::constantOf(difference->strides[*only]);
  Scalar offset = difference->offset;
  Scalar zero = scalar::constant(b.getContext(), 0);
  Scalar one = scalar::constant(b.getContext(), 1);
  State state = unbounded(shapeOf(mask).size());
  using Predicate = arith::CmpIPredicate;
  switch (compare.getPredicate()) {
  case Predicate::slt:
  case Predicate::ult:
    break;
  case Predicate::sle:
  case Predicate::ule:
    offset = scalar::sub(b, loc, offset, one);
    break;
  case Predicate::sgt:
  case Predicate::ugt:
    offset = scalar::sub(b, loc, zero, offset);
    stride = -stride;
    break;
  case Predicate::sge:
  case Predicate::uge:
    offset = scalar::sub(b, loc, scalar::constant(b.getContext(), -1), offset);
    stride = -stride;
    break;
  case Predicate::eq:
    if (stride != 1 && stride != -1)
      return residual(mask);
    state.lows[*only] =
        stride == 1 ? scalar::sub(b, loc, zero, offset) : offset;
    state.highs[*only] = scalar::add(b, loc, state.lows[*only], one);
    return state;
  case Predicate::ne:
    return residual(mask);
  }
  if (stride > 0)
    state.highs[*only] =
        scalar::ceilDiv(b, loc, scalar::sub(b, loc, zero, offset), stride);
  else
    state.lows[*only] =
        scalar::add(b, loc, scalar::floorDiv(b, loc, offset, -stride), one);
  return state;
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

const Bounds &MaskAnalysis::boundsOf(Value mask) {
  if (auto known = bounds.find(mask); known != bounds.end())
    return *known->second;
  const State &state = stateOf(mask);
  TrackingBuilder &b = blocks.getBuilder();
  b.insertAfter(mask);
  Location loc = mask.getLoc();
  auto result = std::make_unique<Bounds>();
  result->lows = state.lows;
  result->highs = state.highs;
  for (auto [dim, size] : llvm::enumerate(shapeOf(mask)))
    clampBounds(b, loc, size, result->lows[dim], result->highs[dim]);
  if (state.condition)
    result->highs[0] = scalar::select(b, loc, state.condition, result->highs[0],
                                      scalar::constant(b.getContext(), 0));
  for (Value rest : state.rest)
    result->mask = both(loc, result->mask, rest);
  return *(bounds[mask] = std::move(result));
}

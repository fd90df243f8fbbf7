//===- BlockState.cpp - what a block of integers or pointers holds --------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Analysis/BlockState.h"

#include "seagrove/Dialect/Triton/IR/Dialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace seagrove;

static RankedTensorType blockType(Value block) {
  return cast<RankedTensorType>(block.getType());
}

bool seagrove::isPointerBlock(Type type) {
  auto block = dyn_cast<RankedTensorType>(type);
  return block && isa<tt::PointerType>(block.getElementType());
}

int64_t seagrove::getElementBytes(Type pointee) {
  if (isa<tt::PointerType>(pointee))
    return 8;
  return std::max<int64_t>(1, pointee.getIntOrFloatBitWidth() / 8);
}

const BlockState &BlockAnalysis::stateOf(Value block) {
  if (auto known = states.find(block); known != states.end())
    return *known->second;
  auto state = std::make_unique<BlockState>(compute(block));
  return *(states[block] = std::move(state));
}

BlockState BlockAnalysis::compute(Value block) {
  Type element = blockType(block).getElementType();
  if (isa<tt::PointerType>(element))
    return computePointer(block);
  if (isa<IntegerType>(element))
    return computeInteger(block);
  return BlockState::opaque();
}

//===----------------------------------------------------------------------===//
// Arithmetic on states
//===----------------------------------------------------------------------===//

BlockState BlockAnalysis::uniform(int64_t rank, Value base, Scalar offset) {
  BlockState state;
  state.structured = true;
  state.base = base;
  state.offset = offset;
  state.strides.assign(rank, scalar::constant(b.getContext(), 0));
  state.indices.resize(rank);
  return state;
}

Value BlockAnalysis::widen(Location loc, Value tensor, Type element) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getElementTypeBitWidth() >= element.getIntOrFloatBitWidth())
    return tensor;
  return arith::ExtSIOp::create(b, loc, type.clone(element), tensor);
}

BlockState::Index BlockAnalysis::addIndices(Location loc, BlockState::Index lhs,
                                            BlockState::Index rhs) {
  if (!lhs.tensor || !rhs.tensor)
    return lhs.tensor ? lhs : rhs;
  // In i64: each of the two is a value of the program, their sum need not be.
  Value left = widen(loc, lhs.tensor, b.getI64Type());
  Value right = widen(loc, rhs.tensor, b.getI64Type());
  return {arith::AddIOp::create(b, loc, left, right), false};
}

BlockState BlockAnalysis::add(Location loc, const BlockState &lhs,
                              const BlockState &rhs) {
  BlockState sum = uniform(lhs.rank(), lhs.base,
                           scalar::add(b, loc, lhs.offset, rhs.offset));
  for (int64_t dim = 0; dim < sum.rank(); ++dim) {
    sum.strides[dim] = scalar::add(b, loc, lhs.strides[dim], rhs.strides[dim]);
    sum.indices[dim] = addIndices(loc, lhs.indices[dim], rhs.indices[dim]);
    if (!scalar::isConstant(sum.strides[dim], 0))
      sum.indices[dim].wrapped = false;
  }
  return sum;
}

BlockState BlockAnalysis::subtract(Location loc, const BlockState &lhs,
                                   const BlockState &rhs) {
  if (!lhs.structured || !rhs.structured)
    return BlockState::opaque();
  BlockState result =
      uniform(lhs.rank(), {}, scalar::sub(b, loc, lhs.offset, rhs.offset));
  for (int64_t dim = 0; dim < result.rank(); ++dim) {
    result.strides[dim] =
        scalar::sub(b, loc, lhs.strides[dim], rhs.strides[dim]);
    Value left = lhs.indices[dim].tensor, right = rhs.indices[dim].tensor;
    if (right && left != right)
      return BlockState::opaque();
    if (left != right)
      result.indices[dim].tensor = left;
  }
  return result;
}

BlockState BlockAnalysis::scale(Location loc, const BlockState &state,
                                Value factor) {
  Scalar scalarFactor = scalar::fromInteger(b, loc, factor);
  if (scalar::isConstant(scalarFactor, 1))
    return state;
  BlockState result = uniform(state.rank(), state.base,
                              scalar::mul(b, loc, state.offset, scalarFactor));
  for (int64_t dim = 0; dim < result.rank(); ++dim) {
    result.strides[dim] = scalar::mul(b, loc, state.strides[dim], scalarFactor);
    Value index = state.indices[dim].tensor;
    if (!index)
      continue;
    index = widen(loc, index, factor.getType());
    auto type = cast<RankedTensorType>(index.getType());
    Value wide = factor;
    if (type.getElementType() != factor.getType())
      wide = scalar::toValue(b, loc, scalarFactor);
    Value splat = b.createOrFold<tt::SplatOp>(loc, type, wide);
    result.indices[dim].tensor = arith::MulIOp::create(b, loc, index, splat);
  }
  return result;
}

BlockState BlockAnalysis::rescalePointer(Location loc, const BlockState &state,
                                         int64_t factor) {
  Value constant =
      scalar::toValue(b, loc, scalar::constant(b.getContext(), factor));
  return scale(loc, state, constant);
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// True for remainders of consecutive numbers.
static bool isWrapped(BlockAnalysis &analysis, Operation *op, int64_t dim) {
  if (!isa_and_nonnull<arith::RemSIOp, arith::RemUIOp>(op) ||
      !analysis.getVariation().isUniform(op->getOperand(1)))
    return false;
  const BlockState &number = analysis.stateOf(op->getOperand(0));
  return number.structured && !number.hasIndex() &&
         scalar::isConstant(number.strides[dim], 1);
}

BlockState BlockAnalysis::computeIndexed(Value block, int64_t dim) {
  bool wrapped = isWrapped(*this, block.getDefiningOp(), dim);
  BlockState state = uniform(blockType(block).getRank(), {},
                             scalar::constant(b.getContext(), 0));
  state.indices[dim] = {variation.projectTo(block, dim), wrapped};
  return state;
}

/// The uniform factor of a product or a left shift, in the type of its result.
static Value matchFactor(Variation &variation, Operation *op, Value &other) {
  if (!isa<arith::MulIOp>(op))
    return {};
  for (int side : {1, 0}) {
    if (!variation.isUniform(op->getOperand(side)))
      continue;
    other = op->getOperand(1 - side);
    return variation.scalarOf(op->getOperand(side));
  }
  return {};
}

BlockState BlockAnalysis::computeInteger(Value block) {
  Operation *op = block.getDefiningOp();
  Location loc = block.getLoc();
  RankedTensorType type = blockType(block);
  if (variation.isUniform(block)) {
    Value number = variation.scalarOf(block);
    b.insertAfter(block);
    return uniform(type.getRank(), {}, scalar::fromInteger(b, loc, number));
  }
  if (auto range = dyn_cast_if_present<tt::MakeRangeOp>(op)) {
    BlockState state = uniform(
        1, {}, scalar::constant(b.getContext(), range.getStartAttr().getInt()));
    state.strides[0] = scalar::constant(b.getContext(), 1);
    return state;
  }

  BlockState result;
  // Narrow integers overflow in earnest, so that only moves of them are read.
  bool exact = type.getElementTypeBitWidth() >= 32;
  Value other;
  if (op && getReshapedSource(op)) {
    result = computeReshaped(op);
  } else if (op && exact && isa<arith::AddIOp, arith::SubIOp>(op)) {
    const BlockState &lhs = stateOf(op->getOperand(0));
    const BlockState &rhs = stateOf(op->getOperand(1));
    b.insertAfter(block);
    if (lhs.structured && rhs.structured)
      result =
          isa<arith::AddIOp>(op) ? add(loc, lhs, rhs) : subtract(loc, lhs, rhs);
  } else if (Value factor =
                 op && exact ? matchFactor(variation, op, other) : Value()) {
    const BlockState &state = stateOf(other);
    b.insertAfter(block);
    if (state.structured)
      result = scale(loc, state, factor);
  } else if (auto extend = dyn_cast_if_present<arith::ExtSIOp>(op)) {
    result = stateOf(extend.getIn());
  } else if (auto extend = dyn_cast_if_present<arith::ExtUIOp>(op)) {
    if (isNonNegative(extend.getIn()))
      result = stateOf(extend.getIn());
  }
  if (result.structured)
    return result;
  if (std::optional<int64_t> dim = variation.onlyDimOf(block))
    return computeIndexed(block, *dim);
  return BlockState::opaque();
}

bool BlockAnalysis::isNonNegative(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (auto range = dyn_cast<tt::MakeRangeOp>(op))
    return range.getStartAttr().getInt() >= 0;
  if (isa<tt::GetProgramIdOp, tt::GetNumProgramsOp, arith::ExtUIOp>(op))
    return true;
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.isNonNegative();
  auto both = [&] {
    return isNonNegative(op->getOperand(0)) && isNonNegative(op->getOperand(1));
  };
  auto either = [&] {
    return isNonNegative(op->getOperand(0)) || isNonNegative(op->getOperand(1));
  };
  if (isa<arith::AddIOp, arith::MulIOp, arith::DivSIOp, arith::MinSIOp>(op))
    return both();
  if (isa<arith::MaxSIOp, arith::AndIOp, arith::RemUIOp>(op))
    return either();
  if (isa<arith::RemSIOp, arith::DivUIOp, arith::ExtSIOp, arith::ShRSIOp,
          arith::ShRUIOp, tt::SplatOp>(op) ||
      getReshapedSource(op))
    return isNonNegative(op->getOperand(0));
  return false;
}

//===----------------------------------------------------------------------===//
// Moves of elements
//===----------------------------------------------------------------------===//

/// Splits each dimension of `state` into the group of dimensions that a
/// row-major reshape makes of it.
static BlockState splitDims(OpBuilder &b, Location loc, const BlockState &state,
                            RankedTensorType source, RankedTensorType result) {
  auto groups = getReassociationIndicesForReshape(source, result);
  if (!groups || source.getRank() > result.getRank())
    return BlockState::opaque();
  BlockState split = state;
  split.strides.assign(result.getRank(), scalar::constant(b.getContext(), 0));
  split.indices.assign(result.getRank(), {});
  for (auto [dim, group] : llvm::enumerate(*groups)) {
    if (state.indices[dim].tensor)
      return BlockState::opaque();
    int64_t step = 1;
    for (int64_t part : llvm::reverse(group)) {
      if (result.getDimSize(part) == 1)
        continue;
      split.strides[part] = scalar::mul(b, loc, state.strides[dim],
                                        scalar::constant(b.getContext(), step));
      step *= result.getDimSize(part);
    }
  }
  return split;
}

BlockState BlockAnalysis::computeReshaped(Operation *op) {
  Value source = getReshapedSource(op);
  const BlockState &state = stateOf(source);
  if (!state.structured)
    return state;
  RankedTensorType from = blockType(source);
  RankedTensorType to = blockType(op->getResult(0));
  if (isa<tt::BroadcastOp>(op))
    return state;

  SmallVector<int64_t> origin;
  if (auto expand = dyn_cast<tt::ExpandDimsOp>(op)) {
    for (int64_t dim = 0; dim < to.getRank(); ++dim)
      origin.push_back(
          dim == expand.getAxis() ? -1 : dim - (dim > expand.getAxis()));
  } else if (auto trans = dyn_cast<tt::TransOp>(op)) {
    origin = llvm::to_vector_of<int64_t>(trans.getOrder());
  } else if (auto units = matchUnitReshape(from.getShape(), to.getShape())) {
    origin = *units;
  } else {
    b.insertAfter(op->getResult(0));
    return splitDims(b, op->getLoc(), state, from, to);
  }
  BlockState result = uniform(to.getRank(), state.base, state.offset);
  for (auto [dim, old] : llvm::enumerate(origin)) {
    if (old < 0)
      continue;
    result.strides[dim] = state.strides[old];
    result.indices[dim] = state.indices[old];
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Pointers
//===----------------------------------------------------------------------===//

BlockState BlockAnalysis::computePointer(Value block) {
  Operation *op = block.getDefiningOp();
  Location loc = block.getLoc();
  int64_t rank = blockType(block).getRank();
  Scalar zero = scalar::constant(b.getContext(), 0);
  if (auto splat = dyn_cast_if_present<tt::SplatOp>(op))
    return uniform(rank, splat.getSrc(), zero);
  if (op && getReshapedSource(op))
    return computeReshaped(op);
  if (auto move = dyn_cast_if_present<tt::AddPtrOp>(op)) {
    const BlockState &pointer = stateOf(move.getPtr());
    if (!pointer.structured)
      return pointer;
    const BlockState &offset = stateOf(move.getOffset());
    if (!offset.structured)
      return offset;
    b.insertAfter(block);
    return add(loc, pointer, offset);
  }
  if (auto cast = dyn_cast_if_present<tt::BitcastOp>(op)) {
    const BlockState &pointer = stateOf(cast.getSrc());
    auto from =
        mlir::cast<tt::PointerType>(blockType(cast.getSrc()).getElementType());
    auto to = mlir::cast<tt::PointerType>(blockType(block).getElementType());
    int64_t oldBytes = getElementBytes(from.getPointeeType());
    int64_t newBytes = getElementBytes(to.getPointeeType());
    if (!pointer.structured || oldBytes % newBytes != 0)
      return BlockState::opaque();
    b.insertAfter(block);
    BlockState result = rescalePointer(loc, pointer, oldBytes / newBytes);
    result.base = tt::BitcastOp::create(b, loc, to, pointer.base);
    return result;
  }
  if (variation.isUniform(block))
    return uniform(rank, variation.scalarOf(block), zero);
  return BlockState::opaque();
}

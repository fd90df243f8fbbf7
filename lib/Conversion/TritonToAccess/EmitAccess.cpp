//===- EmitAccess.cpp - writes structured accesses ------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmitAccess.h"

using namespace mlir;
using namespace seagrove;

namespace {

/// The operands that loads and stores have in common, as values.
struct Operands {
  Value offset;
  SmallVector<Value> strides, lows, highs, indices;
  SmallVector<int64_t> indexedDims, wrappedDims;
};

} // namespace

static Value widen(OpBuilder &b, Location loc, Value block) {
  auto type = cast<RankedTensorType>(block.getType());
  if (type.getElementTypeBitWidth() == 64)
    return block;
  return arith::ExtSIOp::create(b, loc, type.clone(b.getI64Type()), block);
}

/// `stride * i` for i = 0 ... size - 1, in i64.
static Value emitSteps(OpBuilder &b, Location loc, Scalar stride,
                       int64_t size) {
  auto narrow = RankedTensorType::get({size}, b.getI32Type());
  Value range = tt::MakeRangeOp::create(b, loc, narrow, 0, size);
  Value wide = widen(b, loc, range);
  if (scalar::isConstant(stride, 1))
    return wide;
  Value factor = tt::SplatOp::create(b, loc, wide.getType(),
                                     scalar::toValue(b, loc, stride));
  return arith::MulIOp::create(b, loc, wide, factor);
}

/// The index of a dimension with its stride, if any, added.
static Value emitIndex(OpBuilder &b, Location loc,
                       const StructuredAccess &access, int64_t dim) {
  Value index = access.indices[dim].tensor;
  if (scalar::isConstant(access.strides[dim], 0))
    return index;
  int64_t size = cast<RankedTensorType>(index.getType()).getDimSize(0);
  return arith::AddIOp::create(b, loc, widen(b, loc, index),
                               emitSteps(b, loc, access.strides[dim], size));
}

static Operands emitOperands(OpBuilder &b, Location loc,
                             const StructuredAccess &access) {
  Operands operands;
  operands.offset = scalar::toValue(b, loc, access.offset);
  operands.lows = scalar::toValues(b, loc, access.bounds.lows);
  operands.highs = scalar::toValues(b, loc, access.bounds.highs);
  for (int64_t dim = 0, rank = access.strides.size(); dim < rank; ++dim) {
    if (!access.indices[dim].tensor) {
      operands.strides.push_back(scalar::toValue(b, loc, access.strides[dim]));
      continue;
    }
    operands.strides.push_back(
        scalar::toValue(b, loc, scalar::constant(b.getContext(), 0)));
    operands.indices.push_back(emitIndex(b, loc, access, dim));
    operands.indexedDims.push_back(dim);
    if (access.indices[dim].wrapped)
      operands.wrappedDims.push_back(dim);
  }
  return operands;
}

Value seagrove::emitLoad(OpBuilder &b, Location loc,
                         const StructuredAccess &access, RankedTensorType type,
                         Value other, bool isVolatile) {
  Operands operands = emitOperands(b, loc, access);
  return sg::LoadOp::create(b, loc, type, access.base, operands.offset,
                            operands.strides, operands.lows, operands.highs,
                            operands.indices, access.bounds.mask, other,
                            b.getDenseI64ArrayAttr(operands.indexedDims),
                            b.getDenseI64ArrayAttr(operands.wrappedDims),
                            isVolatile ? b.getUnitAttr() : UnitAttr());
}

void seagrove::emitStore(OpBuilder &b, Location loc,
                         const StructuredAccess &access, Value value) {
  Operands operands = emitOperands(b, loc, access);
  sg::StoreOp::create(b, loc, value, access.base, operands.offset,
                      operands.strides, operands.lows, operands.highs,
                      operands.indices, access.bounds.mask,
                      b.getDenseI64ArrayAttr(operands.indexedDims),
                      b.getDenseI64ArrayAttr(operands.wrappedDims));
}

Value seagrove::spread(OpBuilder &b, Location loc, Value block, int64_t dim,
                       ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(block.getType());
  for (int64_t axis = 0, rank = shape.size(); axis < rank; ++axis) {
    if (axis == dim)
      continue;
    SmallVector<int64_t> expanded(type.getShape());
    expanded.insert(expanded.begin() + axis, 1);
    type = type.clone(expanded);
    block = tt::ExpandDimsOp::create(b, loc, type, block, axis);
  }
  if (type.getShape() == shape)
    return block;
  return tt::BroadcastOp::create(b, loc, type.clone(shape), block);
}

Value seagrove::emitOffsets(OpBuilder &b, Location loc,
                            const StructuredAccess &access,
                            ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, b.getI64Type());
  Value sum =
      tt::SplatOp::create(b, loc, type, scalar::toValue(b, loc, access.offset));
  for (auto [dim, size] : llvm::enumerate(shape)) {
    Value steps;
    if (access.indices[dim].tensor)
      steps = widen(b, loc, emitIndex(b, loc, access, dim));
    else if (!scalar::isConstant(access.strides[dim], 0))
      steps = emitSteps(b, loc, access.strides[dim], size);
    if (steps)
      sum =
          arith::AddIOp::create(b, loc, sum, spread(b, loc, steps, dim, shape));
  }
  return sum;
}

Value seagrove::emitMask(OpBuilder &b, Location loc, const Bounds &bounds,
                         ArrayRef<int64_t> shape) {
  Value mask = bounds.mask;
  auto conjoin = [&](Value bits) {
    mask = mask ? arith::AndIOp::create(b, loc, mask, bits).getResult() : bits;
  };
  for (auto [dim, size] : llvm::enumerate(shape)) {
    Scalar one = scalar::constant(b.getContext(), 1);
    Value lanes;
    auto compare = [&](arith::CmpIPredicate predicate, Scalar bound) {
      if (!lanes)
        lanes = emitSteps(b, loc, one, size);
      Value limit = tt::SplatOp::create(b, loc, lanes.getType(),
                                        scalar::toValue(b, loc, bound));
      Value bits = arith::CmpIOp::create(b, loc, predicate, lanes, limit);
      conjoin(spread(b, loc, bits, dim, shape));
    };
    if (!scalar::isConstant(bounds.lows[dim], 0))
      compare(arith::CmpIPredicate::sge, bounds.lows[dim]);
    if (!scalar::isConstant(bounds.highs[dim], size))
      compare(arith::CmpIPredicate::slt, bounds.highs[dim]);
  }
  return mask;
}

StringRef seagrove::getOrderingName(tt::MemSemantic semantic) {
  switch (semantic) {
  case tt::MemSemantic::Relaxed:
    return "relaxed";
  case tt::MemSemantic::Acquire:
    return "acquire";
  case tt::MemSemantic::Release:
    return "release";
  case tt::MemSemantic::AcquireRelease:
    return "acq_rel";
  }
  llvm_unreachable("all orderings are covered");
}

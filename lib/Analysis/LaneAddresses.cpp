//===- LaneAddresses.cpp - an address of its own for each lane ------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Analysis/LaneAddresses.h"

#include "seagrove/Dialect/Triton/IR/Dialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace seagrove;

static RankedTensorType blockType(Value block) {
  return cast<RankedTensorType>(block.getType());
}

static tt::PointerType pointerOf(RankedTensorType pointers) {
  return cast<tt::PointerType>(pointers.getElementType());
}

static Value extend(OpBuilder &b, Location loc, Value block, unsigned width) {
  RankedTensorType type = blockType(block);
  if (type.getElementTypeBitWidth() >= width)
    return block;
  return arith::ExtSIOp::create(b, loc, type.clone(b.getIntegerType(width)),
                                block);
}

static Value splatConstant(OpBuilder &b, Location loc, RankedTensorType shape,
                           unsigned width, int64_t value) {
  auto type = shape.clone(b.getIntegerType(width));
  return arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(type,
                             b.getIntegerAttr(type.getElementType(), value)));
}

FailureOr<LaneAddresses> AddressAnalysis::lanesOf(Value pointers) {
  if (auto found = known.find(pointers); found != known.end())
    return found->second;
  FailureOr<LaneAddresses> lanes = compute(pointers);
  if (succeeded(lanes))
    known[pointers] = *lanes;
  return lanes;
}

/// `lanes + offset` behind the definition of `result`.
LaneAddresses AddressAnalysis::move(Value result, const LaneAddresses &lanes,
                                    Value offset) {
  TrackingBuilder &b = blocks.getBuilder();
  Variation &variation = blocks.getVariation();
  Location loc = result.getLoc();
  LaneAddresses moved = lanes;
  if (!lanes.inBytes && variation.isUniform(offset)) {
    Value distance = variation.scalarOf(offset);
    b.insertAfter(result);
    moved.base = b.createOrFold<tt::AddPtrOp>(loc, lanes.base.getType(),
                                              lanes.base, distance);
    return moved;
  }
  b.insertAfter(result);
  if (!lanes.offsets && !lanes.inBytes) {
    moved.offsets = extend(b, loc, offset, 32);
    return moved;
  }
  Value wide = extend(b, loc, offset, 64);
  if (lanes.inBytes) {
    RankedTensorType type = blockType(result);
    int64_t bytes = getElementBytes(pointerOf(type).getPointeeType());
    wide = arith::MulIOp::create(b, loc, wide,
                                 splatConstant(b, loc, type, 64, bytes));
  }
  moved.offsets =
      arith::AddIOp::create(b, loc, extend(b, loc, lanes.offsets, 64), wide);
  return moved;
}

/// The addresses of `lanes` as numbers.
Value AddressAnalysis::toBytes(Location loc, const LaneAddresses &lanes,
                               RankedTensorType pointers) {
  TrackingBuilder &b = blocks.getBuilder();
  if (lanes.inBytes)
    return lanes.offsets;
  auto type = pointers.clone(b.getI64Type());
  Value address = tt::PtrToIntOp::create(b, loc, b.getI64Type(), lanes.base);
  Value result = tt::SplatOp::create(b, loc, type, address);
  if (!lanes.offsets)
    return result;
  int64_t bytes = getElementBytes(pointerOf(pointers).getPointeeType());
  Value offsets = extend(b, loc, lanes.offsets, 64);
  if (bytes != 1)
    offsets = arith::MulIOp::create(b, loc, offsets,
                                    splatConstant(b, loc, type, 64, bytes));
  return arith::AddIOp::create(b, loc, result, offsets);
}

FailureOr<LaneAddresses> AddressAnalysis::compute(Value pointers) {
  TrackingBuilder &b = blocks.getBuilder();
  Variation &variation = blocks.getVariation();
  Operation *op = pointers.getDefiningOp();
  Location loc = pointers.getLoc();
  if (auto splat = dyn_cast_if_present<tt::SplatOp>(op))
    return LaneAddresses{splat.getSrc(), {}, false};
  if (auto move = dyn_cast_if_present<tt::AddPtrOp>(op)) {
    FailureOr<LaneAddresses> lanes = lanesOf(move.getPtr());
    if (failed(lanes))
      return failure();
    return this->move(pointers, *lanes, move.getOffset());
  }
  if (variation.isUniform(pointers))
    return LaneAddresses{variation.scalarOf(pointers), {}, false};
  if (Value source = getReshapedSource(op)) {
    FailureOr<LaneAddresses> lanes = lanesOf(source);
    if (failed(lanes))
      return failure();
    b.insertAfter(pointers);
    if (lanes->offsets)
      lanes->offsets = applyShapeOp(b, op, lanes->offsets);
    return lanes;
  }
  auto nullPointer = [&]() -> Value {
    Value zero = scalar::toValue(b, loc, scalar::constant(b.getContext(), 0));
    return tt::IntToPtrOp::create(b, loc, pointerOf(blockType(pointers)), zero);
  };
  if (auto fromInteger = dyn_cast_if_present<tt::IntToPtrOp>(op)) {
    b.insertAfter(pointers);
    return LaneAddresses{nullPointer(), fromInteger.getSrc(), true};
  }
  if (auto cast = dyn_cast_if_present<tt::BitcastOp>(op)) {
    FailureOr<LaneAddresses> lanes = lanesOf(cast.getSrc());
    if (failed(lanes))
      return failure();
    b.insertAfter(pointers);
    tt::PointerType to = pointerOf(blockType(pointers));
    tt::PointerType from = pointerOf(blockType(cast.getSrc()));
    if (!lanes->inBytes && getElementBytes(to.getPointeeType()) ==
                               getElementBytes(from.getPointeeType())) {
      lanes->base = tt::BitcastOp::create(b, loc, to, lanes->base);
      return lanes;
    }
    Value bytes = toBytes(loc, *lanes, blockType(cast.getSrc()));
    return LaneAddresses{nullPointer(), bytes, true};
  }
  return failure();
}

FailureOr<LaneAddresses> AddressAnalysis::fullLanesOf(Value pointers) {
  FailureOr<LaneAddresses> lanes = lanesOf(pointers);
  if (succeeded(lanes) && !lanes->offsets) {
    TrackingBuilder &b = blocks.getBuilder();
    b.insertAfter(pointers);
    lanes->offsets =
        splatConstant(b, pointers.getLoc(), blockType(pointers), 32, 0);
  }
  return lanes;
}

FailureOr<Value> AddressAnalysis::addressesOf(Value pointers) {
  FailureOr<LaneAddresses> lanes = lanesOf(pointers);
  if (failed(lanes))
    return failure();
  blocks.getBuilder().insertAfter(pointers);
  return toBytes(pointers.getLoc(), *lanes, blockType(pointers));
}

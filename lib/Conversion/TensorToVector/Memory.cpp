//===- Memory.cpp - the program's scratch area
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "Strided.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

Type vectorize::memoryType(Type type) {
  if (type.isInteger(1))
    return IntegerType::get(type.getContext(), 8);
  if (isa<FloatType>(type) && type.getIntOrFloatBitWidth() <= 16)
    return IntegerType::get(type.getContext(), type.getIntOrFloatBitWidth());
  return type;
}

static int64_t bytesOf(Type type) {
  return (type.getIntOrFloatBitWidth() + 7) / 8;
}

Buffer Lowering::allocateBytes(int64_t elements, Type elementType,
                               Lifetime lifetime) {
  Buffer buffer;
  buffer.elementType = elementType;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&program.front());
  // The offset follows when all uses are known (Placement.h).
  auto pointer = LLVM::GEPOp::create(
      builder, loc, scratch.getType(), builder.getI8Type(), scratch,
      ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(0)}, LLVM::GEPNoWrapFlags::inbounds);
  allocations.push_back(
      {pointer, elements * bytesOf(memoryType(elementType)), lifetime});
  buffer.pointer = pointer;
  return buffer;
}

Buffer Lowering::allocate(RankedTensorType type) {
  Buffer buffer = allocateBytes(type.getNumElements(), type.getElementType());
  buffer.strides.assign(type.getRank(), 1);
  for (int64_t dim = type.getRank() - 2; dim >= 0; --dim)
    buffer.strides[dim] = buffer.strides[dim + 1] * type.getDimSize(dim + 1);
  return buffer;
}

Value Lowering::address(Value pointer, Type elementType, Value offset) {
  return LLVM::GEPOp::create(builder, loc, pointer.getType(),
                             memoryType(elementType), pointer,
                             ArrayRef<LLVM::GEPArg>{offset});
}

/// `type` with the shape of `value`.
static Type shapedLike(Value value, Type type) {
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    return vector.clone(type);
  return type;
}

Value Lowering::toMemory(Value value) {
  Type element = getElementTypeOrSelf(value.getType()),
       stored = memoryType(element);
  if (element == stored)
    return value;
  if (element.isInteger(1))
    return arith::ExtUIOp::create(builder, loc, shapedLike(value, stored),
                                  value);
  return arith::BitcastOp::create(builder, loc, shapedLike(value, stored),
                                  value);
}

Value Lowering::fromMemory(Value value, Type elementType) {
  if (getElementTypeOrSelf(value.getType()) == elementType)
    return value;
  if (elementType.isInteger(1))
    return arith::TruncIOp::create(builder, loc, shapedLike(value, elementType),
                                   value);
  return arith::BitcastOp::create(builder, loc, shapedLike(value, elementType),
                                  value);
}

/// The address of the first lane of a tile of a buffer.
Value Lowering::bufferAddress(const Buffer &buffer, const Tile &tile) {
  Value offset = constant(0);
  int64_t fixed = 0;
  for (auto [coordinate, stride] :
       llvm::zip(tile.coordinates, buffer.strides)) {
    Value start = coordinate.start;
    // What neighbours differ by becomes part of the instruction.
    APInt distance;
    if (auto sum = start.getDefiningOp<arith::AddIOp>();
        sum && matchPattern(sum.getRhs(), m_ConstantInt(&distance))) {
      start = sum.getLhs();
      fixed += distance.getSExtValue() * stride;
    }
    if (isConstantIntValue(start, 0))
      continue;
    Value part =
        builder.createOrFold<arith::MulIOp>(loc, start, constant(stride));
    offset = builder.createOrFold<arith::AddIOp>(loc, offset, part);
  }
  offset = builder.createOrFold<arith::AddIOp>(loc, offset, constant(fixed));
  return address(buffer.pointer, buffer.elementType, offset);
}

Lanes Lowering::readBuffer(const Buffer &buffer, const Tile &tile) {
  DepthScope scope(*this, depthOf(tile));
  Value pointer = bufferAddress(buffer, tile);
  Type stored = memoryType(buffer.elementType);
  unsigned alignment = bytesOf(stored);
  if (tile.vectorDim < 0)
    return {fromMemory(
                LLVM::LoadOp::create(builder, loc, stored, pointer, alignment),
                buffer.elementType),
            true};
  int64_t stride = buffer.strides[tile.vectorDim];
  auto type = vectorType(tile.width, stored);
  if (stride == 1)
    return {
        fromMemory(LLVM::LoadOp::create(builder, loc, type, pointer, alignment),
                   buffer.elementType),
        false};
  if (stride == 2 && !tile.width.scalable && tile.width.lanes > 1)
    return {fromMemory(readEverySecond(builder, loc, pointer, type, alignment),
                       buffer.elementType),
            false};
  Value index = arith::MulIOp::create(builder, loc,
                                      step(builder.getI64Type(), tile.width),
                                      vectorOf(constant(stride), tile));
  auto pointers = vectorType(tile.width, pointer.getType());
  Value lanes = LLVM::GEPOp::create(builder, loc, pointers, stored, pointer,
                                    ArrayRef<LLVM::GEPArg>{index});
  return {fromMemory(gatherLanes(lanes, stored, tile, {}, {}).value,
                     buffer.elementType),
          false};
}

void Lowering::writeBuffer(const Buffer &buffer, const Tile &tile,
                           Value value) {
  DepthScope scope(*this, depthOf(tile));
  Value pointer = bufferAddress(buffer, tile);
  value = toMemory(value);
  Type stored = memoryType(buffer.elementType);
  if (tile.vectorDim < 0 || buffer.strides[tile.vectorDim] == 1) {
    LLVM::StoreOp::create(builder, loc, value, pointer, bytesOf(stored));
    return;
  }
  Value index = arith::MulIOp::create(
      builder, loc, step(builder.getI64Type(), tile.width),
      vectorOf(constant(buffer.strides[tile.vectorDim]), tile));
  auto pointers = vectorType(tile.width, pointer.getType());
  Value lanes = LLVM::GEPOp::create(builder, loc, pointers, stored, pointer,
                                    ArrayRef<LLVM::GEPArg>{index});
  LLVM::masked_scatter::create(builder, loc, value, lanes, wholeMask({}, tile),
                               bytesOf(stored));
}

/// source[.., index, ..] for each lane. An index out of the source's bounds is
/// undefined in Triton; it is clamped here so that no lane reads beyond.
Lanes Lowering::takeLanes(const Buffer &source, int64_t axis, int64_t size,
                          Lanes index, const Tile &tile) {
  Tile origin = tile;
  origin.coordinates[axis] = {constant(0), 0, -1};
  Type i64 = builder.getI64Type();
  Type stored = memoryType(source.elementType);
  auto widen = [&](Value value) -> Value {
    if (getElementTypeOrSelf(value.getType()) == i64)
      return value;
    Type wide = i64;
    if (auto vector = dyn_cast<VectorType>(value.getType()))
      wide = vector.clone(i64);
    return arith::ExtSIOp::create(builder, loc, wide, value);
  };
  Value pointer = bufferAddress(source, origin);
  Value position = widen(
      index.uniform && tile.vectorDim < 0 ? index.value : spread(index, tile));
  auto like = [&](int64_t value) { return vectorOf(constant(value), tile); };
  position = arith::MaxSIOp::create(builder, loc, position, like(0));
  position = arith::MinSIOp::create(builder, loc, position, like(size - 1));
  position =
      arith::MulIOp::create(builder, loc, position, like(source.strides[axis]));
  if (tile.vectorDim < 0) {
    Value from = address(pointer, source.elementType, position);
    Value loaded =
        LLVM::LoadOp::create(builder, loc, stored, from, bytesOf(stored));
    return {fromMemory(loaded, source.elementType), true};
  }
  if (tile.vectorDim != axis) {
    Value lane = arith::MulIOp::create(builder, loc, step(i64, tile.width),
                                       like(source.strides[tile.vectorDim]));
    position = arith::AddIOp::create(builder, loc, position, lane);
  }
  auto pointers = vectorType(tile.width, pointer.getType());
  Value lanes = LLVM::GEPOp::create(builder, loc, pointers, stored, pointer,
                                    ArrayRef<LLVM::GEPArg>{position});
  return {fromMemory(gatherLanes(lanes, stored, tile, {}, {}).value,
                     source.elementType),
          false};
}

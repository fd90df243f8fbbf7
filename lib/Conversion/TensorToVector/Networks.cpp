//===- Networks.cpp - steps of sorting networks in registers --------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A butterfly exchanges elements at a distance that is a power of two. A group
// of as many neighbouring vectors as the largest distance spans is closed under
// it: where a whole group is evaluated at once, the partner of a vector is
// another vector of the group, and any number of steps is taken between one
// read and one write of memory. Which way a step sorts is a bit of an element's
// position, and within a group most of these bits are constants.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Vectors of a group where the butterflies span fewer.
static constexpr int64_t kGroup = 8;

/// The length of the aligned run of elements that each element of `value` is
/// computed from, by butterflies of values that are not in memory.
int64_t Lowering::spanOf(Value value, DenseSet<Value> &seen) {
  Operation *op = value.getDefiningOp();
  if (!op || !isBlock(value) || buffers.contains(value) ||
      !seen.insert(value).second)
    return 1;
  int64_t span = 1;
  if (auto butterfly = dyn_cast<sg::ButterflyOp>(op);
      butterfly && !buffers.contains(butterfly.getSource()))
    span = llvm::NextPowerOf2(butterfly.getMask());
  for (Value operand : op->getOperands())
    span = std::max(span, spanOf(operand, seen));
  return span;
}

/// Writes `value`, whose butterflies span `span` elements, group by group.
void Lowering::materializeGroups(Value value, const Buffer &buffer,
                                 int64_t span) {
  ArrayRef<int64_t> shape = typeOf(value).getShape();
  Tile tile = originOf(1);
  tile.vectorDim = 0;
  tile.width = chooseWidth(buffer.elementType, shape[0], value);
  int64_t lanes = tile.width.lanes;
  int64_t count = std::min(std::max(span / lanes, kGroup), shape[0] / lanes);
  openNest();
  knownBounds.assign(1, {});
  Value end = interiorEnd(value, shape, 0, {});
  auto groups = [&](Value from, Value to, bool interior) {
    Value start = openLoop(from, to, count * lanes);
    for (int64_t vector = 0; vector < count; ++vector)
      group.push_back(builder.createOrFold<arith::AddIOp>(
          loc, start, constant(vector * lanes)));
    SmallVector<Value> vectors;
    tile.interior = interior;
    for (Value position : group) {
      tile.coordinates.front() = {position, depth(), 0};
      vectors.push_back(evaluateAll(value, tile).front());
      builder.restoreInsertionPoint(points.back());
    }
    for (auto [position, vector] : llvm::zip(group, vectors)) {
      tile.coordinates.front() = {position, depth(), 0};
      writeBuffer(buffer, tile, vector);
    }
    group.clear();
    closeLoop();
  };
  Value size = constant(shape[0]);
  Value whole = end ? roundDown(end, tile.width, count) : size;
  groups(constant(0), whole, true);
  if (end)
    groups(whole, size, false);
  closeNest();
}

/// The number of a tile in the group that is evaluated, or none.
std::optional<int64_t> Lowering::numberInGroup(const Tile &tile) const {
  if (tile.coordinates.size() != 1)
    return {};
  auto found = llvm::find(group, tile.coordinates.front().start);
  if (found == group.end())
    return {};
  return found - group.begin();
}

/// The lanes of a tile start at a multiple of their number, so that the bits of
/// the mask below it change lanes and those above it the start.
Lanes Lowering::evaluateButterfly(sg::ButterflyOp op, const Tile &tile) {
  int64_t mask = op.getMask(), lanes = tile.width.lanes;
  int64_t low = mask & (lanes - 1), high = mask - low;
  Tile source = tile;
  std::optional<int64_t> number = numberInGroup(tile);
  if (high && number && high / lanes < static_cast<int64_t>(group.size())) {
    source.coordinates.front().start = group[*number ^ (high / lanes)];
  } else if (high) {
    DepthScope scope(*this, depthOf(tile));
    Coordinate &coordinate = source.coordinates.front();
    coordinate.start =
        arith::XOrIOp::create(builder, loc, coordinate.start, constant(high));
    coordinate.nestDim = -1;
    source.interior = source.passesComparisons = false;
  }
  Lanes value = evaluate(op.getSource(), source);
  if (!low || value.uniform)
    return value;
  DepthScope scope(*this, depthOf(tile));
  SmallVector<int64_t> order;
  for (int64_t lane = 0; lane < lanes; ++lane)
    order.push_back(lane ^ low);
  return {
      vector::ShuffleOp::create(builder, loc, value.value, value.value, order),
      false};
}

/// `value` as a number that all elements of a block share.
static std::optional<int64_t> splatOf(Value value) {
  SplatElementsAttr splat;
  if (!matchPattern(value, m_Constant(&splat)) ||
      !isa<IntegerType>(splat.getElementType()))
    return {};
  return splat.getSplatValue<APInt>().getSExtValue();
}

/// One bit of the position of each lane, where `op` computes that: lanes start
/// at a multiple of their number, so that it is a constant of the lanes or the
/// same for all of them.
std::optional<Lanes> Lowering::evaluatePositionBit(Operation *op,
                                                   const Tile &tile) {
  auto masked = dyn_cast<arith::AndIOp>(op);
  if (!masked || tile.vectorDim != 0 || tile.width.scalable ||
      splatOf(masked.getRhs()) != 1)
    return {};
  Value position = masked.getLhs();
  int64_t bit = 0;
  if (auto shifted = position.getDefiningOp<arith::ShRUIOp>()) {
    bit = splatOf(shifted.getRhs()).value_or(-1);
    position = shifted.getLhs();
  }
  auto iota = position.getDefiningOp<sg::IotaOp>();
  Type element = typeOf(op->getResult(0)).getElementType();
  if (!iota || iota.getStart() != 0 || bit < 0 ||
      bit >= element.getIntOrFloatBitWidth())
    return {};
  DepthScope scope(*this, depthOf(tile));
  int64_t lanes = tile.width.lanes, place = int64_t(1) << bit;
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getIntegerAttr(element, value));
  };
  if (place < lanes) {
    SmallVector<Attribute> bits;
    for (int64_t lane = 0; lane < lanes; ++lane)
      bits.push_back(builder.getIntegerAttr(element, lane >> bit & 1));
    auto type = vectorType(tile.width, element);
    return Lanes{arith::ConstantOp::create(builder, loc,
                                           DenseElementsAttr::get(type, bits)),
                 false};
  }
  std::optional<int64_t> inGroup = numberInGroup(tile);
  if (inGroup && place < lanes * static_cast<int64_t>(group.size()))
    return Lanes{number(*inGroup * lanes >> bit & 1), true};
  Value start = inGroup ? group.front() : tile.coordinates.front().start;
  Value shifted = arith::ShRUIOp::create(builder, loc, start, constant(bit));
  if (element.getIntOrFloatBitWidth() < 64)
    shifted = arith::TruncIOp::create(builder, loc, element, shifted);
  return Lanes{arith::AndIOp::create(builder, loc, shifted, number(1)), true};
}

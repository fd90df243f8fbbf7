//===- Transposes.cpp - reads that cross the vectors of a nest
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The vectors of a nest run along one dimension, that in which the result is
// contiguous. A read that is contiguous along another one (an operand that is
// transposed) would be gathered, element by element and each from another cache
// line. Instead, neighbouring tiles are evaluated as a group: the read fetches
// short rows along its own dimension, one for each lane, and transposes them in
// registers, which gives one vector for each tile of the group. Other reads of
// the same nest go on as they are. See docs/register-transposes.md.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Shuffles exchange elements within units of this many bits.
static constexpr int64_t kShuffledBits = 128;
// Vector operations of a group at most, without the transposition itself.
static constexpr int64_t kGroupCost = 96;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Elements of a row that are transposed at once into vectors of `lanes`.
static int64_t rowLength(Type element, int64_t lanes) {
  return std::min<int64_t>(
      kShuffledBits / memoryType(element).getIntOrFloatBitWidth(), lanes);
}

//===----------------------------------------------------------------------===//
// Which reads
//===----------------------------------------------------------------------===//

/// Returns true if consecutive elements of `read` along `dim` lie side by side,
/// unless an index wraps.
bool Lowering::isContiguous(Value read, int64_t dim) {
  if (auto found = buffers.find(read); found != buffers.end())
    return found->second.strides[dim] == 1;
  auto load = cast<sg::LoadOp>(read.getDefiningOp());
  if (auto view = views.find(load); view != views.end())
    return isConstantIntValue(view->second.strides[dim], 1);
  if (load.getIndexOf(dim))
    return load.isWrapped(dim) && isConstantIntValue(load.getStrides()[dim], 0);
  return isConstantIntValue(load.getStrides()[dim], 1);
}

/// Returns true if `read`, a load or a value in the scratch area, is contiguous
/// along `otherDim`, and its elements along `vectorDim` are not side by side.
bool Lowering::isCrossed(Value read, int64_t vectorDim, int64_t otherDim) {
  bool sameForAll = false;
  if (auto found = buffers.find(read); found != buffers.end()) {
    sameForAll = found->second.strides[vectorDim] == 0;
  } else {
    auto load = read.getDefiningOp<sg::LoadOp>();
    if (!load || load.getIsVolatile())
      return false;
    auto view = views.find(load);
    Value stride = view != views.end() ? view->second.strides[vectorDim]
                                       : load.getStrides()[vectorDim];
    sameForAll = isConstantIntValue(stride, 0) &&
                 (view != views.end() || !load.getIndexOf(vectorDim));
  }
  return !sameForAll && !isContiguous(read, vectorDim) &&
         isContiguous(read, otherDim);
}

/// The dimension among `outerDims` along which some read of `readers` is to be
/// transposed; none where that does not pay.
Crossing Lowering::findCrossing(ValueRange readers, ArrayRef<int64_t> shape,
                                ArrayRef<int64_t> outerDims, int64_t vectorDim,
                                Width width) {
  Crossing crossing;
  int64_t cost = 0;
  if (vectorDim < 0 || width.scalable || width.lanes < 2)
    return crossing;
  auto visit = [&](Value read, ArrayRef<int64_t> dims) {
    auto along = llvm::find(dims, vectorDim);
    if (along == dims.end())
      return;
    int64_t length =
        rowLength(lowered(typeOf(read).getElementType()), width.lanes);
    for (auto [position, dim] : llvm::enumerate(dims)) {
      if (!llvm::is_contained(outerDims, dim) || length < 2 ||
          shape[dim] < length || (crossing.dim >= 0 && crossing.dim != dim) ||
          !isCrossed(read, along - dims.begin(), position))
        continue;
      crossing.dim = dim;
      crossing.tiles = std::max(crossing.tiles, length);
      auto load = read.getDefiningOp<sg::LoadOp>();
      if (load && !buffers.contains(read) && !views.contains(load))
        if (Value index = load.getIndexOf(position))
          crossing.indices.push_back(index);
    }
  };
  SmallVector<int64_t> identity =
      llvm::to_vector(llvm::seq<int64_t>(0, shape.size()));
  for (Value reader : readers) {
    forEachRead(reader, identity, visit);
    cost += plan.costOf(reader);
  }
  return cost * crossing.tiles > kGroupCost ? Crossing() : crossing;
}

/// A condition for the indices of transposed reads to be consecutive.
Value Lowering::doNotWrap(const Crossing &crossing) {
  Value holds =
      arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
  for (Value index : crossing.indices) {
    int64_t last = typeOf(index).getDimSize(0) - 1;
    SmallVector<Value> ends;
    for (int64_t position : {int64_t(0), last}) {
      Tile element;
      element.coordinates = {{constant(position), depth(), -1}};
      ends.push_back(asI64(evaluate(index, element).value));
    }
    builder.restoreInsertionPoint(points.back());
    Value distance = arith::SubIOp::create(builder, loc, ends[1], ends[0]);
    Value same = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                       distance, constant(last));
    holds = builder.createOrFold<arith::AndIOp>(loc, holds, same);
  }
  return holds;
}

//===----------------------------------------------------------------------===//
// The transposition
//===----------------------------------------------------------------------===//

static Value concatenated(OpBuilder &builder, Location loc,
                          ArrayRef<Value> parts) {
  if (parts.size() == 1)
    return parts.front();
  size_t half = parts.size() / 2;
  Value low = concatenated(builder, loc, parts.take_front(half)),
        high = concatenated(builder, loc, parts.drop_front(half));
  int64_t size = cast<VectorType>(low.getType()).getNumElements();
  return vector::ShuffleOp::create(
      builder, loc, low, high, llvm::to_vector(llvm::seq<int64_t>(2 * size)));
}

/// The halves of two vectors in turn, in each unit of `length` elements: the
/// first half, or the second.
static Value unpacked(OpBuilder &builder, Location loc, Value left, Value right,
                      int64_t length, bool second) {
  int64_t size = cast<VectorType>(left.getType()).getNumElements();
  SmallVector<int64_t> order;
  for (int64_t unit = 0; unit < size; unit += length)
    for (int64_t element = 0; element < length / 2; ++element) {
      int64_t from = unit + element + (second ? length / 2 : 0);
      order.append({from, size + from});
    }
  return vector::ShuffleOp::create(builder, loc, left, right, order);
}

/// Transposes rows of equal length: their number and the length are powers of
/// two, and the length is not the greater. Rows whose numbers differ by a
/// multiple of the length share a register, one in each unit of it, so that no
/// shuffle crosses units.
static SmallVector<Value> transposed(OpBuilder &builder, Location loc,
                                     ArrayRef<Value> rows) {
  int64_t length = cast<VectorType>(rows.front().getType()).getNumElements();
  SmallVector<Value> values;
  for (int64_t row = 0; row < length; ++row) {
    SmallVector<Value> units;
    for (size_t other = row; other < rows.size(); other += length)
      units.push_back(rows[other]);
    values.push_back(concatenated(builder, loc, units));
  }
  for (int64_t stage = 1; stage < length; stage *= 2) {
    SmallVector<Value> next;
    for (int64_t pair = 0; pair < length / 2; ++pair)
      for (bool second : {false, true})
        next.push_back(unpacked(builder, loc, values[pair],
                                values[pair + length / 2], length, second));
    values = next;
  }
  return values;
}

/// The value of `read` at one tile of a group, and at its neighbours on the
/// way.
Lanes Lowering::readTransposed(Value read, const Tile &tile) {
  Type element = lowered(typeOf(read).getElementType());
  int64_t lanes = tile.width.lanes, length = rowLength(element, lanes);
  Coordinate across = tile.coordinates[tile.vectorDim];
  SmallVector<Value> vectors;
  for (size_t first = 0; first < tile.neighbours.size(); first += length) {
    SmallVector<Value> rows;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      Tile row = tile;
      row.neighbours = {};
      row.vectorDim = tile.insideDim;
      row.insideDim = tile.vectorDim;
      row.width = length;
      row.interior = row.unwrapped = true;
      row.coordinates[row.vectorDim].start = tile.neighbours[first];
      {
        DepthScope scope(*this, across.depth);
        row.coordinates[row.insideDim].start =
            builder.createOrFold<arith::AddIOp>(loc, across.start,
                                                constant(lane));
      }
      Lanes elements = evaluate(read, row);
      DepthScope scope(*this, depthOf(tile));
      rows.push_back(toMemory(spread(elements, row)));
    }
    DepthScope scope(*this, depthOf(tile));
    llvm::append_range(vectors, transposed(builder, loc, rows));
  }
  DepthScope scope(*this, depthOf(tile));
  for (auto [number, start] : llvm::enumerate(tile.neighbours)) {
    Tile neighbour = tile;
    neighbour.coordinates[tile.insideDim].start = start;
    cache[keyOf(read, neighbour)] = {fromMemory(vectors[number], element),
                                     false};
  }
  return cache[keyOf(read, tile)];
}

//===----------------------------------------------------------------------===//
// Nests of groups
//===----------------------------------------------------------------------===//

void Lowering::emitGroups(Tile tile, ArrayRef<int64_t> shape,
                          ArrayRef<int64_t> outerDims, int64_t vectorDim,
                          Width width, int64_t vectors, ValueRange readers,
                          ArrayRef<KnownBounds> bounds,
                          function_ref<void(ArrayRef<Tile>)> body,
                          BeyondBody beyond) {
  Crossing crossing = findCrossing(readers, shape, outerDims, vectorDim, width);
  if (crossing.dim < 0)
    return emitTiles(
        tile, shape, outerDims, vectorDim, width, readers, bounds,
        [&](const Tile &one) { body(one); }, beyond);
  int64_t dim = crossing.dim;
  size_t outside = loops.size();
  SmallVector<int64_t> around(outerDims);
  llvm::erase(around, dim);
  openLoops(tile, shape, around, bounds);
  auto ownBounds = [&](int64_t of) {
    SmallVector<KnownBounds> own;
    if (!bounds.empty() && bounds[of].low &&
        !isFull(bounds[of].low, bounds[of].high, shape[of]))
      own.push_back(bounds[of]);
    return own;
  };
  SmallVector<KnownBounds> own = ownBounds(dim),
                           ownAcross = ownBounds(vectorDim);
  Value end = interiorEnd(readers, shape, dim, own);
  if (!crossing.indices.empty()) {
    Value all = end ? end : constant(shape[dim]);
    end = arith::SelectOp::create(builder, loc, doNotWrap(crossing), all,
                                  constant(0));
  }
  Value groups =
      end ? arith::AndIOp::create(builder, loc, end, constant(-crossing.tiles))
          : constant(shape[dim]);
  Value endAcross = interiorEnd(readers, shape, vectorDim, ownAcross);
  vectors = std::min(vectors, shape[vectorDim] / width.lanes);
  Value whole = endAcross ? roundDown(endAcross, width)
                          : constant(shape[vectorDim]),
        lines = endAcross ? roundDown(endAcross, width, vectors) : whole;

  auto strip = [&](Value from, Value to, int64_t count) {
    Value start = openLoop(from, to, laneCount(width, count));
    SmallVector<Coordinate> across;
    for (int64_t vector = 0; vector < count; ++vector)
      across.push_back({builder.createOrFold<arith::AddIOp>(
                            loc, start, constant(vector * width.lanes)),
                        depth(), vectorDim});
    Value first = openLoop(constant(0), groups, crossing.tiles);
    SmallVector<Value> neighbours;
    for (int64_t number = 0; number < crossing.tiles; ++number)
      neighbours.push_back(
          builder.createOrFold<arith::AddIOp>(loc, first, constant(number)));
    SmallVector<Tile> group;
    for (Value neighbour : neighbours)
      for (const Coordinate &coordinate : across) {
        Tile &one = group.emplace_back(tile);
        one.vectorDim = vectorDim;
        one.width = width;
        one.interior = true;
        one.insideDim = dim;
        one.neighbours = neighbours;
        one.coordinates[dim] = {neighbour, depth(), dim};
        one.coordinates[vectorDim] = coordinate;
      }
    body(group);
    closeLoop();
    closeLoop();
  };
  strip(constant(0), lines, vectors);
  if (endAcross && vectors > 1)
    strip(lines, whole, 1);

  // What is left over is gathered.
  Value low = own.empty() ? constant(0) : scalar(own.front().low),
        high = own.empty() ? constant(shape[dim]) : scalar(own.front().high);
  tile.vectorDim = vectorDim;
  tile.width = width;
  auto gathered = [&](Value from, Value fromAcross, Value toAcross,
                      bool interior) {
    knownBounds[dim] = own.empty() ? KnownBounds() : own.front();
    Value at = openLoop(from, high, 1);
    tile.coordinates[dim] = {at, depth(), dim};
    Value start = openLoop(fromAcross, toAcross, laneCount(width));
    tile.coordinates[vectorDim] = {start, depth(), vectorDim};
    tile.interior = interior;
    body(tile);
    closeLoop();
    closeLoop();
    knownBounds[dim] = {};
  };
  if (end)
    gathered(builder.createOrFold<arith::MaxSIOp>(loc, groups, low),
             constant(0), whole, true);
  if (endAcross)
    gathered(low, whole,
             ownAcross.empty() ? constant(shape[vectorDim])
                               : scalar(ownAcross.front().high),
             false);
  while (loops.size() > outside)
    closeLoop();
}

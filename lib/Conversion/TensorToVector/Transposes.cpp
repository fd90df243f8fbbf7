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

// The same where nothing is transposed.
static constexpr int64_t kUnrolledCost = 48;

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
    Value last = constant(typeOf(index).getDimSize(0) - 1);
    holds = builder.createOrFold<arith::AndIOp>(loc, holds,
                                                doesNotWrap(index, last));
  }
  return holds;
}

/// A condition for an index that may wrap to be consecutive up to `last`.
Value Lowering::doesNotWrap(Value index, Value last) {
  SmallVector<Value> ends;
  for (Value position : {constant(0), last}) {
    Tile element;
    element.coordinates = {{position, depth(), -1}};
    ends.push_back(asI64(evaluate(index, element).value));
  }
  builder.restoreInsertionPoint(points.back());
  Value distance = arith::SubIOp::create(builder, loc, ends[1], ends[0]);
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, distance,
                               last);
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
SmallVector<Value> vectorize::transposed(OpBuilder &builder, Location loc,
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

/// The part of a group that runs across the vector of `tile` at `lane`:
/// `length` elements from number `first` of the group on.
Tile Lowering::rowOf(const Tile &tile, int64_t lane, int64_t first,
                     int64_t length) {
  Tile row = tile;
  row.neighbours = {};
  row.vectorDim = tile.insideDim;
  row.insideDim = tile.vectorDim;
  row.width = length;
  row.interior = row.unwrapped = true;
  row.passesComparisons = false;
  row.coordinates[row.vectorDim].start = tile.neighbours[first];
  Coordinate &across = row.coordinates[row.insideDim];
  DepthScope scope(*this, across.depth);
  across.start =
      builder.createOrFold<arith::AddIOp>(loc, across.start, constant(lane));
  return row;
}

/// The value of `read` at one tile of a group, and at its neighbours on the
/// way.
Lanes Lowering::readTransposed(Value read, const Tile &tile) {
  Type element = lowered(typeOf(read).getElementType());
  int64_t lanes = tile.width.lanes, length = rowLength(element, lanes);
  SmallVector<Value> vectors;
  for (size_t first = 0; first < tile.neighbours.size(); first += length) {
    SmallVector<Value> rows;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      Tile row = rowOf(tile, lane, first, length);
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

/// Returns true if no read of `value` is contiguous along `vectorDim`, so that
/// it can be evaluated as a whole along `otherDim`.
bool Lowering::liesAcross(Value value, int64_t vectorDim, int64_t otherDim) {
  bool across = true;
  auto visit = [&](Value read, ArrayRef<int64_t> dims) {
    auto vector = llvm::find(dims, vectorDim),
         other = llvm::find(dims, otherDim);
    if (vector != dims.end())
      across &= other != dims.end() &&
                isCrossed(read, vector - dims.begin(), other - dims.begin());
  };
  forEachRead(value,
              llvm::to_vector(llvm::seq<int64_t>(0, typeOf(value).getRank())),
              visit);
  return across;
}

/// The lines of a panel that a group of the right operand is, for each part,
/// where the operand lies across: `interleave` elements of a line are next to
/// each other in memory, too, and are transposed as one.
SmallVector<SmallVector<Value>> Lowering::crossedLines(const Product &product,
                                                       const Tile &tile,
                                                       int64_t interleave) {
  int64_t length = tile.neighbours.size();
  Type stored = memoryType(product.compute);
  Type word =
      builder.getIntegerType(interleave * stored.getIntOrFloatBitWidth());
  auto words = VectorType::get(length / interleave, word);
  SmallVector<SmallVector<Value>> rows(product.parts()), lines;
  for (int64_t lane = 0; lane < tile.width.lanes; ++lane) {
    Value elements =
        evaluateAll(product.right, rowOf(tile, lane, 0, length)).front();
    for (auto [part, value] : llvm::enumerate(partsOf(product, elements)))
      rows[part].push_back(
          vector::BitCastOp::create(builder, loc, words, toMemory(value)));
  }
  for (ArrayRef<Value> part : rows)
    lines.push_back(transposed(builder, loc, part));
  return lines;
}

//===----------------------------------------------------------------------===//
// Nests of groups
//===----------------------------------------------------------------------===//

/// How many vectors next to each other one iteration evaluates: a cache line,
/// if their code is small. Two lines at once were slower by a fifth where three
/// streams come from a cache.
int64_t Lowering::vectorsAtOnce(ValueRange readers, const Crossing &crossing,
                                int64_t vectors, int64_t available) {
  int64_t cost = 0;
  for (Value reader : readers)
    cost += plan.costOf(reader);
  if (crossing.dim < 0 && vectors > 1)
    vectors =
        std::min<int64_t>(vectors, kUnrolledCost / std::max<int64_t>(cost, 1));
  return std::max<int64_t>(
      llvm::bit_floor(static_cast<uint64_t>(std::min(vectors, available))), 1);
}

/// Groups of `vectors` from `from` to `to` along the vector dimension.
void Lowering::emitGroupStrip(const Groups &groups, const Tile &base,
                              Value from, Value to, int64_t vectors) {
  int64_t dim = groups.crossing.dim, vectorDim = groups.vectorDim;
  Value start = openLoop(from, to, laneCount(groups.width, vectors));
  SmallVector<Coordinate> across;
  for (int64_t vector = 0; vector < vectors; ++vector)
    across.push_back({builder.createOrFold<arith::AddIOp>(
                          loc, start, laneCount(groups.width, vector)),
                      depth(), vectorDim});
  SmallVector<Value> neighbours;
  if (dim >= 0) {
    Value first = openLoop(constant(0), groups.end, groups.crossing.tiles);
    for (int64_t number = 0; number < groups.crossing.tiles; ++number)
      neighbours.push_back(
          builder.createOrFold<arith::AddIOp>(loc, first, constant(number)));
  }
  SmallVector<Tile> tiles;
  for (int64_t number = 0; number < groups.crossing.tiles; ++number)
    for (const Coordinate &coordinate : across) {
      Tile &one = tiles.emplace_back(base);
      one.vectorDim = vectorDim;
      one.width = groups.width;
      one.interior = true;
      one.passesComparisons = groups.passes;
      one.coordinates[vectorDim] = coordinate;
      if (dim < 0)
        continue;
      one.insideDim = dim;
      one.neighbours = neighbours;
      one.coordinates[dim] = {neighbours[number], depth(), dim};
    }
  groups.body(tiles);
  if (dim >= 0)
    closeLoop();
  closeLoop();
}

void Lowering::emitGroups(Tile tile, ArrayRef<int64_t> shape,
                          ArrayRef<int64_t> outerDims, int64_t vectorDim,
                          Width width, int64_t vectors, ValueRange readers,
                          ArrayRef<KnownBounds> bounds,
                          function_ref<void(ArrayRef<Tile>)> body,
                          BeyondBody beyond) {
  Groups groups = {findCrossing(readers, shape, outerDims, vectorDim, width),
                   {},
                   vectorDim,
                   width,
                   body};
  const Crossing &crossing = groups.crossing;
  int64_t dim = crossing.dim;
  if (vectorDim >= 0 && !width.scalable)
    vectors = vectorsAtOnce(readers, crossing, vectors,
                            shape[vectorDim] / width.lanes);
  if (dim < 0 && (vectorDim < 0 || width.scalable || vectors == 1 || beyond))
    return emitTiles(
        tile, shape, outerDims, vectorDim, width, readers, bounds,
        [&](const Tile &one) { body(one); }, beyond);
  size_t outside = loops.size();
  SmallVector<int64_t> around(outerDims);
  llvm::erase(around, dim);
  openLoops(tile, shape, around, bounds);
  auto ownBounds = [&](int64_t of) {
    SmallVector<KnownBounds> own;
    if (of >= 0 && !bounds.empty() && bounds[of].low &&
        !isFull(bounds[of].low, bounds[of].high, shape[of]))
      own.push_back(bounds[of]);
    return own;
  };
  SmallVector<KnownBounds> own = ownBounds(dim),
                           ownAcross = ownBounds(vectorDim);
  Value end;
  if (dim >= 0) {
    end = interiorEnd(readers, shape, dim, own);
    Value all = end ? end : constant(shape[dim]);
    if (!crossing.indices.empty())
      end = arith::SelectOp::create(builder, loc, doNotWrap(crossing), all,
                                    constant(0));
    groups.end = end ? arith::AndIOp::create(builder, loc, end,
                                             constant(-crossing.tiles))
                           .getResult()
                     : all;
  }
  Value endAcross = interiorEnd(readers, shape, vectorDim, ownAcross);
  if (endAcross && dim < 0)
    groups.passes = passesWithin(readers, shape, vectorDim, endAcross);
  Value whole = endAcross ? roundDown(endAcross, width)
                          : constant(shape[vectorDim]),
        lines = endAcross ? roundDown(endAcross, width, vectors) : whole;
  std::string more = ", " + std::to_string(vectors) + " at once";
  if (dim >= 0)
    more += ", reads along dimension " + std::to_string(dim) +
            " transposed in registers";
  noteVectors(shape, vectorDim, width, bool(endAcross), more);
  emitGroupStrip(groups, tile, constant(0), lines, vectors);
  if (endAcross && vectors > 1)
    emitGroupStrip(groups, tile, lines, whole, 1);

  // What is left over is evaluated by itself: what crosses is gathered.
  tile.vectorDim = vectorDim;
  tile.width = width;
  Value low, high;
  if (dim >= 0) {
    low = own.empty() ? constant(0) : scalar(own.front().low);
    high = own.empty() ? constant(shape[dim]) : scalar(own.front().high);
  }
  auto rest = [&](Value from, Value fromAcross, Value toAcross, bool interior) {
    if (dim >= 0) {
      knownBounds[dim] = own.empty() ? KnownBounds() : own.front();
      Value at = openLoop(from, high, 1);
      tile.coordinates[dim] = {at, depth(), dim};
    }
    Value start = openLoop(fromAcross, toAcross, laneCount(width));
    tile.coordinates[vectorDim] = {start, depth(), vectorDim};
    tile.interior = interior;
    body(tile);
    closeLoop();
    if (dim >= 0) {
      closeLoop();
      knownBounds[dim] = {};
    }
  };
  if (end)
    rest(builder.createOrFold<arith::MaxSIOp>(loc, groups.end, low),
         constant(0), whole, true);
  if (endAcross)
    rest(low, whole,
         ownAcross.empty() ? constant(shape[vectorDim])
                           : scalar(ownAcross.front().high),
         false);
  while (loops.size() > outside)
    closeLoop();
}

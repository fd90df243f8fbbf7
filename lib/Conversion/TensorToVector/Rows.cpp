//===- Rows.cpp - reductions across rows, and rows in bounds --------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A reduction whose axis is not that of the vectors keeps several vectors of a
// row as its state and takes one row after the other: memory is read in long
// runs, in its order. Rows that all reads have in bounds are taken without
// masks, which for rows of few vectors cost more than the arithmetic.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Independent chains of a reduction: enough to hide the latency of an addition
// behind the throughput of two units.
static constexpr int64_t kChains = 4;
// The most vectors of a row that is short: combining its lanes takes as long.
static constexpr int64_t kShortRow = 16;
// Lanes of so many bits move among themselves faster than beyond.
static constexpr int64_t kPartBits = 128;

/// The bound along `dim` that all reads of `readers` share, if they have one.
std::optional<KnownBounds> Lowering::sharedBound(ValueRange readers,
                                                 size_t rank, int64_t dim) {
  SmallVector<KnownBounds> bounds;
  SmallVector<int64_t> identity =
      llvm::to_vector(llvm::seq<int64_t>(0, static_cast<int64_t>(rank)));
  for (Value reader : readers)
    collectBounds(reader, identity, dim, bounds);
  if (bounds.empty())
    return {};
  for (const KnownBounds &bound : bounds)
    if (bound.low != bounds.front().low || bound.high != bounds.front().high)
      return {};
  return bounds.front();
}

/// The bound that all reads share, if it begins at the first element.
std::optional<KnownBounds> Lowering::onlyBound(ValueRange readers, size_t rank,
                                               int64_t dim) {
  std::optional<KnownBounds> bound = sharedBound(readers, rank, dim);
  if (bound && !matchPattern(bound->low, m_Zero()))
    return {};
  return bound;
}

/// Runs `body` for each element of a tile along `dim`: first for those that all
/// reads of `readers` have in bounds, then for the rest.
void Lowering::forEachRow(Tile tile, ArrayRef<int64_t> shape, int64_t dim,
                          ValueRange readers,
                          function_ref<void(const Tile &)> body) {
  if (shape[dim] == 1)
    return body(tile);
  auto rows = [&](Value from, Value to, KnownBounds known) {
    Value row = openLoop(from, to, 1);
    knownBounds[dim] = known;
    tile.coordinates[dim] = {row, depth(), dim};
    body(tile);
    closeLoop();
    knownBounds[dim] = {};
  };
  std::optional<KnownBounds> bound = onlyBound(readers, shape.size(), dim);
  Value size = constant(shape[dim]);
  if (!bound)
    return rows(constant(0), size, {});
  Value high = scalar(bound->high);
  rows(constant(0), high, *bound);
  rows(high, size, {});
}

/// Reduces the rows of `columns`, tiles side by side, and gives `finish` the
/// result of each.
void Lowering::reduceRows(sg::ReduceOp op, ArrayRef<Tile> columns,
                          function_ref<void(const Tile &, ValueRange)> finish) {
  int64_t axis = op.getAxis(), size = op.getInputType().getDimSize(axis);
  size_t inputs = op.getInputs().size(), row = inputs * columns.size();
  int64_t chains = llvm::bit_floor<uint64_t>(
      std::max<int64_t>(kChains / static_cast<int64_t>(columns.size()), 1));
  while (size < 2 * chains && chains > 1)
    chains /= 2;
  bool rest = size % chains != 0;
  std::optional<KnownBounds> bound =
      onlyBound(op.getInputs(), op.getInputType().getRank(), axis);
  auto rowAt = [&](Value position, bool known) {
    SmallVector<Value> values;
    for (const Tile &column : columns) {
      Tile tile = column;
      tile.coordinates[axis] = {position, depth(), known ? axis : -1};
      llvm::append_range(values, evaluateAll(op.getInputs(), tile));
      builder.restoreInsertionPoint(points.back());
    }
    writeFills();
    builder.restoreInsertionPoint(points.back());
    return values;
  };
  auto combined = [&](ValueRange left, ValueRange right) {
    SmallVector<Value> results;
    for (size_t at = 0; at < left.size(); at += inputs)
      llvm::append_range(results,
                         combine(op.getCombiner(), left.slice(at, inputs),
                                 right.slice(at, inputs)));
    return results;
  };
  SmallVector<Value> state;
  for (int64_t chain = 0; chain < chains; ++chain)
    llvm::append_range(state, rowAt(constant(chain), false));
  auto advance = [&](Value from, Value to, int64_t count, bool known) {
    Value start = openLoop(from, to, count, state);
    if (known)
      knownBounds[axis] = *bound;
    SmallVector<Value> carried(loopState()), next;
    for (int64_t chain = 0; chain < count; ++chain) {
      Value position =
          builder.createOrFold<arith::AddIOp>(loc, start, constant(chain));
      SmallVector<Value> values = rowAt(position, known);
      llvm::append_range(
          next, combined(ValueRange(carried).slice(chain * row, row), values));
    }
    ValueRange results = closeLoop(next);
    state.assign(results.begin(), results.end());
    knownBounds[axis] = {};
  };
  Value first = constant(chains), whole = constant(size / chains * chains);
  if (bound) {
    whole = arith::AndIOp::create(builder, loc, scalar(bound->high),
                                  constant(-chains));
    whole = arith::MaxSIOp::create(builder, loc, whole, first);
  }
  advance(first, whole, chains, bound.has_value());
  for (; chains > 1; chains /= 2) {
    size_t half = chains / 2 * row;
    state = combined(ValueRange(state).take_front(half),
                     ValueRange(state).drop_front(half));
  }
  if (bound || rest)
    advance(whole, constant(size), 1, false);
  SmallVector<Value> results(state);
  for (auto [index, column] : llvm::enumerate(columns))
    finish(column, ValueRange(results).slice(index * inputs, inputs));
}

/// A reduction along an axis that is not that of the vectors.
void Lowering::reduceAcross(
    sg::ReduceOp op, Tile tile, ArrayRef<int64_t> outerDims, int64_t vectorDim,
    Width width, function_ref<void(const Tile &, ValueRange)> finish) {
  ArrayRef<int64_t> shape = op.getInputType().getShape();
  int64_t size = shape[vectorDim];
  // Half of the registers hold the state.
  int64_t most = machine.vectorRegisters / 2 /
                 static_cast<int64_t>(op.getInputs().size()) /
                 (width.scalable ? machine.registerGroup : 1);
  int64_t vectors = 1;
  while (2 * vectors <= most && size % (2 * vectors * maxLanes(width)) == 0)
    vectors *= 2;
  noteDecision(op, "reduction",
               "across {0} rows: {1} vectors of {2}{3} elements of a row at "
               "once, one row after the other",
               op.getInputType().getDimSize(op.getAxis()), vectors, width.lanes,
               width.scalable ? " x vscale" : "");
  size_t outside = loops.size();
  openLoops(tile, shape, outerDims, {});
  Value end = interiorEnd(op.getInputs(), shape, vectorDim, {});
  auto strip = [&](Value from, Value to, bool interior) {
    Value start = openLoop(from, to, laneCount(width, vectors));
    SmallVector<Tile> columns;
    for (int64_t vector = 0; vector < vectors; ++vector) {
      Value column = builder.createOrFold<arith::AddIOp>(
          loc, start, laneCount(width, vector));
      columns.push_back(tile);
      columns.back().coordinates[vectorDim] = {column, depth(), vectorDim};
      columns.back().vectorDim = vectorDim;
      columns.back().width = width;
      columns.back().interior = interior;
    }
    reduceRows(op, columns, finish);
    closeLoop();
  };
  Value whole = end ? roundDown(end, width, vectors) : constant(size);
  strip(constant(0), whole, true);
  if (end)
    strip(whole, constant(size), false);
  while (loops.size() > outside)
    closeLoop();
}

//===----------------------------------------------------------------------===//
// Short rows side by side
//===----------------------------------------------------------------------===//

/// How many rows along `dim` the reduction `ops`, along lanes, takes side by
/// side; 0 where it is one after the other: rows are long, or have bounds.
int64_t Lowering::rowsTogether(ArrayRef<sg::ReduceOp> ops, int64_t dim,
                               Width width) {
  sg::ReduceOp op = ops.front();
  RankedTensorType type = op.getInputType();
  int64_t axis = op.getAxis(), size = type.getDimSize(axis);
  Type element = lowered(type.getElementType());
  auto kind = kindOf(op.getCombiner());
  // What has nothing that its combiner leaves unchanged has no state to start
  // from, and narrow numbers may have none.
  bool known = ops.size() == 1 && op.getInputs().size() == 1 && kind &&
               *kind != vector::CombiningKind::MUL &&
               element.getIntOrFloatBitWidth() >= 16;
  if (!known || width.scalable || width.lanes < 4 ||
      size > kShortRow * width.lanes || size % width.lanes != 0)
    return 0;
  SmallVector<int64_t> identity =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  SmallVector<KnownBounds> bounds;
  SmallVector<Value> readers(op.getInputs());
  llvm::append_range(readers, fillers);
  for (Value reader : readers)
    for (int64_t along : {axis, dim})
      collectBounds(reader, identity, along, bounds);
  if (!bounds.empty())
    return 0;
  bool cheap =
      fillers.empty() && plan.costOf(op.getInputs()[0]) <= kAccumulatorCost;
  int64_t rows = std::min<int64_t>(cheap ? 2 * kChains : kChains, width.lanes);
  return type.getDimSize(dim) % rows == 0 ? rows : 0;
}

/// Combines the lanes of each of `rows` to one lane of the result: two of them
/// at a time, in one step each. First the lanes of one part of the register
/// are combined, which move in one cycle, then the parts.
Value Lowering::combineRows(const Line &line, SmallVector<Value> rows) {
  int64_t lanes = line.stride.lanes, count = rows.size();
  int64_t bits = lowered(line.type.getElementType()).getIntOrFloatBitWidth();
  int64_t part =
      std::min<int64_t>(std::max<int64_t>(kPartBits / bits, 1), lanes);
  for (int64_t group = 1; rows.size() > 1; group *= 2) {
    // Groups of lanes of both rows in turn: the first half of each part's, and
    // the second.
    int64_t whole = group < part ? part : lanes, half = whole / 2;
    SmallVector<int64_t> first, second;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      int64_t within = lane % whole, row = within / group % 2;
      int64_t source = lane - within + within / (2 * group) * group +
                       within % group + row * lanes;
      first.push_back(source);
      second.push_back(source + half);
    }
    SmallVector<Value> merged;
    for (size_t row = 0; row < rows.size(); row += 2) {
      Value low = vector::ShuffleOp::create(builder, loc, rows[row],
                                            rows[row + 1], first);
      Value high = vector::ShuffleOp::create(builder, loc, rows[row],
                                             rows[row + 1], second);
      merged.push_back(advance(line, low, high).front());
    }
    rows = merged;
  }
  Value result = rows.front();
  for (; lanes > count; lanes /= 2) {
    Value halves[2];
    for (int64_t at : {0, 1})
      halves[at] = vector::ExtractStridedSliceOp::create(
          builder, loc, result, ArrayRef<int64_t>{at * lanes / 2},
          ArrayRef<int64_t>{lanes / 2}, ArrayRef<int64_t>{1});
    result = advance(line, halves[0], halves[1]).front();
  }
  return result;
}

/// Reduces the rows of `line` along `dim`, `rows` of them side by side, and
/// gives `finish` the vector of their results.
void Lowering::reduceRowGroups(
    Line line, int64_t dim, int64_t rows,
    function_ref<void(const Tile &, ValueRange)> finish) {
  noteDecision(loc, "reduction",
               "along dimension {0} of {1} elements, {2} at a time: {3} rows "
               "side by side, their lanes combined together at the end",
               line.axis, line.size, line.stride.lanes, rows);
  Value row = openLoop(constant(0), constant(line.type.getDimSize(dim)), rows);
  SmallVector<Coordinate> places;
  for (int64_t at = 0; at < rows; ++at)
    places.push_back(
        {builder.createOrFold<arith::AddIOp>(loc, row, constant(at)), depth(),
         -1});
  auto reduced = [&] {
    SmallVector<Value> state(rows, neutralState(line).front()), values;
    Value start = openLoop(constant(0), constant(line.size),
                           laneCount(line.stride), state);
    SmallVector<Value> carried(loopState()), next;
    // All are evaluated before any is written or combined.
    for (const Coordinate &place : places) {
      Tile tile = tileAt(line, start, /*interior=*/true);
      tile.coordinates[dim] = place;
      llvm::append_range(values, evaluateLine(line, tile));
      builder.restoreInsertionPoint(points.back());
    }
    writeFills();
    builder.restoreInsertionPoint(points.back());
    for (auto [before, value] : llvm::zip(carried, values))
      next.push_back(advance(line, before, value).front());
    ValueRange results = closeLoop(next);
    state.assign(results.begin(), results.end());
    return SmallVector<Value>{combineRows(line, state)};
  };
  SmallVector<Value> results = reduced();
  if (line.parts.front().compares)
    results = orExactly(line, results, reduced);
  Tile tile = line.tile;
  tile.coordinates[dim] = places.front();
  tile.vectorDim = dim;
  tile.width = rows;
  finish(tile, results);
  closeLoop();
}

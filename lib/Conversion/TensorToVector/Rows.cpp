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
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Independent chains of a reduction: enough to hide the latency of an addition
// behind the throughput of two units.
static constexpr int64_t kChains = 4;

/// The bound along `dim` that all reads of `readers` share, if they have one
/// and it begins at the first element.
std::optional<KnownBounds> Lowering::onlyBound(ValueRange readers, size_t rank,
                                               int64_t dim) {
  SmallVector<KnownBounds> bounds;
  SmallVector<int64_t> identity =
      llvm::to_vector(llvm::seq<int64_t>(0, static_cast<int64_t>(rank)));
  for (Value reader : readers)
    collectBounds(reader, identity, dim, bounds);
  if (bounds.empty() || !matchPattern(bounds.front().low, m_Zero()))
    return {};
  for (const KnownBounds &bound : bounds)
    if (bound.low != bounds.front().low || bound.high != bounds.front().high)
      return {};
  return bounds.front();
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

//===- LeftPanels.cpp - the left operand of a product in panels -----------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A register tile that reads rows where they lie follows as many streams as it
// has rows, and where those are a power of two apart they share few places of
// the caches. Programs that go through the blocks of a column come back to the
// same rows with the next one. So a thread that meets rows again packs them: in
// panels of a tile's rows, whose elements lie in the order in which the tile
// multiplies by them. What cannot be read where it lies is packed at once.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// How much of packed rows is kept, in units of the second-level cache, and as a
// part of the last one.
static constexpr int64_t kKeptRowsPerL2 = 16;
static constexpr int64_t kPartOfLastLevel = 4;
// Packing an element costs about as much as is won where it is multiplied by
// this many columns.
static constexpr int64_t kColumnsPerPacking = 128;
// The part of a register that is transposed by itself.
static constexpr int64_t kUnitBits = 128;
// Rows of memory that are packed side by side.
static constexpr int64_t kRowsAtOnce = 8;

/// Elements along the depth that are transposed together: two at least.
static int64_t stepsAtOnce(const Product &product) {
  return kUnitBits / product.compute.getIntOrFloatBitWidth();
}

/// Plans panels of the left operand with room for `capacity` steps of the
/// depth; `load` is what can be read where it lies, if something can.
Panels Lowering::planLeftPanels(const Product &product, Region *body,
                                int64_t capacity, sg::LoadOp load) {
  if (product.unit || product.width.scalable || product.columns == 1 ||
      product.rows <= product.tileRows ||
      product.depth % stepsAtOnce(product) != 0)
    return {};
  int64_t elements = product.rows * capacity;
  int64_t bytes = std::min(kKeptRowsPerL2 * machine.l2Bytes,
                           machine.lastLevelBytes / kPartOfLastLevel);
  int64_t ownWords = 6 + bool(load);
  Panels panels = planKept(product, product.left, body, elements, kMostGroups,
                           bytes, ownWords);
  panels.counts = true;
  if (panels.slots == 0)
    return panels;
  noteDecision(product.op, "product",
               "the left operand is read from panels that are kept for the "
               "thread's next programs: {0} groups of {1} KiB, packed {2}",
               panels.slots,
               elements * product.compute.getIntOrFloatBitWidth() / 8 >> 10,
               load ? "where rows are met again" : "when rows are met first");
  return panels;
}

/// The group that a block of rows has in a chunk: blocks that follow each other
/// have groups that do, so that as many of them are kept as there is room for.
Value Lowering::numberOfRows(const Product &product, const Panels &rows,
                             Value chunk, Value chunks) {
  Value sum = constant(0);
  for (Value key : rows.keys)
    if (isa<IntegerType>(key.getType()))
      sum = builder.createOrFold<arith::AddIOp>(loc, sum, asI64(scalar(key)));
  Value block =
      builder.createOrFold<arith::DivUIOp>(loc, sum, constant(product.rows));
  Value number = builder.createOrFold<arith::MulIOp>(loc, block, chunks);
  number = builder.createOrFold<arith::AddIOp>(loc, number, chunk);
  return builder.createOrFold<arith::RemUIOp>(loc, number,
                                              constant(rows.slots));
}

/// Finds the group `number` of panels by its own words of a tag, and decides
/// what to do with it where the rows could be read `inPlace`, if they can.
Lowering::LeftUse Lowering::findLeftPanels(const Product &product,
                                           const Panels &panels, Value number,
                                           ArrayRef<Value> own, Value inPlace,
                                           Operands &operands) {
  using Relation = arith::CmpIPredicate;
  Type i64 = builder.getI64Type();
  SmallVector<Value> words(own);
  if (inPlace)
    words.push_back(arith::ExtUIOp::create(builder, loc, i64, inPlace));
  Group group = findGroup(panels, number, words);
  operands.left.pointer = group.buffer.pointer;
  Value place = address(group.tag, i64, constant(panels.words - 1));
  Value before = LLVM::LoadOp::create(builder, loc, i64, place);
  before = select(group.kept, before, constant(0));
  Value times = arith::AddIOp::create(builder, loc, before, constant(1));
  LLVM::StoreOp::create(builder, loc, times, place);
  Value wanted = constant(1);
  if (inPlace) {
    int64_t again = 1 + llvm::divideCeil(kColumnsPerPacking, product.columns);
    wanted =
        arith::SelectOp::create(builder, loc, inPlace, constant(again), wanted);
  }
  return {arith::CmpIOp::create(builder, loc, Relation::sge, times, wanted),
          arith::CmpIOp::create(builder, loc, Relation::eq, times, wanted)};
}

/// Runs `body` for the rows of each register tile. Rows are divided evenly:
/// first tiles of one row more than the rest, so that no small remainder is
/// left over.
void Lowering::forEachStrip(const Product &product, const Operands &operands,
                            function_ref<void(Value, int64_t)> body) {
  int64_t count = llvm::divideCeil(product.rows, product.tileRows);
  int64_t fewer = product.rows / count, large = product.rows % count;
  auto strip = [&](int64_t from, int64_t to, int64_t rows) {
    if (from == to)
      return;
    Value row = openLoop(constant(from), atMost(to, operands.rows), rows);
    body(row, rows);
    closeLoop();
    // What was computed in this loop is not there in the next one.
    cache.clear();
  };
  strip(0, large * (fewer + 1), fewer + 1);
  strip(large * (fewer + 1), product.rows, fewer);
}

/// The place in its panel of the element of row `row` at step `step`.
static Value placeIn(OpBuilder &builder, Location loc, Value panelRows,
                     Value row, Value step, Value count) {
  Value panel = arith::MulIOp::create(builder, loc, row, panelRows);
  Value line = arith::MulIOp::create(builder, loc, step, count);
  return arith::AddIOp::create(builder, loc, panel, line);
}

/// Packs `count` rows from `row` on, whose elements lie side by side along the
/// depth or anywhere.
void Lowering::packLeftTile(const Product &product, Tile base,
                            const Operands &operands, Value column, Value row,
                            int64_t count) {
  ArrayRef<int64_t> shape = typeOf(product.left).getShape();
  unsigned rowDepth = depth(),
           alignment = product.compute.getIntOrFloatBitWidth() / 8;
  int64_t steps = stepsAtOnce(product);
  int64_t padded = std::max<int64_t>(llvm::PowerOf2Ceil(count), steps);
  SmallVector<Coordinate> rows;
  for (int64_t r = 0; r < count; ++r)
    rows.push_back({builder.createOrFold<arith::AddIOp>(loc, row, constant(r)),
                    rowDepth, 0});
  Value end = interiorEnd(product.left, shape, 1, {});
  Value whole = end ? roundDown(end, steps) : constant(product.depth);
  auto strip = [&](Value from, Value to, bool interior) {
    Value k = openLoop(from, to, steps);
    SmallVector<Value> lines;
    for (const Coordinate &coordinate : rows) {
      Tile tile = base;
      tile.coordinates[0] = coordinate;
      tile.coordinates[1] = {k, depth(), 1};
      tile.vectorDim = 1;
      tile.width = steps;
      tile.interior = interior;
      Value line = evaluateAll(product.left, tile).front();
      builder.restoreInsertionPoint(points.back());
      lines.push_back(toMemory(convert(line, product.compute)));
    }
    // What fills the register up is written over by the next step.
    while (static_cast<int64_t>(lines.size()) < padded)
      lines.push_back(lines.front());
    Value step = arith::AddIOp::create(builder, loc, column, k);
    Value place =
        placeIn(builder, loc, operands.panelRows, row, step, constant(count));
    for (auto [number, values] :
         llvm::enumerate(transposed(builder, loc, lines))) {
      bool last = static_cast<int64_t>(number) + 1 == steps;
      if (padded != count && (last || padded > 2 * count))
        values = vector::ShuffleOp::create(
            builder, loc, values, values,
            llvm::to_vector(llvm::seq<int64_t>(count)));
      Value offset = builder.createOrFold<arith::AddIOp>(
          loc, place, constant(number * count));
      LLVM::StoreOp::create(
          builder, loc, values,
          address(operands.left.pointer, product.compute, offset), alignment);
    }
    closeLoop();
    cache.clear();
  };
  strip(constant(0), whole, true);
  if (end)
    strip(whole, constant(product.depth), false);
}

/// Packs a left operand whose columns lie side by side: a few rows of memory
/// are written to all panels before the next few.
void Lowering::packLeftAcross(const Product &product, Tile base,
                              const Operands &operands, Value column) {
  SmallVector<KnownBounds> bounds;
  collectBounds(product.left, {0, 1}, 1, bounds);
  unsigned alignment = product.compute.getIntOrFloatBitWidth() / 8;
  builder.restoreInsertionPoint(points.back());
  auto steps = [&](Value low, Value high, const KnownBounds *known) {
    Value group = openLoop(low, high, kRowsAtOnce);
    knownBounds[1] = known ? *known : KnownBounds();
    Value next =
        arith::AddIOp::create(builder, loc, group, constant(kRowsAtOnce));
    next = arith::MinSIOp::create(builder, loc, next, high);
    forEachStrip(product, operands, [&](Value row, int64_t count) {
      Tile tile = base;
      tile.coordinates[0] = {row, depth(), 0};
      Value k = openLoop(group, next, 1);
      tile.coordinates[1] = {k, depth(), 1};
      tile.vectorDim = count == 1 ? -1 : 0;
      tile.width = count;
      Value values = evaluateAll(product.left, tile).front();
      builder.restoreInsertionPoint(points.back());
      values = toMemory(convert(values, product.compute));
      Value step = arith::AddIOp::create(builder, loc, column, k);
      Value place =
          placeIn(builder, loc, operands.panelRows, row, step, constant(count));
      LLVM::StoreOp::create(
          builder, loc, values,
          address(operands.left.pointer, product.compute, place), alignment);
      closeLoop();
    });
    closeLoop();
    knownBounds[1] = {};
  };
  bool split = bounds.size() == 1 && isConstantIntValue(bounds.front().low, 0);
  Value high = split ? scalar(bounds.front().high) : constant(product.depth);
  steps(constant(0), high, split ? &bounds.front() : nullptr);
  if (split)
    steps(high, constant(product.depth), nullptr);
}

/// Writes the left operand to panels of `operands`, from step `column` of each
/// on.
void Lowering::packLeftPanels(const Product &product, Tile base,
                              const Operands &operands, Value column) {
  bool across = findCrossing(product.left, typeOf(product.left).getShape(), {0},
                             1, stepsAtOnce(product))
                    .dim >= 0;
  if (across)
    return packLeftAcross(product, base, operands, column);
  forEachStrip(product, operands, [&](Value row, int64_t count) {
    packLeftTile(product, base, operands, column, row, count);
  });
}

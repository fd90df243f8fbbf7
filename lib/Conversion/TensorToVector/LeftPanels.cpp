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
  if (!product.unit && (product.width.scalable || product.columns == 1 ||
                        product.rows <= product.tileRows ||
                        product.depth % stepsAtOnce(product) != 0))
    return {};
  // A unit reads packed rows as it reads those in memory: one after the other.
  int64_t between = product.unit ? 0 : stepsAtOnce(product);
  int64_t elements = product.rows * (capacity + between) * product.parts();
  int64_t bytes = std::min(kKeptRowsPerL2 * machine.l2Bytes,
                           machine.lastLevelBytes / kPartOfLastLevel);
  // What lies between panels comes on top.
  bytes += llvm::divideCeil(bytes * between, capacity);
  int64_t ownWords = 6 + bool(load);
  Panels panels = planKept(product, product.left, body, elements, kMostGroups,
                           bytes, ownWords, /*isSticky=*/true);
  if (panels.slots == 0)
    return panels;
  noteDecision(product.op, "product",
               "the left operand is read from panels that are kept for the "
               "thread's next programs: {0} groups of {1} KiB, packed {2}",
               panels.slots,
               product.rows * capacity * product.parts() *
                       product.compute.getIntOrFloatBitWidth() / 8 >>
                   10,
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

/// Runs `body` for the rows of each register tile, in a loop for those of each
/// height.
void Lowering::forEachStrip(const Product &product, const Operands &operands,
                            function_ref<void(Value, int64_t)> body) {
  auto strip = [&](int64_t from, int64_t to, int64_t rows) {
    if (from == to)
      return;
    Value row = openLoop(constant(from), atMost(to, operands.rows), rows);
    body(row, rows);
    closeLoop();
  };
  int64_t tall = product.shortTile() + 1, end = product.tallTiles() * tall;
  strip(0, end, tall);
  strip(end, product.rows, product.shortTile());
}

/// The distance of panels of the left operand, for each row: a vector that is
/// written to the last steps of one may reach beyond it.
Value Lowering::leftPanelRows(const Product &product,
                              const Operands &operands) {
  return arith::AddIOp::create(builder, loc, operands.panelRows,
                               constant(stepsAtOnce(product)));
}

/// The place of the first row's element at step `step`, in the panel of `count`
/// rows from `row` on.
Value Lowering::placeInPanel(const Product &product, const Operands &operands,
                             Value row, Value step, Value count) {
  Value panel = arith::MulIOp::create(builder, loc, row,
                                      leftPanelRows(product, operands));
  Value line = arith::MulIOp::create(builder, loc, step, count);
  return arith::AddIOp::create(builder, loc, panel, line);
}

/// Calls `body` in a loop over register tiles, with the first row of each and
/// how many it has, at most `most`: one loop for tiles of both heights.
void Lowering::forEachTileOfRows(
    const Product &product, const Operands &operands,
    function_ref<void(Value row, Value count, int64_t most)> body) {
  int64_t fewer = product.shortTile(), larger = product.tallTiles();
  int64_t inLarger = larger * (fewer + 1);
  auto tilesIn = [&](Value rows, int64_t height) -> Value {
    rows = arith::AddIOp::create(builder, loc, rows, constant(height - 1));
    return arith::DivUIOp::create(builder, loc, rows, constant(height));
  };
  Value needed = constant(product.tiles());
  if (operands.rows) {
    Value rows = arith::MaxSIOp::create(
        builder, loc, atMost(product.rows, operands.rows), constant(0));
    Value large =
        arith::MinSIOp::create(builder, loc, rows, constant(inLarger));
    needed = tilesIn(arith::SubIOp::create(builder, loc, rows, large), fewer);
    if (larger)
      needed = arith::AddIOp::create(builder, loc, needed,
                                     tilesIn(large, fewer + 1));
  }
  Value tile = openLoop(constant(0), needed, 1);
  Value row = arith::MulIOp::create(builder, loc, tile, constant(fewer));
  Value count = constant(fewer);
  if (larger) {
    Value before = arith::MinUIOp::create(builder, loc, tile, constant(larger));
    row = arith::AddIOp::create(builder, loc, row, before);
    Value isLarge = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::ult, tile, constant(larger));
    count = arith::SelectOp::create(builder, loc, isLarge, constant(fewer + 1),
                                    count);
  }
  body(row, count, fewer + (larger ? 1 : 0));
  closeLoop();
}

/// Packs `count` rows from `row` on, at most `most`, whose elements lie side by
/// side along the depth or anywhere.
void Lowering::packLeftTile(const Product &product, Tile base,
                            const Operands &operands, Value column, Value row,
                            Value count, int64_t most) {
  unsigned rowDepth = depth(),
           alignment = product.compute.getIntOrFloatBitWidth() / 8;
  int64_t steps = stepsAtOnce(product);
  int64_t padded = std::max<int64_t>(llvm::PowerOf2Ceil(most), steps);
  SmallVector<Coordinate> rows;
  for (int64_t r = 0; r < most; ++r) {
    Value at = builder.createOrFold<arith::AddIOp>(loc, row, constant(r));
    // The last tile may have a row less than the first one.
    if (r > 0 && r + 1 == most && !isConstantIntValue(count, most))
      at = arith::MinUIOp::create(builder, loc, at, constant(product.rows - 1));
    rows.push_back({at, rowDepth, 0});
  }
  ArrayRef<int64_t> shape = typeOf(product.left).getShape();
  Value end = interiorEnd(product.left, shape, 1, {});
  Value whole = end ? roundDown(end, steps) : constant(product.depth);
  Value k = openLoop(constant(0), whole, steps);
  SmallVector<Value> lines;
  Tile tile = base;
  tile.coordinates[1] = {k, depth(), 1};
  tile.vectorDim = 1;
  tile.width = steps;
  tile.interior = true;
  for (const Coordinate &coordinate : rows) {
    tile.coordinates[0] = coordinate;
    Value line = evaluateAll(product.left, tile).front();
    builder.restoreInsertionPoint(points.back());
    lines.push_back(toMemory(convert(line, product.compute)));
  }
  // What fills the register up is written over by the next step, or lies
  // between panels.
  while (static_cast<int64_t>(lines.size()) < padded)
    lines.push_back(lines.front());
  Value step = arith::AddIOp::create(builder, loc, column, k);
  Value place = placeInPanel(product, operands, row, step, count);
  for (Value values : transposed(builder, loc, lines)) {
    LLVM::StoreOp::create(
        builder, loc, values,
        address(operands.left.pointer, product.compute, place), alignment);
    place = arith::AddIOp::create(builder, loc, place, count);
  }
  closeLoop();
  if (end)
    packLeftEdge(product, base, operands, column, row, count, whole);
}

/// Packs, one by one, the few elements from `whole` on up to where the product
/// ends.
void Lowering::packLeftEdge(const Product &product, Tile base,
                            const Operands &operands, Value column, Value row,
                            Value count, Value whole) {
  Value k = openLoop(whole, packedSteps(product, operands, column), 1);
  base.coordinates[1] = {k, depth(), 1};
  Value number = openLoop(constant(0), count, 1);
  base.coordinates[0] = {arith::AddIOp::create(builder, loc, row, number),
                         depth(), 0};
  base.vectorDim = -1;
  base.width = 1;
  Value element = evaluateAll(product.left, base).front();
  builder.restoreInsertionPoint(points.back());
  element = toMemory(convert(element, product.compute));
  Value step = arith::AddIOp::create(builder, loc, column, k);
  Value place = placeInPanel(product, operands, row, step, count);
  place = arith::AddIOp::create(builder, loc, place, number);
  LLVM::StoreOp::create(builder, loc, element,
                        address(operands.left.pointer, product.compute, place),
                        product.compute.getIntOrFloatBitWidth() / 8);
  closeLoop();
  closeLoop();
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
      Value place = placeInPanel(product, operands, row, step, constant(count));
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
  forEachTileOfRows(
      product, operands, [&](Value row, Value count, int64_t most) {
        packLeftTile(product, base, operands, column, row, count, most);
      });
}

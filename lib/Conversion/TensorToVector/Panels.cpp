//===- Panels.cpp - the operands of a product as its tiles read them
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The right operand is written to panels as wide as the register tile, so that
// the innermost loop reads it with stride 1 whatever the user's strides are.
// Programs that a thread runs one after the other often multiply by the same
// panels: each packed group of panels carries a tag of the numbers that it was
// computed from, and a program whose numbers are the same packs nothing.
//
// What is read where it lies is in InPlace.cpp.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "seagrove/Transforms/Passes.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// A tag of more words than this is not worth the comparison.
static constexpr size_t kMostKeys = 12;
// How much of packed operands is kept, in units of the second-level cache.
static constexpr int64_t kKeptBytesPerL2 = 4;
// How many groups that share its slot are met before a group gives way to one.
static constexpr int64_t kMeetingsOutlived = 3;
// Rows of the right operand that are packed side by side: a multiple of what
// any matrix unit interleaves.
static constexpr int64_t kRowsAtOnce = 8;

//===----------------------------------------------------------------------===//
// Panels that are kept
//===----------------------------------------------------------------------===//

/// Returns true if no program reads anything through `product` that it, or one
/// before it on the same thread, could have had to see change: what programs
/// write without telling each other is not ordered, but a program sees its own
/// writes, and what it waited for.
static bool readsAreUnordered(Operation *product) {
  auto kernel = product->getParentOfType<func::FuncOp>();
  if (!kernel.getBody().hasOneBlock())
    return false;
  Block &body = kernel.getBody().front();
  Operation *here = body.findAncestorOpInBlock(*product);
  WalkResult result = kernel.walk([&](Operation *op) {
    if (isSignal(op))
      return WalkResult::interrupt();
    if (!isa<sg::StoreOp, sg::ScatterOp, tt::StoreOp>(op))
      return WalkResult::advance();
    Operation *writer = body.findAncestorOpInBlock(*op);
    bool later = writer != here && here->isBeforeInBlock(writer);
    return later ? WalkResult::advance() : WalkResult::interrupt();
  });
  return !result.wasInterrupted();
}

/// Collects the scalars that `value` is a function of, besides memory and the
/// kernel's arguments; those inside of `body`, the loop over K, are followed to
/// what they are computed from. Fails where something else takes part.
LogicalResult Lowering::collectKeys(Value value, Region *body,
                                    llvm::SetVector<Value> &keys,
                                    DenseSet<Value> &seen) {
  if (!seen.insert(value).second)
    return success();
  bool block = isBlock(value);
  Operation *op = value.getDefiningOp();
  // The same number in another type is no other key.
  if (op && !block && isa<arith::ExtSIOp>(op))
    return collectKeys(op->getOperand(0), body, keys, seen);
  if (!block && !isDefinedIn(value, body)) {
    bool fixed = op ? op->hasTrait<OpTrait::ConstantLike>()
                    : isa<func::FuncOp>(value.getParentBlock()->getParentOp());
    if (!fixed)
      keys.insert(value);
    return success(keys.size() <= kMostKeys);
  }
  if (!op) // The tag holds the number of the iteration anyway.
    return success(!block && value == body->getArgument(0));
  if (op->getNumRegions() != 0 || (block ? !isLazy(op) : !isPure(op)))
    return failure();
  for (Value operand : op->getOperands())
    if (failed(collectKeys(operand, body, keys, seen)))
      return failure();
  return success();
}

/// One word of a tag.
Value Lowering::tagWord(Value value) {
  Type type = value.getType(), i64 = builder.getI64Type();
  if (isa<LLVM::LLVMPointerType>(type))
    return LLVM::PtrToIntOp::create(builder, loc, i64, value);
  if (isa<FloatType>(type)) {
    type = builder.getIntegerType(type.getIntOrFloatBitWidth());
    value = arith::BitcastOp::create(builder, loc, type, value);
  }
  return asI64(value);
}

/// Plans how programs keep `operand` of `product`, packed, for one another, in
/// up to `most` groups of `elements` and up to `bytes` in all. Each group is
/// found again by `ownWords` numbers of the caller and by the scalars that the
/// operand was computed from. `body` is the loop over K, if there is one.
/// Without slots where nothing tells in time that a program packed the same.
Panels Lowering::planKept(const Product &product, Value operand, Region *body,
                          int64_t elements, int64_t most, int64_t bytes,
                          int64_t ownWords, bool isSticky) {
  Panels panels;
  panels.elements = elements;
  panels.isSticky = isSticky;
  llvm::SetVector<Value> keys;
  DenseSet<Value> seen;
  if (product.batched || !readsAreUnordered(product.op) ||
      failed(collectKeys(operand, body, keys, seen)))
    return panels;
  int64_t group = elements * product.compute.getIntOrFloatBitWidth() / 8;
  panels.slots = std::clamp<int64_t>(bytes / group, 1, most);
  int64_t groups = panels.slots + isSticky;
  panels.buffer =
      allocateBytes(elements * groups, product.compute, Lifetime::range);
  panels.keys.assign(keys.begin(), keys.end());
  panels.words = 1 + ownWords + panels.keys.size() + 2 * isSticky;
  panels.tags = allocateBytes(groups * panels.words, builder.getI64Type(),
                              Lifetime::clearedForRange);
  return panels;
}

/// The right operand's panels, in groups of `capacity` rows.
Panels Lowering::planPanels(const Product &product, Region *body,
                            int64_t capacity, int64_t groups,
                            int64_t ownWords) {
  int64_t elements = product.columns * capacity * product.parts();
  Panels panels = planKept(product, product.right, body, elements, groups,
                           kKeptBytesPerL2 * machine.l2Bytes, ownWords);
  if (panels.slots == 0) {
    noteDecision(product.op, "product",
                 "the right operand is packed by each program for itself: "
                 "nothing tells in time that another one packed the same");
    panels.buffer = allocateBytes(panels.elements, product.compute);
    return panels;
  }
  noteDecision(product.op, "product",
               "the right operand's panels are kept for the thread's next "
               "programs: {0} groups of {1} KiB",
               panels.slots,
               elements * product.compute.getIntOrFloatBitWidth() / 8 >> 10);
  return panels;
}

/// The packed panels of group `number`; `kept` tells whether they hold what
/// they should, and is null where that is never so.
Lowering::Group Lowering::findGroup(const Panels &panels, Value number,
                                    ArrayRef<Value> own) {
  Group group;
  group.buffer = panels.buffer;
  if (panels.slots == 0)
    return group;
  // Of a cycle longer than the slots all but those that share the last one are
  // found again; were they dealt out in turn, none would be.
  Value slot = builder.createOrFold<arith::MinUIOp>(loc, number,
                                                    constant(panels.slots - 1));
  auto at = [&](const Buffer &buffer, int64_t size) {
    Value offset =
        builder.createOrFold<arith::MulIOp>(loc, slot, constant(size));
    return address(buffer.pointer, buffer.elementType, offset);
  };
  SmallVector<Value> words = {constant(1)};
  llvm::append_range(words, own);
  for (Value key : panels.keys)
    words.push_back(tagWord(scalar(key)));
  assert(static_cast<int64_t>(words.size()) + 2 * panels.isSticky ==
         panels.words);
  auto forEachWord = [&](function_ref<void(Value word, Value place)> body) {
    for (auto [index, word] : llvm::enumerate(words))
      // What is the same for all programs tells nothing, but that there is one.
      if (index == 0 || !matchPattern(word, m_Constant()))
        body(word, address(group.tag, word.getType(), constant(index)));
  };
  group.tag = at(panels.tags, panels.words);
  forEachWord([&](Value word, Value place) {
    Value stored = LLVM::LoadOp::create(builder, loc, word.getType(), place);
    Value same = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                       stored, word);
    group.kept =
        group.kept ? builder.createOrFold<arith::AndIOp>(loc, group.kept, same)
                   : same;
  });
  if (panels.isSticky) {
    slot = chooseSlot(panels, slot, group);
    group.tag = at(panels.tags, panels.words);
  }
  forEachWord([&](Value word, Value place) {
    LLVM::StoreOp::create(builder, loc, word, place);
  });
  group.buffer.pointer = at(panels.buffer, panels.elements);
  return group;
}

/// The slot of a group that may or may not have been `found` in `slot`: that
/// one, unless another group lives there. Where more groups than there are
/// slots are met in turn, some stay that way, and the others give way to them;
/// were each met group to drive out the one before, none would be found again.
Value Lowering::chooseSlot(const Panels &panels, Value slot,
                           const Group &found) {
  Type i64 = builder.getI64Type();
  Value place = address(found.tag, i64, constant(panels.words - 2));
  Value life = LLVM::LoadOp::create(builder, loc, i64, place);
  Value taken = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                      life, constant(0));
  taken = arith::OrIOp::create(builder, loc, taken, found.kept);
  life = arith::SubIOp::create(builder, loc, life, constant(1));
  life = arith::SelectOp::create(builder, loc, taken,
                                 constant(kMeetingsOutlived), life);
  LLVM::StoreOp::create(builder, loc, life, place);
  return arith::SelectOp::create(builder, loc, taken, slot,
                                 constant(panels.slots));
}

/// Zero where `condition` holds, else `count`: how often to do what is needed
/// only where it does not.
Value Lowering::unless(Value condition, Value count) {
  if (!condition)
    return count;
  return arith::SelectOp::create(builder, loc, condition, constant(0), count);
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

/// Writes the left operand to rows of `buffer`, from column `column` on.
void Lowering::packLeft(const Product &product, Tile base, const Buffer &buffer,
                        Value column) {
  RankedTensorType type = cast<RankedTensorType>(product.left.getType());
  int64_t rowDim = type.getRank() - 2, depthDim = type.getRank() - 1;
  Buffer rows = buffer;
  builder.restoreInsertionPoint(points.back());
  rows.pointer = address(buffer.pointer, product.compute, column);
  int64_t depth = type.getDimSize(depthDim);
  Width width =
      depth == 1 ? 1 : chooseWidth(product.compute, depth, product.left);
  bool single = !width.scalable && width.lanes == 1;
  SmallVector<int64_t> outer = {rowDim};
  if (single)
    outer.push_back(depthDim);
  auto pack = [&](const Tile &tile) {
    Value values = evaluateAll(product.left, tile).front();
    Tile target = tile;
    if (product.batched) {
      target.coordinates.erase(target.coordinates.begin());
      target.vectorDim -= tile.vectorDim >= 0;
    }
    Buffer part = rows;
    for (Value value : partsOf(product, values)) {
      writeBuffer(part, target, value);
      part.pointer = address(part.pointer, product.compute,
                             constant(product.rows * buffer.strides[0]));
    }
  };
  // What a gathered position takes of its column alone (divisions by the sizes
  // of a filter) is computed once for all rows.
  if (!single && product.left.getDefiningOp<sg::GatherOp>()) {
    Tile tile = base;
    tile.vectorDim = depthDim;
    tile.width = width;
    Value start = openLoop(constant(0), constant(depth), laneCount(width));
    tile.coordinates[depthDim] = {start, this->depth(), depthDim};
    Value row = openLoop(constant(0), constant(product.rows), 1);
    tile.coordinates[rowDim] = {row, this->depth(), rowDim};
    pack(tile);
    closeLoop();
    closeLoop();
    return;
  }
  emitGroups(base, type.getShape(), outer, single ? -1 : depthDim, width,
             /*vectors=*/1, product.left, {},
             [&](ArrayRef<Tile> tiles) { llvm::for_each(tiles, pack); });
}

/// The matrices that the unit reads an operand from, or its elements in the
/// type of the computation.
SmallVector<Value> Lowering::partsOf(const Product &product, Value elements) {
  builder.restoreInsertionPoint(points.back());
  if (product.parts() == 1) {
    Value stored = convert(elements, product.compute);
    auto truncation = stored.getDefiningOp<arith::TruncFOp>();
    if (truncation && product.unit && product.step.flushes)
      truncation->setAttr(kMayFlush, builder.getUnitAttr());
    return {stored};
  }
  ImplicitLocOpBuilder b(loc, builder);
  b.restoreInsertionPoint(builder.saveInsertionPoint());
  SmallVector<Value> parts = product.unit->split(b, product.step, elements);
  builder.restoreInsertionPoint(b.saveInsertionPoint());
  return parts;
}

/// As `packRight`, for an operand whose columns are contiguous and not its
/// rows: it is transposed in registers.
void Lowering::packRightAcross(const Product &product, Tile base,
                               const Operands &operands, Value row) {
  RankedTensorType type = cast<RankedTensorType>(product.right.getType());
  int64_t depthDim = type.getRank() - 2, columnDim = type.getRank() - 1;
  int64_t width = product.width.lanes * product.vectors;
  int64_t interleave = product.unit ? product.step.interleave : 1;
  // The place of a tile's first element, of part `part`.
  auto placeOf = [&](const Tile &tile, int64_t part) {
    Value column = tile.coordinates[columnDim].start;
    Value within =
        builder.createOrFold<arith::RemUIOp>(loc, column, constant(width));
    Value panel = arith::SubIOp::create(builder, loc, column, within);
    panel = arith::MulIOp::create(builder, loc, panel, operands.panelRows);
    Value line = arith::AddIOp::create(builder, loc, row,
                                       tile.coordinates[depthDim].start);
    Value between =
        builder.createOrFold<arith::RemUIOp>(loc, line, constant(interleave));
    line = arith::SubIOp::create(builder, loc, line, between);
    line = arith::MulIOp::create(builder, loc, line, constant(width));
    Value offset = arith::AddIOp::create(builder, loc, panel, line);
    within =
        builder.createOrFold<arith::MulIOp>(loc, within, constant(interleave));
    offset = arith::AddIOp::create(builder, loc, offset, within);
    offset = builder.createOrFold<arith::AddIOp>(loc, offset, between);
    offset = builder.createOrFold<arith::AddIOp>(
        loc, offset, constant(part * product.columns * operands.capacity));
    return address(operands.right.pointer, product.compute, offset);
  };
  unsigned alignment = product.compute.getIntOrFloatBitWidth() / 8;
  auto pack = [&](const Tile &tile) {
    SmallVector<Value> parts =
        partsOf(product, evaluateAll(product.right, tile).front());
    for (auto [part, value] : llvm::enumerate(parts)) {
      Value place = placeOf(tile, part), stored = toMemory(value);
      if (interleave == 1) {
        LLVM::StoreOp::create(builder, loc, stored, place, alignment);
        continue;
      }
      Value places = arith::MulIOp::create(
          builder, loc, step(builder.getI64Type(), tile.width),
          vectorOf(constant(interleave), tile));
      auto pointers = vectorType(tile.width, place.getType());
      scatterLanes(stored,
                   LLVM::GEPOp::create(builder, loc, pointers,
                                       getElementTypeOrSelf(stored.getType()),
                                       place, ArrayRef<LLVM::GEPArg>{places}),
                   tile, {});
    }
  };
  auto packGroup = [&](ArrayRef<Tile> tiles) {
    if (interleave == 1 || tiles.size() == 1) {
      llvm::for_each(tiles, pack);
      return;
    }
    auto parts = crossedLines(product, tiles.front(), interleave);
    builder.restoreInsertionPoint(points.back());
    for (auto [part, lines] : llvm::enumerate(parts))
      for (auto [number, line] : llvm::enumerate(lines))
        LLVM::StoreOp::create(builder, loc, line,
                              placeOf(tiles[number * interleave], part),
                              alignment);
  };
  // Lines that the unit does not interleave are packed alike one by one:
  // several at once would be as many times the code.
  int64_t vectors = interleave > 1 ? product.vectors : 1;
  emitGroups(base, type.getShape(), {depthDim}, columnDim, product.width,
             vectors, product.right, {}, packGroup);
}

/// Up to which column, at most `whole` and a whole panel's first, the indices
/// of the right operand's columns are seen not to wrap; null where there are
/// none.
Value Lowering::columnsInARow(const Product &product, Value whole) {
  int64_t rank = cast<RankedTensorType>(product.right.getType()).getRank();
  SmallVector<Value> indices;
  SmallVector<int64_t> identity = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  forEachRead(product.right, identity, [&](Value read, ArrayRef<int64_t> dims) {
    auto load = read.getDefiningOp<sg::LoadOp>();
    if (!load || buffers.contains(read) || views.contains(load))
      return;
    for (auto [position, dim] : llvm::enumerate(dims))
      if (dim == rank - 1 && load.getIndexOf(position) &&
          isContiguous(read, position))
        indices.push_back(load.getIndexOf(position));
  });
  if (indices.empty() || product.columns == 1)
    return {};
  Value end = roundDown(whole, product.width, product.vectors);
  end = arith::MaxSIOp::create(builder, loc, end, constant(0));
  Value last = arith::SubIOp::create(builder, loc, end, constant(1));
  last = arith::MaxSIOp::create(builder, loc, last, constant(0));
  for (Value index : indices)
    end = arith::SelectOp::create(builder, loc, doesNotWrap(index, last), end,
                                  constant(0));
  return end;
}

/// Fills the rows of the right operand's panels that register tiles multiply by
/// zeros, because they take several steps at once: those from `from` on.
void Lowering::packZeroRows(const Product &product, const Operands &operands,
                            Value row, Value from, Value columns) {
  Value width = laneCount(product.width, product.vectors);
  Value end = arith::MinSIOp::create(builder, loc, constant(product.depth),
                                     roundUp(from, kStepsTogether));
  Value k = openLoop(from, end, 1);
  Value first = openLoop(constant(0), columns, width);
  Value place = arith::MulIOp::create(builder, loc, first, operands.panelRows);
  Value line = arith::AddIOp::create(builder, loc, row, k);
  line = arith::MulIOp::create(builder, loc, line, width);
  place = arith::AddIOp::create(builder, loc, place, line);
  Type type = product.compute;
  if (product.columns > 1)
    type = vectorType(product.width, type);
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  for (int64_t vector = 0; vector < product.vectors; ++vector) {
    Value at = arith::AddIOp::create(builder, loc, place,
                                     laneCount(product.width, vector));
    LLVM::StoreOp::create(builder, loc, zero,
                          address(operands.right.pointer, product.compute, at),
                          product.compute.getIntOrFloatBitWidth() / 8);
  }
  closeLoop();
  closeLoop();
}

/// Writes the right operand to panels of `operands`, from row `row` of each on.
/// A panel is all rows of as many columns as the register tile. A few rows are
/// written to all panels before the next few, so that memory is read along its
/// rows and the panels are still written in runs.
void Lowering::packRight(const Product &product, Tile base,
                         const Operands &operands, Value row) {
  RankedTensorType type = cast<RankedTensorType>(product.right.getType());
  int64_t depthDim = type.getRank() - 2, columnDim = type.getRank() - 1;
  Value width = laneCount(product.width, product.vectors);
  int64_t interleave = product.unit ? product.step.interleave : 1;
  bool crosses =
      product.columns > 1 && findCrossing(product.right, type.getShape(),
                                          {depthDim}, columnDim, product.width)
                                     .dim >= 0;
  if (crosses &&
      (interleave == 1 || liesAcross(product.right, columnDim, depthDim)))
    return packRightAcross(product, base, operands, row);
  SmallVector<KnownBounds> depthBounds;
  SmallVector<int64_t> identity =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  collectBounds(product.right, identity, depthDim, depthBounds);
  builder.restoreInsertionPoint(points.back());
  Value end = interiorEnd(product.right, type.getShape(), columnDim, {});
  Value needed = atMost(product.columns, operands.columns), whole = needed;
  if (end) {
    whole = roundDown(end, product.width, product.vectors);
    if (operands.columns)
      whole = arith::MinSIOp::create(builder, loc, whole, needed);
  }
  Value straight = columnsInARow(product, whole);
  auto panels = [&](Value from, Value to, Value low, Value high, bool interior,
                    bool unwrapped = false) {
    Value first = openLoop(from, to, width);
    unsigned panelDepth = depth();
    Value panel =
        arith::MulIOp::create(builder, loc, first, operands.panelRows);
    Value k = openLoop(low, high, interleave);
    Value position = arith::AddIOp::create(builder, loc, row, k);
    position = arith::MulIOp::create(builder, loc, position, width);
    position = arith::AddIOp::create(builder, loc, panel, position);
    auto elements = [&](int64_t vector, int64_t line) {
      Tile tile = base;
      builder.restoreInsertionPoint(points.back());
      Value at = builder.createOrFold<arith::AddIOp>(loc, k, constant(line));
      tile.coordinates[depthDim] = {at, depth(), depthDim};
      builder.restoreInsertionPoint(points[panelDepth]);
      Value start = builder.createOrFold<arith::AddIOp>(
          loc, first, laneCount(product.width, vector));
      tile.coordinates[columnDim] = {start, panelDepth, columnDim};
      tile.vectorDim = product.columns == 1 ? -1 : columnDim;
      tile.width = product.columns == 1 ? Width(1) : product.width;
      tile.interior = interior;
      tile.unwrapped = unwrapped;
      return partsOf(product, evaluateAll(product.right, tile).front());
    };
    for (int64_t vector = 0; vector < product.vectors; ++vector) {
      SmallVector<SmallVector<Value>> lines(product.parts());
      for (int64_t line = 0; line < interleave; ++line)
        for (auto [part, value] : llvm::enumerate(elements(vector, line)))
          lines[part].push_back(toMemory(value));
      Value offset = arith::AddIOp::create(builder, loc, position,
                                           laneCount(product.width, vector));
      Value place = address(operands.right.pointer, product.compute, offset);
      for (ArrayRef<Value> part : lines) {
        LLVM::StoreOp::create(builder, loc, interleaved(part), place,
                              product.compute.getIntOrFloatBitWidth() / 8);
        place = address(place, product.compute,
                        constant(product.columns * operands.capacity));
      }
    }
    closeLoop();
    closeLoop();
  };
  auto rows = [&](Value low, Value high, const KnownBounds *known) {
    Value group = openLoop(low, high, kRowsAtOnce);
    knownBounds[depthDim] = known ? *known : KnownBounds();
    Value next =
        arith::AddIOp::create(builder, loc, group, constant(kRowsAtOnce));
    next = arith::MinSIOp::create(builder, loc, next, high);
    if (straight)
      panels(constant(0), straight, group, next, true, true);
    panels(straight ? straight : constant(0), whole, group, next, true);
    if (end)
      panels(whole, needed, group, next, false);
    closeLoop();
    knownBounds[depthDim] = {};
  };
  bool split =
      depthBounds.size() == 1 && isConstantIntValue(depthBounds.front().low, 0);
  Value high =
      split ? scalar(depthBounds.front().high) : constant(product.depth);
  if (split && interleave > 1)
    high = arith::AndIOp::create(builder, loc, high, constant(-interleave));
  rows(constant(0), high, split ? &depthBounds.front() : nullptr);
  if (split && endTogether(product))
    packZeroRows(product, operands, row, high, needed);
  else if (split)
    rows(high, constant(product.depth), nullptr);
}

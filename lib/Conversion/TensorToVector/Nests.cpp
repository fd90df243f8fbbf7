//===- Nests.cpp - loops over the tiles of a block
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <set>

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

void Lowering::openNest() {
  assert(!nestOpen && "nests do not nest");
  nestOpen = true;
  ++nests;
  points.assign(1, builder.saveInsertionPoint());
}

void Lowering::closeNest() {
  assert(loops.empty() && "a loop is still open");
  nestOpen = false;
  builder.restoreInsertionPoint(points.front());
  points.clear();
  knownBounds.clear();
  cache.clear();
  // Computed before this nest, they need not be known where the next one is.
  nextRows.clear();
}

Value Lowering::openLoop(Value lower, Value upper, Value step,
                         ValueRange inits) {
  builder.restoreInsertionPoint(points.back());
  auto loop = scf::ForOp::create(builder, loc, lower, upper, step, inits);
  points.back() =
      OpBuilder::InsertPoint(loop->getBlock(), Block::iterator(loop));
  Block *body = loop.getBody();
  bool terminated =
      !body->empty() && body->back().hasTrait<OpTrait::IsTerminator>();
  points.emplace_back(body,
                      terminated ? Block::iterator(body->back()) : body->end());
  loops.push_back(loop);
  builder.restoreInsertionPoint(points.back());
  return loop.getInductionVar();
}

ValueRange Lowering::closeLoop(ValueRange yielded) {
  scf::ForOp loop = loops.pop_back_val();
  if (!yielded.empty()) {
    builder.restoreInsertionPoint(points.back());
    scf::YieldOp::create(builder, loc, yielded);
  }
  // What was computed in the loop is known only there: a later loop may come to
  // the same tile, for a coordinate can be a constant.
  for (auto known = cache.begin(); known != cache.end();) {
    Region *where = known->second.value.getParentRegion();
    known = loop.getRegion().isAncestor(where) ? cache.erase(known)
                                               : std::next(known);
  }
  points.pop_back();
  points.back() = OpBuilder::InsertPoint(loop->getBlock(),
                                         std::next(Block::iterator(loop)));
  builder.restoreInsertionPoint(points.back());
  return loop.getResults();
}

/// Opens a branch in the nest, as a depth of its own, and its first side. What
/// is evaluated on a side is known only there.
scf::IfOp Lowering::openBranch(Value condition, TypeRange types,
                               bool otherwise) {
  builder.restoreInsertionPoint(points.back());
  auto branch = scf::IfOp::create(builder, loc, types, condition, otherwise);
  points.back() =
      OpBuilder::InsertPoint(branch->getBlock(), Block::iterator(branch));
  for (Region &region : branch->getRegions())
    if (!region.empty() && types.size() != 0)
      while (!region.front().empty())
        region.front().back().erase();
  cachesOutside.push_back(cache);
  loops.push_back({});
  points.emplace_back();
  openSide(branch.thenBlock());
  return branch;
}

void Lowering::openSide(Block *block) {
  bool terminated =
      !block->empty() && block->back().hasTrait<OpTrait::IsTerminator>();
  points.back() = OpBuilder::InsertPoint(
      block, terminated ? Block::iterator(block->back()) : block->end());
  builder.restoreInsertionPoint(points.back());
}

void Lowering::openOtherBranch(scf::IfOp branch) {
  cache = cachesOutside.back();
  openSide(branch.elseBlock());
}

ValueRange Lowering::closeBranch(scf::IfOp branch) {
  cache = cachesOutside.pop_back_val();
  loops.pop_back();
  points.pop_back();
  points.back() = OpBuilder::InsertPoint(branch->getBlock(),
                                         std::next(Block::iterator(branch)));
  builder.restoreInsertionPoint(points.back());
  return branch.getResults();
}

bool Lowering::isFull(Value low, Value high, int64_t size) const {
  APInt value;
  if (!matchPattern(low, m_ConstantInt(&value)) || value.getSExtValue() > 0)
    return false;
  return matchPattern(high, m_ConstantInt(&value)) &&
         value.getSExtValue() >= size;
}

/// The dimension along which the reads of an expression are contiguous; the
/// last one that is longer than one where no read has an opinion.
int64_t Lowering::chooseVectorDim(Value value) const {
  RankedTensorType type = typeOf(value);
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim)
    if (type.getDimSize(dim) > 1)
      return dim;
  return -1;
}

/// The first element of a block, from which loops start.
Tile Lowering::originOf(size_t rank) {
  Tile tile;
  tile.coordinates.assign(rank, {constant(0), 0, -1});
  knownBounds.assign(rank, {});
  return tile;
}

/// Opens one loop for each of `dims` and moves the tile along with them.
void Lowering::openLoops(Tile &tile, ArrayRef<int64_t> shape,
                         ArrayRef<int64_t> dims, ArrayRef<KnownBounds> bounds) {
  for (int64_t dim : dims) {
    bool bounded = !bounds.empty() && bounds[dim].low &&
                   !isFull(bounds[dim].low, bounds[dim].high, shape[dim]);
    if (shape[dim] == 1 && !bounded)
      continue;
    Value low = bounded ? scalar(bounds[dim].low) : constant(0);
    Value high = bounded ? scalar(bounds[dim].high) : constant(shape[dim]);
    if (bounded)
      knownBounds[dim] = bounds[dim];
    Value coordinate = openLoop(low, high, 1);
    tile.coordinates[dim] = {coordinate, depth(), dim};
  }
}

namespace {
/// A walk over the reads of an expression. What is read twice at the same
/// position is visited once.
struct ReadWalk {
  const DenseMap<Value, Buffer> &buffers;
  function_ref<void(Value, ArrayRef<int64_t>)> visit, leaf;
  std::set<std::pair<void *, std::vector<int64_t>>> seen;

  void walk(Value value, ArrayRef<int64_t> nestDims);
};
} // namespace

void ReadWalk::walk(Value value, ArrayRef<int64_t> nestDims) {
  if (!isBlock(value) ||
      !seen.insert({value.getAsOpaquePointer(), nestDims.vec()}).second)
    return;
  if (buffers.contains(value))
    return visit(value, nestDims);
  Operation *op = value.getDefiningOp();
  if (auto broadcast = dyn_cast<linalg::BroadcastOp>(op)) {
    SmallVector<int64_t> source;
    for (auto [position, nestDim] : llvm::enumerate(nestDims))
      if (!llvm::is_contained(broadcast.getDimensions(),
                              static_cast<int64_t>(position)))
        source.push_back(nestDim);
    return walk(broadcast.getInput(), source);
  }
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op)) {
    SmallVector<int64_t> source(nestDims.size());
    for (auto [position, sourceDim] :
         llvm::enumerate(transpose.getPermutation()))
      source[sourceDim] = nestDims[position];
    return walk(transpose.getInput(), source);
  }
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op)) {
    SmallVector<int64_t> source, wide;
    for (auto [size, nestDim] : llvm::zip(typeOf(value).getShape(), nestDims))
      if (size != 1)
        wide.push_back(nestDim);
    size_t next = 0;
    for (int64_t size : typeOf(op->getOperand(0)).getShape())
      source.push_back(size == 1 ? -1 : wide[next++]);
    return walk(op->getOperand(0), source);
  }
  bool alike = isa<tensor::SplatOp, tensor::EmptyOp, arith::ConstantOp>(op) ||
               op->hasTrait<OpTrait::Elementwise>();
  if (leaf && !isa<sg::LoadOp>(op) && (!alike || isa<arith::CmpIOp>(op)))
    leaf(value, nestDims);
  if (auto take = dyn_cast<sg::TakeOp>(op))
    return walk(take.getIndices(), nestDims);
  if (auto load = dyn_cast<sg::LoadOp>(op)) {
    visit(value, nestDims);
    if (load.getMask())
      walk(load.getMask(), nestDims);
    if (load.getOther())
      walk(load.getOther(), nestDims);
    return;
  }
  for (Value operand : op->getOperands())
    if (auto type = dyn_cast<RankedTensorType>(operand.getType());
        type && type.getRank() == static_cast<int64_t>(nestDims.size()))
      walk(operand, nestDims);
}

void Lowering::forEachRead(Value value, ArrayRef<int64_t> nestDims, Visit visit,
                           Visit leaf) {
  ReadWalk{buffers, visit, leaf, {}}.walk(value, nestDims);
}

/// The bounds that reads of `value` have along `dim` of the nest.
void Lowering::collectBounds(Value value, ArrayRef<int64_t> nestDims,
                             int64_t dim,
                             SmallVectorImpl<KnownBounds> &bounds) {
  forEachRead(value, nestDims, [&](Value read, ArrayRef<int64_t> dims) {
    auto load = read.getDefiningOp<sg::LoadOp>();
    if (!load || buffers.contains(read))
      return;
    ArrayRef<int64_t> shape = typeOf(read).getShape();
    for (auto [position, nestDim] : llvm::enumerate(dims)) {
      Value low = load.getLows()[position], high = load.getHighs()[position];
      if (nestDim == dim && !isFull(low, high, shape[position]))
        bounds.push_back({low, high});
    }
  });
}

Value Lowering::interiorEnd(ValueRange readers, ArrayRef<int64_t> shape,
                            int64_t dim, ArrayRef<KnownBounds> own) {
  SmallVector<KnownBounds> bounds(own);
  SmallVector<int64_t> identity =
      llvm::to_vector(llvm::seq<int64_t>(0, shape.size()));
  for (Value reader : readers)
    collectBounds(reader, identity, dim, bounds);
  Value end;
  llvm::SmallDenseSet<std::pair<Value, Value>> done;
  for (const KnownBounds &bound : bounds) {
    if (!done.insert({bound.low, bound.high}).second)
      continue;
    Value high = scalar(bound.high);
    // A read that starts late leaves no interior: all of it is masked.
    if (!matchPattern(bound.low, m_Zero())) {
      Value starts =
          arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle,
                                scalar(bound.low), constant(0));
      high = arith::SelectOp::create(builder, loc, starts, high, constant(0));
    }
    end = end ? arith::MinSIOp::create(builder, loc, end, high).getResult()
              : high;
  }
  return end;
}

/// Up to which position of its block `comparison` holds, as i64: 0 or less
/// where it does not hold at the first, or where positions are computed with a
/// carry into the sign.
Value Lowering::passingOf(const Comparison &comparison) {
  using Relation = arith::CmpIPredicate;
  Value end = asI64(scalar(comparison.end)), fails;
  Value from = constant(comparison.offset);
  // The difference of two numbers of 64 bits may wrap, unless both are less
  // than half of the largest.
  unsigned bits = comparison.end.getType().getIntOrFloatBitWidth();
  int64_t largest = llvm::maxIntN(std::min<unsigned>(bits, 62));
  if (bits > 62)
    fails = arith::CmpIOp::create(builder, loc, Relation::slt, end,
                                  constant(-largest));
  if (comparison.from) {
    from = arith::AddIOp::create(builder, loc, from,
                                 asI64(scalar(comparison.from)));
    Value carries = arith::CmpIOp::create(builder, loc, Relation::sgt, from,
                                          constant(largest - comparison.size));
    fails =
        fails ? arith::OrIOp::create(builder, loc, fails, carries) : carries;
  }
  Value holds = builder.createOrFold<arith::SubIOp>(loc, end, from);
  if (!fails)
    return holds;
  return arith::SelectOp::create(builder, loc, fails, constant(0), holds);
}

/// Lowers `end`, up to which nothing is masked along `dim`, so that all
/// comparisons of positions hold up to it as well; false where that is not
/// known.
bool Lowering::passesWithin(ValueRange readers, ArrayRef<int64_t> shape,
                            int64_t dim, Value &end) {
  SmallVector<Comparison> comparisons;
  SmallVector<int64_t> identity =
      llvm::to_vector(llvm::seq<int64_t>(0, shape.size()));
  bool known = true;
  for (Value reader : readers)
    forEachRead(
        reader, identity, [](Value, ArrayRef<int64_t>) {},
        [&](Value leaf, ArrayRef<int64_t> dims) {
          // A butterfly reads at other positions.
          known &= !leaf.getDefiningOp<sg::ButterflyOp>();
          auto comparison = comparisonOf(leaf.getDefiningOp());
          if (!comparison)
            return;
          known &= dims.front() == dim &&
                   comparison->end.getType().getIntOrFloatBitWidth() <= 32;
          comparisons.push_back(*comparison);
        });
  if (!known || comparisons.empty())
    return false;
  for (const Comparison &comparison : comparisons) {
    Value holds = arith::MaxSIOp::create(builder, loc, passingOf(comparison),
                                         constant(0));
    end = arith::MinSIOp::create(builder, loc, end, holds);
  }
  return true;
}

Lowering::Extent Lowering::extentOf(ValueRange readers, ArrayRef<int64_t> shape,
                                    int64_t dim, ArrayRef<KnownBounds> own) {
  Extent extent{interiorEnd(readers, shape, dim, own), {}};
  if (!extent.interior)
    return extent;
  extent.passes = passesWithin(readers, shape, dim, extent.interior);
  SmallVector<int64_t> identity =
      llvm::to_vector(llvm::seq<int64_t>(0, shape.size()));
  llvm::SmallSetVector<Value, 4> highs;
  for (const KnownBounds &bounds : own)
    highs.insert(bounds.high);
  bool alike = true;
  auto visit = [&](Value read, ArrayRef<int64_t> dims) {
    auto load = read.getDefiningOp<sg::LoadOp>();
    for (auto [position, nestDim] : llvm::enumerate(dims)) {
      if (nestDim != dim)
        continue;
      bool masked = load && !buffers.contains(read) &&
                    !isFull(load.getLows()[position], load.getHighs()[position],
                            typeOf(read).getDimSize(position));
      if (masked)
        highs.insert(load.getHighs()[position]);
      alike &= masked;
    }
  };
  auto leaf = [&](Value value, ArrayRef<int64_t> dims) {
    if (!isa<arith::CmpIOp>(value.getDefiningOp()))
      alike &= !llvm::is_contained(dims, dim);
  };
  for (Value reader : readers)
    forEachRead(reader, identity, visit, leaf);
  if (!alike)
    return extent;
  for (Value high : highs)
    extent.beyond =
        extent.beyond
            ? arith::MaxSIOp::create(builder, loc, extent.beyond, scalar(high))
                  .getResult()
            : scalar(high);
  return extent;
}

/// The comparisons of positions along `dim` that evaluating `values` takes.
SmallVector<Comparison>
Lowering::collectComparisons(ValueRange values, int64_t rank, int64_t dim) {
  SmallVector<Comparison> found;
  SmallVector<int64_t> identity = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  for (Value value : values)
    forEachRead(
        value, identity, [](Value, ArrayRef<int64_t>) {},
        [&](Value leaf, ArrayRef<int64_t> dims) {
          auto comparison = comparisonOf(leaf.getDefiningOp());
          if (comparison && dims.front() == dim)
            found.push_back(*comparison);
        });
  return found;
}

/// A block's shape, for people.
static std::string textOf(ArrayRef<int64_t> shape) {
  return "[" +
         llvm::join(
             llvm::map_range(shape,
                             [](int64_t size) { return std::to_string(size); }),
             ", ") +
         "]";
}

void Lowering::noteVectors(ArrayRef<int64_t> shape, int64_t vectorDim,
                           Width width, bool isMasked, StringRef more) {
  noteDecision(
      loc, "loop", "{0}: vectors of {1}{2} along dimension {3}, {4}{5}",
      textOf(shape), width.lanes, width.scalable ? " x vscale" : "", vectorDim,
      isMasked ? "masked behind the last whole one in bounds"
               : "without masks for bounds",
      more);
}

/// Inside of an open nest: loops over `outerDims` and, innermost, strips of
/// vectors along `vectorDim`.
void Lowering::emitTiles(Tile tile, ArrayRef<int64_t> shape,
                         ArrayRef<int64_t> outerDims, int64_t vectorDim,
                         Width width, ValueRange readers,
                         ArrayRef<KnownBounds> bounds, TileBody body,
                         BeyondBody beyond) {
  size_t outside = loops.size();
  openLoops(tile, shape, outerDims, bounds);
  bool passes = false;
  auto strip = [&](Value from, Value to, bool interior) {
    Value start = openLoop(from, to, laneCount(width));
    tile.coordinates[vectorDim] = {start, depth(), vectorDim};
    tile.interior = interior;
    tile.passesComparisons = interior && passes;
    body(tile);
    closeLoop();
  };
  if (vectorDim < 0) {
    noteDecision(loc, "loop", "{0}: element by element", textOf(shape));
    body(tile);
  } else {
    tile.vectorDim = vectorDim;
    tile.width = width;
    int64_t size = shape[vectorDim];
    SmallVector<KnownBounds> own;
    if (!bounds.empty() && bounds[vectorDim].low &&
        !isFull(bounds[vectorDim].low, bounds[vectorDim].high, size))
      own.push_back(bounds[vectorDim]);
    Extent extent = extentOf(readers, shape, vectorDim, own);
    passes = extent.passes;
    noteVectors(shape, vectorDim, width, bool(extent.interior));
    if (!extent.interior) {
      strip(constant(0), constant(size), true);
    } else {
      Value whole = roundDown(extent.interior, width);
      Value edge = own.empty() ? constant(size) : scalar(own.front().high);
      bool skips = beyond && extent.beyond;
      if (skips) {
        edge = roundUp(extent.beyond, width);
        edge = arith::MinSIOp::create(builder, loc, edge, constant(size));
        edge = arith::MaxSIOp::create(builder, loc, edge, whole);
      }
      strip(constant(0), whole, true);
      strip(whole, edge, false);
      if (skips)
        emitBeyond(tile, size, edge, beyond);
    }
  }
  while (loops.size() > outside)
    closeLoop();
}

/// Calls `beyond` with the last tile along the vector dimension, which is like
/// each from `edge` on, and with the others of those.
void Lowering::emitBeyond(Tile tile, int64_t size, Value edge,
                          BeyondBody beyond) {
  Value last = builder.createOrFold<arith::SubIOp>(loc, constant(size),
                                                   laneCount(tile.width));
  Value any = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt,
                                    edge, constant(size));
  scf::IfOp branch = openBranch(any, {}, /*otherwise=*/false);
  tile.coordinates[tile.vectorDim] = {last, depth(), tile.vectorDim};
  tile.interior = tile.passesComparisons = false;
  beyond(tile, [&](function_ref<void(const Tile &)> body) {
    Value start = openLoop(edge, constant(size), laneCount(tile.width));
    tile.coordinates[tile.vectorDim] = {start, depth(), tile.vectorDim};
    body(tile);
    closeLoop();
  });
  closeBranch(branch);
}

void Lowering::forEachTile(ArrayRef<int64_t> shape, int64_t vectorDim,
                           Width width, ValueRange readers,
                           ArrayRef<KnownBounds> bounds,
                           function_ref<void(const Tile &)> body) {
  openNest();
  SmallVector<int64_t> outer;
  for (int64_t dim = 0, rank = shape.size(); dim < rank; ++dim)
    if (dim != vectorDim)
      outer.push_back(dim);
  emitTiles(originOf(shape.size()), shape, outer, vectorDim, width, readers,
            bounds, body);
  closeNest();
}

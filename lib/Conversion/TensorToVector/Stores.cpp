//===- Stores.cpp - stores, and those that one nest writes
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Stores of blocks of one shape that are computed of the same reads, such as
// the weight and the two moments of an optimizer, are one nest: what they share
// is read and computed once, and nothing of it goes through the scratch area.
//
// The nest writes the first vectors of all of them, then the next. That is the
// same as one after the other unless they overlap: then the nest runs once for
// each, and writes one at a time.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "Strided.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Streams that one nest writes at most.
static constexpr size_t kMostTogether = 4;
// Operations behind a store that are searched for others.
static constexpr int64_t kSearched = 128;

//===----------------------------------------------------------------------===//
// Which stores are one nest
//===----------------------------------------------------------------------===//

/// The dimension along which a write is contiguous, or mostly, else the last
/// that is longer than one.
static int64_t contiguousDim(sg::StoreOp op) {
  ArrayRef<int64_t> shape = typeOf(op.getValue()).getShape();
  int64_t best = -1, mostly = -1;
  for (int64_t dim = 0, rank = shape.size(); dim < rank; ++dim) {
    if (shape[dim] == 1)
      continue;
    if (isConstantIntValue(op.getStrides()[dim], 1) && !op.getIndexOf(dim))
      return dim;
    if (Value index = op.getIndexOf(dim); index && isMostlyConsecutive(index))
      mostly = dim;
    best = dim;
  }
  return mostly >= 0 ? mostly : best;
}

/// Adds the reads and blocks in memory that `value` is computed of, as far as
/// it is seen in its block.
static void collectSources(Value value, DenseSet<Value> &sources,
                           DenseSet<Value> &seen) {
  if (!isBlock(value) || !seen.insert(value).second)
    return;
  Operation *op = value.getDefiningOp();
  if (op &&
      isa<tensor::SplatOp, tensor::EmptyOp, arith::ConstantOp, sg::IotaOp>(op))
    return;
  if (!op || !isLazy(op) || isa<sg::LoadOp, sg::GatherOp>(op)) {
    sources.insert(value);
    return;
  }
  for (Value operand : op->getOperands())
    collectSources(operand, sources, seen);
}

static bool sharesSources(sg::StoreOp left, sg::StoreOp right) {
  DenseSet<Value> ofLeft, ofRight, seen;
  collectSources(left.getValue(), ofLeft, seen);
  seen.clear();
  collectSources(right.getValue(), ofRight, seen);
  return llvm::any_of(ofLeft,
                      [&](Value source) { return ofRight.contains(source); });
}

/// Returns true if `after` is `before` and one.
static bool isNext(Value before, Value after) {
  std::optional<int64_t> from = getConstantIntValue(before),
                         to = getConstantIntValue(after);
  if (from && to)
    return *to == *from + 1;
  auto sum = after.getDefiningOp<arith::AddIOp>();
  return sum && sum.getLhs() == before && isConstantIntValue(sum.getRhs(), 1);
}

bool vectorize::arePairs(sg::StoreOp even, sg::StoreOp odd) {
  return even.getStrides().size() == 1 &&
         typeOf(even.getValue()) == typeOf(odd.getValue()) &&
         even.getIndices().empty() && odd.getIndices().empty() &&
         even.getBase() == odd.getBase() &&
         isConstantIntValue(even.getStrides()[0], 2) &&
         isConstantIntValue(odd.getStrides()[0], 2) &&
         even.getLows() == odd.getLows() && even.getHighs() == odd.getHighs() &&
         isNext(even.getOffset(), odd.getOffset());
}

/// Returns true if one nest can run over what both write.
static bool alike(sg::StoreOp left, sg::StoreOp right) {
  auto same = [](ValueRange a, ValueRange b) { return llvm::equal(a, b); };
  RankedTensorType type = typeOf(left.getValue()),
                   other = typeOf(right.getValue());
  auto bits = [](RankedTensorType of) {
    return memoryType(of.getElementType()).isIntOrFloat()
               ? memoryType(of.getElementType()).getIntOrFloatBitWidth()
               : 64;
  };
  int64_t dim = contiguousDim(left);
  return type.getShape() == other.getShape() && bits(type) == bits(other) &&
         left.getIndices().empty() && right.getIndices().empty() && dim >= 0 &&
         dim == contiguousDim(right) &&
         isConstantIntValue(left.getStrides()[dim], 1) &&
         isConstantIntValue(right.getStrides()[dim], 1) &&
         same(left.getLows(), right.getLows()) &&
         same(left.getHighs(), right.getHighs());
}

static bool readsMemory(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        return isa<sg::LoadOp, sg::GatherOp, tt::LoadOp>(inner)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

SmallVector<SmallVector<sg::StoreOp>>
vectorize::findStoresTogether(func::FuncOp kernel) {
  SmallVector<SmallVector<sg::StoreOp>> found;
  DenseSet<Operation *> taken;
  kernel.walk([&](sg::StoreOp first) {
    if (!taken.insert(first).second)
      return;
    SmallVector<sg::StoreOp> stores = {first};
    int64_t searched = 0;
    for (Operation *op = first->getNextNode();
         op && searched < kSearched && stores.size() < kMostTogether;
         op = op->getNextNode(), ++searched) {
      auto store = dyn_cast<sg::StoreOp>(op);
      if (!store && !mayWrite(op) && !readsMemory(op))
        continue;
      bool pairs = store && arePairs(first, store);
      if (!store || (!pairs && !alike(first, store)) ||
          !sharesSources(first, store))
        break;
      taken.insert(store);
      stores.push_back(store);
      if (pairs)
        break;
    }
    found.push_back(stores);
  });
  return found;
}

//===----------------------------------------------------------------------===//
// The nest
//===----------------------------------------------------------------------===//

/// Writes the values of `stores` at `tiles`. All of them are evaluated before
/// any is written.
void Lowering::emitStoreTiles(ArrayRef<Written> stores, ArrayRef<Tile> tiles) {
  SmallVector<SmallVector<Lanes>> values(stores.size());
  SmallVector<SmallVector<Predicate>> predicates(stores.size());
  for (auto [index, tile] : llvm::enumerate(tiles)) {
    for (auto [number, store] : llvm::enumerate(stores)) {
      sg::StoreOp op = store.op;
      ArrayRef<int64_t> shape = typeOf(op.getValue()).getShape();
      prefetchesOnlyNext = storesRow =
          shape.size() == 1 && shape.front() >= kLongRow && tile.interior;
      if (storesRow)
        prefetches = index;
      values[number].push_back(evaluate(op.getValue(), tile));
      prefetchesOnlyNext = storesRow = false;
      prefetches.reset();
      predicates[number].push_back(
          boundsOf(tile, op.getLows(), op.getHighs(), shape, op.getMask()));
    }
  }
  builder.restoreInsertionPoint(points.back());
  bool masked = llvm::any_of(predicates.front(),
                             [](Predicate p) { return p.scalar || p.vector; });
  for (Predicate predicate : predicates.back())
    masked |= predicate.scalar || predicate.vector;
  const Tile &first = tiles.front();
  if (stores.size() == 2 && arePairs(stores[0].op, stores[1].op) && !masked &&
      first.vectorDim == 0 && !first.width.scalable && first.width.lanes > 1) {
    sg::StoreOp op = stores[0].op;
    SmallVector<Value> strides = {scalar(op.getStrides()[0])};
    for (auto [tile, even, odd] : llvm::zip(tiles, values[0], values[1])) {
      Value left = toMemory(spread(even, tile)),
            right = toMemory(spread(odd, tile));
      Type element = getElementTypeOrSelf(left.getType());
      Value offset = offsetOf(
          tile, scalar(op.getOffset()), strides,
          [](int64_t) { return Value(); }, /*skipVectorDim=*/false);
      writeInterleaved(builder, loc, left, right,
                       address(scalar(op.getBase()), element, offset),
                       element.getIntOrFloatBitWidth() / 8);
    }
    return;
  }
  for (auto [number, store] : llvm::enumerate(stores))
    writeTiles(store, tiles, values[number], predicates[number]);
}

int64_t Lowering::writtenDim(ArrayRef<Written> stores) const {
  return contiguousDim(stores.front().op);
}

/// What evaluating `stores` takes.
template <typename Range> static SmallVector<Value> readersOf(Range stores) {
  SmallVector<Value> readers;
  for (auto &store : stores) {
    sg::StoreOp op = store.op;
    readers.push_back(op.getValue());
    if (op.getMask())
      readers.push_back(op.getMask());
  }
  return readers;
}

Width Lowering::writtenWidth(ArrayRef<Written> stores, int64_t dim) {
  SmallVector<Value> readers = readersOf(stores);
  std::optional<Width> least;
  for (const Written &store : stores) {
    Value value = sg::StoreOp(store.op).getValue();
    Width width = writtenWidth(value, typeOf(value).getDimSize(dim), readers);
    if (!least || (width.scalable && !least->scalable) ||
        (width.scalable == least->scalable && width.lanes < least->lanes))
      least = width;
  }
  return *least;
}

void Lowering::emitStoreNest(ArrayRef<Written> stores) {
  sg::StoreOp op = stores.front().op;
  ArrayRef<int64_t> shape = typeOf(op.getValue()).getShape();
  SmallVector<KnownBounds> bounds;
  for (auto [low, high] : llvm::zip(op.getLows(), op.getHighs()))
    bounds.push_back({low, high});
  int64_t vectorDim = writtenDim(stores);
  Width width = vectorDim < 0 ? 1 : writtenWidth(stores, vectorDim);
  SmallVector<int64_t> outer =
      llvm::to_vector(llvm::seq<int64_t>(0, shape.size()));
  llvm::erase(outer, vectorDim);
  int64_t bits = memoryType(lowered(typeOf(op.getValue()).getElementType()))
                     .getIntOrFloatBitWidth();
  int64_t perLine = std::max<int64_t>(kLineBits / (bits * width.lanes), 1);
  SmallVector<Value> readers = readersOf(stores);
  openNest();
  emitGroups(originOf(shape.size()), shape, outer, vectorDim, width, perLine,
             readers, bounds,
             [&](ArrayRef<Tile> tiles) { emitStoreTiles(stores, tiles); });
  closeNest();
}

/// Emits the nest of `stores`: one that reads from `copies` where
/// `conflict` holds, and one in which reads that find one number, such as the
/// bias of a channel, take it once.
void Lowering::emitStoreVersions(
    ArrayRef<Written> stores, Value conflict,
    ArrayRef<std::pair<sg::LoadOp, Buffer>> copies) {
  OpBuilder::InsertionGuard guard(builder);
  if (conflict) {
    auto branch =
        scf::IfOp::create(builder, loc, conflict, /*withElseRegion=*/true);
    builder.setInsertionPointToStart(branch.thenBlock());
    for (auto [load, copy] : copies)
      buffers[sg::LoadOp(load).getResult()] = copy;
    emitStoreNest(stores);
    for (auto [load, copy] : copies)
      buffers.erase(sg::LoadOp(load).getResult());
    builder.setInsertionPointToStart(branch.elseBlock());
  }
  SmallVector<sg::LoadOp> once;
  Value isOne = readOnce(readersOf(stores), once);
  if (isOne) {
    auto branch =
        scf::IfOp::create(builder, loc, isOne, /*withElseRegion=*/true);
    builder.setInsertionPointToStart(branch.thenBlock());
    openNest();
    for (sg::LoadOp load : once) {
      Tile first = originOf(1);
      first.coordinates[0].start = scalar(load.getLows()[0]);
      first.insideDim = 0;
      oneNumber[load] = evaluateLoad(load, first).value;
    }
    closeNest();
    emitStoreNest(stores);
    oneNumber.clear();
    builder.setInsertionPointToStart(branch.elseBlock());
  }
  emitStoreNest(stores);
}

LogicalResult Lowering::emitStore(sg::StoreOp op) {
  ArrayRef<sg::StoreOp> together = plan.writtenTogether(op);
  if (op != together.back())
    return success();
  Value meet = storesMeet(together);
  llvm::SetVector<sg::LoadOp> indexed;
  Value conflict = resolveConflicts(together, meet, indexed);
  SmallVector<Written> stores;
  for (sg::StoreOp store : together)
    stores.push_back({store, {}, {}});
  int64_t dim = writtenDim(stores);
  Width width = dim < 0 ? 1 : writtenWidth(stores, dim);
  for (Written &store : stores)
    store.streams = streamsPastCaches(store.op, dim, width);
  // Before any of the stores' turns.
  SmallVector<std::pair<sg::LoadOp, Buffer>> copies;
  if (conflict) {
    auto branch =
        scf::IfOp::create(builder, loc, conflict, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(branch.thenBlock());
    for (sg::LoadOp load : indexed) {
      copies.push_back({load, allocateLike(load.getResult())});
      materializeInto(load.getResult(), copies.back().second);
    }
    builder.setInsertionPointAfter(branch);
  }
  scf::ForOp turns;
  if (meet) {
    noteDecision(op, "stores",
                 "{0} blocks in one pass, as long as they do "
                 "not overlap",
                 stores.size());
    Value count = arith::SelectOp::create(builder, loc, meet,
                                          constant(stores.size()), constant(1));
    turns = scf::ForOp::create(builder, loc, constant(0), count, constant(1));
    builder.setInsertionPointToStart(turns.getBody());
    Value apart = arith::XOrIOp::create(
        builder, loc, meet,
        arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true)));
    for (auto [number, store] : llvm::enumerate(stores)) {
      Value isTurn =
          arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                turns.getInductionVar(), constant(number));
      store.active = arith::OrIOp::create(builder, loc, apart, isTurn);
    }
  }
  emitStoreVersions(stores, conflict, copies);
  if (turns)
    builder.setInsertionPointAfter(turns);
  for (const Written &store : stores)
    fenceStream(store.op, store.streams);
  return success();
}

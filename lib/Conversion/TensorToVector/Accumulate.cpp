//===- Accumulate.cpp - loops that only accumulate
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A loop whose blocks are updated element by element, and that has no other
// effect, is turned inside out: a few vectors of the blocks stay in registers
// for several iterations, in the order of the loop, so that each element is
// computed as before. What is carried goes through memory once in these
// iterations and not in each, and needs no first fill. Their number is small,
// since each reads from another place in memory. Where they are not all there,
// or read past a bound, a row goes through one iteration after the other.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Iterations that one vector passes through, and so streams that are read: a
// core reads four pages side by side faster than one after the other.
static constexpr int64_t kIterations = 4;
// What a core looks ahead in, on its own.
static constexpr int64_t kPageBytes = 4096;
// Vectors that pass through together: enough chains to hide an addition's
// latency, and to make up for the loop's own instructions.
static constexpr int64_t kVectors = 8;

/// Returns true if the blocks that `body` carries are read by `value` at the
/// position only that it is evaluated at.
static bool readsInPlace(Value value, Region &body, bool inPlace,
                         DenseSet<std::pair<Value, unsigned>> &seen) {
  if (!isBlock(value) || !seen.insert({value, inPlace}).second)
    return true;
  Operation *op = value.getDefiningOp();
  if (!op)
    return inPlace || value.getParentRegion() != &body;
  if (op->getParentRegion() != &body)
    return true;
  inPlace &= op->hasTrait<OpTrait::Elementwise>();
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    return readsInPlace(operand, body, inPlace, seen);
  });
}

/// The start of a block of consecutive positions: those of an iota, plus the
/// same number for all.
static bool matchPositions(Value value, Value &from, int64_t &offset) {
  if (auto iota = value.getDefiningOp<sg::IotaOp>()) {
    offset = iota.getStart();
    return true;
  }
  auto sum = value.getDefiningOp<arith::AddIOp>();
  if (!sum)
    return false;
  for (auto [left, right] : {std::pair(sum.getLhs(), sum.getRhs()),
                             std::pair(sum.getRhs(), sum.getLhs())}) {
    auto splat = left.getDefiningOp<tensor::SplatOp>();
    auto iota = right.getDefiningOp<sg::IotaOp>();
    if (!splat || !iota)
      continue;
    from = splat.getInput();
    offset = iota.getStart();
    return true;
  }
  return false;
}

std::optional<Comparison> vectorize::comparisonOf(Operation *op) {
  auto compare = dyn_cast<arith::CmpIOp>(op);
  if (!compare || cast<ShapedType>(compare.getType()).getRank() != 1)
    return std::nullopt;
  Value left = compare.getLhs(), right = compare.getRhs();
  if (compare.getPredicate() == arith::CmpIPredicate::sgt)
    std::swap(left, right);
  else if (compare.getPredicate() != arith::CmpIPredicate::slt)
    return std::nullopt;
  Comparison found;
  auto end = right.getDefiningOp<tensor::SplatOp>();
  if (!end || !matchPositions(left, found.from, found.offset))
    return std::nullopt;
  found.end = end.getInput();
  found.size = cast<ShapedType>(compare.getType()).getDimSize(0);
  return found;
}

/// Returns true if `op` may read across the vectors of a nest, which other
/// nests do by transposing.
static bool crosses(Operation *op) {
  if (isa<linalg::TransposeOp>(op))
    return true;
  auto load = dyn_cast<sg::LoadOp>(op);
  if (!load)
    return false;
  auto type = cast<RankedTensorType>(load.getResult().getType());
  return type.getRank() > 1 && type.getShape().back() > 1 &&
         !isConstantIntValue(load.getStrides().back(), 1);
}

/// Returns true if all that `loop` does is to update the blocks that it
/// carries, which have one shape, element by element.
bool Lowering::isAccumulation(scf::ForOp loop) {
  if (loop.getNumRegionIterArgs() == 0 || loop.getUnsignedCmp())
    return false;
  Value first = loop.getRegionIterArgs().front();
  for (Value argument : loop.getRegionIterArgs())
    if (!isBlock(argument) || cast<ShapedType>(argument.getType()).getShape() !=
                                  cast<ShapedType>(first.getType()).getShape())
      return false;
  if (chooseVectorDim(first) < 0)
    return false;
  for (Operation &op : loop.getBody()->without_terminator()) {
    bool onBlocks = llvm::any_of(op.getOperands(), isBlock) ||
                    llvm::any_of(op.getResults(), isBlock);
    // A broadcast has a region, and is lazy nevertheless.
    bool isAllowed =
        onBlocks ? isLazy(&op) : isPure(&op) && op.getNumRegions() == 0;
    if (!isAllowed ||
        llvm::any_of(op.getResults(),
                     [&](Value result) { return plan.inMemory(result); }) ||
        crosses(&op))
      return false;
  }
  DenseSet<std::pair<Value, unsigned>> seen;
  return llvm::all_of(
      loop.getBody()->getTerminator()->getOperands(), [&](Value value) {
        return readsInPlace(value, loop.getRegion(), true, seen);
      });
}

namespace {
/// A condition that grows; null where nothing is required.
struct Requirement {
  OpBuilder &builder;
  Location loc;
  Value all;

  void add(arith::CmpIPredicate relation, Value left, Value right) {
    Value holds = arith::CmpIOp::create(builder, loc, relation, left, right);
    all = all ? arith::AndIOp::create(builder, loc, all, holds).getResult()
              : holds;
  }
};
} // namespace

/// A condition for all of `tiles` to be within the bounds of all reads of
/// `values`; null where they always are. Fills in the bounds that it implies.
Value Lowering::areInterior(ValueRange values, ArrayRef<int64_t> shape,
                            ArrayRef<Tile> tiles,
                            SmallVectorImpl<KnownBounds> &implied) {
  const Tile &first = tiles.front();
  Requirement inside{builder, loc, {}};
  using Relation = arith::CmpIPredicate;
  if (Value end = interiorEnd(values, shape, first.vectorDim, {})) {
    Value last = arith::AddIOp::create(builder, loc,
                                       first.coordinates[first.vectorDim].start,
                                       laneCount(first.width, tiles.size()));
    inside.add(Relation::sle, last, end);
  }
  int64_t rank = shape.size();
  implied.assign(rank, {});
  for (int64_t dim = 0; dim < rank; ++dim) {
    SmallVector<Comparison> comparisons = collectComparisons(values, rank, dim);
    Value position = first.coordinates[dim].start, past = position;
    if (!comparisons.empty())
      past = arith::AddIOp::create(builder, loc, past,
                                   dim == first.vectorDim
                                       ? laneCount(first.width, tiles.size())
                                       : constant(1));
    for (const Comparison &comparison : comparisons)
      inside.add(Relation::sle, past, passingOf(comparison));
    if (dim == first.vectorDim)
      continue;
    std::optional<KnownBounds> bounds = sharedBound(values, rank, dim);
    if (!bounds)
      continue;
    implied[dim] = *bounds;
    if (!isConstantIntValue(bounds->low, 0))
      inside.add(Relation::sle, scalar(bounds->low), position);
    inside.add(Relation::slt, position, scalar(bounds->high));
  }
  return inside.all;
}

/// Up to where, along the vectors, `values` read within all bounds: 0 where
/// that is not so for all of the other dimensions. Fills in the bounds that are
/// implied.
Value Lowering::interiorOf(ValueRange values, const Carried &strip,
                           SmallVectorImpl<KnownBounds> &implied) {
  using Relation = arith::CmpIPredicate;
  ArrayRef<int64_t> shape = strip.shape;
  Value end = constant(shape[strip.vectorDim]);
  Requirement inside{builder, loc, {}};
  auto lower = [&](Value limit) {
    end = arith::MinSIOp::create(builder, loc, end, limit);
  };
  if (Value limit = interiorEnd(values, shape, strip.vectorDim, {}))
    lower(limit);
  int64_t rank = shape.size();
  implied.assign(rank, {});
  for (int64_t dim = 0; dim < rank; ++dim) {
    for (const Comparison &comparison : collectComparisons(values, rank, dim)) {
      if (dim == strip.vectorDim)
        lower(passingOf(comparison));
      else
        inside.add(Relation::sge, passingOf(comparison), constant(shape[dim]));
    }
    if (dim == strip.vectorDim)
      continue;
    std::optional<KnownBounds> bounds = sharedBound(values, rank, dim);
    if (!bounds)
      continue;
    implied[dim] = *bounds;
    inside.add(Relation::sle, scalar(bounds->low), constant(0));
    inside.add(Relation::sge, scalar(bounds->high), constant(shape[dim]));
  }
  if (!inside.all)
    return end;
  return arith::SelectOp::create(builder, loc, inside.all, end, constant(0));
}

/// Makes what is not a block known for iteration `number` of `loop`.
LogicalResult Lowering::mapIteration(scf::ForOp loop, Value number) {
  Value counter = arith::MulIOp::create(builder, loc, number,
                                        asI64(scalar(loop.getStep())));
  counter = arith::AddIOp::create(builder, loc,
                                  asI64(scalar(loop.getLowerBound())), counter);
  Type type = lowered(loop.getInductionVar().getType());
  if (type != counter.getType())
    counter = arith::TruncIOp::create(builder, loc, type, counter);
  scalars.map(loop.getInductionVar(), counter);
  for (Operation &op : loop.getBody()->without_terminator())
    if (llvm::none_of(op.getResults(), isBlock) && failed(emitScalar(&op)))
      return failure();
  return success();
}

/// What one iteration of `loop` makes of `carried`, the vectors of all that it
/// carries, tile by tile.
SmallVector<Value> Lowering::evaluateIteration(scf::ForOp loop,
                                               SmallVector<Tile> tiles,
                                               ArrayRef<Value> carried,
                                               bool isInterior, bool ahead) {
  ValueRange yielded = loop.getBody()->getTerminator()->getOperands();
  ValueRange arguments = loop.getRegionIterArgs();
  auto outside = cache;
  SmallVector<Value> next;
  for (auto [index, tile] : llvm::enumerate(tiles)) {
    // Everything here may differ from one iteration to the next.
    for (Coordinate &coordinate : tile.coordinates)
      coordinate.depth = depth();
    tile.interior = tile.passesComparisons = isInterior;
    if (ahead && isInterior)
      prefetches = index;
    for (auto [argument, value] :
         llvm::zip(arguments,
                   carried.slice(index * arguments.size(), arguments.size())))
      cache[keyOf(argument, tile)] = {value, false};
    llvm::append_range(next, evaluateAll(yielded, tile));
    prefetches.reset();
  }
  cache = outside;
  builder.restoreInsertionPoint(points.back());
  return next;
}

/// Iteration `number` of `loop` for some tiles, within bounds or not.
LogicalResult Lowering::emitIteration(scf::ForOp loop, Value number,
                                      SmallVector<Tile> tiles,
                                      SmallVectorImpl<Value> &carried) {
  if (failed(mapIteration(loop, number)))
    return failure();
  ValueRange yielded = loop.getBody()->getTerminator()->getOperands();
  ArrayRef<int64_t> shape = cast<ShapedType>(yielded[0].getType()).getShape();
  SmallVector<KnownBounds> implied;
  Value interior = areInterior(yielded, shape, tiles, implied);
  auto side = [&](bool isInterior) {
    return evaluateIteration(loop, tiles, carried, isInterior,
                             shape.size() == 1 && shape.front() >= kLongRow);
  };
  if (!interior) {
    carried = side(true);
    return success();
  }
  SmallVector<KnownBounds> outside = knownBounds;
  scf::IfOp branch = openBranch(interior, ValueRange(carried).getTypes());
  for (auto [known, bounds] : llvm::zip(knownBounds, implied))
    if (bounds.low)
      known = bounds;
  SmallVector<Value> next = side(true);
  scf::YieldOp::create(builder, loc, next);
  openOtherBranch(branch);
  knownBounds = outside;
  next = side(false);
  scf::YieldOp::create(builder, loc, next);
  ValueRange results = closeBranch(branch);
  carried.assign(results.begin(), results.end());
  return success();
}

/// Opens a nest over the strips of the blocks that `loop` carries, from `low`
/// up to `high` along their vectors. `body` takes the vectors of a strip
/// through iterations; they start from their initial values where `first`
/// holds.
LogicalResult Lowering::emitStrips(scf::ForOp loop, const Carried &strip,
                                   Value low, Value high, Value first,
                                   CarriedBody body) {
  SmallVector<Buffer> targets = targetsOf(loop.getRegionIterArgs());
  openNest();
  Tile tile = originOf(strip.shape.size());
  for (auto [dim, size] : llvm::enumerate(strip.shape)) {
    if (int64_t(dim) == strip.vectorDim || (size == 1 && !strip.needed[dim]))
      continue;
    Value at = openLoop(constant(0), atMost(size, strip.needed[dim]), 1);
    tile.coordinates[dim] = {at, depth(), int64_t(dim)};
  }
  Value start = openLoop(low, high, laneCount(strip.width, strip.vectors));
  tile.vectorDim = strip.vectorDim;
  tile.width = strip.width;
  SmallVector<Tile> tiles;
  SmallVector<Value> initial, stored;
  for (int64_t vector = 0; vector < strip.vectors; ++vector) {
    Value at = builder.createOrFold<arith::AddIOp>(
        loc, start, laneCount(strip.width, vector));
    tile.coordinates[strip.vectorDim] = {at, depth(), strip.vectorDim};
    tiles.push_back(tile);
  }
  SmallVector<Type> types;
  for (size_t index = 0; index < tiles.size(); ++index)
    for (const Buffer &target : targets)
      types.push_back(vectorType(strip.width, target.elementType));
  scf::IfOp branch = openBranch(first, types);
  auto inside = tiles;
  for (Tile &each : inside)
    each.coordinates[strip.vectorDim].depth = depth();
  for (const Tile &each : inside)
    llvm::append_range(initial, evaluateAll(loop.getInitArgs(), each));
  builder.restoreInsertionPoint(points.back());
  scf::YieldOp::create(builder, loc, initial);
  openOtherBranch(branch);
  for (const Tile &each : inside)
    for (const Buffer &target : targets)
      stored.push_back(readBuffer(target, each).value);
  builder.restoreInsertionPoint(points.back());
  scf::YieldOp::create(builder, loc, stored);
  ValueRange begin = closeBranch(branch);
  SmallVector<Value> carried(begin);
  auto outside = cache;
  if (failed(body(tiles, carried)))
    return failure();
  cache = outside;
  for (auto [index, value] : llvm::enumerate(carried))
    writeBuffer(targets[index % targets.size()], tiles[index / targets.size()],
                value);
  while (!loops.empty())
    closeLoop();
  closeNest();
  return success();
}

/// Takes the strips from `low` on through the iterations of the numbers `from`,
/// up to and without `to`, each within bounds or not.
LogicalResult Lowering::emitOneByOne(scf::ForOp loop, const Carried &strip,
                                     Value from, Value to, Value low) {
  Value high =
      atMost(strip.shape[strip.vectorDim], strip.needed[strip.vectorDim]);
  auto isFirst = [&](Value number) {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, number,
                                 constant(0));
  };
  if (strip.shape.size() > 1)
    return emitStrips(
        loop, strip, low, high, isFirst(from),
        [&](SmallVector<Tile> tiles, SmallVectorImpl<Value> &carried) {
          Value number = openLoop(from, to, constant(1), carried);
          carried.assign(loopState().begin(), loopState().end());
          if (failed(emitIteration(loop, number, tiles, carried)))
            return failure();
          ValueRange results = closeLoop(carried);
          carried.assign(results.begin(), results.end());
          return success();
        });
  // A row is read in its order.
  auto each = scf::ForOp::create(builder, loc, from, to, constant(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(each.getBody());
  Value number = each.getInductionVar();
  return emitStrips(
      loop, strip, low, high, isFirst(number),
      [&](SmallVector<Tile> tiles, SmallVectorImpl<Value> &carried) {
        return emitIteration(loop, number, tiles, carried);
      });
}

/// Takes the strips through the iterations of `numbers`, all of them within
/// bounds, up to the position that is returned; none where not `whole`.
FailureOr<Value> Lowering::emitSideBySide(scf::ForOp loop, const Carried &strip,
                                          ArrayRef<Value> numbers,
                                          Value whole) {
  auto branch = scf::IfOp::create(builder, loc, builder.getI64Type(), whole,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder, loc, constant(0));
  builder.setInsertionPointToStart(branch.thenBlock());
  ValueRange yielded = loop.getBody()->getTerminator()->getOperands();
  SmallVector<KnownBounds> implied;
  Value end;
  for (Value number : numbers) {
    if (failed(mapIteration(loop, number)))
      return failure();
    Value own = interiorOf(yielded, strip, implied);
    end =
        end ? arith::MinSIOp::create(builder, loc, end, own).getResult() : own;
  }
  end = arith::MaxSIOp::create(builder, loc, end, constant(0));
  Value lanes = laneCount(strip.width, strip.vectors);
  end = arith::DivUIOp::create(builder, loc, end, lanes);
  end = arith::MulIOp::create(builder, loc, end, lanes);
  Value needed =
      atMost(strip.shape[strip.vectorDim], strip.needed[strip.vectorDim]);
  needed = arith::MinSIOp::create(builder, loc, end, needed);
  bool isLong = strip.shape.size() == 1 && strip.shape.front() >= kLongRow;
  auto body = [&](SmallVector<Tile> tiles, SmallVectorImpl<Value> &carried) {
    for (auto [known, bounds] : llvm::zip(knownBounds, implied))
      if (bounds.low)
        known = bounds;
    for (Value number : numbers) {
      if (failed(mapIteration(loop, number)))
        return failure();
      prefetchesOnlyNext = true;
      carried = evaluateIteration(loop, tiles, carried, true,
                                  machine.rowsToSecondLevel && isLong);
      prefetchesOnlyNext = false;
    }
    return success();
  };
  Value first = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                      numbers.front(), constant(0));
  if (failed(emitStrips(loop, strip, constant(0), needed, first, body)))
    return failure();
  scf::YieldOp::create(builder, loc, end);
  return branch.getResult(0);
}

/// The strips that `loop` is emitted in.
Carried Lowering::stripOf(scf::ForOp loop) {
  auto type = cast<RankedTensorType>(loop.getResultTypes().front());
  Carried strip;
  strip.shape = llvm::to_vector(type.getShape());
  strip.vectorDim = chooseVectorDim(loop.getResult(0));
  int64_t size = strip.shape[strip.vectorDim];
  strip.width = chooseWidth(lowered(type.getElementType()), size,
                            loop.getBody()->getTerminator()->getOperands());
  int64_t most = kVectors / loop.getNumResults() / machine.registerGroup;
  while (2 * strip.vectors <= most &&
         size % (2 * strip.vectors * maxLanes(strip.width)) == 0)
    strip.vectors *= 2;
  strip.needed = neededExtents(loop);
  return strip;
}

/// Whether iterations of `loop` should go one after the other: it is known to
/// have few, or those of a row read less than a page each, which is read best
/// in its order.
static bool staysInOrder(scf::ForOp loop) {
  std::optional<llvm::APInt> trips = loop.getStaticTripCount();
  if (trips && trips->ult(kIterations))
    return true;
  WalkResult found = loop.walk([](sg::LoadOp load) {
    auto type = cast<RankedTensorType>(load.getResult().getType());
    bool isPart =
        type.getRank() == 1 && type.getElementType().isIntOrFloat() &&
        type.getNumElements() * type.getElementTypeBitWidth() < 8 * kPageBytes;
    return isPart ? WalkResult::interrupt() : WalkResult::advance();
  });
  return cast<ShapedType>(loop.getResultTypes().front()).getRank() == 1 &&
         found.wasInterrupted();
}

LogicalResult Lowering::emitAccumulation(scf::ForOp loop) {
  if (std::optional<Folding> folding = foldingOf(loop))
    return emitFolded(loop, *folding);
  noteDecision(loop, "loop",
               "each element for {0} iterations at a time, in registers",
               kIterations);
  for (auto [init, argument] :
       llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs()))
    buffers[argument] = allocateLike(init);
  Carried strip = stripOf(loop);
  Value lower = asI64(scalar(loop.getLowerBound())),
        upper = asI64(scalar(loop.getUpperBound())),
        step = asI64(scalar(loop.getStep()));
  Value none = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge,
                                     lower, upper);
  // Iterations are counted from 0, since the loop's own counter may overflow
  // within a few of them behind the last one.
  Value trips = arith::SubIOp::create(builder, loc, upper, lower);
  trips = arith::CeilDivUIOp::create(builder, loc, trips, step);
  trips = arith::SelectOp::create(builder, loc, none, constant(0), trips);
  auto branch = scf::IfOp::create(builder, loc, none, /*withElseRegion=*/false);
  OpBuilder::InsertPoint after = builder.saveInsertionPoint();
  builder.setInsertionPointToStart(branch.thenBlock());
  for (auto [init, argument] :
       llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs()))
    materializeInto(init, buffers.lookup(argument));
  builder.restoreInsertionPoint(after);
  auto chunks = scf::ForOp::create(builder, loc, constant(0), trips,
                                   constant(kIterations));
  after = builder.saveInsertionPoint();
  builder.setInsertionPointToStart(chunks.getBody());
  SmallVector<Value> numbers = {chunks.getInductionVar()};
  while (numbers.size() <= size_t(kIterations))
    numbers.push_back(
        arith::AddIOp::create(builder, loc, numbers.back(), constant(1)));
  Value from = numbers.front(), to = numbers.pop_back_val();
  // The carried blocks are vectors in here, and not yet in memory.
  FailureOr<Value> done = constant(0);
  if (!staysInOrder(loop)) {
    Value whole = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt,
                                        numbers.back(), trips);
    done = emitSideBySide(loop, strip, numbers, whole);
  }
  if (failed(done))
    return failure();
  to = arith::MinSIOp::create(builder, loc, to, trips);
  if (failed(emitOneByOne(loop, strip, from, to, *done)))
    return failure();
  builder.restoreInsertionPoint(after);
  for (auto [result, argument] :
       llvm::zip(loop.getResults(), loop.getRegionIterArgs()))
    buffers[result] = buffers.lookup(argument);
  return success();
}

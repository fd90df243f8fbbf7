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
// since each reads from another place in memory; and where a row is read from
// one end to the other, it is one, so that the row is read in its order.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

/// Iterations that one vector passes through, and so streams that are read.
static int64_t iterationsOf(scf::ForOp loop) {
  return cast<ShapedType>(loop.getResultTypes().front()).getRank() == 1 ? 1 : 4;
}
// Vectors that pass through together: enough chains to hide an addition's
// latency, and to make up for the loop's own instructions.
static constexpr int64_t kVectors = 8;

static bool isBlock(Value value) {
  return isa<RankedTensorType>(value.getType());
}

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

/// A condition for all of `tiles` to be within the bounds of all reads of
/// `values`; null where they always are. Fills in the bounds that it implies.
Value Lowering::areInterior(ValueRange values, ArrayRef<int64_t> shape,
                            ArrayRef<Tile> tiles,
                            SmallVectorImpl<KnownBounds> &implied) {
  const Tile &first = tiles.front();
  Value all;
  auto require = [&](arith::CmpIPredicate relation, Value left, Value right) {
    Value holds = arith::CmpIOp::create(builder, loc, relation, left, right);
    all = all ? arith::AndIOp::create(builder, loc, all, holds).getResult()
              : holds;
  };
  using Relation = arith::CmpIPredicate;
  // Positions below `last` pass the comparison, and are computed without a
  // carry into the sign.
  auto requireComparison = [&](const Comparison &comparison, Value last) {
    Type type = comparison.end.getType();
    Value from = constant(comparison.offset);
    if (comparison.from)
      from = arith::AddIOp::create(builder, loc, from,
                                   asI64(scalar(comparison.from)));
    int64_t largest =
        llvm::maxIntN(std::min<unsigned>(type.getIntOrFloatBitWidth(), 62));
    require(Relation::sle, from, constant(largest - comparison.size));
    last = arith::AddIOp::create(builder, loc, from, last);
    require(Relation::sle, last, asI64(scalar(comparison.end)));
  };
  if (Value end = interiorEnd(values, shape, first.vectorDim, {})) {
    Value last = arith::AddIOp::create(builder, loc,
                                       first.coordinates[first.vectorDim].start,
                                       laneCount(first.width, tiles.size()));
    require(Relation::sle, last, end);
  }
  SmallVector<int64_t> identity =
      llvm::to_vector(llvm::seq<int64_t>(0, shape.size()));
  implied.assign(shape.size(), {});
  for (int64_t dim : identity) {
    SmallVector<KnownBounds> found;
    for (Value value : values)
      collectBounds(value, identity, dim, found);
    SmallVector<Comparison> comparisons =
        collectComparisons(values, shape.size(), dim);
    Value past = first.coordinates[dim].start;
    if (!comparisons.empty())
      past = arith::AddIOp::create(builder, loc, past,
                                   dim == first.vectorDim
                                       ? laneCount(first.width, tiles.size())
                                       : constant(1));
    for (const Comparison &comparison : comparisons)
      requireComparison(comparison, past);
    if (dim == first.vectorDim || found.empty())
      continue;
    const KnownBounds &bounds = found.front();
    if (!llvm::all_of(found, [&](const KnownBounds &other) {
          return other.low == bounds.low && other.high == bounds.high;
        }))
      continue;
    implied[dim] = bounds;
    Value position = first.coordinates[dim].start;
    if (!isConstantIntValue(bounds.low, 0))
      require(Relation::sle, scalar(bounds.low), position);
    require(Relation::slt, position, scalar(bounds.high));
  }
  return all;
}

/// One iteration of `loop` for some tiles, given the vectors of all that it
/// carries, tile by tile.
LogicalResult Lowering::emitIteration(scf::ForOp loop, Value iteration,
                                      SmallVector<Tile> tiles,
                                      SmallVectorImpl<Value> &carried) {
  Type type = lowered(loop.getInductionVar().getType());
  if (type != iteration.getType())
    iteration = arith::TruncIOp::create(builder, loc, type, iteration);
  scalars.map(loop.getInductionVar(), iteration);
  for (Operation &op : loop.getBody()->without_terminator())
    if (llvm::none_of(op.getResults(), isBlock) && failed(emitScalar(&op)))
      return failure();
  ValueRange yielded = loop.getBody()->getTerminator()->getOperands();
  ValueRange arguments = loop.getRegionIterArgs();
  ArrayRef<int64_t> shape = cast<ShapedType>(yielded[0].getType()).getShape();
  SmallVector<KnownBounds> implied;
  Value interior = areInterior(yielded, shape, tiles, implied);
  auto side = [&](bool isInterior) {
    SmallVector<Value> next;
    for (auto [index, tile] : llvm::enumerate(tiles)) {
      // Everything here may differ from one iteration to the next.
      for (Coordinate &coordinate : tile.coordinates)
        coordinate.depth = depth();
      tile.interior = tile.passesComparisons = isInterior;
      prefetches = isInterior && shape.size() == 1 &&
                   shape.front() >= kLongRow && startsLine(index, tile);
      for (auto [argument, value] :
           llvm::zip(arguments,
                     ArrayRef<Value>(carried).slice(index * arguments.size())))
        cache[keyOf(argument, tile)] = {value, false};
      llvm::append_range(next, evaluateAll(yielded, tile));
      prefetches = false;
    }
    builder.restoreInsertionPoint(points.back());
    return next;
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

/// Passes all vectors of the carried blocks through some iterations: `from`,
/// up to and without `to`. They start from their initial values where `first`
/// holds. What nobody needs is left out.
LogicalResult Lowering::emitIterations(scf::ForOp loop, Value from, Value to,
                                       Value first, ArrayRef<Value> needed) {
  auto type = cast<RankedTensorType>(loop.getResultTypes().front());
  ArrayRef<int64_t> shape = type.getShape();
  int64_t vectorDim = chooseVectorDim(loop.getResult(0)), rank = shape.size();
  ValueRange yielded = loop.getBody()->getTerminator()->getOperands();
  Width width =
      chooseWidth(lowered(type.getElementType()), shape[vectorDim], yielded);
  int64_t most = kVectors / loop.getNumResults() / machine.registerGroup;
  int64_t vectors = 1;
  while (2 * vectors <= most &&
         shape[vectorDim] % (2 * vectors * maxLanes(width)) == 0)
    vectors *= 2;
  SmallVector<Buffer> targets = targetsOf(loop.getRegionIterArgs());
  openNest();
  Tile tile = originOf(rank);
  SmallVector<int64_t> outer;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != vectorDim)
      outer.push_back(dim);
  for (int64_t dim : outer) {
    if (shape[dim] == 1 && !needed[dim])
      continue;
    Value at = openLoop(constant(0), atMost(shape[dim], needed[dim]), 1);
    tile.coordinates[dim] = {at, depth(), dim};
  }
  Value start =
      openLoop(constant(0), atMost(shape[vectorDim], needed[vectorDim]),
               laneCount(width, vectors));
  tile.vectorDim = vectorDim;
  tile.width = width;
  SmallVector<Tile> tiles;
  SmallVector<Value> initial, stored;
  for (int64_t vector = 0; vector < vectors; ++vector) {
    Value at = builder.createOrFold<arith::AddIOp>(loc, start,
                                                   laneCount(width, vector));
    tile.coordinates[vectorDim] = {at, depth(), vectorDim};
    tiles.push_back(tile);
  }
  SmallVector<Type> types;
  for (size_t index = 0; index < tiles.size(); ++index)
    for (const Buffer &target : targets)
      types.push_back(vectorType(width, target.elementType));
  scf::IfOp branch = openBranch(first, types);
  auto inside = tiles;
  for (Tile &each : inside)
    each.coordinates[vectorDim].depth = depth();
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
  auto outside = cache;
  SmallVector<Value> carried(begin);
  if (iterationsOf(loop) == 1) {
    if (failed(emitIteration(loop, from, tiles, carried)))
      return failure();
  } else {
    Value iteration = openLoop(from, to, asI64(scalar(loop.getStep())), begin);
    carried.assign(loopState().begin(), loopState().end());
    if (failed(emitIteration(loop, iteration, tiles, carried)))
      return failure();
    ValueRange results = closeLoop(carried);
    carried.assign(results.begin(), results.end());
  }
  cache = outside;
  for (auto [index, value] : llvm::enumerate(carried))
    writeBuffer(targets[index % targets.size()], tiles[index / targets.size()],
                value);
  while (!loops.empty())
    closeLoop();
  closeNest();
  return success();
}

LogicalResult Lowering::emitAccumulation(scf::ForOp loop) {
  noteDecision(loop, "loop",
               "each element for {0} iterations at a time, in registers",
               iterationsOf(loop));
  for (auto [init, argument] :
       llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs()))
    buffers[argument] = allocateLike(init);
  SmallVector<Value> needed = neededExtents(loop);
  Value lower = asI64(scalar(loop.getLowerBound())),
        upper = asI64(scalar(loop.getUpperBound())),
        step = asI64(scalar(loop.getStep()));
  Value none = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge,
                                     lower, upper);
  auto branch = scf::IfOp::create(builder, loc, none, /*withElseRegion=*/false);
  OpBuilder::InsertPoint after = builder.saveInsertionPoint();
  builder.setInsertionPointToStart(branch.thenBlock());
  for (auto [init, argument] :
       llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs()))
    materializeInto(init, buffers.lookup(argument));
  builder.restoreInsertionPoint(after);
  Value several =
      arith::MulIOp::create(builder, loc, step, constant(iterationsOf(loop)));
  auto chunks = scf::ForOp::create(builder, loc, lower, upper, several);
  after = builder.saveInsertionPoint();
  builder.setInsertionPointToStart(chunks.getBody());
  Value from = chunks.getInductionVar();
  Value to = arith::AddIOp::create(builder, loc, from, several);
  to = arith::MinSIOp::create(builder, loc, to, upper);
  Value first = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                      from, lower);
  // The carried blocks are vectors in here, and not yet in memory.
  if (failed(emitIterations(loop, from, to, first, needed)))
    return failure();
  builder.restoreInsertionPoint(after);
  for (auto [result, argument] :
       llvm::zip(loop.getResults(), loop.getRegionIterArgs()))
    buffers[result] = buffers.lookup(argument);
  return success();
}

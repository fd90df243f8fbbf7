//===- Folding.cpp - loops that accumulate what is summed along rows
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
//   for k in range(0, K, COLUMNS):
//       acc += tl.load(a + rows * K + k + columns) * tl.load(x + k + columns)
//   y = tl.sum(acc, 1)
//
// The block does not fit the registers, and all that becomes of it is the sum
// of each row. The order of a reduction is nobody's business, so that any of
// the columns may be added up in the loop already: a few vectors of a few rows
// go through all iterations in registers. Rows side by side share what is read
// for all of them, and are as many streams of memory.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Rows that go through the loop together.
static constexpr int64_t kRows = 4;
// Vectors that do: enough chains to hide an addition's latency.
static constexpr int64_t kChains = 8;
// Blocks that a loop may carry.
static constexpr size_t kMostCarried = 2;

/// Returns true if `value` is computed from one of the blocks that `loop`
/// carries.
static bool needsCarried(Value value, scf::ForOp loop, DenseSet<Value> &seen) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getOwner() == loop.getBody() &&
           argument != loop.getInductionVar();
  Operation *op = value.getDefiningOp();
  if (op->getBlock() != loop.getBody() || !seen.insert(value).second)
    return false;
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    return needsCarried(operand, loop, seen);
  });
}

/// The one operation of a combiner; null where there are more.
static Operation *onlyOperation(Block &combiner) {
  Operation *op = &combiner.front();
  bool isOnly = op->getNextNode() == combiner.getTerminator() &&
                op->getNumOperands() == 2 &&
                combiner.getTerminator()->getOperand(0) == op->getResult(0) &&
                llvm::equal(op->getOperands(), combiner.getArguments());
  return isOnly ? op : nullptr;
}

/// Returns true if a number that is combined by `op` with `initial` first may
/// be so several times.
static bool isNeutral(Operation *op, Value initial) {
  // A narrow sum must not become longer.
  if (isa<arith::AddFOp>(op))
    return op->getResult(0).getType().getIntOrFloatBitWidth() >= 32 &&
           matchPattern(initial, m_AnyZeroFloat());
  if (isa<arith::AddIOp>(op))
    return matchPattern(initial, m_Zero());
  SplatElementsAttr constant;
  return matchPattern(initial, m_Constant(&constant)) &&
         isa<arith::MaxSIOp, arith::MinSIOp, arith::MaxUIOp, arith::MinUIOp,
             arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
             arith::MinNumFOp>(op);
}

/// The reduction along rows that is all that `loop` carries its block number
/// `index` for; null if there is something else.
static sg::ReduceOp onlyReduction(scf::ForOp loop, unsigned index) {
  Value result = loop.getResult(index);
  BlockArgument argument = loop.getRegionIterArg(index);
  if (!result.hasOneUse() || !argument.hasOneUse())
    return {};
  auto reduce = dyn_cast<sg::ReduceOp>(*result.getUsers().begin());
  if (!reduce || reduce->getBlock() != loop->getBlock() ||
      reduce.getInputs().size() != 1 || reduce.getAxis() != 1)
    return {};
  Operation *combine = onlyOperation(reduce.getCombiner());
  Value yielded = loop.getBody()->getTerminator()->getOperand(index);
  Operation *update = yielded.getDefiningOp();
  if (!combine || !update || update->getBlock() != loop.getBody() ||
      update->getName() != combine->getName() ||
      *argument.getUsers().begin() != update || !yielded.hasOneUse() ||
      !isNeutral(combine, loop.getInitArgs()[index]))
    return {};
  DenseSet<Value> seen;
  for (Value operand : update->getOperands())
    if (operand != argument && needsCarried(operand, loop, seen))
      return {};
  return reduce;
}

/// Returns true if an iteration of `loop` reads rows on from where the one
/// before ended.
static bool continuesRows(scf::ForOp loop) {
  bool found = false, all = true;
  loop.walk([&](sg::LoadOp load) {
    if (typeOf(load.getResult()).getRank() != 2)
      return;
    found = true;
    all &= load.getIndices().empty() &&
           isConstantIntValue(load.getStrides()[1], 1) &&
           addsCounter(load.getOffset(), loop);
  });
  return found && all;
}

std::optional<Lowering::Folding> Lowering::foldingOf(scf::ForOp loop) {
  Folding folding;
  auto type = dyn_cast<RankedTensorType>(loop.getResultTypes().front());
  if (!type || type.getRank() != 2 || loop.getNumResults() > kMostCarried ||
      chooseVectorDim(loop.getResult(0)) != 1 || !continuesRows(loop))
    return std::nullopt;
  for (unsigned index = 0; index < loop.getNumResults(); ++index) {
    sg::ReduceOp reduce = onlyReduction(loop, index);
    if (!reduce || loop.getResult(index).getType() != type)
      return std::nullopt;
    folding.reductions.push_back(reduce);
  }
  folding.width =
      chooseWidth(lowered(type.getElementType()), type.getDimSize(1),
                  loop.getBody()->getTerminator()->getOperands());
  if (folding.width.scalable || machine.registerGroup != 1)
    return std::nullopt;
  while (2 * folding.rows <= kRows &&
         type.getDimSize(0) % (2 * folding.rows) == 0)
    folding.rows *= 2;
  int64_t most = kChains / folding.rows / loop.getNumResults();
  while (2 * folding.vectors <= most &&
         type.getDimSize(1) % (2 * folding.vectors * folding.width.lanes) == 0)
    folding.vectors *= 2;
  return folding;
}

/// One iteration for `rows`: strips of a few vectors of all of them.
SmallVector<Value> Lowering::emitFoldedIteration(scf::ForOp loop,
                                                 const Folding &folding,
                                                 ArrayRef<Tile> rows,
                                                 SmallVector<Value> carried) {
  auto type = cast<RankedTensorType>(loop.getResultTypes().front());
  ValueRange yielded = loop.getBody()->getTerminator()->getOperands();
  SmallVector<Tile> all(type.getDimSize(1) / folding.width.lanes, rows.front());
  SmallVector<KnownBounds> implied;
  Value interior = areInterior(yielded, type.getShape(), all, implied);
  if (interior && rows.size() > 1) {
    all.assign(all.size(), rows.back());
    Value last = areInterior(yielded, type.getShape(), all, implied);
    interior = arith::AndIOp::create(builder, loc, interior, last);
  }
  auto side = [&](bool isInterior) {
    Value column = openLoop(constant(0), constant(type.getDimSize(1)),
                            folding.vectors * folding.width.lanes, carried);
    SmallVector<Tile> tiles;
    for (Tile tile : rows)
      for (int64_t vector = 0; vector < folding.vectors; ++vector) {
        Value at = builder.createOrFold<arith::AddIOp>(
            loc, column, laneCount(folding.width, vector));
        tile.coordinates[1] = {at, depth(), 1};
        tiles.push_back(tile);
      }
    SmallVector<Value> state(loopState());
    ValueRange results = closeLoop(
        evaluateIteration(loop, tiles, state, isInterior, /*ahead=*/false));
    return SmallVector<Value>(results);
  };
  if (!interior)
    return side(true);
  SmallVector<KnownBounds> outside = knownBounds;
  scf::IfOp branch = openBranch(interior, ValueRange(carried).getTypes());
  for (auto [known, bounds] : llvm::zip(knownBounds, implied))
    if (bounds.low)
      known = bounds;
  scf::YieldOp::create(builder, loc, side(true));
  openOtherBranch(branch);
  knownBounds = outside;
  scf::YieldOp::create(builder, loc, side(false));
  return SmallVector<Value>(closeBranch(branch));
}

/// Takes the rows `from` up to and without `to` through the `trips` iterations
/// of `loop`, as many at once as `folding` says.
LogicalResult Lowering::emitFoldedRows(scf::ForOp loop, const Folding &folding,
                                       ArrayRef<Buffer> sums, Value from,
                                       Value to, Value trips) {
  openNest();
  Tile tile = originOf(2);
  Value row = openLoop(from, to, folding.rows);
  tile.vectorDim = 1;
  tile.width = folding.width;
  tile.coordinates[1] = {constant(0), depth(), 1};
  SmallVector<Tile> rows, targets;
  for (int64_t number = 0; number < folding.rows; ++number) {
    Value at = builder.createOrFold<arith::AddIOp>(loc, row, constant(number));
    tile.coordinates[0] = {at, depth(), 0};
    rows.push_back(tile);
    for (int64_t vector = 0; vector < folding.vectors; ++vector) {
      tile.coordinates[1].start = laneCount(folding.width, vector);
      targets.push_back(tile);
    }
    tile.coordinates[1].start = constant(0);
  }
  SmallVector<Value> carried;
  for (const Tile &target : targets)
    llvm::append_range(carried, evaluateAll(loop.getInitArgs(), target));
  builder.restoreInsertionPoint(points.back());
  Value number = openLoop(constant(0), trips, constant(1), carried);
  carried.assign(loopState().begin(), loopState().end());
  if (failed(mapIteration(loop, number)))
    return failure();
  ValueRange results =
      closeLoop(emitFoldedIteration(loop, folding, rows, carried));
  for (auto [index, value] : llvm::enumerate(results))
    writeBuffer(sums[index % sums.size()], targets[index / sums.size()], value);
  while (!loops.empty())
    closeLoop();
  closeNest();
  return success();
}

LogicalResult Lowering::emitFolded(scf::ForOp loop, Folding folding) {
  auto type = cast<RankedTensorType>(loop.getResultTypes().front());
  int64_t columns = folding.vectors * folding.width.lanes;
  noteDecision(loop, "loop",
               "{0} of {1} columns of {2} rows at a time in registers, since "
               "only the reduction of each row is needed",
               columns, type.getDimSize(1), folding.rows);
  auto folded = type.clone(ArrayRef<int64_t>{type.getDimSize(0), columns});
  SmallVector<Buffer> sums;
  // The carried blocks are vectors, but they are looked for in memory.
  for (BlockArgument argument : loop.getRegionIterArgs()) {
    Type element = lowered(typeOf(argument).getElementType());
    sums.push_back(allocate(folded.clone(element)));
    buffers[argument] = sums.back();
  }
  Value lower = asI64(scalar(loop.getLowerBound())),
        upper = asI64(scalar(loop.getUpperBound())),
        step = asI64(scalar(loop.getStep()));
  Value none = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge,
                                     lower, upper);
  Value trips = arith::SubIOp::create(builder, loc, upper, lower);
  trips = arith::CeilDivUIOp::create(builder, loc, trips, step);
  trips = arith::SelectOp::create(builder, loc, none, constant(0), trips);
  Value needed = atMost(type.getDimSize(0), neededExtents(loop)[0]);
  Value whole =
      builder.createOrFold<arith::AndIOp>(loc, needed, constant(-folding.rows));
  if (failed(emitFoldedRows(loop, folding, sums, constant(0), whole, trips)))
    return failure();
  if (folding.rows > 1 && !isConstantIntValue(needed, type.getDimSize(0))) {
    Folding single = folding;
    single.rows = 1;
    if (failed(emitFoldedRows(loop, single, sums, whole, needed, trips)))
      return failure();
  }
  for (auto [reduce, sum] : llvm::zip(folding.reductions, sums)) {
    OpBuilder before(reduce);
    Value narrow = ub::PoisonOp::create(before, reduce.getLoc(), folded);
    buffers[narrow] = sum;
    reduce->setOperand(0, narrow);
  }
  return success();
}

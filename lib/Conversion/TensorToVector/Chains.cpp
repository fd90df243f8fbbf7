//===- Chains.cpp - loops that keep their blocks in registers -------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A loop that only computes on the blocks that it carries, element by element,
// is as many independent loops as the blocks have elements. A group of vectors
// then runs through all iterations in registers, and one group after the other;
// as written, each iteration would read and write the blocks in memory.
//
// Reads in the loop would be made in another order, group by group: they are
// left alone unless one group is the whole block.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Operations on vectors that the body of a group holds at most.
static constexpr int64_t kMostOperations = 256;

namespace {
/// A loop whose blocks are computed element by element.
struct Chain {
  SmallVector<unsigned> blocks;
  RankedTensorType type;
  int64_t operations = 0;
  bool reads = false;
};
} // namespace

/// Returns true if each lane of `op`, which is in a chain, is read without a
/// mask.
static bool isUnmasked(Operation *op) {
  if (auto gather = dyn_cast<sg::GatherOp>(op))
    return !gather.getMask();
  auto load = cast<sg::LoadOp>(op);
  if (load.getMask())
    return false;
  ArrayRef<int64_t> shape = typeOf(load.getResult()).getShape();
  for (auto [low, high, size] :
       llvm::zip(load.getLows(), load.getHighs(), shape)) {
    APInt bound;
    if (!matchPattern(low, m_Zero()) ||
        !matchPattern(high, m_ConstantInt(&bound)) ||
        bound.getSExtValue() < size)
      return false;
  }
  return true;
}

static std::optional<Chain> findChain(scf::ForOp loop) {
  Chain chain;
  DenseSet<Value> dependent;
  for (auto [index, argument] : llvm::enumerate(loop.getRegionIterArgs())) {
    if (!isBlock(argument))
      continue;
    RankedTensorType type = typeOf(argument);
    // Narrow floats are numbers only where they are computed with.
    if (type.getElementTypeBitWidth() < 32 ||
        (chain.type && chain.type.getShape() != type.getShape()))
      return {};
    if (!chain.type ||
        type.getElementTypeBitWidth() > chain.type.getElementTypeBitWidth())
      chain.type = type;
    chain.blocks.push_back(index);
    dependent.insert(argument);
  }
  if (chain.blocks.empty() || loop.getUnsignedCmp())
    return {};
  for (Operation &op : loop.getBody()->without_terminator()) {
    if (!llvm::any_of(op.getResults(), isBlock)) {
      if (llvm::any_of(op.getOperands(), isBlock) || !isPure(&op) ||
          op.getNumRegions() != 0)
        return {};
      continue;
    }
    if (!isLazy(&op) || isa<sg::TakeOp, sg::ButterflyOp>(op))
      return {};
    if (llvm::any_of(op.getOperands(),
                     [&](Value v) { return dependent.contains(v); })) {
      if (!op.hasTrait<OpTrait::Elementwise>())
        return {};
      dependent.insert(op.result_begin(), op.result_end());
    }
    if (isa<sg::LoadOp, sg::GatherOp>(op)) {
      if (!isUnmasked(&op))
        return {};
      chain.reads = true;
    }
    ++chain.operations;
  }
  return chain;
}

/// The scalars that a chain carries, computed once more by themselves.
LogicalResult Lowering::emitScalarResults(scf::ForOp loop) {
  SmallVector<Value> initial, yielded, results;
  bool used = false;
  for (auto [init, result] : llvm::zip(loop.getInitArgs(), loop.getResults()))
    if (!isBlock(result)) {
      initial.push_back(scalar(init));
      results.push_back(result);
      used |= !result.use_empty();
    }
  if (!used)
    return success();
  auto copy = scf::ForOp::create(builder, loc, scalar(loop.getLowerBound()),
                                 scalar(loop.getUpperBound()),
                                 scalar(loop.getStep()), initial);
  OpBuilder::InsertionGuard guard(builder);
  if (!copy.getBody()->empty())
    copy.getBody()->back().erase();
  builder.setInsertionPointToStart(copy.getBody());
  scalars.map(loop.getInductionVar(), copy.getInductionVar());
  size_t next = 0;
  for (Value argument : loop.getRegionIterArgs())
    if (!isBlock(argument))
      scalars.map(argument, copy.getRegionIterArg(next++));
  for (Operation &op : loop.getBody()->without_terminator())
    if (!llvm::any_of(op.getResults(), isBlock) && failed(emitScalar(&op)))
      return failure();
  for (Value value : loop.getBody()->getTerminator()->getOperands())
    if (!isBlock(value))
      yielded.push_back(scalar(value));
  scf::YieldOp::create(builder, loc, yielded);
  scalars.map(results, copy.getResults());
  return success();
}

/// Runs all iterations of a chain for `tiles`.
LogicalResult Lowering::emitChain(scf::ForOp loop, ArrayRef<Tile> tiles) {
  SmallVector<Value> initial, yielded;
  for (Value init : loop.getInitArgs())
    if (!isBlock(init))
      initial.push_back(scalar(init));
  for (Value init : loop.getInitArgs())
    if (isBlock(init))
      for (const Tile &tile : tiles)
        initial.push_back(evaluateAll(init, tile).front());
  Value iv =
      openLoop(scalar(loop.getLowerBound()), scalar(loop.getUpperBound()),
               scalar(loop.getStep()), initial);
  scalars.map(loop.getInductionVar(), iv);
  SmallVector<Tile> moving(tiles);
  for (Tile &tile : moving)
    for (Coordinate &coordinate : tile.coordinates)
      coordinate.depth = depth();
  SmallVector<Value> state(loopState());
  size_t next = 0;
  for (Value argument : loop.getRegionIterArgs())
    if (!isBlock(argument))
      scalars.map(argument, state[next++]);
  for (Value argument : loop.getRegionIterArgs())
    if (isBlock(argument))
      for (const Tile &tile : moving)
        cache[keyOf(argument, tile)] = {state[next++], tile.vectorDim < 0};
  for (Operation &op : loop.getBody()->without_terminator())
    if (!llvm::any_of(op.getResults(), isBlock) && failed(emitScalar(&op)))
      return failure();
  ValueRange values = loop.getBody()->getTerminator()->getOperands();
  for (Value value : values)
    if (!isBlock(value))
      yielded.push_back(scalar(value));
  for (Value value : values)
    if (isBlock(value))
      for (const Tile &tile : moving)
        yielded.push_back(evaluateAll(value, tile).front());
  SmallVector<Value> results(closeLoop(yielded));
  next = results.size();
  for (Value result : loop.getResults())
    if (isBlock(result))
      next -= tiles.size();
  for (Value result : loop.getResults())
    if (isBlock(result))
      for (const Tile &tile : tiles)
        writeBuffer(buffers[result], tile, results[next++]);
  return success();
}

/// Emits a loop that is a chain; false if it is another loop.
FailureOr<bool> Lowering::emitChainLoop(scf::ForOp loop) {
  std::optional<Chain> chain = findChain(loop);
  if (!chain)
    return false;
  ArrayRef<int64_t> shape = chain->type.getShape();
  int64_t vectorDim =
      chooseVectorDim(loop.getRegionIterArg(chain->blocks.front()));
  SmallVector<Value> readers;
  for (Value value : loop.getBody()->getTerminator()->getOperands())
    if (isBlock(value))
      readers.push_back(value);
  Width width;
  if (vectorDim >= 0)
    width = chooseWidth(lowered(chain->type.getElementType()), shape[vectorDim],
                        readers);
  // Half of the registers hold the state.
  int64_t most = machine.vectorRegisters / 2 /
                 static_cast<int64_t>(chain->blocks.size()) /
                 (width.scalable ? machine.registerGroup : 1);
  most =
      std::min(most, kMostOperations / std::max<int64_t>(chain->operations, 1));
  // Vectors side by side, and rows of them.
  int64_t across = 1, down = 1, rowDim = vectorDim - 1;
  while (vectorDim >= 0 && 2 * across <= most &&
         shape[vectorDim] % (2 * across * maxLanes(width)) == 0)
    across *= 2;
  while (rowDim >= 0 && 2 * across * down <= most &&
         shape[rowDim] % (2 * down) == 0)
    down *= 2;
  bool whole = across * down * maxLanes(width) >= chain->type.getNumElements();
  if (most < 1 || (chain->reads && !whole))
    return false;
  noteDecision(loop, "loop",
               "{0} vectors of each carried block stay in registers for all "
               "iterations",
               across * down);
  for (Value result : loop.getResults())
    if (isBlock(result))
      buffers[result] = allocateLike(result);
  openNest();
  Tile tile = originOf(shape.size());
  tile.vectorDim = vectorDim;
  tile.width = width;
  SmallVector<int64_t> others;
  for (int64_t dim = 0, rank = shape.size(); dim < rank; ++dim)
    if (dim != vectorDim && dim != rowDim)
      others.push_back(dim);
  openLoops(tile, shape, others, {});
  Value row = constant(0), column = constant(0);
  if (rowDim >= 0)
    row = openLoop(row, constant(shape[rowDim]), down);
  if (vectorDim >= 0)
    column =
        openLoop(column, constant(shape[vectorDim]), laneCount(width, across));
  SmallVector<Tile> tiles;
  for (int64_t r = 0; r < down; ++r)
    for (int64_t vector = 0; vector < across; ++vector) {
      tiles.push_back(tile);
      if (rowDim >= 0)
        tiles.back().coordinates[rowDim] = {
            builder.createOrFold<arith::AddIOp>(loc, row, constant(r)), depth(),
            rowDim};
      if (vectorDim >= 0)
        tiles.back().coordinates[vectorDim] = {
            builder.createOrFold<arith::AddIOp>(loc, column,
                                                laneCount(width, vector)),
            depth(), vectorDim};
    }
  if (failed(emitChain(loop, tiles)))
    return failure();
  while (!loops.empty())
    closeLoop();
  closeNest();
  if (failed(emitScalarResults(loop)))
    return failure();
  return true;
}

//===- Expressions.cpp - the value of a lazy block over one tile
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

DepthScope::DepthScope(Lowering &lowering, unsigned depth)
    : lowering(lowering), saved(lowering.builder.saveInsertionPoint()) {
  if (lowering.nestOpen)
    lowering.builder.restoreInsertionPoint(lowering.points[depth]);
}

DepthScope::~DepthScope() { lowering.builder.restoreInsertionPoint(saved); }

unsigned Lowering::depthOf(const Tile &tile) const {
  unsigned depth = 0;
  for (const Coordinate &coordinate : tile.coordinates)
    depth = std::max(depth, coordinate.depth);
  return depth;
}

Value Lowering::vectorOf(Value value, const Tile &tile) {
  if (tile.vectorDim < 0 || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(
      builder, loc, vectorType(tile.width, value.getType()), value);
}

/// `lanes` as one value for each lane of the tile.
Value Lowering::spread(Lanes lanes, const Tile &tile) {
  return lanes.uniform ? vectorOf(lanes.value, tile) : lanes.value;
}

Lanes Lowering::evaluateElementwise(Operation *op, Value value,
                                    const Tile &tile) {
  if (tile.passesComparisons && comparisonOf(op)) {
    DepthScope scope(*this, depthOf(tile));
    return {arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true)),
            true};
  }
  SmallVector<Lanes> operands;
  bool uniform = true;
  for (Value operand : op->getOperands()) {
    operands.push_back(isBlock(operand) ? evaluate(operand, tile)
                                        : Lanes{scalar(operand), true});
    uniform &= operands.back().uniform;
  }
  DepthScope scope(*this, depthOf(tile));
  IRMapping mapping;
  for (auto [operand, lanes] : llvm::zip(op->getOperands(), operands)) {
    bool staysScalar = uniform || !isBlock(operand);
    mapping.map(operand, staysScalar ? lanes.value : spread(lanes, tile));
  }
  if (isa<arith::SelectOp>(op)) {
    Value condition = mapping.lookup(op->getOperand(0));
    Value first = mapping.lookup(op->getOperand(1)),
          second = mapping.lookup(op->getOperand(2));
    return {select(condition, first, second), uniform};
  }
  if (!uniform && isa<arith::RemSIOp, arith::RemUIOp>(op) &&
      operands[1].uniform && !tile.width.scalable &&
      !operands[1].value.getDefiningOp<arith::ConstantOp>())
    return {remainder(op, operands[0].value, operands[1].value, tile), false};
  Operation *clone = builder.clone(*op, mapping);
  Lanes wanted;
  for (auto [result, old] : llvm::zip(clone->getResults(), op->getResults())) {
    Type element = typeOf(old).getElementType();
    result.setType(uniform ? element : vectorType(tile.width, element));
    if (old == value)
      wanted = {result, uniform};
  }
  return wanted;
}

/// The remainders of a division by one number. Where all dividends are less
/// than that, as positions in a block mostly are, they are the remainders: to
/// see it takes a comparison, and a division many times as long.
Value Lowering::remainder(Operation *op, Value dividends, Value divisor,
                          const Tile &tile) {
  using Relation = arith::CmpIPredicate;
  Value divisors = vectorOf(divisor, tile);
  // As unsigned, so that no negative dividend is less than a positive divisor.
  Value less =
      arith::CmpIOp::create(builder, loc, Relation::ult, dividends, divisors);
  Value known = vector::ReductionOp::create(builder, loc,
                                            vector::CombiningKind::AND, less);
  if (isa<arith::RemSIOp>(op)) {
    Value zero = arith::ConstantOp::create(
        builder, loc, builder.getZeroAttr(divisor.getType()));
    Value positive =
        arith::CmpIOp::create(builder, loc, Relation::sgt, divisor, zero);
    known = arith::AndIOp::create(builder, loc, known, positive);
  }
  auto branch = scf::IfOp::create(builder, loc, dividends.getType(), known,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(builder, loc, dividends);
  builder.setInsertionPointToStart(branch.elseBlock());
  OperationState state(loc, op->getName(), ValueRange{dividends, divisors},
                       dividends.getType());
  scf::YieldOp::create(builder, loc, builder.create(state)->getResult(0));
  return branch.getResult(0);
}

/// The tile of the operand of a broadcast: its coordinates without the
/// dimensions that the broadcast added.
static Tile withoutDims(const Tile &tile, ArrayRef<int64_t> dropped) {
  Tile projected = tile;
  projected.coordinates.clear();
  projected.vectorDim = -1;
  projected.insideDim = -1;
  projected.width = 1;
  for (auto [dim, coordinate] : llvm::enumerate(tile.coordinates)) {
    if (llvm::is_contained(dropped, static_cast<int64_t>(dim)))
      continue;
    if (static_cast<int64_t>(dim) == tile.insideDim)
      projected.insideDim = projected.coordinates.size();
    if (static_cast<int64_t>(dim) == tile.vectorDim) {
      projected.vectorDim = projected.coordinates.size();
      projected.width = tile.width;
    }
    projected.coordinates.push_back(coordinate);
  }
  return projected;
}

/// The tile of the source of a transposition.
static Tile permuted(const Tile &tile, ArrayRef<int64_t> permutation) {
  Tile source = tile;
  for (auto [dim, sourceDim] : llvm::enumerate(permutation)) {
    source.coordinates[sourceDim] = tile.coordinates[dim];
    if (static_cast<int64_t>(dim) == tile.vectorDim)
      source.vectorDim = sourceDim;
    if (static_cast<int64_t>(dim) == tile.insideDim)
      source.insideDim = sourceDim;
  }
  return source;
}

/// The tile of the source of a reshape that only adds or drops unit dimensions.
static Tile reshaped(const Tile &tile, ArrayRef<int64_t> shape,
                     ArrayRef<int64_t> sourceShape, Coordinate zero) {
  Tile source = tile;
  source.coordinates.clear();
  source.vectorDim = -1;
  source.insideDim = -1;
  size_t dim = 0;
  for (int64_t size : sourceShape) {
    if (size == 1) {
      source.coordinates.push_back(zero);
      continue;
    }
    while (shape[dim] == 1)
      ++dim;
    if (static_cast<int64_t>(dim) == tile.vectorDim)
      source.vectorDim = source.coordinates.size();
    if (static_cast<int64_t>(dim) == tile.insideDim)
      source.insideDim = source.coordinates.size();
    source.coordinates.push_back(tile.coordinates[dim++]);
  }
  if (source.vectorDim < 0)
    source.width = 1;
  return source;
}

static ArrayRef<int64_t> shapeOf(Value value) {
  return typeOf(value).getShape();
}

Lanes Lowering::evaluateUncached(Value value, const Tile &tile) {
  if (!tile.neighbours.empty() && tile.vectorDim >= 0 && tile.insideDim >= 0 &&
      isCrossed(value, tile.vectorDim, tile.insideDim))
    return readTransposed(value, tile);
  if (auto it = buffers.find(value); it != buffers.end()) {
    auto load = value.getDefiningOp<sg::LoadOp>();
    if (prefetches && load && asked.firstNest.contains(load.getBase()))
      prefetch(load, {}, tile);
    return readBuffer(it->second, tile);
  }
  Operation *op = value.getDefiningOp();
  Type element = typeOf(value).getElementType();
  if (auto splat = dyn_cast<tensor::SplatOp>(op))
    return {scalar(splat.getInput()), true};
  if (auto broadcast = dyn_cast<linalg::BroadcastOp>(op))
    return evaluate(broadcast.getInput(),
                    withoutDims(tile, broadcast.getDimensions()));
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
    return evaluate(transpose.getInput(),
                    permuted(tile, transpose.getPermutation()));
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
    return evaluate(op->getOperand(0),
                    reshaped(tile, shapeOf(value), shapeOf(op->getOperand(0)),
                             Coordinate{constant(0), depthOf(tile), -1}));
  if (auto load = dyn_cast<sg::LoadOp>(op))
    return evaluateLoad(load, tile);
  if (auto gather = dyn_cast<sg::GatherOp>(op))
    return evaluateGather(gather, tile);
  if (auto butterfly = dyn_cast<sg::ButterflyOp>(op))
    return evaluateButterfly(butterfly, tile);
  if (auto take = dyn_cast<sg::TakeOp>(op)) {
    int64_t axis = take.getAxis();
    Lanes index = evaluate(take.getIndices(), tile);
    DepthScope scope(*this, depthOf(tile));
    return takeLanes(bufferOf(take.getSource()), axis,
                     shapeOf(take.getSource())[axis], index, tile);
  }
  DepthScope scope(*this, depthOf(tile));
  if (auto dense = dyn_cast<arith::ConstantOp>(op)) {
    auto splat =
        cast<SplatElementsAttr>(dense.getValue()).getSplatValue<TypedAttr>();
    return {arith::ConstantOp::create(builder, loc, splat), true};
  }
  if (isa<tensor::EmptyOp, ub::PoisonOp>(op))
    return {
        arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element)),
        true};
  if (auto iota = dyn_cast<sg::IotaOp>(op)) {
    Value first = arith::AddIOp::create(builder, loc, tile.coordinates[0].start,
                                        constant(iota.getStart()));
    if (element.getIntOrFloatBitWidth() < 64)
      first = arith::TruncIOp::create(builder, loc, element, first);
    if (tile.vectorDim < 0)
      return {first, true};
    return {arith::AddIOp::create(builder, loc, vectorOf(first, tile),
                                  step(element, tile.width)),
            false};
  }
  if (std::optional<Lanes> bit = evaluatePositionBit(op, tile))
    return *bit;
  return evaluateElementwise(op, value, tile);
}

/// What tells the value of an expression at a tile from others in a nest.
std::vector<uintptr_t> Lowering::keyOf(Value value, const Tile &tile) {
  std::vector<uintptr_t> key = {
      reinterpret_cast<uintptr_t>(value.getAsOpaquePointer()),
      static_cast<uintptr_t>(tile.vectorDim + 1),
      static_cast<uintptr_t>(tile.width.lanes),
      tile.width.scalable,
      tile.interior,
      static_cast<uintptr_t>(tile.insideDim + 1),
      tile.unwrapped,
      tile.passesComparisons,
      reinterpret_cast<uintptr_t>(tile.neighbours.data())};
  for (const Coordinate &coordinate : tile.coordinates)
    key.push_back(
        reinterpret_cast<uintptr_t>(coordinate.start.getAsOpaquePointer()));
  return key;
}

Lanes Lowering::evaluate(Value value, const Tile &tile) {
  std::vector<uintptr_t> key = keyOf(value, tile);
  if (auto it = cache.find(key); nestOpen && it != cache.end())
    return it->second;
  Lanes lanes = evaluateUncached(value, tile);
  if (tile.vectorDim < 0)
    lanes.uniform = true;
  if (nestOpen)
    cache[key] = lanes;
  if (llvm::is_contained(fillers, value))
    fills.push_back({value, tile, lanes});
  return lanes;
}

SmallVector<Value> Lowering::evaluateAll(ValueRange values, const Tile &tile) {
  SmallVector<Value> vectors;
  for (Value value : values) {
    Lanes lanes = evaluate(value, tile);
    DepthScope scope(*this, depthOf(tile));
    vectors.push_back(spread(lanes, tile));
  }
  return vectors;
}

//===- Accesses.cpp - structured reads and writes of one tile
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "Strided.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

static ArrayRef<int64_t> shapeOf(Value value) {
  return typeOf(value).getShape();
}
static Type elementOf(Value value) {
  return getElementTypeOrSelf(value.getType());
}
static unsigned alignmentOf(Type type) {
  return std::max<unsigned>(type.getIntOrFloatBitWidth() / 8, 1);
}
static bool isConstant(Value value, int64_t wanted) {
  APInt constant;
  return matchPattern(value, m_ConstantInt(&constant)) &&
         constant.getSExtValue() == wanted;
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

static Value conjunction(OpBuilder &builder, Location loc, Value left,
                         Value right) {
  if (!left || !right)
    return left ? left : right;
  return arith::AndIOp::create(builder, loc, left, right);
}

Lowering::Predicate Lowering::boundsOf(const Tile &tile, ValueRange lows,
                                       ValueRange highs,
                                       ArrayRef<int64_t> shape, Value mask) {
  Predicate predicate;
  Lanes masked;
  if (mask)
    masked = evaluate(mask, tile);
  DepthScope scope(*this, depthOf(tile));
  auto require = [&](arith::CmpIPredicate relation, Value left, Value right,
                     Value &target) {
    Value holds = arith::CmpIOp::create(builder, loc, relation, left, right);
    target = conjunction(builder, loc, target, holds);
  };
  using Relation = arith::CmpIPredicate;
  for (auto [dim, coordinate] : llvm::enumerate(tile.coordinates)) {
    Value low = lows[dim], high = highs[dim];
    if (isFull(low, high, shape[dim]))
      continue;
    bool isVector = static_cast<int64_t>(dim) == tile.vectorDim;
    if (isVector ? tile.interior : static_cast<int64_t>(dim) == tile.insideDim)
      continue;
    if (!isVector && coordinate.nestDim >= 0) {
      const KnownBounds &known = knownBounds[coordinate.nestDim];
      if (known.low == low && known.high == high)
        continue;
    }
    if (!isVector) {
      if (!isConstant(low, 0))
        require(Relation::sle, scalar(low), coordinate.start, predicate.scalar);
      require(Relation::slt, coordinate.start, scalar(high), predicate.scalar);
      continue;
    }
    Type i32 = builder.getI32Type();
    auto relative = [&](Value bound) {
      Value distance =
          arith::SubIOp::create(builder, loc, scalar(bound), coordinate.start);
      return vectorOf(arith::TruncIOp::create(builder, loc, i32, distance),
                      tile);
    };
    if (tile.width.scalable && isConstant(low, 0)) {
      Value count =
          arith::SubIOp::create(builder, loc, scalar(high), coordinate.start);
      predicate.vector = conjunction(builder, loc, predicate.vector,
                                     firstLanes(count, tile.width));
      continue;
    }
    Value lanes = step(i32, tile.width);
    if (!isConstant(low, 0))
      require(Relation::sle, relative(low), lanes, predicate.vector);
    require(Relation::slt, lanes, relative(high), predicate.vector);
  }
  if (mask && masked.uniform)
    predicate.scalar =
        conjunction(builder, loc, predicate.scalar, masked.value);
  else if (mask)
    predicate.vector =
        conjunction(builder, loc, predicate.vector, masked.value);
  return predicate;
}

/// One bit for each lane of the tile.
Value Lowering::wholeMask(Predicate predicate, const Tile &tile) {
  if (!predicate.scalar && !predicate.vector)
    return vectorOf(
        arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true)),
        tile);
  if (!predicate.scalar)
    return predicate.vector;
  return conjunction(builder, loc, predicate.vector,
                     vectorOf(predicate.scalar, tile));
}

//===----------------------------------------------------------------------===//
// Reads
//===----------------------------------------------------------------------===//

Value Lowering::otherLanes(Value other, Type elementType, const Tile &tile,
                           bool asScalar) {
  if (!other) {
    // The type of what is read already is that of memory.
    Value zero = arith::ConstantOp::create(builder, loc,
                                           builder.getZeroAttr(elementType));
    return asScalar ? zero : vectorOf(zero, tile);
  }
  Lanes lanes =
      isBlock(other) ? evaluate(other, tile) : Lanes{scalar(other), true};
  return toMemory(asScalar ? lanes.value : spread(lanes, tile));
}

Lanes Lowering::gatherLanes(Value pointers, Type elementType, const Tile &tile,
                            Predicate predicate, Value other) {
  auto type = vectorType(tile.width, elementType);
  Value otherwise = otherLanes(other, elementType, tile, /*asScalar=*/false);
  return {LLVM::masked_gather::create(builder, loc, type, pointers,
                                      wholeMask(predicate, tile), otherwise,
                                      alignmentOf(elementType)),
          false};
}

/// Consecutive elements from `pointer` on; one element where the tile has no
/// vector dimension.
Lanes Lowering::readLanes(Value pointer, Type elementType, const Tile &tile,
                          Predicate predicate, Value other, bool isVolatile) {
  unsigned alignment = alignmentOf(elementType);
  if (tile.vectorDim < 0) {
    auto load = [&] {
      return LLVM::LoadOp::create(builder, loc, elementType, pointer, alignment,
                                  isVolatile);
    };
    if (!predicate.scalar)
      return {load(), true};
    Value otherwise = otherLanes(other, elementType, tile, /*asScalar=*/true);
    auto branch = scf::IfOp::create(builder, loc, elementType, predicate.scalar,
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(builder, loc, load().getResult());
    builder.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(builder, loc, otherwise);
    return {branch.getResult(0), true};
  }
  auto type = vectorType(tile.width, elementType);
  if (!predicate.scalar && !predicate.vector)
    return {LLVM::LoadOp::create(builder, loc, type, pointer, alignment,
                                 isVolatile),
            false};
  Value otherwise = otherLanes(other, elementType, tile, /*asScalar=*/false);
  return {LLVM::MaskedLoadOp::create(builder, loc, type, pointer,
                                     wholeMask(predicate, tile), otherwise,
                                     alignment),
          false};
}

/// The offset of the first lane of a tile; of all but the vector dimension
/// where `skipVectorDim` is set.
Value Lowering::offsetOf(const Tile &tile, Value offset, ValueRange strides,
                         function_ref<Value(int64_t)> indexOf,
                         bool skipVectorDim) {
  Value total = offset;
  for (auto [dim, coordinate] : llvm::enumerate(tile.coordinates)) {
    if (skipVectorDim && static_cast<int64_t>(dim) == tile.vectorDim)
      continue;
    if (Value index = indexOf(dim)) {
      Tile element;
      element.coordinates = {coordinate};
      Value position = asI64(evaluate(index, element).value);
      total = arith::AddIOp::create(builder, loc, total, position);
    }
    if (isConstant(strides[dim], 0) || isConstant(coordinate.start, 0))
      continue;
    Value part = builder.createOrFold<arith::MulIOp>(loc, coordinate.start,
                                                     strides[dim]);
    total = builder.createOrFold<arith::AddIOp>(loc, total, part);
  }
  return total;
}

static Value widened(OpBuilder &builder, Location loc, Value lanes) {
  Type i64 = builder.getI64Type();
  if (getElementTypeOrSelf(lanes.getType()) == i64)
    return lanes;
  Type type = i64;
  if (auto vector = dyn_cast<VectorType>(lanes.getType()))
    type = vector.clone(i64);
  return arith::ExtSIOp::create(builder, loc, type, lanes);
}

template <typename AccessOp>
Lowering::Place Lowering::placeOf(AccessOp op, const Tile &tile,
                                  const ReadView *view) {
  SmallVector<Value> strides;
  for (Value stride : op.getStrides())
    strides.push_back(scalar(stride));
  Value pointer = view ? view->pointer : scalar(op.getBase());
  Value offset = view ? constant(0) : scalar(op.getOffset());
  if (view)
    strides = view->strides;
  auto indexOf = [&](int64_t dim) {
    return view ? Value() : op.getIndexOf(dim);
  };
  Type element = memoryType(lowered(elementOf(op.getBlockValue())));
  int64_t v = tile.vectorDim;
  Value index = v < 0 ? Value() : indexOf(v);
  Place place;
  if (v < 0 || (!index && isConstant(strides[v], 1))) {
    place.first = address(pointer, element,
                          offsetOf(tile, offset, strides, indexOf, false));
    return place;
  }
  // What is left is one address for each lane, unless the run of an index that
  // merely wraps shows at its ends that it does not wrap here.
  Value rest =
      address(pointer, element, offsetOf(tile, offset, strides, indexOf, true));
  if (index && tile.unwrapped && op.isWrapped(v) && isConstant(strides[v], 0)) {
    Tile front;
    front.coordinates = {tile.coordinates[v]};
    place.first = address(rest, element, asI64(evaluate(index, front).value));
    return place;
  }
  Tile line;
  line.coordinates = {tile.coordinates[v]};
  line.vectorDim = 0;
  line.width = tile.width;
  Value lanes;
  if (!isConstant(strides[v], 0) || !index) {
    Value start = vectorOf(tile.coordinates[v].start, tile);
    lanes = arith::AddIOp::create(builder, loc, start,
                                  step(builder.getI64Type(), tile.width));
    lanes =
        arith::MulIOp::create(builder, loc, lanes, vectorOf(strides[v], tile));
  }
  if (index) {
    Value positions =
        widened(builder, loc, spread(evaluate(index, line), line));
    if (!lanes)
      noticeOrder(place, index, op.isWrapped(v), positions, tile);
    if (place.contiguous || place.uniform)
      place.first = address(
          rest, element,
          vector::ExtractOp::create(builder, loc, positions, int64_t(0)));
    lanes =
        lanes
            ? arith::AddIOp::create(builder, loc, lanes, positions).getResult()
            : positions;
  }
  if (!index && isConstant(strides[v], 2) && !tile.width.scalable)
    place.first = address(pointer, element,
                          offsetOf(tile, offset, strides, indexOf, false));
  auto type = vectorType(tile.width, pointer.getType());
  place.each = LLVM::GEPOp::create(builder, loc, type, element, rest,
                                   ArrayRef<LLVM::GEPArg>{lanes});
  return place;
}

/// The tile of the first lane of `tile`.
static Tile firstLane(Tile tile) {
  tile.vectorDim = -1;
  tile.width = 1;
  return tile;
}

Lanes Lowering::evaluateLoad(sg::LoadOp op, const Tile &tile) {
  Type element = lowered(elementOf(op.getResult()));
  Type stored = memoryType(element);
  auto found = views.find(op);
  const ReadView *view = found == views.end() ? nullptr : &found->second;
  int64_t v = tile.vectorDim;
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  // All lanes read one address: so does one scalar read.
  if (v >= 0 && !view && !op.getIndexOf(v) &&
      isConstant(op.getStrides()[v], 0) && !op.getMask() && !op.getOther() &&
      isFull(op.getLows()[v], op.getHighs()[v], shape[v])) {
    return {evaluateLoad(op, firstLane(tile)).value, true};
  }
  Predicate predicate =
      boundsOf(tile, op.getLows(), op.getHighs(), shape, op.getMask());
  Value other = op.getOther();
  if (Value number = oneNumber.lookup(op)) {
    if (!predicate.scalar && !predicate.vector)
      return {number, true};
    DepthScope scope(*this, depthOf(tile));
    bool asScalar = v < 0 || !predicate.vector;
    Value otherwise = otherLanes(other, stored, tile, asScalar);
    return {select(asScalar ? predicate.scalar : wholeMask(predicate, tile),
                   asScalar ? number : vectorOf(number, tile),
                   fromMemory(otherwise, element)),
            asScalar};
  }
  if (other && isBlock(other))
    evaluate(other, tile);
  DepthScope scope(*this, depthOf(tile));
  Place place = placeOf(op, tile, view);
  auto narrow = [&](Lanes lanes) {
    return Lanes{fromMemory(lanes.value, element), lanes.uniform};
  };
  auto contiguous = [&] {
    return readLanes(place.first, stored, tile, predicate, other,
                     op.getIsVolatile());
  };
  if (!place.each) {
    if (prefetches && !predicate.scalar && !predicate.vector)
      prefetch(op, place.first, tile);
    return narrow(contiguous());
  }
  if (place.first && !place.contiguous && !place.uniform && !predicate.scalar &&
      !predicate.vector && !op.getIsVolatile() && tile.width.lanes > 1)
    return narrow(
        {readEverySecond(builder, loc, place.first,
                         vectorType(tile.width, stored), alignmentOf(stored)),
         false});
  // A lane that is not to be read has no address to read for the others.
  if (predicate.scalar || predicate.vector)
    place.uniform = nullptr;
  if (!place.contiguous && !place.uniform)
    return narrow(gatherLanes(place.each, stored, tile, predicate, other));
  auto uniform = [&] {
    return spread(readLanes(place.first, stored, firstLane(tile), predicate,
                            other, op.getIsVolatile()),
                  tile);
  };
  auto type = vectorType(tile.width, stored);
  auto branch = scf::IfOp::create(
      builder, loc, type, place.uniform ? place.uniform : place.contiguous,
      /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(builder, loc,
                         place.uniform ? uniform() : contiguous().value);
    builder.setInsertionPointToStart(branch.elseBlock());
    Value gathered =
        gatherLanes(place.each, stored, tile, predicate, other).value;
    scf::YieldOp::create(builder, loc, gathered);
  }
  return narrow({branch.getResult(0), false});
}

/// The address of each lane of explicit offsets.
Value Lowering::explicitAddress(Value base, Value offsets, bool inBytes,
                                Type element, const Tile &tile) {
  Lanes positions = evaluate(offsets, tile);
  DepthScope scope(*this, depthOf(tile));
  Value pointer = scalar(base);
  Type unit = inBytes ? builder.getI8Type() : memoryType(element);
  Value lanes = widened(builder, loc, spread(positions, tile));
  Type type = pointer.getType();
  if (tile.vectorDim >= 0)
    type = vectorType(tile.width, type);
  return LLVM::GEPOp::create(builder, loc, type, unit, pointer,
                             ArrayRef<LLVM::GEPArg>{lanes});
}

/// Returns true if all lanes of a tile of `value`, if there is one, are equal.
bool Lowering::isUniform(Value value, const Tile &tile) {
  return !value || !isBlock(value) || evaluate(value, tile).uniform;
}

Lanes Lowering::evaluateGather(sg::GatherOp op, const Tile &tile) {
  // All lanes read one address: so does one scalar read.
  if (tile.vectorDim >= 0 && !op.getIsVolatile() &&
      isUniform(op.getOffsets(), tile) && isUniform(op.getMask(), tile) &&
      isUniform(op.getOther(), tile)) {
    return {evaluateGather(op, firstLane(tile)).value, true};
  }
  Type element = lowered(elementOf(op.getResult()));
  Type stored = memoryType(element);
  Value pointers = explicitAddress(op.getBase(), op.getOffsets(),
                                   op.getByteOffsets(), element, tile);
  Predicate predicate = boundsOf(Tile(), {}, {}, {}, {});
  if (op.getMask()) {
    Lanes mask = evaluate(op.getMask(), tile);
    (mask.uniform ? predicate.scalar : predicate.vector) = mask.value;
  }
  if (Value other = op.getOther(); other && isBlock(other))
    evaluate(other, tile);
  DepthScope scope(*this, depthOf(tile));
  Lanes lanes =
      tile.vectorDim < 0
          ? readLanes(pointers, stored, tile, predicate, op.getOther(),
                      op.getIsVolatile())
          : gatherLanes(pointers, stored, tile, predicate, op.getOther());
  return {fromMemory(lanes.value, element), lanes.uniform};
}

//===----------------------------------------------------------------------===//
// Writes
//===----------------------------------------------------------------------===//

void Lowering::writeLanes(Value value, Value pointer, const Tile &tile,
                          Predicate predicate, bool pastCaches) {
  unsigned alignment = alignmentOf(elementOf(value));
  if (predicate.vector) {
    LLVM::MaskedStoreOp::create(builder, loc, value, pointer,
                                wholeMask(predicate, tile), alignment);
    return;
  }
  OpBuilder::InsertionGuard guard(builder);
  if (predicate.scalar) {
    auto branch = scf::IfOp::create(builder, loc, predicate.scalar,
                                    /*withElseRegion=*/false);
    builder.setInsertionPointToStart(branch.thenBlock());
    pastCaches = false;
  }
  if (pastCaches)
    alignment = cast<VectorType>(value.getType()).getNumElements() * alignment;
  LLVM::StoreOp::create(builder, loc, value, pointer, alignment,
                        /*isVolatile=*/false, /*isNonTemporal=*/pastCaches);
}

/// Writes lane after lane, so that the order of equal addresses is defined.
void Lowering::scatterLanes(Value value, Value pointers, const Tile &tile,
                            Predicate predicate) {
  LLVM::masked_scatter::create(builder, loc, value, pointers,
                               wholeMask(predicate, tile),
                               alignmentOf(elementOf(value)));
}

/// Writes `values` of a store at `tiles`.
void Lowering::writeTiles(const Written &store, ArrayRef<Tile> tiles,
                          ArrayRef<Lanes> values,
                          ArrayRef<Predicate> predicates) {
  sg::StoreOp op = store.op;
  SmallVector<Value> stored;
  SmallVector<Place> places;
  for (auto [tile, lanes] : llvm::zip(tiles, values)) {
    stored.push_back(toMemory(spread(lanes, tile)));
    places.push_back(placeOf(op, tile, nullptr));
  }
  auto write = [&](bool pastCaches) {
    for (auto [tile, value, predicate, place] :
         llvm::zip(tiles, stored, predicates, places)) {
      if (!place.each) {
        writeLanes(value, place.first, tile, predicate, pastCaches);
        continue;
      }
      if (!place.contiguous) {
        scatterLanes(value, place.each, tile, predicate);
        continue;
      }
      // A masked write may take many times as long as one without a mask.
      Value straight = place.contiguous;
      if (predicate.vector) {
        Value all = vector::ReductionOp::create(builder, loc,
                                                vector::CombiningKind::AND,
                                                wholeMask(predicate, tile));
        straight = arith::AndIOp::create(builder, loc, straight, all);
      }
      auto branch = scf::IfOp::create(builder, loc, straight,
                                      /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(branch.thenBlock());
      writeLanes(value, place.first, tile,
                 predicate.vector ? Predicate() : predicate);
      builder.setInsertionPointToStart(branch.elseBlock());
      scatterLanes(value, place.each, tile, predicate);
    }
  };
  OpBuilder::InsertionGuard guard(builder);
  if (store.active) {
    auto branch = scf::IfOp::create(builder, loc, store.active,
                                    /*withElseRegion=*/false);
    builder.setInsertionPointToStart(branch.thenBlock());
  }
  bool masked = llvm::any_of(predicates,
                             [](Predicate p) { return p.scalar || p.vector; });
  if (!store.streams || masked)
    return write(false);
  auto branch = scf::IfOp::create(builder, loc, store.streams,
                                  /*withElseRegion=*/true);
  builder.setInsertionPointToStart(branch.thenBlock());
  write(true);
  builder.setInsertionPointToStart(branch.elseBlock());
  write(false);
}

LogicalResult Lowering::emitScatter(sg::ScatterOp op) {
  ArrayRef<int64_t> shape = shapeOf(op.getValue());
  Type element = lowered(elementOf(op.getValue()));
  int64_t vectorDim = chooseVectorDim(op.getValue());
  SmallVector<Value> readers(op->getOperands());
  llvm::erase_if(readers, [](Value v) { return !isBlock(v); });
  Width width =
      vectorDim < 0 ? 1 : chooseWidth(element, shape[vectorDim], readers);
  forEachTile(shape, vectorDim, width, readers, {}, [&](const Tile &tile) {
    Lanes value = evaluate(op.getValue(), tile);
    Predicate predicate;
    if (op.getMask()) {
      Lanes mask = evaluate(op.getMask(), tile);
      (mask.uniform ? predicate.scalar : predicate.vector) = mask.value;
    }
    Value pointers = explicitAddress(op.getBase(), op.getOffsets(),
                                     op.getByteOffsets(), element, tile);
    builder.restoreInsertionPoint(points.back());
    Value stored = toMemory(spread(value, tile));
    if (tile.vectorDim < 0)
      return writeLanes(stored, pointers, tile, predicate);
    scatterLanes(stored, pointers, tile, predicate);
  });
  return success();
}

//===- Combine.cpp - combiners and scans
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

bool vectorize::isVectorizable(Block &combiner) {
  return llvm::all_of(combiner.without_terminator(), [](Operation &op) {
    return op.hasTrait<OpTrait::Elementwise>() ||
           op.hasTrait<OpTrait::ConstantLike>();
  });
}

static int64_t lanesOf(Value value) {
  auto vector = dyn_cast<VectorType>(value.getType());
  return vector ? vector.getDimSize(0) : 0;
}

static bool isScalable(Value value) {
  auto vector = dyn_cast<VectorType>(value.getType());
  return vector && vector.isScalable();
}

SmallVector<Value> Lowering::combine(Block &combiner, ValueRange left,
                                     ValueRange right) {
  IRMapping mapping = scalars;
  SmallVector<Value> arguments(left);
  llvm::append_range(arguments, right);
  mapping.map(combiner.getArguments(), arguments);
  int64_t lanes = lanesOf(left.front());
  Width width = {lanes, isScalable(left.front())};
  auto widen = [&](Value value) -> Value {
    if (lanes == 0 || lanesOf(value))
      return value;
    VectorType type = vectorType(width, value.getType());
    return vector::BroadcastOp::create(builder, loc, type, value);
  };
  for (Operation &op : combiner.without_terminator()) {
    bool anyVector = llvm::any_of(op.getOperands(), [&](Value operand) {
      return lanesOf(mapping.lookupOrDefault(operand)) != 0;
    });
    IRMapping widened = mapping;
    if (anyVector)
      for (Value operand : op.getOperands())
        widened.map(operand, widen(mapping.lookupOrDefault(operand)));
    Operation *clone = builder.clone(op, widened);
    for (auto [old, result] : llvm::zip(op.getResults(), clone->getResults())) {
      if (anyVector)
        result.setType(vectorType(width, old.getType()));
      mapping.map(old, result);
    }
  }
  SmallVector<Value> results;
  for (Value value : combiner.getTerminator()->getOperands())
    results.push_back(widen(mapping.lookupOrDefault(value)));
  return results;
}

/// Combines all lanes of vectors, halving them until one is left.
SmallVector<Value> Lowering::combineLanes(Block &combiner, ValueRange vectors) {
  if (isScalable(vectors.front()))
    return combineScalableLanes(combiner, vectors);
  SmallVector<Value> values(vectors);
  for (int64_t lanes = lanesOf(values.front()); lanes > 1; lanes /= 2) {
    SmallVector<Value> low, high;
    for (Value value : values) {
      for (int64_t start : {int64_t(0), lanes / 2}) {
        Value half = vector::ExtractStridedSliceOp::create(
            builder, loc, value, ArrayRef<int64_t>{start},
            ArrayRef<int64_t>{lanes / 2}, ArrayRef<int64_t>{1});
        (start ? high : low).push_back(half);
      }
    }
    values = combine(combiner, low, high);
  }
  for (Value &value : values)
    if (lanesOf(value))
      value = vector::ExtractOp::create(builder, loc, value, int64_t(0));
  return values;
}

/// The inclusive scan of the lanes of vectors, in log2(lanes) steps: each takes
/// pairs of neighbouring groups, and adds the last result of one to all of the
/// other. Most steps stay within a part of the register.
SmallVector<Value> Lowering::scanLanes(Block &combiner, ValueRange vectors,
                                       bool reverse) {
  SmallVector<Value> values(vectors);
  int64_t lanes = lanesOf(values.front());
  for (int64_t half = 1; half < lanes; half *= 2) {
    SmallVector<int64_t> source;
    SmallVector<bool> reached;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      bool isSecond = ((lane & half) != 0) != reverse;
      int64_t middle = (lane & ~(2 * half - 1)) + half;
      reached.push_back(isSecond);
      source.push_back(!isSecond ? lane : reverse ? middle : middle - 1);
    }
    SmallVector<Value> shifted;
    for (Value value : values)
      shifted.push_back(
          vector::ShuffleOp::create(builder, loc, value, value, source));
    SmallVector<Value> combined = combine(combiner, shifted, values);
    auto maskType = VectorType::get({lanes}, builder.getI1Type());
    Value mask = arith::ConstantOp::create(
        builder, loc, DenseElementsAttr::get(maskType, reached));
    for (auto [value, wide] : llvm::zip(values, combined))
      value = arith::SelectOp::create(builder, loc, mask, wide, value);
  }
  return values;
}

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

/// The reduction behind `op` whose result is the last one of the scan: along
/// the same axis, of the same inputs, by the same combiner.
static sg::ReduceOp findTotal(sg::ScanOp op) {
  for (Operation *user : op.getInputs().front().getUsers()) {
    auto reduce = dyn_cast<sg::ReduceOp>(user);
    if (reduce && reduce->getBlock() == op->getBlock() &&
        op->isBeforeInBlock(reduce) && reduce.getAxis() == op.getAxis() &&
        reduce.getInputs() == op.getInputs() &&
        OperationEquivalence::isRegionEquivalentTo(
            &reduce->getRegion(0), &op->getRegion(0),
            OperationEquivalence::IgnoreLocations))
      return reduce;
  }
  return {};
}

/// One strip of a scan along lanes: its results, and the state for the next
/// one, which is the last result in all lanes.
Lowering::Strip Lowering::scanStrip(sg::ScanOp op, ValueRange values,
                                    ValueRange before) {
  Block &combiner = op.getCombiner();
  bool reverse = op.getReverse();
  int64_t lanes = lanesOf(values.front());
  SmallVector<int64_t> last(lanes, reverse ? 0 : lanes - 1);
  auto spreadLast = [&](ValueRange vectors) {
    SmallVector<Value> wide;
    for (Value value : vectors)
      wide.push_back(
          vector::ShuffleOp::create(builder, loc, value, value, last));
    return wide;
  };
  Strip strip;
  strip.results = scanLanes(combiner, values, reverse);
  if (before.empty()) {
    strip.state = spreadLast(strip.results);
    return strip;
  }
  // What follows waits for one application of the combiner a strip, and not for
  // the shuffles.
  bool cheap = kindOf(combiner).has_value();
  if (cheap)
    strip.state = combine(combiner, before, spreadLast(strip.results));
  strip.results = combine(combiner, before, strip.results);
  if (!cheap)
    strip.state = spreadLast(strip.results);
  return strip;
}

/// Scans along the axis in strips and returns the state after the last: the
/// last result of each element, in all lanes where they lie along the axis.
SmallVector<Value> Lowering::scanAlongAxis(sg::ScanOp op, Tile tile,
                                           Width width,
                                           ArrayRef<Buffer> outputs) {
  int64_t axis = op.getAxis(), size = op.getInputType().getDimSize(axis);
  bool alongLanes = tile.vectorDim == axis, reverse = op.getReverse();
  int64_t stride = alongLanes ? width.lanes : 1;
  Extent extent;
  if (alongLanes && !reverse)
    extent = extentOf(op.getInputs(), op.getInputType().getShape(), axis);
  auto strip = [&](Value step, ValueRange before, bool interior) {
    Value position = step;
    builder.restoreInsertionPoint(points.back());
    if (reverse)
      position =
          arith::SubIOp::create(builder, loc, constant(size - stride), step);
    Tile moved = tile;
    moved.coordinates[axis] = {position, depth(), alongLanes ? axis : -1};
    moved.interior = alongLanes ? interior : tile.interior;
    moved.passesComparisons = alongLanes && interior && extent.passes;
    SmallVector<Value> values = evaluateAll(op.getInputs(), moved);
    builder.restoreInsertionPoint(points.back());
    Strip made;
    if (alongLanes)
      made = scanStrip(op, values, before);
    else
      made.state = made.results =
          before.empty() ? values : combine(op.getCombiner(), before, values);
    for (auto [output, value] : llvm::zip(outputs, made.results))
      writeBuffer(output, moved, value);
    builder.restoreInsertionPoint(points.back());
    return made.state;
  };
  bool unmasked = alongLanes && !reverse && !extent.interior;
  SmallVector<Value> state = strip(constant(0), {}, unmasked);
  auto strips = [&](Value from, Value to, bool interior) {
    Value step = openLoop(from, to, stride, state);
    SmallVector<Value> before(loopState());
    ValueRange results = closeLoop(strip(step, before, interior));
    state.assign(results.begin(), results.end());
  };
  if (size <= stride)
    return state;
  Value first = constant(stride), end = constant(size), whole = end;
  if (extent.interior) {
    whole = roundDown(extent.interior, width);
    whole = arith::MaxSIOp::create(builder, loc, whole, first);
    strips(first, whole, true);
    strips(whole, end, false);
  } else {
    strips(first, end, unmasked);
  }
  return state;
}

Width Lowering::scanWidth(sg::ScanOp op, int64_t vectorDim) {
  if (vectorDim < 0)
    return 1;
  Type element = lowered(op.getInputType().getElementType());
  int64_t size = op.getInputType().getDimSize(vectorDim);
  // Across rows the lanes stay apart.
  Width width = chooseWidth(element, size, op.getInputs(), &op.getCombiner());
  if (vectorDim != static_cast<int64_t>(op.getAxis()) || !width.scalable)
    return width;
  op->emitRemark("not scalable: a scan shifts lanes by fixed distances");
  return fixedWidth(element, size);
}

LogicalResult Lowering::emitScan(sg::ScanOp op) {
  RankedTensorType type = op.getInputType();
  int64_t axis = op.getAxis();
  int64_t vectorDim = isVectorizable(op.getCombiner())
                          ? chooseVectorDim(op.getInputs()[0])
                          : -1;
  Width width = scanWidth(op, vectorDim);
  SmallVector<Buffer> outputs;
  for (Value result : op.getResults())
    outputs.push_back(allocate(RankedTensorType::get(
        type.getShape(), lowered(typeOf(result).getElementType()))));
  SmallVector<int64_t> outer;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (dim != axis && dim != vectorDim)
      outer.push_back(dim);
  sg::ReduceOp total = findTotal(op);
  SmallVector<Buffer> totals;
  if (total) {
    reduced.insert(total);
    for (Value result : total.getResults())
      if (isBlock(result))
        totals.push_back(allocateLike(result));
  }
  openNest();
  Tile tile = originOf(type.getRank());
  auto line = [&](Tile at) {
    SmallVector<Value> state = scanAlongAxis(op, at, width, outputs);
    if (!total)
      return;
    builder.restoreInsertionPoint(points.back());
    bool alongLanes = at.vectorDim == axis;
    if (alongLanes)
      for (Value &value : state)
        value = vector::ExtractOp::create(builder, loc, value, int64_t(0));
    if (totals.empty())
      return scalars.map(total.getResults(), state);
    at.coordinates.erase(at.coordinates.begin() + axis);
    at.vectorDim = alongLanes ? -1 : at.vectorDim - (at.vectorDim > axis);
    for (auto [buffer, value] : llvm::zip(totals, state))
      writeBuffer(buffer, at, value);
  };
  if (vectorDim >= 0 && vectorDim != axis) {
    emitTiles(tile, type.getShape(), outer, vectorDim, width, op.getInputs(),
              {}, line);
  } else {
    openLoops(tile, type.getShape(), outer, {});
    tile.vectorDim = vectorDim;
    tile.width = width;
    line(tile);
    while (!loops.empty())
      closeLoop();
  }
  closeNest();
  for (auto [result, output] : llvm::zip(op.getResults(), outputs))
    buffers[result] = output;
  if (total)
    for (auto [result, buffer] : llvm::zip(total.getResults(), totals))
      buffers[result] = buffer;
  return success();
}

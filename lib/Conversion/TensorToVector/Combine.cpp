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

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

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

/// The inclusive scan of the lanes of vectors, in log2(lanes) steps.
SmallVector<Value> Lowering::scanLanes(Block &combiner, ValueRange vectors,
                                       bool reverse) {
  SmallVector<Value> values(vectors);
  int64_t lanes = lanesOf(values.front());
  for (int64_t distance = 1; distance < lanes; distance *= 2) {
    SmallVector<int64_t> source;
    SmallVector<bool> reached;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      int64_t from = reverse ? lane + distance : lane - distance;
      reached.push_back(from >= 0 && from < lanes);
      source.push_back(reached.back() ? from : lane);
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

/// Scans along the axis in strips; the state that passes from strip to strip
/// is the last result of the one before, as scalars or, across rows, vectors.
void Lowering::scanAlongAxis(sg::ScanOp op, Tile tile, Width width,
                             ArrayRef<Buffer> outputs) {
  int64_t axis = op.getAxis(), size = op.getInputType().getDimSize(axis);
  bool alongLanes = tile.vectorDim == axis, reverse = op.getReverse();
  int64_t stride = alongLanes ? width.lanes : 1;
  auto strip = [&](Value step, ValueRange before) {
    Value position = step;
    builder.restoreInsertionPoint(points.back());
    if (reverse)
      position =
          arith::SubIOp::create(builder, loc, constant(size - stride), step);
    Tile moved = tile;
    moved.coordinates[axis] = {position, depth(), alongLanes ? axis : -1};
    moved.interior = !alongLanes && tile.interior;
    SmallVector<Value> values = evaluateAll(op.getInputs(), moved);
    builder.restoreInsertionPoint(points.back());
    if (alongLanes)
      values = scanLanes(op.getCombiner(), values, reverse);
    if (!before.empty()) {
      SmallVector<Value> carried;
      for (Value value : before)
        carried.push_back(alongLanes ? vectorOf(value, moved) : value);
      values = combine(op.getCombiner(), carried, values);
    }
    for (auto [output, value] : llvm::zip(outputs, values))
      writeBuffer(output, moved, value);
    builder.restoreInsertionPoint(points.back());
    if (alongLanes)
      for (Value &value : values)
        value = vector::ExtractOp::create(builder, loc, value,
                                          reverse ? 0 : width.lanes - 1);
    return values;
  };
  SmallVector<Value> state = strip(constant(0), {});
  if (size <= stride)
    return;
  Value step = openLoop(constant(stride), constant(size), stride, state);
  SmallVector<Value> before(loopState());
  closeLoop(strip(step, before));
}

Width Lowering::scanWidth(sg::ScanOp op, int64_t vectorDim) {
  if (vectorDim < 0)
    return 1;
  Type element = lowered(op.getInputType().getElementType());
  int64_t size = op.getInputType().getDimSize(vectorDim);
  // Across rows the lanes stay apart.
  Width width = chooseWidth(element, size, op.getInputs(), &op.getCombiner());
  if (vectorDim != op.getAxis() || !width.scalable)
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
  openNest();
  Tile tile = originOf(type.getRank());
  if (vectorDim >= 0 && vectorDim != axis) {
    emitTiles(
        tile, type.getShape(), outer, vectorDim, width, op.getInputs(), {},
        [&](const Tile &strip) { scanAlongAxis(op, strip, width, outputs); });
  } else {
    openLoops(tile, type.getShape(), outer, {});
    tile.vectorDim = vectorDim;
    tile.width = width;
    scanAlongAxis(op, tile, width, outputs);
    while (!loops.empty())
      closeLoop();
  }
  closeNest();
  for (auto [result, output] : llvm::zip(op.getResults(), outputs))
    buffers[result] = output;
  return success();
}

//===- Reduce.cpp - reductions along an axis
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The order in which a reduction combines is free, so several chains run at
// once, each from what its combiner leaves unchanged. A block that is reduced
// and then read again is written on the way (`fillers`), and what lies beyond
// all bounds of its reads, where each element is the same, is not evaluated
// element by element.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;
using Kind = vector::CombiningKind;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// What a combiner of `kind` leaves unchanged; null where nothing is. A sum's
/// is the negative zero, since the other one changes that.
static TypedAttr neutralOf(Kind kind, Type type) {
  Builder builder(type.getContext());
  if (auto integer = dyn_cast<IntegerType>(type)) {
    unsigned bits = integer.getWidth();
    auto number = [&](const APInt &value) {
      return builder.getIntegerAttr(type, value);
    };
    switch (kind) {
    case Kind::ADD:
    case Kind::OR:
    case Kind::XOR:
    case Kind::MAXUI:
      return number(APInt::getZero(bits));
    case Kind::AND:
    case Kind::MINUI:
      return number(APInt::getAllOnes(bits));
    case Kind::MAXSI:
      return number(APInt::getSignedMinValue(bits));
    case Kind::MINSI:
      return number(APInt::getSignedMaxValue(bits));
    default:
      return {};
    }
  }
  // Some of the formats of a byte have no infinity, or no NaN.
  auto floats = dyn_cast<FloatType>(type);
  if (!floats || floats.getWidth() < 16)
    return {};
  const llvm::fltSemantics &format = floats.getFloatSemantics();
  auto number = [&](const APFloat &value) {
    return builder.getFloatAttr(type, value);
  };
  switch (kind) {
  case Kind::ADD:
    return number(APFloat::getZero(format, /*Negative=*/true));
  case Kind::MAXNUMF:
  case Kind::MINNUMF:
    return number(APFloat::getQNaN(format));
  case Kind::MAXIMUMF:
    return number(APFloat::getInf(format, /*Negative=*/true));
  case Kind::MINIMUMF:
    return number(APFloat::getInf(format));
  default:
    return {};
  }
}

/// Returns true if combining with the same value again changes nothing.
static bool isIdempotent(Kind kind) {
  return kind != Kind::ADD && kind != Kind::MUL && kind != Kind::XOR;
}

/// Vectors, or scalars, that the combiner of `line` leaves unchanged; empty
/// where there are none.
SmallVector<Value> Lowering::neutralState(const Line &line) {
  if (!line.kind)
    return {};
  Type type = lowered(line.type.getElementType());
  // Without a comparison that a NaN wins, the least number is neutral.
  Kind kind = *line.kind;
  if (line.compares)
    kind = kind == Kind::MAXNUMF ? Kind::MAXIMUMF : Kind::MINIMUMF;
  TypedAttr neutral = neutralOf(kind, type);
  if (!neutral)
    return {};
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&program.front());
  Value value = arith::ConstantOp::create(builder, loc, neutral);
  return {vectorOf(value, line.tile)};
}

SmallVector<Value> Lowering::advance(const Line &line, ValueRange state,
                                     ValueRange values) {
  if (!line.compares)
    return combine(*line.combiner, state, values);
  auto relation = *line.kind == Kind::MAXNUMF ? arith::CmpFPredicate::OGT
                                              : arith::CmpFPredicate::OLT;
  // The state stays where the value is NaN.
  Value better = arith::CmpFOp::create(builder, loc, relation, values.front(),
                                       state.front());
  return {arith::SelectOp::create(builder, loc, better, values.front(),
                                  state.front())};
}

Tile Lowering::tileAt(const Line &line, Value position, bool interior) {
  Tile tile = line.tile;
  tile.coordinates[line.axis] = {position, depth(),
                                 line.alongLanes ? line.axis : -1};
  // The bounds along the axis are those of the vector dimension only where
  // both are the same; else they are tested row by row.
  if (line.alongLanes)
    tile.interior = interior;
  return tile;
}

/// Combines strips from `from` on, `count` of them at once, each with its part
/// of the state.
void Lowering::reduceStrips(const Line &line, Value from, Value to,
                            int64_t count, bool interior,
                            SmallVectorImpl<Value> &state) {
  size_t inputs = line.inputs.size();
  Value start = openLoop(from, to, laneCount(line.stride, count), state);
  SmallVector<Value> carried(loopState()), values, next;
  // All are evaluated before any is written or combined, so that the steps of
  // their expressions can be taken side by side.
  for (int64_t chain = 0; chain < count; ++chain) {
    builder.restoreInsertionPoint(points.back());
    Value position = builder.createOrFold<arith::AddIOp>(
        loc, start, laneCount(line.stride, chain));
    Tile tile = tileAt(line, position, interior);
    prefetches = line.alongLanes && interior && line.type.getRank() == 1 &&
                 line.size >= kLongRow && startsLine(chain, tile);
    llvm::append_range(values, evaluateAll(line.inputs, tile));
    prefetches = false;
  }
  writeFills();
  builder.restoreInsertionPoint(points.back());
  for (int64_t chain = 0; chain < count; ++chain)
    llvm::append_range(
        next, advance(line, ValueRange(carried).slice(chain * inputs, inputs),
                      ValueRange(values).slice(chain * inputs, inputs)));
  ValueRange results = closeLoop(next);
  state.assign(results.begin(), results.end());
}

/// Combines what lies from `edge` to the end of the axis, beyond the bounds of
/// all reads, where each strip is the same as the last.
SmallVector<Value> Lowering::combineBeyond(const Line &line, ValueRange state,
                                           Value edge) {
  Value size = constant(line.size), strip = laneCount(line.stride);
  Value any = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt,
                                    edge, size);
  scf::IfOp branch = openBranch(any, state.getTypes());
  Value last = builder.createOrFold<arith::SubIOp>(loc, size, strip);
  Tile tile = tileAt(line, last, /*interior=*/false);
  SmallVector<Value> values = evaluateAll(line.inputs, tile);
  writeFills();
  for (Value filler : fillers) {
    Value value = evaluateAll(filler, tile).front();
    Value start = openLoop(edge, last, strip);
    writeBuffer(pending[filler].buffer, tileAt(line, start, false), value);
    closeLoop();
  }
  builder.restoreInsertionPoint(points.back());
  SmallVector<Value> next = advance(line, state, values);
  if (!line.kind || !isIdempotent(*line.kind)) {
    Value second = arith::AddIOp::create(builder, loc, edge, strip);
    Value to = size;
    // Zeros add nothing, however many there are.
    if (line.kind == Kind::ADD) {
      Value other = isZero(values.front());
      to = arith::SelectOp::create(builder, loc, other, second, size);
    }
    openLoop(second, to, strip, next);
    SmallVector<Value> carried(loopState());
    ValueRange results = closeLoop(advance(line, carried, values));
    next.assign(results.begin(), results.end());
  }
  builder.restoreInsertionPoint(points.back());
  scf::YieldOp::create(builder, loc, next);
  openOtherBranch(branch);
  scf::YieldOp::create(builder, loc, state);
  return closeBranch(branch);
}

/// Returns one bit: whether all lanes are zeros.
Value Lowering::isZero(Value value) {
  Value zero = arith::ConstantOp::create(builder, loc,
                                         builder.getZeroAttr(value.getType()));
  Value lanes;
  if (isa<FloatType>(getElementTypeOrSelf(value.getType())))
    lanes = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE,
                                  value, zero);
  else
    lanes = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, value,
                                  zero);
  Value differs = anyOf(lanes);
  Value yes =
      arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
  return arith::XOrIOp::create(builder, loc, differs, yes);
}

/// Returns one bit: whether any lane is set.
Value Lowering::anyOf(Value lanes) {
  if (!isa<VectorType>(lanes.getType()))
    return lanes;
  return vector::ReductionOp::create(builder, loc, Kind::OR, lanes);
}

/// The state of all strips of a line, in as many independent chains as pay.
SmallVector<Value> Lowering::reduceChains(const Line &line) {
  int64_t wanted = std::max<int64_t>(
      line.mostChains / (line.stride.scalable ? machine.registerGroup : 1), 1);
  int64_t chains = 1;
  while (chains < wanted &&
         line.size % (2 * chains * maxLanes(line.stride)) == 0)
    chains *= 2;
  noteDecision(loc, "reduction",
               "along dimension {0} of {1} elements, {2} at a time: {3} "
               "independent chains{4}",
               line.axis, line.size, line.stride.lanes, chains,
               line.alongLanes ? ", lanes combined at the end" : "");
  Extent extent;
  if (line.alongLanes)
    extent = extentOf(line.inputs, line.type.getShape(), line.axis);
  Value size = constant(line.size), whole = size, first = constant(0);
  SmallVector<Value> state, start = neutralState(line);
  if (start.empty()) {
    // The first strips are the state that the others are combined with.
    for (int64_t chain = 0; chain < chains; ++chain) {
      Tile tile = tileAt(line, laneCount(line.stride, chain), !extent.interior);
      llvm::append_range(state, evaluateAll(line.inputs, tile));
      writeFills();
      builder.restoreInsertionPoint(points.back());
    }
    first = laneCount(line.stride, chains);
  } else {
    for (int64_t chain = 0; chain < chains; ++chain)
      llvm::append_range(state, start);
  }
  if (extent.interior) {
    whole = roundDown(extent.interior, line.stride, chains);
    whole = builder.createOrFold<arith::MaxSIOp>(loc, whole, first);
  }
  reduceStrips(line, first, whole, chains, true, state);
  size_t inputs = line.inputs.size();
  for (; chains > 1; chains /= 2) {
    size_t half = chains / 2 * inputs;
    SmallVector<Value> merged;
    for (int64_t chain = 0; chain < chains / 2; ++chain)
      llvm::append_range(
          merged,
          advance(line, ValueRange(state).slice(chain * inputs, inputs),
                  ValueRange(state).slice(half + chain * inputs, inputs)));
    state = merged;
  }
  if (!extent.interior)
    return state;
  Value edge = size;
  if (extent.beyond) {
    edge = roundUp(extent.beyond, line.stride);
    edge = arith::MinSIOp::create(builder, loc, edge, size);
    edge = arith::MaxSIOp::create(builder, loc, edge, whole);
  }
  reduceStrips(line, whole, edge, 1, false, state);
  return extent.beyond ? combineBeyond(line, state, edge) : state;
}

/// One element, or one strip of elements, of all inputs along the axis.
SmallVector<Value> Lowering::reduceAlongAxis(sg::ReduceOp op, const Tile &tile,
                                             Width width) {
  Line line;
  line.inputs = op.getInputs();
  line.combiner = &op.getCombiner();
  line.type = op.getInputType();
  line.tile = tile;
  line.axis = op.getAxis();
  line.size = line.type.getDimSize(line.axis);
  line.alongLanes = tile.vectorDim == line.axis;
  line.stride = line.alongLanes ? width : Width(1);
  line.kind = kindOf(op.getCombiner());
  Type element = lowered(op.getInputType().getElementType());
  line.compares =
      machine.comparesMaximum && line.kind &&
      (*line.kind == Kind::MAXNUMF || *line.kind == Kind::MINNUMF) &&
      (element.isF32() || element.isF64()) && !width.scalable;
  auto finish = [&](ValueRange state) {
    return line.alongLanes ? combineLanes(op.getCombiner(), state)
                           : SmallVector<Value>(state);
  };
  SmallVector<Value> results = finish(reduceChains(line));
  if (!line.compares)
    return results;
  // Where nothing was better than the start, there may be no number at all.
  Value least = arith::ConstantOp::create(
      builder, loc,
      neutralOf(*line.kind == Kind::MAXNUMF ? Kind::MAXIMUMF : Kind::MINIMUMF,
                element));
  if (isa<VectorType>(results.front().getType()))
    least = vectorOf(least, line.tile);
  Value unknown = anyOf(arith::CmpFOp::create(
      builder, loc, arith::CmpFPredicate::OEQ, results.front(), least));
  line.compares = false;
  line.mostChains = 1;
  scf::IfOp branch = openBranch(unknown, ValueRange(results).getTypes());
  SmallVector<Value> exact = finish(reduceChains(line));
  builder.restoreInsertionPoint(points.back());
  scf::YieldOp::create(builder, loc, exact);
  openOtherBranch(branch);
  scf::YieldOp::create(builder, loc, results);
  return closeBranch(branch);
}

LogicalResult Lowering::emitReduce(sg::ReduceOp op) {
  RankedTensorType type = op.getInputType();
  int64_t axis = op.getAxis();
  int64_t vectorDim = isVectorizable(op.getCombiner())
                          ? chooseVectorDim(op.getInputs()[0])
                          : -1;
  Type widest = lowered(type.getElementType());
  Width width = vectorDim < 0 ? 1
                              : chooseWidth(widest, type.getDimSize(vectorDim),
                                            op.getInputs(), &op.getCombiner());
  SmallVector<Buffer> outputs;
  for (Value result : op.getResults())
    if (auto block = dyn_cast<RankedTensorType>(result.getType()))
      outputs.push_back(allocate(RankedTensorType::get(
          block.getShape(), lowered(block.getElementType()))));
  SmallVector<int64_t> outer;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (dim != axis && dim != vectorDim)
      outer.push_back(dim);
  auto finish = [&](Tile tile, ValueRange values) {
    if (outputs.empty())
      return scalars.map(op.getResults(), values);
    tile.coordinates.erase(tile.coordinates.begin() + axis);
    tile.vectorDim =
        tile.vectorDim == axis ? -1 : tile.vectorDim - (tile.vectorDim > axis);
    for (auto [output, value] : llvm::zip(outputs, values)) {
      builder.restoreInsertionPoint(points.back());
      writeBuffer(output, tile, value);
    }
  };
  for (auto &[value, filler] : pending)
    if (filler.by == op)
      fillers.push_back(value);
  openNest();
  Tile tile = originOf(type.getRank());
  if (vectorDim >= 0 && vectorDim != axis) {
    reduceAcross(op, tile, outer, vectorDim, width, finish);
  } else {
    tile.vectorDim = vectorDim;
    tile.width = width;
    auto line = [&](const Tile &row) {
      finish(row, reduceAlongAxis(op, row, width));
    };
    ArrayRef<int64_t> dims = outer;
    openLoops(tile, type.getShape(), dims.drop_back(!dims.empty()), {});
    if (outer.empty())
      line(tile);
    else
      forEachRow(tile, type.getShape(), outer.back(), op.getInputs(), line);
    while (!loops.empty())
      closeLoop();
  }
  closeNest();
  for (Value filler : fillers)
    buffers[filler] = pending[filler].buffer;
  fillers.clear();
  for (auto [result, output] : llvm::zip(op.getResults(), outputs))
    buffers[result] = output;
  return success();
}

//===----------------------------------------------------------------------===//
// Blocks that are written on the way
//===----------------------------------------------------------------------===//

/// Returns true if evaluating `value` evaluates `wanted` at the same position.
static bool passes(Value value, Value wanted, DenseSet<Value> &seen) {
  if (value == wanted)
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || !op->hasTrait<OpTrait::Elementwise>() ||
      !seen.insert(value).second)
    return false;
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    return isa<RankedTensorType>(operand.getType()) &&
           passes(operand, wanted, seen);
  });
}

/// Writes what was evaluated of the blocks that the current nest fills.
void Lowering::writeFills() {
  for (const Fill &fill : fills) {
    DepthScope scope(*this, depthOf(fill.tile));
    writeBuffer(pending[fill.block].buffer, fill.tile,
                spread(fill.lanes, fill.tile));
  }
  fills.clear();
}

/// Returns true if computing `value` takes `wanted`.
static bool dependsOn(Value value, Value wanted, DenseSet<Value> &seen) {
  if (value == wanted)
    return true;
  Operation *op = value.getDefiningOp();
  return op && seen.insert(value).second &&
         llvm::any_of(op->getOperands(), [&](Value operand) {
           return dependsOn(operand, wanted, seen);
         });
}

/// The reduction that follows `value` and evaluates all of it, if nothing in
/// between needs it in memory or has an effect.
sg::ReduceOp Lowering::fillerOf(Value value) {
  if (auto known = fillerFound.find(value); known != fillerFound.end())
    return known->second;
  return fillerFound[value] = findFiller(value);
}

sg::ReduceOp Lowering::findFiller(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || !isLazy(op) || isa<arith::ConstantOp>(op))
    return {};
  for (op = op->getNextNode(); op; op = op->getNextNode()) {
    if (auto reduce = dyn_cast<sg::ReduceOp>(op)) {
      bool fits = reduce.getInputType().getShape() == typeOf(value).getShape();
      DenseSet<Value> seen;
      bool found = fits && isVectorizable(reduce.getCombiner()) &&
                   llvm::any_of(reduce.getInputs(), [&](Value input) {
                     return passes(input, value, seen);
                   });
      return found ? reduce : sg::ReduceOp();
    }
    if (op->getNumRegions() != 0 || isView(op) || (!isPure(op) && !isLazy(op)))
      return {};
    // A block that is written in between must not need this one.
    for (Value result : op->getResults())
      if (DenseSet<Value> seen; isa<RankedTensorType>(result.getType()) &&
                                (!isLazy(op) || plan.inMemory(result)) &&
                                !fillerOf(result) &&
                                dependsOn(result, value, seen))
        return {};
  }
  return {};
}

/// Leaves it to a later reduction to write `value`, where one can.
bool Lowering::postpone(Value value) {
  sg::ReduceOp by = fillerOf(value);
  if (!by)
    return false;
  pending[value] = {allocateLike(value), by};
  return true;
}

//===- Reduce.cpp - reductions along an axis
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The order in which a reduction combines is free, so several chains run at
// once, each from what its combiner leaves unchanged. A block that is reduced
// and then read again is written on the way (Fillers.cpp), and what lies beyond
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

/// Vectors, or scalars, that the combiners of `line` leave unchanged; empty
/// where one has none.
SmallVector<Value> Lowering::neutralState(const Line &line) {
  Type type = lowered(line.type.getElementType());
  SmallVector<Value> state;
  for (const Part &part : line.parts) {
    if (!part.kind)
      return {};
    // Without a comparison that a NaN wins, the least number is neutral.
    Kind kind = *part.kind;
    if (part.compares)
      kind = kind == Kind::MAXNUMF ? Kind::MAXIMUMF : Kind::MINIMUMF;
    TypedAttr neutral = neutralOf(kind, type);
    if (!neutral)
      return {};
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&program.front());
    Value value = arith::ConstantOp::create(builder, loc, neutral);
    state.push_back(vectorOf(value, line.tile));
  }
  return state;
}

SmallVector<Value> Lowering::advance(const Line &line, ValueRange state,
                                     ValueRange values) {
  SmallVector<Value> results;
  for (const Part &part : line.parts) {
    ValueRange left = state.slice(results.size(), part.inputs),
               right = values.slice(results.size(), part.inputs);
    if (!part.compares) {
      llvm::append_range(results, combine(*part.combiner, left, right));
      continue;
    }
    auto relation = *part.kind == Kind::MAXNUMF ? arith::CmpFPredicate::OGT
                                                : arith::CmpFPredicate::OLT;
    // The state stays where the value is NaN.
    Value better = arith::CmpFOp::create(builder, loc, relation, right.front(),
                                         left.front());
    results.push_back(arith::SelectOp::create(builder, loc, better,
                                              right.front(), left.front()));
  }
  return results;
}

/// The inputs of `line` at a tile; blocks that are written on the way are.
SmallVector<Value> Lowering::evaluateLine(const Line &line, const Tile &tile) {
  SmallVector<Value> values = evaluateAll(line.inputs, tile);
  for (Value filler : fillers)
    evaluate(filler, tile);
  return values;
}

Tile Lowering::tileAt(const Line &line, Value position, bool interior) {
  Tile tile = line.tile;
  tile.coordinates[line.axis] = {position, depth(),
                                 line.alongLanes ? line.axis : -1};
  // The bounds along the axis are those of the vector dimension only where
  // both are the same; else they are tested row by row.
  if (line.alongLanes) {
    tile.interior = interior;
    tile.passesComparisons = interior && line.passes;
  }
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
    if (line.alongLanes && interior && line.type.getRank() == 1 &&
        line.size >= kLongRow)
      prefetches = chain;
    llvm::append_range(values, evaluateLine(line, tile));
    prefetches.reset();
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
  SmallVector<Value> values = evaluateLine(line, tile);
  writeFills();
  for (Value filler : fillers) {
    Value value = evaluateAll(filler, tile).front();
    Value start = openLoop(edge, last, strip);
    writeBuffer(pending[filler].buffer, tileAt(line, start, false), value);
    closeLoop();
  }
  builder.restoreInsertionPoint(points.back());
  SmallVector<Value> next = advance(line, state, values);
  bool again = false;
  // Zeros add nothing, however many there are.
  Value to = size, second, zeros;
  for (auto [part, value] : llvm::zip(line.parts, values))
    again |= !part.kind || !isIdempotent(*part.kind);
  if (again) {
    second = arith::AddIOp::create(builder, loc, edge, strip);
    bool adds = llvm::all_of(line.parts, [](const Part &part) {
      return part.kind && (*part.kind == Kind::ADD || isIdempotent(*part.kind));
    });
    if (adds) {
      for (auto [part, value] : llvm::zip(line.parts, values)) {
        if (*part.kind != Kind::ADD)
          continue;
        Value zero = isZero(value);
        zeros =
            zeros ? arith::AndIOp::create(builder, loc, zeros, zero).getResult()
                  : zero;
      }
      to = arith::SelectOp::create(builder, loc, zeros, second, size);
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
SmallVector<Value> Lowering::reduceChains(Line line) {
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
  if (line.alongLanes) {
    SmallVector<Value> readers(line.inputs);
    llvm::append_range(readers, fillers);
    extent = extentOf(readers, line.type.getShape(), line.axis);
    line.passes = extent.passes;
  }
  Value size = constant(line.size), whole = size, first = constant(0);
  SmallVector<Value> state, start = neutralState(line);
  if (start.empty()) {
    // The first strips are the state that the others are combined with.
    for (int64_t chain = 0; chain < chains; ++chain) {
      Tile tile = tileAt(line, laneCount(line.stride, chain), !extent.interior);
      llvm::append_range(state, evaluateLine(line, tile));
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

/// What `ops` combine along their axis, one row at `tile`.
Line Lowering::lineOf(ArrayRef<sg::ReduceOp> ops, const Tile &tile,
                      Width width) const {
  sg::ReduceOp first = ops.front();
  Line line;
  line.type = first.getInputType();
  line.tile = tile;
  line.axis = first.getAxis();
  line.size = line.type.getDimSize(line.axis);
  line.alongLanes = tile.vectorDim == line.axis;
  line.stride = line.alongLanes ? width : Width(1);
  if (ops.size() > 1)
    line.mostChains = 2;
  for (sg::ReduceOp op : ops) {
    llvm::append_range(line.inputs, op.getInputs());
    line.parts.push_back(
        {&op.getCombiner(), op.getInputs().size(), kindOf(op.getCombiner())});
  }
  Type element = lowered(line.type.getElementType());
  std::optional<Kind> kind = line.parts.front().kind;
  line.parts.front().compares =
      ops.size() == 1 && machine.comparesMaximum && kind &&
      (*kind == Kind::MAXNUMF || *kind == Kind::MINNUMF) &&
      (element.isF32() || element.isF64()) && !width.scalable;
  return line;
}

/// Takes `results` of reductions that picked by comparison, or what `exactly`
/// gives where one of them is no better than the start: there may have been no
/// number at all.
SmallVector<Value>
Lowering::orExactly(Line &line, ValueRange results,
                    function_ref<SmallVector<Value>()> exactly) {
  Type element = lowered(line.type.getElementType());
  Kind kind = *line.parts.front().kind;
  Value least = arith::ConstantOp::create(
      builder, loc,
      neutralOf(kind == Kind::MAXNUMF ? Kind::MAXIMUMF : Kind::MINIMUMF,
                element));
  if (auto type = dyn_cast<VectorType>(results.front().getType()))
    least = vector::BroadcastOp::create(builder, loc, type, least);
  Value unknown = anyOf(arith::CmpFOp::create(
      builder, loc, arith::CmpFPredicate::OEQ, results.front(), least));
  line.parts.front().compares = false;
  line.mostChains = 1;
  scf::IfOp branch = openBranch(unknown, results.getTypes());
  SmallVector<Value> exact = exactly();
  builder.restoreInsertionPoint(points.back());
  scf::YieldOp::create(builder, loc, exact);
  openOtherBranch(branch);
  scf::YieldOp::create(builder, loc, results);
  return closeBranch(branch);
}

/// One element, or one strip of elements, of all inputs along the axis.
SmallVector<Value> Lowering::reduceAlongAxis(ArrayRef<sg::ReduceOp> ops,
                                             const Tile &tile, Width width) {
  Line line = lineOf(ops, tile, width);
  auto finish = [&](ValueRange state) {
    SmallVector<Value> results;
    for (const Part &part : line.parts) {
      ValueRange own = state.slice(results.size(), part.inputs);
      llvm::append_range(results, line.alongLanes
                                      ? combineLanes(*part.combiner, own)
                                      : SmallVector<Value>(own));
    }
    return results;
  };
  SmallVector<Value> results = finish(reduceChains(line));
  if (!line.parts.front().compares)
    return results;
  return orExactly(line, results, [&] { return finish(reduceChains(line)); });
}

LogicalResult Lowering::emitReduce(sg::ReduceOp op) {
  if (reduced.contains(op))
    return success();
  RankedTensorType type = op.getInputType();
  int64_t axis = op.getAxis();
  int64_t vectorDim = isVectorizable(op.getCombiner())
                          ? chooseVectorDim(op.getInputs()[0])
                          : -1;
  bool isAlong = vectorDim >= 0 && vectorDim == axis;
  SmallVector<sg::ReduceOp> ops = {op};
  if (isAlong)
    ops = reducedWith(op);
  findFillers(ops, /*early=*/isAlong);
  SmallVector<Value> inputs, results;
  for (sg::ReduceOp each : ops) {
    llvm::append_range(inputs, each.getInputs());
    llvm::append_range(results, each.getResults());
    reduced.insert(each);
  }
  Type widest = lowered(type.getElementType());
  Width width = vectorDim < 0 ? 1
                              : chooseWidth(widest, type.getDimSize(vectorDim),
                                            inputs, &op.getCombiner());
  SmallVector<Buffer> outputs;
  for (Value result : results)
    if (auto block = dyn_cast<RankedTensorType>(result.getType()))
      outputs.push_back(allocate(RankedTensorType::get(
          block.getShape(), lowered(block.getElementType()))));
  SmallVector<int64_t> outer;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (dim != axis && dim != vectorDim)
      outer.push_back(dim);
  auto finish = [&](Tile tile, ValueRange values) {
    if (outputs.empty())
      return scalars.map(results, values);
    tile.coordinates.erase(tile.coordinates.begin() + axis);
    tile.vectorDim =
        tile.vectorDim == axis ? -1 : tile.vectorDim - (tile.vectorDim > axis);
    for (auto [output, value] : llvm::zip(outputs, values)) {
      builder.restoreInsertionPoint(points.back());
      writeBuffer(output, tile, value);
    }
  };
  openNest();
  Tile tile = originOf(type.getRank());
  if (vectorDim >= 0 && vectorDim != axis) {
    reduceAcross(op, tile, outer, vectorDim, width, finish);
  } else {
    tile.vectorDim = vectorDim;
    tile.width = width;
    auto line = [&](const Tile &row) {
      finish(row, reduceAlongAxis(ops, row, width));
    };
    ArrayRef<int64_t> dims = outer;
    openLoops(tile, type.getShape(), dims.drop_back(!dims.empty()), {});
    if (outer.empty())
      line(tile);
    else if (int64_t rows = rowsTogether(ops, outer.back(), width))
      reduceRowGroups(lineOf(ops, tile, width), outer.back(), rows, finish);
    else
      forEachRow(tile, type.getShape(), outer.back(), inputs, line);
    while (!loops.empty())
      closeLoop();
  }
  closeNest();
  for (Value filler : fillers)
    buffers[filler] = pending[filler].buffer;
  fillers.clear();
  for (auto [result, output] : llvm::zip(results, outputs))
    buffers[result] = output;
  return success();
}

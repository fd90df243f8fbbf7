//===- Units.cpp - products by the matrix unit ----------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The same loops as those over register tiles, with the unit's results in the
// place of vectors: as many results as fit the registers stay there over the
// whole depth, and each operand of a step is used for several of them. Elements
// that are sums of several parts take a multiplication for each pair of parts.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

static int64_t bytesOf(Type element) {
  return element.getIntOrFloatBitWidth() / 8;
}

/// Calls `body` with a builder for the unit, at where `builder` is and goes on.
template <typename Body>
static auto atPoint(OpBuilder &builder, Location loc, Body &&body) {
  ImplicitLocOpBuilder b(loc, builder);
  b.restoreInsertionPoint(builder.saveInsertionPoint());
  auto value = body(b);
  builder.restoreInsertionPoint(b.saveInsertionPoint());
  return value;
}

/// Whether each entry of `index` is as far from the one before it as the second
/// is from the first: rows that have one distance. Emits a loop.
Value Lowering::isEvenlySpaced(Value index) {
  int64_t size = typeOf(index).getDimSize(0);
  Value holds =
      arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
  if (size < 3)
    return holds;
  auto at = [&](Value position, unsigned where) {
    Tile element;
    element.coordinates = {{position, where, -1}};
    Value value = asI64(evaluate(index, element).value);
    builder.restoreInsertionPoint(points.back());
    return value;
  };
  openNest();
  Value distance = arith::SubIOp::create(builder, loc, at(constant(1), 0),
                                         at(constant(0), 0));
  Value row = openLoop(constant(2), constant(size), 1, {holds});
  Value before = arith::SubIOp::create(builder, loc, row, constant(1));
  Value gap = arith::SubIOp::create(builder, loc, at(row, depth()),
                                    at(before, depth()));
  Value same = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                     gap, distance);
  same = arith::AndIOp::create(builder, loc, same, loopState()[0]);
  holds = closeLoop({same})[0];
  closeNest();
  return holds;
}

void Lowering::multiplyWithUnit(const Product &product,
                                const Operands &operands) {
  const MatrixStep &step = product.step;
  // As many results at a time as fit, in groups whose sizes differ by one at
  // most.
  auto along = [&](int64_t size, Value needed, int64_t one, int64_t most,
                   function_ref<void(Value, int64_t)> body) {
    int64_t results = size / one, groups = llvm::divideCeil(results, most);
    int64_t fewer = results / groups, large = results % groups;
    int64_t border = large * (fewer + 1) * one;
    for (auto [from, to, number] : {std::tuple(int64_t(0), border, fewer + 1),
                                    std::tuple(border, size, fewer)}) {
      if (from == to)
        continue;
      body(openLoop(constant(from), atMost(to, needed), number * one), number);
      closeLoop();
    }
  };
  along(product.columns, operands.columns, step.columns,
        product.unit->resultsAcross(), [&](Value column, int64_t across) {
          SmallVector<Value> panels =
              panelsFrom(product, operands, column, across);
          SmallVector<Value> excess = excessOf(product, operands, panels);
          along(product.rows, operands.rows, step.rows,
                product.unit->resultsDown(), [&](Value row, int64_t down) {
                  multiplyResults(product, operands, row, column, down, panels,
                                  excess);
                });
        });
}

/// The panels of the right operand for `across` results from `column` on.
SmallVector<Value> Lowering::panelsFrom(const Product &product,
                                        const Operands &operands, Value column,
                                        int64_t across) {
  builder.restoreInsertionPoint(points.back());
  SmallVector<Value> panels;
  for (int64_t c = 0; c < across; ++c) {
    Value first = builder.createOrFold<arith::AddIOp>(
        loc, column, constant(c * product.step.columns));
    Value place =
        builder.createOrFold<arith::MulIOp>(loc, first, operands.panelRows);
    panels.push_back(address(operands.right.pointer, product.compute, place));
  }
  return panels;
}

/// The step's rows of the panels that start at `panels`, `line` elements into
/// them.
SmallVector<Value> Lowering::loadRights(const Product &product,
                                        ArrayRef<Value> panels, Value line) {
  const MatrixStep &step = product.step;
  int64_t rowBytes = step.columns * step.interleave * bytesOf(product.compute);
  SmallVector<Value> rights;
  for (Value panel : panels) {
    MatrixPlace place = {address(panel, product.compute, line),
                         constant(rowBytes)};
    rights.push_back(atPoint(builder, loc, [&](ImplicitLocOpBuilder &b) {
      return product.unit->loadRight(b, step, product.compute, place);
    }));
  }
  return rights;
}

/// What the results of all rows have too much by what is in `panels`, summed
/// over the depth; nothing where the unit computes the product alone.
SmallVector<Value> Lowering::excessOf(const Product &product,
                                      const Operands &operands,
                                      ArrayRef<Value> panels) {
  const MatrixStep &step = product.step;
  if (!step.hasExcess)
    return {};
  auto emit = [&](auto &&body) { return atPoint(builder, loc, body); };
  Value zero = emit([&](ImplicitLocOpBuilder &b) {
    return product.unit->zeroResult(b, step, product.compute);
  });
  Value k = openLoop(constant(0), operands.depth, step.depth,
                     SmallVector<Value>(panels.size(), zero));
  SmallVector<Value> sums(loopState());
  Value line =
      builder.createOrFold<arith::MulIOp>(loc, k, constant(step.columns));
  SmallVector<Value> rights = loadRights(product, panels, line);
  for (auto [sum, right] : llvm::zip(sums, rights))
    sum = emit([&, sum = sum, right = right](ImplicitLocOpBuilder &b) {
      return product.unit->addExcess(b, step, product.compute, right, sum);
    });
  return llvm::to_vector(closeLoop(sums));
}

/// One line of `zeros`, which is read for each of a result's rows, where
/// `isFirst` holds, and else `place`: a branch would split the loops in two.
static MatrixPlace zerosOr(OpBuilder &builder, Location loc, Value isFirst,
                           Value zeros, MatrixPlace place) {
  Value none = arith::ConstantOp::create(
      builder, loc, builder.getZeroAttr(place.rowBytes.getType()));
  return {LLVM::SelectOp::create(builder, loc, isFirst, zeros, place.pointer),
          arith::SelectOp::create(builder, loc, isFirst, none, place.rowBytes)};
}

/// `down` results for each of `panels` from (`row`, `column`) on, over the
/// whole depth.
void Lowering::multiplyResults(const Product &product, const Operands &operands,
                               Value row, Value column, int64_t down,
                               ArrayRef<Value> panels, ArrayRef<Value> excess) {
  builder.restoreInsertionPoint(points.back());
  const MatrixStep &step = product.step;
  const MatrixUnit &unit = *product.unit;
  Type element = product.compute;
  int64_t across = panels.size();
  auto plus = [&](Value value, int64_t offset) {
    return builder.createOrFold<arith::AddIOp>(loc, value, constant(offset));
  };
  auto times = [&](Value value, int64_t factor) {
    return builder.createOrFold<arith::MulIOp>(loc, value, constant(factor));
  };
  SmallVector<MatrixPlace> results;
  for (int64_t r = 0; r < down; ++r)
    for (int64_t c = 0; c < across; ++c) {
      Value offset = times(plus(row, r * step.rows), operands.out.strides[0]);
      offset = builder.createOrFold<arith::AddIOp>(
          loc, offset, plus(column, c * step.columns));
      int64_t bytes =
          operands.out.strides[0] * bytesOf(operands.out.elementType);
      results.push_back(
          {address(operands.out.pointer, operands.out.elementType, offset),
           constant(bytes)});
    }
  SmallVector<Value> leftRows;
  for (int64_t r = 0; r < down; ++r) {
    leftRows.push_back(leftRow(operands, plus(row, r * step.rows)));
    builder.restoreInsertionPoint(points.back());
  }
  auto emit = [&](auto &&body) { return atPoint(builder, loc, body); };
  SmallVector<Value> sums;
  bool isZero = operands.startsAtZero && !operands.first;
  Buffer zeros;
  if (operands.first && operands.startsAtZero)
    zeros = allocateBytes(step.columns, operands.out.elementType,
                          Lifetime::clearedForRange);
  for (MatrixPlace place : results) {
    if (zeros.pointer)
      place = zerosOr(builder, loc, operands.first, zeros.pointer, place);
    sums.push_back(emit([&](ImplicitLocOpBuilder &b) {
      return isZero ? unit.zeroResult(b, step, element)
                    : unit.loadResult(b, step, element, place);
    }));
  }
  Value k = openLoop(constant(0), operands.depth, step.depth, sums);
  SmallVector<Value> next(loopState()), lefts, rights;
  Value line = times(k, step.columns);
  auto loadLefts = [&](unsigned part) {
    lefts.clear();
    Value column = plus(k, part * product.rows * operands.left.strides[0]);
    for (Value rowStart : leftRows) {
      MatrixPlace place = {address(rowStart, element, column),
                           operands.leftRowBytes};
      lefts.push_back(emit([&](ImplicitLocOpBuilder &b) {
        return unit.loadLeft(b, step, element, place);
      }));
    }
  };
  std::optional<std::pair<unsigned, unsigned>> loaded;
  for (auto term : step.terms) {
    if (!loaded || loaded->first != term.first)
      loadLefts(term.first);
    if (!loaded || loaded->second != term.second)
      rights = loadRights(
          product, panels,
          plus(line, term.second * product.columns * operands.capacity));
    loaded = term;
    for (int64_t r = 0; r < down; ++r)
      for (int64_t c = 0; c < across; ++c) {
        Value &sum = next[r * across + c];
        sum = emit([&](ImplicitLocOpBuilder &b) {
          return unit.multiply(b, step, element, lefts[r], rights[c], sum);
        });
      }
  }
  ValueRange finished = closeLoop(next);
  for (auto [number, place] : llvm::enumerate(results))
    emit([&](ImplicitLocOpBuilder &b) {
      Value value = finished[number];
      if (!excess.empty())
        value = unit.withoutExcess(b, step, element, value,
                                   excess[number % across]);
      unit.storeResult(b, step, element, value, place);
      return Value();
    });
}

//===- SingleLines.cpp - products of which one line is needed -------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A block of few rows or columns often turns out to need only one: the one
// token that a model decodes. Such a product reads each element of the other
// operand once, so memory sets its pace, and a register tile that computes more
// lines than one, for nothing, would not keep up. Therefore
//
//   - one row of a right operand that is read where it lies has a tile of one
//     row, and
//   - one column is multiplied along the depth: as inner products of the left
//     operand's rows, which are read where they lie, with that column.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// A block of more panels of columns than this is not meant for one of them.
static constexpr int64_t kMostPanels = 1;

/// `columns` where `count`, the number of lines that are needed, is one; and
/// what is left of them for the tiles of several lines.
std::pair<Value, Value> Lowering::splitSingle(Value count, Value columns) {
  Value single = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                       count, constant(1));
  return {select(single, columns, constant(0)), unless(single, columns)};
}

/// Multiplies where one row is needed, of up to `columns` columns; returns how
/// many columns are left for tiles of several rows.
Value Lowering::multiplySingleRow(const Product &product, Tile base,
                                  const Operands &operands, Value columns) {
  if (!operands.lineStride || !operands.rows || product.rows == 1)
    return columns;
  noteDecision(product.op, "product",
               "where one row is needed, in tiles of one row");
  auto [alone, rest] = splitSingle(operands.rows, columns);
  Value column =
      openLoop(constant(0), alone, laneCount(product.width, product.vectors));
  multiplyTile(product, base, operands, constant(0), column, 1);
  closeLoop();
  return rest;
}

/// Multiplies where one column is needed; returns how many of `columns` are
/// left for tiles of several columns.
Value Lowering::multiplySingleColumn(const Product &product, Tile base,
                                     Operands operands, Value columns) {
  int64_t panel = product.vectors * product.width.lanes;
  if (!operands.columns || operands.leftPanels || operands.lineStride ||
      product.width.scalable || product.batched || product.columns == 1 ||
      product.columns > kMostPanels * panel)
    return columns;
  noteDecision(product.op, "product",
               "where one column is needed, as inner products along the depth");
  auto [alone, rest] = splitSingle(operands.columns, columns);
  openLoop(constant(0), alone, product.columns);
  operands.right = packColumn(product, operands);
  forEachStrip(product, operands, [&](Value row, int64_t count) {
    multiplyColumn(product, base, operands, row, count);
  });
  closeLoop();
  return rest;
}

/// The first column of the right operand's first panel, side by side.
Buffer Lowering::packColumn(const Product &product, const Operands &operands) {
  Buffer column = allocateBytes(operands.capacity, product.compute);
  Value k = openLoop(constant(0), operands.depth, 1);
  Value place = arith::MulIOp::create(
      builder, loc, k, laneCount(product.width, product.vectors));
  Value element = LLVM::LoadOp::create(
      builder, loc, product.compute,
      address(operands.right.pointer, product.compute, place));
  LLVM::StoreOp::create(builder, loc, element,
                        address(column.pointer, product.compute, k));
  closeLoop();
  return column;
}

/// Multiplies `count` rows from `row` on by the one column that the right
/// operand is.
void Lowering::multiplyColumn(const Product &product, Tile base,
                              const Operands &operands, Value row,
                              int64_t count) {
  Type element = product.compute, vector = vectorType(product.width, element);
  unsigned alignment = element.getIntOrFloatBitWidth() / 8;
  size_t rank = typeOf(product.result).getRank();
  auto tileAt = [&](int64_t r) {
    Tile tile = base;
    builder.restoreInsertionPoint(points.back());
    Value m = builder.createOrFold<arith::AddIOp>(loc, row, constant(r));
    tile.coordinates[rank - 2] = {m, depth(), -1};
    tile.coordinates[rank - 1] = {constant(0), depth(), -1};
    tile.vectorDim = -1;
    tile.width = 1;
    return tile;
  };
  SmallVector<Value> starts, rows;
  for (int64_t r = 0; r < count; ++r) {
    starts.push_back(convert(startOf(operands, tileAt(r)), element));
    builder.restoreInsertionPoint(points.back());
    rows.push_back(leftRow(
        operands, builder.createOrFold<arith::AddIOp>(loc, row, constant(r))));
  }
  auto addSteps = [&](Value from, Value to, Type type, ValueRange sums) {
    int64_t step = isa<VectorType>(type) ? product.width.lanes : 1;
    Value k = openLoop(from, to, step, sums);
    auto load = [&](Value line) -> Value {
      return LLVM::LoadOp::create(builder, loc, type, address(line, element, k),
                                  alignment);
    };
    Value factor = load(operands.right.pointer);
    SmallVector<Value> next;
    for (auto [line, sum] : llvm::zip(rows, loopState()))
      next.push_back(multiplyAdd(load(line), factor, sum));
    return SmallVector<Value>(closeLoop(next));
  };
  Value whole = arith::AndIOp::create(builder, loc, operands.depth,
                                      constant(-product.width.lanes));
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(vector));
  SmallVector<Value> zeros(count, zero);
  SmallVector<Value> sums = addSteps(constant(0), whole, vector, zeros);
  // The order in which a product adds up is free.
  for (auto [sum, start] : llvm::zip(sums, starts))
    sum =
        vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD,
                                    sum, start, arith::FastMathFlags::reassoc);
  sums = addSteps(whole, operands.depth, element, sums);
  for (auto [r, sum] : llvm::enumerate(sums))
    writeBuffer(operands.out, tileAt(r),
                convert(sum, operands.out.elementType));
}

//===- InPlace.cpp - operands of a product where they lie -----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The left operand is read where it lies if its rows are contiguous and in
// bounds, which is decided at run time, and else written to rows of the scratch
// area. The register tile sees one address for each row in both cases.
//
// The right operand is packed, since each panel meets all rows of the block.
// Where the product has so few rows that up to three register tiles hold them,
// writing a panel costs more than it saves: then the tiles read its rows where
// they lie, a few of them side by side over all columns, in the order of
// memory.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Register tiles below each other that read the right operand where it lies.
static constexpr int64_t kTilesInPlace = 3;
// Rows of a block that may turn out to need no more tiles than that.
static constexpr int64_t kMostRowsInPlace = 32;

//===----------------------------------------------------------------------===//
// The left operand in place
//===----------------------------------------------------------------------===//

/// The read whose memory the left operand of `product` can be read from, if
/// there is one that may turn out to be; `body` is the loop over K, if any.
sg::LoadOp Lowering::leftInUserMemory(const Product &product, Region *body) {
  auto load = product.left.getDefiningOp<sg::LoadOp>();
  if (!load || buffers.contains(product.left) || product.batched ||
      load.getIsVolatile() || load.getMask())
    return {};
  auto type = cast<RankedTensorType>(product.left.getType());
  if (lowered(type.getElementType()) != product.compute ||
      (!product.unit && memoryType(product.compute) != product.compute) ||
      load.getIndexOf(1))
    return {};
  APInt stride;
  if (matchPattern(load.getStrides()[1], m_ConstantInt(&stride)) && stride != 1)
    return {};
  SmallVector<Value> fixed(load.getStrides());
  fixed.push_back(load.getBase());
  if (Value index = load.getIndexOf(0))
    fixed.push_back(index);
  if (llvm::any_of(fixed, [&](Value v) { return isDefinedIn(v, body); }))
    return {};
  noteDecision(product.op, "product",
               "the left operand is read from the user's memory where it is "
               "in bounds and its rows are contiguous, and packed elsewhere");
  return load;
}

/// The buffer that holds the left operand as the register tiles read it, if it
/// lies in one.
std::optional<Buffer> Lowering::leftInScratch(const Product &product) {
  auto found = buffers.find(product.left);
  if (found == buffers.end() || product.batched ||
      found->second.elementType != product.compute ||
      (!product.unit && memoryType(product.compute) != product.compute) ||
      found->second.strides[1] != 1)
    return {};
  return found->second;
}

/// Packs, before `loop`, the left operands of its products that no iteration
/// changes and that cannot be read where they lie.
void Lowering::packInvariantLefts(scf::ForOp loop) {
  loop.walk([&](linalg::LinalgOp op) {
    if (!isProduct(op) || isDefinedIn(op->getOperand(0), &loop.getRegion()))
      return;
    auto parent = dyn_cast<scf::ForOp>(op->getParentOp());
    if (parent && findOnlyProduct(parent))
      return;
    Product product = productOf(op);
    if (product.unit || product.batched || leftInUserMemory(product, nullptr) ||
        leftInScratch(product) || packedLeft(product))
      return;
    Buffer buffer =
        allocateBytes(product.rows * product.depth, product.compute);
    buffer.strides = {product.depth, 1};
    openNest();
    packLeft(product, originOf(2), buffer, constant(0));
    closeNest();
    packedLefts.push_back({product.left, builder.getBlock(), buffer});
  });
}

/// The left operand of `product` as it was packed on every way to here, if it
/// was.
std::optional<Buffer> Lowering::packedLeft(const Product &product) {
  if (product.unit)
    return {};
  Block *here = builder.getBlock();
  for (const PackedLeft &packed : packedLefts)
    if (packed.left == product.left &&
        packed.buffer.elementType == product.compute &&
        (packed.block == here ||
         packed.block->findAncestorOpInBlock(*here->getParentOp())))
      return packed.buffer;
  return {};
}

/// A condition for `load` to be contiguous along its columns and in bounds in
/// the rows that are read of it and in `depth` columns; null for all.
Value Lowering::isWholeInPlace(sg::LoadOp load, const Operands &operands,
                               Value depth) {
  // The unit reads whole steps of rows.
  Value rows = operands.leftRowBytes ? Value() : operands.rows;
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(load.getResult().getType()).getShape();
  Value holds =
      arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
  using Relation = arith::CmpIPredicate;
  auto require = [&](Relation relation, Value value, Value bound) {
    Value one =
        builder.createOrFold<arith::CmpIOp>(loc, relation, value, bound);
    holds = builder.createOrFold<arith::AndIOp>(loc, holds, one);
  };
  auto found = views.find(load);
  Value stride = found == views.end() ? scalar(load.getStrides()[1])
                                      : found->second.strides[1];
  require(Relation::eq, stride, constant(1));
  SmallVector<Value> limits = {rows, depth};
  for (auto [low, high, size, limit] :
       llvm::zip(load.getLows(), load.getHighs(), shape, limits)) {
    if (isFull(low, high, size))
      continue;
    require(Relation::sle, scalar(low), constant(0));
    require(Relation::sge, scalar(high), atMost(size, limit));
  }
  return holds;
}

/// Whether the rows of `load` are where the multiplication can read them: the
/// matrix unit wants one distance for all, a register tile takes any.
Value Lowering::rowsAreEven(const Product &product, sg::LoadOp load) {
  Value index = load.getIndexOf(0);
  if (product.unit && index && !views.contains(load))
    return isEvenlySpaced(index);
  return arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
}

/// Lets the register tiles read rows from the memory of `load` where `inPlace`
/// holds, and from the packed rows elsewhere.
void Lowering::readLeftInPlace(Operands &operands, sg::LoadOp load,
                               Value inPlace) {
  Type element = operands.left.elementType;
  auto found = views.find(load);
  Value pointer =
      found != views.end()
          ? found->second.pointer
          : address(scalar(load.getBase()), element, scalar(load.getOffset()));
  operands.leftStride = found != views.end() ? found->second.strides[0]
                                             : scalar(load.getStrides()[0]);
  operands.leftIndex = found != views.end() ? Value() : load.getIndexOf(0);
  operands.inPlace = inPlace;
  if (operands.leftRowBytes)
    operands.leftRowBytes = leftDistance(operands, element);
  operands.leftPointer = LLVM::SelectOp::create(builder, loc, inPlace, pointer,
                                                operands.left.pointer);
}

/// The bytes from one row of the left operand to the next, if all are the same.
Value Lowering::leftDistance(const Operands &operands, Type element) {
  Value distance = operands.leftStride;
  if (operands.leftIndex) {
    SmallVector<Value> first;
    for (int64_t row : {0, 1}) {
      Tile tile;
      tile.coordinates = {{constant(row), 0, -1}};
      first.push_back(asI64(evaluate(operands.leftIndex, tile).value));
    }
    if (nestOpen)
      builder.restoreInsertionPoint(points.back());
    Value gap = arith::SubIOp::create(builder, loc, first[1], first[0]);
    distance = builder.createOrFold<arith::AddIOp>(loc, distance, gap);
  }
  Value bytes = builder.createOrFold<arith::MulIOp>(
      loc, distance, constant(element.getIntOrFloatBitWidth() / 8));
  return arith::SelectOp::create(builder, loc, operands.inPlace, bytes,
                                 operands.leftRowBytes);
}

/// The address of row `row` of the left operand, or of the last one that is
/// needed.
Value Lowering::leftRow(const Operands &operands, Value row) {
  if (operands.rows && operands.inPlace && !operands.leftRowBytes) {
    Value last =
        arith::SubIOp::create(builder, loc, operands.rows, constant(1));
    row = arith::MinSIOp::create(builder, loc, row, last);
  }
  Value offset = builder.createOrFold<arith::MulIOp>(
      loc, row, constant(operands.left.strides[0]));
  if (operands.inPlace) {
    Value there =
        builder.createOrFold<arith::MulIOp>(loc, row, operands.leftStride);
    if (operands.leftIndex) {
      Tile element;
      element.coordinates = {{row, depth(), -1}};
      Value position = asI64(evaluate(operands.leftIndex, element).value);
      builder.restoreInsertionPoint(points.back());
      there = builder.createOrFold<arith::AddIOp>(loc, there, position);
    }
    offset =
        arith::SelectOp::create(builder, loc, operands.inPlace, there, offset);
  }
  return address(operands.leftPointer, operands.left.elementType, offset);
}

//===----------------------------------------------------------------------===//
// The right operand in place
//===----------------------------------------------------------------------===//

/// The read whose memory the right operand of `product` can be read from, in
/// the loop `body`, if its rows turn out to be few.
sg::LoadOp Lowering::rightInUserMemory(const Product &product,
                                       const Operands &operands, Region *body) {
  auto load = product.right.getDefiningOp<sg::LoadOp>();
  bool mayBeFew =
      product.rows <= kMostRowsInPlace &&
      (operands.rows || product.rows <= kTilesInPlace * product.tileRows);
  if (!load || !mayBeFew || product.unit || product.batched ||
      product.width.scalable || product.columns == 1 ||
      buffers.contains(product.right) || views.contains(load) ||
      load.getIsVolatile() || load.getMask() || load.getIndexOf(0) ||
      lowered(getElementTypeOrSelf(load.getType())) != product.compute ||
      memoryType(product.compute) != product.compute)
    return {};
  // Columns follow each other: by their stride, or by an index that may wrap.
  Value stride = load.getStrides()[1], index = load.getIndexOf(1);
  APInt known;
  bool isKnown = matchPattern(stride, m_ConstantInt(&known));
  if (index ? !load.isWrapped(1) || !isKnown || known != 0
            : isKnown && known != 1)
    return {};
  SmallVector<Value> fixed(load.getStrides());
  fixed.push_back(load.getBase());
  if (index)
    fixed.push_back(index);
  if (llvm::any_of(fixed, [&](Value v) { return isDefinedIn(v, body); }))
    return {};
  noteDecision(product.op, "product",
               "the right operand is read from the user's memory where no more "
               "than {0} rows of the product are needed (packing it would cost "
               "more than it saves) and its rows are contiguous and in bounds",
               kTilesInPlace * product.tileRows);
  return load;
}

/// Whether the product has few rows and each row of `load` is contiguous.
Value Lowering::isFewRows(const Product &product, sg::LoadOp load,
                          const Operands &operands) {
  using Relation = arith::CmpIPredicate;
  Value few;
  if (Value index = load.getIndexOf(1)) {
    Crossing along;
    along.indices.push_back(index);
    openNest();
    few = doNotWrap(along);
    closeNest();
  } else {
    few = arith::CmpIOp::create(builder, loc, Relation::eq,
                                scalar(load.getStrides()[1]), constant(1));
  }
  if (!operands.rows)
    return few;
  Value fits =
      arith::CmpIOp::create(builder, loc, Relation::sle, operands.rows,
                            constant(kTilesInPlace * product.tileRows));
  return arith::AndIOp::create(builder, loc, few, fits);
}

/// Whether the right operand of a chunk of one iteration can be read from the
/// memory of `load`: the product has `few` rows, and all that its register
/// tiles read is in bounds.
Value Lowering::isRightInPlace(const Product &product, sg::LoadOp load,
                               Value few, const Operands &operands) {
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(load.getResult().getType()).getShape();
  // Whole register tiles are read of the columns.
  Value columns = constant(product.columns);
  if (operands.columns) {
    Value width = laneCount(product.width, product.vectors);
    columns = arith::CeilDivSIOp::create(builder, loc, operands.columns, width);
    columns = arith::MulIOp::create(builder, loc, columns, width);
  }
  SmallVector<Value> needed = {operands.depth, columns};
  for (auto [low, high, size, limit] :
       llvm::zip(load.getLows(), load.getHighs(), shape, needed)) {
    if (isFull(low, high, size))
      continue;
    Value starts = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::sle, scalar(low), constant(0));
    Value ends = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge,
                                       scalar(high), limit);
    few = arith::AndIOp::create(builder, loc, few, starts);
    few = arith::AndIOp::create(builder, loc, few, ends);
  }
  return few;
}

/// Lets the register tiles read rows from the memory of `load` where `inPlace`
/// holds, and the panels of `operands` elsewhere.
void Lowering::readRightInPlace(const Product &product, sg::LoadOp load,
                                Value inPlace, Operands &operands) {
  Value offset = scalar(load.getOffset());
  if (Value index = load.getIndexOf(1)) {
    Tile first;
    first.coordinates = {{constant(0), 0, -1}};
    Value start = asI64(evaluate(index, first).value);
    builder.restoreInsertionPoint(points.back());
    offset = arith::AddIOp::create(builder, loc, offset, start);
  }
  Value pointer = address(scalar(load.getBase()), product.compute, offset);
  operands.right.pointer = LLVM::SelectOp::create(
      builder, loc, inPlace, pointer, operands.right.pointer);
  operands.panelRows = arith::SelectOp::create(builder, loc, inPlace,
                                               constant(1), operands.panelRows);
  operands.lineStride = arith::SelectOp::create(
      builder, loc, inPlace, scalar(load.getStrides()[0]),
      laneCount(product.width, product.vectors));
}

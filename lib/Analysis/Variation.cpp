//===- Variation.cpp - along which dimensions a block varies --------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Analysis/Variation.h"

#include "seagrove/Dialect/Triton/IR/Dialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace seagrove;

static ArrayRef<int64_t> shapeOf(Value block) {
  return cast<RankedTensorType>(block.getType()).getShape();
}

static DimSet nonUnitDims(ArrayRef<int64_t> shape) {
  DimSet result = 0;
  for (auto [dim, size] : llvm::enumerate(shape))
    if (size != 1)
      result |= DimSet(1) << dim;
  return result;
}

bool seagrove::isElementwise(Operation *op) {
  return op && op->getNumResults() == 1 && op->getNumRegions() == 0 &&
         OpTrait::hasElementwiseMappableTraits(op) && isMemoryEffectFree(op);
}

std::optional<SmallVector<int64_t>>
seagrove::matchUnitReshape(ArrayRef<int64_t> source, ArrayRef<int64_t> result) {
  SmallVector<int64_t> origin;
  size_t next = 0;
  auto skipUnits = [&] {
    while (next < source.size() && source[next] == 1)
      ++next;
  };
  for (int64_t size : result) {
    if (size == 1) {
      origin.push_back(-1);
      continue;
    }
    skipUnits();
    if (next == source.size() || source[next] != size)
      return std::nullopt;
    origin.push_back(next++);
  }
  skipUnits();
  if (next != source.size())
    return std::nullopt;
  return origin;
}

Value seagrove::getReshapedSource(Operation *op) {
  if (isa_and_nonnull<tt::BroadcastOp, tt::ExpandDimsOp, tt::TransOp,
                      tt::ReshapeOp>(op))
    return op->getOperand(0);
  return {};
}

Value seagrove::applyShapeOp(OpBuilder &b, Operation *op, Value block) {
  IRMapping mapping;
  mapping.map(op->getOperand(0), block);
  Operation *clone = b.clone(*op, mapping);
  auto shape = cast<RankedTensorType>(op->getResult(0).getType());
  clone->getResult(0).setType(
      shape.clone(cast<RankedTensorType>(block.getType()).getElementType()));
  return clone->getResult(0);
}

/// Writes `op` again with other operands; its result gets the same elements in
/// the shape of `shape`, or becomes a scalar if that is null.
static Value cloneElementwise(OpBuilder &b, Operation *op, ValueRange operands,
                              std::optional<int64_t> size) {
  IRMapping mapping;
  for (auto [from, to] : llvm::zip(op->getOperands(), operands))
    mapping.map(from, to);
  Operation *clone = b.clone(*op, mapping);
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  clone->getResult(0).setType(
      size ? Type(RankedTensorType::get({*size}, element)) : element);
  return clone->getResult(0);
}

//===----------------------------------------------------------------------===//
// Dimensions
//===----------------------------------------------------------------------===//

DimSet Variation::dimsOf(Value block) {
  if (!isa<RankedTensorType>(block.getType()))
    return 0;
  if (auto known = dims.find(block); known != dims.end())
    return known->second;
  DimSet result = computeDims(block) & nonUnitDims(shapeOf(block));
  dims[block] = result;
  return result;
}

std::optional<int64_t> Variation::onlyDimOf(Value block) {
  DimSet set = dimsOf(block);
  if (llvm::popcount(set) != 1)
    return std::nullopt;
  return llvm::countr_zero(set);
}

/// `origin[d]` is the dimension of the source that dimension d stems from.
static DimSet mapDims(DimSet source, ArrayRef<int64_t> origin) {
  DimSet result = 0;
  for (auto [dim, from] : llvm::enumerate(origin))
    if (from >= 0 && (source >> from & 1))
      result |= DimSet(1) << dim;
  return result;
}

static SmallVector<int64_t> originOfExpand(tt::ExpandDimsOp op) {
  SmallVector<int64_t> origin;
  int64_t rank = shapeOf(op.getResult()).size();
  for (int64_t dim = 0; dim < rank; ++dim)
    origin.push_back(dim == op.getAxis() ? -1 : dim - (dim > op.getAxis()));
  return origin;
}

DimSet Variation::computeDims(Value block) {
  constexpr DimSet all = ~DimSet(0);
  Operation *op = block.getDefiningOp();
  if (!op || isa<tt::MakeRangeOp>(op))
    return all;
  if (isa<tt::SplatOp>(op))
    return 0;
  DenseElementsAttr constant;
  if (matchPattern(block, m_Constant(&constant)))
    return constant.isSplat() ? 0 : all;
  if (auto broadcast = dyn_cast<tt::BroadcastOp>(op))
    return dimsOf(broadcast.getSrc());
  if (auto expand = dyn_cast<tt::ExpandDimsOp>(op))
    return mapDims(dimsOf(expand.getSrc()), originOfExpand(expand));
  if (auto trans = dyn_cast<tt::TransOp>(op))
    return mapDims(dimsOf(trans.getSrc()),
                   llvm::to_vector_of<int64_t>(trans.getOrder()));
  if (auto reshape = dyn_cast<tt::ReshapeOp>(op)) {
    DimSet source = dimsOf(reshape.getSrc());
    auto origin = matchUnitReshape(shapeOf(reshape.getSrc()), shapeOf(block));
    if (origin)
      return mapDims(source, *origin);
    return source == 0 ? 0 : all;
  }
  if (!isElementwise(op))
    return all;
  DimSet result = 0;
  for (Value operand : op->getOperands())
    result |= dimsOf(operand);
  return result;
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value Variation::scalarOf(Value block) {
  if (!isa<RankedTensorType>(block.getType()))
    return block;
  assert(isUniform(block) && "only a uniform block is a scalar");
  if (auto known = scalars.find(block); known != scalars.end())
    return known->second;
  Value result = computeScalar(block);
  scalars[block] = result;
  return result;
}

Value Variation::computeScalar(Value block) {
  Operation *op = block.getDefiningOp();
  if (auto splat = dyn_cast_if_present<tt::SplatOp>(op))
    return splat.getSrc();
  if (Value source = getReshapedSource(op); source && isUniform(source))
    return scalarOf(source);

  SmallVector<Value> operands;
  if (isElementwise(op))
    for (Value operand : op->getOperands())
      operands.push_back(scalarOf(operand));
  b.insertAfter(block);
  Location loc = block.getLoc();
  DenseElementsAttr constant;
  if (matchPattern(block, m_Constant(&constant)) && constant.isSplat())
    return arith::ConstantOp::create(b, loc,
                                     constant.getSplatValue<TypedAttr>());
  if (auto range = dyn_cast_if_present<tt::MakeRangeOp>(op))
    return arith::ConstantOp::create(
        b, loc, b.getI32IntegerAttr(range.getStartAttr().getInt()));
  if (isElementwise(op))
    return cloneElementwise(b, op, operands, std::nullopt);
  SmallVector<Value> zeros(shapeOf(block).size());
  for (Value &zero : zeros)
    zero = arith::ConstantIndexOp::create(b, loc, 0);
  return tensor::ExtractOp::create(b, loc, block, zeros);
}

//===----------------------------------------------------------------------===//
// Projections
//===----------------------------------------------------------------------===//

Value Variation::projectTo(Value block, int64_t dim) {
  if (!isa<RankedTensorType>(block.getType()) || shapeOf(block).size() == 1)
    return block;
  assert((dimsOf(block) & ~(DimSet(1) << dim)) == 0 && "varies elsewhere");
  auto [known, isNew] = projections.try_emplace({block, dim});
  if (!isNew)
    return known->second;
  Value result = computeProjection(block, dim);
  projections[{block, dim}] = result;
  return result;
}

Value Variation::computeProjection(Value block, int64_t dim) {
  Operation *op = block.getDefiningOp();
  int64_t size = shapeOf(block)[dim];
  Location loc = block.getLoc();
  auto type = RankedTensorType::get(
      {size}, cast<RankedTensorType>(block.getType()).getElementType());
  if (isUniform(block)) {
    Value scalar = scalarOf(block);
    b.insertAfter(block);
    return b.createOrFold<tt::SplatOp>(loc, type, scalar);
  }
  // A dimension that varies keeps its size on the way through these.
  if (auto broadcast = dyn_cast_if_present<tt::BroadcastOp>(op))
    return projectTo(broadcast.getSrc(), dim);
  if (auto expand = dyn_cast_if_present<tt::ExpandDimsOp>(op))
    return projectTo(expand.getSrc(), originOfExpand(expand)[dim]);
  if (auto trans = dyn_cast_if_present<tt::TransOp>(op))
    return projectTo(trans.getSrc(), trans.getOrder()[dim]);
  if (auto reshape = dyn_cast_if_present<tt::ReshapeOp>(op))
    if (auto origin =
            matchUnitReshape(shapeOf(reshape.getSrc()), shapeOf(block)))
      return projectTo(reshape.getSrc(), (*origin)[dim]);
  if (isElementwise(op)) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(projectTo(operand, dim));
    b.insertAfter(block);
    return cloneElementwise(b, op, operands, size);
  }
  b.insertAfter(block);
  return tt::ReshapeOp::create(b, loc, type, block);
}

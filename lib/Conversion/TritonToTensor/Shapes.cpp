//===- Shapes.cpp - making blocks and moving their elements ---------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "ShapeBuilders.h"

#include "seagrove/Dialect/Access/IR/Access.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace seagrove;

static RankedTensorType blockType(Value block) {
  return cast<RankedTensorType>(block.getType());
}

static Value makeEmpty(OpBuilder &b, Location loc, RankedTensorType type) {
  return tensor::EmptyOp::create(b, loc, type.getShape(),
                                 type.getElementType());
}

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

/// The same elements in row-major order as `shape`, where one of the two shapes
/// only merges dimensions of the other; null where neither does.
static Value reshapeOnce(OpBuilder &b, Location loc, Value block,
                         ArrayRef<int64_t> shape) {
  RankedTensorType from = blockType(block);
  RankedTensorType to = from.clone(shape);
  if (from == to)
    return block;
  if (from.getRank() == to.getRank())
    return {};
  auto groups = getReassociationIndicesForReshape(from, to);
  if (!groups)
    return {};
  if (from.getRank() > to.getRank())
    return b.createOrFold<tensor::CollapseShapeOp>(loc, to, block, *groups);
  return b.createOrFold<tensor::ExpandShapeOp>(loc, to, block, *groups);
}

Value seagrove::reshape(OpBuilder &b, Location loc, Value block,
                        ArrayRef<int64_t> shape) {
  if (Value result = reshapeOnce(b, loc, block, shape))
    return result;
  Value line = reshapeOnce(b, loc, block, blockType(block).getNumElements());
  return reshapeOnce(b, loc, line, shape);
}

Value seagrove::expandDims(OpBuilder &b, Location loc, Value block,
                           int64_t axis) {
  RankedTensorType type = blockType(block);
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin() + axis, 1);
  SmallVector<ReassociationIndices> groups(type.getRank());
  for (int64_t dim = 0, rank = shape.size(); dim < rank; ++dim) {
    int64_t source = dim - (dim > axis);
    groups[std::min(source, type.getRank() - 1)].push_back(dim);
  }
  return tensor::ExpandShapeOp::create(b, loc, type.clone(shape), block,
                                       groups);
}

//===----------------------------------------------------------------------===//
// Broadcasts
//===----------------------------------------------------------------------===//

/// `block` without the dimensions in `dims`, which have size 1.
static Value dropUnitDims(OpBuilder &b, Location loc, Value block,
                          ArrayRef<int64_t> dims) {
  RankedTensorType type = blockType(block);
  SmallVector<int64_t> shape;
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices leading;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    if (!llvm::is_contained(dims, dim)) {
      shape.push_back(type.getDimSize(dim));
      groups.push_back(std::exchange(leading, {}));
      groups.back().push_back(dim);
    } else if (groups.empty()) {
      leading.push_back(dim);
    } else {
      groups.back().push_back(dim);
    }
  }
  // An expansion of the very block that is asked for is not undone in the IR.
  if (auto expand = block.getDefiningOp<tensor::ExpandShapeOp>())
    if (expand.getSrcType() == type.clone(shape) &&
        llvm::equal(expand.getReassociationIndices(), groups))
      return expand.getSrc();
  return tensor::CollapseShapeOp::create(b, loc, type.clone(shape), block,
                                         groups);
}

Value seagrove::broadcast(OpBuilder &b, Location loc, Value block,
                          ArrayRef<int64_t> shape) {
  RankedTensorType type = blockType(block);
  RankedTensorType result = type.clone(shape);
  if (type == result)
    return block;
  SmallVector<int64_t> repeated;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.getDimSize(dim) != result.getDimSize(dim))
      repeated.push_back(dim);
  if (static_cast<int64_t>(repeated.size()) == type.getRank()) {
    SmallVector<Value> zeros(type.getRank(),
                             arith::ConstantIndexOp::create(b, loc, 0));
    Value scalar = tensor::ExtractOp::create(b, loc, block, zeros);
    return tensor::SplatOp::create(b, loc, scalar, result);
  }
  Value lower = dropUnitDims(b, loc, block, repeated);
  return linalg::BroadcastOp::create(b, loc, lower, makeEmpty(b, loc, result),
                                     repeated)
      ->getResult(0);
}

//===----------------------------------------------------------------------===//
// Transpose, join and split
//===----------------------------------------------------------------------===//

Value seagrove::transpose(OpBuilder &b, Location loc, Value block,
                          ArrayRef<int64_t> order) {
  RankedTensorType type = blockType(block);
  SmallVector<int64_t> shape;
  for (int64_t dim : order)
    shape.push_back(type.getDimSize(dim));
  return linalg::TransposeOp::create(
             b, loc, block, makeEmpty(b, loc, type.clone(shape)), order)
      ->getResult(0);
}

Value seagrove::join(OpBuilder &b, Location loc, Value lhs, Value rhs) {
  int64_t rank = blockType(lhs).getRank();
  SmallVector<Value> parts{expandDims(b, loc, lhs, rank),
                           expandDims(b, loc, rhs, rank)};
  return tensor::ConcatOp::create(b, loc, /*dim=*/rank, parts);
}

/// Entry `position` of the last dimension of `block`.
static Value takeLast(OpBuilder &b, Location loc, Value block,
                      int64_t position) {
  RankedTensorType type = blockType(block);
  int64_t rank = type.getRank();
  SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0)), sizes,
      strides(rank, b.getIndexAttr(1));
  for (int64_t size : type.getShape())
    sizes.push_back(b.getIndexAttr(size));
  offsets.back() = b.getIndexAttr(position);
  sizes.back() = b.getIndexAttr(1);
  return tensor::ExtractSliceOp::create(b, loc,
                                        type.clone(type.getShape().drop_back()),
                                        block, offsets, sizes, strides);
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

/// The replacement of `op`, or null if it is not one of this file.
static Value lower(OpBuilder &b, Operation *op) {
  Location loc = op->getLoc();
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](tt::SplatOp splat) -> Value {
        return b.createOrFold<tensor::SplatOp>(
            loc, splat.getSrc(), cast<RankedTensorType>(splat.getType()));
      })
      .Case([&](tt::UnsplatOp unsplat) -> Value {
        SmallVector<Value> zeros(blockType(unsplat.getSrc()).getRank(),
                                 arith::ConstantIndexOp::create(b, loc, 0));
        return tensor::ExtractOp::create(b, loc, unsplat.getSrc(), zeros);
      })
      .Case([&](tt::MakeRangeOp range) -> Value {
        return sg::IotaOp::create(b, loc, range.getType(),
                                  range.getStartAttr().getInt());
      })
      .Case([&](tt::ExpandDimsOp expand) -> Value {
        return expandDims(b, loc, expand.getSrc(), expand.getAxis());
      })
      .Case([&](tt::BroadcastOp op) -> Value {
        return broadcast(b, loc, op.getSrc(),
                         cast<RankedTensorType>(op.getType()).getShape());
      })
      .Case([&](tt::ReshapeOp op) -> Value {
        return reshape(b, loc, op.getSrc(),
                       cast<RankedTensorType>(op.getType()).getShape());
      })
      .Case([&](tt::TransOp trans) -> Value {
        return transpose(b, loc, trans.getSrc(),
                         llvm::to_vector_of<int64_t>(trans.getOrder()));
      })
      .Case([&](tt::CatOp cat) -> Value {
        SmallVector<Value> parts{cat.getLhs(), cat.getRhs()};
        return tensor::ConcatOp::create(b, loc, /*dim=*/0, parts);
      })
      .Case([&](tt::JoinOp op) -> Value {
        return join(b, loc, op.getLhs(), op.getRhs());
      })
      .Default([](Operation *) { return Value(); });
}

Lowered seagrove::lowerShape(IRRewriter &rewriter, Operation *op) {
  if (auto split = dyn_cast<tt::SplitOp>(op)) {
    Value first = takeLast(rewriter, op->getLoc(), split.getSrc(), 0);
    Value second = takeLast(rewriter, op->getLoc(), split.getSrc(), 1);
    rewriter.replaceOp(op, {first, second});
    return success();
  }
  Value result = lower(rewriter, op);
  if (!result)
    return std::nullopt;
  rewriter.replaceOp(op, result);
  return success();
}

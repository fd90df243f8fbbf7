//===- Demand.cpp - the part of a block that its readers need -------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A block at the edge of a matrix, or one that is larger than the matrix, is
// multiplied or accumulated as far as its store's bounds reach and no further.
// The K of a product ends where the masks of both operands leave nothing but
// zeros.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Scalar operations that are computed ahead of their place at most.
static constexpr unsigned kMostAhead = 64;

/// Collects, in order, what must be emitted for `value` to be known here; false
/// where it depends on what is not known yet.
bool Lowering::isKnownAhead(Value value,
                            llvm::SetVector<Operation *> &missing) {
  if (scalars.contains(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (op && missing.contains(op))
    return true;
  if (!op || !isPure(op) || op->getNumRegions() != 0 ||
      missing.size() >= kMostAhead ||
      llvm::any_of(op->getOperandTypes(), llvm::IsaPred<RankedTensorType>))
    return false;
  for (Value operand : op->getOperands())
    if (!isKnownAhead(operand, missing))
      return false;
  missing.insert(op);
  return true;
}

/// The dimension of the results of `use`'s owner that is `dim` of its operand,
/// where each of their elements along it depends on the same one of the operand
/// alone; -1 otherwise.
static int64_t dimensionBehind(OpOperand &use, int64_t dim) {
  Operation *user = use.getOwner();
  // An operation that may not be tried on any value could end the program.
  if (user->hasTrait<OpTrait::Elementwise>())
    return isLazy(user) && isPure(user) ? dim : -1;
  if (auto transpose = dyn_cast<linalg::TransposeOp>(user))
    return use.getOperandNumber() == 0
               ? llvm::find(transpose.getPermutation(), dim) -
                     transpose.getPermutation().begin()
               : -1;
  auto reduce = dyn_cast<sg::ReduceOp>(user);
  int64_t axis = reduce ? int64_t(reduce.getAxis()) : dim;
  if (axis == dim)
    return -1;
  WalkResult tried = reduce.getRegion().walk([](Operation *op) {
    return op->hasTrait<OpTrait::IsTerminator>() || isPure(op)
               ? WalkResult::advance()
               : WalkResult::interrupt();
  });
  if (tried.wasInterrupted())
    return -1;
  return axis < dim ? dim - 1 : dim;
}

namespace {
/// A store, and which of its dimensions is asked for.
using StoreDim = std::pair<sg::StoreOp, int64_t>;
} // namespace

/// Collects the stores that read `value`, directly, through elementwise
/// operations, or through reductions along other dimensions than `dim`; false
/// where something else reads it.
static bool collectStores(Value value, int64_t dim,
                          SmallVectorImpl<StoreDim> &stores,
                          DenseSet<std::pair<Value, int64_t>> &seen) {
  if (!seen.insert({value, dim}).second)
    return true;
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (auto store = dyn_cast<sg::StoreOp>(user);
        store && &use == &store.getValueMutable()) {
      stores.push_back({store, dim});
      continue;
    }
    int64_t next = dimensionBehind(use, dim);
    if (next < 0)
      return false;
    for (Value result : user->getResults())
      if (!collectStores(result, next, stores, seen))
        return false;
  }
  return true;
}

/// How much of the block `value`, along `dim` and counted from the first
/// element on, anything reads: the largest bound of its stores. Null where that
/// is all of it, or not known before the block is computed.
Value Lowering::neededExtent(Value value, int64_t dim) {
  SmallVector<StoreDim> stores;
  DenseSet<std::pair<Value, int64_t>> seen;
  int64_t size = typeOf(value).getDimSize(dim);
  if (!collectStores(value, dim, stores, seen) || stores.empty())
    return {};
  llvm::SetVector<Value> highs;
  llvm::SetVector<Operation *> missing;
  for (auto [store, along] : stores) {
    Value high = store.getHighs()[along];
    APInt known;
    if (!isKnownAhead(high, missing) ||
        (matchPattern(high, m_ConstantInt(&known)) &&
         known.getSExtValue() >= size))
      return {};
    highs.insert(high);
  }
  for (Operation *op : missing)
    if (failed(emitScalar(op)))
      return {};
  Value needed;
  for (Value high : highs)
    needed = needed ? arith::MaxSIOp::create(builder, loc, needed, scalar(high))
                    : scalar(high);
  return needed;
}

/// For each dimension, how much of what `loop` accumulates anything reads; null
/// where that is all of it.
SmallVector<Value> Lowering::neededExtents(scf::ForOp loop) {
  int64_t rank = typeOf(loop.getResult(0)).getRank();
  SmallVector<Value> extents;
  for (int64_t dim = 0; dim < rank; ++dim) {
    Value &most = extents.emplace_back();
    for (Value result : loop.getResults()) {
      if (result.use_empty())
        continue;
      Value needed = neededExtent(result, dim), before = most;
      most = needed;
      if (!needed)
        break;
      if (before)
        most = arith::MaxSIOp::create(builder, loc, before, needed);
    }
  }
  return extents;
}

/// The bound along `dim` beyond which `operand` is zero; null where there is
/// none.
static Value zeroFrom(Value operand, int64_t dim) {
  auto load = operand.getDefiningOp<sg::LoadOp>();
  if (!load || !load.getOther())
    return {};
  Value other = load.getOther();
  APInt known;
  if (!matchPattern(other, m_Zero()) && !matchPattern(other, m_AnyZeroFloat()))
    return {};
  if (matchPattern(load.getHighs()[dim], m_ConstantInt(&known)) &&
      known.getSExtValue() >= typeOf(operand).getDimSize(dim))
    return {};
  return load.getHighs()[dim];
}

/// How many of the products that make an element may be other than zero times
/// zero; null where all of them may. (Zero times what is not known is not zero
/// if that is infinite.)
Value Lowering::neededDepth(const Product &product) {
  int64_t last = typeOf(product.left).getRank() - 1;
  if (buffers.contains(product.left) || buffers.contains(product.right))
    return {};
  Value left = zeroFrom(product.left, last),
        right = zeroFrom(product.right, last - 1);
  if (!left || !right)
    return {};
  Value depth = scalar(left);
  if (left != right)
    depth = arith::MaxSIOp::create(builder, loc, depth, scalar(right));
  depth = arith::MaxSIOp::create(builder, loc, depth, constant(0));
  if (product.unit) {
    Value step = constant(product.step.depth);
    depth = arith::CeilDivUIOp::create(builder, loc, depth, step);
    depth = arith::MulIOp::create(builder, loc, depth, step);
  }
  return arith::MinSIOp::create(builder, loc, depth, constant(product.depth));
}

/// Returns true if both operands are zero from the same step on.
bool Lowering::endTogether(const Product &product) const {
  int64_t last = typeOf(product.left).getRank() - 1;
  if (product.unit || buffers.contains(product.left) ||
      buffers.contains(product.right))
    return false;
  Value left = zeroFrom(product.left, last);
  return left && left == zeroFrom(product.right, last - 1);
}

/// How many steps of an iteration are packed, whose first one has the number
/// `column` in its panel: no more than are multiplied, which are a whole number
/// of the steps that share a counter.
Value Lowering::packedSteps(const Product &product, const Operands &operands,
                            Value column) {
  Value depth = constant(product.depth);
  if (!operands.depth || product.depth % kStepsTogether != 0)
    return depth;
  Value left = arith::SubIOp::create(builder, loc, operands.depth, column);
  return arith::MinSIOp::create(builder, loc, depth,
                                roundUp(left, kStepsTogether));
}

/// The smaller of `size` and `limit`, if there is one.
Value Lowering::atMost(int64_t size, Value limit) {
  if (!limit)
    return constant(size);
  return arith::MinSIOp::create(builder, loc, constant(size), limit);
}

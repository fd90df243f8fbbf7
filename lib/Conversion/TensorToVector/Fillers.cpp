//===- Fillers.cpp - what a reduction does on the way
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A reduction reads whole rows. What else a kernel needs of the same rows is
// taken while they are in registers: other reductions along the same axis, and
// blocks that have to be in memory (`fillers`), those that the reduction
// evaluates anyway and those that are computed later of nothing but what it
// reads and what is known by then.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Operations behind a reduction that are searched for what it could do.
static constexpr int64_t kSearched = 128;
// Reductions that run at once: each holds registers.
static constexpr size_t kMostReductions = 4;

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
    return isBlock(operand) && passes(operand, wanted, seen);
  });
}

/// Returns true if `value` is computed from `wanted`.
static bool needs(Value value, Value wanted, DenseSet<Value> &seen) {
  if (value == wanted)
    return true;
  Operation *op = value.getDefiningOp();
  // What is defined before it, or around it, is not.
  if (!op || op->getBlock() != wanted.getParentBlock() ||
      op->isBeforeInBlock(wanted.getDefiningOp()) || !seen.insert(value).second)
    return false;
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    return needs(operand, wanted, seen);
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
    // It takes elements from anywhere, which are not all there on the way.
    if (auto take = dyn_cast<sg::TakeOp>(op))
      if (take.getSource() == value)
        return {};
    // Reads of single elements stay where they are.
    bool reads = isa<tt::LoadOp>(op) && !isSignal(op);
    if (op->getNumRegions() != 0 || isView(op) ||
        (!isPure(op) && !isLazy(op) && !reads))
      return {};
    for (Value result : op->getResults())
      if (isBlock(result) && (!isLazy(op) || plan.inMemory(result))) {
        DenseSet<Value> seen;
        bool isApart = isLazy(op) && !needs(result, value, seen);
        if (!isApart && !fillerOf(result))
          return {};
      }
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

/// The reads that evaluating `values` takes.
void Lowering::collectReads(ValueRange values, DenseSet<Value> &reads) {
  for (Value value : values) {
    SmallVector<int64_t> identity =
        llvm::to_vector(llvm::seq<int64_t>(0, typeOf(value).getRank()));
    forEachRead(value, identity,
                [&](Value read, ArrayRef<int64_t>) { reads.insert(read); });
  }
}

/// Returns true if all that evaluating `value` takes is known before the first
/// of `ops`, or written by one of them.
bool Lowering::isKnownAt(Value value, ArrayRef<sg::ReduceOp> ops) {
  sg::ReduceOp first = ops.front();
  Operation *op = value.getDefiningOp();
  // What is defined in another block is so around this one.
  bool before =
      !op || op->getBlock() != first->getBlock() || op->isBeforeInBlock(first);
  if (!isBlock(value))
    return before;
  if (buffers.contains(value))
    return true;
  if (auto found = pending.find(value); found != pending.end())
    return llvm::is_contained(ops, found->second.by);
  if (!op || !isLazy(op) || plan.inMemory(value))
    return false;
  if (isa<sg::LoadOp, sg::GatherOp, sg::TakeOp>(op) && !before)
    return false;
  return llvm::all_of(op->getOperands(),
                      [&](Value operand) { return isKnownAt(operand, ops); });
}

/// `op`, and reductions behind it that read some of the same memory and can be
/// done at once with it.
SmallVector<sg::ReduceOp> Lowering::reducedWith(sg::ReduceOp op) {
  SmallVector<sg::ReduceOp> found = {op};
  auto simple = [&](sg::ReduceOp reduce) {
    auto kind = kindOf(reduce.getCombiner());
    return kind && *kind != vector::CombiningKind::MAXNUMF &&
           *kind != vector::CombiningKind::MINNUMF &&
           *kind != vector::CombiningKind::MUL;
  };
  if (!simple(op))
    return found;
  DenseSet<Value> reads;
  collectReads(op.getInputs(), reads);
  Operation *next = op->getNextNode();
  for (int64_t searched = 0;
       next && searched < kSearched && found.size() < kMostReductions;
       next = next->getNextNode(), ++searched) {
    auto other = dyn_cast<sg::ReduceOp>(next);
    if (!other || other.getInputType() != op.getInputType() ||
        other.getAxis() != op.getAxis() || !simple(other) ||
        reduced.contains(other))
      continue;
    SmallVector<sg::ReduceOp> together(found);
    together.push_back(other);
    DenseSet<Value> own;
    collectReads(other.getInputs(), own);
    bool shares = llvm::any_of(own, [&](Value v) { return reads.contains(v); });
    if (!shares || !llvm::all_of(other.getInputs(), [&](Value input) {
          return isKnownAt(input, together);
        }))
      continue;
    found = together;
    reads.insert(own.begin(), own.end());
  }
  return found;
}

/// Collects the blocks that `ops` write on the way; with `early` also those
/// that are defined behind them.
void Lowering::findFillers(ArrayRef<sg::ReduceOp> ops, bool early) {
  for (auto &[value, filler] : pending)
    if (llvm::is_contained(ops, filler.by))
      fillers.push_back(value);
  if (!early)
    return;
  sg::ReduceOp first = ops.front();
  DenseSet<Value> reads;
  for (sg::ReduceOp op : ops)
    collectReads(op.getInputs(), reads);
  Operation *next = first->getNextNode();
  for (int64_t searched = 0; next && searched < kSearched;
       next = next->getNextNode(), ++searched) {
    if (!next->hasTrait<OpTrait::Elementwise>() || next->getNumResults() != 1)
      continue;
    Value value = next->getResult(0);
    if (!isLazy(next) || !plan.inMemory(value) || value.use_empty() ||
        buffers.contains(value) || pending.contains(value) ||
        typeOf(value).getShape() != first.getInputType().getShape())
      continue;
    DenseSet<Value> own;
    collectReads(value, own);
    if (own.empty() ||
        !llvm::all_of(own, [&](Value v) { return reads.contains(v); }) ||
        !llvm::all_of(next->getOperands(),
                      [&](Value v) { return isKnownAt(v, ops); }))
      continue;
    noteDecision(next, "memory", "written by the reduction that reads it all");
    pending[value] = {allocateLike(value), first};
    fillers.push_back(value);
  }
}

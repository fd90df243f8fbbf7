//===- Plan.h - which blocks live in memory ---------------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_PLAN_H
#define SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_PLAN_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "seagrove/Dialect/Access/IR/Access.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

namespace seagrove::vectorize {

/// Returns true if `value` is a block, and not a scalar.
inline bool isBlock(mlir::Value value) {
  return mlir::isa<mlir::RankedTensorType>(value.getType());
}

/// Returns the type of a block.
inline mlir::RankedTensorType typeOf(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType());
}

/// Returns true if `region`, of which there may be none, holds the definition
/// of `value`.
inline bool isDefinedIn(mlir::Value value, mlir::Region *region) {
  return region && region->isAncestor(value.getParentRegion());
}

/// Returns true if `op` computes each element of its results from the elements
/// of its operands at one position each, so that it can be evaluated lazily.
bool isLazy(mlir::Operation *op);

/// Returns true if `op` only gives another shape to the same row-major bytes,
/// and not merely by adding or dropping dimensions of size one.
bool isView(mlir::Operation *op);

/// Returns true if `op`, or an operation inside of it, may write memory that
/// other operations read.
bool mayWrite(mlir::Operation *op);

/// Returns true if programs may tell each other something by `op` itself: a
/// write that is more than a store, or a read that has to see what others
/// wrote.
bool isSignal(mlir::Operation *op);

/// Decides for each block of a kernel whether it lives in memory, and which
/// reads are still due when a store executes.
class Plan {
public:
  Plan(mlir::func::FuncOp kernel, int64_t vectorBits);

  /// True if `value` is to be written to the scratch area where it is defined.
  bool inMemory(mlir::Value value) const { return memory.contains(value); }

  /// Vector operations that evaluating one vector of `value` takes, about.
  unsigned costOf(mlir::Value value) const {
    return memory.contains(value) ? 0 : cost.lookup(value);
  }

  struct PendingRead {
    sg::LoadOp load;
    /// True if the load is read again after the store, and not only by it.
    bool later;
  };
  /// The lazy reads that a store must not disturb.
  llvm::ArrayRef<PendingRead> pendingReads(mlir::Operation *store) const;

  /// The stores that are written by one nest with `store`, itself among them,
  /// in their order. It is emitted at the last one.
  llvm::ArrayRef<sg::StoreOp> writtenTogether(sg::StoreOp store) const {
    return together.find(store)->second;
  }

  /// The roots that evaluate `value`: of stores that are written together, the
  /// last one.
  const llvm::SetVector<mlir::Operation *> &rootsOf(mlir::Value value);

private:
  void decide(mlir::Operation *op);
  void protectReads(mlir::Operation *load);
  bool mustBeInMemory(mlir::Value value) const;
  bool needsWhole(mlir::OpOperand &use) const;
  unsigned costOf(mlir::Operation *op) const;
  unsigned distinctCost(mlir::Operation *op) const;
  bool crossesVectors(mlir::Operation *op) const;
  mlir::Operation *nestOf(mlir::Operation *root) const;

  mlir::func::FuncOp kernel;
  int64_t vectorBits;
  llvm::DenseSet<mlir::Value> memory;
  llvm::DenseMap<mlir::Value, llvm::SetVector<mlir::Operation *>> roots;
  llvm::DenseMap<mlir::Value, unsigned> cost;
  /// Values that are computed from several vectors, all of a group at once.
  llvm::DenseSet<mlir::Value> grouped;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<PendingRead>> pending;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<sg::StoreOp>> together;
};

/// The stores of `kernel` that one nest each can write, in their order.
llvm::SmallVector<llvm::SmallVector<sg::StoreOp>>
findStoresTogether(mlir::func::FuncOp kernel);

/// Returns true if the least and the largest element of `index` follow from
/// scalars, so that `Lowering::intervalOf` finds them.
bool hasInterval(mlir::Value index);

} // namespace seagrove::vectorize

#endif // SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_PLAN_H

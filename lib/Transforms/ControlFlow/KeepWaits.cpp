//===- KeepWaits.cpp - loops that wait for another program ----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScalarAtomics.h"
#include "seagrove/Transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"
#include "llvm/ADT/SetVector.h"

namespace seagrove {
#define GEN_PASS_DEF_KEEPWAITS
#include "seagrove/Transforms/Passes.h.inc"
} // namespace seagrove

using namespace mlir;
using namespace seagrove;

namespace {

/// The operations inside of a loop that its condition is computed from, over
/// any number of iterations.
class ConditionSlice {
public:
  explicit ConditionSlice(scf::WhileOp loop) : loop(loop) {
    add(loop.getConditionOp().getCondition());
    for (size_t next = 0; next < values.size(); ++next)
      visit(values[next]);
  }

  const llvm::SetVector<Operation *> &operations() const { return ops; }

private:
  void add(Value value) { values.insert(value); }

  void visit(Value value) {
    if (Operation *op = value.getDefiningOp()) {
      if (loop->isProperAncestor(op))
        addOperation(op);
      return;
    }
    auto argument = cast<BlockArgument>(value);
    if (argument.getOwner() == loop.getBeforeBody())
      add(loop.getYieldOp().getOperand(argument.getArgNumber()));
    else if (argument.getOwner() == loop.getAfterBody())
      add(loop.getConditionOp().getArgs()[argument.getArgNumber()]);
  }

  /// Of an operation with regions all of it counts.
  void addOperation(Operation *op) {
    op->walk([&](Operation *nested) {
      if (ops.insert(nested))
        values.insert(nested->operand_begin(), nested->operand_end());
    });
  }

  scf::WhileOp loop;
  llvm::SetVector<Value> values;
  llvm::SetVector<Operation *> ops;
};

/// Whether `value` is the same in each iteration of `loop`.
bool isInvariant(Value value, scf::WhileOp loop) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return !loop->isAncestor(value.getParentRegion()->getParentOp());
  if (!loop->isProperAncestor(op))
    return true;
  return op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return isInvariant(operand, loop);
         });
}

struct KeepWaits : seagrove::impl::KeepWaitsBase<KeepWaits> {
  void runOnOperation() override {
    bool waits = false;
    expandScalarAtomics(getOperation());
    getOperation().walk([&](Operation *op) {
      if (auto load = dyn_cast<tt::LoadOp>(op))
        if (load.getCache() == tt::CacheModifier::Volatile)
          load.setIsVolatile(true);
    });
    getOperation().walk([&](scf::WhileOp loop) {
      ConditionSlice slice(loop);
      for (Operation *op : slice.operations())
        waits |= isWait(op, loop);
    });
    if (waits)
      getOperation()->setAttr("sg.waits", UnitAttr::get(&getContext()));
  }

  /// Whether the loop ends by what `op` sees of memory. Such a read happens in
  /// each iteration: from here on it is volatile.
  static bool isWait(Operation *op, scf::WhileOp loop) {
    if (isa<tt::AtomicRMWOp, tt::AtomicCASOp>(op))
      return true;
    auto load = dyn_cast<tt::LoadOp>(op);
    if (!load)
      return false;
    if (!load.getIsVolatile() && !isInvariant(load.getPtr(), loop))
      return false;
    load.setIsVolatile(true);
    return true;
  }
};

} // namespace

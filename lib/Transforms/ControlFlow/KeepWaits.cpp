//===- KeepWaits.cpp - loops that wait for another program ----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScalarAtomics.h"
#include "seagrove/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "seagrove/Dialect/Triton/IR/Barrier.h"
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

/// The argument of the function that an address is computed from; null if it is
/// not known.
Value argumentOf(Value pointer) {
  while (Operation *op = pointer.getDefiningOp()) {
    if (!isa<tt::AddPtrOp, tt::SplatOp, tt::BroadcastOp, tt::ExpandDimsOp,
             tt::BitcastOp>(op))
      return nullptr;
    pointer = op->getOperand(0);
  }
  Operation *owner = pointer.getParentRegion()->getParentOp();
  return isa<FunctionOpInterface>(owner) ? pointer : nullptr;
}

/// A loop that takes a lock, and the operation that gives it back. Both stand
/// in one block, so that each program that has the lock gives it back.
struct Lock {
  scf::WhileOp loop;
  tt::AtomicCASOp take;
  tt::AtomicRMWOp giveBack;

  /// Whether `op` runs while this program has the lock, or is its taking.
  bool covers(Operation *op) const {
    Operation *inBlock = loop->getBlock()->findAncestorOpInBlock(*op);
    return inBlock && !inBlock->isBeforeInBlock(loop) &&
           !giveBack->isBeforeInBlock(inBlock);
  }
};

/// The swap of a loop that does nothing but repeat it until it succeeds; null
/// if there is none.
tt::AtomicCASOp findTaking(scf::WhileOp loop) {
  tt::AtomicCASOp take;
  WalkResult result = loop.walk([&](Operation *op) {
    if (op == loop.getOperation() || isMemoryEffectFree(op))
      return WalkResult::advance();
    auto swap = dyn_cast<tt::AtomicCASOp>(op);
    if (!swap || take || swap->getBlock() != loop.getBeforeBody())
      return WalkResult::interrupt();
    take = swap;
    return WalkResult::advance();
  });
  if (result.wasInterrupted() || !take)
    return nullptr;
  auto compare =
      loop.getConditionOp().getCondition().getDefiningOp<arith::CmpIOp>();
  std::optional<int64_t> free = getConstantIntValue(take.getCmp());
  std::optional<int64_t> taken = getConstantIntValue(take.getVal());
  if (!compare || !free || !taken || *free == *taken ||
      loop->isProperAncestor(take.getPtr().getParentRegion()->getParentOp()))
    return nullptr;
  Value seen = compare.getLhs(), wanted = compare.getRhs();
  if (seen != take.getResult())
    std::swap(seen, wanted);
  std::optional<int64_t> value = getConstantIntValue(wanted);
  if (seen != take.getResult() || !value)
    return nullptr;
  bool repeats =
      compare.getPredicate() == arith::CmpIPredicate::eq && *value == *taken;
  repeats |=
      compare.getPredicate() == arith::CmpIPredicate::ne && *value == *free;
  return repeats ? take : nullptr;
}

std::optional<Lock> findLock(scf::WhileOp loop) {
  tt::AtomicCASOp take = findTaking(loop);
  if (!take || !argumentOf(take.getPtr()))
    return std::nullopt;
  for (Operation *op = loop->getNextNode(); op; op = op->getNextNode()) {
    auto write = dyn_cast<tt::AtomicRMWOp>(op);
    if (write && write.getPtr() == take.getPtr() &&
        (!write.getMask() || matchPattern(write.getMask(), m_One())) &&
        write.getAtomicRmwOp() == tt::RMWKind::Exchange &&
        getConstantIntValue(write.getVal()) ==
            getConstantIntValue(take.getCmp()))
      return Lock{loop, take, write};
  }
  return std::nullopt;
}

/// Whether `op` may write to the locks of `argument`, as one that frees a lock
/// which another program has taken.
bool mayFree(Operation *op, Value argument) {
  if (isMemoryEffectFree(op) ||
      isa<tt::LoadOp, gpu::BarrierOp, ttg::BarrierOp>(op) ||
      op->hasTrait<OpTrait::HasRecursiveMemoryEffects>())
    return false;
  if (!isa<tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>(op))
    return !isa<FunctionOpInterface, tt::ReturnOp, ModuleOp>(op) &&
           !hasSingleEffect<MemoryEffects::Read>(op);
  Value written = argumentOf(op->getOperand(0));
  return !written || written == argument;
}

/// Whether each of `locks` is free at the start and whenever no program has it,
/// as far as this kernel goes: none is given back but by who has taken it.
bool areBalanced(ArrayRef<Lock> locks, ModuleOp module) {
  WalkResult result = module.walk([&](Operation *op) {
    bool covered =
        llvm::any_of(locks, [&](const Lock &lock) { return lock.covers(op); });
    bool frees = !covered && llvm::any_of(locks, [&](Lock lock) {
      return mayFree(op, argumentOf(lock.take.getPtr()));
    });
    return frees ? WalkResult::interrupt() : WalkResult::advance();
  });
  return !result.wasInterrupted();
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
    SmallVector<Lock> locks;
    getOperation().walk([&](scf::WhileOp loop) {
      if (std::optional<Lock> lock = findLock(loop)) {
        locks.push_back(*lock);
        return;
      }
      ConditionSlice slice(loop);
      for (Operation *op : slice.operations())
        waits |= isWait(op, loop);
    });
    // Who has a lock comes to give it back, in whatever order programs run. Not
    // so where it waits for something else meanwhile.
    waits |= !areBalanced(locks, getOperation());
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

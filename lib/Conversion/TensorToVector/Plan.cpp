//===- Plan.cpp - which blocks live in memory -----------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Plan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"
#include "seagrove/Support/Decisions.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// An expression that costs more than this many simple vector operations is not
// evaluated a second time; it is written to the scratch area instead, which is
// about what a store and a load from the first-level cache cost.
static constexpr unsigned kRecomputeLimit = 6;
// The same where the second evaluation is in a loop that runs many times.
static constexpr unsigned kRecomputeInLoopLimit = 3;
// An expression of more operations than this is cut, so that the code of one
// nest stays small whatever the kernel holds.
static constexpr unsigned kExpressionLimit = 400;

// The same for an expression that is evaluated for a group of vectors at once.
static constexpr unsigned kGroupedLimit = 100;
// Vectors that such a group has at least.
static constexpr int64_t kGroup = 8;

/// Returns true if `op` only adds or drops dimensions of size one.
static bool isUnitReshape(Operation *op) {
  auto withoutUnits = [](Value value) {
    SmallVector<int64_t> sizes(typeOf(value).getShape());
    llvm::erase(sizes, 1);
    return sizes;
  };
  return withoutUnits(op->getOperand(0)) == withoutUnits(op->getResult(0));
}

bool vectorize::isView(Operation *op) {
  if (isa<tensor::ExtractSliceOp>(op))
    return true;
  return isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op) &&
         !isUnitReshape(op);
}

bool vectorize::isLazy(Operation *op) {
  if (op->getNumResults() == 0 || !llvm::all_of(op->getResults(), isBlock))
    return false;
  if (isa<tt::TritonDialect>(op->getDialect()))
    return false;
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return isa<SplatElementsAttr>(constant.getValue());
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
    return isUnitReshape(op);
  if (auto load = dyn_cast<sg::LoadOp>(op))
    return !load.getIsVolatile();
  if (auto gather = dyn_cast<sg::GatherOp>(op))
    return !gather.getIsVolatile();
  if (isa<tensor::SplatOp, tensor::EmptyOp, linalg::BroadcastOp,
          linalg::TransposeOp, sg::ButterflyOp, sg::IotaOp, sg::TakeOp,
          ub::PoisonOp>(op))
    return true;
  return op->hasTrait<OpTrait::Elementwise>();
}

bool vectorize::mayWrite(Operation *op) {
  if (op->hasTrait<OpTrait::HasRecursiveMemoryEffects>()) {
    bool writes = false;
    for (Region &region : op->getRegions())
      for (Block &block : region)
        writes |= llvm::any_of(
            block, [](Operation &inner) { return mayWrite(&inner); });
    return writes;
  }
  // Products and reshapes work on values; only their form is that of a write.
  if (isa<linalg::LinalgOp>(op) || op->hasTrait<OpTrait::IsTerminator>())
    return false;
  if (auto effects = dyn_cast<MemoryEffectOpInterface>(op))
    return effects.hasEffect<MemoryEffects::Write>();
  return !isMemoryEffectFree(op);
}

bool vectorize::isSignal(Operation *op) {
  if (auto load = dyn_cast<sg::LoadOp>(op))
    return load.getIsVolatile();
  if (auto gather = dyn_cast<sg::GatherOp>(op))
    return gather.getIsVolatile();
  if (auto load = dyn_cast<tt::LoadOp>(op))
    return load.getIsVolatile();
  return op->getNumRegions() == 0 &&
         !isa<sg::StoreOp, sg::ScatterOp, tt::StoreOp>(op) && mayWrite(op);
}

static unsigned costOfElementwise(Operation *op) {
  if (isa<math::MathDialect>(op->getDialect()) &&
      !isa<math::AbsFOp, math::AbsIOp, math::FmaOp, math::FloorOp,
           math::CeilOp>(op))
    return 12;
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
          arith::RemFOp>(op))
    return 12;
  if (isa<arith::DivFOp>(op))
    return 4;
  return 1;
}

/// Returns true if no vector of `load` lies in one piece.
static bool gathers(sg::LoadOp load) {
  if (load.getStrides().size() != 1)
    return false;
  std::optional<int64_t> stride = getConstantIntValue(load.getStrides()[0]);
  return load.getIndexOf(0) ? !load.isWrapped(0)
                            : !stride || (*stride != 0 && *stride != 1);
}

/// What `op` costs without its operands.
static unsigned ownCost(Operation *op) {
  if (isa<tensor::SplatOp, arith::ConstantOp, sg::IotaOp, tensor::EmptyOp>(op))
    return 0;
  auto load = dyn_cast<sg::LoadOp>(op);
  if (isa<sg::GatherOp, sg::TakeOp>(op) || (load && gathers(load)))
    return 6;
  if (isa<sg::LoadOp>(op) || op->hasTrait<OpTrait::Elementwise>())
    return costOfElementwise(op);
  return 0;
}

unsigned Plan::costOf(Operation *op) const {
  unsigned total = ownCost(op);
  if (isa<tensor::SplatOp, arith::ConstantOp, sg::IotaOp, tensor::EmptyOp>(op))
    return 0;
  for (Value operand : op->getOperands())
    if (auto it = cost.find(operand);
        it != cost.end() && !memory.contains(operand))
      total += it->second;
  return total;
}

/// The cost of an expression that counts what it uses several times once, as it
/// is evaluated.
unsigned Plan::distinctCost(Operation *op) const {
  SmallVector<Operation *> todo{op};
  DenseSet<Operation *> seen{op};
  unsigned total = 0;
  while (!todo.empty() && total <= kExpressionLimit) {
    Operation *next = todo.pop_back_val();
    total += ownCost(next);
    for (Value operand : next->getOperands())
      if (cost.contains(operand) && !memory.contains(operand) &&
          seen.insert(operand.getDefiningOp()).second)
        todo.push_back(operand.getDefiningOp());
  }
  return total;
}

/// Returns true for a butterfly that exchanges elements of different vectors.
bool Plan::crossesVectors(Operation *op) const {
  auto butterfly = dyn_cast<sg::ButterflyOp>(op);
  if (!butterfly)
    return false;
  Type element = butterfly.getSource().getType().getElementType();
  int64_t bits = std::max<int64_t>(element.getIntOrFloatBitWidth(), 32);
  return static_cast<int64_t>(butterfly.getMask()) * bits >= vectorBits;
}

/// The root whose nest does what `root` says.
Operation *Plan::nestOf(Operation *root) const {
  auto found = together.find(root);
  return found == together.end() ? root : found->second.back();
}

const llvm::SetVector<Operation *> &Plan::rootsOf(Value value) {
  if (auto it = roots.find(value); it != roots.end())
    return it->second;
  llvm::SetVector<Operation *> found;
  for (Operation *user : value.getUsers()) {
    bool passesOn = isLazy(user);
    if (passesOn)
      passesOn = llvm::none_of(user->getResults(),
                               [&](Value r) { return memory.contains(r); });
    if (!passesOn) {
      found.insert(nestOf(user));
      continue;
    }
    for (Value result : user->getResults()) {
      const auto &further = rootsOf(result);
      found.insert(further.begin(), further.end());
    }
  }
  return roots[value] = found;
}

/// Returns true if an operand of `op` has to be in memory as a whole.
bool Plan::needsWhole(OpOperand &use) const {
  Operation *user = use.getOwner();
  // A butterfly within a group of vectors stays there; another one reads
  // elsewhere.
  if (auto butterfly = dyn_cast<sg::ButterflyOp>(user)) {
    Type element = butterfly.getSource().getType().getElementType();
    int64_t bits = std::max<int64_t>(element.getIntOrFloatBitWidth(), 32);
    return static_cast<int64_t>(butterfly.getMask()) * bits >=
           kGroup * vectorBits;
  }
  if (isView(user) && use.getOperandNumber() == 0)
    return true;
  return isa<sg::TakeOp>(user) && use.getOperandNumber() == 0;
}

bool Plan::mustBeInMemory(Value value) const {
  Operation *op = value.getDefiningOp();
  return !op || !isLazy(op) ||
         llvm::any_of(value.getUses(),
                      [this](OpOperand &use) { return needsWhole(use); });
}

static unsigned loopDepth(Operation *op) {
  unsigned depth = 0;
  for (; op; op = op->getParentOp())
    depth += isa<LoopLikeOpInterface>(op);
  return depth;
}

void Plan::decide(Operation *op) {
  for (Value value : op->getResults()) {
    if (!isBlock(value))
      continue;
    if (mustBeInMemory(value)) {
      memory.insert(value);
      continue;
    }
    unsigned valueCost = costOf(op);
    if (valueCost > kGroupedLimit)
      valueCost = distinctCost(op);
    cost[value] = valueCost;
    if ((crossesVectors(op) && !memory.contains(op->getOperand(0))) ||
        llvm::any_of(op->getOperands(), [&](Value operand) {
          return grouped.contains(operand) && !memory.contains(operand);
        }))
      grouped.insert(value);
    // A whole group is evaluated where the value is written to memory.
    if (grouped.contains(value) &&
        (valueCost > kGroupedLimit ||
         llvm::any_of(value.getUsers(), [](Operation *user) {
           return !isa<sg::ButterflyOp>(user) &&
                  !user->hasTrait<OpTrait::Elementwise>();
         })))
      memory.insert(value);
    const auto &evaluators = rootsOf(value);
    bool inLoop = llvm::any_of(evaluators, [&](Operation *root) {
      return loopDepth(root) > loopDepth(op) + isa<LoopLikeOpInterface>(root);
    });
    bool widened = llvm::any_of(value.getUsers(), [](Operation *user) {
      return isa<linalg::BroadcastOp>(user);
    });
    bool repeated = evaluators.size() > 1 || widened;
    if ((repeated && valueCost > kRecomputeLimit) ||
        ((inLoop || widened) && valueCost > kRecomputeInLoopLimit) ||
        valueCost > kExpressionLimit) {
      memory.insert(value);
      noteDecision(op, "memory",
                   "computed once to the scratch area: {0} vector operations, "
                   "needed by {1} nests{2}{3}",
                   valueCost, evaluators.size(), inLoop ? ", in a loop" : "",
                   widened ? ", for many elements each" : "");
    }
  }
}

void Plan::protectReads(Operation *load) {
  Value value = load->getResult(0);
  if (memory.contains(value) || load->use_empty())
    return;
  Block *block = load->getBlock();
  Operation *last = load;
  for (Operation *root : rootsOf(value)) {
    Operation *ancestor = block->findAncestorOpInBlock(*root);
    if (!ancestor) {
      memory.insert(value);
      return;
    }
    if (last->isBeforeInBlock(ancestor))
      last = ancestor;
  }
  auto structured = dyn_cast<sg::LoadOp>(load);
  bool copyable =
      structured && llvm::all_of(structured.getIndices(), hasInterval);
  SmallVector<sg::StoreOp> crossed;
  for (Operation *op = load->getNextNode(); op; op = op->getNextNode()) {
    if (mayWrite(op)) {
      auto store = dyn_cast<sg::StoreOp>(op);
      if (!store || !copyable) {
        memory.insert(value);
        return;
      }
      crossed.push_back(store);
    }
    if (op == last)
      break;
  }
  auto isLater = [&](sg::StoreOp store) { return nestOf(store) != last; };
  // What an index reads has no copy that another nest could read instead.
  if (structured && !structured.getIndices().empty() &&
      llvm::any_of(crossed, isLater)) {
    memory.insert(value);
    return;
  }
  for (sg::StoreOp store : crossed)
    pending[store].push_back({structured, isLater(store)});
}

ArrayRef<Plan::PendingRead> Plan::pendingReads(Operation *store) const {
  auto it = pending.find(store);
  return it == pending.end() ? ArrayRef<PendingRead>()
                             : ArrayRef<PendingRead>(it->second);
}

Plan::Plan(func::FuncOp kernel, int64_t vectorBits)
    : kernel(kernel), vectorBits(vectorBits) {
  for (const SmallVector<sg::StoreOp> &stores : findStoresTogether(kernel))
    for (sg::StoreOp store : stores)
      together[store] = stores;
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op->getParentOfType<sg::ReduceOp>() ||
        op->getParentOfType<sg::ScanOp>())
      return;
    decide(op);
  });
  // A value that went to memory is itself the last that reads its operands.
  roots.clear();
  SmallVector<Operation *> reads;
  kernel.walk([&](Operation *op) {
    if (isa<sg::LoadOp, sg::GatherOp>(op) && isLazy(op))
      reads.push_back(op);
  });
  for (Operation *read : reads)
    protectReads(read);
}

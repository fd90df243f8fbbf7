//===- Sinking.cpp - stores of what a branch yields
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A block that a branch yields lives in memory, since it is computed on either
// side. Where it is merely stored afterwards, each side can do so itself:
//
//   if first:              if first:
//       sum = part             tl.store(p, part)
//   else:             ->   else:
//       sum = part + old       tl.store(p, part + old)
//   tl.store(p, sum)
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Operations that each side is given at most.
static constexpr size_t kMostMoved = 32;

namespace {
struct Followers {
  /// The stores, and what they compute of the branch's results, in order.
  llvm::SetVector<Operation *> moved;
  /// What stands between them and needs nothing of the branch.
  SmallVector<Operation *> others;
};
} // namespace

/// The stores that follow `branch`; none unless all blocks that it yields serve
/// these stores only.
static Followers findFollowers(scf::IfOp branch) {
  Followers found;
  llvm::SetVector<Operation *> &moved = found.moved;
  auto depends = [&](Operation *op) {
    return llvm::any_of(op->getOperands(), [&](Value operand) {
      Operation *def = operand.getDefiningOp();
      return def && (def == branch || moved.contains(def));
    });
  };
  bool stores = false;
  for (Operation *op = branch->getNextNode(); op; op = op->getNextNode()) {
    bool isStore = isa<sg::StoreOp>(op) && depends(op);
    // A read must not move across what is written.
    if (!isStore && (op->getNumRegions() != 0 || !isPure(op) ||
                     op->hasTrait<OpTrait::IsTerminator>()))
      break;
    stores |= isStore;
    if (depends(op))
      moved.insert(op);
    else
      found.others.push_back(op);
  }
  auto areMoved = [&](auto users) {
    return llvm::all_of(users,
                        [&](Operation *user) { return moved.contains(user); });
  };
  bool all = llvm::all_of(
      moved, [&](Operation *op) { return areMoved(op->getUsers()); });
  for (Value result : branch.getResults())
    all &= !isBlock(result) || areMoved(result.getUsers());
  return stores && all && moved.size() <= kMostMoved ? found : Followers();
}

static void moveInto(scf::IfOp branch, const Followers &followers) {
  for (Operation *op : followers.others)
    op->moveBefore(branch);
  ArrayRef<Operation *> moved = followers.moved.getArrayRef();
  for (Block *side : {branch.thenBlock(), branch.elseBlock()}) {
    OpBuilder builder(side->getTerminator());
    IRMapping mapping;
    mapping.map(branch.getResults(), side->getTerminator()->getOperands());
    for (Operation *op : moved)
      builder.clone(*op, mapping);
  }
  for (Operation *op : llvm::reverse(moved))
    op->erase();
  // The blocks need not be yielded any more.
  SmallVector<Value> kept;
  for (Value result : branch.getResults())
    if (!isBlock(result))
      kept.push_back(result);
  OpBuilder builder(branch);
  auto fresh =
      scf::IfOp::create(builder, branch.getLoc(), ValueRange(kept).getTypes(),
                        branch.getCondition(), /*else=*/true);
  fresh->setDiscardableAttrs(branch->getDiscardableAttrDictionary());
  for (auto [from, to] : llvm::zip(branch->getRegions(), fresh->getRegions())) {
    Operation *yield = from.front().getTerminator();
    for (int64_t index = branch.getNumResults() - 1; index >= 0; --index)
      if (isBlock(branch.getResult(index)))
        yield->eraseOperand(index);
    to.takeBody(from);
  }
  for (auto [old, result] : llvm::zip(kept, fresh.getResults()))
    old.replaceAllUsesWith(result);
  branch->erase();
}

void vectorize::sinkStores(func::FuncOp kernel) {
  SmallVector<scf::IfOp> branches;
  kernel.walk([&](scf::IfOp branch) {
    if (!branch.getElseRegion().empty() &&
        llvm::any_of(branch.getResults(), isBlock))
      branches.push_back(branch);
  });
  for (scf::IfOp branch : branches)
    if (Followers found = findFollowers(branch); !found.moved.empty())
      moveInto(branch, found);
}

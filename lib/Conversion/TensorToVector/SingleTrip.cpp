//===- SingleTrip.cpp - accumulating loops that run once ------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A row is often accumulated in a loop, so that it may be of any length, and
// its block is chosen so large that the loop runs once:
//
//   acc = tl.zeros([BLOCK])
//   for start in range(0, n, BLOCK):
//       acc += tl.load(...)
//   total = tl.sum(acc)
//
// The block would be written by the loop and read again by the reduction. A
// version for a single iteration has no loop: the reduction computes what it
// reads.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "seagrove/Support/Decisions.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Operations of an iteration that are repeated at most.
static constexpr int64_t kMostRepeated = 32;

/// The reductions to scalars that all blocks which `loop` carries serve, and
/// nothing else does; none where there is another user.
static llvm::SetVector<Operation *> findReductions(scf::ForOp loop) {
  llvm::SetVector<Operation *> found;
  for (Value result : loop.getResults())
    for (Operation *user : result.getUsers()) {
      auto reduce = dyn_cast<sg::ReduceOp>(user);
      bool fits = reduce && isBlock(result) &&
                  reduce->getBlock() == loop->getBlock() &&
                  llvm::none_of(reduce->getResults(), isBlock) &&
                  llvm::all_of(reduce->getOperands(), [&](Value operand) {
                    return operand.getDefiningOp() == loop;
                  });
      if (!fits)
        return {};
      found.insert(user);
    }
  return found;
}

/// Returns true if an iteration of `loop` can be evaluated by whatever reads
/// its results.
static bool isLazyLoop(scf::ForOp loop) {
  if (loop.getUnsignedCmp() || loop.getStaticTripCount() ||
      std::distance(loop.getBody()->begin(), loop.getBody()->end()) >
          kMostRepeated)
    return false;
  return llvm::all_of(loop.getBody()->without_terminator(), [](Operation &op) {
    return llvm::any_of(op.getResults(), isBlock)
               ? isLazy(&op)
               : isPure(&op) && op.getNumRegions() == 0;
  });
}

/// Emits `reductions` of what stands for the results of `loop` in `mapping`.
static void emitReductions(OpBuilder &b, scf::ForOp loop,
                           const llvm::SetVector<Operation *> &reductions,
                           IRMapping &mapping) {
  SmallVector<Value> results;
  for (Operation *reduction : reductions)
    llvm::append_range(results, b.clone(*reduction, mapping)->getResults());
  scf::YieldOp::create(b, loop.getLoc(), results);
}

/// Gives `loop` and its `reductions` a version for a single iteration.
static void split(scf::ForOp loop,
                  const llvm::SetVector<Operation *> &reductions) {
  noteDecision(loop, "loop",
               "where it runs once, the reduction computes what it reads");
  OpBuilder b(loop);
  Location loc = loop.getLoc();
  Value from = loop.getLowerBound(), to = loop.getUpperBound();
  // As a number without sign the distance of `from` and a larger `to` fits.
  Value some =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, from, to);
  Value distance = arith::SubIOp::create(b, loc, to, from);
  Value once = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule,
                                     distance, loop.getStep());
  once = arith::AndIOp::create(b, loc, some, once);
  SmallVector<Type> types;
  for (Operation *reduction : reductions)
    llvm::append_range(types, reduction->getResultTypes());
  auto branch = scf::IfOp::create(b, loc, types, once, /*withElseRegion=*/true);

  b.setInsertionPointToStart(branch.thenBlock());
  IRMapping mapping;
  mapping.map(loop.getInductionVar(), from);
  mapping.map(loop.getRegionIterArgs(), loop.getInitArgs());
  for (Operation &op : loop.getBody()->without_terminator())
    b.clone(op, mapping);
  for (auto [result, yielded] : llvm::zip(
           loop.getResults(), loop.getBody()->getTerminator()->getOperands()))
    mapping.map(result, mapping.lookupOrDefault(yielded));
  emitReductions(b, loop, reductions, mapping);

  b.setInsertionPointToStart(branch.elseBlock());
  IRMapping general;
  b.clone(*loop, general);
  emitReductions(b, loop, reductions, general);

  size_t next = 0;
  for (Operation *reduction : reductions) {
    for (Value result : reduction->getResults())
      result.replaceAllUsesWith(branch.getResult(next++));
    reduction->erase();
  }
  loop.erase();
}

void vectorize::splitSingleTrips(func::FuncOp kernel) {
  SmallVector<scf::ForOp> loops;
  kernel.walk([&](scf::ForOp loop) {
    if (isLazyLoop(loop) && !findReductions(loop).empty())
      loops.push_back(loop);
  });
  for (scf::ForOp loop : loops)
    split(loop, findReductions(loop));
}

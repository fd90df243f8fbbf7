//===- Streams.cpp - writes that go past the caches
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A cache fetches a line before it is written. Where a launch writes more than
// the caches hold, and reads nothing of it, that is a third of the traffic of a
// copy for nothing; and what the caches did hold is gone afterwards. Whether it
// is so is known at run time: the size of the grid times what a program writes.
//
// Writes past the caches are not ordered with others, so the range kernel ends
// with a fence where there may be some, and one follows each of them in a
// kernel whose programs may wait for each other.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// A launch that writes this part of the largest cache or more also reads about
// as much: its output would not stay there.
static constexpr int64_t kPartOfLastLevel = 4;
// Where the largest cache is small, or is shared by many cores.
static constexpr int64_t kSecondLevels = 8;

/// Returns true if the kernel reads from where `store` writes, or updates it.
static bool isReadAgain(sg::StoreOp store) {
  auto kernel = store->getParentOfType<func::FuncOp>();
  WalkResult result = kernel.walk([&](Operation *op) {
    Value base;
    if (auto load = dyn_cast<sg::LoadOp>(op))
      base = load.getBase();
    if (auto gather = dyn_cast<sg::GatherOp>(op))
      base = gather.getBase();
    if (auto update = dyn_cast<sg::AtomicRMWOp>(op))
      base = update.getBase();
    if (auto swap = dyn_cast<sg::AtomicCASOp>(op))
      base = swap.getBase();
    return base == store.getBase() ? WalkResult::interrupt()
                                   : WalkResult::advance();
  });
  return result.wasInterrupted();
}

/// Orders what `store` wrote past the caches before all that follows, where
/// programs of its kernel may tell each other that it is written.
void Lowering::fenceStream(sg::StoreOp store, Value streams) {
  auto kernel = store->getParentOfType<func::FuncOp>();
  bool signals = kernel
                     .walk([](Operation *op) {
                       return isSignal(op) ? WalkResult::interrupt()
                                           : WalkResult::advance();
                     })
                     .wasInterrupted();
  if (!streams || !signals)
    return;
  auto branch =
      scf::IfOp::create(builder, loc, streams, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  LLVM::FenceOp::create(builder, loc, LLVM::AtomicOrdering::seq_cst);
}

/// The loops around `op`, innermost first.
static SmallVector<scf::ForOp> loopsAround(Operation *op) {
  SmallVector<scf::ForOp> loops;
  while (auto loop = op->getParentOfType<scf::ForOp>()) {
    loops.push_back(loop);
    op = loop;
  }
  return loops;
}

/// A condition for whole vectors of `store` to be written past the caches;
/// null where they never are.
Value Lowering::streamsPastCaches(sg::StoreOp store, int64_t vectorDim,
                                  Width width) {
  auto type = cast<RankedTensorType>(store.getValue().getType());
  Type element = memoryType(lowered(type.getElementType()));
  int64_t elementBytes = element.getIntOrFloatBitWidth() / 8;
  // Half a line at once is enough where memory is waited for, and rows are
  // whole lines.
  auto isWide = [&] {
    int64_t bits = width.lanes * elementBytes * 8;
    return bits == machine.vectorBits ||
           (machine.streamsByHalves && 2 * bits >= kLineBits &&
            plan.costOf(store.getValue()) <= kStreamedCost &&
            type.getDimSize(vectorDim) * elementBytes * 8 % kLineBits == 0);
  };
  if (vectorDim < 0 || width.scalable || !isWide() ||
      !isConstantIntValue(store.getStrides()[vectorDim], 1) ||
      !store.getIndices().empty() || isReadAgain(store)) {
    noteDecision(store, "stores",
                 "through the caches: the vectors are narrow or not "
                 "contiguous, rows are no whole lines, or the kernel reads the "
                 "memory");
    return {};
  }
  auto times = [&](Value left, Value right) {
    return builder.createOrFold<arith::MulIOp>(loc, left, right);
  };
  Value bytes = constant(type.getNumElements() * elementBytes);
  for (unsigned axis = 3; axis < 6; ++axis)
    bytes = times(bytes, asI64(gridArguments[axis]));
  for (scf::ForOp loop : loopsAround(store)) {
    Value lower = asI64(scalar(loop.getLowerBound())),
          upper = asI64(scalar(loop.getUpperBound())),
          step = asI64(scalar(loop.getStep()));
    Value distance = arith::SubIOp::create(builder, loc, upper, lower);
    bytes = times(
        bytes, builder.createOrFold<arith::CeilDivSIOp>(loc, distance, step));
  }
  int64_t enough = std::max(machine.lastLevelBytes / kPartOfLastLevel,
                            machine.l2Bytes * kSecondLevels);
  noteDecision(store, "stores",
               "past the caches where the launch writes {0} MiB or more to "
               "rows that begin at whole vectors",
               enough >> 20);
  Value streams = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge,
                                        bytes, constant(enough));
  // The bits by which some row may begin off the boundary of a vector.
  Value first =
      address(scalar(store.getBase()), element, scalar(store.getOffset()));
  Value skew =
      LLVM::PtrToIntOp::create(builder, loc, builder.getI64Type(), first);
  for (int64_t dim = 0, rank = type.getRank(); dim < rank; ++dim)
    if (dim != vectorDim && type.getDimSize(dim) != 1)
      skew = builder.createOrFold<arith::OrIOp>(
          loc, skew,
          times(scalar(store.getStrides()[dim]), constant(elementBytes)));
  skew = arith::AndIOp::create(builder, loc, skew,
                               constant(machine.vectorBits / 8 - 1));
  Value aligned = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                        skew, constant(0));
  program->setAttr("sg.streams", builder.getUnitAttr());
  return arith::AndIOp::create(builder, loc, streams, aligned);
}

//===- Ahead.cpp - reads that are asked for ahead
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A machine looks ahead by itself, but within a page only, and a row often
// begins a new one. So the pass that reads a row first asks for what is some
// lines ahead. The pass that reads it again finds it in a cache and computes:
// meanwhile the memory is idle, and brings the row of the next program, or of
// the next iteration where the row is read in a loop.
//
// To ask for memory that is not there is no error.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// How far ahead of a row's first reads it pays to ask.
static constexpr int32_t kBytesAhead = 2048;
// The part of the second level that a row may take that is asked for while
// another one is in use.
static constexpr int64_t kPartOfSecondLevel = 4;
// More operations than this are not worth computing an address twice.
static constexpr size_t kMostOperations = 16;

/// Returns true if the vector of this number, of consecutive ones, begins a
/// line of the cache.
bool Lowering::startsLine(int64_t number, const Tile &tile) const {
  return !tile.width.scalable &&
         number % std::max<int64_t>(kLineBits / machine.vectorBits, 1) == 0;
}

/// The operations, in order, through which a scalar in `values` depends on
/// `isSource`; nothing if one of them does more than to compute scalars.
static std::optional<SmallVector<Operation *>>
findDependents(ValueRange values, function_ref<bool(Value)> isSource) {
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitBlockArguments = true;
  SetVector<Operation *> slice;
  for (Value value : values)
    if (failed(getBackwardSlice(value, &slice, options)))
      return std::nullopt;
  slice = topologicalSort(slice);
  DenseSet<Value> dependent;
  SmallVector<Operation *> found;
  for (Operation *op : slice) {
    bool depends = llvm::any_of(op->getOperands(), [&](Value operand) {
      return isSource(operand) || dependent.contains(operand);
    });
    if (!depends)
      continue;
    if (!isPure(op) || op->getNumRegions() != 0 ||
        llvm::any_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>))
      return std::nullopt;
    dependent.insert_range(op->getResults());
    found.push_back(op);
  }
  return found;
}

bool vectorize::addsCounter(Value value, scf::ForOp loop) {
  if (value == loop.getInductionVar())
    return true;
  if (auto extended = value.getDefiningOp<arith::ExtSIOp>())
    return addsCounter(extended.getIn(), loop);
  auto sum = value.getDefiningOp<arith::AddIOp>();
  return sum &&
         addsCounter(sum.getLhs(), loop) != addsCounter(sum.getRhs(), loop);
}

/// Returns true if the iterations of `loop` read one part of a row after the
/// other by `op`.
static bool goesAlongRow(sg::LoadOp op, scf::ForOp loop) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  return type.getRank() == 1 &&
         isConstantIntValue(op.getStrides().front(), 1) &&
         isConstantIntValue(loop.getStep(), type.getNumElements()) &&
         op.getBase().getParentRegion()->isProperAncestor(&loop.getRegion()) &&
         addsCounter(op.getOffset(), loop);
}

/// Returns true if another operation reads from the same place as `op`, and
/// does so later.
static bool isReadLater(sg::LoadOp op) {
  return llvm::any_of(op.getBase().getUsers(), [&](Operation *user) {
    if (user == op || !isa<sg::LoadOp>(user))
      return false;
    Region *region = op->getParentRegion();
    while (!region->isAncestor(user->getParentRegion()))
      region = region->getParentRegion();
    Operation *here = region->findAncestorOpInRegion(*op),
              *there = region->findAncestorOpInRegion(*user);
    return here->getBlock() == there->getBlock() && here != there &&
           here->isBeforeInBlock(there);
  });
}

/// Where the program after this one, or the next iteration of the loop around
/// `op`, has the row that `op` reads; nothing if that is not known.
std::optional<ReadView> Lowering::findNextRow(sg::LoadOp op) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  int64_t bits = type.getNumElements() * type.getElementTypeBitWidth();
  if (!op.getIndices().empty() ||
      bits > machine.l2Bytes * 8 / kPartOfSecondLevel)
    return std::nullopt;
  auto loop = op->getParentOfType<scf::ForOp>();
  bool isPart = loop && goesAlongRow(op, loop);
  // Of what another loop's next iteration stores most is in a cache already.
  if (loop && !isPart && prefetchesOnlyNext)
    return std::nullopt;
  auto isCounter = [&](Value value) {
    return loop && value == loop.getInductionVar();
  };
  auto isMoved = [&](Value value) {
    if (loop && !isPart)
      return isCounter(value);
    auto id = value.getDefiningOp<tt::GetProgramIdOp>();
    return id && static_cast<int>(id.getAxis()) == 0;
  };
  auto isSource = [&](Value value) {
    return isMoved(value) || isCounter(value);
  };
  SmallVector<Value> own = {op.getBase(), op.getOffset()};
  auto dependents = findDependents(own, isSource);
  if (!dependents || dependents->size() > kMostOperations)
    return std::nullopt;
  SetVector<Value> sources;
  for (Operation *dependent : *dependents)
    for (Value operand : dependent->getOperands())
      if (isSource(operand))
        sources.insert(operand);
  // Not where the loop over rows is one of the nest itself.
  Region *outside = points.front().getBlock()->getParent();
  if (llvm::none_of(sources, isMoved) ||
      llvm::any_of(sources, [&](Value source) {
        return !scalar(source).getParentRegion()->isAncestor(outside);
      }))
    return std::nullopt;
  DepthScope scope(*this, 0);
  IRMapping saved = scalars;
  Value step =
      arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(1));
  if (isPart) {
    // The row is as long as its loop; a longer one is not asked for.
    Value length =
        arith::SubIOp::create(builder, loc, asI64(scalar(loop.getUpperBound())),
                              asI64(scalar(loop.getLowerBound())));
    int64_t most = machine.l2Bytes * 8 / kPartOfSecondLevel /
                   type.getElementTypeBitWidth();
    Value fits = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle,
                                       length, constant(most));
    step = arith::ExtUIOp::create(builder, loc, builder.getI32Type(), fits);
  } else if (loop) {
    step = scalar(loop.getStep());
  }
  for (Value source : llvm::make_filter_range(sources, isMoved))
    scalars.map(source,
                arith::AddIOp::create(builder, loc, scalar(source), step));
  bool emitted = true;
  for (Operation *dependent : *dependents)
    emitted &= succeeded(emitScalar(dependent));
  Type element = memoryType(lowered(type.getElementType()));
  ReadView next;
  next.pointer = address(scalar(op.getBase()), element, scalar(op.getOffset()));
  scalars = saved;
  return emitted ? std::optional(next) : std::nullopt;
}

const std::optional<ReadView> &Lowering::nextRow(sg::LoadOp op) {
  auto [it, isNew] = nextRows.try_emplace(op);
  if (isNew)
    it->second = findNextRow(op);
  return it->second;
}

/// Asks for memory ahead where a vector of a row is read: for what follows
/// `pointer`, where the vector is, in the first nest that reads the row, and
/// for the same vector of the next row in the second by the last operation that
/// reads it, also where that finds the row in the scratch area.
void Lowering::prefetch(sg::LoadOp op, Value pointer, const Tile &tile) {
  Value base = op.getBase(), ahead;
  if (firstNest.try_emplace(base, nests).first->second == nests) {
    if (prefetchesOnlyNext || !pointer)
      return;
    ahead = LLVM::GEPOp::create(builder, loc, pointer.getType(),
                                builder.getI8Type(), pointer,
                                ArrayRef<LLVM::GEPArg>{kBytesAhead});
  } else {
    // The last one has the longest time for it.
    if (isReadLater(op) ||
        secondNest.try_emplace(base, nests).first->second != nests)
      return;
    const std::optional<ReadView> &next = nextRow(op);
    if (!next)
      return;
    Type element =
        memoryType(lowered(getElementTypeOrSelf(op.getResult().getType())));
    ahead = address(next->pointer, element, tile.coordinates[0].start);
  }
  LLVM::Prefetch::create(builder, loc, ahead, /*rw=*/0, /*hint=*/3,
                         /*cache=*/1);
}

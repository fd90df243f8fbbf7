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
// What is asked for may hold up the reads that are on their way to the first
// cache. On such a machine it is asked for into the second one (the target
// description's "reads_ahead": "second-level").
//
// To ask for memory that is not there is no error.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// How far ahead of a row's first reads it pays to ask, into the first cache.
static constexpr int32_t kBytesAhead = 2048;
// The part of the second level that a row may take that is asked for while
// another one is in use.
static constexpr int64_t kPartOfSecondLevel = 4;
// The part of the first level that a row may take to be asked for into it.
static constexpr int64_t kPartOfFirstLevel = 8;
// More operations than this are not worth computing an address twice.
static constexpr size_t kMostOperations = 16;

/// How far ahead it pays to ask into the second cache where `bits` are read at
/// once: docs/row-kernels.md has the measurements.
static int32_t bytesAheadInSecond(Type element, int64_t bits) {
  if (bits >= kLineBits)
    return 4096;
  return element.getIntOrFloatBitWidth() >= 32 ? 2048 : 6144;
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

/// What takes the elements that `op` reads, or what is computed of them one by
/// one: stores, reductions, the ends of loops. `computes` becomes true where
/// there is a mathematical function on the way.
static llvm::SetVector<Operation *> consumersOf(sg::LoadOp op,
                                                bool *computes = nullptr) {
  llvm::SetVector<Operation *> found;
  llvm::SetVector<Value> blocks;
  blocks.insert(op.getResult());
  for (size_t at = 0; at < blocks.size(); ++at)
    for (Operation *user : blocks[at].getUsers()) {
      if (!isLazy(user)) {
        found.insert(user);
        continue;
      }
      blocks.insert_range(user->getResults());
      if (computes && isa<math::MathDialect>(user->getDialect()))
        *computes = true;
    }
  return found;
}

SmallVector<sg::LoadOp> vectorize::otherReads(sg::LoadOp op) {
  SmallVector<sg::LoadOp> reads;
  for (Operation *user : op.getBase().getUsers())
    if (auto read = dyn_cast<sg::LoadOp>(user))
      if (read != op && isBlock(read.getResult()) &&
          !insideMutuallyExclusiveRegions(read, op))
        reads.push_back(read);
  return reads;
}

/// Returns true if another operation reads from the same place as `op`, and
/// does so later; if `andReduced`, one of which not all is stored right away.
static bool isReadLater(sg::LoadOp op, bool andReduced) {
  return llvm::any_of(otherReads(op), [&](sg::LoadOp user) {
    if (andReduced && llvm::all_of(consumersOf(user), [](Operation *consumer) {
          return isa<sg::StoreOp>(consumer);
        }))
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

static int64_t rowBits(sg::LoadOp op) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  return type.getNumElements() * type.getElementTypeBitWidth();
}

/// Returns true if the row of `op` leaves little room in the first level.
static bool isLong(sg::LoadOp op, int64_t l1Bytes) {
  auto loop = op->getParentOfType<scf::ForOp>();
  return rowBits(op) > l1Bytes * 8 / kPartOfFirstLevel ||
         (loop && goesAlongRow(op, loop));
}

/// How the program after this one, or the next iteration of the loop around
/// `op`, has the row that `op` reads; nothing if that is not known.
std::optional<NextRow> Lowering::deriveNextRow(sg::LoadOp op) const {
  if (!op.getIndices().empty() ||
      rowBits(op) > machine.l2Bytes * 8 / kPartOfSecondLevel)
    return std::nullopt;
  NextRow row;
  row.loop = op->getParentOfType<scf::ForOp>();
  row.isPart = row.loop && goesAlongRow(op, row.loop);
  // Of what another loop's next iteration stores most is in a cache already.
  if (row.loop && !row.isPart && prefetchesOnlyNext)
    return std::nullopt;
  auto isCounter = [&](Value value) {
    return row.loop && value == row.loop.getInductionVar();
  };
  auto isMoved = [&](Value value) {
    if (row.loop && !row.isPart)
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
  row.dependents = *dependents;
  SetVector<Value> sources;
  for (Operation *dependent : row.dependents)
    for (Value operand : dependent->getOperands())
      if (isSource(operand))
        sources.insert(operand);
  llvm::copy_if(sources, std::back_inserter(row.moved), isMoved);
  for (Value value : own)
    if (isSource(value))
      sources.insert(value);
  row.sources = sources.takeVector();
  return row.moved.empty() ? std::nullopt : std::optional(row);
}

/// Computes where `row` begins; null if that is not possible here.
Value Lowering::emitNextRow(sg::LoadOp op, const NextRow &row) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  IRMapping saved = scalars;
  Value step =
      arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(1));
  if (row.isPart) {
    // The row is as long as its loop; one that is too long is not asked for.
    scf::ForOp loop = row.loop;
    Value length =
        arith::SubIOp::create(builder, loc, asI64(scalar(loop.getUpperBound())),
                              asI64(scalar(loop.getLowerBound())));
    int64_t most = machine.l2Bytes * 8 / kPartOfSecondLevel /
                   type.getElementTypeBitWidth();
    Value fits = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle,
                                       length, constant(most));
    step = arith::ExtUIOp::create(builder, loc, builder.getI32Type(), fits);
    if (machine.rowsToSecondLevel) {
      // The part that the next iteration takes.
      Value counter = scalar(loop.getInductionVar()),
            further = scalar(loop.getStep());
      further = arith::AddIOp::create(builder, loc, counter, further);
      further = arith::SelectOp::create(builder, loc, fits, counter, further);
      scalars.map(loop.getInductionVar(), further);
    }
  } else if (scf::ForOp loop = row.loop) {
    step = scalar(loop.getStep());
  }
  for (Value source : row.moved)
    scalars.map(source,
                arith::AddIOp::create(builder, loc, scalar(source), step));
  bool emitted = true;
  for (Operation *dependent : row.dependents)
    emitted &= succeeded(emitScalar(dependent));
  Type element = memoryType(lowered(type.getElementType()));
  Value pointer =
      address(scalar(op.getBase()), element, scalar(op.getOffset()));
  scalars = saved;
  return emitted ? pointer : Value();
}

/// Where the row after the one of `op` begins, computed before the nest.
std::optional<ReadView> Lowering::findNextRow(sg::LoadOp op) {
  std::optional<NextRow> row = deriveNextRow(op);
  // Not where the loop over rows is one of the nest itself.
  Region *outside = points.front().getBlock()->getParent();
  if (!row || llvm::any_of(row->sources, [&](Value source) {
        return !scalar(source).getParentRegion()->isAncestor(outside);
      }))
    return std::nullopt;
  DepthScope scope(*this, 0);
  ReadView next;
  next.pointer = emitNextRow(op, *row);
  return next.pointer ? std::optional(next) : std::nullopt;
}

const std::optional<ReadView> &Lowering::nextRow(sg::LoadOp op) {
  auto [it, isNew] = nextRows.try_emplace(op);
  if (isNew)
    it->second = findNextRow(op);
  return it->second;
}

/// What the nest that reads a row by `op` asks for, on a machine that is best
/// asked for the next row while nothing is written past the caches, in the
/// nest with the longest time for it among those that store nothing. A row that
/// is read once is asked for some lines ahead.
Lowering::Asking Lowering::asksFor(sg::LoadOp op,
                                   const std::optional<NextRow> &next) const {
  bool isFirst = asked.firstNest.lookup(op.getBase()) == nests;
  bool again = !otherReads(op).empty(), reducedLater = false;
  for (Operation *consumer : consumersOf(op)) {
    bool reduces = isa<sg::ReduceOp>(consumer);
    reducedLater |= reduces && !reduced.contains(consumer);
    again |= isa<sg::StoreOp>(consumer) || (reduces && !isFirst);
  }
  // Rows that several iterations take side by side are asked for whole.
  again |= reducedLater || prefetchesOnlyNext;
  // A short row is asked for by the pass that stores, if that is the second.
  if (!again || !next ||
      (isFirst && !reducedLater && !isLong(op, machine.l1Bytes)))
    return Asking::Ahead;
  // A long row is read from the second level, and asked for from there.
  if (reducedLater || isReadLater(op, /*andReduced=*/true))
    return next->isPart ? Asking::Ahead : Asking::None;
  return Asking::NextRow;
}

/// The address to ask for at `pointer`, `bytesAhead` of it, or where a block in
/// memory has what `op` read; null if there is none.
Value Lowering::askedFor(sg::LoadOp op, Value pointer, const Tile &tile,
                         int32_t bytesAhead) {
  Value base = op.getBase();
  Type element =
      memoryType(lowered(getElementTypeOrSelf(op.getResult().getType())));
  // A nest that asks for the next row only leaves it to another to be first.
  bool isFirst =
      prefetchesOnlyNext && !storesRow
          ? asked.firstNest.lookup(base) == nests
          : asked.firstNest.try_emplace(base, nests).first->second == nests;
  Asking asking = isFirst ? Asking::Ahead : Asking::NextRow;
  if (machine.rowsToSecondLevel && !storesRow) {
    std::optional<NextRow> row = deriveNextRow(op);
    asking = asksFor(op, row);
    if (asking == Asking::NextRow) {
      Region *here = builder.getInsertionBlock()->getParent();
      bool known = llvm::all_of(row->sources, [&](Value source) {
        return scalar(source).getParentRegion()->isAncestor(here);
      });
      Value next = known ? emitNextRow(op, *row) : Value();
      if (!next)
        return {};
      asked.nextAsked.insert(base);
      return address(next, element, tile.coordinates[0].start);
    }
  } else if (asking == Asking::NextRow) {
    // The last one has the longest time for it.
    if (asked.nextAsked.contains(base) ||
        isReadLater(op, /*andReduced=*/false) ||
        asked.secondNest.try_emplace(base, nests).first->second != nests)
      return {};
    const std::optional<ReadView> &next = nextRow(op);
    return next ? address(next->pointer, element, tile.coordinates[0].start)
                : Value();
  }
  if (asking == Asking::None || !isFirst || prefetchesOnlyNext || !pointer)
    return {};
  return LLVM::GEPOp::create(builder, loc, pointer.getType(),
                             builder.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{bytesAhead});
}

/// Asks for memory ahead where a vector of a row is read: for what follows
/// `pointer`, where the vector is, in the first nest that reads the row, and
/// for the same vector of the next row in the second by the last operation that
/// reads it, also where that finds the row in the scratch area. Where the next
/// row is best asked for while nothing is stored, `asksFor` tells what for.
void Lowering::prefetch(sg::LoadOp op, Value pointer, const Tile &tile) {
  Type element =
      memoryType(lowered(getElementTypeOrSelf(op.getResult().getType())));
  if (tile.width.scalable || !element.isIntOrFloat())
    return;
  // Once for each line that the vectors of an iteration take.
  int64_t bits = tile.width.lanes * element.getIntOrFloatBitWidth();
  if (*prefetches * bits % kLineBits != 0)
    return;
  bool inSecond = machine.rowsToSecondLevel;
  Value ahead =
      askedFor(op, pointer, tile,
               inSecond ? bytesAheadInSecond(element, bits) : kBytesAhead);
  if (!ahead)
    return;
  // A long row would take the place of this one in the first level, and waits
  // for its way there unless much is computed meanwhile.
  if (storesRow || asked.nextAsked.contains(op.getBase())) {
    bool computes = false;
    consumersOf(op, &computes);
    inSecond =
        machine.rowsToSecondLevel && !computes && isLong(op, machine.l1Bytes);
  }
  LLVM::Prefetch::create(builder, loc, ahead, /*rw=*/0,
                         /*hint=*/inSecond ? 2 : 3, /*cache=*/1);
}

//===- Placement.cpp - where buffers lie in the scratch area --------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A buffer is alive from the first to the last operation that uses it, taken in
// the innermost block that holds all of its uses: what happens in a loop in
// between happens while it is alive. A buffer whose uses are all inside of a
// loop and which is read before it is written hands something to the next
// iteration, and is alive for the whole loop.
//
//===----------------------------------------------------------------------===//

#include "Placement.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

static constexpr int64_t kAlignment = 64;

namespace {

struct Interval {
  unsigned first = 0, last = ~0u;

  bool meets(const Interval &other) const {
    return first <= other.last && other.first <= last;
  }
};

class Liveness {
public:
  explicit Liveness(func::FuncOp program) : program(program) {
    unsigned next = 0;
    number(program, next);
    DenseSet<Block *> seen;
    for (Block &block : program.getBody()) {
      seen.insert(&block);
      for (Block *successor : block.getSuccessors())
        goesBack |= seen.contains(successor);
    }
  }

  Interval of(Value pointer) const {
    SmallVector<Operation *> uses;
    if (goesBack || !collectUses(pointer, uses))
      return {};
    if (uses.empty())
      return {0, 0};
    Operation *earliest = uses.front(), *first = earliest, *last = earliest;
    for (Operation *use : uses) {
      if (begin.lookup(use) < begin.lookup(earliest))
        earliest = use;
      if (!meetInOneBlock(first, last, use))
        return {};
    }
    // A call copies to its first operand.
    auto call = dyn_cast<LLVM::CallOp>(earliest);
    bool isWrite = isa<LLVM::StoreOp, LLVM::MaskedStoreOp>(earliest) ||
                   (call && call.getOperand(0) == pointer);
    bool handsOn = !isWrite;
    if (handsOn)
      for (Operation *parent = first->getParentOp(); parent != program;
           parent = parent->getParentOp())
        if (isa<LoopLikeOpInterface>(parent))
          first = last = parent;
    return {begin.lookup(first), end.lookup(last)};
  }

private:
  /// Numbers operations so that those inside of one lie between its ends.
  void number(Operation *op, unsigned &next) {
    begin[op] = next++;
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Operation &inner : block)
          number(&inner, next);
    end[op] = next++;
  }

  /// The accesses through `pointer` and through what is computed from it; false
  /// where it goes to a place that cannot be followed.
  bool collectUses(Value pointer, SmallVectorImpl<Operation *> &uses) const {
    SmallVector<Value> todo{pointer};
    DenseSet<Operation *> seen;
    while (!todo.empty())
      for (Operation *user : todo.pop_back_val().getUsers()) {
        if (!seen.insert(user).second)
          continue;
        if (user->hasTrait<OpTrait::IsTerminator>() ||
            user->getNumRegions() != 0)
          return false;
        if (isMemoryEffectFree(user))
          llvm::append_range(todo, user->getResults());
        else
          uses.push_back(user);
      }
    return true;
  }

  /// Widens `first` and `last`, two operations of one block, so that `use` lies
  /// between them; false where no block holds all three.
  bool meetInOneBlock(Operation *&first, Operation *&last,
                      Operation *use) const {
    while (true) {
      if (Operation *ancestor =
              first->getBlock()->findAncestorOpInBlock(*use)) {
        if (begin.lookup(ancestor) < begin.lookup(first))
          first = ancestor;
        if (begin.lookup(ancestor) > begin.lookup(last))
          last = ancestor;
        return true;
      }
      first = last = first->getParentOp();
      if (first == program)
        return false;
    }
  }

  func::FuncOp program;
  DenseMap<Operation *, unsigned> begin, end;
  /// True where a block jumps to an earlier one, so that order means nothing.
  bool goesBack = false;
};

struct Placed {
  Interval alive;
  int64_t from, to;
};

} // namespace

/// The lowest offset from which `bytes` meet nothing that is alive then.
static int64_t findRoom(ArrayRef<Placed> placed, const Interval &alive,
                        int64_t bytes, int64_t reserved) {
  SmallVector<std::pair<int64_t, int64_t>> taken;
  for (const Placed &other : placed)
    if (other.alive.meets(alive))
      taken.push_back({other.from, other.to});
  llvm::sort(taken);
  int64_t offset = reserved;
  for (auto [from, to] : taken) {
    if (offset + bytes <= from)
      break;
    offset = std::max(offset, to);
  }
  return offset;
}

void vectorize::placeBuffers(func::FuncOp program,
                             ArrayRef<Allocation> allocations,
                             int64_t reserved) {
  Builder builder(program.getContext());
  Liveness liveness(program);
  SmallVector<Placed> placed;
  int64_t cleared = reserved;
  auto place = [](Allocation allocation, int64_t offset) {
    allocation.pointer.setRawConstantIndices({static_cast<int32_t>(offset)});
  };
  for (Allocation allocation : allocations) {
    if (allocation.lifetime != Lifetime::clearedForRange)
      continue;
    place(allocation, cleared);
    cleared += llvm::alignTo(allocation.bytes, kAlignment);
  }
  int64_t needed = cleared;
  for (Allocation allocation : allocations) {
    if (allocation.lifetime == Lifetime::clearedForRange)
      continue;
    Interval alive = allocation.lifetime == Lifetime::range
                         ? Interval()
                         : liveness.of(allocation.pointer);
    int64_t bytes = llvm::alignTo(allocation.bytes, kAlignment);
    int64_t offset = findRoom(placed, alive, bytes, cleared);
    placed.push_back({alive, offset, offset + bytes});
    needed = std::max(needed, offset + bytes);
    place(allocation, offset);
  }
  program->setAttr("sg.scratch_bytes", builder.getI64IntegerAttr(needed));
  if (cleared != reserved)
    program->setAttr("sg.scratch_cleared",
                     builder.getDenseI64ArrayAttr({reserved, cleared}));
}

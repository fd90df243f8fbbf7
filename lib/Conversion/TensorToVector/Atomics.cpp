//===- Atomics.cpp - updates of memory that other threads update too ------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An update is atomic with respect to the threads of its device, unless its
// scope is the whole system. A locked instruction takes some ten times as long
// as a read and a write, so the launcher says by a byte of the kernel's image,
// `<kernel>.alone`, that no other thread of the device updates memory while the
// kernel runs. Updates of blocks have two forms, with locks and without
// (docs/atomics.md).
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Elements of scattered updates that are done one after the other at most
// before the next look at the mask.
static constexpr int64_t kMostInARow = 8;

static bool isAtomic(Operation *op) {
  return isa<sg::AtomicRMWOp, sg::AtomicCASOp, tt::AtomicRMWOp,
             tt::AtomicCASOp>(op);
}

/// Returns true for an update that has a form without a lock.
static bool mayBePlain(Operation *op) {
  if (auto update = dyn_cast<sg::AtomicRMWOp>(op))
    return !update.getInSystem();
  auto update = dyn_cast<tt::AtomicRMWOp>(op);
  return update && update.getScope() != tt::MemSyncScope::System;
}

static bool contains(Operation *root, function_ref<bool(Operation *)> wanted) {
  return root
      ->walk([&](Operation *op) {
        return wanted(op) ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

//===----------------------------------------------------------------------===//
// What the launcher is told, and tells
//===----------------------------------------------------------------------===//

/// Returns true if programs of `kernel` may wait for something: while they do,
/// another kernel must be free to run.
static bool mayWait(func::FuncOp kernel) {
  for (Block &block : kernel.getBody())
    for (Block *next : block.getSuccessors())
      if (next->computeBlockNumber() <= block.computeBlockNumber())
        return true;
  return contains(kernel, [](Operation *op) {
    return isa<scf::WhileOp, tt::ElementwiseInlineAsmOp, CallOpInterface>(op);
  });
}

/// A byte that the kernel's image exports, zero at first.
static void exportByte(OpBuilder &builder, Location loc, ModuleOp module,
                       const Twine &name) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  auto byte = LLVM::GlobalOp::create(
      builder, loc, builder.getI8Type(), /*isConstant=*/false,
      LLVM::Linkage::External, name.str(), builder.getI8IntegerAttr(0));
  byte.setVisibility_(LLVM::Visibility::Protected);
  byte.setDsoLocal(true);
}

void Lowering::exportAtomics() {
  auto module = kernel->getParentOfType<ModuleOp>();
  if (!contains(module, isAtomic))
    return;
  exportByte(builder, loc, module, kernel.getName() + ".atomics");
  if (!contains(kernel, mayBePlain))
    return;
  if (mayWait(kernel)) {
    noteDecision(kernel, "atomics", "with locks: the kernel may wait");
    return;
  }
  std::string name = (kernel.getName() + ".alone").str();
  exportByte(builder, loc, module, name);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&program.front());
  Value place =
      LLVM::AddressOfOp::create(builder, loc, scratch.getType(), name);
  Value byte = LLVM::LoadOp::create(builder, loc, builder.getI8Type(), place);
  alone = arith::TruncIOp::create(builder, loc, builder.getI1Type(), byte);
}

//===----------------------------------------------------------------------===//
// One update
//===----------------------------------------------------------------------===//

static LLVM::AtomicOrdering orderingOf(StringRef name) {
  return llvm::StringSwitch<LLVM::AtomicOrdering>(name)
      .Case("relaxed", LLVM::AtomicOrdering::monotonic)
      .Case("acquire", LLVM::AtomicOrdering::acquire)
      .Case("release", LLVM::AtomicOrdering::release)
      .Default(LLVM::AtomicOrdering::acq_rel);
}

static LLVM::AtomicBinOp binOpOf(StringRef kind, Type type) {
  bool isFloat = isa<FloatType>(type);
  using Op = LLVM::AtomicBinOp;
  return llvm::StringSwitch<Op>(kind)
      .Case("add", isFloat ? Op::fadd : Op::add)
      .Case("fadd", Op::fadd)
      .Case("and", Op::_and)
      .Case("or", Op::_or)
      .Case("xor", Op::_xor)
      .Case("max", isFloat ? Op::fmax : Op::max)
      .Case("min", isFloat ? Op::fmin : Op::min)
      .Case("umax", Op::umax)
      .Case("umin", Op::umin)
      .Case("fmax", Op::fmax)
      .Case("fmin", Op::fmin)
      .Default(Op::xchg);
}

/// Combines two values, or vectors of them, as an atomic update does.
static Value updated(OpBuilder &builder, Location loc, LLVM::AtomicBinOp op,
                     Value old, Value value) {
  switch (op) {
  case LLVM::AtomicBinOp::fadd:
    return arith::AddFOp::create(builder, loc, old, value);
  case LLVM::AtomicBinOp::fmax:
    return arith::MaxNumFOp::create(builder, loc, old, value);
  case LLVM::AtomicBinOp::fmin:
    return arith::MinNumFOp::create(builder, loc, old, value);
  case LLVM::AtomicBinOp::add:
    return arith::AddIOp::create(builder, loc, old, value);
  case LLVM::AtomicBinOp::_and:
    return arith::AndIOp::create(builder, loc, old, value);
  case LLVM::AtomicBinOp::_or:
    return arith::OrIOp::create(builder, loc, old, value);
  case LLVM::AtomicBinOp::_xor:
    return arith::XOrIOp::create(builder, loc, old, value);
  case LLVM::AtomicBinOp::max:
    return arith::MaxSIOp::create(builder, loc, old, value);
  case LLVM::AtomicBinOp::min:
    return arith::MinSIOp::create(builder, loc, old, value);
  case LLVM::AtomicBinOp::umax:
    return arith::MaxUIOp::create(builder, loc, old, value);
  case LLVM::AtomicBinOp::umin:
    return arith::MinUIOp::create(builder, loc, old, value);
  default:
    return value;
  }
}

/// Updates of narrow floats: a loop around a swap of their bits, since code
/// generators would call a library to convert them.
Value Lowering::atomicNarrowUpdate(LLVM::AtomicBinOp op, StringRef ordering,
                                   Value pointer, Value value) {
  Type element = value.getType(), bits = memoryType(element);
  Value start = LLVM::LoadOp::create(builder, loc, bits, pointer);
  auto loop = scf::WhileOp::create(
      builder, loc, TypeRange{bits}, ValueRange{start},
      [&](OpBuilder &, Location, ValueRange state) {
        Value old = state.front();
        Value next = toMemory(
            updated(builder, loc, op, fromMemory(old, element), value));
        Value seen = atomicSwap(ordering, pointer, old, next);
        Value again = arith::CmpIOp::create(
            builder, loc, arith::CmpIPredicate::ne, seen, old);
        scf::ConditionOp::create(builder, loc, again, seen);
      },
      [&](OpBuilder &, Location, ValueRange state) {
        scf::YieldOp::create(builder, loc, state);
      });
  return fromMemory(loop.getResult(0), element);
}

Value Lowering::atomicUpdate(StringRef kind, StringRef ordering, Value pointer,
                             Value value) {
  LLVM::AtomicBinOp op = binOpOf(kind, value.getType());
  if (memoryType(value.getType()) != value.getType())
    return atomicNarrowUpdate(op, ordering, pointer, value);
  return LLVM::AtomicRMWOp::create(builder, loc, op, pointer, value,
                                   orderingOf(ordering));
}

/// An update of one element, or of as many in a row as `value` has lanes, that
/// no other thread can come between.
Value Lowering::plainUpdate(StringRef kind, Value pointer, Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  unsigned bytes = std::max(1u, element.getIntOrFloatBitWidth() / 8);
  Value old =
      fromMemory(LLVM::LoadOp::create(builder, loc, toMemory(value).getType(),
                                      pointer, bytes),
                 element);
  Value next = updated(builder, loc, binOpOf(kind, element), old, value);
  LLVM::StoreOp::create(builder, loc, toMemory(next), pointer, bytes);
  return old;
}

/// An update where the kernel is told nothing by a mask.
Value Lowering::scalarUpdate(StringRef kind, StringRef ordering, Value pointer,
                             Value value, bool inSystem) {
  if (inSystem || !alone)
    return atomicUpdate(kind, ordering, pointer, value);
  auto branch = scf::IfOp::create(builder, loc, value.getType(), alone,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(builder, loc, plainUpdate(kind, pointer, value));
  builder.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder, loc,
                       atomicUpdate(kind, ordering, pointer, value));
  return branch.getResult(0);
}

/// A compare-and-swap; floats are compared by their bits, as hardware does.
Value Lowering::atomicSwap(StringRef ordering, Value pointer, Value compare,
                           Value value) {
  Type type = value.getType();
  bool isFloat = isa<FloatType>(type);
  if (isFloat) {
    Type bits = builder.getIntegerType(type.getIntOrFloatBitWidth());
    compare = arith::BitcastOp::create(builder, loc, bits, compare);
    value = arith::BitcastOp::create(builder, loc, bits, value);
  }
  LLVM::AtomicOrdering success = orderingOf(ordering);
  LLVM::AtomicOrdering failure =
      success == LLVM::AtomicOrdering::acquire ||
              success == LLVM::AtomicOrdering::acq_rel
          ? LLVM::AtomicOrdering::acquire
          : LLVM::AtomicOrdering::monotonic;
  Value pair = LLVM::AtomicCmpXchgOp::create(builder, loc, pointer, compare,
                                             value, success, failure);
  Value old = LLVM::ExtractValueOp::create(builder, loc, pair, 0);
  return isFloat ? arith::BitcastOp::create(builder, loc, type, old).getResult()
                 : old;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// One atomic operation for each lane, in row-major order.
void Lowering::emitLocked(Operation *op, const Buffer *old) {
  auto update = dyn_cast<sg::AtomicRMWOp>(op);
  auto swap = dyn_cast<sg::AtomicCASOp>(op);
  Value value = update ? update.getValue() : swap.getValue();
  Value base = update ? update.getBase() : swap.getBase();
  Value offsets = update ? update.getOffsets() : swap.getOffsets();
  bool inBytes = update ? update.getByteOffsets() : swap.getByteOffsets();
  Type element = lowered(typeOf(value).getElementType());
  forEachTile(typeOf(value).getShape(), -1, 1, {}, {}, [&](const Tile &tile) {
    Value operand = evaluate(value, tile).value;
    Value compare = swap ? evaluate(swap.getCmp(), tile).value : Value();
    Value mask = update && update.getMask()
                     ? evaluate(update.getMask(), tile).value
                     : Value();
    Value pointer = explicitAddress(base, offsets, inBytes, element, tile);
    builder.restoreInsertionPoint(points.back());
    Value before = guarded(mask, element, [&] {
      return update ? atomicUpdate(update.getKind(), update.getOrdering(),
                                   pointer, operand)
                    : atomicSwap(swap.getOrdering(), pointer, compare, operand);
    });
    if (old)
      writeBuffer(*old, tile, before);
  });
}

/// The update of one element without a lock, with `masked` where the mask
/// holds: elsewhere a place in the scratch area is updated instead, since a
/// branch that nobody foresees takes longer.
void Lowering::emitPlainElement(sg::AtomicRMWOp op, const Tile &tile,
                                const Buffer *old, bool masked) {
  Type element = lowered(typeOf(op.getValue()).getElementType());
  Value operand = evaluate(op.getValue(), tile).value;
  Value mask = masked ? evaluate(op.getMask(), tile).value : Value();
  Value pointer = explicitAddress(op.getBase(), op.getOffsets(),
                                  op.getByteOffsets(), element, tile);
  builder.restoreInsertionPoint(points.back());
  if (mask) {
    // Several, so that none waits for the one before it.
    Buffer spare = allocateBytes(kMostInARow, element);
    int64_t dim = std::max<int64_t>(0, chooseVectorDim(op.getValue()));
    Value number = arith::AndIOp::create(
        builder, loc, tile.coordinates[dim].start, constant(kMostInARow - 1));
    pointer = LLVM::SelectOp::create(builder, loc, mask, pointer,
                                     address(spare.pointer, element, number));
  }
  Value before = plainUpdate(op.getKind(), pointer, operand);
  if (old)
    writeBuffer(*old, tile, before);
}

/// Returns true if elements of `index` that follow one another do so as well in
/// memory, unless a sum is too large for its type.
static bool countsUp(Value index) {
  Operation *op = index.getDefiningOp();
  if (!op || isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
                 arith::ShRSIOp, arith::ShRUIOp>(op))
    return false;
  return llvm::all_of(op->getOperands(), [](Value operand) {
    return !isBlock(operand) || !operand.getDefiningOp() ||
           isa<sg::LoadOp, sg::GatherOp, tensor::EmptyOp>(
               operand.getDefiningOp()) ||
           countsUp(operand);
  });
}

/// A bit: whether some lane holds of those of which `all` says whether all do.
/// True where that is not a vector.
static Value someOf(OpBuilder &builder, Location loc, Value all) {
  if (auto conjunction = all.getDefiningOp<vector::ReductionOp>())
    return vector::ReductionOp::create(builder, loc, vector::CombiningKind::OR,
                                       conjunction.getVector());
  return arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
}

/// Runs `body` for each element of `tile` one after the other, all in a row
/// where `all` holds, or is null, elsewhere in a loop and with `checks` set.
void Lowering::oneByOne(
    const Tile &tile, Value all,
    function_ref<void(const Tile &element, bool checks)> body) {
  int64_t dim = tile.vectorDim;
  auto elementAt = [&](Value lane) {
    Tile single = tile;
    single.vectorDim = -1;
    single.width = 1;
    Value position = builder.createOrFold<arith::AddIOp>(
        loc, tile.coordinates[dim].start, lane);
    single.coordinates[dim] = {position, depth(), -1};
    return single;
  };
  scf::IfOp branch;
  if (all)
    branch = openBranch(all, {});
  for (int64_t lane = 0; lane < tile.width.lanes; ++lane)
    body(elementAt(constant(lane)), /*checks=*/false);
  if (!all)
    return;
  openOtherBranch(branch);
  scf::IfOp some =
      openBranch(someOf(builder, loc, all), {}, /*otherwise=*/false);
  Value lane = openLoop(constant(0), laneCount(tile.width), 1);
  body(elementAt(lane), /*checks=*/true);
  closeLoop();
  closeBranch(some);
  closeBranch(branch);
}

/// A bit: whether all lanes hold.
Value Lowering::allOf(Lanes lanes) {
  if (lanes.uniform)
    return lanes.value;
  return vector::ReductionOp::create(builder, loc, vector::CombiningKind::AND,
                                     lanes.value);
}

/// A bit: whether the offsets of `op` follow one another in `tile`; also the
/// first of them.
std::pair<Value, Value> Lowering::isInARow(sg::AtomicRMWOp op,
                                           const Tile &tile) {
  using Relation = arith::CmpIPredicate;
  Value offsets = op.getOffsets();
  int64_t dim = tile.vectorDim;
  if (!countsUp(offsets)) {
    Value positions = spread(evaluate(offsets, tile), tile);
    builder.restoreInsertionPoint(points.back());
    Value first =
        vector::ExtractOp::create(builder, loc, positions, int64_t(0));
    Value wanted = arith::AddIOp::create(builder, loc, vectorOf(first, tile),
                                         step(first.getType(), tile.width));
    Value same =
        arith::CmpIOp::create(builder, loc, Relation::eq, positions, wanted);
    return {allOf({same, false}), asI64(first)};
  }
  // The ends show it.
  Value last = lastPosition(tile.width);
  Tile end = tile;
  end.vectorDim = -1;
  end.width = 1;
  Value first = evaluate(offsets, end).value;
  builder.restoreInsertionPoint(points.back());
  end.coordinates[dim] = {builder.createOrFold<arith::AddIOp>(
                              loc, tile.coordinates[dim].start, last),
                          depth(), -1};
  Value back = evaluate(offsets, end).value;
  builder.restoreInsertionPoint(points.back());
  first = asI64(first);
  Value distance = builder.createOrFold<arith::SubIOp>(loc, asI64(back), first);
  return {arith::CmpIOp::create(builder, loc, Relation::eq, distance, last),
          first};
}

/// The updates of one vector of elements without locks, which lie side by side
/// mostly.
void Lowering::emitPlainVector(sg::AtomicRMWOp op, const Tile &tile,
                               const Buffer *old) {
  Lanes mask;
  if (op.getMask())
    mask = evaluate(op.getMask(), tile);
  auto [inARow, first] = isInARow(op, tile);
  Value straight = inARow, all;
  if (op.getMask()) {
    all = allOf(mask);
    straight = arith::AndIOp::create(builder, loc, inARow, all);
  }
  scf::IfOp branch = openBranch(straight, {});
  // What belongs to it is emitted on this side.
  Tile inside = tile;
  Coordinate &coordinate = inside.coordinates[tile.vectorDim];
  coordinate.depth = depth();
  Value operand = spread(evaluate(op.getValue(), inside), inside);
  builder.restoreInsertionPoint(points.back());
  Type element = lowered(typeOf(op.getValue()).getElementType());
  Value pointer = address(scalar(op.getBase()), element, first);
  Value before = plainUpdate(op.getKind(), pointer, operand);
  if (old)
    writeBuffer(*old, inside, before);
  openOtherBranch(branch);
  scf::IfOp some;
  if (all)
    some = openBranch(someOf(builder, loc, all), {}, /*otherwise=*/false);
  Value lane = openLoop(constant(0), laneCount(tile.width), 1);
  inside.vectorDim = -1;
  inside.width = 1;
  coordinate = {arith::AddIOp::create(builder, loc, coordinate.start, lane),
                depth(), -1};
  emitPlainElement(op, inside, old, bool(op.getMask()));
  closeLoop();
  if (all)
    closeBranch(some);
  closeBranch(branch);
}

/// The updates of a block while no other thread of the device updates memory.
void Lowering::emitPlain(sg::AtomicRMWOp op, const Buffer *old) {
  RankedTensorType type = typeOf(op.getValue());
  Type element = lowered(type.getElementType());
  int64_t dim = chooseVectorDim(op.getValue());
  if (dim < 0) {
    forEachTile(type.getShape(), -1, 1, {}, {}, [&](const Tile &tile) {
      emitPlainElement(op, tile, old, bool(op.getMask()));
    });
    return;
  }
  bool vectors = !op.getByteOffsets() &&
                 element.getIntOrFloatBitWidth() >= 16 &&
                 isMostlyConsecutive(op.getOffsets(), dim);
  int64_t size = type.getDimSize(dim);
  SmallVector<Value> readers = {op.getOffsets(), op.getValue()};
  if (op.getMask())
    readers.push_back(op.getMask());
  Width width =
      vectors ? chooseWidth(element, size, readers) : fixedWidth(element, size);
  if (!vectors)
    width.lanes = std::min(width.lanes, kMostInARow);
  noteDecision(op, "atomics",
               vectors ? "without locks where no other launch updates memory: "
                         "as vectors where the addresses follow one another"
                       : "without locks where no other launch updates memory: "
                         "one element after the other");
  forEachTile(type.getShape(), dim, width, readers, {}, [&](const Tile &tile) {
    if (vectors)
      return emitPlainVector(op, tile, old);
    Value all;
    if (op.getMask()) {
      Lanes mask = evaluate(op.getMask(), tile);
      builder.restoreInsertionPoint(points.back());
      all = allOf(mask);
    }
    // They may meet at one address.
    oneByOne(tile, all, [&](const Tile &element, bool checks) {
      emitPlainElement(op, element, old, checks);
    });
  });
}

LogicalResult Lowering::emitAtomic(Operation *op) {
  Value result = op->getResult(0);
  auto type = typeOf(result);
  Buffer buffer;
  const Buffer *old = nullptr;
  if (!result.use_empty()) {
    buffer = allocate(
        RankedTensorType::get(type.getShape(), lowered(type.getElementType())));
    old = &buffer;
  }
  auto update = dyn_cast<sg::AtomicRMWOp>(op);
  if (alone && update && !update.getInSystem()) {
    auto branch =
        scf::IfOp::create(builder, loc, alone, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    emitPlain(update, old);
    builder.setInsertionPointToStart(branch.elseBlock());
    emitLocked(op, old);
  } else {
    emitLocked(op, old);
  }
  if (old)
    buffers[result] = buffer;
  return success();
}

/// `type`, or a vector of it where `value` is a vector.
static Type shapedLike(Value value, Type type) {
  auto vector = dyn_cast<VectorType>(value.getType());
  return vector ? vector.clone(type) : type;
}

LogicalResult Lowering::emitHistogram(sg::HistogramOp op) {
  RankedTensorType type = typeOf(op.getResult()),
                   inputType = typeOf(op.getInput());
  Type element = type.getElementType();
  Buffer counts = allocate(type);
  auto number = [&](Type type, int64_t value) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getIntegerAttr(type, value));
  };
  int64_t bins = type.getDimSize(0);
  forEachTile(type.getShape(), bins > 1 ? 0 : -1, fixedWidth(element, bins), {},
              {}, [&](const Tile &tile) {
                writeBuffer(counts, tile, vectorOf(number(element, 0), tile));
              });
  // A masked read of one element is a branch. The buffer is for this nest
  // alone: others may run where it does not.
  bool isBuffered = buffers.contains(op.getInput());
  bufferOf(op.getInput());
  int64_t size = inputType.getDimSize(0);
  Type index = inputType.getElementType();
  Width width = fixedWidth(index, size);
  width.lanes = std::min(width.lanes, kMostInARow);
  SmallVector<Value> readers = {op.getInput()};
  if (op.getMask())
    readers.push_back(op.getMask());
  auto known = [&](const Tile &tile) {
    Lanes value = evaluate(op.getInput(), tile), mask;
    if (op.getMask())
      mask = evaluate(op.getMask(), tile);
    builder.restoreInsertionPoint(points.back());
    Value lanes = spread(value, tile);
    if (index.getIntOrFloatBitWidth() < 32)
      lanes = arith::ExtSIOp::create(
          builder, loc, shapedLike(lanes, builder.getI32Type()), lanes);
    Type wide = getElementTypeOrSelf(lanes.getType());
    // As unsigned, so that one comparison rejects negative values too.
    Value holds =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, lanes,
                              vectorOf(number(wide, bins), tile));
    if (op.getMask())
      holds = arith::AndIOp::create(builder, loc, holds, spread(mask, tile));
    return holds;
  };
  forEachTile(inputType.getShape(), size > 1 ? 0 : -1, width, readers, {},
              [&](const Tile &tile) {
                auto count = [&](const Tile &single, bool checks) {
                  Value holds = checks ? known(single) : Value();
                  Value value = asI64(evaluate(op.getInput(), single).value);
                  builder.restoreInsertionPoint(points.back());
                  guarded(holds, {}, [&]() -> Value {
                    Value pointer = address(counts.pointer, element, value);
                    plainUpdate("add", pointer, number(element, 1));
                    return {};
                  });
                };
                if (tile.vectorDim < 0)
                  return count(tile, /*checks=*/true);
                Value holds = known(tile);
                oneByOne(tile, allOf({holds, false}), count);
              });
  if (!isBuffered)
    buffers.erase(op.getInput());
  buffers[op.getResult()] = counts;
  return success();
}

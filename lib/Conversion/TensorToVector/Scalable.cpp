//===- Scalable.cpp - vectors whose length is known at run time only
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A scalable tile covers `lanes` times `vscale` elements, where `vscale` is a
// power of two that the machine tells at run time, bounded by the description.
// Blocks have static shapes, and buffers in the scratch area no room to spare;
// so a nest takes scalable vectors only where the longest that there can be
// divides the block, and then every shorter one does too: no tile sticks out,
// and the only masks are the user's. A machine with several registers for one
// vector takes as many as still divide. Blocks that are too small, and what
// works on lanes at fixed places, take vectors of the least length, which every
// length of the machine holds.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

int64_t Machine::maxVscale() const {
  return scalableUnitBits ? scalableMaxBits / scalableUnitBits : 1;
}

Machine Machine::withFixedVectors() const {
  Machine fixed = *this;
  fixed.scalableUnitBits = 0;
  return fixed;
}

Width vectorize::widthOf(const Machine &machine, Type elementType,
                         int64_t size) {
  // Narrow elements are computed with in 32 bits, and lanes are counted by
  // what is computed.
  int64_t bits = std::max<int64_t>(elementType.getIntOrFloatBitWidth(), 32);
  for (int64_t group = machine.registerGroup; machine.scalableUnitBits && group;
       group /= 2) {
    int64_t lanes = machine.scalableUnitBits * group / bits;
    if (lanes && size % (lanes * machine.maxVscale()) == 0)
      return {lanes, true};
  }
  int64_t native = std::max<int64_t>(machine.vectorBits / bits, 1);
  return std::min<int64_t>(native,
                           llvm::bit_floor(static_cast<uint64_t>(size)));
}

/// Why `op` is not for scalable vectors; empty where it is.
static StringRef whyFixed(Operation *op) {
  if (isa<sg::ButterflyOp>(op))
    return "exchanges lanes at fixed distances";
  // LLVM 22 fails on these, or does not end.
  if (isa<arith::RemFOp, arith::MulSIExtendedOp, arith::MulUIExtendedOp>(op))
    return "is taken apart into elements, whose number must be known";
  return {};
}

/// Returns the operation that `value` is computed with, lane by lane, and that
/// needs to know how many lanes there are; null if there is none.
Operation *Lowering::findFixedLanes(Value value, DenseSet<Value> &seen) {
  if (buffers.contains(value) || !seen.insert(value).second)
    return nullptr;
  Operation *op = value.getDefiningOp();
  if (!op || !isBlock(value))
    return nullptr;
  if (!whyFixed(op).empty())
    return op;
  for (Value operand : op->getOperands())
    if (Operation *found = findFixedLanes(operand, seen))
      return found;
  return nullptr;
}

/// Returns true if `value` depends on a read that is the kernel's only one of
/// its memory, of consecutive elements of which `lanes` are a line, and nothing
/// else uses them.
static bool isOnlyRead(Value value, int64_t lanes) {
  Operation *op = value.getDefiningOp();
  if (!op || !isBlock(value) || !llvm::all_equal(value.getUsers()))
    return false;
  auto load = dyn_cast<sg::LoadOp>(op);
  if (!load)
    return op->hasTrait<OpTrait::Elementwise>() &&
           llvm::any_of(op->getOperands(), [&](Value operand) {
             return isOnlyRead(operand, lanes);
           });
  Type element = memoryType(getElementTypeOrSelf(value.getType()));
  return load.getStrides().size() == 1 &&
         isConstantIntValue(load.getStrides().front(), 1) &&
         element.isIntOrFloat() &&
         lanes * element.getIntOrFloatBitWidth() == kLineBits &&
         otherReads(load).empty();
}

/// Half of `width` where `readers` wait for memory that is best read so.
Width Lowering::streamedWidth(Width width, ValueRange readers) const {
  int64_t cost = 0;
  for (Value reader : readers)
    cost += plan.costOf(reader);
  if (!machine.streamsByHalves || width.lanes == 1 || cost > kStreamedCost ||
      llvm::none_of(readers, [&](Value reader) {
        return isOnlyRead(reader, width.lanes);
      }))
    return width;
  return width.lanes / 2;
}

Width Lowering::chooseWidth(Type elementType, int64_t size, ValueRange readers,
                            Block *combiner) {
  Width width = widthOf(machine, elementType, size);
  if (!width.scalable)
    return streamedWidth(width, readers);
  Operation *found = nullptr;
  DenseSet<Value> seen;
  for (Value reader : readers)
    if (!found)
      found = findFixedLanes(reader, seen);
  if (combiner && !found)
    for (Operation &op : combiner->without_terminator())
      if (!whyFixed(&op).empty())
        found = &op;
  if (!found)
    return width;
  found->emitRemark("not scalable: '")
      << found->getName().getStringRef() << "' " << whyFixed(found);
  return fixedWidth(elementType, size);
}

/// Returns true if evaluating `value` only moves elements.
bool Lowering::isMoved(Value value) {
  if (buffers.contains(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || isa<sg::LoadOp, tensor::SplatOp>(op))
    return op;
  return isa<linalg::TransposeOp, linalg::BroadcastOp, tensor::ExpandShapeOp,
             tensor::CollapseShapeOp>(op) &&
         isMoved(op->getOperand(0));
}

/// The width of vectors of a nest that writes `value`: narrow elements that are
/// only moved fill the register.
Width Lowering::writtenWidth(Value value, int64_t size, ValueRange readers) {
  Type element = lowered(typeOf(value).getElementType());
  Width width = chooseWidth(element, size, readers);
  if (width.scalable || !isMoved(value))
    return width;
  int64_t lanes =
      machine.vectorBits / memoryType(element).getIntOrFloatBitWidth();
  lanes =
      std::min<int64_t>(lanes, llvm::bit_floor(static_cast<uint64_t>(size)));
  return streamedWidth(lanes, readers);
}

Width Lowering::fixedWidth(Type elementType, int64_t size) const {
  return widthOf(machine.withFixedVectors(), elementType, size);
}

/// The most elements that a vector can hold.
int64_t Lowering::maxLanes(Width width) const {
  return width.scalable ? width.lanes * machine.maxVscale() : width.lanes;
}

/// `width.lanes * factor`, times the length of the machine's vectors.
Value Lowering::laneCount(Width width, int64_t factor) {
  if (factor == 0)
    return constant(0);
  if (!width.scalable)
    return constant(width.lanes * factor);
  Value &count = laneCounts[width.lanes * factor];
  if (count)
    return count;
  Value least = constant(width.lanes * factor);
  OpBuilder::InsertionGuard guard(builder);
  if (!vscale) {
    builder.setInsertionPointToStart(&program.front());
    vscale = LLVM::vscale::create(builder, loc, builder.getI64Type());
  }
  builder.setInsertionPointAfter(least.getDefiningOp());
  if (vscale.getDefiningOp()->getBlock() == least.getDefiningOp()->getBlock() &&
      least.getDefiningOp()->isBeforeInBlock(vscale.getDefiningOp()))
    builder.setInsertionPointAfterValue(vscale);
  return count = arith::MulIOp::create(builder, loc, vscale, least);
}

/// `value` without what does not fill `factor` vectors.
Value Lowering::roundDown(Value value, Width width, int64_t factor) {
  Value mask = constant(-width.lanes * factor);
  if (width.scalable)
    mask = arith::SubIOp::create(builder, loc, constant(0),
                                 laneCount(width, factor));
  return arith::AndIOp::create(builder, loc, value, mask);
}

/// The least multiple of `width` that is not less than `value`.
Value Lowering::roundUp(Value value, Width width) {
  Value most =
      arith::SubIOp::create(builder, loc, laneCount(width), constant(1));
  value = arith::AddIOp::create(builder, loc, value, most);
  return roundDown(value, width);
}

VectorType vectorize::vectorType(Width width, Type element) {
  return VectorType::get({width.lanes}, element, {width.scalable});
}

/// The lanes 0, 1, 2, ... of an integer type.
Value Lowering::step(Type elementType, Width width) {
  VectorType type = vectorType(width, elementType);
  if (width.scalable)
    return LLVM::StepVectorOp::create(builder, loc, type);
  SmallVector<Attribute> values;
  for (int64_t lane = 0; lane < width.lanes; ++lane)
    values.push_back(IntegerAttr::get(elementType, lane));
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, values));
}

/// The position of the last lane.
Value Lowering::lastPosition(Width width) {
  if (!width.scalable)
    return constant(width.lanes - 1);
  return arith::SubIOp::create(builder, loc, laneCount(width), constant(1));
}

Value Lowering::laneAt(Value vector, Value position, Width width) {
  APInt fixed;
  if (!width.scalable && matchPattern(position, m_ConstantInt(&fixed)))
    return vector::ExtractOp::create(builder, loc, vector,
                                     fixed.getSExtValue());
  Value index = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                           position);
  return vector::ExtractOp::create(builder, loc, vector, OpFoldResult(index));
}

/// The lanes from the first on that are less than `count`, an i64.
Value Lowering::firstLanes(Value count, Width width) {
  Type i32 = builder.getI32Type();
  VectorType bits = vectorType(width, builder.getI1Type());
  Value none = constant(0), all = constant(maxLanes(width));
  count = arith::MaxSIOp::create(builder, loc, count, none);
  count = arith::MinSIOp::create(builder, loc, count, all);
  count = arith::TruncIOp::create(builder, loc, i32, count);
  Value zero = arith::ConstantIntOp::create(builder, loc, i32, 0);
  return LLVM::GetActiveLaneMaskOp::create(builder, loc, bits, zero, count);
}

//===----------------------------------------------------------------------===//
// Reductions of all lanes
//===----------------------------------------------------------------------===//

std::optional<vector::CombiningKind> vectorize::kindOf(Block &combiner) {
  auto operations = combiner.without_terminator();
  if (combiner.getNumArguments() != 2 || !llvm::hasSingleElement(operations))
    return std::nullopt;
  Operation *op = &*operations.begin();
  if (op->getNumOperands() != 2 || op->getOperand(0) == op->getOperand(1) ||
      combiner.getTerminator()->getOperand(0) != op->getResult(0) ||
      !llvm::all_of(op->getOperands(), llvm::IsaPred<BlockArgument>))
    return std::nullopt;
  using Kind = std::optional<vector::CombiningKind>;
  return llvm::TypeSwitch<Operation *, Kind>(op)
      .Case([](arith::AddFOp) { return vector::CombiningKind::ADD; })
      .Case([](arith::AddIOp) { return vector::CombiningKind::ADD; })
      .Case([](arith::AndIOp) { return vector::CombiningKind::AND; })
      .Case([](arith::OrIOp) { return vector::CombiningKind::OR; })
      .Case([](arith::XOrIOp) { return vector::CombiningKind::XOR; })
      .Case([](arith::MaxSIOp) { return vector::CombiningKind::MAXSI; })
      .Case([](arith::MinSIOp) { return vector::CombiningKind::MINSI; })
      .Case([](arith::MaxUIOp) { return vector::CombiningKind::MAXUI; })
      .Case([](arith::MinUIOp) { return vector::CombiningKind::MINUI; })
      .Case([](arith::MaxNumFOp) { return vector::CombiningKind::MAXNUMF; })
      .Case([](arith::MinNumFOp) { return vector::CombiningKind::MINNUMF; })
      .Case([](arith::MaximumFOp) { return vector::CombiningKind::MAXIMUMF; })
      .Case([](arith::MinimumFOp) { return vector::CombiningKind::MINIMUMF; })
      .Default(Kind());
}

static bool isWide(Type type) {
  return (isa<FloatType>(type) || isa<IntegerType>(type)) &&
         type.getIntOrFloatBitWidth() >= 32;
}

/// Combines all lanes of scalable vectors: by one operation where there is one,
/// else by way of memory, as vectors of the least length.
SmallVector<Value> Lowering::combineScalableLanes(Block &combiner,
                                                  ValueRange vectors) {
  auto type = cast<VectorType>(vectors.front().getType());
  std::optional<vector::CombiningKind> kind = kindOf(combiner);
  if (kind && isWide(type.getElementType()))
    return {vector::ReductionOp::create(builder, loc, *kind, vectors.front(),
                                        arith::FastMathFlags::reassoc)};
  Width width = {type.getDimSize(0), true};
  int64_t widest = 32;
  for (Value vector : vectors)
    widest = std::max<int64_t>(
        widest, getElementTypeOrSelf(vector).getIntOrFloatBitWidth());
  Tile tile;
  tile.coordinates = {{constant(0), 0, -1}};
  tile.vectorDim = 0;
  tile.width = machine.vectorBits / widest;
  SmallVector<Buffer> buffers;
  for (Value vector : vectors) {
    buffers.push_back(
        allocateBytes(maxLanes(width), getElementTypeOrSelf(vector)));
    buffers.back().strides = {1};
    Value stored = toMemory(vector);
    LLVM::StoreOp::create(
        builder, loc, stored, buffers.back().pointer,
        std::max(getElementTypeOrSelf(stored).getIntOrFloatBitWidth() / 8, 1u));
  }
  auto readAll = [&](Value start, unsigned depth) {
    tile.coordinates.front() = {start, depth, -1};
    SmallVector<Value> values;
    for (const Buffer &buffer : buffers)
      values.push_back(readBuffer(buffer, tile).value);
    return values;
  };
  unsigned outside = depth();
  SmallVector<Value> first = readAll(constant(0), outside);
  Value start = openLoop(constant(tile.width.lanes), laneCount(width),
                         tile.width.lanes, first);
  SmallVector<Value> carried(loopState());
  SmallVector<Value> next = readAll(start, depth());
  builder.restoreInsertionPoint(points.back());
  ValueRange results = closeLoop(combine(combiner, carried, next));
  return combineLanes(combiner, SmallVector<Value>(results));
}

//===- AccessOps.cpp - operations of the `sg` dialect ---------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Dialect/Access/IR/Access.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::sg;

using Effects =
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

static void addRead(Effects &effects) {
  effects.emplace_back(MemoryEffects::Read::get());
}
static void addWrite(Effects &effects) {
  effects.emplace_back(MemoryEffects::Write::get());
}

//===----------------------------------------------------------------------===//
// Structured accesses
//===----------------------------------------------------------------------===//

template <typename AccessOp> static Value findIndex(AccessOp op, int64_t dim) {
  for (auto [position, indexed] : llvm::enumerate(op.getIndexedDims()))
    if (indexed == dim)
      return op.getIndices()[position];
  return {};
}

template <typename AccessOp>
static LogicalResult verifyAccess(AccessOp op, RankedTensorType block) {
  size_t rank = block.getRank();
  if (op.getStrides().size() != rank || op.getLows().size() != rank ||
      op.getHighs().size() != rank)
    return op.emitOpError(
               "needs a stride and a pair of bounds for each of the ")
           << rank << " dimensions";
  if (op.getIndexedDims().size() != op.getIndices().size())
    return op.emitOpError("names ")
           << op.getIndexedDims().size() << " indexed dimensions for "
           << op.getIndices().size() << " index tensors";
  for (auto [dim, index] : llvm::zip(op.getIndexedDims(), op.getIndices())) {
    if (dim < 0 || dim >= static_cast<int64_t>(rank))
      return op.emitOpError("indexes dimension ")
             << dim << " of a block of rank " << rank;
    int64_t length = cast<RankedTensorType>(index.getType()).getDimSize(0);
    if (length != block.getDimSize(dim))
      return op.emitOpError("indexes dimension ")
             << dim << " of size " << block.getDimSize(dim) << " by " << length
             << " entries";
  }
  for (int64_t dim : op.getWrappedDims())
    if (!findIndex(op, dim))
      return op.emitOpError("calls dimension ")
             << dim << " wrapped, which has no index tensor";
  if (Value mask = op.getMask())
    if (cast<RankedTensorType>(mask.getType()).getShape() != block.getShape())
      return op.emitOpError("has a mask of another shape than its block");
  return success();
}

Value LoadOp::getIndexOf(int64_t dim) { return findIndex(*this, dim); }
bool LoadOp::isWrapped(int64_t dim) {
  return llvm::is_contained(getWrappedDims(), dim);
}
Value StoreOp::getIndexOf(int64_t dim) { return findIndex(*this, dim); }
bool StoreOp::isWrapped(int64_t dim) {
  return llvm::is_contained(getWrappedDims(), dim);
}

TypedValue<RankedTensorType> LoadOp::getBlockValue() {
  return cast<TypedValue<RankedTensorType>>(getResult());
}
TypedValue<RankedTensorType> StoreOp::getBlockValue() {
  return cast<TypedValue<RankedTensorType>>(getValue());
}

LogicalResult LoadOp::verify() {
  return verifyAccess(*this, cast<RankedTensorType>(getResult().getType()));
}
LogicalResult StoreOp::verify() {
  return verifyAccess(*this, cast<RankedTensorType>(getValue().getType()));
}

void LoadOp::getEffects(Effects &effects) {
  addRead(effects);
  if (getIsVolatile())
    addWrite(effects);
}
void StoreOp::getEffects(Effects &effects) { addWrite(effects); }

//===----------------------------------------------------------------------===//
// Explicit addresses
//===----------------------------------------------------------------------===//

static LogicalResult verifyLanes(Operation *op, Value offsets, Value lanes,
                                 Value mask) {
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(offsets.getType()).getShape();
  if (cast<RankedTensorType>(lanes.getType()).getShape() != shape)
    return op->emitOpError("has offsets of another shape than its block");
  if (mask && cast<RankedTensorType>(mask.getType()).getShape() != shape)
    return op->emitOpError("has a mask of another shape than its block");
  return success();
}

LogicalResult GatherOp::verify() {
  return verifyLanes(*this, getOffsets(), getResult(), getMask());
}
LogicalResult ScatterOp::verify() {
  return verifyLanes(*this, getOffsets(), getValue(), getMask());
}

LogicalResult AtomicRMWOp::verify() {
  static constexpr StringLiteral kinds[] = {"add",  "fadd", "and",  "or",
                                            "xor",  "max",  "min",  "umax",
                                            "umin", "fmax", "fmin", "exch"};
  if (!llvm::is_contained(kinds, getKind()))
    return emitOpError("knows no kind '") << getKind() << "'";
  return verifyLanes(*this, getOffsets(), getValue(), getMask());
}

void GatherOp::getEffects(Effects &effects) {
  addRead(effects);
  if (getIsVolatile())
    addWrite(effects);
}
void ScatterOp::getEffects(Effects &effects) { addWrite(effects); }
void AtomicRMWOp::getEffects(Effects &effects) {
  addRead(effects);
  addWrite(effects);
}
void AtomicCASOp::getEffects(Effects &effects) {
  addRead(effects);
  addWrite(effects);
}

//===----------------------------------------------------------------------===//
// Reductions and scans
//===----------------------------------------------------------------------===//

template <typename CombineOp>
static LogicalResult verifyCombiner(CombineOp op) {
  if (op.getInputs().empty())
    return op.emitOpError("needs an input");
  auto first = cast<RankedTensorType>(op.getInputs().front().getType());
  for (Value input : op.getInputs())
    if (cast<RankedTensorType>(input.getType()).getShape() != first.getShape())
      return op.emitOpError("has inputs of different shapes");
  int64_t axis = op.getAxis();
  if (axis < 0 || axis >= first.getRank())
    return op.emitOpError("works along dimension ")
           << axis << " of inputs of rank " << first.getRank();
  if (op.getNumResults() != op.getInputs().size())
    return op.emitOpError("has ") << op.getInputs().size() << " inputs but "
                                  << op.getNumResults() << " results";
  Block &combiner = op.getCombiner();
  if (combiner.getNumArguments() != 2 * op.getInputs().size())
    return op.emitOpError("has a combiner of ")
           << combiner.getNumArguments() << " arguments, expected "
           << 2 * op.getInputs().size();
  return success();
}

LogicalResult ReduceOp::verify() { return verifyCombiner(*this); }
LogicalResult ScanOp::verify() { return verifyCombiner(*this); }

//===----------------------------------------------------------------------===//
// Butterflies
//===----------------------------------------------------------------------===//

LogicalResult ButterflyOp::verify() {
  uint64_t size = getSource().getType().getDimSize(0);
  if (!llvm::isPowerOf2_64(size))
    return emitOpError("needs a length that is a power of two");
  if (getMask() >= size)
    return emitOpError("has the mask ")
           << getMask() << " for a length of " << size;
  return success();
}

OpFoldResult ButterflyOp::fold(FoldAdaptor) {
  if (getMask() == 0)
    return getSource();
  auto first = getSource().getDefiningOp<ButterflyOp>();
  if (!first)
    return {};
  setMask(getMask() ^ first.getMask());
  getSourceMutable().assign(first.getSource());
  return getResult();
}

#define GET_OP_CLASSES
#include "seagrove/Dialect/Access/IR/AccessOps.cpp.inc"

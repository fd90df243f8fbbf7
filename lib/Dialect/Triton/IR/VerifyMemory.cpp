//===- VerifyMemory.cpp - verifiers of accesses to memory -----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Messages speak of what the user wrote: pointers, masks, values and shapes.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/TypeUtilities.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove::tt;

//===----------------------------------------------------------------------===//
// Loads, stores, atomics
//===----------------------------------------------------------------------===//

/// Checks that `value` is what an access through `ptr` reads or writes.
static LogicalResult verifyAccessed(Operation *op, StringRef name, Type value,
                                    Type ptr) {
  Type accessed = getPointeeTypeOrSelf(ptr);
  if (value == accessed)
    return success();
  if (describeShape(value) != describeShape(accessed))
    return op->emitOpError(name)
           << " has shape " << describeShape(value)
           << " but the pointers have shape " << describeShape(accessed);
  return op->emitOpError(name)
         << " has elements of type " << getElementTypeOrSelf(value)
         << " but the pointers point to " << getElementTypeOrSelf(accessed);
}

/// Checks that a mask, if there is one, has one entry a pointer.
static LogicalResult verifyMask(Operation *op, Value mask, Type ptr) {
  if (!mask)
    return success();
  Type accessed = getPointeeTypeOrSelf(ptr);
  if (mask.getType() == getMaskType(accessed))
    return success();
  return op->emitOpError("mask has shape ")
         << describeShape(mask.getType()) << " but the pointers have shape "
         << describeShape(accessed);
}

/// Checks what only block pointers may have: checked dimensions, and no mask.
static LogicalResult verifyBoundaryCheck(Operation *op, Type ptr,
                                         ArrayRef<int32_t> dims, bool hasMask) {
  auto pointer = dyn_cast<PointerType>(ptr);
  if (!pointer || !pointer.isBlockPointer()) {
    if (!dims.empty())
      return op->emitOpError("checks the bounds of a ")
             << describe(ptr) << "; only block pointers have bounds";
    return success();
  }
  if (hasMask)
    return op->emitOpError("has a mask; an access through a block pointer "
                           "takes boundary_check instead");
  int64_t rank = cast<RankedTensorType>(pointer.getPointeeType()).getRank();
  llvm::SmallDenseSet<int32_t> seen;
  for (int32_t dim : dims) {
    if (dim < 0 || dim >= rank)
      return op->emitOpError("checks the bounds of dimension ")
             << dim << " of a block with " << rank << " dimensions";
    if (!seen.insert(dim).second)
      return op->emitOpError("checks the bounds of dimension ")
             << dim << " twice";
  }
  return success();
}

LogicalResult LoadOp::verify() {
  Type ptr = getPtr().getType();
  if (failed(verifyAccessed(*this, "result", getType(), ptr)) ||
      failed(verifyMask(*this, getMask(), ptr)) ||
      failed(
          verifyBoundaryCheck(*this, ptr, getBoundaryCheck(), bool(getMask()))))
    return failure();
  if (!getOther())
    return success();
  if (!getMask())
    return emitOpError("has `other` but no mask");
  return verifyAccessed(*this, "other", getOther().getType(), ptr);
}

LogicalResult StoreOp::verify() {
  Type ptr = getPtr().getType();
  if (failed(verifyAccessed(*this, "value", getValue().getType(), ptr)) ||
      failed(verifyMask(*this, getMask(), ptr)))
    return failure();
  return verifyBoundaryCheck(*this, ptr, getBoundaryCheck(), bool(getMask()));
}

/// Tells which element types an atomic update takes.
static bool takesFloat(RMWKind kind) {
  return kind == RMWKind::FAdd || kind == RMWKind::Exchange;
}
static bool takesInteger(RMWKind kind) { return kind != RMWKind::FAdd; }

LogicalResult AtomicRMWOp::verify() {
  Type ptr = getPtr().getType();
  if (failed(verifyAccessed(*this, "value", getVal().getType(), ptr)) ||
      failed(verifyAccessed(*this, "result", getType(), ptr)) ||
      failed(verifyMask(*this, getMask(), ptr)))
    return failure();
  Type element = getElementTypeOrSelf(getType());
  RMWKind kind = getAtomicRmwOp();
  if (isa<FloatType>(element) ? takesFloat(kind) : takesInteger(kind))
    return success();
  return emitOpError("cannot do atomic ")
         << stringifyRMWKind(kind) << " on elements of type " << element;
}

LogicalResult AtomicCASOp::verify() {
  Type ptr = getPtr().getType();
  if (failed(verifyAccessed(*this, "cmp", getCmp().getType(), ptr)) ||
      failed(verifyAccessed(*this, "value", getVal().getType(), ptr)))
    return failure();
  return verifyAccessed(*this, "result", getType(), ptr);
}

/// Checks the ordering of an access that only reads, or only writes.
static LogicalResult verifyOrder(Operation *op, MemSemantic sem,
                                 MemSemantic strongest) {
  if (sem == strongest || sem == MemSemantic::Relaxed)
    return success();
  return op->emitOpError("takes only the orderings ")
         << stringifyMemSemantic(strongest) << " and relaxed, not "
         << stringifyMemSemantic(sem);
}

LogicalResult AtomicLoadOp::verify() {
  Type ptr = getPtr().getType();
  if (failed(verifyAccessed(*this, "result", getType(), ptr)) ||
      failed(verifyMask(*this, getMask(), ptr)))
    return failure();
  return verifyOrder(*this, getSem(), MemSemantic::Acquire);
}

LogicalResult AtomicStoreOp::verify() {
  Type ptr = getPtr().getType();
  if (failed(verifyAccessed(*this, "value", getVal().getType(), ptr)) ||
      failed(verifyMask(*this, getMask(), ptr)))
    return failure();
  return verifyOrder(*this, getSem(), MemSemantic::Release);
}

LogicalResult AtomicPollOp::verify() {
  if (failed(verifyAccessed(*this, "expected value", getExpected().getType(),
                            getPtr().getType())))
    return failure();
  return verifyOrder(*this, getSem(), MemSemantic::Acquire);
}

//===----------------------------------------------------------------------===//
// Block pointers
//===----------------------------------------------------------------------===//

/// Checks that a list of operands has one entry a dimension.
static LogicalResult verifyRank(Operation *op, StringRef name, size_t size,
                                int64_t rank) {
  if (int64_t(size) == rank)
    return success();
  return op->emitOpError("has ")
         << size << " " << name << " for a block of " << rank << " dimensions";
}

LogicalResult MakeTensorPtrOp::verify() {
  auto block = cast<RankedTensorType>(getType().getPointeeType());
  int64_t rank = block.getRank();
  if (failed(verifyRank(*this, "sizes", getShape().size(), rank)) ||
      failed(verifyRank(*this, "strides", getStrides().size(), rank)) ||
      failed(verifyRank(*this, "offsets", getOffsets().size(), rank)) ||
      failed(verifyRank(*this, "entries of order", getOrder().size(), rank)))
    return failure();
  Type pointee = getBase().getType().getPointeeType();
  if (pointee != block.getElementType())
    return emitOpError("makes a ")
           << describe(block) << " from a pointer to " << pointee;
  return success();
}

LogicalResult AdvanceOp::verify() {
  auto block = cast<RankedTensorType>(getType().getPointeeType());
  return verifyRank(*this, "offsets", getOffsets().size(), block.getRank());
}

//===----------------------------------------------------------------------===//
// Tensor descriptors
//===----------------------------------------------------------------------===//

LogicalResult MakeTensorDescOp::verify() {
  TensorDescType type = getType();
  int64_t rank = type.getRank();
  if (failed(verifyRank(*this, "sizes", getShape().size(), rank)) ||
      failed(verifyRank(*this, "strides", getStrides().size(), rank)))
    return failure();
  Type pointee = getBase().getType().getPointeeType();
  if (pointee != type.getSignlessElementType())
    return emitOpError("describes elements of type ")
           << type.getElementType() << " behind a pointer to " << pointee;
  return success();
}

/// Checks a block against the descriptor through which it is read or written.
/// Dimensions of size 1 may have been dropped from the block.
static LogicalResult verifyDescriptorBlock(Operation *op, TensorDescType desc,
                                           RankedTensorType block,
                                           size_t numIndices) {
  if (failed(verifyRank(op, "indices", numIndices, desc.getRank())))
    return failure();
  RankedTensorType wanted = desc.getBlockType();
  auto isOne = [](int64_t size) { return size == 1; };
  SmallVector<int64_t> have(block.getShape()), want(wanted.getShape());
  llvm::erase_if(have, isOne);
  llvm::erase_if(want, isOne);
  if (have == want && block.getElementType() == wanted.getElementType())
    return success();
  return op->emitOpError("moves a ")
         << describe(block) << " but the descriptor is of a "
         << describe(wanted);
}

LogicalResult DescriptorLoadOp::verify() {
  return verifyDescriptorBlock(*this, getDesc().getType(), getType(),
                               getIndices().size());
}

LogicalResult DescriptorStoreOp::verify() {
  return verifyDescriptorBlock(*this, getDesc().getType(), getSrc().getType(),
                               getIndices().size());
}

LogicalResult DescriptorReduceOp::verify() {
  return verifyDescriptorBlock(*this, getDesc().getType(), getSrc().getType(),
                               getIndices().size());
}

/// Checks a gather or scatter: the block has one row an entry of `rows`, and
/// the columns of the descriptor.
static LogicalResult verifyRows(Operation *op, TensorDescType desc,
                                RankedTensorType rows, RankedTensorType block) {
  if (desc.getRank() != 2 || desc.getShape()[0] != 1)
    return op->emitOpError("needs a descriptor of blocks of one row, not of a ")
           << describe(desc.getBlockType());
  if (rows.getRank() != 1)
    return op->emitOpError("picks rows by a ")
           << describe(rows) << "; a block of one dimension is needed";
  auto wanted = RankedTensorType::get({rows.getDimSize(0), desc.getShape()[1]},
                                      desc.getSignlessElementType());
  if (block == wanted)
    return success();
  return op->emitOpError("moves a ")
         << describe(block) << " but " << rows.getDimSize(0)
         << " rows of the descriptor are a " << describe(wanted);
}

LogicalResult DescriptorGatherOp::verify() {
  return verifyRows(*this, getDesc().getType(), getXOffsets().getType(),
                    getType());
}

LogicalResult DescriptorScatterOp::verify() {
  return verifyRows(*this, getDesc().getType(), getXOffsets().getType(),
                    getSrc().getType());
}

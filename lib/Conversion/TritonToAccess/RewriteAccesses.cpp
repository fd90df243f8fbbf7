//===- RewriteAccesses.cpp - accesses through blocks of pointers ----------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmitAccess.h"
#include "Stages.h"

#include "seagrove/Analysis/LaneAddresses.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace seagrove;

namespace {

class AccessRewriter {
public:
  AccessRewriter(tt::FuncOp func, bool remarks)
      : func(func), remarks(remarks), b(func.getContext()), blocks(b),
        masks(blocks), addresses(blocks) {}

  LogicalResult run();

private:
  LogicalResult rewrite(Operation *op);
  LogicalResult rewriteLoad(tt::LoadOp load);
  LogicalResult rewriteStore(tt::StoreOp store);
  LogicalResult rewriteAtomic(tt::AtomicRMWOp atomic);
  LogicalResult rewriteAtomic(tt::AtomicCASOp atomic);
  LogicalResult rewriteAtomic(tt::AtomicLoadOp atomic);
  LogicalResult rewriteAtomic(tt::AtomicStoreOp atomic);
  LogicalResult rewriteToInteger(tt::PtrToIntOp cast);

  std::optional<StructuredAccess> structure(Value pointers, Value mask);
  FailureOr<LaneAddresses> explicitLanes(Operation *op, Value pointers);
  FailureOr<Value> dataOf(Operation *op, Value value);
  Value otherOf(Value other);
  void replace(Operation *op, Value result);
  void remark(Operation *op, StringRef what);

  tt::FuncOp func;
  bool remarks;
  TrackingBuilder b;
  BlockAnalysis blocks;
  MaskAnalysis masks;
  AddressAnalysis addresses;
  SmallVector<Operation *> finished;
};

} // namespace

static RankedTensorType withoutPointers(Type type) {
  auto block = cast<RankedTensorType>(type);
  if (isPointerBlock(block))
    return block.clone(IntegerType::get(type.getContext(), 64));
  return block;
}

//===----------------------------------------------------------------------===//
// Remarks
//===----------------------------------------------------------------------===//

/// Why the state of `pointers` is opaque, in the user's terms.
static StringRef explain(BlockAnalysis &blocks, Value pointers) {
  SmallVector<Value> work{pointers};
  while (!work.empty()) {
    Value value = work.pop_back_val();
    if (!isa<RankedTensorType>(value.getType()) ||
        blocks.stateOf(value).structured)
      continue;
    Operation *op = value.getDefiningOp();
    if (!op)
      return "its pointers are carried by a loop or a branch in a way that is "
             "not one uniform step";
    if (isa<tt::IntToPtrOp>(op))
      return "its pointers are computed or loaded as addresses";
    if (isa<arith::MulIOp>(op))
      return "its offset multiplies two dimensions";
    if (isa<tt::AddPtrOp, arith::AddIOp, arith::SubIOp, arith::MulIOp,
            arith::ExtSIOp, tt::BitcastOp>(op) ||
        getReshapedSource(op)) {
      llvm::append_range(work, op->getOperands());
      continue;
    }
    if (isa<sg::LoadOp, sg::GatherOp, tt::LoadOp>(op))
      return "its offset is loaded from memory for more than one dimension";
    if (isElementwise(op))
      return "its offset mixes two dimensions by an operation that is not a "
             "sum";
  }
  return "its offset is no sum of one term for each dimension";
}

void AccessRewriter::remark(Operation *op, StringRef what) {
  if (!remarks)
    return;
  op->emitRemark("not structured: ")
      << what << " gets an address for each lane, because "
      << explain(blocks, op->getOperand(0));
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

std::optional<StructuredAccess> AccessRewriter::structure(Value pointers,
                                                          Value mask) {
  const BlockState &state = blocks.stateOf(pointers);
  if (!state.structured)
    return std::nullopt;
  StructuredAccess access;
  access.base = state.base;
  access.offset = state.offset;
  access.strides = state.strides;
  access.indices = state.indices;
  auto shape = cast<RankedTensorType>(pointers.getType()).getShape();
  access.bounds =
      mask ? masks.boundsOf(mask) : getFullBounds(func.getContext(), shape);
  return access;
}

FailureOr<LaneAddresses> AccessRewriter::explicitLanes(Operation *op,
                                                       Value pointers) {
  FailureOr<LaneAddresses> lanes = addresses.fullLanesOf(pointers);
  if (failed(lanes))
    op->emitError("SG0211: cannot tell where the pointers of this access come "
                  "from")
            .attachNote(pointers.getLoc())
        << "they are made here";
  return lanes;
}

/// `value`, or its addresses if it holds pointers.
FailureOr<Value> AccessRewriter::dataOf(Operation *op, Value value) {
  if (!isPointerBlock(value.getType()))
    return value;
  FailureOr<Value> result = addresses.addressesOf(value);
  if (failed(result))
    op->emitError("SG0211: cannot tell where the pointers that are stored come "
                  "from");
  return result;
}

/// A uniform `other` as a scalar, any other as it is.
Value AccessRewriter::otherOf(Value other) {
  if (!other || !blocks.getVariation().isUniform(other))
    return other;
  return blocks.getVariation().scalarOf(other);
}

void AccessRewriter::replace(Operation *op, Value result) {
  if (op->getNumResults()) {
    Value old = op->getResult(0);
    if (isPointerBlock(old.getType()))
      result = tt::IntToPtrOp::create(b, op->getLoc(), old.getType(), result);
    old.replaceAllUsesWith(result);
  }
  finished.push_back(op);
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

LogicalResult AccessRewriter::rewriteLoad(tt::LoadOp load) {
  Value pointers = load.getPtr(), mask = load.getMask();
  RankedTensorType type = withoutPointers(load.getType());
  Value other = load.getOther();
  if (other) {
    FailureOr<Value> data = dataOf(load, otherOf(other));
    if (failed(data))
      return failure();
    other = *data;
    if (isa<tt::PointerType>(other.getType())) {
      b.setInsertionPoint(load);
      other = tt::PtrToIntOp::create(b, load.getLoc(), b.getI64Type(), other);
    }
  }
  if (auto access = structure(pointers, mask)) {
    b.setInsertionPoint(load);
    replace(load, emitLoad(b, load.getLoc(), *access, type,
                           mask ? other : Value(), load.getIsVolatile()));
    return success();
  }
  remark(load, "this load");
  FailureOr<LaneAddresses> lanes = explicitLanes(load, pointers);
  if (failed(lanes))
    return failure();
  b.setInsertionPoint(load);
  replace(load, sg::GatherOp::create(
                    b, load.getLoc(), type, lanes->base, lanes->offsets, mask,
                    mask ? other : Value(),
                    lanes->inBytes ? b.getUnitAttr() : UnitAttr(),
                    load.getIsVolatile() ? b.getUnitAttr() : UnitAttr()));
  return success();
}

LogicalResult AccessRewriter::rewriteStore(tt::StoreOp store) {
  Value pointers = store.getPtr(), mask = store.getMask();
  FailureOr<Value> value = dataOf(store, store.getValue());
  if (failed(value))
    return failure();
  if (auto access = structure(pointers, mask)) {
    b.setInsertionPoint(store);
    emitStore(b, store.getLoc(), *access, *value);
    replace(store, {});
    return success();
  }
  remark(store, "this store");
  FailureOr<LaneAddresses> lanes = explicitLanes(store, pointers);
  if (failed(lanes))
    return failure();
  b.setInsertionPoint(store);
  sg::ScatterOp::create(b, store.getLoc(), *value, lanes->base, lanes->offsets,
                        mask, lanes->inBytes ? b.getUnitAttr() : UnitAttr());
  replace(store, {});
  return success();
}

//===----------------------------------------------------------------------===//
// Atomics
//===----------------------------------------------------------------------===//

static StringRef getKindName(tt::RMWKind kind, Type element) {
  bool isFloat = isa<FloatType>(element);
  switch (kind) {
  case tt::RMWKind::And:
    return "and";
  case tt::RMWKind::Or:
    return "or";
  case tt::RMWKind::Xor:
    return "xor";
  case tt::RMWKind::Add:
    return "add";
  case tt::RMWKind::FAdd:
    return "fadd";
  case tt::RMWKind::Max:
    return isFloat ? "fmax" : "max";
  case tt::RMWKind::Min:
    return isFloat ? "fmin" : "min";
  case tt::RMWKind::UMax:
    return "umax";
  case tt::RMWKind::UMin:
    return "umin";
  case tt::RMWKind::Exchange:
    return "exch";
  }
  llvm_unreachable("all kinds are covered");
}

static bool isInSystem(tt::MemSyncScope scope) {
  return scope == tt::MemSyncScope::System;
}

LogicalResult AccessRewriter::rewriteAtomic(tt::AtomicRMWOp atomic) {
  FailureOr<LaneAddresses> lanes = explicitLanes(atomic, atomic.getPtr());
  FailureOr<Value> value = dataOf(atomic, atomic.getVal());
  if (failed(lanes) || failed(value))
    return failure();
  b.setInsertionPoint(atomic);
  RankedTensorType type = withoutPointers(atomic.getType());
  StringRef kind = getKindName(atomic.getAtomicRmwOp(), type.getElementType());
  replace(atomic, sg::AtomicRMWOp::create(b, atomic.getLoc(), type, kind,
                                          getOrderingName(atomic.getSem()),
                                          lanes->base, lanes->offsets, *value,
                                          atomic.getMask(), lanes->inBytes,
                                          isInSystem(atomic.getScope())));
  return success();
}

LogicalResult AccessRewriter::rewriteAtomic(tt::AtomicCASOp atomic) {
  FailureOr<LaneAddresses> lanes = explicitLanes(atomic, atomic.getPtr());
  FailureOr<Value> expected = dataOf(atomic, atomic.getCmp());
  FailureOr<Value> value = dataOf(atomic, atomic.getVal());
  if (failed(lanes) || failed(expected) || failed(value))
    return failure();
  b.setInsertionPoint(atomic);
  replace(atomic, sg::AtomicCASOp::create(
                      b, atomic.getLoc(), withoutPointers(atomic.getType()),
                      getOrderingName(atomic.getSem()), lanes->base,
                      lanes->offsets, *expected, *value, lanes->inBytes));
  return success();
}

/// An atomic load leaves memory as it is: it combines nothing with `or`.
LogicalResult AccessRewriter::rewriteAtomic(tt::AtomicLoadOp atomic) {
  FailureOr<LaneAddresses> lanes = explicitLanes(atomic, atomic.getPtr());
  if (failed(lanes))
    return failure();
  b.setInsertionPoint(atomic);
  Location loc = atomic.getLoc();
  RankedTensorType type = withoutPointers(atomic.getType());
  auto bits = type.clone(b.getIntegerType(type.getElementTypeBitWidth()));
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(bits));
  Value result = sg::AtomicRMWOp::create(
      b, loc, bits, "or", getOrderingName(atomic.getSem()), lanes->base,
      lanes->offsets, zero, atomic.getMask(), lanes->inBytes,
      isInSystem(atomic.getScope()));
  if (bits != type)
    result = arith::BitcastOp::create(b, loc, type, result);
  replace(atomic, result);
  return success();
}

LogicalResult AccessRewriter::rewriteAtomic(tt::AtomicStoreOp atomic) {
  FailureOr<LaneAddresses> lanes = explicitLanes(atomic, atomic.getPtr());
  FailureOr<Value> value = dataOf(atomic, atomic.getVal());
  if (failed(lanes) || failed(value))
    return failure();
  b.setInsertionPoint(atomic);
  sg::AtomicRMWOp::create(b, atomic.getLoc(), value->getType(), "exch",
                          getOrderingName(atomic.getSem()), lanes->base,
                          lanes->offsets, *value, atomic.getMask(),
                          lanes->inBytes, isInSystem(atomic.getScope()));
  replace(atomic, {});
  return success();
}

LogicalResult AccessRewriter::rewriteToInteger(tt::PtrToIntOp cast) {
  FailureOr<Value> result = dataOf(cast, cast.getSrc());
  if (failed(result))
    return failure();
  replace(cast, *result);
  return success();
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

LogicalResult AccessRewriter::rewrite(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tt::LoadOp load) { return rewriteLoad(load); })
      .Case([&](tt::StoreOp store) { return rewriteStore(store); })
      .Case<tt::AtomicRMWOp, tt::AtomicCASOp, tt::AtomicLoadOp,
            tt::AtomicStoreOp>(
          [&](auto atomic) { return rewriteAtomic(atomic); })
      .Case([&](tt::PtrToIntOp cast) { return rewriteToInteger(cast); })
      .Case([&](tt::PrintOp print) {
        for (OpOperand &operand : print->getOpOperands()) {
          FailureOr<Value> data = dataOf(print, operand.get());
          if (failed(data))
            return failure();
          operand.set(*data);
        }
        return success();
      })
      .Default([](Operation *) { return success(); });
}

LogicalResult AccessRewriter::run() {
  // A use is looked at after its definition, so that what an analysis remembers
  // of a loaded value is the new load, never the one to be erased.
  SmallVector<Operation *> worklist;
  func.walk<WalkOrder::PreOrder, ForwardDominanceIterator<>>(
      [&](Operation *op) {
        bool touches = llvm::any_of(op->getOperandTypes(), isPointerBlock);
        if (touches)
          worklist.push_back(op);
      });
  for (Operation *op : worklist)
    if (failed(rewrite(op)))
      return failure();
  for (Operation *op : llvm::reverse(finished))
    op->erase();
  return success();
}

LogicalResult seagrove::rewriteAccesses(tt::FuncOp func, bool remarks) {
  return AccessRewriter(func, remarks).run();
}

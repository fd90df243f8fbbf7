//===- AccessMistakes.cpp - mistakes in memory, loops and programs --------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mistakes.h"

#include "seagrove/Dialect/Access/IR/Access.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace seagrove;

static Value constant64(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
}

static bool isConstant(Value value, int64_t wanted) {
  APInt known;
  return matchPattern(value, m_ConstantInt(&known)) &&
         known.getSExtValue() == wanted;
}

/// True where dimension `dim` has an upper bound that is not its extent.
template <typename Access> static bool isBounded(Access access, int64_t dim) {
  int64_t extent = access.getBlockValue().getType().getDimSize(dim);
  return !isConstant(access.getHighs()[dim], extent);
}

static void storeOneMore(OpBuilder &b, Operation *op) {
  auto store = dyn_cast<sg::StoreOp>(op);
  if (!store)
    return;
  for (auto [dim, high] : llvm::enumerate(store.getHighsMutable())) {
    if (!isBounded(store, dim))
      continue;
    int64_t extent = store.getBlockValue().getType().getDimSize(dim);
    Location loc = op->getLoc();
    Value more =
        arith::AddIOp::create(b, loc, high.get(), constant64(b, loc, 1));
    high.set(arith::MinSIOp::create(b, loc, more, constant64(b, loc, extent)));
  }
}

static void loadOneLess(OpBuilder &b, Operation *op) {
  auto load = dyn_cast<sg::LoadOp>(op);
  if (!load)
    return;
  for (auto [dim, high] : llvm::enumerate(load.getHighsMutable()))
    if (isBounded(load, dim))
      high.set(arith::SubIOp::create(b, op->getLoc(), high.get(),
                                     constant64(b, op->getLoc(), 1)));
}

static void ignoreLow(OpBuilder &b, Operation *op) {
  auto load = dyn_cast<sg::LoadOp>(op);
  if (!load)
    return;
  for (OpOperand &low : load.getLowsMutable())
    if (!isConstant(low.get(), 0))
      low.set(constant64(b, op->getLoc(), 0));
}

/// Makes every lane of an access valid.
template <typename Access> static void dropBounds(OpBuilder &b, Access access) {
  RankedTensorType type = access.getBlockValue().getType();
  for (OpOperand &low : access.getLowsMutable())
    if (!isConstant(low.get(), 0))
      low.set(constant64(b, access.getLoc(), 0));
  for (auto [dim, high] : llvm::enumerate(access.getHighsMutable()))
    if (isBounded(access, dim))
      high.set(constant64(b, access.getLoc(), type.getDimSize(dim)));
  access.getMaskMutable().clear();
}

static void dropStoreMask(OpBuilder &b, Operation *op) {
  if (auto store = dyn_cast<sg::StoreOp>(op))
    dropBounds(b, store);
  if (auto scatter = dyn_cast<sg::ScatterOp>(op))
    scatter.getMaskMutable().clear();
}

static void dropLoadMask(OpBuilder &b, Operation *op) {
  if (auto load = dyn_cast<sg::LoadOp>(op)) {
    dropBounds(b, load);
    load.getOtherMutable().clear();
  }
  if (auto gather = dyn_cast<sg::GatherOp>(op)) {
    gather.getMaskMutable().clear();
    gather.getOtherMutable().clear();
  }
}

/// Gives the lanes of a load that are off another value.
static void replaceOther(OpBuilder &b, Operation *op, int64_t filling) {
  OpOperand *other = nullptr;
  if (auto load = dyn_cast<sg::LoadOp>(op); load && load.getOther())
    other = &load.getOtherMutable()[0];
  if (auto gather = dyn_cast<sg::GatherOp>(op); gather && gather.getOther())
    other = &gather.getOtherMutable()[0];
  if (!other)
    return;
  Type type = other->get().getType();
  Type element = getElementTypeOrSelf(type);
  TypedAttr value;
  if (isa<FloatType>(element))
    value = b.getFloatAttr(element, static_cast<double>(filling));
  else
    value = b.getIntegerAttr(
        element, APInt(element.getIntOrFloatBitWidth(), filling, true, true));
  if (auto block = dyn_cast<ShapedType>(type))
    value = DenseElementsAttr::get(block, Attribute(value));
  other->set(arith::ConstantOp::create(b, op->getLoc(), value));
}

static void zeroOther(OpBuilder &b, Operation *op) { replaceOther(b, op, 0); }

static void leaveTail(OpBuilder &b, Operation *op) { replaceOther(b, op, 90); }

static void lengthenStride(OpBuilder &b, Operation *op) {
  auto load = dyn_cast<sg::LoadOp>(op);
  if (!load || load.getStrides().size() < 2)
    return;
  OpOperand &stride = load.getStridesMutable()[0];
  stride.set(arith::AddIOp::create(b, op->getLoc(), stride.get(),
                                   constant64(b, op->getLoc(), 1)));
}

static void swapStrides(OpBuilder &b, Operation *op) {
  auto load = dyn_cast<sg::LoadOp>(op);
  if (!load || load.getStrides().size() != 2)
    return;
  Value first = load.getStrides()[0], second = load.getStrides()[1];
  load.getStridesMutable()[0].set(second);
  load.getStridesMutable()[1].set(first);
}

/// The value that `value` has in the first iteration of `loop`, or null where
/// that takes more than copying arithmetic.
static Value atFirstIteration(OpBuilder &b, Value value, scf::ForOp loop,
                              IRMapping &known) {
  if (Value found = known.lookupOrNull(value))
    return found;
  Operation *op = value.getDefiningOp();
  if (!op || !loop->isAncestor(op))
    return loop.getBodyRegion().isAncestor(value.getParentRegion()) ? Value()
                                                                    : value;
  if (op->getNumRegions() || !isMemoryEffectFree(op))
    return Value();
  for (Value operand : op->getOperands()) {
    Value first = atFirstIteration(b, operand, loop, known);
    if (!first)
      return Value();
    known.map(operand, first);
  }
  return b.clone(*op, known)
      ->getResult(cast<OpResult>(value).getResultNumber());
}

static void keepAddress(OpBuilder &b, Operation *op) {
  auto loop = op->getParentOfType<scf::ForOp>();
  if (!loop)
    return;
  OpOperand *address = nullptr;
  if (auto load = dyn_cast<sg::LoadOp>(op))
    address = &load.getOffsetMutable();
  if (auto gather = dyn_cast<sg::GatherOp>(op))
    address = &gather.getOffsetsMutable();
  if (!address)
    return;
  IRMapping known;
  known.map(loop.getInductionVar(), loop.getLowerBound());
  known.map(loop.getRegionIterArgs(), loop.getInitArgs());
  if (Value first = atFirstIteration(b, address->get(), loop, known))
    address->set(first);
}

static void keepAccumulator(OpBuilder &b, Operation *op) {
  auto yield = dyn_cast<scf::YieldOp>(op);
  auto loop = yield ? dyn_cast<scf::ForOp>(op->getParentOp()) : scf::ForOp();
  if (loop && !loop.getRegionIterArgs().empty())
    yield->setOperand(yield->getNumOperands() - 1,
                      loop.getRegionIterArgs().back());
}

static void shortenLoop(OpBuilder &b, Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    loop.setUpperBound(arith::SubIOp::create(
        b, op->getLoc(), loop.getUpperBound(), loop.getStep()));
}

static void moveLoad(OpBuilder &b, Operation *op) {
  if (!isa<sg::LoadOp, sg::GatherOp>(op))
    return;
  for (Operation *next = op->getNextNode(); next; next = next->getNextNode()) {
    bool isUser = llvm::any_of(op->getUsers(), [&](Operation *user) {
      return next->isAncestor(user);
    });
    if (isUser || next->hasTrait<OpTrait::IsTerminator>())
      return;
    if (isa<sg::StoreOp, sg::ScatterOp>(next))
      return op->moveAfter(next);
  }
}

static void returnNew(OpBuilder &b, Operation *op) {
  auto atomic = dyn_cast<sg::AtomicRMWOp>(op);
  if (!atomic || atomic.use_empty())
    return;
  b.setInsertionPointAfter(op);
  Value old = atomic.getResult(), value = atomic.getValue();
  Location loc = op->getLoc();
  Value fresh;
  StringRef kind = atomic.getKind();
  if (kind == "add")
    fresh = arith::AddIOp::create(b, loc, old, value);
  else if (kind == "xor")
    fresh = arith::XOrIOp::create(b, loc, old, value);
  else if (kind == "and")
    fresh = arith::AndIOp::create(b, loc, old, value);
  else if (kind == "or")
    fresh = arith::OrIOp::create(b, loc, old, value);
  if (fresh)
    old.replaceAllUsesExcept(fresh, fresh.getDefiningOp());
  else if (kind == "exch")
    old.replaceAllUsesWith(value);
}

static void dropAtomicMask(OpBuilder &b, Operation *op) {
  auto atomic = dyn_cast<sg::AtomicRMWOp>(op);
  if (atomic && atomic.getMask() && !matchPattern(atomic.getMask(), m_One()))
    atomic.getMaskMutable().clear();
}

static void confuseAxis(OpBuilder &b, Operation *op) {
  if (auto id = dyn_cast<tt::GetProgramIdOp>(op))
    id.setAxis(tt::ProgramDim::X);
}

static void invertBranch(OpBuilder &b, Operation *op) {
  auto branch = dyn_cast<scf::IfOp>(op);
  if (!branch)
    return;
  Value one = arith::ConstantOp::create(b, op->getLoc(), b.getBoolAttr(true));
  branch.getConditionMutable().set(
      arith::XOrIOp::create(b, op->getLoc(), branch.getCondition(), one));
}

ArrayRef<Mistake> seagrove::getAccessMistakes() {
  static const Mistake mistakes[] = {
      {"store-one-more", storeOneMore},
      {"load-one-less", loadOneLess},
      {"load-low-ignored", ignoreLow},
      {"store-mask-dropped", dropStoreMask},
      {"load-mask-dropped", dropLoadMask},
      {"other-is-zero", zeroOther},
      {"tail-uninitialised", leaveTail},
      {"stride-off-by-one", lengthenStride},
      {"strides-swapped", swapStrides},
      {"stale-address", keepAddress},
      {"stale-accumulator", keepAccumulator},
      {"loop-one-less", shortenLoop},
      {"load-past-store", moveLoad},
      {"atomic-returns-new", returnNew},
      {"atomic-mask-dropped", dropAtomicMask},
      {"program-axis", confuseAxis},
      {"branch-inverted", invertBranch},
  };
  return mistakes;
}

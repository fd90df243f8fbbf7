//===- ScalarAtomics.cpp - atomic reads, writes and polls by updates ------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An atomic read combines nothing with what is there, an atomic write is an
// exchange whose result nobody wants, and a poll is a loop around the former.
// So written, all that later passes know of updates and of waiting holds.
//
//===----------------------------------------------------------------------===//

#include "ScalarAtomics.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove;

static Value constant(ImplicitLocOpBuilder &b, Type type, int64_t value) {
  return arith::ConstantOp::create(b, b.getIntegerAttr(type, value));
}

/// Reads an integer or a float.
static Value readAtomically(ImplicitLocOpBuilder &b, Value pointer, Value mask,
                            tt::MemSemantic order, tt::MemSyncScope scope) {
  auto type = cast<tt::PointerType>(pointer.getType());
  Type element = type.getPointeeType();
  Type bits = b.getIntegerType(element.getIntOrFloatBitWidth());
  if (bits != element)
    pointer = tt::BitcastOp::create(
        b, tt::PointerType::get(bits, type.getAddressSpace()), pointer);
  Value value =
      tt::AtomicRMWOp::create(b, bits, tt::RMWKind::Or, pointer,
                              constant(b, bits, 0), mask, order, scope);
  if (bits != element)
    value = tt::BitcastOp::create(b, element, value);
  return value;
}

/// A loop that ends when the value is there, or after as many tries as the
/// timeout has nanoseconds, none of which is shorter than one.
static void expandPoll(tt::AtomicPollOp poll) {
  ImplicitLocOpBuilder b(poll.getLoc(), poll);
  Type i64 = b.getI64Type();
  Value zero = constant(b, i64, 0), one = constant(b, i64, 1);
  Value limit = poll.getTimeout();
  Type state[] = {b.getI1Type(), i64};
  auto loop = scf::WhileOp::create(b, TypeRange(state), ValueRange{zero});
  Block *test = b.createBlock(&loop.getBefore(), {}, {i64}, {poll.getLoc()});
  Value tries = test->getArgument(0);
  Value seen =
      readAtomically(b, poll.getPtr(), {}, poll.getSem(), poll.getScope());
  Value found = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, seen,
                                      poll.getExpected());
  Value goOn = arith::XOrIOp::create(b, found, constant(b, b.getI1Type(), 1));
  if (limit) {
    Value early =
        arith::CmpIOp::create(b, arith::CmpIPredicate::slt, tries, limit);
    goOn = arith::AndIOp::create(b, goOn, early);
  }
  scf::ConditionOp::create(b, goOn, ValueRange{found, tries});
  Location locations[] = {poll.getLoc(), poll.getLoc()};
  Block *body = b.createBlock(&loop.getAfter(), {}, state, locations);
  Value next = arith::AddIOp::create(b, body->getArgument(1), one);
  scf::YieldOp::create(b, ValueRange{next});
  poll.replaceAllUsesWith(loop.getResult(0));
  poll.erase();
}

void seagrove::expandScalarAtomics(Operation *root) {
  root->walk([&](Operation *op) {
    ImplicitLocOpBuilder b(op->getLoc(), op);
    if (auto load = dyn_cast<tt::AtomicLoadOp>(op)) {
      if (!isa<tt::PointerType>(load.getPtr().getType()))
        return;
      load.replaceAllUsesWith(readAtomically(b, load.getPtr(), load.getMask(),
                                             load.getSem(), load.getScope()));
      load.erase();
    } else if (auto store = dyn_cast<tt::AtomicStoreOp>(op)) {
      if (!isa<tt::PointerType>(store.getPtr().getType()))
        return;
      tt::AtomicRMWOp::create(
          b, store.getVal().getType(), tt::RMWKind::Exchange, store.getPtr(),
          store.getVal(), store.getMask(), store.getSem(), store.getScope());
      store.erase();
    } else if (auto poll = dyn_cast<tt::AtomicPollOp>(op)) {
      expandPoll(poll);
    }
  });
}

//===- Scalars.cpp - everything that is not a block
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

Type Lowering::lowered(Type type) const {
  if (isa<tt::PointerType>(type))
    return LLVM::LLVMPointerType::get(type.getContext());
  return type;
}

Value Lowering::scalar(Value value) { return scalars.lookup(value); }

Value Lowering::constant(int64_t value) {
  Value &known = constants[value];
  if (!known) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&program.front());
    known = arith::ConstantOp::create(builder, loc,
                                      builder.getI64IntegerAttr(value));
  }
  return known;
}

Value Lowering::asI64(Value value) {
  Type type = value.getType();
  if (type.isInteger(64))
    return value;
  return arith::ExtSIOp::create(builder, loc, builder.getI64Type(), value);
}

/// Runs `body` where `condition` holds and gives its value, else zero.
Value Lowering::guarded(Value condition, Type type,
                        function_ref<Value()> body) {
  if (!condition)
    return body();
  bool hasResult = static_cast<bool>(type);
  SmallVector<Type> types;
  if (hasResult)
    types.push_back(type);
  auto branch = scf::IfOp::create(builder, loc, types, condition,
                                  /*withElseRegion=*/hasResult);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  Value value = body();
  if (!hasResult)
    return {};
  builder.setInsertionPointToEnd(branch.thenBlock());
  scf::YieldOp::create(builder, loc, value);
  builder.setInsertionPointToStart(branch.elseBlock());
  Value zero;
  if (isa<LLVM::LLVMPointerType>(type))
    zero = LLVM::ZeroOp::create(builder, loc, type);
  else
    zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  scf::YieldOp::create(builder, loc, zero);
  return branch.getResult(0);
}

/// Chooses between two values of any type; narrow floats are chosen by their
/// bits, because code generators without them would convert there and back.
Value Lowering::select(Value condition, Value first, Value second) {
  Type element = getElementTypeOrSelf(first.getType());
  Value chosen = LLVM::SelectOp::create(builder, loc, condition,
                                        toMemory(first), toMemory(second));
  return fromMemory(chosen, element);
}

LogicalResult Lowering::emitScalarMemory(Operation *op) {
  auto optional = [&](Value value) { return value ? scalar(value) : Value(); };
  if (auto load = dyn_cast<tt::LoadOp>(op)) {
    Type type = lowered(load.getResult().getType());
    Value other = optional(load.getOther());
    Value value = guarded(optional(load.getMask()), type, [&]() -> Value {
      Value loaded = LLVM::LoadOp::create(
          builder, loc, memoryType(type), scalar(load.getPtr()),
          /*alignment=*/0, load.getIsVolatile());
      return fromMemory(loaded, type);
    });
    if (other && load.getMask())
      value = select(scalar(load.getMask()), value, other);
    scalars.map(load.getResult(), value);
    return success();
  }
  if (auto store = dyn_cast<tt::StoreOp>(op)) {
    guarded(optional(store.getMask()), {}, [&]() -> Value {
      Value value = scalar(store.getValue());
      LLVM::StoreOp::create(builder, loc, toMemory(value),
                            scalar(store.getPtr()));
      return {};
    });
    return success();
  }
  if (auto update = dyn_cast<tt::AtomicRMWOp>(op)) {
    Type type = update.getResult().getType();
    bool inSystem = update.getScope() == tt::MemSyncScope::System;
    Value value = guarded(optional(update.getMask()), type, [&] {
      return scalarUpdate(tt::stringifyRMWKind(update.getAtomicRmwOp()),
                          tt::stringifyMemSemantic(update.getSem()),
                          scalar(update.getPtr()), scalar(update.getVal()),
                          inSystem);
    });
    scalars.map(update.getResult(), value);
    return success();
  }
  auto swap = cast<tt::AtomicCASOp>(op);
  scalars.map(swap.getResult(),
              atomicSwap(tt::stringifyMemSemantic(swap.getSem()),
                         scalar(swap.getPtr()), scalar(swap.getCmp()),
                         scalar(swap.getVal())));
  return success();
}

LogicalResult Lowering::emitScalar(Operation *op) {
  Type pointer = LLVM::LLVMPointerType::get(op->getContext());
  if (isa<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>(op))
    return emitScalarMemory(op);
  if (auto id = dyn_cast<tt::GetProgramIdOp>(op)) {
    scalars.map(id.getResult(), gridArguments[static_cast<int>(id.getAxis())]);
    return success();
  }
  if (auto count = dyn_cast<tt::GetNumProgramsOp>(op)) {
    scalars.map(count.getResult(),
                gridArguments[3 + static_cast<int>(count.getAxis())]);
    return success();
  }
  if (auto add = dyn_cast<tt::AddPtrOp>(op)) {
    Type element =
        cast<tt::PointerType>(add.getPtr().getType()).getPointeeType();
    scalars.map(add.getResult(), address(scalar(add.getPtr()), lowered(element),
                                         asI64(scalar(add.getOffset()))));
    return success();
  }
  if (auto cast = dyn_cast<tt::BitcastOp>(op)) {
    scalars.map(cast.getResult(), scalar(cast.getSrc()));
    return success();
  }
  if (auto cast = dyn_cast<tt::IntToPtrOp>(op)) {
    scalars.map(
        cast.getResult(),
        LLVM::IntToPtrOp::create(builder, loc, pointer, scalar(cast.getSrc())));
    return success();
  }
  if (auto cast = dyn_cast<tt::PtrToIntOp>(op)) {
    scalars.map(cast.getResult(),
                LLVM::PtrToIntOp::create(builder, loc, cast.getType(),
                                         scalar(cast.getSrc())));
    return success();
  }
  if (isa<tt::TritonDialect>(op->getDialect()))
    return op->emitError("SG0403: '")
           << op->getName().getStringRef()
           << "' is not supported here by this backend";
  Operation *clone = builder.clone(*op, scalars);
  for (auto [old, result] : llvm::zip(op->getResults(), clone->getResults())) {
    result.setType(lowered(old.getType()));
    scalars.map(old, result);
  }
  // Selecting between pointers is the LLVM dialect's.
  if (auto select = dyn_cast<arith::SelectOp>(clone);
      select && isa<tt::PointerType>(op->getResult(0).getType())) {
    Value chosen =
        LLVM::SelectOp::create(builder, loc, select.getCondition(),
                               select.getTrueValue(), select.getFalseValue());
    scalars.map(op->getResult(0), chosen);
    clone->erase();
  }
  return success();
}

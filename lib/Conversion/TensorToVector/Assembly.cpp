//===- Assembly.cpp - inline assembly -------------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Assembly knows nothing of vectors. One run of it takes `pack` elements, each
// in a register of its own, or, where they are narrower than 32 bits, several
// to a register; so do its results.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

/// How many elements of a type travel in one register.
static int64_t elementsPerRegister(Type element, int64_t pack) {
  int64_t bits =
      element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : int64_t(64);
  return bits < 32 ? std::min<int64_t>(32 / bits, pack) : 1;
}

/// The elements of one operand as registers: vectors of several narrow ones are
/// passed as one integer.
static void appendRegisters(OpBuilder &b, Location loc, ValueRange elements,
                            SmallVectorImpl<Value> &registers) {
  int64_t pack = elements.size();
  Type element = elements.front().getType();
  int64_t count = elementsPerRegister(element, pack);
  if (count == 1) {
    llvm::append_range(registers, elements);
    return;
  }
  auto type = VectorType::get(count, element);
  auto whole = VectorType::get(
      1, b.getIntegerType(count * element.getIntOrFloatBitWidth()));
  for (int64_t first = 0; first < pack; first += count) {
    Value vector = vector::FromElementsOp::create(b, loc, type,
                                                  elements.slice(first, count));
    registers.push_back(vector::ExtractOp::create(
        b, loc, vector::BitCastOp::create(b, loc, whole, vector), 0));
  }
}

/// The reverse: the `pack` elements that the next registers hold.
static void appendElements(OpBuilder &b, Location loc, Type element,
                           int64_t pack, ValueRange &registers,
                           SmallVectorImpl<Value> &elements) {
  int64_t count = elementsPerRegister(element, pack);
  auto type = VectorType::get(count, element);
  for (int64_t first = 0; first < pack; first += count) {
    Value value = registers.front();
    registers = registers.drop_front();
    if (count == 1) {
      elements.push_back(value);
      continue;
    }
    Value vector = vector::BitCastOp::create(
        b, loc, type,
        vector::BroadcastOp::create(b, loc, VectorType::get(1, value.getType()),
                                    value)
            .getResult());
    for (int64_t index = 0; index < count; ++index)
      elements.push_back(vector::ExtractOp::create(b, loc, vector, index));
  }
}

/// Runs the assembly once. `operands` has `pack` elements of each operand, one
/// operand after the other; so has the result.
SmallVector<Value> Lowering::assemble(tt::ElementwiseInlineAsmOp op,
                                      ValueRange operands) {
  int64_t pack = op.getPackedElement();
  SmallVector<Value> registers;
  for (size_t first = 0; first < operands.size(); first += pack)
    appendRegisters(builder, loc, operands.slice(first, pack), registers);
  SmallVector<Type> elements, types;
  for (Type type : op->getResultTypes()) {
    elements.push_back(lowered(getElementTypeOrSelf(type)));
    int64_t count = elementsPerRegister(elements.back(), pack);
    Type held = elements.back();
    if (count > 1)
      held = builder.getIntegerType(count * held.getIntOrFloatBitWidth());
    types.append(pack / count, held);
  }
  Type result = types.front();
  if (types.size() > 1)
    result = LLVM::LLVMStructType::getLiteral(builder.getContext(), types);
  Value value =
      LLVM::InlineAsmOp::create(
          builder, loc, result, registers, op.getAsmString(),
          op.getConstraints(),
          /*has_side_effects=*/!op.getPure(), /*is_align_stack=*/false,
          LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr())
          .getResult(0);
  SmallVector<Value> outputs;
  if (types.size() == 1)
    outputs.push_back(value);
  else
    for (size_t index = 0; index < types.size(); ++index)
      outputs.push_back(
          LLVM::ExtractValueOp::create(builder, loc, value, index));
  SmallVector<Value> results;
  ValueRange rest = outputs;
  for (Type element : elements)
    appendElements(builder, loc, element, pack, rest, results);
  return results;
}

/// The assembly is in the language of the machine that the kernel is compiled
/// for; another machine's is an error of the assembler at the user's line. A
/// row that is shorter than what one run takes is filled up with its first
/// element.
LogicalResult Lowering::emitAssembly(tt::ElementwiseInlineAsmOp op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  int64_t pack = op.getPackedElement();
  if (!type) {
    SmallVector<Value> operands;
    for (Value argument : op.getArgs())
      operands.append(pack, scalar(argument));
    SmallVector<Value> results = assemble(op, operands);
    for (auto [index, result] : llvm::enumerate(op->getResults()))
      scalars.map(result, results[index * pack]);
    return success();
  }
  SmallVector<Buffer> outputs;
  for (Value result : op->getResults())
    outputs.push_back(allocateLike(result));
  int64_t dim = type.getRank() - 1;
  int64_t lanes = dim < 0 ? 1 : std::min<int64_t>(pack, type.getDimSize(dim));
  bool packed = lanes > 1;
  forEachTile(
      type.getShape(), packed ? dim : -1, lanes, {}, {}, [&](const Tile &tile) {
        SmallVector<Value> values = evaluateAll(op.getArgs(), tile);
        builder.restoreInsertionPoint(points.back());
        SmallVector<Value> operands;
        for (Value value : values)
          for (int64_t lane = 0; lane < pack; ++lane)
            operands.push_back(
                packed ? vector::ExtractOp::create(builder, loc, value,
                                                   lane < lanes ? lane : 0)
                             .getResult()
                       : value);
        SmallVector<Value> all = assemble(op, operands);
        ValueRange results = all;
        for (Buffer &output : outputs) {
          ValueRange own = results.take_front(lanes);
          results = results.drop_front(pack);
          Value value = own.front();
          if (packed)
            value = vector::FromElementsOp::create(
                builder, loc, VectorType::get(lanes, value.getType()), own);
          writeBuffer(output, tile, value);
        }
      });
  for (auto [result, output] : llvm::zip(op->getResults(), outputs))
    buffers[result] = output;
  return success();
}

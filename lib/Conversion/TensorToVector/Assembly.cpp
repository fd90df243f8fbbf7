//===- Assembly.cpp - inline assembly
//--------------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

/// Runs the assembly once, on scalars.
SmallVector<Value> Lowering::assemble(tt::ElementwiseInlineAsmOp op,
                                      ValueRange operands) {
  SmallVector<Type> types;
  for (Type type : op->getResultTypes())
    types.push_back(lowered(getElementTypeOrSelf(type)));
  Type result = types.front();
  if (types.size() > 1)
    result = LLVM::LLVMStructType::getLiteral(builder.getContext(), types);
  Value value =
      LLVM::InlineAsmOp::create(
          builder, loc, result, operands, op.getAsmString(),
          op.getConstraints(),
          /*has_side_effects=*/!op.getPure(), /*is_align_stack=*/false,
          LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr())
          .getResult(0);
  if (types.size() == 1)
    return {value};
  SmallVector<Value> values;
  for (size_t index = 0; index < types.size(); ++index)
    values.push_back(LLVM::ExtractValueOp::create(builder, loc, value, index));
  return values;
}

/// The assembly knows nothing of vectors: it runs once for each element. It is
/// in the language of the machine that the kernel is compiled for; another
/// machine's is an error of the assembler at the user's line.
LogicalResult Lowering::emitAssembly(tt::ElementwiseInlineAsmOp op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (type && op.getPackedElement() != 1)
    return op->emitError("SG0408: inline assembly that takes ")
           << op.getPackedElement()
           << " elements at a time is not supported by this backend";
  if (!type) {
    SmallVector<Value> operands;
    for (Value argument : op.getArgs())
      operands.push_back(scalar(argument));
    scalars.map(op->getResults(), assemble(op, operands));
    return success();
  }
  SmallVector<Buffer> outputs;
  for (Value result : op->getResults())
    outputs.push_back(allocateLike(result));
  forEachTile(type.getShape(), -1, 1, {}, {}, [&](const Tile &tile) {
    SmallVector<Value> operands = evaluateAll(op.getArgs(), tile);
    builder.restoreInsertionPoint(points.back());
    for (auto [output, value] : llvm::zip(outputs, assemble(op, operands)))
      writeBuffer(output, tile, value);
  });
  for (auto [result, output] : llvm::zip(op->getResults(), outputs))
    buffers[result] = output;
  return success();
}

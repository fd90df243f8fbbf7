//===- Effects.cpp - prints and assertions --------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program prints through the C library. An assertion that does not hold calls
// the function that the launcher left at the start of the scratch area, which
// does not return: it ends the program and the launch raises.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

bool vectorize::mayFail(func::FuncOp kernel) {
  return kernel.walk([](tt::AssertOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

/// The address of a zero-terminated constant.
Value Lowering::text(StringRef value) {
  auto module = program->getParentOfType<ModuleOp>();
  std::string stored = value.str() + '\0';
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  unsigned number = 0;
  std::string name;
  do
    name = (kernel.getName() + ".text" + Twine(number++)).str();
  while (module.lookupSymbol(name));
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), stored.size());
  LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true,
                         LLVM::Linkage::Private, name,
                         builder.getStringAttr(stored));
  builder.setInsertionPointToStart(&program.front());
  return LLVM::AddressOfOp::create(builder, loc, scratch.getType(), name);
}

//===----------------------------------------------------------------------===//
// Prints
//===----------------------------------------------------------------------===//

void Lowering::callPrintf(StringRef format, ValueRange arguments) {
  auto module = program->getParentOfType<ModuleOp>();
  Type pointer = scratch.getType();
  auto type = LLVM::LLVMFunctionType::get(builder.getI32Type(), {pointer},
                                          /*isVarArg=*/true);
  if (!module.lookupSymbol("printf")) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    LLVM::LLVMFuncOp::create(builder, module.getLoc(), "printf", type);
  }
  SmallVector<Value> operands = {text(format)};
  llvm::append_range(operands, arguments);
  LLVM::CallOp::create(builder, loc, type, "printf", operands);
}

/// Widens a value as C does for a variadic function, and says how it is
/// written.
std::string Lowering::formatOf(Value &value, bool isSigned, bool hex) {
  Type type = value.getType();
  if (isa<LLVM::LLVMPointerType>(type))
    return "%p";
  if (isa<FloatType>(type)) {
    Type f64 = builder.getF64Type();
    if (type != f64)
      value = arith::ExtFOp::create(builder, loc, f64, value);
    return "%f";
  }
  unsigned digits = (type.getIntOrFloatBitWidth() + 3) / 4;
  Type i64 = builder.getI64Type();
  if (type != i64) {
    bool extendSign = isSigned && !hex && !type.isInteger(1);
    value = extendSign
                ? arith::ExtSIOp::create(builder, loc, i64, value).getResult()
                : arith::ExtUIOp::create(builder, loc, i64, value).getResult();
  }
  if (hex)
    return "0x%0" + std::to_string(digits) + "llx";
  return isSigned ? "%lld" : "%llu";
}

/// One line for each element: the program, the position, the prefix, the value.
LogicalResult Lowering::emitPrint(tt::PrintOp op) {
  std::string where = "pid (%d, %d, %d)";
  SmallVector<Value> ids(gridArguments, gridArguments + 3);
  if (op.getArgs().empty()) {
    callPrintf(where + op.getPrefix().str() + "\n", ids);
    return success();
  }
  for (auto [number, argument] : llvm::enumerate(op.getArgs())) {
    bool isSigned =
        number >= op.getIsSigned().size() || op.getIsSigned()[number];
    std::string label = op.getPrefix().str();
    if (op.getArgs().size() > 1)
      label += "(operand " + std::to_string(number) + ") ";
    auto line = [&](ArrayRef<int64_t> shape, ValueRange position, Value value) {
      // As wide as the last position, as upstream writes them.
      std::string format = where + " idx (";
      for (auto [dim, size] : llvm::enumerate(shape))
        format += (dim ? ", %" : "%") +
                  std::to_string(std::to_string(size - 1).size()) + "lld";
      std::string written = formatOf(value, isSigned, op.getHex());
      SmallVector<Value> arguments(ids);
      llvm::append_range(arguments, position);
      arguments.push_back(value);
      callPrintf(format + ")" + label + written + "\n", arguments);
    };
    if (!isBlock(argument)) {
      line({}, {}, scalar(argument));
      continue;
    }
    ArrayRef<int64_t> shape = typeOf(argument).getShape();
    forEachTile(shape, -1, 1, {}, {}, [&](const Tile &tile) {
      Value value = evaluate(argument, tile).value;
      builder.restoreInsertionPoint(points.back());
      SmallVector<Value> position;
      for (const Coordinate &coordinate : tile.coordinates)
        position.push_back(coordinate.start);
      line(shape, position, value);
    });
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Assertions
//===----------------------------------------------------------------------===//

/// Ends the program unless `holds`: calls `scratch[0](scratch[1], message)`.
void Lowering::require(Value holds, Value message) {
  Type pointer = scratch.getType();
  Value one =
      arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
  Value fails = arith::XOrIOp::create(builder, loc, holds, one);
  auto branch =
      scf::IfOp::create(builder, loc, fails, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  Value function = LLVM::LoadOp::create(builder, loc, pointer, scratch);
  Value context = LLVM::LoadOp::create(builder, loc, pointer,
                                       address(scratch, pointer, constant(1)));
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(builder.getContext()), {pointer, pointer});
  LLVM::CallOp::create(builder, loc, type,
                       ValueRange{function, context, message});
}

LogicalResult Lowering::emitAssert(tt::AssertOp op) {
  std::string where;
  llvm::raw_string_ostream stream(where);
  if (auto file = op.getLoc()->findInstanceOf<FileLineColLoc>())
    stream << file.getFilename().getValue() << ":" << file.getLine() << ": ";
  stream << op.getMessage();
  Value message = text(where);
  Value condition = op.getCondition();
  if (!isBlock(condition)) {
    require(scalar(condition), message);
    return success();
  }
  ArrayRef<int64_t> shape = typeOf(condition).getShape();
  int64_t vectorDim = chooseVectorDim(condition);
  Width width = vectorDim < 0 ? 1
                              : chooseWidth(builder.getI32Type(),
                                            shape[vectorDim], condition);
  forEachTile(shape, vectorDim, width, condition, {}, [&](const Tile &tile) {
    Lanes holds = evaluate(condition, tile);
    builder.restoreInsertionPoint(points.back());
    Value all = holds.value;
    if (!holds.uniform)
      all = vector::ReductionOp::create(builder, loc,
                                        vector::CombiningKind::AND, all);
    require(all, message);
  });
  return success();
}

LogicalResult Lowering::emitEffect(Operation *op) {
  if (auto print = dyn_cast<tt::PrintOp>(op))
    return emitPrint(print);
  if (auto assertion = dyn_cast<tt::AssertOp>(op))
    return emitAssert(assertion);
  return op->emitError("SG0405: '")
         << op->getName().getStringRef()
         << "' on a block is not supported by this backend";
}

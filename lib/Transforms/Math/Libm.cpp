//===- Libm.cpp - calls of the C library per element ----------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Libm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace seagrove::math_expansion {

/// Longer vectors are taken apart by a loop, shorter ones in line.
static constexpr int64_t kMaxInline = 8;

/// The function that computes on scalars of `type`, declared as one that only
/// computes: it may be moved and merged.
static func::FuncOp declare(ImplicitLocOpBuilder &b, SymbolTable &symbols,
                            StringRef name, Type type, unsigned operands) {
  std::string symbol = name.str() + (type.isF32() ? "f" : "");
  if (auto known = symbols.lookup<func::FuncOp>(symbol))
    return known;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(cast<ModuleOp>(symbols.getOp()).getBody());
  SmallVector<Type> inputs(operands, type);
  auto function =
      func::FuncOp::create(b, symbol, b.getFunctionType(inputs, {type}));
  function.setPrivate();
  function->setAttr("llvm.readnone", b.getUnitAttr());
  function->setAttr("passthrough",
                    b.getStrArrayAttr({"nounwind", "willreturn"}));
  symbols.insert(function);
  return function;
}

static Value callOnElement(ImplicitLocOpBuilder &b, func::FuncOp function,
                           ValueRange vectors, Value result,
                           OpFoldResult index) {
  SmallVector<Value> elements;
  for (Value vector : vectors)
    elements.push_back(vector::ExtractOp::create(b, vector, index));
  Value value = func::CallOp::create(b, function, elements).getResult(0);
  return vector::InsertOp::create(b, value, result, index);
}

/// Takes vectors of one dimension apart.
static Value callOnVectors(ImplicitLocOpBuilder &b, func::FuncOp function,
                           ValueRange vectors) {
  auto type = cast<VectorType>(vectors[0].getType());
  int64_t size = type.getNumElements();
  Value result = arith::ConstantOp::create(b, b.getZeroAttr(type));
  if (!type.isScalable() && size <= kMaxInline) {
    for (int64_t i = 0; i < size; ++i)
      result = callOnElement(b, function, vectors, result, b.getIndexAttr(i));
    return result;
  }

  Value first = arith::ConstantIndexOp::create(b, 0);
  Value step = arith::ConstantIndexOp::create(b, 1);
  Value end = arith::ConstantIndexOp::create(b, size);
  if (type.isScalable())
    end = arith::MulIOp::create(b, end, vector::VectorScaleOp::create(b));
  auto loop = scf::ForOp::create(b, first, end, step, ValueRange{result});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value next = callOnElement(b, function, vectors, loop.getRegionIterArg(0),
                             OpFoldResult(loop.getInductionVar()));
  scf::YieldOp::create(b, next);
  return loop.getResult(0);
}

Value callLibm(ImplicitLocOpBuilder &b, SymbolTable &symbols, StringRef name,
               ValueRange operands) {
  Type type = operands[0].getType();
  func::FuncOp function =
      declare(b, symbols, name, getElementTypeOrSelf(type), operands.size());
  auto vectorType = dyn_cast<VectorType>(type);
  if (!vectorType)
    return func::CallOp::create(b, function, operands).getResult(0);
  if (vectorType.getRank() == 1)
    return callOnVectors(b, function, operands);

  auto flat =
      VectorType::get({vectorType.getNumElements()},
                      vectorType.getElementType(), {vectorType.isScalable()});
  SmallVector<Value> flatOperands;
  for (Value operand : operands)
    flatOperands.push_back(vector::ShapeCastOp::create(b, flat, operand));
  Value result = callOnVectors(b, function, flatOperands);
  return vector::ShapeCastOp::create(b, vectorType, result);
}

} // namespace seagrove::math_expansion

//===- Functions.cpp - tt.func, tt.call, tt.return ------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Interfaces/FunctionImplementation.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove::tt;

//===----------------------------------------------------------------------===//
// tt.func
//===----------------------------------------------------------------------===//

void FuncOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                   FunctionType type, ArrayRef<NamedAttribute> attrs,
                   ArrayRef<DictionaryAttr> argAttrs) {
  auto &properties = state.getOrAddProperties<Properties>();
  properties.setSymName(builder.getStringAttr(name));
  properties.setFunctionType(TypeAttr::get(type));
  state.attributes.append(attrs.begin(), attrs.end());
  state.addRegion();
  if (argAttrs.empty())
    return;
  assert(type.getNumInputs() == argAttrs.size());
  call_interface_impl::addArgAndResultAttrs(
      builder, state, argAttrs, /*resultAttrs=*/{},
      getArgAttrsAttrName(state.name), getResAttrsAttrName(state.name));
}

ParseResult FuncOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType =
      [](Builder &builder, ArrayRef<Type> args, ArrayRef<Type> results,
         function_interface_impl::VariadicFlag, std::string &) -> Type {
    return builder.getFunctionType(args, results);
  };
  return function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false,
      getFunctionTypeAttrName(result.name), buildType,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void FuncOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(
      printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
      getArgAttrsAttrName(), getResAttrsAttrName());
}

//===----------------------------------------------------------------------===//
// tt.call
//===----------------------------------------------------------------------===//

FunctionType CallOp::getCalleeType() {
  return FunctionType::get(getContext(), getOperandTypes(), getResultTypes());
}

/// Checks one direction of a call: what is passed, or what comes back.
static LogicalResult verifyCallTypes(CallOp call, StringRef what,
                                     TypeRange given, TypeRange wanted) {
  if (given.size() != wanted.size())
    return call.emitOpError("has ")
           << given.size() << " " << what << "s but @" << call.getCallee()
           << " has " << wanted.size();
  for (auto [index, pair] : llvm::enumerate(llvm::zip(given, wanted))) {
    auto [have, want] = pair;
    if (have != want)
      return call.emitOpError(what)
             << " " << index << " is " << describe(have) << " but @"
             << call.getCallee() << " has " << describe(want);
  }
  return success();
}

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto callee = symbols.lookupNearestSymbolFrom<FuncOp>(*this, getCalleeAttr());
  if (!callee)
    return emitOpError("calls @") << getCallee() << ", which is no function";
  FunctionType type = callee.getFunctionType();
  if (failed(verifyCallTypes(*this, "argument", getOperandTypes(),
                             type.getInputs())))
    return failure();
  return verifyCallTypes(*this, "result", getResultTypes(), type.getResults());
}

//===----------------------------------------------------------------------===//
// tt.return
//===----------------------------------------------------------------------===//

LogicalResult ReturnOp::verify() {
  auto function = cast<FuncOp>((*this)->getParentOp());
  ArrayRef<Type> wanted = function.getResultTypes();
  if (getNumOperands() != wanted.size())
    return emitOpError("gives ")
           << getNumOperands() << " values but @" << function.getName()
           << " returns " << wanted.size();
  for (auto [index, pair] :
       llvm::enumerate(llvm::zip(getOperandTypes(), wanted))) {
    auto [have, want] = pair;
    if (have != want)
      return emitOpError("value ")
             << index << " is " << describe(have) << " but @"
             << function.getName() << " returns " << describe(want);
  }
  return success();
}

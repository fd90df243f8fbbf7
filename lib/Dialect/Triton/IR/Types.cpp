//===- Types.cpp - types of tt, their text and helpers --------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Dialect/Triton/IR/Dialect.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace seagrove::tt;

#define GET_TYPEDEF_CLASSES
#include "seagrove/Dialect/Triton/IR/Types.cpp.inc"

void TritonDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "seagrove/Dialect/Triton/IR/Types.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// !tt.ptr
//===----------------------------------------------------------------------===//

/// Parses a number (3.6 to 3.8) or a name (3.9).
static ParseResult parseAddressSpace(AsmParser &parser, int &space) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  std::string name;
  if (failed(parser.parseOptionalString(&name)))
    return parser.parseInteger(space);
  if (name == "global")
    space = PointerType::kGlobal;
  else if (name == "constant")
    space = PointerType::kConstant;
  else
    return parser.emitError(loc, "unknown address space '")
           << name << "'; known are \"global\", \"constant\" and numbers";
  return success();
}

Type PointerType::parse(AsmParser &parser) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  Type pointee;
  int space = kGlobal;
  if (parser.parseLess() || parser.parseType(pointee))
    return {};
  if (succeeded(parser.parseOptionalComma()) &&
      parseAddressSpace(parser, space))
    return {};
  if (parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(loc); }, pointee, space);
}

void PointerType::print(AsmPrinter &printer) const {
  printer << "<" << getPointeeType();
  if (getAddressSpace() == kConstant)
    printer << ", \"constant\"";
  else if (getAddressSpace() != kGlobal)
    printer << ", " << getAddressSpace();
  printer << ">";
}

LogicalResult
PointerType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                    Type pointeeType, int addressSpace) {
  if (isa<IntegerType, FloatType, PointerType, RankedTensorType>(pointeeType))
    return success();
  return emitError() << "a pointer points to an integer, a float, a pointer or "
                        "a block, not to "
                     << pointeeType;
}

//===----------------------------------------------------------------------===//
// !tt.tensordesc
//===----------------------------------------------------------------------===//

Type TensorDescType::parse(AsmParser &parser) {
  llvm::SMLoc loc = parser.getCurrentLocation();
  SmallVector<int64_t> shape;
  Type elementType;
  Attribute layout;
  if (parser.parseLess())
    return {};
  // 3.6 and 3.7 wrap the shape in a tensor type.
  bool wrapped = succeeded(parser.parseOptionalKeyword("tensor"));
  if (wrapped && parser.parseLess())
    return {};
  if (parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(elementType))
    return {};
  if (succeeded(parser.parseOptionalComma()) && parser.parseAttribute(layout))
    return {};
  if (parser.parseGreater() || (wrapped && parser.parseGreater()))
    return {};
  return getChecked([&] { return parser.emitError(loc); }, shape, elementType,
                    layout);
}

void TensorDescType::print(AsmPrinter &printer) const {
  printer << "<";
  for (int64_t size : getShape())
    printer << size << "x";
  printer << getElementType();
  if (getLayout())
    printer << ", " << getLayout();
  printer << ">";
}

LogicalResult
TensorDescType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                       ArrayRef<int64_t> shape, Type elementType,
                       Attribute layout) {
  if (shape.empty())
    return emitError() << "a tensor descriptor needs at least one dimension";
  if (!isa<IntegerType, FloatType>(elementType))
    return emitError() << "elements of a tensor descriptor are integers or "
                          "floats, not "
                       << elementType;
  return success();
}

Type TensorDescType::getSignlessElementType() {
  if (auto integer = dyn_cast<IntegerType>(getElementType()))
    return IntegerType::get(getContext(), integer.getWidth());
  return getElementType();
}

RankedTensorType TensorDescType::getBlockType() {
  return RankedTensorType::get(getShape(), getSignlessElementType());
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

namespace seagrove::tt {

/// Returns `type` with another element type, at the same shape.
static Type withElementType(Type type, Type element) {
  if (auto block = dyn_cast<RankedTensorType>(type))
    return block.clone(element);
  return element;
}

Type getPointeeTypeOrSelf(Type type) {
  auto pointer = dyn_cast<PointerType>(getElementTypeOrSelf(type));
  return pointer ? withElementType(type, pointer.getPointeeType()) : type;
}

Type getMaskType(Type type) {
  return withElementType(type, IntegerType::get(type.getContext(), 1));
}

Type getElementPointerType(Type type) {
  auto pointer = dyn_cast<PointerType>(type);
  if (!pointer || !pointer.isBlockPointer())
    return type;
  return PointerType::get(getElementTypeOrSelf(pointer.getPointeeType()),
                          pointer.getAddressSpace());
}

Type getPointerTypeTo(Type type, int addressSpace) {
  return withElementType(
      type, PointerType::get(getElementTypeOrSelf(type), addressSpace));
}

bool isPointerLike(Type type) {
  return isa<PointerType>(getElementTypeOrSelf(type));
}

std::string describeShape(Type type) {
  auto block = dyn_cast<RankedTensorType>(type);
  if (!block || block.getRank() == 0)
    return "scalar";
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleave(block.getShape(), os, "x");
  return text;
}

std::string describe(Type type) {
  std::string text;
  llvm::raw_string_ostream os(text);
  Type element = getElementTypeOrSelf(type);
  bool isBlock = isa<RankedTensorType>(type);
  if (isBlock)
    os << "block of " << describeShape(type) << " ";
  if (auto pointer = dyn_cast<PointerType>(element)) {
    os << (isBlock ? "pointers to " : "pointer to ")
       << describe(pointer.getPointeeType());
    return text;
  }
  os << element;
  return text;
}

} // namespace seagrove::tt

//===- FloatsAsBits.cpp - floats held as integers -------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Support/FloatsAsBits.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;

namespace {

class Retyping {
public:
  explicit Retyping(function_ref<bool(FloatType)> isChosen)
      : isChosen(isChosen) {}

  void run(Operation *root) {
    SmallVector<Operation *> casts;
    root->walk([&](Operation *op) {
      retypeValues(op);
      if (auto function = dyn_cast<FunctionOpInterface>(op))
        retypeSignature(function);
      if (auto constant = dyn_cast<arith::ConstantOp>(op))
        constant.setValueAttr(retyped(constant.getValue()));
      if (isa<arith::BitcastOp>(op))
        casts.push_back(op);
    });
    for (Operation *cast : casts) {
      if (cast->getOperand(0).getType() != cast->getResult(0).getType())
        continue;
      cast->getResult(0).replaceAllUsesWith(cast->getOperand(0));
      cast->erase();
    }
  }

private:
  Type retyped(Type type) const {
    auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type));
    if (!element || !isChosen(element))
      return type;
    Type bits = IntegerType::get(type.getContext(), element.getWidth());
    if (auto shaped = dyn_cast<ShapedType>(type))
      return shaped.clone(bits);
    return bits;
  }

  TypedAttr retyped(TypedAttr attribute) const {
    Type type = retyped(attribute.getType());
    if (type == attribute.getType())
      return attribute;
    if (auto number = dyn_cast<FloatAttr>(attribute))
      return IntegerAttr::get(type, number.getValue().bitcastToAPInt());
    if (auto elements = dyn_cast<DenseElementsAttr>(attribute))
      return elements.bitcast(getElementTypeOrSelf(type));
    return attribute;
  }

  void retypeValues(Operation *op) const {
    for (Value result : op->getResults())
      result.setType(retyped(result.getType()));
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          argument.setType(retyped(argument.getType()));
  }

  void retypeSignature(FunctionOpInterface function) const {
    auto retype = [&](Type type) { return retyped(type); };
    auto inputs = llvm::map_to_vector(function.getArgumentTypes(), retype);
    auto results = llvm::map_to_vector(function.getResultTypes(), retype);
    // A type of another dialect may have no clone with the results it has.
    if (!llvm::equal(inputs, function.getArgumentTypes()) ||
        !llvm::equal(results, function.getResultTypes()))
      function.setType(function.cloneTypeWith(inputs, results));
  }

  function_ref<bool(FloatType)> isChosen;
};

} // namespace

void seagrove::holdFloatsAsBits(Operation *root,
                                function_ref<bool(FloatType)> isChosen) {
  Retyping(isChosen).run(root);
}

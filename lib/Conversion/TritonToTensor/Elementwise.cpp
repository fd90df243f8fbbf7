//===- Elementwise.cpp - arithmetic on each element -----------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace seagrove;

Type seagrove::withElement(Type type, Type element) {
  if (auto block = dyn_cast<RankedTensorType>(type))
    return block.clone(element);
  return element;
}

Value seagrove::constantLike(OpBuilder &b, Location loc, Type type,
                             int64_t value) {
  TypedAttr attribute = b.getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto block = dyn_cast<RankedTensorType>(type))
    attribute = DenseElementsAttr::get(block, attribute);
  return arith::ConstantOp::create(b, loc, attribute);
}

Value seagrove::floatConstantLike(OpBuilder &b, Location loc, Type type,
                                  double value) {
  TypedAttr attribute = b.getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto block = dyn_cast<RankedTensorType>(type))
    attribute = DenseElementsAttr::get(block, attribute);
  return arith::ConstantOp::create(b, loc, attribute);
}

static bool holdsPointers(Type type) {
  return isa<tt::PointerType>(getElementTypeOrSelf(type));
}

/// Clamps; a NaN stays only where the operation says so.
static Value clamp(OpBuilder &b, tt::ClampFOp op) {
  Location loc = op.getLoc();
  if (op.getPropagateNan() == tt::PropagateNan::All) {
    Value raised = arith::MaximumFOp::create(b, loc, op.getX(), op.getMin());
    return arith::MinimumFOp::create(b, loc, raised, op.getMax());
  }
  Value raised = arith::MaxNumFOp::create(b, loc, op.getX(), op.getMin());
  return arith::MinNumFOp::create(b, loc, raised, op.getMax());
}

Lowered seagrove::lowerElementwise(IRRewriter &rewriter, Operation *op) {
  Location loc = op->getLoc();
  Value result =
      llvm::TypeSwitch<Operation *, Value>(op)
          .Case([&](tt::MulhiUIOp product) -> Value {
            return arith::MulUIExtendedOp::create(rewriter, loc, product.getX(),
                                                  product.getY())
                .getHigh();
          })
          .Case([&](tt::PreciseSqrtOp root) -> Value {
            return math::SqrtOp::create(rewriter, loc, root.getX());
          })
          .Case<tt::PreciseDivFOp, tt::ApproxDivFOp>(
              [&](auto quotient) -> Value {
                return arith::DivFOp::create(rewriter, loc, quotient.getX(),
                                             quotient.getY());
              })
          .Case([&](tt::ClampFOp limited) -> Value {
            return clamp(rewriter, limited);
          })
          .Case([&](tt::BitcastOp cast) -> Value {
            if (holdsPointers(cast.getType()))
              return {};
            if (cast.getType() == cast.getSrc().getType())
              return cast.getSrc();
            return arith::BitcastOp::create(rewriter, loc, cast.getType(),
                                            cast.getSrc());
          })
          .Default([](Operation *) { return Value(); });
  if (!result)
    return std::nullopt;
  rewriter.replaceOp(op, result);
  return success();
}

//===- Dot.cpp - matrix products ------------------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace seagrove;

/// An operand of a product; a block of 8-bit floats becomes one of bf16, which
/// holds each of their values.
static Value prepareOperand(OpBuilder &b, Location loc, Value operand) {
  if (!isNarrowFloat(getElementTypeOrSelf(operand.getType())))
    return operand;
  return widenNarrowFloat(b, loc, operand, b.getBF16Type());
}

Operation *seagrove::emitProduct(OpBuilder &b, Location loc, Value lhs,
                                 Value rhs, Value acc) {
  if (cast<RankedTensorType>(acc.getType()).getRank() == 2)
    return linalg::MatmulOp::create(b, loc, TypeRange(acc.getType()),
                                    ValueRange{lhs, rhs}, ValueRange(acc));
  return linalg::BatchMatmulOp::create(b, loc, TypeRange(acc.getType()),
                                       ValueRange{lhs, rhs}, ValueRange(acc));
}

Lowered seagrove::lowerDot(IRRewriter &rewriter, Operation *op) {
  Location loc = op->getLoc();
  if (auto dot = dyn_cast<tt::DotOp>(op)) {
    Value lhs = prepareOperand(rewriter, loc, dot.getA());
    Value rhs = prepareOperand(rewriter, loc, dot.getB());
    Operation *product = emitProduct(rewriter, loc, lhs, rhs, dot.getC());
    product->setAttr("sg.input_precision",
                     rewriter.getStringAttr(
                         tt::stringifyInputPrecision(dot.getInputPrecision())));
    if (dot.getMaxNumImpreciseAcc() != 0)
      product->setAttr("sg.max_num_imprecise_acc",
                       rewriter.getI32IntegerAttr(dot.getMaxNumImpreciseAcc()));
    rewriter.replaceOp(op, product->getResults());
    return success();
  }
  if (auto dot = dyn_cast<tt::DotScaledOp>(op))
    return lowerDotScaled(rewriter, dot);
  return std::nullopt;
}

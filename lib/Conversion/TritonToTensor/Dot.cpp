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

/// An operand of a product that is added to `sums`; a block of 8-bit floats
/// becomes one of bf16, or of f16 where the sums are. Both hold each of their
/// values, but bf16 does not widen to f16.
static Value prepareOperand(OpBuilder &b, Location loc, Value operand,
                            Value sums) {
  if (!isNarrowFloat(getElementTypeOrSelf(operand.getType())))
    return operand;
  Type element = getElementTypeOrSelf(sums.getType());
  return widenNarrowFloat(b, loc, operand,
                          element.isF16() ? element : b.getBF16Type());
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
    Value lhs = prepareOperand(rewriter, loc, dot.getA(), dot.getC());
    Value rhs = prepareOperand(rewriter, loc, dot.getB(), dot.getC());
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

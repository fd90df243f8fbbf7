//===- Integers.cpp - from floats to integers without a rounding mode -----===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For targets whose vectors convert in the current rounding mode only, while a
// conversion to an integer rounds towards zero.
//
//===----------------------------------------------------------------------===//

#include "Functions.h"
#include "SmallFloats.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;

namespace seagrove::math_expansion {

/// |x| without its fraction. What does not fit is undefined in Triton too.
static Int wholeSize(Flt x) {
  MathBuilder &m = *x.m;
  unsigned mantissa = m.mantissaBits();
  Int bits = bitsOf(abs(x));
  Int digits =
      (bits & ((int64_t(1) << mantissa) - 1)) | (int64_t(1) << mantissa);
  // The number is `digits` times 2 to the power of `exponent`.
  int64_t bias = m.bias();
  Int exponent = shiftRight(bits, mantissa) - (bias + mantissa);
  Int zero = m.constantInt(0);
  Int widest = m.constantInt(m.isF64() ? 63 : 31);
  auto amount = [&](Int wanted) {
    Int most = select(lessSigned(widest, wanted), widest, wanted);
    return select(lessSigned(most, zero), zero, most);
  };
  Int down = shiftRight(digits, amount(zero - exponent));
  Int up = shiftLeft(digits, amount(exponent));
  return select(lessSigned(exponent, zero), down, up);
}

static void expand(Operation *op, bool isSigned,
                   const ExpandMathOptions &options,
                   DenseMap<Operation *, ConstantCache> &constants) {
  ImplicitLocOpBuilder b(op->getLoc(), op);
  Value from = op->getOperand(0);
  Type type = op->getResult(0).getType();
  unsigned bits = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  auto vector = cast<VectorType>(from.getType());
  if (bits > 32 && vector.getElementType().isF32())
    from = arith::ExtFOp::create(b, vector.clone(b.getF64Type()), from);
  MathBuilder m(b, from.getType(), options,
                constants[op->getParentOfType<FunctionOpInterface>()]);
  Flt x = m.flt(from);
  Int whole = wholeSize(x);
  if (isSigned)
    whole = select(x < 0.0, m.constantInt(0) - whole, whole);
  Value result = whole.value;
  unsigned computed = m.isF64() ? 64 : 32;
  if (computed > bits)
    result = arith::TruncIOp::create(b, type, result);
  op->replaceAllUsesWith(ValueRange{result});
  op->erase();
}

void expandConversionsToIntegers(
    Operation *root, const ExpandMathOptions &options,
    DenseMap<Operation *, ConstantCache> &constants) {
  SmallVector<Operation *> found;
  root->walk([&](Operation *op) {
    if (!isa<arith::FPToSIOp, arith::FPToUIOp>(op))
      return;
    auto vector = dyn_cast<VectorType>(op->getOperand(0).getType());
    if (vector && vector.getElementTypeBitWidth() >= 32)
      found.push_back(op);
  });
  for (Operation *op : found)
    expand(op, isa<arith::FPToSIOp>(op), options, constants);
}

} // namespace seagrove::math_expansion

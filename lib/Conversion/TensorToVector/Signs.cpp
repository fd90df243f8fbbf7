//===- Signs.cpp - exponentials that cannot overflow
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A softmax takes the exponential of elements less the largest of them, which
// is never positive; an exponential that has to care for one end of its range
// only takes four operations less. The difference of floats never has another
// sign than that of the numbers, so this is no question of rounding, as long as
// the numbers themselves are rounded (see allow-fp-contraction).
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "seagrove/Transforms/Passes.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;
using Kind = vector::CombiningKind;

/// Returns true if `large`, where neither is NaN, is not less than `small` at
/// each position; `dropped` are the dimensions of `small` that it lacks.
static bool isAtLeast(Value large, Value small, ArrayRef<int64_t> dropped) {
  if (large == small && dropped.empty())
    return true;
  Operation *op = large.getDefiningOp();
  if (!op)
    return false;
  if (isa<arith::MaxNumFOp, arith::MaximumFOp>(op))
    return llvm::any_of(op->getOperands(), [&](Value operand) {
      return isAtLeast(operand, small, dropped);
    });
  if (auto splat = dyn_cast<tensor::SplatOp>(op))
    if (cast<ShapedType>(large.getType()).getRank() == 1 && dropped.empty())
      return isAtLeast(splat.getInput(), small, {0});
  if (auto broadcast = dyn_cast<linalg::BroadcastOp>(op))
    return dropped.empty() &&
           isAtLeast(broadcast.getInput(), small, broadcast.getDimensions());
  auto reduce = dyn_cast<sg::ReduceOp>(op);
  if (!reduce || reduce.getInputs().size() != 1 ||
      reduce.getInputs().front() != small || dropped.size() != 1 ||
      dropped.front() != static_cast<int64_t>(reduce.getAxis()))
    return false;
  std::optional<Kind> kind = kindOf(reduce.getCombiner());
  return kind == Kind::MAXNUMF || kind == Kind::MAXIMUMF;
}

void vectorize::markNeverPositive(func::FuncOp kernel) {
  kernel.walk([](Operation *op) {
    if (!isa<math::ExpOp, math::Exp2Op>(op))
      return;
    auto difference = op->getOperand(0).getDefiningOp<arith::SubFOp>();
    if (difference && isAtLeast(difference.getRhs(), difference.getLhs(), {}))
      op->setAttr(kNeverPositive, UnitAttr::get(op->getContext()));
  });
}

//===- LowerToTensor.cpp - the pass lower-to-tensor -----------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"

#include "seagrove/Conversion/Passes.h"
#include "seagrove/Dialect/Access/IR/Access.h"
#include "seagrove/Dialect/Triton/IR/Barrier.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace seagrove {
#define GEN_PASS_DEF_LOWERTOTENSOR
#include "seagrove/Conversion/Passes.h.inc"
} // namespace seagrove

using namespace mlir;
using namespace seagrove;

/// True for operations that say nothing where a program runs on one thread, one
/// launch after the other.
static bool isWithoutMeaning(Operation *op) {
  return isa<gpu::BarrierOp, ttg::BarrierOp, tt::GridDependencyWaitOp,
             tt::GridDependencyLaunchDependentsOp, LLVM::AssumeOp>(op);
}

/// True for operations of `tt` that a later pass lowers.
static bool isKept(Operation *op) {
  if (isa<tt::PrintOp, tt::AssertOp, tt::ElementwiseInlineAsmOp,
          tt::GetProgramIdOp, tt::GetNumProgramsOp>(op))
    return true;
  auto isBlock = [](Type type) { return isa<RankedTensorType>(type); };
  bool isScalar = llvm::none_of(op->getOperandTypes(), isBlock) &&
                  llvm::none_of(op->getResultTypes(), isBlock);
  return isScalar &&
         isa<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp,
             tt::AtomicLoadOp, tt::AtomicStoreOp, tt::AtomicPollOp,
             tt::AddPtrOp, tt::IntToPtrOp, tt::PtrToIntOp, tt::BitcastOp>(op);
}

/// Tries the lowerings of each theme.
static LogicalResult lowerOperation(IRRewriter &rewriter, Operation *op) {
  rewriter.setInsertionPoint(op);
  if (isWithoutMeaning(op)) {
    rewriter.eraseOp(op);
    return success();
  }
  for (auto lower : {lowerShape, lowerElementwise, lowerFloatCast, lowerCombine,
                     lowerDot, lowerExtern})
    if (Lowered lowered = lower(rewriter, op))
      return *lowered;
  if (!isa<tt::TritonDialect>(op->getDialect()) || isKept(op) ||
      isa<tt::FuncOp, tt::ReturnOp, tt::CallOp>(op))
    return success();
  return op->emitError("SG0301: '")
         << op->getName() << "' is not supported on blocks yet";
}

/// Turns `tt.func` and what belongs to it into `func.func`.
static void lowerFunction(IRRewriter &rewriter, tt::FuncOp func) {
  rewriter.setInsertionPoint(func);
  auto lowered = func::FuncOp::create(rewriter, func.getLoc(), func.getName(),
                                      func.getFunctionType());
  for (NamedAttribute attribute : func->getDiscardableAttrs())
    lowered->setAttr(attribute.getName(), attribute.getValue());
  lowered.setSymVisibilityAttr(func.getSymVisibilityAttr());
  lowered.setArgAttrsAttr(func.getArgAttrsAttr());
  lowered.setResAttrsAttr(func.getResAttrsAttr());
  if (func.isPublic() && !func.isExternal())
    lowered->setAttr("sg.kernel", rewriter.getUnitAttr());
  rewriter.inlineRegionBefore(func.getBody(), lowered.getBody(),
                              lowered.getBody().end());
  rewriter.eraseOp(func);
  SmallVector<Operation *> ends;
  lowered.walk([&](Operation *op) {
    if (isa<tt::ReturnOp, tt::CallOp>(op))
      ends.push_back(op);
  });
  for (Operation *op : ends) {
    rewriter.setInsertionPoint(op);
    if (auto call = dyn_cast<tt::CallOp>(op))
      rewriter.replaceOpWithNewOp<func::CallOp>(
          op, call.getCallee(), call.getResultTypes(), call.getArgOperands());
    else
      rewriter.replaceOpWithNewOp<func::ReturnOp>(op, op->getOperands());
  }
}

namespace {

struct LowerToTensor : public seagrove::impl::LowerToTensorBase<LowerToTensor> {
  using LowerToTensorBase::LowerToTensorBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<Operation *> operations;
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      // The end of a region is lowered with the operation that owns it.
      if (!isa<tt::ReduceReturnOp, tt::ScanReturnOp,
               tt::MapElementwiseReturnOp>(op))
        operations.push_back(op);
    });
    bool failed = false;
    // Go on after an error: a user wants to see all of them.
    for (Operation *op : operations)
      failed |= mlir::failed(lowerOperation(rewriter, op));
    if (failed)
      return signalPassFailure();
    for (auto func :
         llvm::make_early_inc_range(getOperation().getOps<tt::FuncOp>()))
      lowerFunction(rewriter, func);
    retypeNarrowFloats(getOperation());
  }
};

} // namespace

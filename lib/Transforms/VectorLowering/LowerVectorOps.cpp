//===- LowerVectorOps.cpp - vector operations down to LLVM's --------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Transforms/Passes.h"

#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace seagrove {
#define GEN_PASS_DEF_LOWERVECTOROPS
#include "seagrove/Transforms/Passes.h.inc"
} // namespace seagrove

using namespace mlir;

namespace {

/// Returns true if the conversion to LLVM dialect takes `op` as it is, whatever
/// its shape.
bool convertsDirectly(Operation *op) {
  return isa<vector::ExtractOp, vector::InsertOp, vector::FMAOp, vector::LoadOp,
             vector::StoreOp, vector::PrintOp>(op);
}

/// Returns true if every vector that `op` touches has at most one dimension.
bool isFlat(Operation *op) {
  auto flat = [](Type type) {
    auto vector = dyn_cast<VectorType>(type);
    return !vector || vector.getRank() <= 1;
  };
  return llvm::all_of(op->getOperandTypes(), flat) &&
         llvm::all_of(op->getResultTypes(), flat);
}

/// Returns true if `op` needs one of the patterns below.
bool needsLowering(Operation *op) {
  if (!isa_and_nonnull<vector::VectorDialect>(op->getDialect()) ||
      convertsDirectly(op))
    return false;
  if (isa<vector::TransferReadOp, vector::TransferWriteOp, vector::MaskOp,
          vector::MultiDimReductionOp, vector::ContractionOp,
          vector::OuterProductOp, vector::TransposeOp, vector::ScanOp,
          vector::CreateMaskOp, vector::ConstantMaskOp, vector::StepOp,
          vector::ExtractStridedSliceOp, vector::InsertStridedSliceOp>(op))
    return true;
  return !isFlat(op);
}

/// Masks have to be gone before contractions are lowered: in one greedy set
/// the two feed each other without end.
void populateMaskPatterns(RewritePatternSet &patterns) {
  vector::populateVectorMaskOpLoweringPatterns(patterns);
  vector::populateVectorMaskMaterializationPatterns(
      patterns, /*force32BitVectorIndices=*/false);
}

void populateShapePatterns(RewritePatternSet &patterns) {
  vector::populateVectorContractLoweringPatterns(
      patterns, vector::VectorContractLowering::OuterProduct);
  vector::populateVectorOuterProductLoweringPatterns(patterns);
  vector::populateVectorMultiReductionLoweringPatterns(
      patterns, vector::VectorMultiReductionLowering::InnerParallel);
  vector::populateVectorBroadcastLoweringPatterns(patterns);
  vector::populateVectorShapeCastLoweringPatterns(patterns);
  vector::populateVectorTransposeLoweringPatterns(
      patterns, vector::VectorTransposeLowering::Shuffle1D);
  vector::populateVectorTransferPermutationMapLoweringPatterns(patterns);
  vector::populateVectorTransferLoweringPatterns(patterns,
                                                 /*maxTransferRank=*/1);
  vector::populateVectorScanLoweringPatterns(patterns);
  vector::populateVectorStepLoweringPatterns(patterns);
  vector::populateVectorGatherLoweringPatterns(patterns);
  vector::populateVectorInterleaveLoweringPatterns(patterns);
  vector::populateVectorBitCastLoweringPatterns(patterns, /*targetRank=*/1);
  vector::populateVectorInsertExtractStridedSliceTransforms(patterns);
}

struct LowerVectorOps
    : public seagrove::impl::LowerVectorOpsBase<LowerVectorOps> {
  void runOnOperation() override {
    bool transfers = false;
    getOperation()->walk([&](Operation *op) {
      transfers |= isa<vector::TransferReadOp, vector::TransferWriteOp>(op);
    });
    if (failed(apply(populateMaskPatterns)) ||
        failed(apply(populateShapePatterns)))
      return signalPassFailure();
    if (transfers && failed(apply([](RewritePatternSet &patterns) {
          populateVectorToSCFConversionPatterns(patterns);
          vector::populateVectorTransferLoweringPatterns(patterns, 1);
        })))
      return signalPassFailure();
  }

private:
  /// Rewrites the operations that need it, and what they become; the others are
  /// many, and nothing would be found in them.
  LogicalResult apply(function_ref<void(RewritePatternSet &)> populate) {
    SmallVector<Operation *> operations;
    getOperation()->walk([&](Operation *op) {
      if (needsLowering(op))
        operations.push_back(op);
    });
    if (operations.empty())
      return success();
    RewritePatternSet patterns(&getContext());
    populate(patterns);
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingAndNewOps);
    return applyOpPatternsGreedily(operations, std::move(patterns), config);
  }
};

} // namespace

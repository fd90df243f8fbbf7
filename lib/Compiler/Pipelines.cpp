//===- Pipelines.cpp - the stages of a kernel -----------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Compiler/Pipelines.h"

#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "seagrove/Conversion/Passes.h"
#include "seagrove/Transforms/Passes.h"

using namespace mlir;
using namespace seagrove;

static void addCleanUp(OpPassManager &manager) {
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void seagrove::buildStructurePipeline(OpPassManager &manager) {
  // Before the inliner, which puts a function of one block anywhere.
  manager.addPass(createLiftCallees());
  // It would canonicalize each function by itself, which drops loops that wait.
  manager.addPass(createInlinerPass({}, [](OpPassManager &) {}));
  manager.addPass(createSymbolDCEPass());
  manager.addPass(createKeepWaits());
  addCleanUp(manager);
  // Before the analysis, so that what a loop does not change is seen outside of
  // it and the offsets that the analysis derives are computed once.
  manager.addPass(createLoopInvariantCodeMotionPass());
  manager.addPass(createStructureAccesses());
  addCleanUp(manager);
}

void seagrove::buildTensorPipeline(OpPassManager &manager) {
  manager.addPass(createLowerToTensor());
  addCleanUp(manager);
  // After the clean-up, which puts broadcasts and reshapes in one form.
  manager.addPass(createFlattenBlocks());
  addCleanUp(manager);
  manager.addPass(createLoopInvariantCodeMotionPass());
}

void seagrove::buildLinalgPipeline(OpPassManager &manager) {
  manager.addPass(createConvertElementwiseToLinalgPass());
  addCleanUp(manager);
}

void seagrove::buildVectorPipeline(OpPassManager &manager,
                                   const api::Target &target) {
  VectorizeBlocksOptions options;
  options.vectorBits = target.vectorBits;
  options.vectorRegisters = target.vectorRegisters;
  options.scalableUnitBits = target.scalable ? target.scalableUnitBits : 0;
  options.scalableMaxBits = target.scalableMaxBits;
  options.registerGroup = target.registerGroup;
  options.l1Bytes = target.l1Bytes;
  options.l2Bytes = target.l2Bytes;
  options.lastLevelBytes = target.lastLevelBytes;
  options.fma = target.fma;
  for (const auto &[key, value] : target.attributes) {
    if (key == "matrix_units")
      for (StringRef name : llvm::split(value, ','))
        options.matrixUnits.push_back(name.trim().str());
    if (key == "maximum")
      options.comparesMaximum = value == "compares";
    if (key == "reads_ahead")
      options.rowsToSecondLevel = value == "second-level";
    if (key == "streams")
      options.streamsByHalves = value == "half-lines";
  }
  manager.addPass(createVectorizeBlocks(options));
  // The largest form that a kernel has: canonicalisation to a fixed point takes
  // a tenth of the compilation.
  manager.addPass(createFoldOperations());
  manager.addPass(createCSEPass());
  manager.addPass(createShareLoops());
}

void seagrove::registerPipelines() {
  PassPipelineRegistration<>("sg-structure", "TTIR to structured accesses",
                             buildStructurePipeline);
  PassPipelineRegistration<>("sg-tensor", "structured accesses to tensors",
                             buildTensorPipeline);
  PassPipelineRegistration<>("sg-linalg", "tensors to linalg operations only",
                             buildLinalgPipeline);
  PassPipelineRegistration<>(
      "sg-vector", "tensors to loops over vectors, for 256-bit registers",
      [](OpPassManager &manager) {
        api::Target target;
        target.vectorBits = 256;
        target.fma = true;
        buildVectorPipeline(manager, target);
      });
}

//===- Register.cpp - the dialects and passes in use ----------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Compiler/Register.h"

#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/Passes.h"
#include "seagrove/Compiler/Pipelines.h"
#include "seagrove/Conversion/Passes.h"
#include "seagrove/Dialect/Access/IR/Access.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"
#include "seagrove/Target/LLVM/Compile.h"
#include "seagrove/Testing/Passes.h"
#include "seagrove/Transforms/Passes.h"

#include "seagrove/MatrixUnits.inc"

#include <mutex>

using namespace mlir;

void seagrove::registerDialects(DialectRegistry &registry) {
  static std::once_flag units;
  std::call_once(units, registerMatrixUnits);
  tt::registerTTIRDialects(registry);
  target::registerVectorFormDialects(registry);
  func::registerInlinerExtension(registry);
  registry.insert<linalg::LinalgDialect, tensor::TensorDialect,
                  vector::VectorDialect, sg::SgDialect>();
}

void seagrove::registerPasses() {
  static std::once_flag once;
  std::call_once(once, [] {
    registerSeagroveConversionPasses();
    registerSeagroveTransformsPasses();
    registerSeagroveTestingPasses();
    registerPipelines();
    target::registerLLVMDialectPipeline();
    registerCanonicalizerPass();
    registerCSEPass();
    registerInlinerPass();
    registerSymbolDCEPass();
    registerLoopInvariantCodeMotionPass();
    mlir::registerPass([] { return createConvertElementwiseToLinalgPass(); });
  });
}

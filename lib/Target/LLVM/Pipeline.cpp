//===- Pipeline.cpp - vector form to LLVM dialect -------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include "seagrove/Target/LLVM/Compile.h"
#include "seagrove/Transforms/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace seagrove::target {

void registerVectorFormDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, cf::ControlFlowDialect,
                  func::FuncDialect, index::IndexDialect, LLVM::LLVMDialect,
                  math::MathDialect, memref::MemRefDialect, scf::SCFDialect,
                  ub::UBDialect, vector::VectorDialect>();
  registerConvertToLLVMDependentDialectLoading(registry);
  arith::registerConvertArithToLLVMInterface(registry);
  cf::registerConvertControlFlowToLLVMInterface(registry);
  registerConvertFuncToLLVMInterface(registry);
  index::registerConvertIndexToLLVMInterface(registry);
  registerConvertMathToLLVMInterface(registry);
  registerConvertMemRefToLLVMInterface(registry);
  ub::registerConvertUBToLLVMInterface(registry);
  vector::registerConvertVectorToLLVMInterface(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

static ExpandMathOptions expandMathOptions(const api::Target &target) {
  NativeOps native = queryNativeOps(target);
  ExpandMathOptions options;
  options.fma = native.fma;
  options.rounding = native.rounding;
  options.f16Arithmetic = native.f16Arithmetic;
  options.f16Conversion = native.f16Conversion;
  options.bf16Arithmetic = native.bf16Arithmetic;
  options.bf16Conversion = native.bf16Conversion;
  auto has = [&](std::string name, std::string value) {
    return llvm::is_contained(target.attributes, std::pair(name, value));
  };
  // LLVM takes the conversion for one like any other.
  options.bf16Flushing = has("bf16_conversion", "flushes");
  // Machines of which somebody knows that they have one rounding mode only.
  if (has("rounding_modes", "current"))
    options.rounding = options.truncating = false;
  return options;
}

void buildLLVMDialectPipeline(OpPassManager &pm, const api::Target &target,
                              const api::CompileOptions &options) {
  pm.addPass(createMakeRangeKernel());
  // Before the expansions: their operations must not be fused.
  if (options.enableFpFusion)
    pm.addPass(createAllowFPContraction());
  ExpandDivisionOptions division;
  division.vectors = queryNativeOps(target).vectorDivision;
  pm.addPass(createExpandDivision(division));
  pm.addPass(createExpandMath(expandMathOptions(target)));
  // One constant per value instead of one per use, and no dead halves of
  // expansions; LLVM would find them too, but each at a higher price.
  pm.addPass(createCSEPass());
  pm.addPass(createLowerVectorOps());
  pm.addPass(createLowerControlFlow());
  // A single conversion: block arguments of one dialect's types would
  // otherwise cross the border of two conversions and stay unconverted.
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void registerLLVMDialectPipeline() {
  PassPipelineRegistration<>(
      "sg-lower-to-llvm",
      "Lower a module in vector form to LLVM dialect for the host",
      [](OpPassManager &pm) {
        buildLLVMDialectPipeline(pm, api::detectHost(), {});
      });
}

} // namespace seagrove::target

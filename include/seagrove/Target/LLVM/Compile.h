//===- Compile.h - from vector form to machine code -------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The last third of the vector fork: a module of scalars and vectors becomes
// LLVM dialect, LLVM IR, an object and a shared library, all in this process.
//
//   vector form --buildLLVMDialectPipeline--> LLVM dialect
//               --translate, optimise-------> LLVM IR
//               --code generator------------> object, assembly
//               --linker--------------------> shared object, ready for dlopen
//
// Everything that depends on a chip is asked of `api::Target` or of LLVM's own
// tables; no chip is named here.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_TARGET_LLVM_COMPILE_H
#define SEAGROVE_TARGET_LLVM_COMPILE_H

#include "seagrove/Api.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/LLVM.h"

#include <functional>
#include <string>
#include <vector>

namespace seagrove::target {

/// Called once per finished stage with its name ("convert-to-llvm", "codegen",
/// ...) and its wall time; an empty function costs nothing.
using TimingFn = std::function<void(llvm::StringRef stage, double ms)>;

/// What the code generator executes as single instructions on `target`, as
/// LLVM's tables say; the other operations are expanded in the IR.
struct NativeOps {
  /// Fused multiply-add of f32 and f64.
  bool fma = false;
  /// floor, ceil, trunc and roundeven of f32 and f64.
  bool rounding = false;
  /// Arithmetic on f16 (not merely conversion).
  bool f16Arithmetic = false;
  /// Conversion between f16 and f32.
  bool f16Conversion = false;
  /// Arithmetic on bf16.
  bool bf16Arithmetic = false;
  /// Conversion from f32 to bf16.
  bool bf16Conversion = false;
  /// Division of vectors of integers.
  bool vectorDivision = false;
};

/// Asks LLVM for `target`'s operations; the answer is kept per target. An
/// unknown target has no native operation. Safe to call from any thread.
NativeOps queryNativeOps(const api::Target &target);

/// Registers the dialects of the vector form, their conversions to LLVM and
/// their translation; a context made without it cannot use this component.
void registerVectorFormDialects(mlir::DialectRegistry &registry);

/// make-range-kernel, expand-math, clean-up, vector and control-flow lowering
/// and one conversion to LLVM dialect. Runs on a module.
void buildLLVMDialectPipeline(mlir::OpPassManager &pm,
                              const api::Target &target,
                              const api::CompileOptions &options);

/// Registers the above as the textual pipeline `sg-lower-to-llvm`, for
/// seagrove-opt.
void registerLLVMDialectPipeline();

/// Makes code from a module of LLVM dialect. `emitKind` is "llvm" (optimised
/// LLVM IR as text), "llvm-raw" (the same before optimisation), "asm", "obj"
/// or "so"; the text or the bytes are put into `output`. Failures, those of
/// the code generator and of the linker included, are appended to
/// `diagnostics`; the process lives on. Safe to call from any thread.
mlir::LogicalResult emitNative(mlir::ModuleOp llvmDialect,
                               const api::Target &target,
                               const api::CompileOptions &options,
                               llvm::StringRef emitKind, std::string &output,
                               std::vector<api::Diagnostic> &diagnostics,
                               const TimingFn &timing = {});

} // namespace seagrove::target

#endif // SEAGROVE_TARGET_LLVM_COMPILE_H

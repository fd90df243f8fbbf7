//===- Emit.cpp - LLVM dialect to code ------------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Guard.h"
#include "InlineAssembly.h"
#include "Link.h"
#include "LoopAddresses.h"
#include "Machine.h"
#include "Optimize.h"
#include "Timing.h"

#include "seagrove/Target/LLVM/Compile.h"

#include "mlir/Target/LLVMIR/Export.h"

#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"

using namespace mlir;

namespace seagrove::target {

namespace {

/// Codes of this component, see docs/errors.
constexpr llvm::StringLiteral kNoTarget = "SG0501";
constexpr llvm::StringLiteral kTranslation = "SG0502";
constexpr llvm::StringLiteral kCodeGenerator = "SG0503";
constexpr llvm::StringLiteral kLinker = "SG0504";

void report(std::vector<api::Diagnostic> &diagnostics, llvm::StringRef code,
            const llvm::Twine &message) {
  api::Diagnostic diagnostic;
  diagnostic.code = code.str();
  diagnostic.message = message.str();
  diagnostics.push_back(std::move(diagnostic));
}

/// Collects LLVM's errors, such as those of inline assembly; without a handler
/// they end the process.
class CollectDiagnostics : public llvm::DiagnosticHandler {
public:
  CollectDiagnostics(std::vector<api::Diagnostic> &diagnostics,
                     InlineAssembly &assembly)
      : diagnostics(diagnostics), assembly(assembly) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (assembly.take(info))
      return true;
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info.print(printer);
    switch (info.getSeverity()) {
    case llvm::DS_Error:
      report(diagnostics, kCodeGenerator, text);
      break;
    case llvm::DS_Warning:
      report(diagnostics, kCodeGenerator, text);
      diagnostics.back().severity = api::Diagnostic::Severity::Warning;
      break;
    default:
      break; // Remarks of LLVM's passes are not the user's terms.
    }
    return true;
  }

private:
  std::vector<api::Diagnostic> &diagnostics;
  InlineAssembly &assembly;
};

bool hasError(llvm::ArrayRef<api::Diagnostic> diagnostics) {
  return llvm::any_of(diagnostics, [](const api::Diagnostic &diagnostic) {
    return diagnostic.severity == api::Diagnostic::Severity::Error;
  });
}

llvm::StringRef attributeOf(const api::Target &target, llvm::StringRef name) {
  for (const auto &[key, value] : target.attributes)
    if (key == name)
      return value;
  return {};
}

/// What holds for all code that we make: it does not throw, reads no floating
/// point status, and uses the target's registers at their described width.
void annotateFunctions(llvm::Module &module, const api::Target &target) {
  llvm::StringRef width = attributeOf(target, "prefer_vector_width");
  std::string vectorWidth =
      width.empty() ? std::to_string(target.vectorBits) : width.str();
  for (llvm::Function &function : module) {
    function.setDoesNotThrow();
    if (function.isDeclaration())
      continue;
    if (!target.cpu.empty())
      function.addFnAttr("target-cpu", target.cpu);
    if (!target.features.empty())
      function.addFnAttr("target-features", target.features);
    if (target.scalable)
      function.addFnAttr(llvm::Attribute::getWithVScaleRangeArgs(
          module.getContext(), target.vectorBits / target.scalableUnitBits,
          target.scalableMaxBits / target.scalableUnitBits));
    function.addFnAttr("no-trapping-math", "true");
    function.addFnAttr("prefer-vector-width", vectorWidth);
  }
}

/// One run of `emitNative`: what its stages share.
class Emission {
public:
  Emission(const api::Target &target, const api::CompileOptions &options,
           std::vector<api::Diagnostic> &diagnostics, const TimingFn &timing)
      : target(target), options(options), diagnostics(diagnostics),
        timing(timing) {
    context.setDiagnosticHandler(
        std::make_unique<CollectDiagnostics>(diagnostics, assembly));
  }

  bool createMachine() {
    StageTimer timer(timing, "create-machine");
    std::string error;
    runGuarded([&] { machine = takeMachine(target, options, error); }, error);
    if (!machine)
      report(diagnostics, kNoTarget, error);
    return machine != nullptr;
  }

  bool translate(ModuleOp source, bool keepNames) {
    StageTimer timer(timing, "translate");
    context.setDiscardValueNames(!keepNames);
    assembly.number(source);
    module = translateModuleToLLVMIR(source, context, "kernel",
                                     /*disableVerification=*/true);
    if (!module) {
      report(diagnostics, kTranslation,
             "the module cannot be expressed in LLVM IR");
      return false;
    }
    module->setTargetTriple(machine->getTargetTriple());
    module->setDataLayout(machine->createDataLayout());
    annotateFunctions(*module, target);
    assembly.attach(*module);
    return verify();
  }

  bool optimize() {
    StageTimer timer(timing, "optimize");
    return guarded("optimising", [&] {
      // Half of the registers are left for what the loops compute.
      bool whole = attributeOf(target, "vector_constants") == "whole";
      target::optimize(*module, *machine, options.optLevel,
                       whole ? target.vectorRegisters / 2 : 0);
    });
  }

  void print(std::string &output) {
    llvm::raw_string_ostream stream(output);
    module->print(stream, nullptr);
  }

  bool generate(llvm::CodeGenFileType kind, llvm::SmallVectorImpl<char> &code) {
    StageTimer timer(timing, "codegen");
    bool supported = true;
    bool finished = guarded("generating code", [&] {
      llvm::raw_svector_ostream stream(code);
      llvm::legacy::PassManager passes;
      // What it would reduce is reduced already (optimize).
      bool reduceStrength =
          options.optLevel == 0 || !addressesAddScaledIndex(*module, *machine);
      supported = addEmitPasses(*machine, passes, stream, kind, reduceStrength);
      if (supported)
        passes.run(*module);
    });
    if (!supported)
      report(diagnostics, kCodeGenerator,
             "the target emits no file of this kind");
    bool refused = assembly.report();
    return finished && supported && !refused && !hasError(diagnostics);
  }

  /// Ends a run that succeeded.
  void finish() {
    module.reset();
    keepMachine(target, options, std::move(machine));
  }

  bool link(llvm::StringRef object, std::string &output) {
    StageTimer timer(timing, "link");
    std::string error;
    if (linkSharedObject(object, *machine, output, error))
      return true;
    report(diagnostics, kLinker, error);
    return false;
  }

private:
  bool verify() {
    std::string text;
    llvm::raw_string_ostream stream(text);
    if (!llvm::verifyModule(*module, &stream))
      return true;
    report(diagnostics, kTranslation, "LLVM rejects the module: " + text);
    return false;
  }

  bool guarded(llvm::StringRef doing, llvm::function_ref<void()> work) {
    std::string reason;
    if (runGuarded(work, reason))
      return !hasError(diagnostics);
    report(diagnostics, kCodeGenerator,
           "LLVM failed while " + doing + ": " + reason);
    // Half of a compilation is not safe to take down.
    (void)module.release();
    (void)machine.release();
    return false;
  }

  const api::Target &target;
  const api::CompileOptions &options;
  std::vector<api::Diagnostic> &diagnostics;
  const TimingFn &timing;
  InlineAssembly assembly;
  // The machine outlives the module's last use; the context outlives both.
  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
};

} // namespace

LogicalResult emitNative(ModuleOp llvmDialect, const api::Target &target,
                         const api::CompileOptions &options,
                         llvm::StringRef emitKind, std::string &output,
                         std::vector<api::Diagnostic> &diagnostics,
                         const TimingFn &timing) {
  output.clear();
  std::vector<api::Diagnostic> own;
  Emission emission(target, options, own, timing);
  auto run = [&] {
    static constexpr llvm::StringLiteral kinds[] = {"llvm", "llvm-raw", "asm",
                                                    "obj", "so"};
    if (!llvm::is_contained(kinds, emitKind)) {
      report(own, kNoTarget, "cannot emit '" + emitKind + "'");
      return false;
    }
    bool text = emitKind == "llvm" || emitKind == "llvm-raw";
    if (!emission.createMachine() || !emission.translate(llvmDialect, text))
      return false;
    if (emitKind != "llvm-raw" && !emission.optimize())
      return false;
    if (text) {
      emission.print(output);
      return true;
    }
    llvm::SmallVector<char, 0> code;
    auto kind = emitKind == "asm" ? llvm::CodeGenFileType::AssemblyFile
                                  : llvm::CodeGenFileType::ObjectFile;
    if (!emission.generate(kind, code))
      return false;
    if (emitKind == "so")
      return emission.link({code.data(), code.size()}, output);
    output.assign(code.data(), code.size());
    return true;
  };
  bool done = run();
  if (done)
    emission.finish();
  diagnostics.insert(diagnostics.end(), own.begin(), own.end());
  return success(done);
}

} // namespace seagrove::target

//===- Compiler.cpp - text in, bytes out ----------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Diagnostics.h"
#include "Workbench.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassRegistry.h"
#include "seagrove/Api.h"
#include "seagrove/Compiler/Pipelines.h"
#include "seagrove/Compiler/Register.h"
#include "seagrove/Target/LLVM/Compile.h"
#include "seagrove/Testing/Passes.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

using namespace mlir;
using namespace seagrove;

namespace {

using Clock = std::chrono::steady_clock;

double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start)
      .count();
}

/// Notes the wall time of each pass.
class PassTimer : public PassInstrumentation {
public:
  explicit PassTimer(std::vector<api::PassTiming> &timings)
      : timings(timings) {}

  void runBeforePass(Pass *, Operation *) override {
    starts.push_back(Clock::now());
  }
  void runAfterPass(Pass *pass, Operation *) override { record(pass); }
  void runAfterPassFailed(Pass *pass, Operation *) override { record(pass); }

private:
  void record(Pass *pass) {
    std::string name = pass->getArgument().empty() ? pass->getName().str()
                                                   : pass->getArgument().str();
    timings.push_back({name, millisecondsSince(starts.back())});
    starts.pop_back();
  }

  std::vector<api::PassTiming> &timings;
  std::vector<Clock::time_point> starts;
};

/// One compilation.
class Compilation {
public:
  Compilation(const api::Target &target, const api::CompileOptions &options)
      : target(target), options(options), bench(target, options),
        collector(&bench->context, result.diagnostics) {
    if (options.collectDecisions)
      collectDecisions(bench->context, result.decisions);
  }

  api::CompileResult run(const std::string &text);

private:
  bool runStage(StringRef stage, function_ref<void(OpPassManager &)> build);
  bool wants(StringRef stage) const { return options.emit == stage; }
  bool print();
  bool lowerToVectors();
  void noteProgram();

  const api::Target &target;
  const api::CompileOptions &options;
  api::CompileResult result;
  BorrowedWorkbench bench;
  DiagnosticCollector collector;
  OwningOpRef<ModuleOp> module;
};

} // namespace

bool Compilation::runStage(StringRef stage,
                           function_ref<void(OpPassManager &)> build) {
  bool fresh = false;
  PassManager &manager = bench->manager(stage, [&](OpPassManager &passes) {
    build(passes);
    fresh = true;
  });
  if (fresh && options.collectTiming)
    manager.addInstrumentation(std::make_unique<PassTimer>(result.timings));
  return succeeded(manager.run(*module));
}

/// Prints the module as the output.
bool Compilation::print() {
  llvm::raw_string_ostream stream(result.output);
  OpPrintingFlags flags;
  module->print(stream, flags);
  return true;
}

void Compilation::noteProgram() {
  result.waits = bool(module->getOperation()->removeAttr("sg.waits"));
  for (auto function : module->getOps<func::FuncOp>()) {
    auto name = function->getAttrOfType<StringAttr>("sg.kernel_name");
    if (!name)
      continue;
    result.symbol = name.str();
    if (auto bytes = function->getAttrOfType<IntegerAttr>("sg.scratch_bytes"))
      result.scratchBytes = bytes.getInt();
  }
}

/// Runs the trunk and the fork up to the stage that is asked for. Returns true
/// if the output is complete or the module is in vector form.
bool Compilation::lowerToVectors() {
  if (wants("ttir"))
    return print();
  if (!runStage("structure", buildStructurePipeline))
    return false;
  if (wants("structured"))
    return print();
  if (!runStage("tensor", [&](OpPassManager &manager) {
        buildTensorPipeline(manager);
        if (!options.plantedMiscompile.empty())
          manager.addPass(createPlantMiscompile({options.plantedMiscompile}));
      }))
    return false;
  if (wants("linalg"))
    return runStage("linalg", buildLinalgPipeline) && print();
  if (wants("tensor"))
    return print();
  if (!runStage("vector", [&](OpPassManager &manager) {
        buildVectorPipeline(manager, target);
      }))
    return false;
  noteProgram();
  return wants("vector") ? print() : true;
}

api::CompileResult Compilation::run(const std::string &text) {
  auto start = Clock::now();
  ParserConfig config(&bench->context);
  module = parseSourceString<ModuleOp>(text, config);
  if (options.collectTiming)
    result.timings.push_back({"parse", millisecondsSince(start)});
  if (!module || !lowerToVectors())
    return std::move(result);
  result.ok = true;
  if (!result.output.empty())
    return std::move(result);
  target::TimingFn timing;
  if (options.collectTiming)
    timing = [&](StringRef stage, double milliseconds) {
      result.timings.push_back({stage.str(), milliseconds});
    };
  result.ok = runStage("llvm", [&](OpPassManager &manager) {
    target::buildLLVMDialectPipeline(manager, target, options);
  });
  if (result.ok && wants("llvm-dialect"))
    print();
  else if (result.ok)
    result.ok = succeeded(target::emitNative(*module, target, options,
                                             options.emit, result.output,
                                             result.diagnostics, timing));
  if (result.ok)
    bench.keep();
  return std::move(result);
}

api::CompileResult api::compile(const std::string &ttir, const Target &target,
                                const CompileOptions &options) {
  return Compilation(target, options).run(ttir);
}

api::CompileResult api::runPasses(const std::string &text,
                                  const std::string &pipeline) {
  CompileResult result;
  registerPasses();
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  DiagnosticCollector collector(&context, result.diagnostics);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return result;
  std::string errors;
  llvm::raw_string_ostream errorStream(errors);
  // The overload that gives a manager: the other silently nests a pipeline that
  // names its own anchor, and runs nothing.
  FailureOr<OpPassManager> passes = parsePassPipeline(pipeline, errorStream);
  if (failed(passes)) {
    Diagnostic diagnostic;
    diagnostic.message = errors;
    result.diagnostics.push_back(diagnostic);
    return result;
  }
  PassManager manager(&context, passes->getOpAnchorName());
  static_cast<OpPassManager &>(manager) = std::move(*passes);
  result.ok = succeeded(manager.run(*module));
  if (result.ok) {
    llvm::raw_string_ostream stream(result.output);
    module->print(stream);
  }
  return result;
}

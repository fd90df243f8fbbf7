//===- Workbench.cpp - what compilations leave for the next ---------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workbench.h"

#include "mlir/IR/BuiltinOps.h"
#include "seagrove/Compiler/Register.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <map>
#include <mutex>

using namespace mlir;
using namespace seagrove;

/// A context never forgets a type or an attribute: it is left after so many.
static constexpr unsigned kMostUses = 32;
static constexpr size_t kMostIdle = 4;

namespace {
struct IdleWorkbenches {
  std::mutex mutex;
  std::multimap<std::string, std::unique_ptr<Workbench>> benches;

  static IdleWorkbenches &instance() {
    // Never destroyed: threads may compile while the process ends.
    static auto *idle = new IdleWorkbenches;
    return *idle;
  }
};
} // namespace

static const DialectRegistry &registry() {
  static const DialectRegistry dialects = [] {
    DialectRegistry registered;
    registerDialects(registered);
    return registered;
  }();
  return dialects;
}

static bool verifiesPasses() {
  static const bool wanted = [] {
    const char *text = std::getenv("SEAGROVE_VERIFY_PASSES");
    return text && StringRef(text) == "1";
  }();
  return wanted;
}

/// Names everything that the pipelines are built from.
static std::string keyOf(const api::Target &target,
                         const api::CompileOptions &options) {
  std::string key;
  llvm::raw_string_ostream stream(key);
  char end = '\0';
  stream << target.triple << end << target.cpu << end << target.features << end
         << target.vectorBits << end << target.scalable << end
         << target.scalableUnitBits << end << target.scalableMaxBits << end
         << target.registerGroup << end << target.vectorRegisters << end
         << target.fma << end << target.l1Bytes << end << target.l2Bytes << end
         << target.lastLevelBytes << end << options.optLevel << end
         << options.enableFpFusion << end;
  for (const auto &[name, value] : target.attributes)
    stream << name << end << value << end;
  return key;
}

Workbench::Workbench()
    : context(registry(), MLIRContext::Threading::DISABLED) {}

PassManager &
Workbench::manager(StringRef stage,
                   llvm::function_ref<void(OpPassManager &)> build) {
  std::unique_ptr<PassManager> &manager = managers[stage];
  if (!manager) {
    manager = std::make_unique<PassManager>(&context);
    // What passes make is verified once, as LLVM IR, unless it is asked for.
    manager->enableVerifier(verifiesPasses());
    build(*manager);
  }
  return *manager;
}

BorrowedWorkbench::BorrowedWorkbench(const api::Target &target,
                                     const api::CompileOptions &options)
    : shared(!options.collectTiming && !options.collectDecisions &&
             options.plantedMiscompile.empty()) {
  if (shared) {
    key = keyOf(target, options);
    IdleWorkbenches &idle = IdleWorkbenches::instance();
    std::lock_guard<std::mutex> lock(idle.mutex);
    auto found = idle.benches.find(key);
    if (found != idle.benches.end()) {
      bench = std::move(found->second);
      idle.benches.erase(found);
    }
  }
  if (!bench)
    bench = std::make_unique<Workbench>();
}

BorrowedWorkbench::~BorrowedWorkbench() {
  if (!shared || !clean || ++bench->uses >= kMostUses)
    return;
  IdleWorkbenches &idle = IdleWorkbenches::instance();
  std::lock_guard<std::mutex> lock(idle.mutex);
  if (idle.benches.size() < kMostIdle)
    idle.benches.emplace(std::move(key), std::move(bench));
}

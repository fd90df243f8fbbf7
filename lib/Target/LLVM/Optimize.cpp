//===- Optimize.cpp - our pipeline over LLVM IR ---------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Optimize.h"

#include "LoopAddresses.h"
#include "WholeConstants.h"

#include "llvm/IR/PassInstrumentation.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace llvm;

namespace seagrove::target {

static FunctionPassManager buildFunctionPasses(unsigned level, bool scaledIndex,
                                               unsigned mostConstants) {
  FunctionPassManager passes;
  // The range kernel's loop has just received the program's body: promote and
  // simplify it first, everything later gets cheaper.
  passes.addPass(SROAPass(SROAOptions::ModifyCFG));
  passes.addPass(EarlyCSEPass(/*UseMemorySSA=*/false));
  passes.addPass(SimplifyCFGPass());
  passes.addPass(InstCombinePass());
  // Loops arrive rotated (lower-control-flow), so that nothing but moving code
  // out of them is left. IndVarSimplify alone would double the time of all of
  // this, and a second InstCombine finds next to nothing.
  passes.addPass(createFunctionToLoopPassAdaptor(LICMPass(LICMOptions()),
                                                 /*UseMemorySSA=*/true));
  // GVN and DSE find next to nothing behind this, at a price of a fifteenth of
  // a compilation: the lowering loads once what it needs and stores no value
  // that it overwrites.
  if (level >= 2)
    passes.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
  if (scaledIndex)
    addLoopAddressPasses(passes);
  passes.addPass(EarlyCSEPass(/*UseMemorySSA=*/false));
  passes.addPass(SimplifyCFGPass());
  if (scaledIndex)
    addStrengthReduction(passes);
  if (mostConstants != 0)
    passes.addPass(KeepConstantsWhole(mostConstants));
  return passes;
}

void optimize(Module &module, TargetMachine &machine, unsigned optLevel,
              unsigned mostConstants) {
  LoopAnalysisManager loopAnalyses;
  FunctionAnalysisManager functionAnalyses;
  CGSCCAnalysisManager callGraphAnalyses;
  ModuleAnalysisManager moduleAnalyses;
  // What says so is not worth the time.
  PassInstrumentationCallbacks callbacks;
  callbacks.registerShouldRunOptionalPassCallback([](StringRef, Any unit) {
    auto *function = any_cast<const Function *>(&unit);
    return !function || !(*function)->hasOptNone();
  });
  PassBuilder builder(&machine, PipelineTuningOptions(), std::nullopt,
                      &callbacks);
  builder.registerModuleAnalyses(moduleAnalyses);
  builder.registerCGSCCAnalyses(callGraphAnalyses);
  builder.registerFunctionAnalyses(functionAnalyses);
  builder.registerLoopAnalyses(loopAnalyses);
  builder.crossRegisterProxies(loopAnalyses, functionAnalyses,
                               callGraphAnalyses, moduleAnalyses);

  ModulePassManager passes;
  passes.addPass(AlwaysInlinerPass(/*InsertLifetime=*/false));
  passes.addPass(GlobalDCEPass());
  if (optLevel > 0)
    passes.addPass(createModuleToFunctionPassAdaptor(buildFunctionPasses(
        optLevel, addressesAddScaledIndex(module, machine), mostConstants)));
  passes.run(module, moduleAnalyses);
}

} // namespace seagrove::target

//===- WholeConstants.cpp - constants that loops read from memory ---------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WholeConstants.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace seagrove::target {

/// Returns true for a number in all lanes that takes a register or a read:
/// zero is made from nothing.
static bool isSpread(Value *value) {
  auto *constant = dyn_cast<Constant>(value);
  return constant && isa<FixedVectorType>(constant->getType()) &&
         constant->getType()->isFPOrFPVectorTy() && constant->getSplatValue() &&
         !constant->isNullValue() && !isa<UndefValue>(constant);
}

PreservedAnalyses KeepConstantsWhole::run(Function &function,
                                          FunctionAnalysisManager &analyses) {
  MapVector<Constant *, Value *> hidden;
  Instruction *entry = &*function.getEntryBlock().getFirstInsertionPt();
  for (Loop *loop :
       analyses.getResult<LoopAnalysis>(function).getLoopsInPreorder()) {
    if (!loop->isInnermost())
      continue;
    MapVector<Constant *, SmallVector<Use *>> uses;
    for (BasicBlock *block : loop->blocks())
      for (Instruction &instruction : *block)
        if (!isa<PHINode>(instruction))
          for (Use &use : instruction.operands())
            if (isSpread(use))
              uses[cast<Constant>(use)].push_back(&use);
    if (uses.size() <= most)
      continue;
    for (auto &[constant, places] : uses) {
      Value *&value = hidden[constant];
      // What nothing sees through is computed once, and spilled.
      if (!value)
        value = IRBuilder<>(entry).CreateArithmeticFence(constant,
                                                         constant->getType());
      for (Use *place : places)
        place->set(value);
    }
  }
  if (hidden.empty())
    return PreservedAnalyses::all();
  PreservedAnalyses preserved;
  preserved.preserveSet<CFGAnalyses>();
  return preserved;
}

} // namespace seagrove::target

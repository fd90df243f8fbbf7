//===- WholeConstants.h - constants that loops read from memory -*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A polynomial's loop has more constants than a machine has registers. LLVM
// keeps a constant that is equal in all lanes as one number, which takes an
// instruction to be spread over a vector wherever it is used. A machine whose
// arithmetic reads a whole vector from memory, but not one number for all
// lanes, needs no instruction for a constant that lies in memory as a vector.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TARGET_LLVM_WHOLECONSTANTS_H
#define SEAGROVE_LIB_TARGET_LLVM_WHOLECONSTANTS_H

#include "llvm/IR/PassManager.h"

namespace seagrove::target {

/// Hides the vector constants of loops that have more than `most` of them from
/// the code generator, which spills what it has no register for as whole
/// vectors. Nothing may simplify the function after it.
class KeepConstantsWhole : public llvm::PassInfoMixin<KeepConstantsWhole> {
public:
  explicit KeepConstantsWhole(unsigned most) : most(most) {}
  llvm::PreservedAnalyses run(llvm::Function &function,
                              llvm::FunctionAnalysisManager &analyses);

private:
  unsigned most;
};

} // namespace seagrove::target

#endif // SEAGROVE_LIB_TARGET_LLVM_WHOLECONSTANTS_H

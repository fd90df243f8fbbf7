//===- Optimize.h - LLVM IR to LLVM IR and to objects -----------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TARGET_LLVM_OPTIMIZE_H
#define SEAGROVE_LIB_TARGET_LLVM_OPTIMIZE_H

#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace seagrove::target {

/// Optimises `module` at level 0 to 3. Loops keep their shape: vectorising and
/// unrolling were decided in MLIR, where they are cheap and deliberate. Loops
/// that have more than `mostConstants` vector constants read them from memory;
/// none does where that is zero.
void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              unsigned optLevel, unsigned mostConstants = 0);

} // namespace seagrove::target

#endif // SEAGROVE_LIB_TARGET_LLVM_OPTIMIZE_H

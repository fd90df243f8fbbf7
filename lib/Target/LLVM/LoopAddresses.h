//===- LoopAddresses.h - what loops compute for addresses -------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LLVM's loop strength reduction took a quarter to a third of the code
// generator's time. A machine whose addresses are `base + index * scale +
// constant` needs little of it: constants split off addresses, multiplications
// by a counter turned into additions, and the full search only in loops that
// have more bases than registers.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TARGET_LLVM_LOOPADDRESSES_H
#define SEAGROVE_LIB_TARGET_LLVM_LOOPADDRESSES_H

#include "llvm/IR/Module.h"
#include "llvm/IR/PassManager.h"
#include "llvm/Target/TargetMachine.h"

namespace seagrove::target {

/// Returns true if an instruction of the machine adds a base, a scaled index
/// and a constant to the address that it reads.
bool addressesAddScaledIndex(llvm::Module &module,
                             llvm::TargetMachine &machine);

/// Adds passes that bring addresses in loops into the form that such a machine
/// executes; simplifications are left to an EarlyCSE after them.
void addLoopAddressPasses(llvm::FunctionPassManager &passes);

/// Adds the strength reduction of loops that run out of registers for bases.
void addStrengthReduction(llvm::FunctionPassManager &passes);

} // namespace seagrove::target

#endif // SEAGROVE_LIB_TARGET_LLVM_LOOPADDRESSES_H

//===- Machine.h - LLVM's view of a target ----------------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TARGET_LLVM_MACHINE_H
#define SEAGROVE_LIB_TARGET_LLVM_MACHINE_H

#include "seagrove/Api.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>
#include <string>

namespace seagrove::target {

/// Registers every LLVM target of this build; does its work once.
void initializeTargets();

/// Makes the machine for `target`, an empty triple meaning the host's. Returns
/// null and sets `error` when this build has no such target.
std::unique_ptr<llvm::TargetMachine>
createMachine(const api::Target &target, const api::CompileOptions &options,
              std::string &error);

/// As `createMachine`, or one that `keepMachine` was given: a machine's tables
/// take as long as a small kernel's code.
std::unique_ptr<llvm::TargetMachine>
takeMachine(const api::Target &target, const api::CompileOptions &options,
            std::string &error);

/// Adds the code generator's passes. `reduceStrength` is whether its own loop
/// strength reduction is one of them. Returns false if the machine emits no
/// file of this kind.
bool addEmitPasses(llvm::TargetMachine &machine,
                   llvm::legacy::PassManagerBase &passes,
                   llvm::raw_pwrite_stream &stream, llvm::CodeGenFileType kind,
                   bool reduceStrength = true);

/// Keeps a machine that nothing refers to any more and that did not fail.
void keepMachine(const api::Target &target, const api::CompileOptions &options,
                 std::unique_ptr<llvm::TargetMachine> machine);

} // namespace seagrove::target

#endif // SEAGROVE_LIB_TARGET_LLVM_MACHINE_H

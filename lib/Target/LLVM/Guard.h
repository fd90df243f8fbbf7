//===- Guard.h - LLVM's fatal errors as return values -----------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LLVM's code generator ends the process where it meets something it cannot
// select, and lld where it cannot read a file. A compiler that lives in the
// user's process must not: such work runs under `runGuarded`.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TARGET_LLVM_GUARD_H
#define SEAGROVE_LIB_TARGET_LLVM_GUARD_H

#include "llvm/ADT/STLFunctionalExtras.h"

#include <string>

namespace seagrove::target {

/// Runs `work`. Returns false and sets `reason` if it ended in a fatal error or
/// a crash; what `work` owned by then is lost, so let it own little that
/// matters and hold no lock.
bool runGuarded(llvm::function_ref<void()> work, std::string &reason);

} // namespace seagrove::target

#endif // SEAGROVE_LIB_TARGET_LLVM_GUARD_H

//===- Link.h - objects to shared objects, in this process ------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TARGET_LLVM_LINK_H
#define SEAGROVE_LIB_TARGET_LLVM_LINK_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Target/TargetMachine.h"

#include <string>

namespace seagrove::target {

/// Returns true if `object` refers to a symbol that it does not define.
bool hasOpenSymbols(llvm::StringRef object);

/// Links one position-independent object into a shared object. Symbols that
/// the object leaves open are expected in the C library, which is recorded as
/// needed only then; no file of a tool chain is read. Returns false and sets
/// `error` on failure.
bool linkSharedObject(llvm::StringRef object, llvm::TargetMachine &machine,
                      std::string &output, std::string &error);

} // namespace seagrove::target

#endif // SEAGROVE_LIB_TARGET_LLVM_LINK_H

//===- InlineAssembly.h - whose assembly an error is about ------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inline assembly is read when code is generated, long after the operation of
// the user's source became a call in LLVM IR. LLVM carries a number from the
// call to its diagnostics (`!srcloc`); here it counts operations.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TARGET_LLVM_INLINEASSEMBLY_H
#define SEAGROVE_LIB_TARGET_LLVM_INLINEASSEMBLY_H

#include "mlir/IR/BuiltinOps.h"

namespace llvm {
class DiagnosticInfo;
class Module;
} // namespace llvm

namespace seagrove::target {

/// The places of a module's inline assembly, by number, and what the assembler
/// said about each.
class InlineAssembly {
public:
  /// Marks each assembly text of the module with its number.
  void number(mlir::ModuleOp module);
  /// Turns the marks, which the translation kept, into `!srcloc`.
  void attach(llvm::Module &module);
  /// Takes what is about assembly; false for every other diagnostic.
  bool take(const llvm::DiagnosticInfo &info);
  /// Emits what was taken at the user's lines. Returns true if there was any.
  bool report();

private:
  llvm::SmallVector<mlir::Location> places;
  llvm::SmallVector<std::pair<uint64_t, std::string>> refusals;
};

} // namespace seagrove::target

#endif // SEAGROVE_LIB_TARGET_LLVM_INLINEASSEMBLY_H

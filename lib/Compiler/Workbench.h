//===- Workbench.h - what compilations leave for the next -------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_COMPILER_WORKBENCH_H
#define SEAGROVE_LIB_COMPILER_WORKBENCH_H

#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "seagrove/Api.h"
#include "llvm/ADT/StringMap.h"

#include <memory>
#include <string>

namespace seagrove {

/// A context with its dialects loaded and the pass managers that have run in
/// it. Setting both up takes 3 ms, a sixth of a small kernel's compilation. It
/// serves one compilation at a time and has no threads, since a process that
/// forks after compiling would otherwise hang in the child.
class Workbench {
public:
  Workbench();

  /// The manager called `stage`, filled by `build` when it is new.
  mlir::PassManager &
  manager(llvm::StringRef stage,
          llvm::function_ref<void(mlir::OpPassManager &)> build);

  mlir::MLIRContext context;

private:
  friend class BorrowedWorkbench;

  llvm::StringMap<std::unique_ptr<mlir::PassManager>> managers;
  unsigned uses = 0;
};

/// A workbench for one compilation. An idle one of the same target and options
/// if there is one; it is new, and goes, where the compilation watches what
/// happens in it.
class BorrowedWorkbench {
public:
  BorrowedWorkbench(const api::Target &target,
                    const api::CompileOptions &options);
  ~BorrowedWorkbench();
  BorrowedWorkbench(const BorrowedWorkbench &) = delete;
  BorrowedWorkbench &operator=(const BorrowedWorkbench &) = delete;

  Workbench *operator->() const { return bench.get(); }

  /// Says that nothing went wrong in it.
  void keep() { clean = true; }

private:
  bool shared;
  bool clean = false;
  std::string key;
  std::unique_ptr<Workbench> bench;
};

} // namespace seagrove

#endif // SEAGROVE_LIB_COMPILER_WORKBENCH_H

//===- openmp.h - the tensor library's OpenMP runtime -----------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The threads of a tensor library's OpenMP runtime look for work for some
// milliseconds after each operation of the library. A worker of ours that runs
// beside them has half of a core, so a launch of as many threads as the runtime
// has goes to these.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_OPENMP_H
#define SEAGROVE_PYTHON_OPENMP_H

namespace seagrove::launch {

/// What there is of the runtime once it has been found.
struct Runtime {
  int (*maxThreads)();
  int (*threadNumber)();
  /// Of GCC's runtime; the others have it as well.
  void (*parallel)(void (*body)(void *), void *data, unsigned threads,
                   unsigned flags);
};

/// Looks for a tensor library's runtime that was loaded since the last call;
/// from then on launches follow its thread count and run on its threads. Costs
/// some microseconds: call it when a kernel is loaded, not when it is launched.
void adoptLoadedRuntime();

/// The adopted runtime; null if there is none.
const Runtime *adoptedRuntime();

/// The adopted runtime, if a launch of `threads` threads is to run on its own.
const Runtime *runtimeFor(int threads);

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_OPENMP_H

//===- thread_pool.h - runs a range of programs on all cores ----*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A launch is a range of program ids, divided among threads (shares.h), which
// claim chunks of contiguous ids until none is left. The launching thread
// claims chunks as well, so a launch never waits for a worker that has not
// woken up yet; it waits only for chunks that a worker has already begun.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_THREAD_POOL_H
#define SEAGROVE_PYTHON_THREAD_POOL_H

#include "launch_cost.h"

#include <atomic>
#include <cstdint>
#include <string>

namespace seagrove::launch {

/// The symbol that `make-range-kernel` exports (docs/range-kernel.md): runs the
/// linear program ids `first` to `last - 1` of `grid`, x fastest.
using RangeKernel = void (*)(const void *args, const int32_t *grid,
                             int64_t first, int64_t last, void *scratch);

/// The functions of one kernel (docs/range-kernel.md).
struct KernelFunctions {
  RangeKernel entry = nullptr;
  /// The same for a further range of a launch on one thread, whose scratch
  /// memory has been left as it was.
  RangeKernel next = nullptr;
  /// Whether it has atomic operations.
  bool hasAtomics = false;
  /// Null, or a byte that is not zero while no other thread runs a kernel with
  /// atomic operations, so that this one needs no locks (docs/atomics.md).
  std::atomic<uint8_t> *alone = nullptr;
};

/// Finds them by `find(name)`, which returns the address of a symbol or null.
/// `entry` is null if there is no `symbol`.
template <typename Find>
KernelFunctions findKernel(const std::string &symbol, Find find) {
  auto entry = reinterpret_cast<RangeKernel>(find(symbol.c_str()));
  auto next = reinterpret_cast<RangeKernel>(find((symbol + ".next").c_str()));
  bool hasAtomics = find((symbol + ".atomics").c_str()) != nullptr;
  auto *alone = static_cast<std::atomic<uint8_t> *>(
      hasAtomics ? find((symbol + ".alone").c_str()) : nullptr);
  return {entry, next ? next : entry, hasAtomics, alone};
}

/// What the programs of a launch need of each other.
enum class Progress : uint8_t {
  /// Nothing.
  Independent,
  /// They may wait for each other. Programs begin one by one in the order of
  /// their ids, so that the first that has not ended is always running: a
  /// launch whose programs wait for earlier ones alone comes to its end on any
  /// number of threads. Where none ends for a while, more of them run at the
  /// same time (stall_watch.h). That suffices for what a device with
  /// `kMaxTogether` resident programs can run.
  Waits,
  /// They may all wait for each other, and all of them begin at once.
  Cooperative,
};

/// The most programs that run at the same time in a launch that is not
/// `Independent`.
constexpr int64_t kMaxTogether = 1024;

/// One launch: what to run and over which ids.
struct Job {
  KernelFunctions kernel;
  const void *args = nullptr;
  const int32_t *grid = nullptr;
  int64_t programs = 0;
  int64_t scratchBytes = 0;
  Progress progress = Progress::Independent;
  /// Takes the text of the first assertion that fails; it lies in the kernel.
  std::atomic<const char *> *failedAssertion = nullptr;
};

/// What a program finds at the start of its scratch memory. An assertion that
/// does not hold calls `fail(context, message)`, which does not return.
struct AssertionHook {
  void (*fail)(void *context, const char *message);
  void *context;
};

/// Runs the ids `first` to `last - 1` on this thread. Returns false if it could
/// not allocate its scratch memory; then no program has run. `continues`: the
/// last range that this thread ran was one of the same launch, and came to its
/// end.
bool runSerially(const Job &job, int64_t first, int64_t last,
                 bool continues = false);

/// Allocates the scratch memory of this thread ahead of `runSerially`.
bool reserveScratch(int64_t bytes);

class StallWatch;

/// Runs a job whose programs may wait for each other on threads of its own
/// (together.cpp).
bool runTogether(const Job &job, StallWatch &stalls);

/// Runs every program of `job` and returns when all of them are done. May be
/// called from many threads at once and from within a hook of another launch:
/// one launch at a time uses the workers, the others run on their own thread.
/// Returns false if a thread could not allocate its scratch memory.
bool run(const Job &job, CostEstimate &cost);

/// Whether a launch of a kernel with atomic operations would have to wait now.
bool mustAtomicsWait();

/// The number of threads that the next launch from this thread may use.
int numThreads();

/// Overrides the number of threads; 0 returns to the default.
void setNumThreads(int count);

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_THREAD_POOL_H

//===- launch_cost.h - which launches are worth several threads -*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_LAUNCH_COST_H
#define SEAGROVE_PYTHON_LAUNCH_COST_H

#include <atomic>
#include <cstdint>

namespace seagrove::launch {

/// Of a clock that never goes back.
int64_t nowNs();

/// Up to this estimated time on one thread, waking another may cost more than
/// it gains.
constexpr double kSerialNs = 20'000;

/// Whether programs with atomic operations run alone on one thread, without
/// locks, or on several with them: what both take is measured, of a kernel, in
/// parts of its launches. Shared by threads.
class AloneChoice {
public:
  /// The next programs of a launch, and whether they run alone.
  struct Part {
    bool alone;
    int64_t programs;
  };
  /// Of a launch that has `left` programs left, `begins` if it has run none.
  Part next(int64_t left, bool begins);
  void record(bool alone, double nanoseconds, int64_t programs);
  /// Nanoseconds that a program takes alone; 0 while unknown.
  float aloneNs() const {
    return estimates[1].nsPerProgram.load(std::memory_order_relaxed);
  }

private:
  struct Estimate {
    std::atomic<float> nsPerProgram{0.0f};
    /// For how long it was measured, up to the time of a trial.
    std::atomic<float> seenNs{0.0f};
  };
  /// Among others, alone.
  Estimate estimates[2];
  std::atomic<unsigned> launches{0};
};

/// What earlier launches of a kernel tell about its cost. Shared by threads.
class CostEstimate {
public:
  /// Nanoseconds per program; 0 while unknown.
  float nsPerProgram() const { return value.load(std::memory_order_relaxed); }
  /// Nanoseconds that `programs` take on one thread.
  double of(int64_t programs) const {
    return double(nsPerProgram()) * double(programs);
  }
  void record(double nanoseconds, int64_t programs);

  AloneChoice alone;

private:
  std::atomic<float> value{0.0f};
};

/// Tells whether a launch is worth several threads. A long one always is. A
/// short one is where launches follow each other so closely that the threads
/// stay awake, and where it gains more than sharing has cost in other launches.
/// Shared by threads.
class SharingCost {
public:
  /// Whether to share a launch that takes `expectedNs` on one thread.
  bool isWorth(double expectedNs, int threads);
  /// One that was shared took `tookNs`.
  void record(double expectedNs, double tookNs, int threads);

private:
  std::atomic<int64_t> lastNs{0};
  std::atomic<int> closeLaunches{0};
  std::atomic<float> costNs{0.0f};
};

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_LAUNCH_COST_H

//===- Timing.h - wall time per stage ---------------------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TARGET_LLVM_TIMING_H
#define SEAGROVE_LIB_TARGET_LLVM_TIMING_H

#include "seagrove/Target/LLVM/Compile.h"

#include <chrono>

namespace seagrove::target {

using Clock = std::chrono::steady_clock;

inline double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start)
      .count();
}

/// Reports the time between its construction and its end.
class StageTimer {
public:
  StageTimer(const TimingFn &report, llvm::StringRef stage)
      : report(report), stage(stage) {
    if (report)
      start = Clock::now();
  }
  ~StageTimer() {
    if (report)
      report(stage, millisecondsSince(start));
  }

private:
  const TimingFn &report;
  llvm::StringRef stage;
  Clock::time_point start;
};

} // namespace seagrove::target

#endif // SEAGROVE_LIB_TARGET_LLVM_TIMING_H

//===- stall_watch.h - notices a launch that stands still -------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program that waits for a later one occupies its thread. Where no program of
// a launch ends for a while, the watch starts further threads, which take
// further programs, until the one that is waited for is among them. The
// system's scheduler divides the cores between the threads, so that a program
// that spins does not keep the one that it waits for from running.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_STALL_WATCH_H
#define SEAGROVE_PYTHON_STALL_WATCH_H

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace seagrove::launch {

/// Starts a thread that blocks all signals: those belong to the threads of the
/// interpreter. Returns false if there is none to be had.
bool startThread(std::thread &thread, std::function<void()> body);

/// Watches launches from a thread of its own. That looks at the clock every few
/// milliseconds while there are launches and sleeps otherwise, so that a launch
/// seldom has to wake it. Never destroyed.
class StallWatch {
public:
  /// What a watched launch tells. The functions are called from the watching
  /// thread and the further ones.
  struct Launch {
    /// The number of programs that have ended.
    const std::atomic<int64_t> *ended;
    std::function<int64_t()> notBegun;
    /// Runs programs until all have begun; called in each further thread.
    std::function<void()> work;
    int64_t mostThreads;
  };

  /// A launch is watched while this lives. The end waits for the further
  /// threads, whose programs must be able to end.
  class Watched {
  public:
    Watched(StallWatch &watch, Launch launch);
    ~Watched();

  private:
    friend class StallWatch;
    void look();

    StallWatch &watch;
    Launch launch;
    // Under the watch's mutex.
    /// Programs that had ended at the last look; negative before the first.
    int64_t seen = -1;
    int64_t looksUntilMore = 1;
    int64_t looksWithoutMore = 0;
    std::vector<std::thread> threads;
  };

private:
  void run();

  std::mutex mutex;
  std::condition_variable wake;
  // Under the mutex.
  std::vector<Watched *> launches;
  bool exists = false, sleeps = false;
};

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_STALL_WATCH_H

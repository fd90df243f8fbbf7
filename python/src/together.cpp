//===- together.cpp - runs programs on threads of their own ---------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs that all have to begin at once, and those that may wait for each
// other while another launch has the pool, get threads that end with the
// launch. Each takes one program at a time, in the order of the ids.
//
//===----------------------------------------------------------------------===//

#include "stall_watch.h"
#include "thread_pool.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace seagrove::launch {

bool runTogether(const Job &job, StallWatch &stalls) {
  std::atomic<int64_t> next{0}, ended{0};
  auto work = [&] {
    // A thread that has no memory takes no program.
    if (!reserveScratch(job.scratchBytes))
      return;
    for (int64_t id; (id = next.fetch_add(1)) < job.programs;) {
      runSerially(job, id, id + 1);
      ended.fetch_add(1);
    }
  };
  int64_t most = std::min(job.programs, kMaxTogether);
  bool all = job.progress == Progress::Cooperative;
  int64_t wanted = all ? most : std::min<int64_t>(numThreads(), most);
  // One of them is the launching thread.
  std::vector<std::thread> threads(static_cast<size_t>(wanted - 1));
  for (std::thread &thread : threads)
    if (!startThread(thread, work))
      break;
  {
    auto notBegun = [&] {
      return std::max<int64_t>(0, job.programs - next.load());
    };
    StallWatch::Watched watched(stalls,
                                {&ended, notBegun, work, most - wanted});
    work();
    for (std::thread &thread : threads)
      if (thread.joinable())
        thread.join();
  }
  // Threads without memory may have left programs over.
  return ended == job.programs;
}

} // namespace seagrove::launch

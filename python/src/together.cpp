//===- together.cpp - runs programs that wait for each other --------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Threads take one program at a time, in the order of the ids. So the first
// program that has not ended is always running, and a launch whose programs
// wait for earlier ones alone comes to its end on any number of threads.
//
// A program that waits for a later one occupies its thread. Where no program
// ends for a while, further threads take further programs, until the one that
// is waited for is among them. That suffices for what a device with
// `kMaxTogether` resident programs can run. The system's scheduler divides the
// cores between the threads, so that a program that spins does not keep the one
// that it waits for from running.
//
//===----------------------------------------------------------------------===//

#include "thread_pool.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <signal.h>
#include <thread>
#include <vector>

namespace seagrove::launch {
namespace {

/// How long no program may end, for each time that the threads have doubled,
/// before there are more threads.
constexpr std::chrono::milliseconds kPatience(5);

class Together {
public:
  explicit Together(const Job &job) : job(job) {}

  bool run();

private:
  void work();
  /// Starts up to `count` threads; the number of those that could be had.
  int64_t start(int64_t count);
  int64_t notBegun() const {
    return std::max<int64_t>(0, job.programs - next.load());
  }

  const Job &job;
  std::vector<std::thread> threads;
  std::atomic<int64_t> next{0};

  std::mutex mutex;
  std::condition_variable changed;
  // Under the mutex.
  int64_t ended = 0;
  int64_t running = 0;
};

void Together::work() {
  // A thread that has no memory takes no program.
  if (reserveScratch(job.scratchBytes)) {
    for (int64_t id; (id = next.fetch_add(1)) < job.programs;) {
      runSerially(job, id, id + 1);
      std::lock_guard<std::mutex> lock(mutex);
      ++ended;
    }
  }
  std::lock_guard<std::mutex> lock(mutex);
  --running;
  changed.notify_one();
}

int64_t Together::start(int64_t count) {
  // Signals belong to the threads of the interpreter.
  sigset_t all, previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  int64_t started = 0;
  for (; started < count; ++started) {
    {
      std::lock_guard<std::mutex> lock(mutex);
      ++running;
    }
#if defined(__cpp_exceptions)
    try {
      threads.emplace_back([this] { work(); });
    } catch (const std::exception &) {
      std::lock_guard<std::mutex> lock(mutex);
      --running;
      break;
    }
#else
    threads.emplace_back([this] { work(); });
#endif
  }
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  return started;
}

bool Together::run() {
  int64_t most = std::min(job.programs, kMaxTogether);
  bool all = job.progress == Progress::Cooperative;
  int64_t started = start(all ? most : std::min<int64_t>(numThreads(), most));
  if (started == 0 && !reserveScratch(job.scratchBytes))
    return false;
  if (started == 0) // No thread to be had: in order, on this one.
    return runSerially(job, 0, job.programs);

  auto patience = kPatience;
  std::unique_lock<std::mutex> lock(mutex);
  for (int64_t seen = 0; running > 0; seen = ended) {
    bool stopped =
        changed.wait_for(lock, patience, [&] { return running == 0; });
    if (stopped || ended != seen)
      continue;
    int64_t wanted =
        std::min({notBegun(), int64_t(threads.size()), most - running});
    if (wanted <= 0)
      continue;
    lock.unlock();
    start(wanted);
    lock.lock();
    patience *= 2;
  }
  lock.unlock();
  for (std::thread &thread : threads)
    thread.join();
  // Threads without memory may have left programs over.
  return ended == job.programs;
}

} // namespace

bool runTogether(const Job &job) { return Together(job).run(); }

} // namespace seagrove::launch

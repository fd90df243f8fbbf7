//===- stall_watch.cpp - notices a launch that stands still ---------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "stall_watch.h"

#include <algorithm>
#include <exception>
#include <signal.h>
#include <utility>

namespace seagrove::launch {
namespace {

/// The time from one look to the next. No program may end from one look to
/// another, for each time that the threads have doubled, before there are more.
constexpr std::chrono::milliseconds kLook(5);
/// Looks at no launch before the watch goes to sleep.
constexpr int kIdleLooks = 20;

} // namespace

bool startThread(std::thread &thread, std::function<void()> body) {
  sigset_t all, previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  bool started = true;
#if defined(__cpp_exceptions)
  try {
    thread = std::thread(std::move(body));
  } catch (const std::exception &) {
    started = false;
  }
#else
  thread = std::thread(std::move(body));
#endif
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  return started;
}

StallWatch::Watched::Watched(StallWatch &watch, Launch newLaunch)
    : watch(watch), launch(std::move(newLaunch)) {
  std::lock_guard<std::mutex> lock(watch.mutex);
  watch.launches.push_back(this);
  if (!watch.exists) {
    // Without a thread to be had the programs run in order, on those there are.
    std::thread watching;
    watch.exists = startThread(watching, [&watch] { watch.run(); });
    if (watch.exists)
      watching.detach();
  }
  if (watch.sleeps)
    watch.wake.notify_one();
}

StallWatch::Watched::~Watched() {
  {
    std::lock_guard<std::mutex> lock(watch.mutex);
    auto &all = watch.launches;
    all.erase(std::find(all.begin(), all.end(), this));
  }
  for (std::thread &thread : threads)
    thread.join();
}

void StallWatch::Watched::look() {
  int64_t ended = launch.ended->load(std::memory_order_relaxed);
  if (std::exchange(seen, ended) != ended) {
    looksWithoutMore = 0;
    return;
  }
  if (++looksWithoutMore < looksUntilMore)
    return;
  int64_t further = static_cast<int64_t>(threads.size());
  int64_t wanted =
      std::min({launch.notBegun(), further + 1, launch.mostThreads - further});
  for (int64_t i = 0; i < wanted; ++i) {
    std::thread thread;
    if (!startThread(thread, launch.work))
      break;
    threads.push_back(std::move(thread));
  }
  looksWithoutMore = 0;
  looksUntilMore *= 2;
}

void StallWatch::run() {
  std::unique_lock<std::mutex> lock(mutex);
  for (int idle = 0;; idle = launches.empty() ? idle + 1 : 0) {
    if (idle > kIdleLooks) {
      sleeps = true;
      wake.wait(lock, [this] { return !launches.empty(); });
      sleeps = false;
    }
    lock.unlock();
    std::this_thread::sleep_for(kLook);
    lock.lock();
    for (Watched *launch : launches)
      launch->look();
  }
}

} // namespace seagrove::launch

//===- atomics_gate.cpp - who may update memory without locks -------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "atomics_gate.h"

#include "launch_cost.h"

namespace seagrove::launch {

/// Where launches meet, all take locks for this many times as long as the last
/// one had to wait: threads that launch at the same time lose little by that.
constexpr int64_t kCrowdedPerWait = 20;

bool AtomicsGate::tryEnterAlone() {
  int64_t until = crowdedUntilNs.load(std::memory_order_relaxed);
  if (until != 0) {
    if (nowNs() < until)
      return false;
    crowdedUntilNs.store(0, std::memory_order_relaxed);
  }
  int none = 0;
  return !isAwaited() &&
         inside.compare_exchange_strong(none, kAlone, std::memory_order_acquire,
                                        std::memory_order_relaxed);
}

void AtomicsGate::leaveAlone() {
  inside.store(0, std::memory_order_seq_cst);
  if (waiting.load(std::memory_order_seq_cst) == 0)
    return;
  std::lock_guard<std::mutex> lock(mutex);
  left.notify_all();
}

bool AtomicsGate::tryEnter() {
  int count = inside.load(std::memory_order_seq_cst);
  while (count != kAlone)
    if (inside.compare_exchange_weak(count, count + 1,
                                     std::memory_order_seq_cst))
      return true;
  return false;
}

void AtomicsGate::enter() {
  if (tryEnter())
    return;
  int64_t start = nowNs();
  waiting.fetch_add(1, std::memory_order_seq_cst);
  {
    std::unique_lock<std::mutex> lock(mutex);
    left.wait(lock, [this] { return tryEnter(); });
  }
  waiting.fetch_sub(1, std::memory_order_relaxed);
  int64_t now = nowNs();
  crowdedUntilNs.store(now + kCrowdedPerWait * (now - start),
                       std::memory_order_relaxed);
}

} // namespace seagrove::launch

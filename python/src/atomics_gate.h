//===- atomics_gate.h - who may update memory without locks -----*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every launch of a kernel with atomic operations passes this gate: either
// alone, on one thread, and then it needs no locked instruction, or among
// others. Who comes alone never waits here: it goes among the others where
// there are some. Others wait until a launch that is alone has ended or let
// them in, which it does soon, since no kernel that waits for anything goes
// alone (docs/atomics.md).
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_ATOMICS_GATE_H
#define SEAGROVE_PYTHON_ATOMICS_GATE_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace seagrove::launch {

class AtomicsGate {
public:
  /// Goes in alone, if nobody is in, nobody waits, and nobody had to wait
  /// lately.
  bool tryEnterAlone();
  void leaveAlone();
  /// Whether somebody waits for the one that is alone to leave.
  bool isAwaited() const { return waiting.load(std::memory_order_relaxed) > 0; }
  bool isHeldAlone() const {
    return inside.load(std::memory_order_relaxed) == kAlone;
  }

  void enter();
  void leave() { inside.fetch_sub(1, std::memory_order_release); }

private:
  static constexpr int kAlone = -1;

  bool tryEnter();

  /// How many are in, or `kAlone`.
  std::atomic<int> inside{0};
  std::atomic<int> waiting{0};
  /// Until then nobody goes in alone.
  std::atomic<int64_t> crowdedUntilNs{0};
  std::mutex mutex;
  std::condition_variable left;
};

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_ATOMICS_GATE_H

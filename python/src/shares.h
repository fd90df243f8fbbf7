//===- shares.h - which thread runs which programs --------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The ids of a launch are divided into shares of contiguous ids, one for each
// thread, or for some neighbours where there are many threads. Neighbouring ids
// use the same data, and a thread has the same share in each launch of a grid:
// its caches hold what it left there, and what the tensor library left, which
// divides its loops likewise. A thread claims chunks from its share in the
// order of the ids: large ones first, which keep packed panels, and small ones
// in the end. One that has nothing left claims from the end of another share,
// which makes up for unequal programs and for cores of unequal speed.
//
// A thread may come late or never. Whoever has nothing left looks first for the
// lowest share that nobody has come to, and claims there from the beginning.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_SHARES_H
#define SEAGROVE_PYTHON_SHARES_H

#include <atomic>
#include <cstdint>

namespace seagrove::launch {

/// The units of one launch after the other: programs, or groups of neighbours
/// where there are too many to count.
class Shares {
public:
  static constexpr int64_t kMaxUnits = (int64_t(1) << 20) - 1;

  /// Units `first` to `last - 1`.
  struct Chunk {
    int64_t first = 0, last = 0;
  };

  /// Begins a launch, whose chunks hold `least` units where there are as many.
  /// `inOrder`: all threads claim single units, in the order of the ids. No
  /// unit of the launch before may be left.
  void begin(int threads, int64_t units, int64_t least, bool inOrder);

  /// Which launch has begun last; 0 before the first.
  uint32_t launch() const { return newest.load(std::memory_order_seq_cst); }

  /// The number of its threads.
  int threads() const { return numThreads.load(std::memory_order_relaxed); }

  /// Claims a chunk of `launch` for `thread`, of which 0 begins it. Returns
  /// false if there is none left, which is so forever if that launch is over.
  bool claim(int thread, uint32_t launch, Chunk &chunk);

  /// How many units have not been claimed, of a launch in order.
  int64_t unclaimed() const;

private:
  /// Looking at more of them costs more than it evens out.
  static constexpr int kMaxShares = 16;

  /// What nobody has begun. Everything that a claim depends on is in one word,
  /// so that no late thread can claim anything of another launch:
  ///   bits 41-63 launch, 40 whether one of its threads has come, 20-39 first
  ///   unit, 0-19 last unit + 1.
  struct Share {
    uint32_t launch = 0;
    bool come = false;
    int64_t first = 0, last = 0;

    static Share of(uint64_t word);
    uint64_t word() const;
  };
  /// On a cache line of its own.
  struct alignas(64) Place {
    std::atomic<uint64_t> word{0};
  };
  /// As whom a thread claims from a share.
  enum class As { Member, Substitute, Helper };

  bool claimFrom(Place &place, uint32_t launch, As as, Chunk &chunk);

  // Read by threads that may be late: a stale value makes a chunk of another
  // size, or finds nothing.
  std::atomic<int> numThreads{1}, numShares{1};
  std::atomic<int64_t> least{1};
  std::atomic<bool> inOrder{false};
  /// Idle threads look at it: apart from what those at work write.
  alignas(64) std::atomic<uint32_t> newest{0};
  Place shares[kMaxShares];
};

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_SHARES_H

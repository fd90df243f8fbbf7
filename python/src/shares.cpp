//===- shares.cpp - which thread runs which programs ----------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "shares.h"

#include <algorithm>

namespace seagrove::launch {
namespace {

/// A chunk is this part of what is left of a share for each of its threads.
constexpr int64_t kPartOfShare = 2;

constexpr int kUnitBits = 20;
constexpr uint64_t kUnitMask = (uint64_t(1) << kUnitBits) - 1;
constexpr int kComeBit = 2 * kUnitBits;
constexpr uint32_t kLaunchMask = (uint32_t(1) << (63 - kComeBit)) - 1;

} // namespace

Shares::Share Shares::Share::of(uint64_t word) {
  return {uint32_t(word >> (kComeBit + 1)), bool(word >> kComeBit & 1),
          int64_t(word >> kUnitBits & kUnitMask), int64_t(word & kUnitMask)};
}

uint64_t Shares::Share::word() const {
  return uint64_t(launch) << (kComeBit + 1) | uint64_t(come) << kComeBit |
         uint64_t(first) << kUnitBits | uint64_t(last);
}

void Shares::begin(int threads, int64_t units, int64_t newLeast,
                   bool newInOrder) {
  int count = newInOrder ? 1 : std::min(threads, kMaxShares);
  numThreads.store(threads, std::memory_order_relaxed);
  numShares.store(count, std::memory_order_relaxed);
  least.store(newLeast, std::memory_order_relaxed);
  inOrder.store(newInOrder, std::memory_order_relaxed);
  uint32_t launch = (newest.load(std::memory_order_relaxed) + 1) & kLaunchMask;
  for (int index = 0; index < count; ++index) {
    // The launching thread is there.
    Share share{launch, index == 0, units * index / count,
                units * (index + 1) / count};
    shares[index].word.store(share.word(), std::memory_order_release);
  }
  newest.store(launch, std::memory_order_seq_cst);
}

bool Shares::claimFrom(Place &place, uint32_t launch, As as, Chunk &chunk) {
  int64_t threadsOfShare = numThreads.load(std::memory_order_relaxed) /
                           numShares.load(std::memory_order_relaxed);
  int64_t parts = kPartOfShare * std::max<int64_t>(1, threadsOfShare);
  bool single = inOrder.load(std::memory_order_relaxed);
  uint64_t word = place.word.load(std::memory_order_acquire);
  for (;;) {
    Share share = Share::of(word);
    int64_t left = share.last - share.first;
    if (share.launch != launch || left == 0 ||
        (as == As::Substitute && share.come))
      return false;
    int64_t taken =
        std::max(left / parts, least.load(std::memory_order_relaxed));
    taken = single ? 1 : std::min(taken, left);
    if (as == As::Helper) {
      chunk = {share.last - taken, share.last};
      share.last = chunk.first;
    } else {
      chunk = {share.first, share.first + taken};
      share.first = chunk.last;
      share.come |= as == As::Member;
    }
    if (place.word.compare_exchange_weak(word, share.word(),
                                         std::memory_order_acq_rel))
      return true;
  }
}

bool Shares::claim(int thread, uint32_t launch, Chunk &chunk) {
  int count = numShares.load(std::memory_order_relaxed);
  int threads = std::max(numThreads.load(std::memory_order_relaxed), 1);
  int own = std::min(int(int64_t(thread) * count / threads), count - 1);
  if (claimFrom(shares[own], launch, As::Member, chunk))
    return true;
  for (int index = 0; index < count; ++index)
    if (claimFrom(shares[index], launch, As::Substitute, chunk))
      return true;
  for (int i = 1; i < count; ++i)
    if (claimFrom(shares[(own + i) % count], launch, As::Helper, chunk))
      return true;
  return false;
}

int64_t Shares::unclaimed() const {
  Share share = Share::of(shares[0].word.load(std::memory_order_seq_cst));
  return share.last - share.first;
}

} // namespace seagrove::launch

//===- launch_cost.cpp - which launches are worth several threads ---------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "launch_cost.h"

#include <algorithm>
#include <chrono>

namespace seagrove::launch {
namespace {

/// The least that a launch must save for each of its threads.
constexpr double kLeastSavedNs = 1'000;
/// Launches that follow each other within this time keep threads awake, which
/// look for work for some milliseconds where they are the tensor library's.
constexpr int64_t kCloseNs = 500'000;
/// After so many, the next is expected to be close as well.
constexpr int kManyClose = 8;
/// Launches up to this time tell what sharing costs: in longer ones the
/// estimate of the work is off by more.
constexpr double kTellingNs = 100'000;

/// For how long a way to run programs is tried, and how often one that was
/// slower is tried again.
constexpr float kTrialNs = 200'000;
constexpr unsigned kLaunchesPerTrial = 64;

/// By how much a launch changes what is known of the cost of sharing.
constexpr float kStepNs = 250;

double savedNs(double expectedNs, int threads) {
  return expectedNs - expectedNs / threads;
}

} // namespace

int64_t nowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Changes an estimate of nanoseconds per program by a sample.
static void learn(std::atomic<float> &value, double nanoseconds,
                  int64_t programs) {
  float sample = float(nanoseconds / double(programs));
  float old = value.load(std::memory_order_relaxed);
  // Cold caches make the first samples too long: trust a faster one at once.
  float next = old == 0 || sample < old ? sample : old + (sample - old) * 0.25f;
  value.store(std::max(next, 1e-3f), std::memory_order_relaxed);
}

void CostEstimate::record(double nanoseconds, int64_t programs) {
  learn(value, nanoseconds, programs);
}

AloneChoice::Part AloneChoice::next(int64_t left, bool begins) {
  float alone = aloneNs();
  auto part = [&](bool runsAlone, double nanoseconds) {
    double most = alone > 0 ? nanoseconds / double(alone) : 1;
    // No rest that is not worth a part of its own.
    bool all = most * 2 > double(left);
    return Part{runsAlone, all ? left : std::max<int64_t>(1, int64_t(most))};
  };
  if (alone > 0 && double(alone) * double(left) <= kSerialNs)
    return {true, left};
  float seen = estimates[1].seenNs.load(std::memory_order_relaxed);
  if (seen < kTrialNs)
    return alone > 0 ? part(true, kTrialNs - seen) : Part{true, 1};
  if (estimates[0].seenNs.load(std::memory_order_relaxed) < kTrialNs)
    return part(false, kTrialNs);
  bool better =
      alone <= estimates[0].nsPerProgram.load(std::memory_order_relaxed);
  // Data differ: once in a while a part runs in the other way.
  unsigned before =
      begins ? launches.fetch_add(1, std::memory_order_relaxed) : 1;
  return before % kLaunchesPerTrial == 0 ? part(!better, kTrialNs)
                                         : Part{better, left};
}

void AloneChoice::record(bool alone, double nanoseconds, int64_t programs) {
  Estimate &estimate = estimates[alone];
  learn(estimate.nsPerProgram, nanoseconds, programs);
  float seen = estimate.seenNs.load(std::memory_order_relaxed);
  if (seen < kTrialNs)
    estimate.seenNs.store(seen + float(nanoseconds), std::memory_order_relaxed);
}

bool SharingCost::isWorth(double expectedNs, int threads) {
  if (expectedNs > kSerialNs)
    return true;
  double saved = savedNs(expectedNs, threads);
  if (saved < kLeastSavedNs * threads)
    return false;
  int64_t now = nowNs();
  int64_t since = now - lastNs.exchange(now, std::memory_order_relaxed);
  int close = closeLaunches.load(std::memory_order_relaxed);
  close = since < kCloseNs ? std::min(close + 1, kManyClose) : 0;
  closeLaunches.store(close, std::memory_order_relaxed);
  if (close < kManyClose)
    return false;
  float cost = costNs.load(std::memory_order_relaxed);
  if (saved > double(cost))
    return true;
  // It may have been a bad time: once in a while it is tried again.
  costNs.store(cost - kStepNs / 64, std::memory_order_relaxed);
  return false;
}

void SharingCost::record(double expectedNs, double tookNs, int threads) {
  lastNs.store(nowNs(), std::memory_order_relaxed);
  closeLaunches.store(kManyClose, std::memory_order_relaxed);
  if (expectedNs > kTellingNs)
    return;
  float sample = float(tookNs - expectedNs / threads);
  float cost = costNs.load(std::memory_order_relaxed);
  // Steps of one length come to the median: a thread that had to wait for its
  // core for some milliseconds counts no more than any other.
  cost += sample > cost ? kStepNs : -kStepNs;
  costNs.store(std::clamp(cost, 0.0f, float(kSerialNs)),
               std::memory_order_relaxed);
}

} // namespace seagrove::launch

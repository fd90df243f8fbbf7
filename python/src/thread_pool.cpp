//===- thread_pool.cpp - runs a range of programs on all cores ------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "thread_pool.h"

#include "atomics_gate.h"
#include "openmp.h"
#include "shares.h"
#include "stall_watch.h"

#include <algorithm>
#include <condition_variable>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <sched.h>
#include <thread>
#include <vector>

namespace seagrove::launch {
namespace {

/// How long a worker looks for the next launch before it sleeps.
constexpr double kSpinNs = 50'000;
/// Less work than this is not worth a claim of its own.
constexpr double kLeastChunkNs = 5'000;
constexpr int kMaxThreads = 4096;
/// How long a launch that is alone lets others wait.
constexpr double kAloneNs = 1'000'000;

inline void pause() {
#if defined(__GNUC__) && __has_builtin(__builtin_ia32_pause)
  __builtin_ia32_pause();
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

//===----------------------------------------------------------------------===//
// Scratch memory
//===----------------------------------------------------------------------===//

/// Memory that programs of one thread use one after the other; it keeps its
/// size between launches, so that packed panels find warm pages.
class ScratchArena {
public:
  ~ScratchArena() { std::free(data); }

  /// Returns at least `bytes` bytes, aligned to a cache line; null if there are
  /// none to be had.
  void *get(int64_t bytes) {
    if (bytes > capacity) {
      std::free(data);
      int64_t rounded = (bytes + 63) / 64 * 64;
      data = std::aligned_alloc(64, static_cast<size_t>(rounded));
      capacity = data ? rounded : 0;
    }
    return data;
  }

private:
  void *data = nullptr;
  int64_t capacity = 0;
};

thread_local ScratchArena scratchArena;

/// Where a thread goes on when an assertion ends the program that it runs.
struct Landing {
  std::jmp_buf where;
  const char *message = nullptr;
};

/// Leaves the kernel. Nothing in its frames needs to be undone, and none of
/// ours lies between them and the landing.
[[noreturn]] void failAssertion(void *context, const char *message) {
  auto *landing = static_cast<Landing *>(context);
  landing->message = message;
  std::longjmp(landing->where, 1);
}

} // namespace

bool reserveScratch(int64_t bytes) {
  return bytes <= 0 || scratchArena.get(bytes) != nullptr;
}

bool runSerially(const Job &job, int64_t first, int64_t last, bool continues) {
  RangeKernel kernel = continues ? job.kernel.next : job.kernel.entry;
  void *scratch = nullptr;
  if (job.scratchBytes > 0 && !(scratch = scratchArena.get(job.scratchBytes)))
    return false;
  if (job.scratchBytes < int64_t(sizeof(AssertionHook))) {
    kernel(job.args, job.grid, first, last, scratch);
    return true;
  }
  Landing landing;
  AssertionHook hook{failAssertion, &landing};
  std::memcpy(scratch, &hook, sizeof(hook));
  if (setjmp(landing.where) == 0) {
    kernel(job.args, job.grid, first, last, scratch);
  } else if (job.failedAssertion) {
    const char *none = nullptr;
    job.failedAssertion->compare_exchange_strong(none, landing.message);
  }
  return true;
}

namespace {

//===----------------------------------------------------------------------===//
// The pool
//===----------------------------------------------------------------------===//

class Pool {
public:
  /// The most programs whose order can be kept: beyond, a unit holds several.
  static constexpr int64_t kMostOrdered = Shares::kMaxUnits;

  /// Runs the ids `first` to `job.programs - 1` on up to `threads` threads.
  /// Returns whether all had the memory that they need, and nothing, with no
  /// program run, while another launch has the pool.
  std::optional<bool> tryRun(const Job &job, int64_t first, int threads,
                             CostEstimate &cost);

  /// Of all launches of this process whose programs wait for each other.
  StallWatch stalls;
  SharingCost sharing;
  AtomicsGate gate;

private:
  bool run(const Job &job, int64_t first, int threads, CostEstimate &cost);
  void workerMain(int index);
  /// Runs chunks of the newest launch as its thread `thread`, of which 0 has
  /// begun it, until all have begun. Returns how many programs it ran.
  int64_t runChunks(int thread);
  /// The launching thread's part.
  void runOwnChunks(CostEstimate &cost);
  /// Runs chunks on the runtime's threads, this one among them.
  void runTeam(const Runtime &runtime, int threads, CostEstimate &cost);
  /// Whether a range has not been run to its end.
  bool hasFailed() const;
  void waitForOthers();
  void addWorkers(int wanted);

  // The current launch. Written while no chunk is left to claim; read after a
  // chunk has been claimed, which keeps the launch alive.
  Job job;
  int64_t begin = 0;
  int64_t numUnits = 0;

  Shares shares;
  alignas(64) std::atomic<int64_t> unitsDone{0};
  /// The launch is the runtime's threads'.
  std::atomic<bool> onTeam{false};
  std::atomic<bool> failed{false};

  alignas(64) std::atomic<int> sleepers{0};
  std::atomic<bool> callerSleeps{false};
  std::mutex mutex;
  std::condition_variable wake, finished;
  std::atomic<bool> busy{false};
  int workers = 0;
};

bool Pool::hasFailed() const {
  return failed.load(std::memory_order_relaxed) ||
         (job.failedAssertion &&
          job.failedAssertion->load(std::memory_order_relaxed));
}

int64_t Pool::runChunks(int thread) {
  int64_t programsRun = 0;
  uint32_t launch = shares.launch();
  Shares::Chunk chunk;
  while (shares.claim(thread, launch, chunk)) {
    int64_t total = numUnits, span = job.programs - begin;
    auto programAt = [&](int64_t unit) {
      return begin + span / total * unit + span % total * unit / total;
    };
    int64_t first = programAt(chunk.first), last = programAt(chunk.last);
    bool continues = programsRun > 0 && !hasFailed();
    if (!runSerially(job, first, last, continues))
      failed.store(true, std::memory_order_relaxed);
    programsRun += last - first;
    // The launch may end with this increment: nothing of it is read after.
    int64_t ended = chunk.last - chunk.first;
    if (unitsDone.fetch_add(ended, std::memory_order_seq_cst) + ended ==
            total &&
        callerSleeps.load(std::memory_order_seq_cst)) {
      std::lock_guard<std::mutex> lock(mutex);
      finished.notify_one();
    }
  }
  return programsRun;
}

void Pool::workerMain(int thread) {
  uint32_t seen = 0;
  auto isCalled = [&] {
    return shares.launch() != seen && thread < shares.threads() &&
           !onTeam.load(std::memory_order_relaxed);
  };
  int64_t idleSince = nowNs();
  for (unsigned spins = 0;; ++spins) {
    if (isCalled()) {
      seen = shares.launch();
      runChunks(thread);
      idleSince = nowNs();
      continue;
    }
    pause();
    if (spins % 64 != 0 || nowNs() - idleSince < kSpinNs)
      continue;
    std::unique_lock<std::mutex> lock(mutex);
    sleepers.fetch_add(1, std::memory_order_seq_cst);
    wake.wait(lock, isCalled);
    sleepers.fetch_sub(1, std::memory_order_relaxed);
    idleSince = nowNs();
  }
}

void Pool::addWorkers(int wanted) {
  for (; workers < wanted; ++workers) {
    int index = workers + 1;
    std::thread thread;
    if (!startThread(thread, [this, index] { workerMain(index); }))
      return; // The launch runs on the threads that exist.
    thread.detach();
  }
}

void Pool::waitForOthers() {
  auto done = [&] {
    return unitsDone.load(std::memory_order_seq_cst) == numUnits;
  };
  int64_t start = nowNs();
  for (unsigned spins = 1; !done(); ++spins) {
    pause();
    if (spins % 64 != 0 || nowNs() - start < kSpinNs)
      continue;
    std::unique_lock<std::mutex> lock(mutex);
    callerSleeps.store(true, std::memory_order_seq_cst);
    finished.wait(lock, done);
    callerSleeps.store(false, std::memory_order_relaxed);
  }
}

void Pool::runOwnChunks(CostEstimate &cost) {
  int64_t start = nowNs();
  int64_t ran = runChunks(0);
  if (ran > 0)
    cost.record(double(nowNs() - start), ran);
}

void Pool::runTeam(const Runtime &runtime, int threads, CostEstimate &cost) {
  struct Team {
    Pool &pool;
    const Runtime &runtime;
    CostEstimate &cost;
  } team{*this, runtime, cost};
  auto body = [](void *data) {
    auto &team = *static_cast<Team *>(data);
    if (int number = team.runtime.threadNumber())
      team.pool.runChunks(number);
    else
      team.pool.runOwnChunks(team.cost);
  };
  runtime.parallel(body, &team, unsigned(threads), 0);
}

std::optional<bool> Pool::tryRun(const Job &newJob, int64_t first, int threads,
                                 CostEstimate &cost) {
  if (busy.exchange(true, std::memory_order_acquire))
    return std::nullopt;
  double expectedNs = cost.of(newJob.programs - first);
  int64_t start = nowNs();
  bool ok = run(newJob, first, threads, cost);
  if (threads > 1)
    sharing.record(expectedNs, double(nowNs() - start), threads);
  busy.store(false, std::memory_order_release);
  return ok;
}

bool Pool::run(const Job &newJob, int64_t first, int threads,
               CostEstimate &cost) {
  int helpers = std::min(threads, kMaxThreads) - 1;
  const Runtime *runtime = helpers > 0 ? runtimeFor(threads) : nullptr;
  if (!runtime && workers < helpers)
    addWorkers(helpers);

  job = newJob;
  begin = first;
  numUnits = std::min<int64_t>(job.programs - first, Shares::kMaxUnits);
  double unitNs = double(cost.nsPerProgram()) *
                  (double(job.programs - first) / double(numUnits));
  double least = std::min(kLeastChunkNs / unitNs, double(Shares::kMaxUnits));
  bool ordered = job.progress != Progress::Independent;
  unitsDone.store(0, std::memory_order_relaxed);
  failed.store(false, std::memory_order_relaxed);
  onTeam.store(runtime != nullptr, std::memory_order_relaxed);
  shares.begin(helpers + 1, numUnits, std::max<int64_t>(1, int64_t(least)),
               ordered);
  if (!runtime && sleepers.load(std::memory_order_seq_cst) > 0) {
    std::lock_guard<std::mutex> lock(mutex);
    wake.notify_all();
  }

  std::optional<StallWatch::Watched> watched;
  if (ordered)
    watched.emplace(stalls,
                    StallWatch::Launch{
                        &unitsDone, [this] { return shares.unclaimed(); },
                        [this] { runChunks(0); }, kMaxTogether - helpers - 1});
  if (runtime)
    runTeam(*runtime, threads, cost);
  else
    runOwnChunks(cost);
  waitForOthers();
  watched.reset();
  return !failed.load(std::memory_order_relaxed);
}

std::atomic<Pool *> currentPool{nullptr};

/// The pool of this process, made on first use and never destroyed: its
/// workers sleep in it until the process ends.
Pool &pool() {
  Pool *existing = currentPool.load(std::memory_order_acquire);
  if (existing)
    return *existing;
  static std::once_flag atFork;
  std::call_once(atFork, [] {
    // A child has no workers, and a lock may be held by a thread that is gone:
    // it starts with a pool of its own.
    pthread_atfork(nullptr, nullptr, [] {
      currentPool.store(nullptr, std::memory_order_relaxed);
    });
  });
  Pool *fresh = new Pool;
  if (currentPool.compare_exchange_strong(existing, fresh,
                                          std::memory_order_acq_rel))
    return *fresh;
  delete fresh; // Another thread was first; this one has no worker yet.
  return *existing;
}

//===----------------------------------------------------------------------===//
// The number of threads
//===----------------------------------------------------------------------===//

std::atomic<int> requestedThreads{0};

int threadsFromEnvironment() {
  const char *text = std::getenv("SEAGROVE_NUM_THREADS");
  return text ? std::clamp(std::atoi(text), 0, kMaxThreads) : 0;
}

int coresOfThisProcess() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

} // namespace

int numThreads() {
  if (int count = requestedThreads.load(std::memory_order_relaxed))
    return count;
  static const int fromEnvironment = threadsFromEnvironment();
  if (fromEnvironment)
    return fromEnvironment;
  if (const Runtime *runtime = adoptedRuntime())
    return std::max(1, runtime->maxThreads());
  static const int cores = coresOfThisProcess();
  return cores;
}

void setNumThreads(int count) {
  requestedThreads.store(std::clamp(count, 0, kMaxThreads),
                         std::memory_order_relaxed);
}

/// Runs programs that may wait for each other.
static bool runWaiting(const Job &job, CostEstimate &cost) {
  bool ordered =
      job.progress == Progress::Waits && job.programs <= Pool::kMostOrdered;
  double expectedNs = cost.of(job.programs);
  bool small = expectedNs > 0 && expectedNs <= kSerialNs;
  if (ordered)
    if (auto ok = pool().tryRun(job, 0, small ? 1 : numThreads(), cost))
      return *ok;
  return runTogether(job, pool().stalls);
}

/// Runs the programs of `job` from `first` on.
static bool runFrom(const Job &job, int64_t first, CostEstimate &cost) {
  if (job.progress != Progress::Independent && job.programs > 1)
    return runWaiting(job, cost);
  int threads = job.programs - first == 1 ? 1 : numThreads();
  if (threads > 1 && cost.nsPerProgram() == 0) {
    // Nothing is known yet: one program tells whether threads are worth it.
    int64_t start = nowNs();
    if (!runSerially(job, first, first + 1))
      return false;
    cost.record(double(nowNs() - start), 1);
    ++first;
  }
  int64_t programs = job.programs - first;
  if (threads > 1 && programs > 1 &&
      pool().sharing.isWorth(cost.of(programs), threads))
    if (auto ok = pool().tryRun(job, first, threads, cost))
      return *ok;
  if (threads == 1)
    return runSerially(job, first, job.programs);
  int64_t start = nowNs();
  bool ok = runSerially(job, first, job.programs);
  cost.record(double(nowNs() - start), programs);
  return ok;
}

/// Runs the ids `first` to `last - 1` on this thread, which nobody else in
/// `gate` disturbs, until all have run or somebody waits there. Returns the
/// first that has not run, or nothing without memory for them.
static std::optional<int64_t> runAlone(const Job &job, int64_t first,
                                       int64_t last, const AtomicsGate &gate,
                                       CostEstimate &cost) {
  int64_t begin = first, start = nowNs();
  float ns = cost.alone.aloneNs();
  double chunk = ns > 0 ? kAloneNs / double(ns) : 1;
  while (first < last) {
    int64_t end =
        double(last - first) <= chunk ? last : first + int64_t(chunk + 1);
    end = std::min(end, last);
    if (!runSerially(job, first, end, /*continues=*/first > begin))
      return std::nullopt;
    first = end;
    if (job.failedAssertion &&
        job.failedAssertion->load(std::memory_order_relaxed))
      return job.programs; // The kernel has failed: nobody needs the rest.
    if (first < last && gate.isAwaited())
      break;
    if (ns == 0 && double(nowNs() - start) < kAloneNs / 2)
      chunk *= 2;
  }
  double tookNs = double(nowNs() - start);
  cost.alone.record(true, tookNs, first - begin);
  cost.record(tookNs, first - begin);
  return first;
}

/// Runs a kernel with atomic operations: alone where it may and where that is
/// not slower than on several threads, else among others.
static bool runWithAtomics(const Job &job, CostEstimate &cost) {
  AtomicsGate &gate = pool().gate;
  bool mayBeAlone = job.kernel.alone && job.progress == Progress::Independent;
  bool choose = mayBeAlone && job.programs > 1 && numThreads() > 1;
  for (int64_t first = 0; first < job.programs;) {
    int64_t left = job.programs - first;
    AloneChoice::Part part{mayBeAlone, left};
    if (choose)
      part = cost.alone.next(left, /*begins=*/first == 0);
    if (part.alone && gate.tryEnterAlone()) {
      job.kernel.alone->store(1, std::memory_order_relaxed);
      auto next = runAlone(job, first, first + part.programs, gate, cost);
      job.kernel.alone->store(0, std::memory_order_relaxed);
      gate.leaveAlone();
      if (!next)
        return false;
      first = *next;
      continue;
    }
    Job rest = job;
    if (!part.alone)
      rest.programs = first + part.programs;
    gate.enter();
    // In the child of a fork it may be what the parent has left.
    if (job.kernel.alone && job.kernel.alone->load(std::memory_order_relaxed))
      job.kernel.alone->store(0, std::memory_order_relaxed);
    int64_t start = nowNs();
    bool ok = runFrom(rest, first, cost);
    gate.leave();
    if (!ok)
      return false;
    if (choose && !part.alone)
      cost.alone.record(false, double(nowNs() - start), part.programs);
    first = rest.programs;
  }
  return true;
}

bool mustAtomicsWait() { return pool().gate.isHeldAlone(); }

bool run(const Job &job, CostEstimate &cost) {
  if (job.programs <= 0)
    return true;
  return job.kernel.hasAtomics ? runWithAtomics(job, cost)
                               : runFrom(job, 0, cost);
}

} // namespace seagrove::launch

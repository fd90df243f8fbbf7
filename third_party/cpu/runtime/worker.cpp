//===- worker.cpp - runs kernels for a host -------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program of the device's architecture: it loads compiled kernels and starts
// them on the device's memory, as the host asks. Usage:
//
//   seagrove-worker SOCKET MEMORY ADDRESS BYTES
//
// SOCKET and MEMORY are inherited descriptors: the connection, and the file
// that is mapped at ADDRESS as the device's memory. How a program is run (the
// threads, scratch memory, assertions) is the host's own launch core, compiled
// for this architecture.
//
//===----------------------------------------------------------------------===//

#include "channel.h"
#include "image.h"

#include "../../../python/src/thread_pool.h"

#include <cerrno>
#include <chrono>
#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <sys/mman.h>
#include <unistd.h>

using namespace seagrove;
using namespace seagrove::worker;

namespace {

struct Kernel {
  Image image;
  launch::KernelFunctions functions;
  launch::CostEstimate cost;
};

class Worker {
public:
  explicit Worker(Channel &channel) : channel(channel) {}
  [[noreturn]] void serve();

private:
  void load();
  void unload();
  void launchKernel();
  void read();
  void write();

  /// The request's body as a T; false, answered, if it is too short.
  template <typename T> bool take(T &value) {
    if (body.size() < sizeof(T)) {
      channel.send(Kind::Error, "the request is cut off");
      return false;
    }
    std::memcpy(&value, body.data(), sizeof(T));
    return true;
  }
  void done(const void *result = nullptr, size_t size = 0) {
    channel.send(Kind::Ok, result, size);
  }

  Channel &channel;
  std::vector<uint8_t> body;
  std::map<uint64_t, std::unique_ptr<Kernel>> kernels;
  uint64_t lastHandle = 0;
};

void Worker::load() {
  LoadRequest request;
  if (!take(request))
    return;
  size_t rest = body.size() - sizeof(request);
  if (request.symbolBytes > rest)
    return channel.send(Kind::Error, "the request is cut off");
  const uint8_t *text = body.data() + sizeof(request);
  std::string symbol(text, text + request.symbolBytes);
  auto kernel = std::make_unique<Kernel>();
  std::string error = kernel->image.load(text + request.symbolBytes,
                                         rest - request.symbolBytes);
  if (error.empty()) {
    kernel->functions = launch::findKernel(
        symbol, [&](const char *name) { return kernel->image.find(name); });
    if (!kernel->functions.entry)
      error = "it has no symbol '" + symbol + "'";
  }
  if (!error.empty())
    return channel.send(Kind::Error, error);
  kernels[++lastHandle] = std::move(kernel);
  done(&lastHandle, sizeof(lastHandle));
}

void Worker::unload() {
  uint64_t handle;
  if (!take(handle))
    return;
  kernels.erase(handle);
  done();
}

void Worker::launchKernel() {
  LaunchRequest request;
  if (!take(request))
    return;
  auto kernel = kernels.find(request.handle);
  if (kernel == kernels.end())
    return channel.send(Kind::Error, "the kernel is not loaded");
  if (body.size() != sizeof(request) + size_t(request.slots) * 8 ||
      request.progress > uint32_t(launch::Progress::Cooperative))
    return channel.send(Kind::Error, "the request is malformed");
  std::vector<uint64_t> slots(request.slots);
  if (!slots.empty())
    std::memcpy(slots.data(), body.data() + sizeof(request), slots.size() * 8);

  launch::setNumThreads(int(request.threads));
  std::atomic<const char *> assertion{nullptr};
  launch::Job job{kernel->second->functions,
                  slots.data(),
                  request.grid,
                  request.programs,
                  request.scratchBytes,
                  launch::Progress(request.progress),
                  &assertion};
  auto start = std::chrono::steady_clock::now();
  if (!launch::run(job, kernel->second->cost))
    return channel.send(Kind::Error, "there is no memory for the kernel's "
                                     "scratch area");
  if (const char *message = assertion.load())
    return channel.send(Kind::Assertion, message);
  uint64_t nanoseconds =
      uint64_t(std::chrono::duration_cast<std::chrono::nanoseconds>(
                   std::chrono::steady_clock::now() - start)
                   .count());
  done(&nanoseconds, sizeof(nanoseconds));
}

void Worker::read() {
  uint64_t where[2];
  if (take(where))
    done(reinterpret_cast<const void *>(where[0]), where[1]);
}

void Worker::write() {
  uint64_t address;
  if (!take(address))
    return;
  std::memcpy(reinterpret_cast<void *>(address), body.data() + sizeof(address),
              body.size() - sizeof(address));
  done();
}

void Worker::serve() {
  for (;;) {
    switch (channel.receive(body).kind) {
    case Kind::Load:
      load();
      break;
    case Kind::Unload:
      unload();
      break;
    case Kind::Launch:
      launchKernel();
      break;
    case Kind::Read:
      read();
      break;
    case Kind::Write:
      write();
      break;
    default:
      channel.send(Kind::Error, "the request is unknown");
    }
  }
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

/// Tells the host what happened and ends: memory that a kernel has written at
/// random is no ground to go on from.
void onFault(int signal, siginfo_t *info, void *) {
  FaultReply reply{uint32_t(signal), 0,
                   reinterpret_cast<uint64_t>(info->si_addr)};
  theChannel->sendFromHandler(Kind::Fault, &reply, sizeof(reply));
  _exit(128 + signal);
}

/// The handler has a stack of its own where the first thread runs out of its.
void catchFaults() {
  static uint8_t stack[64 << 10];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof(stack);
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = onFault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP})
    sigaction(signal, &action, nullptr);
}

//===----------------------------------------------------------------------===//
// What this machine is
//===----------------------------------------------------------------------===//

#if defined(__aarch64__) || defined(__riscv)
std::jmp_buf noVectors;
#endif

/// The length of a scalable vector register in bits; 0 if there is none.
uint32_t scalableVectorBits() {
#if defined(__aarch64__) || defined(__riscv)
  auto *previous = std::signal(SIGILL, [](int) { longjmp(noVectors, 1); });
  uint32_t bits = 0;
  if (setjmp(noVectors) == 0) {
    uint64_t bytes;
#if defined(__aarch64__)
    asm volatile(".arch_extension sve\n\tcntb %0" : "=r"(bytes));
#else
    asm volatile("csrr %0, 0xc22" : "=r"(bytes)); // vlenb
#endif
    bits = uint32_t(bytes) * 8;
  }
  std::signal(SIGILL, previous);
  return bits;
#else
  return 0;
#endif
}

constexpr const char *kArchitecture =
#if defined(__aarch64__)
    "aarch64";
#elif defined(__riscv)
    "riscv64";
#else
    "x86_64";
#endif

void sayHello(Channel &channel, uint64_t address, uint64_t bytes) {
  HelloReply reply{kProtocolVersion, scalableVectorBits(), address, bytes};
  std::vector<uint8_t> message(sizeof(reply) + std::strlen(kArchitecture));
  std::memcpy(message.data(), &reply, sizeof(reply));
  std::memcpy(message.data() + sizeof(reply), kArchitecture,
              message.size() - sizeof(reply));
  channel.send(Kind::Hello, message.data(), message.size());
}

int fail(Channel &channel, const std::string &what) {
  channel.send(Kind::Error, what + ": " + std::strerror(errno));
  return 1;
}

} // namespace

int main(int count, char **arguments) {
  if (count != 5)
    return 2;
  Channel channel(std::atoi(arguments[1]));
  theChannel = &channel;
  int memory = std::atoi(arguments[2]);
  uint64_t address = std::strtoull(arguments[3], nullptr, 0);
  uint64_t bytes = std::strtoull(arguments[4], nullptr, 0);
  auto *wanted = reinterpret_cast<void *>(address);
  void *mapped = mmap(wanted, bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_FIXED_NOREPLACE, memory, 0);
  if (mapped != wanted)
    return fail(channel, "the device's memory cannot be mapped at its address");
  close(memory);
  sayHello(channel, address, bytes);
  catchFaults();
  channel.watch();
  Worker(channel).serve();
}

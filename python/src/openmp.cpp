//===- openmp.cpp - the tensor library's OpenMP runtime -------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "openmp.h"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <mutex>
#include <pthread.h>
#include <string>
#include <type_traits>
#include <vector>

namespace seagrove::launch {
namespace {

std::atomic<const Runtime *> adopted{nullptr};
/// The runtime's threads do not exist in a child, and it does not know that.
std::atomic<bool> isForked{false};

/// Whether this process has come out of a fork and runs the same program still.
bool continuesItsParent() {
  constexpr unsigned kForkedWithoutExec = 0x40; // Linux's PF_FORKNOEXEC
  char text[512] = {};
  if (std::FILE *file = std::fopen("/proc/self/stat", "r")) {
    size_t size = std::fread(text, 1, sizeof(text) - 1, file);
    text[size] = 0;
    std::fclose(file);
  }
  // The name of the program, in parentheses, may hold anything.
  const char *afterName = std::strrchr(text, ')');
  unsigned flags = 0;
  if (afterName)
    std::sscanf(afterName + 1, " %*c %*d %*d %*d %*d %*d %u", &flags);
  return flags & kForkedWithoutExec;
}

/// Notices a fork, also one from before this library was loaded.
void watchForks() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (continuesItsParent())
      isForked.store(true, std::memory_order_relaxed);
    pthread_atfork(nullptr, nullptr,
                   [] { isForked.store(true, std::memory_order_relaxed); });
  });
}

struct LoadedRuntimes {
  bool tensorLibrary = false;
  std::vector<std::string> openmp;
};

int collectRuntime(dl_phdr_info *info, size_t, void *result) {
  auto &found = *static_cast<LoadedRuntimes *>(result);
  const char *path = info->dlpi_name ? info->dlpi_name : "";
  const char *slash = std::strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  auto startsWith = [&](const char *prefix) {
    return std::strncmp(name, prefix, std::strlen(prefix)) == 0;
  };
  if (startsWith("libtorch_cpu"))
    found.tensorLibrary = true;
  else if (startsWith("libgomp") || startsWith("libiomp5") ||
           startsWith("libomp"))
    found.openmp.push_back(path);
  return 0;
}

} // namespace

void adoptLoadedRuntime() {
  if (adopted.load(std::memory_order_relaxed))
    return;
  LoadedRuntimes libraries;
  dl_iterate_phdr(collectRuntime, &libraries);
  if (!libraries.tensorLibrary)
    return;
  for (const std::string &path : libraries.openmp) {
    // Not loaded by us, so never unloaded by us: the extra reference is kept.
    void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
    if (!handle)
      continue;
    Runtime found;
    auto get = [handle](auto &function, const char *name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(
          dlsym(handle, name));
    };
    get(found.maxThreads, "omp_get_max_threads");
    get(found.threadNumber, "omp_get_thread_num");
    get(found.parallel, "GOMP_parallel");
    if (found.maxThreads) {
      watchForks();
      // For as long as the process lives, as the runtime itself.
      adopted.store(new Runtime(found), std::memory_order_release);
      return;
    }
  }
}

const Runtime *adoptedRuntime() {
  return adopted.load(std::memory_order_acquire);
}

const Runtime *runtimeFor(int threads) {
  const Runtime *runtime = adoptedRuntime();
  // A team of another size would end threads, which the next one makes anew.
  if (!runtime || !runtime->parallel || !runtime->threadNumber ||
      isForked.load(std::memory_order_relaxed) ||
      runtime->maxThreads() != threads)
    return nullptr;
  return runtime;
}

} // namespace seagrove::launch

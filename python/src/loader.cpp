//===- loader.cpp - loads a compiled kernel from memory -------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "loader.h"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

namespace seagrove::launch {
namespace {

bool writeAll(int fd, const void *bytes, size_t size) {
  auto *next = static_cast<const char *>(bytes);
  while (size > 0) {
    ssize_t written = write(fd, next, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    next += written;
    size -= size_t(written);
  }
  return true;
}

/// A name for `fd` that no earlier library had. The dynamic loader compares
/// names before it looks at files, and the numbers of closed files come back,
/// so the same "/proc/self/fd/7" would give us an older kernel. A counter is
/// therefore spelled in the path, one "//" or "/./" for each bit.
std::string uniqueName(int fd) {
  static std::atomic<uint32_t> counter{0};
  std::string path = "/proc/self/fd";
  for (uint32_t bits = ++counter; bits != 0; bits >>= 1)
    path += bits & 1 ? "/." : "/";
  return path + "/" + std::to_string(fd);
}

std::string failure(const char *what) {
  return std::string(what) + ": " + std::strerror(errno);
}

} // namespace

std::string SharedObject::load(const void *bytes, size_t size) {
  unload();
  std::string error;
  int fd = memfd_create("seagrove-kernel", MFD_CLOEXEC);
  if (fd >= 0) {
    if (!writeAll(fd, bytes, size))
      error = failure("cannot write the kernel to memory");
    else if (!(handle = dlopen(uniqueName(fd).c_str(), RTLD_NOW | RTLD_LOCAL)))
      error = dlerror();
    close(fd);
    if (handle)
      return "";
  }
  // Some hardened systems run no code from memory files.
  const char *base = std::getenv("TMPDIR");
  std::string path = std::string(base ? base : "/tmp") + "/seagrove-XXXXXX";
  fd = mkstemp(path.data());
  if (fd < 0)
    return error.empty() ? failure("cannot make a temporary file") : error;
  if (writeAll(fd, bytes, size))
    handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle && error.empty())
    error = dlerror();
  close(fd);
  unlink(path.c_str());
  return handle ? "" : error;
}

void *SharedObject::find(const char *symbol) const {
  return handle ? dlsym(handle, symbol) : nullptr;
}

void SharedObject::unload() {
  if (handle)
    dlclose(handle);
  handle = nullptr;
}

} // namespace seagrove::launch

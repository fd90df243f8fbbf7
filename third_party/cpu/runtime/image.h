//===- image.h - loads a kernel's shared object -----------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A loader for the shared objects that the compiler makes. It takes the place
// of dlopen, which a program without shared libraries does not have: thus the
// worker runs where no C library of its architecture is installed.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_CPU_RUNTIME_IMAGE_H
#define SEAGROVE_CPU_RUNTIME_IMAGE_H

#include <cstddef>
#include <cstdint>
#include <elf.h>
#include <string>

namespace seagrove::worker {

/// One mapped shared object.
class Image {
public:
  Image() = default;
  Image(const Image &) = delete;
  Image &operator=(const Image &) = delete;
  ~Image();

  /// Maps the object and binds its open symbols to the worker's own. Returns
  /// "" or why it cannot be loaded.
  std::string load(const uint8_t *bytes, size_t size);

  /// Address of an exported symbol; null if there is none.
  void *find(const char *name) const;

private:
  std::string checkHeader(const uint8_t *bytes, size_t size);
  std::string map(const uint8_t *bytes, size_t size);
  void readDynamic();
  std::string relocate(const Elf64_Rela *entries, size_t bytes);
  std::string protect() const;

  template <typename T> T *at(uint64_t address) const {
    return reinterpret_cast<T *>(base + address);
  }
  const char *nameOf(const Elf64_Sym &symbol) const {
    return strings + symbol.st_name;
  }

  Elf64_Ehdr header = {};
  const Elf64_Phdr *segments = nullptr; // In the bytes, during `load`.
  uint8_t *base = nullptr;
  size_t span = 0;
  const Elf64_Sym *symbols = nullptr;
  const char *strings = nullptr;
  const uint32_t *hash = nullptr;
  const Elf64_Rela *relocations = nullptr, *calls = nullptr;
  size_t relocationBytes = 0, callBytes = 0;
};

/// A function of the worker that kernels may call; null if there is none.
void *findOwnSymbol(const char *name);

} // namespace seagrove::worker

#endif // SEAGROVE_CPU_RUNTIME_IMAGE_H

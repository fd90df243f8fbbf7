//===- image.cpp - loads a kernel's shared object -------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// After the generic part of the System V ABI, chapters 4 and 5, and the GNU
// hash table. Only relocations against symbols and load addresses occur in our
// objects: no thread-local data, no lazy binding, no indirect functions.
//
//===----------------------------------------------------------------------===//

#include "image.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace seagrove::worker {
namespace {

/// The relocations of one architecture that are handled.
struct Machine {
  uint16_t number;
  const char *name;
  uint32_t relative, absolute, globalData, jumpSlot;
};

constexpr Machine kMachines[] = {
    {EM_AARCH64, "aarch64", R_AARCH64_RELATIVE, R_AARCH64_ABS64,
     R_AARCH64_GLOB_DAT, R_AARCH64_JUMP_SLOT},
    {EM_RISCV, "riscv64", R_RISCV_RELATIVE, R_RISCV_64, R_RISCV_64,
     R_RISCV_JUMP_SLOT},
    {EM_X86_64, "x86_64", R_X86_64_RELATIVE, R_X86_64_64, R_X86_64_GLOB_DAT,
     R_X86_64_JUMP_SLOT},
};

const Machine &ownMachine() {
#if defined(__aarch64__)
  return kMachines[0];
#elif defined(__riscv)
  return kMachines[1];
#else
  return kMachines[2];
#endif
}

std::string machineName(uint16_t number) {
  for (const Machine &machine : kMachines)
    if (machine.number == number)
      return machine.name;
  return "ELF machine " + std::to_string(number);
}

uint64_t pageSize() {
  static const uint64_t size = uint64_t(sysconf(_SC_PAGESIZE));
  return size;
}

uint64_t roundDown(uint64_t value) { return value & ~(pageSize() - 1); }
uint64_t roundUp(uint64_t value) { return roundDown(value + pageSize() - 1); }

uint32_t gnuHash(const char *name) {
  uint32_t hash = 5381;
  for (; *name; ++name)
    hash = hash * 33 + uint8_t(*name);
  return hash;
}

} // namespace

Image::~Image() {
  if (base)
    munmap(base, span);
}

std::string Image::checkHeader(const uint8_t *bytes, size_t size) {
  if (size < sizeof(header))
    return "it is too short for a shared object";
  std::memcpy(&header, bytes, sizeof(header));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return "it is no ELF file";
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_machine != ownMachine().number)
    return "it is code for " + machineName(header.e_machine) +
           ", the device is " + ownMachine().name;
  uint64_t tableBytes = uint64_t(header.e_phnum) * sizeof(Elf64_Phdr);
  if (header.e_type != ET_DYN || header.e_phoff % alignof(Elf64_Phdr) ||
      header.e_phoff > size || tableBytes > size - header.e_phoff)
    return "it is no shared object";
  segments = reinterpret_cast<const Elf64_Phdr *>(bytes + header.e_phoff);
  return "";
}

std::string Image::map(const uint8_t *bytes, size_t size) {
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr &segment = segments[i];
    if (segment.p_type != PT_LOAD)
      continue;
    if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset ||
        segment.p_filesz > segment.p_memsz || segment.p_memsz > 1ull << 32 ||
        segment.p_vaddr > 1ull << 32)
      return "it is cut off";
    span = std::max<uint64_t>(span, segment.p_vaddr + segment.p_memsz);
  }
  if (span == 0)
    return "it holds no code";
  span = roundUp(span);
  void *memory = mmap(nullptr, span, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    span = 0;
    return std::string("no memory for its code: ") + std::strerror(errno);
  }
  base = static_cast<uint8_t *>(memory);
  for (unsigned i = 0; i < header.e_phnum; ++i)
    if (segments[i].p_type == PT_LOAD)
      std::memcpy(base + segments[i].p_vaddr, bytes + segments[i].p_offset,
                  segments[i].p_filesz);
  return "";
}

void Image::readDynamic() {
  const Elf64_Dyn *entry = nullptr;
  for (unsigned i = 0; i < header.e_phnum; ++i)
    if (segments[i].p_type == PT_DYNAMIC)
      entry = at<Elf64_Dyn>(segments[i].p_vaddr);
  for (; entry && entry->d_tag != DT_NULL; ++entry) {
    switch (entry->d_tag) {
    case DT_SYMTAB:
      symbols = at<Elf64_Sym>(entry->d_un.d_ptr);
      break;
    case DT_STRTAB:
      strings = at<char>(entry->d_un.d_ptr);
      break;
    case DT_GNU_HASH:
      hash = at<uint32_t>(entry->d_un.d_ptr);
      break;
    case DT_RELA:
      relocations = at<Elf64_Rela>(entry->d_un.d_ptr);
      break;
    case DT_RELASZ:
      relocationBytes = entry->d_un.d_val;
      break;
    case DT_JMPREL:
      calls = at<Elf64_Rela>(entry->d_un.d_ptr);
      break;
    case DT_PLTRELSZ:
      callBytes = entry->d_un.d_val;
      break;
    default:
      break;
    }
  }
}

std::string Image::relocate(const Elf64_Rela *entries, size_t bytes) {
  const Machine &machine = ownMachine();
  for (size_t i = 0; i < bytes / sizeof(Elf64_Rela); ++i) {
    const Elf64_Rela &entry = entries[i];
    auto type = uint32_t(ELF64_R_TYPE(entry.r_info));
    uint64_t value = uint64_t(entry.r_addend);
    if (type == machine.relative) {
      value += reinterpret_cast<uint64_t>(base);
    } else if (type == machine.absolute || type == machine.globalData ||
               type == machine.jumpSlot) {
      const Elf64_Sym &symbol = symbols[ELF64_R_SYM(entry.r_info)];
      void *address = symbol.st_shndx != SHN_UNDEF
                          ? at<void>(symbol.st_value)
                          : findOwnSymbol(nameOf(symbol));
      if (!address && ELF64_ST_BIND(symbol.st_info) != STB_WEAK)
        return std::string("it calls '") + nameOf(symbol) +
               "', which the device does not offer";
      value += reinterpret_cast<uint64_t>(address);
    } else {
      return "it holds a relocation of the unknown type " +
             std::to_string(type);
    }
    if (entry.r_offset > span - sizeof(value))
      return "it is cut off";
    std::memcpy(base + entry.r_offset, &value, sizeof(value));
  }
  return "";
}

std::string Image::protect() const {
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr &segment = segments[i];
    if (segment.p_type != PT_LOAD)
      continue;
    int access = (segment.p_flags & PF_R ? PROT_READ : 0) |
                 (segment.p_flags & PF_W ? PROT_WRITE : 0) |
                 (segment.p_flags & PF_X ? PROT_EXEC : 0);
    uint64_t begin = roundDown(segment.p_vaddr);
    uint64_t end = roundUp(segment.p_vaddr + segment.p_memsz);
    if (mprotect(base + begin, end - begin, access) != 0)
      return std::string("its code cannot be made executable: ") +
             std::strerror(errno);
  }
  return "";
}

std::string Image::load(const uint8_t *bytes, size_t size) {
  std::string error = checkHeader(bytes, size);
  if (error.empty())
    error = map(bytes, size);
  if (!error.empty())
    return error;
  readDynamic();
  if (!symbols || !strings || !hash)
    return "it exports nothing";
  error = relocate(relocations, relocationBytes);
  if (error.empty())
    error = relocate(calls, callBytes);
  if (error.empty())
    error = protect();
  segments = nullptr;
  auto *code = reinterpret_cast<char *>(base);
  __builtin___clear_cache(code, code + span);
  return error;
}

void *Image::find(const char *name) const {
  // Header: buckets, first hashed symbol, Bloom words, Bloom shift.
  uint32_t buckets = hash[0], firstSymbol = hash[1], bloomWords = hash[2];
  const uint32_t *bucket = hash + 4 + 2 * bloomWords;
  const uint32_t *chain = bucket + buckets;
  uint32_t wanted = gnuHash(name);
  uint32_t index = buckets ? bucket[wanted % buckets] : 0;
  if (index < firstSymbol)
    return nullptr;
  for (;; ++index) {
    uint32_t found = chain[index - firstSymbol];
    if ((found | 1) == (wanted | 1) &&
        std::strcmp(nameOf(symbols[index]), name) == 0)
      return at<void>(symbols[index].st_value);
    if (found & 1)
      return nullptr;
  }
}

} // namespace seagrove::worker

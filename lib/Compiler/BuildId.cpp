//===- BuildId.cpp - what tells one build from another --------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Api.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"

#include <cstring>
#include <link.h>

namespace {
struct Search {
  uintptr_t inside;
  std::string id;
};
} // namespace

/// Reads the linker's build id out of the loaded image that holds this code.
static int findBuildId(dl_phdr_info *info, size_t, void *data) {
  auto *search = static_cast<Search *>(data);
  bool containsUs = false;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto &header = info->dlpi_phdr[i];
    uintptr_t start = info->dlpi_addr + header.p_vaddr;
    containsUs |= header.p_type == PT_LOAD && search->inside >= start &&
                  search->inside < start + header.p_memsz;
  }
  if (!containsUs)
    return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto &header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE)
      continue;
    const auto *note =
        reinterpret_cast<const uint8_t *>(info->dlpi_addr + header.p_vaddr);
    const uint8_t *end = note + header.p_memsz;
    while (note + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) fields;
      std::memcpy(&fields, note, sizeof(fields));
      const uint8_t *description =
          note + sizeof(fields) + ((fields.n_namesz + 3) & ~3u);
      if (fields.n_type == NT_GNU_BUILD_ID) {
        search->id = llvm::toHex(
            llvm::ArrayRef<uint8_t>(description, fields.n_descsz), true);
        return 1;
      }
      note = description + ((fields.n_descsz + 3) & ~3u);
    }
  }
  return 1;
}

std::string seagrove::api::buildId() {
  static const std::string id = [] {
    Search search{reinterpret_cast<uintptr_t>(&findBuildId), {}};
    dl_iterate_phdr(findBuildId, &search);
    if (search.id.empty())
      search.id = __DATE__ " " __TIME__;
    return std::string(LLVM_VERSION_STRING) + "-" + search.id;
  }();
  return id;
}

//===- loader.h - loads a compiled kernel from memory -----------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_LOADER_H
#define SEAGROVE_PYTHON_LOADER_H

#include <cstddef>
#include <string>

namespace seagrove::launch {

/// A shared object that was loaded from bytes. No file is left behind; its
/// symbols are visible to nobody else.
class SharedObject {
public:
  SharedObject() = default;
  SharedObject(const SharedObject &) = delete;
  SharedObject &operator=(const SharedObject &) = delete;
  ~SharedObject() { unload(); }

  /// Maps the shared object. Returns the reason on failure, else "".
  std::string load(const void *bytes, size_t size);

  /// The address of an exported symbol, null if there is none.
  void *find(const char *symbol) const;

  bool loaded() const { return handle != nullptr; }
  void unload();

private:
  void *handle = nullptr;
};

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_LOADER_H

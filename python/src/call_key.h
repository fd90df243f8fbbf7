//===- call_key.h - what a specialisation sees of a call --------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The key of a launch: for each argument a few words that are never coarser
// than what Triton's specialisation looks at. A tensor is read by one call of
// its library's C functions where its type offers them (DLPack's
// `__dlpack_c_exchange_api__`), else by its attributes `is_cpu`, `data_ptr` and
// `dtype`; a tuple by its elements, and a tensor descriptor by its tensor and
// the shape of its blocks.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_CALL_KEY_H
#define SEAGROVE_PYTHON_CALL_KEY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace seagrove::launch {

/// Kernels of more parameters, or launches of more arguments, go Triton's way.
constexpr Py_ssize_t kMaxArguments = 64;

/// An owned reference.
class Ref {
public:
  Ref() = default;
  explicit Ref(PyObject *object) : object(Py_XNewRef(object)) {}
  Ref(const Ref &other) : Ref(other.object) {}
  Ref(Ref &&other) noexcept : object(std::exchange(other.object, nullptr)) {}
  Ref &operator=(Ref other) noexcept {
    std::swap(object, other.object);
    return *this;
  }
  ~Ref() { Py_XDECREF(object); }
  PyObject *get() const { return object; }

private:
  PyObject *object = nullptr;
};

/// Fills a `DLTensor` from an object of the type that offers it; 0, or -1 with
/// a Python error set. What it shows is owned by that object.
using ReadTensor = int (*)(void *object, void *tensor);

/// A type whose objects are tensors.
struct TensorType {
  PyTypeObject *type = nullptr;
  /// Null where attributes have to do.
  ReadTensor read = nullptr;
};

/// What is read from the arguments of one call.
struct Call {
  uint64_t key[3 + 4 * kMaxArguments];
  size_t keySize = 0;
  /// Addresses of the arguments that are tensors; 0 for others.
  uint64_t address[kMaxArguments];

  void add(uint64_t word) { key[keySize++] = word; }
  /// Whether there is room for what is not made of others.
  bool hasRoom() const { return keySize + 4 <= std::size(key); }
};

/// What the keys of one kernel's calls are made with.
class KeyMaker {
public:
  /// Takes tuples of types: of tensors, of tensor descriptors, and of objects
  /// that are told apart by identity where they are constexprs.
  KeyMaker(PyObject *tensorTypes, PyObject *descriptorTypes,
           PyObject *exactTypes);

  /// Appends what a specialisation sees of `arg`, of its value if `exact`, and
  /// its address if it is a tensor. False for a kind that is left to Triton.
  bool add(PyObject *arg, bool exact, Call &call, uint64_t &address) const;

private:
  bool addTensor(PyObject *arg, Call &call, uint64_t &address) const;
  bool addDescriptor(PyObject *arg, Call &call) const;
  bool addTuple(PyObject *arg, bool exact, Call &call) const;

  Ref tensorTypes, descriptorTypes, exactTypes;
  std::vector<TensorType> tensors;
};

/// Makes the attribute names that are looked up. False with an error set.
bool initCallKeys();

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_CALL_KEY_H

//===- arguments.h - packs Python arguments for a kernel --------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel takes its arguments as one array of 8-byte slots, one per argument
// in order, the value in the low bytes. The types come from Triton's signature
// ("*fp32", "i32", "constexpr", "tensordesc<fp16[16, 16]>", or a tuple of
// such); constexprs have no slot, a tuple is flattened, and a tensor descriptor
// becomes base, shape[0..r-1], strides[0..r-1] and the latter two once more,
// because Triton's front end gives each kernel the sizes as parameters besides.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_ARGUMENTS_H
#define SEAGROVE_PYTHON_ARGUMENTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <string>
#include <vector>

namespace seagrove::launch {

enum class Kind : uint8_t {
  Skip,
  Pointer,
  Bool,
  Signed,
  Unsigned,
  Float16,
  BFloat16,
  Float32,
  Float64,
  Tuple,
  Descriptor,
};

/// How the last accepted argument of a pointer parameter gave its address.
enum class Source : uint8_t { Unknown, Method, DeviceMethod, Buffer };

/// One parameter, or one element of a tuple parameter.
struct Param {
  Kind kind = Kind::Skip;
  uint8_t bits = 64;
  /// Number of tuple elements, or the rank of a descriptor.
  unsigned count = 0;
  /// Position among the kernel's own parameters, for messages.
  unsigned position = 0;
  /// Triton's spelling of the type.
  std::string type;
  std::vector<Param> elements;

  // The type and dtype that passed the full check last; the next argument with
  // the same two skips it. Both are owned references.
  PyTypeObject *seenType = nullptr;
  PyObject *seenDtype = nullptr;
  Source source = Source::Unknown;
};

/// The parameters of one compiled kernel.
class Signature {
public:
  Signature() = default;
  Signature(const Signature &) = delete;
  Signature &operator=(const Signature &) = delete;
  ~Signature();

  /// Reads a tuple of type strings and tuples. False with a Python error set
  /// if a type is not known.
  bool parse(PyObject *kernelName, PyObject *names, PyObject *types);

  size_t numParams() const { return params.size(); }
  size_t numSlots() const { return slots; }
  PyObject *kernel() const { return kernelName; }

  /// Fills `out` (numSlots() entries) from the arguments of one launch. False
  /// with a typed Python error set that names the kernel and the argument.
  /// `addresses`, if given, holds what tensors have been found to point to, and
  /// 0 for other arguments.
  bool pack(PyObject *const *args, const uint64_t *addresses, size_t count,
            uint64_t *out);

private:
  bool parseParam(PyObject *type, unsigned position, Param &param);
  bool packParam(Param &param, PyObject *arg, uint64_t *&out);
  bool packPointer(Param &param, PyObject *arg, uint64_t &out);
  bool readPointer(Param &param, PyObject *arg, uint64_t &out);
  bool packInteger(const Param &param, PyObject *arg, uint64_t &out);
  bool packFloat(const Param &param, PyObject *arg, uint64_t &out);
  bool packTuple(Param &param, PyObject *arg, uint64_t *&out);
  bool packDescriptor(Param &param, PyObject *arg, uint64_t *&out);
  /// Raises the error that `reason` names in seagrove.runtime.arguments.
  bool fail(const char *reason, const Param &param, PyObject *arg) const;

  PyObject *kernelName = nullptr;
  PyObject *names = nullptr;
  std::vector<Param> params;
  size_t slots = 0;
};

/// Calls a function of seagrove.runtime.arguments, where the rare cases and
/// the wording of errors live. Returns a new reference.
PyObject *callHelper(const char *function, PyObject *args);

/// Makes the attribute names that packing looks up. False with an error set.
bool initArguments();

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_ARGUMENTS_H

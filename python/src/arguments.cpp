//===- arguments.cpp - packs Python arguments for a kernel ----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "arguments.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace seagrove::launch {
namespace {

/// Interned names of the attributes that packing reads.
struct AttributeNames {
  PyObject *dataPtr, *dtype, *isCpu, *base, *shape, *strides, *padding;
} attribute;

struct ScalarType {
  const char *name;
  Kind kind;
  uint8_t bits;
};

constexpr ScalarType kScalarTypes[] = {
    {"i1", Kind::Bool, 1},       {"u1", Kind::Bool, 1},
    {"i8", Kind::Signed, 8},     {"i16", Kind::Signed, 16},
    {"i32", Kind::Signed, 32},   {"i64", Kind::Signed, 64},
    {"u8", Kind::Unsigned, 8},   {"u16", Kind::Unsigned, 16},
    {"u32", Kind::Unsigned, 32}, {"u64", Kind::Unsigned, 64},
    {"fp16", Kind::Float16, 16}, {"bf16", Kind::BFloat16, 16},
    {"fp32", Kind::Float32, 32}, {"f32", Kind::Float32, 32},
    {"fp64", Kind::Float64, 64},
};

/// The rank in "tensordesc<fp16[16, 16]>" (and its im2col form, which may
/// state another rank of the tensor); 0 if malformed.
unsigned descriptorRank(const std::string &type) {
  size_t open = type.find('['), close = type.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open)
    return 0;
  size_t stated = type.find("input_rank=");
  if (stated != std::string::npos)
    return unsigned(std::atoi(type.c_str() + stated + 11));
  auto begin = type.begin() + long(open), end = type.begin() + long(close);
  return unsigned(std::count(begin, end, ',')) + 1;
}

template <typename T> uint64_t lowBytes(T value) {
  uint64_t slot = 0;
  std::memcpy(&slot, &value, sizeof(value));
  return slot;
}

uint64_t roundToHalf(double value) {
  char bytes[2];
  if (PyFloat_Pack2(value, bytes, /*le=*/1) < 0) {
    PyErr_Clear(); // Too large: the nearest half is an infinity.
    PyFloat_Pack2(std::copysign(INFINITY, value), bytes, 1);
  }
  return uint64_t(uint8_t(bytes[0])) | uint64_t(uint8_t(bytes[1])) << 8;
}

uint64_t roundToBFloat16(double value) {
  float single = float(value);
  uint32_t bits;
  std::memcpy(&bits, &single, sizeof(bits));
  if (std::isnan(single))
    return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

} // namespace

bool initArguments() {
  attribute.dataPtr = PyUnicode_InternFromString("data_ptr");
  attribute.dtype = PyUnicode_InternFromString("dtype");
  attribute.isCpu = PyUnicode_InternFromString("is_cpu");
  attribute.base = PyUnicode_InternFromString("base");
  attribute.shape = PyUnicode_InternFromString("shape");
  attribute.strides = PyUnicode_InternFromString("strides");
  attribute.padding = PyUnicode_InternFromString("padding");
  return attribute.padding != nullptr;
}

PyObject *callHelper(const char *function, PyObject *args) {
  PyObject *result = nullptr;
  if (PyObject *module = PyImport_ImportModule("seagrove.runtime.arguments")) {
    if (PyObject *callable = PyObject_GetAttrString(module, function)) {
      result = args ? PyObject_CallObject(callable, args) : nullptr;
      Py_DECREF(callable);
    }
    Py_DECREF(module);
  }
  Py_XDECREF(args);
  return result;
}

//===----------------------------------------------------------------------===//
// Reading the signature
//===----------------------------------------------------------------------===//

static void forget(Param &param) {
  PyObject *type = reinterpret_cast<PyObject *>(param.seenType);
  param.seenType = nullptr;
  Py_XDECREF(type);
  Py_CLEAR(param.seenDtype);
  for (Param &element : param.elements)
    forget(element);
}

Signature::~Signature() {
  for (Param &param : params)
    forget(param);
  Py_XDECREF(kernelName);
  Py_XDECREF(names);
}

bool Signature::parseParam(PyObject *type, unsigned position, Param &param) {
  param.position = position;
  if (PyTuple_Check(type)) {
    param.kind = Kind::Tuple;
    param.count = unsigned(PyTuple_GET_SIZE(type));
    param.elements.resize(param.count);
    for (unsigned i = 0; i < param.count; ++i)
      if (!parseParam(PyTuple_GET_ITEM(type, i), position, param.elements[i]))
        return false;
    return true;
  }
  const char *text = PyUnicode_AsUTF8(type);
  if (!text)
    return false;
  param.type = text;
  if (param.type == "constexpr")
    return true;
  if (param.type[0] == '*') {
    param.kind = Kind::Pointer;
    slots += 1;
    return true;
  }
  if (param.type.rfind("tensordesc", 0) == 0) {
    param.kind = Kind::Descriptor;
    param.count = descriptorRank(param.type);
    // The compiler's own expansion, then the sizes that Triton's front end adds
    // behind every descriptor for `descriptor.shape` and `.strides`.
    slots += 2 + 4 * size_t(param.count);
    size_t open = param.type.find('<'), shape = param.type.find('[');
    if (param.count > 0 && open < shape) {
      Param base;
      base.kind = Kind::Pointer;
      base.position = position;
      base.type = "*" + param.type.substr(open + 1, shape - open - 1);
      param.elements.push_back(base);
      return true;
    }
  }
  for (const ScalarType &scalar : kScalarTypes)
    if (param.type == scalar.name) {
      param.kind = scalar.kind;
      param.bits = scalar.bits;
      slots += 1;
      return true;
    }
  return fail("unknown_type", param, Py_None);
}

bool Signature::parse(PyObject *kernel, PyObject *paramNames, PyObject *types) {
  kernelName = Py_NewRef(kernel);
  names = Py_NewRef(paramNames);
  params.resize(size_t(PyTuple_GET_SIZE(types)));
  for (unsigned i = 0; i < params.size(); ++i)
    if (!parseParam(PyTuple_GET_ITEM(types, i), i, params[i]))
      return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

bool Signature::fail(const char *reason, const Param &param,
                     PyObject *arg) const {
  PyErr_Clear();
  PyObject *args = Py_BuildValue("(sOOIsO)", reason, kernelName, names,
                                 param.position, param.type.c_str(), arg);
  // The helper always raises; a normal return would be our own mistake.
  if (PyObject *unexpected = callHelper("raise_argument_error", args)) {
    Py_DECREF(unexpected);
    PyErr_SetString(PyExc_SystemError, "seagrove: no error was raised");
  }
  return false;
}

/// Calls `arg.data_ptr()`. False if that gave no address; an error may be set.
static bool readMethod(PyObject *arg, uint64_t &out) {
  PyObject *number = PyObject_CallMethodNoArgs(arg, attribute.dataPtr);
  if (!number)
    return false;
  out = PyLong_AsUnsignedLongLong(number);
  Py_DECREF(number);
  return !(out == uint64_t(-1) && PyErr_Occurred());
}

/// Reads the address of an array that shows its memory as a Python buffer.
/// False for a negative stride: the address would be that of the last element.
static bool readBuffer(PyObject *arg, uint64_t &out) {
  Py_buffer view;
  if (PyObject_GetBuffer(arg, &view, PyBUF_STRIDES) < 0)
    return false;
  bool ok = true;
  for (int i = 0; view.strides && i < view.ndim; ++i)
    ok &= view.strides[i] >= 0 || view.shape[i] <= 1;
  out = reinterpret_cast<uintptr_t>(view.buf);
  PyBuffer_Release(&view);
  return ok;
}

bool Signature::packPointer(Param &param, PyObject *arg, uint64_t &out) {
  // The fast way: an argument of the type and dtype that passed before.
  if (Py_TYPE(arg) == param.seenType) {
    bool ok = param.source == Source::Buffer ? readBuffer(arg, out)
                                             : readMethod(arg, out);
    if (ok && param.source == Source::DeviceMethod) {
      PyObject *isCpu = PyObject_GetAttr(arg, attribute.isCpu);
      ok = isCpu == Py_True;
      Py_XDECREF(isCpu);
    }
    if (ok && out != 0) {
      PyObject *dtype = PyObject_GetAttr(arg, attribute.dtype);
      ok = dtype && dtype == param.seenDtype;
      Py_XDECREF(dtype);
      if (ok)
        return true;
    }
    PyErr_Clear();
  }
  if (PyLong_CheckExact(arg)) { // A bare address: the caller vouches for it.
    out = PyLong_AsUnsignedLongLong(arg);
    return !(out == uint64_t(-1) && PyErr_Occurred()) ||
           fail("integer_range", param, arg);
  }
  return readPointer(param, arg, out);
}

bool Signature::readPointer(Param &param, PyObject *arg, uint64_t &out) {
  PyObject *args = Py_BuildValue("(OOIsO)", kernelName, names, param.position,
                                 param.type.c_str(), arg);
  PyObject *answer = callHelper("pointer_of", args);
  if (!answer)
    return false;
  unsigned long long address = 0;
  int source = 0;
  PyObject *dtype = nullptr;
  bool ok = PyArg_ParseTuple(answer, "KiO", &address, &source, &dtype);
  if (ok) {
    out = address;
    forget(param);
    if (source != 0) {
      param.source = Source(source);
      param.seenDtype = Py_NewRef(dtype);
      param.seenType = reinterpret_cast<PyTypeObject *>(
          Py_NewRef(reinterpret_cast<PyObject *>(Py_TYPE(arg))));
    }
  }
  Py_DECREF(answer);
  return ok;
}

bool Signature::packInteger(const Param &param, PyObject *arg, uint64_t &out) {
  PyObject *number =
      PyLong_CheckExact(arg) ? Py_NewRef(arg) : PyNumber_Index(arg);
  if (!number)
    return fail("integer_type", param, arg);
  bool fits;
  if (param.kind == Kind::Unsigned) {
    out = PyLong_AsUnsignedLongLong(number);
    fits = !PyErr_Occurred() && (param.bits == 64 || out >> param.bits == 0);
  } else {
    int overflow = 0;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    int unused = 64 - param.bits;
    fits = !overflow &&
           static_cast<long long>(uint64_t(value) << unused) >> unused == value;
    out = param.bits == 64
              ? uint64_t(value)
              : uint64_t(value) & ((uint64_t(1) << param.bits) - 1);
  }
  Py_DECREF(number);
  return fits || fail("integer_range", param, arg);
}

bool Signature::packFloat(const Param &param, PyObject *arg, uint64_t &out) {
  double value = PyFloat_AsDouble(arg);
  if (value == -1.0 && PyErr_Occurred())
    return fail("float_type", param, arg);
  switch (param.kind) {
  case Kind::Float16:
    out = roundToHalf(value);
    break;
  case Kind::BFloat16:
    out = roundToBFloat16(value);
    break;
  case Kind::Float32:
    out = lowBytes(float(value));
    break;
  default:
    out = lowBytes(value);
  }
  return true;
}

bool Signature::packTuple(Param &param, PyObject *arg, uint64_t *&out) {
  if (!PyTuple_Check(arg) || PyTuple_GET_SIZE(arg) != Py_ssize_t(param.count))
    return fail("tuple", param, arg);
  for (unsigned i = 0; i < param.count; ++i)
    if (!packParam(param.elements[i], PyTuple_GET_ITEM(arg, i), out))
      return false;
  return true;
}

/// Appends the `rank` integers of the sequence `arg.name` to `out`.
static bool appendSizes(PyObject *arg, PyObject *name, unsigned rank,
                        uint64_t *&out) {
  PyObject *sizes = PyObject_GetAttr(arg, name);
  PyObject *items = sizes ? PySequence_Fast(sizes, "") : nullptr;
  bool ok = items && PySequence_Fast_GET_SIZE(items) == Py_ssize_t(rank);
  for (unsigned i = 0; ok && i < rank; ++i) {
    long long value = PyLong_AsLongLong(PySequence_Fast_GET_ITEM(items, i));
    ok = !(value == -1 && PyErr_Occurred());
    *out++ = uint64_t(value);
  }
  Py_XDECREF(items);
  Py_XDECREF(sizes);
  return ok;
}

bool Signature::packDescriptor(Param &param, PyObject *arg, uint64_t *&out) {
  PyObject *base = PyObject_GetAttr(arg, attribute.base);
  if (!base)
    return fail("descriptor", param, arg);
  bool ok = packPointer(param.elements[0], base, *out++);
  Py_DECREF(base);
  if (!ok)
    return false;
  auto appendShapeAndStrides = [&] {
    return appendSizes(arg, attribute.shape, param.count, out) &&
           appendSizes(arg, attribute.strides, param.count, out);
  };
  if (!appendShapeAndStrides())
    return fail("descriptor", param, arg);
  PyObject *padding = PyObject_GetAttr(arg, attribute.padding);
  *out++ = padding && PyUnicode_Check(padding) &&
           PyUnicode_CompareWithASCIIString(padding, "nan") == 0;
  Py_XDECREF(padding);
  PyErr_Clear();
  return appendShapeAndStrides() || fail("descriptor", param, arg);
}

bool Signature::packParam(Param &param, PyObject *arg, uint64_t *&out) {
  switch (param.kind) {
  case Kind::Skip:
    return true;
  case Kind::Pointer:
    return packPointer(param, arg, *out++);
  case Kind::Bool: {
    int truth = PyObject_IsTrue(arg);
    *out++ = truth > 0;
    return truth >= 0;
  }
  case Kind::Signed:
  case Kind::Unsigned:
    return packInteger(param, arg, *out++);
  case Kind::Tuple:
    return packTuple(param, arg, out);
  case Kind::Descriptor:
    return packDescriptor(param, arg, out);
  default:
    return packFloat(param, arg, *out++);
  }
}

bool Signature::pack(PyObject *const *args, const uint64_t *addresses,
                     size_t count, uint64_t *out) {
  for (size_t i = 0; i < count; ++i) {
    if (addresses && addresses[i] && params[i].kind == Kind::Pointer)
      *out++ = addresses[i];
    else if (!packParam(params[i], args[i], out))
      return false;
  }
  return true;
}

} // namespace seagrove::launch

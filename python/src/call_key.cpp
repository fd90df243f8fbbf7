//===- call_key.cpp - what a specialisation sees of a call ----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "call_key.h"

#include <cstring>

namespace seagrove::launch {
namespace {

struct Names {
  PyObject *dataPtr, *dtype, *isCpu, *getDevice, *exchange, *base, *blockShape;
} name;

enum Tag : uint64_t {
  kInteger = 1,
  kBool,
  kNone,
  kFloat,
  kObject,
  kTensor,
  kView,
  kDescriptor,
  kTuple,
};

//===----------------------------------------------------------------------===//
// DLPack's table of C functions, as far as it is used
//===----------------------------------------------------------------------===//

constexpr char kExchangeName[] = "dlpack_exchange_api";
constexpr uint32_t kExchangeMajor = 1;
constexpr int32_t kHostDevice = 1;

struct ExchangeHeader {
  uint32_t major, minor;
  const ExchangeHeader *older;
};

struct ExchangeTable {
  ExchangeHeader header;
  void *allocate;
  void *fromObject;
  void *toObject;
  /// May be null.
  ReadTensor readTensor;
  void *currentStream;
};

struct TensorView {
  void *data;
  int32_t deviceType, deviceId;
  int32_t ndim;
  uint8_t typeCode, typeBits;
  uint16_t typeLanes;
  int64_t *shape, *strides;
  uint64_t byteOffset;
};

/// The function that `type` offers, or null.
ReadTensor findReader(PyTypeObject *type) {
  PyObject *capsule =
      PyObject_GetAttr(reinterpret_cast<PyObject *>(type), name.exchange);
  const ExchangeHeader *header = nullptr;
  if (capsule && PyCapsule_IsValid(capsule, kExchangeName))
    header = static_cast<const ExchangeHeader *>(
        PyCapsule_GetPointer(capsule, kExchangeName));
  PyErr_Clear();
  // The table lives as long as the process, whatever becomes of the capsule.
  Py_XDECREF(capsule);
  while (header && header->major > kExchangeMajor)
    header = header->older;
  if (!header || header->major != kExchangeMajor)
    return nullptr;
  return reinterpret_cast<const ExchangeTable *>(header)->readTensor;
}

/// One word for everything that counts; false where the fields do not fit.
bool packView(const TensorView &view, size_t typeIndex, uint64_t address,
              uint64_t &word) {
  if (view.deviceType < 0 || view.deviceType > 0xff || view.deviceId < 0 ||
      view.deviceId > 0xff || typeIndex > 0x7f)
    return false;
  // Wherever the host's memory was allocated, it is one device.
  uint64_t id = view.deviceType == kHostDevice ? 0 : uint64_t(view.deviceId);
  word = kView | uint64_t(address % 16 == 0) << 8 | uint64_t(typeIndex) << 9 |
         uint64_t(view.deviceType) << 16 | id << 24 |
         uint64_t(view.typeCode) << 32 | uint64_t(view.typeBits) << 40 |
         uint64_t(view.typeLanes) << 48;
  return true;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// The number of a tensor's device, or -1.
long deviceNumber(PyObject *tensor) {
  PyObject *number = PyObject_CallMethodNoArgs(tensor, name.getDevice);
  long result = number ? PyLong_AsLong(number) : -1;
  Py_XDECREF(number);
  return result;
}

/// Reads a tensor by its attributes: its type, its dtype, whether it is
/// aligned, and its device's number where that is not the host.
bool addByAttributes(PyObject *arg, Call &call, uint64_t &address) {
  PyObject *isCpu = PyObject_GetAttr(arg, name.isCpu);
  Py_XDECREF(isCpu);
  long device = isCpu == Py_True    ? 0
                : isCpu == Py_False ? deviceNumber(arg)
                                    : -1;
  PyObject *number =
      device >= 0 ? PyObject_CallMethodNoArgs(arg, name.dataPtr) : nullptr;
  PyObject *dtype = number ? PyObject_GetAttr(arg, name.dtype) : nullptr;
  if (dtype)
    address = PyLong_AsUnsignedLongLong(number);
  Py_XDECREF(number);
  Py_XDECREF(dtype);
  if (!dtype || address == 0 || PyErr_Occurred()) {
    PyErr_Clear();
    return false;
  }
  // dtypes and types live as long as the process, or as long as the entry.
  call.add(kTensor | uint64_t(address % 16 == 0) << 8 |
           uint64_t(isCpu != Py_True) << 9 | uint64_t(device) << 16);
  call.add(reinterpret_cast<uintptr_t>(Py_TYPE(arg)));
  call.add(reinterpret_cast<uintptr_t>(dtype));
  return true;
}

/// The kind of an integer as far as a specialisation tells them apart.
uint64_t integerClass(long long value) {
  return kInteger | uint64_t(value == 1) << 8 | uint64_t(value % 16 == 0) << 9 |
         uint64_t(value >= INT32_MIN && value <= INT32_MAX) << 10;
}

/// One word for the shape of a descriptor's blocks. False for one that no
/// descriptor has: Triton shall say what is wrong.
bool packBlockShape(PyObject *shape, uint64_t &word) {
  constexpr Py_ssize_t kMaxRank = 5;
  if (!PyList_CheckExact(shape) && !PyTuple_CheckExact(shape))
    return false;
  Py_ssize_t rank = PySequence_Fast_GET_SIZE(shape);
  if (rank > kMaxRank)
    return false;
  word = kDescriptor | uint64_t(rank) << 8;
  for (Py_ssize_t i = 0; i < rank; ++i) {
    PyObject *item = PySequence_Fast_GET_ITEM(shape, i);
    int overflow = 0;
    long long size = PyLong_CheckExact(item)
                         ? PyLong_AsLongLongAndOverflow(item, &overflow)
                         : 0;
    if (overflow || size <= 0 || (size & (size - 1)) != 0)
      return false;
    word |= uint64_t(__builtin_ctzll(uint64_t(size))) << (16 + 8 * i);
  }
  return true;
}

bool isOneOf(PyObject *types, PyTypeObject *type) {
  for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(types); i < n; ++i)
    if (PyTuple_GET_ITEM(types, i) == reinterpret_cast<PyObject *>(type))
      return true;
  return false;
}

} // namespace

KeyMaker::KeyMaker(PyObject *tensorTypes, PyObject *descriptorTypes,
                   PyObject *exactTypes)
    : tensorTypes(tensorTypes), descriptorTypes(descriptorTypes),
      exactTypes(exactTypes) {
  for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(tensorTypes); i < n; ++i) {
    auto *type =
        reinterpret_cast<PyTypeObject *>(PyTuple_GET_ITEM(tensorTypes, i));
    tensors.push_back({type, findReader(type)});
  }
}

bool KeyMaker::addTensor(PyObject *arg, Call &call, uint64_t &address) const {
  PyTypeObject *type = Py_TYPE(arg);
  size_t index = 0;
  while (index < tensors.size() && tensors[index].type != type)
    ++index;
  if (index == tensors.size())
    return false;
  if (!tensors[index].read)
    return addByAttributes(arg, call, address);
  TensorView view;
  uint64_t word;
  if (tensors[index].read(arg, &view) != 0) {
    // Attributes may still tell: of an element type that DLPack does not know.
    PyErr_Clear();
    return addByAttributes(arg, call, address);
  }
  uint64_t found = reinterpret_cast<uintptr_t>(view.data) + view.byteOffset;
  if (!view.data || !packView(view, index, found, word))
    return false;
  address = found;
  call.add(word);
  return true;
}

/// The address, shape and strides are read when the launch is packed.
bool KeyMaker::addDescriptor(PyObject *arg, Call &call) const {
  PyObject *shape = PyObject_GetAttr(arg, name.blockShape);
  PyObject *base = shape ? PyObject_GetAttr(arg, name.base) : nullptr;
  uint64_t word, address;
  bool ok = base && packBlockShape(shape, word);
  if (ok) {
    call.add(word);
    ok = addTensor(base, call, address);
  }
  Py_XDECREF(shape);
  Py_XDECREF(base);
  PyErr_Clear();
  return ok;
}

bool KeyMaker::addTuple(PyObject *arg, bool exact, Call &call) const {
  call.add(kTuple | uint64_t(PyTuple_GET_SIZE(arg)) << 8);
  for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(arg); i < n; ++i) {
    uint64_t address;
    if (!add(PyTuple_GET_ITEM(arg, i), exact, call, address))
      return false;
  }
  return true;
}

bool KeyMaker::add(PyObject *arg, bool exact, Call &call,
                   uint64_t &address) const {
  address = 0;
  if (!call.hasRoom())
    return false;
  if (PyLong_CheckExact(arg)) {
    int overflow = 0;
    long long value = PyLong_AsLongLongAndOverflow(arg, &overflow);
    if (overflow)
      return false;
    call.add(exact ? uint64_t(kInteger) : integerClass(value));
    if (exact)
      call.add(uint64_t(value));
  } else if (!exact && addTensor(arg, call, address)) {
    return true;
  } else if (arg == Py_None) {
    call.add(kNone);
  } else if (PyBool_Check(arg)) {
    call.add(kBool | uint64_t(arg == Py_True) << 8);
  } else if (PyFloat_CheckExact(arg)) {
    call.add(kFloat);
    if (exact) {
      double value = PyFloat_AS_DOUBLE(arg);
      uint64_t bits;
      std::memcpy(&bits, &value, sizeof(bits));
      call.add(bits);
    }
  } else if (PyTuple_CheckExact(arg)) {
    return addTuple(arg, exact, call);
  } else if (exact) {
    if (!PyUnicode_CheckExact(arg) && !isOneOf(exactTypes.get(), Py_TYPE(arg)))
      return false;
    call.add(kObject);
    call.add(reinterpret_cast<uintptr_t>(arg));
  } else {
    return isOneOf(descriptorTypes.get(), Py_TYPE(arg)) &&
           addDescriptor(arg, call);
  }
  return true;
}

bool initCallKeys() {
  name.dataPtr = PyUnicode_InternFromString("data_ptr");
  name.dtype = PyUnicode_InternFromString("dtype");
  name.isCpu = PyUnicode_InternFromString("is_cpu");
  name.getDevice = PyUnicode_InternFromString("get_device");
  name.exchange = PyUnicode_InternFromString("__dlpack_c_exchange_api__");
  name.base = PyUnicode_InternFromString("base");
  name.blockShape = PyUnicode_InternFromString("block_shape");
  return name.blockShape != nullptr;
}

} // namespace seagrove::launch

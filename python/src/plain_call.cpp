//===- plain_call.cpp - host calls of constexpr functions -----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "plain_call.h"

#include "holder.h"

namespace seagrove::launch {
namespace {

PyObject *fnName = nullptr;

/// Called as `__call__(function, *args, **kwargs)`.
PyObject *plainCall(PyObject *object, PyObject *const *args, size_t flags,
                    PyObject *keywords) {
  Py_ssize_t count = PyVectorcall_NARGS(flags);
  bool plain = count > 0 && (!keywords || PyTuple_GET_SIZE(keywords) == 0);
  for (Py_ssize_t i = 1; plain && i < count; ++i)
    plain = PyLong_CheckExact(args[i]);
  if (!plain)
    return PyObject_Vectorcall(heldBy(object), args, size_t(count), keywords);
  PyObject *function = PyObject_GetAttr(args[0], fnName);
  if (!function)
    return nullptr;
  PyObject *result =
      PyObject_Vectorcall(function, args + 1, size_t(count - 1), nullptr);
  Py_DECREF(function);
  return result;
}

} // namespace

bool addPlainCallType(PyObject *module) {
  fnName = PyUnicode_InternFromString("fn");
  return fnName &&
         addHolderType<plainCall>(module, "seagrove._seagrove.ConstexprCall",
                                  "ConstexprCall(upstream)\n--\n\n"
                                  "`__call__` of constexpr functions.",
                                  "__wrapped__");
}

} // namespace seagrove::launch

//===- plain_call.cpp - host calls of constexpr functions -----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "plain_call.h"

#include <cstddef>
#include <structmember.h>

namespace seagrove::launch {
namespace {

PyObject *fnName = nullptr;

struct PlainCallObject {
  PyObject ob_base;
  vectorcallfunc vectorcall;
  PyObject *upstream;
};

/// Called as `__call__(function, *args, **kwargs)`.
PyObject *plainCall(PyObject *object, PyObject *const *args, size_t flags,
                    PyObject *keywords) {
  auto *self = reinterpret_cast<PlainCallObject *>(object);
  Py_ssize_t count = PyVectorcall_NARGS(flags);
  bool plain = count > 0 && (!keywords || PyTuple_GET_SIZE(keywords) == 0);
  for (Py_ssize_t i = 1; plain && i < count; ++i)
    plain = PyLong_CheckExact(args[i]);
  if (!plain)
    return PyObject_Vectorcall(self->upstream, args, size_t(count), keywords);
  PyObject *function = PyObject_GetAttr(args[0], fnName);
  if (!function)
    return nullptr;
  PyObject *result =
      PyObject_Vectorcall(function, args + 1, size_t(count - 1), nullptr);
  Py_DECREF(function);
  return result;
}

PyObject *plainCallNew(PyTypeObject *type, PyObject *args, PyObject *) {
  PyObject *upstream;
  if (!PyArg_ParseTuple(args, "O:ConstexprCall", &upstream))
    return nullptr;
  auto *self = reinterpret_cast<PlainCallObject *>(type->tp_alloc(type, 0));
  if (!self)
    return nullptr;
  self->vectorcall = plainCall;
  self->upstream = Py_NewRef(upstream);
  return reinterpret_cast<PyObject *>(self);
}

void plainCallDealloc(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  Py_DECREF(reinterpret_cast<PlainCallObject *>(object)->upstream);
  type->tp_free(object);
  Py_DECREF(type);
}

PyObject *plainCallGet(PyObject *object, PyObject *instance, PyObject *) {
  return instance ? PyMethod_New(object, instance) : Py_NewRef(object);
}

PyMemberDef plainCallMembers[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(PlainCallObject, vectorcall),
     READONLY, nullptr},
    {"__wrapped__", T_OBJECT, offsetof(PlainCallObject, upstream), READONLY,
     nullptr},
    {}};

PyType_Slot plainCallSlots[] = {
    {Py_tp_new, reinterpret_cast<void *>(plainCallNew)},
    {Py_tp_dealloc, reinterpret_cast<void *>(plainCallDealloc)},
    {Py_tp_call, reinterpret_cast<void *>(PyVectorcall_Call)},
    {Py_tp_descr_get, reinterpret_cast<void *>(plainCallGet)},
    {Py_tp_members, plainCallMembers},
    {Py_tp_doc, const_cast<char *>("ConstexprCall(upstream)\n--\n\n"
                                   "`__call__` of constexpr functions.")},
    {}};

PyType_Spec plainCallSpec = {"seagrove._seagrove.ConstexprCall",
                             sizeof(PlainCallObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                                 Py_TPFLAGS_METHOD_DESCRIPTOR,
                             plainCallSlots};

} // namespace

bool addPlainCallType(PyObject *module) {
  fnName = PyUnicode_InternFromString("fn");
  PyObject *type = PyType_FromSpec(&plainCallSpec);
  return fnName && type &&
         PyModule_AddObjectRef(module, "ConstexprCall", type) == 0;
}

} // namespace seagrove::launch

//===- holder.h - callables that hold one object ----------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A Python type whose objects hold what they were made with, `Type(held)`, are
// called by a C function, and bind to an instance as functions do: what a
// method of a class is replaced by, with the method or its maker in it.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_HOLDER_H
#define SEAGROVE_PYTHON_HOLDER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <structmember.h>

namespace seagrove::launch {

struct HolderObject {
  PyObject ob_base;
  vectorcallfunc vectorcall;
  PyObject *held;
};

/// What a holder holds, borrowed.
inline PyObject *heldBy(PyObject *holder) {
  return reinterpret_cast<HolderObject *>(holder)->held;
}

/// The last part of a dotted name.
inline const char *lastName(const char *qualified) {
  const char *dot = std::strrchr(qualified, '.');
  return dot ? dot + 1 : qualified;
}

template <vectorcallfunc call>
PyObject *newHolder(PyTypeObject *type, PyObject *args, PyObject *) {
  PyObject *held;
  std::string format = std::string("O:") + lastName(type->tp_name);
  if (!PyArg_ParseTuple(args, format.c_str(), &held))
    return nullptr;
  auto *self = reinterpret_cast<HolderObject *>(type->tp_alloc(type, 0));
  if (!self)
    return nullptr;
  self->vectorcall = call;
  self->held = Py_NewRef(held);
  return reinterpret_cast<PyObject *>(self);
}

inline void deallocHolder(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  Py_DECREF(heldBy(object));
  type->tp_free(object);
  Py_DECREF(type);
}

inline PyObject *getHolder(PyObject *object, PyObject *instance, PyObject *) {
  return instance ? PyMethod_New(object, instance) : Py_NewRef(object);
}

/// Adds to `module` the type `name` (qualified), whose objects are called by
/// `call`. `member`, if not null, is the attribute that gives what is held.
/// False with a Python error set on failure.
template <vectorcallfunc call>
bool addHolderType(PyObject *module, const char *name, const char *doc,
                   const char *member = nullptr) {
  PyMemberDef members[] = {
      {"__vectorcalloffset__", T_PYSSIZET, offsetof(HolderObject, vectorcall),
       READONLY, nullptr},
      // The list ends here where `member` is null.
      {member, T_OBJECT, offsetof(HolderObject, held), READONLY, nullptr},
      {}};
  PyType_Slot slots[] = {
      {Py_tp_new, reinterpret_cast<void *>(newHolder<call>)},
      {Py_tp_dealloc, reinterpret_cast<void *>(deallocHolder)},
      {Py_tp_call, reinterpret_cast<void *>(PyVectorcall_Call)},
      {Py_tp_descr_get, reinterpret_cast<void *>(getHolder)},
      {Py_tp_members, members},
      {Py_tp_doc, const_cast<char *>(doc)},
      {}};
  PyType_Spec spec = {name, sizeof(HolderObject), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                          Py_TPFLAGS_METHOD_DESCRIPTOR,
                      slots};
  PyObject *type = PyType_FromSpec(&spec);
  return type && PyModule_AddObjectRef(module, lastName(name), type) == 0;
}

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_HOLDER_H

//===- dispatch.cpp - the short way of a launch ---------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dispatch.h"

#include "holder.h"
#include "remembered.h"

#include <cstddef>
#include <memory>
#include <structmember.h>
#include <utility>
#include <vector>

namespace seagrove::launch {
namespace {

struct Names {
  PyObject *run, *dispatcher;
} name;

struct State {
  State(PyObject *owner, PyObject *slow, PyObject *tensorTypes,
        PyObject *descriptorTypes, PyObject *exactTypes, PyObject *choice)
      : slow(slow), functionType(Py_TYPE(owner)),
        run(PyDict_GetItemWithError(functionType->tp_dict, name.run)),
        launches(tensorTypes, descriptorTypes, exactTypes, choice) {}

  Ref slow;
  PyTypeObject *functionType;
  Ref run;
  Remembered launches;
};

struct DispatcherObject {
  PyObject ob_base;
  /// Borrowed, and only to be compared: the function owns the dispatcher.
  PyObject *owner;
  State *state;
};

struct BoundObject {
  PyObject ob_base;
  vectorcallfunc vectorcall;
  PyObject *function;
  PyObject *dispatcher;
  PyObject *grid;
};

PyTypeObject *dispatcherType = nullptr;
PyTypeObject *boundType = nullptr;

DispatcherObject *asDispatcher(PyObject *object) {
  return reinterpret_cast<DispatcherObject *>(object);
}

//===----------------------------------------------------------------------===//
// A launch
//===----------------------------------------------------------------------===//

/// The launch in Triton's way; it may call `Dispatcher.add`.
PyObject *launchSlowly(const BoundObject &bound, PyObject *const *args,
                       Py_ssize_t positional, PyObject *keywords) {
  PyObject *tuple = PyTuple_New(positional);
  if (!tuple)
    return nullptr;
  for (Py_ssize_t i = 0; i < positional; ++i)
    PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
  PyObject *names = keywords ? Py_NewRef(keywords) : PyTuple_New(0);
  PyObject *values = names ? PyTuple_New(PyTuple_GET_SIZE(names)) : nullptr;
  for (Py_ssize_t i = 0; values && i < PyTuple_GET_SIZE(names); ++i)
    PyTuple_SET_ITEM(values, i, Py_NewRef(args[positional + i]));
  PyObject *result = nullptr;
  if (values) {
    PyObject *arguments[] = {
        bound.function, bound.dispatcher, bound.grid, tuple, names, values};
    result =
        PyObject_Vectorcall(asDispatcher(bound.dispatcher)->state->slow.get(),
                            arguments, 6, nullptr);
  }
  Py_DECREF(tuple);
  Py_XDECREF(names);
  Py_XDECREF(values);
  return result;
}

PyObject *boundCall(PyObject *object, PyObject *const *args, size_t flags,
                    PyObject *keywords) {
  auto *self = reinterpret_cast<BoundObject *>(object);
  Py_ssize_t positional = PyVectorcall_NARGS(flags);
  if (keywords && PyTuple_GET_SIZE(keywords) == 0)
    keywords = nullptr;
  // Whoever replaces Triton's `run` wants to see each launch.
  PyTypeObject *type = Py_TYPE(self->function);
  State &state = *asDispatcher(self->dispatcher)->state;
  if (type == state.functionType && type->tp_dict &&
      PyDict_GetItemWithError(type->tp_dict, name.run) == state.run.get()) {
    PyObject *started = nullptr;
    Outcome outcome =
        state.launches.launch(self->grid, args, positional, keywords, started);
    if (outcome == Outcome::Started)
      return started;
    if (outcome == Outcome::Failed)
      return nullptr;
  }
  return launchSlowly(*self, args, positional, keywords);
}

//===----------------------------------------------------------------------===//
// Dispatcher
//===----------------------------------------------------------------------===//

PyObject *dispatcherNew(PyTypeObject *type, PyObject *args, PyObject *) {
  PyObject *owner, *slow, *tensorTypes, *descriptorTypes, *exactTypes, *choice;
  if (!PyArg_ParseTuple(args, "OOO!O!O!O!:Dispatcher", &owner, &slow,
                        &PyTuple_Type, &tensorTypes, &PyTuple_Type,
                        &descriptorTypes, &PyTuple_Type, &exactTypes,
                        &PyContextVar_Type, &choice))
    return nullptr;
  auto *self = asDispatcher(type->tp_alloc(type, 0));
  if (!self)
    return nullptr;
  self->owner = owner;
  self->state =
      new State(owner, slow, tensorTypes, descriptorTypes, exactTypes, choice);
  return reinterpret_cast<PyObject *>(self);
}

int dispatcherTraverse(PyObject *object, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(object));
  State *state = asDispatcher(object)->state;
  if (!state)
    return 0;
  Py_VISIT(state->slow.get());
  return state->launches.traverse(visit, arg);
}

int dispatcherClear(PyObject *object) {
  if (State *state = asDispatcher(object)->state)
    state->launches.clear();
  return 0;
}

void dispatcherDealloc(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  delete std::exchange(asDispatcher(object)->state, nullptr);
  type->tp_free(object);
  Py_DECREF(type);
}

void readRefs(PyObject *tuple, std::vector<Ref> &refs) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i)
    refs.emplace_back(PyTuple_GET_ITEM(tuple, i));
}

/// Reads ((dict, key) or (dict, key, expected), ...); a type stands for its
/// dict.
bool readGuards(PyObject *guards, std::vector<Watch> &watches) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(guards); ++i) {
    PyObject *dict, *key, *expected = nullptr;
    if (!PyArg_ParseTuple(PyTuple_GET_ITEM(guards, i), "OO|O:guard", &dict,
                          &key, &expected))
      return false;
    if (PyType_Check(dict))
      dict = reinterpret_cast<PyTypeObject *>(dict)->tp_dict;
    if (!dict || !PyDict_Check(dict)) {
      PyErr_SetString(PyExc_TypeError, "a guard watches a dict or a type");
      return false;
    }
    size_t index = 0;
    while (index < watches.size() && watches[index].table() != dict)
      ++index;
    if (index == watches.size())
      watches.emplace_back(dict);
    watches[index].add(key, expected);
  }
  return true;
}

/// Reads (exact flags, sources, defaults, parameter names).
bool readLayout(PyObject *description, Layout &layout, Entry &entry) {
  PyObject *exact, *sources, *defaults, *names;
  if (!PyArg_ParseTuple(description, "O!O!O!O!:layout", &PyTuple_Type, &exact,
                        &PyTuple_Type, &sources, &PyTuple_Type, &defaults,
                        &PyTuple_Type, &names))
    return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(exact); ++i)
    layout.exact.push_back(PyTuple_GET_ITEM(exact, i) == Py_True);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sources); ++i)
    layout.sources.push_back(int(PyLong_AsLong(PyTuple_GET_ITEM(sources, i))));
  readRefs(defaults, entry.defaults);
  layout.parameterNames = Ref(names);
  if (PyErr_Occurred())
    return false;
  if (layout.sources.size() != entry.defaults.size() ||
      Py_ssize_t(layout.sources.size()) != PyTuple_GET_SIZE(names)) {
    PyErr_SetString(PyExc_ValueError, "sources, defaults and names differ");
    return false;
  }
  PyObject *parameters = PyDict_New();
  entry.parameters = Ref(parameters);
  Py_XDECREF(parameters);
  for (size_t i = 0; parameters && i < layout.sources.size(); ++i)
    if (PyDict_SetItem(parameters, PyTuple_GET_ITEM(names, Py_ssize_t(i)),
                       layout.sources[i] < 0 ? entry.defaults[i].get()
                                             : Py_None) < 0)
      return false;
  return parameters != nullptr;
}

PyObject *dispatcherAdd(PyObject *object, PyObject *tuple) {
  PyObject *args, *keywords, *layoutTuple, *guards, *lists, *handles;
  Py_ssize_t positional;
  if (!PyArg_ParseTuple(tuple, "O!nOO!O!O!O!:add", &PyTuple_Type, &args,
                        &positional, &keywords, &PyTuple_Type, &layoutTuple,
                        &PyTuple_Type, &guards, &PyTuple_Type, &lists,
                        &PyTuple_Type, &handles))
    return nullptr;
  auto entry = std::make_shared<Entry>();
  Layout layout;
  PyObject *kernel, *launcher, *function, *starter = Py_None;
  PyObject *notedIn = nullptr, *notedKey = nullptr, *noted = nullptr;
  if (!readGuards(guards, entry->watches) ||
      !readLayout(layoutTuple, layout, *entry) ||
      !PyArg_ParseTuple(handles, "OOO|O(O!OO):handles", &kernel, &launcher,
                        &function, &starter, &PyDict_Type, &notedIn, &notedKey,
                        &noted))
    return nullptr;
  if (Py_ssize_t(layout.exact.size()) != PyTuple_GET_SIZE(args)) {
    PyErr_SetString(PyExc_ValueError, "arguments and exact flags differ");
    return nullptr;
  }
  entry->notedIn = Ref(notedIn);
  entry->notedKey = Ref(notedKey);
  entry->noted = Ref(noted);
  entry->kernel = Ref(kernel);
  entry->launcher = Ref(launcher);
  entry->function = Ref(function);
  if (starter != Py_None)
    entry->starter = Ref(starter);
  readRefs(lists, entry->emptyLists);
  layout.positional = positional;
  if (keywords != Py_None && PyTuple_GET_SIZE(keywords) > 0)
    layout.keywords = Ref(keywords);
  return PyBool_FromLong(asDispatcher(object)->state->launches.add(
      std::move(layout), &PyTuple_GET_ITEM(args, 0), std::move(entry)));
}

/// `attempt(function, grid, *args, **kwargs)`: a launch that is remembered, or
/// NotImplemented.
PyObject *dispatcherAttempt(PyObject *object, PyObject *const *args,
                            Py_ssize_t positional, PyObject *keywords) {
  if (positional < 2) {
    PyErr_SetString(PyExc_TypeError, "attempt takes a function and a grid");
    return nullptr;
  }
  // A copy of a function brings the dispatcher of the other along.
  if (asDispatcher(object)->owner != args[0])
    Py_RETURN_NOTIMPLEMENTED;
  if (keywords && PyTuple_GET_SIZE(keywords) == 0)
    keywords = nullptr;
  PyObject *started = nullptr;
  switch (asDispatcher(object)->state->launches.launch(
      args[1], args + 2, positional - 2, keywords, started)) {
  case Outcome::Started:
    return started;
  case Outcome::Failed:
    return nullptr;
  case Outcome::Unknown:
    break;
  }
  Py_RETURN_NOTIMPLEMENTED;
}

PyObject *dispatcherBelongs(PyObject *object, PyObject *function) {
  return PyBool_FromLong(asDispatcher(object)->owner == function);
}

PyObject *dispatcherReduce(PyObject *, PyObject *) {
  // What is remembered is worth nothing in another process or for a copy.
  return Py_BuildValue("(O())", reinterpret_cast<PyObject *>(&PyDict_Type));
}

PyObject *dispatcherLength(PyObject *object, void *) {
  return PyLong_FromSize_t(asDispatcher(object)->state->launches.size());
}

PyObject *dispatcherLearns(PyObject *object, void *) {
  return PyBool_FromLong(asDispatcher(object)->state->launches.learns());
}

PyMethodDef dispatcherMethods[] = {
    {"add", dispatcherAdd, METH_VARARGS,
     "add(args, positional, keywords, layout, guards, lists, handles)\n--\n\n"
     "Remembers a launch; False if its arguments are of a kind that only\n"
     "Triton tells apart."},
    {"attempt",
     reinterpret_cast<PyCFunction>(
         reinterpret_cast<void (*)()>(dispatcherAttempt)),
     METH_FASTCALL | METH_KEYWORDS,
     "attempt(function, grid, *args, **kwargs)\n--\n\n"
     "Launches as before and returns the kernel; NotImplemented where nothing\n"
     "is remembered."},
    {"belongs_to", dispatcherBelongs, METH_O,
     "belongs_to(function)\n--\n\n"
     "False for a dispatcher that came along when a function was copied."},
    {"__reduce__", dispatcherReduce, METH_NOARGS, ""},
    {}};

PyGetSetDef dispatcherGetSet[] = {
    {"entries", dispatcherLength, nullptr, "How many launches it remembers.",
     nullptr},
    {"learns", dispatcherLearns, nullptr,
     "False once it has given up, because its kernel is never launched the\n"
     "same way again.",
     nullptr},
    {}};

PyType_Slot dispatcherSlots[] = {
    {Py_tp_new, reinterpret_cast<void *>(dispatcherNew)},
    {Py_tp_dealloc, reinterpret_cast<void *>(dispatcherDealloc)},
    {Py_tp_traverse, reinterpret_cast<void *>(dispatcherTraverse)},
    {Py_tp_clear, reinterpret_cast<void *>(dispatcherClear)},
    {Py_tp_methods, dispatcherMethods},
    {Py_tp_getset, dispatcherGetSet},
    {Py_tp_doc,
     const_cast<char *>(
         "Dispatcher(function, slow, tensor_types, descriptor_types,\n"
         "           exact_types, choice)\n"
         "--\n\n"
         "Remembers the launches of one kernel.")},
    {}};

PyType_Spec dispatcherSpec = {
    "seagrove._seagrove.Dispatcher", sizeof(DispatcherObject), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, dispatcherSlots};

//===----------------------------------------------------------------------===//
// kernel[grid]
//===----------------------------------------------------------------------===//

/// The last one that died, since each launch makes one.
BoundObject *spare = nullptr;

PyObject *bind(PyObject *function, PyObject *dispatcher, PyObject *grid) {
  BoundObject *bound = std::exchange(spare, nullptr);
  if (bound)
    PyObject_Init(reinterpret_cast<PyObject *>(bound), boundType);
  else
    bound = PyObject_New(BoundObject, boundType);
  if (!bound)
    return nullptr;
  bound->vectorcall = boundCall;
  bound->function = Py_NewRef(function);
  bound->dispatcher = Py_NewRef(dispatcher);
  bound->grid = Py_NewRef(grid);
  return reinterpret_cast<PyObject *>(bound);
}

void boundDealloc(PyObject *object) {
  auto *self = reinterpret_cast<BoundObject *>(object);
  PyTypeObject *type = Py_TYPE(object);
  Py_DECREF(self->function);
  Py_DECREF(self->dispatcher);
  Py_DECREF(self->grid);
  if (!spare)
    spare = self;
  else
    PyObject_Free(object);
  Py_DECREF(type);
}

PyMemberDef boundMembers[] = {{"__vectorcalloffset__", T_PYSSIZET,
                               offsetof(BoundObject, vectorcall), READONLY,
                               nullptr},
                              {}};

PyType_Slot boundSlots[] = {
    {Py_tp_dealloc, reinterpret_cast<void *>(boundDealloc)},
    {Py_tp_call, reinterpret_cast<void *>(PyVectorcall_Call)},
    {Py_tp_members, boundMembers},
    {Py_tp_doc,
     const_cast<char *>("A kernel with its grid; called with the arguments.")},
    {}};

PyType_Spec boundSpec = {"seagrove._seagrove.BoundKernel", sizeof(BoundObject),
                         0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                             Py_TPFLAGS_DISALLOW_INSTANTIATION,
                         boundSlots};

/// What `function[grid]` is; `maker(function)` gives a first dispatcher.
PyObject *bindFunction(PyObject *function, PyObject *grid, PyObject *maker) {
  PyObject *found = nullptr;
  if (PyObject *dict = PyObject_GenericGetDict(function, nullptr)) {
    found = Py_XNewRef(PyDict_GetItemWithError(dict, name.dispatcher));
    Py_DECREF(dict);
  }
  // One that came along when the function was copied is another function's.
  if (found && (Py_TYPE(found) != dispatcherType ||
                asDispatcher(found)->owner != function))
    Py_CLEAR(found);
  if (!found && PyErr_Occurred())
    return nullptr;
  if (!found)
    found = PyObject_CallOneArg(maker, function);
  if (!found)
    return nullptr;
  PyObject *bound = nullptr;
  if (Py_TYPE(found) == dispatcherType)
    bound = bind(function, found, grid);
  else
    PyErr_SetString(PyExc_TypeError, "the maker gave no Dispatcher");
  Py_DECREF(found);
  return bound;
}

/// Called as `__getitem__(function, grid)`.
PyObject *methodCall(PyObject *object, PyObject *const *args, size_t flags,
                     PyObject *) {
  if (PyVectorcall_NARGS(flags) != 2) {
    PyErr_SetString(PyExc_TypeError, "__getitem__ takes a grid");
    return nullptr;
  }
  return bindFunction(args[0], args[1], heldBy(object));
}

PyTypeObject *addType(PyObject *module, PyType_Spec *spec, const char *label) {
  PyObject *type = PyType_FromSpec(spec);
  if (!type || PyModule_AddObjectRef(module, label, type) < 0)
    return nullptr;
  return reinterpret_cast<PyTypeObject *>(type);
}

} // namespace

bool addDispatchTypes(PyObject *module) {
  name.run = PyUnicode_InternFromString("run");
  name.dispatcher = PyUnicode_InternFromString("_seagrove_dispatcher");
  dispatcherType = addType(module, &dispatcherSpec, "Dispatcher");
  boundType = addType(module, &boundSpec, "BoundKernel");
  return initCallKeys() && name.dispatcher && dispatcherType && boundType &&
         addHolderType<methodCall>(module, "seagrove._seagrove.DispatchMethod",
                                   "DispatchMethod(maker)\n--\n\n"
                                   "`__getitem__` of kernels.");
}

} // namespace seagrove::launch

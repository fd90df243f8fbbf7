//===- dispatch.cpp - the short way of a launch ---------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dispatch.h"

#include "arguments.h"
#include "launch.h"

#include <cstddef>
#include <cstring>
#include <deque>
#include <memory>
#include <structmember.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seagrove::launch {
namespace {

/// Kernels of more parameters, or launches of more arguments, go Triton's way.
constexpr Py_ssize_t kMaxArguments = 64;
/// More specialisations of one kernel than this are forgotten at once, so that
/// a kernel that is always launched differently does not collect them.
constexpr size_t kMaxEntries = 256;
constexpr size_t kMaxLayouts = 32;
/// When remembering is given up.
constexpr unsigned kMaxFailures = 16, kMaxOverflows = 4;

struct Names {
  PyObject *dataPtr, *dtype, *isCpu, *getDevice, *run, *dispatcher;
} name;

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

/// `dict[key]` is still `expected`, or still absent where that is null.
struct Guard {
  Ref dict, key, expected;

  bool holds() const {
    PyObject *found = PyDict_GetItemWithError(dict.get(), key.get());
    return found == expected.get();
  }
};

/// How the arguments of a call become those of the kernel.
struct Layout {
  /// Names of the keyword arguments; null without any.
  Ref keywords;
  Py_ssize_t positional = 0;
  /// For each argument of the call: whether its value, not only its kind, is
  /// part of the specialisation.
  std::vector<bool> exact;
  /// For each parameter: the argument of the call that gives it, or -1.
  std::vector<int> sources;
  Ref parameterNames;
};

struct Entry {
  std::vector<uint64_t> key;
  size_t layout = 0;
  std::vector<Guard> guards;
  std::vector<Ref> emptyLists;
  /// For each parameter without an argument: its value.
  std::vector<Ref> defaults;
  /// What a launch writes down, `dict[key] = value`; null where nothing.
  Ref notedIn, notedKey, noted;
  Ref kernel, launcher, function;
  /// Starts a kernel that another driver launches; null for our launcher.
  Ref starter;
  /// Objects whose addresses are part of the key.
  std::vector<Ref> held;
};

/// What is read from the arguments of one call.
struct Call {
  uint64_t key[3 + 3 * kMaxArguments];
  size_t keySize = 0;
  /// Addresses of the arguments that are tensors; 0 for others.
  uint64_t address[kMaxArguments];

  void add(uint64_t word) { key[keySize++] = word; }
};

uint64_t hashOf(const uint64_t *words, size_t count) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < count; ++i)
    hash = (hash ^ words[i]) * 0x100000001b3 ^ hash >> 29;
  return hash;
}

struct State {
  Ref slow, tensorTypes, exactTypes;
  /// A context variable: which device this thread or task has chosen.
  Ref choice;
  PyTypeObject *functionType = nullptr;
  Ref run;
  /// A deque: a launch holds a reference while others may be added.
  std::deque<Layout> layouts;
  /// Launches in a row that could not be remembered, and times that the table
  /// was full: a kernel with too many of either is not worth the effort.
  unsigned failures = 0, overflows = 0;
  std::unordered_map<uint64_t, std::shared_ptr<const Entry>> entries;
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
// Keys
//===----------------------------------------------------------------------===//

enum Tag : uint64_t {
  kInteger = 1,
  kBool,
  kNone,
  kFloat,
  kObject,
  kTensor,
};

/// The kind of an integer as far as a specialisation tells them apart.
uint64_t integerClass(long long value) {
  return kInteger | uint64_t(value == 1) << 8 | uint64_t(value % 16 == 0) << 9 |
         uint64_t(value >= INT32_MIN && value <= INT32_MAX) << 10;
}

bool isOneOf(PyObject *types, PyTypeObject *type) {
  for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(types); i < n; ++i)
    if (PyTuple_GET_ITEM(types, i) == reinterpret_cast<PyObject *>(type))
      return true;
  return false;
}

/// The number of a tensor's device, or -1.
long deviceNumber(PyObject *tensor) {
  PyObject *number = PyObject_CallMethodNoArgs(tensor, name.getDevice);
  long result = number ? PyLong_AsLong(number) : -1;
  Py_XDECREF(number);
  return result;
}

/// Reads a tensor: its type, its dtype, whether it is aligned, and its device's
/// number where that is not the host. False where it is something else.
bool readTensor(const State &state, PyObject *arg, Call &call,
                uint64_t &address) {
  if (!isOneOf(state.tensorTypes.get(), Py_TYPE(arg)))
    return false;
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

/// Appends what a specialisation sees of `arg`. False for a kind that is left
/// to Triton.
bool addToKey(const State &state, PyObject *arg, bool exact, Call &call,
              uint64_t &address) {
  address = 0;
  if (arg == Py_None) {
    call.add(kNone);
  } else if (PyBool_Check(arg)) {
    call.add(kBool | uint64_t(arg == Py_True) << 8);
  } else if (PyLong_CheckExact(arg)) {
    int overflow = 0;
    long long value = PyLong_AsLongLongAndOverflow(arg, &overflow);
    if (overflow)
      return false;
    call.add(exact ? uint64_t(kInteger) : integerClass(value));
    if (exact)
      call.add(uint64_t(value));
  } else if (PyFloat_CheckExact(arg)) {
    call.add(kFloat);
    if (exact) {
      double value = PyFloat_AS_DOUBLE(arg);
      uint64_t bits;
      std::memcpy(&bits, &value, sizeof(bits));
      call.add(bits);
    }
  } else if (exact) {
    if (!PyUnicode_CheckExact(arg) &&
        !isOneOf(state.exactTypes.get(), Py_TYPE(arg)))
      return false;
    call.add(kObject);
    call.add(reinterpret_cast<uintptr_t>(arg));
  } else {
    return readTensor(state, arg, call, address);
  }
  return true;
}

bool readCall(const State &state, size_t layout, PyObject *const *args,
              Call &call) {
  const std::vector<bool> &exact = state.layouts[layout].exact;
  call.add(layout);
  PyObject *choice = nullptr;
  if (PyContextVar_Get(state.choice.get(), nullptr, &choice) < 0) {
    PyErr_Clear();
    return false;
  }
  // A choice is an object that lives as long as the process.
  call.add(reinterpret_cast<uintptr_t>(choice));
  Py_XDECREF(choice);
  for (size_t i = 0; i < exact.size(); ++i)
    if (!addToKey(state, args[i], exact[i], call, call.address[i]))
      return false;
  return true;
}

/// Calls through `**` make a new tuple of the same interned names each time.
bool areSameNames(PyObject *left, PyObject *right) {
  if (left == right)
    return true;
  if (!left || !right || PyTuple_GET_SIZE(left) != PyTuple_GET_SIZE(right))
    return false;
  for (Py_ssize_t i = 0, n = PyTuple_GET_SIZE(left); i < n; ++i)
    if (PyTuple_GET_ITEM(left, i) != PyTuple_GET_ITEM(right, i))
      return false;
  return true;
}

/// The layout of a call, or -1.
Py_ssize_t findLayout(const State &state, Py_ssize_t positional,
                      PyObject *keywords) {
  for (size_t i = 0; i < state.layouts.size(); ++i)
    if (state.layouts[i].positional == positional &&
        areSameNames(state.layouts[i].keywords.get(), keywords))
      return Py_ssize_t(i);
  return -1;
}

//===----------------------------------------------------------------------===//
// A launch
//===----------------------------------------------------------------------===//

bool guardsHold(const Entry &entry) {
  for (const Guard &guard : entry.guards)
    if (!guard.holds())
      return false;
  for (const Ref &list : entry.emptyLists)
    if (PyList_GET_SIZE(list.get()) != 0)
      return false;
  return true;
}

/// Reads one to three extents. False where Triton shall say what is wrong.
bool readExtents(PyObject *grid, int32_t *extents) {
  if (!PyTuple_Check(grid) && !PyList_Check(grid))
    return false;
  Py_ssize_t size = PySequence_Fast_GET_SIZE(grid);
  if (size < 1 || size > 3)
    return false;
  extents[0] = extents[1] = extents[2] = 1;
  for (Py_ssize_t axis = 0; axis < size; ++axis) {
    PyObject *item = PySequence_Fast_GET_ITEM(grid, axis);
    if (!PyLong_CheckExact(item))
      return false;
    int overflow = 0;
    long long value = PyLong_AsLongLongAndOverflow(item, &overflow);
    if (overflow || value < 0 || value > INT32_MAX)
      return false;
    extents[axis] = int32_t(value);
  }
  return true;
}

enum class Outcome { Started, Failed, Unknown };

Outcome readGrid(PyObject *grid, const Layout &layout, PyObject *const *args,
                 int32_t *extents) {
  if (!PyCallable_Check(grid))
    return readExtents(grid, extents) ? Outcome::Started : Outcome::Unknown;
  PyObject *bound = PyDict_New();
  if (!bound)
    return Outcome::Failed;
  for (size_t i = 0; i < layout.sources.size(); ++i)
    if (PyDict_SetItem(bound, PyTuple_GET_ITEM(layout.parameterNames.get(), i),
                       args[i]) < 0) {
      Py_DECREF(bound);
      return Outcome::Failed;
    }
  PyObject *result = PyObject_CallOneArg(grid, bound);
  Py_DECREF(bound);
  if (!result)
    return Outcome::Failed;
  bool ok = readExtents(result, extents);
  Py_DECREF(result);
  return ok ? Outcome::Started : Outcome::Unknown;
}

/// Calls `starter(x, y, z, *parameters)`, which returns False where something
/// that it depends on has changed.
Outcome startElsewhere(PyObject *starter, const int32_t *extents,
                       PyObject *const *parameters, size_t count) {
  PyObject *arguments[3 + kMaxArguments];
  bool ok = true;
  for (int axis = 0; axis < 3; ++axis)
    ok &= (arguments[axis] = PyLong_FromLong(extents[axis])) != nullptr;
  for (size_t i = 0; i < count; ++i)
    arguments[3 + i] = parameters[i];
  PyObject *result =
      ok ? PyObject_Vectorcall(starter, arguments, 3 + count, nullptr)
         : nullptr;
  for (int axis = 0; axis < 3; ++axis)
    Py_XDECREF(arguments[axis]);
  Py_XDECREF(result);
  if (!result)
    return Outcome::Failed;
  return result == Py_False ? Outcome::Unknown : Outcome::Started;
}

/// Starts the remembered kernel for these arguments, if there is one.
Outcome tryLaunch(State &state, PyObject *grid, PyObject *const *args,
                  Py_ssize_t positional, PyObject *keywords,
                  PyObject *&started) {
  Py_ssize_t index = findLayout(state, positional, keywords);
  if (index < 0)
    return Outcome::Unknown;
  Call call;
  if (!readCall(state, size_t(index), args, call))
    return Outcome::Unknown;
  auto found = state.entries.find(hashOf(call.key, call.keySize));
  if (found == state.entries.end())
    return Outcome::Unknown;
  // Kept alive: a grid function may launch this kernel and change the table,
  // and so may other threads while the kernel runs.
  std::shared_ptr<const Entry> entry = found->second;
  if (entry->key.size() != call.keySize ||
      std::memcmp(entry->key.data(), call.key,
                  call.keySize * sizeof(uint64_t)) != 0 ||
      !guardsHold(*entry))
    return PyErr_Occurred() ? Outcome::Failed : Outcome::Unknown;
  const Layout &layout = state.layouts[entry->layout];
  size_t count = layout.sources.size();
  PyObject *parameters[kMaxArguments];
  uint64_t addresses[kMaxArguments];
  for (size_t i = 0; i < count; ++i) {
    int source = layout.sources[i];
    parameters[i] = source < 0 ? entry->defaults[i].get() : args[source];
    addresses[i] = source < 0 ? 0 : call.address[source];
  }
  if (entry->noted.get() &&
      PyDict_SetItem(entry->notedIn.get(), entry->notedKey.get(),
                     entry->noted.get()) < 0)
    return Outcome::Failed;
  int32_t extents[3];
  Outcome outcome = readGrid(grid, layout, parameters, extents);
  if (outcome != Outcome::Started)
    return outcome;
  if (entry->starter.get()) {
    outcome = startElsewhere(entry->starter.get(), extents, parameters, count);
    if (outcome != Outcome::Started)
      return outcome;
  } else if (!launchPrepared(entry->launcher.get(), entry->function.get(),
                             parameters, addresses, count, extents)) {
    return Outcome::Failed;
  }
  started = Py_NewRef(entry->kernel.get());
  return Outcome::Started;
}

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
        tryLaunch(state, self->grid, args, positional, keywords, started);
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
  PyObject *owner, *slow, *tensorTypes, *exactTypes, *choice;
  if (!PyArg_ParseTuple(args, "OOO!O!O!:Dispatcher", &owner, &slow,
                        &PyTuple_Type, &tensorTypes, &PyTuple_Type, &exactTypes,
                        &PyContextVar_Type, &choice))
    return nullptr;
  auto *self = asDispatcher(type->tp_alloc(type, 0));
  if (!self)
    return nullptr;
  self->owner = owner;
  self->state = new State;
  self->state->slow = Ref(slow);
  self->state->tensorTypes = Ref(tensorTypes);
  self->state->exactTypes = Ref(exactTypes);
  self->state->choice = Ref(choice);
  self->state->functionType = Py_TYPE(owner);
  self->state->run =
      Ref(PyDict_GetItemWithError(Py_TYPE(owner)->tp_dict, name.run));
  return reinterpret_cast<PyObject *>(self);
}

int dispatcherTraverse(PyObject *object, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(object));
  State *state = asDispatcher(object)->state;
  if (!state)
    return 0;
  Py_VISIT(state->slow.get());
  for (const auto &[hash, entry] : state->entries) {
    // Shared with a launch under way: then it is alive, and must not be counted
    // as if only this table held it.
    if (entry.use_count() > 1)
      continue;
    Py_VISIT(entry->kernel.get());
    Py_VISIT(entry->launcher.get());
    Py_VISIT(entry->function.get());
    Py_VISIT(entry->starter.get());
    Py_VISIT(entry->notedIn.get());
    Py_VISIT(entry->noted.get());
    for (const Ref &value : entry->defaults)
      Py_VISIT(value.get());
    for (const Guard &guard : entry->guards) {
      Py_VISIT(guard.dict.get());
      Py_VISIT(guard.expected.get());
    }
    for (const Ref &list : entry->emptyLists)
      Py_VISIT(list.get());
    for (const Ref &object : entry->held)
      Py_VISIT(object.get());
  }
  return 0;
}

int dispatcherClear(PyObject *object) {
  if (State *state = asDispatcher(object)->state) {
    // Out of the table first: what dies may run code that looks there.
    auto entries = std::move(state->entries);
    state->entries.clear();
  }
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
bool readGuards(PyObject *guards, std::vector<Guard> &result) {
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
    result.push_back({Ref(dict), Ref(key), Ref(expected)});
  }
  return true;
}

/// Reads (exact flags, sources, defaults, parameter names).
bool readLayout(PyObject *description, Layout &layout,
                std::vector<Ref> &values) {
  PyObject *exact, *sources, *defaults, *names;
  if (!PyArg_ParseTuple(description, "O!O!O!O!:layout", &PyTuple_Type, &exact,
                        &PyTuple_Type, &sources, &PyTuple_Type, &defaults,
                        &PyTuple_Type, &names))
    return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(exact); ++i)
    layout.exact.push_back(PyTuple_GET_ITEM(exact, i) == Py_True);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sources); ++i)
    layout.sources.push_back(int(PyLong_AsLong(PyTuple_GET_ITEM(sources, i))));
  readRefs(defaults, values);
  layout.parameterNames = Ref(names);
  if (PyErr_Occurred())
    return false;
  if (layout.sources.size() != values.size() ||
      Py_ssize_t(layout.sources.size()) != PyTuple_GET_SIZE(names)) {
    PyErr_SetString(PyExc_ValueError, "sources, defaults and names differ");
    return false;
  }
  return true;
}

PyObject *dispatcherAdd(PyObject *object, PyObject *tuple) {
  PyObject *args, *keywords, *layoutTuple, *guards, *lists, *handles;
  Py_ssize_t positional;
  if (!PyArg_ParseTuple(tuple, "O!nOO!O!O!O!:add", &PyTuple_Type, &args,
                        &positional, &keywords, &PyTuple_Type, &layoutTuple,
                        &PyTuple_Type, &guards, &PyTuple_Type, &lists,
                        &PyTuple_Type, &handles))
    return nullptr;
  State &state = *asDispatcher(object)->state;
  auto entry = std::make_shared<Entry>();
  Layout layout;
  PyObject *kernel, *launcher, *function, *starter = Py_None;
  PyObject *notedIn = nullptr, *notedKey = nullptr, *noted = nullptr;
  if (!readGuards(guards, entry->guards) ||
      !readLayout(layoutTuple, layout, entry->defaults) ||
      !PyArg_ParseTuple(handles, "OOO|O(O!OO):handles", &kernel, &launcher,
                        &function, &starter, &PyDict_Type, &notedIn, &notedKey,
                        &noted))
    return nullptr;
  entry->notedIn = Ref(notedIn);
  entry->notedKey = Ref(notedKey);
  entry->noted = Ref(noted);
  Py_ssize_t count = PyTuple_GET_SIZE(args);
  if (count > kMaxArguments || layout.sources.size() > kMaxArguments ||
      Py_ssize_t(layout.exact.size()) != count ||
      (starter == Py_None &&
       !canLaunchPrepared(launcher, function, layout.sources.size()))) {
    ++state.failures;
    Py_RETURN_FALSE;
  }
  PyObject *names = keywords == Py_None || PyTuple_GET_SIZE(keywords) == 0
                        ? nullptr
                        : keywords;
  Py_ssize_t index = findLayout(state, positional, names);
  if (index < 0 && state.layouts.size() >= kMaxLayouts) {
    ++state.failures;
    Py_RETURN_FALSE;
  }
  if (index < 0) {
    layout.keywords = Ref(names);
    layout.positional = positional;
    index = Py_ssize_t(state.layouts.size());
    state.layouts.push_back(std::move(layout));
  }
  Call call;
  PyObject *const *items = &PyTuple_GET_ITEM(args, 0);
  if (!readCall(state, size_t(index), items, call)) {
    ++state.failures;
    Py_RETURN_FALSE;
  }
  entry->layout = size_t(index);
  entry->key.assign(call.key, call.key + call.keySize);
  entry->kernel = Ref(kernel);
  entry->launcher = Ref(launcher);
  entry->function = Ref(function);
  if (starter != Py_None)
    entry->starter = Ref(starter);
  readRefs(lists, entry->emptyLists);
  for (Py_ssize_t i = 0; i < count; ++i) {
    // The addresses of texts and types are in the key; tensors are not kept.
    if (state.layouts[size_t(index)].exact[size_t(i)])
      entry->held.emplace_back(items[i]);
    entry->held.emplace_back(reinterpret_cast<PyObject *>(Py_TYPE(items[i])));
  }
  state.failures = 0;
  if (state.entries.size() >= kMaxEntries) {
    ++state.overflows;
    dispatcherClear(object);
  }
  state.entries[hashOf(call.key, call.keySize)] = std::move(entry);
  Py_RETURN_TRUE;
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
  switch (tryLaunch(*asDispatcher(object)->state, args[1], args + 2,
                    positional - 2, keywords, started)) {
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
  return PyLong_FromSize_t(asDispatcher(object)->state->entries.size());
}

PyObject *dispatcherLearns(PyObject *object, void *) {
  const State &state = *asDispatcher(object)->state;
  return PyBool_FromLong(state.failures < kMaxFailures &&
                         state.overflows < kMaxOverflows);
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
         "Dispatcher(function, slow, tensor_types, exact_types, choice)\n"
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

struct MethodObject {
  PyObject ob_base;
  vectorcallfunc vectorcall;
  PyObject *maker;
};

PyTypeObject *methodType = nullptr;

PyObject *methodCall(PyObject *object, PyObject *const *args, size_t flags,
                     PyObject *) {
  if (PyVectorcall_NARGS(flags) != 2) {
    PyErr_SetString(PyExc_TypeError, "__getitem__ takes a grid");
    return nullptr;
  }
  return bindFunction(args[0], args[1],
                      reinterpret_cast<MethodObject *>(object)->maker);
}

PyObject *methodGet(PyObject *object, PyObject *instance, PyObject *) {
  if (!instance)
    return Py_NewRef(object);
  return PyMethod_New(object, instance);
}

PyObject *methodNew(PyTypeObject *type, PyObject *args, PyObject *) {
  PyObject *maker;
  if (!PyArg_ParseTuple(args, "O:DispatchMethod", &maker))
    return nullptr;
  auto *self = reinterpret_cast<MethodObject *>(type->tp_alloc(type, 0));
  if (!self)
    return nullptr;
  self->vectorcall = methodCall;
  self->maker = Py_NewRef(maker);
  return reinterpret_cast<PyObject *>(self);
}

void methodDealloc(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  Py_DECREF(reinterpret_cast<MethodObject *>(object)->maker);
  type->tp_free(object);
  Py_DECREF(type);
}

PyMemberDef methodMembers[] = {{"__vectorcalloffset__", T_PYSSIZET,
                                offsetof(MethodObject, vectorcall), READONLY,
                                nullptr},
                               {}};

PyType_Slot methodSlots[] = {
    {Py_tp_new, reinterpret_cast<void *>(methodNew)},
    {Py_tp_dealloc, reinterpret_cast<void *>(methodDealloc)},
    {Py_tp_call, reinterpret_cast<void *>(PyVectorcall_Call)},
    {Py_tp_descr_get, reinterpret_cast<void *>(methodGet)},
    {Py_tp_members, methodMembers},
    {Py_tp_doc, const_cast<char *>("DispatchMethod(maker)\n--\n\n"
                                   "`__getitem__` of kernels.")},
    {}};

PyType_Spec methodSpec = {"seagrove._seagrove.DispatchMethod",
                          sizeof(MethodObject), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                              Py_TPFLAGS_METHOD_DESCRIPTOR,
                          methodSlots};

PyTypeObject *addType(PyObject *module, PyType_Spec *spec, const char *label) {
  PyObject *type = PyType_FromSpec(spec);
  if (!type || PyModule_AddObjectRef(module, label, type) < 0)
    return nullptr;
  return reinterpret_cast<PyTypeObject *>(type);
}

} // namespace

bool addDispatchTypes(PyObject *module) {
  name.dataPtr = PyUnicode_InternFromString("data_ptr");
  name.dtype = PyUnicode_InternFromString("dtype");
  name.isCpu = PyUnicode_InternFromString("is_cpu");
  name.getDevice = PyUnicode_InternFromString("get_device");
  name.run = PyUnicode_InternFromString("run");
  name.dispatcher = PyUnicode_InternFromString("_seagrove_dispatcher");
  dispatcherType = addType(module, &dispatcherSpec, "Dispatcher");
  boundType = addType(module, &boundSpec, "BoundKernel");
  methodType = addType(module, &methodSpec, "DispatchMethod");
  return name.dispatcher && dispatcherType && boundType && methodType;
}

} // namespace seagrove::launch

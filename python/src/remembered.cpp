//===- remembered.cpp - launches of one kernel ----------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "remembered.h"

#include "launch.h"

#include <cstring>

namespace seagrove::launch {
namespace {

/// More specialisations of one kernel than this are forgotten at once, so that
/// a kernel that is always launched differently does not collect them.
constexpr size_t kMaxEntries = 256;
constexpr size_t kMaxLayouts = 32;
/// When remembering is given up.
constexpr unsigned kMaxFailures = 16, kMaxOverflows = 4;

uint64_t hashOf(const uint64_t *words, size_t count) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < count; ++i)
    hash = (hash ^ words[i]) * 0x100000001b3 ^ hash >> 29;
  return hash;
}

/// A number that a dict never has again once it has changed (PEP 509); 0 where
/// the interpreter keeps none.
uint64_t versionOf(PyObject *dict) {
#if PY_VERSION_HEX < 0x030c0000
  return reinterpret_cast<PyDictObject *>(dict)->ma_version_tag;
#else
  return 0;
#endif
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

bool guardsHold(const Entry &entry) {
  for (const Watch &watch : entry.watches)
    if (!watch.holds())
      return false;
  for (const Ref &list : entry.emptyLists)
    if (PyList_GET_SIZE(list.get()) != 0)
      return false;
  return true;
}

/// Writes down what an autotuner would; false with an error set.
bool note(const Entry &entry) {
  return !entry.noted.get() ||
         PyDict_SetItem(entry.notedIn.get(), entry.notedKey.get(),
                        entry.noted.get()) == 0;
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

/// A dict of every parameter; null with an error set.
PyObject *bindParameters(const Entry &entry, const Layout &layout,
                         PyObject *const *args) {
  PyObject *bound = PyDict_Copy(entry.parameters.get());
  for (size_t i = 0; bound && i < layout.sources.size(); ++i)
    if (layout.sources[i] >= 0 &&
        PyDict_SetItem(bound, PyTuple_GET_ITEM(layout.parameterNames.get(), i),
                       args[i]) < 0)
      Py_CLEAR(bound);
  return bound;
}

Outcome readGrid(PyObject *grid, const Entry &entry, const Layout &layout,
                 PyObject *const *args, int32_t *extents) {
  if (PyTuple_CheckExact(grid) || !PyCallable_Check(grid))
    return readExtents(grid, extents) ? Outcome::Started : Outcome::Unknown;
  PyObject *bound = bindParameters(entry, layout, args);
  if (!bound)
    return Outcome::Failed;
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

} // namespace

//===----------------------------------------------------------------------===//
// What is watched
//===----------------------------------------------------------------------===//

bool Watch::holds() const {
  uint64_t now = versionOf(dict.get());
  if (now != 0 && now == version)
    return true;
  for (const Item &item : entries)
    if (PyDict_GetItemWithError(dict.get(), item.key.get()) !=
        item.expected.get())
      return false;
  version = now;
  return true;
}

int Watch::traverse(visitproc visit, void *arg) const {
  Py_VISIT(dict.get());
  for (const Item &item : entries)
    Py_VISIT(item.expected.get());
  return 0;
}

int Entry::traverse(visitproc visit, void *arg) const {
  Py_VISIT(kernel.get());
  Py_VISIT(launcher.get());
  Py_VISIT(function.get());
  Py_VISIT(starter.get());
  Py_VISIT(notedIn.get());
  Py_VISIT(noted.get());
  Py_VISIT(parameters.get());
  for (const Ref &value : defaults)
    Py_VISIT(value.get());
  for (const Watch &watch : watches)
    if (int stop = watch.traverse(visit, arg))
      return stop;
  for (const Ref &list : emptyLists)
    Py_VISIT(list.get());
  for (const Ref &object : held)
    Py_VISIT(object.get());
  return 0;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

bool Remembered::readCall(size_t layout, PyObject *const *args,
                          Call &call) const {
  const std::vector<bool> &exact = layouts[layout].exact;
  call.add(layout);
  PyObject *chosen = nullptr;
  if (PyContextVar_Get(choice.get(), nullptr, &chosen) < 0) {
    PyErr_Clear();
    return false;
  }
  // A choice is an object that lives as long as the process.
  call.add(reinterpret_cast<uintptr_t>(chosen));
  Py_XDECREF(chosen);
  for (size_t i = 0; i < exact.size(); ++i)
    if (!keys.add(args[i], exact[i], call, call.address[i]))
      return false;
  return true;
}

/// The layout of a call, or -1.
Py_ssize_t Remembered::findLayout(Py_ssize_t positional,
                                  PyObject *keywords) const {
  for (size_t i = 0; i < layouts.size(); ++i)
    if (layouts[i].positional == positional &&
        areSameNames(layouts[i].keywords.get(), keywords))
      return Py_ssize_t(i);
  return -1;
}

/// The entry for `call`. Kept alive by the caller: a function of the grid may
/// launch this kernel and change the table, and so may other threads while the
/// kernel runs.
std::shared_ptr<const Entry> Remembered::find(const Call &call) {
  auto fits = [&](const Entry &entry) {
    return entry.key.size() == call.keySize &&
           std::memcmp(entry.key.data(), call.key,
                       call.keySize * sizeof(uint64_t)) == 0;
  };
  if (latest && fits(**latest))
    return *latest;
  auto found = entries.find(hashOf(call.key, call.keySize));
  if (found == entries.end() || !fits(*found->second))
    return nullptr;
  latest = &found->second;
  return found->second;
}

Outcome Remembered::launch(PyObject *grid, PyObject *const *args,
                           Py_ssize_t positional, PyObject *keywords,
                           PyObject *&started) {
  Py_ssize_t index = findLayout(positional, keywords);
  Call call;
  if (index < 0 || !readCall(size_t(index), args, call))
    return Outcome::Unknown;
  std::shared_ptr<const Entry> entry = find(call);
  if (!entry)
    return Outcome::Unknown;
  if (!guardsHold(*entry))
    return PyErr_Occurred() ? Outcome::Failed : Outcome::Unknown;
  const Layout &layout = layouts[entry->layout];
  size_t count = layout.sources.size();
  PyObject *parameters[kMaxArguments];
  uint64_t addresses[kMaxArguments];
  for (size_t i = 0; i < count; ++i) {
    int source = layout.sources[i];
    parameters[i] = source < 0 ? entry->defaults[i].get() : args[source];
    addresses[i] = source < 0 ? 0 : call.address[source];
  }
  if (!note(*entry))
    return Outcome::Failed;
  int32_t extents[3];
  Outcome outcome = readGrid(grid, *entry, layout, parameters, extents);
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

bool Remembered::store(Layout layout, PyObject *const *args,
                       std::shared_ptr<Entry> entry) {
  if (layout.exact.size() > size_t(kMaxArguments) ||
      layout.sources.size() > size_t(kMaxArguments) ||
      (!entry->starter.get() &&
       !canLaunchPrepared(entry->launcher.get(), entry->function.get(),
                          layout.sources.size())))
    return false;
  Py_ssize_t index = findLayout(layout.positional, layout.keywords.get());
  if (index < 0) {
    if (layouts.size() >= kMaxLayouts)
      return false;
    index = Py_ssize_t(layouts.size());
    layouts.push_back(std::move(layout));
  }
  Call call;
  if (!readCall(size_t(index), args, call))
    return false;
  entry->layout = size_t(index);
  entry->key.assign(call.key, call.key + call.keySize);
  const std::vector<bool> &exact = layouts[size_t(index)].exact;
  for (size_t i = 0; i < exact.size(); ++i) {
    // The addresses of texts and types are in the key; tensors are not kept.
    if (exact[i])
      entry->held.emplace_back(args[i]);
    entry->held.emplace_back(reinterpret_cast<PyObject *>(Py_TYPE(args[i])));
  }
  if (entries.size() >= kMaxEntries) {
    ++overflows;
    clear();
  }
  latest = nullptr;
  entries[hashOf(call.key, call.keySize)] = std::move(entry);
  return true;
}

bool Remembered::add(Layout layout, PyObject *const *args,
                     std::shared_ptr<Entry> entry) {
  bool stored = store(std::move(layout), args, std::move(entry));
  failures = stored ? 0 : failures + 1;
  return stored;
}

void Remembered::clear() {
  // Out of the table first: what dies may run code that looks there.
  latest = nullptr;
  auto dying = std::move(entries);
  entries.clear();
}

bool Remembered::learns() const {
  return failures < kMaxFailures && overflows < kMaxOverflows;
}

int Remembered::traverse(visitproc visit, void *arg) const {
  for (const auto &[hash, entry] : entries)
    // Shared with a launch under way: then it is alive, and must not be counted
    // as if only this table held it.
    if (entry.use_count() == 1)
      if (int stop = entry->traverse(visit, arg))
        return stop;
  return 0;
}

} // namespace seagrove::launch

//===- remembered.h - launches of one kernel ---------------------*- C++
//-*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The table behind a `Dispatcher` (dispatch.h): what came of earlier launches
// of one kernel, by the key of their arguments, and what that depended on
// besides.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_REMEMBERED_H
#define SEAGROVE_PYTHON_REMEMBERED_H

#include "call_key.h"

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

namespace seagrove::launch {

/// Entries of a dict that have to stay what they were.
class Watch {
public:
  explicit Watch(PyObject *dict) : dict(dict) {}

  PyObject *table() const { return dict.get(); }
  /// `dict[key]` is to stay `expected`, or absent where that is null.
  void add(PyObject *key, PyObject *expected) {
    entries.push_back({Ref(key), Ref(expected)});
  }
  bool holds() const;
  int traverse(visitproc visit, void *arg) const;

private:
  struct Item {
    Ref key, expected;
  };

  Ref dict;
  std::vector<Item> entries;
  /// Of the dict, when its entries were looked at last.
  mutable uint64_t version = 0;
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
  std::vector<Watch> watches;
  std::vector<Ref> emptyLists;
  /// For each parameter without an argument: its value.
  std::vector<Ref> defaults;
  /// A dict of every parameter, of which a launch copies those without an
  /// argument: what a grid that is a function is called with.
  Ref parameters;
  /// What a launch writes down, `dict[key] = value`; null where nothing.
  Ref notedIn, notedKey, noted;
  Ref kernel, launcher, function;
  /// Starts a kernel that another driver launches; null for our launcher.
  Ref starter;
  /// Objects whose addresses are part of the key.
  std::vector<Ref> held;

  int traverse(visitproc visit, void *arg) const;
};

enum class Outcome { Started, Failed, Unknown };

/// The launches of one kernel that are remembered.
class Remembered {
public:
  /// `choice` is a context variable: which device this thread has chosen.
  Remembered(PyObject *tensorTypes, PyObject *descriptorTypes,
             PyObject *exactTypes, PyObject *choice)
      : keys(tensorTypes, descriptorTypes, exactTypes), choice(choice) {}

  /// Starts the remembered kernel for these arguments, if there is one, and
  /// gives a new reference to it.
  Outcome launch(PyObject *grid, PyObject *const *args, Py_ssize_t positional,
                 PyObject *keywords, PyObject *&started);

  /// Remembers a launch. False if its arguments are of a kind that only Triton
  /// tells apart, or if there is no room.
  bool add(Layout layout, PyObject *const *args, std::shared_ptr<Entry> entry);
  void clear();
  size_t size() const { return entries.size(); }
  bool learns() const;
  int traverse(visitproc visit, void *arg) const;

private:
  bool readCall(size_t layout, PyObject *const *args, Call &call) const;
  Py_ssize_t findLayout(Py_ssize_t positional, PyObject *keywords) const;
  std::shared_ptr<const Entry> find(const Call &call);
  bool store(Layout layout, PyObject *const *args,
             std::shared_ptr<Entry> entry);

  KeyMaker keys;
  Ref choice;
  /// A deque: a launch holds a reference while others may be added.
  std::deque<Layout> layouts;
  /// Launches in a row that could not be remembered, and times that the table
  /// was full: a kernel with too many of either is not worth the effort.
  unsigned failures = 0, overflows = 0;
  std::unordered_map<uint64_t, std::shared_ptr<const Entry>> entries;
  /// In `entries`, what was found last; null where that is gone.
  const std::shared_ptr<const Entry> *latest = nullptr;
};

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_REMEMBERED_H

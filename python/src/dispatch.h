//===- dispatch.h - the short way of a launch -------------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `kernel[grid](...)` costs Triton some microseconds of Python before a
// launcher is called: it binds the arguments, specialises each, and looks for a
// compiled kernel by a text made of the result. A `Dispatcher` remembers for
// one kernel what came of that, keyed by what the specialisation looked at, and
// starts the same compiled kernel again without it. What else the result
// depended on (hooks, knobs, globals, the active driver, Triton's own caches)
// is a list of guards; where one has changed, or where the arguments are of a
// kind that is not known here, the launch goes Triton's way, which decides.
//
//   Dispatcher(function, slow, tensor_types, exact_types, choice)
//       `slow(function, dispatcher, grid, args, names, values)` is Triton's
//       way; a constexpr of one of `exact_types` is told apart by identity;
//       `choice` is the context variable that holds the chosen device.
//   Dispatcher.add(args, positional, names, layout, guards, lists, handles)
//       Remembers a launch; false if it cannot. `handles` are the compiled
//       kernel, its launcher and function, and, where that launcher is another
//       driver's, a callable that starts it: `starter(x, y, z, *parameters)`,
//       False where the launch has to go Triton's way. A fifth, (dict, key,
//       value), is written down by each launch.
//   Dispatcher.attempt(function, grid, *args, **kwargs)
//       Launches what is remembered; NotImplemented where nothing is.
//   DispatchMethod(maker)
//       What `type(kernel).__getitem__` becomes; `maker(kernel)` gives the
//       dispatcher of a kernel that has none yet.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_DISPATCH_H
#define SEAGROVE_PYTHON_DISPATCH_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace seagrove::launch {

/// Adds the types to `module`. False with a Python error set on failure.
bool addDispatchTypes(PyObject *module);

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_DISPATCH_H

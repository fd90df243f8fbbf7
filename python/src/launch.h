//===- launch.h - the callable that starts a kernel -------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two Python types, written against CPython's C API because a launch is paid
// in nanoseconds:
//
//   Kernel(image: bytes, symbol: str)
//       A loaded shared object and the range kernel in it.
//   Launcher(kernel_name: str, names: tuple[str, ...],
//            types: tuple[str | tuple, ...], scratch_bytes: int, progress: int
//            = 0)
//       Called as Triton calls a launcher: (grid_x, grid_y, grid_z, stream,
//       function, packed_metadata, launch_metadata, enter_hook, exit_hook,
//       *args), where `function` is a Kernel.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_LAUNCH_H
#define SEAGROVE_PYTHON_LAUNCH_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <cstdint>

namespace seagrove::launch {

/// Returns true if `launcher` is a Launcher for `count` parameters and
/// `function` a Kernel.
bool canLaunchPrepared(PyObject *launcher, PyObject *function, size_t count);

/// Starts a kernel without calling hooks. `addresses[i]`, where it is not 0, is
/// what the tensor `args[i]` has been found to point to. False with a Python
/// error set.
bool launchPrepared(PyObject *launcher, PyObject *function,
                    PyObject *const *args, const uint64_t *addresses,
                    size_t count, const int32_t *grid);

/// Adds both types to `module`. False with a Python error set on failure.
bool addTypes(PyObject *module);

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_LAUNCH_H

//===- plain_call.h - host calls of constexpr functions ---------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   ConstexprCall(upstream)
//       `__call__` of Triton's constexpr functions, such as `triton.cdiv`. On
//       the host they take constants off their arguments first, which costs
//       more than a launch; where every argument is a plain int and none has a
//       name, the function is called as it is. All else goes to `upstream`.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_PYTHON_PLAIN_CALL_H
#define SEAGROVE_PYTHON_PLAIN_CALL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace seagrove::launch {

/// Adds the type to `module`. False with a Python error set on failure.
bool addPlainCallType(PyObject *module);

} // namespace seagrove::launch

#endif // SEAGROVE_PYTHON_PLAIN_CALL_H

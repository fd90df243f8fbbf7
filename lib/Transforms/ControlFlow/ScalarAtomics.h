//===- ScalarAtomics.h - atomic reads, writes and polls ---------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TRANSFORMS_CONTROLFLOW_SCALARATOMICS_H
#define SEAGROVE_LIB_TRANSFORMS_CONTROLFLOW_SCALARATOMICS_H

#include "mlir/IR/Operation.h"

namespace seagrove {

/// Writes the atomic reads, writes and polls of scalars below `root` with
/// atomic updates.
void expandScalarAtomics(mlir::Operation *root);

} // namespace seagrove

#endif // SEAGROVE_LIB_TRANSFORMS_CONTROLFLOW_SCALARATOMICS_H

//===- FloatsAsBits.h - floats held as integers -----------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_SUPPORT_FLOATSASBITS_H
#define SEAGROVE_SUPPORT_FLOATSASBITS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace seagrove {

/// Gives the values below `root` whose elements are of a chosen float type the
/// type of integers of the same width, and drops the bit casts that this makes
/// empty. What is left must only move these values: no operation may compute
/// with them.
void holdFloatsAsBits(mlir::Operation *root,
                      llvm::function_ref<bool(mlir::FloatType)> isChosen);

} // namespace seagrove

#endif // SEAGROVE_SUPPORT_FLOATSASBITS_H

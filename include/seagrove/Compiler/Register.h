//===- Register.h - the dialects and passes in use --------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_COMPILER_REGISTER_H
#define SEAGROVE_COMPILER_REGISTER_H

#include "mlir/IR/DialectRegistry.h"

namespace seagrove {

/// Adds every dialect that a kernel passes through.
void registerDialects(mlir::DialectRegistry &registry);

/// Registers our passes and pipelines, and the few upstream passes that
/// pipelines and tests name. Safe to call more than once.
void registerPasses();

} // namespace seagrove

#endif // SEAGROVE_COMPILER_REGISTER_H

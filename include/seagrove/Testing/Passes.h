//===- Passes.h - passes that test the tests --------------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_TESTING_PASSES_H
#define SEAGROVE_TESTING_PASSES_H

#include "mlir/Pass/Pass.h"

namespace seagrove {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "seagrove/Testing/Passes.h.inc"

} // namespace seagrove

#endif // SEAGROVE_TESTING_PASSES_H

//===- Passes.h - conversions between dialects ----------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_CONVERSION_PASSES_H
#define SEAGROVE_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace seagrove {

#define GEN_PASS_DECL
#include "seagrove/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "seagrove/Conversion/Passes.h.inc"

} // namespace seagrove

#endif // SEAGROVE_CONVERSION_PASSES_H

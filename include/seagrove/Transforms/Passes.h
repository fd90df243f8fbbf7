//===- Passes.h - transforms of the shared trunk ----------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_TRANSFORMS_PASSES_H
#define SEAGROVE_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace seagrove {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "seagrove/Transforms/Passes.h.inc"

/// An attribute of exponentials whose argument is never positive.
inline constexpr llvm::StringLiteral kNeverPositive = "sg.never_positive";

/// An attribute of conversions whose result is read by something that takes
/// subnormal numbers for zeros.
inline constexpr llvm::StringLiteral kMayFlush = "sg.may_flush";

} // namespace seagrove

#endif // SEAGROVE_TRANSFORMS_PASSES_H

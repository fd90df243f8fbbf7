//===- SmallFloats.h - formats narrower than f32 ----------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TRANSFORMS_MATH_SMALLFLOATS_H
#define SEAGROVE_LIB_TRANSFORMS_MATH_SMALLFLOATS_H

#include "MathBuilder.h"

namespace seagrove::math_expansion {

/// Returns true if the target computes in `element`.
bool isNativeFormat(mlir::Type element, const ExpandMathOptions &options);

/// Computes arithmetic on formats that the target lacks in f32, one rounding
/// per operation, and expands the conversions that it lacks. Constants go to
/// the cache of their function.
void legalizeSmallFloats(
    mlir::Operation *root, const ExpandMathOptions &options,
    llvm::DenseMap<mlir::Operation *, ConstantCache> &constants);

/// Computes conversions of vectors to integers from the bits of the floats
/// (Integers.cpp).
void expandConversionsToIntegers(
    mlir::Operation *root, const ExpandMathOptions &options,
    llvm::DenseMap<mlir::Operation *, ConstantCache> &constants);

} // namespace seagrove::math_expansion

#endif // SEAGROVE_LIB_TRANSFORMS_MATH_SMALLFLOATS_H

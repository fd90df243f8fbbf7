//===- Coefficients.h - the polynomials of the expansions -------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TRANSFORMS_MATH_COEFFICIENTS_H
#define SEAGROVE_LIB_TRANSFORMS_MATH_COEFFICIENTS_H

namespace seagrove::math_expansion {

#include "Coefficients.inc"

} // namespace seagrove::math_expansion

#endif // SEAGROVE_LIB_TRANSFORMS_MATH_COEFFICIENTS_H

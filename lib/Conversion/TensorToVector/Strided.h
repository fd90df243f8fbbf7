//===- Strided.h - every second element -------------------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_STRIDED_H
#define SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_STRIDED_H

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "seagrove/Dialect/Access/IR/Access.h"

namespace seagrove::vectorize {

/// Every second element from `pointer` on, as many as `type` has: two reads of
/// whole vectors, of which the second ends with the last element that is asked
/// for, since there may be no memory behind it.
mlir::Value readEverySecond(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value pointer, mlir::VectorType type,
                            unsigned alignment);

/// Writes `even` and `odd` to `pointer`, an element of one and one of the
/// other.
void writeInterleaved(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value even, mlir::Value odd, mlir::Value pointer,
                      unsigned alignment);

/// Returns true if `odd` writes the elements of a row that `even` leaves out.
bool arePairs(sg::StoreOp even, sg::StoreOp odd);

} // namespace seagrove::vectorize

#endif // SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_STRIDED_H

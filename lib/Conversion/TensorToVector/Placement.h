//===- Placement.h - where buffers lie in the scratch area ------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_PLACEMENT_H
#define SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_PLACEMENT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace seagrove::vectorize {

/// How long the contents of a part of the scratch area must last.
enum class Lifetime {
  /// From the first to the last use in a program.
  uses,
  /// From one program to the next that the same thread runs.
  range,
  /// The same, and zero before the first program of a range.
  clearedForRange,
};

/// A part of the scratch area whose offset is still open.
struct Allocation {
  mlir::LLVM::GEPOp pointer;
  int64_t bytes;
  Lifetime lifetime;
};

/// Gives each allocation its offset; two that are not alive at the same time
/// may get the same bytes, so that a program touches little memory. The area
/// below `reserved` stays free; what has to be cleared follows it. Sets the
/// program's attributes `sg.scratch_bytes`, the bytes that it needs, and
/// `sg.scratch_cleared`, first and last of those to be cleared, if any.
void placeBuffers(mlir::func::FuncOp program,
                  llvm::ArrayRef<Allocation> allocations, int64_t reserved);

} // namespace seagrove::vectorize

#endif // SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_PLACEMENT_H

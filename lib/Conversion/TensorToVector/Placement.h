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

/// A part of the scratch area whose offset is still open.
struct Allocation {
  mlir::LLVM::GEPOp pointer;
  int64_t bytes;
};

/// Gives each allocation its offset; two that are not alive at the same time
/// may get the same bytes, so that a program touches little memory. The area
/// below `reserved` stays free. Returns the bytes that the program needs.
int64_t placeBuffers(mlir::func::FuncOp program,
                     llvm::ArrayRef<Allocation> allocations, int64_t reserved);

} // namespace seagrove::vectorize

#endif // SEAGROVE_LIB_CONVERSION_TENSORTOVECTOR_PLACEMENT_H

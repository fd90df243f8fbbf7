//===- Stages.h - the stages of structure-accesses ------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_CONVERSION_TRITONTOACCESS_STAGES_H
#define SEAGROVE_LIB_CONVERSION_TRITONTOACCESS_STAGES_H

#include "seagrove/Dialect/Access/IR/Access.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace seagrove {

/// Replaces the descriptor arguments of `func` by base, shape and strides.
void expandDescriptorArguments(tt::FuncOp func);

/// Replaces block pointers and descriptors by scalars, through control flow,
/// and their accesses by structured ones.
mlir::LogicalResult expandAggregates(mlir::ModuleOp module);

/// Gives values that a loop moves by uniform steps a closed form, or carries
/// one scalar instead of a block.
void rewriteLoop(mlir::scf::ForOp loop);

/// Lets a branch give scalars instead of blocks of pointers or offsets.
void rewriteBranch(mlir::scf::IfOp branch);

/// Turns loops that count up to a bound from `while` into `for`.
void uplift(tt::FuncOp func);

/// Carries the blocks of pointers that are left as blocks of addresses.
void carryAddresses(tt::FuncOp func);

/// Rewrites each access to blocks of pointers.
mlir::LogicalResult rewriteAccesses(tt::FuncOp func, bool remarks);

/// Erases what has no use and no effect, in `func`.
void eraseDead(tt::FuncOp func);

} // namespace seagrove

#endif // SEAGROVE_LIB_CONVERSION_TRITONTOACCESS_STAGES_H

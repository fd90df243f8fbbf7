//===- Pipelines.h - the stages of a kernel ---------------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_COMPILER_PIPELINES_H
#define SEAGROVE_COMPILER_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "seagrove/Api.h"

namespace seagrove {

/// TTIR to structured accesses: inlined, clean, without blocks of pointers.
void buildStructurePipeline(mlir::OpPassManager &manager);

/// Structured accesses to tensors: the trunk's output, the forks' input.
void buildTensorPipeline(mlir::OpPassManager &manager);

/// Tensors to linalg operations only, for compilers that take linalg.
void buildLinalgPipeline(mlir::OpPassManager &manager);

/// Tensors to loops over the vectors of `target`.
void buildVectorPipeline(mlir::OpPassManager &manager,
                         const api::Target &target);

/// Makes the above available as `sg-structure`, `sg-tensor`, `sg-linalg` and
/// `sg-vector`.
void registerPipelines();

} // namespace seagrove

#endif // SEAGROVE_COMPILER_PIPELINES_H

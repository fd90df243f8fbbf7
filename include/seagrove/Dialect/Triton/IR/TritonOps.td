//===- TritonOps.td - all operations of tt -----------------*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_TRITON_OPS_TD
#define SEAGROVE_DIALECT_TRITON_OPS_TD

include "seagrove/Dialect/Triton/IR/TritonFunctionOps.td"
include "seagrove/Dialect/Triton/IR/TritonElementwiseOps.td"
include "seagrove/Dialect/Triton/IR/TritonBlockOps.td"
include "seagrove/Dialect/Triton/IR/TritonMemoryOps.td"
include "seagrove/Dialect/Triton/IR/TritonDescriptorOps.td"

#endif // SEAGROVE_DIALECT_TRITON_OPS_TD

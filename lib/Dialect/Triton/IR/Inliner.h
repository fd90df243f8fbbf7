//===- Inliner.h - inlining of tt functions ---------------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_DIALECT_TRITON_IR_INLINER_H
#define SEAGROVE_LIB_DIALECT_TRITON_IR_INLINER_H

namespace seagrove::tt {
class TritonDialect;
void addInlinerInterface(TritonDialect &dialect);
} // namespace seagrove::tt

#endif // SEAGROVE_LIB_DIALECT_TRITON_IR_INLINER_H

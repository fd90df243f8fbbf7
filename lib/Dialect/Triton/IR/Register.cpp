//===- Register.cpp - dialects that TTIR text may hold --------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/InlinerInterfaceImpl.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "seagrove/Dialect/Triton/IR/Barrier.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;

void seagrove::tt::registerTTIRDialects(DialectRegistry &registry) {
  registry.insert<TritonDialect, ttg::BarrierDialect, arith::ArithDialect,
                  cf::ControlFlowDialect, gpu::GPUDialect, LLVM::LLVMDialect,
                  math::MathDialect, scf::SCFDialect, ub::UBDialect>();
  // llvm.intr.assume stands in functions that are to be inlined.
  LLVM::registerInlinerInterface(registry);
}

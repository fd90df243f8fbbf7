//===- Passes.td - passes that test the tests --------------*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_TESTING_PASSES
#define SEAGROVE_TESTING_PASSES

include "mlir/Pass/PassBase.td"

def PlantMiscompile : Pass<"plant-miscompile", "mlir::ModuleOp"> {
  let summary = "Break a kernel on purpose, to see whether the oracles notice";
  let description = [{
    Edits a kernel in tensor form the way a faulty compiler would: each `kind` is
    one realistic mistake, made wherever it can be made. The oracles
    (`python -m seagrove.testing.mutations`) must catch it. No pipeline contains
    this pass unless the option `planted_miscompile` of a compilation, which is
    part of every cache key, names a kind.

    The kinds are listed, a line each, in lib/Testing/Mistakes.h.

    See test/Testing/plant-miscompile.mlir.
  }];
  let options = [
    Option<"kind", "kind", "std::string", /*default=*/"\"\"",
           "the mistake to make">
  ];
  let dependentDialects = [
    "mlir::arith::ArithDialect", "mlir::math::MathDialect"
  ];
}

#endif // SEAGROVE_TESTING_PASSES

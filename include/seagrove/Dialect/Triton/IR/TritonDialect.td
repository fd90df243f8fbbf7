//===- TritonDialect.td - the tt dialect -------------------*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_TRITON_DIALECT_TD
#define SEAGROVE_DIALECT_TRITON_DIALECT_TD

include "mlir/IR/OpBase.td"

def TritonDialect : Dialect {
  let name = "tt";
  let cppNamespace = "::seagrove::tt";
  let summary = "The block language that Triton's front end emits";

  let description = [{
    This dialect reads the TTIR text that the triton wheels 3.6 to 3.9 print
    right after code generation. It is Seagrove's own definition of that
    language: every spelling that those releases use parses, and one normal
    form is printed (see docs in the definitions of the types and of `tt.load`).

    A value is a scalar, a pointer (`!tt.ptr`), a block (a ranked tensor of
    static shape whose elements are scalars or pointers) or a tensor
    descriptor (`!tt.tensordesc`). A program is one instance of a public
    `tt.func` on a grid of up to three dimensions.
  }];

  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::cf::ControlFlowDialect",
    "::mlir::ub::UBDialect",
  ];

  let hasConstantMaterializer = 1;
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;

  let extraClassDeclaration = [{
    void registerTypes();
    void registerAttributes();
    void registerOps();
  }];
}

#endif // SEAGROVE_DIALECT_TRITON_DIALECT_TD

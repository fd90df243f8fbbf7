//===- Passes.td - conversions between dialects ------------*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_CONVERSION_PASSES
#define SEAGROVE_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

def StructureAccesses : Pass<"structure-accesses", "::mlir::ModuleOp"> {
  let summary = "Rewrites blocks of pointers and masks into structured accesses";
  let description = [{
    Reads the arithmetic behind each block of pointers together with that
    behind its mask, and rewrites the access to a scalar base, a stride and an
    interval of valid lanes for each dimension (`sg.load`, `sg.store`). What
    cannot be read that way becomes an access with an offset for each lane
    (`sg.gather`, `sg.scatter`), never an error. Block pointers and tensor
    descriptors are structured from the start; pointers that a loop moves by a
    uniform step become its first value plus a multiple of the iteration.
    After the pass no block of pointers, block pointer or descriptor is left.

    The rationale, with worked examples, is `docs/structured-access.md`; input
    and output are in `test/Conversion/structure-accesses.mlir`.
  }];
  let options = [
    Option<"remarks", "remarks", "bool", "false",
           "Report why an access is not structured">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::seagrove::sg::SgDialect",
    "::seagrove::tt::TritonDialect"
  ];
}

def LowerToTensor : Pass<"lower-to-tensor", "::mlir::ModuleOp"> {
  let summary = "Rewrites operations on blocks to linalg, tensor, math and sg";
  let description = [{
    Replaces every `tt` operation on tensors, and the elementwise ones on
    scalars, by an upstream operation of the same meaning or by one of `sg`.
    `tt.func` becomes `func.func`; a kernel gets the attribute `sg.kernel`.
    8-bit floats become `i8` bit patterns: no later step knows their formats.
    Scalar memory operations, the position in the grid, prints and assertions
    stay. What has no meaning off a GPU is an error at the user's line.

    Input and output are in `test/Conversion/lower-to-tensor.mlir`.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::seagrove::sg::SgDialect", "::seagrove::tt::TritonDialect"
  ];
}

def VectorizeBlocks : Pass<"vectorize-blocks", "::mlir::ModuleOp"> {
  let summary = "Rewrites operations on blocks to loops over native vectors";
  let description = [{
    Replaces each kernel by `NAME.program`, the function of one program: loops
    over vectors as wide as the machine's registers, whose code grows with the
    kernel and never with the block. Blocks are evaluated lazily, one vector at
    a time, or live in a scratch area that the caller provides; products run in
    register tiles, with the loop over K inside of the tile. See
    `docs/life-of-a-kernel.md` and `docs/tiling-through-k.md`.

    Input and output are in `test/Conversion/vectorize-blocks.mlir`.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "256", "Width of a vector register">,
    Option<"vectorRegisters", "vector-registers", "int64_t", "16", "Number of vector registers">,
    Option<"scalableUnitBits", "scalable-unit-bits", "int64_t", "0", "Vectors are as long as a power of two, known at run time only, times this; 0 for vectors of the width above only">,
    Option<"scalableMaxBits", "scalable-max-bits", "int64_t", "2048", "The longest that a scalable register can be">,
    Option<"registerGroup", "register-group", "int64_t", "1", "The most registers that one scalable vector may take">,
    Option<"l1Bytes", "l1-bytes", "int64_t", "32768", "Size of the first-level data cache">,
    Option<"l2Bytes", "l2-bytes", "int64_t", "524288", "Size of the second-level cache">,
    Option<"lastLevelBytes", "last-level-bytes", "int64_t", "33554432", "Size of the largest cache">,
    Option<"fma", "fma", "bool", "true", "The machine multiplies and adds in one instruction">,
    Option<"comparesMaximum", "compares-maximum", "bool", "false", "A maximum that picks by comparison takes one operation, and one that skips NaN several">,
    Option<"rowsToSecondLevel", "rows-to-second-level", "bool", "false", "Rows are best asked for ahead into the second-level cache, and the next one while nothing is stored">,
    Option<"streamsByHalves", "streams-by-halves", "bool", "false", "Memory is read fastest half a line at a time">,
    ListOption<"matrixUnits", "matrix-units", "std::string", "What multiplies small matrices, if anything does: the first that has a step for a product">
  ];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::cf::ControlFlowDialect", "::mlir::func::FuncDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
}

#endif // SEAGROVE_CONVERSION_PASSES

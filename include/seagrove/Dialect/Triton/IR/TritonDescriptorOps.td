//===- TritonDescriptorOps.td - tensor descriptors ---------*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_TRITON_DESCRIPTOROPS_TD
#define SEAGROVE_DIALECT_TRITON_DESCRIPTOROPS_TD

include "seagrove/Dialect/Triton/IR/TritonMemoryOps.td"

def TT_MakeTensorDescOp : TT_Op<"make_tensor_descriptor", [
    Pure, AttrSizedOperandSegments]> {
  let summary = "describe a strided tensor in memory";
  let description = [{
    `shape` and `strides` count elements. A load beyond the shape gives zero,
    or NaN with that padding; a store beyond it does nothing.
  }];
  let arguments = (ins
    TT_Ptr:$base, Variadic<I32>:$shape, Variadic<I64>:$strides,
    DefaultValuedAttr<TT_PaddingOption, "PaddingOption::Zero">:$padding
  );
  let results = (outs TT_TensorDescType:$result);
  let assemblyFormat = [{
    $base `,` `[` $shape `]` `,` `[` $strides `]` attr-dict `:` type($base) `,` type($result)
  }];
  let hasVerifier = 1;
}

def TT_DescriptorLoadOp : TT_Op<"descriptor_load", [TT_Reads]> {
  let summary = "read the block that starts at the given indices";
  let arguments = (ins
    TT_TensorDescType:$desc, Variadic<I32>:$indices,
    OptionalAttr<TT_CachePolicyAttr>:$cachePolicy
  );
  let results = (outs TT_Block:$result);
  let extraClassDeclaration = cachePolicyAccessors;
  let assemblyFormat = [{
    $desc `[` $indices `]` `` custom<AccessAttrs>(attr-dict)
    `:` qualified(type($desc)) `->` type($result)
  }];
  let hasVerifier = 1;
}

def TT_DescriptorStoreOp : TT_Op<"descriptor_store", [TT_Writes]> {
  let summary = "write the block that starts at the given indices";
  let arguments = (ins TT_TensorDescType:$desc, TT_Block:$src, Variadic<I32>:$indices);
  let assemblyFormat = [{
    $desc `[` $indices `]` `,` $src attr-dict `:` qualified(type($desc)) `,` type($src)
  }];
  let hasVerifier = 1;
}

def TT_DescriptorReduceOp : TT_Op<"descriptor_reduce", [TT_ReadsAndWrites]> {
  let summary = "combine a block into memory, each element atomically";
  let description = [{
    `min` and `max` are signed or unsigned as the descriptor's element type is.
  }];
  let arguments = (ins
    TT_DescriptorReduceKind:$kind, TT_TensorDescType:$desc, TT_Block:$src,
    Variadic<I32>:$indices
  );
  let assemblyFormat = [{
    $kind `,` $desc `[` $indices `]` `,` $src attr-dict
    `:` qualified(type($desc)) `,` type($src)
  }];
  let hasVerifier = 1;
}

def TT_DescriptorGatherOp : TT_Op<"descriptor_gather", [TT_Reads]> {
  let summary = "read parts of several rows of a matrix";
  let description = [{
    Row `i` of the result is row `x_offsets[i]` from column `y_offset` on. The
    descriptor's block has one row.
  }];
  let arguments = (ins
    TT_TensorDescType:$desc, TT_BlockOf<[I16, I32]>:$x_offsets, I32:$y_offset
  );
  let results = (outs TT_Block:$result);
  let assemblyFormat = [{
    $desc `[` $x_offsets `,` $y_offset `]` attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def TT_DescriptorScatterOp : TT_Op<"descriptor_scatter", [TT_Writes]> {
  let summary = "write parts of several rows of a matrix";
  let arguments = (ins
    TT_TensorDescType:$desc, TT_BlockOf<[I16, I32]>:$x_offsets, I32:$y_offset,
    TT_Block:$src
  );
  let assemblyFormat = [{
    $desc `[` $x_offsets `,` $y_offset `]` `,` $src attr-dict `:` type(operands)
  }];
  let hasVerifier = 1;
}

#endif // SEAGROVE_DIALECT_TRITON_DESCRIPTOROPS_TD

//===- TritonBlockOps.td - shape, dot, reduce, scan --------*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_TRITON_BLOCKOPS_TD
#define SEAGROVE_DIALECT_TRITON_BLOCKOPS_TD

include "seagrove/Dialect/Triton/IR/TritonOpBase.td"

//===----------------------------------------------------------------------===//
// Making blocks and changing their shape
//===----------------------------------------------------------------------===//

def TT_MakeRangeOp : TT_Op<"make_range", [Pure]> {
  let summary = "the integers start, start + 1, ... end - 1";
  let description = [{
    Both bounds are signed.
  }];
  let arguments = (ins I32Attr:$start, I32Attr:$end);
  let results = (outs TT_IntBlock:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def TT_SplatOp : TT_Op<"splat", [Pure, SameOperandsAndResultElementType]> {
  let summary = "block whose elements are all the same scalar";
  let arguments = (ins TT_Value:$src);
  let results = (outs TT_Block:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasFolder = 1;
}

def TT_UnsplatOp : TT_Op<"unsplat", [
    Pure, TT_TypeFrom<"src", "result", "::mlir::getElementTypeOrSelf($_self)">]> {
  let summary = "the only element of a block of one element";
  let arguments = (ins TT_Block:$src);
  let results = (outs TT_Value:$result);
  let assemblyFormat = "$src attr-dict `:` type($src)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def TT_BroadcastOp : TT_Op<"broadcast", [Pure, SameOperandsAndResultElementType]> {
  let summary = "repeat a block along its dimensions of size 1";
  let arguments = (ins TT_Block:$src);
  let results = (outs TT_Block:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasCanonicalizer = 1;
  let hasFolder = 1;
  let hasVerifier = 1;
}

def TT_ExpandDimsOp : TT_InferredOp<"expand_dims", [Pure]> {
  let summary = "insert a dimension of size 1";
  let arguments = (ins TT_Block:$src, I32Attr:$axis);
  let results = (outs TT_Block:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasCanonicalizer = 1;
  let hasFolder = 1;
}

def TT_ReshapeOp : TT_Op<"reshape", [Pure, SameOperandsAndResultElementType]> {
  let summary = "same elements in row-major order under another shape";
  let description = [{
    With `allow_reorder` the user does not care about the order of the
    elements. `efficient_layout` is a hint without meaning here.
  }];
  let arguments = (ins
    TT_Block:$src, UnitAttr:$allow_reorder, UnitAttr:$efficient_layout
  );
  let results = (outs TT_Block:$result);
  let builders = [
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$src), [{
      build($_builder, $_state, result, src, /*allow_reorder=*/false,
            /*efficient_layout=*/false);
    }]>,
  ];
  let assemblyFormat = [{
    $src (`allow_reorder` $allow_reorder^)? (`efficient_layout` $efficient_layout^)?
    attr-dict `:` type($src) `->` type($result)
  }];
  let hasCanonicalizer = 1;
  let hasFolder = 1;
  let hasVerifier = 1;
}

def TT_TransOp : TT_InferredOp<"trans", [Pure]> {
  let summary = "permute the dimensions of a block";
  let description = [{
    Dimension `i` of the result is dimension `order[i]` of the source.
  }];
  let arguments = (ins TT_Block:$src, DenseI32ArrayAttr:$order);
  let results = (outs TT_Block:$result);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
  let hasCanonicalizer = 1;
  let hasFolder = 1;
}

def TT_CatOp : TT_Op<"cat", [
    NoMemoryEffect, SameTypeOperands, SameOperandsAndResultElementType]> {
  let summary = "two blocks of one dimension, one after the other";
  let description = [{
    The order of the elements is not specified: this is `tl.cat` with
    `can_reorder=True`.
  }];
  let arguments = (ins TT_Block:$lhs, TT_Block:$rhs);
  let results = (outs TT_Block:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)";
  let hasVerifier = 1;
}

def TT_JoinOp : TT_InferredOp<"join", [Pure, SameTypeOperands]> {
  let summary = "two blocks along a new last dimension of size 2";
  let arguments = (ins TT_Block:$lhs, TT_Block:$rhs);
  let results = (outs TT_Block:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)";
}

def TT_SplitOp : TT_InferredOp<"split", [
    Pure, AllTypesMatch<["outLHS", "outRHS"]>]> {
  let summary = "the two halves of a block whose last dimension has size 2";
  let arguments = (ins TT_Block:$src);
  let results = (outs TT_Block:$outLHS, TT_Block:$outRHS);
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($outLHS)";
  let hasFolder = 1;
}

def TT_HistogramOp : TT_Op<"histogram", [Pure, TT_MaskFor<"src", "mask">]> {
  let summary = "how often each of 0, 1, ... occurs";
  let description = [{
    The size of the result is the number of bins. Elements whose mask is false
    are not counted.
  }];
  let arguments = (ins TT_IntBlock:$src, Optional<TT_BlockOf<[I1]>>:$mask);
  let results = (outs TT_IntBlock:$result);
  let assemblyFormat = [{
    $src (`,` $mask^)? attr-dict `:` type($src) `->` type($result)
  }];
  let hasVerifier = 1;
}

def TT_GatherOp : TT_Op<"gather", [Pure]> {
  let summary = "elements of a block picked by index along one dimension";
  let arguments = (ins
    TT_Block:$src, TT_IntBlock:$indices, I32Attr:$axis, UnitAttr:$efficient_layout
  );
  let results = (outs TT_Block:$result);
  let assemblyFormat = [{
    $src `[` $indices `]` attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

def TT_DotOp : TT_Op<"dot", [Pure, AllTypesMatch<["c", "d"]>]> {
  let summary = "d = a * b + c on matrices, or on batches of them";
  let arguments = (ins
    TT_NumberBlock:$a, TT_NumberBlock:$b, TT_NumberBlock:$c,
    DefaultValuedAttr<TT_InputPrecision, "InputPrecision::IEEE">:$inputPrecision,
    DefaultValuedAttr<I32Attr, "0">:$maxNumImpreciseAcc
  );
  let results = (outs TT_NumberBlock:$d);
  let assemblyFormat = [{
    $a `,` $b `,` $c (`,` `inputPrecision` `=` $inputPrecision^)? attr-dict `:`
    type($a) `*` type($b) `->` type($d)
  }];
  let hasVerifier = 1;
}

def TT_DotScaledOp : TT_Op<"dot_scaled", [
    Pure, AttrSizedOperandSegments, AllTypesMatch<["c", "d"]>]> {
  let summary = "d = scale(a) * scale(b) + c in a microscaling format";
  let description = [{
    One scale belongs to 32 elements along K (16 where the scale is an 8-bit
    float). Elements of 4 bits come in pairs in `i8`, the lower half first:
    along K if `lhs_k_pack` / `rhs_k_pack` holds, else along M or N.
  }];
  let arguments = (ins
    TT_BlockOf<[AnyFloat, I8]>:$a, TT_BlockOf<[AnyFloat, I8]>:$b,
    TT_FloatBlock:$c,
    Optional<TT_BlockOf<[AnyFloat, I8]>>:$a_scale,
    Optional<TT_BlockOf<[AnyFloat, I8]>>:$b_scale,
    TT_ScaleDotElemType:$a_elem_type, TT_ScaleDotElemType:$b_elem_type,
    BoolAttr:$fastMath,
    DefaultValuedAttr<BoolAttr, "true">:$lhs_k_pack,
    DefaultValuedAttr<BoolAttr, "true">:$rhs_k_pack
  );
  let results = (outs TT_FloatBlock:$d);
  let assemblyFormat = [{
    $a (`scale` $a_scale^)? `,` $b (`scale` $b_scale^)? `,` $c
    `lhs` `=` $a_elem_type `rhs` `=` $b_elem_type attr-dict
    `:` type($a) (`,` type($a_scale)^)? `*` type($b) (`,` type($b_scale)^)? `->` type($d)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Reductions and scans
//===----------------------------------------------------------------------===//

// The region combines two groups of scalars, one scalar a block each:
// (acc0, acc1, ..., elem0, elem1, ...) -> (acc0, acc1, ...).
class TT_CombineOp<string mnemonic> : TT_InferredOp<mnemonic, [
    RecursiveMemoryEffects, RecursivelySpeculatable, SameOperandsShape,
    SingleBlock]> {
  let regions = (region SizedRegion<1>:$combineOp);
  let hasRegionVerifier = 1;
  let extraClassDeclaration = refineNothing # [{
    ::llvm::SmallVector<::mlir::RankedTensorType> getInputTypes();
    ::llvm::SmallVector<::mlir::Type> getElementTypes();

    /// The one operation of the region that combines the two scalars, if the
    /// region holds nothing else; null otherwise.
    ::mlir::Operation *getSingleCombiner();
  }];
}

class TT_CombineReturnOp<string mnemonic, string parent> : TT_Op<mnemonic, [
    HasParent<parent>, Pure, ReturnLike, Terminator]> {
  let arguments = (ins Variadic<AnyType>:$result);
  let assemblyFormat = "$result attr-dict `:` type($result)";
}

def TT_ReduceOp : TT_CombineOp<"reduce"> {
  let summary = "reduce blocks along one dimension";
  let description = [{
    The region need not be commutative in its text, but the order in which
    elements are combined is not specified. The result of a block of one
    dimension is a scalar.
  }];
  let arguments = (ins Variadic<TT_Block>:$srcs, I32Attr:$axis);
  let results = (outs Variadic<TT_Value>:$result);
}

def TT_ReduceReturnOp : TT_CombineReturnOp<"reduce.return", "ReduceOp"> {
  let summary = "end of the region of tt.reduce";
}

def TT_ScanOp : TT_CombineOp<"scan"> {
  let summary = "running reduction along one dimension, inclusive";
  let description = [{
    With `reverse` the scan runs from the last element to the first.
  }];
  let arguments = (ins Variadic<TT_Block>:$srcs, I32Attr:$axis, BoolAttr:$reverse);
  let results = (outs Variadic<TT_Block>:$result);
}

def TT_ScanReturnOp : TT_CombineReturnOp<"scan.return", "ScanOp"> {
  let summary = "end of the region of tt.scan";
}

#endif // SEAGROVE_DIALECT_TRITON_BLOCKOPS_TD

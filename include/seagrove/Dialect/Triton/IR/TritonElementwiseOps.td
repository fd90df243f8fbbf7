//===- TritonElementwiseOps.td - casts and arithmetic ------*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_TRITON_ELEMENTWISEOPS_TD
#define SEAGROVE_DIALECT_TRITON_ELEMENTWISEOPS_TD

include "seagrove/Dialect/Triton/IR/TritonOpBase.td"

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

class TT_CastOp<string mnemonic, list<Trait> traits = []>
    : TT_ElementwiseOp<mnemonic, !listconcat([SameOperandsAndResultShape], traits)> {
  let assemblyFormat = "$src attr-dict `:` type($src) `->` type($result)";
}

def TT_IntToPtrOp : TT_CastOp<"int_to_ptr"> {
  let summary = "address as a pointer";
  let arguments = (ins TT_I64Like:$src);
  let results = (outs TT_PtrLike:$result);
  let hasFolder = 1;
}

def TT_PtrToIntOp : TT_CastOp<"ptr_to_int"> {
  let summary = "pointer as an address";
  let arguments = (ins TT_PtrLike:$src);
  let results = (outs TT_I64Like:$result);
  let hasFolder = 1;
}

def TT_BitcastOp : TT_CastOp<"bitcast"> {
  let summary = "same bits as another type of the same width, or pointer to it";
  let arguments = (ins TT_Value:$src);
  let results = (outs TT_Value:$result);
  let hasFolder = 1;
  let hasVerifier = 1;
}

def TT_FpToFpOp : TT_CastOp<"fp_to_fp"> {
  let summary = "cast between floating-point types with a chosen rounding";
  let description = [{
    Casts from or to 8-bit floats, and narrowing casts whose rounding the user
    chose. A narrowing cast names its rounding.
  }];
  let arguments = (ins TT_FloatLike:$src, OptionalAttr<TT_RoundingMode>:$rounding);
  let results = (outs TT_FloatLike:$result);
  let assemblyFormat = [{
    $src attr-dict (`,` `rounding` `=` $rounding^)? `:` type($src) `->` type($result)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Arithmetic that arith and math do not have
//===----------------------------------------------------------------------===//

def TT_ClampFOp : TT_ElementwiseOp<"clampf", [SameOperandsAndResultType]> {
  let summary = "x limited to [min, max]";
  let description = [{
    With `propagateNan = all` a NaN in any operand gives NaN; with `none` a NaN
    in `x` is ignored and a bound is given.
  }];
  let arguments = (ins
    TT_FloatLike:$x, TT_FloatLike:$min, TT_FloatLike:$max,
    TT_PropagateNan:$propagateNan
  );
  let results = (outs TT_FloatLike:$result);
  let assemblyFormat = [{
    $x `,` $min `,` $max `,` `propagateNan` `=` $propagateNan attr-dict `:` type($result)
  }];
}

def TT_PreciseSqrtOp : TT_ElementwiseOp<"precise_sqrt", [SameOperandsAndResultType]> {
  let summary = "square root, correctly rounded";
  let arguments = (ins TT_FloatLike:$x);
  let results = (outs TT_FloatLike:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

class TT_BinaryOp<string mnemonic, Type type>
    : TT_ElementwiseOp<mnemonic, [SameOperandsAndResultType]> {
  let arguments = (ins type:$x, type:$y);
  let results = (outs type:$result);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($x)";
}

def TT_PreciseDivFOp : TT_BinaryOp<"precise_divf", TT_FloatLike> {
  let summary = "quotient, correctly rounded";
}

def TT_ApproxDivFOp : TT_BinaryOp<"approx_divf", TT_FloatLike> {
  let summary = "quotient, up to a few units in the last place";
}

def TT_MulhiUIOp : TT_BinaryOp<"mulhiui", TT_IntLike> {
  let summary = "upper half of the unsigned double-width product";
}

def TT_AddPtrOp : TT_ElementwiseOp<"addptr", [
    SameOperandsAndResultShape, AllTypesMatch<["ptr", "result"]>]> {
  let summary = "pointer moved by a number of elements";
  let description = [{
    The offset counts elements of the pointee and is signed, at any width.
  }];
  let arguments = (ins TT_PtrLike:$ptr, TT_IntLike:$offset);
  let results = (outs TT_PtrLike:$result);
  let assemblyFormat = "$ptr `,` $offset attr-dict `:` type($result) `,` type($offset)";
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Code of the user's own
//===----------------------------------------------------------------------===//

def TT_ExternElementwiseOp : TT_Op<"extern_elementwise", !listconcat(
    ElementwiseMappable.traits,
    [ConditionallySpeculatable, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>])> {
  let summary = "call of a library function on each element";
  let arguments = (ins
    Variadic<TT_Value>:$srcs,
    StrAttr:$libname, StrAttr:$libpath, StrAttr:$symbol, BoolAttr:$pure
  );
  let results = (outs TT_Value:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, $result)";
  let extraClassDeclaration = [{
    ::mlir::Speculation::Speculatability getSpeculatability();
  }];
}

def TT_ElementwiseInlineAsmOp : TT_Op<"elementwise_inline_asm", !listconcat(
    ElementwiseMappable.traits,
    [ConditionallySpeculatable, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>])> {
  let summary = "inline assembly on groups of elements";
  let description = [{
    The assembly gets `packed_element` elements of each operand at a time and
    gives as many of each result; which ones stand together is not specified.
  }];
  let arguments = (ins
    StrAttr:$asm_string, StrAttr:$constraints, BoolAttr:$pure,
    I32Attr:$packed_element, Variadic<TT_Value>:$args
  );
  let results = (outs Variadic<TT_Value>:$result);
  let assemblyFormat = [{
    $asm_string attr-dict ($args^ `:` type($args))? `->` type($result)
  }];
  let extraClassDeclaration = [{
    ::mlir::Speculation::Speculatability getSpeculatability();
  }];
  let hasVerifier = 1;
}

def TT_MapElementwiseOp : TT_Op<"map_elementwise", [
    RecursiveMemoryEffects, RecursivelySpeculatable]> {
  let summary = "a scalar function of the user's on each element";
  let description = [{
    The region takes `pack` elements of the first block, then `pack` of the
    second and so on, and gives back `pack` elements of each result in the same
    order. It may have several blocks.
  }];
  let arguments = (ins Variadic<TT_Block>:$srcs, I32Attr:$pack);
  let results = (outs Variadic<TT_Block>:$result);
  let regions = (region MinSizedRegion<1>:$scalarOp);
  let hasRegionVerifier = 1;
}

def TT_MapElementwiseReturnOp : TT_Op<"map_elementwise.return", [
    HasParent<"MapElementwiseOp">, Pure, ReturnLike, Terminator]> {
  let summary = "end of the region of tt.map_elementwise";
  let arguments = (ins Variadic<AnyType>:$result);
  let assemblyFormat = "attr-dict ($result^ `:` type($result))?";
}

#endif // SEAGROVE_DIALECT_TRITON_ELEMENTWISEOPS_TD

//===- AccessOps.td - the `sg` dialect ---------------------*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_ACCESS_OPS
#define SEAGROVE_ACCESS_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Sg_Dialect : Dialect {
  let name = "sg";
  let cppNamespace = "::seagrove::sg";
  let summary = "Structured accesses: what a block of pointers and masks means";
  let description = [{
    Triton describes memory by tensors of pointers with tensors of bits as
    masks. This dialect says the same by what a loop needs: a scalar base, a
    stride for each dimension and the interval of each dimension that is in
    bounds. It also holds the few tensor operations that upstream dialects
    lack: reductions and scans without an initial value, a histogram, and
    atomic updates of many addresses.

    An address of dimension d is `stride[d] * i[d]`, or `index[d][i[d]]` where
    the dimension is indexed by a tensor. A lane is in bounds when
    `low[d] <= i[d] < high[d]` holds for each d and `mask`, if present, is set.
    Everything counts in elements of the pointee, never in bytes, but for the
    gathers that say `byte_offsets`.
  }];
}

class Sg_Op<string mnemonic, list<Trait> traits = []> : Op<Sg_Dialect, mnemonic, traits>;

defvar Sg_Pointer = AnyType;

def Sg_IotaOp : Sg_Op<"iota", [Pure]> {
  let summary = "start, start + 1, ... as a one-dimensional tensor";
  let arguments = (ins I64Attr:$start);
  let results = (outs 1DTensorOf<[AnyInteger]>:$result);
  let assemblyFormat = "$start attr-dict `:` type($result)";
}

class Sg_AccessOp<string mnemonic, list<Trait> traits>
    : Sg_Op<mnemonic, !listconcat(traits, [AttrSizedOperandSegments])> {
  code accessHelpers = [{
    /// The index tensor of dimension `dim`, or null where a stride rules it.
    ::mlir::Value getIndexOf(int64_t dim);
    /// True where consecutive entries of the index tensor of `dim` differ by
    /// one unless they wrap, so that two end points prove a run contiguous.
    bool isWrapped(int64_t dim);
    /// The block that is read or written.
    ::mlir::TypedValue<::mlir::RankedTensorType> getBlockValue();
  }];
}

def Sg_LoadOp : Sg_AccessOp<"load", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "reads a block through a base, strides and bounds";
  let description = [{
    Lanes outside of the bounds, or whose `mask` is off, hold `other`; without
    `other` their value is undefined. They are never read.
  }];
  let arguments = (ins
    Sg_Pointer:$base, I64:$offset, Variadic<I64>:$strides, Variadic<I64>:$lows,
    Variadic<I64>:$highs, Variadic<1DTensorOf<[AnyInteger]>>:$indices,
    Optional<AnyRankedTensor>:$mask, Optional<AnyType>:$other,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$indexed_dims,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$wrapped_dims,
    UnitAttr:$is_volatile);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $base `[` $offset `]` `strides` `(` $strides `)`
    `bounds` `(` $lows `)` `to` `(` $highs `)`
    (`indices` `(` $indices^ `:` type($indices) `)`)?
    (`mask` `(` $mask^ `:` type($mask) `)`)?
    (`other` `(` $other^ `:` type($other) `)`)?
    attr-dict `:` type($base) `->` type($result)
  }];
  let extraClassDeclaration = accessHelpers;
  let hasVerifier = 1;
}

def Sg_StoreOp : Sg_AccessOp<"store", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "writes a block through a base, strides and bounds";
  let arguments = (ins
    AnyRankedTensor:$value,
    Sg_Pointer:$base, I64:$offset, Variadic<I64>:$strides, Variadic<I64>:$lows,
    Variadic<I64>:$highs, Variadic<1DTensorOf<[AnyInteger]>>:$indices,
    Optional<AnyRankedTensor>:$mask,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$indexed_dims,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$wrapped_dims);
  let assemblyFormat = [{
    $value `,` $base `[` $offset `]` `strides` `(` $strides `)`
    `bounds` `(` $lows `)` `to` `(` $highs `)`
    (`indices` `(` $indices^ `:` type($indices) `)`)?
    (`mask` `(` $mask^ `:` type($mask) `)`)?
    attr-dict `:` type($value) `->` type($base)
  }];
  let extraClassDeclaration = accessHelpers;
  let hasVerifier = 1;
}

def Sg_GatherOp : Sg_Op<"gather", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "reads from an address of its own for each lane";
  let description = [{
    The explicit form of what the analysis could not structure. Offsets count
    in elements from `base`; with `byte_offsets` they count in bytes and `base`
    may be a null pointer, so that they are addresses.
  }];
  let arguments = (ins Sg_Pointer:$base, AnyRankedTensor:$offsets,
    Optional<AnyRankedTensor>:$mask, Optional<AnyType>:$other,
    UnitAttr:$byte_offsets, UnitAttr:$is_volatile);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $base `[` $offsets `:` type($offsets) `]`
    (`mask` `(` $mask^ `:` type($mask) `)`)?
    (`other` `(` $other^ `:` type($other) `)`)?
    attr-dict `:` type($base) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Sg_ScatterOp : Sg_Op<"scatter", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "writes to an address of its own for each lane";
  let description = [{
    Where two lanes name one address the higher lane wins, which is one of the
    orders that Triton allows.
  }];
  let arguments = (ins AnyRankedTensor:$value, Sg_Pointer:$base,
    AnyRankedTensor:$offsets, Optional<AnyRankedTensor>:$mask,
    UnitAttr:$byte_offsets);
  let assemblyFormat = [{
    $value `,` $base `[` $offsets `:` type($offsets) `]`
    (`mask` `(` $mask^ `:` type($mask) `)`)?
    attr-dict `:` type($value) `->` type($base)
  }];
  let hasVerifier = 1;
}

def Sg_AtomicRMWOp : Sg_Op<"atomic_rmw", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "one atomic read-modify-write for each lane";
  let description = [{
    `kind` is add, fadd, and, or, xor, max, min, umax, umin, fmax, fmin or
    exch; `ordering` is relaxed, acquire, release or acq_rel. The result holds
    the values before the update; lanes that are masked off are undefined. The
    update is atomic with respect to the threads of the device, with
    `in_system` to all others as well.
  }];
  let arguments = (ins StrAttr:$kind, StrAttr:$ordering, Sg_Pointer:$base,
    AnyRankedTensor:$offsets, AnyRankedTensor:$value,
    Optional<AnyRankedTensor>:$mask, UnitAttr:$byte_offsets,
    UnitAttr:$in_system);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $kind $ordering $base `[` $offsets `:` type($offsets) `]` `,` $value
    (`mask` `(` $mask^ `:` type($mask) `)`)?
    attr-dict `:` type($base) `,` type($value) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Sg_AtomicCASOp : Sg_Op<"atomic_cas", [AllTypesMatch<["cmp", "value", "result"]>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "one atomic compare-and-swap for each lane";
  let arguments = (ins StrAttr:$ordering, Sg_Pointer:$base,
    AnyRankedTensor:$offsets, AnyRankedTensor:$cmp, AnyRankedTensor:$value,
    UnitAttr:$byte_offsets);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $ordering $base `[` $offsets `:` type($offsets) `]` `,` $cmp `,` $value
    attr-dict `:` type($base) `,` type($result)
  }];
}

class Sg_CombineOp<string mnemonic> : Sg_Op<mnemonic, [
    RecursiveMemoryEffects, SingleBlock]> {
  let extraClassDeclaration = [{
    ::mlir::Block &getCombiner() { return getRegion().front(); }
    ::mlir::RankedTensorType getInputType() {
      return ::mlir::cast<::mlir::RankedTensorType>(getInputs().front().getType());
    }
  }];
  let hasVerifier = 1;
}

def Sg_ReduceOp : Sg_CombineOp<"reduce"> {
  let summary = "combines all elements along one dimension";
  let description = [{
    Unlike `linalg.reduce` it takes no initial value: any associative and
    commutative combiner is allowed, also one that has no neutral element (the
    index of the maximum), and a dimension is never empty. The combiner takes
    the scalars of the first operand of the combination, then those of the
    second. A one-dimensional input gives scalars.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, I64Attr:$axis);
  let regions = (region SizedRegion<1>:$region);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = [{
    `(` $inputs `)` `axis` $axis $region attr-dict `:` functional-type($inputs, $results)
  }];
}

def Sg_ScanOp : Sg_CombineOp<"scan"> {
  let summary = "combines each element with all before it along one dimension";
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, I64Attr:$axis, UnitAttr:$reverse);
  let regions = (region SizedRegion<1>:$region);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `(` $inputs `)` `axis` $axis (`reverse` $reverse^)? $region attr-dict `:`
    functional-type($inputs, $results)
  }];
}

def Sg_MapOp : Sg_Op<"map", [RecursiveMemoryEffects, SingleBlock]> {
  let summary = "applies a scalar region to each element";
  let description = [{
    The region takes `pack` consecutive elements of each input, input by input,
    and yields as many of each result in the same order.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, I64Attr:$pack);
  let regions = (region AnyRegion:$region);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `(` $inputs `)` `pack` $pack $region attr-dict `:` functional-type($inputs, $results)
  }];
}

def Sg_YieldOp : Sg_Op<"yield", [Pure, Terminator,
    ParentOneOf<["ReduceOp", "ScanOp", "MapOp"]>]> {
  let summary = "ends a combiner";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "$values attr-dict `:` type($values)";
}

def Sg_HistogramOp : Sg_Op<"histogram", [Pure]> {
  let summary = "counts how often each of 0 .. bins - 1 occurs";
  let description = "Values outside of the bins, and lanes masked off, are not counted.";
  let arguments = (ins 1DTensorOf<[AnyInteger]>:$input, Optional<AnyRankedTensor>:$mask);
  let results = (outs 1DTensorOf<[AnyInteger]>:$result);
  let assemblyFormat = [{
    $input (`mask` `(` $mask^ `:` type($mask) `)`)? attr-dict `:` type($input) `->` type($result)
  }];
}

def Sg_TakeOp : Sg_Op<"take", [Pure]> {
  let summary = "result[.., i, ..] = source[.., indices[.., i, ..], ..] along one dimension";
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$indices, I64Attr:$axis);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $source `[` $indices `]` `axis` $axis attr-dict `:` type($source) `,` type($indices) `->` type($result)
  }];
}

def Sg_ButterflyOp : Sg_Op<"butterfly", [Pure, SameOperandsAndResultType]> {
  let summary = "result[i] = source[i xor mask]";
  let description = [{
    Every element changes its place with the one whose position differs in the
    bits of `mask`: the step of sorting networks and of a flip. The length is a
    power of two. A mask below the number of lanes is one shuffle of a vector; a
    higher one is a read at another address.
  }];
  let arguments = (ins 1DTensorOf<[AnyType]>:$source, I64Attr:$mask);
  let results = (outs 1DTensorOf<[AnyType]>:$result);
  let assemblyFormat = "$source `mask` $mask attr-dict `:` type($source)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif // SEAGROVE_ACCESS_OPS

//===- TritonMemoryOps.td - loads, stores, atomics ---------*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_TRITON_MEMORYOPS_TD
#define SEAGROVE_DIALECT_TRITON_MEMORYOPS_TD

include "seagrove/Dialect/Triton/IR/TritonOpBase.td"

// Accessors of an optional #tt.cache_policy.
defvar cachePolicyAccessors = [{
  CacheModifier getCache() {
    auto policy = getCachePolicyAttr();
    return policy ? policy.getCacheModifier() : CacheModifier::None;
  }
  EvictionPolicy getEvict() {
    auto policy = getCachePolicyAttr();
    return policy ? policy.getEvictionPolicy() : EvictionPolicy::Normal;
  }
}];

def TT_LoadOp : TT_Op<"load", [
    AttrSizedOperandSegments, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    TT_PointeeOf<"ptr", "result">, TT_MaskForPtr<"ptr", "mask">,
    TT_PointeeOf<"ptr", "other">]> {
  let summary = "read the elements that pointers point to";
  let description = [{
    Where the mask is false nothing is read and the element is that of `other`,
    or undefined without `other`.

    `ptr` may also be a block pointer; then `boundaryCheck` names the dimensions
    in which the block may reach beyond the tensor, and `padding` what is read
    there.

    The cache policy prints as in 3.9, `{cachePolicy = #tt.cache_policy<...>}`;
    the clauses `cacheModifier = cg evictionPolicy = evict_last` of earlier
    releases parse into it.
  }];
  let arguments = (ins
    TT_AddressLike:$ptr, Optional<TT_BoolLike>:$mask, Optional<TT_Value>:$other,
    DefaultValuedAttr<DenseI32ArrayAttr, "::llvm::ArrayRef<int32_t>{}">:$boundaryCheck,
    OptionalAttr<TT_PaddingOption>:$padding,
    OptionalAttr<TT_CachePolicyAttr>:$cachePolicy,
    DefaultValuedAttr<BoolAttr, "false">:$isVolatile
  );
  let results = (outs TT_Value:$result);
  let builders = [
    OpBuilder<(ins "::mlir::Value":$ptr, CArg<"::mlir::Value", "{}">:$mask,
                   CArg<"::mlir::Value", "{}">:$other)>,
  ];
  let extraClassDeclaration = cachePolicyAccessors;
  let assemblyFormat = [{
    $ptr (`,` $mask^)? (`,` $other^)? `` custom<AccessAttrs>(attr-dict) `:` type($ptr)
  }];
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
}

def TT_StoreOp : TT_Op<"store", [
    TT_Writes, TT_PointeeOf<"ptr", "value">, TT_MaskForPtr<"ptr", "mask">]> {
  let summary = "write elements to where pointers point";
  let description = [{
    Where the mask is false nothing is written. If two pointers of one store
    are equal, which of their values stays is not specified. `ignore_cta` is a
    hint without meaning here.
  }];
  let arguments = (ins
    TT_AddressLike:$ptr, TT_Value:$value, Optional<TT_BoolLike>:$mask,
    DefaultValuedAttr<DenseI32ArrayAttr, "::llvm::ArrayRef<int32_t>{}">:$boundaryCheck,
    OptionalAttr<TT_CachePolicyAttr>:$cachePolicy,
    UnitAttr:$ignore_cta
  );
  let builders = [
    OpBuilder<(ins "::mlir::Value":$ptr, "::mlir::Value":$value,
                   CArg<"::mlir::Value", "{}">:$mask)>,
  ];
  let extraClassDeclaration = cachePolicyAccessors;
  let assemblyFormat = [{
    $ptr `,` $value (`,` $mask^)? `` custom<AccessAttrs>(attr-dict) `:` type($ptr)
  }];
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Atomics
//===----------------------------------------------------------------------===//

def TT_AtomicRMWOp : TT_Op<"atomic_rmw", [TT_ReadsAndWrites]> {
  let summary = "update elements of memory atomically and give the old ones";
  let description = [{
    `max` and `min` are signed, `umax` and `umin` unsigned. Where the mask is
    false memory stays and the result is undefined.
  }];
  let arguments = (ins
    TT_RMWKind:$atomic_rmw_op, TT_PtrLike:$ptr, TT_Value:$val,
    Optional<TT_BoolLike>:$mask, TT_MemSemantic:$sem, TT_MemSyncScope:$scope
  );
  let results = (outs TT_Value:$result);
  let assemblyFormat = [{
    $atomic_rmw_op `,` $sem `,` $scope `,` $ptr `,` $val (`,` $mask^)? attr-dict `:`
    functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

def TT_AtomicCASOp : TT_Op<"atomic_cas", [TT_ReadsAndWrites]> {
  let summary = "replace elements of memory that equal cmp; give the old ones";
  let arguments = (ins
    TT_PtrLike:$ptr, TT_Value:$cmp, TT_Value:$val, TT_MemSemantic:$sem,
    TT_MemSyncScope:$scope
  );
  let results = (outs TT_Value:$result);
  let assemblyFormat = [{
    $sem `,` $scope `,` $ptr `,` $cmp `,` $val attr-dict `:`
    functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

// An acquire load orders what follows it, so it may not be dropped or moved as a
// plain read: it counts as a write too.
def TT_AtomicLoadOp : TT_Op<"atomic_load", [TT_ReadsAndWrites]> {
  let summary = "read elements of memory atomically (3.9)";
  let arguments = (ins
    TT_PtrLike:$ptr, Optional<TT_BoolLike>:$mask, TT_MemSemantic:$sem,
    TT_MemSyncScope:$scope
  );
  let results = (outs TT_Value:$result);
  let assemblyFormat = [{
    $sem `,` $scope `,` $ptr (`,` $mask^)? attr-dict `:`
    functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

def TT_AtomicStoreOp : TT_Op<"atomic_store", [
    TT_ReadsAndWrites, TT_PointeeOf<"ptr", "val">, TT_MaskForPtr<"ptr", "mask">]> {
  let summary = "write elements of memory atomically (3.9)";
  let arguments = (ins
    TT_PtrLike:$ptr, TT_Value:$val, Optional<TT_BoolLike>:$mask,
    TT_MemSemantic:$sem, TT_MemSyncScope:$scope
  );
  let assemblyFormat = [{
    $sem `,` $scope `,` $ptr `,` $val (`,` $mask^)? attr-dict `:` type($ptr)
  }];
  let hasVerifier = 1;
}

def TT_AtomicPollOp : TT_Op<"atomic_poll", [TT_ReadsAndWrites]> {
  let summary = "wait until an element of memory has a value (3.9)";
  let description = [{
    The result tells whether the value was seen before `timeout` nanoseconds
    passed. Without a timeout it waits for ever.
  }];
  let arguments = (ins
    TT_Ptr:$ptr, AnySignlessInteger:$expected, Optional<I64>:$timeout,
    TT_MemSemantic:$sem, TT_MemSyncScope:$scope
  );
  let results = (outs I1:$result);
  let assemblyFormat = [{
    $sem `,` $scope `,` $ptr `,` $expected (`timeout` $timeout^)? attr-dict `:`
    qualified(type($ptr)) `,` type($expected) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Block pointers (3.6 and 3.7)
//===----------------------------------------------------------------------===//

def TT_MakeTensorPtrOp : TT_Op<"make_tensor_ptr", [
    Pure, AttrSizedOperandSegments,
    TT_TypeFrom<"result", "base", "::seagrove::tt::getElementPointerType($_self)">]> {
  let summary = "pointer to a block of a strided tensor";
  let description = [{
    `order` lists the dimensions from the fastest to the slowest.
  }];
  let arguments = (ins
    TT_Ptr:$base, Variadic<I64>:$shape, Variadic<I64>:$strides,
    Variadic<I32>:$offsets, DenseI32ArrayAttr:$order
  );
  let results = (outs TT_BlockPtr:$result);
  let assemblyFormat = [{
    $base `,` `[` $shape `]` `,` `[` $strides `]` `,` `[` $offsets `]` attr-dict
    `:` type($result)
  }];
  let hasVerifier = 1;
}

def TT_AdvanceOp : TT_Op<"advance", [Pure, AllTypesMatch<["ptr", "result"]>]> {
  let summary = "block pointer moved by a number of elements in each dimension";
  let arguments = (ins TT_BlockPtr:$ptr, Variadic<I32>:$offsets);
  let results = (outs TT_BlockPtr:$result);
  let assemblyFormat = "$ptr `,` `[` $offsets `]` attr-dict `:` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

#endif // SEAGROVE_DIALECT_TRITON_MEMORYOPS_TD

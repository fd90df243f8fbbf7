//===- TritonAttrDefs.td - enums and attributes of tt ------*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_TRITON_ATTRDEFS_TD
#define SEAGROVE_DIALECT_TRITON_ATTRDEFS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "seagrove/Dialect/Triton/IR/TritonDialect.td"

// An enum whose cases are written as keywords. Only the numbers of
// PaddingOption are seen in TTIR text (it prints as an integer attribute);
// those of the others are ours.
class TT_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::seagrove::tt";
}

def TT_CacheModifier : TT_Enum<"CacheModifier", "cache level of an access", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"CacheAll", 1, "ca">,
  I32EnumAttrCase<"CacheGlobal", 2, "cg">,
  I32EnumAttrCase<"WriteBack", 3, "wb">,
  I32EnumAttrCase<"Streaming", 4, "cs">,
  I32EnumAttrCase<"WriteThrough", 5, "wt">,
  I32EnumAttrCase<"Volatile", 6, "cv">,
]>;

def TT_EvictionPolicy : TT_Enum<"EvictionPolicy", "how long to keep the line", [
  I32EnumAttrCase<"Normal", 0, "evict_normal">,
  I32EnumAttrCase<"First", 1, "evict_first">,
  I32EnumAttrCase<"Last", 2, "evict_last">,
]>;

def TT_PaddingOption : TT_Enum<"PaddingOption",
                               "what an out-of-bounds element reads as", [
  I32EnumAttrCase<"Zero", 1, "zero">,
  I32EnumAttrCase<"NaN", 2, "nan">,
]>;

def TT_RMWKind : TT_Enum<"RMWKind", "operation of an atomic update", [
  I32EnumAttrCase<"And", 1, "and">,
  I32EnumAttrCase<"Or", 2, "or">,
  I32EnumAttrCase<"Xor", 3, "xor">,
  I32EnumAttrCase<"Add", 4, "add">,
  I32EnumAttrCase<"FAdd", 5, "fadd">,
  I32EnumAttrCase<"Max", 6, "max">,
  I32EnumAttrCase<"Min", 7, "min">,
  I32EnumAttrCase<"UMax", 8, "umax">,
  I32EnumAttrCase<"UMin", 9, "umin">,
  I32EnumAttrCase<"Exchange", 10, "exch">,
]>;

def TT_DescriptorReduceKind
    : TT_Enum<"DescriptorReduceKind", "operation of a descriptor reduction", [
  I32EnumAttrCase<"Add", 1, "add">,
  I32EnumAttrCase<"Min", 2, "min">,
  I32EnumAttrCase<"Max", 3, "max">,
  I32EnumAttrCase<"Inc", 4, "inc">,
  I32EnumAttrCase<"Dec", 5, "dec">,
  I32EnumAttrCase<"And", 6, "and">,
  I32EnumAttrCase<"Or", 7, "or">,
  I32EnumAttrCase<"Xor", 8, "xor">,
]>;

def TT_MemSemantic : TT_Enum<"MemSemantic", "ordering of an atomic access", [
  I32EnumAttrCase<"Relaxed", 1, "relaxed">,
  I32EnumAttrCase<"Acquire", 2, "acquire">,
  I32EnumAttrCase<"Release", 3, "release">,
  I32EnumAttrCase<"AcquireRelease", 4, "acq_rel">,
]>;

def TT_MemSyncScope : TT_Enum<"MemSyncScope",
                              "programs among which an atomic access orders", [
  I32EnumAttrCase<"Device", 1, "gpu">,
  I32EnumAttrCase<"Program", 2, "cta">,
  I32EnumAttrCase<"System", 3, "sys">,
]>;

def TT_ProgramDim : TT_Enum<"ProgramDim", "dimension of the grid", [
  I32EnumAttrCase<"X", 0, "x">,
  I32EnumAttrCase<"Y", 1, "y">,
  I32EnumAttrCase<"Z", 2, "z">,
]>;

def TT_RoundingMode : TT_Enum<"RoundingMode", "rounding of a narrowing cast", [
  I32EnumAttrCase<"TowardZero", 0, "rtz">,
  I32EnumAttrCase<"NearestEven", 1, "rtne">,
]>;

def TT_PropagateNan : TT_Enum<"PropagateNan", "what a NaN operand yields", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"All", 1, "all">,
]>;

def TT_InputPrecision : TT_Enum<"InputPrecision",
                                "least precision of the products of a dot", [
  I32EnumAttrCase<"TF32", 0, "tf32">,
  I32EnumAttrCase<"TF32x3", 1, "tf32x3">,
  I32EnumAttrCase<"IEEE", 2, "ieee">,
  I32EnumAttrCase<"BF16x3", 3, "bf16x3">,
  I32EnumAttrCase<"BF16x6", 4, "bf16x6">,
]>;

def TT_ScaleDotElemType : TT_Enum<"ScaleDotElemType",
                                  "element type of an operand of dot_scaled", [
  I32EnumAttrCase<"E4M3", 0, "e4m3">,
  I32EnumAttrCase<"E5M2", 1, "e5m2">,
  I32EnumAttrCase<"E2M3", 2, "e2m3">,
  I32EnumAttrCase<"E3M2", 3, "e3m2">,
  I32EnumAttrCase<"E2M1", 4, "e2m1">,
  I32EnumAttrCase<"BF16", 5, "bf16">,
  I32EnumAttrCase<"FP16", 6, "fp16">,
]>;

def TT_CachePolicyAttr : AttrDef<TritonDialect, "CachePolicy"> {
  let mnemonic = "cache_policy";
  let summary = "cache level and eviction of an access";
  let description = [{
    Triton 3.9 writes `#tt.cache_policy<cache_modifier = cg, eviction_policy =
    evict_last>`; the clauses of earlier releases (`cacheModifier = cg
    evictionPolicy = evict_last`) parse into the same attribute.
  }];
  let parameters = (ins
    EnumParameter<TT_CacheModifier>:$cache_modifier,
    EnumParameter<TT_EvictionPolicy>:$eviction_policy
  );
  let assemblyFormat = "`<` struct(params) `>`";
}

#endif // SEAGROVE_DIALECT_TRITON_ATTRDEFS_TD

//===- BarrierOps.td - the one op of ttg that TTIR holds ---*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_TRITON_BARRIEROPS_TD
#define SEAGROVE_DIALECT_TRITON_BARRIEROPS_TD

include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def BarrierDialect : Dialect {
  let name = "ttg";
  let cppNamespace = "::seagrove::ttg";
  let summary = "Stand-in for the dialect in which 3.7 and later write a barrier";
}

def TTG_BarrierSpace : I32BitEnumAttr<"BarrierSpace", "memory that a barrier orders", [
  I32BitEnumAttrCaseNone<"None", "none">,
  I32BitEnumAttrCaseBit<"Local", 0, "local">,
  I32BitEnumAttrCaseBit<"GlobalRead", 1, "global_read">,
  I32BitEnumAttrCaseBit<"GlobalWrite", 2, "global_write">,
  I32BitEnumAttrCaseBit<"TensorRead", 3, "tensor_read">,
  I32BitEnumAttrCaseBit<"TensorWrite", 4, "tensor_write">,
  I32BitEnumAttrCaseGroup<"All",
    [I32BitEnumAttrCaseBit<"Local", 0>, I32BitEnumAttrCaseBit<"GlobalRead", 1>,
     I32BitEnumAttrCaseBit<"GlobalWrite", 2>, I32BitEnumAttrCaseBit<"TensorRead", 3>,
     I32BitEnumAttrCaseBit<"TensorWrite", 4>], "all">,
]> {
  let cppNamespace = "::seagrove::ttg";
  let separator = "|";
  let printBitEnumPrimaryGroups = 1;
}

def TTG_BarrierOp : Op<BarrierDialect, "barrier", [
    MemoryEffects<[MemRead<DefaultResource>, MemWrite<DefaultResource>]>]> {
  let summary = "order the memory accesses of a program (tl.debug_barrier)";
  let arguments = (ins TTG_BarrierSpace:$addrSpace);
  let assemblyFormat = "custom<BarrierSpace>($addrSpace) attr-dict";
}

#endif // SEAGROVE_DIALECT_TRITON_BARRIEROPS_TD

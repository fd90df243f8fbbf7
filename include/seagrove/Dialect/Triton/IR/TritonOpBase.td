//===- TritonOpBase.td - what the definitions of tt's ops share -*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_TRITON_OPBASE_TD
#define SEAGROVE_DIALECT_TRITON_OPBASE_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "seagrove/Dialect/Triton/IR/TritonAttrDefs.td"
include "seagrove/Dialect/Triton/IR/TritonTypes.td"

class TT_Op<string mnemonic, list<Trait> traits = []>
    : Op<TritonDialect, mnemonic, traits>;

// An operation that works on scalars and, element by element, on blocks.
class TT_ElementwiseOp<string mnemonic, list<Trait> traits = []>
    : TT_Op<mnemonic, !listconcat(traits, [Pure], ElementwiseMappable.traits)>;

// An operation whose result types follow from its operands and attributes. The
// interface would check them too, but says "failed to infer"; its check is
// switched off and the verifier of each operation does it in better words.
class TT_InferredOp<string mnemonic, list<Trait> traits = []>
    : TT_Op<mnemonic, !listconcat(traits, [InferTypeOpAdaptor])> {
  code refineNothing = [{
    static ::llvm::LogicalResult refineReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location>,
        ::mlir::ValueRange, ::mlir::DictionaryAttr, ::mlir::OpaqueProperties,
        ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &) {
      return ::mlir::success();
    }
  }];
  let extraClassDeclaration = refineNothing;
  let hasVerifier = 1;
}

// The memory that kernels see. Prints and traps use it too, so that they keep
// their place among the stores.
def TT_GlobalMemory : Resource<"::seagrove::tt::GlobalMemory">;
def TT_Reads : MemoryEffects<[MemRead<TT_GlobalMemory>]>;
def TT_Writes : MemoryEffects<[MemWrite<TT_GlobalMemory>]>;
def TT_ReadsAndWrites : MemoryEffects<[MemRead<TT_GlobalMemory>,
                                       MemWrite<TT_GlobalMemory>]>;

// The text of an operation leaves out the type of `rhs`; the parser computes it
// from that of `lhs`. Whether they really match is the verifier's business,
// which can say it in better words than a type constraint.
class TT_TypeFrom<string lhs, string rhs, string transform>
    : TypesMatchWith<"type of " # rhs # " follows from type of " # lhs, lhs,
                     rhs, transform, "true || std::equal_to<>()">;

// Helpers of these transforms, declared in Types.h.
class TT_PointeeOf<string ptr, string value>
    : TT_TypeFrom<ptr, value, "::seagrove::tt::getPointeeTypeOrSelf($_self)">;
class TT_MaskFor<string value, string mask>
    : TT_TypeFrom<value, mask, "::seagrove::tt::getMaskType($_self)">;
class TT_MaskForPtr<string ptr, string mask>
    : TT_TypeFrom<ptr, mask,
        "::seagrove::tt::getMaskType(::seagrove::tt::getPointeeTypeOrSelf($_self))">;

#endif // SEAGROVE_DIALECT_TRITON_OPBASE_TD

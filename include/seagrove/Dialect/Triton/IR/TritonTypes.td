//===- TritonTypes.td - types of tt ------------------------*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_DIALECT_TRITON_TYPES_TD
#define SEAGROVE_DIALECT_TRITON_TYPES_TD

include "mlir/IR/AttrTypeBase.td"
include "seagrove/Dialect/Triton/IR/TritonDialect.td"

class TT_TypeDef<string name, string mnem, list<Trait> traits = []>
    : TypeDef<TritonDialect, name, traits> {
  let mnemonic = mnem;
}

def TT_PtrType : TT_TypeDef<"Pointer", "ptr"> {
  let summary = "pointer to a scalar, or to a block";
  let description = [{
    `!tt.ptr<f32>` points into global memory (address space 1). A kernel
    argument that the user marks `tl.const` lies in constant memory (address
    space 4): 3.9 spells it `!tt.ptr<f32, "constant">`, and that is what is
    printed; any other space is a number, as in `!tt.ptr<f32, 3>`.

    A pointer to a block, `!tt.ptr<tensor<16x32xf16>>`, is the block pointer of
    `tt.make_tensor_ptr` (3.6 and 3.7).
  }];
  let parameters = (ins "::mlir::Type":$pointeeType, "int":$addressSpace);
  let builders = [
    TypeBuilderWithInferredContext<(ins "::mlir::Type":$pointeeType,
                                        CArg<"int", "1">:$addressSpace), [{
      return $_get(pointeeType.getContext(), pointeeType, addressSpace);
    }]>,
  ];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let skipDefaultBuilders = 1;

  let extraClassDeclaration = [{
    static constexpr int kGlobal = 1;
    static constexpr int kConstant = 4;

    /// True for the block pointers of `tt.make_tensor_ptr`.
    bool isBlockPointer() {
      return ::mlir::isa<::mlir::RankedTensorType>(getPointeeType());
    }
  }];
}

def TT_TensorDescType : TT_TypeDef<"TensorDesc", "tensordesc"> {
  let summary = "descriptor of a strided tensor in memory, read by blocks";
  let description = [{
    `!tt.tensordesc<16x32xf32>` reads and writes blocks of 16x32. The older
    spelling `!tt.tensordesc<tensor<16x32xf32>>` parses and is printed as the
    new one. The element type of an integer descriptor carries the sign
    (`si32`, `ui32`), that of the loaded block does not. A layout may follow the
    element type; it has no meaning here and is kept.
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t">:$shape,
    "::mlir::Type":$elementType,
    "::mlir::Attribute":$layout
  );
  let builders = [
    TypeBuilderWithInferredContext<(ins "::llvm::ArrayRef<int64_t>":$shape,
                                        "::mlir::Type":$elementType,
                                        CArg<"::mlir::Attribute", "{}">:$layout), [{
      return $_get(elementType.getContext(), shape, elementType, layout);
    }]>,
  ];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let skipDefaultBuilders = 1;

  let extraClassDeclaration = [{
    /// The type of a loaded block: the descriptor's shape, signless elements.
    ::mlir::RankedTensorType getBlockType();
    /// The type of one element in memory, signless.
    ::mlir::Type getSignlessElementType();
    int64_t getRank() { return getShape().size(); }
  }];
}

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

class TT_BlockOf<list<Type> elements> : RankedTensorOf<elements>;
class TT_ScalarOrBlock<Type element, string what>
    : AnyTypeOf<[element, TT_BlockOf<[element]>], what>;

def TT_Float : AnyTypeOf<[AnyFloat], "floating-point number">;
def TT_Int : AnyTypeOf<[AnySignlessInteger], "integer">;
def TT_Bool : AnyTypeOf<[I1], "i1">;

def TT_IsScalarPtr : CPred<
  "::mlir::isa<::seagrove::tt::PointerType>($_self) && "
  "!::mlir::cast<::seagrove::tt::PointerType>($_self).isBlockPointer()">;
def TT_IsBlockPtr : CPred<
  "::mlir::isa<::seagrove::tt::PointerType>($_self) && "
  "::mlir::cast<::seagrove::tt::PointerType>($_self).isBlockPointer()">;
def TT_Ptr : Type<TT_IsScalarPtr, "pointer", "::seagrove::tt::PointerType">;
def TT_BlockPtr : Type<TT_IsBlockPtr, "block pointer",
                       "::seagrove::tt::PointerType">;

def TT_FloatBlock : TT_BlockOf<[AnyFloat]>;
def TT_IntBlock : TT_BlockOf<[AnySignlessInteger]>;
def TT_NumberBlock : TT_BlockOf<[AnyFloat, AnySignlessInteger]>;
def TT_Block : TT_BlockOf<[AnyFloat, AnySignlessInteger, TT_Ptr]>;

def TT_FloatLike : TT_ScalarOrBlock<AnyFloat, "floating-point number or block of them">;
def TT_IntLike : TT_ScalarOrBlock<AnySignlessInteger, "integer or block of integers">;
def TT_BoolLike : TT_ScalarOrBlock<I1, "i1 or block of i1">;
def TT_I64Like : TT_ScalarOrBlock<I64, "i64 or block of i64">;
def TT_PtrLike : TT_ScalarOrBlock<TT_Ptr, "pointer or block of pointers">;
def TT_AddressLike : AnyTypeOf<[TT_PtrLike, TT_BlockPtr],
  "pointer, block of pointers or block pointer">;

// Any value that a block operation may take.
def TT_Value : AnyTypeOf<[TT_FloatLike, TT_IntLike, TT_PtrLike, TT_BlockPtr],
  "number, pointer or block">;

#endif // SEAGROVE_DIALECT_TRITON_TYPES_TD

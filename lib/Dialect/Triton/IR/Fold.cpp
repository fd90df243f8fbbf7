//===- Fold.cpp - folders of tt's operations ------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/Matchers.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove::tt;

/// Returns a constant of all-equal elements at another shape, else null.
static Attribute resizeSplat(Attribute value, Type type) {
  if (auto poison = dyn_cast_if_present<ub::PoisonAttr>(value))
    return poison;
  auto splat = dyn_cast_if_present<SplatElementsAttr>(value);
  if (!splat)
    return {};
  return SplatElementsAttr::get(cast<ShapedType>(type),
                                splat.getSplatValue<Attribute>());
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

OpFoldResult MakeRangeOp::fold(FoldAdaptor) {
  RankedTensorType type = getType();
  if (type.getNumElements() != 1)
    return {};
  return SplatElementsAttr::get(type, getStartAttr());
}

OpFoldResult SplatOp::fold(FoldAdaptor adaptor) {
  Attribute value = adaptor.getSrc();
  if (!value)
    return {};
  if (isa<ub::PoisonAttr>(value))
    return value;
  if (!isa<IntegerAttr, FloatAttr>(value))
    return {};
  return SplatElementsAttr::get(getType(), value);
}

OpFoldResult UnsplatOp::fold(FoldAdaptor adaptor) {
  if (auto splat = getSrc().getDefiningOp<SplatOp>())
    return splat.getSrc();
  if (auto elements = dyn_cast_if_present<DenseElementsAttr>(adaptor.getSrc()))
    return *elements.value_begin<Attribute>();
  return {};
}

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  return resizeSplat(adaptor.getSrc(), getType());
}

OpFoldResult ExpandDimsOp::fold(FoldAdaptor adaptor) {
  return resizeSplat(adaptor.getSrc(), getType());
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  return resizeSplat(adaptor.getSrc(), getType());
}

OpFoldResult TransOp::fold(FoldAdaptor adaptor) {
  ArrayRef<int32_t> order = getOrder();
  if (llvm::equal(order, llvm::seq<int32_t>(0, order.size())))
    return getSrc();
  return resizeSplat(adaptor.getSrc(), getType());
}

LogicalResult SplitOp::fold(FoldAdaptor,
                            SmallVectorImpl<OpFoldResult> &results) {
  auto join = getSrc().getDefiningOp<JoinOp>();
  if (!join)
    return failure();
  results.append({join.getLhs(), join.getRhs()});
  return success();
}

//===----------------------------------------------------------------------===//
// Casts and pointers
//===----------------------------------------------------------------------===//

OpFoldResult IntToPtrOp::fold(FoldAdaptor) {
  auto inverse = getSrc().getDefiningOp<PtrToIntOp>();
  if (inverse && inverse.getSrc().getType() == getType())
    return inverse.getSrc();
  return {};
}

OpFoldResult PtrToIntOp::fold(FoldAdaptor) {
  if (auto inverse = getSrc().getDefiningOp<IntToPtrOp>())
    return inverse.getSrc();
  return {};
}

OpFoldResult BitcastOp::fold(FoldAdaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  auto inner = getSrc().getDefiningOp<BitcastOp>();
  if (!inner)
    return {};
  if (inner.getSrc().getType() == getType())
    return inner.getSrc();
  getSrcMutable().assign(inner.getSrc());
  return getResult();
}

OpFoldResult FpToFpOp::fold(FoldAdaptor) {
  if (getSrc().getType() == getType())
    return getSrc();
  return {};
}

OpFoldResult AddPtrOp::fold(FoldAdaptor adaptor) {
  if (matchPattern(adaptor.getOffset(), m_Zero()))
    return getPtr();
  return {};
}

OpFoldResult AdvanceOp::fold(FoldAdaptor adaptor) {
  bool allZero = llvm::all_of(adaptor.getOffsets(), [](Attribute offset) {
    return matchPattern(offset, m_Zero());
  });
  if (allZero)
    return getPtr();
  return {};
}

//===- DotScaled.cpp - products of microscaling formats -------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each operand is scaled first: a group of elements along K shares one scale, a
// power of two in eight bits (or, in the 4-bit format of 16 to a group, an
// 8-bit float). An element has at most eight bits of precision and so its
// product with a power of two is exact in bf16; f16 elements are computed in
// f32.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "ShapeBuilders.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace seagrove;

static RankedTensorType blockType(Value block) {
  return cast<RankedTensorType>(block.getType());
}

namespace {

/// One side of the product, seen as a matrix (rows, K).
struct Side {
  Value elements;
  Value scale;
  tt::ScaleDotElemType format;
  /// Pairs of 4-bit elements lie along K, else along the rows.
  bool packedAlongK;
  bool isRight;
};

} // namespace

static Value transposeLast(OpBuilder &b, Location loc, Value block) {
  int64_t rank = blockType(block).getRank();
  auto order = llvm::to_vector(llvm::seq<int64_t>(rank));
  std::swap(order[rank - 1], order[rank - 2]);
  return transpose(b, loc, block, order);
}

/// The two 4-bit halves of each byte, side by side along the last dimension.
static Value unpackLast(OpBuilder &b, Location loc, Value bytes) {
  RankedTensorType type = blockType(bytes);
  Value low =
      arith::AndIOp::create(b, loc, bytes, constantLike(b, loc, type, 0x0F));
  Value high =
      arith::ShRUIOp::create(b, loc, bytes, constantLike(b, loc, type, 4));
  SmallVector<int64_t> shape(type.getShape());
  shape.back() *= 2;
  return reshape(b, loc, join(b, loc, low, high), shape);
}

/// Numbers of one sign, two exponent and one mantissa bit: 0, 0.5, 1, ... 6.
static Value widenFourBits(OpBuilder &b, Location loc, Value bits) {
  RankedTensorType type = blockType(bits);
  auto wideType = type.clone(b.getI16Type());
  auto constant = [&](int64_t value) {
    return constantLike(b, loc, wideType, value);
  };
  auto compare = [&](Value lhs, int64_t rhs) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, lhs,
                                 constant(rhs));
  };
  Value wide = arith::ExtUIOp::create(b, loc, wideType, bits);
  Value magnitude = arith::AndIOp::create(b, loc, wide, constant(7));
  Value shifted = arith::ShLIOp::create(b, loc, magnitude, constant(6));
  Value normal = arith::AddIOp::create(b, loc, shifted, constant(126 << 7));
  Value result = arith::SelectOp::create(b, loc, compare(magnitude, 1),
                                         constant(0x3F00), normal);
  result = arith::SelectOp::create(b, loc, compare(magnitude, 0), constant(0),
                                   result);
  Value sign = arith::ShLIOp::create(
      b, loc, arith::AndIOp::create(b, loc, wide, constant(8)).getResult(),
      constant(12));
  result = arith::OrIOp::create(b, loc, result, sign);
  return arith::BitcastOp::create(b, loc, type.clone(b.getBF16Type()), result);
}

/// The elements of a side in `element`, or null for a format that is not known.
static Value widenElements(OpBuilder &b, Location loc, const Side &side,
                           Value block, Type element) {
  Type from = blockType(block).getElementType();
  auto result = blockType(block).clone(element);
  using Format = tt::ScaleDotElemType;
  switch (side.format) {
  case Format::E2M1:
    block = widenFourBits(b, loc, block);
    break;
  case Format::E4M3:
  case Format::E5M2: {
    Type narrow = side.format == Format::E4M3
                      ? Type(Float8E4M3FNType::get(b.getContext()))
                      : Type(Float8E5M2Type::get(b.getContext()));
    if (from.isInteger(8))
      block = arith::BitcastOp::create(b, loc, blockType(block).clone(narrow),
                                       block);
    return widenNarrowFloat(b, loc, block, element);
  }
  case Format::BF16:
  case Format::FP16:
    break;
  default:
    return {};
  }
  if (block.getType() == result)
    return block;
  return arith::ExtFOp::create(b, loc, result, block);
}

/// The scales as numbers of type `element`. A byte is the exponent of a power
/// of two; 255 is NaN, and 0 is taken as zero, as Triton does.
static Value widenScale(OpBuilder &b, Location loc, Value scale, Type element) {
  RankedTensorType type = blockType(scale);
  if (isNarrowFloat(type.getElementType()))
    return widenNarrowFloat(b, loc, scale, element);
  auto bits = type.clone(b.getI16Type());
  Value wide = arith::ExtUIOp::create(b, loc, bits, scale);
  Value shifted =
      arith::ShLIOp::create(b, loc, wide, constantLike(b, loc, bits, 7));
  Value isNan = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, wide,
                                      constantLike(b, loc, bits, 255));
  Value pattern = arith::SelectOp::create(
      b, loc, isNan, constantLike(b, loc, bits, 0x7FC0), shifted);
  Value number =
      arith::BitcastOp::create(b, loc, type.clone(b.getBF16Type()), pattern);
  if (element.isBF16())
    return number;
  return arith::ExtFOp::create(b, loc, type.clone(element), number);
}

/// The scaled operand, as (rows, K) or, on the right, (K, columns).
static Value scaleSide(OpBuilder &b, Location loc, const Side &side,
                       Type element) {
  Value block = side.elements;
  bool isPacked = side.format == tt::ScaleDotElemType::E2M1;
  // Bring the dimension of the pairs last, then K.
  bool kIsLast = !side.isRight;
  if (isPacked) {
    bool pairsAreLast = side.packedAlongK == kIsLast;
    if (!pairsAreLast)
      block = transposeLast(b, loc, block);
    block = unpackLast(b, loc, block);
    if (!pairsAreLast)
      block = transposeLast(b, loc, block);
  }
  block = widenElements(b, loc, side, block, element);
  if (!block || !side.scale)
    return block;

  Value scale = widenScale(b, loc, side.scale, element);
  RankedTensorType type = blockType(block);
  int64_t rank = type.getRank();
  SmallVector<int64_t> rowsByK(type.getShape());
  if (side.isRight)
    std::swap(rowsByK[rank - 1], rowsByK[rank - 2]);
  SmallVector<int64_t> groups(blockType(scale).getShape());
  groups.push_back(rowsByK.back() / groups.back());
  scale = broadcast(b, loc, expandDims(b, loc, scale, rank), groups);
  scale = reshape(b, loc, scale, rowsByK);
  if (side.isRight)
    scale = transposeLast(b, loc, scale);
  return arith::MulFOp::create(b, loc, block, scale);
}

Lowered seagrove::lowerDotScaled(IRRewriter &rewriter, tt::DotScaledOp dot) {
  Location loc = dot.getLoc();
  Side left{dot.getA(), dot.getAScale(), dot.getAElemType(), dot.getLhsKPack(),
            /*isRight=*/false};
  Side right{dot.getB(), dot.getBScale(), dot.getBElemType(), dot.getRhsKPack(),
             /*isRight=*/true};
  bool hasHalf = left.format == tt::ScaleDotElemType::FP16 ||
                 right.format == tt::ScaleDotElemType::FP16;
  Type element =
      hasHalf ? Type(rewriter.getF32Type()) : Type(rewriter.getBF16Type());
  Value lhs = scaleSide(rewriter, loc, left, element);
  Value rhs = scaleSide(rewriter, loc, right, element);
  if (!lhs || !rhs)
    return dot.emitError("SG0302: dot_scaled with 6-bit elements (e2m3, e3m2) "
                         "is not supported");
  rewriter.replaceOp(dot, emitProduct(rewriter, loc, lhs, rhs, dot.getC()));
  return success();
}

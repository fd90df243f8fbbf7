//===- BlockPointers.cpp - block pointers as scalars ----------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Aggregates.h"

using namespace mlir;
using namespace seagrove;

namespace {

/// The scalars that a block pointer of `rank` dimensions consists of.
struct BlockPointer {
  ValueRange parts;
  int64_t rank;

  Value base() const { return parts.front(); }
  ValueRange shape() const { return parts.slice(1, rank); }
  ValueRange strides() const { return parts.slice(1 + rank, rank); }
  ValueRange offsets() const { return parts.slice(1 + 2 * rank, rank); }
};

} // namespace

static RankedTensorType blockOf(Type pointer) {
  return cast<RankedTensorType>(
      cast<tt::PointerType>(pointer).getPointeeType());
}

static SmallVector<Value> extendAll(OpBuilder &b, Location loc,
                                    ValueRange values) {
  return scalar::toValues(b, loc, toScalars(b, loc, values));
}

/// The access of a load or store through a block pointer.
static StructuredAccess accessOf(OpBuilder &b, Location loc, Type type,
                                 ValueRange parts,
                                 ArrayRef<int32_t> checkedDims) {
  RankedTensorType block = blockOf(type);
  BlockPointer pointer{parts, block.getRank()};
  TensorInMemory tensor{pointer.base(), toScalars(b, loc, pointer.shape()),
                        toScalars(b, loc, pointer.strides())};
  SmallVector<bool> checked(block.getRank(), false);
  for (int32_t dim : checkedDims)
    checked[dim] = true;
  return accessBlock(b, loc, tensor, toScalars(b, loc, pointer.offsets()),
                     checked, block.getShape(), block.getRank());
}

namespace {

struct MakePattern : public OpConversionPattern<tt::MakeTensorPtrOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(tt::MakeTensorPtrOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> parts{adaptor.getBase().front()};
    llvm::append_range(parts, flatten(adaptor.getShape()));
    llvm::append_range(parts, flatten(adaptor.getStrides()));
    llvm::append_range(
        parts, extendAll(rewriter, op.getLoc(), flatten(adaptor.getOffsets())));
    rewriter.replaceOpWithMultiple(op, {parts});
    return success();
  }
};

struct AdvancePattern : public OpConversionPattern<tt::AdvanceOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(tt::AdvanceOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> parts(adaptor.getPtr());
    SmallVector<Value> distances = flatten(adaptor.getOffsets());
    int64_t rank = blockOf(op.getType()).getRank();
    for (auto [dim, distance] : llvm::enumerate(distances)) {
      Value &offset = parts[1 + 2 * rank + dim];
      offset = scalar::toValue(
          rewriter, loc,
          scalar::add(rewriter, loc, offset,
                      scalar::fromInteger(rewriter, loc, distance)));
    }
    rewriter.replaceOpWithMultiple(op, {parts});
    return success();
  }
};

struct LoadPattern : public OpConversionPattern<tt::LoadOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(tt::LoadOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    StructuredAccess access = accessOf(rewriter, loc, op.getPtr().getType(),
                                       adaptor.getPtr(), op.getBoundaryCheck());
    Value other;
    if (op.getPadding() && !op.getBoundaryCheck().empty())
      other = emitPadding(rewriter, loc, type.getElementType(),
                          *op.getPadding() == tt::PaddingOption::NaN);
    rewriter.replaceOp(
        op, emitLoad(rewriter, loc, access, type, other, op.getIsVolatile()));
    return success();
  }
};

struct StorePattern : public OpConversionPattern<tt::StoreOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(tt::StoreOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    StructuredAccess access =
        accessOf(rewriter, op.getLoc(), op.getPtr().getType(), adaptor.getPtr(),
                 op.getBoundaryCheck());
    emitStore(rewriter, op.getLoc(), access, adaptor.getValue().front());
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void seagrove::populateBlockPointerPatterns(const TypeConverter &converter,
                                            RewritePatternSet &patterns) {
  patterns.add<MakePattern, AdvancePattern, LoadPattern, StorePattern>(
      converter, patterns.getContext());
}

//===- Descriptors.cpp - tensor descriptors as scalars --------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Aggregates.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace seagrove;

namespace {

/// The scalars that a descriptor of `rank` dimensions consists of.
struct Descriptor {
  Descriptor(OpBuilder &b, Location loc, tt::TensorDescType type,
             ValueRange parts)
      : type(type), padding(parts.back()) {
    int64_t rank = type.getShape().size();
    tensor.base = parts.front();
    tensor.shape = toScalars(b, loc, parts.slice(1, rank));
    tensor.strides = toScalars(b, loc, parts.slice(1 + rank, rank));
    // A rule of descriptors, which those from the host do not show as a
    // constant.
    tensor.strides.back() = scalar::constant(b.getContext(), 1);
  }

  /// What lanes out of bounds read as.
  Value emitOther(OpBuilder &b, Location loc) const {
    tt::TensorDescType descriptorType = type;
    Type element = descriptorType.getSignlessElementType();
    if (!isa<FloatType>(element) || matchPattern(padding, m_Zero()))
      return emitPadding(b, loc, element, false);
    Value nan = emitPadding(b, loc, element, true);
    if (matchPattern(padding, m_One()))
      return nan;
    return arith::SelectOp::create(b, loc, padding, nan,
                                   emitPadding(b, loc, element, false));
  }

  /// The access to the block at `indices` as a block of `rank` dimensions.
  StructuredAccess access(OpBuilder &b, Location loc, ValueRange indices,
                          int64_t rank) const {
    SmallVector<bool> checked(type.getShape().size(), true);
    return accessBlock(b, loc, tensor, toScalars(b, loc, indices), checked,
                       type.getShape(), rank);
  }

  /// The access to rows `rows` from column `column` on, a block of `shape`.
  StructuredAccess accessRows(OpBuilder &b, Location loc, Value rows,
                              Value column, ArrayRef<int64_t> shape) const;

  tt::TensorDescType type;
  TensorInMemory tensor;
  Value padding;
};

} // namespace

StructuredAccess Descriptor::accessRows(OpBuilder &b, Location loc, Value rows,
                                        Value column,
                                        ArrayRef<int64_t> shape) const {
  auto type = cast<RankedTensorType>(rows.getType()).clone(b.getI64Type());
  Value wide = arith::ExtSIOp::create(b, loc, type, rows);
  Scalar start = scalar::fromInteger(b, loc, column);
  Scalar zero = scalar::constant(b.getContext(), 0);
  StructuredAccess access;
  access.base = tensor.base;
  access.offset = scalar::mul(b, loc, start, tensor.strides[1]);
  access.strides = {zero, tensor.strides[1]};
  access.indices.resize(2);
  Value stride = tt::SplatOp::create(
      b, loc, type, scalar::toValue(b, loc, tensor.strides[0]));
  access.indices[0].tensor = arith::MulIOp::create(b, loc, wide, stride);

  access.bounds = getFullBounds(b.getContext(), shape);
  Scalar low = scalar::sub(b, loc, zero, start);
  Scalar high = scalar::sub(b, loc, tensor.shape[1], start);
  clampBounds(b, loc, shape[1], low, high);
  access.bounds.lows[1] = low;
  access.bounds.highs[1] = high;
  // 0 <= row < height as one unsigned comparison.
  Value height = tt::SplatOp::create(b, loc, type,
                                     scalar::toValue(b, loc, tensor.shape[0]));
  Value valid =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, wide, height);
  access.bounds.mask = spread(b, loc, valid, 0, shape);
  return access;
}

/// The name that sg.atomic_rmw uses for a reduction, or nothing.
static std::optional<StringRef> getKindName(tt::DescriptorReduceKind kind,
                                            Type element) {
  bool isFloat = isa<FloatType>(element);
  bool isUnsigned = element.isUnsignedInteger();
  switch (kind) {
  case tt::DescriptorReduceKind::Add:
    return isFloat ? "fadd" : "add";
  case tt::DescriptorReduceKind::Min:
    return isFloat ? "fmin" : isUnsigned ? "umin" : "min";
  case tt::DescriptorReduceKind::Max:
    return isFloat ? "fmax" : isUnsigned ? "umax" : "max";
  case tt::DescriptorReduceKind::And:
    return "and";
  case tt::DescriptorReduceKind::Or:
    return "or";
  case tt::DescriptorReduceKind::Xor:
    return "xor";
  case tt::DescriptorReduceKind::Inc:
  case tt::DescriptorReduceKind::Dec:
    return std::nullopt;
  }
  llvm_unreachable("all kinds are covered");
}

namespace {

struct MakePattern : public OpConversionPattern<tt::MakeTensorDescOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(tt::MakeTensorDescOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Value> parts{adaptor.getBase().front()};
    for (Value size : flatten(adaptor.getShape()))
      parts.push_back(scalar::toValue(
          rewriter, loc, scalar::fromInteger(rewriter, loc, size)));
    llvm::append_range(parts, flatten(adaptor.getStrides()));
    bool nan = op.getPadding() == tt::PaddingOption::NaN;
    parts.push_back(
        arith::ConstantOp::create(rewriter, loc, rewriter.getBoolAttr(nan)));
    rewriter.replaceOpWithMultiple(op, {parts});
    return success();
  }
};

struct LoadPattern : public OpConversionPattern<tt::DescriptorLoadOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(tt::DescriptorLoadOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    Descriptor descriptor(rewriter, loc, op.getDesc().getType(),
                          adaptor.getDesc());
    StructuredAccess access = descriptor.access(
        rewriter, loc, flatten(adaptor.getIndices()), type.getRank());
    Value other = descriptor.emitOther(rewriter, loc);
    rewriter.replaceOp(
        op, emitLoad(rewriter, loc, access, type, other, /*isVolatile=*/false));
    return success();
  }
};

struct StorePattern : public OpConversionPattern<tt::DescriptorStoreOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(tt::DescriptorStoreOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value value = adaptor.getSrc().front();
    Descriptor descriptor(rewriter, loc, op.getDesc().getType(),
                          adaptor.getDesc());
    int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
    StructuredAccess access =
        descriptor.access(rewriter, loc, flatten(adaptor.getIndices()), rank);
    emitStore(rewriter, loc, access, value);
    rewriter.eraseOp(op);
    return success();
  }
};

struct ReducePattern : public OpConversionPattern<tt::DescriptorReduceOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(tt::DescriptorReduceOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value value = adaptor.getSrc().front();
    auto type = cast<RankedTensorType>(value.getType());
    tt::TensorDescType descType = op.getDesc().getType();
    auto kind = getKindName(op.getKind(), descType.getElementType());
    if (!kind)
      return failure();
    Descriptor descriptor(rewriter, loc, descType, adaptor.getDesc());
    StructuredAccess access = descriptor.access(
        rewriter, loc, flatten(adaptor.getIndices()), type.getRank());
    Value offsets = emitOffsets(rewriter, loc, access, type.getShape());
    Value mask = emitMask(rewriter, loc, access.bounds, type.getShape());
    sg::AtomicRMWOp::create(rewriter, loc, type, *kind, "relaxed", access.base,
                            offsets, value, mask, /*byte_offsets=*/false,
                            /*in_system=*/false);
    rewriter.eraseOp(op);
    return success();
  }
};

struct GatherPattern : public OpConversionPattern<tt::DescriptorGatherOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(tt::DescriptorGatherOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    Descriptor descriptor(rewriter, loc, op.getDesc().getType(),
                          adaptor.getDesc());
    StructuredAccess access =
        descriptor.accessRows(rewriter, loc, adaptor.getXOffsets().front(),
                              adaptor.getYOffset().front(), type.getShape());
    Value other = descriptor.emitOther(rewriter, loc);
    rewriter.replaceOp(
        op, emitLoad(rewriter, loc, access, type, other, /*isVolatile=*/false));
    return success();
  }
};

struct ScatterPattern : public OpConversionPattern<tt::DescriptorScatterOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(tt::DescriptorScatterOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value value = adaptor.getSrc().front();
    Descriptor descriptor(rewriter, loc, op.getDesc().getType(),
                          adaptor.getDesc());
    StructuredAccess access = descriptor.accessRows(
        rewriter, loc, adaptor.getXOffsets().front(),
        adaptor.getYOffset().front(),
        cast<RankedTensorType>(value.getType()).getShape());
    emitStore(rewriter, loc, access, value);
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

LogicalResult seagrove::checkDescriptorReductions(Operation *root) {
  WalkResult result = root->walk([](tt::DescriptorReduceOp op) {
    Type element = op.getDesc().getType().getElementType();
    if (getKindName(op.getKind(), element))
      return WalkResult::advance();
    op.emitError("SG0212: a descriptor reduction of this kind is not "
                 "supported; add, min, max, and, or, xor are");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

void seagrove::populateDescriptorPatterns(const TypeConverter &converter,
                                          RewritePatternSet &patterns) {
  patterns.add<MakePattern, LoadPattern, StorePattern, ReducePattern,
               GatherPattern, ScatterPattern>(converter, patterns.getContext());
}

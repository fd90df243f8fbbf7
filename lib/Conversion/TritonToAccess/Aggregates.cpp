//===- Aggregates.cpp - block pointers and descriptors as scalars ---------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block pointer is (base, shape, strides, offsets), a descriptor is (base,
// shape, strides, padding). Both become these scalars wherever they go, also
// through loops and branches; LoopRewrite then finds that a loop does not
// change them, or moves an offset by a uniform step.
//
//===----------------------------------------------------------------------===//

#include "Aggregates.h"
#include "Stages.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/ControlFlow/Transforms/StructuralTypeConversions.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"

using namespace mlir;
using namespace seagrove;

StructuredAccess
seagrove::accessBlock(OpBuilder &b, Location loc, const TensorInMemory &tensor,
                      ArrayRef<Scalar> offsets, ArrayRef<bool> checked,
                      ArrayRef<int64_t> blockShape, int64_t rank) {
  StructuredAccess access;
  access.base = tensor.base;
  Scalar zero = scalar::constant(b.getContext(), 0);
  access.offset = zero;
  int64_t dropped = blockShape.size() - rank;
  Value inside;
  for (auto [dim, offset] : llvm::enumerate(offsets)) {
    access.offset =
        scalar::add(b, loc, access.offset,
                    scalar::mul(b, loc, offset, tensor.strides[dim]));
    if (static_cast<int64_t>(dim) < dropped) {
      if (!checked[dim])
        continue;
      // 0 <= offset < shape as one unsigned comparison; a shape is not
      // negative.
      Value valid = arith::CmpIOp::create(
          b, loc, arith::CmpIPredicate::ult, scalar::toValue(b, loc, offset),
          scalar::toValue(b, loc, tensor.shape[dim]));
      inside = inside ? arith::AndIOp::create(b, loc, inside, valid).getResult()
                      : valid;
      continue;
    }
    Scalar low, high;
    if (checked[dim]) {
      low = scalar::sub(b, loc, zero, offset);
      high = scalar::sub(b, loc, tensor.shape[dim], offset);
    }
    clampBounds(b, loc, blockShape[dim], low, high);
    access.bounds.lows.push_back(low);
    access.bounds.highs.push_back(high);
    access.strides.push_back(tensor.strides[dim]);
  }
  access.indices.resize(rank);
  if (inside)
    access.bounds.highs[0] =
        scalar::select(b, loc, inside, access.bounds.highs[0], zero);
  return access;
}

SmallVector<Scalar> seagrove::toScalars(OpBuilder &b, Location loc,
                                        ValueRange values) {
  return llvm::map_to_vector(
      values, [&](Value value) { return scalar::fromInteger(b, loc, value); });
}

Value seagrove::emitPadding(OpBuilder &b, Location loc, Type element,
                            bool nan) {
  auto number = dyn_cast<FloatType>(element);
  if (!nan || !number)
    return arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  return arith::ConstantOp::create(
      b, loc,
      b.getFloatAttr(number, APFloat::getNaN(number.getFloatSemantics())));
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static std::optional<LogicalResult>
convertPointer(tt::PointerType type, SmallVectorImpl<Type> &results) {
  auto block = dyn_cast<RankedTensorType>(type.getPointeeType());
  if (!block)
    return std::nullopt;
  results.push_back(tt::getElementPointerType(type));
  results.append(3 * block.getRank(), IntegerType::get(type.getContext(), 64));
  return success();
}

/// Address, shape, strides, and whether lanes out of bounds read as NaN.
static std::optional<LogicalResult>
convertDescriptor(tt::TensorDescType type, SmallVectorImpl<Type> &results) {
  MLIRContext *context = type.getContext();
  results.push_back(tt::PointerType::get(type.getSignlessElementType()));
  results.append(2 * type.getShape().size(), IntegerType::get(context, 64));
  results.push_back(IntegerType::get(context, 1));
  return success();
}

namespace {

class AggregateConverter : public TypeConverter {
public:
  AggregateConverter() {
    addConversion([](Type type) { return type; });
    addConversion(convertPointer);
    addConversion(convertDescriptor);
    addSourceMaterialization(
        [](OpBuilder &b, Type type, ValueRange inputs, Location loc) -> Value {
          return UnrealizedConversionCastOp::create(b, loc, type, inputs)
              .getResult(0);
        });
    addTargetMaterialization([](OpBuilder &b, TypeRange types,
                                ValueRange inputs,
                                Location loc) -> SmallVector<Value> {
      return llvm::to_vector_of<Value>(
          UnrealizedConversionCastOp::create(b, loc, types, inputs)
              .getResults());
    });
  }
};

/// A selected aggregate is the aggregate of the selected scalars.
struct SelectPattern : public OpConversionPattern<arith::SelectOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(arith::SelectOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> results;
    Value condition = adaptor.getCondition().front();
    for (auto [lhs, rhs] :
         llvm::zip_equal(adaptor.getTrueValue(), adaptor.getFalseValue()))
      results.push_back(rewriter.createOrFold<arith::SelectOp>(
          op.getLoc(), condition, lhs, rhs));
    rewriter.replaceOpWithMultiple(op, {results});
    return success();
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// The stage
//===----------------------------------------------------------------------===//

void seagrove::expandDescriptorArguments(tt::FuncOp func) {
  OpBuilder b(func.getContext());
  Block &entry = func.getBody().front();
  b.setInsertionPointToStart(&entry);
  for (unsigned position = 0; position < func.getNumArguments(); ++position) {
    BlockArgument descriptor = func.getArgument(position);
    auto type = dyn_cast<tt::TensorDescType>(descriptor.getType());
    if (!type)
      continue;
    SmallVector<Type> types;
    (void)convertDescriptor(type, types);
    // The pointer takes the place, and the attributes, of the descriptor.
    SmallVector<Value> parts;
    for (auto [part, partType] : llvm::enumerate(types)) {
      unsigned place = position + 1 + part;
      (void)func.insertArgument(place, partType, {}, descriptor.getLoc());
      parts.push_back(func.getArgument(place));
    }
    auto whole =
        UnrealizedConversionCastOp::create(b, descriptor.getLoc(), type, parts);
    descriptor.replaceAllUsesWith(whole.getResult(0));
    (void)func.eraseArgument(position);
    position += types.size() - 1;
  }
}

LogicalResult seagrove::expandAggregates(ModuleOp module) {
  if (failed(checkDescriptorReductions(module)))
    return failure();
  MLIRContext *context = module.getContext();
  AggregateConverter converter;
  RewritePatternSet patterns(context);
  ConversionTarget target(*context);
  auto isLegal = [&](Operation *op) { return converter.isLegal(op); };
  target.addDynamicallyLegalDialect<tt::TritonDialect>(
      [&](Operation *op) { return isa<tt::FuncOp>(op) || isLegal(op); });
  target.addDynamicallyLegalOp<arith::SelectOp>(isLegal);
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       target);
  cf::populateCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                     target);
  patterns.add<SelectPattern>(converter, context);
  populateBlockPointerPatterns(converter, patterns);
  populateDescriptorPatterns(converter, patterns);
  ConversionConfig config;
  config.buildMaterializations = true;
  if (failed(
          applyPartialConversion(module, target, std::move(patterns), config)))
    return failure();
  SmallVector<UnrealizedConversionCastOp> casts;
  module.walk([&](UnrealizedConversionCastOp cast) { casts.push_back(cast); });
  reconcileUnrealizedCasts(casts);
  return success();
}

//===- Ops.cpp - operations of tt: text, effects, result types ------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/TypeUtilities.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove::tt;

//===----------------------------------------------------------------------===//
// Text of loads and stores
//===----------------------------------------------------------------------===//

/// access-attrs ::= (`cacheModifier` `=` keyword | `evictionPolicy` `=`
/// keyword)*
///                  attr-dict
/// The clauses are those of 3.6 to 3.8; they become the attribute of 3.9.
static ParseResult parseAccessAttrs(OpAsmParser &parser, NamedAttrList &attrs) {
  std::optional<CacheModifier> cache;
  std::optional<EvictionPolicy> evict;
  while (true) {
    if (!cache && succeeded(parser.parseOptionalKeyword("cacheModifier"))) {
      auto value = parser.parseEqual()
                       ? FailureOr<CacheModifier>(failure())
                       : FieldParser<CacheModifier>::parse(parser);
      if (failed(value))
        return failure();
      cache = *value;
    } else if (!evict &&
               succeeded(parser.parseOptionalKeyword("evictionPolicy"))) {
      auto value = parser.parseEqual()
                       ? FailureOr<EvictionPolicy>(failure())
                       : FieldParser<EvictionPolicy>::parse(parser);
      if (failed(value))
        return failure();
      evict = *value;
    } else {
      break;
    }
  }
  if (cache || evict)
    attrs.set("cachePolicy",
              CachePolicyAttr::get(parser.getContext(),
                                   cache.value_or(CacheModifier::None),
                                   evict.value_or(EvictionPolicy::Normal)));
  return parser.parseOptionalAttrDict(attrs);
}

static void printAccessAttrs(OpAsmPrinter &printer, Operation *,
                             DictionaryAttr attrs) {
  SmallVector<StringRef> hidden = {"operandSegmentSizes"};
  auto isVolatile = attrs.getAs<BoolAttr>("isVolatile");
  if (isVolatile && !isVolatile.getValue())
    hidden.push_back("isVolatile");
  auto boundary = attrs.getAs<DenseI32ArrayAttr>("boundaryCheck");
  if (boundary && boundary.empty())
    hidden.push_back("boundaryCheck");
  printer.printOptionalAttrDict(attrs.getValue(), hidden);
}

#define GET_OP_CLASSES
#include "seagrove/Dialect/Triton/IR/Ops.cpp.inc"

void TritonDialect::registerOps() {
  addOperations<
#define GET_OP_LIST
#include "seagrove/Dialect/Triton/IR/Ops.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Builders
//===----------------------------------------------------------------------===//

void LoadOp::build(OpBuilder &builder, OperationState &state, Value ptr,
                   Value mask, Value other) {
  build(builder, state, getPointeeTypeOrSelf(ptr.getType()), ptr, mask, other,
        /*boundaryCheck=*/ArrayRef<int32_t>{}, /*padding=*/PaddingOptionAttr{},
        /*cachePolicy=*/CachePolicyAttr{}, /*isVolatile=*/false);
}

void StoreOp::build(OpBuilder &builder, OperationState &state, Value ptr,
                    Value value, Value mask) {
  build(builder, state, ptr, value, mask,
        /*boundaryCheck=*/ArrayRef<int32_t>{},
        /*cachePolicy=*/CachePolicyAttr{}, /*ignore_cta=*/false);
}

//===----------------------------------------------------------------------===//
// Memory effects
//===----------------------------------------------------------------------===//

using Effects =
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

static void addReadAndWrite(Effects &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), GlobalMemory::get());
  effects.emplace_back(MemoryEffects::Write::get(), GlobalMemory::get());
}

void LoadOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), GlobalMemory::get());
  // A volatile read may not be dropped, merged or moved.
  if (getIsVolatile())
    effects.emplace_back(MemoryEffects::Write::get(), GlobalMemory::get());
}

void ExternElementwiseOp::getEffects(Effects &effects) {
  if (!getPure())
    addReadAndWrite(effects);
}

Speculation::Speculatability ExternElementwiseOp::getSpeculatability() {
  return getPure() ? Speculation::Speculatable : Speculation::NotSpeculatable;
}

void ElementwiseInlineAsmOp::getEffects(Effects &effects) {
  if (!getPure())
    addReadAndWrite(effects);
}

Speculation::Speculatability ElementwiseInlineAsmOp::getSpeculatability() {
  return getPure() ? Speculation::Speculatable : Speculation::NotSpeculatable;
}

//===----------------------------------------------------------------------===//
// Result types
//===----------------------------------------------------------------------===//

LogicalResult ExpandDimsOp::inferReturnTypes(MLIRContext *,
                                             std::optional<Location> loc,
                                             Adaptor adaptor,
                                             SmallVectorImpl<Type> &types) {
  auto source = cast<RankedTensorType>(adaptor.getSrc().getType());
  int64_t axis = static_cast<int32_t>(adaptor.getAxis());
  if (axis < 0 || axis > source.getRank())
    return emitOptionalError(loc, "axis ", axis, " is not in 0 to ",
                             source.getRank());
  SmallVector<int64_t> shape(source.getShape());
  shape.insert(shape.begin() + axis, 1);
  types.push_back(RankedTensorType::get(shape, source.getElementType()));
  return success();
}

LogicalResult TransOp::inferReturnTypes(MLIRContext *,
                                        std::optional<Location> loc,
                                        Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  auto source = cast<RankedTensorType>(adaptor.getSrc().getType());
  ArrayRef<int32_t> order = adaptor.getOrder();
  SmallVector<int32_t> sorted(order);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int32_t>(0, source.getRank())))
    return emitOptionalError(loc, "order is no permutation of the ",
                             source.getRank(), " dimensions of the block");
  SmallVector<int64_t> shape;
  for (int32_t dim : order)
    shape.push_back(source.getDimSize(dim));
  types.push_back(RankedTensorType::get(shape, source.getElementType()));
  return success();
}

LogicalResult JoinOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                       Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  auto source = cast<RankedTensorType>(adaptor.getLhs().getType());
  SmallVector<int64_t> shape(source.getShape());
  shape.push_back(2);
  types.push_back(RankedTensorType::get(shape, source.getElementType()));
  return success();
}

LogicalResult SplitOp::inferReturnTypes(MLIRContext *,
                                        std::optional<Location> loc,
                                        Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  auto source = cast<RankedTensorType>(adaptor.getSrc().getType());
  if (source.getRank() == 0 || source.getShape().back() != 2)
    return emitOptionalError(loc, "a block of shape ", describeShape(source),
                             " cannot be split: its last dimension must have "
                             "size 2");
  types.assign(2, RankedTensorType::get(source.getShape().drop_back(),
                                        source.getElementType()));
  return success();
}

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  int64_t axis = static_cast<int32_t>(adaptor.getAxis());
  for (Value value : adaptor.getSrcs()) {
    auto source = cast<RankedTensorType>(value.getType());
    if (axis < 0 || axis >= source.getRank())
      return emitOptionalError(loc, "axis ", axis, " is not a dimension of a ",
                               describe(source));
    SmallVector<int64_t> shape(source.getShape());
    shape.erase(shape.begin() + axis);
    Type element = source.getElementType();
    types.push_back(shape.empty() ? element
                                  : RankedTensorType::get(shape, element));
  }
  return success();
}

LogicalResult ScanOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                       Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  llvm::append_range(types, adaptor.getSrcs().getTypes());
  return success();
}

//===----------------------------------------------------------------------===//
// Reductions and scans
//===----------------------------------------------------------------------===//

static SmallVector<RankedTensorType> blockTypes(ValueRange values) {
  return llvm::map_to_vector(values.getTypes(), [](Type type) {
    return cast<RankedTensorType>(type);
  });
}

static SmallVector<Type> elementTypes(ValueRange values) {
  return llvm::map_to_vector(
      values.getTypes(), [](Type type) { return getElementTypeOrSelf(type); });
}

/// Returns the only operation of `region` besides its terminator if it takes
/// both arguments in any order and its result is what the region gives.
static Operation *singleCombiner(Region &region) {
  Block &block = region.front();
  if (block.getNumArguments() != 2 || block.getOperations().size() != 2)
    return nullptr;
  Operation *combiner = &block.front();
  Operation *terminator = block.getTerminator();
  if (combiner->getNumOperands() != 2 || combiner->getNumResults() != 1 ||
      terminator->getOperands() != combiner->getResults())
    return nullptr;
  Value first = combiner->getOperand(0), second = combiner->getOperand(1);
  bool takesBoth =
      (first == block.getArgument(0) && second == block.getArgument(1)) ||
      (first == block.getArgument(1) && second == block.getArgument(0));
  return takesBoth ? combiner : nullptr;
}

SmallVector<RankedTensorType> ReduceOp::getInputTypes() {
  return blockTypes(getSrcs());
}
SmallVector<Type> ReduceOp::getElementTypes() {
  return elementTypes(getSrcs());
}
Operation *ReduceOp::getSingleCombiner() {
  return singleCombiner(getCombineOp());
}

SmallVector<RankedTensorType> ScanOp::getInputTypes() {
  return blockTypes(getSrcs());
}
SmallVector<Type> ScanOp::getElementTypes() { return elementTypes(getSrcs()); }
Operation *ScanOp::getSingleCombiner() {
  return singleCombiner(getCombineOp());
}

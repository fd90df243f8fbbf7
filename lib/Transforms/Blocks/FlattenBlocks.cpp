//===- FlattenBlocks.cpp - blocks of many tiny dimensions -----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A flat block is a `tensor.expand_shape` of a one-dimensional one. Patterns
// move these expansions down: an operation on a flat block becomes an operation
// on its elements and an expansion of the result, until the expansions meet the
// reshape that ends the network and fold with it.
//
// All sizes are powers of two, so that a coordinate of a block is a few bits of
// the flat position. An operand that depends on positions only is followed up
// to its `sg.iota` with, for each of its dimensions, the bits that are its
// coordinate; broadcasts drop bits, reshapes regroup them.
//
//===----------------------------------------------------------------------===//

#include "seagrove/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "seagrove/Dialect/Access/IR/Access.h"
#include "llvm/Support/MathExtras.h"

namespace seagrove {
#define GEN_PASS_DEF_FLATTENBLOCKS
#include "seagrove/Transforms/Passes.h.inc"
} // namespace seagrove

using namespace mlir;
using namespace seagrove;

namespace {

/// A last dimension up to this length fills no vector worth having.
constexpr int64_t kTinyDimension = 4;

RankedTensorType typeOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

/// The one-dimensional block that `value` is an expansion of, or null.
Value flatSource(Value value) {
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  if (!expand || typeOf(expand.getSrc()).getRank() != 1)
    return {};
  return expand.getSrc();
}

SmallVector<ReassociationIndices> allDims(int64_t rank) {
  return {llvm::to_vector(llvm::seq<int64_t>(0, rank))};
}

/// The elements of `value` as one dimension; free for flat blocks.
Value flatten(OpBuilder &b, Location loc, Value value) {
  int64_t rank = typeOf(value).getRank();
  if (rank == 1)
    return value;
  if (Value source = flatSource(value))
    return source;
  return tensor::CollapseShapeOp::create(b, loc, value, allDims(rank));
}

Value expand(OpBuilder &b, Location loc, Value flat, RankedTensorType type) {
  if (type.getRank() == 1)
    return flat;
  return tensor::ExpandShapeOp::create(b, loc, type, flat,
                                       allDims(type.getRank()));
}

//===----------------------------------------------------------------------===//
// Values that depend on positions only
//===----------------------------------------------------------------------===//

/// A coordinate as bits of the flat position, the most significant one first.
using Bits = SmallVector<unsigned>;

/// Computes blocks from the flat position of their elements.
class FlatBlock {
public:
  FlatBlock(OpBuilder &b, Location loc, int64_t size)
      : b(b), loc(loc), size(size) {}

  /// Returns true if the elements of `value` can be had in flat order without
  /// writing a block to memory first.
  bool has(Value value) {
    probing = true;
    bool found = static_cast<bool>(elementsOf(value));
    probing = false;
    return found;
  }

  /// The elements of `value`, of which `has` is true, in flat order.
  Value elementsOf(Value value) {
    SmallVector<Bits> coordinates;
    unsigned next = llvm::Log2_64(size);
    for (int64_t dim : typeOf(value).getShape()) {
      Bits bits;
      for (unsigned count = llvm::Log2_64(dim); count > 0; --count)
        bits.push_back(--next);
      coordinates.push_back(bits);
    }
    return at(value, coordinates);
  }

private:
  RankedTensorType flatType(Type element) const {
    return RankedTensorType::get({size}, element);
  }

  Value at(Value value, ArrayRef<Bits> coordinates) {
    Operation *op = value.getDefiningOp();
    if (!op)
      return {};
    if (Value source = flatSource(value);
        source && typeOf(source).getDimSize(0) == size && isWhole(coordinates))
      return source;
    if (auto broadcast = dyn_cast<linalg::BroadcastOp>(op)) {
      SmallVector<Bits> kept;
      for (auto [dim, bits] : llvm::enumerate(coordinates))
        if (!llvm::is_contained(broadcast.getDimensions(),
                                static_cast<int64_t>(dim)))
          kept.push_back(bits);
      return at(broadcast.getInput(), kept);
    }
    if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
      return at(op->getOperand(0),
                regrouped(coordinates, typeOf(op->getOperand(0))));
    return leaf(op, coordinates);
  }

  Value leaf(Operation *op, ArrayRef<Bits> coordinates) {
    Value value = op->getResult(0);
    SplatElementsAttr splat;
    bool filled = matchPattern(value, m_Constant(&splat));
    if (probing && (filled || isa<tensor::SplatOp, sg::IotaOp>(op)))
      return value;
    if (filled)
      return arith::ConstantOp::create(
          b, loc,
          cast<TypedAttr>(splat.resizeSplat(flatType(splat.getElementType()))));
    if (auto filled = dyn_cast<tensor::SplatOp>(op))
      return tensor::SplatOp::create(b, loc, filled.getInput(),
                                     flatType(filled.getInput().getType()));
    if (auto iota = dyn_cast<sg::IotaOp>(op))
      return coordinate(coordinates.front(), iota);
    if (op->hasTrait<OpTrait::Elementwise>() && op->getNumResults() == 1)
      return elementwise(op, coordinates);
    return {};
  }

  bool isWhole(ArrayRef<Bits> coordinates) const {
    unsigned next = llvm::Log2_64(size);
    for (const Bits &bits : coordinates)
      for (unsigned bit : bits)
        if (bit != --next)
          return false;
    return next == 0;
  }

  static SmallVector<Bits> regrouped(ArrayRef<Bits> coordinates,
                                     RankedTensorType type) {
    Bits all;
    for (const Bits &bits : coordinates)
      llvm::append_range(all, bits);
    SmallVector<Bits> result;
    ArrayRef<unsigned> rest = all;
    for (int64_t dim : type.getShape()) {
      size_t count = llvm::Log2_64(dim);
      result.emplace_back(rest.take_front(count));
      rest = rest.drop_front(count);
    }
    return result;
  }

  Value constant(int64_t value, Type element) {
    return arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(flatType(element),
                               b.getIntegerAttr(element, value)));
  }

  /// `iota` at the coordinate that `bits` are.
  Value coordinate(ArrayRef<unsigned> bits, sg::IotaOp iota) {
    Type i32 = b.getI32Type();
    Type element = typeOf(iota.getResult()).getElementType();
    Value position = sg::IotaOp::create(b, loc, flatType(i32), 0);
    Value sum = constant(iota.getStart(), i32);
    while (!bits.empty()) {
      // A run of neighbours moves at once.
      size_t count = 1;
      while (count < bits.size() && bits[count] + 1 == bits[count - 1])
        ++count;
      unsigned from = bits[count - 1], to = bits.size() - count;
      Value run = arith::ShRUIOp::create(b, loc, position, constant(from, i32));
      run = arith::AndIOp::create(b, loc, run,
                                  constant((int64_t(1) << count) - 1, i32));
      run = arith::ShLIOp::create(b, loc, run, constant(to, i32));
      sum = arith::AddIOp::create(b, loc, sum, run);
      bits = bits.drop_front(count);
    }
    unsigned width = element.getIntOrFloatBitWidth();
    if (width < 32)
      return arith::TruncIOp::create(b, loc, flatType(element), sum);
    if (width > 32)
      return arith::ExtSIOp::create(b, loc, flatType(element), sum);
    return sum;
  }

  Value elementwise(Operation *op, ArrayRef<Bits> coordinates) {
    IRMapping mapping;
    for (Value operand : op->getOperands()) {
      if (!typeOf(operand))
        continue;
      Value flat = at(operand, coordinates);
      if (!flat)
        return {};
      mapping.map(operand, flat);
    }
    if (probing)
      return op->getResult(0);
    Operation *clone = b.clone(*op, mapping);
    clone->setLoc(loc);
    Value result = clone->getResult(0);
    result.setType(flatType(typeOf(result).getElementType()));
    return result;
  }

  OpBuilder &b;
  Location loc;
  int64_t size;
  bool probing = false;
};

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

bool hasPowerOfTwoShape(RankedTensorType type) {
  return llvm::all_of(type.getShape(),
                      [](int64_t dim) { return llvm::isPowerOf2_64(dim); });
}

/// The dimension of length two along which `value` is `x` reduced by xor and
/// spread again, or none.
std::optional<int64_t> pairDimension(Value value, Value x) {
  sg::ReduceOp reduce;
  if (auto broadcast = value.getDefiningOp<linalg::BroadcastOp>()) {
    reduce = broadcast.getInput().getDefiningOp<sg::ReduceOp>();
    if (!reduce ||
        broadcast.getDimensions() !=
            ArrayRef<int64_t>{static_cast<int64_t>(reduce.getAxis())})
      return std::nullopt;
  } else if (auto splat = value.getDefiningOp<tensor::SplatOp>()) {
    reduce = splat.getInput().getDefiningOp<sg::ReduceOp>();
  }
  if (!reduce || reduce.getInputs().size() != 1 ||
      reduce.getInputs().front() != x ||
      typeOf(x).getDimSize(reduce.getAxis()) != 2)
    return std::nullopt;
  Block &combiner = reduce.getCombiner();
  auto combined = combiner.front().getNumResults() == 1
                      ? dyn_cast<arith::XOrIOp>(combiner.front())
                      : nullptr;
  if (!combined || !llvm::hasNItems(combiner, 2) ||
      combiner.getTerminator()->getOperand(0) != combined.getResult() ||
      combined.getLhs() == combined.getRhs() ||
      combined.getLhs().getParentBlock() != &combiner ||
      combined.getRhs().getParentBlock() != &combiner)
    return std::nullopt;
  return reduce.getAxis();
}

/// x ^ (x0 ^ x1) along a dimension of length two is x with both changed.
struct ExchangePattern : OpRewritePattern<arith::XOrIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::XOrIOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = typeOf(op.getResult());
    if (!type || !hasPowerOfTwoShape(type))
      return failure();
    for (auto [x, other] : {std::pair(op.getLhs(), op.getRhs()),
                            std::pair(op.getRhs(), op.getLhs())}) {
      std::optional<int64_t> dim = pairDimension(other, x);
      if (!dim)
        continue;
      int64_t mask = 1;
      for (int64_t size : type.getShape().drop_front(*dim + 1))
        mask *= size;
      Value flat = flatten(rewriter, op.getLoc(), x);
      Value changed =
          sg::ButterflyOp::create(rewriter, op.getLoc(), flat, mask);
      rewriter.replaceOp(op, expand(rewriter, op.getLoc(), changed, type));
      return success();
    }
    return failure();
  }
};

/// A cast of the bits behind the exchange, so that the block that is kept in
/// memory is the one that others read too.
struct ExchangeOfCastPattern : OpRewritePattern<sg::ButterflyOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(sg::ButterflyOp op,
                                PatternRewriter &rewriter) const override {
    auto cast = op.getSource().getDefiningOp<arith::BitcastOp>();
    if (!cast)
      return failure();
    Value changed = sg::ButterflyOp::create(rewriter, op.getLoc(), cast.getIn(),
                                            op.getMask());
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, op.getType(), changed);
    return success();
  }
};

/// Returns true if all elements of `value` are 0 or 1.
bool isZeroOrOne(Value value) {
  APInt splat;
  if (matchPattern(value, m_ConstantInt(&splat)))
    return splat.ule(1);
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<arith::XOrIOp, arith::OrIOp>(op))
    return isZeroOrOne(op->getOperand(0)) && isZeroOrOne(op->getOperand(1));
  if (isa_and_nonnull<arith::AndIOp>(op))
    return isZeroOrOne(op->getOperand(0)) || isZeroOrOne(op->getOperand(1));
  if (auto wide = dyn_cast_or_null<arith::ExtUIOp>(op))
    return getElementTypeOrSelf(wide.getIn().getType()).isInteger(1);
  return false;
}

/// A comparison of a bit with a number that is one, as an exclusive or of bits:
/// the bit keeps the lanes of what it was computed from.
struct CompareBitPattern : OpRewritePattern<arith::CmpIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::CmpIOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getPredicate() != arith::CmpIPredicate::ne || !typeOf(op.getLhs()))
      return failure();
    for (auto [bit, number] : {std::pair(op.getLhs(), op.getRhs()),
                               std::pair(op.getRhs(), op.getLhs())}) {
      auto wide = bit.getDefiningOp<arith::ExtUIOp>();
      if (!wide || !getElementTypeOrSelf(wide.getIn().getType()).isInteger(1) ||
          matchPattern(number, m_Zero()) || !isZeroOrOne(number))
        continue;
      Value zero = arith::ConstantOp::create(
          rewriter, op.getLoc(), rewriter.getZeroAttr(number.getType()));
      Value other = arith::CmpIOp::create(
          rewriter, op.getLoc(), arith::CmpIPredicate::ne, number, zero);
      rewriter.replaceOpWithNewOp<arith::XOrIOp>(op, wide.getIn(), other);
      return success();
    }
    return failure();
  }
};

/// Elementwise operations on flat blocks.
struct ElementwisePattern : RewritePattern {
  explicit ElementwisePattern(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (!op->hasTrait<OpTrait::Elementwise>() || op->getNumResults() != 1)
      return failure();
    RankedTensorType type = typeOf(op->getResult(0));
    if (!type || type.getRank() < 2 || !hasPowerOfTwoShape(type) ||
        type.getShape().back() > kTinyDimension ||
        llvm::none_of(op->getOperands(),
                      [](Value operand) { return flatSource(operand); }))
      return failure();
    Location loc = op->getLoc();
    FlatBlock flat(rewriter, loc, type.getNumElements());
    if (llvm::any_of(op->getOperands(), [&](Value operand) {
          return typeOf(operand) && !flat.has(operand);
        }))
      return failure();
    IRMapping mapping;
    for (Value operand : op->getOperands())
      if (typeOf(operand))
        mapping.map(operand, flat.elementsOf(operand));
    Operation *clone = rewriter.clone(*op, mapping);
    Value result = clone->getResult(0);
    result.setType(
        RankedTensorType::get({type.getNumElements()}, type.getElementType()));
    rewriter.replaceOp(op, expand(rewriter, loc, result, type));
    return success();
  }
};

/// Reductions of flat blocks.
struct ReducePattern : OpRewritePattern<sg::ReduceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(sg::ReduceOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType type = typeOf(op.getInputs().front());
    if (type.getRank() <= 3 || llvm::any_of(op.getInputs(), [](Value input) {
          return !flatSource(input);
        }))
      return failure();
    Location loc = op.getLoc();
    int64_t axis = op.getAxis(), outer = 1, inner = 1;
    for (int64_t size : type.getShape().take_front(axis))
      outer *= size;
    for (int64_t size : type.getShape().drop_front(axis + 1))
      inner *= size;
    SmallVector<Value> inputs;
    SmallVector<Type> results;
    for (Value input : op.getInputs()) {
      Type element = typeOf(input).getElementType();
      auto shape =
          RankedTensorType::get({outer, type.getDimSize(axis), inner}, element);
      inputs.push_back(expand(rewriter, loc, flatSource(input), shape));
      results.push_back(RankedTensorType::get({outer, inner}, element));
    }
    auto reduce = sg::ReduceOp::create(rewriter, loc, results, inputs,
                                       static_cast<int64_t>(1));
    rewriter.inlineRegionBefore(op->getRegion(0), reduce->getRegion(0),
                                reduce->getRegion(0).end());
    SmallVector<Value> expanded;
    for (auto [old, result] : llvm::zip(op.getResults(), reduce.getResults()))
      expanded.push_back(
          expand(rewriter, loc, flatten(rewriter, loc, result), typeOf(old)));
    rewriter.replaceOp(op, expanded);
    return success();
  }
};

struct FlattenBlocks : seagrove::impl::FlattenBlocksBase<FlattenBlocks> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExchangePattern, ExchangeOfCastPattern, CompareBitPattern,
                 ElementwisePattern, ReducePattern>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

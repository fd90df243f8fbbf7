//===- Turning.cpp - products that are computed as their transpose --------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A register tile reads vectors of the right operand, side by side along the
// columns of the product, and single elements of the left one, one row behind
// the other. Where memory lies the other way around (the rows of a product are
// the pixels of an image, and the filters are read along the depth), the
// transposed product takes the same multiplications and reads both as they lie:
//
//   c = a @ b    ->    c = trans(trans(b) @ trans(a))
//
// Only the results, which are few, are transposed then. Two operands that are
// merely transposed are left alone: as they are, the panels that programs keep
// for one another are found again in the order of the grid.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "seagrove/Support/Decisions.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Remainders and quotients by less than this make runs too short to be read as
// vectors.
static constexpr int64_t kShortestRun = 16;
// What an index is computed by at most.
static constexpr unsigned kDeepestIndex = 16;

//===----------------------------------------------------------------------===//
// How operands lie
//===----------------------------------------------------------------------===//

/// By how much consecutive elements of `index` differ where no remainder wraps
/// and no quotient changes, as they mostly do not; none where that is not
/// known.
static std::optional<int64_t> slopeOf(Value index, unsigned deepest) {
  Operation *op = index.getDefiningOp();
  if (!op || deepest == 0)
    return {};
  SplatElementsAttr constant;
  if (isa<tensor::SplatOp>(op) || matchPattern(index, m_Constant(&constant)))
    return 0;
  if (isa<sg::IotaOp>(op))
    return 1;
  if (!isa<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp, arith::AddIOp,
           arith::SubIOp, arith::MulIOp, arith::DivSIOp, arith::DivUIOp,
           arith::RemSIOp, arith::RemUIOp>(op))
    return {};
  SmallVector<int64_t> slopes;
  for (Value operand : op->getOperands()) {
    std::optional<int64_t> slope = slopeOf(operand, deepest - 1);
    if (!slope)
      return {};
    slopes.push_back(*slope);
  }
  if (slopes.size() == 1)
    return slopes[0];
  if (isa<arith::AddIOp>(op))
    return slopes[0] + slopes[1];
  if (isa<arith::SubIOp>(op))
    return slopes[0] - slopes[1];
  if (slopes[0] == 0 && slopes[1] == 0)
    return 0;
  APInt factor;
  bool isKnown = matchPattern(op->getOperand(1), m_ConstantInt(&factor));
  if (isa<arith::MulIOp>(op))
    return isKnown ? std::optional(slopes[0] * factor.getSExtValue())
                   : std::nullopt;
  if (slopes[1] != 0 || std::abs(slopes[0]) > 1 ||
      (isKnown && factor.getSExtValue() < kShortestRun))
    return {};
  return isa<arith::DivSIOp, arith::DivUIOp>(op) ? 0 : slopes[0];
}

bool vectorize::isMostlyConsecutive(Value index) {
  return slopeOf(index, kDeepestIndex) == 1;
}

/// Returns true if neighbours along `dim` of what `load` reads lie side by
/// side, but for where an index wraps.
static bool liesAlong(sg::LoadOp load, int64_t dim) {
  Value stride = load.getStrides()[dim];
  if (Value index = load.getIndexOf(dim))
    return isConstantIntValue(stride, 0) &&
           (load.isWrapped(dim) || isMostlyConsecutive(index));
  return isConstantIntValue(stride, 1);
}

/// Returns true if all reads of `operand`, a read or an elementwise function of
/// reads, lie along the first dimension and not along the second; with
/// `gathers` only where an index says where, and not merely wraps.
static bool liesAcross(Value operand, bool gathers, unsigned deepest) {
  Operation *op = operand.getDefiningOp();
  if (auto load = dyn_cast_or_null<sg::LoadOp>(op))
    return !load.getIsVolatile() && liesAlong(load, 0) && !liesAlong(load, 1) &&
           (!gathers || (load.getIndexOf(0) && !load.isWrapped(0)));
  return op && deepest != 0 && op->getNumOperands() != 0 &&
         op->hasTrait<OpTrait::Elementwise>() &&
         llvm::all_of(op->getOperands(), [&](Value each) {
           return liesAcross(each, gathers, deepest - 1);
         });
}

/// Returns true if `value` is only stored, as it is or after elementwise
/// operations.
static bool isOnlyStored(Value value, DenseSet<Value> &seen) {
  if (!seen.insert(value).second)
    return true;
  return llvm::all_of(value.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<sg::StoreOp, sg::ScatterOp>(user))
      return use.getOperandNumber() == 0;
    return user->hasTrait<OpTrait::Elementwise>() && isLazy(user) &&
           llvm::all_of(user->getResults(),
                        [&](Value next) { return isOnlyStored(next, seen); });
  });
}

//===----------------------------------------------------------------------===//
// The transposed product
//===----------------------------------------------------------------------===//

static Value turned(OpBuilder &b, Location loc, Value block);

/// The read of `load`'s block with its dimensions exchanged.
static Value turnedLoad(OpBuilder &b, sg::LoadOp load) {
  auto type = cast<RankedTensorType>(load.getType());
  SmallVector<Value> strides(llvm::reverse(load.getStrides())),
      lows(llvm::reverse(load.getLows())),
      highs(llvm::reverse(load.getHighs())), indices;
  SmallVector<int64_t> indexed, wrapped;
  for (int64_t dim : {0, 1}) {
    Value index = load.getIndexOf(1 - dim);
    if (!index)
      continue;
    indices.push_back(index);
    indexed.push_back(dim);
    if (load.isWrapped(1 - dim))
      wrapped.push_back(dim);
  }
  auto block = [&](Value value) {
    return value && isBlock(value) ? turned(b, load.getLoc(), value) : value;
  };
  return sg::LoadOp::create(
      b, load.getLoc(), type.clone({type.getDimSize(1), type.getDimSize(0)}),
      load.getBase(), load.getOffset(), strides, lows, highs, indices,
      block(load.getMask()), block(load.getOther()),
      b.getDenseI64ArrayAttr(indexed), b.getDenseI64ArrayAttr(wrapped),
      load.getIsVolatileAttr());
}

static Value turned(OpBuilder &b, Location loc, Value block) {
  auto type = cast<RankedTensorType>(block.getType());
  auto turnedType = type.clone({type.getDimSize(1), type.getDimSize(0)});
  SplatElementsAttr splat;
  if (matchPattern(block, m_Constant(&splat)))
    return arith::ConstantOp::create(b, loc, splat.resizeSplat(turnedType));
  if (auto load = block.getDefiningOp<sg::LoadOp>())
    return turnedLoad(b, load);
  Value empty = tensor::EmptyOp::create(b, loc, turnedType.getShape(),
                                        turnedType.getElementType());
  return linalg::TransposeOp::create(b, loc, block, empty,
                                     ArrayRef<int64_t>{1, 0})
      ->getResult(0);
}

/// Whether `product`, which `loop` consists of, is better computed as its
/// transpose: each operand then lies as a register tile reads it. A block of
/// few rows would leave a vector of them half empty.
static bool shouldTurn(scf::ForOp loop, linalg::LinalgOp op,
                       const Machine &machine) {
  Product product(op, machine);
  int64_t panel = 2 * product.width.lanes;
  DenseSet<Value> seen;
  return !product.unit && !product.width.scalable && product.columns > 1 &&
         product.rows >= 2 * panel &&
         liesAcross(product.left, /*gathers=*/true, kDeepestIndex) &&
         liesAcross(product.right, /*gathers=*/false, kDeepestIndex) &&
         isOnlyStored(loop.getResult(0), seen);
}

static void turn(scf::ForOp loop, linalg::LinalgOp product) {
  noteDecision(product, "product",
               "computed as its transpose: the left operand is gathered along "
               "its rows and the right one lies along the depth, so that both "
               "are read as they lie");
  OpBuilder b(loop);
  Location loc = product->getLoc();
  Value init = turned(b, loc, loop.getInitArgs()[0]);
  auto fresh = scf::ForOp::create(b, loop.getLoc(), loop.getLowerBound(),
                                  loop.getUpperBound(), loop.getStep(), init);
  fresh->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
  fresh.getRegion().takeBody(loop.getRegion());
  BlockArgument carried = fresh.getRegionIterArg(0);
  carried.setType(init.getType());

  b.setInsertionPoint(product);
  Value left = product->getOperand(0), right = product->getOperand(1);
  Operation *swapped = linalg::MatmulOp::create(
      b, loc, TypeRange(init.getType()),
      ValueRange{turned(b, loc, right), turned(b, loc, left)},
      ValueRange(carried));
  swapped->setDiscardableAttrs(product->getDiscardableAttrDictionary());
  fresh.getBody()->getTerminator()->setOperand(0, swapped->getResult(0));
  product->erase();
  for (Value operand : {left, right})
    if (Operation *op = operand.getDefiningOp(); op && op->use_empty())
      op->erase();

  b.setInsertionPointAfter(fresh);
  loop.getResult(0).replaceAllUsesWith(turned(b, loc, fresh.getResult(0)));
  loop.erase();
}

void vectorize::turnProducts(func::FuncOp kernel, const Machine &machine) {
  SmallVector<std::pair<scf::ForOp, linalg::LinalgOp>> found;
  kernel.walk([&](scf::ForOp loop) {
    linalg::LinalgOp product = findOnlyProduct(loop);
    if (product && isa<linalg::MatmulOp>(product) &&
        shouldTurn(loop, product, machine))
      found.push_back({loop, product});
  });
  for (auto [loop, product] : found)
    turn(loop, product);
}

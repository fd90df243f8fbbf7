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
// Only the results, which are few, are transposed then. So is a product of few
// rows or columns turned that spends much of its time on bringing one operand,
// each of whose elements it uses a few times, to the other order. Two large
// operands that are merely transposed are left alone: as they are, the panels
// that programs keep for one another are found again in the order of the grid.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "seagrove/Support/Decisions.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// What an operand is computed by at most.
static constexpr unsigned kDeepestOperand = 16;
// What it takes to pack an element, in halves of the time in which a register
// tile multiplies one vector: measured on operands that come from the second
// and third cache.
static constexpr int64_t kCopied = 1;
static constexpr int64_t kTransposed = 4;
static constexpr int64_t kMultiplied = 2;

//===----------------------------------------------------------------------===//
// How operands lie
//===----------------------------------------------------------------------===//

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
/// reads, are what `isWanted` says.
static bool allReads(Value operand, function_ref<bool(sg::LoadOp)> isWanted,
                     unsigned deepest = kDeepestOperand) {
  Operation *op = operand.getDefiningOp();
  if (auto load = dyn_cast_or_null<sg::LoadOp>(op))
    return !load.getIsVolatile() && isWanted(load);
  return op && deepest != 0 && op->getNumOperands() != 0 &&
         op->hasTrait<OpTrait::Elementwise>() &&
         llvm::all_of(op->getOperands(), [&](Value each) {
           return allReads(each, isWanted, deepest - 1);
         });
}

/// Returns true if `load` lies along the first dimension and not along the
/// second.
static bool liesAcross(sg::LoadOp load) {
  return liesAlong(load, 0) && !liesAlong(load, 1);
}

/// Returns true if an index says where the rows of `load` are, and does not
/// merely wrap.
static bool hasGatheredRows(sg::LoadOp load) {
  return load.getIndexOf(0) && !load.isWrapped(0);
}

/// What it takes to bring an element of a left or a right operand, whose
/// dimension `depth` is that of the product, to where a register tile reads it.
static int64_t packingOf(const Product &product, Value operand, int64_t depth,
                         bool asLeft) {
  if (asLeft) {
    auto load = operand.getDefiningOp<sg::LoadOp>();
    bool inPlace = load && !load.getIsVolatile() && !load.getMask() &&
                   !load.getIndexOf(depth) && liesAlong(load, depth) &&
                   getElementTypeOrSelf(load.getType()) == product.compute;
    return inPlace ? 0 : kTransposed;
  }
  return allReads(operand,
                  [&](sg::LoadOp load) { return liesAlong(load, 1 - depth); })
             ? kCopied
             : kTransposed;
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

/// Whether packing takes much of the time of `product`, of whose rows or
/// columns there are few, and its transpose saves most of that.
static bool savesPacking(const Product &product) {
  auto packing = [&](bool turned) {
    return product.rows * packingOf(product, product.left, 1, !turned) +
           product.columns * packingOf(product, product.right, 0, turned);
  };
  int64_t multiplying = product.rows * kMultiplied *
                        llvm::divideCeil(product.columns, product.width.lanes);
  return 2 * packing(false) >= multiplying &&
         2 * packing(true) <= packing(false);
}

/// Why the product `op`, which `loop` consists of, is better computed as its
/// transpose; empty where it is not. A block of few rows would leave a vector
/// of them half empty.
static StringRef whyTurned(scf::ForOp loop, linalg::LinalgOp op,
                           const Machine &machine) {
  Product product(op, machine);
  DenseSet<Value> seen;
  if (product.unit || product.width.scalable || product.columns == 1 ||
      product.rows < product.width.lanes ||
      !isOnlyStored(loop.getResult(0), seen))
    return {};
  auto areGathered = [](sg::LoadOp load) {
    return hasGatheredRows(load) && liesAcross(load);
  };
  if (product.rows >= 4 * product.width.lanes &&
      allReads(product.left, areGathered) &&
      allReads(product.right, liesAcross))
    return "the left operand is gathered along its rows and the right one lies "
           "along the depth, so that both are read as they lie";
  if (savesPacking(product))
    return "packing an operand as it lies would take long beside so few "
           "multiplications";
  return {};
}

static void turn(scf::ForOp loop, linalg::LinalgOp product, StringRef why) {
  noteDecision(product, "product", "computed as its transpose: {0}", why);
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
  SmallVector<std::tuple<scf::ForOp, linalg::LinalgOp, StringRef>> found;
  kernel.walk([&](scf::ForOp loop) {
    linalg::LinalgOp product = findOnlyProduct(loop);
    if (!product || !isa<linalg::MatmulOp>(product))
      return;
    if (StringRef why = whyTurned(loop, product, machine); !why.empty())
      found.push_back({loop, product, why});
  });
  for (auto [loop, product, why] : found)
    turn(loop, product, why);
}

//===- Indices.cpp - blocks of indices whose lanes follow one another
//---------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A read at quotients and remainders of positions takes one address for each
// lane, as far as anybody knows while compiling. When it runs, the lanes mostly
// lie side by side, or are one address: a bias for each channel, a row that
// wraps, the pixels that a filter sees. To look takes a comparison or two, and
// saves the reads of all lanes but one.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Remainders and quotients by less than this make runs too short to be read as
// vectors.
static constexpr int64_t kShortestRun = 16;
// What an index is computed by at most.
static constexpr unsigned kDeepestIndex = 16;

/// By how much consecutive elements of `index` along `dim` differ where no
/// remainder wraps and no quotient changes, as they mostly do not; none where
/// that is not known.
static std::optional<int64_t> slopeOf(Value index, int64_t dim,
                                      unsigned deepest) {
  Operation *op = index.getDefiningOp();
  if (!op || deepest == 0)
    return {};
  SplatElementsAttr constant;
  if (isa<tensor::SplatOp>(op) || matchPattern(index, m_Constant(&constant)))
    return 0;
  if (isa<sg::IotaOp>(op))
    return 1;
  if (auto broadcast = dyn_cast<linalg::BroadcastOp>(op)) {
    ArrayRef<int64_t> added = broadcast.getDimensions();
    if (llvm::is_contained(added, dim))
      return 0;
    int64_t before = llvm::count_if(added, [&](int64_t d) { return d < dim; });
    return slopeOf(broadcast.getInput(), dim - before, deepest - 1);
  }
  if (!isa<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp, arith::AddIOp,
           arith::SubIOp, arith::MulIOp, arith::DivSIOp, arith::DivUIOp,
           arith::RemSIOp, arith::RemUIOp, arith::ShRSIOp, arith::ShRUIOp>(op))
    return {};
  std::optional<int64_t> first = slopeOf(op->getOperand(0), dim, deepest - 1);
  if (!first || op->getNumOperands() == 1)
    return first;
  std::optional<int64_t> second = slopeOf(op->getOperand(1), dim, deepest - 1);
  if (!second)
    return {};
  if (isa<arith::AddIOp>(op))
    return *first + *second;
  if (isa<arith::SubIOp>(op))
    return *first - *second;
  if (*first == 0 && *second == 0)
    return 0;
  APInt factor;
  bool isKnown = matchPattern(op->getOperand(1), m_ConstantInt(&factor));
  if (isa<arith::MulIOp>(op))
    return isKnown ? std::optional(*first * factor.getSExtValue())
                   : std::nullopt;
  bool isShift = isa<arith::ShRSIOp, arith::ShRUIOp>(op);
  if (*second != 0 || std::abs(*first) > 1 || (isShift && !isKnown) ||
      (isKnown && (isShift ? factor.ult(llvm::Log2_64(kShortestRun))
                           : factor.slt(kShortestRun))))
    return {};
  return isa<arith::RemSIOp, arith::RemUIOp>(op) ? *first : 0;
}

bool vectorize::isMostlyConsecutive(Value index, int64_t dim) {
  return slopeOf(index, dim, kDeepestIndex) == 1;
}

bool vectorize::isMostlyUniform(Value index) {
  return slopeOf(index, /*dim=*/0, kDeepestIndex) == 0;
}

void Lowering::noticeOrder(Place &place, Value index, bool wraps,
                           Value positions, const Tile &tile) {
  bool isUniform = !tile.width.scalable && isMostlyUniform(index);
  if (!isUniform && !wraps && !isMostlyConsecutive(index))
    return;
  Value front = vector::ExtractOp::create(builder, loc, positions, int64_t(0));
  if (wraps) {
    // Its ends show it.
    Value last = lastPosition(tile.width);
    Value back = laneAt(positions, last, tile.width);
    Value distance = arith::SubIOp::create(builder, loc, back, front);
    place.contiguous = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::eq, distance, last);
    return;
  }
  Value wanted = vectorOf(front, tile);
  if (!isUniform)
    wanted = arith::AddIOp::create(builder, loc, wanted,
                                   step(builder.getI64Type(), tile.width));
  Value same = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                     positions, wanted);
  Value &all = isUniform ? place.uniform : place.contiguous;
  all = vector::ReductionOp::create(builder, loc, vector::CombiningKind::AND,
                                    same);
}

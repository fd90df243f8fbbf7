//===- ProductLoop.cpp - loops that consist of one matrix product ---------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Where a loop does nothing but feed one product (the K loop of a matrix
// multiplication), the loop over K moves inside of the loops over register
// tiles: several iterations are packed one behind the other and the
// accumulators are read and written once for all of them. See
// docs/tiling-through-k.md.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// What a place of the first cache repeats after: its sets times its lines, a
// page where addresses are looked up while they are translated.
static constexpr int64_t kBytesOfAWay = 4096;

linalg::LinalgOp vectorize::findOnlyProduct(scf::ForOp loop) {
  if (loop.getNumRegionIterArgs() != 1 || loop.getUnsignedCmp())
    return {};
  linalg::LinalgOp product;
  for (Operation &op : loop.getBody()->without_terminator()) {
    if (isProduct(&op)) {
      if (product)
        return {};
      product = cast<linalg::LinalgOp>(op);
      continue;
    }
    bool isTensorOp =
        llvm::any_of(op.getResultTypes(), llvm::IsaPred<RankedTensorType>);
    if (isTensorOp ? !isLazy(&op) : !isPure(&op) || op.getNumRegions() != 0)
      return {};
  }
  if (!product || typeOf(product->getResult(0)).getRank() != 2)
    return {};
  Value carried = loop.getRegionIterArg(0), result = product->getResult(0);
  if (product->getOperand(2) != carried || !carried.hasOneUse() ||
      !result.hasOneUse() ||
      loop.getBody()->getTerminator()->getOperand(0) != result)
    return {};
  return product;
}

/// Iterations that are packed together: as many as keep the left operand, which
/// each panel is multiplied by, in half of the second-level cache, and a panel
/// in a quarter. A panel is read in one stream, which hides that it comes from
/// there.
static int64_t iterationsPerChunk(const Product &product,
                                  const Machine &machine) {
  int64_t bytes = product.compute.getIntOrFloatBitWidth() / 8 * product.parts();
  // The unit reads rows of several cache lines: the second level feeds it.
  if (product.unit)
    return std::max<int64_t>(machine.l2Bytes / 2 /
                                 ((product.rows + product.columns) * bytes) /
                                 product.depth,
                             1);
  int64_t panelRow = product.vectors * product.width.lanes * bytes;
  int64_t widest = std::max(2 * product.rows * bytes, 4 * panelRow);
  return std::max<int64_t>(machine.l2Bytes / widest / product.depth, 1);
}

/// Emits the scalar operations of iteration `iteration` of a chunk.
LogicalResult Lowering::emitIterationScalars(const Chunk &chunk,
                                             Value iteration) {
  scf::ForOp loop = chunk.loop;
  Value number =
      builder.createOrFold<arith::AddIOp>(loc, chunk.first, iteration);
  Value iv = arith::MulIOp::create(builder, loc, number, chunk.step);
  iv = arith::AddIOp::create(builder, loc, chunk.lower, iv);
  Type type = loop.getInductionVar().getType();
  if (type != iv.getType())
    iv = arith::TruncIOp::create(builder, loc, type, iv);
  scalars.map(loop.getInductionVar(), iv);
  for (Operation &op : loop.getBody()->without_terminator()) {
    bool touchesBlocks =
        llvm::any_of(op.getOperandTypes(), llvm::IsaPred<RankedTensorType>) ||
        llvm::any_of(op.getResultTypes(), llvm::IsaPred<RankedTensorType>);
    if (!touchesBlocks && failed(emitScalar(&op)))
      return failure();
  }
  return success();
}

/// Sets how many columns of the left operand the iterations of a chunk have:
/// the last one may end where its operands are masked.
LogicalResult Lowering::findDepth(const Chunk &chunk, const Product &product,
                                  Operands &operands) {
  operands.panelRows = operands.depth =
      arith::MulIOp::create(builder, loc, chunk.count, constant(product.depth));
  Value last = arith::SubIOp::create(builder, loc, chunk.count, constant(1));
  if (failed(emitIterationScalars(chunk, last)))
    return failure();
  if (Value depth = neededDepth(product)) {
    Value before =
        arith::MulIOp::create(builder, loc, last, constant(product.depth));
    operands.depth = arith::AddIOp::create(builder, loc, before, depth);
  }
  return success();
}

/// Whether the left operands of all iterations of a chunk lie in the memory of
/// `load` as one: in bounds, and each where the one before it ends. `possible`
/// is what must hold besides.
FailureOr<Value> Lowering::followInMemory(const Chunk &chunk,
                                          const Product &product,
                                          sg::LoadOp load,
                                          const Operands &operands,
                                          Value possible) {
  if (failed(emitIterationScalars(chunk, constant(0))))
    return failure();
  Value first = scalar(load.getOffset());
  Value iteration = openLoop(constant(0), chunk.count, 1, {possible});
  if (failed(emitIterationScalars(chunk, iteration)))
    return failure();
  Value depth;
  if (operands.depth) {
    Value before =
        arith::MulIOp::create(builder, loc, iteration, constant(product.depth));
    depth = arith::SubIOp::create(builder, loc, operands.depth, before);
  }
  Value holds = isWholeInPlace(load, operands, depth);
  Value expected =
      arith::MulIOp::create(builder, loc, iteration, constant(product.depth));
  expected = arith::AddIOp::create(builder, loc, first, expected);
  Value follows = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                        scalar(load.getOffset()), expected);
  holds = arith::AndIOp::create(builder, loc, holds, follows);
  holds = arith::AndIOp::create(builder, loc, holds, loopState()[0]);
  holds = closeLoop({holds})[0];
  if (failed(emitIterationScalars(chunk, constant(0))))
    return failure();
  return holds;
}

/// Runs `emit` for `times` iterations of a chunk, with the packed column that
/// each of them starts at.
LogicalResult
Lowering::packIterations(const Chunk &chunk, const Product &product, Tile base,
                         Value times,
                         function_ref<void(Value, const Tile &)> emit) {
  Value iteration = openLoop(constant(0), times, 1);
  if (failed(emitIterationScalars(chunk, iteration)))
    return failure();
  Value column =
      arith::MulIOp::create(builder, loc, iteration, constant(product.depth));
  // What depends on nothing but the iteration is computed at its depth.
  for (Coordinate &coordinate : base.coordinates)
    coordinate.depth = depth();
  emit(column, base);
  closeLoop();
  return success();
}

/// Whether a unit reads the rows of `load` in place where that is `possible`:
/// to it they serve as well as packed ones, unless they are so far apart that
/// the first cache has few places for them. Then those of `use` are read.
Value Lowering::readsRowsInPlace(LeftUse &use, const Operands &operands,
                                 sg::LoadOp load, Value possible) {
  Operands there = operands;
  readLeftInPlace(there, load, possible);
  Value within = arith::RemUIOp::create(builder, loc, there.leftRowBytes,
                                        constant(kBytesOfAWay));
  Value packs = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                      within, constant(0));
  Value no =
      arith::ConstantOp::create(builder, loc, builder.getBoolAttr(false));
  auto isNot = [&](Value condition) {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                 condition, no);
  };
  packs = arith::OrIOp::create(builder, loc, packs, isNot(possible));
  use.panels = arith::AndIOp::create(builder, loc, use.panels, packs);
  use.packs = arith::AndIOp::create(builder, loc, use.packs, packs);
  return arith::AndIOp::create(builder, loc, possible, isNot(use.panels));
}

/// Lets a chunk read the left operand from the memory of `load` if that is
/// `possible`, from `panels`, or from packed rows, and packs what has to be.
/// `place` is the chunk's number and how many there are.
FailureOr<Lowering::LeftUse>
Lowering::packChunkLeft(const Chunk &chunk, const Product &product, Tile base,
                        sg::LoadOp load, Value possible, const Panels &panels,
                        std::pair<Value, Value> place, Operands &operands) {
  Value packs = chunk.count, inPlace;
  if (load) {
    FailureOr<Value> follows =
        followInMemory(chunk, product, load, operands, possible);
    if (failed(follows))
      return failure();
    inPlace = *follows;
    packs = unless(inPlace, packs);
  }
  LeftUse use;
  if (panels.slots) {
    SmallVector<Value> words = {
        chunk.first,    chunk.count,
        chunk.lower,    chunk.step,
        operands.depth, operands.rows ? operands.rows : constant(product.rows)};
    use =
        findLeftPanels(product, panels,
                       numberOfRows(product, panels, place.first, place.second),
                       words, inPlace, operands);
    operands.leftPointer = operands.left.pointer;
    if (load && product.unit)
      inPlace = readsRowsInPlace(use, operands, load, inPlace);
    packs = arith::SelectOp::create(builder, loc, use.packs, chunk.count,
                                    constant(0));
  }
  if (load)
    readLeftInPlace(operands, load, inPlace);
  if (failed(packIterations(chunk, product, base, packs,
                            [&](Value column, const Tile &tile) {
                              if (use.panels && !product.unit)
                                packLeftPanels(product, tile, operands, column);
                              else
                                packLeft(product, tile, operands.left, column);
                            })))
    return failure();
  return use;
}

/// Multiplies by the left operand's panels where they are used, and else by its
/// rows, which then lie where they can be read.
void Lowering::multiplyChunk(const Product &product, Tile base,
                             Operands operands, const LeftUse &use,
                             bool mayBeInPlace) {
  // A unit reads rows in either case.
  if (!use.panels || product.unit)
    return multiply(product, base, operands);
  Operands packed = operands;
  packed.leftPanels = true;
  if (!mayBeInPlace)
    return multiply(product, base, packed);
  operands.inPlace =
      arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
  scf::IfOp branch = openBranch(use.panels, {}, /*otherwise=*/true);
  multiply(product, base, packed);
  openOtherBranch(branch);
  multiply(product, base, operands);
  closeBranch(branch);
}

FailureOr<bool> Lowering::emitProductLoop(scf::ForOp loop) {
  linalg::LinalgOp op = findOnlyProduct(loop);
  if (!op)
    return false;
  Product product = productOf(op);
  int64_t perChunk = iterationsPerChunk(product, machine);
  noteDecision(op, "product",
               "the loop over K runs inside of the tiles: {0} iterations are "
               "packed one behind the other",
               perChunk);
  Region *body = &loop.getRegion();
  Operands operands =
      operandsFor(product, loop.getResult(0), perChunk * product.depth);
  sg::LoadOp load = leftInUserMemory(product, body),
             right = rightInUserMemory(product, operands, body);
  Panels panels = planPanels(product, body, operands.capacity, kMostGroups,
                             4 + bool(operands.columns) + bool(right));
  Panels leftPanels;
  if (!right)
    leftPanels = planLeftPanels(product, body, operands.left.strides[0], load);
  Value lower = asI64(scalar(loop.getLowerBound())),
        upper = asI64(scalar(loop.getUpperBound()));
  Value step = asI64(scalar(loop.getStep()));
  Value distance = arith::SubIOp::create(builder, loc, upper, lower);
  Value trips = arith::CeilDivSIOp::create(builder, loc, distance, step);
  trips = arith::MaxSIOp::create(builder, loc, trips, constant(0));
  bindAccumulator(loop, product, trips, operands);
  Value even = load ? rowsAreEven(product, load) : Value();
  // What is not packed is read in the order of memory: one iteration at a time.
  Value few, atOnce = constant(perChunk);
  if (right) {
    few = isFewRows(product, right, operands);
    atOnce = arith::SelectOp::create(builder, loc, few, constant(1), atOnce);
  }
  openNest();
  Tile base = originOf(2);
  Chunk chunk = {loop, openLoop(constant(0), trips, atOnce), {}, lower, step};
  Value left = arith::SubIOp::create(builder, loc, trips, chunk.first);
  chunk.count = arith::MinSIOp::create(builder, loc, left, atOnce);
  if (operands.accumulator || operands.startsAtZero)
    operands.first = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::eq, chunk.first, constant(0));
  if (failed(findDepth(chunk, product, operands)))
    return failure();
  Value number = builder.createOrFold<arith::DivUIOp>(loc, chunk.first,
                                                      constant(perChunk));
  Value chunks = arith::CeilDivUIOp::create(builder, loc, trips, atOnce);
  FailureOr<LeftUse> use = packChunkLeft(
      chunk, product, base, load, even, leftPanels, {number, chunks}, operands);
  if (failed(use))
    return failure();
  SmallVector<Value> tag = {chunk.first, chunk.count, lower, step};
  if (operands.columns)
    tag.push_back(operands.columns);
  Value inPlace;
  if (right) {
    if (failed(emitIterationScalars(chunk, constant(0))))
      return failure();
    inPlace = isRightInPlace(product, right, few, operands);
    // What is not packed must not be found as if it were.
    tag.push_back(
        arith::ExtUIOp::create(builder, loc, builder.getI64Type(), inPlace));
  }
  Group group = findGroup(panels, number, tag);
  operands.right = group.buffer;
  if (right)
    readRightInPlace(product, right, inPlace, operands);
  Value packs = unless(group.kept, chunk.count);
  if (failed(packIterations(chunk, product, base, unless(inPlace, packs),
                            [&](Value column, const Tile &tile) {
                              packRight(product, tile, operands, column);
                            })))
    return failure();
  multiplyChunk(product, base, operands, *use, load != nullptr);
  closeLoop();
  closeNest();
  buffers[loop.getResult(0)] = operands.out;
  return true;
}

//===- Product.cpp - matrix products
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The left operand is brought to rows of a fixed length, the right one to
// panels as wide as the register tile; both are converted to the type of the
// computation on the way, and whatever expression they are is evaluated there,
// once for each element. Then each register tile runs over the whole depth with
// its accumulators in registers.
//
// A loop that does nothing but feed one product is in ProductLoop.cpp.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

// Rows of a right operand that is not packed which are read side by side: as
// many streams as memory serves at once.
static constexpr int64_t kRowsSideBySide = 16;
// Steps of K that share a counter and a branch (kStepsTogether), which a step
// of few multiplications would spend a fifth of its instructions on. With more
// sums than this they are hardly seen, and loads of several steps would take
// registers from the sums.
static constexpr int64_t kFewSums = 16;

/// The type in which products of `element` are computed.
static Type computeType(Type element, Type accumulator) {
  if (isa<FloatType>(element)) {
    if (element.isF64() || accumulator.isF64())
      return Float64Type::get(element.getContext());
    return Float32Type::get(element.getContext());
  }
  unsigned bits = std::max(32u, accumulator.getIntOrFloatBitWidth());
  return IntegerType::get(element.getContext(), bits);
}

/// Converts scalars or vectors between two float or two integer types.
Value Lowering::convert(Value value, Type element) {
  Type from = getElementTypeOrSelf(value.getType());
  if (from == element)
    return value;
  Type type = element;
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = vector.clone(element);
  unsigned fromBits = from.getIntOrFloatBitWidth(),
           bits = element.getIntOrFloatBitWidth();
  if (isa<FloatType>(element)) {
    if (bits > fromBits)
      return arith::ExtFOp::create(builder, loc, type, value);
    return arith::TruncFOp::create(builder, loc, type, value);
  }
  if (bits > fromBits)
    return arith::ExtSIOp::create(builder, loc, type, value);
  return arith::TruncIOp::create(builder, loc, type, value);
}

Product::Product(linalg::LinalgOp op, const Machine &machine) : op(op) {
  left = op->getOperand(0);
  right = op->getOperand(1);
  accumulator = op->getOperand(2);
  result = op->getResult(0);
  ArrayRef<int64_t> shape = typeOf(result).getShape();
  batched = shape.size() == 3;
  rows = shape[shape.size() - 2];
  columns = shape.back();
  depth = typeOf(left).getShape().back();
  compute = computeType(typeOf(left).getElementType(),
                        typeOf(result).getElementType());
  chooseUnit(machine);
  int64_t bits = compute.getIntOrFloatBitWidth();
  width = unit ? Width(step.columns) : widthOf(machine, compute, columns);
  int64_t group =
      width.scalable ? width.lanes * bits / machine.scalableUnitBits : 1;
  int64_t longest = width.lanes * (width.scalable ? machine.maxVscale() : 1);
  vectors = !unit && group == 1 && columns >= 2 * longest ? 2 : 1;
  // A quarter of the registers is left for the right operand's vectors, the
  // broadcast element and what the code generator needs. Of groups of registers
  // all but the right operand's are taken: there a scalar is an operand.
  int64_t accumulators = machine.vectorRegisters * 3 / 4;
  if (group > 1)
    accumulators = machine.vectorRegisters / group - 1;
  tileRows = std::clamp<int64_t>(accumulators / vectors, 1, rows);
}

/// Lets the first matrix unit multiply of whose steps a whole number makes the
/// block.
void Product::chooseUnit(const Machine &machine) {
  Type element = typeOf(left).getElementType();
  if (batched || element != typeOf(right).getElementType())
    return;
  for (const MatrixUnit *candidate : machine.units) {
    std::optional<MatrixStep> found =
        candidate->findStep(element, typeOf(result).getElementType(), depth);
    if (!found || rows % found->rows || columns % found->columns ||
        depth % found->depth)
      continue;
    unit = candidate;
    step = *found;
    compute = step.stored;
    return;
  }
}

static bool isZeroBlock(Value block) {
  return matchPattern(block, m_PosZeroFloat()) || matchPattern(block, m_Zero());
}

bool vectorize::isProduct(Operation *op) {
  return isa<linalg::MatmulOp, linalg::BatchMatmulOp>(op);
}

//===----------------------------------------------------------------------===//
// Register tiles
//===----------------------------------------------------------------------===//

/// One register tile of `count` rows at (`row`, `column`), over `depthOfAll`
/// packed columns.
void Lowering::multiplyTile(const Product &product, Tile base,
                            const Operands &operands, Value row, Value column,
                            int64_t count) {
  size_t rank = typeOf(product.result).getRank();
  auto tileAt = [&](int64_t r, int64_t vector) {
    Tile tile = base;
    builder.restoreInsertionPoint(points.back());
    Value m = builder.createOrFold<arith::AddIOp>(loc, row, constant(r));
    Value n = builder.createOrFold<arith::AddIOp>(
        loc, column, laneCount(product.width, vector));
    tile.coordinates[rank - 2] = {m, depth(), -1};
    tile.coordinates[rank - 1] = {n, depth(), -1};
    tile.vectorDim = product.columns == 1 ? -1 : rank - 1;
    tile.width = product.width;
    return tile;
  };
  SmallVector<Value> sums;
  for (int64_t r = 0; r < count; ++r)
    for (int64_t vector = 0; vector < product.vectors; ++vector)
      sums.push_back(
          convert(startOf(operands, tileAt(r, vector)), product.compute));
  multiplySteps(product, operands, row, column, count, sums);
  for (int64_t r = 0; r < count; ++r)
    for (int64_t vector = 0; vector < product.vectors; ++vector) {
      Tile tile = tileAt(r, vector);
      writeBuffer(operands.out, tile,
                  convert(sums[r * product.vectors + vector],
                          operands.out.elementType));
    }
}

/// Adds the products along the whole depth to the sums of a register tile.
void Lowering::multiplySteps(const Product &product, const Operands &operands,
                             Value row, Value column, int64_t count,
                             SmallVectorImpl<Value> &sums) {
  builder.restoreInsertionPoint(points.back());
  auto at = [&](Value pointer, Value offset) {
    return address(pointer, product.compute, offset);
  };
  auto times = [&](Value value, Value factor) -> Value {
    return arith::MulIOp::create(builder, loc, value, factor);
  };
  Value left, stride = operands.lineStride;
  if (operands.leftPanels)
    left =
        at(operands.left.pointer, times(row, leftPanelRows(product, operands)));
  SmallVector<Value> rows;
  for (int64_t r = 0; r < count && !left; ++r) {
    builder.restoreInsertionPoint(points.back());
    rows.push_back(leftRow(
        operands, builder.createOrFold<arith::AddIOp>(loc, row, constant(r))));
  }
  Value right = at(operands.right.pointer, times(column, operands.panelRows));
  if (!stride)
    stride = laneCount(product.width, product.vectors);
  auto addSteps = [&](Value from, Value to, int64_t together) {
    SmallVector<Value> carried(sums.begin(), sums.end());
    if (left)
      carried.append({right, left});
    Value first = openLoop(from, to, together, carried);
    SmallVector<Value> state(loopState());
    MutableArrayRef<Value> here(state);
    for (int64_t step = 0; step < together; ++step) {
      // Panels are walked through by pointers: an index that both multiply
      // takes more instructions than it saves.
      if (left) {
        Value line = at(here[sums.size()], times(constant(step), stride));
        addStep(product, line, here.take_front(sums.size()), [&](int64_t r) {
          return at(here.back(), constant(step * count + r));
        });
        continue;
      }
      Value k = builder.createOrFold<arith::AddIOp>(loc, first, constant(step));
      addStep(product, at(right, times(k, stride)), here,
              [&](int64_t r) { return at(rows[r], k); });
    }
    if (left) {
      here.back() = at(here.back(), constant(together * count));
      Value &line = here[sums.size()];
      line = at(line, times(constant(together), stride));
    }
    SmallVector<Value> results(closeLoop(state));
    if (left) {
      left = results.pop_back_val();
      right = results.pop_back_val();
    }
    sums.assign(results.begin(), results.end());
  };
  // Lines at a distance that is known only at run time need an address each;
  // and the few tiles of another size are not worth the code.
  int64_t tiles = product.tiles(), tall = product.tallTiles();
  bool isRare = 2 * (count > product.shortTile() ? tall : tiles - tall) < tiles;
  bool single = isRare || operands.lineStride || product.width.scalable ||
                product.tileRows * product.vectors > kFewSums;
  int64_t together = single ? 1 : kStepsTogether;
  Value end = operands.depth, whole = end;
  if (APInt depth; matchPattern(end, m_ConstantInt(&depth)))
    while (depth.urem(together) != 0)
      together /= 2;
  else if (left && product.depth % together == 0)
    whole = end = roundUp(end, together); // Both are packed up to there.
  else if (end != operands.panelRows || product.depth % together != 0)
    whole = arith::AndIOp::create(builder, loc, end, constant(-together));
  addSteps(constant(0), whole, together);
  if (whole != end)
    addSteps(whole, end, 1);
}

/// Adds the products of the right operand's `line` and one element of each row,
/// at `left`, to `sums`.
void Lowering::addStep(const Product &product, Value line,
                       MutableArrayRef<Value> sums,
                       function_ref<Value(int64_t)> left) {
  unsigned alignment = product.compute.getIntOrFloatBitWidth() / 8;
  Type type = product.compute;
  if (product.columns > 1)
    type = vectorType(product.width, product.compute);
  SmallVector<Value> columns;
  for (int64_t vector = 0; vector < product.vectors; ++vector)
    columns.push_back(LLVM::LoadOp::create(
        builder, loc, type,
        address(line, product.compute, laneCount(product.width, vector)),
        alignment));
  for (int64_t r = 0, count = sums.size() / product.vectors; r < count; ++r) {
    Value element =
        LLVM::LoadOp::create(builder, loc, product.compute, left(r), alignment);
    if (product.columns > 1)
      element = vector::BroadcastOp::create(builder, loc, type, element);
    for (int64_t vector = 0; vector < product.vectors; ++vector) {
      Value &sum = sums[r * product.vectors + vector];
      sum = multiplyAdd(element, columns[vector], sum);
    }
  }
}

/// Gives the block that a loop over one product carries a buffer, and the
/// register tiles of the first chunk the value that they start from, if it is
/// cheap enough to be computed there. Then the buffer is only written here if
/// there is no iteration at all.
void Lowering::bindAccumulator(scf::ForOp loop, const Product &product,
                               Value trips, Operands &operands) {
  Value init = loop.getInitArgs()[0];
  Buffer &out = operands.out;
  out = allocateLike(init);
  buffers[loop.getRegionIterArg(0)] = out;
  operands.startsAtZero = product.unit && isZeroBlock(init);
  bool isCheap = !product.unit && !buffers.contains(init) &&
                 plan.costOf(init) <= kAccumulatorCost;
  if (!isCheap && !operands.startsAtZero)
    return materializeInto(init, out);
  if (isCheap)
    operands.accumulator = init;
  else
    noteDecision(product.op, "product",
                 "the unit's first results are zeros that it reads from one "
                 "line: no block of zeros is written before");
  Value none = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle,
                                     trips, constant(0));
  guarded(none, {}, [&] {
    materializeInto(init, out);
    return Value();
  });
}

/// What a register tile starts from.
Value Lowering::startOf(const Operands &operands, const Tile &tile) {
  if (!operands.accumulator)
    return readBuffer(operands.out, tile).value;
  Lanes lanes = evaluate(operands.accumulator, tile);
  builder.restoreInsertionPoint(points.back());
  Value start = spread(lanes, tile);
  if (!operands.first)
    return start;
  // A read of what nothing was written to yet does no harm.
  Value sums = readBuffer(operands.out, tile).value;
  return select(operands.first, start, sums);
}

bool Lowering::isHeldIn(Value value, const Buffer &buffer) const {
  auto found = buffers.find(value);
  return found != buffers.end() && found->second.pointer == buffer.pointer;
}

Value Lowering::multiplyAdd(Value left, Value right, Value sum) {
  if (isa<IntegerType>(getElementTypeOrSelf(left.getType()))) {
    Value product = arith::MulIOp::create(builder, loc, left, right);
    return arith::AddIOp::create(builder, loc, product, sum);
  }
  if (machine.fma)
    return math::FmaOp::create(builder, loc, left, right, sum);
  Value product = arith::MulFOp::create(builder, loc, left, right);
  return arith::AddFOp::create(builder, loc, product, sum);
}

/// Vectors of equal length with their elements in turn; their number is a power
/// of two.
Value Lowering::interleaved(ArrayRef<Value> vectors) {
  if (vectors.size() == 1)
    return vectors.front();
  SmallVector<Value> even, odd;
  for (auto [index, value] : llvm::enumerate(vectors))
    (index % 2 ? odd : even).push_back(value);
  return vector::InterleaveOp::create(builder, loc, interleaved(even),
                                      interleaved(odd));
}

/// All register tiles.
void Lowering::multiply(const Product &product, Tile base,
                        const Operands &operands) {
  if (product.unit)
    return multiplyWithUnit(product, operands);
  auto tiles = [&](const Operands &part) {
    Value columns = atMost(product.columns, part.columns);
    columns = multiplySingleRow(product, base, part, columns);
    columns = multiplySingleColumn(product, base, part, columns);
    Value column = openLoop(constant(0), columns,
                            laneCount(product.width, product.vectors));
    forEachStrip(product, part, [&](Value row, int64_t rows) {
      multiplyTile(product, base, part, row, column, rows);
    });
    closeLoop();
  };
  if (!operands.lineStride)
    return tiles(operands);
  // What is not packed is read a few rows side by side, so that each of them
  // streams from memory.
  Value inPlace = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                        operands.panelRows, constant(1));
  Value all = arith::MaxSIOp::create(builder, loc, operands.depth, constant(1));
  Value step = arith::SelectOp::create(builder, loc, inPlace,
                                       constant(kRowsSideBySide), all);
  Value from = openLoop(constant(0), all, step);
  Operands part = operands;
  part.depth = arith::SubIOp::create(builder, loc, operands.depth, from);
  part.depth = arith::MinSIOp::create(builder, loc, part.depth, step);
  part.leftPointer =
      address(operands.leftPointer, operands.left.elementType, from);
  Value line = arith::MulIOp::create(builder, loc, from, operands.lineStride);
  part.right.pointer = address(operands.right.pointer, product.compute, line);
  if (operands.first) {
    Value isFirst = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::eq, from, constant(0));
    part.first = arith::AndIOp::create(builder, loc, operands.first, isFirst);
  }
  tiles(part);
  closeLoop();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// The buffer that a product accumulates in: that of the block which the
/// enclosing loop carries where the product is the last to touch it.
Buffer Lowering::destinationOf(const Product &product) {
  if (product.result.hasOneUse()) {
    OpOperand &use = *product.result.use_begin();
    auto loop = dyn_cast<scf::ForOp>(use.getOwner()->getParentOp());
    if (isa<scf::YieldOp>(use.getOwner()) && loop &&
        loop.getBody() == use.getOwner()->getBlock()) {
      Value carried = loop.getRegionIterArg(use.getOperandNumber());
      Value source = product.accumulator;
      // Follow the accumulator back through expressions that nobody else reads.
      while (source != carried && source.hasOneUse() &&
             !buffers.contains(source)) {
        Operation *op = source.getDefiningOp();
        if (!op || !isLazy(op) || !op->hasTrait<OpTrait::Elementwise>())
          break;
        Value next;
        for (Value operand : op->getOperands())
          if (isReadInPlaceOf(operand, carried))
            next = operand;
        if (!next)
          break;
        source = next;
      }
      if (source == carried && carried.hasOneUse())
        return buffers.lookup(carried);
    }
  }
  return allocateLike(product.result);
}

bool Lowering::isReadInPlaceOf(Value expression, Value carried) {
  return expression == carried ||
         (reads(expression, carried) && isReadInPlace(expression, carried));
}

/// The number of the innermost iteration that `op` is in, and a bound of how
/// many of them are worth to be told apart.
std::pair<Value, int64_t> Lowering::iterationOf(Operation *op) {
  auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
  if (!loop)
    return {constant(0), 1};
  Value distance =
      arith::SubIOp::create(builder, loc, asI64(scalar(loop.getInductionVar())),
                            asI64(scalar(loop.getLowerBound())));
  Value number = builder.createOrFold<arith::DivUIOp>(
      loc, distance, asI64(scalar(loop.getStep())));
  return {number, kMostGroups};
}

Product Lowering::productOf(linalg::LinalgOp op) {
  DenseSet<Value> seen;
  // The left operand's expression has a nest of its own.
  bool isFixed =
      machine.scalableUnitBits && (findFixedLanes(op->getOperand(1), seen) ||
                                   findFixedLanes(op->getOperand(2), seen));
  Product product(op, isFixed ? machine.withFixedVectors() : machine);
  explain(product);
  return product;
}

void Lowering::explain(const Product &product) const {
  noteDecision(product.op, "product",
               "{0} x {1} x {2} of {3} and {4}, computed in {5}", product.rows,
               product.columns, product.depth,
               typeOf(product.left).getElementType(),
               typeOf(product.right).getElementType(), product.compute);
  if (product.parts() > 1)
    noteDecision(product.op, "product",
                 "operands are sums of {0} parts, multiplied part by part",
                 product.parts());
  if (product.unit && product.step.interleave > 1)
    noteDecision(product.op, "product",
                 "{0} neighbours along the depth lie together in the right "
                 "operand's panels",
                 product.step.interleave);
  if (product.unit)
    return noteDecision(
        product.op, "product",
        "by the matrix unit in steps of {0} x {1} x {2}, {3} x {4} results in "
        "its registers over the whole depth",
        product.step.rows, product.step.columns, product.step.depth,
        product.unit->resultsDown(), product.unit->resultsAcross());
  if (!machine.units.empty())
    noteDecision(product.op, "product",
                 "not by a matrix unit: none has a step for these types that "
                 "divides the block");
  noteDecision(
      product.op, "product",
      "in register tiles of {0} x {1}: {0} rows of {2} vectors of {3}{4} "
      "elements are {5} of {6} registers",
      product.tileRows, product.vectors * product.width.lanes, product.vectors,
      product.width.lanes, product.width.scalable ? " x vscale" : "",
      product.tileRows * product.vectors, machine.vectorRegisters);
}

LogicalResult Lowering::emitProduct(linalg::LinalgOp op) {
  if (!isProduct(op))
    return op->emitError("SG0407: '")
           << op->getName().getStringRef() << "' is not supported";
  Product product = productOf(op);
  Buffer out = destinationOf(product);
  Operands operands = operandsFor(product, product.result, product.depth);
  operands.out = out;
  operands.depth = neededDepth(product);
  // Each element of the accumulator is read once, by its register tile.
  if (!product.unit && plan.costOf(product.accumulator) <= kAccumulatorCost)
    operands.accumulator = product.accumulator;
  else if (product.unit && isZeroBlock(product.accumulator))
    operands.startsAtZero = true;
  else if (!isHeldIn(product.accumulator, out))
    materializeInto(product.accumulator, out);
  auto [number, groups] = iterationOf(op);
  SmallVector<Value> tag;
  if (operands.columns)
    tag.push_back(operands.columns);
  Panels panels =
      planPanels(product, nullptr, product.depth, groups, tag.size());
  Group group = findGroup(panels, number, tag);
  operands.right = group.buffer;
  Value packsLeft = constant(1), packsRight = unless(group.kept, constant(1));
  if (sg::LoadOp load = leftInUserMemory(product, nullptr)) {
    Value even = rowsAreEven(product, load),
          whole = isWholeInPlace(load, operands, operands.depth);
    whole = builder.createOrFold<arith::AndIOp>(loc, whole, even);
    packsLeft = unless(whole, packsLeft);
    readLeftInPlace(operands, load, whole);
  } else if (std::optional<Buffer> held = leftInScratch(product);
             held || (held = packedLeft(product))) {
    noteDecision(op, "product",
                 "the left operand is read from the scratch "
                 "area where it lies");
    packsLeft = constant(0);
    operands.left = *held;
    operands.leftPointer = held->pointer;
    operands.leftRowBytes = constant(
        held->strides[0] * product.compute.getIntOrFloatBitWidth() / 8);
  }
  openNest();
  size_t rank = typeOf(product.result).getRank();
  Tile base = originOf(rank);
  if (product.batched)
    openLoops(base, typeOf(product.result).getShape(), {0}, {});
  auto pack = [&](Value times, function_ref<void(const Tile &)> emit) {
    if (isConstantIntValue(times, 0))
      return;
    openLoop(constant(0), times, 1);
    Tile here = base;
    for (Coordinate &coordinate : here.coordinates)
      coordinate.depth = depth();
    emit(here);
    closeLoop();
  };
  pack(packsLeft, [&](const Tile &tile) {
    packLeft(product, tile, operands.left, constant(0));
  });
  pack(packsRight, [&](const Tile &tile) {
    packRight(product, tile, operands, constant(0));
  });
  if (!operands.depth)
    operands.depth = constant(product.depth);
  multiply(product, base, operands);
  while (!loops.empty())
    closeLoop();
  closeNest();
  buffers[product.result] = out;
  return success();
}

/// The elements from one packed row of the left operand to the next. Rows that
/// are a power of two apart would share few places of the caches.
static int64_t leftRowElements(const Product &product, int64_t capacity) {
  if (!product.unit)
    return capacity;
  return capacity + kLineBits / product.compute.getIntOrFloatBitWidth();
}

/// Room for `capacity` packed columns of the left operand. `result` is what the
/// kernel makes of the product.
Lowering::Operands Lowering::operandsFor(const Product &product, Value result,
                                         int64_t capacity) {
  Operands operands;
  operands.capacity = capacity;
  operands.panelRows = constant(capacity);
  int64_t row = leftRowElements(product, capacity);
  operands.left =
      allocateBytes(product.rows * row * product.parts(), product.compute);
  operands.left.strides = {row, 1};
  operands.leftPointer = operands.left.pointer;
  int64_t rank = typeOf(result).getRank();
  operands.rows = neededExtent(result, rank - 2);
  operands.columns = neededExtent(result, rank - 1);
  if (product.unit)
    operands.leftRowBytes =
        constant(row * product.compute.getIntOrFloatBitWidth() / 8);
  return operands;
}

//===- Materialize.cpp - blocks that are written to the scratch area
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "Strided.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

static RankedTensorType withElement(RankedTensorType type, Type element) {
  return RankedTensorType::get(type.getShape(), element);
}

Buffer Lowering::bufferOf(Value value) {
  auto it = buffers.find(value);
  if (it != buffers.end())
    return it->second;
  Buffer buffer = allocate(
      withElement(typeOf(value), lowered(typeOf(value).getElementType())));
  materializeInto(value, buffer);
  return buffers[value] = buffer;
}

void Lowering::materializeInto(Value value, const Buffer &buffer) {
  if (value.getDefiningOp<tensor::EmptyOp>())
    return;
  ArrayRef<int64_t> shape = typeOf(value).getShape();
  DenseSet<Value> seen;
  if (int64_t span = spanOf(value, seen); span > 1)
    return materializeGroups(value, buffer, span);
  int64_t vectorDim = chooseVectorDim(value);
  Width width = vectorDim < 0
                    ? 1
                    : chooseWidth(buffer.elementType, shape[vectorDim], value);
  SmallVector<int64_t> outer =
      llvm::to_vector(llvm::seq<int64_t>(0, shape.size()));
  llvm::erase(outer, vectorDim);
  auto body = [&](ArrayRef<Tile> tiles) {
    for (const Tile &tile : tiles) {
      Value vector = evaluateAll(value, tile).front();
      builder.restoreInsertionPoint(points.back());
      writeBuffer(buffer, tile, vector);
    }
  };
  // Beyond all bounds one vector is enough for the rest of the row.
  auto beyond = [&](const Tile &tile, function_ref<void(TileBody)> forEach) {
    Value vector = evaluateAll(value, tile).front();
    forEach([&](const Tile &other) { writeBuffer(buffer, other, vector); });
  };
  // A copy of what is read is hardly cheaper than the reads.
  bool cheap = value.getDefiningOp<sg::LoadOp>() != nullptr;
  openNest();
  emitGroups(originOf(shape.size()), shape, outer, vectorDim, width,
             /*vectors=*/1, value, {}, body,
             cheap ? BeyondBody() : BeyondBody(beyond));
  closeNest();
}

LogicalResult Lowering::materialize(Value value) {
  if (auto constant = value.getDefiningOp<arith::ConstantOp>())
    if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
        dense && !dense.isSplat())
      return materializeConstant(value, dense);
  // A volatile read happens once, where it stands.
  bool isRead = value.getDefiningOp() &&
                isa<sg::LoadOp, sg::GatherOp>(value.getDefiningOp());
  if (!isRead && (!value.getDefiningOp() || !isLazy(value.getDefiningOp())))
    return emitError(value.getLoc(), "SG0401: cannot evaluate '")
           << (value.getDefiningOp()
                   ? value.getDefiningOp()->getName().getStringRef()
                   : "argument")
           << "' on a block";
  bufferOf(value);
  return success();
}

LogicalResult Lowering::materializeConstant(Value value,
                                            DenseElementsAttr dense) {
  Buffer buffer = allocate(typeOf(value));
  for (auto [position, element] :
       llvm::enumerate(dense.getValues<Attribute>())) {
    Value stored =
        arith::ConstantOp::create(builder, loc, cast<TypedAttr>(element));
    Value pointer =
        address(buffer.pointer, buffer.elementType, constant(position));
    LLVM::StoreOp::create(builder, loc, toMemory(stored), pointer);
  }
  buffers[value] = buffer;
  return success();
}

static bool isRowMajor(const Buffer &buffer, ArrayRef<int64_t> shape) {
  int64_t expected = 1;
  for (int64_t dim = shape.size() - 1; dim >= 0; --dim) {
    if (shape[dim] != 1 && buffer.strides[dim] != expected)
      return false;
    expected *= shape[dim];
  }
  return true;
}

/// The part of a buffer that a slice names.
static void narrow(tensor::ExtractSliceOp slice, Buffer &view,
                   int64_t &offset) {
  SmallVector<int64_t> strides;
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  for (auto [dim, stride] : llvm::enumerate(view.strides)) {
    offset += slice.getStaticOffsets()[dim] * stride;
    if (!dropped.test(dim))
      strides.push_back(stride * slice.getStaticStrides()[dim]);
  }
  view.strides = strides;
}

void Lowering::emitView(Operation *op) {
  Value source = op->getOperand(0), result = op->getResult(0);
  Buffer view = bufferOf(source);
  auto slice = dyn_cast<tensor::ExtractSliceOp>(op);
  // A block that a loop carries is overwritten while views of it may live.
  bool carried = isa<BlockArgument>(source);
  if (carried || (!slice && !isRowMajor(view, typeOf(source).getShape()))) {
    view = allocate(withElement(typeOf(source), view.elementType));
    materializeInto(source, view);
  }
  if (slice) {
    int64_t offset = 0;
    narrow(slice, view, offset);
    view.pointer = address(view.pointer, view.elementType, constant(offset));
  } else {
    view.strides.assign(typeOf(result).getRank(), 1);
    for (int64_t dim = typeOf(result).getRank() - 2; dim >= 0; --dim)
      view.strides[dim] =
          view.strides[dim + 1] * typeOf(result).getDimSize(dim + 1);
  }
  buffers[result] = view;
}

LogicalResult Lowering::emitConcat(Operation *op) {
  auto concat = cast<tensor::ConcatOp>(op);
  Value result = concat.getResult();
  Buffer whole = allocate(
      withElement(typeOf(result), lowered(typeOf(result).getElementType())));
  int64_t position = 0, dim = concat.getDim();
  Value one = concat.getInputs()[0], other = concat.getInputs().back();
  int64_t rank = typeOf(result).getRank();
  // Pairs of elements, as of `tl.join`.
  if (concat.getInputs().size() == 2 && rank > 1 && dim == rank - 1 &&
      typeOf(one).getDimSize(dim) == 1 && typeOf(other).getDimSize(dim) == 1 &&
      typeOf(one).getDimSize(dim - 1) > 1) {
    ArrayRef<int64_t> shape = typeOf(one).getShape();
    SmallVector<Value> inputs = {one, other};
    Width width = chooseWidth(whole.elementType, shape[dim - 1], inputs);
    if (!width.scalable && width.lanes > 1) {
      forEachTile(shape, dim - 1, width, inputs, {}, [&](const Tile &tile) {
        SmallVector<Value> values = evaluateAll(inputs, tile);
        builder.restoreInsertionPoint(points.back());
        Value even = toMemory(values[0]), odd = toMemory(values[1]);
        unsigned bits =
            getElementTypeOrSelf(even.getType()).getIntOrFloatBitWidth();
        writeInterleaved(builder, loc, even, odd, bufferAddress(whole, tile),
                         bits / 8);
      });
      buffers[result] = whole;
      return success();
    }
  }
  for (Value input : concat.getInputs()) {
    Buffer part = whole;
    part.pointer = address(whole.pointer, whole.elementType,
                           constant(position * whole.strides[dim]));
    materializeInto(input, part);
    position += typeOf(input).getDimSize(dim);
  }
  buffers[result] = whole;
  return success();
}

/// Applies the region to `pack` consecutive elements at a time, in row-major
/// order.
LogicalResult Lowering::emitMap(sg::MapOp op) {
  int64_t pack = op.getPack();
  SmallVector<Buffer> outputs;
  for (Value result : op.getResults())
    outputs.push_back(allocate(typeOf(result)));
  ArrayRef<int64_t> shape = typeOf(op.getInputs().front()).getShape();
  for (Value input : op.getInputs())
    if (pack > 1)
      bufferOf(input);
  openNest();
  SmallVector<int64_t> dims =
      llvm::to_vector(llvm::seq<int64_t>(0, shape.size() - 1));
  Tile tile = originOf(shape.size());
  openLoops(tile, shape, dims, {});
  Value first = openLoop(constant(0), constant(shape.back()), pack);
  SmallVector<Tile> tiles;
  for (int64_t element = 0; element < pack; ++element) {
    tile.coordinates.back() = {
        builder.createOrFold<arith::AddIOp>(loc, first, constant(element)),
        depth(), -1};
    tiles.push_back(tile);
  }
  IRMapping mapping = scalars;
  unsigned argument = 0;
  Block &body = op.getRegion().front();
  for (Value input : op.getInputs())
    for (const Tile &element : tiles)
      mapping.map(body.getArgument(argument++), evaluate(input, element).value);
  builder.restoreInsertionPoint(points.back());
  for (Operation &inner : body.without_terminator())
    builder.clone(inner, mapping);
  unsigned value = 0;
  for (const Buffer &output : outputs)
    for (const Tile &element : tiles)
      writeBuffer(output, element,
                  mapping.lookup(body.getTerminator()->getOperand(value++)));
  while (!loops.empty())
    closeLoop();
  closeNest();
  for (auto [result, output] : llvm::zip(op.getResults(), outputs))
    buffers[result] = output;
  return success();
}

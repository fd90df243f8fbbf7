//===- VerifyBlocks.cpp - verifiers of operations on blocks ---------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/TypeUtilities.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"

using namespace mlir;
using namespace seagrove::tt;

//===----------------------------------------------------------------------===//
// Casts and code of the user's own
//===----------------------------------------------------------------------===//

LogicalResult BitcastOp::verify() {
  Type from = getElementTypeOrSelf(getSrc().getType());
  Type to = getElementTypeOrSelf(getType());
  bool fromPointer = isa<PointerType>(from), toPointer = isa<PointerType>(to);
  if (fromPointer != toPointer)
    return emitOpError("cannot reinterpret ")
           << describe(from) << " as " << describe(to)
           << ": cast between pointers and integers instead";
  if (!fromPointer &&
      from.getIntOrFloatBitWidth() != to.getIntOrFloatBitWidth())
    return emitOpError("cannot reinterpret ")
           << from << " as " << to << ": their widths differ";
  return success();
}

LogicalResult FpToFpOp::verify() {
  Type from = getElementTypeOrSelf(getSrc().getType());
  Type to = getElementTypeOrSelf(getType());
  if (from.getIntOrFloatBitWidth() > to.getIntOrFloatBitWidth() &&
      !getRounding())
    return emitOpError("narrows ")
           << from << " to " << to << " without a rounding mode";
  return success();
}

LogicalResult ElementwiseInlineAsmOp::verify() {
  int32_t packed = getPackedElement();
  if (packed < 1)
    return emitOpError("takes ") << packed << " elements at a time";
  for (Type type : getOperation()->getResultTypes()) {
    auto block = dyn_cast<RankedTensorType>(type);
    if (block && block.getNumElements() % packed != 0)
      return emitOpError("takes ")
             << packed << " elements at a time, which do not divide the "
             << block.getNumElements() << " of its block";
  }
  return success();
}

LogicalResult MapElementwiseOp::verifyRegions() {
  int64_t pack = getPack();
  if (pack < 1)
    return emitOpError("packs ") << pack << " elements";
  SmallVector<Type> wantedArgs, wantedResults;
  for (Type type : getSrcs().getTypes())
    wantedArgs.append(pack, getElementTypeOrSelf(type));
  for (Type type : getOperation()->getResultTypes())
    wantedResults.append(pack, getElementTypeOrSelf(type));
  if (getScalarOp().getArgumentTypes() != TypeRange(wantedArgs))
    return emitOpError("needs a function of ")
           << wantedArgs.size() << " scalars, the elements of its blocks, but "
           << "the function takes " << getScalarOp().getNumArguments();
  for (Block &block : getScalarOp()) {
    auto ret = dyn_cast<MapElementwiseReturnOp>(block.getTerminator());
    if (ret && ret.getOperandTypes() != TypeRange(wantedResults))
      return emitOpError("needs a function that gives ")
             << wantedResults.size()
             << " scalars, the elements of its results, but the function gives "
             << ret.getNumOperands();
  }
  return success();
}

LogicalResult PrintOp::verify() {
  if (getIsSigned().size() == getArgs().size())
    return success();
  return emitOpError("prints ") << getArgs().size() << " values but has "
                                << getIsSigned().size() << " signs";
}

//===----------------------------------------------------------------------===//
// Results that follow from the operands
//===----------------------------------------------------------------------===//

template <typename OpT> static LogicalResult verifyInferred(OpT op) {
  SmallVector<Type> wanted;
  if (failed(OpT::inferReturnTypes(op.getContext(), op.getLoc(),
                                   typename OpT::Adaptor(op), wanted)))
    return failure();
  if (op->getNumResults() != wanted.size())
    return op.emitOpError("gives ")
           << op->getNumResults() << " results instead of " << wanted.size();
  for (auto [have, want] : llvm::zip(op->getResultTypes(), wanted))
    if (have != want)
      return op.emitOpError("gives a ")
             << describe(have) << " instead of a " << describe(want);
  return success();
}

LogicalResult ExpandDimsOp::verify() { return verifyInferred(*this); }
LogicalResult TransOp::verify() { return verifyInferred(*this); }
LogicalResult JoinOp::verify() { return verifyInferred(*this); }
LogicalResult SplitOp::verify() { return verifyInferred(*this); }

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

LogicalResult MakeRangeOp::verify() {
  int64_t start = static_cast<int32_t>(getStart());
  int64_t end = static_cast<int32_t>(getEnd());
  if (start >= end)
    return emitOpError("needs a start below its end, but they are ")
           << start << " and " << end;
  RankedTensorType type = getType();
  if (type.getRank() != 1 || type.getNumElements() != end - start)
    return emitOpError("from ")
           << start << " to " << end << " has " << end - start
           << " elements but its block has shape " << describeShape(type);
  return success();
}

LogicalResult UnsplatOp::verify() {
  if (getSrc().getType().getNumElements() == 1)
    return success();
  return emitOpError("takes the only element of a block, but the block has "
                     "shape ")
         << describeShape(getSrc().getType());
}

LogicalResult BroadcastOp::verify() {
  RankedTensorType from = getSrc().getType(), to = getType();
  bool legal = from.getRank() == to.getRank();
  for (auto [have, want] : llvm::zip(from.getShape(), to.getShape()))
    legal &= have == want || have == 1;
  if (legal)
    return success();
  return emitOpError("cannot broadcast shape ")
         << describeShape(from) << " to " << describeShape(to)
         << ": only dimensions of size 1 can grow";
}

LogicalResult ReshapeOp::verify() {
  RankedTensorType from = getSrc().getType(), to = getType();
  if (from.getNumElements() == to.getNumElements())
    return success();
  return emitOpError("cannot reshape ")
         << describeShape(from) << " (" << from.getNumElements()
         << " elements) to " << describeShape(to) << " (" << to.getNumElements()
         << " elements)";
}

LogicalResult CatOp::verify() {
  int64_t have = getType().getNumElements();
  int64_t want = 2 * getLhs().getType().getNumElements();
  if (have == want)
    return success();
  return emitOpError("of two blocks of ")
         << want / 2 << " elements has " << want << ", not " << have;
}

LogicalResult HistogramOp::verify() {
  if (getType().getRank() != 1)
    return emitOpError("gives its counts as a block of one dimension, not of ")
           << getType().getRank();
  if (getMask() &&
      getMask().getType().getShape() != getSrc().getType().getShape())
    return emitOpError("mask has shape ")
           << describeShape(getMask().getType()) << " but the block has shape "
           << describeShape(getSrc().getType());
  return success();
}

LogicalResult GatherOp::verify() {
  RankedTensorType source = getSrc().getType(),
                   indices = getIndices().getType();
  int64_t axis = static_cast<int32_t>(getAxis());
  if (source.getRank() != indices.getRank())
    return emitOpError("picks from a block of ")
           << source.getRank() << " dimensions with indices of "
           << indices.getRank();
  if (axis < 0 || axis >= source.getRank())
    return emitOpError("axis ")
           << axis << " is not a dimension of a " << describe(source);
  for (int64_t dim = 0; dim < source.getRank(); ++dim)
    if (dim != axis && indices.getDimSize(dim) > source.getDimSize(dim))
      return emitOpError("has indices of size ")
             << indices.getDimSize(dim) << " in dimension " << dim
             << " where the block has " << source.getDimSize(dim);
  if (getType() != indices.clone(source.getElementType()))
    return emitOpError("gives a ")
           << describe(getType()) << " but picks a "
           << describe(indices.clone(source.getElementType()));
  return success();
}

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

/// Checks d[.., M, N] = a[.., M, K] * b[.., K, N]; the shapes count elements
/// that may be packed in the blocks.
static LogicalResult verifyMatmul(Operation *op, ArrayRef<int64_t> a,
                                  ArrayRef<int64_t> b, ArrayRef<int64_t> d) {
  size_t rank = a.size();
  if ((rank != 2 && rank != 3) || b.size() != rank || d.size() != rank)
    return op->emitOpError("multiplies matrices, or batches of matrices, but "
                           "its blocks have ")
           << a.size() << ", " << b.size() << " and " << d.size()
           << " dimensions";
  if (rank == 3 && (a[0] != b[0] || a[0] != d[0]))
    return op->emitOpError("has batches of ")
           << a[0] << ", " << b[0] << " and " << d[0] << " matrices";
  size_t row = rank - 2, col = rank - 1;
  if (a[col] != b[row])
    return op->emitOpError("multiplies ")
           << a[row] << "x" << a[col] << " by " << b[row] << "x" << b[col]
           << ": the inner sizes differ";
  if (d[row] != a[row] || d[col] != b[col])
    return op->emitOpError("accumulates a ")
           << a[row] << "x" << b[col] << " product into a " << d[row] << "x"
           << d[col] << " block";
  return success();
}

LogicalResult DotOp::verify() {
  RankedTensorType a = getA().getType(), b = getB().getType(), d = getType();
  if (isa<FloatType>(a.getElementType()) != isa<FloatType>(b.getElementType()))
    return emitOpError("multiplies ")
           << a.getElementType() << " by " << b.getElementType();
  return verifyMatmul(*this, a.getShape(), b.getShape(), d.getShape());
}

/// Returns a block's shape in elements, of which two may share a byte.
static SmallVector<int64_t>
unpackedShape(RankedTensorType type, ScaleDotElemType element, size_t dim) {
  SmallVector<int64_t> shape(type.getShape());
  if (element == ScaleDotElemType::E2M1 && dim < shape.size())
    shape[dim] *= 2;
  return shape;
}

LogicalResult DotScaledOp::verify() {
  RankedTensorType a = getA().getType(), b = getB().getType();
  size_t row = a.getRank() - 2, col = a.getRank() - 1;
  return verifyMatmul(
      *this, unpackedShape(a, getAElemType(), getLhsKPack() ? col : row),
      unpackedShape(b, getBElemType(), getRhsKPack() ? row : col),
      getType().getShape());
}

//===----------------------------------------------------------------------===//
// Reductions and scans
//===----------------------------------------------------------------------===//

template <typename OpT> static LogicalResult verifyCombine(OpT op) {
  if (op.getSrcs().empty())
    return op.emitOpError("needs at least one block");
  int64_t axis = static_cast<int32_t>(op.getAxis());
  RankedTensorType block = op.getInputTypes().front();
  if (axis < 0 || axis >= block.getRank())
    return op.emitOpError("axis ")
           << axis << " is not a dimension of a " << describe(block);
  return verifyInferred(op);
}

/// Checks the function that combines two groups of scalars into one.
static LogicalResult verifyCombineRegion(Operation *op, Region &region,
                                         ArrayRef<Type> elements) {
  SmallVector<Type> wanted(elements);
  llvm::append_range(wanted, elements);
  Block &block = region.front();
  if (block.getNumArguments() != wanted.size())
    return op->emitOpError("combines ")
           << elements.size() << " block(s) with a function of "
           << block.getNumArguments() << " scalars; it needs " << wanted.size();
  for (auto [index, pair] :
       llvm::enumerate(llvm::zip(block.getArgumentTypes(), wanted))) {
    auto [have, want] = pair;
    if (have != want)
      return op->emitOpError("parameter ")
             << index << " of its function is " << describe(have)
             << " but the elements are " << want;
  }
  Operation *terminator = block.getTerminator();
  if (terminator->getOperandTypes() != TypeRange(elements))
    return op->emitOpError("needs a function that gives one scalar a block, of "
                           "the type of its elements");
  return success();
}

LogicalResult ReduceOp::verify() { return verifyCombine(*this); }
LogicalResult ReduceOp::verifyRegions() {
  return verifyCombineRegion(*this, getCombineOp(), getElementTypes());
}

LogicalResult ScanOp::verify() { return verifyCombine(*this); }
LogicalResult ScanOp::verifyRegions() {
  return verifyCombineRegion(*this, getCombineOp(), getElementTypes());
}

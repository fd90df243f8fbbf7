//===- Aliasing.cpp - reads that a later write may overlap
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A lazy read happens when its value is needed, so after the point where the
// program reads. If a store comes between, or if the store's own nest reads
// what another iteration of it writes, the memory may have changed by then. The
// addresses are known as intervals, so the generated code tests for overlap and
// only then takes a copy of what is to be read; the read goes on through a
// pointer and strides that were selected, and its loop is not duplicated.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "Strided.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

static bool sameOperands(ValueRange left, ValueRange right) {
  return left.size() == right.size() && llvm::equal(left, right);
}

/// Returns true if both name the same element at the same position, as far as
/// the operands tell.
static bool sameAccess(sg::StoreOp store, sg::LoadOp load) {
  return store.getBase() == load.getBase() &&
         store.getOffset() == load.getOffset() &&
         sameOperands(store.getStrides(), load.getStrides()) &&
         store.getIndices().empty() && load.getIndices().empty();
}

namespace {
/// The bytes that an access may touch, as integers; `known` is false where an
/// index tensor may reach anywhere.
struct ByteRange {
  Value first, end, start;
  bool known = true;
};
} // namespace

/// `indexed` gives the least and the largest element of the index along a
/// dimension.
template <typename AccessOp>
static ByteRange
rangeOf(AccessOp op, OpBuilder &builder, Location loc,
        function_ref<Value(Value)> scalar,
        function_ref<Value(int64_t)> constant, int64_t bytes,
        function_ref<std::pair<Value, Value>(int64_t dim)> indexed) {
  ByteRange range;
  Value base = LLVM::PtrToIntOp::create(builder, loc, builder.getI64Type(),
                                        scalar(op.getBase()));
  Value low = scalar(op.getOffset()), high = low, start = low;
  for (auto [stride, from, to] :
       llvm::zip(op.getStrides(), op.getLows(), op.getHighs())) {
    Value last = arith::SubIOp::create(builder, loc, scalar(to), constant(1));
    Value a = arith::MulIOp::create(builder, loc, scalar(stride), scalar(from));
    Value b = arith::MulIOp::create(builder, loc, scalar(stride), last);
    low = arith::AddIOp::create(builder, loc, low,
                                arith::MinSIOp::create(builder, loc, a, b));
    high = arith::AddIOp::create(builder, loc, high,
                                 arith::MaxSIOp::create(builder, loc, a, b));
  }
  range.known = llvm::all_of(op.getIndices(), hasInterval);
  for (int64_t dim = 0, rank = op.getStrides().size();
       range.known && dim < rank; ++dim)
    if (op.getIndexOf(dim)) {
      auto [least, most] = indexed(dim);
      low = arith::AddIOp::create(builder, loc, low, least);
      high = arith::AddIOp::create(builder, loc, high, most);
    }
  high = arith::AddIOp::create(builder, loc, high, constant(1));
  auto inBytes = [&](Value elements) -> Value {
    Value scaled =
        arith::MulIOp::create(builder, loc, elements, constant(bytes));
    return arith::AddIOp::create(builder, loc, base, scaled);
  };
  range.first = inBytes(low);
  range.end = inBytes(high);
  range.start = inBytes(start);
  return range;
}

/// A bit: whether lanes of `store` may have an address in common. They do not
/// if, in some order of the dimensions, one step along each goes further than
/// all steps along those before it.
static Value mayRepeat(sg::StoreOp store, OpBuilder &builder, Location loc,
                       function_ref<Value(Value)> scalar,
                       function_ref<Value(int64_t)> constant) {
  SmallVector<int64_t> order;
  SmallVector<Value> steps, spans;
  for (auto [dim, size] :
       llvm::enumerate(typeOf(store.getValue()).getShape())) {
    if (size > 1)
      order.push_back(dim);
    Value stride = scalar(store.getStrides()[dim]);
    Value back = builder.createOrFold<arith::SubIOp>(loc, constant(0), stride);
    steps.push_back(builder.createOrFold<arith::MaxSIOp>(loc, stride, back));
    Value last = builder.createOrFold<arith::SubIOp>(
        loc, scalar(store.getHighs()[dim]), scalar(store.getLows()[dim]));
    last = builder.createOrFold<arith::SubIOp>(loc, last, constant(1));
    last = builder.createOrFold<arith::MaxSIOp>(loc, last, constant(0));
    spans.push_back(
        builder.createOrFold<arith::MulIOp>(loc, steps.back(), last));
  }
  // Of many dimensions only the order that blocks mostly have.
  constexpr size_t kAllOrders = 3;
  if (order.size() > kAllOrders)
    std::reverse(order.begin(), order.end());
  auto bit = [&](bool value) -> Value {
    return arith::ConstantOp::create(builder, loc, builder.getBoolAttr(value));
  };
  Value repeats = bit(true);
  do {
    Value reach = constant(0), meets = bit(false);
    for (int64_t dim : order) {
      Value isShort = builder.createOrFold<arith::CmpIOp>(
          loc, arith::CmpIPredicate::sle, steps[dim], reach);
      meets = builder.createOrFold<arith::OrIOp>(loc, meets, isShort);
      reach = builder.createOrFold<arith::AddIOp>(loc, reach, spans[dim]);
    }
    repeats = builder.createOrFold<arith::AndIOp>(loc, repeats, meets);
  } while (std::next_permutation(order.begin(), order.end()));
  return repeats;
}

/// A bit: whether what `store` writes, if it is written late or early, changes
/// what `load` reads. The same address for each lane is no conflict for a read
/// `inPlace`, that only the store's own nest needs, since it reads each element
/// before it writes it, unless several lanes write one element, or stores of
/// the nest `meet`. Null where there never is one.
Value Lowering::findConflict(sg::StoreOp store, sg::LoadOp load, bool inPlace,
                             Value meet) {
  bool same = inPlace && sameAccess(store, load);
  auto lookup = [&](Value value) { return scalar(value); };
  auto number = [&](int64_t value) { return constant(value); };
  Value apart; // What an in-place read is a conflict by.
  if (inPlace)
    apart = mayRepeat(store, builder, loc, lookup, number);
  if (apart && meet)
    apart = builder.createOrFold<arith::OrIOp>(loc, apart, meet);
  if (same && matchPattern(apart, m_Zero()))
    return {};
  auto width = [&](Value value) {
    return (lowered(typeOf(value).getElementType()).getIntOrFloatBitWidth() +
            7) /
           8;
  };
  Value known;
  auto interval = [&](auto op, int64_t dim) {
    Interval found =
        intervalOf(op.getIndexOf(dim), op.getLows()[dim], op.getHighs()[dim]);
    known = known ? arith::AndIOp::create(builder, loc, known, found.known)
                        .getResult()
                  : found.known;
    return std::pair(found.low, found.high);
  };
  unsigned loadBytes = width(load.getResult()),
           storeBytes = width(store.getValue());
  ByteRange read = rangeOf(load, builder, loc, lookup, number, loadBytes,
                           [&](int64_t dim) { return interval(load, dim); });
  ByteRange written =
      rangeOf(store, builder, loc, lookup, number, storeBytes,
              [&](int64_t dim) { return interval(store, dim); });
  using Relation = arith::CmpIPredicate;
  auto compare = [&](Relation relation, Value left, Value right) -> Value {
    return arith::CmpIOp::create(builder, loc, relation, left, right);
  };
  Value always =
      arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
  if (same)
    return apart;
  if (!read.known || !written.known)
    return always;
  Value conflict = arith::AndIOp::create(
      builder, loc, compare(Relation::slt, read.first, written.end),
      compare(Relation::slt, written.first, read.end));
  if (known) {
    Value unknown = arith::XOrIOp::create(builder, loc, known, always);
    conflict = arith::OrIOp::create(builder, loc, conflict, unknown);
  } else if (inPlace && loadBytes == storeBytes) {
    Value differs = compare(Relation::ne, read.start, written.start);
    differs = arith::OrIOp::create(builder, loc, differs, apart);
    for (auto [left, right] : llvm::zip(load.getStrides(), store.getStrides()))
      if (left != right)
        differs = arith::OrIOp::create(
            builder, loc, differs,
            compare(Relation::ne, scalar(left), scalar(right)));
    conflict = arith::AndIOp::create(builder, loc, conflict, differs);
  }
  // The even elements of a row are not its odd ones.
  auto isEverySecond = [](auto op) {
    return op.getStrides().size() == 1 && op.getIndices().empty() &&
           isConstantIntValue(op.getStrides()[0], 2);
  };
  if (loadBytes == storeBytes && isEverySecond(load) && isEverySecond(store)) {
    Value distance =
        arith::SubIOp::create(builder, loc, read.start, written.start);
    distance = arith::AndIOp::create(builder, loc, distance,
                                     constant(2 * loadBytes - 1));
    conflict = arith::AndIOp::create(
        builder, loc, conflict,
        compare(Relation::ne, distance, constant(loadBytes)));
  }
  return conflict;
}

/// A bit: whether two of `stores`, which one nest writes, overlap in another
/// way than element by element. Null where there is one.
Value Lowering::storesMeet(ArrayRef<sg::StoreOp> stores) {
  auto lookup = [&](Value value) { return scalar(value); };
  auto number = [&](int64_t value) { return constant(value); };
  using Relation = arith::CmpIPredicate;
  auto compare = [&](Relation relation, Value left, Value right) -> Value {
    return arith::CmpIOp::create(builder, loc, relation, left, right);
  };
  if (stores.size() < 2 || arePairs(stores[0], stores[1]))
    return {};
  SmallVector<ByteRange> ranges;
  Value repeat, meet;
  auto either = [&](Value &all, Value one) {
    all = all ? builder.createOrFold<arith::OrIOp>(loc, all, one) : one;
  };
  for (sg::StoreOp store : stores) {
    Type element = lowered(typeOf(store.getValue()).getElementType());
    ranges.push_back(rangeOf(store, builder, loc, lookup, number,
                             (element.getIntOrFloatBitWidth() + 7) / 8, {}));
    either(repeat, mayRepeat(store, builder, loc, lookup, number));
  }
  for (size_t left = 0; left < stores.size(); ++left)
    for (size_t right = left + 1; right < stores.size(); ++right) {
      const ByteRange &a = ranges[left], &b = ranges[right];
      Value differs = compare(Relation::ne, a.start, b.start);
      for (auto [ours, others] :
           llvm::zip(sg::StoreOp(stores[left]).getStrides(),
                     sg::StoreOp(stores[right]).getStrides()))
        if (ours != others)
          either(differs, compare(Relation::ne, scalar(ours), scalar(others)));
      either(differs, repeat);
      Value overlap = arith::AndIOp::create(
          builder, loc, compare(Relation::slt, a.first, b.end),
          compare(Relation::slt, b.first, a.end));
      either(meet, arith::AndIOp::create(builder, loc, overlap, differs));
    }
  return meet;
}

/// Loops of a function that copies a box of `rank` dimensions between two
/// places: pointers, the strides of both in elements, first and last + 1
/// coordinate of each dimension. Along the last one whole vectors where both
/// are contiguous.
static void emitCopyLoops(OpBuilder &builder, Location loc, Block *entry,
                          Type element, int64_t lanes, unsigned rank) {
  SmallVector<Value> arguments(entry->getArguments());
  auto group = [&](unsigned number) {
    return ArrayRef<Value>(arguments).slice(2 + number * rank, rank);
  };
  ArrayRef<Value> toStrides = group(0), fromStrides = group(1), lows = group(2),
                  highs = group(3);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(builder, loc, builder.getI64Type(),
                                        value);
  };
  auto at = [&](Value pointer, Value index, Value stride) -> Value {
    Value offset = arith::MulIOp::create(builder, loc, index, stride);
    return LLVM::GEPOp::create(builder, loc, pointer.getType(), element,
                               pointer, ArrayRef<LLVM::GEPArg>{offset});
  };
  Value to = arguments[0], from = arguments[1], one = constant(1);
  auto loop = [&](Value low, Value high, Value step) {
    auto opened = scf::ForOp::create(builder, loc, low, high, step);
    builder.setInsertionPointToStart(opened.getBody());
    return opened;
  };
  for (unsigned dim = 0; dim + 1 < rank; ++dim) {
    Value index = loop(lows[dim], highs[dim], one).getInductionVar();
    to = at(to, index, toStrides[dim]);
    from = at(from, index, fromStrides[dim]);
  }
  Value low = lows.back(), high = highs.back(), toStride = toStrides.back(),
        fromStride = fromStrides.back();
  auto isOne = [&](Value stride) -> Value {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, stride,
                                 one);
  };
  Value contiguous =
      arith::AndIOp::create(builder, loc, isOne(toStride), isOne(fromStride));
  Value size = arith::SubIOp::create(builder, loc, high, low);
  Value whole = arith::AndIOp::create(builder, loc, size, constant(-lanes));
  whole = arith::MaxSIOp::create(builder, loc, whole, constant(0));
  whole = arith::SelectOp::create(builder, loc, contiguous, whole, constant(0));
  Value middle = arith::AddIOp::create(builder, loc, low, whole);
  auto copy = [&](Value first, Value last, int64_t count) {
    auto opened = loop(first, last, constant(count));
    Value index = opened.getInductionVar();
    Type type = element;
    if (count > 1)
      type = VectorType::get({count}, element);
    unsigned alignment = element.getIntOrFloatBitWidth() / 8;
    Value read = LLVM::LoadOp::create(builder, loc, type,
                                      at(from, index, fromStride), alignment);
    LLVM::StoreOp::create(builder, loc, read, at(to, index, toStride),
                          alignment);
    builder.setInsertionPointAfter(opened);
  };
  copy(low, middle, lanes);
  copy(middle, high, 1);
}

/// The function that copies blocks of `rank` dimensions of `element`: one for
/// all reads of the module, since it is not for speed. What is seldom needed
/// must not cost each compilation what loops cost that are.
static LLVM::LLVMFuncOp copyFunction(OpBuilder &builder, ModuleOp module,
                                     Type element, unsigned rank,
                                     int64_t vectorBits) {
  unsigned bits = element.getIntOrFloatBitWidth();
  std::string name = llvm::formatv("sg.copy.{0}d.i{1}", rank, bits);
  if (auto known = module.lookupSymbol<LLVM::LLVMFuncOp>(name))
    return known;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(module.getBody());
  Location loc = module.getLoc();
  SmallVector<Type> types(2, LLVM::LLVMPointerType::get(builder.getContext()));
  types.append(4 * rank, builder.getI64Type());
  auto none = LLVM::LLVMVoidType::get(builder.getContext());
  auto function = LLVM::LLVMFuncOp::create(
      builder, loc, name, LLVM::LLVMFunctionType::get(none, types),
      LLVM::Linkage::Internal);
  function.setPassthroughAttr(
      builder.getStrArrayAttr({"cold", "noinline", "optnone"}));
  Block *entry = function.addEntryBlock(builder);
  builder.setInsertionPointToEnd(entry);
  auto end = LLVM::ReturnOp::create(builder, loc, ValueRange());
  builder.setInsertionPoint(end);
  emitCopyLoops(builder, loc, entry, builder.getIntegerType(bits),
                std::max<int64_t>(vectorBits / bits, 1), rank);
  return function;
}

void Lowering::takeCopy(sg::LoadOp load, Value conflict) {
  RankedTensorType type = typeOf(load.getResult());
  Type element = lowered(type.getElementType());
  Buffer copy = allocate(RankedTensorType::get(type.getShape(), element));
  // The dimension that the read finds contiguous must stay so in the copy.
  for (int64_t dim = 0; dim < type.getRank() - 1; ++dim) {
    if (!isConstantIntValue(load.getStrides()[dim], 1) ||
        type.getDimSize(dim) == 1)
      continue;
    int64_t stride = type.getDimSize(dim);
    for (int64_t other = type.getRank() - 1; other >= 0; --other) {
      copy.strides[other] = other == dim ? 1 : stride;
      if (other != dim)
        stride *= type.getDimSize(other);
    }
    break;
  }
  // So must a distance of two.
  int64_t last = type.getRank() - 1;
  if (last >= 0 && copy.strides[last] == 1 &&
      isConstantIntValue(load.getStrides()[last], 2)) {
    SmallVector<int64_t> wide(type.getShape());
    wide[last] *= 2;
    copy = allocate(RankedTensorType::get(wide, element));
    copy.strides[last] = 2;
  }
  ReadView view;
  auto found = views.find(load);
  Value pointer =
      found != views.end()
          ? found->second.pointer
          : address(scalar(load.getBase()), element, scalar(load.getOffset()));
  SmallVector<Value> strides;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    strides.push_back(found != views.end() ? found->second.strides[dim]
                                           : scalar(load.getStrides()[dim]));
  auto branch =
      scf::IfOp::create(builder, loc, conflict, /*withElseRegion=*/false);
  OpBuilder::InsertPoint after = builder.saveInsertionPoint();
  builder.setInsertionPointToStart(branch.thenBlock());
  if (load.getMask() || type.getRank() == 0) {
    materializeInto(load.getResult(), copy);
  } else {
    // Without a mask that is a box, and what lies outside of it is not read
    // from the copy either.
    SmallVector<Value> arguments = {copy.pointer, pointer}, ends;
    for (int64_t stride : copy.strides)
      arguments.push_back(constant(stride));
    llvm::append_range(arguments, strides);
    for (auto [low, high, size] :
         llvm::zip(load.getLows(), load.getHighs(), type.getShape())) {
      bool full = isFull(low, high, size);
      arguments.push_back(full ? constant(0) : scalar(low));
      ends.push_back(full ? constant(size) : scalar(high));
    }
    llvm::append_range(arguments, ends);
    auto function = copyFunction(builder, kernel->getParentOfType<ModuleOp>(),
                                 memoryType(copy.elementType), type.getRank(),
                                 machine.vectorBits);
    LLVM::CallOp::create(builder, loc, function, arguments);
  }
  builder.restoreInsertionPoint(after);
  view.pointer =
      LLVM::SelectOp::create(builder, loc, conflict, copy.pointer, pointer);
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    Value stride = strides[dim];
    // A stride that is the same in both stays visible as a constant.
    Value copied = constant(copy.strides[dim]);
    view.strides.push_back(
        isConstantIntValue(stride, copy.strides[dim])
            ? copied
            : arith::SelectOp::create(builder, loc, conflict, copied, stride)
                  .getResult());
  }
  views[load] = view;
}

/// Sees to it that all that is read late is what was there before `stores`,
/// which one nest writes: by copies of what overlaps with them. Reads through
/// indices have none: they are returned in `indexed`, with a bit that says
/// whether one of them overlaps.
Value Lowering::resolveConflicts(ArrayRef<sg::StoreOp> stores, Value meet,
                                 llvm::SetVector<sg::LoadOp> &indexed) {
  Value any;
  for (sg::StoreOp store : stores)
    for (const Plan::PendingRead &pending : plan.pendingReads(store)) {
      sg::LoadOp load = pending.load;
      if (buffers.contains(load.getResult()))
        continue;
      bool isIndexed = !load.getIndices().empty();
      bool inPlace = !pending.later && !isIndexed;
      for (sg::StoreOp other : stores) {
        Value mask = other.getMask();
        inPlace = inPlace &&
                  isReadInPlace(other.getValue(), load.getResult()) &&
                  (!mask || isReadInPlace(mask, load.getResult()));
      }
      Value conflict = findConflict(store, load, inPlace, meet);
      if (!conflict)
        continue;
      noteDecision(load, "overlap",
                   "read late, or from a copy where what is written before or "
                   "meanwhile turns out to overlap");
      if (!isIndexed) {
        takeCopy(load, conflict);
        continue;
      }
      indexed.insert(load);
      any = any ? arith::OrIOp::create(builder, loc, any, conflict).getResult()
                : conflict;
    }
  return any;
}

/// Returns true if the expression reads `load` only at the position that it is
/// evaluated at.
bool Lowering::isReadInPlace(Value expression, Value load) {
  if (expression == load)
    return true;
  Operation *op = expression.getDefiningOp();
  if (!op || buffers.contains(expression) || !isLazy(op))
    return true;
  bool moves = isa<linalg::BroadcastOp, linalg::TransposeOp, sg::TakeOp>(op) ||
               !op->hasTrait<OpTrait::Elementwise>();
  for (Value operand : op->getOperands()) {
    if (!isBlock(operand))
      continue;
    if (moves ? reads(operand, load) : !isReadInPlace(operand, load))
      return false;
  }
  return true;
}

/// Returns true if the expression reads `load` at all.
bool Lowering::reads(Value expression, Value load) {
  if (expression == load)
    return true;
  Operation *op = expression.getDefiningOp();
  if (!op || buffers.contains(expression) || !isLazy(op))
    return false;
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    return isBlock(operand) && reads(operand, load);
  });
}

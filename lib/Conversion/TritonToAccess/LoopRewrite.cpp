//===- LoopRewrite.cpp - loops that move pointers by uniform steps --------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `for k: load(p); p += step` carries a block of pointers. Each iteration adds
// the same to all lanes, so the block of iteration n is the first block plus a
// scalar. Where the step does not change either, that scalar is n * step and
// nothing is carried at all: a later pass may evaluate any iteration, which is
// what tiling through the loop needs. All arithmetic is in two's complement, so
// that n * step equals n additions also where it wraps around.
//
//===----------------------------------------------------------------------===//

#include "Stages.h"

#include "seagrove/Analysis/BlockState.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

using namespace mlir;
using namespace seagrove;

namespace {

/// One carried value that the loop moves by uniform steps.
struct Moved {
  struct Step {
    Value amount;
    bool negative;
  };
  unsigned position;
  SmallVector<Step> steps;
};

class LoopRewriter {
public:
  explicit LoopRewriter(scf::ForOp loop)
      : loop(loop), b(loop.getContext()), variation(b) {}

  void run();

private:
  void hoistScalars();
  bool chase(Value current, Value carried, SmallVectorImpl<Moved::Step> &steps);
  bool isInvariant(const Moved &moved);
  Value sumSteps(const Moved &moved, Type type);
  Value moveBy(Value start, Value distance);
  Value iterationNumber(Type type);
  Value distanceInBody(Value step);
  Value tripCount(Type type);
  void closeForm(const Moved &moved);
  void carryDistance(const Moved &moved);
  void rebuild();

  scf::ForOp loop;
  TrackingBuilder b;
  Variation variation;
  llvm::SmallDenseSet<unsigned> dropped;
  /// Scalars carried instead: (first value, value in the body, yielded value,
  /// placeholder of the result).
  struct Added {
    Value init;
    UnrealizedConversionCastOp inBody;
    UnrealizedConversionCastOp result;
    Value yielded;
  };
  SmallVector<Added> added;
};

} // namespace

/// The type that distances of `type` are counted in, or null if values of this
/// type are not moved.
static Type getDistanceType(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (auto pointer = dyn_cast<tt::PointerType>(element))
    return pointer.isBlockPointer() ? Type()
                                    : IntegerType::get(type.getContext(), 64);
  if (element.isInteger(32) || element.isInteger(64))
    return element;
  return {};
}

void LoopRewriter::hoistScalars() {
  Region *body = &loop.getRegion();
  moveLoopInvariantCode(
      {body},
      [&](Value value, Region *) {
        return !body->isAncestor(value.getParentRegion());
      },
      [&](Operation *op, Region *) {
        bool isScalar = llvm::none_of(op->getResultTypes(), [](Type type) {
          return isa<RankedTensorType>(type);
        });
        return (isScalar || op->hasTrait<OpTrait::ConstantLike>()) &&
               isMemoryEffectFree(op) && isSpeculatable(op);
      },
      [&](Operation *op, Region *) { op->moveBefore(loop); });
}

/// Follows additions from `current` back to `carried`; collects what they add.
bool LoopRewriter::chase(Value current, Value carried,
                         SmallVectorImpl<Moved::Step> &steps) {
  if (current == carried)
    return true;
  Operation *op = current.getDefiningOp();
  if (!op || !loop->isProperAncestor(op))
    return false;
  auto through = [&](unsigned side, bool negative) {
    size_t mark = steps.size();
    Value amount = op->getOperand(1 - side);
    if (variation.isUniform(amount) &&
        chase(op->getOperand(side), carried, steps)) {
      steps.push_back({variation.scalarOf(amount), negative});
      return true;
    }
    steps.truncate(mark);
    return false;
  };
  if (isa<tt::AddPtrOp>(op))
    return through(0, false);
  if (isa<arith::AddIOp>(op))
    return through(0, false) || through(1, false);
  if (isa<arith::SubIOp>(op))
    return through(0, true);
  return false;
}

bool LoopRewriter::isInvariant(const Moved &moved) {
  return llvm::all_of(moved.steps, [&](const Moved::Step &step) {
    return loop.isDefinedOutsideOfLoop(step.amount);
  });
}

static Value castInteger(OpBuilder &b, Location loc, Value value, Type type,
                         bool isUnsigned) {
  if (value.getType() == type)
    return value;
  if (value.getType().isIndex() || type.isIndex())
    return b.createOrFold<arith::IndexCastOp>(loc, type, value);
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (from > to)
    return b.createOrFold<arith::TruncIOp>(loc, type, value);
  if (isUnsigned)
    return b.createOrFold<arith::ExtUIOp>(loc, type, value);
  return b.createOrFold<arith::ExtSIOp>(loc, type, value);
}

static Value constantOf(OpBuilder &b, Location loc, Type type, int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
}

/// The sum of the steps, at the builder's place.
Value LoopRewriter::sumSteps(const Moved &moved, Type type) {
  Location loc = loop.getLoc();
  Value sum;
  for (const Moved::Step &step : moved.steps) {
    Value amount = castInteger(b, loc, step.amount, type, false);
    if (!sum && !step.negative)
      sum = amount;
    else if (step.negative)
      sum = b.createOrFold<arith::SubIOp>(
          loc, sum ? sum : constantOf(b, loc, type, 0), amount);
    else
      sum = b.createOrFold<arith::AddIOp>(loc, sum, amount);
  }
  return sum ? sum : constantOf(b, loc, type, 0);
}

/// `start + distance` for each element.
Value LoopRewriter::moveBy(Value start, Value distance) {
  Location loc = loop.getLoc();
  if (matchPattern(distance, m_Zero()))
    return start;
  Type type = start.getType();
  if (auto block = dyn_cast<RankedTensorType>(type))
    distance = b.createOrFold<tt::SplatOp>(loc, block.clone(distance.getType()),
                                           distance);
  if (isa<tt::PointerType>(getElementTypeOrSelf(type)))
    return b.createOrFold<tt::AddPtrOp>(loc, type, start, distance);
  return b.createOrFold<arith::AddIOp>(loc, start, distance);
}

/// How many iterations lie before the current one.
Value LoopRewriter::iterationNumber(Type type) {
  Location loc = loop.getLoc();
  Value number = loop.getInductionVar();
  bool fromZero = matchPattern(loop.getLowerBound(), m_Zero());
  bool byOne = matchPattern(loop.getStep(), m_One());
  if (!fromZero)
    number = b.createOrFold<arith::SubIOp>(loc, number, loop.getLowerBound());
  if (!byOne)
    number = b.createOrFold<arith::DivUIOp>(loc, number, loop.getStep());
  bool isSigned = fromZero && byOne && !loop.getUnsignedCmp();
  return castInteger(b, loc, number, type, !isSigned);
}

/// The iteration number times `step`; a step that is a multiple of the loop's
/// own needs no division.
Value LoopRewriter::distanceInBody(Value step) {
  Location loc = loop.getLoc();
  Type type = step.getType();
  APInt loopStep, distance;
  if (!matchPattern(loop.getStep(), m_ConstantInt(&loopStep)) ||
      !matchPattern(step, m_ConstantInt(&distance)) ||
      !loopStep.isStrictlyPositive() ||
      distance.getSExtValue() % loopStep.getSExtValue() != 0)
    return b.createOrFold<arith::MulIOp>(loc, iterationNumber(type), step);
  Value counted = loop.getInductionVar();
  bool fromZero = matchPattern(loop.getLowerBound(), m_Zero());
  if (!fromZero)
    counted = b.createOrFold<arith::SubIOp>(loc, counted, loop.getLowerBound());
  counted = castInteger(b, loc, counted, type,
                        /*isUnsigned=*/!fromZero || loop.getUnsignedCmp());
  Value factor = constantOf(b, loc, type,
                            distance.getSExtValue() / loopStep.getSExtValue());
  return b.createOrFold<arith::MulIOp>(loc, counted, factor);
}

Value LoopRewriter::tripCount(Type type) {
  Location loc = loop.getLoc();
  Value low = loop.getLowerBound(), high = loop.getUpperBound();
  Type counter = low.getType();
  Value zero = constantOf(b, loc, counter, 0);
  Value one = constantOf(b, loc, counter, 1);
  Value some = b.createOrFold<arith::CmpIOp>(loc,
                                             loop.getUnsignedCmp()
                                                 ? arith::CmpIPredicate::ult
                                                 : arith::CmpIPredicate::slt,
                                             low, high);
  Value count = b.createOrFold<arith::SubIOp>(loc, high, low);
  if (!matchPattern(loop.getStep(), m_One())) {
    Value last = b.createOrFold<arith::SubIOp>(loc, count, one);
    last = b.createOrFold<arith::DivUIOp>(loc, last, loop.getStep());
    count = b.createOrFold<arith::AddIOp>(loc, last, one);
  }
  count = b.createOrFold<arith::SelectOp>(loc, some, count, zero);
  return castInteger(b, loc, count, type, /*isUnsigned=*/true);
}

void LoopRewriter::closeForm(const Moved &moved) {
  Location loc = loop.getLoc();
  Value init = loop.getInitArgs()[moved.position];
  Value carried = loop.getRegionIterArg(moved.position);
  Value result = loop.getResult(moved.position);
  Type type = getDistanceType(carried.getType());
  b.setInsertionPoint(loop);
  Value step = sumSteps(moved, type);
  if (!carried.use_empty()) {
    b.insertAtStart(loop.getBody());
    carried.replaceAllUsesWith(moveBy(init, distanceInBody(step)));
  }
  if (!result.use_empty()) {
    b.setInsertionPoint(loop);
    Value distance = b.createOrFold<arith::MulIOp>(loc, tripCount(type), step);
    result.replaceAllUsesWith(moveBy(init, distance));
  }
  dropped.insert(moved.position);
}

void LoopRewriter::carryDistance(const Moved &moved) {
  Location loc = loop.getLoc();
  Value init = loop.getInitArgs()[moved.position];
  Value carried = loop.getRegionIterArg(moved.position);
  Value result = loop.getResult(moved.position);
  Type type = getDistanceType(carried.getType());
  Added scalar;
  b.setInsertionPoint(loop);
  scalar.init = constantOf(b, loc, type, 0);
  // Before what reads the one element of `carried` for the steps.
  b.setInsertionPointToStart(loop.getBody());
  scalar.inBody =
      UnrealizedConversionCastOp::create(b, loc, type, ValueRange());
  carried.replaceAllUsesWith(moveBy(init, scalar.inBody.getResult(0)));
  b.setInsertionPoint(loop.getBody()->getTerminator());
  scalar.yielded = b.createOrFold<arith::AddIOp>(
      loc, scalar.inBody.getResult(0), sumSteps(moved, type));
  b.setInsertionPointAfter(loop);
  scalar.result =
      UnrealizedConversionCastOp::create(b, loc, type, ValueRange());
  result.replaceAllUsesWith(moveBy(init, scalar.result.getResult(0)));
  added.push_back(scalar);
  dropped.insert(moved.position);
}

/// Makes the loop anew without the dropped values and with the added ones.
void LoopRewriter::rebuild() {
  SmallVector<Value> inits;
  SmallVector<unsigned> kept;
  for (auto [position, init] : llvm::enumerate(loop.getInitArgs()))
    if (!dropped.contains(position)) {
      kept.push_back(position);
      inits.push_back(init);
    }
  for (const Added &scalar : added)
    inits.push_back(scalar.init);

  b.setInsertionPoint(loop);
  auto fresh = scf::ForOp::create(b, loop.getLoc(), loop.getLowerBound(),
                                  loop.getUpperBound(), loop.getStep(), inits);
  fresh->setAttrs(loop->getAttrs());
  Block *body = fresh.getBody();
  if (!body->empty())
    body->getTerminator()->erase();
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  SmallVector<Value> yielded;
  for (unsigned position : kept)
    yielded.push_back(yield.getOperand(position));
  for (Added &scalar : added)
    yielded.push_back(scalar.yielded);
  yield->setOperands(yielded);
  body->getOperations().splice(body->end(), loop.getBody()->getOperations());

  loop.getInductionVar().replaceAllUsesWith(fresh.getInductionVar());
  for (auto [fill, position] : llvm::enumerate(kept)) {
    loop.getRegionIterArg(position).replaceAllUsesWith(
        fresh.getRegionIterArg(fill));
    loop.getResult(position).replaceAllUsesWith(fresh.getResult(fill));
  }
  for (auto [fill, scalar] : llvm::enumerate(added)) {
    unsigned position = kept.size() + fill;
    scalar.inBody.getResult(0).replaceAllUsesWith(
        fresh.getRegionIterArg(position));
    scalar.result.getResult(0).replaceAllUsesWith(fresh.getResult(position));
    scalar.inBody.erase();
    scalar.result.erase();
  }
  loop.erase();
}

void LoopRewriter::run() {
  hoistScalars();
  SmallVector<Moved> candidates;
  for (auto [position, carried] : llvm::enumerate(loop.getRegionIterArgs())) {
    if (loop.getYieldedValues()[position] == carried) {
      carried.replaceAllUsesWith(loop.getInitArgs()[position]);
      loop.getResult(position).replaceAllUsesWith(loop.getInitArgs()[position]);
      dropped.insert(position);
      continue;
    }
    Moved moved{static_cast<unsigned>(position), {}};
    if (getDistanceType(carried.getType()) &&
        chase(loop.getYieldedValues()[position], carried, moved.steps))
      candidates.push_back(std::move(moved));
  }
  // Steps may have become scalars just now.
  if (!candidates.empty())
    hoistScalars();
  for (const Moved &moved : candidates) {
    Type type = loop.getRegionIterArg(moved.position).getType();
    if (isInvariant(moved))
      closeForm(moved);
    else if (isa<RankedTensorType>(type))
      carryDistance(moved);
  }
  if (!dropped.empty())
    rebuild();
}

void seagrove::rewriteLoop(scf::ForOp loop) { LoopRewriter(loop).run(); }

/// The number of the argument whose final value a reader of `loop` takes for
/// the counter, if the loop counts and there is such a reader.
static std::optional<unsigned> getReadCounter(scf::WhileOp loop) {
  auto condition = loop.getConditionOp();
  auto compare = condition.getCondition().getDefiningOp<arith::CmpIOp>();
  if (!compare)
    return std::nullopt;
  for (auto [argument, result] :
       llvm::zip_equal(condition.getArgs(), loop.getResults())) {
    auto counter = dyn_cast<BlockArgument>(argument);
    if (counter && counter.getOwner() == loop.getBeforeBody() &&
        llvm::is_contained(compare->getOperands(), counter) &&
        !result.use_empty())
      return counter.getArgNumber();
  }
  return std::nullopt;
}

/// Carries the counter of a loop once more for those who read it afterwards:
/// the uplifting gives them the counter's value in the last iteration, where
/// they must see the value that ended the loop.
static void carryReadCounter(scf::WhileOp loop) {
  std::optional<unsigned> number = getReadCounter(loop);
  if (!number)
    return;
  IRRewriter rewriter(loop);
  auto with = [](ValueRange values, Value added) {
    SmallVector<Value> all(values);
    all.push_back(added);
    return all;
  };
  Value init = loop.getInits()[*number];
  SmallVector<Type> types(loop.getResultTypes());
  types.push_back(init.getType());
  auto fresh = scf::WhileOp::create(rewriter, loop.getLoc(), types,
                                    with(loop.getInits(), init));
  fresh.getBefore().takeBody(loop.getBefore());
  fresh.getAfter().takeBody(loop.getAfter());
  Value before =
      fresh.getBeforeBody()->addArgument(init.getType(), loop.getLoc());
  fresh.getAfterBody()->addArgument(init.getType(), loop.getLoc());
  scf::ConditionOp condition = fresh.getConditionOp();
  Value counter = fresh.getBeforeBody()->getArgument(*number);
  for (auto [position, argument] : llvm::enumerate(condition.getArgs()))
    loop.getResult(position).replaceAllUsesWith(
        argument == counter ? fresh.getResults().back()
                            : fresh.getResult(position));
  condition.getArgsMutable().append(before);
  scf::YieldOp yield = fresh.getYieldOp();
  yield.getResultsMutable().append(yield.getResults()[*number]);
  rewriter.eraseOp(loop);
}

void seagrove::uplift(tt::FuncOp func) {
  func.walk([](scf::WhileOp loop) { carryReadCounter(loop); });
  RewritePatternSet patterns(func.getContext());
  scf::populateUpliftWhileToForPatterns(patterns);
  (void)applyPatternsGreedily(func, std::move(patterns));
}

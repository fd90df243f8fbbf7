//===- BranchRewrite.cpp - branches that choose between pointers ----------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A branch that gives a block of pointers or offsets gives scalars instead
// where that is enough: the distance to a block that both sides start from, or
// the base, offset and strides of each side. The block is computed from them
// behind the branch.
//
//===----------------------------------------------------------------------===//

#include "EmitAccess.h"
#include "Stages.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace seagrove;

namespace {

/// A result of a branch, as scalars that each side gives.
struct Choice {
  unsigned position;
  /// The block that both sides start from; null if they are described in full.
  Value root;
  /// What the two sides give, one after the other the same parts.
  SmallVector<Value> sides[2];
};

class BranchRewriter {
public:
  explicit BranchRewriter(scf::IfOp branch)
      : branch(branch), b(branch.getContext()), blocks(b) {}

  void run();

private:
  std::optional<Choice> matchDistances(unsigned position);
  std::optional<Choice> matchStates(unsigned position);
  Value stripSteps(Value block, Value &distance, Operation *yield);
  Value rebuildBlock(const Choice &choice, RankedTensorType type,
                     ValueRange parts);
  void rebuild(ArrayRef<Choice> choices);

  scf::IfOp branch;
  TrackingBuilder b;
  BlockAnalysis blocks;
};

} // namespace

static bool isMovable(Type type) {
  auto block = dyn_cast<RankedTensorType>(type);
  return block &&
         (isPointerBlock(block) || block.getElementType().isInteger(32) ||
          block.getElementType().isInteger(64));
}

/// Goes back from `block` over additions of uniform numbers; adds them up.
Value BranchRewriter::stripSteps(Value block, Value &distance,
                                 Operation *yield) {
  Variation &variation = blocks.getVariation();
  while (Operation *op = block.getDefiningOp()) {
    bool isMove = isa<tt::AddPtrOp, arith::AddIOp>(op);
    if (!isMove || !branch->isProperAncestor(op) ||
        !variation.isUniform(op->getOperand(1)))
      break;
    Value step = variation.scalarOf(op->getOperand(1));
    b.setInsertionPoint(yield);
    distance = scalar::toValue(
        b, op->getLoc(),
        scalar::add(b, op->getLoc(), distance,
                    scalar::fromInteger(b, op->getLoc(), step)));
    block = op->getOperand(0);
  }
  return block;
}

std::optional<Choice> BranchRewriter::matchDistances(unsigned position) {
  Choice choice{position, {}, {}};
  Value roots[2];
  for (auto [side, region] : llvm::enumerate(branch->getRegions())) {
    Operation *yield = region.front().getTerminator();
    b.setInsertionPoint(yield);
    Value distance = scalar::toValue(b, branch.getLoc(),
                                     scalar::constant(b.getContext(), 0));
    roots[side] = stripSteps(yield->getOperand(position), distance, yield);
    choice.sides[side].push_back(distance);
  }
  if (roots[0] != roots[1] ||
      branch->isAncestor(roots[0].getParentRegion()->getParentOp()))
    return std::nullopt;
  choice.root = roots[0];
  return choice;
}

std::optional<Choice> BranchRewriter::matchStates(unsigned position) {
  // States are read as if i32 arithmetic did not overflow. Pointers may rely on
  // that; numbers may not, but for i32 the upper half is cut off again.
  Type element = getElementTypeOrSelf(branch.getResult(position).getType());
  if (element.isInteger(64))
    return std::nullopt;
  Choice choice{position, {}, {}};
  for (auto [side, region] : llvm::enumerate(branch->getRegions())) {
    Operation *yield = region.front().getTerminator();
    const BlockState &state = blocks.stateOf(yield->getOperand(position));
    if (!state.structured || state.hasIndex())
      return std::nullopt;
    b.setInsertionPoint(yield);
    if (state.base)
      choice.sides[side].push_back(state.base);
    choice.sides[side].push_back(
        scalar::toValue(b, branch.getLoc(), state.offset));
    llvm::append_range(choice.sides[side],
                       scalar::toValues(b, branch.getLoc(), state.strides));
  }
  return choice;
}

/// The block that `parts` describe, at the builder's place.
Value BranchRewriter::rebuildBlock(const Choice &choice, RankedTensorType type,
                                   ValueRange parts) {
  Location loc = branch.getLoc();
  bool isPointer = isPointerBlock(type);
  Type element = isPointer ? Type(b.getI64Type()) : Type(type.getElementType());
  auto narrow = [&](Value block) -> Value {
    auto from = cast<RankedTensorType>(block.getType());
    if (from.getElementType() == element)
      return block;
    return arith::TruncIOp::create(b, loc, from.clone(element), block);
  };
  auto move = [&](Value block, Value offsets) -> Value {
    if (isPointer)
      return tt::AddPtrOp::create(b, loc, type, block, offsets);
    return arith::AddIOp::create(b, loc, block, narrow(offsets));
  };
  auto wide = type.clone(b.getI64Type());
  if (choice.root)
    return move(choice.root, tt::SplatOp::create(b, loc, wide, parts[0]));

  StructuredAccess access;
  if (isPointer)
    access.base = parts.front();
  parts = parts.drop_front(isPointer);
  access.offset = parts.front();
  access.strides.append(parts.begin() + 1, parts.end());
  access.indices.resize(type.getRank());
  // A stride that is the same constant on both sides is known here, too.
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    APInt left, right;
    unsigned part = isPointer + 1 + dim;
    if (matchPattern(choice.sides[0][part], m_ConstantInt(&left)) &&
        matchPattern(choice.sides[1][part], m_ConstantInt(&right)) &&
        left == right)
      access.strides[dim] =
          scalar::constant(b.getContext(), left.getSExtValue());
  }
  Value offsets = emitOffsets(b, loc, access, type.getShape());
  if (!isPointer)
    return narrow(offsets);
  return move(tt::SplatOp::create(b, loc, type, access.base), offsets);
}

/// Makes the branch anew with scalars in the place of chosen blocks.
void BranchRewriter::rebuild(ArrayRef<Choice> choices) {
  SmallVector<unsigned> kept;
  SmallVector<Type> types;
  for (unsigned position = 0; position < branch.getNumResults(); ++position)
    if (llvm::none_of(choices, [&](const Choice &choice) {
          return choice.position == position;
        })) {
      kept.push_back(position);
      types.push_back(branch.getResult(position).getType());
    }
  for (const Choice &choice : choices)
    llvm::append_range(types, TypeRange(ValueRange(choice.sides[0])));

  b.setInsertionPoint(branch);
  auto fresh = scf::IfOp::create(b, branch.getLoc(), types,
                                 branch.getCondition(), /*withElse=*/true);
  fresh->setDiscardableAttrs(branch->getDiscardableAttrDictionary());
  for (auto [side, region] : llvm::enumerate(branch->getRegions())) {
    Operation *yield = region.front().getTerminator();
    SmallVector<Value> values;
    for (unsigned position : kept)
      values.push_back(yield->getOperand(position));
    for (const Choice &choice : choices)
      llvm::append_range(values, choice.sides[side]);
    yield->setOperands(values);
    fresh->getRegion(side).takeBody(region);
  }
  for (auto [fill, position] : llvm::enumerate(kept))
    branch.getResult(position).replaceAllUsesWith(fresh.getResult(fill));
  b.setInsertionPointAfter(fresh);
  unsigned next = kept.size();
  for (const Choice &choice : choices) {
    Value result = branch.getResult(choice.position);
    unsigned count = choice.sides[0].size();
    Value block = rebuildBlock(choice, cast<RankedTensorType>(result.getType()),
                               fresh.getResults().slice(next, count));
    result.replaceAllUsesWith(block);
    next += count;
  }
  branch.erase();
}

void BranchRewriter::run() {
  SmallVector<Choice> choices;
  for (unsigned position = 0; position < branch.getNumResults(); ++position) {
    Value result = branch.getResult(position);
    if (!isMovable(result.getType()) || result.use_empty())
      continue;
    if (auto choice = matchDistances(position))
      choices.push_back(std::move(*choice));
    else if (auto choice = matchStates(position))
      choices.push_back(std::move(*choice));
  }
  if (!choices.empty())
    rebuild(choices);
}

void seagrove::rewriteBranch(scf::IfOp branch) { BranchRewriter(branch).run(); }

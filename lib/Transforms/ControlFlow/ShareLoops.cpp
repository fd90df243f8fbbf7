//===- ShareLoops.cpp - equal loops become one function -------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace seagrove {
#define GEN_PASS_DEF_SHARELOOPS
#include "seagrove/Transforms/Passes.h.inc"
} // namespace seagrove

using namespace mlir;

namespace {

/// What fits the registers of a call.
constexpr unsigned kMostParameters = 16;

bool isConstant(Value value) { return matchPattern(value, m_Constant()); }

/// Returns true for a base and a constant distance.
bool isConstantAddress(Value value) {
  auto address = value.getDefiningOp<LLVM::GEPOp>();
  return address && address.getDynamicIndices().empty();
}

/// Returns true if `op` may stand in any function: what the target description
/// names (instructions of a matrix unit, assembly) may have a state of its own.
bool isPlain(Operation *op) {
  if (isa<LLVM::LoadOp, LLVM::StoreOp, LLVM::GEPOp>(op))
    return true;
  return !isa<LLVM::LLVMDialect, func::FuncDialect>(op->getDialect()) &&
         !op->hasTrait<OpTrait::IsIsolatedFromAbove>();
}

/// A loop, the operations in it, and what they take from outside of it.
struct Candidate {
  explicit Candidate(Operation *loop) : loop(loop) {
    loop->walk<WalkOrder::PreOrder>([&](Operation *op) {
      ops.push_back(op);
      hash = llvm::hash_combine(hash, op->getName().getAsOpaquePointer(),
                                op->getNumOperands(),
                                llvm::hash_combine_range(op->getResultTypes()));
      for (Value operand : op->getOperands())
        if (!loop->isAncestor(operand.getParentBlock()->getParentOp()))
          captures.insert(operand);
    });
  }

  bool isShareable() const {
    return loop->getNumResults() == 0 && llvm::all_of(ops, isPlain);
  }

  Operation *loop;
  SmallVector<Operation *> ops;
  SetVector<Value> captures;
  llvm::hash_code hash{0};
};

bool haveEqualRegions(Operation *one, Operation *other) {
  if (one->getNumRegions() != other->getNumRegions())
    return false;
  for (auto [left, right] : llvm::zip(one->getRegions(), other->getRegions())) {
    if (left.getBlocks().size() != right.getBlocks().size())
      return false;
    for (auto [first, second] : llvm::zip(left, right))
      if (first.getArgumentTypes() != second.getArgumentTypes() ||
          first.getOperations().size() != second.getOperations().size())
        return false;
  }
  return true;
}

/// Returns true if `other` computes what `one` does; fills in which value of
/// `other` stands for which of `one`, those of both their outsides included.
bool areEqual(const Candidate &one, const Candidate &other,
              DenseMap<Value, Value> &counterpart) {
  if (one.hash != other.hash || one.ops.size() != other.ops.size() ||
      one.captures.size() != other.captures.size())
    return false;
  auto stands = [&](Value left, Value right) {
    auto [known, isNew] = counterpart.try_emplace(left, right);
    if (!isNew)
      return known->second == right;
    // What is computed within them was entered when it was met.
    return one.captures.contains(left) && other.captures.contains(right) &&
           left.getType() == right.getType();
  };
  for (auto [left, right] : llvm::zip_equal(one.ops, other.ops)) {
    if (left->getName() != right->getName() ||
        left->getNumOperands() != right->getNumOperands() ||
        left->getResultTypes() != right->getResultTypes() ||
        left->getDiscardableAttrDictionary() !=
            right->getDiscardableAttrDictionary() ||
        !left->getName().compareOpProperties(left->getPropertiesStorage(),
                                             right->getPropertiesStorage()) ||
        !haveEqualRegions(left, right))
      return false;
    for (auto [used, usedThere] :
         llvm::zip_equal(left->getOperands(), right->getOperands()))
      if (!stands(used, usedThere))
        return false;
    for (auto [made, madeThere] :
         llvm::zip_equal(left->getResults(), right->getResults()))
      counterpart[made] = madeThere;
    for (auto [region, there] :
         llvm::zip_equal(left->getRegions(), right->getRegions()))
      for (auto [block, blockThere] : llvm::zip_equal(region, there))
        for (auto [argument, argumentThere] :
             llvm::zip_equal(block.getArguments(), blockThere.getArguments()))
          counterpart[argument] = argumentThere;
  }
  return llvm::all_of(one.captures, [&](Value value) {
    return !isConstant(value) || counterpart.lookup(value) == value;
  });
}

struct ShareLoops : seagrove::impl::ShareLoopsBase<ShareLoops> {
  using ShareLoopsBase::ShareLoopsBase;

  void runOnOperation() override {
    SmallVector<func::FuncOp> functions(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : functions)
      shareWithin(function);
  }

private:
  /// A loop of a group, and its counterparts of the group's first loop.
  struct Member {
    Operation *loop;
    DenseMap<Value, Value> counterpart;
  };

  void shareWithin(func::FuncOp function) {
    // Outer loops before those inside of them: what these hold is shared with
    // them.
    llvm::MapVector<size_t, SmallVector<Candidate>> groups;
    function.walk<WalkOrder::PreOrder>([&](scf::ForOp loop) {
      Candidate candidate(loop);
      if (candidate.ops.size() < leastOperations)
        return WalkResult::skip();
      if (candidate.isShareable())
        groups[candidate.hash].push_back(std::move(candidate));
      return WalkResult::advance();
    });
    auto ordered = groups.takeVector();
    llvm::stable_sort(ordered, [](const auto &left, const auto &right) {
      return left.second.front().ops.size() > right.second.front().ops.size();
    });
    DenseSet<Operation *> gone;
    for (auto &[hash, candidates] : ordered)
      share(candidates, function, gone);
  }

  void share(ArrayRef<Candidate> candidates, func::FuncOp function,
             DenseSet<Operation *> &gone) {
    SmallVector<bool> done(candidates.size());
    for (size_t i = 0; i < candidates.size(); ++i) {
      if (done[i] || gone.contains(candidates[i].loop))
        continue;
      SmallVector<Member> others;
      for (size_t j = i + 1; j < candidates.size(); ++j) {
        if (done[j] || gone.contains(candidates[j].loop))
          continue;
        DenseMap<Value, Value> counterpart;
        if (!areEqual(candidates[i], candidates[j], counterpart))
          continue;
        done[j] = true;
        others.push_back({candidates[j].loop, std::move(counterpart)});
      }
      if (!others.empty())
        outline(candidates[i], others, function, gone);
    }
  }

  /// Makes a function of `first` and calls it in its place and the others'.
  void outline(const Candidate &first, ArrayRef<Member> others,
               func::FuncOp function, DenseSet<Operation *> &gone) {
    SetVector<Value> parameters;
    SmallVector<Operation *> copied;
    for (Value value : first.captures)
      if (!collect(value, others, parameters, copied))
        return;
    if (parameters.size() > kMostParameters)
      return;

    ImplicitLocOpBuilder b(first.loop->getLoc(), function);
    SmallVector<Type> types =
        llvm::map_to_vector(parameters, [](Value v) { return v.getType(); });
    auto shared =
        func::FuncOp::create(b, (function.getSymName() + ".shared").str(),
                             b.getFunctionType(types, {}));
    shared.setPrivate();
    SymbolTable(getOperation()).insert(shared);

    for (const Member &member : others) {
      SmallVector<Value> arguments;
      for (Value parameter : parameters) {
        Value there = member.counterpart.lookup(parameter);
        arguments.push_back(there ? there : parameter);
      }
      b.setInsertionPoint(member.loop);
      func::CallOp::create(b, shared, arguments);
      member.loop->walk([&](Operation *op) { gone.insert(op); });
      member.loop->erase();
    }
    // What it holds takes its arguments from now on.
    gone.insert(first.ops.begin(), first.ops.end());
    b.setInsertionPoint(first.loop);
    func::CallOp::create(b, shared, parameters.getArrayRef());
    fill(shared, first, parameters.getArrayRef(), copied);
  }

  /// Adds what `value` needs to `parameters`, or to what is computed again.
  static bool collect(Value value, ArrayRef<Member> others,
                      SetVector<Value> &parameters,
                      SmallVectorImpl<Operation *> &copied) {
    if (isConstant(value)) {
      copied.push_back(value.getDefiningOp());
      return true;
    }
    // Constant distances stay known, in the place of another register.
    bool same = llvm::all_of(others, [&](const Member &member) {
      return member.counterpart.lookup(value) == value;
    });
    if (same && isConstantAddress(value)) {
      Value base = value.getDefiningOp<LLVM::GEPOp>().getBase();
      parameters.insert(base);
      copied.push_back(value.getDefiningOp());
      return true;
    }
    parameters.insert(value);
    return value.getType().isIntOrIndexOrFloat() ||
           isa<LLVM::LLVMPointerType>(value.getType());
  }

  static void fill(func::FuncOp shared, const Candidate &first,
                   ArrayRef<Value> parameters, ArrayRef<Operation *> copied) {
    Block *body = shared.addEntryBlock();
    auto b = ImplicitLocOpBuilder::atBlockBegin(first.loop->getLoc(), body);
    IRMapping inside;
    inside.map(parameters, body->getArguments());
    for (Operation *op : copied)
      b.clone(*op, inside);
    auto end = func::ReturnOp::create(b);
    first.loop->moveBefore(end);
    for (Operation *op : first.ops)
      for (OpOperand &operand : op->getOpOperands())
        operand.set(inside.lookupOrDefault(operand.get()));
  }
};

} // namespace

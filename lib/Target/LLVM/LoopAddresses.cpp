//===- LoopAddresses.cpp - what loops compute for addresses ---------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoopAddresses.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/LoopStrengthReduce.h"
#include "llvm/Transforms/Scalar/SeparateConstOffsetFromGEP.h"

using namespace llvm;
using namespace llvm::PatternMatch;

namespace seagrove::target {

namespace {

/// Turns products of a loop's counter, `(counter + constant) * factor`, into
/// values that are carried from iteration to iteration and added to. Products
/// of one counter and factor share one; those of a block that differ by a
/// constant are computed from each other, so that strides of several rows need
/// no register per row.
class CounterProducts {
public:
  explicit CounterProducts(Loop &loop)
      : loop(loop), preheader(loop.getLoopPreheader()),
        latch(loop.getLoopLatch()) {}

  bool run() {
    if (!preheader || !latch)
      return false;
    SmallVector<Instruction *> products;
    for (BasicBlock *block : loop.blocks())
      for (Instruction &instruction : *block)
        if (instruction.getOpcode() == Instruction::Mul &&
            instruction.getType()->isIntegerTy())
          products.push_back(&instruction);
    bool changed = false;
    for (Instruction *product : products)
      changed |= rewrite(*product);
    return changed;
  }

private:
  /// The counter of the loop that `value` is, and by how much it grows.
  std::pair<PHINode *, Value *> counterOf(Value *value) const {
    auto *phi = dyn_cast<PHINode>(value);
    if (!phi || phi->getParent() != loop.getHeader())
      return {};
    Value *step = nullptr;
    if (match(phi->getIncomingValueForBlock(latch),
              m_c_Add(m_Specific(phi), m_Value(step))) &&
        loop.isLoopInvariant(step))
      return {phi, step};
    return {};
  }

  bool rewrite(Instruction &product) {
    Value *factor = product.getOperand(0), *varying = product.getOperand(1);
    if (!loop.isLoopInvariant(factor))
      std::swap(factor, varying);
    if (!loop.isLoopInvariant(factor) || isa<Constant>(factor) ||
        loop.isLoopInvariant(varying))
      return false;
    APInt offset = APInt::getZero(product.getType()->getIntegerBitWidth());
    auto takeOffset = [&](Value *value) {
      const APInt *constant;
      Value *rest;
      if (!match(value, m_AddLike(m_Value(rest), m_APInt(constant))))
        return value;
      offset += constant->zextOrTrunc(offset.getBitWidth());
      return rest;
    };
    Value *counter = takeOffset(varying), *wide;
    if (match(counter, m_Trunc(m_Value(wide))))
      counter = takeOffset(wide);
    auto [phi, step] = counterOf(counter);
    if (!phi)
      return false;
    Value *carried = carriedProduct(phi, step, factor);
    product.replaceAllUsesWith(withOffset(carried, factor, offset, product));
    product.eraseFromParent();
    return true;
  }

  Value *withOffset(Value *carried, Value *factor, const APInt &offset,
                    Instruction &product) {
    if (offset.isZero())
      return carried;
    auto &[nearest, covered] = latest[{carried, product.getParent()}];
    Value *from = nearest ? nearest : carried;
    APInt distance = nearest ? offset - covered : offset;
    if (distance.isZero())
      return from;
    Value *sum =
        IRBuilder<>(&product).CreateAdd(from, multipleOf(factor, distance));
    nearest = sum;
    covered = offset;
    return sum;
  }

  Value *multipleOf(Value *factor, const APInt &times) {
    if (times.isOne())
      return factor;
    Value *&multiple = multiples[{factor, times}];
    if (!multiple)
      multiple =
          IRBuilder<>(preheader->getTerminator())
              .CreateMul(factor, ConstantInt::get(factor->getType(), times));
    return multiple;
  }

  Value *carriedProduct(PHINode *counter, Value *step, Value *factor) {
    Value *&product = carried[{counter, factor}];
    if (product)
      return product;
    Type *type = factor->getType();
    IRBuilder<> before(preheader->getTerminator());
    Value *start = before.CreateMul(
        before.CreateTrunc(counter->getIncomingValueForBlock(preheader), type),
        factor);
    Value *growth = before.CreateMul(before.CreateTrunc(step, type), factor);
    PHINode *phi = IRBuilder<>(counter).CreatePHI(type, 2);
    Value *next = IRBuilder<>(latch->getTerminator()).CreateAdd(phi, growth);
    for (BasicBlock *block : predecessors(loop.getHeader()))
      phi->addIncoming(block == latch ? next : start, block);
    return product = phi;
  }

  Loop &loop;
  BasicBlock *preheader, *latch;
  /// By counter and factor.
  DenseMap<std::pair<Value *, Value *>, Value *> carried;
  /// By carried product and block: the sum made last, and its offset.
  DenseMap<std::pair<Value *, BasicBlock *>, std::pair<Value *, APInt>> latest;
  DenseMap<std::pair<Value *, APInt>, Value *> multiples;
};

struct AddUpCounterProducts : PassInfoMixin<AddUpCounterProducts> {
  PreservedAnalyses run(Function &function, FunctionAnalysisManager &analyses) {
    bool changed = false;
    auto &loops = analyses.getResult<LoopAnalysis>(function);
    for (Loop *loop : loops.getLoopsInPreorder())
      changed |= CounterProducts(*loop).run();
    if (!changed)
      return PreservedAnalyses::all();
    PreservedAnalyses preserved;
    preserved.preserveSet<CFGAnalyses>();
    return preserved;
  }
};

/// Where `instruction` reads or writes memory, or null.
Value *addressOf(Instruction &instruction) {
  if (Value *address = getLoadStorePointerOperand(&instruction))
    return address;
  auto *call = dyn_cast<IntrinsicInst>(&instruction);
  if (call && call->getIntrinsicID() == Intrinsic::masked_load)
    return call->getArgOperand(0);
  if (call && call->getIntrinsicID() == Intrinsic::masked_store)
    return call->getArgOperand(1);
  return nullptr;
}

/// Returns true if `loop` uses more bases than there are registers: addresses
/// are then better computed from each other than kept.
bool hasManyBases(const Loop &loop) {
  constexpr unsigned kBasesInRegisters = 8;
  if (!loop.isInnermost())
    return false;
  SmallPtrSet<Value *, 16> bases;
  for (BasicBlock *block : loop.blocks())
    for (Instruction &instruction : *block)
      if (Value *address = addressOf(instruction)) {
        auto *step = dyn_cast<GetElementPtrInst>(address);
        while (step && !loop.isLoopInvariant(step) &&
               (step->hasAllConstantIndices() ||
                loop.isLoopInvariant(step->getPointerOperand()))) {
          address = step->getPointerOperand();
          step = dyn_cast<GetElementPtrInst>(address);
        }
        bases.insert(address);
      }
  return bases.size() > kBasesInRegisters;
}

struct ReduceStrengthOfLoop : PassInfoMixin<ReduceStrengthOfLoop> {
  PreservedAnalyses run(Loop &loop, LoopAnalysisManager &analyses,
                        LoopStandardAnalysisResults &results,
                        LPMUpdater &updater) {
    if (!hasManyBases(loop))
      return PreservedAnalyses::all();
    return LoopStrengthReducePass().run(loop, analyses, results, updater);
  }
};

/// Runs loop passes only where there is a loop for them: bringing all loops
/// into their canonical form would cost more than it gains.
struct ReduceStrength : PassInfoMixin<ReduceStrength> {
  PreservedAnalyses run(Function &function, FunctionAnalysisManager &analyses) {
    auto &loops = analyses.getResult<LoopAnalysis>(function);
    if (none_of(loops.getLoopsInPreorder(),
                [](const Loop *loop) { return hasManyBases(*loop); }))
      return PreservedAnalyses::all();
    FunctionPassManager passes;
    passes.addPass(createFunctionToLoopPassAdaptor(ReduceStrengthOfLoop()));
    return passes.run(function, analyses);
  }
};

} // namespace

bool addressesAddScaledIndex(Module &module, TargetMachine &machine) {
  for (Function &function : module)
    if (!function.isDeclaration()) {
      constexpr int64_t kOffset = 64, kScale = 4;
      Type *type = Type::getFloatTy(module.getContext());
      return machine.getTargetTransformInfo(function).isLegalAddressingMode(
          type, /*BaseGV=*/nullptr, kOffset, /*HasBaseReg=*/true, kScale);
    }
  return false;
}

void addLoopAddressPasses(FunctionPassManager &passes) {
  passes.addPass(SeparateConstOffsetFromGEPPass());
  passes.addPass(AddUpCounterProducts());
}

void addStrengthReduction(FunctionPassManager &passes) {
  passes.addPass(ReduceStrength());
}

} // namespace seagrove::target

//===- InlineAssembly.cpp - whose assembly an error is about --------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InlineAssembly.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Diagnostics.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace seagrove::target {

/// Between a text and its number; no assembly holds this character.
static constexpr char kMark = '\x01';

void InlineAssembly::number(ModuleOp module) {
  module.walk([&](LLVM::InlineAsmOp op) {
    op.setAsmString(
        (op.getAsmString() + Twine(kMark) + Twine(places.size())).str());
    places.push_back(op.getLoc());
  });
}

/// Gives a call the text without its mark, and the number behind it.
static void attachTo(llvm::CallInst &call, const llvm::InlineAsm &assembly) {
  auto [text, mark] = StringRef(assembly.getAsmString()).split(kMark);
  uint64_t number = 0;
  if (mark.getAsInteger(10, number))
    return;
  call.setCalledOperand(llvm::InlineAsm::get(
      assembly.getFunctionType(), text, assembly.getConstraintString(),
      assembly.hasSideEffects(), assembly.isAlignStack(), assembly.getDialect(),
      assembly.canThrow()));
  llvm::LLVMContext &context = call.getContext();
  llvm::Metadata *cookie = llvm::ConstantAsMetadata::get(
      llvm::ConstantInt::get(llvm::Type::getInt64Ty(context), number));
  call.setMetadata("srcloc", llvm::MDNode::get(context, cookie));
}

void InlineAssembly::attach(llvm::Module &module) {
  if (places.empty())
    return;
  for (llvm::Function &function : module)
    for (llvm::BasicBlock &block : function)
      for (llvm::Instruction &instruction : block)
        if (auto *call = dyn_cast<llvm::CallInst>(&instruction))
          if (auto *assembly =
                  dyn_cast<llvm::InlineAsm>(call->getCalledOperand()))
            attachTo(*call, *assembly);
}

bool InlineAssembly::take(const llvm::DiagnosticInfo &info) {
  if (info.getSeverity() != llvm::DS_Error)
    return false;
  uint64_t number = 0;
  std::string text;
  if (auto *parsed = dyn_cast<llvm::DiagnosticInfoSrcMgr>(&info)) {
    number = parsed->getLocCookie();
    const llvm::SMDiagnostic &message = parsed->getSMDiag();
    text = message.getMessage().str();
    if (StringRef line = message.getLineContents().trim(); !line.empty())
      text += ": " + line.str();
  } else if (auto *constraint =
                 dyn_cast<llvm::DiagnosticInfoInlineAsm>(&info)) {
    number = constraint->getLocCookie();
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info.print(printer);
  } else {
    return false;
  }
  if (number >= places.size())
    return false;
  // Code that was copied says the same again.
  if (!llvm::is_contained(refusals, std::make_pair(number, text)))
    refusals.push_back({number, text});
  return true;
}

bool InlineAssembly::report() {
  llvm::SmallDenseSet<uint64_t> told;
  for (auto &[number, text] : refusals)
    if (told.insert(number).second)
      emitError(places[number])
          << "SG0505: the assembler refuses this assembly: " << text;
  return !refusals.empty();
}

} // namespace seagrove::target

//===- Machine.cpp - LLVM's view of a target ------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include "Guard.h"
#include "Link.h"

#include "seagrove/Target/LLVM/Compile.h"

#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/CodeGen/TargetLowering.h"
#include "llvm/CodeGen/TargetSubtargetInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/TargetParser/Triple.h"

#include <map>
#include <mutex>

using namespace llvm;

namespace seagrove::target {

void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
    // Inline assembly is parsed even where an object is emitted.
    InitializeAllAsmParsers();
  });
}

static CodeGenOptLevel codeGenLevel(unsigned optLevel) {
  // Level 0 of the code generator uses another instruction selector, which
  // does not take every vector operation; our level 0 is therefore its 1.
  return optLevel <= 1 ? CodeGenOptLevel::Less : CodeGenOptLevel::Default;
}

/// Returns true if `backend` knows the CPU and every feature by name. Of a CPU
/// that it does not know it would make a machine that cannot do anything.
static bool knows(const Target &backend, const Triple &triple,
                  const api::Target &target, std::string &error) {
  std::unique_ptr<MCSubtargetInfo> subtarget(
      backend.createMCSubtargetInfo(triple, "", ""));
  if (!subtarget)
    return true;
  if (!target.cpu.empty() && !subtarget->isCPUStringValid(target.cpu)) {
    error = "LLVM has no CPU '" + target.cpu + "' for '" + triple.str() + "'";
    return false;
  }
  SmallVector<StringRef> features;
  StringRef(target.features)
      .split(features, ',', /*MaxSplit=*/-1,
             /*KeepEmpty=*/false);
  for (StringRef feature : features) {
    StringRef name = SubtargetFeatures::StripFlag(feature);
    ArrayRef<SubtargetFeatureKV> all = subtarget->getAllProcessorFeatures();
    const SubtargetFeatureKV *found = llvm::lower_bound(all, name);
    if (found == all.end() || found->Key != name) {
      error =
          ("LLVM has no CPU feature '" + name + "' for '" + triple.str() + "'")
              .str();
      return false;
    }
  }
  return true;
}

std::unique_ptr<TargetMachine> createMachine(const api::Target &target,
                                             const api::CompileOptions &options,
                                             std::string &error) {
  initializeTargets();
  Triple triple(target.triple.empty() ? sys::getDefaultTargetTriple()
                                      : Triple::normalize(target.triple));
  const Target *backend = TargetRegistry::lookupTarget(triple, error);
  if (!backend)
    return nullptr;
  if (!knows(*backend, triple, target, error))
    return nullptr;

  TargetOptions machineOptions;
  // Fusion follows the flags of the operations: the user's may carry
  // `contract`, those of a math expansion never do.
  machineOptions.AllowFPOpFusion = FPOpFusion::Standard;
  machineOptions.TrapUnreachable = false;
  std::unique_ptr<TargetMachine> machine(backend->createTargetMachine(
      triple, target.cpu, target.features, machineOptions, Reloc::PIC_,
      std::nullopt, codeGenLevel(options.optLevel)));
  if (!machine)
    error = "LLVM has no code generator for '" + triple.str() + "'";
  return machine;
}

namespace {
/// Machines that are not in use: at most a few, and a compilation has one to
/// itself.
struct IdleMachines {
  static constexpr size_t kMost = 8;

  std::mutex mutex;
  std::multimap<std::string, std::unique_ptr<TargetMachine>> machines;

  static IdleMachines &instance() {
    // Never destroyed: threads may compile while the process ends.
    static auto *idle = new IdleMachines;
    return *idle;
  }
  static std::string keyOf(const api::Target &target,
                           const api::CompileOptions &options) {
    return target.triple + '\0' + target.cpu + '\0' + target.features + '\0' +
           std::to_string(static_cast<int>(codeGenLevel(options.optLevel)));
  }
};
} // namespace

std::unique_ptr<TargetMachine> takeMachine(const api::Target &target,
                                           const api::CompileOptions &options,
                                           std::string &error) {
  IdleMachines &idle = IdleMachines::instance();
  {
    std::lock_guard<std::mutex> lock(idle.mutex);
    auto found = idle.machines.find(IdleMachines::keyOf(target, options));
    if (found != idle.machines.end()) {
      std::unique_ptr<TargetMachine> machine = std::move(found->second);
      idle.machines.erase(found);
      return machine;
    }
  }
  return createMachine(target, options, error);
}

void keepMachine(const api::Target &target, const api::CompileOptions &options,
                 std::unique_ptr<TargetMachine> machine) {
  IdleMachines &idle = IdleMachines::instance();
  std::lock_guard<std::mutex> lock(idle.mutex);
  if (idle.machines.size() < IdleMachines::kMost)
    idle.machines.emplace(IdleMachines::keyOf(target, options),
                          std::move(machine));
}

bool addEmitPasses(TargetMachine &machine, legacy::PassManagerBase &passes,
                   raw_pwrite_stream &stream, CodeGenFileType kind,
                   bool reduceStrength) {
  // A flag of the process, read while passes are added.
  static std::mutex mutex;
  static auto *disable = static_cast<cl::opt<bool> *>(
      cl::getRegisteredOptions().lookup("disable-lsr"));
  std::lock_guard<std::mutex> lock(mutex);
  if (disable)
    disable->setValue(!reduceStrength);
  return !machine.addPassesToEmitFile(passes, stream, nullptr, kind,
                                      /*DisableVerify=*/true);
}

/// Returns true if LLVM converts a vector between `narrow` and f32 without
/// calling a function per element, judged by what it says that it costs.
static bool convertsInRegisters(TargetMachine &machine, Function &function,
                                Type *narrow) {
  constexpr unsigned kElements = 8;
  TargetTransformInfo costs = machine.getTargetTransformInfo(function);
  auto *narrowVector = FixedVectorType::get(narrow, kElements);
  auto *wideVector =
      FixedVectorType::get(Type::getFloatTy(narrow->getContext()), kElements);
  auto cheap = [&](unsigned op, Type *to, Type *from) {
    InstructionCost cost = costs.getCastInstrCost(
        op, to, from, TargetTransformInfo::CastContextHint::None,
        TargetTransformInfo::TCK_RecipThroughput);
    return cost.isValid() && cost < 2 * kElements;
  };
  return cheap(Instruction::FPExt, wideVector, narrowVector) &&
         cheap(Instruction::FPTrunc, narrowVector, wideVector);
}

/// Returns true if converting elements between `narrow` and f32 calls a
/// function of the compiler's run-time library, which we do not link. Found out
/// by making the code: a target's custom expansion may end in a call.
static bool convertsByCall(TargetMachine &machine, Module &module,
                           Type *narrow) {
  LLVMContext &context = module.getContext();
  Type *wide = Type::getFloatTy(context);
  auto *function =
      Function::Create(FunctionType::get(wide, {wide, wide}, false),
                       GlobalValue::ExternalLinkage, "convert", module);
  IRBuilder<> builder(BasicBlock::Create(context, "", function));
  Value *sum = builder.CreateFPExt(
      builder.CreateFPTrunc(function->getArg(0), narrow), wide);
  builder.CreateRet(builder.CreateFAdd(sum, function->getArg(1)));
  SmallVector<char, 0> object;
  raw_svector_ostream stream(object);
  legacy::PassManager passes;
  if (!addEmitPasses(machine, passes, stream, CodeGenFileType::ObjectFile))
    return true;
  passes.run(module);
  return hasOpenSymbols({object.data(), object.size()});
}

static NativeOps askLLVM(const api::Target &target) {
  NativeOps native;
  std::string error;
  std::unique_ptr<TargetMachine> machine = createMachine(target, {}, error);
  if (!machine)
    return native;

  LLVMContext context;
  Module module("native-ops", context);
  module.setTargetTriple(machine->getTargetTriple());
  module.setDataLayout(machine->createDataLayout());
  auto *function =
      Function::Create(FunctionType::get(Type::getVoidTy(context), false),
                       GlobalValue::ExternalLinkage, "f", module);
  const TargetSubtargetInfo *subtarget = machine->getSubtargetImpl(*function);
  const TargetLowering *lowering =
      subtarget ? subtarget->getTargetLowering() : nullptr;
  if (!lowering)
    return native;

  auto native1 = [&](unsigned op, MVT type) {
    return lowering->isOperationLegalOrCustom(op, type);
  };
  native.fma = native1(ISD::FMA, MVT::f32) && native1(ISD::FMA, MVT::f64);
  native.rounding =
      native1(ISD::FFLOOR, MVT::f32) && native1(ISD::FROUNDEVEN, MVT::f64);
  native.f16Arithmetic = lowering->isOperationLegal(ISD::FADD, MVT::f16);
  native.bf16Arithmetic = lowering->isOperationLegal(ISD::FADD, MVT::bf16);
  native.bf16Conversion = native1(ISD::FP_ROUND, MVT::v8bf16);
  native.vectorDivision = native1(ISD::SDIV, MVT::v4i32);
  Type *half = Type::getHalfTy(context);
  native.f16Conversion = convertsInRegisters(*machine, *function, half) &&
                         !convertsByCall(*machine, module, half);
  return native;
}

NativeOps queryNativeOps(const api::Target &target) {
  static std::mutex mutex;
  static std::map<std::string, NativeOps> answers;
  std::string key = target.triple + '\0' + target.cpu + '\0' + target.features;
  std::lock_guard<std::mutex> lock(mutex);
  auto found = answers.find(key);
  if (found == answers.end()) {
    NativeOps native;
    std::string reason;
    // Features that contradict each other end LLVM with a fatal error; making
    // the machine for the compilation itself reports it.
    if (!runGuarded([&] { native = askLLVM(target); }, reason))
      native = NativeOps();
    found = answers.emplace(key, native).first;
  }
  return found->second;
}

} // namespace seagrove::target

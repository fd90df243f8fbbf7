//===- MakeRangeKernel.cpp - a loop over programs around a program --------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"

namespace seagrove {
#define GEN_PASS_DEF_MAKERANGEKERNEL
#include "seagrove/Transforms/Passes.h.inc"
} // namespace seagrove

using namespace mlir;

namespace {

constexpr llvm::StringLiteral kKernelName = "sg.kernel_name";
constexpr llvm::StringLiteral kScratchBytes = "sg.scratch_bytes";
/// First and last byte of the scratch area that a range begins by clearing:
/// what a program leaves there is for the later ones of its range alone.
constexpr llvm::StringLiteral kScratchCleared = "sg.scratch_cleared";
/// Marks a program whose writes may go past the caches, out of order.
constexpr llvm::StringLiteral kStreams = "sg.streams";
/// Marks the exported function.
constexpr llvm::StringLiteral kRangeKernel = "sg.range_kernel";

/// Three coordinates, three extents and the scratch pointer follow the
/// kernel's own arguments.
constexpr unsigned kCoordinateArgs = 3;
constexpr unsigned kTrailingArgs = 2 * kCoordinateArgs + 1;
constexpr unsigned kSlotBytes = 8;
constexpr unsigned kScratchAlignment = 64;

/// The values of one program's position, in the order x, y, z.
using Triple = SmallVector<Value, kCoordinateArgs>;

/// Returns true if a value of `type` travels in one slot of the arguments.
bool fitsSlot(Type type) {
  if (isa<LLVM::LLVMPointerType>(type))
    return true;
  return type.isIntOrFloat() && type.getIntOrFloatBitWidth() <= 8 * kSlotBytes;
}

LogicalResult verifyProgram(func::FuncOp program) {
  FunctionType type = program.getFunctionType();
  if (!program->getAttrOfType<StringAttr>(kKernelName))
    return program.emitOpError("attribute '")
           << kKernelName << "' must be a string";
  if (program.isExternal())
    return program.emitOpError("a program needs a body");
  if (Attribute cleared = program->getAttr(kScratchCleared)) {
    auto ends = dyn_cast<DenseI64ArrayAttr>(cleared);
    if (!ends || ends.size() != 2 || ends[0] < 0 || ends[0] > ends[1])
      return program.emitOpError("attribute '")
             << kScratchCleared << "' must be the first and the last byte";
  }
  if (type.getNumResults() != 0)
    return program.emitOpError("a program returns nothing, but this one has ")
           << type.getNumResults() << " result(s)";
  if (type.getNumInputs() < kTrailingArgs)
    return program.emitOpError("a program ends in 3 coordinates, 3 extents and "
                               "a scratch pointer, but has only ")
           << type.getNumInputs() << " argument(s)";

  ArrayRef<Type> trailing = type.getInputs().take_back(kTrailingArgs);
  for (Type coordinate : trailing.drop_back())
    if (!coordinate.isInteger(32))
      return program.emitOpError("coordinates and extents are i32, not ")
             << coordinate;
  if (!isa<LLVM::LLVMPointerType>(trailing.back()))
    return program.emitOpError("the last argument is the scratch pointer, not ")
           << trailing.back();
  for (auto [index, argument] :
       llvm::enumerate(type.getInputs().drop_back(kTrailingArgs)))
    if (!fitsSlot(argument))
      return program.emitOpError("argument #")
             << index << " of type " << argument
             << " does not fit an 8-byte slot";
  return success();
}

/// Keeps the symbol of a function with a body out of the shared object: the
/// conversion to LLVM dialect looks at this attribute, not at visibility.
void hide(func::FuncOp function) {
  function.setPrivate();
  auto internal =
      LLVM::LinkageAttr::get(function.getContext(), LLVM::Linkage::Internal);
  function->setAttr("llvm.linkage", internal);
}

/// Builds the range kernel of one program.
class RangeKernelBuilder {
public:
  explicit RangeKernelBuilder(func::FuncOp program)
      : program(program), b(program.getLoc(), program.getContext()) {}

  /// The functions of a range, the exported ones among them. One that begins by
  /// clearing has its loop in a function of its own, which may also be called
  /// for a further range of the launch.
  SmallVector<func::FuncOp> build() {
    StringRef name = program->getAttrOfType<StringAttr>(kKernelName).getValue();
    func::FuncOp kernel = declare(name);
    kernel->setAttr(kRangeKernel, b.getUnitAttr());
    if (Attribute scratch = program->getAttr(kScratchBytes))
      kernel->setAttr(kScratchBytes, scratch);
    if (!program->hasAttr(kScratchCleared)) {
      buildBody(kernel);
      return {kernel};
    }
    func::FuncOp next = declare((name + ".next").str()),
                 range = declare((name + ".range").str());
    buildBody(range);
    hide(range);
    auto apart = StringAttr::get(b.getContext(), "noinline");
    range->setAttr("passthrough", b.getArrayAttr({apart}));
    for (func::FuncOp function : {kernel, next}) {
      b.setInsertionPointToStart(&function.getBody().front());
      if (function == kernel)
        clearScratch(kernel.getArgument(4));
      func::CallOp::create(b, range, function.getArguments());
      func::ReturnOp::create(b);
    }
    return {kernel, next, range};
  }

private:
  func::FuncOp declare(StringRef name) {
    b.setInsertionPointAfter(program);
    Type pointer = LLVM::LLVMPointerType::get(b.getContext());
    Type i64 = b.getI64Type();
    auto function = func::FuncOp::create(
        b, name, b.getFunctionType({pointer, pointer, i64, i64, pointer}, {}));
    function.addEntryBlock();
    annotatePointers(function);
    return function;
  }

  void buildBody(func::FuncOp kernel) {
    b.setInsertionPointToStart(&kernel.getBody().front());
    Value first = kernel.getArgument(2);
    Value last = kernel.getArgument(3);
    // The division below needs a grid without a zero extent, which is what a
    // range that is not empty implies.
    Value some =
        arith::CmpIOp::create(b, arith::CmpIPredicate::slt, first, last);
    auto guard = scf::IfOp::create(b, some, /*withElseRegion=*/false);
    func::ReturnOp::create(b);
    b.setInsertionPointToStart(guard.thenBlock());

    SmallVector<Value> arguments = loadArguments(kernel.getArgument(0));
    Triple extents = loadExtents(kernel.getArgument(1));
    buildLoop(first, last, arguments, extents, kernel.getArgument(4));
    if (program->hasAttr(kStreams))
      LLVM::FenceOp::create(b, LLVM::AtomicOrdering::seq_cst);
  }

  Value i32(int64_t value) {
    return arith::ConstantIntOp::create(b, b.getI32Type(), value);
  }
  Value i64(int64_t value) {
    return arith::ConstantIntOp::create(b, b.getI64Type(), value);
  }

  Value loadAt(Value base, int64_t offset, Type type) {
    auto pointer = cast<LLVM::LLVMPointerType>(base.getType());
    Value address =
        offset == 0
            ? base
            : LLVM::GEPOp::create(b, pointer, b.getI8Type(), base,
                                  ArrayRef<LLVM::GEPArg>{int32_t(offset)},
                                  LLVM::GEPNoWrapFlags::inbounds);
    return LLVM::LoadOp::create(b, type, address);
  }

  /// An argument narrower than a byte is stored as a whole byte.
  SmallVector<Value> loadArguments(Value slots) {
    SmallVector<Value> values;
    for (auto [index, type] :
         llvm::enumerate(program.getArgumentTypes().drop_back(kTrailingArgs))) {
      bool narrow = type.isInteger() && type.getIntOrFloatBitWidth() < 8;
      Value value = loadAt(slots, kSlotBytes * index,
                           narrow ? b.getI8Type() : Type(type));
      if (narrow)
        value = arith::TruncIOp::create(b, type, value);
      values.push_back(value);
    }
    return values;
  }

  void clearScratch(Value scratch) {
    auto bytes = program->getAttrOfType<DenseI64ArrayAttr>(kScratchCleared);
    if (!bytes)
      return;
    Value start =
        LLVM::GEPOp::create(b, scratch.getType(), b.getI8Type(), scratch,
                            ArrayRef<LLVM::GEPArg>{int32_t(bytes[0])},
                            LLVM::GEPNoWrapFlags::inbounds);
    Value zero = arith::ConstantIntOp::create(b, b.getI8Type(), 0);
    LLVM::MemsetOp::create(b, start, zero, i64(bytes[1] - bytes[0]),
                           /*isVolatile=*/false);
  }

  Triple loadExtents(Value grid) {
    Triple extents;
    for (unsigned axis = 0; axis < kCoordinateArgs; ++axis)
      extents.push_back(loadAt(grid, 4 * axis, b.getI32Type()));
    return extents;
  }

  /// The coordinates of the program whose linear id is `linear`.
  Triple delinearize(Value linear, const Triple &extents) {
    Triple position;
    Value rest = linear;
    for (unsigned axis = 0; axis < kCoordinateArgs; ++axis) {
      Value coordinate = rest;
      if (axis + 1 < kCoordinateArgs) {
        Value extent = arith::ExtUIOp::create(b, b.getI64Type(), extents[axis]);
        coordinate = arith::RemUIOp::create(b, rest, extent);
        rest = arith::DivUIOp::create(b, rest, extent);
      }
      position.push_back(
          arith::TruncIOp::create(b, b.getI32Type(), coordinate));
    }
    return position;
  }

  /// The coordinates of the program after the one at `position`.
  Triple advance(ValueRange position, const Triple &extents) {
    Value zero = i32(0), one = i32(1);
    Value x = arith::AddIOp::create(b, position[0], one);
    Value wrapX =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, extents[0]);
    x = arith::SelectOp::create(b, wrapX, zero, x);
    Value carryX = arith::ExtUIOp::create(b, b.getI32Type(), wrapX);
    Value y = arith::AddIOp::create(b, position[1], carryX);
    Value wrapY =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, y, extents[1]);
    y = arith::SelectOp::create(b, wrapY, zero, y);
    Value carryY = arith::ExtUIOp::create(b, b.getI32Type(), wrapY);
    Value z = arith::AddIOp::create(b, position[2], carryY);
    return {x, y, z};
  }

  void buildLoop(Value first, Value last, ValueRange arguments,
                 const Triple &extents, Value scratch) {
    Triple start = delinearize(first, extents);
    auto loop = scf::ForOp::create(b, first, last, i64(1), start);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> operands(arguments);
    llvm::append_range(operands, loop.getRegionIterArgs());
    llvm::append_range(operands, extents);
    operands.push_back(scratch);
    auto call = func::CallOp::create(b, program, operands);
    scf::YieldOp::create(b, advance(loop.getRegionIterArgs(), extents));
    if (program.getBody().hasOneBlock())
      inlineProgram(call);
    b.setInsertionPointAfter(loop);
  }

  /// Moves the program's only block to its only call. LLVM's inliner would do
  /// it too, by copying.
  void inlineProgram(func::CallOp call) {
    Block &body = program.getBody().front();
    for (auto [argument, operand] :
         llvm::zip_equal(body.getArguments(), call.getOperands()))
      argument.replaceAllUsesWith(operand);
    body.getTerminator()->erase();
    call->getBlock()->getOperations().splice(call->getIterator(),
                                             body.getOperations());
    call.erase();
  }

  /// The launcher owns the argument block and the grid; nothing that a kernel
  /// can reach aliases them or the scratch arena.
  void annotatePointers(func::FuncOp kernel) {
    UnitAttr unit = b.getUnitAttr();
    for (unsigned index : {0u, 1u}) {
      kernel.setArgAttr(index, LLVM::LLVMDialect::getNoAliasAttrName(), unit);
      kernel.setArgAttr(index, LLVM::LLVMDialect::getReadonlyAttrName(), unit);
    }
    kernel.setArgAttr(4, LLVM::LLVMDialect::getNoAliasAttrName(), unit);
    kernel.setArgAttr(4, LLVM::LLVMDialect::getAlignAttrName(),
                      b.getI64IntegerAttr(kScratchAlignment));
  }

  func::FuncOp program;
  ImplicitLocOpBuilder b;
};

/// Makes LLVM inline the program into its loop, so that what does not depend
/// on the coordinates moves out of it.
void prepareProgram(func::FuncOp program) {
  MLIRContext *context = program.getContext();
  auto inlined = StringAttr::get(context, "alwaysinline");
  program->setAttr("passthrough", ArrayAttr::get(context, {inlined}));
  hide(program);
  unsigned scratch = program.getNumArguments() - 1;
  program.setArgAttr(scratch, LLVM::LLVMDialect::getNoAliasAttrName(),
                     UnitAttr::get(context));
}

struct MakeRangeKernel
    : public seagrove::impl::MakeRangeKernelBase<MakeRangeKernel> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    SmallVector<func::FuncOp> programs;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function->hasAttr(kKernelName))
        programs.push_back(function);
      else if (function.isPrivate() && !function.isExternal())
        hide(function);
    }

    for (func::FuncOp program : programs) {
      if (failed(verifyProgram(program)))
        return signalPassFailure();
      auto name = program->getAttrOfType<StringAttr>(kKernelName);
      if (Operation *taken = symbols.lookup(name)) {
        InFlightDiagnostic error = program.emitOpError("the symbol '");
        error << name.getValue() << "' of its range kernel is taken";
        error.attachNote(taken->getLoc()) << "by this operation";
        return signalPassFailure();
      }
      prepareProgram(program);
      bool inlined = program.getBody().hasOneBlock();
      for (func::FuncOp function : RangeKernelBuilder(program).build())
        symbols.insert(function);
      if (inlined)
        symbols.erase(program);
      else // A second run of the pass finds nothing to wrap.
        program->removeAttr(kKernelName);
    }
  }
};

} // namespace

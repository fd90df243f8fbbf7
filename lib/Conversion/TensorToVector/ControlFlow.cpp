//===- ControlFlow.cpp - functions, loops and branches
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Control flow stays as it is; only blocks leave it. A block that a loop
// carries, or that a branch yields, has one buffer, and a yield writes it.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "seagrove/Dialect/Triton/IR/Dialect.h"
#include "llvm/ADT/PostOrderIterator.h"

using namespace mlir;
using namespace seagrove;
using namespace seagrove::vectorize;

Lowering::Lowering(func::FuncOp kernel, const Machine &machine)
    : kernel(kernel), machine(machine), plan(kernel, machine.vectorBits),
      builder(kernel.getContext()), loc(kernel.getLoc()) {}

LogicalResult Lowering::run() {
  MLIRContext *context = kernel.getContext();
  Type i32 = builder.getI32Type(),
       pointer = LLVM::LLVMPointerType::get(context);
  SmallVector<Type> types;
  for (Type type : kernel.getArgumentTypes()) {
    if (isa<RankedTensorType>(type))
      return kernel.emitError(
          "SG0404: a kernel cannot take a block as an argument");
    types.push_back(lowered(type));
  }
  types.append(6, i32);
  types.push_back(pointer);
  builder.setInsertionPoint(kernel);
  std::string name = kernel.getName().str();
  program = func::FuncOp::create(builder, loc, name + ".program",
                                 builder.getFunctionType(types, {}));
  program.setPrivate();
  program->setAttr("sg.kernel_name", builder.getStringAttr(name));
  Block *entry = program.addEntryBlock();
  unsigned count = kernel.getNumArguments();
  scalars.map(kernel.getArguments(), entry->getArguments().take_front(count));
  for (unsigned index = 0; index < 6; ++index)
    gridArguments[index] = entry->getArgument(count + index);
  scratch = entry->getArguments().back();
  exportAtomics();

  // A block of its own for constants and addresses, before the kernel's first.
  for (Block &block : kernel.getBody()) {
    Block *copy = program.addBlock();
    blocks[&block] = copy;
    if (block.isEntryBlock())
      continue;
    for (BlockArgument argument : block.getArguments()) {
      if (isBlock(argument))
        buffers[argument] = allocate(
            RankedTensorType::get(typeOf(argument).getShape(),
                                  lowered(typeOf(argument).getElementType())));
      else
        scalars.map(argument,
                    copy->addArgument(lowered(argument.getType()), loc));
    }
  }
  builder.setInsertionPointToEnd(entry);
  cf::BranchOp::create(builder, loc, blocks[&kernel.front()]);
  llvm::ReversePostOrderTraversal<Region *> order(&kernel.getBody());
  for (Block *block : order) {
    builder.setInsertionPointToEnd(blocks[block]);
    if (failed(emitBlock(*block)))
      return failure();
  }
  for (Block &block : kernel.getBody())
    if (blocks[&block]->empty())
      blocks[&block]->erase();
  // What the launcher leaves for assertions is at the start.
  placeBuffers(program, allocations, mayFail(kernel) ? 64 : 0);
  return success();
}

/// Emits the operations of a block, without the terminator of a region.
LogicalResult Lowering::emitBlock(Block &block) {
  for (Operation &op : block) {
    if (isa<scf::YieldOp, scf::ConditionOp>(op))
      continue;
    loc = op.getLoc();
    if (failed(emitOperation(&op)))
      return failure();
  }
  return success();
}

LogicalResult Lowering::emitOperation(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return emitFor(loop);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return emitWhile(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return emitIf(branch);
  if (auto assembly = dyn_cast<tt::ElementwiseInlineAsmOp>(op))
    return emitAssembly(assembly);
  if (isa<tt::PrintOp, tt::AssertOp>(op))
    return emitEffect(op);
  if (isa<cf::BranchOp, cf::CondBranchOp, func::ReturnOp>(op))
    return emitBranch(op);
  if (isa<sg::StoreOp, sg::ScatterOp, sg::ReduceOp, sg::ScanOp, sg::HistogramOp,
          sg::MapOp, sg::AtomicRMWOp, sg::AtomicCASOp, tensor::ConcatOp>(op) ||
      (isa<linalg::LinalgOp>(op) && !isLazy(op)))
    return emitRoot(op);
  if (llvm::any_of(op->getOperands(), isBlock) ||
      llvm::any_of(op->getResults(), isBlock)) {
    if (isView(op)) {
      emitView(op);
      return success();
    }
    if (auto extract = dyn_cast<tensor::ExtractOp>(op))
      return emitExtract(extract);
    if (op->getNumResults() == 0)
      return emitEffect(op);
    if (!llvm::all_of(op->getResults(), isBlock))
      return op->emitError("SG0401: cannot evaluate '")
             << op->getName().getStringRef() << "' on a block";
    for (Value result : op->getResults())
      if (plan.inMemory(result) && !result.use_empty() &&
          !buffers.contains(result) && !postpone(result) &&
          failed(materialize(result)))
        return failure();
    return success();
  }
  if (op->getNumResults() == 0 && isMemoryEffectFree(op))
    return success();
  return emitScalar(op);
}

LogicalResult Lowering::emitRoot(Operation *op) {
  if (auto store = dyn_cast<sg::StoreOp>(op))
    return emitStore(store);
  if (auto scatter = dyn_cast<sg::ScatterOp>(op))
    return emitScatter(scatter);
  if (auto reduce = dyn_cast<sg::ReduceOp>(op))
    return emitReduce(reduce);
  if (auto scan = dyn_cast<sg::ScanOp>(op))
    return emitScan(scan);
  if (auto histogram = dyn_cast<sg::HistogramOp>(op))
    return emitHistogram(histogram);
  if (auto map = dyn_cast<sg::MapOp>(op))
    return emitMap(map);
  if (isa<sg::AtomicRMWOp, sg::AtomicCASOp>(op))
    return emitAtomic(op);
  if (isa<tensor::ConcatOp>(op))
    return emitConcat(op);
  return emitProduct(cast<linalg::LinalgOp>(op));
}

/// One element of a block.
LogicalResult Lowering::emitExtract(tensor::ExtractOp op) {
  Tile tile;
  for (Value index : op.getIndices()) {
    Value position = scalar(index);
    if (!position.getType().isInteger(64))
      position = arith::IndexCastOp::create(builder, loc, builder.getI64Type(),
                                            position);
    tile.coordinates.push_back({position, 0, -1});
  }
  openNest();
  knownBounds.assign(tile.coordinates.size(), {});
  scalars.map(op.getResult(), evaluate(op.getTensor(), tile).value);
  closeNest();
  return success();
}

//===----------------------------------------------------------------------===//
// Carried values
//===----------------------------------------------------------------------===//

Buffer Lowering::allocateLike(Value value) {
  RankedTensorType type = typeOf(value);
  return allocate(
      RankedTensorType::get(type.getShape(), lowered(type.getElementType())));
}

/// Gives each carried block a buffer that holds its initial value, and collects
/// the initial values of the carried scalars.
void Lowering::bindCarried(ValueRange inits, ValueRange arguments,
                           SmallVectorImpl<Value> &initial) {
  for (auto [init, argument] : llvm::zip(inits, arguments)) {
    if (!isBlock(init)) {
      initial.push_back(scalar(init));
      continue;
    }
    Buffer buffer = allocateLike(init);
    materializeInto(init, buffer);
    buffers[argument] = buffer;
  }
}

static void mapScalars(IRMapping &mapping, ValueRange old,
                       ValueRange replacements) {
  size_t next = 0;
  for (Value value : old)
    if (!isBlock(value))
      mapping.map(value, replacements[next++]);
}

/// How an expression reads the buffers that a yield is about to overwrite.
void Lowering::findReads(Value value, bool inPlace, ArrayRef<Buffer> targets,
                         SmallVectorImpl<std::pair<size_t, bool>> &found,
                         DenseSet<std::pair<Value, unsigned>> &seen) {
  if (!isBlock(value) || !seen.insert({value, inPlace}).second)
    return;
  if (auto it = buffers.find(value); it != buffers.end()) {
    for (auto [index, target] : llvm::enumerate(targets))
      if (target.pointer && target.pointer == it->second.pointer)
        found.push_back({index, inPlace});
    return;
  }
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    findReads(operand, inPlace && op->hasTrait<OpTrait::Elementwise>(), targets,
              found, seen);
}

void Lowering::copyBuffer(const Buffer &from, const Buffer &to,
                          ArrayRef<int64_t> shape) {
  int64_t vectorDim = -1;
  for (int64_t dim = 0, rank = shape.size(); dim < rank; ++dim)
    if (shape[dim] > 1)
      vectorDim = dim;
  Width width =
      vectorDim < 0 ? 1 : chooseWidth(to.elementType, shape[vectorDim], {});
  forEachTile(shape, vectorDim, width, {}, {}, [&](const Tile &tile) {
    writeBuffer(to, tile, readBuffer(from, tile).value);
  });
}

/// Writes the yielded blocks to their buffers as if all at once, and collects
/// the yielded scalars.
void Lowering::emitYields(ValueRange yielded, ArrayRef<Buffer> targets,
                          SmallVectorImpl<Value> &results) {
  SmallVector<std::pair<size_t, Buffer>> copies;
  SmallVector<size_t> direct;
  for (auto [index, value] : llvm::enumerate(yielded)) {
    if (!isBlock(value)) {
      results.push_back(scalar(value));
      continue;
    }
    if (auto it = buffers.find(value);
        it != buffers.end() && it->second.pointer == targets[index].pointer)
      continue;
    SmallVector<std::pair<size_t, bool>> found;
    DenseSet<std::pair<Value, unsigned>> seen;
    findReads(value, /*inPlace=*/true, targets, found, seen);
    bool hazard = llvm::any_of(found, [index = index](auto read) {
      return read.first != index || !read.second;
    });
    if (!hazard) {
      direct.push_back(index);
      continue;
    }
    Buffer copy = allocateLike(value);
    materializeInto(value, copy);
    copies.push_back({index, copy});
  }
  for (size_t index : direct)
    materializeInto(yielded[index], targets[index]);
  for (auto &[index, copy] : copies)
    copyBuffer(copy, targets[index], typeOf(yielded[index]).getShape());
}

SmallVector<Buffer> Lowering::targetsOf(ValueRange values) {
  SmallVector<Buffer> targets;
  for (Value value : values)
    targets.push_back(isBlock(value) ? buffers.lookup(value) : Buffer());
  return targets;
}

//===----------------------------------------------------------------------===//
// Structured control flow
//===----------------------------------------------------------------------===//

LogicalResult Lowering::emitFor(scf::ForOp op) {
  FailureOr<bool> done = emitProductLoop(op);
  if (failed(done) || *done)
    return success(succeeded(done));
  done = emitChainLoop(op);
  if (failed(done) || *done)
    return success(succeeded(done));
  if (isAccumulation(op))
    return emitAccumulation(op);
  packInvariantLefts(op);
  SmallVector<Value> initial, yielded;
  bindCarried(op.getInitArgs(), op.getRegionIterArgs(), initial);
  auto loop = scf::ForOp::create(builder, loc, scalar(op.getLowerBound()),
                                 scalar(op.getUpperBound()),
                                 scalar(op.getStep()), initial);
  loop.setUnsignedCmp(op.getUnsignedCmp());
  OpBuilder::InsertPoint after = builder.saveInsertionPoint();
  Block *body = loop.getBody();
  if (!body->empty())
    body->back().erase();
  builder.setInsertionPointToStart(body);
  scalars.map(op.getInductionVar(), loop.getInductionVar());
  mapScalars(scalars, op.getRegionIterArgs(), loop.getRegionIterArgs());
  if (failed(emitBlock(*op.getBody())))
    return failure();
  emitYields(op.getBody()->getTerminator()->getOperands(),
             targetsOf(op.getRegionIterArgs()), yielded);
  scf::YieldOp::create(builder, loc, yielded);
  builder.restoreInsertionPoint(after);
  mapScalars(scalars, op.getResults(), loop.getResults());
  for (auto [result, argument] :
       llvm::zip(op.getResults(), op.getRegionIterArgs()))
    if (isBlock(result))
      buffers[result] = buffers.lookup(argument);
  return success();
}

LogicalResult Lowering::emitWhile(scf::WhileOp op) {
  SmallVector<Value> initial;
  bindCarried(op.getInits(), op.getBeforeArguments(), initial);
  scf::ConditionOp condition = op.getConditionOp();
  SmallVector<Type> types;
  for (Type type : op.getResultTypes())
    if (!isa<RankedTensorType>(type))
      types.push_back(lowered(type));
  auto loop =
      scf::WhileOp::create(builder, loc, types, initial, nullptr, nullptr);
  OpBuilder::InsertPoint after = builder.saveInsertionPoint();
  auto fill = [&](Region &region, ValueRange arguments,
                  TypeRange blockTypes) -> Block * {
    Block *block = region.empty() ? &region.emplaceBlock() : &region.front();
    while (!block->empty())
      block->back().erase();
    if (block->getNumArguments() == 0)
      for (Type type : blockTypes)
        block->addArgument(type, loc);
    builder.setInsertionPointToStart(block);
    mapScalars(scalars, arguments, block->getArguments());
    return block;
  };
  fill(loop.getBefore(), op.getBeforeArguments(),
       ValueRange(initial).getTypes());
  if (failed(emitBlock(*op.getBeforeBody())))
    return failure();
  for (auto [value, argument, result] : llvm::zip(
           condition.getArgs(), op.getAfterArguments(), op.getResults())) {
    if (!isBlock(value))
      continue;
    // What the condition passes on unchanged stays where it is.
    bool stays = llvm::is_contained(op.getBeforeArguments(), value);
    buffers[argument] = stays ? buffers.lookup(value) : allocateLike(value);
    buffers[result] = buffers.lookup(argument);
  }
  SmallVector<Value> passed, yielded;
  emitYields(condition.getArgs(), targetsOf(op.getAfterArguments()), passed);
  scf::ConditionOp::create(builder, loc, scalar(condition.getCondition()),
                           passed);
  fill(loop.getAfter(), op.getAfterArguments(), types);
  if (failed(emitBlock(*op.getAfterBody())))
    return failure();
  emitYields(op.getYieldOp().getOperands(), targetsOf(op.getBeforeArguments()),
             yielded);
  scf::YieldOp::create(builder, loc, yielded);
  builder.restoreInsertionPoint(after);
  mapScalars(scalars, op.getResults(), loop.getResults());
  return success();
}

LogicalResult Lowering::emitIf(scf::IfOp op) {
  SmallVector<Type> types;
  for (Value result : op.getResults()) {
    if (isBlock(result))
      buffers[result] = allocateLike(result);
    else
      types.push_back(lowered(result.getType()));
  }
  SmallVector<Buffer> targets = targetsOf(op.getResults());
  bool hasElse = !op.getElseRegion().empty();
  auto branch = scf::IfOp::create(builder, loc, types,
                                  scalar(op.getCondition()), hasElse);
  OpBuilder::InsertPoint after = builder.saveInsertionPoint();
  auto emitSide = [&](Block *from, Block *to) {
    while (!to->empty())
      to->back().erase();
    builder.setInsertionPointToStart(to);
    SmallVector<Value> yielded;
    if (failed(emitBlock(*from)))
      return failure();
    emitYields(from->getTerminator()->getOperands(), targets, yielded);
    scf::YieldOp::create(builder, loc, yielded);
    return success();
  };
  Asked before = asked;
  if (failed(emitSide(op.thenBlock(), branch.thenBlock())))
    return failure();
  std::swap(asked, before);
  if (hasElse && failed(emitSide(op.elseBlock(), branch.elseBlock())))
    return failure();
  asked.add(before);
  builder.restoreInsertionPoint(after);
  mapScalars(scalars, op.getResults(), branch.getResults());
  return success();
}

//===----------------------------------------------------------------------===//
// Unstructured control flow
//===----------------------------------------------------------------------===//

/// The block that an edge leads to: the target itself, or a block between in
/// which the blocks that the edge passes are written to their buffers.
Block *Lowering::emitEdge(Block *target, ValueRange operands,
                          SmallVectorImpl<Value> &passed) {
  if (llvm::none_of(operands, isBlock)) {
    for (Value operand : operands)
      passed.push_back(scalar(operand));
    return blocks[target];
  }
  OpBuilder::InsertionGuard guard(builder);
  Block *between = program.addBlock();
  builder.setInsertionPointToStart(between);
  SmallVector<Value> forwarded;
  emitYields(operands, targetsOf(target->getArguments()), forwarded);
  cf::BranchOp::create(builder, loc, blocks[target], forwarded);
  return between;
}

LogicalResult Lowering::emitBranch(Operation *op) {
  if (isa<func::ReturnOp>(op)) {
    if (op->getNumOperands() != 0)
      return op->emitError("SG0406: a kernel returns nothing");
    func::ReturnOp::create(builder, loc);
    return success();
  }
  SmallVector<Value> first, second;
  if (auto branch = dyn_cast<cf::BranchOp>(op)) {
    Block *target = emitEdge(branch.getDest(), branch.getDestOperands(), first);
    cf::BranchOp::create(builder, loc, target, first);
    return success();
  }
  auto branch = cast<cf::CondBranchOp>(op);
  Block *taken =
      emitEdge(branch.getTrueDest(), branch.getTrueDestOperands(), first);
  Block *otherwise =
      emitEdge(branch.getFalseDest(), branch.getFalseDestOperands(), second);
  cf::CondBranchOp::create(builder, loc, scalar(branch.getCondition()), taken,
                           first, otherwise, second);
  return success();
}

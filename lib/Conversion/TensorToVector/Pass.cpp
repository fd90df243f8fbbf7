//===- Pass.cpp - the pass that vectorizes blocks
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Pass/Pass.h"
#include "Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "seagrove/Conversion/Passes.h"

namespace seagrove {
#define GEN_PASS_DEF_VECTORIZEBLOCKS
#include "seagrove/Conversion/Passes.h.inc"
} // namespace seagrove

using namespace mlir;
using namespace seagrove;

namespace {
struct VectorizeBlocks : seagrove::impl::VectorizeBlocksBase<VectorizeBlocks> {
  using VectorizeBlocksBase::VectorizeBlocksBase;

  void runOnOperation() override {
    vectorize::Machine machine;
    machine.vectorBits = vectorBits;
    machine.vectorRegisters = vectorRegisters;
    machine.scalableUnitBits = scalableUnitBits;
    machine.scalableMaxBits = scalableMaxBits;
    machine.registerGroup = registerGroup;
    machine.l1Bytes = l1Bytes;
    machine.l2Bytes = l2Bytes;
    machine.lastLevelBytes = lastLevelBytes;
    machine.fma = fma;
    machine.comparesMaximum = comparesMaximum;
    machine.rowsToSecondLevel = rowsToSecondLevel;
    machine.streamsByHalves = streamsByHalves;
    for (const std::string &name : matrixUnits) {
      machine.units.push_back(findMatrixUnit(name));
      if (machine.units.back())
        continue;
      getOperation().emitError("there is no matrix unit called '")
          << name << "'";
      return signalPassFailure();
    }
    SmallVector<func::FuncOp> kernels;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr("sg.kernel"))
        kernels.push_back(function);
    for (func::FuncOp kernel : kernels) {
      vectorize::markNeverPositive(kernel);
      vectorize::narrowRepeated(kernel);
      vectorize::splitSingleTrips(kernel);
      vectorize::sinkStores(kernel);
      vectorize::turnProducts(kernel, machine);
      if (failed(vectorize::Lowering(kernel, machine).run()))
        return signalPassFailure();
      kernel.erase();
    }
  }
};
} // namespace

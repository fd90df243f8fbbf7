//===- MatrixUnit.cpp - the units that were registered --------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "seagrove/Support/MatrixUnit.h"

#include "llvm/ADT/StringMap.h"

using namespace seagrove;

MatrixUnit::~MatrixUnit() = default;

llvm::SmallVector<mlir::Value> MatrixUnit::split(Builder &, const MatrixStep &,
                                                 mlir::Value value) const {
  return {value};
}

mlir::Value MatrixUnit::addExcess(Builder &, const MatrixStep &, mlir::Type,
                                  mlir::Value, mlir::Value sum) const {
  return sum;
}

mlir::Value MatrixUnit::withoutExcess(Builder &, const MatrixStep &, mlir::Type,
                                      mlir::Value result, mlir::Value) const {
  return result;
}

/// Filled once, when the dialects are registered, and only read afterwards.
static llvm::StringMap<std::unique_ptr<MatrixUnit>> &units() {
  static llvm::StringMap<std::unique_ptr<MatrixUnit>> registered;
  return registered;
}

const MatrixUnit *seagrove::findMatrixUnit(llvm::StringRef name) {
  auto found = units().find(name);
  return found == units().end() ? nullptr : found->second.get();
}

void seagrove::addMatrixUnit(llvm::StringRef name,
                             std::unique_ptr<MatrixUnit> unit) {
  units().try_emplace(name, std::move(unit));
}

//===- MatrixUnits.cpp - registers the matrix units of x86 ----------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixUnits.h"

using namespace seagrove;

namespace seagrove::x86_64 {
void registerMatrixUnit() {
  addTiles();
  addPairs();
}
} // namespace seagrove::x86_64

//===- MatrixUnits.h - what multiplies small matrices on x86 ----*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_ISA_X86_64_MATRIXUNITS_H
#define SEAGROVE_ISA_X86_64_MATRIXUNITS_H

namespace seagrove::x86_64 {

/// "tiles": AMX.
void addTiles();
/// "pairs-WIDTH", "fours-WIDTH": instructions on vectors of so many bits.
void addPairs();

} // namespace seagrove::x86_64

#endif // SEAGROVE_ISA_X86_64_MATRIXUNITS_H

//===- LaneAddresses.h - an address of its own for each lane --------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_ANALYSIS_LANEADDRESSES_H
#define SEAGROVE_ANALYSIS_LANEADDRESSES_H

#include "seagrove/Analysis/BlockState.h"

namespace seagrove {

/// A block of pointers as a scalar pointer and a block of offsets: what an
/// access falls back to when its block is not structured.
struct LaneAddresses {
  mlir::Value base;
  /// i32 or i64. Null stands for zeros.
  mlir::Value offsets;
  /// The offsets are bytes; `base` is then a null pointer.
  bool inBytes = false;
};

class AddressAnalysis {
public:
  explicit AddressAnalysis(BlockAnalysis &blocks) : blocks(blocks) {}

  /// The addresses of a block of pointers. Offsets stay in the type that the
  /// program computes them in, as long as nothing is added to them.
  mlir::FailureOr<LaneAddresses> lanesOf(mlir::Value pointers);
  /// The same with offsets that are never null.
  mlir::FailureOr<LaneAddresses> fullLanesOf(mlir::Value pointers);
  /// The addresses as numbers, a block of i64.
  mlir::FailureOr<mlir::Value> addressesOf(mlir::Value pointers);

private:
  mlir::FailureOr<LaneAddresses> compute(mlir::Value pointers);
  LaneAddresses move(mlir::Value result, const LaneAddresses &lanes,
                     mlir::Value offset);
  mlir::Value toBytes(mlir::Location loc, const LaneAddresses &lanes,
                      mlir::RankedTensorType pointers);

  BlockAnalysis &blocks;
  llvm::DenseMap<mlir::Value, LaneAddresses> known;
};

} // namespace seagrove

#endif // SEAGROVE_ANALYSIS_LANEADDRESSES_H

//===- Strided.cpp - every second element
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Pairs lie side by side in memory: the real and the imaginary part, the two
// numbers that a rotary embedding turns, the halves of a packed weight. Two
// reads of whole vectors and a shuffle take one element of each pair, where an
// address for each lane would take as many reads as there are lanes.
//
//===----------------------------------------------------------------------===//

#include "Strided.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace seagrove;

static Value after(OpBuilder &builder, Location loc, Value pointer, Type type,
                   int32_t distance) {
  return LLVM::GEPOp::create(builder, loc, pointer.getType(), type, pointer,
                             ArrayRef<LLVM::GEPArg>{distance});
}

Value vectorize::readEverySecond(OpBuilder &builder, Location loc,
                                 Value pointer, VectorType type,
                                 unsigned alignment) {
  int64_t lanes = type.getNumElements();
  Value behind = after(builder, loc, pointer, type.getElementType(), lanes - 1);
  Value first =
      LLVM::LoadOp::create(builder, loc, type, pointer, alignment).getResult();
  Value second =
      LLVM::LoadOp::create(builder, loc, type, behind, alignment).getResult();
  SmallVector<int64_t> taken;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    int64_t at = 2 * lane;
    taken.push_back(at < lanes ? at : lanes + at - (lanes - 1));
  }
  return vector::ShuffleOp::create(builder, loc, first, second, taken);
}

void vectorize::writeInterleaved(OpBuilder &builder, Location loc, Value even,
                                 Value odd, Value pointer, unsigned alignment) {
  auto type = cast<VectorType>(even.getType());
  int64_t lanes = type.getNumElements();
  for (int64_t part = 0; part < 2; ++part) {
    SmallVector<int64_t> taken;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      int64_t at = part * lanes + lane;
      taken.push_back(at / 2 + (at % 2) * lanes);
    }
    Value mixed = vector::ShuffleOp::create(builder, loc, even, odd, taken);
    LLVM::StoreOp::create(
        builder, loc, mixed,
        after(builder, loc, pointer, type.getElementType(), part * lanes),
        alignment);
  }
}

//===- Tiles.cpp - AMX ----------------------------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Eight tiles of 16 rows of 64 bytes. LLVM allocates them and configures them
// at the entry of the function, which is once for each range of programs.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "seagrove/Support/MatrixUnit.h"

using namespace mlir;
using namespace seagrove;

namespace {

constexpr int64_t kRows = 16;
constexpr int64_t kRowBytes = 64;
/// Elements of a result are of 32 bits.
constexpr int64_t kColumns = kRowBytes / 4;

class Tiles : public MatrixUnit {
public:
  std::optional<MatrixStep> findStep(Type element, Type result,
                                     int64_t depth) const override {
    bool floats = element.isBF16() && result.isF32();
    bool bytes = element.isInteger(8) && result.isInteger(32);
    if (!floats && !bytes)
      return std::nullopt;
    int64_t interleave = 32 / element.getIntOrFloatBitWidth();
    int64_t deepest = kRowBytes * interleave / 4;
    MatrixStep step = {kRows, kColumns, std::min(deepest, depth), interleave};
    if (step.depth % interleave != 0)
      return std::nullopt;
    return step;
  }

  // Four results, two tiles of the left and two of the right operand.
  int64_t resultsDown() const override { return 2; }
  int64_t resultsAcross() const override { return 2; }

  Value loadResult(Builder &b, const MatrixStep &step, Type element,
                   const MatrixPlace &place) const override {
    return load(b, step.rows, kRowBytes, place);
  }

  Value loadLeft(Builder &b, const MatrixStep &step, Type element,
                 const MatrixPlace &place) const override {
    return load(b, step.rows, leftRowBytes(step), place);
  }

  Value loadRight(Builder &b, const MatrixStep &step, Type element,
                  const MatrixPlace &place) const override {
    return load(b, step.depth / step.interleave, kRowBytes, place);
  }

  Value multiply(Builder &b, const MatrixStep &step, Type element, Value left,
                 Value right, Value sum) const override {
    StringRef name = element.isBF16() ? "llvm.x86.tdpbf16ps.internal"
                                      : "llvm.x86.tdpbssd.internal";
    return call(b, name, tile(b),
                {i16(b, step.rows), i16(b, kRowBytes),
                 i16(b, leftRowBytes(step)), sum, left, right});
  }

  void storeResult(Builder &b, const MatrixStep &step, Type element,
                   Value value, const MatrixPlace &place) const override {
    call(b, "llvm.x86.tilestored64.internal", {},
         {i16(b, step.rows), i16(b, kRowBytes), place.pointer, place.rowBytes,
          value});
  }

private:
  static Type tile(Builder &b) {
    return LLVM::LLVMX86AMXType::get(b.getContext());
  }

  static int64_t leftRowBytes(const MatrixStep &step) {
    return step.depth * 4 / step.interleave;
  }

  static Value i16(Builder &b, int64_t value) {
    return arith::ConstantIntOp::create(b, b.getI16Type(), value);
  }

  static Value call(Builder &b, StringRef name, Type result,
                    ValueRange operands) {
    auto intrinsic = LLVM::CallIntrinsicOp::create(
        b, result, b.getStringAttr(name), operands);
    return result ? intrinsic.getResult(0) : Value();
  }

  static Value load(Builder &b, int64_t rows, int64_t bytes,
                    const MatrixPlace &place) {
    return call(b, "llvm.x86.tileloadd64.internal", tile(b),
                {i16(b, rows), i16(b, bytes), place.pointer, place.rowBytes});
  }
};

} // namespace

namespace seagrove::x86_64 {
void registerMatrixUnit() { addMatrixUnit("tiles", std::make_unique<Tiles>()); }
} // namespace seagrove::x86_64

//===- Tiles.cpp - AMX ----------------------------------------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Eight tiles of 16 rows of 64 bytes. LLVM allocates them and configures them
// at the entry of the function, which is once for each range of programs.
// fp16 has no instruction of its own before AMX-FP16: its numbers are
// multiplied as exact sums of two bf16 numbers.
//
//===----------------------------------------------------------------------===//

#include "MatrixUnits.h"
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
    bool halves = element.isF16() && result.isF32();
    bool floats = element.isBF16() && result.isF32();
    bool bytes = element.isInteger(8) && result.isInteger(32);
    if (!halves && !floats && !bytes)
      return std::nullopt;
    int64_t interleave = 32 / element.getIntOrFloatBitWidth();
    int64_t deepest = kRowBytes * interleave / 4;
    MatrixStep step = {kRows, kColumns, std::min(deepest, depth), interleave,
                       element};
    if (step.depth % interleave != 0)
      return std::nullopt;
    step.flushes = floats;
    if (halves) {
      step.stored = BFloat16Type::get(element.getContext());
      step.parts = 2;
      step.terms = {{1, 1}, {1, 0}, {0, 0}, {0, 1}};
    }
    return step;
  }

  /// The 11 significant bits of an fp16 number as a sum of two bf16 numbers of
  /// its sign, of which neither is zero unless it is. So each product of parts
  /// is exact, all four have the sign of the product, and infinities and NaN
  /// come out as they should: no infinity meets a zero that is only a part.
  ///
  /// The first part is the number less one in the fifth significant bit,
  /// truncated there: in the representation, that also is right across powers
  /// of two. What is left has 7 bits.
  SmallVector<Value> split(Builder &b, const MatrixStep &step,
                           Value value) const override {
    auto typeLike = [&](Type element) -> Type {
      auto vector = dyn_cast<VectorType>(value.getType());
      return vector ? Type(vector.clone(element)) : element;
    };
    Type f32 = typeLike(b.getF32Type()), i32 = typeLike(b.getI32Type());
    auto constant = [&](Type type, Attribute one) -> Value {
      if (auto vector = dyn_cast<VectorType>(type))
        return arith::ConstantOp::create(b,
                                         DenseElementsAttr::get(vector, one));
      return arith::ConstantOp::create(b, cast<TypedAttr>(one));
    };
    auto integer = [&](int32_t number) {
      return constant(i32, b.getI32IntegerAttr(number));
    };
    constexpr int32_t fifthBit = 1 << 19;
    Value whole = arith::ExtFOp::create(b, f32, value);
    Value bits = arith::BitcastOp::create(b, i32, whole);
    bits = arith::SubIOp::create(b, bits, integer(fifthBit));
    bits = arith::AndIOp::create(b, bits, integer(-fifthBit));
    Value zero = constant(f32, b.getF32FloatAttr(0));
    Value isZero =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, whole, zero);
    Value first = arith::SelectOp::create(
        b, isZero, zero, arith::BitcastOp::create(b, f32, bits));
    Value second = arith::SubFOp::create(b, whole, first);
    SmallVector<Value> parts;
    for (Value part : {first, second}) {
      // Both are bf16 numbers already: their upper halves are all of them.
      Value high = arith::ShRUIOp::create(
          b, arith::BitcastOp::create(b, i32, part), integer(16));
      high = arith::TruncIOp::create(b, typeLike(b.getI16Type()), high);
      parts.push_back(arith::BitcastOp::create(b, typeLike(step.stored), high));
    }
    return parts;
  }

  // Four results, two tiles of the left and two of the right operand.
  int64_t resultsDown() const override { return 2; }
  int64_t resultsAcross() const override { return 2; }

  Value zeroResult(Builder &b, const MatrixStep &step,
                   Type element) const override {
    return call(b, "llvm.x86.tilezero.internal", tile(b),
                {i16(b, step.rows), i16(b, kRowBytes)});
  }

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

void x86_64::addTiles() { addMatrixUnit("tiles", std::make_unique<Tiles>()); }

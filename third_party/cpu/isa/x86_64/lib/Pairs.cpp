//===- Pairs.cpp - vectors that multiply pairs and add --------------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Instructions that multiply two neighbours of 16 bits each and add both
// products to an element of 32: VPMADDWD and VPADDD (which LLVM makes one
// VPDPWSSD of where there is VNNI) for int8, whose numbers are widened when
// they are packed, and VDPBF16PS for bf16. A result is one row of one vector.
//
//===----------------------------------------------------------------------===//

#include "MatrixUnits.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "seagrove/Support/MatrixUnit.h"

using namespace mlir;
using namespace seagrove;

namespace {

struct Shape {
  /// Elements of 32 bits of a vector.
  int64_t lanes;
  /// Rows and vectors of a register tile.
  int64_t down, across;
  /// What multiplies 16-bit integers, and bf16 if anything does.
  StringRef integers, floats;
};

class Pairs : public MatrixUnit {
public:
  explicit Pairs(const Shape &shape) : shape(shape) {}

  std::optional<MatrixStep> findStep(Type element, Type result,
                                     int64_t depth) const override {
    Type stored;
    if (element.isBF16() && result.isF32() && !shape.floats.empty())
      stored = element;
    else if (element.isInteger(8) && result.isInteger(32))
      stored = IntegerType::get(element.getContext(), 16);
    if (!stored || depth % 2 != 0)
      return std::nullopt;
    return MatrixStep{1, shape.lanes, 2, 2, stored};
  }

  int64_t resultsDown() const override { return shape.down; }
  int64_t resultsAcross() const override { return shape.across; }

  Value zeroResult(Builder &b, const MatrixStep &step,
                   Type element) const override {
    VectorType type = resultType(element);
    return arith::ConstantOp::create(b, type, b.getZeroAttr(type));
  }

  Value loadResult(Builder &b, const MatrixStep &step, Type element,
                   const MatrixPlace &place) const override {
    return LLVM::LoadOp::create(b, resultType(element), place.pointer, 4);
  }

  Value loadLeft(Builder &b, const MatrixStep &step, Type element,
                 const MatrixPlace &place) const override {
    Type i32 = b.getI32Type();
    Value pair = LLVM::LoadOp::create(b, i32, place.pointer, 2);
    auto lanes = VectorType::get(shape.lanes, i32);
    return pairs(b, element, vector::BroadcastOp::create(b, lanes, pair));
  }

  Value loadRight(Builder &b, const MatrixStep &step, Type element,
                  const MatrixPlace &place) const override {
    auto lanes = VectorType::get(shape.lanes, b.getI32Type());
    return pairs(b, element, LLVM::LoadOp::create(b, lanes, place.pointer, 4));
  }

  Value multiply(Builder &b, const MatrixStep &step, Type element, Value left,
                 Value right, Value sum) const override {
    VectorType type = resultType(element);
    auto call = [&](StringRef name, ValueRange operands) {
      return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(name),
                                           operands)
          .getResult(0);
    };
    if (element.isBF16())
      return call(shape.floats, {sum, left, right});
    return arith::AddIOp::create(b, sum, call(shape.integers, {left, right}));
  }

  void storeResult(Builder &b, const MatrixStep &step, Type element,
                   Value value, const MatrixPlace &place) const override {
    LLVM::StoreOp::create(b, value, place.pointer, 4);
  }

private:
  VectorType resultType(Type element) const {
    MLIRContext *context = element.getContext();
    return VectorType::get(
        shape.lanes, element.isBF16() ? Type(Float32Type::get(context))
                                      : Type(IntegerType::get(context, 32)));
  }

  Value pairs(Builder &b, Type element, Value words) const {
    return vector::BitCastOp::create(
        b, VectorType::get(2 * shape.lanes, element), words);
  }

  Shape shape;
};

} // namespace

void x86_64::addPairs() {
  addMatrixUnit("pairs-128", std::make_unique<Pairs>(
                                 Shape{4, 6, 2, "llvm.x86.sse2.pmadd.wd", ""}));
  addMatrixUnit("pairs-256", std::make_unique<Pairs>(
                                 Shape{8, 6, 2, "llvm.x86.avx2.pmadd.wd", ""}));
  addMatrixUnit("pairs-512",
                std::make_unique<Pairs>(
                    Shape{16, 12, 2, "llvm.x86.avx512.pmaddw.d.512", ""}));
  addMatrixUnit("pairs-512-bf16", std::make_unique<Pairs>(Shape{
                                      16, 12, 2, "llvm.x86.avx512.pmaddw.d.512",
                                      "llvm.x86.avx512bf16.dpbf16ps.512"}));
}

//===- Pairs.cpp - vectors that multiply neighbours and add ---------------===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Instructions that multiply neighbours, which fill 32 bits, and add all the
// products to an element of 32. A result is one row of one vector.
//
// Pairs of 16 bits: VPMADDWD and VPADDD (which LLVM makes one VPDPWSSD of where
// there is VNNI) for int8, whose numbers are widened when they are packed, and
// VDPBF16PS for bf16. Four of 8 bits: VPDPBUSD of VNNI.
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
  /// What multiplies integers, and bf16 if anything does.
  StringRef integers, floats;
};

/// What pairs and fours have in common: a row of the left operand is spread
/// over a vector 32 bits at a time, and a right one's columns lie side by side.
class Neighbours : public MatrixUnit {
public:
  explicit Neighbours(const Shape &shape) : shape(shape) {}

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
    unsigned alignment = element.getIntOrFloatBitWidth() / 8;
    Value word =
        LLVM::LoadOp::create(b, b.getI32Type(), place.pointer, alignment);
    return vector::BroadcastOp::create(b, words(b), word);
  }

  Value loadRight(Builder &b, const MatrixStep &step, Type element,
                  const MatrixPlace &place) const override {
    return elements(b, element,
                    LLVM::LoadOp::create(b, words(b), place.pointer, 4));
  }

  void storeResult(Builder &b, const MatrixStep &step, Type element,
                   Value value, const MatrixPlace &place) const override {
    LLVM::StoreOp::create(b, value, place.pointer, 4);
  }

protected:
  VectorType resultType(Type element) const {
    MLIRContext *context = element.getContext();
    return VectorType::get(shape.lanes,
                           isa<FloatType>(element)
                               ? Type(Float32Type::get(context))
                               : Type(IntegerType::get(context, 32)));
  }

  VectorType words(Builder &b) const {
    return VectorType::get(shape.lanes, b.getI32Type());
  }

  Value elements(Builder &b, Type element, Value words) const {
    int64_t each = 32 / element.getIntOrFloatBitWidth();
    return vector::BitCastOp::create(
        b, VectorType::get(each * shape.lanes, element), words);
  }

  Value call(Builder &b, Type element, StringRef name,
             ValueRange operands) const {
    return LLVM::CallIntrinsicOp::create(b, resultType(element),
                                         b.getStringAttr(name), operands)
        .getResult(0);
  }

  Shape shape;
};

class Pairs : public Neighbours {
public:
  using Neighbours::Neighbours;

  std::optional<MatrixStep> findStep(Type element, Type result,
                                     int64_t depth) const override {
    Type stored;
    if (element.isBF16() && result.isF32() && !shape.floats.empty())
      stored = element;
    else if (element.isInteger(8) && result.isInteger(32))
      stored = IntegerType::get(element.getContext(), 16);
    if (!stored || depth % 2 != 0)
      return std::nullopt;
    MatrixStep step{1, shape.lanes, 2, 2, stored};
    step.flushes = stored.isBF16();
    return step;
  }

  Value loadLeft(Builder &b, const MatrixStep &step, Type element,
                 const MatrixPlace &place) const override {
    return elements(b, element, Neighbours::loadLeft(b, step, element, place));
  }

  Value multiply(Builder &b, const MatrixStep &step, Type element, Value left,
                 Value right, Value sum) const override {
    if (element.isBF16())
      return call(b, element, shape.floats, {sum, left, right});
    Value products = call(b, element, shape.integers, {left, right});
    return arith::AddIOp::create(b, sum, products);
  }
};

/// VPDPBUSD takes its left numbers for unsigned. 128 more than each of them is
/// what that makes of its bits with the sign turned over, and the results then
/// have 128 times the sums of the right operand's columns too much. All sums
/// are those of 32-bit integers, whatever overflows on the way.
class Fours : public Neighbours {
public:
  using Neighbours::Neighbours;

  std::optional<MatrixStep> findStep(Type element, Type result,
                                     int64_t depth) const override {
    if (!element.isInteger(8) || !result.isInteger(32) || depth % 4 != 0)
      return std::nullopt;
    MatrixStep step{1, shape.lanes, 4, 4, element};
    step.hasExcess = true;
    return step;
  }

  Value loadLeft(Builder &b, const MatrixStep &step, Type element,
                 const MatrixPlace &place) const override {
    Value word = Neighbours::loadLeft(b, step, element, place);
    // A constant that the code generator sees would be applied to the one word
    // first, which takes two instructions more than to apply it where the word
    // is spread.
    Value opaque =
        LLVM::InlineAsmOp::create(
            b, words(b), signs(b), /*asm_string=*/"", /*constraints=*/"=v,0",
            /*has_side_effects=*/false, /*is_align_stack=*/false,
            LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr())
            .getRes();
    return elements(b, element, arith::XOrIOp::create(b, word, opaque));
  }

  Value multiply(Builder &b, const MatrixStep &step, Type element, Value left,
                 Value right, Value sum) const override {
    return call(b, element, shape.integers, {sum, left, right});
  }

  Value addExcess(Builder &b, const MatrixStep &step, Type element, Value right,
                  Value sum) const override {
    return multiply(b, step, element, elements(b, element, signs(b)), right,
                    sum);
  }

  Value withoutExcess(Builder &b, const MatrixStep &step, Type element,
                      Value result, Value excess) const override {
    return arith::SubIOp::create(b, result, excess);
  }

private:
  /// Of bytes, 128 each.
  Value signs(Builder &b) const {
    APInt bytes = APInt::getSplat(32, APInt(8, 128));
    return arith::ConstantOp::create(b,
                                     DenseElementsAttr::get(words(b), bytes));
  }
};

} // namespace

void x86_64::addPairs() {
  StringRef words = "llvm.x86.avx512.pmaddw.d.512";
  auto add = [](StringRef name, auto unit) {
    addMatrixUnit(name, std::move(unit));
  };
  add("pairs-128",
      std::make_unique<Pairs>(Shape{4, 6, 2, "llvm.x86.sse2.pmadd.wd", ""}));
  add("pairs-256",
      std::make_unique<Pairs>(Shape{8, 6, 2, "llvm.x86.avx2.pmadd.wd", ""}));
  add("pairs-512", std::make_unique<Pairs>(Shape{16, 12, 2, words, ""}));
  add("pairs-512-bf16",
      std::make_unique<Pairs>(
          Shape{16, 12, 2, words, "llvm.x86.avx512bf16.dpbf16ps.512"}));
  add("fours-512", std::make_unique<Fours>(
                       Shape{16, 12, 2, "llvm.x86.avx512.vpdpbusd.512", ""}));
}

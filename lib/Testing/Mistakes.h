//===- Mistakes.h - the mistakes that can be planted ------------*- C++ -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mistake looks at one operation and changes it, or what surrounds it, if it
// is of the kind that the mistake is about.
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_LIB_TESTING_MISTAKES_H
#define SEAGROVE_LIB_TESTING_MISTAKES_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/ArrayRef.h"

namespace seagrove {

struct Mistake {
  llvm::StringRef kind;
  /// Makes the mistake at `op`; the builder stands before it.
  void (*make)(mlir::OpBuilder &b, mlir::Operation *op);
};

/// In accesses to memory, loops and programs:
///   store-one-more          a bounded store writes one lane more
///   load-one-less           a bounded load leaves out the last valid lane
///   load-low-ignored        the lower bound of a load is taken for 0
///   store-mask-dropped      a store ignores its bounds and its mask
///   load-mask-dropped       a load ignores its mask and reads what is there
///   other-is-zero           lanes that are off hold 0, not `other`
///   tail-uninitialised      lanes that are off hold what was in the register
///   stride-off-by-one       the outermost stride of a block is one too long
///   strides-swapped         rows are read as columns
///   stale-address           a loop reads where its first iteration read
///   stale-accumulator       a carried value is not updated
///   loop-one-less           a loop leaves out its last iteration
///   load-past-store         a load is moved behind the next store
///   atomic-returns-new      an atomic gives the value after the update
///   atomic-mask-dropped     an atomic updates lanes that are off
///   program-axis            the second coordinate of a program is its first
///   branch-inverted         the other branch is taken
llvm::ArrayRef<Mistake> getAccessMistakes();

/// In operations that combine or move the elements of blocks:
///   reduction-from-zero     a reduction starts at 0, whatever it combines
///   reduction-other-axis    rows are reduced instead of columns
///   argmax-takes-last       of equal extremes the last one is named
///   scan-exclusive          a running sum leaves out its own element
///   scan-forward            a reverse scan runs forward
///   transpose-forgotten     a transposed square block stays as it is
///   broadcast-other-axis    a row is repeated as a column
///   join-swapped            the halves of a joined block change places
///   dot-drops-accumulator   a product starts at 0
llvm::ArrayRef<Mistake> getBlockMistakes();

/// In operations on elements:
///   zero-extend             a signed integer is extended by zeros
///   sign-extend             an unsigned integer is extended by its sign
///   nan-lost                maximum and minimum skip a nan they should spread
///   nan-gained              maximum and minimum spread a nan they should skip
///   select-swapped          the operands of a select change places
///   signed-compare          unsigned numbers are compared as signed
///   unsigned-compare        signed numbers are compared as unsigned
///   compare-or-equal        < and > are true of equal numbers
///   unsigned-extremes       min and max take signed numbers for unsigned
///   round-to-zero           a narrowing cast cuts bits off
///   integer-cast-rounds     a float becomes the nearest integer
///   unsigned-to-float       a negative integer becomes a large float
///   division-floors         a negative quotient is rounded down
///   remainder-unsigned      the remainder takes its operands for unsigned
///   shift-logical           >> of a signed integer shifts zeros in
///   shift-arithmetic        >> of an unsigned integer shifts its sign in
///   clamp-half              a clamp has no upper end
///   fused-sign              a * b - c becomes a fused a * b + c
///   fused-unasked           a * b + c is rounded once where it must not be
///   division-by-reciprocal  a / b becomes a * (1 / b)
///   negated-zero            0 - x becomes -x
///   narrow-multiply         a product of 64 bits is computed in 32
llvm::ArrayRef<Mistake> getElementMistakes();

} // namespace seagrove

#endif // SEAGROVE_LIB_TESTING_MISTAKES_H

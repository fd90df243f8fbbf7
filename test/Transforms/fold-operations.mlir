// RUN: seagrove-opt %s -split-input-file -fold-operations | FileCheck %s

// What folds, and what only that read, is gone; operands are folded before
// their users.
// CHECK-LABEL: func.func @folds(
// CHECK-SAME: %[[A:.*]]: i64)
// CHECK-NEXT: return %[[A]] : i64
func.func @folds(%a: i64) -> i64 {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %zero = arith.muli %c1, %c0 : i64
  %sum = arith.addi %a, %zero : i64
  %same = arith.muli %sum, %c1 : i64
  %dead = arith.muli %same, %a : i64
  %deader = arith.addi %dead, %a : i64
  return %same : i64
}

// -----

// Writes stay.
// CHECK-LABEL: func.func @writes(
// CHECK: llvm.store
func.func @writes(%p: !llvm.ptr, %a: i64) {
  llvm.store %a, %p : i64, !llvm.ptr
  return
}

// -----

// CHECK-LABEL: func.func @loops(
// CHECK-SAME: %[[P:.*]]: !llvm.ptr, %[[N:.*]]: i64)
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
// CHECK-DAG: %[[C1:.*]] = arith.constant 1 : i64
// CHECK-NOT: scf.for
// CHECK: llvm.store %[[C0]], %[[P]]
// CHECK: scf.for %[[I:.*]] = %[[C0]] to %[[N]] step %[[C1]]
// CHECK-NEXT: llvm.store %[[I]], %[[P]]
// CHECK-NOT: scf.for
// CHECK: return
func.func @loops(%p: !llvm.ptr, %n: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  scf.for %i = %c0 to %c8 step %c8 : i64 {
    llvm.store %i, %p : i64, !llvm.ptr
  }
  scf.for %i = %c0 to %n step %c1 : i64 {
    llvm.store %i, %p : i64, !llvm.ptr
  }
  scf.for %i = %c8 to %c0 step %c1 : i64 {
    llvm.store %i, %p : i64, !llvm.ptr
  }
  return
}

// -----

// The results of a loop without an iteration are what it starts from.
// CHECK-LABEL: func.func @results(
// CHECK-SAME: %[[A:.*]]: f32)
// CHECK-NEXT: return %[[A]] : f32
func.func @results(%a: f32) -> f32 {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %r = scf.for %i = %c0 to %c0 step %c1 iter_args(%x = %a) -> f32 : i64 {
    %y = arith.addf %x, %x : f32
    scf.yield %y : f32
  }
  return %r : f32
}

// -----

// A program of one block is moved into the loop over programs.
// CHECK-LABEL: func.func @blocks(
// CHECK-SAME: %[[P:.*]]: !llvm.ptr, %[[A:.*]]: i64)
// CHECK-NEXT: llvm.store %[[A]], %[[P]]
// CHECK-NEXT: llvm.store %[[A]], %[[P]]
// CHECK-NEXT: return
func.func @blocks(%p: !llvm.ptr, %a: i64) {
  llvm.store %a, %p : i64, !llvm.ptr
  cf.br ^next(%a : i64)
^next(%b: i64):
  llvm.store %b, %p : i64, !llvm.ptr
  cf.br ^last
^last:
  return
}

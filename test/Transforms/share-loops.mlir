// RUN: seagrove-opt %s -split-input-file -share-loops=least-operations=4 | FileCheck %s

// Two loops that differ in a pointer and a scalar: constants and addresses at a
// constant distance of a common base are copied.
// CHECK-LABEL: func.func private @twice.shared(
// CHECK-SAME: %[[BASE:.*]]: !llvm.ptr, %[[F:.*]]: f32, %[[TO:.*]]: !llvm.ptr)
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
// CHECK-DAG: %[[FROM:.*]] = llvm.getelementptr %[[BASE]][64]
// CHECK: scf.for %[[I:.*]] = %[[C0]]
// CHECK: llvm.getelementptr %[[FROM]][%[[I]]]
// CHECK: arith.mulf %{{.*}}, %[[F]]
// CHECK: llvm.getelementptr %[[TO]][%[[I]]]
// CHECK: return
// CHECK-LABEL: func.func @twice(
// CHECK-SAME: %[[P:.*]]: !llvm.ptr, %[[Q:.*]]: !llvm.ptr, %[[R:.*]]: !llvm.ptr, %[[A:.*]]: f32, %[[B:.*]]: f32)
// CHECK-NOT: scf.for
// CHECK: call @twice.shared(%[[P]], %[[A]], %[[Q]])
// CHECK: call @twice.shared(%[[P]], %[[B]], %[[R]])
// CHECK-NOT: scf.for
func.func @twice(%p: !llvm.ptr, %q: !llvm.ptr, %r: !llvm.ptr, %a: f32, %b: f32) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  %from = llvm.getelementptr %p[64] : (!llvm.ptr) -> !llvm.ptr, i8
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    %0 = llvm.getelementptr %from[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %1 = llvm.load %0 : !llvm.ptr -> f32
    %2 = arith.mulf %1, %a : f32
    %3 = llvm.getelementptr %q[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    llvm.store %2, %3 : f32, !llvm.ptr
  }
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    %0 = llvm.getelementptr %from[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %1 = llvm.load %0 : !llvm.ptr -> f32
    %2 = arith.mulf %1, %b : f32
    %3 = llvm.getelementptr %r[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    llvm.store %2, %3 : f32, !llvm.ptr
  }
  return
}

// -----

// Not shared: another bound, another operation, and one value that would have to
// stand for two.
// CHECK-LABEL: func.func @others(
// CHECK-COUNT-4: scf.for
// CHECK-NOT: call
func.func @others(%p: !llvm.ptr, %q: !llvm.ptr, %a: f32, %b: f32) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c7 = arith.constant 7 : i64
  %c8 = arith.constant 8 : i64
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    %0 = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %1 = arith.mulf %a, %a : f32
    %2 = arith.addf %1, %b : f32
    llvm.store %2, %0 : f32, !llvm.ptr
  }
  scf.for %i = %c0 to %c7 step %c1 : i64 {
    %0 = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %1 = arith.mulf %a, %a : f32
    %2 = arith.addf %1, %b : f32
    llvm.store %2, %0 : f32, !llvm.ptr
  }
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    %0 = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %1 = arith.mulf %a, %a : f32
    %2 = arith.subf %1, %b : f32
    llvm.store %2, %0 : f32, !llvm.ptr
  }
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    %0 = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %1 = arith.mulf %a, %b : f32
    %2 = arith.addf %1, %a : f32
    llvm.store %2, %0 : f32, !llvm.ptr
  }
  return
}

// -----

// Nor a loop that takes a vector, carries a value, or calls.
// CHECK-LABEL: func.func @left(
// CHECK-COUNT-6: scf.for
func.func private @f(f32)
func.func @left(%p: !llvm.ptr, %a: f32, %v: vector<4xf32>, %w: vector<4xf32>) -> (f32, f32) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    %0 = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %1 = arith.mulf %v, %v : vector<4xf32>
    llvm.store %1, %0 : vector<4xf32>, !llvm.ptr
  }
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    %0 = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %1 = arith.mulf %w, %w : vector<4xf32>
    llvm.store %1, %0 : vector<4xf32>, !llvm.ptr
  }
  %x = scf.for %i = %c0 to %c8 step %c1 iter_args(%s = %a) -> (f32) : i64 {
    %0 = arith.mulf %s, %s : f32
    %1 = arith.mulf %0, %0 : f32
    scf.yield %1 : f32
  }
  %y = scf.for %i = %c0 to %c8 step %c1 iter_args(%s = %x) -> (f32) : i64 {
    %0 = arith.mulf %s, %s : f32
    %1 = arith.mulf %0, %0 : f32
    scf.yield %1 : f32
  }
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    %0 = arith.mulf %x, %x : f32
    %1 = arith.mulf %0, %0 : f32
    func.call @f(%1) : (f32) -> ()
  }
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    %0 = arith.mulf %x, %x : f32
    %1 = arith.mulf %0, %0 : f32
    func.call @f(%1) : (f32) -> ()
  }
  return %x, %y : f32, f32
}

// -----

// An outer loop takes what is inside of it along; a loop alone stays.
// CHECK-LABEL: func.func private @nested.shared(
// CHECK-COUNT-2: scf.for
// CHECK-LABEL: func.func @nested(
// CHECK: call @nested.shared
// CHECK-NEXT: call @nested.shared
// CHECK: scf.for
// CHECK-NOT: call
func.func @nested(%p: !llvm.ptr, %q: !llvm.ptr, %a: f32) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    %0 = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    scf.for %j = %c0 to %c8 step %c1 : i64 {
      %1 = llvm.getelementptr %0[%j] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %2 = arith.mulf %a, %a : f32
      llvm.store %2, %1 : f32, !llvm.ptr
    }
  }
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    %0 = llvm.getelementptr %q[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    scf.for %j = %c0 to %c8 step %c1 : i64 {
      %1 = llvm.getelementptr %0[%j] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %2 = arith.mulf %a, %a : f32
      llvm.store %2, %1 : f32, !llvm.ptr
    }
  }
  scf.for %i = %c0 to %c8 step %c1 : i64 {
    %1 = llvm.getelementptr %q[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %2 = arith.divf %a, %a : f32
    llvm.store %2, %1 : f32, !llvm.ptr
  }
  return
}

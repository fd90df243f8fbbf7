// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=256" -canonicalize -cse | FileCheck %s
// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=256" --remark-policy=all --remark-format=emitRemark --remarks-filter=decision -o /dev/null 2>&1 | FileCheck --check-prefix=DECISION %s

// A loop that accumulates for a reduction has a version for one iteration, in
// which nothing is written but the result.

// CHECK-LABEL: func.func private @row.program
// CHECK: %[[SOME:.*]] = arith.cmpi sgt, %[[N:.*]], %c0_i32
// CHECK: %[[ONCE:.*]] = arith.cmpi ule, %[[N]], %c64_i32
// CHECK: %[[SINGLE:.*]] = arith.andi %[[SOME]], %[[ONCE]]
// CHECK: %[[SUM:.*]] = scf.if %[[SINGLE]] -> (f32) {
// CHECK-NOT: llvm.store
// CHECK: arith.addf
// CHECK: } else {
// CHECK: llvm.store {{.*}} vector<8xf32>
// CHECK: arith.addf
// DECISION: where it runs once, the reduction computes what it reads
func.func @row(%x: !tt.ptr<f32>, %z: !tt.ptr<f32>, %n: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %s0 = arith.constant 0 : i32
  %s64 = arith.constant 64 : i32
  %f0 = arith.constant 0.0 : f32
  %zero = arith.constant dense<0.0> : tensor<64xf32>
  %acc = scf.for %i = %s0 to %n step %s64 iter_args(%a = %zero) -> (tensor<64xf32>) : i32 {
    %left = arith.subi %n, %i : i32
    %o = arith.extsi %i : i32 to i64
    %l = arith.extsi %left : i32 to i64
    %end = arith.minsi %l, %c64 : i64
    %v = sg.load %x[%o] strides(%c1) bounds(%c0) to (%end) other(%f0 : f32) : !tt.ptr<f32> -> tensor<64xf32>
    %s = arith.addf %a, %v : tensor<64xf32>
    scf.yield %s : tensor<64xf32>
  }
  %sum = sg.reduce(%acc) axis 0 {
  ^bb0(%l: f32, %r: f32):
    %s = arith.addf %l, %r : f32
    sg.yield %s : f32
  } : (tensor<64xf32>) -> f32
  tt.store %z, %sum : !tt.ptr<f32>
  return
}

// -----

// What is read besides keeps the loop as it is.

// DECISION-NOT: where it runs once
func.func @kept(%x: !tt.ptr<f32>, %z: !tt.ptr<f32>, %n: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %s0 = arith.constant 0 : i32
  %s64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<64xf32>
  %acc = scf.for %i = %s0 to %n step %s64 iter_args(%a = %zero) -> (tensor<64xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %v = sg.load %x[%o] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
    %s = arith.addf %a, %v : tensor<64xf32>
    scf.yield %s : tensor<64xf32>
  }
  sg.store %acc, %z[%c1] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  %sum = sg.reduce(%acc) axis 0 {
  ^bb0(%l: f32, %r: f32):
    %s = arith.addf %l, %r : f32
    sg.yield %s : f32
  } : (tensor<64xf32>) -> f32
  tt.store %z, %sum : !tt.ptr<f32>
  return
}

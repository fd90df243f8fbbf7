// RUN: seagrove-opt %s -vectorize-blocks=vector-bits=256 -canonicalize -cse | FileCheck %s

// A loop that only computes on what it carries: groups of eight vectors run
// through all iterations in registers.

// CHECK-LABEL: func.func private @chain.program
// CHECK: scf.for %{{.*}} = %c0_i64 to %c128_i64 step %c64_i64
// CHECK: scf.for %{{.*}} = %c0_i32 to %{{.*}} step %c1_i32 iter_args
// CHECK-NOT: llvm.store
// CHECK-COUNT-8: math.fma
// CHECK-NOT: llvm.store
// CHECK: scf.yield
// CHECK-COUNT-8: llvm.store
func.func public @chain(%p: !tt.ptr<f32>, %q: !tt.ptr<f32>, %n: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c128 = arith.constant 128 : i64
  %i0 = arith.constant 0 : i32
  %i1 = arith.constant 1 : i32
  %x = sg.load %p[%c0] strides(%c1) bounds(%c0) to(%c128) : !tt.ptr<f32> -> tensor<128xf32>
  %r = scf.for %i = %i0 to %n step %i1 iter_args(%acc = %x) -> (tensor<128xf32>) : i32 {
    %next = math.fma %acc, %x, %x : tensor<128xf32>
    scf.yield %next : tensor<128xf32>
  }
  sg.store %r, %q[%c0] strides(%c1) bounds(%c0) to(%c128) : tensor<128xf32> -> !tt.ptr<f32>
  return
}

// One group that is the whole block reads in the order of the program.

// CHECK-LABEL: func.func private @few.program
// CHECK: scf.for %{{.*}} = %c0_i64 to %{{.*}} step %c1_i64 iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>)
// CHECK-COUNT-2: arith.addf
// CHECK: scf.yield
func.func public @few(%p: !tt.ptr<f32>, %q: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %zero = arith.constant dense<0.0> : tensor<16xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %zero) -> (tensor<16xf32>) : i64 {
    %at = arith.muli %i, %c16 : i64
    %x = sg.load %p[%at] strides(%c1) bounds(%c0) to(%c16) : !tt.ptr<f32> -> tensor<16xf32>
    %next = arith.addf %acc, %x : tensor<16xf32>
    scf.yield %next : tensor<16xf32>
  }
  sg.store %r, %q[%c0] strides(%c1) bounds(%c0) to(%c16) : tensor<16xf32> -> !tt.ptr<f32>
  return
}

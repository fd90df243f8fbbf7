// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=256" -canonicalize -cse -split-input-file | FileCheck %s

// Of what is only summed along its rows a few vectors of four rows stay in
// registers through all iterations; the vector that multiplies them is read
// once for all four.

// CHECK-LABEL: func.func private @product.program
// CHECK: scf.for %{{.*}} = %c0_i64 to %c16_i64 step %c4_i64
// CHECK: %{{.*}}:8 = scf.for
// CHECK: %{{.*}}:8 = scf.for %{{.*}} = %c0_i64 to %c128_i64 step %c16_i64
// CHECK-COUNT-10: llvm.load {{.*}} -> vector<8xf32>
// CHECK-NOT: llvm.load {{.*}} -> vector<8xf32>
// CHECK: scf.yield
// CHECK: return
func.func @product(%x: !tt.ptr<f32>, %v: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c128 = arith.constant 128 : i64
  %zeros = arith.constant dense<0.0> : tensor<16x128xf32>
  %empty = tensor.empty() : tensor<16x128xf32>
  %sums = scf.for %i = %c0 to %n step %c128 iter_args(%acc = %zeros) -> (tensor<16x128xf32>) : i64 {
    %a = sg.load %x[%i] strides(%n, %c1) bounds(%c0, %c0) to(%c16, %c128) : !tt.ptr<f32> -> tensor<16x128xf32>
    %b = sg.load %v[%i] strides(%c1) bounds(%c0) to(%c128) : !tt.ptr<f32> -> tensor<128xf32>
    %all = linalg.broadcast ins(%b : tensor<128xf32>) outs(%empty : tensor<16x128xf32>) dimensions = [0]
    %p = arith.mulf %a, %all : tensor<16x128xf32>
    %next = arith.addf %acc, %p : tensor<16x128xf32>
    scf.yield %next : tensor<16x128xf32>
  }
  %r = sg.reduce(%sums) axis 1 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<16x128xf32>) -> tensor<16xf32>
  sg.store %r, %y[%c0] strides(%c1) bounds(%c0) to (%c16) : tensor<16xf32> -> !tt.ptr<f32>
  return
}

// -----

// A maximum of sums is not a sum of more numbers.

// CHECK-LABEL: func.func private @largest.program
// CHECK-NOT: to %c16_i64 step %c4_i64
// CHECK: return
func.func @largest(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c32 = arith.constant 32 : i64
  %zeros = arith.constant dense<0.0> : tensor<16x32xf32>
  %sums = scf.for %i = %c0 to %n step %c32 iter_args(%acc = %zeros) -> (tensor<16x32xf32>) : i64 {
    %a = sg.load %x[%i] strides(%n, %c1) bounds(%c0, %c0) to(%c16, %c32) : !tt.ptr<f32> -> tensor<16x32xf32>
    %next = arith.addf %acc, %a : tensor<16x32xf32>
    scf.yield %next : tensor<16x32xf32>
  }
  %r = sg.reduce(%sums) axis 1 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.maxnumf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<16x32xf32>) -> tensor<16xf32>
  sg.store %r, %y[%c0] strides(%c1) bounds(%c0) to (%c16) : tensor<16xf32> -> !tt.ptr<f32>
  return
}

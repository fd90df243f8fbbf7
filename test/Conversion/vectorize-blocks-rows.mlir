// RUN: seagrove-opt %s -vectorize-blocks=vector-bits=256 -canonicalize -cse | FileCheck %s

// Across rows the state is four vectors of a row, and one row is taken after the
// other: those in bounds without a mask, then the rest.

// CHECK-LABEL: func.func private @across.program
// CHECK: scf.for %{{.*}} = %c1_i64 to %[[END:.*]] step %c1_i64 iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK-NOT: arith.cmpi
// CHECK-COUNT-4: llvm.load
// CHECK-NOT: arith.cmpi
// CHECK: scf.yield
// CHECK: scf.for %{{.*}} = %[[END]] to %c16_i64 step %c1_i64 iter_args
// CHECK: arith.cmpi slt
// CHECK: scf.yield
// CHECK-COUNT-4: llvm.store
func.func public @across(%p: !tt.ptr<f32>, %q: !tt.ptr<f32>, %rows: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c32 = arith.constant 32 : i64
  %zero = arith.constant 0.0 : f32
  %x = sg.load %p[%c0] strides(%c32, %c1) bounds(%c0, %c0) to(%rows, %c32) other(%zero : f32) : !tt.ptr<f32> -> tensor<16x32xf32>
  %sum = sg.reduce(%x) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<16x32xf32>) -> tensor<32xf32>
  sg.store %sum, %q[%c0] strides(%c1) bounds(%c0) to(%c32) : tensor<32xf32> -> !tt.ptr<f32>
  return
}

// Along the lanes too, rows in bounds are read without a mask.

// CHECK-LABEL: func.func private @along.program
// CHECK-SAME: %[[ROWS:[a-z0-9]*]]: i64
// CHECK: scf.for %{{.*}} = %c0_i64 to %[[ROWS]] step %c1_i64
// CHECK-NOT: arith.cmpi
// CHECK: scf.for %{{.*}} = %[[ROWS]] to %c16_i64 step %c1_i64
// CHECK: arith.cmpi slt
func.func public @along(%p: !tt.ptr<f32>, %q: !tt.ptr<f32>, %rows: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c32 = arith.constant 32 : i64
  %zero = arith.constant 0.0 : f32
  %x = sg.load %p[%c0] strides(%c32, %c1) bounds(%c0, %c0) to(%rows, %c32) other(%zero : f32) : !tt.ptr<f32> -> tensor<16x32xf32>
  %sum = sg.reduce(%x) axis 1 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<16x32xf32>) -> tensor<16xf32>
  sg.store %sum, %q[%c0] strides(%c1) bounds(%c0) to(%c16) : tensor<16xf32> -> !tt.ptr<f32>
  return
}

// Columns' numbers are the same in both loops over rows, and each computes its
// own.

// CHECK-LABEL: func.func private @largest.program
// CHECK-SAME: %[[ROWS:[a-z0-9]*]]: i64
// CHECK: scf.for %{{.*}} = %c0_i64 to %[[ROWS]] step %c1_i64
// CHECK: scf.for %{{.*}} = %[[ROWS]] to %c16_i64 step %c1_i64
func.func public @largest(%p: !tt.ptr<f32>, %q: !tt.ptr<i32>, %rows: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c24 = arith.constant 24 : i64
  %c32 = arith.constant 32 : i64
  %zero = arith.constant 0.0 : f32
  %x = sg.load %p[%c0] strides(%c32, %c1) bounds(%c0, %c0) to(%rows, %c24) other(%zero : f32) : !tt.ptr<f32> -> tensor<16x32xf32>
  %number = sg.iota 0 : tensor<32xi32>
  %empty = tensor.empty() : tensor<16x32xi32>
  %numbers = linalg.broadcast ins(%number : tensor<32xi32>) outs(%empty : tensor<16x32xi32>) dimensions = [0]
  %top:2 = sg.reduce(%x, %numbers) axis 1 {
  ^bb0(%a: f32, %i: i32, %b: f32, %j: i32):
    %0 = arith.cmpf ogt, %a, %b : f32
    %1 = arith.select %0, %a, %b : f32
    %2 = arith.select %0, %i, %j : i32
    sg.yield %1, %2 : f32, i32
  } : (tensor<16x32xf32>, tensor<16x32xi32>) -> (tensor<16xf32>, tensor<16xi32>)
  sg.store %top#1, %q[%c0] strides(%c1) bounds(%c0) to(%c16) : tensor<16xi32> -> !tt.ptr<i32>
  return
}

// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=256 compares-maximum" -canonicalize -cse | FileCheck %s

// Eight short rows are reduced side by side, and their lanes together: seven
// steps of two shuffles for eight sums, written as one vector.

// CHECK-LABEL: func.func private @sums.program
// CHECK: scf.for {{.*}} to %c16_i64 step %c8_i64
// CHECK: scf.for {{.*}} to %c64_i64 step %c8_i64 iter_args
// CHECK-COUNT-8: arith.addf {{.*}} : vector<8xf32>
// CHECK: scf.yield
// CHECK-COUNT-14: vector.shuffle
// CHECK: arith.addf {{.*}} : vector<8xf32>
// CHECK: llvm.store {{.*}} : vector<8xf32>
func.func @sums(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c64 = arith.constant 64 : i64
  %a = sg.load %x[%c0] strides(%c64, %c1) bounds(%c0, %c0) to (%c16, %c64) : !tt.ptr<f32> -> tensor<16x64xf32>
  %s = sg.reduce(%a) axis 1 {
  ^bb0(%l: f32, %r: f32):
    %t = arith.addf %l, %r : f32
    sg.yield %t : f32
  } : (tensor<16x64xf32>) -> tensor<16xf32>
  sg.store %s, %y[%c0] strides(%c1) bounds(%c0) to (%c16) : tensor<16xf32> -> !tt.ptr<f32>
  return
}

// -----

// Rows that a group does not divide, or that have bounds, are taken one after
// the other.

// CHECK-LABEL: func.func private @bounded.program
// CHECK-NOT: vector.shuffle
// CHECK: return
func.func @bounded(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c64 = arith.constant 64 : i64
  %z = arith.constant 0.0 : f32
  %a = sg.load %x[%c0] strides(%c64, %c1) bounds(%c0, %c0) to (%c16, %n) other(%z : f32) : !tt.ptr<f32> -> tensor<16x64xf32>
  %s = sg.reduce(%a) axis 1 {
  ^bb0(%l: f32, %r: f32):
    %t = arith.addf %l, %r : f32
    sg.yield %t : f32
  } : (tensor<16x64xf32>) -> tensor<16xf32>
  sg.store %s, %y[%c0] strides(%c1) bounds(%c0) to (%c16) : tensor<16xf32> -> !tt.ptr<f32>
  return
}

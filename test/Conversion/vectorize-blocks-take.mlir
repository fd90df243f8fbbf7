// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=256" -canonicalize -cse | filecheck %s

// A reduction that evaluates all of a block may write it on the way, but not
// where it also takes elements of it from anywhere: all of them are written
// before.

// CHECK-LABEL: func.func private @taken.program
// CHECK: llvm.load {{.*}} -> vector<4xi32>
// CHECK: llvm.store {{.*}} : vector<4xi32>
// CHECK: arith.andi
// CHECK: arith.addi {{.*}} : vector<4xi32>
// CHECK: return
func.func @taken(%x: !tt.ptr<i32>, %y: !tt.ptr<i32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c4 = arith.constant 4 : i64
  %c7 = arith.constant 7 : i64
  %c16 = arith.constant 16 : i64
  %mask = arith.constant dense<15> : tensor<16x4xi32>
  %v = sg.load %x[%c0] strides(%c7, %c1) bounds(%c0, %c0) to (%c16, %c4) : !tt.ptr<i32> -> tensor<16x4xi32>
  %at = arith.andi %v, %mask : tensor<16x4xi32>
  %taken = sg.take %v[%at] axis 0 : tensor<16x4xi32>, tensor<16x4xi32> -> tensor<16x4xi32>
  %w = arith.addi %taken, %v : tensor<16x4xi32>
  %s = sg.reduce(%w) axis 1 {
  ^bb0(%a: i32, %b: i32):
    %0 = arith.addi %a, %b : i32
    sg.yield %0 : i32
  } : (tensor<16x4xi32>) -> tensor<16xi32>
  sg.store %s, %y[%c0] strides(%c1) bounds(%c0) to (%c16) : tensor<16xi32> -> !tt.ptr<i32>
  return
}

// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=256" -canonicalize -cse -split-input-file | FileCheck %s

// The lanes of a strip are scanned by themselves; only one addition waits for
// the strip before. What is in bounds is read without masks. The sum of the
// same elements is the last result: nothing is read again for it.

// CHECK-LABEL: func.func private @running.program
// CHECK: llvm.intr.masked.load
// CHECK: %[[IN:.*]] = scf.for {{.*}} iter_args(%[[STATE:.*]] = %{{.*}}) -> (vector<8xf32>)
// CHECK: %[[X:.*]] = llvm.load %{{.*}} -> vector<8xf32>
// CHECK: vector.shuffle %[[X]], %[[X]] [0, 0, 2, 2, 4, 4, 6, 6]
// CHECK: vector.shuffle %{{.*}} [0, 1, 1, 1, 4, 5, 5, 5]
// CHECK: vector.shuffle %{{.*}} [0, 1, 2, 3, 3, 3, 3, 3]
// CHECK: %[[OWN:.*]] = arith.select
// CHECK: %[[LAST:.*]] = vector.shuffle %[[OWN]], %[[OWN]] [7, 7, 7, 7, 7, 7, 7, 7]
// CHECK: %[[NEXT:.*]] = arith.addf %[[STATE]], %[[LAST]]
// CHECK: arith.addf %[[STATE]], %[[OWN]]
// CHECK: scf.yield %[[NEXT]]
// CHECK: %[[OUT:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[IN]]) -> (vector<8xf32>)
// CHECK: llvm.intr.masked.load
// CHECK: %[[TOTAL:.*]] = vector.extract %[[OUT]][0]
// CHECK-NOT: llvm.intr.masked.load
// CHECK: llvm.store %[[TOTAL]]
// CHECK: return
func.func @running(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %t: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c128 = arith.constant 128 : i64
  %zero = arith.constant 0.0 : f32
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%n) other(%zero : f32) : !tt.ptr<f32> -> tensor<128xf32>
  %s = sg.scan(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<128xf32>) -> tensor<128xf32>
  %total = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<128xf32>) -> f32
  sg.store %s, %y[%c0] strides(%c1) bounds(%c0) to (%c128) : tensor<128xf32> -> !tt.ptr<f32>
  tt.store %t, %total : !tt.ptr<f32>
  return
}

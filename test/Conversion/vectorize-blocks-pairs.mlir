// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=256" -canonicalize -cse -split-input-file | FileCheck %s

// The even and the odd elements of a row are read as whole vectors, of which
// the last one does not reach beyond what is asked for, and written in turn.

// CHECK-LABEL: func.func private @turn.program
// CHECK-NOT: gather
// CHECK-NOT: scatter
// CHECK: llvm.load %{{.*}} -> vector<8xf32>
// CHECK: llvm.load %{{.*}} -> vector<8xf32>
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 2, 4, 6, 9, 11, 13, 15]
// CHECK: %[[LOW:.*]] = vector.shuffle %{{.*}}, %{{.*}} [0, 8, 1, 9, 2, 10, 3, 11]
// CHECK: llvm.store %[[LOW]]
// CHECK: %[[HIGH:.*]] = vector.shuffle %{{.*}}, %{{.*}} [4, 12, 5, 13, 6, 14, 7, 15]
// CHECK: llvm.store %[[HIGH]]
// CHECK-NOT: scatter
// CHECK: return
func.func @turn(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  %c64 = arith.constant 64 : i64
  %even = sg.load %x[%c0] strides(%c2) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  %odd = sg.load %x[%c1] strides(%c2) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  %sum = arith.addf %even, %odd : tensor<64xf32>
  %difference = arith.subf %even, %odd : tensor<64xf32>
  sg.store %sum, %y[%c0] strides(%c2) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  sg.store %difference, %y[%c1] strides(%c2) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// RUN: seagrove-opt %s --vectorize-blocks="vector-bits=256" --split-input-file | FileCheck %s

// At quotients of positions neighbours mostly read one address: that takes one
// read, and a comparison to see it.

// CHECK-LABEL: func.func private @channels.program
// CHECK: %[[INDEX:.*]] = arith.divsi %{{.*}} : vector<8xi32>
// CHECK: %[[WIDE:.*]] = arith.extsi %[[INDEX]]
// CHECK: %[[FIRST:.*]] = vector.extract %[[WIDE]][0]
// CHECK: %[[ALL:.*]] = vector.broadcast %[[FIRST]]
// CHECK: %[[ALIKE:.*]] = arith.cmpi eq, %[[WIDE]], %[[ALL]]
// CHECK: %[[ONE:.*]] = vector.reduction <and>, %[[ALIKE]]
// CHECK: scf.if %[[ONE]]
// CHECK-NEXT: %[[READ:.*]] = llvm.load %{{.*}} -> f32
// CHECK-NEXT: %[[SPREAD:.*]] = vector.broadcast %[[READ]]
// CHECK-NEXT: scf.yield %[[SPREAD]]
// CHECK-NEXT: } else {
// CHECK: llvm.intr.masked.gather
func.func @channels(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %size: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %iota = sg.iota 0 : tensor<64xi32>
  %sizes = tensor.splat %size : tensor<64xi32>
  %channel = arith.divsi %iota, %sizes : tensor<64xi32>
  %a = sg.load %x[%c0] strides(%c0) bounds(%c0) to(%c64) indices(%channel : tensor<64xi32>) {indexed_dims = array<i64: 0>} : !tt.ptr<f32> -> tensor<64xf32>
  sg.store %a, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// Groups of four: no vector of eight is in one.

// CHECK-LABEL: func.func private @pairs.program
// CHECK-NOT: vector.reduction
// CHECK: llvm.intr.masked.gather
// CHECK-NOT: vector.reduction
// CHECK: return
func.func @pairs(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %iota = sg.iota 0 : tensor<64xi32>
  %four = arith.constant dense<4> : tensor<64xi32>
  %channel = arith.divsi %iota, %four : tensor<64xi32>
  %a = sg.load %x[%c0] strides(%c0) bounds(%c0) to(%c64) indices(%channel : tensor<64xi32>) {indexed_dims = array<i64: 0>} : !tt.ptr<f32> -> tensor<64xf32>
  sg.store %a, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// What lies apart and is wanted for each row is collected once.

// CHECK-LABEL: func.func private @columns.program
// CHECK: llvm.intr.masked.gather
// CHECK-NOT: llvm.intr.masked.gather
// CHECK: arith.mulf
// CHECK-NOT: llvm.intr.masked.gather
// CHECK: return
func.func @columns(%x: !tt.ptr<f32>, %w: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c4 = arith.constant 4 : i64
  %c16 = arith.constant 16 : i64
  %c64 = arith.constant 64 : i64
  %a = sg.load %x[%c0] strides(%c64, %c1) bounds(%c0, %c0) to(%c16, %c64) : !tt.ptr<f32> -> tensor<16x64xf32>
  %b = sg.load %w[%c0] strides(%c4) bounds(%c0) to(%c64) : !tt.ptr<f32> -> tensor<64xf32>
  %empty = tensor.empty() : tensor<16x64xf32>
  %all = linalg.broadcast ins(%b : tensor<64xf32>) outs(%empty : tensor<16x64xf32>) dimensions = [0]
  %product = arith.mulf %a, %all : tensor<16x64xf32>
  sg.store %product, %y[%c0] strides(%c64, %c1) bounds(%c0, %c0) to (%c16, %c64) : tensor<16x64xf32> -> !tt.ptr<f32>
  return
}

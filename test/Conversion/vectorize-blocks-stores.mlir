// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=256" -canonicalize -cse -split-input-file | FileCheck %s

// Two stores of what is computed of the same reads are one nest, which reads
// and computes once. It runs once for each of them if they overlap.

// CHECK-LABEL: func.func private @moments.program
// CHECK-NOT: vector<8xf32>
// CHECK: %[[TURNS:.*]] = arith.select %{{.*}}, %c2_i64, %c1_i64
// CHECK: scf.for %{{.*}} = %c0_i64 to %[[TURNS]] step %c1_i64
// CHECK: scf.for
// CHECK: math.sqrt
// CHECK-NOT: math.sqrt
// CHECK: scf.if
// CHECK: llvm.store
// CHECK: scf.if
// CHECK: llvm.store
// CHECK: return
func.func @moments(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  %r = math.sqrt %v : tensor<64xf32>
  %a = arith.addf %r, %v : tensor<64xf32>
  sg.store %r, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  sg.store %a, %z[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// What is read between two stores may be what the first one wrote.

// CHECK-LABEL: func.func private @between.program
// CHECK: math.sqrt
// CHECK: llvm.store
// CHECK: llvm.load
// CHECK: math.exp
// CHECK: llvm.store
// CHECK: return
func.func @between(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c8) : !tt.ptr<f32> -> tensor<8xf32>
  %r = math.sqrt %v : tensor<8xf32>
  sg.store %r, %y[%c0] strides(%c1) bounds(%c0) to (%c8) : tensor<8xf32> -> !tt.ptr<f32>
  %w = sg.load %y[%c0] strides(%c1) bounds(%c0) to (%c8) : !tt.ptr<f32> -> tensor<8xf32>
  %e = math.exp %w : tensor<8xf32>
  %a = arith.addf %e, %v : tensor<8xf32>
  sg.store %a, %z[%c0] strides(%c1) bounds(%c0) to (%c8) : tensor<8xf32> -> !tt.ptr<f32>
  return
}

// -----

// The scale of a channel is read once where all of the block is in one channel,
// which two divisions of scalars show. It is copied only if the store overlaps
// with what the index may reach.

// CHECK-LABEL: func.func private @channel.program
// CHECK: arith.divsi %{{.*}} : i64
// CHECK: %[[CONFLICT:.*]] = arith.ori
// CHECK: scf.if %[[CONFLICT]] {
// CHECK: } else {
// CHECK: scf.if %{{.*}} {
// CHECK-NOT: gather
// CHECK: %[[ONE:.*]] = llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK: scf.for
// CHECK: %[[ALL:.*]] = vector.broadcast %[[ONE]]
// CHECK: arith.mulf %{{.*}}, %[[ALL]]
// CHECK: } else {
// CHECK: vector.reduction <and>
// CHECK: masked.gather
// CHECK: return
func.func @channel(%x: !tt.ptr<f32>, %w: !tt.ptr<f32>, %y: !tt.ptr<f32>, %from: i32, %size: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %iota = sg.iota 0 : tensor<64xi32>
  %first = tensor.splat %from : tensor<64xi32>
  %at = arith.addi %iota, %first : tensor<64xi32>
  %sizes = tensor.splat %size : tensor<64xi32>
  %channel = arith.divsi %at, %sizes : tensor<64xi32>
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  %a = sg.load %w[%c0] strides(%c0) bounds(%c0) to(%c64) indices(%channel : tensor<64xi32>) {indexed_dims = array<i64: 0>} : !tt.ptr<f32> -> tensor<64xf32>
  %p = arith.mulf %v, %a : tensor<64xf32>
  sg.store %p, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=256" -canonicalize -cse -split-input-file | filecheck %s

// A masked copy: one loop over the whole vectors that are in bounds and one over
// the rest. The buffer is for a copy in case that the two overlap.

// CHECK-LABEL: func.func private @copy.program
// CHECK-SAME: sg.scratch_bytes = 256
// CHECK: scf.if
// CHECK: llvm.select
// CHECK: %[[END:.*]] = arith.andi %{{.*}}, %c-8_i64 : i64
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[END]]
// CHECK: llvm.load %{{.*}} -> vector<8xf32>
// CHECK: llvm.store %{{.*}} : vector<8xf32>
// CHECK: scf.for %{{.*}} = %[[END]] to
// CHECK: llvm.intr.masked.load
// CHECK: llvm.intr.masked.store
func.func @copy(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%n) : !tt.ptr<f32> -> tensor<64xf32>
  sg.store %v, %y[%c0] strides(%c1) bounds(%c0) to (%n) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// An expensive block that two roots need is computed once, into memory, by the
// first of them.

// CHECK-LABEL: func.func private @softmax.program
// CHECK-SAME: sg.scratch_bytes = 256
// CHECK: %[[E:.*]] = math.exp
// CHECK: llvm.store %[[E]]
// CHECK: arith.addf %{{.*}}, %[[E]]
// CHECK: arith.divf
// CHECK-NOT: math.exp
func.func @softmax(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  %m = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.maxnumf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<64xf32>) -> f32
  %ms = tensor.splat %m : tensor<64xf32>
  %d = arith.subf %v, %ms : tensor<64xf32>
  %e = math.exp %d : tensor<64xf32>
  %s = sg.reduce(%e) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<64xf32>) -> f32
  %ss = tensor.splat %s : tensor<64xf32>
  %r = arith.divf %e, %ss : tensor<64xf32>
  sg.store %r, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// The loop over K runs inside of the loops over register tiles: accumulators are
// carried by the innermost loop and there is one for each vector of the tile.

// CHECK-LABEL: func.func private @matmul.program
// CHECK-COUNT-12: math.fma
// CHECK: scf.yield
func.func @matmul(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %k: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c48 = arith.constant 48 : i64
  %c32 = arith.constant 32 : i64
  %s0 = arith.constant 0 : i32
  %s32 = arith.constant 32 : i32
  %zero = arith.constant dense<0.0> : tensor<48x32xf32>
  %acc = scf.for %i = %s0 to %k step %s32 iter_args(%c = %zero) -> (tensor<48x32xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %a = sg.load %x[%o] strides(%c48, %c1) bounds(%c0, %c0) to (%c48, %c32) : !tt.ptr<f32> -> tensor<48x32xf32>
    %b = sg.load %y[%o] strides(%c32, %c1) bounds(%c0, %c0) to (%c32, %c32) : !tt.ptr<f32> -> tensor<32x32xf32>
    %d = linalg.matmul ins(%a, %b : tensor<48x32xf32>, tensor<32x32xf32>) outs(%c : tensor<48x32xf32>) -> tensor<48x32xf32>
    scf.yield %d : tensor<48x32xf32>
  }
  sg.store %acc, %z[%c0] strides(%c32, %c1) bounds(%c0, %c0) to (%c48, %c32) : tensor<48x32xf32> -> !tt.ptr<f32>
  return
}

// -----

// A load that a later store may overlap is copied, but only if it does.

// CHECK-LABEL: func.func private @overlap.program
// CHECK: llvm.ptrtoint
// CHECK: scf.if
// CHECK: llvm.select
func.func @overlap(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  sg.store %v, %y[%c1] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

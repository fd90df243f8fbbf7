// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=256 l2-bytes=65536 last-level-bytes=4194304" -canonicalize -cse | FileCheck %s

// A launch that writes a quarter of the largest cache or more goes past the
// caches: 256 bytes for each program. Rows begin at multiples of a vector if the
// first one does and if the distance of two rows is one.

// CHECK-LABEL: func.func private @scale.program
// CHECK-SAME: sg.streams
// CHECK-DAG: %[[BYTES:.*]] = arith.muli %{{.*}}, %{{.*}} : i64
// CHECK: %[[MANY:.*]] = arith.cmpi sge, %{{.*}}, %c1048576_i64
// CHECK: %[[SKEW:.*]] = arith.ori
// CHECK: %[[LOW:.*]] = arith.andi %[[SKEW]], %c31_i64
// CHECK: %[[ALIGNED:.*]] = arith.cmpi eq, %[[LOW]], %c0_i64
// CHECK: %[[STREAMS:.*]] = arith.andi %[[MANY]], %[[ALIGNED]]
// CHECK: scf.if %[[STREAMS]]
// CHECK-NEXT: llvm.store {{.*}}alignment = 32 : i64, nontemporal
// CHECK: else
// CHECK-NEXT: llvm.store {{.*}}alignment = 4 : i64}
func.func @scale(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %pitch: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c4 = arith.constant 4 : i64
  %c16 = arith.constant 16 : i64
  %v = sg.load %x[%c0] strides(%pitch, %c1) bounds(%c0, %c0) to (%c4, %c16) : !tt.ptr<f32> -> tensor<4x16xf32>
  %w = arith.addf %v, %v : tensor<4x16xf32>
  sg.store %w, %y[%c0] strides(%pitch, %c1) bounds(%c0, %c0) to (%c4, %c16) : tensor<4x16xf32> -> !tt.ptr<f32>
  return
}

// -----

// What the kernel reads from where it writes stays in the caches.

// CHECK-LABEL: func.func private @in_place.program
// CHECK-NOT: sg.streams
// CHECK-NOT: nontemporal
func.func @in_place(%x: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  %w = arith.addf %v, %v : tensor<64xf32>
  sg.store %w, %x[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// An atomic operation does not order writes that go past the caches: where
// another program may wait for one, a fence does.

// CHECK-LABEL: func.func private @signals.program
// CHECK: nontemporal
// CHECK: scf.if
// CHECK-NEXT: llvm.fence seq_cst
// CHECK: llvm.atomicrmw
func.func @signals(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %flag: !tt.ptr<i32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %zero = arith.constant dense<0> : tensor<1xi32>
  %one = arith.constant dense<1> : tensor<1xi32>
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  sg.store %v, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  %old = sg.atomic_rmw "exch" "release" %flag[%zero : tensor<1xi32>], %one : !tt.ptr<i32>, tensor<1xi32> -> tensor<1xi32>
  return
}

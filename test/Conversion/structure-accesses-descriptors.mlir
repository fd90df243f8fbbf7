// RUN: seagrove-opt %s -structure-accesses -canonicalize -cse | FileCheck %s

// A descriptor made in the kernel: out of bounds reads as zero.

// CHECK-LABEL: tt.func public @made
// CHECK-SAME: (%[[X:.*]]: !tt.ptr<f32>, %[[M:.*]]: i32, %[[N:.*]]: i32, %[[I:.*]]: i32, %[[J:.*]]: i32)
// CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK: %[[V:.*]] = sg.load %[[X]][%{{.*}}] strides(%[[S:.*]], %c1_i64) bounds(%[[L0:.*]], %[[L1:.*]]) to(%[[H0:.*]], %[[H1:.*]]) other(%[[ZERO]] : f32) : !tt.ptr<f32> -> tensor<16x32xf32>
// CHECK: sg.store %[[V]], %[[X]]
// CHECK: sg.atomic_rmw "fadd" "relaxed" %[[X]][%{{.*}} : tensor<16x32xi64>], %[[V]] mask(%{{.*}} : tensor<16x32xi1>)
tt.func public @made(%x: !tt.ptr<f32>, %m: i32, %n: i32, %i: i32, %j: i32) {
  %s = arith.extsi %n : i32 to i64
  %one = arith.constant 1 : i64
  %c0 = arith.constant 0 : i32
  %d = tt.make_tensor_descriptor %x, [%m, %n], [%s, %one] : <f32>, <16x32xf32>
  %v = tt.descriptor_load %d[%i, %j] : !tt.tensordesc<16x32xf32> -> tensor<16x32xf32>
  tt.descriptor_store %d[%c0, %j], %v : !tt.tensordesc<16x32xf32>, tensor<16x32xf32>
  tt.descriptor_reduce add, %d[%i, %j], %v : !tt.tensordesc<16x32xf32>, tensor<16x32xf32>
  tt.return
}

// NaN padding; the leading dimension of size 1 is dropped and becomes a
// condition.

// CHECK-LABEL: tt.func public @dropped
// CHECK: %[[NAN:.*]] = arith.constant 0x7E00 : f16
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %{{.*}}, %{{.*}} : i64
// CHECK: %[[H:.*]] = arith.select %[[INSIDE]], %{{.*}}, %c0_i64 : i64
// CHECK: sg.load %{{.*}} to(%[[H]], %{{.*}}) other(%[[NAN]] : f16) : !tt.ptr<f16> -> tensor<16x32xf16>
tt.func public @dropped(%x: !tt.ptr<f16>, %b: i32, %m: i32, %n: i32, %i: i32) -> tensor<16x32xf16> {
  %s0 = arith.constant 4096 : i64
  %s1 = arith.constant 64 : i64
  %one = arith.constant 1 : i64
  %c0 = arith.constant 0 : i32
  %d = tt.make_tensor_descriptor %x, [%b, %m, %n], [%s0, %s1, %one] {padding = 2 : i32} : <f16>, <1x16x32xf16>
  %v = tt.descriptor_load %d[%i, %c0, %c0] : !tt.tensordesc<1x16x32xf16> -> tensor<16x32xf16>
  tt.return %v : tensor<16x32xf16>
}

// An argument expands in place: base, shape, strides, and whether the padding is
// NaN.

// CHECK-LABEL: tt.func public @argument
// CHECK-SAME: (%[[BASE:.*]]: !tt.ptr<f16>, %[[M:.*]]: i64, %[[N:.*]]: i64, %[[S0:.*]]: i64, %[[S1:.*]]: i64, %[[NAN:.*]]: i1, %[[K:.*]]: i32)
// CHECK: scf.for
// CHECK: arith.select %[[NAN]], %{{.*}} : f16
// CHECK: sg.load %[[BASE]][%{{.*}}] strides(%[[S0]], %c1_i64)
tt.func public @argument(%d: !tt.tensordesc<16x64xf16>, %k: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = scf.for %i = %c0 to %k step %c1 iter_args(%e = %d) -> (!tt.tensordesc<16x64xf16>) : i32 {
    %v = tt.descriptor_load %e[%i, %c0] : !tt.tensordesc<16x64xf16> -> tensor<16x64xf16>
    tt.descriptor_store %e[%c0, %i], %v : !tt.tensordesc<16x64xf16>, tensor<16x64xf16>
    scf.yield %e : !tt.tensordesc<16x64xf16>
  }
  tt.return
}

// Rows picked by a vector: an index for dimension 0 and a mask of valid rows.

// CHECK-LABEL: tt.func public @rows
// CHECK-SAME: (%[[X:.*]]: !tt.ptr<f16>, %[[ROWS:.*]]: tensor<16xi32>
// CHECK: %[[WIDE:.*]] = arith.extsi %[[ROWS]] : tensor<16xi32> to tensor<16xi64>
// CHECK: %[[INDEX:.*]] = arith.muli %[[WIDE]], %{{.*}} : tensor<16xi64>
// CHECK: %[[VALID:.*]] = arith.cmpi ult, %[[WIDE]], %{{.*}} : tensor<16xi64>
// CHECK: sg.load %[[X]]{{.*}} indices(%[[INDEX]] : tensor<16xi64>) mask(%{{.*}} : tensor<16x64xi1>) other(%{{.*}} : f16) {indexed_dims = array<i64: 0>}
// CHECK: sg.store
tt.func public @rows(%x: !tt.ptr<f16>, %rows: tensor<16xi32>, %m: i32, %n: i32, %j: i32) {
  %s = arith.extsi %n : i32 to i64
  %one = arith.constant 1 : i64
  %d = tt.make_tensor_descriptor %x, [%m, %n], [%s, %one] : <f16>, <1x64xf16>
  %v = tt.descriptor_gather %d[%rows, %j] : (!tt.tensordesc<1x64xf16>, tensor<16xi32>, i32) -> tensor<16x64xf16>
  tt.descriptor_scatter %d[%rows, %j], %v : !tt.tensordesc<1x64xf16>, tensor<16xi32>, i32, tensor<16x64xf16>
  tt.return
}

// Indices of 16 bits are signed, as those of 32 bits.

// CHECK-LABEL: tt.func public @short_rows
// CHECK: arith.extsi %{{.*}} : tensor<16xi16> to tensor<16xi64>
tt.func public @short_rows(%d: !tt.tensordesc<1x64xf16>, %rows: tensor<16xi16>, %j: i32, %out: !tt.tensordesc<16x64xf16>) {
  %v = tt.descriptor_gather %d[%rows, %j] : (!tt.tensordesc<1x64xf16>, tensor<16xi16>, i32) -> tensor<16x64xf16>
  tt.descriptor_scatter %d[%rows, %j], %v : !tt.tensordesc<1x64xf16>, tensor<16xi16>, i32, tensor<16x64xf16>
  tt.return
}

// RUN: seagrove-opt %s -structure-accesses -canonicalize -cse | FileCheck %s

// A block pointer that a loop advances. Dimension 0 is not checked.

// CHECK-LABEL: tt.func public @advance
// CHECK-SAME: (%[[X:.*]]: !tt.ptr<f16>, %[[M:.*]]: i64, %[[N:.*]]: i64)
// CHECK: scf.for %[[K:.*]] = %c0_i32 to %c4_i32 step %c1_i32 : i32
// CHECK: %[[K64:.*]] = arith.extsi %[[K]] : i32 to i64
// CHECK: %[[COLUMN:.*]] = arith.muli %[[K64]], %c32_i64 : i64
// CHECK-DAG: %[[LOW:.*]] = arith.subi %c0_i64, %[[COLUMN]] : i64
// CHECK-DAG: %[[LEFT:.*]] = arith.subi %[[N]], %[[COLUMN]] : i64
// CHECK: %[[V:.*]] = sg.load %[[X]][%[[COLUMN]]] strides(%[[N]], %c1_i64) bounds(%c0_i64, %{{.*}}) to(%c16_i64, %{{.*}}) other(%[[NAN:.*]] : f16) : !tt.ptr<f16> -> tensor<16x32xf16>
// CHECK: sg.store %[[V]], %[[X]][%[[COLUMN]]] strides(%[[N]], %c1_i64) bounds(%c0_i64, %c0_i64) to(%c16_i64, %c32_i64)
tt.func public @advance(%x: !tt.ptr<f16>, %m: i64, %n: i64) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c4 = arith.constant 4 : i32
  %c32 = arith.constant 32 : i32
  %one = arith.constant 1 : i64
  %p0 = tt.make_tensor_ptr %x, [%m, %n], [%n, %one], [%c0, %c0] {order = array<i32: 1, 0>} : <tensor<16x32xf16>>
  %r = scf.for %k = %c0 to %c4 step %c1 iter_args(%p = %p0) -> (!tt.ptr<tensor<16x32xf16>>) : i32 {
    %v = tt.load %p {boundaryCheck = array<i32: 1>, padding = 2 : i32} : !tt.ptr<tensor<16x32xf16>>
    tt.store %p, %v : !tt.ptr<tensor<16x32xf16>>
    %next = tt.advance %p, [%c0, %c32] : <tensor<16x32xf16>>
    scf.yield %next : !tt.ptr<tensor<16x32xf16>>
  }
  tt.return
}

// One of two block pointers.

// CHECK-LABEL: tt.func public @choice
// CHECK: %[[BASE:.*]] = arith.select %{{.*}}, %{{.*}}, %{{.*}} : !tt.ptr<f32>
// CHECK: sg.load %[[BASE]]
tt.func public @choice(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i64, %flag: i1) -> tensor<16xf32> {
  %c0 = arith.constant 0 : i32
  %one = arith.constant 1 : i64
  %p = scf.if %flag -> (!tt.ptr<tensor<16xf32>>) {
    %a = tt.make_tensor_ptr %x, [%n], [%one], [%c0] {order = array<i32: 0>} : <tensor<16xf32>>
    scf.yield %a : !tt.ptr<tensor<16xf32>>
  } else {
    %b = tt.make_tensor_ptr %y, [%n], [%one], [%c0] {order = array<i32: 0>} : <tensor<16xf32>>
    scf.yield %b : !tt.ptr<tensor<16xf32>>
  }
  %v = tt.load %p {boundaryCheck = array<i32: 0>, padding = 1 : i32} : !tt.ptr<tensor<16xf32>>
  tt.return %v : tensor<16xf32>
}

// RUN: seagrove-opt %s -structure-accesses -canonicalize -cse | FileCheck %s

// Each side starts from a base of its own: the branch chooses the base.

// CHECK-LABEL: tt.func public @bases
// CHECK-SAME: (%[[X:.*]]: !tt.ptr<f32>, %[[Y:.*]]: !tt.ptr<f32>, %[[FLAG:.*]]: i1)
// CHECK: %[[BASE:.*]] = arith.select %[[FLAG]], %[[X]], %[[Y]] : !tt.ptr<f32>
// CHECK: sg.load %[[BASE]][%c0_i64] strides(%c1_i64) bounds(%c0_i64) to(%c16_i64)
tt.func public @bases(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %flag: i1) -> tensor<16xf32> {
  %r = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %p = scf.if %flag -> (tensor<16x!tt.ptr<f32>>) {
    %s = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
    %q = tt.addptr %s, %r : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
    scf.yield %q : tensor<16x!tt.ptr<f32>>
  } else {
    %s = tt.splat %y : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
    %q = tt.addptr %s, %r : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
    scf.yield %q : tensor<16x!tt.ptr<f32>>
  }
  %v = tt.load %p : tensor<16x!tt.ptr<f32>>
  tt.return %v : tensor<16xf32>
}

// A loop that moves its pointers only sometimes carries one scalar.

// CHECK-LABEL: tt.func public @sometimes
// CHECK: scf.for {{.*}} iter_args(%[[OFF:.*]] = %c0_i64) -> (i64)
// CHECK: sg.store %{{.*}}, %{{.*}}[%[[OFF]]] strides(%c1_i64)
// CHECK: %[[STEP:.*]] = arith.select %{{.*}}, %c16_i64, %c0_i64 : i64
// CHECK: %[[NEXT:.*]] = arith.addi %[[OFF]], %[[STEP]] : i64
// CHECK: scf.yield %[[NEXT]] : i64
tt.func public @sometimes(%x: !tt.ptr<f32>, %n: i32, %m: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<16xf32>
  %step = arith.constant dense<16> : tensor<16xi32>
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %p0 = tt.addptr %xs, %range : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  %r = scf.for %k = %c0 to %n step %c1 iter_args(%p = %p0) -> (tensor<16x!tt.ptr<f32>>) : i32 {
    tt.store %p, %zero : tensor<16x!tt.ptr<f32>>
    %c = arith.cmpi slt, %k, %m : i32
    %q = scf.if %c -> (tensor<16x!tt.ptr<f32>>) {
      %next = tt.addptr %p, %step : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
      scf.yield %next : tensor<16x!tt.ptr<f32>>
    } else {
      scf.yield %p : tensor<16x!tt.ptr<f32>>
    }
    scf.yield %q : tensor<16x!tt.ptr<f32>>
  }
  tt.return
}

// A `while` that counts is a `for`, with pointers in closed form.

// CHECK-LABEL: tt.func public @counting
// CHECK: scf.for %[[I:.*]] = %c0_i32 to %{{.*}} step %c4_i32
// CHECK-NOT: iter_args
// CHECK: %[[I64:.*]] = arith.extsi %[[I]] : i32 to i64
// CHECK: %[[OFF:.*]] = arith.muli %[[I64]], %c4_i64 : i64
// CHECK: sg.store %{{.*}}, %{{.*}}[%[[OFF]]]
tt.func public @counting(%x: !tt.ptr<f32>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c4 = arith.constant 4 : i32
  %zero = arith.constant dense<0.0> : tensor<16xf32>
  %step = arith.constant dense<16> : tensor<16xi32>
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %p0 = tt.addptr %xs, %range : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  %r:2 = scf.while (%i = %c0, %p = %p0) : (i32, tensor<16x!tt.ptr<f32>>) -> (i32, tensor<16x!tt.ptr<f32>>) {
    %c = arith.cmpi slt, %i, %n : i32
    scf.condition(%c) %i, %p : i32, tensor<16x!tt.ptr<f32>>
  } do {
  ^bb0(%i: i32, %p: tensor<16x!tt.ptr<f32>>):
    tt.store %p, %zero : tensor<16x!tt.ptr<f32>>
    %next = tt.addptr %p, %step : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
    %j = arith.addi %i, %c4 : i32
    scf.yield %j, %next : i32, tensor<16x!tt.ptr<f32>>
  }
  tt.return
}

// Any other `while` carries addresses.

// CHECK-LABEL: tt.func public @searching
// CHECK: scf.while (%{{.*}} = %{{.*}}) : (tensor<16xi64>)
// CHECK: sg.gather %{{.*}}[%{{.*}} : tensor<16xi64>] {byte_offsets}
tt.func public @searching(%x: !tt.ptr<i32>, %flag: !tt.ptr<i32>) {
  %zero = arith.constant 0 : i32
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<i32> -> tensor<16x!tt.ptr<i32>>
  %p0 = tt.addptr %xs, %range : tensor<16x!tt.ptr<i32>>, tensor<16xi32>
  %r = scf.while (%p = %p0) : (tensor<16x!tt.ptr<i32>>) -> (tensor<16x!tt.ptr<i32>>) {
    %f = tt.load %flag : !tt.ptr<i32>
    %c = arith.cmpi ne, %f, %zero : i32
    scf.condition(%c) %p : tensor<16x!tt.ptr<i32>>
  } do {
  ^bb0(%p: tensor<16x!tt.ptr<i32>>):
    %v = tt.load %p : tensor<16x!tt.ptr<i32>>
    tt.store %xs, %v : tensor<16x!tt.ptr<i32>>
    %next = tt.addptr %p, %v : tensor<16x!tt.ptr<i32>>, tensor<16xi32>
    scf.yield %next : tensor<16x!tt.ptr<i32>>
  }
  tt.return
}

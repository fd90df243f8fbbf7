// RUN: seagrove-opt %s -structure-accesses -canonicalize -cse | FileCheck %s

// Pointers that a loop moves by the same step each time are not carried: the
// offset is the iteration times the step.

// CHECK-LABEL: tt.func public @invariant_step
// CHECK-SAME: (%[[X:.*]]: !tt.ptr<f32>, %[[STEP:.*]]: i32, %[[N:.*]]: i32)
// CHECK: scf.for %[[K:.*]] = %c0_i32 to %[[N]] step %c1_i32 iter_args(%{{.*}} = %{{.*}}) -> (tensor<16xf32>)
// CHECK-DAG: %[[K64:.*]] = arith.extsi %[[K]] : i32 to i64
// CHECK-DAG: %[[O:.*]] = arith.muli %[[K64]], %{{.*}} : i64
// CHECK: sg.load %[[X]][%[[O]]] strides(%c1_i64) bounds(%c0_i64) to(%c16_i64)
tt.func public @invariant_step(%x: !tt.ptr<f32>, %step: i32, %n: i32) -> tensor<16xf32> {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<16xf32>
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %p0 = tt.addptr %xs, %range : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  %r:2 = scf.for %k = %c0 to %n step %c1 iter_args(%p = %p0, %acc = %zero) -> (tensor<16x!tt.ptr<f32>>, tensor<16xf32>) : i32 {
    %v = tt.load %p : tensor<16x!tt.ptr<f32>>
    %sum = arith.addf %acc, %v : tensor<16xf32>
    %steps = tt.splat %step : i32 -> tensor<16xi32>
    %next = tt.addptr %p, %steps : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
    scf.yield %next, %sum : tensor<16x!tt.ptr<f32>>, tensor<16xf32>
  }
  tt.return %r#1 : tensor<16xf32>
}

// After the loop the pointer is the trip count times the step away, also where
// the bounds and the step of the loop are no constants.

// CHECK-LABEL: tt.func public @after_loop
// CHECK-SAME: (%[[X:.*]]: !tt.ptr<f32>, %[[LOW:.*]]: i32, %[[HIGH:.*]]: i32, %[[BY:.*]]: i32)
// CHECK-DAG: %[[SOME:.*]] = arith.cmpi slt, %[[LOW]], %[[HIGH]] : i32
// CHECK-DAG: %[[LENGTH:.*]] = arith.subi %[[HIGH]], %[[LOW]] : i32
// CHECK: %[[LAST:.*]] = arith.subi %[[LENGTH]], %c1_i32 : i32
// CHECK: %[[STEPS:.*]] = arith.divui %[[LAST]], %[[BY]] : i32
// CHECK: %[[COUNT:.*]] = arith.addi %[[STEPS]], %c1_i32 : i32
// CHECK: %[[TRIP:.*]] = arith.select %[[SOME]], %[[COUNT]], %c0_i32 : i32
// CHECK: %[[WIDE:.*]] = arith.extui %[[TRIP]] : i32 to i64
// CHECK: %[[END:.*]] = arith.muli %[[WIDE]], %c16_i64 : i64
// CHECK: scf.for %[[IV:.*]] = %[[LOW]] to %[[HIGH]] step %[[BY]] : i32
// CHECK: %[[DISTANCE:.*]] = arith.subi %[[IV]], %[[LOW]] : i32
// CHECK: %[[NUMBER:.*]] = arith.divui %[[DISTANCE]], %[[BY]] : i32
// CHECK: %[[NUMBER64:.*]] = arith.extui %[[NUMBER]] : i32 to i64
// CHECK: %[[OFFSET:.*]] = arith.muli %[[NUMBER64]], %c16_i64 : i64
// CHECK: sg.store %{{.*}}, %[[X]][%[[OFFSET]]]
// CHECK: sg.store %{{.*}}, %[[X]][%[[END]]]
tt.func public @after_loop(%x: !tt.ptr<f32>, %low: i32, %high: i32, %by: i32) {
  %zero = arith.constant dense<0.0> : tensor<16xf32>
  %step = arith.constant dense<16> : tensor<16xi32>
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %p0 = tt.addptr %xs, %range : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  %r = scf.for %k = %low to %high step %by iter_args(%p = %p0) -> (tensor<16x!tt.ptr<f32>>) : i32 {
    tt.store %p, %zero : tensor<16x!tt.ptr<f32>>
    %next = tt.addptr %p, %step : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
    scf.yield %next : tensor<16x!tt.ptr<f32>>
  }
  tt.store %r, %zero : tensor<16x!tt.ptr<f32>>
  tt.return
}

// A step that the loop computes is carried, as one scalar.

// CHECK-LABEL: tt.func public @varying_step
// CHECK: scf.for {{.*}} iter_args(%[[OFF:.*]] = %c0_i64) -> (i64)
// CHECK: sg.store %{{.*}}, %{{.*}}[%[[OFF]]]
// CHECK: %[[STEP:.*]] = tt.load
// CHECK: %[[WIDE:.*]] = arith.extsi %[[STEP]] : i32 to i64
// CHECK: %[[NEXT:.*]] = arith.addi %[[OFF]], %[[WIDE]] : i64
// CHECK: scf.yield %[[NEXT]] : i64
tt.func public @varying_step(%x: !tt.ptr<f32>, %s: !tt.ptr<i32>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<16xf32>
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %p0 = tt.addptr %xs, %range : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  %r = scf.for %k = %c0 to %n step %c1 iter_args(%p = %p0) -> (tensor<16x!tt.ptr<f32>>) : i32 {
    tt.store %p, %zero : tensor<16x!tt.ptr<f32>>
    %ps = tt.addptr %s, %k : !tt.ptr<i32>, i32
    %step = tt.load %ps : !tt.ptr<i32>
    %steps = tt.splat %step : i32 -> tensor<16xi32>
    %next = tt.addptr %p, %steps : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
    scf.yield %next : tensor<16x!tt.ptr<f32>>
  }
  tt.return
}

// Two loops, one in the other: the inner one is read first.

// CHECK-LABEL: tt.func public @nested
// CHECK: scf.for %[[I:.*]] =
// CHECK-NOT: iter_args
// CHECK: scf.for %[[J:.*]] =
// CHECK-NOT: iter_args
// CHECK: sg.store
tt.func public @nested(%x: !tt.ptr<f32>, %n: i32, %m: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %step = arith.constant dense<16> : tensor<16xi32>
  %zero = arith.constant dense<0.0> : tensor<16xf32>
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %p0 = tt.addptr %xs, %range : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%p = %p0) -> (tensor<16x!tt.ptr<f32>>) : i32 {
    %q = scf.for %j = %c0 to %m step %c1 iter_args(%pp = %p) -> (tensor<16x!tt.ptr<f32>>) : i32 {
      tt.store %pp, %zero : tensor<16x!tt.ptr<f32>>
      %next = tt.addptr %pp, %step : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
      scf.yield %next : tensor<16x!tt.ptr<f32>>
    }
    %skip = tt.addptr %q, %step : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
    scf.yield %skip : tensor<16x!tt.ptr<f32>>
  }
  tt.return
}

// Integers that a loop counts up: blocks and scalars.

// CHECK-LABEL: tt.func public @counters
// CHECK-SAME: (%[[X:.*]]: !tt.ptr<i32>, %[[N:.*]]: i32)
// CHECK: scf.for %[[K:.*]] = %c0_i32 to %[[N]] step %c1_i32 : i32
// CHECK: %[[START:.*]] = arith.muli %[[K]], %c16_i32 : i32
// CHECK: sg.store %{{.*}}, %[[X]][%{{.*}}] strides(%c1_i64)
tt.func public @counters(%x: !tt.ptr<i32>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %c16 = arith.constant 16 : i32
  %step = arith.constant dense<16> : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<i32> -> tensor<16x!tt.ptr<i32>>
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %r:2 = scf.for %k = %c0 to %n step %c1 iter_args(%offs = %range, %s = %c0) -> (tensor<16xi32>, i32) : i32 {
    %p = tt.addptr %xs, %offs : tensor<16x!tt.ptr<i32>>, tensor<16xi32>
    %ss = tt.splat %s : i32 -> tensor<16xi32>
    %v = arith.addi %ss, %offs : tensor<16xi32>
    tt.store %p, %v : tensor<16x!tt.ptr<i32>>
    %next = arith.addi %offs, %step : tensor<16xi32>
    %snext = arith.addi %s, %c16 : i32
    scf.yield %next, %snext : tensor<16xi32>, i32
  }
  tt.return
}

// Two blocks that change places are carried as addresses.

// CHECK-LABEL: tt.func public @swapped
// CHECK: scf.for {{.*}} iter_args(%[[P:.*]] = %{{.*}}, %[[Q:.*]] = %{{.*}}) -> (tensor<16xi64>, tensor<16xi64>)
// CHECK: %[[NULL:.*]] = tt.int_to_ptr %c0_i64 : i64 -> !tt.ptr<f32>
// CHECK: sg.scatter %{{.*}}, %[[NULL]][%[[P]] : tensor<16xi64>] {byte_offsets}
// CHECK: scf.yield %[[Q]], %[[P]]
tt.func public @swapped(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<16xf32>
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %p0 = tt.addptr %xs, %range : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  %ys = tt.splat %y : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %q0 = tt.addptr %ys, %range : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  %r:2 = scf.for %k = %c0 to %n step %c1 iter_args(%p = %p0, %q = %q0) -> (tensor<16x!tt.ptr<f32>>, tensor<16x!tt.ptr<f32>>) : i32 {
    tt.store %p, %zero : tensor<16x!tt.ptr<f32>>
    scf.yield %q, %p : tensor<16x!tt.ptr<f32>>, tensor<16x!tt.ptr<f32>>
  }
  tt.return
}

// Who reads the counter of a while loop afterwards sees the value that ended it,
// which is the first value where the loop does not run.

// CHECK-LABEL: tt.func public @counter_read_after
// CHECK-SAME: (%[[X:.*]]: !tt.ptr<i32>, %[[N:.*]]: i32)
// CHECK: %[[END:.*]] = scf.for %[[K:.*]] = %c1_i32 to %[[N]] step %c1_i32 iter_args(%{{.*}} = %c1_i32)
// CHECK: %[[NEXT:.*]] = arith.addi %[[K]], %c1_i32
// CHECK: scf.yield %[[NEXT]]
// CHECK: tt.store %[[X]], %[[END]]
tt.func public @counter_read_after(%x: !tt.ptr<i32>, %n: i32) {
  %c1 = arith.constant 1 : i32
  %end = scf.while (%k = %c1) : (i32) -> i32 {
    %more = arith.cmpi slt, %k, %n : i32
    scf.condition(%more) %k : i32
  } do {
  ^bb0(%k: i32):
    %next = arith.addi %k, %c1 : i32
    scf.yield %next : i32
  }
  tt.store %x, %end : !tt.ptr<i32>
  tt.return
}

// -----

// A step that depends on the block itself, which has one element: that is read
// after it is restored.

// CHECK-LABEL: tt.func @own_step
// CHECK: scf.for %[[I:.*]] = %{{.*}} iter_args(%[[MOVED:.*]] = %c0_i32) -> (i32)
// CHECK-NEXT: %[[SPLAT:.*]] = tt.splat %[[MOVED]]
// CHECK-NEXT: %[[BLOCK:.*]] = arith.addi %[[SPLAT]], %cst
// CHECK-NEXT: %[[OWN:.*]] = tensor.extract %[[BLOCK]]
// CHECK: arith.muli %[[I]], %[[OWN]]
tt.func @own_step(%p: !tt.ptr<i32>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %init = arith.constant dense<720> : tensor<1xi32>
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %init) -> (tensor<1xi32>) : i32 {
    %is = tt.splat %i : i32 -> tensor<1xi32>
    %product = arith.muli %is, %acc : tensor<1xi32>
    %next = arith.subi %acc, %product : tensor<1xi32>
    scf.yield %next : tensor<1xi32>
  }
  %ps = tt.splat %p : !tt.ptr<i32> -> tensor<1x!tt.ptr<i32>>
  tt.store %ps, %sum : tensor<1x!tt.ptr<i32>>
  tt.return
}

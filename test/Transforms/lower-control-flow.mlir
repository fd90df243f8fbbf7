// RUN: seagrove-opt %s --lower-control-flow | FileCheck %s

// A counted loop tests at its end; the test before it guards the first round.

// CHECK-LABEL: func.func @sum
// CHECK-SAME: (%[[N:.*]]: index, %[[X:.*]]: f32) -> f32
func.func @sum(%n: index, %x: f32) -> f32 {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %start = arith.constant 0.0 : f32
  // CHECK:      %[[SOME:.*]] = arith.cmpi slt, %[[ZERO:.*]], %[[N]] : index
  // CHECK:      cf.cond_br %[[SOME]], ^[[PREHEADER:.*]], ^[[END:.*]](%{{.*}} : f32)
  // CHECK:    ^[[PREHEADER]]:
  // CHECK:      cf.br ^[[BODY:.*]](%[[ZERO]], %{{.*}} : index, f32)
  // CHECK:    ^[[BODY]](%[[I:.*]]: index, %[[ACC:.*]]: f32):
  %total = scf.for %i = %zero to %n step %one iter_args(%acc = %start) -> f32 {
    // CHECK:    %[[SUM:.*]] = arith.addf %[[ACC]], %[[X]] : f32
    %sum = arith.addf %acc, %x : f32
    // CHECK:    %[[NEXT:.*]] = arith.addi %[[I]]
    // CHECK:    %[[AGAIN:.*]] = arith.cmpi slt, %[[NEXT]], %[[N]] : index
    // CHECK:    cf.cond_br %[[AGAIN]], ^[[BODY]](%[[NEXT]], %[[SUM]] : index, f32), ^[[END]](%[[SUM]] : f32)
    scf.yield %sum : f32
  }
  // CHECK:    ^[[END]](%[[RESULT:.*]]: f32):
  // CHECK:      return %[[RESULT]] : f32
  return %total : f32
}

// Loops and conditionals within each other.

// CHECK-LABEL: func.func @nested
func.func @nested(%n: i32, %flag: i1, %a: f32, %b: f32) -> f32 {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  // CHECK-NOT: scf.
  // CHECK: arith.cmpi ult
  // CHECK: cf.cond_br
  %outer = scf.for unsigned %i = %zero to %n step %one iter_args(%x = %a) -> f32 : i32 {
    // CHECK: cf.cond_br %{{.*}}, ^{{.*}}, ^{{.*}}
    %picked = scf.if %flag -> f32 {
      %inner = scf.for %j = %zero to %i step %one iter_args(%y = %x) -> f32 : i32 {
        // CHECK: arith.mulf
        %product = arith.mulf %y, %b : f32
        scf.yield %product : f32
      }
      scf.yield %inner : f32
    } else {
      scf.yield %b : f32
    }
    scf.yield %picked : f32
  }
  // CHECK: return
  return %outer : f32
}

// CHECK-LABEL: func.func @while
func.func @while(%n: i32) -> i32 {
  %two = arith.constant 2 : i32
  // CHECK-NOT: scf.
  // CHECK: cf.cond_br
  %result = scf.while (%x = %n) : (i32) -> i32 {
    %more = arith.cmpi sgt, %x, %two : i32
    scf.condition(%more) %x : i32
  } do {
  ^bb0(%x: i32):
    %next = arith.divsi %x, %two : i32
    scf.yield %next : i32
  }
  return %result : i32
}

// RUN: seagrove-opt %s -lift-callees -inline -symbol-dce | FileCheck %s

// A helper that returns early, called inside of a loop.

tt.func private @clamp(%x: i32) -> i32 {
  %c0 = arith.constant 0 : i32
  %negative = arith.cmpi slt, %x, %c0 : i32
  cf.cond_br %negative, ^early, ^late
^early:
  tt.return %c0 : i32
^late:
  %twice = arith.addi %x, %x : i32
  tt.return %twice : i32
}

// CHECK-LABEL: tt.func public @kernel
// CHECK: scf.for
// CHECK:   arith.cmpi slt
// CHECK:   %[[R:.*]] = scf.if
// CHECK:     scf.yield
// CHECK:   } else {
// CHECK:     arith.addi
// CHECK:     scf.yield
// CHECK:   arith.addi %{{.*}}, %[[R]]
// CHECK-NOT: tt.call
tt.func public @kernel(%n: i32, %out: !tt.ptr<i32>) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%acc = %c0) -> (i32) : i32 {
    %y = tt.call @clamp(%i) : (i32) -> i32
    %next = arith.addi %acc, %y : i32
    scf.yield %next : i32
  }
  tt.store %out, %sum : !tt.ptr<i32>
  tt.return
}

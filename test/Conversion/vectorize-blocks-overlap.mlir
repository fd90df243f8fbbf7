// RUN: seagrove-opt %s --vectorize-blocks="vector-bits=256" --split-input-file | FileCheck %s

// A read that a write may overlap is copied by a function that is not for
// speed: one for all reads of the module, and no loop of the program's own.

// CHECK-LABEL: func.func private @f.program
// CHECK: scf.if
// CHECK-NEXT: llvm.call @sg.copy.1d.i32
// CHECK-NEXT: }
// CHECK: scf.if
// CHECK-NEXT: llvm.call @sg.copy.1d.i32
// CHECK-NEXT: }
// CHECK: scf.for
// CHECK: llvm.func internal @sg.copy.1d.i32
// CHECK-SAME: passthrough = ["cold", "noinline", "optnone"]
// CHECK-COUNT-2: scf.for
// CHECK-NOT: llvm.func
func.func @f(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %a = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%n) : !tt.ptr<f32> -> tensor<64xf32>
  %b = sg.load %y[%c0] strides(%c1) bounds(%c0) to (%n) : !tt.ptr<f32> -> tensor<64xf32>
  %c = arith.addf %a, %b : tensor<64xf32>
  sg.store %c, %z[%c0] strides(%c1) bounds(%c0) to (%n) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// A block that is written where it was read needs no copy, unless the strides
// let several lanes meet at one address.

// CHECK-LABEL: func.func private @in_place.program
// CHECK-NOT: sg.copy
// CHECK: return
func.func @in_place(%x: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %a = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%n) : !tt.ptr<f32> -> tensor<64xf32>
  %b = arith.addf %a, %a : tensor<64xf32>
  sg.store %b, %x[%c0] strides(%c1) bounds(%c0) to (%n) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// CHECK-LABEL: func.func private @may_repeat.program
// CHECK: %[[REPEATS:.*]] = arith.cmpi sle
// CHECK: scf.if
// CHECK-NEXT: llvm.call @sg.copy.1d.i32
func.func @may_repeat(%x: !tt.ptr<f32>, %stride: i64, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %a = sg.load %x[%c0] strides(%stride) bounds(%c0) to (%n) : !tt.ptr<f32> -> tensor<64xf32>
  %b = arith.addf %a, %a : tensor<64xf32>
  sg.store %b, %x[%c0] strides(%stride) bounds(%c0) to (%n) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=256" -canonicalize -cse | FileCheck %s

// Updates have a form without locks, for launches that are alone. Addresses
// that follow one another are updated as vectors where they do; the locks stay
// on the other side.

// CHECK-DAG: llvm.mlir.global external protected @rows.alone(0 : i8)
// CHECK-DAG: llvm.mlir.global external protected @rows.atomics(0 : i8)
// CHECK-LABEL: func.func private @rows.program
// CHECK: %[[PLACE:.*]] = llvm.mlir.addressof @rows.alone
// CHECK: %[[BYTE:.*]] = llvm.load %[[PLACE]] : !llvm.ptr -> i8
// CHECK: %[[ALONE:.*]] = arith.trunci %[[BYTE]] : i8 to i1
// CHECK: scf.if %[[ALONE]]
// CHECK: %[[SAME:.*]] = arith.cmpi eq, %{{.*}}, %c7_i64
// CHECK: scf.if %[[SAME]]
// CHECK: %[[SUM:.*]] = arith.addf %{{.*}} : vector<8xf32>
// CHECK-NEXT: llvm.store %[[SUM]]
// CHECK: else
// CHECK: scf.for
// CHECK: arith.addf %{{.*}} : f32
// CHECK: else
// CHECK-NOT: addf
// CHECK: llvm.atomicrmw fadd {{.*}} acq_rel
// CHECK-NOT: atomicrmw
func.func @rows(%index: !tt.ptr<i32>, %values: !tt.ptr<f32>, %sums: !tt.ptr<f32>, %columns: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c128 = arith.constant 128 : i64
  %row = tt.load %index : !tt.ptr<i32>
  %offset = arith.muli %row, %columns : i32
  %splat = tensor.splat %offset : tensor<128xi32>
  %iota = sg.iota 0 : tensor<128xi32>
  %places = arith.addi %splat, %iota : tensor<128xi32>
  %x = sg.load %values[%c0] strides(%c1) bounds(%c0) to(%c128) : !tt.ptr<f32> -> tensor<128xf32>
  %old = sg.atomic_rmw "fadd" "acq_rel" %sums[%places : tensor<128xi32>], %x : !tt.ptr<f32>, tensor<128xf32> -> tensor<128xf32>
  return
}

// -----

// Scattered updates may meet at one address: one after the other, eight in a
// row where none is masked. What is masked elsewhere goes to the scratch area,
// without a branch.

// CHECK-LABEL: func.func private @counts.program
// CHECK: scf.if
// CHECK: scf.for
// CHECK: %[[ALL:.*]] = vector.reduction <and>, %{{.*}} : vector<8xi1> into i1
// CHECK: scf.if %[[ALL]]
// CHECK-COUNT-8: llvm.store %{{.*}} : i32, !llvm.ptr
// CHECK: else
// CHECK: %[[SOME:.*]] = vector.reduction <or>
// CHECK: scf.if %[[SOME]]
// CHECK-NEXT: scf.for
// CHECK-NOT: scf.if
// CHECK: llvm.select
// CHECK: llvm.store %{{.*}} : i32, !llvm.ptr
// CHECK: else
// CHECK: llvm.atomicrmw add
func.func @counts(%index: !tt.ptr<i32>, %counts: !tt.ptr<i32>, %n: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c128 = arith.constant 128 : i64
  %ones = arith.constant dense<1> : tensor<128xi32>
  %iota = sg.iota 0 : tensor<128xi32>
  %splat = tensor.splat %n : tensor<128xi32>
  %mask = arith.cmpi slt, %iota, %splat : tensor<128xi32>
  %bins = sg.load %index[%c0] strides(%c1) bounds(%c0) to(%c128) : !tt.ptr<i32> -> tensor<128xi32>
  %old = sg.atomic_rmw "add" "acq_rel" %counts[%bins : tensor<128xi32>], %ones mask(%mask : tensor<128xi1>) : !tt.ptr<i32>, tensor<128xi32> -> tensor<128xi32>
  return
}

// -----

// Another device may see updates of the whole system's scope: locks alone.

// CHECK-NOT: @system.alone
// CHECK: @system.atomics
// CHECK-LABEL: func.func private @system.program
// CHECK-NOT: scf.if
// CHECK: llvm.atomicrmw add
func.func @system(%counts: !tt.ptr<i32>) attributes {sg.kernel} {
  %ones = arith.constant dense<1> : tensor<128xi32>
  %iota = sg.iota 0 : tensor<128xi32>
  %old = sg.atomic_rmw "add" "acq_rel" %counts[%iota : tensor<128xi32>], %ones {in_system} : !tt.ptr<i32>, tensor<128xi32> -> tensor<128xi32>
  return
}

// -----

// A kernel that may wait must not keep others out.

// CHECK-NOT: @waits.alone
// CHECK: @waits.atomics
// CHECK-LABEL: func.func private @waits.program
// CHECK: scf.while
// CHECK-NOT: scf.if
// CHECK: llvm.atomicrmw add
func.func @waits(%flag: !tt.ptr<i32>, %counts: !tt.ptr<i32>) attributes {sg.kernel} {
  %ones = arith.constant dense<1> : tensor<128xi32>
  %iota = sg.iota 0 : tensor<128xi32>
  %zero = arith.constant 0 : i32
  scf.while : () -> () {
    %seen = tt.load %flag {isVolatile = true} : !tt.ptr<i32>
    %again = arith.cmpi eq, %seen, %zero : i32
    scf.condition(%again)
  } do {
    scf.yield
  }
  %old = sg.atomic_rmw "add" "acq_rel" %counts[%iota : tensor<128xi32>], %ones : !tt.ptr<i32>, tensor<128xi32> -> tensor<128xi32>
  return
}

// -----

// A scalar has both forms as well; one that nothing needs is not read again.

// CHECK-LABEL: func.func private @scalar.program
// CHECK: scf.if
// CHECK: arith.addi %{{.*}} : i32
// CHECK-NEXT: llvm.store
// CHECK: else
// CHECK: llvm.atomicrmw add
func.func @scalar(%counts: !tt.ptr<i32>, %n: i32) attributes {sg.kernel} {
  %old = tt.atomic_rmw add, acq_rel, gpu, %counts, %n : (!tt.ptr<i32>, i32) -> i32
  return
}

// -----

// Counters of a histogram: of eight elements all are looked at once.

// CHECK-LABEL: func.func private @histogram.program
// CHECK: %[[KNOWN:.*]] = arith.cmpi ult, %{{.*}} : vector<8xi32>
// CHECK: %[[ALL:.*]] = vector.reduction <and>, %[[KNOWN]]
// CHECK: scf.if %[[ALL]]
// CHECK-COUNT-8: llvm.store %{{.*}} : i32, !llvm.ptr
// CHECK: else
// CHECK: arith.cmpi ult, %{{.*}} : i32
func.func @histogram(%x: !tt.ptr<i32>, %y: !tt.ptr<i32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c128 = arith.constant 128 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to(%c128) : !tt.ptr<i32> -> tensor<128xi32>
  %h = sg.histogram %v : tensor<128xi32> -> tensor<16xi32>
  sg.store %h, %y[%c0] strides(%c1) bounds(%c0) to(%c16) : tensor<16xi32> -> !tt.ptr<i32>
  return
}

// RUN: seagrove-opt %s -cse -canonicalize | filecheck %s

// What may be dropped or merged, and what may not.

// CHECK-LABEL: @unused
tt.func public @unused(%p: !tt.ptr<i32>, %i: i32, %x: f32) {
  // CHECK-NEXT: tt.load %{{.*}} {isVolatile = true}
  // CHECK-NEXT: tt.atomic_rmw
  // CHECK-NEXT: tt.atomic_load
  // CHECK-NEXT: tt.atomic_poll
  // CHECK-NEXT: tt.extern_elementwise {{.*}}pure = false
  // CHECK-NEXT: tt.elementwise_inline_asm {{.*}}pure = false
  // CHECK-NEXT: tt.return
  %0 = tt.load %p : !tt.ptr<i32>
  %1 = tt.load %p {isVolatile = true} : !tt.ptr<i32>
  %2 = tt.atomic_rmw add, acq_rel, gpu, %p, %i : (!tt.ptr<i32>, i32) -> i32
  %3 = tt.atomic_load acquire, gpu, %p : (!tt.ptr<i32>) -> i32
  %4 = tt.atomic_poll acquire, gpu, %p, %i : !tt.ptr<i32>, i32 -> i1
  %5 = tt.extern_elementwise %x {libname = "", libpath = "", pure = true, symbol = "f"} : (f32) -> f32
  %6 = tt.extern_elementwise %x {libname = "", libpath = "", pure = false, symbol = "f"} : (f32) -> f32
  %7 = tt.elementwise_inline_asm "nop" {constraints = "=r", packed_element = 1 : i32, pure = true} -> i32
  %8 = tt.elementwise_inline_asm "nop" {constraints = "=r", packed_element = 1 : i32, pure = false} -> i32
  %9 = tt.get_program_id x : i32
  tt.return
}

// CHECK-LABEL: @equal_loads
tt.func public @equal_loads(%p: !tt.ptr<i32>, %q: !tt.ptr<i32>) {
  // CHECK-NEXT: %[[A:.*]] = tt.load %{{.*}} : !tt.ptr<i32>
  // CHECK-NEXT: %[[S:.*]] = arith.addi %[[A]], %[[A]]
  // CHECK-NEXT: tt.store %{{.*}}, %[[S]]
  // CHECK-NEXT: %[[B:.*]] = tt.load
  // CHECK-NEXT: tt.store %{{.*}}, %[[B]]
  %0 = tt.load %p : !tt.ptr<i32>
  %1 = tt.load %p : !tt.ptr<i32>
  %2 = arith.addi %0, %1 : i32
  tt.store %q, %2 : !tt.ptr<i32>
  %3 = tt.load %p : !tt.ptr<i32>
  tt.store %q, %3 : !tt.ptr<i32>
  tt.return
}

// A reduction is as pure as its function.
// CHECK-LABEL: @reductions
tt.func public @reductions(%v: tensor<8xf32>) {
  // CHECK-NEXT: "tt.reduce"
  // CHECK: tt.print
  // CHECK-NOT: "tt.reduce"
  %0 = "tt.reduce"(%v) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    tt.print "seen" {hex = false, isSigned = array<i32>}
    tt.reduce.return %a : f32
  }) : (tensor<8xf32>) -> f32
  %1 = "tt.reduce"(%v) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    tt.reduce.return %s : f32
  }) : (tensor<8xf32>) -> f32
  tt.return
}

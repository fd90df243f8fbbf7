// RUN: seagrove-opt %s -inline -symbol-dce | filecheck %s

// CHECK-LABEL: tt.func public @one_block
// CHECK-SAME: (%[[N:.*]]: i32) -> i32
tt.func public @one_block(%n: i32) -> i32 {
  // CHECK-NEXT: %[[SUM:.*]] = arith.addi %[[N]], %[[N]] : i32
  // CHECK-NEXT: %[[TWICE:.*]] = arith.addi %[[SUM]], %[[N]] : i32
  // CHECK-NEXT: tt.return %[[TWICE]] : i32
  %0 = tt.call @add(%n, %n) : (i32, i32) -> i32
  %1 = tt.call @add_noinline(%0, %n) : (i32, i32) -> i32
  tt.return %1 : i32
}

// CHECK-NOT: @add
tt.func private @add(%a: i32, %b: i32) -> i32 {
  %0 = arith.addi %a, %b : i32
  tt.return %0 : i32
}

// A kernel becomes one function: `noinline` is a wish that cannot be granted.
tt.func private @add_noinline(%a: i32, %b: i32) -> i32 attributes {noinline = true} {
  %0 = arith.addi %a, %b : i32
  tt.return %0 : i32
}

// The early return of a callee branches to what follows the call.
// CHECK-LABEL: tt.func public @early_return
// CHECK-SAME: (%[[N:.*]]: i32)
tt.func public @early_return(%n: i32) -> i32 {
  // CHECK: cf.cond_br %{{.*}}, ^[[JOIN:bb[0-9]+]](%[[N]] : i32), ^[[LATE:bb[0-9]+]]
  // CHECK: ^[[LATE]]:
  // CHECK: %[[SUM:.*]] = arith.addi
  // CHECK: cf.br ^[[JOIN]](%[[SUM]] : i32)
  // CHECK: ^[[JOIN]](%[[R:.*]]: i32):
  // CHECK: %[[S:.*]] = arith.muli %[[R]], %[[N]]
  // CHECK: tt.return %[[S]]
  %0 = tt.call @early(%n) : (i32) -> i32
  %1 = arith.muli %0, %n : i32
  tt.return %1 : i32
}

tt.func private @early(%n: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %stop = arith.cmpi eq, %n, %zero : i32
  cf.cond_br %stop, ^bb1, ^bb2
^bb1:
  tt.return %n : i32
^bb2:
  %0 = arith.addi %n, %n : i32
  tt.return %0 : i32
}

// Code generation ends a function with an unreachable return.
// CHECK-LABEL: tt.func public @unreachable_return
tt.func public @unreachable_return(%n: i32) -> i32 {
  // CHECK-NOT: tt.call
  %0 = tt.call @unreachable(%n) : (i32) -> i32
  tt.return %0 : i32
}

tt.func private @unreachable(%n: i32) -> i32 {
  tt.return %n : i32
^bb1:  // no predecessors
  %0 = ub.poison : i32
  tt.return %0 : i32
}

// Combine functions are calls inside the region.
// CHECK-LABEL: tt.func public @combine
tt.func public @combine(%v: tensor<64xf32>) -> f32 {
  // CHECK: "tt.reduce"
  // CHECK-NEXT: ^bb0(%[[A:.*]]: f32, %[[B:.*]]: f32):
  // CHECK-NEXT: %[[S:.*]] = arith.addf %[[A]], %[[B]] : f32
  // CHECK-NEXT: tt.reduce.return %[[S]] : f32
  %0 = "tt.reduce"(%v) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %s = tt.call @sum(%a, %b) : (f32, f32) -> f32
    tt.reduce.return %s : f32
  }) : (tensor<64xf32>) -> f32
  tt.return %0 : f32
}

tt.func private @sum(%a: f32, %b: f32) -> f32 {
  %0 = arith.addf %a, %b : f32
  tt.return %0 : f32
}

// What a callee holds is inlined with it, and loops take it.
// CHECK-LABEL: tt.func public @in_a_loop
tt.func public @in_a_loop(%p: !tt.ptr<f32>, %n: i32) {
  %lb = arith.constant 0 : i32
  %st = arith.constant 1 : i32
  // CHECK: scf.for
  // CHECK: llvm.intr.assume
  // CHECK: ttg.barrier all
  // CHECK: gpu.barrier
  // CHECK: tt.store
  // CHECK-NOT: tt.call
  scf.for %i = %lb to %n step %st : i32 {
    tt.call @work(%p, %i) : (!tt.ptr<f32>, i32) -> ()
  }
  tt.return
}

tt.func private @work(%p: !tt.ptr<f32>, %i: i32) {
  %zero = arith.constant 0 : i32
  %positive = arith.cmpi sge, %i, %zero : i32
  llvm.intr.assume %positive : i1
  ttg.barrier all
  gpu.barrier
  %f = arith.sitofp %i : i32 to f32
  %e = math.exp %f : f32
  tt.store %p, %e : !tt.ptr<f32>
  tt.return
}

// A declaration of a language extension stays a call.
// CHECK-LABEL: tt.func public @extension
tt.func public @extension(%p: !tt.ptr<f32>) {
  // CHECK: tt.call @seagrove.extension
  tt.call @seagrove.extension(%p) : (!tt.ptr<f32>) -> ()
  tt.return
}

// CHECK: tt.func private @seagrove.extension
tt.func private @seagrove.extension(!tt.ptr<f32>)

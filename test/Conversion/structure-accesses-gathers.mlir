// RUN: seagrove-opt %s -structure-accesses=remarks=true -canonicalize -cse -verify-diagnostics | FileCheck %s

// Rows picked by a loaded vector: an index for dimension 0, not a gather.

// CHECK-LABEL: tt.func public @embedding
// CHECK: %[[IDS:.*]] = sg.load %{{.*}} -> tensor<16xi32>
// CHECK: %[[INDEX:.*]] = arith.muli %[[IDS]], %{{.*}} : tensor<16xi32>
// CHECK: sg.load %{{.*}} strides(%c0_i64, %c1_i64) {{.*}} indices(%[[INDEX]] : tensor<16xi32>) {indexed_dims = array<i64: 0>} : !tt.ptr<f32> -> tensor<16x32xf32>
tt.func public @embedding(%table: !tt.ptr<f32>, %ids: !tt.ptr<i32>, %stride: i32) -> tensor<16x32xf32> {
  %r = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %c = tt.make_range {end = 32 : i32, start = 0 : i32} : tensor<32xi32>
  %is = tt.splat %ids : !tt.ptr<i32> -> tensor<16x!tt.ptr<i32>>
  %pi = tt.addptr %is, %r : tensor<16x!tt.ptr<i32>>, tensor<16xi32>
  %id = tt.load %pi : tensor<16x!tt.ptr<i32>>
  %id2 = tt.expand_dims %id {axis = 1 : i32} : tensor<16xi32> -> tensor<16x1xi32>
  %ss = tt.splat %stride : i32 -> tensor<16x1xi32>
  %o = arith.muli %id2, %ss : tensor<16x1xi32>
  %c2 = tt.expand_dims %c {axis = 0 : i32} : tensor<32xi32> -> tensor<1x32xi32>
  %ob = tt.broadcast %o : tensor<16x1xi32> -> tensor<16x32xi32>
  %cb = tt.broadcast %c2 : tensor<1x32xi32> -> tensor<16x32xi32>
  %offs = arith.addi %ob, %cb : tensor<16x32xi32>
  %ts = tt.splat %table : !tt.ptr<f32> -> tensor<16x32x!tt.ptr<f32>>
  %p = tt.addptr %ts, %offs : tensor<16x32x!tt.ptr<f32>>, tensor<16x32xi32>
  %v = tt.load %p : tensor<16x32x!tt.ptr<f32>>
  tt.return %v : tensor<16x32xf32>
}

// A matrix of offsets keeps its type; the mask stays whole.

// CHECK-LABEL: tt.func public @matrix_of_offsets
// CHECK-SAME: (%[[X:.*]]: !tt.ptr<f32>, %[[O:.*]]: tensor<16x32xi32>, %[[M:.*]]: tensor<16x32xi1>)
// CHECK: %[[V:.*]] = sg.gather %[[X]][%[[O]] : tensor<16x32xi32>] mask(%[[M]] : tensor<16x32xi1>) : !tt.ptr<f32> -> tensor<16x32xf32>
// CHECK: sg.scatter %[[V]], %[[X]][%[[O]] : tensor<16x32xi32>] mask(%[[M]] : tensor<16x32xi1>)
tt.func public @matrix_of_offsets(%x: !tt.ptr<f32>, %o: tensor<16x32xi32>, %m: tensor<16x32xi1>) {
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x32x!tt.ptr<f32>>
  %p = tt.addptr %xs, %o : tensor<16x32x!tt.ptr<f32>>, tensor<16x32xi32>
  // expected-remark @below {{not structured: this load gets an address for each lane, because its pointers are carried by a loop or a branch in a way that is not one uniform step}}
  %v = tt.load %p, %m : tensor<16x32x!tt.ptr<f32>>
  // expected-remark @below {{not structured: this store}}
  tt.store %p, %v, %m : tensor<16x32x!tt.ptr<f32>>
  tt.return
}

// A product of two dimensions.

// CHECK-LABEL: tt.func public @product
// CHECK: sg.gather
tt.func public @product(%x: !tt.ptr<f32>) -> tensor<16x16xf32> {
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %rows = tt.expand_dims %range {axis = 1 : i32} : tensor<16xi32> -> tensor<16x1xi32>
  %cols = tt.expand_dims %range {axis = 0 : i32} : tensor<16xi32> -> tensor<1x16xi32>
  %r = tt.broadcast %rows : tensor<16x1xi32> -> tensor<16x16xi32>
  %c = tt.broadcast %cols : tensor<1x16xi32> -> tensor<16x16xi32>
  %o = arith.muli %r, %c : tensor<16x16xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x16x!tt.ptr<f32>>
  %p = tt.addptr %xs, %o : tensor<16x16x!tt.ptr<f32>>, tensor<16x16xi32>
  // expected-remark @below {{because its offset multiplies two dimensions}}
  %v = tt.load %p : tensor<16x16x!tt.ptr<f32>>
  tt.return %v : tensor<16x16xf32>
}

// Pointers that are loaded are addresses.

// CHECK-LABEL: tt.func public @pointers_in_memory
// CHECK: %[[A:.*]] = sg.load %{{.*}} : !tt.ptr<!tt.ptr<f32>> -> tensor<16xi64>
// CHECK: %[[NULL:.*]] = tt.int_to_ptr %c0_i64 : i64 -> !tt.ptr<f32>
// CHECK: sg.gather %[[NULL]][%[[A]] : tensor<16xi64>] {byte_offsets} : !tt.ptr<f32> -> tensor<16xf32>
tt.func public @pointers_in_memory(%x: !tt.ptr<!tt.ptr<f32>>) -> tensor<16xf32> {
  %r = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<!tt.ptr<f32>> -> tensor<16x!tt.ptr<!tt.ptr<f32>>>
  %px = tt.addptr %xs, %r : tensor<16x!tt.ptr<!tt.ptr<f32>>>, tensor<16xi32>
  %p = tt.load %px : tensor<16x!tt.ptr<!tt.ptr<f32>>>
  // expected-remark @below {{because its pointers are computed or loaded as addresses}}
  %v = tt.load %p : tensor<16x!tt.ptr<f32>>
  tt.return %v : tensor<16xf32>
}

// Atomic updates take an offset for each lane in any case. Those of the whole
// system's scope are marked.

// CHECK-LABEL: tt.func public @atomics
// CHECK-SAME: (%[[X:.*]]: !tt.ptr<f32>, %[[V:.*]]: tensor<16xf32>, %[[M:.*]]: tensor<16xi1>
// CHECK: %[[O:.*]] = tt.make_range
// CHECK: sg.atomic_rmw "fadd" "acq_rel" %[[X]][%[[O]] : tensor<16xi32>], %[[V]] mask(%[[M]] : tensor<16xi1>) : !tt.ptr<f32>, tensor<16xf32> -> tensor<16xf32>
// CHECK: sg.atomic_cas "relaxed"
// CHECK: sg.atomic_rmw "add" "relaxed" {{.*}} {in_system}
tt.func public @atomics(%x: !tt.ptr<f32>, %v: tensor<16xf32>, %m: tensor<16xi1>, %y: !tt.ptr<i32>, %w: tensor<16xi32>) {
  %r = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %p = tt.addptr %xs, %r : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  %a = tt.atomic_rmw fadd, acq_rel, gpu, %p, %v, %m : (tensor<16x!tt.ptr<f32>>, tensor<16xf32>, tensor<16xi1>) -> tensor<16xf32>
  %ys = tt.splat %y : !tt.ptr<i32> -> tensor<16x!tt.ptr<i32>>
  %q = tt.addptr %ys, %r : tensor<16x!tt.ptr<i32>>, tensor<16xi32>
  %b = tt.atomic_cas relaxed, gpu, %q, %w, %w : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>, tensor<16xi32>) -> tensor<16xi32>
  %c = tt.atomic_rmw add, relaxed, sys, %q, %w : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  tt.return
}

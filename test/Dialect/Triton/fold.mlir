// RUN: seagrove-opt %s -canonicalize | filecheck %s

// CHECK-LABEL: @constants
tt.func public @constants(%o: !tt.ptr<tensor<8x4xf32>>, %p: !tt.ptr<tensor<4x8xi32>>) {
  // CHECK-DAG: %[[F:.*]] = arith.constant dense<2.500000e+00> : tensor<8x4xf32>
  // CHECK-DAG: %[[I:.*]] = arith.constant dense<7> : tensor<4x8xi32>
  // CHECK: tt.store %{{.*}}, %[[F]]
  // CHECK: tt.store %{{.*}}, %[[I]]
  %f = arith.constant 2.5 : f32
  %0 = tt.splat %f : f32 -> tensor<4xf32>
  %1 = tt.expand_dims %0 {axis = 0 : i32} : tensor<4xf32> -> tensor<1x4xf32>
  %2 = tt.broadcast %1 : tensor<1x4xf32> -> tensor<8x4xf32>
  tt.store %o, %2 : !tt.ptr<tensor<8x4xf32>>
  %i = arith.constant 7 : i32
  %3 = tt.splat %i : i32 -> tensor<32xi32>
  %4 = tt.reshape %3 : tensor<32xi32> -> tensor<8x4xi32>
  %5 = tt.trans %4 {order = array<i32: 1, 0>} : tensor<8x4xi32> -> tensor<4x8xi32>
  tt.store %p, %5 : !tt.ptr<tensor<4x8xi32>>
  tt.return
}

// CHECK-LABEL: @scalars_of_blocks
// CHECK-SAME: (%[[X:.*]]: f32)
tt.func public @scalars_of_blocks(%x: f32) -> (f32, f32, tensor<1xi32>) {
  // CHECK-DAG: %[[R:.*]] = arith.constant dense<5> : tensor<1xi32>
  // CHECK-DAG: %[[C:.*]] = arith.constant 3.000000e+00 : f32
  // CHECK: tt.return %[[X]], %[[C]], %[[R]]
  %0 = tt.splat %x : f32 -> tensor<1xf32>
  %1 = tt.unsplat %0 : tensor<1xf32>
  %c = arith.constant dense<3.0> : tensor<1xf32>
  %2 = tt.unsplat %c : tensor<1xf32>
  %3 = tt.make_range {end = 6 : i32, start = 5 : i32} : tensor<1xi32>
  tt.return %1, %2, %3 : f32, f32, tensor<1xi32>
}

// CHECK-LABEL: @poison
tt.func public @poison() -> tensor<4x4xf32> {
  // CHECK-NEXT: %[[P:.*]] = ub.poison : tensor<4x4xf32>
  // CHECK-NEXT: tt.return %[[P]]
  %0 = ub.poison : f32
  %1 = tt.splat %0 : f32 -> tensor<4xf32>
  %2 = tt.expand_dims %1 {axis = 0 : i32} : tensor<4xf32> -> tensor<1x4xf32>
  %3 = tt.broadcast %2 : tensor<1x4xf32> -> tensor<4x4xf32>
  tt.return %3 : tensor<4x4xf32>
}

// CHECK-LABEL: @splats
// CHECK-SAME: (%[[X:.*]]: f32)
tt.func public @splats(%x: f32) -> (tensor<4x8xf32>, tensor<32xf32>) {
  // CHECK-DAG: %[[A:.*]] = tt.splat %[[X]] {tt.constancy = dense<[4, 8]> : tensor<2xi32>} : f32 -> tensor<4x8xf32>
  // CHECK-DAG: %[[B:.*]] = tt.splat %[[X]] : f32 -> tensor<32xf32>
  // CHECK: tt.return %[[A]], %[[B]]
  %0 = tt.splat %x : f32 -> tensor<8xf32>
  %1 = tt.expand_dims %0 {axis = 0 : i32} : tensor<8xf32> -> tensor<1x8xf32>
  %2 = tt.broadcast %1 {tt.constancy = dense<[4, 8]> : tensor<2xi32>} : tensor<1x8xf32> -> tensor<4x8xf32>
  %3 = tt.trans %2 {order = array<i32: 1, 0>} : tensor<4x8xf32> -> tensor<8x4xf32>
  %4 = tt.reshape %3 : tensor<8x4xf32> -> tensor<32xf32>
  tt.return %2, %4 : tensor<4x8xf32>, tensor<32xf32>
}

// CHECK-LABEL: @chains
// CHECK-SAME: (%[[T:.*]]: tensor<2x4x8xf32>, %[[V:.*]]: tensor<1x1xf32>)
tt.func public @chains(%t: tensor<2x4x8xf32>, %v: tensor<1x1xf32>)
    -> (tensor<2x4x8xf32>, tensor<4x2x8xf32>, tensor<8x8xf32>, tensor<4x16xf32>, tensor<2x4x8xf32>) {
  // CHECK-DAG: %[[A:.*]] = tt.trans %[[T]] {order = array<i32: 1, 0, 2>} : tensor<2x4x8xf32> -> tensor<4x2x8xf32>
  // CHECK-DAG: %[[B:.*]] = tt.broadcast %[[V]] : tensor<1x1xf32> -> tensor<8x8xf32>
  // CHECK-DAG: %[[C:.*]] = tt.reshape %[[T]] allow_reorder : tensor<2x4x8xf32> -> tensor<4x16xf32>
  // CHECK: tt.return %[[T]], %[[A]], %[[B]], %[[C]], %[[T]]
  %0 = tt.trans %t {order = array<i32: 2, 0, 1>} : tensor<2x4x8xf32> -> tensor<8x2x4xf32>
  %1 = tt.trans %0 {order = array<i32: 1, 2, 0>} : tensor<8x2x4xf32> -> tensor<2x4x8xf32>
  %2 = tt.trans %0 {order = array<i32: 2, 1, 0>} : tensor<8x2x4xf32> -> tensor<4x2x8xf32>
  %3 = tt.broadcast %v : tensor<1x1xf32> -> tensor<8x1xf32>
  %4 = tt.broadcast %3 : tensor<8x1xf32> -> tensor<8x8xf32>
  %5 = tt.reshape %t allow_reorder : tensor<2x4x8xf32> -> tensor<64xf32>
  %6 = tt.reshape %5 : tensor<64xf32> -> tensor<4x16xf32>
  %7 = tt.reshape %t : tensor<2x4x8xf32> -> tensor<8x8xf32>
  %8 = tt.reshape %7 : tensor<8x8xf32> -> tensor<2x4x8xf32>
  tt.return %1, %2, %4, %6, %8 : tensor<2x4x8xf32>, tensor<4x2x8xf32>, tensor<8x8xf32>, tensor<4x16xf32>, tensor<2x4x8xf32>
}

// CHECK-LABEL: @split_of_join
// CHECK-SAME: (%[[A:.*]]: tensor<8xf32>, %[[B:.*]]: tensor<8xf32>)
tt.func public @split_of_join(%a: tensor<8xf32>, %b: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  // CHECK-NEXT: tt.return %[[A]], %[[B]]
  %0 = tt.join %a, %b : tensor<8xf32> -> tensor<8x2xf32>
  %1, %2 = tt.split %0 : tensor<8x2xf32> -> tensor<8xf32>
  tt.return %1, %2 : tensor<8xf32>, tensor<8xf32>
}

// CHECK-LABEL: @pointers
// CHECK-SAME: (%[[P:.*]]: !tt.ptr<f32>, %[[PS:.*]]: tensor<8x!tt.ptr<f32>>, %[[A:.*]]: i64)
tt.func public @pointers(%p: !tt.ptr<f32>, %ps: tensor<8x!tt.ptr<f32>>, %a: i64)
    -> (!tt.ptr<f32>, tensor<8x!tt.ptr<f32>>, !tt.ptr<f32>, i64, tensor<8x!tt.ptr<f32>>, tensor<8x!tt.ptr<i8>>) {
  // CHECK-NEXT: %[[C:.*]] = tt.bitcast %[[PS]] : tensor<8x!tt.ptr<f32>> -> tensor<8x!tt.ptr<i8>>
  // CHECK-NEXT: tt.return %[[P]], %[[PS]], %[[P]], %[[A]], %[[PS]], %[[C]]
  %zero = arith.constant 0 : i32
  %zeros = arith.constant dense<0> : tensor<8xi64>
  %0 = tt.addptr %p, %zero : !tt.ptr<f32>, i32
  %1 = tt.addptr %ps, %zeros : tensor<8x!tt.ptr<f32>>, tensor<8xi64>
  %2 = tt.ptr_to_int %p : !tt.ptr<f32> -> i64
  %3 = tt.int_to_ptr %2 : i64 -> !tt.ptr<f32>
  %4 = tt.int_to_ptr %a : i64 -> !tt.ptr<f16>
  %5 = tt.ptr_to_int %4 : !tt.ptr<f16> -> i64
  %6 = tt.bitcast %ps : tensor<8x!tt.ptr<f32>> -> tensor<8x!tt.ptr<i16>>
  %7 = tt.bitcast %6 : tensor<8x!tt.ptr<i16>> -> tensor<8x!tt.ptr<f32>>
  %8 = tt.bitcast %6 : tensor<8x!tt.ptr<i16>> -> tensor<8x!tt.ptr<i8>>
  tt.return %0, %1, %3, %5, %7, %8 : !tt.ptr<f32>, tensor<8x!tt.ptr<f32>>, !tt.ptr<f32>, i64, tensor<8x!tt.ptr<f32>>, tensor<8x!tt.ptr<i8>>
}

// CHECK-LABEL: @block_pointers
// CHECK-SAME: (%[[P:.*]]: !tt.ptr<tensor<8x8xf32>>)
tt.func public @block_pointers(%p: !tt.ptr<tensor<8x8xf32>>) -> !tt.ptr<tensor<8x8xf32>> {
  // CHECK-NEXT: tt.return %[[P]]
  %zero = arith.constant 0 : i32
  %0 = tt.advance %p, [%zero, %zero] : <tensor<8x8xf32>>
  tt.return %0 : !tt.ptr<tensor<8x8xf32>>
}

// CHECK-LABEL: @casts
// CHECK-SAME: (%[[X:.*]]: f16)
tt.func public @casts(%x: f16) -> f16 {
  // CHECK-NEXT: tt.return %[[X]]
  %0 = tt.fp_to_fp %x : f16 -> f16
  tt.return %0 : f16
}

// CHECK-LABEL: @masks
// CHECK-SAME: (%[[P:.*]]: tensor<8x!tt.ptr<f32>>, %[[O:.*]]: tensor<8xf32>, %[[S:.*]]: !tt.ptr<f32>, %[[X:.*]]: f32)
tt.func public @masks(%p: tensor<8x!tt.ptr<f32>>, %o: tensor<8xf32>, %s: !tt.ptr<f32>, %x: f32) -> (tensor<8xf32>, f32) {
  %all = arith.constant dense<true> : tensor<8xi1>
  %none = arith.constant dense<false> : tensor<8xi1>
  %true = arith.constant true
  %false = arith.constant false
  // CHECK-NEXT: %[[A:.*]] = tt.load %[[P]] {cachePolicy = {{.*}}} : tensor<8x!tt.ptr<f32>>
  %0 = tt.load %p, %all, %o cacheModifier = cg : tensor<8x!tt.ptr<f32>>
  // CHECK-NEXT: tt.store %[[P]], %[[A]] : tensor<8x!tt.ptr<f32>>
  tt.store %p, %0, %all : tensor<8x!tt.ptr<f32>>
  %1 = tt.load %p, %none, %o : tensor<8x!tt.ptr<f32>>
  %2 = tt.load %s, %false, %x : !tt.ptr<f32>
  // CHECK-NEXT: tt.store %[[S]], %[[X]] : !tt.ptr<f32>
  tt.store %s, %x, %true : !tt.ptr<f32>
  tt.store %p, %o, %none : tensor<8x!tt.ptr<f32>>
  // CHECK-NEXT: tt.return %[[O]], %[[X]]
  tt.return %1, %2 : tensor<8xf32>, f32
}

// RUN: seagrove-opt %s -lower-to-tensor -canonicalize | FileCheck %s

// A kernel is a public function with a body.

// CHECK-LABEL: func.func public @kernel
// CHECK-SAME: (%{{.*}}: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %{{.*}}: i32) attributes {noinline = false, sg.kernel}
// CHECK: %[[PID:.*]] = tt.get_program_id x : i32
// CHECK: tt.store
// CHECK: return
tt.func public @kernel(%x: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %n: i32) attributes {noinline = false} {
  %pid = tt.get_program_id x : i32
  %p = tt.addptr %x, %pid : !tt.ptr<f32>, i32
  %v = arith.sitofp %n : i32 to f32
  gpu.barrier
  tt.store %p, %v : !tt.ptr<f32>
  tt.return
}

// Moves of elements. A broadcast reads the block of lower rank.

// CHECK-LABEL: func.func private @shapes
// CHECK-SAME: (%[[X:.*]]: tensor<8xf32>, %[[S:.*]]: f32)
tt.func private @shapes(%x: tensor<8xf32>, %s: f32) -> (tensor<8x4xf32>, tensor<8xf32>, tensor<8xi32>, tensor<4x8xf32>, tensor<2x4xf32>, tensor<4x2xf32>, tensor<16xf32>, tensor<8x2xf32>, tensor<8xf32>) {
  // CHECK-DAG: %[[SPLAT:.*]] = tensor.splat %[[S]] : tensor<8xf32>
  %splat = tt.splat %s : f32 -> tensor<8xf32>
  // CHECK-DAG: %[[IOTA:.*]] = sg.iota 3 : tensor<8xi32>
  %range = tt.make_range {end = 11 : i32, start = 3 : i32} : tensor<8xi32>
  // CHECK-DAG: %[[E84:.*]] = tensor.empty() : tensor<8x4xf32>
  // CHECK-DAG: %[[WIDE:.*]] = linalg.broadcast ins(%[[X]] : tensor<8xf32>) outs(%[[E84]] : tensor<8x4xf32>) dimensions = [1]
  %e = tt.expand_dims %x {axis = 1 : i32} : tensor<8xf32> -> tensor<8x1xf32>
  %b = tt.broadcast %e : tensor<8x1xf32> -> tensor<8x4xf32>
  // CHECK-DAG: %[[T:.*]] = linalg.transpose ins(%[[WIDE]] : tensor<8x4xf32>) outs(%{{.*}} : tensor<4x8xf32>) permutation = [1, 0]
  %t = tt.trans %b {order = array<i32: 1, 0>} : tensor<8x4xf32> -> tensor<4x8xf32>
  // CHECK-DAG: %[[R:.*]] = tensor.expand_shape %[[X]] {{\[\[}}0, 1]] output_shape [2, 4] : tensor<8xf32> into tensor<2x4xf32>
  %r = tt.reshape %x : tensor<8xf32> -> tensor<2x4xf32>
  // CHECK-DAG: %[[Q:.*]] = tensor.expand_shape %[[X]] {{\[\[}}0, 1]] output_shape [4, 2] : tensor<8xf32> into tensor<4x2xf32>
  %q = tt.reshape %r : tensor<2x4xf32> -> tensor<4x2xf32>
  // CHECK-DAG: %[[CAT:.*]] = tensor.concat dim(0) %[[X]], %[[SPLAT]] : (tensor<8xf32>, tensor<8xf32>) -> tensor<16xf32>
  %cat = tt.cat %x, %splat : tensor<8xf32> -> tensor<16xf32>
  // CHECK-DAG: %[[JOIN:.*]] = tensor.concat dim(1) %{{.*}}, %{{.*}} : (tensor<8x1xf32>, tensor<8x1xf32>) -> tensor<8x2xf32>
  %join = tt.join %x, %splat : tensor<8xf32> -> tensor<8x2xf32>
  // CHECK-DAG: %[[HALF:.*]] = tensor.extract_slice %[[JOIN]][0, 1] [8, 1] [1, 1] : tensor<8x2xf32> to tensor<8xf32>
  %l, %h = tt.split %join : tensor<8x2xf32> -> tensor<8xf32>
  tt.return %b, %splat, %range, %t, %r, %q, %cat, %join, %h : tensor<8x4xf32>, tensor<8xf32>, tensor<8xi32>, tensor<4x8xf32>, tensor<2x4xf32>, tensor<4x2xf32>, tensor<16xf32>, tensor<8x2xf32>, tensor<8xf32>
}

// Products accumulate in place.

// CHECK-LABEL: func.func private @dots
// CHECK-SAME: (%[[A:.*]]: tensor<16x32xf16>, %[[B:.*]]: tensor<32x8xf16>, %[[C:.*]]: tensor<16x8xf32>, %[[D:.*]]: tensor<2x4x8xi8>, %[[E:.*]]: tensor<2x8x4xi8>, %[[F:.*]]: tensor<2x4x4xi32>)
tt.func private @dots(%a: tensor<16x32xf16>, %b: tensor<32x8xf16>, %c: tensor<16x8xf32>, %d: tensor<2x4x8xi8>, %e: tensor<2x8x4xi8>, %f: tensor<2x4x4xi32>) -> (tensor<16x8xf32>, tensor<2x4x4xi32>) {
  // CHECK: linalg.matmul {sg.input_precision = "tf32"} ins(%[[A]], %[[B]] : tensor<16x32xf16>, tensor<32x8xf16>) outs(%[[C]] : tensor<16x8xf32>)
  %r = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<16x32xf16> * tensor<32x8xf16> -> tensor<16x8xf32>
  // CHECK: linalg.batch_matmul {sg.input_precision = "ieee", sg.max_num_imprecise_acc = 32 : i32} ins(%[[D]], %[[E]] : tensor<2x4x8xi8>, tensor<2x8x4xi8>) outs(%[[F]] : tensor<2x4x4xi32>)
  %s = tt.dot %d, %e, %f, inputPrecision = ieee {maxNumImpreciseAcc = 32 : i32} : tensor<2x4x8xi8> * tensor<2x8x4xi8> -> tensor<2x4x4xi32>
  tt.return %r, %s : tensor<16x8xf32>, tensor<2x4x4xi32>
}

// Combiners keep their region.

// CHECK-LABEL: func.func private @combine
// CHECK: %[[SUM:.*]] = sg.reduce(%{{.*}}) axis 1 {
// CHECK: ^bb0(%[[L:.*]]: f32, %[[R:.*]]: f32):
// CHECK: %[[S:.*]] = arith.addf %[[L]], %[[R]] : f32
// CHECK: sg.yield %[[S]] : f32
// CHECK: } : (tensor<8x4xf32>) -> tensor<8xf32>
// CHECK: sg.scan(%{{.*}}) axis 0 reverse {
// CHECK: sg.map(%{{.*}}) pack 1 {
// CHECK: sg.histogram %{{.*}} : tensor<8xi32> -> tensor<4xi32>
// CHECK: sg.take %{{.*}}[%{{.*}}] axis 0 : tensor<8xf32>, tensor<8xi32> -> tensor<8xf32>
tt.func private @combine(%x: tensor<8x4xf32>, %i: tensor<8xi32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<4xi32>, tensor<8xf32>) {
  %sum = "tt.reduce"(%x) <{axis = 1 : i32}> ({
  ^bb0(%l: f32, %r: f32):
    %s = arith.addf %l, %r : f32
    tt.reduce.return %s : f32
  }) : (tensor<8x4xf32>) -> tensor<8xf32>
  %scan = "tt.scan"(%sum) <{axis = 0 : i32, reverse = true}> ({
  ^bb0(%l: f32, %r: f32):
    %s = arith.addf %l, %r : f32
    tt.scan.return %s : f32
  }) : (tensor<8xf32>) -> tensor<8xf32>
  %map = "tt.map_elementwise"(%sum) <{pack = 1 : i32}> ({
  ^bb0(%l: f32):
    %s = arith.negf %l : f32
    tt.map_elementwise.return %s : f32
  }) : (tensor<8xf32>) -> tensor<8xf32>
  %h = tt.histogram %i : tensor<8xi32> -> tensor<4xi32>
  %g = tt.gather %map[%i] {axis = 0 : i32} : (tensor<8xf32>, tensor<8xi32>) -> tensor<8xf32>
  tt.return %sum, %scan, %h, %g : tensor<8xf32>, tensor<8xf32>, tensor<4xi32>, tensor<8xf32>
}

// Arithmetic, on blocks and on scalars.

// CHECK-LABEL: func.func private @elementwise
tt.func private @elementwise(%x: tensor<8xf32>, %y: tensor<8xf32>, %i: tensor<8xi32>, %s: f32) -> (tensor<8xf32>, tensor<8xi32>, f32) {
  // CHECK: math.sqrt %{{.*}} : tensor<8xf32>
  %a = tt.precise_sqrt %x : tensor<8xf32>
  // CHECK: arith.divf %{{.*}} : tensor<8xf32>
  %b = tt.precise_divf %a, %y : tensor<8xf32>
  // CHECK: arith.maximumf
  // CHECK: arith.minimumf
  %c = tt.clampf %b, %x, %y, propagateNan = all : tensor<8xf32>
  // CHECK: arith.maxnumf
  // CHECK: arith.minnumf
  %d = tt.clampf %c, %x, %y, propagateNan = none : tensor<8xf32>
  // CHECK: %{{.*}}, %[[HIGH:.*]] = arith.mului_extended %{{.*}} : tensor<8xi32>
  %e = tt.mulhiui %i, %i : tensor<8xi32>
  // CHECK: arith.bitcast %{{.*}} : tensor<8xf32> to tensor<8xi32>
  %f = tt.bitcast %d : tensor<8xf32> -> tensor<8xi32>
  %g = arith.addi %e, %f : tensor<8xi32>
  // CHECK: math.atan2 %{{.*}} : tensor<8xf32>
  %h = tt.extern_elementwise %d, %x {libname = "seagrove", libpath = "", pure = true, symbol = "__sg_atan2_f32"} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK: math.log1p %{{.*}} : f32
  %j = tt.extern_elementwise %s {libname = "", libpath = "", pure = true, symbol = "__nv_log1pf"} : (f32) -> f32
  tt.return %h, %g, %j : tensor<8xf32>, tensor<8xi32>, f32
}

// RUN: seagrove-opt %s -structure-accesses -canonicalize -cse | FileCheck %s

// Each function stores through the same pointers under another mask.

// CHECK-LABEL: tt.func public @lower_bound
// CHECK-SAME: (%{{.*}}: !tt.ptr<f32>, %[[V:.*]]: tensor<64xf32>, %[[LOW:.*]]: i32, %[[HIGH:.*]]: i32)
// CHECK-DAG: %[[L:.*]] = arith.extsi %[[LOW]] : i32 to i64
// CHECK-DAG: %[[H:.*]] = arith.extsi %[[HIGH]] : i32 to i64
// CHECK-DAG: %[[L1:.*]] = arith.minsi %[[L]], %c64_i64
// CHECK-DAG: %[[L2:.*]] = arith.maxsi %[[L1]], %c0_i64
// CHECK-DAG: %[[H0:.*]] = arith.subi %[[H]], %c-1_i64
// CHECK-DAG: %[[H1:.*]] = arith.minsi %[[H0]], %c64_i64
// CHECK-DAG: %[[H2:.*]] = arith.maxsi %[[H1]], %c0_i64
// CHECK: sg.store %[[V]], %{{.*}} bounds(%[[L2]]) to(%[[H2]])
tt.func public @lower_bound(%x: !tt.ptr<f32>, %v: tensor<64xf32>, %low: i32, %high: i32) {
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %p = tt.addptr %xs, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %lows = tt.splat %low : i32 -> tensor<64xi32>
  %highs = tt.splat %high : i32 -> tensor<64xi32>
  %a = arith.cmpi sge, %range, %lows : tensor<64xi32>
  %b = arith.cmpi sge, %highs, %range : tensor<64xi32>
  %mask = arith.andi %a, %b : tensor<64xi1>
  tt.store %p, %v, %mask : tensor<64x!tt.ptr<f32>>
  tt.return
}

// `2 * i + 1 < n` holds for i < ceil((n - 1) / 2); `n - 3 * i > 2` likewise.

// CHECK-LABEL: tt.func public @scaled
// CHECK: %[[N:.*]] = arith.extsi %{{.*}} : i32 to i64
// CHECK: %[[D:.*]] = arith.subi %[[N]], %c1_i64
// CHECK: %[[H:.*]] = arith.ceildivsi %[[D]], %c2_i64
// CHECK: %[[E:.*]] = arith.subi %[[N]], %c2_i64
// CHECK: %[[G:.*]] = arith.ceildivsi %[[E]], %c3_i64
// CHECK: arith.minsi %[[H]], %[[G]]
tt.func public @scaled(%x: !tt.ptr<f32>, %v: tensor<64xf32>, %n: i32) {
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %p = tt.addptr %xs, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %one = arith.constant dense<1> : tensor<64xi32>
  %two = arith.constant dense<2> : tensor<64xi32>
  %three = arith.constant dense<3> : tensor<64xi32>
  %double = arith.muli %range, %two : tensor<64xi32>
  %odd = arith.addi %double, %one : tensor<64xi32>
  %ns = tt.splat %n : i32 -> tensor<64xi32>
  %a = arith.cmpi slt, %odd, %ns : tensor<64xi32>
  %triple = arith.muli %range, %three : tensor<64xi32>
  %rest = arith.subi %ns, %triple : tensor<64xi32>
  %b = arith.cmpi sgt, %rest, %two : tensor<64xi32>
  %mask = arith.andi %a, %b : tensor<64xi1>
  tt.store %p, %v, %mask : tensor<64x!tt.ptr<f32>>
  tt.return
}

// A uniform condition closes the interval of dimension 0.

// CHECK-LABEL: tt.func public @condition
// CHECK-SAME: tensor<64xf32>, %[[FLAG:.*]]: i1)
// CHECK: %[[H:.*]] = arith.select %[[FLAG]], %c64_i64, %c0_i64 : i64
// CHECK: sg.store %{{.*}} bounds(%c0_i64) to(%[[H]]) :
tt.func public @condition(%x: !tt.ptr<f32>, %v: tensor<64xf32>, %flag: i1) {
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %p = tt.addptr %xs, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %mask = tt.splat %flag : i1 -> tensor<64xi1>
  tt.store %p, %v, %mask : tensor<64x!tt.ptr<f32>>
  tt.return
}

// One lane.

// CHECK-LABEL: tt.func public @equal
// CHECK: %[[K:.*]] = arith.extsi
// CHECK: %[[K1:.*]] = arith.addi %[[K]], %c1_i64
// CHECK: sg.store
tt.func public @equal(%x: !tt.ptr<f32>, %v: tensor<64xf32>, %k: i32) {
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %p = tt.addptr %xs, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %ks = tt.splat %k : i32 -> tensor<64xi32>
  %mask = arith.cmpi eq, %range, %ks : tensor<64xi32>
  tt.store %p, %v, %mask : tensor<64x!tt.ptr<f32>>
  tt.return
}

// Unsigned comparisons: iota is not negative, and n is read as unsigned.

// CHECK-LABEL: tt.func public @unsigned
// CHECK: %[[N:.*]] = arith.extui %{{.*}} : i32 to i64
// CHECK: %[[H:.*]] = arith.minsi %[[N]], %c64_i64
// CHECK: sg.store %{{.*}} to(%{{.*}}) :
tt.func public @unsigned(%x: !tt.ptr<f32>, %v: tensor<64xf32>, %n: i32) {
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %p = tt.addptr %xs, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %ns = tt.splat %n : i32 -> tensor<64xi32>
  %mask = arith.cmpi ult, %range, %ns : tensor<64xi32>
  tt.store %p, %v, %mask : tensor<64x!tt.ptr<f32>>
  tt.return
}

// What is no interval stays a block of bits, beside the intervals.

// CHECK-LABEL: tt.func public @rest
// CHECK: %[[BITS:.*]] = arith.cmpi ne, %{{.*}} : tensor<64xi32>
// CHECK: sg.store %{{.*}} to(%{{.*}}) mask(%[[BITS]] : tensor<64xi1>)
tt.func public @rest(%x: !tt.ptr<f32>, %v: tensor<64xf32>, %w: tensor<64xi32>, %n: i32) {
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %p = tt.addptr %xs, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %ns = tt.splat %n : i32 -> tensor<64xi32>
  %a = arith.cmpi slt, %range, %ns : tensor<64xi32>
  %b = arith.cmpi ne, %range, %w : tensor<64xi32>
  %mask = arith.andi %a, %b : tensor<64xi1>
  tt.store %p, %v, %mask : tensor<64x!tt.ptr<f32>>
  tt.return
}

// Two dimensions in one comparison: all of it is the rest.

// CHECK-LABEL: tt.func public @triangle
// CHECK: %[[BITS:.*]] = arith.cmpi sge, %{{.*}} : tensor<16x16xi32>
// CHECK: sg.store %{{.*}} bounds(%c0_i64, %c0_i64) to(%c16_i64, %c16_i64) mask(%[[BITS]] : tensor<16x16xi1>)
tt.func public @triangle(%x: !tt.ptr<f32>, %v: tensor<16x16xf32>) {
  %range = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %rows = tt.expand_dims %range {axis = 1 : i32} : tensor<16xi32> -> tensor<16x1xi32>
  %cols = tt.expand_dims %range {axis = 0 : i32} : tensor<16xi32> -> tensor<1x16xi32>
  %r = tt.broadcast %rows : tensor<16x1xi32> -> tensor<16x16xi32>
  %c = tt.broadcast %cols : tensor<1x16xi32> -> tensor<16x16xi32>
  %c16 = arith.constant dense<16> : tensor<16x16xi32>
  %ro = arith.muli %r, %c16 : tensor<16x16xi32>
  %o = arith.addi %ro, %c : tensor<16x16xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x16x!tt.ptr<f32>>
  %p = tt.addptr %xs, %o : tensor<16x16x!tt.ptr<f32>>, tensor<16x16xi32>
  %mask = arith.cmpi sge, %r, %c : tensor<16x16xi32>
  tt.store %p, %v, %mask : tensor<16x16x!tt.ptr<f32>>
  tt.return
}

// RUN: seagrove-opt %s -inline -canonicalize -cse -structure-accesses -canonicalize -cse | FileCheck %s

// Vector addition: the mask becomes the end of the block.

// CHECK-LABEL: tt.func public @add
// CHECK-SAME: (%[[X:.*]]: !tt.ptr<f32>, %[[Y:.*]]: !tt.ptr<f32>, %[[N:.*]]: i32)
tt.func public @add(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i32) {
  %c256 = arith.constant 256 : i32
  %pid = tt.get_program_id x : i32
  %start = arith.muli %pid, %c256 : i32
  %range = tt.make_range {end = 256 : i32, start = 0 : i32} : tensor<256xi32>
  %starts = tt.splat %start : i32 -> tensor<256xi32>
  %offsets = arith.addi %starts, %range : tensor<256xi32>
  %ends = tt.splat %n : i32 -> tensor<256xi32>
  %mask = arith.cmpi slt, %offsets, %ends : tensor<256xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<256x!tt.ptr<f32>>
  %px = tt.addptr %xs, %offsets : tensor<256x!tt.ptr<f32>>, tensor<256xi32>
  %ys = tt.splat %y : !tt.ptr<f32> -> tensor<256x!tt.ptr<f32>>
  %py = tt.addptr %ys, %offsets : tensor<256x!tt.ptr<f32>>, tensor<256xi32>
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i64
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : i64
  // CHECK-DAG: %[[C256:.*]] = arith.constant 256 : i64
  // CHECK: %[[START:.*]] = arith.muli %{{.*}}, %{{.*}} : i32
  // CHECK: %[[OFFSET:.*]] = arith.extsi %[[START]] : i32 to i64
  // CHECK: %[[END:.*]] = arith.extsi %[[N]] : i32 to i64
  // CHECK: %[[LEFT:.*]] = arith.subi %[[END]], %[[OFFSET]] : i64
  // CHECK: %[[CUT:.*]] = arith.minsi %[[LEFT]], %[[C256]] : i64
  // CHECK: %[[HIGH:.*]] = arith.maxsi %[[CUT]], %[[C0]] : i64
  // CHECK: %[[VALUE:.*]] = sg.load %[[X]][%[[OFFSET]]] strides(%[[C1]]) bounds(%[[C0]]) to(%[[HIGH]]) : !tt.ptr<f32> -> tensor<256xf32>
  // CHECK: sg.store %[[VALUE]], %[[Y]][%[[OFFSET]]] strides(%[[C1]]) bounds(%[[C0]]) to(%[[HIGH]]) : tensor<256xf32> -> !tt.ptr<f32>
  %value = tt.load %px, %mask : tensor<256x!tt.ptr<f32>>
  tt.store %py, %value, %mask : tensor<256x!tt.ptr<f32>>
  tt.return
}

// A row of a matrix; `other` stays a scalar.

// CHECK-LABEL: tt.func public @row
tt.func public @row(%x: !tt.ptr<f32>, %out: !tt.ptr<f32>, %stride: i32, %n: i32) {
  %row = tt.get_program_id x : i32
  %start = arith.muli %row, %stride : i32
  %px = tt.addptr %x, %start : !tt.ptr<f32>, i32
  %range = tt.make_range {end = 128 : i32, start = 0 : i32} : tensor<128xi32>
  %ends = tt.splat %n : i32 -> tensor<128xi32>
  %mask = arith.cmpi slt, %range, %ends : tensor<128xi32>
  %xs = tt.splat %px : !tt.ptr<f32> -> tensor<128x!tt.ptr<f32>>
  %ptrs = tt.addptr %xs, %range : tensor<128x!tt.ptr<f32>>, tensor<128xi32>
  %inf = arith.constant dense<0xFF800000> : tensor<128xf32>
  // CHECK: %[[INF:.*]] = arith.constant 0xFF800000 : f32
  // CHECK: %[[ROW:.*]] = tt.addptr
  // CHECK: sg.load %[[ROW]][%{{.*}}] strides(%{{.*}}) bounds(%{{.*}}) to(%{{.*}}) other(%[[INF]] : f32) : !tt.ptr<f32> -> tensor<128xf32>
  %value = tt.load %ptrs, %mask, %inf : tensor<128x!tt.ptr<f32>>
  %outs = tt.splat %out : !tt.ptr<f32> -> tensor<128x!tt.ptr<f32>>
  %pout = tt.addptr %outs, %range : tensor<128x!tt.ptr<f32>>, tensor<128xi32>
  tt.store %pout, %value : tensor<128x!tt.ptr<f32>>
  tt.return
}

// A tile: one stride, one bound, per dimension; transposed it keeps them.

// CHECK-LABEL: tt.func public @tile
// CHECK-SAME: (%[[X:.*]]: !tt.ptr<f16>, %[[SM:.*]]: i32, %[[SN:.*]]: i32, %[[M:.*]]: i32, %[[N:.*]]: i32)
tt.func public @tile(%x: !tt.ptr<f16>, %sm: i32, %sn: i32, %m: i32, %n: i32) {
  %rm = tt.make_range {end = 32 : i32, start = 0 : i32} : tensor<32xi32>
  %rn = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %em = tt.expand_dims %rm {axis = 1 : i32} : tensor<32xi32> -> tensor<32x1xi32>
  %en = tt.expand_dims %rn {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
  %sms = tt.splat %sm : i32 -> tensor<32x1xi32>
  %om = arith.muli %em, %sms : tensor<32x1xi32>
  %sns = tt.splat %sn : i32 -> tensor<1x64xi32>
  %on = arith.muli %en, %sns : tensor<1x64xi32>
  %bm = tt.broadcast %om : tensor<32x1xi32> -> tensor<32x64xi32>
  %bn = tt.broadcast %on : tensor<1x64xi32> -> tensor<32x64xi32>
  %o = arith.addi %bm, %bn : tensor<32x64xi32>
  %xs = tt.splat %x : !tt.ptr<f16> -> tensor<32x64x!tt.ptr<f16>>
  %p = tt.addptr %xs, %o : tensor<32x64x!tt.ptr<f16>>, tensor<32x64xi32>
  %ms = tt.splat %m : i32 -> tensor<32x1xi32>
  %ns = tt.splat %n : i32 -> tensor<1x64xi32>
  %cm = arith.cmpi slt, %em, %ms : tensor<32x1xi32>
  %cn = arith.cmpi slt, %en, %ns : tensor<1x64xi32>
  %cmb = tt.broadcast %cm : tensor<32x1xi1> -> tensor<32x64xi1>
  %cnb = tt.broadcast %cn : tensor<1x64xi1> -> tensor<32x64xi1>
  %mask = arith.andi %cmb, %cnb : tensor<32x64xi1>
  // CHECK-DAG: %[[S0:.*]] = arith.extsi %[[SM]] : i32 to i64
  // CHECK-DAG: %[[S1:.*]] = arith.extsi %[[SN]] : i32 to i64
  // CHECK-DAG: %[[MW:.*]] = arith.extsi %[[M]] : i32 to i64
  // CHECK-DAG: %[[NW:.*]] = arith.extsi %[[N]] : i32 to i64
  // CHECK-DAG: %[[MC:.*]] = arith.minsi %[[MW]], %c32_i64
  // CHECK-DAG: %[[H0:.*]] = arith.maxsi %[[MC]], %c0_i64
  // CHECK-DAG: %[[NC:.*]] = arith.minsi %[[NW]], %c64_i64
  // CHECK-DAG: %[[H1:.*]] = arith.maxsi %[[NC]], %c0_i64
  // CHECK: sg.load %[[X]][%c0_i64] strides(%[[S0]], %[[S1]]) bounds(%c0_i64, %c0_i64) to(%[[H0]], %[[H1]]) : !tt.ptr<f16> -> tensor<32x64xf16>
  %v = tt.load %p, %mask : tensor<32x64x!tt.ptr<f16>>
  // CHECK: sg.store %{{.*}}, %[[X]][%c0_i64] strides(%[[S1]], %[[S0]]) bounds(%c0_i64, %c0_i64) to(%[[H1]], %[[H0]])
  %pt = tt.trans %p {order = array<i32: 1, 0>} : tensor<32x64x!tt.ptr<f16>> -> tensor<64x32x!tt.ptr<f16>>
  %mt = tt.trans %mask {order = array<i32: 1, 0>} : tensor<32x64xi1> -> tensor<64x32xi1>
  %vt = tt.trans %v {order = array<i32: 1, 0>} : tensor<32x64xf16> -> tensor<64x32xf16>
  tt.store %pt, %vt, %mt : tensor<64x32x!tt.ptr<f16>>
  tt.return
}

// A product wraps its rows at M: the dimension gets an index that stays a
// vector. Columns of the other side keep the mark that they wrap.

// CHECK-LABEL: tt.func public @wrapped
// CHECK: %[[R:.*]] = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
// CHECK: %[[ROWS:.*]] = arith.remsi %[[R]], %{{.*}} : tensor<16xi32>
// CHECK: %[[I:.*]] = arith.muli %[[ROWS]], %{{.*}} : tensor<16xi32>
// CHECK: sg.load %{{.*}} strides(%c0_i64, %c1_i64) {{.*}} indices(%[[I]] : tensor<16xi32>) {indexed_dims = array<i64: 0>}
// CHECK: sg.load %{{.*}} strides(%c32_i64, %c0_i64) {{.*}} indices(%[[ROWS]] : tensor<16xi32>) {indexed_dims = array<i64: 1>, wrapped_dims = array<i64: 1>}
tt.func public @wrapped(%a: !tt.ptr<f32>, %stride: i32, %m: i32) -> (tensor<16x8xf32>, tensor<8x16xf32>) {
  %r = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %k = tt.make_range {end = 8 : i32, start = 0 : i32} : tensor<8xi32>
  %ms = tt.splat %m : i32 -> tensor<16xi32>
  %rows = arith.remsi %r, %ms : tensor<16xi32>
  %rows2 = tt.expand_dims %rows {axis = 1 : i32} : tensor<16xi32> -> tensor<16x1xi32>
  %ss = tt.splat %stride : i32 -> tensor<16x1xi32>
  %o0 = arith.muli %rows2, %ss : tensor<16x1xi32>
  %as = tt.splat %a : !tt.ptr<f32> -> tensor<16x1x!tt.ptr<f32>>
  %p0 = tt.addptr %as, %o0 : tensor<16x1x!tt.ptr<f32>>, tensor<16x1xi32>
  %k2 = tt.expand_dims %k {axis = 0 : i32} : tensor<8xi32> -> tensor<1x8xi32>
  %p0b = tt.broadcast %p0 : tensor<16x1x!tt.ptr<f32>> -> tensor<16x8x!tt.ptr<f32>>
  %k2b = tt.broadcast %k2 : tensor<1x8xi32> -> tensor<16x8xi32>
  %p = tt.addptr %p0b, %k2b : tensor<16x8x!tt.ptr<f32>>, tensor<16x8xi32>
  %v = tt.load %p : tensor<16x8x!tt.ptr<f32>>
  %c32 = arith.constant dense<32> : tensor<8x1xi32>
  %k3 = tt.expand_dims %k {axis = 1 : i32} : tensor<8xi32> -> tensor<8x1xi32>
  %ok = arith.muli %k3, %c32 : tensor<8x1xi32>
  %okb = tt.broadcast %ok : tensor<8x1xi32> -> tensor<8x16xi32>
  %cols = tt.expand_dims %rows {axis = 0 : i32} : tensor<16xi32> -> tensor<1x16xi32>
  %colsb = tt.broadcast %cols : tensor<1x16xi32> -> tensor<8x16xi32>
  %o = arith.addi %okb, %colsb : tensor<8x16xi32>
  %bs = tt.splat %a : !tt.ptr<f32> -> tensor<8x16x!tt.ptr<f32>>
  %q = tt.addptr %bs, %o : tensor<8x16x!tt.ptr<f32>>, tensor<8x16xi32>
  %w = tt.load %q : tensor<8x16x!tt.ptr<f32>>
  tt.return %v, %w : tensor<16x8xf32>, tensor<8x16xf32>
}

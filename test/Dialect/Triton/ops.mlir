// RUN: seagrove-opt %s | seagrove-opt | filecheck %s
// RUN: seagrove-opt %s -mlir-print-op-generic | seagrove-opt | filecheck %s

// Every operation of the dialect, in the spelling of Triton 3.9.

// CHECK-LABEL: tt.func public @functions(
// CHECK-SAME: %{{.*}}: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %{{.*}}: i32)
// CHECK-SAME: attributes {noinline = false}
tt.func public @functions(%p: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %n: i32) attributes {noinline = false} {
  // CHECK: tt.call @helper(%{{.*}}) : (i32) -> i32
  %0 = tt.call @helper(%n) : (i32) -> i32
  // CHECK: tt.call @two(%{{.*}}, %{{.*}}) : (i32, i32) -> (i32, i32)
  %1:2 = tt.call @two(%n, %n) : (i32, i32) -> (i32, i32)
  // CHECK: tt.call @seagrove.extension(%{{.*}}) : (!tt.ptr<f32>) -> ()
  tt.call @seagrove.extension(%p) : (!tt.ptr<f32>) -> ()
  // CHECK: tt.return{{$}}
  tt.return
}

// CHECK-LABEL: tt.func private @helper(%{{.*}}: i32) -> i32 attributes {noinline = true}
tt.func private @helper(%n: i32) -> i32 attributes {noinline = true} {
  // CHECK: tt.return %{{.*}} : i32
  tt.return %n : i32
}

tt.func private @two(%a: i32, %b: i32) -> (i32, i32) {
  // CHECK: tt.return %{{.*}}, %{{.*}} : i32, i32
  tt.return %b, %a : i32, i32
}

// CHECK: tt.func private @seagrove.extension(!tt.ptr<f32>)
tt.func private @seagrove.extension(!tt.ptr<f32>)

// CHECK-LABEL: @grid
tt.func public @grid() {
  // CHECK: tt.get_program_id x : i32
  %0 = tt.get_program_id x : i32
  // CHECK: tt.get_program_id y : i32
  %1 = tt.get_program_id y : i32
  // CHECK: tt.get_program_id z : i32
  %2 = tt.get_program_id z : i32
  // CHECK: tt.get_num_programs x : i32
  %3 = tt.get_num_programs x : i32
  // CHECK: tt.get_num_programs y : i32
  %4 = tt.get_num_programs y : i32
  // CHECK: tt.get_num_programs z : i32
  %5 = tt.get_num_programs z : i32
  // CHECK: tt.grid_dependency_wait
  tt.grid_dependency_wait
  // CHECK: tt.grid_dependency_launch_dependents
  tt.grid_dependency_launch_dependents
  tt.return
}

// CHECK-LABEL: @debugging
tt.func public @debugging(%b: i1, %v: tensor<64xf32>, %m: tensor<64xi1>, %i: i32, %p: !tt.ptr<f32>) {
  // CHECK: tt.print " hello" {hex = false, isSigned = array<i32>}
  tt.print " hello" {hex = false, isSigned = array<i32>}
  // CHECK: tt.print " val: " {hex = true, isSigned = array<i32: 0, 1>} : %{{.*}}, %{{.*}} : tensor<64xf32>, i32
  tt.print " val: " {hex = true, isSigned = array<i32: 0, 1>} : %v, %i : tensor<64xf32>, i32
  // CHECK: tt.print " ptr: " {hex = false, isSigned = array<i32: 0>} : %{{.*}} : !tt.ptr<f32>
  tt.print " ptr: " {hex = false, isSigned = array<i32: 0>} : %p : !tt.ptr<f32>
  // CHECK: tt.assert %{{.*}}, "n too small" : i1
  tt.assert %b, "n too small" : i1
  // CHECK: tt.assert %{{.*}}, "" : tensor<64xi1>
  tt.assert %m, "" : tensor<64xi1>
  // CHECK: ttg.barrier all
  ttg.barrier all
  // CHECK: ttg.barrier local|global_read
  ttg.barrier local|global_read
  // CHECK: gpu.barrier
  gpu.barrier
  tt.return
}

// CHECK-LABEL: @casts
tt.func public @casts(%a: i64, %p: !tt.ptr<f32>, %as: tensor<16xi64>, %ps: tensor<16x!tt.ptr<f32>>,
                      %v: tensor<16xf32>, %h: tensor<16xf8E5M2>, %s: f32) {
  // CHECK: tt.int_to_ptr %{{.*}} : i64 -> !tt.ptr<f16>
  %0 = tt.int_to_ptr %a : i64 -> !tt.ptr<f16>
  // CHECK: tt.int_to_ptr %{{.*}} : tensor<16xi64> -> tensor<16x!tt.ptr<f32>>
  %1 = tt.int_to_ptr %as : tensor<16xi64> -> tensor<16x!tt.ptr<f32>>
  // CHECK: tt.ptr_to_int %{{.*}} : !tt.ptr<f32> -> i64
  %2 = tt.ptr_to_int %p : !tt.ptr<f32> -> i64
  // CHECK: tt.ptr_to_int %{{.*}} : tensor<16x!tt.ptr<f32>> -> tensor<16xi64>
  %3 = tt.ptr_to_int %ps : tensor<16x!tt.ptr<f32>> -> tensor<16xi64>
  // CHECK: tt.bitcast %{{.*}} : tensor<16xf32> -> tensor<16xi32>
  %4 = tt.bitcast %v : tensor<16xf32> -> tensor<16xi32>
  // CHECK: tt.bitcast %{{.*}} : tensor<16x!tt.ptr<f32>> -> tensor<16x!tt.ptr<i8>>
  %5 = tt.bitcast %ps : tensor<16x!tt.ptr<f32>> -> tensor<16x!tt.ptr<i8>>
  // CHECK: tt.bitcast %{{.*}} : f32 -> i32
  %6 = tt.bitcast %s : f32 -> i32
  // CHECK: tt.fp_to_fp %{{.*}} : tensor<16xf8E5M2> -> tensor<16xf32>
  %7 = tt.fp_to_fp %h : tensor<16xf8E5M2> -> tensor<16xf32>
  // CHECK: tt.fp_to_fp %{{.*}}, rounding = rtne : tensor<16xf32> -> tensor<16xf8E4M3FNUZ>
  %8 = tt.fp_to_fp %v, rounding = rtne : tensor<16xf32> -> tensor<16xf8E4M3FNUZ>
  // CHECK: tt.fp_to_fp %{{.*}}, rounding = rtz : tensor<16xf32> -> tensor<16xf16>
  %9 = tt.fp_to_fp %v, rounding = rtz : tensor<16xf32> -> tensor<16xf16>
  tt.return
}

// CHECK-LABEL: @arithmetic
tt.func public @arithmetic(%x: tensor<64xf32>, %s: f32, %u: tensor<64xi32>, %l: i64,
                           %p: !tt.ptr<f32>, %ps: tensor<64x!tt.ptr<f32>>, %ls: tensor<64xi64>) {
  // CHECK: tt.clampf %{{.*}}, %{{.*}}, %{{.*}}, propagateNan = all : tensor<64xf32>
  %0 = tt.clampf %x, %x, %x, propagateNan = all : tensor<64xf32>
  // CHECK: tt.clampf %{{.*}}, %{{.*}}, %{{.*}}, propagateNan = none : f32
  %1 = tt.clampf %s, %s, %s, propagateNan = none : f32
  // CHECK: tt.precise_sqrt %{{.*}} : tensor<64xf32>
  %2 = tt.precise_sqrt %x : tensor<64xf32>
  // CHECK: tt.precise_divf %{{.*}}, %{{.*}} : tensor<64xf32>
  %3 = tt.precise_divf %x, %x : tensor<64xf32>
  // CHECK: tt.approx_divf %{{.*}}, %{{.*}} : f32
  %4 = tt.approx_divf %s, %s : f32
  // CHECK: tt.mulhiui %{{.*}}, %{{.*}} : tensor<64xi32>
  %5 = tt.mulhiui %u, %u : tensor<64xi32>
  // CHECK: tt.mulhiui %{{.*}}, %{{.*}} : i64
  %6 = tt.mulhiui %l, %l : i64
  // CHECK: tt.addptr %{{.*}}, %{{.*}} : !tt.ptr<f32>, i64
  %7 = tt.addptr %p, %l : !tt.ptr<f32>, i64
  // CHECK: tt.addptr %{{.*}}, %{{.*}} : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %8 = tt.addptr %ps, %u : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  // CHECK: tt.addptr %{{.*}}, %{{.*}} {tt.constancy = dense<4> : tensor<1xi32>} : tensor<64x!tt.ptr<f32>>, tensor<64xi64>
  %9 = tt.addptr %ps, %ls {tt.constancy = dense<4> : tensor<1xi32>} : tensor<64x!tt.ptr<f32>>, tensor<64xi64>
  tt.return
}

// CHECK-LABEL: @own_code
tt.func public @own_code(%x: tensor<64xf32>, %s: f32, %v: tensor<64xi32>) {
  // CHECK: tt.extern_elementwise %{{.*}}, %{{.*}} {libname = "", libpath = "", pure = true, symbol = "pow"} : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  %0 = tt.extern_elementwise %x, %x {libname = "", libpath = "", pure = true, symbol = "pow"} : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  // CHECK: tt.extern_elementwise %{{.*}} {libname = "", libpath = "", pure = false, symbol = "log1p"} : (f32) -> f32
  %1 = tt.extern_elementwise %s {libname = "", libpath = "", pure = false, symbol = "log1p"} : (f32) -> f32
  // CHECK: tt.elementwise_inline_asm "add $0, $1, $2;" {constraints = "=r,r,r", packed_element = 1 : i32, pure = true} %{{.*}}, %{{.*}} : tensor<64xi32>, tensor<64xi32> -> tensor<64xi32>
  %2 = tt.elementwise_inline_asm "add $0, $1, $2;" {constraints = "=r,r,r", packed_element = 1 : i32, pure = true} %v, %v : tensor<64xi32>, tensor<64xi32> -> tensor<64xi32>
  // CHECK: tt.elementwise_inline_asm "{ mov $0, \22$2\22; }" {constraints = "=r,=r,r", packed_element = 2 : i32, pure = false} %{{.*}} : tensor<64xi32> -> tensor<64xi32>, tensor<64xi32>
  %3:2 = tt.elementwise_inline_asm "{ mov $0, \22$2\22; }" {constraints = "=r,=r,r", packed_element = 2 : i32, pure = false} %v : tensor<64xi32> -> tensor<64xi32>, tensor<64xi32>
  // CHECK: tt.elementwise_inline_asm "mov $0, 3;" {constraints = "=r", packed_element = 1 : i32, pure = true} -> i32
  %4 = tt.elementwise_inline_asm "mov $0, 3;" {constraints = "=r", packed_element = 1 : i32, pure = true} -> i32
  // CHECK: "tt.map_elementwise"(%{{.*}}, %{{.*}}) <{pack = 1 : i32}> ({
  // CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: f32):
  %5:2 = "tt.map_elementwise"(%x, %x) <{pack = 1 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %sum = arith.addf %a, %b : f32
    // CHECK: tt.map_elementwise.return %{{.*}}, %{{.*}} : f32, f32
    tt.map_elementwise.return %sum, %a : f32, f32
  }) : (tensor<64xf32>, tensor<64xf32>) -> (tensor<64xf32>, tensor<64xf32>)
  // CHECK: "tt.map_elementwise"(%{{.*}}) <{pack = 2 : i32}> ({
  %6 = "tt.map_elementwise"(%x) <{pack = 2 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    tt.map_elementwise.return %b, %a : f32, f32
  }) : (tensor<64xf32>) -> tensor<64xf32>
  tt.return
}

// CHECK-LABEL: @shapes
tt.func public @shapes(%s: f32, %p: !tt.ptr<f32>, %v: tensor<64xf32>, %one: tensor<1xf32>, %m: tensor<8x1xf32>,
                       %t: tensor<1x2x4xf32>, %i: tensor<64xi32>, %mask: tensor<64xi1>, %k: tensor<16xi32>) {
  // CHECK: tt.make_range {end = 128 : i32, start = 0 : i32} : tensor<128xi32>
  %0 = tt.make_range {end = 128 : i32, start = 0 : i32} : tensor<128xi32>
  // CHECK: tt.splat %{{.*}} : f32 -> tensor<8x4xf32>
  %1 = tt.splat %s : f32 -> tensor<8x4xf32>
  // CHECK: tt.splat %{{.*}} : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %2 = tt.splat %p : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  // CHECK: tt.unsplat %{{.*}} : tensor<1xf32>
  %3 = tt.unsplat %one : tensor<1xf32>
  // CHECK: tt.broadcast %{{.*}} : tensor<8x1xf32> -> tensor<8x16xf32>
  %4 = tt.broadcast %m : tensor<8x1xf32> -> tensor<8x16xf32>
  // CHECK: tt.expand_dims %{{.*}} {axis = 1 : i32} : tensor<64xf32> -> tensor<64x1xf32>
  %5 = tt.expand_dims %v {axis = 1 : i32} : tensor<64xf32> -> tensor<64x1xf32>
  // CHECK: tt.reshape %{{.*}} : tensor<64xf32> -> tensor<8x8xf32>
  %6 = tt.reshape %v : tensor<64xf32> -> tensor<8x8xf32>
  // CHECK: tt.reshape %{{.*}} allow_reorder : tensor<64xf32> -> tensor<4x16xf32>
  %7 = tt.reshape %v allow_reorder : tensor<64xf32> -> tensor<4x16xf32>
  // CHECK: tt.reshape %{{.*}} allow_reorder efficient_layout : tensor<64xf32> -> tensor<4x16xf32>
  %8 = tt.reshape %v allow_reorder efficient_layout : tensor<64xf32> -> tensor<4x16xf32>
  // CHECK: tt.reshape %{{.*}} : tensor<1xf32> -> tensor<f32>
  %9 = tt.reshape %one : tensor<1xf32> -> tensor<f32>
  // CHECK: tt.trans %{{.*}} {order = array<i32: 2, 0, 1>} : tensor<1x2x4xf32> -> tensor<4x1x2xf32>
  %10 = tt.trans %t {order = array<i32: 2, 0, 1>} : tensor<1x2x4xf32> -> tensor<4x1x2xf32>
  // CHECK: tt.cat %{{.*}}, %{{.*}} : tensor<64xf32> -> tensor<128xf32>
  %11 = tt.cat %v, %v : tensor<64xf32> -> tensor<128xf32>
  // CHECK: tt.join %{{.*}}, %{{.*}} : tensor<64xf32> -> tensor<64x2xf32>
  %12 = tt.join %v, %v : tensor<64xf32> -> tensor<64x2xf32>
  // CHECK: tt.split %{{.*}} : tensor<64x2xf32> -> tensor<64xf32>
  %13, %14 = tt.split %12 : tensor<64x2xf32> -> tensor<64xf32>
  // CHECK: tt.histogram %{{.*}} : tensor<64xi32> -> tensor<16xi32>
  %15 = tt.histogram %i : tensor<64xi32> -> tensor<16xi32>
  // CHECK: tt.histogram %{{.*}}, %{{.*}} : tensor<64xi32> -> tensor<16xi32>
  %16 = tt.histogram %i, %mask : tensor<64xi32> -> tensor<16xi32>
  // CHECK: tt.gather %{{.*}}[%{{.*}}] {axis = 0 : i32} : (tensor<64xf32>, tensor<16xi32>) -> tensor<16xf32>
  %17 = tt.gather %v[%k] {axis = 0 : i32} : (tensor<64xf32>, tensor<16xi32>) -> tensor<16xf32>
  // CHECK: tt.gather %{{.*}}[%{{.*}}] {axis = 0 : i32, efficient_layout} : (tensor<64xf32>, tensor<16xi32>) -> tensor<16xf32>
  %18 = tt.gather %v[%k] {axis = 0 : i32, efficient_layout} : (tensor<64xf32>, tensor<16xi32>) -> tensor<16xf32>
  tt.return
}

// CHECK-LABEL: @products
tt.func public @products(%a: tensor<32x64xf32>, %b: tensor<64x16xf32>, %c: tensor<32x16xf32>,
                         %ab: tensor<4x16x16xf16>, %cb: tensor<4x16x16xf32>, %i: tensor<32x32xi8>, %ic: tensor<32x32xi32>,
                         %m: tensor<128x64xi8>, %n: tensor<64x128xi8>, %sc: tensor<128x4xi8>, %acc: tensor<128x128xf32>,
                         %h: tensor<128x128xbf16>) {
  // CHECK: tt.dot %{{.*}}, %{{.*}}, %{{.*}} : tensor<32x64xf32> * tensor<64x16xf32> -> tensor<32x16xf32>
  %0 = tt.dot %a, %b, %c : tensor<32x64xf32> * tensor<64x16xf32> -> tensor<32x16xf32>
  // CHECK: tt.dot %{{.*}}, %{{.*}}, %{{.*}}, inputPrecision = tf32 : tensor<32x64xf32> * tensor<64x16xf32> -> tensor<32x16xf32>
  %1 = tt.dot %a, %b, %c, inputPrecision = tf32 : tensor<32x64xf32> * tensor<64x16xf32> -> tensor<32x16xf32>
  // CHECK: tt.dot %{{.*}}, %{{.*}}, %{{.*}}, inputPrecision = tf32x3 : tensor<32x64xf32> * tensor<64x16xf32> -> tensor<32x16xf32>
  %2 = tt.dot %a, %b, %c, inputPrecision = tf32x3 : tensor<32x64xf32> * tensor<64x16xf32> -> tensor<32x16xf32>
  // CHECK: tt.dot %{{.*}}, %{{.*}}, %{{.*}}, inputPrecision = bf16x3 : tensor<32x64xf32> * tensor<64x16xf32> -> tensor<32x16xf32>
  %3 = tt.dot %a, %b, %c, inputPrecision = bf16x3 : tensor<32x64xf32> * tensor<64x16xf32> -> tensor<32x16xf32>
  // CHECK: tt.dot %{{.*}}, %{{.*}}, %{{.*}}, inputPrecision = bf16x6 {maxNumImpreciseAcc = 32 : i32} : tensor<32x64xf32> * tensor<64x16xf32> -> tensor<32x16xf32>
  %4 = tt.dot %a, %b, %c, inputPrecision = bf16x6 {maxNumImpreciseAcc = 32 : i32} : tensor<32x64xf32> * tensor<64x16xf32> -> tensor<32x16xf32>
  // CHECK: tt.dot %{{.*}}, %{{.*}}, %{{.*}} : tensor<4x16x16xf16> * tensor<4x16x16xf16> -> tensor<4x16x16xf32>
  %5 = tt.dot %ab, %ab, %cb : tensor<4x16x16xf16> * tensor<4x16x16xf16> -> tensor<4x16x16xf32>
  // CHECK: tt.dot %{{.*}}, %{{.*}}, %{{.*}} : tensor<32x32xi8> * tensor<32x32xi8> -> tensor<32x32xi32>
  %6 = tt.dot %i, %i, %ic : tensor<32x32xi8> * tensor<32x32xi8> -> tensor<32x32xi32>
  // CHECK: tt.dot_scaled %{{.*}} scale %{{.*}}, %{{.*}} scale %{{.*}}, %{{.*}} lhs = e2m1 rhs = e2m1 {fastMath = false} : tensor<128x64xi8>, tensor<128x4xi8> * tensor<64x128xi8>, tensor<128x4xi8> -> tensor<128x128xf32>
  %7 = tt.dot_scaled %m scale %sc, %n scale %sc, %acc lhs = e2m1 rhs = e2m1 {fastMath = false} : tensor<128x64xi8>, tensor<128x4xi8> * tensor<64x128xi8>, tensor<128x4xi8> -> tensor<128x128xf32>
  // CHECK: tt.dot_scaled %{{.*}} scale %{{.*}}, %{{.*}}, %{{.*}} lhs = bf16 rhs = bf16 {fastMath = true} : tensor<128x128xbf16>, tensor<128x4xi8> * tensor<128x128xbf16> -> tensor<128x128xf32>
  %8 = tt.dot_scaled %h scale %sc, %h, %acc lhs = bf16 rhs = bf16 {fastMath = true} : tensor<128x128xbf16>, tensor<128x4xi8> * tensor<128x128xbf16> -> tensor<128x128xf32>
  // CHECK: tt.dot_scaled %{{.*}}, %{{.*}}, %{{.*}} lhs = bf16 rhs = bf16 {fastMath = false} : tensor<128x128xbf16> * tensor<128x128xbf16> -> tensor<128x128xf32>
  %9 = tt.dot_scaled %h, %h, %acc lhs = bf16 rhs = bf16 {fastMath = false} : tensor<128x128xbf16> * tensor<128x128xbf16> -> tensor<128x128xf32>
  tt.return
}

// CHECK-LABEL: @dot_scaled_packed_along_rows
tt.func public @dot_scaled_packed_along_rows(%m: tensor<64x128xi8>, %n: tensor<128x64xi8>, %acc: tensor<128x128xf32>) {
  // CHECK: tt.dot_scaled %{{.*}}, %{{.*}}, %{{.*}} lhs = e2m1 rhs = e2m1 {fastMath = false, lhs_k_pack = false, rhs_k_pack = false} : tensor<64x128xi8> * tensor<128x64xi8> -> tensor<128x128xf32>
  %0 = tt.dot_scaled %m, %n, %acc lhs = e2m1 rhs = e2m1 {fastMath = false, lhs_k_pack = false, rhs_k_pack = false} : tensor<64x128xi8> * tensor<128x64xi8> -> tensor<128x128xf32>
  tt.return
}

// CHECK-LABEL: @combine
tt.func public @combine(%v: tensor<64x32xf32>, %i: tensor<64x32xi32>, %w: tensor<64xf32>) {
  // CHECK: "tt.reduce"(%{{.*}}) <{axis = 1 : i32}> ({
  %0 = "tt.reduce"(%v) <{axis = 1 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    // CHECK: tt.reduce.return %{{.*}} : f32
    tt.reduce.return %s : f32
  // CHECK: }) : (tensor<64x32xf32>) -> tensor<64xf32>
  }) : (tensor<64x32xf32>) -> tensor<64xf32>
  // CHECK: "tt.reduce"(%{{.*}}) <{axis = 0 : i32}> ({
  %1 = "tt.reduce"(%w) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %s = arith.maxnumf %a, %b : f32
    tt.reduce.return %s : f32
  // CHECK: }) : (tensor<64xf32>) -> f32
  }) : (tensor<64xf32>) -> f32
  // CHECK: :2 = "tt.reduce"(%{{.*}}, %{{.*}}) <{axis = 0 : i32}> ({
  // CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: i32, %{{.*}}: f32, %{{.*}}: i32):
  %2:2 = "tt.reduce"(%v, %i) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %ai: i32, %b: f32, %bi: i32):
    %gt = arith.cmpf ogt, %a, %b : f32
    %m = arith.select %gt, %a, %b : f32
    %mi = arith.select %gt, %ai, %bi : i32
    // CHECK: tt.reduce.return %{{.*}}, %{{.*}} : f32, i32
    tt.reduce.return %m, %mi : f32, i32
  }) : (tensor<64x32xf32>, tensor<64x32xi32>) -> (tensor<32xf32>, tensor<32xi32>)
  // CHECK: "tt.scan"(%{{.*}}) <{axis = 1 : i32, reverse = true}> ({
  %3 = "tt.scan"(%v) <{axis = 1 : i32, reverse = true}> ({
  ^bb0(%a: f32, %b: f32):
    %s = arith.mulf %a, %b : f32
    // CHECK: tt.scan.return %{{.*}} : f32
    tt.scan.return %s : f32
  // CHECK: }) : (tensor<64x32xf32>) -> tensor<64x32xf32>
  }) : (tensor<64x32xf32>) -> tensor<64x32xf32>
  tt.return
}

// CHECK-LABEL: @memory
tt.func public @memory(%p: !tt.ptr<f32>, %ps: tensor<64x!tt.ptr<f32>>, %m: tensor<64xi1>, %v: tensor<64xf32>,
                       %b: i1, %s: f32) {
  // CHECK: tt.load %{{.*}} : !tt.ptr<f32>
  %0 = tt.load %p : !tt.ptr<f32>
  // CHECK: tt.load %{{.*}}, %{{.*}}, %{{.*}} : !tt.ptr<f32>
  %1 = tt.load %p, %b, %s : !tt.ptr<f32>
  // CHECK: tt.load %{{.*}} : tensor<64x!tt.ptr<f32>>
  %2 = tt.load %ps : tensor<64x!tt.ptr<f32>>
  // CHECK: tt.load %{{.*}}, %{{.*}} : tensor<64x!tt.ptr<f32>>
  %3 = tt.load %ps, %m : tensor<64x!tt.ptr<f32>>
  // CHECK: tt.load %{{.*}}, %{{.*}}, %{{.*}} : tensor<64x!tt.ptr<f32>>
  %4 = tt.load %ps, %m, %v : tensor<64x!tt.ptr<f32>>
  // CHECK: tt.load %{{.*}} {cachePolicy = #tt.cache_policy<cache_modifier = ca, eviction_policy = evict_normal>} : tensor<64x!tt.ptr<f32>>
  %5 = tt.load %ps {cachePolicy = #tt.cache_policy<cache_modifier = ca, eviction_policy = evict_normal>} : tensor<64x!tt.ptr<f32>>
  // CHECK: tt.load %{{.*}}, %{{.*}}, %{{.*}} {cachePolicy = #tt.cache_policy<cache_modifier = cv, eviction_policy = evict_first>, isVolatile = true} : tensor<64x!tt.ptr<f32>>
  %6 = tt.load %ps, %m, %v {cachePolicy = #tt.cache_policy<cache_modifier = cv, eviction_policy = evict_first>, isVolatile = true} : tensor<64x!tt.ptr<f32>>
  // CHECK: tt.store %{{.*}}, %{{.*}} : !tt.ptr<f32>
  tt.store %p, %s : !tt.ptr<f32>
  // CHECK: tt.store %{{.*}}, %{{.*}}, %{{.*}} : !tt.ptr<f32>
  tt.store %p, %s, %b : !tt.ptr<f32>
  // CHECK: tt.store %{{.*}}, %{{.*}} : tensor<64x!tt.ptr<f32>>
  tt.store %ps, %v : tensor<64x!tt.ptr<f32>>
  // CHECK: tt.store %{{.*}}, %{{.*}}, %{{.*}} {cachePolicy = #tt.cache_policy<cache_modifier = wb, eviction_policy = evict_last>, ignore_cta} : tensor<64x!tt.ptr<f32>>
  tt.store %ps, %v, %m {cachePolicy = #tt.cache_policy<cache_modifier = wb, eviction_policy = evict_last>, ignore_cta} : tensor<64x!tt.ptr<f32>>
  tt.return
}

// CHECK-LABEL: @atomics
tt.func public @atomics(%p: !tt.ptr<i32>, %ps: tensor<16x!tt.ptr<i32>>, %fs: tensor<16x!tt.ptr<f16>>, %i: i32, %b: i1,
                        %v: tensor<16xi32>, %f: tensor<16xf16>, %m: tensor<16xi1>, %ns: i64) {
  // CHECK: tt.atomic_rmw add, acq_rel, gpu, %{{.*}}, %{{.*}}, %{{.*}} : (!tt.ptr<i32>, i32, i1) -> i32
  %0 = tt.atomic_rmw add, acq_rel, gpu, %p, %i, %b : (!tt.ptr<i32>, i32, i1) -> i32
  // CHECK: tt.atomic_rmw and, relaxed, cta, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>, tensor<16xi1>) -> tensor<16xi32>
  %1 = tt.atomic_rmw and, relaxed, cta, %ps, %v, %m : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>, tensor<16xi1>) -> tensor<16xi32>
  // CHECK: tt.atomic_rmw or, acquire, sys, %{{.*}}, %{{.*}} : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  %2 = tt.atomic_rmw or, acquire, sys, %ps, %v : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  // CHECK: tt.atomic_rmw xor, release, gpu, %{{.*}}, %{{.*}} : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  %3 = tt.atomic_rmw xor, release, gpu, %ps, %v : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  // CHECK: tt.atomic_rmw max, acq_rel, gpu, %{{.*}}, %{{.*}} : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  %4 = tt.atomic_rmw max, acq_rel, gpu, %ps, %v : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  // CHECK: tt.atomic_rmw min, acq_rel, gpu, %{{.*}}, %{{.*}} : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  %5 = tt.atomic_rmw min, acq_rel, gpu, %ps, %v : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  // CHECK: tt.atomic_rmw umax, acq_rel, gpu, %{{.*}}, %{{.*}} : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  %6 = tt.atomic_rmw umax, acq_rel, gpu, %ps, %v : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  // CHECK: tt.atomic_rmw umin, acq_rel, gpu, %{{.*}}, %{{.*}} : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  %7 = tt.atomic_rmw umin, acq_rel, gpu, %ps, %v : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  // CHECK: tt.atomic_rmw exch, acq_rel, gpu, %{{.*}}, %{{.*}} : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  %8 = tt.atomic_rmw exch, acq_rel, gpu, %ps, %v : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>) -> tensor<16xi32>
  // CHECK: tt.atomic_rmw fadd, acq_rel, gpu, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<16x!tt.ptr<f16>>, tensor<16xf16>, tensor<16xi1>) -> tensor<16xf16>
  %9 = tt.atomic_rmw fadd, acq_rel, gpu, %fs, %f, %m : (tensor<16x!tt.ptr<f16>>, tensor<16xf16>, tensor<16xi1>) -> tensor<16xf16>
  // CHECK: tt.atomic_cas acq_rel, gpu, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>, tensor<16xi32>) -> tensor<16xi32>
  %10 = tt.atomic_cas acq_rel, gpu, %ps, %v, %v : (tensor<16x!tt.ptr<i32>>, tensor<16xi32>, tensor<16xi32>) -> tensor<16xi32>
  // CHECK: tt.atomic_cas relaxed, cta, %{{.*}}, %{{.*}}, %{{.*}} : (!tt.ptr<i32>, i32, i32) -> i32
  %11 = tt.atomic_cas relaxed, cta, %p, %i, %i : (!tt.ptr<i32>, i32, i32) -> i32
  // CHECK: tt.atomic_load acquire, gpu, %{{.*}}, %{{.*}} : (tensor<16x!tt.ptr<i32>>, tensor<16xi1>) -> tensor<16xi32>
  %12 = tt.atomic_load acquire, gpu, %ps, %m : (tensor<16x!tt.ptr<i32>>, tensor<16xi1>) -> tensor<16xi32>
  // CHECK: tt.atomic_load relaxed, sys, %{{.*}} : (!tt.ptr<i32>) -> i32
  %13 = tt.atomic_load relaxed, sys, %p : (!tt.ptr<i32>) -> i32
  // CHECK: tt.atomic_store release, gpu, %{{.*}}, %{{.*}}, %{{.*}} : tensor<16x!tt.ptr<i32>>
  tt.atomic_store release, gpu, %ps, %v, %m : tensor<16x!tt.ptr<i32>>
  // CHECK: tt.atomic_store relaxed, cta, %{{.*}}, %{{.*}} : !tt.ptr<i32>
  tt.atomic_store relaxed, cta, %p, %i : !tt.ptr<i32>
  // CHECK: tt.atomic_poll acquire, gpu, %{{.*}}, %{{.*}} : !tt.ptr<i32>, i32 -> i1
  %14 = tt.atomic_poll acquire, gpu, %p, %i : !tt.ptr<i32>, i32 -> i1
  // CHECK: tt.atomic_poll relaxed, sys, %{{.*}}, %{{.*}} timeout %{{.*}} : !tt.ptr<i32>, i32 -> i1
  %15 = tt.atomic_poll relaxed, sys, %p, %i timeout %ns : !tt.ptr<i32>, i32 -> i1
  tt.return
}

// CHECK-LABEL: @descriptors
tt.func public @descriptors(%p: !tt.ptr<f32>, %u: !tt.ptr<i32>, %n: i32, %s: i64, %ps: tensor<16x!tt.ptr<i32>>,
                            %rows: tensor<16xi32>, %g: !tt.tensordesc<1x64xf16>) {
  // CHECK: tt.make_tensor_descriptor %{{.*}}, [%{{.*}}, %{{.*}}], [%{{.*}}, %{{.*}}] : <f32>, <16x32xf32>
  %d = tt.make_tensor_descriptor %p, [%n, %n], [%s, %s] : <f32>, <16x32xf32>
  // CHECK: tt.make_tensor_descriptor %{{.*}}, [%{{.*}}, %{{.*}}], [%{{.*}}, %{{.*}}] {padding = 2 : i32} : <f32>, <16x32xf32>
  %e = tt.make_tensor_descriptor %p, [%n, %n], [%s, %s] {padding = 2 : i32} : <f32>, <16x32xf32>
  // CHECK: tt.make_tensor_descriptor %{{.*}}, [%{{.*}}], [%{{.*}}] : <i32>, <8xui32>
  %f = tt.make_tensor_descriptor %u, [%n], [%s] : <i32>, <8xui32>
  // CHECK: tt.descriptor_load %{{.*}}[%{{.*}}, %{{.*}}] : !tt.tensordesc<16x32xf32> -> tensor<16x32xf32>
  %0 = tt.descriptor_load %d[%n, %n] : !tt.tensordesc<16x32xf32> -> tensor<16x32xf32>
  // CHECK: tt.descriptor_load %{{.*}}[%{{.*}}] {cachePolicy = #tt.cache_policy<cache_modifier = cg, eviction_policy = evict_last>} : !tt.tensordesc<8xui32> -> tensor<8xi32>
  %1 = tt.descriptor_load %f[%n] {cachePolicy = #tt.cache_policy<cache_modifier = cg, eviction_policy = evict_last>} : !tt.tensordesc<8xui32> -> tensor<8xi32>
  // CHECK: tt.descriptor_store %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} : !tt.tensordesc<16x32xf32>, tensor<16x32xf32>
  tt.descriptor_store %d[%n, %n], %0 : !tt.tensordesc<16x32xf32>, tensor<16x32xf32>
  // CHECK: tt.descriptor_reduce add, %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} : !tt.tensordesc<16x32xf32>, tensor<16x32xf32>
  tt.descriptor_reduce add, %d[%n, %n], %0 : !tt.tensordesc<16x32xf32>, tensor<16x32xf32>
  // CHECK: tt.descriptor_reduce min, %{{.*}}[%{{.*}}], %{{.*}} : !tt.tensordesc<8xui32>, tensor<8xi32>
  tt.descriptor_reduce min, %f[%n], %1 : !tt.tensordesc<8xui32>, tensor<8xi32>
  // CHECK: tt.descriptor_reduce max, %{{.*}}[%{{.*}}], %{{.*}} : !tt.tensordesc<8xui32>, tensor<8xi32>
  tt.descriptor_reduce max, %f[%n], %1 : !tt.tensordesc<8xui32>, tensor<8xi32>
  // CHECK: tt.descriptor_reduce inc, %{{.*}}[%{{.*}}], %{{.*}} : !tt.tensordesc<8xui32>, tensor<8xi32>
  tt.descriptor_reduce inc, %f[%n], %1 : !tt.tensordesc<8xui32>, tensor<8xi32>
  // CHECK: tt.descriptor_reduce dec, %{{.*}}[%{{.*}}], %{{.*}} : !tt.tensordesc<8xui32>, tensor<8xi32>
  tt.descriptor_reduce dec, %f[%n], %1 : !tt.tensordesc<8xui32>, tensor<8xi32>
  // CHECK: tt.descriptor_reduce and, %{{.*}}[%{{.*}}], %{{.*}} : !tt.tensordesc<8xui32>, tensor<8xi32>
  tt.descriptor_reduce and, %f[%n], %1 : !tt.tensordesc<8xui32>, tensor<8xi32>
  // CHECK: tt.descriptor_reduce or, %{{.*}}[%{{.*}}], %{{.*}} : !tt.tensordesc<8xui32>, tensor<8xi32>
  tt.descriptor_reduce or, %f[%n], %1 : !tt.tensordesc<8xui32>, tensor<8xi32>
  // CHECK: tt.descriptor_reduce xor, %{{.*}}[%{{.*}}], %{{.*}} : !tt.tensordesc<8xui32>, tensor<8xi32>
  tt.descriptor_reduce xor, %f[%n], %1 : !tt.tensordesc<8xui32>, tensor<8xi32>
  // CHECK: tt.descriptor_gather %{{.*}}[%{{.*}}, %{{.*}}] : (!tt.tensordesc<1x64xf16>, tensor<16xi32>, i32) -> tensor<16x64xf16>
  %2 = tt.descriptor_gather %g[%rows, %n] : (!tt.tensordesc<1x64xf16>, tensor<16xi32>, i32) -> tensor<16x64xf16>
  // CHECK: tt.descriptor_scatter %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} : !tt.tensordesc<1x64xf16>, tensor<16xi32>, i32, tensor<16x64xf16>
  tt.descriptor_scatter %g[%rows, %n], %2 : !tt.tensordesc<1x64xf16>, tensor<16xi32>, i32, tensor<16x64xf16>
  tt.return
}

// CHECK-LABEL: @block_pointers
tt.func public @block_pointers(%p: !tt.ptr<f16>, %n: i64, %i: i32) {
  // CHECK: tt.make_tensor_ptr %{{.*}}, [%{{.*}}, %{{.*}}], [%{{.*}}, %{{.*}}], [%{{.*}}, %{{.*}}] {order = array<i32: 1, 0>} : <tensor<16x32xf16>>
  %0 = tt.make_tensor_ptr %p, [%n, %n], [%n, %n], [%i, %i] {order = array<i32: 1, 0>} : <tensor<16x32xf16>>
  // CHECK: tt.advance %{{.*}}, [%{{.*}}, %{{.*}}] : <tensor<16x32xf16>>
  %1 = tt.advance %0, [%i, %i] : <tensor<16x32xf16>>
  // CHECK: tt.load %{{.*}} {boundaryCheck = array<i32: 0, 1>, padding = 1 : i32} : !tt.ptr<tensor<16x32xf16>>
  %2 = tt.load %1 {boundaryCheck = array<i32: 0, 1>, padding = 1 : i32} : !tt.ptr<tensor<16x32xf16>>
  // CHECK: tt.store %{{.*}}, %{{.*}} {boundaryCheck = array<i32: 1>} : !tt.ptr<tensor<16x32xf16>>
  tt.store %1, %2 {boundaryCheck = array<i32: 1>} : !tt.ptr<tensor<16x32xf16>>
  tt.return
}

// RUN: seagrove-opt %s -mlir-print-debuginfo -o %t.once
// RUN: seagrove-opt %t.once -mlir-print-debuginfo | diff %t.once -
// RUN: seagrove-opt %s -mlir-print-debuginfo | filecheck %s
// RUN: seagrove-opt %s -inline -canonicalize -cse -symbol-dce | filecheck %s --check-prefix=INLINED

// Descriptors that pick rows as Triton 3.8.0 prints it.

// CHECK: tt.descriptor_gather
// CHECK: tt.descriptor_scatter

// INLINED-NOT: tt.call
// INLINED-NOT: tt.func private

#loc = loc("kernels.py":537:1)
#loc8 = loc("x"(#loc))
#loc9 = loc("o"(#loc))
#loc10 = loc("ix"(#loc))
#loc11 = loc("M"(#loc))
#loc12 = loc("N"(#loc))
module {
  tt.func public @descriptor_gather(%x: !tt.ptr<f16> {tt.divisibility = 16 : i32} loc("x"(#loc)), %o: !tt.ptr<f16> {tt.divisibility = 16 : i32} loc("o"(#loc)), %ix: !tt.ptr<i32> {tt.divisibility = 16 : i32} loc("ix"(#loc)), %M: i32 loc("M"(#loc)), %N: i32 loc("N"(#loc))) attributes {noinline = false} {
    %d = arith.extsi %N : i32 to i64 loc(#loc13)
    %d_0 = arith.constant 1 : i64 loc(#loc13)
    %d_1 = tt.make_tensor_descriptor %x, [%M, %N], [%d, %d_0] : <f16>, <1x64xf16> loc(#loc13)
    %e = arith.extsi %N : i32 to i64 loc(#loc14)
    %e_2 = arith.constant 1 : i64 loc(#loc14)
    %e_3 = tt.make_tensor_descriptor %o, [%M, %N], [%e, %e_2] : <f16>, <1x64xf16> loc(#loc14)
    %k = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32> loc(#loc15)
    %k_4 = tt.splat %ix : !tt.ptr<i32> -> tensor<16x!tt.ptr<i32>> loc(#loc16)
    %k_5 = tt.addptr %k_4, %k : tensor<16x!tt.ptr<i32>>, tensor<16xi32> loc(#loc16)
    %k_6 = tt.load %k_5 : tensor<16x!tt.ptr<i32>> loc(#loc17)
    %v = arith.constant 64 : i32 loc(#loc18)
    %v_7 = tt.descriptor_gather %d_1[%k_6, %v] : (!tt.tensordesc<1x64xf16>, tensor<16xi32>, i32) -> tensor<16x64xf16> loc(#loc18)
    %c64_i32 = arith.constant 64 : i32 loc(#loc7)
    tt.descriptor_scatter %e_3[%k_6, %c64_i32], %v_7 : !tt.tensordesc<1x64xf16>, tensor<16xi32>, i32, tensor<16x64xf16> loc(#loc7)
    tt.return loc(#loc)
  } loc(#loc)
} loc(#loc)
#loc1 = loc("kernels.py":538:9)
#loc2 = loc("kernels.py":539:9)
#loc3 = loc("kernels.py":540:22)
#loc4 = loc("kernels.py":540:17)
#loc5 = loc("kernels.py":540:9)
#loc6 = loc("kernels.py":541:9)
#loc7 = loc("kernels.py":542:5)
#loc13 = loc("d"(#loc1))
#loc14 = loc("e"(#loc2))
#loc15 = loc("k"(#loc3))
#loc16 = loc("k"(#loc4))
#loc17 = loc("k"(#loc5))
#loc18 = loc("v"(#loc6))

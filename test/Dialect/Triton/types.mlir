// RUN: seagrove-opt %s --split-input-file | seagrove-opt --split-input-file | filecheck %s

// Each type in its normal form and in the older spellings that parse into it.

// CHECK: @pointers(!tt.ptr<f32>, !tt.ptr<i1>, !tt.ptr<f8E4M3FN>, !tt.ptr<!tt.ptr<f32>>, tensor<4x8x!tt.ptr<bf16>>)
tt.func private @pointers(!tt.ptr<f32>, !tt.ptr<i1>, !tt.ptr<f8E4M3FN>, !tt.ptr<!tt.ptr<f32>>, tensor<4x8x!tt.ptr<bf16>>)

// CHECK: @address_spaces(!tt.ptr<f32>, !tt.ptr<f32>, !tt.ptr<f32, "constant">, !tt.ptr<f32, "constant">, !tt.ptr<f32, 3>)
tt.func private @address_spaces(!tt.ptr<f32, 1>, !tt.ptr<f32, "global">, !tt.ptr<f32, 4>, !tt.ptr<f32, "constant">, !tt.ptr<f32, 3>)

// CHECK: @block_pointers(!tt.ptr<tensor<16x32xf16>>)
tt.func private @block_pointers(!tt.ptr<tensor<16x32xf16>>)

// CHECK: @descriptors(!tt.tensordesc<8xf32>, !tt.tensordesc<16x32xui32>, !tt.tensordesc<16x32xsi8>)
tt.func private @descriptors(!tt.tensordesc<8xf32>, !tt.tensordesc<16x32xui32>, !tt.tensordesc<16x32xsi8>)

// CHECK: @descriptors_of_3_6(!tt.tensordesc<8xf32>, !tt.tensordesc<16x32xui32>)
tt.func private @descriptors_of_3_6(!tt.tensordesc<tensor<8xf32>>, !tt.tensordesc<tensor<16x32xui32>>)

// CHECK: @layout(!tt.tensordesc<8xf32, 3 : i64>)
tt.func private @layout(!tt.tensordesc<8xf32, 3 : i64>)

// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=256 l2-bytes=65536" -canonicalize -cse | FileCheck %s
// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=256 l2-bytes=65536" --remark-policy=all --remark-format=emitRemark --remarks-filter=decision -o /dev/null 2>&1 | FileCheck --check-prefix=DECISION %s

// Of the product's columns one may turn out to be needed, where the store ends:
// then it is an inner product of each row, whose vectors lie along the depth.

// CHECK-LABEL: func.func private @column.program
// CHECK: %[[SINGLE:.*]] = arith.cmpi eq, %{{.*}}, %{{.*}} : i64
// CHECK: scf.for {{.*}} vector<8xf32>
// CHECK: math.fma {{.*}} vector<8xf32>
// CHECK: vector.reduction <add>, {{.*}} fastmath<reassoc> : vector<8xf32> into f32
// CHECK: vector.broadcast
// CHECK: math.fma {{.*}} vector<8xf32>
// CHECK: return
// DECISION: where one column is needed, as inner products
func.func @column(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c32 = arith.constant 32 : i64
  %c64 = arith.constant 64 : i64
  %c128 = arith.constant 128 : i64
  %s0 = arith.constant 0 : i32
  %s32 = arith.constant 32 : i32
  %s128 = arith.constant 128 : i32
  %zero = arith.constant dense<0.0> : tensor<64x16xf32>
  %acc = scf.for %i = %s0 to %s128 step %s32 iter_args(%c = %zero) -> (tensor<64x16xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %a = sg.load %x[%o] strides(%c128, %c1) bounds(%c0, %c0) to (%c64, %c32) : !tt.ptr<f32> -> tensor<64x32xf32>
    %b = sg.load %y[%o] strides(%c1, %c128) bounds(%c0, %c0) to (%c32, %n) : !tt.ptr<f32> -> tensor<32x16xf32>
    %d = linalg.matmul ins(%a, %b : tensor<64x32xf32>, tensor<32x16xf32>) outs(%c : tensor<64x16xf32>) -> tensor<64x16xf32>
    scf.yield %d : tensor<64x16xf32>
  }
  sg.store %acc, %z[%c0] strides(%c16, %c1) bounds(%c0, %c0) to (%c64, %n) : tensor<64x16xf32> -> !tt.ptr<f32>
  return
}

// -----

// Of its rows one may be: then the tiles that read the right operand where it
// lies have one row, of two vectors.

// DECISION: where one row is needed, in tiles of one row
// CHECK-LABEL: func.func private @row.program
// CHECK: scf.for {{.*}} iter_args(%{{[^,]*}}, %{{[^,]*}}) -> (vector<8xf32>, vector<8xf32>)
// CHECK: return
func.func @row(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %m: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c32 = arith.constant 32 : i64
  %c64 = arith.constant 64 : i64
  %c128 = arith.constant 128 : i64
  %s0 = arith.constant 0 : i32
  %s32 = arith.constant 32 : i32
  %s128 = arith.constant 128 : i32
  %zero = arith.constant dense<0.0> : tensor<16x64xf32>
  %acc = scf.for %i = %s0 to %s128 step %s32 iter_args(%c = %zero) -> (tensor<16x64xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %r = arith.muli %o, %c64 : i64
    %a = sg.load %x[%o] strides(%c128, %c1) bounds(%c0, %c0) to (%m, %c32) : !tt.ptr<f32> -> tensor<16x32xf32>
    %b = sg.load %y[%r] strides(%c64, %c1) bounds(%c0, %c0) to (%c32, %c64) : !tt.ptr<f32> -> tensor<32x64xf32>
    %d = linalg.matmul ins(%a, %b : tensor<16x32xf32>, tensor<32x64xf32>) outs(%c : tensor<16x64xf32>) -> tensor<16x64xf32>
    scf.yield %d : tensor<16x64xf32>
  }
  sg.store %acc, %z[%c0] strides(%c64, %c1) bounds(%c0, %c0) to (%m, %c64) : tensor<16x64xf32> -> !tt.ptr<f32>
  return
}

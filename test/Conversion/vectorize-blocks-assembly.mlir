// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=256" -canonicalize -cse -split-input-file | filecheck %s

// Four bytes travel in one register, and the results come back in one.

// CHECK-LABEL: func.func private @packed.program
// CHECK: %[[X:.*]] = llvm.load %{{.*}} -> vector<4xi8>
// CHECK: %[[V:.*]] = vector.bitcast %[[X]] : vector<4xi8> to vector<1xi32>
// CHECK: %[[R:.*]] = vector.extract %[[V]][0] : i32 from vector<1xi32>
// CHECK: %[[A:.*]] = llvm.inline_asm "not $0", "=r,0" %[[R]] : (i32) -> i32
// CHECK: vector.bitcast %{{.*}} : vector<1xi32> to vector<4xi8>
// CHECK: llvm.store %{{.*}} : vector<4xi8>, !llvm.ptr
func.func @packed(%x: !tt.ptr<i8>, %y: !tt.ptr<i8>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<i8> -> tensor<64xi8>
  %w = tt.elementwise_inline_asm "not $0" {constraints = "=r,0", packed_element = 4 : i32, pure = true} %v : tensor<64xi8> -> tensor<64xi8>
  sg.store %w, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xi8> -> !tt.ptr<i8>
  return
}

// -----

// Wide elements have a register each.

// CHECK-LABEL: func.func private @pairs.program
// CHECK: llvm.inline_asm "xchg $0, $1", "=r,=r,0,1" %{{.*}}, %{{.*}} : (i32, i32) -> !llvm.struct<(i32, i32)>
// CHECK: llvm.store %{{.*}} : vector<2xi32>, !llvm.ptr
func.func @pairs(%x: !tt.ptr<i32>, %y: !tt.ptr<i32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<i32> -> tensor<64xi32>
  %w = tt.elementwise_inline_asm "xchg $0, $1" {constraints = "=r,=r,0,1", packed_element = 2 : i32, pure = true} %v : tensor<64xi32> -> tensor<64xi32>
  sg.store %w, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xi32> -> !tt.ptr<i32>
  return
}

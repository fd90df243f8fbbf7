// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=256" -canonicalize -cse | FileCheck %s

// A block is read by rows and written by columns. Rows of 128 bits are read, two
// of them share a register, and unpacking transposes within halves of it: eight
// reads of four elements give four vectors to be written, in both halves of a
// line. The branch is what the overlap check needs.

// CHECK-LABEL: func.func private @transpose.program
// CHECK-NOT: llvm.intr.masked.gather
// CHECK: scf.for %{{.*}} = %c0_i64 to %c32_i64 step %c4_i64
// CHECK-COUNT-8: llvm.load {{.*}} -> vector<4xf32>
// CHECK: vector.shuffle {{.*}} [0, 1, 2, 3, 4, 5, 6, 7] : vector<4xf32>, vector<4xf32>
// CHECK: vector.shuffle {{.*}} [0, 8, 1, 9, 4, 12, 5, 13] : vector<8xf32>, vector<8xf32>
// CHECK: vector.shuffle {{.*}} [2, 10, 3, 11, 6, 14, 7, 15] : vector<8xf32>, vector<8xf32>
// CHECK-COUNT-8: llvm.load {{.*}} -> vector<4xf32>
// CHECK-COUNT-8: llvm.store {{.*}} : vector<8xf32>
func.func @transpose(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c32 = arith.constant 32 : i64
  %v = sg.load %x[%c0] strides(%c32, %c1) bounds(%c0, %c0) to (%c16, %c32) : !tt.ptr<f32> -> tensor<16x32xf32>
  %e = tensor.empty() : tensor<32x16xf32>
  %t = linalg.transpose ins(%v : tensor<16x32xf32>) outs(%e : tensor<32x16xf32>) permutation = [1, 0]
  sg.store %t, %y[%c0] strides(%c16, %c1) bounds(%c0, %c0) to (%c32, %c16) : tensor<32x16xf32> -> !tt.ptr<f32>
  return
}

// -----

// Only the operand that crosses is transposed. What is left beyond whole groups
// and whole vectors is gathered.

// CHECK-LABEL: func.func private @add_transposed.program
// CHECK: scf.for %{{.*}} = %c0_i64 to %{{.*}} step %c16_i64
// CHECK: scf.for %{{.*}} = %c0_i64 to %{{.*}} step %c4_i64
// CHECK-NOT: masked
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK-COUNT-8: llvm.load {{.*}} -> vector<4xf32>
// CHECK: arith.addf
// CHECK: llvm.intr.masked.gather
func.func @add_transposed(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %m: i64, %n: i64, %p: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %v = sg.load %x[%c0] strides(%p, %c1) bounds(%c0, %c0) to (%m, %n) : !tt.ptr<f32> -> tensor<32x32xf32>
  %w = sg.load %y[%c0] strides(%c1, %p) bounds(%c0, %c0) to (%m, %n) : !tt.ptr<f32> -> tensor<32x32xf32>
  %s = arith.addf %v, %w : tensor<32x32xf32>
  sg.store %s, %z[%c0] strides(%p, %c1) bounds(%c0, %c0) to (%m, %n) : tensor<32x32xf32> -> !tt.ptr<f32>
  return
}

// -----

// One read at two places is bounded at both: neither dimension of the block is
// known to be in bounds where the other one is.

// CHECK-LABEL: func.func private @symmetric.program
// CHECK: %[[LEAST:.*]] = arith.minsi %arg2, %arg3 : i64
// CHECK: %[[GROUPS:.*]] = arith.andi %[[LEAST]], %c-4_i64
// CHECK: scf.for %{{.*}} = %c0_i64 to %[[GROUPS]] step %c4_i64
func.func @symmetric(%x: !tt.ptr<f32>, %z: !tt.ptr<f32>, %m: i64, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c32 = arith.constant 32 : i64
  %v = sg.load %x[%c0] strides(%c32, %c1) bounds(%c0, %c0) to (%m, %n) : !tt.ptr<f32> -> tensor<32x32xf32>
  %e = tensor.empty() : tensor<32x32xf32>
  %t = linalg.transpose ins(%v : tensor<32x32xf32>) outs(%e : tensor<32x32xf32>) permutation = [1, 0]
  %s = arith.addf %v, %t : tensor<32x32xf32>
  sg.store %s, %z[%c0] strides(%c32, %c1) bounds(%c0, %c0) to (%c32, %c32) : tensor<32x32xf32> -> !tt.ptr<f32>
  return
}

// -----

// A store of something cheap takes a line of the cache an iteration, with one
// branch for all vectors that go past the caches. Narrow elements that are only moved fill the
// register.

// CHECK-LABEL: func.func private @move.program
// CHECK: scf.for %{{.*}} step %c32_i64
// CHECK-COUNT-2: llvm.load {{.*}} -> vector<16xi16>
// CHECK: scf.if
// CHECK-COUNT-2: llvm.store {{.*}}nontemporal
// CHECK: else
// CHECK-COUNT-2: llvm.store
func.func @move(%x: !tt.ptr<bf16>, %y: !tt.ptr<bf16>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%n) : !tt.ptr<bf16> -> tensor<1024xbf16>
  sg.store %v, %y[%c0] strides(%c1) bounds(%c0) to (%n) : tensor<1024xbf16> -> !tt.ptr<bf16>
  return
}

// -----

// The right operand's columns are contiguous: its panel is transposed, eight
// columns of four rows at a time, although it is sixteen columns wide.

// CHECK-LABEL: func.func private @product.program
// CHECK-COUNT-8: llvm.load {{.*}} -> vector<4xf32>
// CHECK-NOT: llvm.load {{.*}} -> vector<4xf32>
// CHECK: vector.shuffle {{.*}} [0, 8, 1, 9, 4, 12, 5, 13] : vector<8xf32>, vector<8xf32>
// CHECK: math.fma
// CHECK-NOT: llvm.intr.masked.gather
func.func @product(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %a = sg.load %x[%c0] strides(%c16, %c1) bounds(%c0, %c0) to (%c16, %c16) : !tt.ptr<f32> -> tensor<16x16xf32>
  %b = sg.load %y[%c0] strides(%c1, %c16) bounds(%c0, %c0) to (%c16, %c16) : !tt.ptr<f32> -> tensor<16x16xf32>
  %d = linalg.matmul ins(%a, %b : tensor<16x16xf32>, tensor<16x16xf32>) outs(%zero : tensor<16x16xf32>) -> tensor<16x16xf32>
  sg.store %d, %z[%c0] strides(%c16, %c1) bounds(%c0, %c0) to (%c16, %c16) : tensor<16x16xf32> -> !tt.ptr<f32>
  return
}

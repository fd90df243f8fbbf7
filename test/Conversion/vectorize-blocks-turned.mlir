// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=256 l2-bytes=65536" -canonicalize -cse | FileCheck %s
// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=256 l2-bytes=65536" --remark-policy=all --remark-format=emitRemark --remarks-filter=decision -o /dev/null 2>&1 | FileCheck --check-prefix=DECISION %s

// The rows of the product are the pixels of an image, gathered, and the filters
// are contiguous along the depth: in the transposed product these are read where
// they lie and the pixels are packed, eight together where they follow each
// other, and the results are transposed in registers when they are stored. The
// product has 32 rows and 48 columns then. The mask of the pixels does not
// depend on the depth, and is a row of bits.

// CHECK-LABEL: func.func private @image.program
// CHECK: vector.reduction <and>
// CHECK: llvm.intr.masked.load {{.*}} vector<8xf32>
// CHECK: math.fma
// CHECK: vector.shuffle
// CHECK: llvm.store {{.*}} vector<8xf32>
// CHECK: return
// DECISION: computed as its transpose
// DECISION: product {{.*}}32 x 48 x 32
// DECISION: the left operand is read from the user's memory
// DECISION: reads along dimension 0 transposed in registers
func.func @image(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %w: i32, %pitch: i32, %m: i64, %n: i64, %last: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c48 = arith.constant 48 : i64
  %c32 = arith.constant 32 : i64
  %c64 = arith.constant 64 : i64
  %c128 = arith.constant 128 : i64
  %s0 = arith.constant 0 : i32
  %s32 = arith.constant 32 : i32
  %s128 = arith.constant 128 : i32
  %f0 = arith.constant 0.0 : f32
  %zero = arith.constant dense<0.0> : tensor<48x32xf32>
  %px = sg.iota 0 : tensor<48xi32>
  %width = tensor.splat %w : tensor<48xi32>
  %pitches = tensor.splat %pitch : tensor<48xi32>
  %p = arith.divsi %px, %width : tensor<48xi32>
  %q = arith.remsi %px, %width : tensor<48xi32>
  %row = arith.muli %p, %pitches : tensor<48xi32>
  %at = arith.addi %row, %q : tensor<48xi32>
  %e = tensor.empty() : tensor<48x32xi32>
  %ps = linalg.broadcast ins(%p : tensor<48xi32>) outs(%e : tensor<48x32xi32>) dimensions = [1]
  %lasts = tensor.splat %last : tensor<48x32xi32>
  %mask = arith.cmpi slt, %ps, %lasts : tensor<48x32xi32>
  %acc = scf.for %i = %s0 to %s128 step %s32 iter_args(%c = %zero) -> (tensor<48x32xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %r = arith.muli %o, %c64 : i64
    %a = sg.load %x[%r] strides(%c0, %c64) bounds(%c0, %c0) to (%c48, %c32) indices(%at : tensor<48xi32>) mask(%mask : tensor<48x32xi1>) other(%f0 : f32) {indexed_dims = array<i64: 0>} : !tt.ptr<f32> -> tensor<48x32xf32>
    %b = sg.load %y[%o] strides(%c1, %c128) bounds(%c0, %c0) to (%c32, %c32) : !tt.ptr<f32> -> tensor<32x32xf32>
    %d = linalg.matmul ins(%a, %b : tensor<48x32xf32>, tensor<32x32xf32>) outs(%c : tensor<48x32xf32>) -> tensor<48x32xf32>
    scf.yield %d : tensor<48x32xf32>
  }
  sg.store %acc, %z[%c0] strides(%c64, %c1) bounds(%c0, %c0) to (%m, %n) : tensor<48x32xf32> -> !tt.ptr<f32>
  return
}

// -----

// What is computed of the product besides elementwise functions keeps it as it
// is, and so do operands that are merely transposed.

// DECISION-NOT: computed as its transpose
func.func @summed(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %w: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c48 = arith.constant 48 : i64
  %c32 = arith.constant 32 : i64
  %c64 = arith.constant 64 : i64
  %c128 = arith.constant 128 : i64
  %s0 = arith.constant 0 : i32
  %s32 = arith.constant 32 : i32
  %s128 = arith.constant 128 : i32
  %zero = arith.constant dense<0.0> : tensor<48x32xf32>
  %px = sg.iota 0 : tensor<48xi32>
  %width = tensor.splat %w : tensor<48xi32>
  %q = arith.remsi %px, %width : tensor<48xi32>
  %acc = scf.for %i = %s0 to %s128 step %s32 iter_args(%c = %zero) -> (tensor<48x32xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %r = arith.muli %o, %c64 : i64
    %a = sg.load %x[%r] strides(%c0, %c64) bounds(%c0, %c0) to (%c48, %c32) indices(%q : tensor<48xi32>) {indexed_dims = array<i64: 0>} : !tt.ptr<f32> -> tensor<48x32xf32>
    %b = sg.load %y[%o] strides(%c1, %c128) bounds(%c0, %c0) to (%c32, %c32) : !tt.ptr<f32> -> tensor<32x32xf32>
    %d = linalg.matmul ins(%a, %b : tensor<48x32xf32>, tensor<32x32xf32>) outs(%c : tensor<48x32xf32>) -> tensor<48x32xf32>
    scf.yield %d : tensor<48x32xf32>
  }
  %sums = sg.reduce(%acc) axis 0 {
  ^bb0(%l: f32, %r: f32):
    %s = arith.addf %l, %r : f32
    sg.yield %s : f32
  } : (tensor<48x32xf32>) -> tensor<32xf32>
  sg.store %sums, %z[%c0] strides(%c1) bounds(%c0) to (%c32) : tensor<32xf32> -> !tt.ptr<f32>
  return
}

// -----

func.func @transposed(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c32 = arith.constant 32 : i64
  %c96 = arith.constant 96 : i64
  %s0 = arith.constant 0 : i32
  %s32 = arith.constant 32 : i32
  %s128 = arith.constant 128 : i32
  %zero = arith.constant dense<0.0> : tensor<96x96xf32>
  %acc = scf.for %i = %s0 to %s128 step %s32 iter_args(%c = %zero) -> (tensor<96x96xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %r = arith.muli %o, %c96 : i64
    %a = sg.load %x[%r] strides(%c1, %c96) bounds(%c0, %c0) to (%c96, %c32) : !tt.ptr<f32> -> tensor<96x32xf32>
    %b = sg.load %y[%o] strides(%c1, %c96) bounds(%c0, %c0) to (%c32, %c96) : !tt.ptr<f32> -> tensor<32x96xf32>
    %d = linalg.matmul ins(%a, %b : tensor<96x32xf32>, tensor<32x96xf32>) outs(%c : tensor<96x96xf32>) -> tensor<96x96xf32>
    scf.yield %d : tensor<96x96xf32>
  }
  sg.store %acc, %z[%c0] strides(%c96, %c1) bounds(%c0, %c0) to (%c96, %c96) : tensor<96x96xf32> -> !tt.ptr<f32>
  return
}

// -----

// Of few columns, each element of the left operand is multiplied by few: to
// bring it to the other order would take longer than that.

// DECISION: computed as its transpose: packing
// DECISION: product {{.*}}16 x 64 x 32
// DECISION: the right operand is read from the user's memory
func.func @thin(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c32 = arith.constant 32 : i64
  %c64 = arith.constant 64 : i64
  %s0 = arith.constant 0 : i32
  %s32 = arith.constant 32 : i32
  %s128 = arith.constant 128 : i32
  %zero = arith.constant dense<0.0> : tensor<64x16xf32>
  %acc = scf.for %i = %s0 to %s128 step %s32 iter_args(%c = %zero) -> (tensor<64x16xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %r = arith.muli %o, %c64 : i64
    %a = sg.load %x[%r] strides(%c1, %c64) bounds(%c0, %c0) to (%c64, %c32) : !tt.ptr<f32> -> tensor<64x32xf32>
    %b = sg.load %y[%o] strides(%c64, %c1) bounds(%c0, %c0) to (%c32, %c16) : !tt.ptr<f32> -> tensor<32x16xf32>
    %d = linalg.matmul ins(%a, %b : tensor<64x32xf32>, tensor<32x16xf32>) outs(%c : tensor<64x16xf32>) -> tensor<64x16xf32>
    scf.yield %d : tensor<64x16xf32>
  }
  sg.store %acc, %z[%c0] strides(%c64, %c1) bounds(%c0, %c0) to (%c64, %c16) : tensor<64x16xf32> -> !tt.ptr<f32>
  return
}

// -----

// The same for few rows and a right operand that is contiguous along the depth:
// the weights of a linear layer.

// DECISION: computed as its transpose: packing
// DECISION: product {{.*}}64 x 16 x 32
// DECISION: the left operand is read from the user's memory
func.func @linear(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c32 = arith.constant 32 : i64
  %c64 = arith.constant 64 : i64
  %s0 = arith.constant 0 : i32
  %s32 = arith.constant 32 : i32
  %s128 = arith.constant 128 : i32
  %zero = arith.constant dense<0.0> : tensor<16x64xf32>
  %acc = scf.for %i = %s0 to %s128 step %s32 iter_args(%c = %zero) -> (tensor<16x64xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %r = arith.muli %o, %c64 : i64
    %a = sg.load %x[%r] strides(%c64, %c1) bounds(%c0, %c0) to (%c16, %c32) : !tt.ptr<f32> -> tensor<16x32xf32>
    %b = sg.load %y[%o] strides(%c1, %c64) bounds(%c0, %c0) to (%c32, %c64) : !tt.ptr<f32> -> tensor<32x64xf32>
    %d = linalg.matmul ins(%a, %b : tensor<16x32xf32>, tensor<32x64xf32>) outs(%c : tensor<16x64xf32>) -> tensor<16x64xf32>
    scf.yield %d : tensor<16x64xf32>
  }
  sg.store %acc, %z[%c0] strides(%c64, %c1) bounds(%c0, %c0) to (%c16, %c64) : tensor<16x64xf32> -> !tt.ptr<f32>
  return
}

// -----

// As both operands are read where they lie, nothing is gained.

// DECISION-NOT: computed as its transpose
func.func @flat(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c32 = arith.constant 32 : i64
  %c64 = arith.constant 64 : i64
  %s0 = arith.constant 0 : i32
  %s32 = arith.constant 32 : i32
  %s128 = arith.constant 128 : i32
  %zero = arith.constant dense<0.0> : tensor<16x64xf32>
  %acc = scf.for %i = %s0 to %s128 step %s32 iter_args(%c = %zero) -> (tensor<16x64xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %r = arith.muli %o, %c64 : i64
    %a = sg.load %x[%r] strides(%c64, %c1) bounds(%c0, %c0) to (%c16, %c32) : !tt.ptr<f32> -> tensor<16x32xf32>
    %b = sg.load %y[%o] strides(%c64, %c1) bounds(%c0, %c0) to (%c32, %c64) : !tt.ptr<f32> -> tensor<32x64xf32>
    %d = linalg.matmul ins(%a, %b : tensor<16x32xf32>, tensor<32x64xf32>) outs(%c : tensor<16x64xf32>) -> tensor<16x64xf32>
    scf.yield %d : tensor<16x64xf32>
  }
  sg.store %acc, %z[%c0] strides(%c64, %c1) bounds(%c0, %c0) to (%c16, %c64) : tensor<16x64xf32> -> !tt.ptr<f32>
  return
}

// -----

// An index of quotients and remainders mostly follows the positions: vectors
// along it are read and written as one where it does, which each of them is
// asked. The pixels of an image are such positions.

// CHECK-LABEL: func.func private @pixels.program
// CHECK: %[[SAME:.*]] = arith.cmpi eq, {{.*}} vector<8xi64>
// CHECK: vector.reduction <and>, %[[SAME]]
// CHECK: scf.if
// CHECK: llvm.store {{.*}} vector<8xf32>
// CHECK: } else {
// CHECK: llvm.intr.masked.scatter
func.func @pixels(%x: !tt.ptr<f32>, %z: !tt.ptr<f32>, %w: i32, %pitch: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c64 = arith.constant 64 : i64
  %i = sg.iota 0 : tensor<64xi32>
  %width = tensor.splat %w : tensor<64xi32>
  %pitches = tensor.splat %pitch : tensor<64xi32>
  %p = arith.divsi %i, %width : tensor<64xi32>
  %q = arith.remsi %i, %width : tensor<64xi32>
  %row = arith.muli %p, %pitches : tensor<64xi32>
  %at = arith.addi %row, %q : tensor<64xi32>
  %v = sg.load %x[%c0] strides(%c1, %c64) bounds(%c0, %c0) to (%c64, %c16) : !tt.ptr<f32> -> tensor<64x16xf32>
  sg.store %v, %z[%c0] strides(%c0, %c64) bounds(%c0, %c0) to (%c64, %c16) indices(%at : tensor<64xi32>) {indexed_dims = array<i64: 0>} : tensor<64x16xf32> -> !tt.ptr<f32>
  return
}

// -----

// Remainders by a small number wrap too often.

// CHECK-LABEL: func.func private @short.program
// CHECK-NOT: vector.reduction
// CHECK: return
func.func @short(%x: !tt.ptr<f32>, %z: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %i = sg.iota 0 : tensor<64xi32>
  %three = arith.constant dense<3> : tensor<64xi32>
  %q = arith.remsi %i, %three : tensor<64xi32>
  %v = sg.load %x[%c0] strides(%c0) bounds(%c0) to (%c64) indices(%q : tensor<64xi32>) {indexed_dims = array<i64: 0>} : !tt.ptr<f32> -> tensor<64xf32>
  sg.store %v, %z[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

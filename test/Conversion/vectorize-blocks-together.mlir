// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=256" -canonicalize -cse -split-input-file | FileCheck %s

// Two sums over one row are taken in one pass. A block that has to be in memory
// when the atomic operation is passed, computed of the same reads, is written
// by it on the way. A comparison with the row's own bound holds in the interior.

// CHECK-LABEL: func.func private @together.program
// CHECK: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK-NOT: arith.cmpi
// CHECK: llvm.load %{{.*}} -> vector<8xf32>
// CHECK-NOT: arith.cmpi
// CHECK: %[[E:.*]] = math.exp
// CHECK-NOT: arith.cmpi
// CHECK: llvm.store %[[E]]
// CHECK: scf.yield
// CHECK: arith.divf
// CHECK: llvm.atomicrmw
// CHECK-NOT: math.exp
// CHECK: return
func.func @together(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %t: !tt.ptr<f32>, %flag: !tt.ptr<i32>, %n: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c128 = arith.constant 128 : i64
  %zero = arith.constant 0.0 : f32
  %zeros = arith.constant dense<0.0> : tensor<128xf32>
  %none = arith.constant dense<0> : tensor<1xi32>
  %one = arith.constant dense<1> : tensor<1xi32>
  %wide = arith.extsi %n : i32 to i64
  %low = arith.minsi %wide, %c128 : i64
  %high = arith.maxsi %low, %c0 : i64
  %iota = sg.iota 0 : tensor<128xi32>
  %ns = tensor.splat %n : tensor<128xi32>
  %inside = arith.cmpi slt, %iota, %ns : tensor<128xi32>
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%high) other(%zero : f32) : !tt.ptr<f32> -> tensor<128xf32>
  %c = arith.addf %v, %v : tensor<128xf32>
  %w = arith.select %inside, %c, %zeros : tensor<128xi1>, tensor<128xf32>
  %first = sg.reduce(%w) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<128xf32>) -> f32
  %squares = arith.mulf %v, %v : tensor<128xf32>
  %second = sg.reduce(%squares) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<128xf32>) -> f32
  %ratio = arith.divf %first, %second : f32
  tt.store %t, %ratio : !tt.ptr<f32>
  %e = math.exp %v : tensor<128xf32>
  %p = arith.mulf %e, %w : tensor<128xf32>
  %old = sg.atomic_rmw "exch" "acq_rel" %flag[%none : tensor<1xi32>], %one : !tt.ptr<i32>, tensor<1xi32> -> tensor<1xi32>
  sg.store %p, %y[%c0] strides(%c1) bounds(%c0) to (%high) : tensor<128xf32> -> !tt.ptr<f32>
  %q = arith.addf %p, %w : tensor<128xf32>
  sg.store %q, %y[%c128] strides(%c1) bounds(%c0) to (%low) : tensor<128xf32> -> !tt.ptr<f32>
  return
}

// -----

// What a branch yields and the kernel then stores is stored by either side.

// CHECK-LABEL: func.func private @either.program
// CHECK: scf.if
// CHECK: %[[A:.*]] = llvm.load %{{.*}} -> vector<8xf32>
// CHECK: %[[TWICE:.*]] = arith.addf %[[A]], %[[A]]
// CHECK-NEXT: %[[SQUARE:.*]] = arith.mulf %[[TWICE]], %[[TWICE]]
// CHECK: llvm.store %[[SQUARE]]
// CHECK: else
// CHECK: %[[B:.*]] = llvm.load %{{.*}} -> vector<8xf32>
// CHECK: %[[OTHER:.*]] = arith.mulf %[[B]], %[[B]]
// CHECK: llvm.store %[[OTHER]]
// CHECK-NOT: scf.for
// CHECK: return
func.func @either(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %c: i1, %at: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  %r = scf.if %c -> tensor<64xf32> {
    %t = arith.addf %v, %v : tensor<64xf32>
    scf.yield %t : tensor<64xf32>
  } else {
    scf.yield %v : tensor<64xf32>
  }
  %p = tt.addptr %y, %at : !tt.ptr<f32>, i64
  %s = arith.mulf %r, %r : tensor<64xf32>
  sg.store %s, %p[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// The pass that writes finds the row in the scratch area, since it had to be
// read before the atomic operation, and asks for that of the next program.

// CHECK-LABEL: func.func private @next_row.program
// CHECK: llvm.atomicrmw
// CHECK: %[[NEXT:.*]] = arith.addi %arg3, %c1_i32
// CHECK: arith.muli %[[NEXT]], %c512_i32
// CHECK: scf.for
// CHECK: llvm.intr.prefetch
// CHECK: llvm.store
func.func @next_row(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %flag: !tt.ptr<i32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c512 = arith.constant 512 : i64
  %width = arith.constant 512 : i32
  %none = arith.constant dense<0> : tensor<1xi32>
  %one = arith.constant dense<1> : tensor<1xi32>
  %row = tt.get_program_id x : i32
  %start = arith.muli %row, %width : i32
  %from = tt.addptr %x, %start : !tt.ptr<f32>, i32
  %to = tt.addptr %y, %start : !tt.ptr<f32>, i32
  %v = sg.load %from[%c0] strides(%c1) bounds(%c0) to (%c512) : !tt.ptr<f32> -> tensor<512xf32>
  %sum = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<512xf32>) -> f32
  %old = sg.atomic_rmw "exch" "acq_rel" %flag[%none : tensor<1xi32>], %one : !tt.ptr<i32>, tensor<1xi32> -> tensor<1xi32>
  %sums = tensor.splat %sum : tensor<512xf32>
  %w = arith.divf %v, %sums : tensor<512xf32>
  sg.store %w, %to[%c0] strides(%c1) bounds(%c0) to (%c512) : tensor<512xf32> -> !tt.ptr<f32>
  return
}

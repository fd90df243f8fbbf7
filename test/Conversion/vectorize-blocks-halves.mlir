// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=512 l2-bytes=65536 last-level-bytes=4194304 rows-to-second-level=true streams-by-halves=true" -canonicalize -cse -split-input-file | filecheck %s
// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=512 l2-bytes=65536 last-level-bytes=4194304" -canonicalize -cse -split-input-file | filecheck %s --check-prefix=WHOLE

// What is read once, and costs little, is read half a line at a time, and both
// halves are written together, past the caches where the launch writes much.

// CHECK-LABEL: func.func private @add.program
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK: nontemporal} : vector<8xf32>
// CHECK-NEXT: llvm.store {{.*}}nontemporal} : vector<8xf32>
// CHECK-NOT: vector<16xf32>
// CHECK: return
// WHOLE-LABEL: func.func private @add.program
// WHOLE: nontemporal} : vector<16xf32>
func.func @add(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  %w = arith.addf %v, %v : tensor<64xf32>
  sg.store %w, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// What is only moved, too.

// CHECK-LABEL: func.func private @copy.program
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// WHOLE-LABEL: func.func private @copy.program
// WHOLE: llvm.load {{.*}} -> vector<16xf32>
func.func @copy(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  sg.store %v, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// What is computed much with takes whole vectors.

// CHECK-LABEL: func.func private @computes.program
// CHECK: llvm.load {{.*}} -> vector<16xf32>
func.func @computes(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  %w = math.erf %v : tensor<64xf32>
  sg.store %w, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// And so does a row that is read twice, of which a cache has the second time.

// CHECK-LABEL: func.func private @twice.program
// CHECK-NOT: llvm.load {{.*}} -> vector<8xf32>
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK-NOT: llvm.load {{.*}} -> vector<8xf32>
// CHECK: return
func.func @twice(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<f32> -> tensor<64xf32>
  %s = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<64xf32>) -> f32
  %ss = tensor.splat %s : tensor<64xf32>
  %w = arith.mulf %v, %ss : tensor<64xf32>
  sg.store %w, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// Narrow results are half a line, and two of them go past the caches together.

// CHECK-LABEL: func.func private @narrow.program
// CHECK: llvm.store {{.*}}nontemporal} : vector<16xi16>
// CHECK-NEXT: llvm.store {{.*}}nontemporal} : vector<16xi16>
// WHOLE-LABEL: func.func private @narrow.program
// WHOLE-NOT: nontemporal
// WHOLE: return
func.func @narrow(%x: !tt.ptr<bf16>, %y: !tt.ptr<bf16>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c64) : !tt.ptr<bf16> -> tensor<64xbf16>
  %w = arith.extf %v : tensor<64xbf16> to tensor<64xf32>
  %n = arith.negf %w : tensor<64xf32>
  %r = arith.truncf %n : tensor<64xf32> to tensor<64xbf16>
  sg.store %r, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xbf16> -> !tt.ptr<bf16>
  return
}

// -----

// But not if a row is no whole line.

// CHECK-LABEL: func.func private @short_rows.program
// CHECK-NOT: nontemporal
// CHECK: return
func.func @short_rows(%x: !tt.ptr<bf16>, %y: !tt.ptr<bf16>, %pitch: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c4 = arith.constant 4 : i64
  %c16 = arith.constant 16 : i64
  %v = sg.load %x[%c0] strides(%pitch, %c1) bounds(%c0, %c0) to (%c4, %c16) : !tt.ptr<bf16> -> tensor<4x16xbf16>
  %w = arith.extf %v : tensor<4x16xbf16> to tensor<4x16xf32>
  %n = arith.negf %w : tensor<4x16xf32>
  %r = arith.truncf %n : tensor<4x16xf32> to tensor<4x16xbf16>
  sg.store %r, %y[%c0] strides(%pitch, %c1) bounds(%c0, %c0) to (%c4, %c16) : tensor<4x16xbf16> -> !tt.ptr<bf16>
  return
}

// -----

// A sum that reads its row in one of two branches reads it once in each, and
// asks ahead in both.

// CHECK-LABEL: func.func private @branches.program
// CHECK: scf.if
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK: llvm.getelementptr %{{.*}}[2048]
// CHECK-NEXT: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}>
// CHECK: else
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK: llvm.getelementptr %{{.*}}[2048]
// CHECK-NEXT: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}>
// CHECK: return
func.func @branches(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %one: i1) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c512 = arith.constant 512 : i64
  %r = scf.if %one -> (f32) {
    %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c512) : !tt.ptr<f32> -> tensor<512xf32>
    %s = sg.reduce(%v) axis 0 {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.addf %a, %b : f32
      sg.yield %0 : f32
    } : (tensor<512xf32>) -> f32
    scf.yield %s : f32
  } else {
    %v = sg.load %x[%c1] strides(%c1) bounds(%c0) to (%c512) : !tt.ptr<f32> -> tensor<512xf32>
    %s = sg.reduce(%v) axis 0 {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.maximumf %a, %b : f32
      sg.yield %0 : f32
    } : (tensor<512xf32>) -> f32
    scf.yield %s : f32
  }
  tt.store %y, %r : !tt.ptr<f32>
  return
}

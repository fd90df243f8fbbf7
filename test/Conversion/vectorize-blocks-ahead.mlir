// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=512 rows-to-second-level=true" -canonicalize -cse -split-input-file | filecheck %s
// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=512" -canonicalize -cse -split-input-file | filecheck %s --check-prefix=FIRST

// Into the second cache a row that is read once is asked for a page ahead.

// CHECK-LABEL: func.func private @whole_lines.program
// CHECK: llvm.getelementptr %{{.*}}[4096]
// CHECK-NEXT: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}>
// CHECK: llvm.getelementptr %{{.*}}[4096]
// CHECK-NEXT: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}>
// CHECK: return
// FIRST-LABEL: func.func private @whole_lines.program
// FIRST: llvm.getelementptr %{{.*}}[2048]
// FIRST-NEXT: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 3 : i32, rw = 0 : i32}>
func.func @whole_lines(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c256 = arith.constant 256 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c256) : !tt.ptr<f32> -> tensor<256xf32>
  %s = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<256xf32>) -> f32
  tt.store %y, %s : !tt.ptr<f32>
  return
}

// -----

// Where two reads take a line, it is asked for once, by the first and the third
// of four vectors.

// CHECK-LABEL: func.func private @half_lines.program
// CHECK: llvm.getelementptr %{{.*}}[6144]
// CHECK-NEXT: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}>
// CHECK-COUNT-1: llvm.intr.prefetch
// CHECK-NOT: llvm.intr.prefetch
// CHECK: return
// FIRST-LABEL: func.func private @half_lines.program
// FIRST: llvm.getelementptr %{{.*}}[2048]
// FIRST-NEXT: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 3 : i32, rw = 0 : i32}>
// FIRST-COUNT-1: llvm.intr.prefetch
// FIRST-NOT: llvm.intr.prefetch
// FIRST: return
func.func @half_lines(%x: !tt.ptr<bf16>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c512 = arith.constant 512 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c512) : !tt.ptr<bf16> -> tensor<512xbf16>
  %w = arith.extf %v : tensor<512xbf16> to tensor<512xf32>
  %s = sg.reduce(%w) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<512xf32>) -> f32
  %p = tt.addptr %y, %c0 : !tt.ptr<f32>, i64
  tt.store %p, %s : !tt.ptr<f32>
  return
}

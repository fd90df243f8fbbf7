// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=512 rows-to-second-level=true" -canonicalize -cse -split-input-file | filecheck %s

// A machine that is best asked for the next row while nothing is stored: the
// last pass that reduces asks for it, into the second level as it is long, and
// neither the first one nor the store.

// CHECK-LABEL: func.func private @last_reduction.program
// CHECK-SAME: %[[ID:arg3]]: i32,
// CHECK-NOT: llvm.intr.prefetch
// CHECK: arith.addi %[[ID]], %c1_i32
// CHECK: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}>
// CHECK: arith.mulf
// CHECK-NOT: llvm.intr.prefetch
// CHECK: nontemporal
// CHECK: return
func.func @last_reduction(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %pitch: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c2048 = arith.constant 2048 : i64
  %id = tt.get_program_id x : i32
  %at = arith.muli %id, %pitch : i32
  %row = tt.addptr %x, %at : !tt.ptr<f32>, i32
  %v = sg.load %row[%c0] strides(%c1) bounds(%c0) to (%c2048) : !tt.ptr<f32> -> tensor<2048xf32>
  %s = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<2048xf32>) -> f32
  %ss = tensor.splat %s : tensor<2048xf32>
  %r = arith.subf %v, %ss : tensor<2048xf32>
  %t = sg.reduce(%r) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<2048xf32>) -> f32
  %tt = tensor.splat %t : tensor<2048xf32>
  %u = arith.mulf %r, %tt : tensor<2048xf32>
  sg.store %u, %y[%c0] strides(%c1) bounds(%c0) to (%c2048) : tensor<2048xf32> -> !tt.ptr<f32>
  return
}

// -----

// With one reduction it is the first pass.

// CHECK-LABEL: func.func private @first_pass.program
// CHECK-NOT: [4096] :
// CHECK: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}>
// CHECK: arith.mulf
// CHECK-NOT: llvm.intr.prefetch
// CHECK: nontemporal
// CHECK: return
func.func @first_pass(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %pitch: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c2048 = arith.constant 2048 : i64
  %id = tt.get_program_id x : i32
  %at = arith.muli %id, %pitch : i32
  %row = tt.addptr %x, %at : !tt.ptr<f32>, i32
  %v = sg.load %row[%c0] strides(%c1) bounds(%c0) to (%c2048) : !tt.ptr<f32> -> tensor<2048xf32>
  %s = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<2048xf32>) -> f32
  %ss = tensor.splat %s : tensor<2048xf32>
  %r = arith.mulf %v, %ss : tensor<2048xf32>
  sg.store %r, %y[%c0] strides(%c1) bounds(%c0) to (%c2048) : tensor<2048xf32> -> !tt.ptr<f32>
  return
}

// -----

// But not for a short row, which is asked for a page ahead, and the next one by
// the store, into the first level.

// CHECK-LABEL: func.func private @short_row.program
// CHECK: llvm.getelementptr %{{.*}}[4096]
// CHECK-NEXT: llvm.intr.prefetch
// CHECK: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 3 : i32, rw = 0 : i32}>
// CHECK: arith.mulf
// CHECK: nontemporal
// CHECK: return
func.func @short_row(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %pitch: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c512 = arith.constant 512 : i64
  %id = tt.get_program_id x : i32
  %at = arith.muli %id, %pitch : i32
  %row = tt.addptr %x, %at : !tt.ptr<f32>, i32
  %v = sg.load %row[%c0] strides(%c1) bounds(%c0) to (%c512) : !tt.ptr<f32> -> tensor<512xf32>
  %s = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<512xf32>) -> f32
  %ss = tensor.splat %s : tensor<512xf32>
  %r = arith.mulf %v, %ss : tensor<512xf32>
  sg.store %r, %y[%c0] strides(%c1) bounds(%c0) to (%c512) : tensor<512xf32> -> !tt.ptr<f32>
  return
}

// -----

// A row that is read once is asked for a page ahead.

// CHECK-LABEL: func.func private @once.program
// CHECK: llvm.getelementptr %{{.*}}[4096]
// CHECK-NEXT: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}>
// CHECK: return
func.func @once(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %pitch: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c512 = arith.constant 512 : i64
  %id = tt.get_program_id x : i32
  %at = arith.muli %id, %pitch : i32
  %row = tt.addptr %x, %at : !tt.ptr<f32>, i32
  %v = sg.load %row[%c0] strides(%c1) bounds(%c0) to (%c512) : !tt.ptr<f32> -> tensor<512xf32>
  %s = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<512xf32>) -> f32
  tt.store %y, %s : !tt.ptr<f32>
  return
}

// -----

// A row that loops take in parts: the last loop that reduces asks for the same
// part of the next program's row, for all of the iterations that it takes side
// by side and one by one, and the one that stores does not.

// CHECK-LABEL: func.func private @parts.program
// CHECK: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}>
// CHECK: arith.mulf
// CHECK: arith.subf
// CHECK-NOT: llvm.intr.prefetch
// CHECK: return
func.func @parts(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %pitch: i32, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c1024 = arith.constant 1024 : i64
  %zero = arith.constant dense<0.0> : tensor<1024xf32>
  %id = tt.get_program_id x : i32
  %at = arith.muli %id, %pitch : i32
  %row = tt.addptr %x, %at : !tt.ptr<f32>, i32
  %squares = scf.for %i = %c0 to %n step %c1024 iter_args(%acc = %zero) -> (tensor<1024xf32>) : i64 {
    %v = sg.load %row[%i] strides(%c1) bounds(%c0) to (%c1024) : !tt.ptr<f32> -> tensor<1024xf32>
    %w = arith.mulf %v, %v : tensor<1024xf32>
    %next = arith.addf %acc, %w : tensor<1024xf32>
    scf.yield %next : tensor<1024xf32>
  }
  scf.for %i = %c0 to %n step %c1024 : i64 {
    %v = sg.load %row[%i] strides(%c1) bounds(%c0) to (%c1024) : !tt.ptr<f32> -> tensor<1024xf32>
    %w = arith.subf %v, %squares : tensor<1024xf32>
    sg.store %w, %y[%i] strides(%c1) bounds(%c0) to (%c1024) : tensor<1024xf32> -> !tt.ptr<f32>
  }
  return
}

// -----

// Of two branches that store a row from the scratch area, each computes where
// the next one is.

// CHECK-LABEL: func.func private @branches.program
// CHECK: scf.if
// CHECK: llvm.intr.prefetch
// CHECK: else
// CHECK: arith.addi %{{.*}}, %c1_i32 : i32
// CHECK: llvm.intr.prefetch
// CHECK: return
func.func @branches(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %pitch: i32, %which: i1) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c512 = arith.constant 512 : i64
  %id = tt.get_program_id x : i32
  %at = arith.muli %id, %pitch : i32
  %row = tt.addptr %x, %at : !tt.ptr<f32>, i32
  %v = sg.load %row[%c0] strides(%c1) bounds(%c0) to (%c512) : !tt.ptr<f32> -> tensor<512xf32>
  %s = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<512xf32>) -> f32
  %ss = tensor.splat %s : tensor<512xf32>
  scf.if %which {
    %r = arith.mulf %v, %ss : tensor<512xf32>
    sg.store %r, %y[%c0] strides(%c1) bounds(%c0) to (%c512) : tensor<512xf32> -> !tt.ptr<f32>
  } else {
    %r = arith.subf %v, %ss : tensor<512xf32>
    sg.store %r, %y[%c0] strides(%c1) bounds(%c0) to (%c512) : tensor<512xf32> -> !tt.ptr<f32>
  }
  return
}

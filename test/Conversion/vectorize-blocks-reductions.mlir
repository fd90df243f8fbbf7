// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=256 compares-maximum=true" -canonicalize -cse -split-input-file | filecheck %s

// A maximum that skips NaN picks by comparison, from negative infinity on; where
// that is the result, there may be no number, and the slow maximum decides.
// The exponentials are written by the loop that sums them, and are of arguments
// that are never positive. What lies beyond the row is computed once.

// CHECK-LABEL: func.func private @softmax.program
// CHECK: %[[LOW:.*]] = arith.constant dense<0xFF800000> : vector<8xf32>
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[LOW]], %{{.*}} = %[[LOW]], %{{.*}} = %[[LOW]], %{{.*}} = %[[LOW]])
// CHECK: arith.cmpf ogt
// CHECK-NEXT: arith.select
// CHECK: %[[NONE:.*]] = arith.cmpf oeq
// CHECK: scf.if %[[NONE]]
// CHECK: arith.maxnumf
// CHECK: scf.for
// CHECK: %[[E:.*]] = math.exp %{{.*}} {sg.never_positive} : vector<8xf32>
// CHECK: llvm.store %[[E]]
// CHECK: arith.addf %{{.*}}, %[[E]]
// CHECK: scf.if
// CHECK: %[[BEYOND:.*]] = math.exp
// CHECK: scf.for
// CHECK-NEXT: llvm.getelementptr
// CHECK-NEXT: llvm.store %[[BEYOND]]
// CHECK-NOT: math.exp
// CHECK: arith.divf
func.func @softmax(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %low = arith.constant 0xFF800000 : f32
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%n) other(%low : f32) : !tt.ptr<f32> -> tensor<128xf32>
  %m = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.maxnumf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<128xf32>) -> f32
  %ms = tensor.splat %m : tensor<128xf32>
  %d = arith.subf %v, %ms : tensor<128xf32>
  %e = math.exp %d : tensor<128xf32>
  %s = sg.reduce(%e) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<128xf32>) -> f32
  %ss = tensor.splat %s : tensor<128xf32>
  %r = arith.divf %e, %ss : tensor<128xf32>
  sg.store %r, %y[%c0] strides(%c1) bounds(%c0) to (%n) : tensor<128xf32> -> !tt.ptr<f32>
  return
}

// -----

// The maximum of the columns says nothing about the rows.

// CHECK-LABEL: func.func private @columns.program
// CHECK: math.exp %{{[^ ]*}} :
func.func @columns(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  %v = sg.load %x[%c0] strides(%c8, %c1) bounds(%c0, %c0) to (%c8, %c8) : !tt.ptr<f32> -> tensor<8x8xf32>
  %m = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.maxnumf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<8x8xf32>) -> tensor<8xf32>
  %empty = tensor.empty() : tensor<8x8xf32>
  %wide = linalg.broadcast ins(%m : tensor<8xf32>) outs(%empty : tensor<8x8xf32>) dimensions = [1]
  %d = arith.subf %v, %wide : tensor<8x8xf32>
  %e = math.exp %d : tensor<8x8xf32>
  sg.store %e, %y[%c0] strides(%c8, %c1) bounds(%c0, %c0) to (%c8, %c8) : tensor<8x8xf32> -> !tt.ptr<f32>
  return
}

// -----

// A loop that accumulates: eight vectors go through four iterations at a time,
// or through one where those are not all there.
// The comparison of positions is known to hold where the reads are in bounds.

// CHECK-LABEL: func.func private @accumulate.program
// CHECK: scf.for
// CHECK: arith.cmpi eq
// CHECK: scf.if
// CHECK: %[[INSIDE:.*]] = arith.andi
// CHECK: %[[SUMS:.*]]:8 = scf.if %[[INSIDE]]
// CHECK-NOT: arith.cmpi
// CHECK: } else {
// CHECK: arith.cmpi
// CHECK: llvm.intr.masked.load
// CHECK: llvm.store %[[SUMS]]#0
func.func @accumulate(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c0_i32 = arith.constant 0 : i32
  %c64_i32 = arith.constant 64 : i32
  %c64 = arith.constant 64 : i64
  %zero = arith.constant dense<0.0> : tensor<64xf32>
  %positions = sg.iota 0 : tensor<64xi32>
  %ends = tensor.splat %n : tensor<64xi32>
  %length = arith.extsi %n : i32 to i64
  %sum = scf.for %i = %c0_i32 to %n step %c64_i32 iter_args(%acc = %zero) -> (tensor<64xf32>) : i32 {
    %at = arith.extsi %i : i32 to i64
    %starts = tensor.splat %i : tensor<64xi32>
    %columns = arith.addi %starts, %positions : tensor<64xi32>
    %inside = arith.cmpi slt, %columns, %ends : tensor<64xi32>
    %left = arith.subi %length, %at : i64
    %high = arith.minsi %left, %c64 : i64
    %v = sg.load %x[%at] strides(%c1) bounds(%c0) to (%high) : !tt.ptr<f32> -> tensor<64xf32>
    %one = arith.constant dense<1.0> : tensor<64xf32>
    %w = arith.addf %v, %one : tensor<64xf32>
    %picked = arith.select %inside, %w, %zero : tensor<64xi1>, tensor<64xf32>
    %next = arith.addf %acc, %picked : tensor<64xf32>
    scf.yield %next : tensor<64xf32>
  }
  sg.store %sum, %y[%c0] strides(%c1) bounds(%c0) to (%c64) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// So does one that multiplies by a column, which is a broadcast.

// CHECK-LABEL: func.func private @accumulate_rows.program
// CHECK: %[[SUMS:.*]]:8 = scf.for
// CHECK-COUNT-8: arith.mulf
// CHECK: llvm.store %[[SUMS]]#0
func.func @accumulate_rows(%x: !tt.ptr<f32>, %a: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c0_i32 = arith.constant 0 : i32
  %c1_i32 = arith.constant 1 : i32
  %c256 = arith.constant 256 : i64
  %zero = arith.constant dense<0.0> : tensor<1x256xf32>
  %empty = tensor.empty() : tensor<1x256xf32>
  %sum = scf.for %i = %c0_i32 to %n step %c1_i32 iter_args(%acc = %zero) -> (tensor<1x256xf32>) : i32 {
    %at = arith.extsi %i : i32 to i64
    %row = arith.muli %at, %c256 : i64
    %v = sg.load %x[%row] strides(%c256, %c1) bounds(%c0, %c0) to (%c1, %c256) : !tt.ptr<f32> -> tensor<1x256xf32>
    %w = sg.load %a[%at] strides(%c1) bounds(%c0) to (%c1) : !tt.ptr<f32> -> tensor<1xf32>
    %wide = linalg.broadcast ins(%w : tensor<1xf32>) outs(%empty : tensor<1x256xf32>) dimensions = [1]
    %product = arith.mulf %wide, %v : tensor<1x256xf32>
    %next = arith.addf %acc, %product : tensor<1x256xf32>
    scf.yield %next : tensor<1x256xf32>
  }
  sg.store %sum, %y[%c0] strides(%c256, %c1) bounds(%c0, %c0) to (%c1, %c256) : tensor<1x256xf32> -> !tt.ptr<f32>
  return
}

// -----

// What nobody reads is not accumulated: the columns end at the store's bound,
// behind the sum of the rows, too. Four iterations that are all there and
// within bounds go side by side, without masks; the rest, one after the other.

// CHECK-LABEL: func.func private @accumulate_needed.program
// CHECK: %[[HIGH:.*]] = arith.minsi %{{.*}}, %c512
// CHECK: scf.for %{{.*}} = %c0{{[^ ]*}} to %{{.*}} step %c4
// CHECK: %[[DONE:.*]] = scf.if
// CHECK: %[[END:.*]] = arith.minsi %[[HIGH]], %c512
// CHECK: %[[WHOLE:.*]] = arith.minsi %{{.*}}, %[[END]]
// CHECK: scf.for %{{.*}} = %c0{{[^ ]*}} to %c4
// CHECK: scf.for %{{.*}} = %c0{{[^ ]*}} to %[[WHOLE]] step %c64
// CHECK-COUNT-32: arith.addf
// CHECK-NOT: masked.load
// CHECK: } else {
// CHECK: %[[LAST:.*]] = arith.minsi %[[HIGH]], %c512
// CHECK: scf.for %{{.*}} = %[[DONE]] to %[[LAST]] step %c64
// CHECK: masked.load
func.func @accumulate_needed(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %rows: i64, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c4 = arith.constant 4 : i64
  %c512 = arith.constant 512 : i64
  %zero = arith.constant dense<0.0> : tensor<4x512xf32>
  %sums = scf.for %i = %c0 to %rows step %c4 iter_args(%acc = %zero) -> (tensor<4x512xf32>) : i64 {
    %at = arith.muli %i, %n : i64
    %v = sg.load %x[%at] strides(%n, %c1) bounds(%c0, %c0) to (%c4, %n) : !tt.ptr<f32> -> tensor<4x512xf32>
    %next = arith.addf %acc, %v : tensor<4x512xf32>
    scf.yield %next : tensor<4x512xf32>
  }
  %sum = sg.reduce(%sums) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<4x512xf32>) -> tensor<512xf32>
  %high = arith.minsi %n, %c512 : i64
  sg.store %sum, %y[%c0] strides(%c1) bounds(%c0) to (%high) : tensor<512xf32> -> !tt.ptr<f32>
  return
}

// -----

// A long row is asked for ahead of its first reads, once for each line of the
// cache, and not again.

// CHECK-LABEL: func.func private @ahead.program
// CHECK: scf.for
// CHECK: llvm.getelementptr %{{.*}}[2048]
// CHECK-NEXT: llvm.intr.prefetch
// CHECK: llvm.intr.prefetch
// CHECK-NOT: llvm.intr.prefetch
func.func @ahead(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c256 = arith.constant 256 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c256) : !tt.ptr<f32> -> tensor<256xf32>
  %s = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<256xf32>) -> f32
  %ss = tensor.splat %s : tensor<256xf32>
  %r = arith.divf %v, %ss : tensor<256xf32>
  %t = sg.reduce(%r) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<256xf32>) -> f32
  %tt = tensor.splat %t : tensor<256xf32>
  sg.store %tt, %y[%c0] strides(%c1) bounds(%c0) to (%c256) : tensor<256xf32> -> !tt.ptr<f32>
  return
}

// -----

// The pass that reads a row again asks for that of the next program.

// CHECK-LABEL: func.func private @next_program.program
// CHECK-SAME: (%[[X:arg0]]: !llvm.ptr, %arg1: !llvm.ptr, %[[PITCH:arg2]]: i32, %[[ID:arg3]]: i32,
// CHECK: llvm.getelementptr %{{.*}}[2048]
// CHECK: %[[NEXT:.*]] = arith.addi %[[ID]], %c1_i32
// CHECK: %[[THERE:.*]] = arith.muli %[[NEXT]], %[[PITCH]]
// CHECK: %[[OFFSET:.*]] = arith.extsi %[[THERE]]
// CHECK: %[[ROW:.*]] = llvm.getelementptr %[[X]][%[[OFFSET]]]
// CHECK: scf.for
// CHECK: %[[AHEAD:.*]] = llvm.getelementptr %[[ROW]][
// CHECK: "llvm.intr.prefetch"(%[[AHEAD]])
// CHECK: return
func.func @next_program(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %pitch: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c256 = arith.constant 256 : i64
  %id = tt.get_program_id x : i32
  %at = arith.muli %id, %pitch : i32
  %row = tt.addptr %x, %at : !tt.ptr<f32>, i32
  %v = sg.load %row[%c0] strides(%c1) bounds(%c0) to (%c256) : !tt.ptr<f32> -> tensor<256xf32>
  %s = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<256xf32>) -> f32
  %ss = tensor.splat %s : tensor<256xf32>
  %r = arith.divf %v, %ss : tensor<256xf32>
  %t = sg.reduce(%r) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<256xf32>) -> f32
  %tt = tensor.splat %t : tensor<256xf32>
  sg.store %tt, %y[%c0] strides(%c1) bounds(%c0) to (%c256) : tensor<256xf32> -> !tt.ptr<f32>
  return
}

// -----

// In a loop over rows it is that of the next iteration.

// CHECK-LABEL: func.func private @next_iteration.program
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %[[STEP:.*]] : i64
// CHECK: llvm.getelementptr %{{.*}}[2048]
// CHECK: %[[NEXT:.*]] = arith.addi %[[I]], %[[STEP]]
// CHECK: %[[AT:.*]] = arith.muli %[[NEXT]]
// CHECK: llvm.getelementptr %{{.*}}[%[[AT]]]
// CHECK: scf.for
// CHECK: "llvm.intr.prefetch"
func.func @next_iteration(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %rows: i64, %pitch: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c3 = arith.constant 3 : i64
  %c256 = arith.constant 256 : i64
  scf.for %i = %c0 to %rows step %c3 : i64 {
    %at = arith.muli %i, %pitch : i64
    %v = sg.load %x[%at] strides(%c1) bounds(%c0) to (%c256) : !tt.ptr<f32> -> tensor<256xf32>
    %s = sg.reduce(%v) axis 0 {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.addf %a, %b : f32
      sg.yield %0 : f32
    } : (tensor<256xf32>) -> f32
    %ss = tensor.splat %s : tensor<256xf32>
    %r = arith.divf %v, %ss : tensor<256xf32>
    %t = sg.reduce(%r) axis 0 {
    ^bb0(%a: f32, %b: f32):
      %0 = arith.addf %a, %b : f32
      sg.yield %0 : f32
    } : (tensor<256xf32>) -> f32
    %tt = tensor.splat %t : tensor<256xf32>
    sg.store %tt, %y[%c0] strides(%c1) bounds(%c0) to (%c256) : tensor<256xf32> -> !tt.ptr<f32>
  }
  return
}

// -----

// Not where the loop runs within the nest: its next iteration is not known
// outside of it.

// CHECK-LABEL: func.func private @inside.program
// CHECK: "llvm.intr.prefetch"
// CHECK: return
func.func @inside(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c256 = arith.constant 256 : i64
  %zero = arith.constant dense<0.0> : tensor<256xf32>
  %sum = scf.for %i = %c0 to %n step %c256 iter_args(%acc = %zero) -> (tensor<256xf32>) : i64 {
    %v = sg.load %x[%i] strides(%c1) bounds(%c0) to (%c256) : !tt.ptr<f32> -> tensor<256xf32>
    %next = arith.addf %acc, %v : tensor<256xf32>
    scf.yield %next : tensor<256xf32>
  }
  %squares = scf.for %i = %c0 to %n step %c256 iter_args(%acc = %sum) -> (tensor<256xf32>) : i64 {
    %v = sg.load %x[%i] strides(%c1) bounds(%c0) to (%c256) : !tt.ptr<f32> -> tensor<256xf32>
    %w = arith.mulf %v, %v : tensor<256xf32>
    %next = arith.addf %acc, %w : tensor<256xf32>
    scf.yield %next : tensor<256xf32>
  }
  sg.store %squares, %y[%c0] strides(%c1) bounds(%c0) to (%c256) : tensor<256xf32> -> !tt.ptr<f32>
  return
}

// -----

// The same where the next program's row is known, but its part is not.

// CHECK-LABEL: func.func private @inside_row.program
// CHECK: "llvm.intr.prefetch"
// CHECK: return
func.func @inside_row(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i64, %pitch: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c256 = arith.constant 256 : i64
  %zero = arith.constant dense<0.0> : tensor<256xf32>
  %id = tt.get_program_id x : i32
  %at = arith.muli %id, %pitch : i32
  %row = tt.addptr %x, %at : !tt.ptr<f32>, i32
  %sum = scf.for %i = %c0 to %n step %c256 iter_args(%acc = %zero) -> (tensor<256xf32>) : i64 {
    %v = sg.load %row[%i] strides(%c1) bounds(%c0) to (%c256) : !tt.ptr<f32> -> tensor<256xf32>
    %next = arith.addf %acc, %v : tensor<256xf32>
    scf.yield %next : tensor<256xf32>
  }
  %squares = scf.for %i = %c0 to %n step %c256 iter_args(%acc = %sum) -> (tensor<256xf32>) : i64 {
    %v = sg.load %row[%i] strides(%c1) bounds(%c0) to (%c256) : !tt.ptr<f32> -> tensor<256xf32>
    %w = arith.mulf %v, %v : tensor<256xf32>
    %next = arith.addf %acc, %w : tensor<256xf32>
    scf.yield %next : tensor<256xf32>
  }
  sg.store %squares, %y[%c0] strides(%c1) bounds(%c0) to (%c256) : tensor<256xf32> -> !tt.ptr<f32>
  return
}

// -----

// A row that loops take in parts: the last of them, which stores, asks for the
// same part of the next program's row, unless rows are long.

// CHECK-LABEL: func.func private @parts.program
// CHECK-SAME: %[[ID:arg4]]: i32,
// CHECK: llvm.getelementptr %{{.*}}[2048]
// CHECK: %[[FITS:.*]] = arith.cmpi sle, %{{.*}}, %c32768_i64
// CHECK: %[[STEP:.*]] = arith.extui %[[FITS]]
// CHECK: arith.addi %[[ID]], %[[STEP]]
// CHECK: scf.for
// CHECK: "llvm.intr.prefetch"
// CHECK: llvm.store
// CHECK: return
func.func @parts(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %pitch: i32, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c256 = arith.constant 256 : i64
  %zero = arith.constant dense<0.0> : tensor<256xf32>
  %id = tt.get_program_id x : i32
  %at = arith.muli %id, %pitch : i32
  %row = tt.addptr %x, %at : !tt.ptr<f32>, i32
  %sums = scf.for %i = %c0 to %n step %c256 iter_args(%acc = %zero) -> (tensor<256xf32>) : i64 {
    %v = sg.load %row[%i] strides(%c1) bounds(%c0) to (%c256) : !tt.ptr<f32> -> tensor<256xf32>
    %next = arith.addf %acc, %v : tensor<256xf32>
    scf.yield %next : tensor<256xf32>
  }
  %s = sg.reduce(%sums) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<256xf32>) -> f32
  %ss = tensor.splat %s : tensor<256xf32>
  scf.for %i = %c0 to %n step %c256 : i64 {
    %v = sg.load %row[%i] strides(%c1) bounds(%c0) to (%c256) : !tt.ptr<f32> -> tensor<256xf32>
    %r = arith.divf %v, %ss : tensor<256xf32>
    sg.store %r, %y[%i] strides(%c1) bounds(%c0) to (%c256) : tensor<256xf32> -> !tt.ptr<f32>
  }
  return
}

// -----

// A block is written by the reduction that reads it, also where another block
// that is not made of it has to be written in between.

// CHECK-LABEL: func.func private @apart.program
// CHECK: %[[DECAY:.*]] = math.exp %{{[^ ]*}} :
// CHECK-NEXT: {{.*}}llvm.getelementptr
// CHECK: %[[E:.*]] = math.exp %{{[^ ]*}} {sg.never_positive} : vector<8xf32>
// CHECK: llvm.store %[[E]]
// CHECK: arith.addf %{{.*}}, %[[E]]
// CHECK-NOT: math.exp
// CHECK: return
func.func @apart(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %top: f32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  %c16 = arith.constant 16 : i64
  %c128 = arith.constant 128 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c128) : !tt.ptr<f32> -> tensor<128xf32>
  %t = sg.load %z[%c0] strides(%c1) bounds(%c0) to (%c16) : !tt.ptr<f32> -> tensor<16xf32>
  %m = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.maxnumf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<128xf32>) -> f32
  %ms = tensor.splat %m : tensor<128xf32>
  %d = arith.subf %v, %ms : tensor<128xf32>
  %e = math.exp %d : tensor<128xf32>
  %decay = math.exp %t : tensor<16xf32>
  %s = sg.reduce(%e) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    sg.yield %0 : f32
  } : (tensor<128xf32>) -> f32
  %ss = tensor.splat %s : tensor<128xf32>
  %r = arith.divf %e, %ss : tensor<128xf32>
  %first = tensor.splat %s : tensor<16xf32>
  %w = arith.mulf %decay, %first : tensor<16xf32>
  sg.store %w, %z[%c0] strides(%c1) bounds(%c0) to (%c16) : tensor<16xf32> -> !tt.ptr<f32>
  sg.store %decay, %z[%c16] strides(%c1) bounds(%c0) to (%c8) : tensor<16xf32> -> !tt.ptr<f32>
  sg.store %r, %y[%c0] strides(%c1) bounds(%c0) to (%c128) : tensor<128xf32> -> !tt.ptr<f32>
  return
}

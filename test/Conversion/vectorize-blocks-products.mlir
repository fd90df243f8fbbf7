// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=256 l2-bytes=65536" -canonicalize -cse | FileCheck %s
// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=64" -canonicalize -cse | FileCheck --check-prefix=NARROW %s
// RUN: seagrove-opt %s -split-input-file -vectorize-blocks="vector-bits=256 l2-bytes=65536" --remark-policy=all --remark-format=emitRemark --remarks-filter=decision -o /dev/null 2>&1 | FileCheck --check-prefix=DECISION %s

// The panels of the right operand are kept for the next program: a group of
// four iterations has a tag (what says that there is something, and what is not
// the same for all programs: here its column), and only where its tag is another
// one is it packed. The left operand is contiguous and in bounds, so it
// is read where it lies until the same rows have been met five times (32
// columns are few to pack for); from then on it is read from panels of its own,
// by a pointer, as the right one is. Four steps of K share a branch.

// CHECK-LABEL: func.func private @shared.program
// CHECK-SAME: sg.scratch_cleared = array<i64: 0, [[LAST:[0-9]+]]>
// CHECK: %[[WANTED:.*]] = arith.select %{{.*}}, %c5_i64, %c1_i64
// CHECK: %[[PANELS:.*]] = arith.cmpi sge, %[[MET:.*]], %[[WANTED]]
// CHECK: %[[NOW:.*]] = arith.cmpi eq, %[[MET]], %[[WANTED]]
// CHECK: %[[LEFT:.*]] = arith.select %[[NOW]], %c4_i64, %c0_i64
// CHECK: scf.for {{.*}} to %[[LEFT]]
// CHECK-COUNT-4: llvm.store {{.*}} vector<8xf32>
// CHECK-COUNT-3: arith.andi
// CHECK: %[[TIMES:[^ ]+]] = arith.select {{.*}}, %c0_i64,
// CHECK: scf.for {{.*}} to %[[TIMES]]
// CHECK: llvm.store {{.*}} vector<8xf32>
// CHECK: scf.if %[[PANELS]]
// CHECK: step %c4_i64 iter_args({{.*}}!llvm.ptr, !llvm.ptr)
// CHECK-COUNT-48: math.fma
// CHECK: } else {
// CHECK: step %c4_i64 iter_args
// CHECK-COUNT-48: math.fma
// CHECK-NOT: math.fma
// CHECK: return
// DECISION: the left operand is read from panels that are kept for the thread's next programs: 34 groups of 30 KiB, packed where rows are met again
func.func @shared(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>) attributes {sg.kernel} {
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
  %pid = tt.get_program_id y : i32
  %column = arith.muli %pid, %s32 : i32
  %start = arith.extsi %column : i32 to i64
  %acc = scf.for %i = %s0 to %s128 step %s32 iter_args(%c = %zero) -> (tensor<48x32xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %r = arith.muli %o, %c64 : i64
    %p = arith.addi %r, %start : i64
    %a = sg.load %x[%o] strides(%c128, %c1) bounds(%c0, %c0) to (%c48, %c32) : !tt.ptr<f32> -> tensor<48x32xf32>
    %b = sg.load %y[%p] strides(%c64, %c1) bounds(%c0, %c0) to (%c32, %c32) : !tt.ptr<f32> -> tensor<32x32xf32>
    %d = linalg.matmul ins(%a, %b : tensor<48x32xf32>, tensor<32x32xf32>) outs(%c : tensor<48x32xf32>) -> tensor<48x32xf32>
    scf.yield %d : tensor<48x32xf32>
  }
  sg.store %acc, %z[%start] strides(%c64, %c1) bounds(%c0, %c0) to (%c48, %c32) : tensor<48x32xf32> -> !tt.ptr<f32>
  return
}

// -----

// A program that writes before it reads keeps nothing: it has to see what it
// wrote.

// CHECK-LABEL: func.func private @writes_first.program
// CHECK-NOT: sg.scratch_cleared
// CHECK-COUNT-4: math.fma
func.func @writes_first(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %one = arith.constant dense<1.0> : tensor<16x16xf32>
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  sg.store %one, %y[%c0] strides(%c16, %c1) bounds(%c0, %c0) to (%c16, %c16) : tensor<16x16xf32> -> !tt.ptr<f32>
  %a = sg.load %x[%c0] strides(%c16, %c1) bounds(%c0, %c0) to (%c16, %c16) : !tt.ptr<f32> -> tensor<16x16xf32>
  %b = sg.load %y[%c0] strides(%c16, %c1) bounds(%c0, %c0) to (%c16, %c16) : !tt.ptr<f32> -> tensor<16x16xf32>
  %d = linalg.matmul ins(%a, %b : tensor<16x16xf32>, tensor<16x16xf32>) outs(%zero : tensor<16x16xf32>) -> tensor<16x16xf32>
  sg.store %d, %x[%c0] strides(%c16, %c1) bounds(%c0, %c0) to (%c16, %c16) : tensor<16x16xf32> -> !tt.ptr<f32>
  return
}

// -----

// Columns that are not next to each other: the left operand is packed.

// CHECK-LABEL: func.func private @spaced.program
// CHECK: llvm.intr.masked.gather
// CHECK-COUNT-4: math.fma
func.func @spaced(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c3 = arith.constant 3 : i64
  %c16 = arith.constant 16 : i64
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %a = sg.load %x[%c0] strides(%c16, %c3) bounds(%c0, %c0) to (%c16, %c16) : !tt.ptr<f32> -> tensor<16x16xf32>
  %d = linalg.matmul ins(%a, %a : tensor<16x16xf32>, tensor<16x16xf32>) outs(%zero : tensor<16x16xf32>) -> tensor<16x16xf32>
  sg.store %d, %y[%c0] strides(%c16, %c1) bounds(%c0, %c0) to (%c16, %c16) : tensor<16x16xf32> -> !tt.ptr<f32>
  return
}

// -----

// Vectors of one element: the left operand is packed element by element.

// NARROW-LABEL: func.func private @narrow.program
// NARROW: scf.for %[[ROW:.*]] = %c0_i64 to %c4_i64
// NARROW: scf.for %[[COLUMN:.*]] = %c0_i64 to %c2_i64
// NARROW: llvm.load {{.*}} -> f64
// NARROW: llvm.store {{.*}} : f64
func.func @narrow(%x: !tt.ptr<f64>, %y: !tt.ptr<f64>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  %c4 = arith.constant 4 : i64
  %zero = arith.constant dense<0.0> : tensor<4x4xf64>
  %a = sg.load %x[%c0] strides(%c1, %c4) bounds(%c0, %c0) to (%c4, %c2) : !tt.ptr<f64> -> tensor<4x2xf64>
  %b = sg.load %x[%c0] strides(%c4, %c1) bounds(%c0, %c0) to (%c2, %c4) : !tt.ptr<f64> -> tensor<2x4xf64>
  %d = linalg.matmul ins(%a, %b : tensor<4x2xf64>, tensor<2x4xf64>) outs(%zero : tensor<4x4xf64>) -> tensor<4x4xf64>
  sg.store %d, %y[%c0] strides(%c4, %c1) bounds(%c0, %c0) to (%c4, %c4) : tensor<4x4xf64> -> !tt.ptr<f64>
  return
}

// -----

// What a product is added to is read by its register tiles: nothing is written
// before the first multiplication but the packed operand.

// CHECK-LABEL: func.func private @adds.program
// CHECK-NOT: llvm.store {{.*}} vector<8xf32>
// CHECK: scf.for
// CHECK: llvm.store %{{.*}}, %[[PANEL:.*]] {alignment = 4 : i64} : vector<8xf32>
// CHECK-NOT: llvm.store {{.*}} vector<8xf32>
// CHECK: arith.mulf
// CHECK: math.fma
func.func @adds(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %s: f32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  %a = sg.load %x[%c0] strides(%c8, %c1) bounds(%c0, %c0) to (%c8, %c8) : !tt.ptr<f32> -> tensor<8x8xf32>
  %b = sg.load %y[%c0] strides(%c8, %c1) bounds(%c0, %c0) to (%c8, %c8) : !tt.ptr<f32> -> tensor<8x8xf32>
  %c = sg.load %z[%c0] strides(%c8, %c1) bounds(%c0, %c0) to (%c8, %c8) : !tt.ptr<f32> -> tensor<8x8xf32>
  %scale = tensor.splat %s : tensor<8x8xf32>
  %start = arith.mulf %c, %scale : tensor<8x8xf32>
  %d = linalg.matmul ins(%a, %b : tensor<8x8xf32>, tensor<8x8xf32>) outs(%start : tensor<8x8xf32>) -> tensor<8x8xf32>
  sg.store %d, %z[%c0] strides(%c8, %c1) bounds(%c0, %c0) to (%c8, %c8) : tensor<8x8xf32> -> !tt.ptr<f32>
  return
}

// -----

// The block is multiplied as far as its store reaches, which is computed ahead
// of the loop, and along K as far as both masks do: in panels, which hold zeros
// behind that, to a whole number of steps. Nothing is written to the
// accumulators before the first register tile but where there is no iteration.

// CHECK-LABEL: func.func private @edges.program
// CHECK-SAME: %[[ROWS:[a-z0-9]+]]: i64, %[[COLUMNS:[a-z0-9]+]]: i64, %[[K:[a-z0-9]+]]: i64, %[[TRIPS:[a-z0-9]+]]: i32
// CHECK-NOT: llvm.store {{.*}} vector<8xf32>
// CHECK: %[[N:.*]] = arith.maxsi %[[COLUMNS]], %c0_i64
// CHECK: scf.if
// CHECK: llvm.store {{.*}} vector<8xf32>
// CHECK: arith.minsi %[[N]], %c32_i64
// CHECK-COUNT-12: llvm.select {{.*}} vector<8xf32>
// CHECK: %[[MORE:.*]] = arith.addi %{{.*}}, %c3_i64
// CHECK: %[[PADDED:.*]] = arith.andi %[[MORE]], %c-4_i64
// CHECK: scf.for {{.*}} to %[[PADDED]] step %c4_i64 iter_args
// CHECK-COUNT-48: math.fma
// CHECK-NOT: math.fma
// CHECK: } else {
// CHECK-COUNT-12: llvm.select {{.*}} vector<8xf32>
// CHECK: %[[WHOLE:.*]] = arith.andi %{{.*}}, %c-4_i64
// CHECK: scf.for {{.*}} to %[[WHOLE]] step %c4_i64 iter_args
// CHECK-COUNT-48: math.fma
// CHECK: scf.for {{.*}} = %[[WHOLE]] to {{.*}} step %c1_i64 iter_args
// CHECK-COUNT-12: math.fma
func.func @edges(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %m: i64, %n: i64, %k: i64, %trips: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c48 = arith.constant 48 : i64
  %c32 = arith.constant 32 : i64
  %c128 = arith.constant 128 : i64
  %s0 = arith.constant 0 : i32
  %s1 = arith.constant 1 : i32
  %other = arith.constant 0.0 : f32
  %zero = arith.constant dense<0.0> : tensor<48x32xf32>
  %acc = scf.for %i = %s0 to %trips step %s1 iter_args(%c = %zero) -> (tensor<48x32xf32>) : i32 {
    %number = arith.extsi %i : i32 to i64
    %o = arith.muli %number, %c32 : i64
    %p = arith.muli %o, %c32 : i64
    %left = arith.subi %k, %o : i64
    %most = arith.minsi %left, %c32 : i64
    %high = arith.maxsi %most, %c0 : i64
    %a = sg.load %x[%o] strides(%c128, %c1) bounds(%c0, %c0) to (%c48, %high) other(%other : f32) : !tt.ptr<f32> -> tensor<48x32xf32>
    %b = sg.load %y[%p] strides(%c32, %c1) bounds(%c0, %c0) to (%high, %c32) other(%other : f32) : !tt.ptr<f32> -> tensor<32x32xf32>
    %d = linalg.matmul ins(%a, %b : tensor<48x32xf32>, tensor<32x32xf32>) outs(%c : tensor<48x32xf32>) -> tensor<48x32xf32>
    scf.yield %d : tensor<48x32xf32>
  }
  %rows = arith.maxsi %m, %c0 : i64
  %columns = arith.maxsi %n, %c0 : i64
  sg.store %acc, %z[%c0] strides(%c32, %c1) bounds(%c0, %c0) to (%rows, %columns) : tensor<48x32xf32> -> !tt.ptr<f32>
  return
}

// -----

// A left operand that is gathered: what of a position depends on the column
// alone is computed outside of the loop over the rows.

// CHECK-LABEL: func.func private @gathered.program
// CHECK: arith.divsi {{.*}} : vector<8xi32>
// CHECK: scf.for
// CHECK-NOT: arith.divsi
// CHECK: llvm.intr.masked.gather
func.func @gathered(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %w: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %s0 = arith.constant 0 : i32
  %s16 = arith.constant 16 : i32
  %s64 = arith.constant 64 : i32
  %zero = arith.constant dense<0.0> : tensor<16x16xf32>
  %three = arith.constant dense<3> : tensor<16xi32>
  %positions = sg.iota 0 : tensor<16xi32>
  %width = tensor.splat %w : tensor<16xi32>
  %empty = tensor.empty() : tensor<16x16xi32>
  %down = linalg.broadcast ins(%positions : tensor<16xi32>) outs(%empty : tensor<16x16xi32>) dimensions = [1]
  %acc = scf.for %i = %s0 to %s64 step %s16 iter_args(%c = %zero) -> (tensor<16x16xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %r = arith.muli %o, %c16 : i64
    %first = tensor.splat %i : tensor<16xi32>
    %columns = arith.addi %first, %positions : tensor<16xi32>
    %lines = arith.divsi %columns, %three : tensor<16xi32>
    %inside = arith.muli %lines, %width : tensor<16xi32>
    %across = linalg.broadcast ins(%inside : tensor<16xi32>) outs(%empty : tensor<16x16xi32>) dimensions = [0]
    %offsets = arith.addi %across, %down : tensor<16x16xi32>
    %a = sg.gather %x[%offsets : tensor<16x16xi32>] : !tt.ptr<f32> -> tensor<16x16xf32>
    %b = sg.load %y[%r] strides(%c16, %c1) bounds(%c0, %c0) to (%c16, %c16) : !tt.ptr<f32> -> tensor<16x16xf32>
    %d = linalg.matmul ins(%a, %b : tensor<16x16xf32>, tensor<16x16xf32>) outs(%c : tensor<16x16xf32>) -> tensor<16x16xf32>
    scf.yield %d : tensor<16x16xf32>
  }
  sg.store %acc, %z[%c0] strides(%c16, %c1) bounds(%c0, %c0) to (%c16, %c16) : tensor<16x16xf32> -> !tt.ptr<f32>
  return
}

// -----

// A block of few rows, of which few may be needed: then the register tiles read
// the right operand where it lies, one iteration at a time.

// CHECK-LABEL: func.func private @few.program
// CHECK: %[[FEW:.*]] = arith.cmpi sle, %arg3, %c18_i64
// CHECK: %[[ITERATIONS:.*]] = arith.select %[[FEW]], %c1_i64, %c
// CHECK: scf.for {{.*}} step %[[ITERATIONS]]
// CHECK: %[[RIGHT:.*]] = llvm.select %[[FEW]],
// CHECK: %[[LINE:.*]] = arith.select %[[FEW]], %c64_i64, %c16_i64
// CHECK: arith.muli {{.*}}, %[[LINE]]
// CHECK: math.fma
// DECISION: the right operand is read from the user's memory where no more than 18 rows
func.func @few(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %m: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c16 = arith.constant 16 : i64
  %c32 = arith.constant 32 : i64
  %c64 = arith.constant 64 : i64
  %c128 = arith.constant 128 : i64
  %s0 = arith.constant 0 : i32
  %s16 = arith.constant 16 : i32
  %s128 = arith.constant 128 : i32
  %zero = arith.constant dense<0.0> : tensor<16x32xf32>
  %acc = scf.for %i = %s0 to %s128 step %s16 iter_args(%c = %zero) -> (tensor<16x32xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %r = arith.muli %o, %c64 : i64
    %a = sg.load %x[%o] strides(%c128, %c1) bounds(%c0, %c0) to (%m, %c16) : !tt.ptr<f32> -> tensor<16x16xf32>
    %b = sg.load %y[%r] strides(%c64, %c1) bounds(%c0, %c0) to (%c16, %c32) : !tt.ptr<f32> -> tensor<16x32xf32>
    %d = linalg.matmul ins(%a, %b : tensor<16x16xf32>, tensor<16x32xf32>) outs(%c : tensor<16x32xf32>) -> tensor<16x32xf32>
    scf.yield %d : tensor<16x32xf32>
  }
  sg.store %acc, %z[%c0] strides(%c64, %c1) bounds(%c0, %c0) to (%m, %c32) : tensor<16x32xf32> -> !tt.ptr<f32>
  return
}

// -----

// A left operand whose columns lie side by side cannot be read where it lies:
// a program that meets its rows first packs them, six of a column at a time.

// CHECK-LABEL: func.func private @turned.program
// CHECK: llvm.load {{.*}} vector<6xf32>
// CHECK: llvm.store {{.*}} vector<6xf32>
// CHECK: iter_args({{.*}}!llvm.ptr, !llvm.ptr)
// CHECK-COUNT-48: math.fma
// CHECK-NOT: math.fma
// DECISION: the left operand is read from panels that are kept for the thread's next programs: {{.*}} packed when rows are met first
func.func @turned(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c48 = arith.constant 48 : i64
  %c32 = arith.constant 32 : i64
  %c128 = arith.constant 128 : i64
  %s0 = arith.constant 0 : i32
  %s32 = arith.constant 32 : i32
  %s128 = arith.constant 128 : i32
  %zero = arith.constant dense<0.0> : tensor<48x32xf32>
  %acc = scf.for %i = %s0 to %s128 step %s32 iter_args(%c = %zero) -> (tensor<48x32xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %r = arith.muli %o, %c128 : i64
    %a = sg.load %x[%r] strides(%c1, %c128) bounds(%c0, %c0) to (%c48, %c32) : !tt.ptr<f32> -> tensor<48x32xf32>
    %b = sg.load %y[%r] strides(%c128, %c1) bounds(%c0, %c0) to (%c32, %c32) : !tt.ptr<f32> -> tensor<32x32xf32>
    %d = linalg.matmul ins(%a, %b : tensor<48x32xf32>, tensor<32x32xf32>) outs(%c : tensor<48x32xf32>) -> tensor<48x32xf32>
    scf.yield %d : tensor<48x32xf32>
  }
  sg.store %acc, %z[%c0] strides(%c128, %c1) bounds(%c0, %c0) to (%c48, %c32) : tensor<48x32xf32> -> !tt.ptr<f32>
  return
}

// -----

// Positions that may wrap are divided only where some of them are beyond the
// end, and columns whose indices turn out to follow one another are packed
// without looking at them one by one.

// CHECK-LABEL: func.func private @wraps.program
// CHECK: %[[LESS:.*]] = arith.cmpi ult, %[[AT:.*]], %{{.*}} : vector<8xi32>
// CHECK: vector.reduction <and>, %[[LESS]]
// CHECK: scf.if
// CHECK-NEXT: scf.yield %[[AT]]
// CHECK: arith.remsi {{.*}} : vector<8xi32>
// CHECK: %[[SAME:.*]] = arith.cmpi eq, %{{.*}}, %c31_i64
// CHECK: %[[STRAIGHT:.*]] = arith.select %[[SAME]], %c32_i64, %c0_i64
// CHECK: scf.for {{.*}} = %c0_i64 to %[[STRAIGHT]] step %c16_i64
// CHECK-NOT: llvm.intr.masked.gather
// CHECK: scf.for {{.*}} = %[[STRAIGHT]] to %c32_i64 step %c16_i64
// CHECK: llvm.intr.masked.gather
func.func @wraps(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %n: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c48 = arith.constant 48 : i64
  %c32 = arith.constant 32 : i64
  %c128 = arith.constant 128 : i64
  %s0 = arith.constant 0 : i32
  %s32 = arith.constant 32 : i32
  %s128 = arith.constant 128 : i32
  %zero = arith.constant dense<0.0> : tensor<48x32xf32>
  %pid = tt.get_program_id y : i32
  %column = arith.muli %pid, %s32 : i32
  %first = tensor.splat %column : tensor<32xi32>
  %iota = sg.iota 0 : tensor<32xi32>
  %columns = arith.addi %first, %iota : tensor<32xi32>
  %ends = tensor.splat %n : tensor<32xi32>
  %wrapped = arith.remsi %columns, %ends : tensor<32xi32>
  %acc = scf.for %i = %s0 to %s128 step %s32 iter_args(%c = %zero) -> (tensor<48x32xf32>) : i32 {
    %o = arith.extsi %i : i32 to i64
    %r = arith.muli %o, %c128 : i64
    %a = sg.load %x[%o] strides(%c128, %c1) bounds(%c0, %c0) to (%c48, %c32) : !tt.ptr<f32> -> tensor<48x32xf32>
    %b = sg.load %y[%r] strides(%c128, %c0) bounds(%c0, %c0) to(%c32, %c32) indices(%wrapped : tensor<32xi32>) {indexed_dims = array<i64: 1>, wrapped_dims = array<i64: 1>} : !tt.ptr<f32> -> tensor<32x32xf32>
    %d = linalg.matmul ins(%a, %b : tensor<48x32xf32>, tensor<32x32xf32>) outs(%c : tensor<48x32xf32>) -> tensor<48x32xf32>
    scf.yield %d : tensor<48x32xf32>
  }
  sg.store %acc, %z[%c0] strides(%c128, %c1) bounds(%c0, %c0) to (%c48, %c32) : tensor<48x32xf32> -> !tt.ptr<f32>
  return
}

// -----

// Register tiles of two heights (five of six rows, two of five) are packed by one
// loop. What its vectors do not reach, where K ends, is packed element by element,
// and the right operand gets rows of zeros there.

// CHECK-LABEL: func.func private @heights.program
// CHECK: scf.for %[[TILE:.*]] = %c0_i64 to %c7_i64
// CHECK: %[[FIRST:.*]] = arith.addi
// CHECK: %[[COUNT:.*]] = arith.select %{{.*}}, %c6_i64, %c5_i64
// CHECK: arith.minui %{{.*}}, %c39_i64
// CHECK: scf.for {{.*}} step %c4_i64
// CHECK-COUNT-6: arith.extf {{.*}} vector<4xf16>
// CHECK-COUNT-4: llvm.store {{.*}} vector<8xf32>
// CHECK: scf.for {{.*}} = %c0_i64 to %[[COUNT]]
// CHECK: arith.extf {{.*}} : f16 to f32
// CHECK-NOT: vector<4xf16>
// CHECK-COUNT-2: arith.extf {{.*}} vector<8xf16>
// CHECK-NOT: arith.extf
// CHECK-COUNT-2: llvm.store %cst{{.*}} vector<8xf32>
// CHECK: math.fma
func.func @heights(%x: !tt.ptr<f16>, %y: !tt.ptr<f16>, %z: !tt.ptr<f32>, %k: i64, %trips: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c40 = arith.constant 40 : i64
  %c32 = arith.constant 32 : i64
  %c128 = arith.constant 128 : i64
  %s0 = arith.constant 0 : i32
  %s1 = arith.constant 1 : i32
  %other = arith.constant 0.0 : f16
  %zero = arith.constant dense<0.0> : tensor<40x32xf32>
  %acc = scf.for %i = %s0 to %trips step %s1 iter_args(%c = %zero) -> (tensor<40x32xf32>) : i32 {
    %number = arith.extsi %i : i32 to i64
    %o = arith.muli %number, %c32 : i64
    %p = arith.muli %o, %c32 : i64
    %left = arith.subi %k, %o : i64
    %most = arith.minsi %left, %c32 : i64
    %high = arith.maxsi %most, %c0 : i64
    %a = sg.load %x[%o] strides(%c128, %c1) bounds(%c0, %c0) to (%c40, %high) other(%other : f16) : !tt.ptr<f16> -> tensor<40x32xf16>
    %b = sg.load %y[%p] strides(%c32, %c1) bounds(%c0, %c0) to (%high, %c32) other(%other : f16) : !tt.ptr<f16> -> tensor<32x32xf16>
    %d = linalg.matmul ins(%a, %b : tensor<40x32xf16>, tensor<32x32xf16>) outs(%c : tensor<40x32xf32>) -> tensor<40x32xf32>
    scf.yield %d : tensor<40x32xf32>
  }
  sg.store %acc, %z[%c0] strides(%c32, %c1) bounds(%c0, %c0) to (%c40, %c32) : tensor<40x32xf32> -> !tt.ptr<f32>
  return
}

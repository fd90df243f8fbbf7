// RUN: seagrove-opt %s --make-range-kernel | FileCheck %s

// The program of one block moves into the loop over the programs of a range;
// its arguments are read from their slots before the loop.

// CHECK-NOT:   scale.program
// CHECK-LABEL: func.func @scale(
// CHECK-SAME:    %[[ARGS:[^:]*]]: !llvm.ptr {llvm.noalias, llvm.readonly}
// CHECK-SAME:    %[[GRID:[^:]*]]: !llvm.ptr {llvm.noalias, llvm.readonly}
// CHECK-SAME:    %[[FIRST:[^:]*]]: i64, %[[LAST:[^:]*]]: i64
// CHECK-SAME:    %[[SCRATCH:[^:]*]]: !llvm.ptr {llvm.align = 64 : i64, llvm.noalias}
// CHECK-SAME:    attributes {sg.range_kernel, sg.scratch_bytes = 128 : i64}
func.func private @scale.program(%x: !llvm.ptr, %factor: f32, %flag: i1,
                                 %pid_x: i32, %pid_y: i32, %pid_z: i32,
                                 %n_x: i32, %n_y: i32, %n_z: i32,
                                 %scratch: !llvm.ptr)
    attributes {sg.kernel_name = "scale", sg.scratch_bytes = 128 : i64} {
  // CHECK:      %[[SOME:.*]] = arith.cmpi slt, %[[FIRST]], %[[LAST]] : i64
  // CHECK:      scf.if %[[SOME]]
  // CHECK:        %[[X:.*]] = llvm.load %[[ARGS]] : !llvm.ptr -> !llvm.ptr
  // CHECK:        %[[SLOT1:.*]] = llvm.getelementptr inbounds %[[ARGS]][8]
  // CHECK:        %[[FACTOR:.*]] = llvm.load %[[SLOT1]] : !llvm.ptr -> f32
  // CHECK:        %[[SLOT2:.*]] = llvm.getelementptr inbounds %[[ARGS]][16]
  // CHECK:        %[[BYTE:.*]] = llvm.load %[[SLOT2]] : !llvm.ptr -> i8
  // CHECK:        %[[FLAG:.*]] = arith.trunci %[[BYTE]] : i8 to i1
  // CHECK:        %[[NX:.*]] = llvm.load %[[GRID]] : !llvm.ptr -> i32
  // CHECK:        llvm.getelementptr inbounds %[[GRID]][4]
  // CHECK:        %[[NY:.*]] = llvm.load
  // CHECK:        arith.remui %[[FIRST]]
  // CHECK:        arith.divui %[[FIRST]]
  // CHECK:        scf.for %{{.*}} = %[[FIRST]] to %[[LAST]] step %{{[^ ]*}}
  // CHECK-SAME:     iter_args(%[[PX:[^ ]*]] = %{{[^ ]*}}, %{{[^ ]*}} = %{{[^ ]*}}, %{{[^ ]*}} = %{{[^ ]*}})
  // CHECK-NOT:      arith.divui
  // CHECK:          llvm.getelementptr %[[X]][%[[PX]]]
  %at = llvm.getelementptr %x[%pid_x] : (!llvm.ptr, i32) -> !llvm.ptr, f32
  %old = llvm.load %at : !llvm.ptr -> f32
  // CHECK:          arith.mulf %{{.*}}, %[[FACTOR]]
  %new = arith.mulf %old, %factor : f32
  // CHECK:          arith.select %[[FLAG]]
  %kept = arith.select %flag, %new, %old : f32
  llvm.store %kept, %at : f32, !llvm.ptr
  // CHECK:          %[[X1:.*]] = arith.addi %[[PX]]
  // CHECK:          %[[WRAP:.*]] = arith.cmpi eq, %[[X1]], %[[NX]]
  // CHECK:          arith.select %[[WRAP]]
  // CHECK:          scf.yield
  return
}

// What programs keep for one another is cleared once, before the first; a
// further range of the launch on the same thread goes on with it.

// CHECK-LABEL: func.func private @keeps.range(
// CHECK-SAME:    llvm.linkage = #llvm.linkage<internal>
// CHECK-SAME:    passthrough = ["noinline"]
// CHECK:         scf.if
// CHECK:           scf.for
// CHECK-LABEL: func.func @keeps.next(
// CHECK-NEXT:    call @keeps.range(
// CHECK-NEXT:    return
// CHECK-LABEL: func.func @keeps(
// CHECK-SAME:    %[[SCRATCH:[^:]*]]: !llvm.ptr {llvm.align
// CHECK-SAME:    sg.range_kernel, sg.scratch_bytes = 256
// CHECK:         %[[FROM:.*]] = llvm.getelementptr inbounds %[[SCRATCH]][64]
// CHECK:         "llvm.intr.memset"(%[[FROM]], %{{[^,]*}}, %c128{{[^,]*}})
// CHECK:         call @keeps.range(
func.func private @keeps.program(%pid_x: i32, %pid_y: i32, %pid_z: i32,
                                 %n_x: i32, %n_y: i32, %n_z: i32, %scratch: !llvm.ptr)
    attributes {sg.kernel_name = "keeps", sg.scratch_bytes = 256 : i64,
                sg.scratch_cleared = array<i64: 64, 192>} {
  return
}

// A program with branches is called; LLVM inlines it.

// CHECK-LABEL: func.func private @branchy.program
// CHECK-SAME:    %{{[^:]*}}: !llvm.ptr {llvm.noalias})
// CHECK-SAME:    llvm.linkage = #llvm.linkage<internal>
// CHECK-SAME:    passthrough = ["alwaysinline"]
// CHECK-LABEL: func.func @branchy(
// CHECK:         func.call @branchy.program
func.func private @branchy.program(%x: !llvm.ptr, %pid_x: i32, %pid_y: i32, %pid_z: i32,
                                   %n_x: i32, %n_y: i32, %n_z: i32, %scratch: !llvm.ptr)
    attributes {sg.kernel_name = "branchy"} {
  %zero = arith.constant 0 : i32
  %first = arith.cmpi eq, %pid_x, %zero : i32
  cf.cond_br %first, ^store, ^done
^store:
  llvm.store %n_x, %x : i32, !llvm.ptr
  cf.br ^done
^done:
  return
}

// RUN: seagrove-opt %s -vectorize-blocks=vector-bits=256 -canonicalize -cse | FileCheck %s

// A mask below the number of lanes is a shuffle of one vector.

// CHECK-LABEL: func.func private @near.program
// CHECK: %[[SOURCE:.*]] = llvm.select
// CHECK: scf.for
// CHECK:   llvm.getelementptr %[[SOURCE]]
// CHECK:   %[[X:.*]] = llvm.load
// CHECK-NEXT: %[[Y:.*]] = vector.shuffle %[[X]], %[[X]] [2, 3, 0, 1, 6, 7, 4, 5]
// CHECK-NEXT: arith.maxsi %[[X]], %[[Y]]
func.func public @near(%p: !tt.ptr<i32>, %q: !tt.ptr<i32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %x = sg.load %p[%c0] strides(%c1) bounds(%c0) to(%c64) : !tt.ptr<i32> -> tensor<64xi32>
  %y = sg.butterfly %x mask 2 : tensor<64xi32>
  %m = arith.maxsi %x, %y : tensor<64xi32>
  sg.store %m, %q[%c0] strides(%c1) bounds(%c0) to(%c64) : tensor<64xi32> -> !tt.ptr<i32>
  return
}

// A higher one reads the block at another address.

// CHECK-LABEL: func.func private @far.program
// CHECK-SAME: sg.scratch_bytes = 256
// CHECK-DAG: %[[MASK:.*]] = arith.constant 16 : i64
// CHECK: scf.for
// CHECK:   llvm.store
// CHECK: scf.for %[[I:.*]] = %{{.*}} to
// CHECK:   %[[J:.*]] = arith.xori %[[I]], %[[MASK]] : i64
// CHECK:   llvm.getelementptr %{{.*}}[%[[J]]]
// CHECK-NOT: vector.shuffle
func.func public @far(%p: !tt.ptr<i32>, %q: !tt.ptr<i32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %x = sg.load %p[%c0] strides(%c1) bounds(%c0) to(%c64) : !tt.ptr<i32> -> tensor<64xi32>
  %y = sg.butterfly %x mask 16 : tensor<64xi32>
  sg.store %y, %q[%c0] strides(%c1) bounds(%c0) to(%c64) : tensor<64xi32> -> !tt.ptr<i32>
  return
}

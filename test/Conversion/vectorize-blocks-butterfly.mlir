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

// One within a group of eight vectors takes another vector of the group: two
// steps are taken between one read and one write.

// CHECK-LABEL: func.func private @group.program
// CHECK: scf.for %{{.*}} = %c0_i64 to %c128_i64 step %c64_i64
// CHECK-NOT: llvm.store
// CHECK-COUNT-8: vector.shuffle
// CHECK-NOT: vector.shuffle
// CHECK: llvm.store
func.func public @group(%p: !tt.ptr<i32>, %q: !tt.ptr<i32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c128 = arith.constant 128 : i64
  %x = sg.load %p[%c0] strides(%c1) bounds(%c0) to(%c128) : !tt.ptr<i32> -> tensor<128xi32>
  %far = sg.butterfly %x mask 16 : tensor<128xi32>
  %first = arith.subi %x, %far : tensor<128xi32>
  %near = sg.butterfly %first mask 1 : tensor<128xi32>
  %second = arith.minsi %first, %near : tensor<128xi32>
  sg.store %second, %q[%c0] strides(%c1) bounds(%c0) to(%c128) : tensor<128xi32> -> !tt.ptr<i32>
  return
}

// A bit of the position is a constant of the lanes, of the vector in its group,
// or a number.

// CHECK-LABEL: func.func private @bits.program
// CHECK-DAG: %[[LANES:.*]] = arith.constant dense<[0, 0, 1, 1, 0, 0, 1, 1]> : vector<8xi32>
// CHECK: scf.for %[[I:.*]] = %c0_i64 to %c128_i64 step %c64_i64
// CHECK: arith.shrui %[[I]], %c6_i64 : i64
// CHECK-NOT: arith.shrui
// CHECK: llvm.store
func.func public @bits(%p: !tt.ptr<i32>, %q: !tt.ptr<i32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c128 = arith.constant 128 : i64
  %one = arith.constant dense<1> : tensor<128xi32>
  %four = arith.constant dense<4> : tensor<128xi32>
  %six = arith.constant dense<6> : tensor<128xi32>
  %x = sg.load %p[%c0] strides(%c1) bounds(%c0) to(%c128) : !tt.ptr<i32> -> tensor<128xi32>
  %far = sg.butterfly %x mask 16 : tensor<128xi32>
  %iota = sg.iota 0 : tensor<128xi32>
  %s1 = arith.shrui %iota, %one : tensor<128xi32>
  %b1 = arith.andi %s1, %one : tensor<128xi32>
  %s4 = arith.shrui %iota, %four : tensor<128xi32>
  %b4 = arith.andi %s4, %one : tensor<128xi32>
  %s6 = arith.shrui %iota, %six : tensor<128xi32>
  %b6 = arith.andi %s6, %one : tensor<128xi32>
  %0 = arith.muli %far, %b1 : tensor<128xi32>
  %1 = arith.addi %0, %b4 : tensor<128xi32>
  %2 = arith.addi %1, %b6 : tensor<128xi32>
  sg.store %2, %q[%c0] strides(%c1) bounds(%c0) to(%c128) : tensor<128xi32> -> !tt.ptr<i32>
  return
}

// A higher one reads the block at another address.

// CHECK-LABEL: func.func private @far.program
// CHECK-SAME: sg.scratch_bytes = 512
// CHECK-DAG: %[[MASK:.*]] = arith.constant 64 : i64
// CHECK: scf.for
// CHECK:   llvm.store
// CHECK: scf.for %[[I:.*]] = %{{.*}} to
// CHECK:   %[[J:.*]] = arith.xori %[[I]], %[[MASK]] : i64
// CHECK:   llvm.getelementptr %{{.*}}[%[[J]]]
// CHECK-NOT: vector.shuffle
func.func public @far(%p: !tt.ptr<i32>, %q: !tt.ptr<i32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c128 = arith.constant 128 : i64
  %x = sg.load %p[%c0] strides(%c1) bounds(%c0) to(%c128) : !tt.ptr<i32> -> tensor<128xi32>
  %y = sg.butterfly %x mask 64 : tensor<128xi32>
  sg.store %y, %q[%c0] strides(%c1) bounds(%c0) to(%c128) : tensor<128xi32> -> !tt.ptr<i32>
  return
}

// RUN: seagrove-opt %s -vectorize-blocks=vector-bits=256 -canonicalize -cse | FileCheck %s

// Four blocks in memory one after the other: each is dead when the one after
// the next is made, so two places of 2 KiB serve.

// CHECK-LABEL: func.func private @chain.program
// CHECK-SAME: sg.scratch_bytes = 4096
func.func public @chain(%p: !tt.ptr<i32>, %q: !tt.ptr<i32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c512 = arith.constant 512 : i64
  %x = sg.load %p[%c0] strides(%c1) bounds(%c0) to(%c512) : !tt.ptr<i32> -> tensor<512xi32>
  %y = sg.butterfly %x mask 128 : tensor<512xi32>
  %a = arith.addi %y, %x : tensor<512xi32>
  %b = sg.butterfly %a mask 64 : tensor<512xi32>
  %c = arith.muli %b, %a : tensor<512xi32>
  %d = sg.butterfly %c mask 256 : tensor<512xi32>
  %e = arith.subi %d, %c : tensor<512xi32>
  %f = sg.butterfly %e mask 128 : tensor<512xi32>
  sg.store %f, %q[%c0] strides(%c1) bounds(%c0) to(%c512) : tensor<512xi32> -> !tt.ptr<i32>
  return
}

// What a loop carries is alive for the whole loop, beside what is made in it.

// CHECK-LABEL: func.func private @carried.program
// CHECK-SAME: sg.scratch_bytes = 4096
func.func public @carried(%p: !tt.ptr<i32>, %q: !tt.ptr<i32>, %n: i32) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c512 = arith.constant 512 : i64
  %i0 = arith.constant 0 : i32
  %i1 = arith.constant 1 : i32
  %x = sg.load %p[%c0] strides(%c1) bounds(%c0) to(%c512) : !tt.ptr<i32> -> tensor<512xi32>
  %r = scf.for %i = %i0 to %n step %i1 iter_args(%acc = %x) -> (tensor<512xi32>) : i32 {
    %y = sg.butterfly %acc mask 128 : tensor<512xi32>
    %a = arith.addi %y, %acc : tensor<512xi32>
    %b = sg.butterfly %a mask 64 : tensor<512xi32>
    scf.yield %b : tensor<512xi32>
  }
  sg.store %r, %q[%c0] strides(%c1) bounds(%c0) to(%c512) : tensor<512xi32> -> !tt.ptr<i32>
  return
}

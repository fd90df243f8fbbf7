// RUN: seagrove-opt %s -structure-accesses -split-input-file -verify-diagnostics

tt.func private @callee(%p: tensor<16x!tt.ptr<f32>>)

tt.func public @call(%x: !tt.ptr<f32>) {
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  // expected-error @below {{SG0210: this use of a block of pointers or of a tensor descriptor is not supported}}
  // expected-note @below {{they can be computed, selected, carried through loops, stored and used to read and write memory}}
  tt.call @callee(%xs) : (tensor<16x!tt.ptr<f32>>) -> ()
  tt.return
}

// -----

tt.func public @increment(%x: !tt.ptr<i32>, %n: i32, %v: tensor<16xi32>) {
  %one = arith.constant 1 : i64
  %c0 = arith.constant 0 : i32
  %d = tt.make_tensor_descriptor %x, [%n], [%one] : <i32>, <16xsi32>
  // expected-error @below {{SG0212: a descriptor reduction of this kind is not supported; add, min, max, and, or, xor are}}
  tt.descriptor_reduce inc, %d[%c0], %v : !tt.tensordesc<16xsi32>, tensor<16xi32>
  tt.return
}

// RUN: seagrove-opt %s --vectorize-blocks="vector-bits=256" --remark-policy=all --remark-format=emitRemark --remarks-filter=decision -o /dev/null 2>&1 | FileCheck %s
// RUN: seagrove-opt %s --vectorize-blocks="vector-bits=256" 2>&1 | FileCheck %s --check-prefix=QUIET

// What the pass chose is said where somebody listens, and nowhere else.

// CHECK: product {{.*}}16 x 32 x 8 of f32 and f32, computed in f32
// CHECK: product {{.*}}in register tiles of 6 x 16: 6 rows of 2 vectors of 8 elements are 12 of 16 registers
// CHECK: product {{.*}}panels are kept for the thread's next programs
// CHECK: product {{.*}}the left operand is read from the user's memory
// CHECK: overlap
// CHECK: stores {{.*}}past the caches where the launch writes
// CHECK: loop {{.*}}[16, 32]: vectors of 8 along dimension 1, masked behind the last whole one in bounds
// QUIET-NOT: remark
// QUIET: func.func private @f.program
// QUIET-NOT: remark
func.func @f(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %z: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  %c16 = arith.constant 16 : i64
  %c32 = arith.constant 32 : i64
  %zero = arith.constant dense<0.0> : tensor<16x32xf32>
  %a = sg.load %x[%c0] strides(%c8, %c1) bounds(%c0, %c0) to (%c16, %c8) : !tt.ptr<f32> -> tensor<16x8xf32>
  %b = sg.load %y[%c0] strides(%c32, %c1) bounds(%c0, %c0) to (%c8, %c32) : !tt.ptr<f32> -> tensor<8x32xf32>
  %d = linalg.matmul ins(%a, %b : tensor<16x8xf32>, tensor<8x32xf32>) outs(%zero : tensor<16x32xf32>) -> tensor<16x32xf32>
  %e = sg.load %y[%n] strides(%c32, %c1) bounds(%c0, %c0) to (%c16, %c32) : !tt.ptr<f32> -> tensor<16x32xf32>
  %sum = arith.addf %d, %e : tensor<16x32xf32>
  sg.store %sum, %z[%c0] strides(%c32, %c1) bounds(%c0, %c0) to (%c16, %n) : tensor<16x32xf32> -> !tt.ptr<f32>
  return
}

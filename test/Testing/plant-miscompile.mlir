// RUN: seagrove-opt %s --plant-miscompile=kind=select-swapped | FileCheck %s

// The second operand is chosen where the first should be.

// CHECK-LABEL: func.func @choose
func.func @choose(%c: tensor<8xi1>, %a: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<8xf32> {
  // CHECK: arith.select %{{.*}}, %arg2, %arg1
  %r = arith.select %c, %a, %b : tensor<8xi1>, tensor<8xf32>
  return %r : tensor<8xf32>
}

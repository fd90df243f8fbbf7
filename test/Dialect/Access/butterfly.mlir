// RUN: seagrove-opt %s -canonicalize -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @twice
// CHECK-NEXT: %[[Y:.*]] = sg.butterfly %{{.*}} mask 6 : tensor<8xf32>
// CHECK-NEXT: return %[[Y]]
func.func @twice(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = sg.butterfly %x mask 2 : tensor<8xf32>
  %1 = sg.butterfly %0 mask 4 : tensor<8xf32>
  return %1 : tensor<8xf32>
}

// CHECK-LABEL: func.func @back
// CHECK-SAME: (%[[X:.*]]: tensor<8xf32>)
// CHECK-NEXT: return %[[X]]
func.func @back(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = sg.butterfly %x mask 5 : tensor<8xf32>
  %1 = sg.butterfly %0 mask 5 : tensor<8xf32>
  return %1 : tensor<8xf32>
}

// -----

func.func @odd(%x: tensor<6xf32>) {
  // expected-error @+1 {{needs a length that is a power of two}}
  %0 = sg.butterfly %x mask 1 : tensor<6xf32>
  return
}

// -----

func.func @beyond(%x: tensor<8xf32>) {
  // expected-error @+1 {{has the mask 8 for a length of 8}}
  %0 = sg.butterfly %x mask 8 : tensor<8xf32>
  return
}

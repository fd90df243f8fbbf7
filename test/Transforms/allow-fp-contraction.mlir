// RUN: seagrove-opt %s --allow-fp-contraction | FileCheck %s

// Products and sums may fuse; the flags that are there stay.

// CHECK-LABEL: func.func @multiply_add
func.func @multiply_add(%a: vector<8xf32>, %b: vector<8xf32>, %c: vector<8xf32>) -> vector<8xf32> {
  // CHECK: arith.mulf %{{.*}}, %{{.*}} fastmath<contract> : vector<8xf32>
  %product = arith.mulf %a, %b : vector<8xf32>
  // CHECK: arith.addf %{{.*}}, %{{.*}} fastmath<contract> : vector<8xf32>
  %sum = arith.addf %product, %c : vector<8xf32>
  return %sum : vector<8xf32>
}

// CHECK-LABEL: func.func @other_operations
func.func @other_operations(%a: f32, %b: f32) -> f32 {
  // CHECK: arith.subf %{{.*}}, %{{.*}} fastmath<nnan,contract> : f32
  %difference = arith.subf %a, %b fastmath<nnan> : f32
  // A division has nothing to fuse with.
  // CHECK: arith.divf %{{.*}}, %{{.*}} : f32
  %quotient = arith.divf %difference, %b : f32
  return %quotient : f32
}

// A difference that must not be positive is that of rounded numbers.

// CHECK-LABEL: func.func @never_positive
func.func @never_positive(%a: f32, %b: f32) -> f32 {
  // CHECK: arith.subf %{{.*}}, %{{.*}} : f32
  %difference = arith.subf %a, %b : f32
  %e = math.exp %difference {sg.never_positive} : f32
  return %e : f32
}

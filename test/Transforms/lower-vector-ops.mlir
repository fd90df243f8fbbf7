// RUN: seagrove-opt %s --lower-vector-ops | FileCheck %s

// What LLVM has no instruction for becomes operations on single registers.

// CHECK-LABEL: func.func @row_sums
func.func @row_sums(%x: vector<4x8xf32>, %acc: vector<8xf32>) -> vector<8xf32> {
  // CHECK-NOT: vector.multi_reduction
  // CHECK-COUNT-4: arith.addf %{{.*}}, %{{.*}} : vector<8xf32>
  %sum = vector.multi_reduction <add>, %x, %acc [0] : vector<4x8xf32> to vector<8xf32>
  return %sum : vector<8xf32>
}

// CHECK-LABEL: func.func @transpose
func.func @transpose(%x: vector<4x4xf32>) -> vector<4x4xf32> {
  // CHECK-NOT: vector.transpose
  // CHECK: vector.shuffle
  %t = vector.transpose %x, [1, 0] : vector<4x4xf32> to vector<4x4xf32>
  return %t : vector<4x4xf32>
}

// CHECK-LABEL: func.func @mask
func.func @mask(%n: index) -> vector<8xi1> {
  // CHECK-NOT: vector.create_mask
  // CHECK: arith.cmpi sgt, %{{.*}}, %{{.*}} : vector<8xi64>
  %mask = vector.create_mask %n : vector<8xi1>
  return %mask : vector<8xi1>
}

// One-dimensional arithmetic needs nothing.

// CHECK-LABEL: func.func @flat
func.func @flat(%x: vector<8xf32>) -> f32 {
  // CHECK: vector.reduction <add>, %{{.*}} : vector<8xf32> into f32
  %sum = vector.reduction <add>, %x : vector<8xf32> into f32
  return %sum : f32
}

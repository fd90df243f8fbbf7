// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=128 scalable-unit-bits=128 scalable-max-bits=512 vector-registers=32" -canonicalize -cse -split-input-file | filecheck %s
// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=128 scalable-unit-bits=64 scalable-max-bits=1024 register-group=4 vector-registers=32" -canonicalize -cse -split-input-file | filecheck %s --check-prefix=GROUP
// RUN: seagrove-opt %s -vectorize-blocks="vector-bits=128 scalable-unit-bits=128 scalable-max-bits=512" -split-input-file 2>&1 >/dev/null | filecheck %s --check-prefix=REMARK

// Loops step by the length that the machine says; only the user's mask is one.

// CHECK-LABEL: func.func private @copy.program
// CHECK-DAG: %[[FOUR:.*]] = arith.constant 4 : i64
// CHECK: %[[VSCALE:.*]] = "llvm.intr.vscale"() : () -> i64
// CHECK: %[[STEP:.*]] = arith.muli %[[VSCALE]], %[[FOUR]]
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[END:.*]] step %[[STEP]]
// CHECK: llvm.load %{{.*}} -> vector<[4]xf32>
// CHECK: llvm.store %{{.*}} : vector<[4]xf32>
// CHECK: scf.for %{{.*}} = %[[END]] to %{{.*}} step %[[STEP]]
// CHECK: %[[MASK:.*]] = llvm.intr.get.active.lane.mask %{{.*}} to vector<[4]xi1>
// CHECK: llvm.intr.masked.load %{{.*}}, %[[MASK]]
// CHECK: llvm.intr.masked.store %{{.*}} : vector<[4]xf32>, vector<[4]xi1>

// The longest vectors of four registers hold 128 elements: two are what divides.
// GROUP-LABEL: func.func private @copy.program
// GROUP: llvm.load %{{.*}} -> vector<[4]xf32>
func.func @copy(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i64) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%n) : !tt.ptr<f32> -> tensor<64xf32>
  %w = arith.negf %v : tensor<64xf32>
  sg.store %w, %y[%c0] strides(%c1) bounds(%c0) to (%n) : tensor<64xf32> -> !tt.ptr<f32>
  return
}

// -----

// A block that the longest vector does not divide takes vectors of the least
// length.

// CHECK-LABEL: func.func private @small.program
// CHECK-NOT: vscale
// CHECK: llvm.load %{{.*}} -> vector<4xf32>
// CHECK-NOT: vscale
func.func @small(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c8 = arith.constant 8 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c8) : !tt.ptr<f32> -> tensor<8xf32>
  %w = arith.negf %v : tensor<8xf32>
  sg.store %w, %y[%c0] strides(%c1) bounds(%c0) to (%c8) : tensor<8xf32> -> !tt.ptr<f32>
  return
}

// -----

// One operation reduces all lanes where the combiner is one.

// CHECK-LABEL: func.func private @sum.program
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<[4]xf32>, vector<[4]xf32>, vector<[4]xf32>, vector<[4]xf32>)
// CHECK: vector.reduction <add>, %{{.*}} fastmath<reassoc> : vector<[4]xf32> into f32
// With four registers for a vector there is one chain instead of four.
// GROUP-LABEL: func.func private @sum.program
// GROUP: scf.for {{.*}} iter_args({{.*}}) -> (vector<[8]xf32>)
// GROUP: vector.reduction <add>
func.func @sum(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c1024 = arith.constant 1024 : i64
  %v = sg.load %x[%c0] strides(%c1) bounds(%c0) to (%c1024) : !tt.ptr<f32> -> tensor<1024xf32>
  %s = sg.reduce(%v) axis 0 {
  ^bb0(%a: f32, %b: f32):
    %t = arith.addf %a, %b : f32
    sg.yield %t : f32
  } : (tensor<1024xf32>) -> f32
  tt.store %y, %s : !tt.ptr<f32>
  return
}

// -----

// Lanes that change places need a number of lanes.

// CHECK-LABEL: func.func private @near.program
// CHECK: vector.shuffle {{.*}} : vector<4xi32>
// REMARK: remark: not scalable: 'sg.butterfly' exchanges lanes at fixed distances
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

// -----

// So do operations that are taken apart into elements.

// CHECK-LABEL: func.func private @high.program
// CHECK: arith.mului_extended {{.*}} : vector<4xi32>
// REMARK: remark: not scalable: 'arith.mului_extended' is taken apart into elements
func.func public @high(%p: !tt.ptr<i32>, %q: !tt.ptr<i32>) attributes {sg.kernel} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c64 = arith.constant 64 : i64
  %x = sg.load %p[%c0] strides(%c1) bounds(%c0) to(%c64) : !tt.ptr<i32> -> tensor<64xi32>
  %l, %h = arith.mului_extended %x, %x : tensor<64xi32>
  sg.store %h, %q[%c0] strides(%c1) bounds(%c0) to(%c64) : tensor<64xi32> -> !tt.ptr<i32>
  return
}

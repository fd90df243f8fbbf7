// RUN: seagrove-opt %s -expand-math | FileCheck %s
// RUN: seagrove-opt %s -expand-math=bf16-conversion | FileCheck %s --check-prefix=NATIVE
// RUN: seagrove-opt %s -expand-math="bf16-conversion bf16-flushing" | FileCheck %s --check-prefix=FLUSHING

// Where the target does not know bf16, its values are moved as i16: also the
// ones that nothing computes with.

// CHECK-LABEL: func.func @move
// CHECK-SAME: (%[[X:.*]]: i16, %[[Y:.*]]: vector<8xi16>, %{{.*}}: i1) -> vector<8xi16>
// CHECK-NOT: bf16
// CHECK: %[[ONE:.*]] = arith.constant dense<16256> : vector<8xi16>
// CHECK: %[[B:.*]] = vector.broadcast %[[X]] : i16 to vector<8xi16>
// CHECK: arith.select %{{.*}}, %[[B]], %[[ONE]] : vector<8xi16>
// CHECK: return %{{.*}} : vector<8xi16>

// NATIVE-LABEL: func.func @move
// NATIVE-SAME: (%{{.*}}: bf16,
func.func @move(%x: bf16, %y: vector<8xi16>, %p: i1) -> vector<8xbf16> {
  %one = arith.constant dense<1.0> : vector<8xbf16>
  %b = vector.broadcast %x : bf16 to vector<8xbf16>
  %s = arith.select %p, %b, %one : vector<8xbf16>
  %z = arith.bitcast %y : vector<8xi16> to vector<8xbf16>
  %r = arith.select %p, %s, %z : vector<8xbf16>
  return %r : vector<8xbf16>
}

// A conversion that makes zeros of subnormal numbers serves only where its
// result is read that way; others are computed from the bits.

// NATIVE-LABEL: func.func @convert
// NATIVE-COUNT-2: arith.truncf
// NATIVE-NOT: arith.addi
// FLUSHING-LABEL: func.func @convert
// FLUSHING: arith.addi
// FLUSHING: arith.truncf
// FLUSHING-NOT: arith.truncf
// FLUSHING: return
func.func @convert(%x: vector<8xf32>) -> (vector<8xbf16>, vector<8xbf16>) {
  %exact = arith.truncf %x : vector<8xf32> to vector<8xbf16>
  %operand = arith.truncf %x {sg.may_flush} : vector<8xf32> to vector<8xbf16>
  return %exact, %operand : vector<8xbf16>, vector<8xbf16>
}

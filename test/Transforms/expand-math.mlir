// RUN: seagrove-opt %s --expand-math | FileCheck %s
// RUN: seagrove-opt %s --expand-math="fma=false rounding=false f16-conversion=false" | FileCheck %s --check-prefix=PLAIN

// exp: limits, a reduction by ln(2) in two parts, a polynomial, and two powers
// of two whose product is 2^n. No branch, no call, no fast-math flag.

// CHECK-LABEL: func.func @exp
// PLAIN-LABEL: func.func @exp
// PLAIN-NOT:     math.fma
// PLAIN:         return
func.func @exp(%x: vector<8xf32>) -> vector<8xf32> {
  // CHECK-NOT:       math.exp
  // CHECK-NOT:       fastmath
  // CHECK:           %[[LOW:.*]] = arith.select
  // CHECK:           %[[LIMITED:.*]] = arith.select
  // CHECK:           %[[SHIFTED:.*]] = math.fma %[[LIMITED]]
  // CHECK:           %[[N:.*]] = arith.subf %[[SHIFTED]]
  // CHECK:           %[[BITS:.*]] = arith.bitcast %[[SHIFTED]] : vector<8xf32> to vector<8xi32>
  // CHECK-COUNT-8:   math.fma
  // CHECK:           arith.shli %[[BITS]]
  // CHECK:           arith.mulf
  // CHECK:           %[[RESULT:.*]] = arith.mulf
  // CHECK:           return %[[RESULT]]
  %y = math.exp %x : vector<8xf32>
  return %y : vector<8xf32>
}

// Of an argument that is never positive: one limit, and a scale that is a normal
// number, since 2^-63 is in the polynomial.

// CHECK-LABEL: func.func @exp_of_negative
func.func @exp_of_negative(%x: vector<8xf32>) -> vector<8xf32> {
  // CHECK:           %[[LIMITED:.*]] = arith.select
  // CHECK-NOT:       arith.select
  // CHECK-COUNT-9:   math.fma
  // CHECK:           %[[SCALE:.*]] = arith.shli
  // CHECK-NOT:       arith.andi
  // CHECK:           %[[RESULT:.*]] = arith.mulf
  // CHECK-NOT:       arith.mulf
  // CHECK:           return %[[RESULT]]
  %y = math.exp %x {sg.never_positive} : vector<8xf32>
  return %y : vector<8xf32>
}

// The same expansion serves scalars and scalable vectors.

// CHECK-LABEL: func.func @exp2_scalar
// CHECK:         math.fma %{{.*}}, %{{.*}}, %{{.*}} : f32
func.func @exp2_scalar(%x: f32) -> f32 {
  %y = math.exp2 %x : f32
  return %y : f32
}

// CHECK-LABEL: func.func @log_scalable
// CHECK-NOT:     call
// CHECK:         math.fma %{{.*}}, %{{.*}}, %{{.*}} : vector<[4]xf32>
func.func @log_scalable(%x: vector<[4]xf32>) -> vector<[4]xf32> {
  %y = math.log %x : vector<[4]xf32>
  return %y : vector<[4]xf32>
}

// Sine takes the long reduction only if some element asks for it.

// CHECK-LABEL: func.func @sin
// CHECK:         %[[FAR:.*]] = arith.cmpf ogt
// CHECK:         %[[ANY:.*]] = vector.reduction <or>, %[[FAR]]
// CHECK:         scf.if %[[ANY]]
func.func @sin(%x: vector<8xf32>) -> vector<8xf32> {
  %y = math.sin %x : vector<8xf32>
  return %y : vector<8xf32>
}

// Narrow formats are computed in f32 and rounded once.

// CHECK-LABEL: func.func @tanh_f16
// CHECK:         arith.extf %{{.*}} : vector<8xf16> to vector<8xf32>
// CHECK:         arith.truncf %{{.*}} : vector<8xf32> to vector<8xf16>
// PLAIN-LABEL: func.func @tanh_f16
// PLAIN-NOT:     arith.extf
// PLAIN-NOT:     arith.truncf
// PLAIN:         return
func.func @tanh_f16(%x: vector<8xf16>) -> vector<8xf16> {
  %y = math.tanh %x : vector<8xf16>
  return %y : vector<8xf16>
}

// CHECK-LABEL: func.func @add_bf16
// CHECK:         arith.shli %{{.*}} : vector<8xi32>
// CHECK:         arith.addf %{{.*}}, %{{.*}} : vector<8xf32>
// CHECK:         arith.trunci %{{.*}} : vector<8xi32> to vector<8xi16>
func.func @add_bf16(%x: vector<8xbf16>, %y: vector<8xbf16>) -> vector<8xbf16> {
  %z = arith.addf %x, %y : vector<8xbf16>
  return %z : vector<8xbf16>
}

// Without an expansion: the C library, element by element.

// CHECK-LABEL: func.func @cosh_f64
// CHECK-COUNT-2: call @cosh(%{{.*}}) : (f64) -> f64
func.func @cosh_f64(%x: vector<2xf64>) -> vector<2xf64> {
  %y = math.cosh %x : vector<2xf64>
  return %y : vector<2xf64>
}

// Instructions of the target stay; others are expanded.

// CHECK-LABEL: func.func @floor
// CHECK:         math.floor
// PLAIN-LABEL: func.func @floor
// PLAIN-NOT:     math.floor
// PLAIN:         return
func.func @floor(%x: vector<8xf32>) -> vector<8xf32> {
  %y = math.floor %x : vector<8xf32>
  return %y : vector<8xf32>
}

// A fused product that is not fused by the target is rounded once all the same.

// CHECK-LABEL: func.func @fma
// CHECK:         math.fma
// PLAIN-LABEL: func.func @fma
// PLAIN:         arith.mulf %{{.*}}, %{{.*}} : vector<8xf64>
// PLAIN:         arith.truncf %{{.*}} : vector<8xf64> to vector<8xf32>
func.func @fma(%a: vector<8xf32>, %b: vector<8xf32>, %c: vector<8xf32>) -> vector<8xf32> {
  %y = math.fma %a, %b, %c : vector<8xf32>
  return %y : vector<8xf32>
}

// f64 goes through f32 without rounding twice: toward zero first, with the last
// bit set where something was lost.

// CHECK-LABEL: func.func @narrow_f64
// CHECK:         %[[N:.*]] = arith.truncf %{{.*}} : vector<4xf64> to vector<4xf32>
// CHECK:         arith.extf %[[N]] : vector<4xf32> to vector<4xf64>
// CHECK:         arith.ori %{{.*}}, %{{.*}} : vector<4xi32>
func.func @narrow_f64(%x: vector<4xf64>) -> vector<4xf16> {
  %y = arith.truncf %x : vector<4xf64> to vector<4xf16>
  return %y : vector<4xf16>
}

// A power by an integer is the power of floats, with the sign from the integer.

// CHECK-LABEL: func.func @fpowi
// CHECK-NOT:     scf.while
// CHECK:         arith.andi %{{.*}}, %{{.*}} : vector<8xi32>
// CHECK:         return
func.func @fpowi(%x: vector<8xf32>, %n: vector<8xi32>) -> vector<8xf32> {
  %y = math.fpowi %x, %n : vector<8xf32>, vector<8xi32>
  return %y : vector<8xf32>
}

// Operations of one kind are expanded side by side, a step of each in turn,
// where no result is used before the last of them; and not where one is.

// CHECK-LABEL: func.func @side_by_side
// CHECK-SAME: (%[[X:.*]]: vector<8xf32>, %[[Y:.*]]: vector<8xf32>, %[[P:.*]]: memref
// CHECK:         arith.cmpf {{.*}}, %[[X]]
// CHECK-NEXT:    arith.cmpf {{.*}}, %[[Y]]
// CHECK:         %[[A:.*]] = math.fma
// CHECK-NEXT:    %[[B:.*]] = math.fma
// CHECK-NEXT:    arith.subf %[[A]]
// CHECK-NEXT:    arith.subf %[[B]]
// CHECK:         vector.store
// CHECK:         %[[C:.*]] = math.fma
// CHECK-NEXT:    arith.subf %[[C]]
func.func @side_by_side(%x: vector<8xf32>, %y: vector<8xf32>, %p: memref<8xf32>) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>) {
  %c0 = arith.constant 0 : index
  %a = math.exp %x : vector<8xf32>
  %b = math.exp %y : vector<8xf32>
  vector.store %a, %p[%c0] : memref<8xf32>, vector<8xf32>
  %z = vector.load %p[%c0] : memref<8xf32>, vector<8xf32>
  %c = math.exp %z : vector<8xf32>
  return %a, %b, %c : vector<8xf32>, vector<8xf32>, vector<8xf32>
}

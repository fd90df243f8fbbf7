// RUN: seagrove-opt %s -lower-to-tensor -canonicalize -cse | FileCheck %s

// 8-bit floats are bit patterns; a cast up is integer arithmetic. Subnormal
// numbers are counts of the smallest one, 2^-16 in this format.

// CHECK-LABEL: func.func private @widen
// CHECK-SAME: (%[[X:.*]]: tensor<8xi8>) -> tensor<8xf32>
// CHECK-DAG: %[[UNIT:.*]] = arith.constant dense<1.52587891E-5> : tensor<8xf32>
// CHECK: %[[W:.*]] = arith.extui %[[X]] : tensor<8xi8> to tensor<8xi32>
// CHECK: %[[MAG:.*]] = arith.andi %[[W]], %{{.*}} : tensor<8xi32>
// CHECK: %[[COUNT:.*]] = arith.uitofp %[[MAG]] : tensor<8xi32> to tensor<8xf32>
// CHECK: arith.mulf %[[COUNT]], %[[UNIT]] : tensor<8xf32>
// CHECK: %[[R:.*]] = arith.bitcast %{{.*}} : tensor<8xi32> to tensor<8xf32>
// CHECK: return %[[R]] : tensor<8xf32>
tt.func private @widen(%x: tensor<8xf8E5M2>) -> tensor<8xf32> {
  %0 = tt.fp_to_fp %x : tensor<8xf8E5M2> -> tensor<8xf32>
  tt.return %0 : tensor<8xf32>
}

// A cast down saturates at 448 (pattern 126) and keeps NaN (pattern 127).

// CHECK-LABEL: func.func private @narrow
// CHECK-SAME: (%{{.*}}: tensor<8xf32>) -> tensor<8xi8>
// CHECK-DAG: %[[MAX:.*]] = arith.constant dense<126> : tensor<8xi32>
// CHECK-DAG: %[[NAN:.*]] = arith.constant dense<127> : tensor<8xi32>
// CHECK: %[[CUT:.*]] = arith.minui %{{.*}}, %[[MAX]] : tensor<8xi32>
// CHECK: arith.select %{{.*}}, %[[NAN]], %[[CUT]] : tensor<8xi1>, tensor<8xi32>
// CHECK: arith.trunci %{{.*}} : tensor<8xi32> to tensor<8xi8>
tt.func private @narrow(%x: tensor<8xf32>) -> tensor<8xf8E4M3FN> {
  %0 = tt.fp_to_fp %x, rounding = rtne : tensor<8xf32> -> tensor<8xf8E4M3FN>
  tt.return %0 : tensor<8xf8E4M3FN>
}

// Toward zero: to nearest, and back by one where that went too far.

// CHECK-LABEL: func.func private @toward_zero
// CHECK: %[[NEAR:.*]] = arith.truncf %{{.*}} : f32 to f16
// CHECK: arith.extf %[[NEAR]] : f16 to f32
// CHECK: %[[BITS:.*]] = arith.bitcast %[[NEAR]] : f16 to i16
// CHECK: %[[ONE:.*]] = arith.extui %{{.*}} : i1 to i16
// CHECK: arith.subi %[[BITS]], %[[ONE]] : i16
tt.func private @toward_zero(%x: f32) -> f16 {
  %0 = tt.fp_to_fp %x, rounding = rtz : f32 -> f16
  tt.return %0 : f16
}

// Arithmetic is done in f32.

// CHECK-LABEL: func.func private @sum
// CHECK: %[[S:.*]] = arith.addf %{{.*}}, %{{.*}} : tensor<8xf32>
// CHECK: return %{{.*}} : tensor<8xi8>
tt.func private @sum(%x: tensor<8xf8E5M2>, %y: tensor<8xf8E5M2>) -> tensor<8xf8E5M2> {
  %0 = arith.addf %x, %y : tensor<8xf8E5M2>
  tt.return %0 : tensor<8xf8E5M2>
}

// A constant and a choice of 8-bit floats; their memory keeps its type.

// CHECK-LABEL: func.func private @moves
// CHECK-SAME: %[[X:.*]]: tensor<4xi8>
// CHECK: %[[ONE:.*]] = arith.constant dense<56> : tensor<4xi8>
// CHECK: %[[C:.*]] = arith.select %{{.*}}, %[[X]], %[[ONE]] : tensor<4xi1>, tensor<4xi8>
// CHECK: sg.store %[[C]], %{{.*}} : tensor<4xi8> -> !tt.ptr<f8E4M3FN>
tt.func private @moves(%x: tensor<4xf8E4M3FN>, %c: tensor<4xi1>, %p: !tt.ptr<f8E4M3FN>) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c4 = arith.constant 4 : i64
  %one = arith.constant dense<1.0> : tensor<4xf8E4M3FN>
  %0 = arith.select %c, %x, %one : tensor<4xi1>, tensor<4xf8E4M3FN>
  sg.store %0, %p[%c0] strides(%c1) bounds(%c0) to(%c4) : tensor<4xf8E4M3FN> -> !tt.ptr<f8E4M3FN>
  tt.return
}

// A product of 8-bit floats is one of bf16, which holds each of their values.

// CHECK-LABEL: func.func private @product
// CHECK: linalg.matmul {{.*}} ins(%{{.*}}, %{{.*}} : tensor<16x16xbf16>, tensor<16x16xbf16>) outs(%{{.*}} : tensor<16x16xf32>)
tt.func private @product(%a: tensor<16x16xf8E5M2>, %b: tensor<16x16xf8E4M3FN>, %c: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %0 = tt.dot %a, %b, %c : tensor<16x16xf8E5M2> * tensor<16x16xf8E4M3FN> -> tensor<16x16xf32>
  tt.return %0 : tensor<16x16xf32>
}

// Sums of f16 take operands of f16, to which bf16 does not widen.

// CHECK-LABEL: func.func private @half_product
// CHECK: linalg.matmul {{.*}} ins(%{{.*}}, %{{.*}} : tensor<16x16xf16>, tensor<16x16xf16>) outs(%{{.*}} : tensor<16x16xf16>)
tt.func private @half_product(%a: tensor<16x16xf8E5M2>, %b: tensor<16x16xf8E4M3FN>, %c: tensor<16x16xf16>) -> tensor<16x16xf16> {
  %0 = tt.dot %a, %b, %c : tensor<16x16xf8E5M2> * tensor<16x16xf8E4M3FN> -> tensor<16x16xf16>
  tt.return %0 : tensor<16x16xf16>
}

// Scales are exponents, one for 32 elements along K; 4-bit elements come in
// pairs.

// CHECK-LABEL: func.func private @scaled
// CHECK-SAME: (%[[A:.*]]: tensor<16x32xi8>, %[[S:.*]]: tensor<16x2xi8>, %[[B:.*]]: tensor<64x16xbf16>
// CHECK: %[[PAIRS:.*]] = tensor.concat dim(2) %{{.*}}, %{{.*}} : (tensor<16x32x1xi8>, tensor<16x32x1xi8>) -> tensor<16x32x2xi8>
// CHECK: tensor.collapse_shape %[[PAIRS]] {{\[\[}}0], [1, 2]] : tensor<16x32x2xi8> into tensor<16x64xi8>
// CHECK: %[[WIDE:.*]] = arith.extui %[[S]] : tensor<16x2xi8> to tensor<16x2xi16>
// CHECK: %[[EXP:.*]] = arith.shli %[[WIDE]], %{{.*}} : tensor<16x2xi16>
// CHECK: linalg.broadcast ins(%{{.*}} : tensor<16x2xbf16>) outs(%{{.*}} : tensor<16x2x32xbf16>) dimensions = [2]
// CHECK: %[[L:.*]] = arith.mulf %{{.*}} : tensor<16x64xbf16>
// CHECK: linalg.matmul ins(%[[L]], %[[B]] : tensor<16x64xbf16>, tensor<64x16xbf16>)
tt.func private @scaled(%a: tensor<16x32xi8>, %s: tensor<16x2xi8>, %b: tensor<64x16xbf16>, %c: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %0 = tt.dot_scaled %a scale %s, %b, %c lhs = e2m1 rhs = bf16 {fastMath = false} : tensor<16x32xi8>, tensor<16x2xi8> * tensor<64x16xbf16> -> tensor<16x16xf32>
  tt.return %0 : tensor<16x16xf32>
}

// A wide integer becomes bf16 by way of f32; what that has no place for is
// gathered in the last bit kept, so that it is rounded once.

// CHECK-LABEL: func.func private @integer_to_bf16
// CHECK-SAME: (%[[X:.*]]: tensor<16xi32>)
// CHECK: %[[LARGE:.*]] = arith.cmpi uge
// CHECK: %[[LOST:.*]] = arith.andi %[[X]]
// CHECK: %[[KEPT:.*]] = arith.select %[[LARGE]], %{{.*}}, %[[X]]
// CHECK: arith.sitofp %[[KEPT]] : tensor<16xi32> to tensor<16xbf16>
tt.func private @integer_to_bf16(%x: tensor<16xi32>) -> tensor<16xbf16> {
  %0 = arith.sitofp %x : tensor<16xi32> to tensor<16xbf16>
  tt.return %0 : tensor<16xbf16>
}

// RUN: seagrove-opt %s -flatten-blocks -canonicalize -cse | FileCheck %s

// One step of a sorting network over 16 elements: neighbours at distance 4
// compare, and the order changes every 8 elements.

// CHECK-LABEL: func.func @step
// CHECK-SAME: (%[[X:.*]]: tensor<16xi32>)
// CHECK-NOT: sg.reduce
// CHECK-NOT: 2x2x2x2
// CHECK: %[[Y:.*]] = sg.butterfly %[[X]] mask 4 : tensor<16xi32>
// CHECK: %[[GREATER:.*]] = arith.cmpi sgt, %[[X]], %[[Y]]
// CHECK-NOT: arith.extui
// CHECK: %[[I:.*]] = sg.iota 0 : tensor<16xi32>
// CHECK: arith.shrui %[[I]], %[[TWO:.*]] : tensor<16xi32>
// CHECK: arith.shrui %[[I]], %[[THREE:.*]] : tensor<16xi32>
// CHECK: arith.xori
// CHECK: %[[BIT:.*]] = arith.cmpi ne
// CHECK: arith.xori %[[GREATER]], %[[BIT]] : tensor<16xi1>
// CHECK: %[[R:.*]] = arith.select %{{.*}}, %[[Y]], %[[X]] : tensor<16xi1>, tensor<16xi32>
// CHECK: return %[[R]] : tensor<16xi32>
func.func @step(%a: tensor<16xi32>) -> tensor<16xi32> {
  %x = tensor.expand_shape %a [[0, 1, 2, 3]] output_shape [2, 2, 2, 2]
      : tensor<16xi32> into tensor<2x2x2x2xi32>
  %pair = sg.reduce(%x) axis 1 {
  ^bb0(%l: i32, %r: i32):
    %s = arith.xori %l, %r : i32
    sg.yield %s : i32
  } : (tensor<2x2x2x2xi32>) -> tensor<2x2x2xi32>
  %e = tensor.empty() : tensor<2x2x2x2xi32>
  %spread = linalg.broadcast ins(%pair : tensor<2x2x2xi32>)
      outs(%e : tensor<2x2x2x2xi32>) dimensions = [1]
  %y = arith.xori %x, %spread : tensor<2x2x2x2xi32>
  %greater = arith.cmpi sgt, %x, %y : tensor<2x2x2x2xi32>
  %which = arith.extui %greater : tensor<2x2x2x2xi1> to tensor<2x2x2x2xi32>
  %iota = sg.iota 0 : tensor<2xi32>
  %e2 = tensor.empty() : tensor<2x2xi32>
  %right = linalg.broadcast ins(%iota : tensor<2xi32>)
      outs(%e2 : tensor<2x2xi32>) dimensions = [0]
  %flip = linalg.broadcast ins(%iota : tensor<2xi32>)
      outs(%e2 : tensor<2x2xi32>) dimensions = [1]
  %order = arith.xori %right, %flip : tensor<2x2xi32>
  %orders = linalg.broadcast ins(%order : tensor<2x2xi32>)
      outs(%e : tensor<2x2x2x2xi32>) dimensions = [2, 3]
  %swap = arith.cmpi ne, %which, %orders : tensor<2x2x2x2xi32>
  %next = arith.select %swap, %y, %x : tensor<2x2x2x2xi1>, tensor<2x2x2x2xi32>
  %b = tensor.collapse_shape %next [[0, 1, 2, 3]]
      : tensor<2x2x2x2xi32> into tensor<16xi32>
  return %b : tensor<16xi32>
}

// A flip of the last dimension: two exchanges are one.

// CHECK-LABEL: func.func @flip
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %{{.*}} {{\[}}[0, 1]] : tensor<8x4xi32> into tensor<32xi32>
// CHECK: %[[FLIPPED:.*]] = sg.butterfly %[[FLAT]] mask 3 : tensor<32xi32>
// CHECK-NOT: sg.butterfly
// CHECK: tensor.expand_shape %[[FLIPPED]] {{\[}}[0, 1]] output_shape [8, 4]
func.func @flip(%a: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %bits = arith.bitcast %a : tensor<8x4xf32> to tensor<8x4xi32>
  %x = tensor.expand_shape %bits [[0], [1, 2]] output_shape [8, 2, 2]
      : tensor<8x4xi32> into tensor<8x2x2xi32>
  %e = tensor.empty() : tensor<8x2x2xi32>
  %0 = sg.reduce(%x) axis 1 {
  ^bb0(%l: i32, %r: i32):
    %s = arith.xori %l, %r : i32
    sg.yield %s : i32
  } : (tensor<8x2x2xi32>) -> tensor<8x2xi32>
  %1 = linalg.broadcast ins(%0 : tensor<8x2xi32>)
      outs(%e : tensor<8x2x2xi32>) dimensions = [1]
  %2 = arith.xori %x, %1 : tensor<8x2x2xi32>
  %3 = sg.reduce(%2) axis 2 {
  ^bb0(%l: i32, %r: i32):
    %s = arith.xori %l, %r : i32
    sg.yield %s : i32
  } : (tensor<8x2x2xi32>) -> tensor<8x2xi32>
  %4 = linalg.broadcast ins(%3 : tensor<8x2xi32>)
      outs(%e : tensor<8x2x2xi32>) dimensions = [2]
  %5 = arith.xori %2, %4 : tensor<8x2x2xi32>
  %6 = tensor.collapse_shape %5 [[0], [1, 2]]
      : tensor<8x2x2xi32> into tensor<8x4xi32>
  %7 = arith.bitcast %6 : tensor<8x4xi32> to tensor<8x4xf32>
  return %7 : tensor<8x4xf32>
}

// The reduction in the middle of a top-k.

// CHECK-LABEL: func.func @halve
// CHECK: sg.reduce(%{{.*}}) axis 1
// CHECK: (tensor<4x2x8xf32>) -> tensor<4x8xf32>
func.func @halve(%a: tensor<64xf32>) -> tensor<32xf32> {
  %x = tensor.expand_shape %a [[0, 1, 2, 3, 4, 5]] output_shape [2, 2, 2, 2, 2, 2]
      : tensor<64xf32> into tensor<2x2x2x2x2x2xf32>
  %max = sg.reduce(%x) axis 2 {
  ^bb0(%l: f32, %r: f32):
    %m = arith.maximumf %l, %r : f32
    sg.yield %m : f32
  } : (tensor<2x2x2x2x2x2xf32>) -> tensor<2x2x2x2x2xf32>
  %b = tensor.collapse_shape %max [[0, 1, 2, 3, 4]]
      : tensor<2x2x2x2x2xf32> into tensor<32xf32>
  return %b : tensor<32xf32>
}

// A sum along a dimension of two is no exchange.

// CHECK-LABEL: func.func @not_an_exchange
// CHECK: sg.reduce
// CHECK-NOT: sg.butterfly
func.func @not_an_exchange(%x: tensor<4x2xi32>) -> tensor<4x2xi32> {
  %0 = sg.reduce(%x) axis 1 {
  ^bb0(%l: i32, %r: i32):
    %s = arith.addi %l, %r : i32
    sg.yield %s : i32
  } : (tensor<4x2xi32>) -> tensor<4xi32>
  %e = tensor.empty() : tensor<4x2xi32>
  %1 = linalg.broadcast ins(%0 : tensor<4xi32>)
      outs(%e : tensor<4x2xi32>) dimensions = [1]
  %2 = arith.xori %x, %1 : tensor<4x2xi32>
  return %2 : tensor<4x2xi32>
}

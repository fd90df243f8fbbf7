// RUN: seagrove-opt %s --expand-division | FileCheck %s
// RUN: seagrove-opt %s --expand-division=vectors=true | FileCheck %s --check-prefix=NATIVE

// One divisor for all elements: a product with its reciprocal, in f64.
// CHECK-LABEL: func.func @uniform
// CHECK-SAME: (%[[A:.*]]: vector<8xi32>, %[[B:.*]]: i32)
// CHECK: %[[DIVISORS:.*]] = vector.broadcast %[[B]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[DIVISORS]]
// CHECK: %[[ODD:.*]] = arith.cmpi ult, %[[NEXT]]
// CHECK: %[[SAFE:.*]] = arith.select %[[ODD]], %{{.*}}, %[[DIVISORS]]
// CHECK: %[[NUMBER:.*]] = arith.sitofp %[[A]] : vector<8xi32> to vector<8xf64>
// CHECK: %[[FIRST:.*]] = vector.extract %[[SAFE]][0]
// CHECK: %[[FLOAT:.*]] = arith.sitofp %[[FIRST]] : i32 to f64
// CHECK: %[[RECIPROCAL:.*]] = arith.divf %{{.*}}, %[[FLOAT]] : f64
// CHECK: %[[HALF:.*]] = math.copysign %{{.*}}, %[[NUMBER]]
// CHECK: %[[SUM:.*]] = arith.addf %[[NUMBER]], %[[HALF]]
// CHECK: %[[ALL:.*]] = vector.broadcast %[[RECIPROCAL]]
// CHECK: %[[PRODUCT:.*]] = arith.mulf %[[SUM]], %[[ALL]]
// CHECK: %[[CUT:.*]] = arith.fptosi %[[PRODUCT]]
// CHECK: %[[MINUS:.*]] = arith.subi %{{.*}}, %[[A]]
// CHECK: %[[IS_MINUS_ONE:.*]] = arith.cmpi eq, %[[DIVISORS]]
// CHECK: %[[RESULT:.*]] = arith.select %[[IS_MINUS_ONE]], %[[MINUS]], %[[CUT]]
// CHECK: return %[[RESULT]]
// NATIVE-LABEL: func.func @uniform
// NATIVE-NOT: f64
// NATIVE: arith.divsi
func.func @uniform(%a: vector<8xi32>, %b: i32) -> vector<8xi32> {
  %divisors = vector.broadcast %b : i32 to vector<8xi32>
  %q = arith.divsi %a, %divisors : vector<8xi32>
  return %q : vector<8xi32>
}

// Sixteen bits fit into f32; each element has a divisor of its own. What the
// quotient leaves is the remainder.
// CHECK-LABEL: func.func @remainders
// CHECK-SAME: (%[[A:.*]]: vector<8xi16>, %[[B:.*]]: vector<8xi16>)
// CHECK: %[[SMALL:.*]] = arith.cmpi ult, %[[B]]
// CHECK: %[[SAFE:.*]] = arith.select %[[SMALL]], %{{.*}}, %[[B]]
// CHECK: %[[X:.*]] = arith.uitofp %[[A]] : vector<8xi16> to vector<8xf32>
// CHECK: %[[Y:.*]] = arith.uitofp %[[SAFE]] : vector<8xi16> to vector<8xf32>
// CHECK: %[[EXACT:.*]] = arith.divf %[[X]], %[[Y]]
// CHECK: %[[CUT:.*]] = arith.fptosi %[[EXACT]]
// CHECK: %[[Q:.*]] = arith.select %[[SMALL]], %[[A]], %[[CUT]]
// CHECK: %[[WHOLE:.*]] = arith.muli %[[Q]], %[[B]]
// CHECK: %[[REST:.*]] = arith.subi %[[A]], %[[WHOLE]]
// CHECK: return %[[REST]]
func.func @remainders(%a: vector<8xi16>, %b: vector<8xi16>) -> vector<8xi16> {
  %r = arith.remui %a, %b : vector<8xi16>
  return %r : vector<8xi16>
}

// CHECK-LABEL: func.func @scalars
// CHECK-SAME: (%[[A:.*]]: i64, %[[B:.*]]: i64)
// CHECK: %[[NEXT:.*]] = arith.addi %[[B]]
// CHECK: %[[ODD:.*]] = arith.cmpi ult, %[[NEXT]]
// CHECK: %[[SAFE:.*]] = arith.select %[[ODD]], %{{.*}}, %[[B]]
// CHECK: %[[Q:.*]] = arith.divsi %[[A]], %[[SAFE]]
// CHECK: %[[MINUS:.*]] = arith.subi %{{.*}}, %[[A]]
// CHECK: %[[IS_MINUS_ONE:.*]] = arith.cmpi eq, %[[B]]
// CHECK: %[[RESULT:.*]] = arith.select %[[IS_MINUS_ONE]], %[[MINUS]], %[[Q]]
// CHECK: return %[[RESULT]]
func.func @scalars(%a: i64, %b: i64) -> i64 {
  %q = arith.divsi %a, %b : i64
  return %q : i64
}

// A register of 64-bit integers, or of a length that is known at run time, is
// divided by the chip.
// CHECK-LABEL: func.func @wide
// CHECK: %[[SAFE:.*]] = arith.select
// CHECK: arith.remui %{{.*}}, %[[SAFE]] : vector<4xi64>
// CHECK: %[[OTHER:.*]] = arith.select
// CHECK: arith.divui %{{.*}}, %[[OTHER]] : vector<[4]xi32>
func.func @wide(%a: vector<4xi64>, %b: vector<4xi64>, %c: vector<[4]xi32>, %d: vector<[4]xi32>) -> (vector<4xi64>, vector<[4]xi32>) {
  %r = arith.remui %a, %b : vector<4xi64>
  %q = arith.divui %c, %d : vector<[4]xi32>
  return %r, %q : vector<4xi64>, vector<[4]xi32>
}

// What LLVM does by a multiplication stays.
// CHECK-LABEL: func.func @constants
// CHECK-NEXT: %[[SEVEN:.*]] = arith.constant dense<7>
// CHECK-NEXT: arith.divsi %{{.*}}, %[[SEVEN]]
// CHECK-NEXT: arith.constant 0 : index
// CHECK-NEXT: arith.constant 1 : index
// CHECK: arith.select
// CHECK: arith.remui
func.func @constants(%a: vector<8xi32>, %b: index) -> (vector<8xi32>, index) {
  %seven = arith.constant dense<7> : vector<8xi32>
  %q = arith.divsi %a, %seven : vector<8xi32>
  %zero = arith.constant 0 : index
  %r = arith.remui %b, %zero : index
  return %q, %r : vector<8xi32>, index
}

// Truth values: a number by 1 is the number.
// CHECK-LABEL: func.func @truth
// CHECK-SAME: (%[[A:[a-z0-9]+]]: vector<8xi1>
// CHECK-NEXT: return %[[A]]
func.func @truth(%a: vector<8xi1>, %b: vector<8xi1>) -> vector<8xi1> {
  %q = arith.divui %a, %b : vector<8xi1>
  return %q : vector<8xi1>
}

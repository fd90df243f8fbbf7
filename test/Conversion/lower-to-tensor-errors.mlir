// RUN: seagrove-opt %s -lower-to-tensor -split-input-file -verify-diagnostics

tt.func public @unknown_function(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error @below {{SG0310: the library function '__nv_normcdff' is not available on this backend}}
  // expected-note @below {{use a function of tl.math, or write it out with Triton operations}}
  %0 = tt.extern_elementwise %x {libname = "", libpath = "", pure = true, symbol = "__nv_normcdff"} : (tensor<8xf32>) -> tensor<8xf32>
  tt.return %0 : tensor<8xf32>
}

// -----

tt.func public @six_bits(%a: tensor<32x32xi8>, %c: tensor<32x32xf32>) -> tensor<32x32xf32> {
  // expected-error @below {{SG0302: dot_scaled with 6-bit elements (e2m3, e3m2) is not supported}}
  %0 = tt.dot_scaled %a, %a, %c lhs = e2m3 rhs = e2m3 {fastMath = false} : tensor<32x32xi8> * tensor<32x32xi8> -> tensor<32x32xf32>
  tt.return %0 : tensor<32x32xf32>
}

// RUN: seagrove-opt %s -split-input-file -verify-diagnostics -vectorize-blocks
// RUN: not seagrove-opt %s -vectorize-blocks="matrix-units=abacus" 2>&1 | FileCheck %s

// CHECK: there is no matrix unit called 'abacus'

// expected-error @+1 {{SG0404: a kernel cannot take a block as an argument}}
func.func @takes_a_block(%x: tensor<4xf32>) attributes {sg.kernel} {
  return
}

// RUN: seagrove-opt %s --sg-lower-to-llvm | FileCheck %s

// The whole way of a small kernel from vector form to LLVM dialect: exported
// under its name, everything converted, the loop over elements rotated.

// CHECK-LABEL: llvm.func @double(
// CHECK-NOT:     unrealized_conversion_cast
// CHECK:         llvm.load %{{.*}} : !llvm.ptr -> vector<8xf32>
// CHECK:         llvm.fadd %{{.*}} {fastmathFlags = #llvm.fastmath<contract>} : vector<8xf32>
// CHECK:         llvm.store
// CHECK:         llvm.cond_br
// CHECK-NOT:     scf.
// CHECK-NOT:     arith.
func.func private @double.program(%x: !llvm.ptr, %n: i64,
                                  %pid_x: i32, %pid_y: i32, %pid_z: i32,
                                  %n_x: i32, %n_y: i32, %n_z: i32, %scratch: !llvm.ptr)
    attributes {sg.kernel_name = "double"} {
  %zero = arith.constant 0 : i64
  %eight = arith.constant 8 : i64
  scf.for %i = %zero to %n step %eight : i64 {
    %at = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %old = llvm.load %at {alignment = 4 : i64} : !llvm.ptr -> vector<8xf32>
    %new = arith.addf %old, %old : vector<8xf32>
    llvm.store %new, %at {alignment = 4 : i64} : vector<8xf32>, !llvm.ptr
  }
  return
}

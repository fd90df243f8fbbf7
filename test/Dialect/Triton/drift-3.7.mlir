// RUN: seagrove-opt %s | filecheck %s
// RUN: seagrove-opt %s -o %t.once && seagrove-opt %t.once | diff %t.once -

// What Triton 3.7 writes otherwise than both 3.6 and 3.9.

// CHECK-LABEL: @barrier
tt.func public @barrier() {
  // CHECK: ttg.barrier all
  ttg.barrier all
  // CHECK: ttg.barrier local|global_read
  ttg.barrier local|global_read
  tt.return
}

// The padding of a descriptor came with 3.7, the type was still the old one.
// CHECK-LABEL: @padding
tt.func public @padding(%p: !tt.ptr<f32>, %n: i32, %s: i64) {
  // CHECK: tt.make_tensor_descriptor %{{.*}}, [%{{.*}}], [%{{.*}}] {padding = 2 : i32} : <f32>, <8xf32>
  %0 = tt.make_tensor_descriptor %p, [%n], [%s] {padding = 2 : i32} : <f32>, <tensor<8xf32>>
  // CHECK: tt.make_tensor_descriptor %{{.*}}, [%{{.*}}], [%{{.*}}] : <f32>, <8xf32>
  %1 = tt.make_tensor_descriptor %p, [%n], [%s] {padding = 1 : i32} : <f32>, <tensor<8xf32>>
  tt.return
}

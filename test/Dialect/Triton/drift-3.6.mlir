// RUN: seagrove-opt %s | filecheck %s
// RUN: seagrove-opt %s -o %t.once && seagrove-opt %t.once | diff %t.once -

// What Triton 3.6 writes otherwise than 3.9, and what it becomes.

// The cache modifier and the eviction policy were clauses of their own.
// CHECK-LABEL: @cache_policy
tt.func public @cache_policy(%p: tensor<64x!tt.ptr<f32>>, %m: tensor<64xi1>, %v: tensor<64xf32>) {
  // CHECK: tt.load %{{[^{]*}} {cachePolicy = #tt.cache_policy<cache_modifier = ca, eviction_policy = evict_normal>} :
  %0 = tt.load %p cacheModifier = ca : tensor<64x!tt.ptr<f32>>
  // CHECK: tt.load %{{[^{]*}} {cachePolicy = #tt.cache_policy<cache_modifier = none, eviction_policy = evict_last>} :
  %1 = tt.load %p evictionPolicy = evict_last : tensor<64x!tt.ptr<f32>>
  // CHECK: tt.load %{{[^{]*}} {cachePolicy = #tt.cache_policy<cache_modifier = cv, eviction_policy = evict_first>, isVolatile = true} :
  %2 = tt.load %p, %m, %v cacheModifier = cv evictionPolicy = evict_first {isVolatile = true} : tensor<64x!tt.ptr<f32>>
  // CHECK: tt.store %{{[^{]*}} {cachePolicy = #tt.cache_policy<cache_modifier = cs, eviction_policy = evict_last>} :
  tt.store %p, %v, %m evictionPolicy = evict_last cacheModifier = cs : tensor<64x!tt.ptr<f32>>
  tt.return
}

// The type of a descriptor wrapped a tensor type.
// CHECK-LABEL: @descriptors
// CHECK-SAME: !tt.tensordesc<16x64xf16>
tt.func public @descriptors(%d: !tt.tensordesc<tensor<16x64xf16>>, %p: !tt.ptr<i32>, %n: i32, %s: i64) {
  // CHECK: tt.descriptor_load %{{.*}} {cachePolicy = #tt.cache_policy<cache_modifier = cg, eviction_policy = evict_normal>} : !tt.tensordesc<16x64xf16> -> tensor<16x64xf16>
  %0 = tt.descriptor_load %d[%n, %n] cacheModifier = cg : !tt.tensordesc<tensor<16x64xf16>> -> tensor<16x64xf16>
  // CHECK: tt.make_tensor_descriptor %{{.*}}, [%{{.*}}, %{{.*}}], [%{{.*}}, %{{.*}}] : <i32>, <16x32xui32>
  %1 = tt.make_tensor_descriptor %p, [%n, %n], [%s, %s] : <i32>, <tensor<16x32xui32>>
  tt.return
}

// tl.make_block_ptr was an operation.
// CHECK-LABEL: @block_pointers
tt.func public @block_pointers(%p: !tt.ptr<f16>, %n: i64, %i: i32) {
  // CHECK: tt.make_tensor_ptr %{{.*}}, [%{{.*}}, %{{.*}}], [%{{.*}}, %{{.*}}], [%{{.*}}, %{{.*}}] {order = array<i32: 1, 0>} : <tensor<16x32xf16>>
  %0 = tt.make_tensor_ptr %p, [%n, %n], [%n, %n], [%i, %i] {order = array<i32: 1, 0>} : <tensor<16x32xf16>>
  // CHECK: tt.load %{{.*}} {boundaryCheck = array<i32: 1>, cachePolicy = #tt.cache_policy<cache_modifier = cg, eviction_policy = evict_last>, padding = 2 : i32} : !tt.ptr<tensor<16x32xf16>>
  %1 = tt.load %0 cacheModifier = cg evictionPolicy = evict_last {boundaryCheck = array<i32: 1>, padding = 2 : i32} : !tt.ptr<tensor<16x32xf16>>
  // CHECK: tt.advance %{{.*}}, [%{{.*}}, %{{.*}}] : <tensor<16x32xf16>>
  %2 = tt.advance %0, [%i, %i] : <tensor<16x32xf16>>
  tt.return
}

// tl.debug_barrier.
// CHECK-LABEL: @barrier
tt.func public @barrier() {
  // CHECK: gpu.barrier
  gpu.barrier
  tt.return
}

// Address spaces had numbers.
// CHECK: @address_spaces(!tt.ptr<f32>, !tt.ptr<f32, "constant">)
tt.func private @address_spaces(!tt.ptr<f32, 1>, !tt.ptr<f32, 4>)

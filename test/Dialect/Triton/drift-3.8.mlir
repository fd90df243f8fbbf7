// RUN: seagrove-opt %s | filecheck %s
// RUN: seagrove-opt %s -o %t.once && seagrove-opt %t.once | diff %t.once -

// Triton 3.8: the descriptors of 3.9 with the cache clauses of 3.6.

// CHECK-LABEL: @mixed
// CHECK-SAME: !tt.tensordesc<8xf32>
tt.func public @mixed(%d: !tt.tensordesc<8xf32>, %n: i32, %p: !tt.ptr<f32>) {
  // CHECK: tt.descriptor_load %{{.*}} {cachePolicy = #tt.cache_policy<cache_modifier = none, eviction_policy = evict_first>} : !tt.tensordesc<8xf32> -> tensor<8xf32>
  %0 = tt.descriptor_load %d[%n] evictionPolicy = evict_first : !tt.tensordesc<8xf32> -> tensor<8xf32>
  // CHECK: tt.load %{{.*}} {cachePolicy = #tt.cache_policy<cache_modifier = cg, eviction_policy = evict_normal>} : !tt.ptr<f32>
  %1 = tt.load %p cacheModifier = cg : !tt.ptr<f32>
  tt.return
}

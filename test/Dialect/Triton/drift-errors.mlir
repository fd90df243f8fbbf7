// RUN: seagrove-opt %s --split-input-file --verify-diagnostics

tt.func public @unknown_cache(%p: !tt.ptr<f32>) {
  // expected-error @+1 {{expected one of [none, ca, cg, wb, cs, wt, cv] for cache level of an access, got: l3}}
  %0 = tt.load %p cacheModifier = l3 : !tt.ptr<f32>
  tt.return
}

// -----

tt.func public @unknown_barrier() {
  // expected-error @+1 {{unknown memory of a barrier: 'nothing'}}
  ttg.barrier nothing
  tt.return
}

// -----

tt.func public @unknown_dimension() {
  // expected-error @+1 {{expected string or keyword containing one of the following enum values for attribute 'axis' [x, y, z]}}
  %0 = tt.get_program_id w : i32
  tt.return
}

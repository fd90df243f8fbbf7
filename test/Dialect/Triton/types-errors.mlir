// RUN: seagrove-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{unknown address space 'shared'; known are "global", "constant" and numbers}}
tt.func private @space(!tt.ptr<f32, "shared">)

// -----

// expected-error @+1 {{a pointer points to an integer, a float, a pointer or a block, not to 'index'}}
tt.func private @pointee(!tt.ptr<index>)

// -----

// expected-error @+1 {{a tensor descriptor needs at least one dimension}}
tt.func private @rank(!tt.tensordesc<f32>)

// -----

// expected-error @+1 {{elements of a tensor descriptor are integers or floats, not '!tt.ptr<f32>'}}
tt.func private @elements(!tt.tensordesc<8x!tt.ptr<f32>>)

// RUN: seagrove-opt %s --split-input-file --verify-diagnostics

// Messages speak of what the user wrote. Texts that the short form cannot hold are generic.

tt.func public @mask_shape(%p: tensor<128x!tt.ptr<f32>>, %m: tensor<64xi1>) {
  // expected-error @+1 {{mask has shape 64 but the pointers have shape 128}}
  %0 = "tt.load"(%p, %m) <{operandSegmentSizes = array<i32: 1, 1, 0>}> : (tensor<128x!tt.ptr<f32>>, tensor<64xi1>) -> tensor<128xf32>
  tt.return
}

// -----

tt.func public @scalar_mask(%p: tensor<128x!tt.ptr<f32>>, %m: i1) {
  // expected-error @+1 {{mask has shape scalar but the pointers have shape 128}}
  %0 = "tt.load"(%p, %m) <{operandSegmentSizes = array<i32: 1, 1, 0>}> : (tensor<128x!tt.ptr<f32>>, i1) -> tensor<128xf32>
  tt.return
}

// -----

tt.func public @other_type(%p: tensor<128x!tt.ptr<f32>>, %m: tensor<128xi1>, %o: tensor<128xf16>) {
  // expected-error @+1 {{other has elements of type 'f16' but the pointers point to 'f32'}}
  %0 = "tt.load"(%p, %m, %o) <{operandSegmentSizes = array<i32: 1, 1, 1>}> : (tensor<128x!tt.ptr<f32>>, tensor<128xi1>, tensor<128xf16>) -> tensor<128xf32>
  tt.return
}

// -----

tt.func public @other_without_mask(%p: tensor<128x!tt.ptr<f32>>, %o: tensor<128xf32>) {
  // expected-error @+1 {{has `other` but no mask}}
  %0 = "tt.load"(%p, %o) <{operandSegmentSizes = array<i32: 1, 0, 1>}> : (tensor<128x!tt.ptr<f32>>, tensor<128xf32>) -> tensor<128xf32>
  tt.return
}

// -----

tt.func public @load_of_number(%p: f32) {
  // expected-error @+1 {{'ptr' must be pointer, block of pointers or block pointer, but got 'f32'}}
  %0 = tt.load %p : f32
  tt.return
}

// -----

tt.func public @boundary_of_pointers(%p: tensor<128x!tt.ptr<f32>>) {
  // expected-error @+1 {{checks the bounds of a block of 128 pointers to f32; only block pointers have bounds}}
  %0 = tt.load %p {boundaryCheck = array<i32: 0>} : tensor<128x!tt.ptr<f32>>
  tt.return
}

// -----

tt.func public @boundary_dimension(%p: !tt.ptr<tensor<8x8xf32>>) {
  // expected-error @+1 {{checks the bounds of dimension 2 of a block with 2 dimensions}}
  %0 = tt.load %p {boundaryCheck = array<i32: 2>} : !tt.ptr<tensor<8x8xf32>>
  tt.return
}

// -----

tt.func public @boundary_twice(%p: !tt.ptr<tensor<8x8xf32>>) {
  // expected-error @+1 {{checks the bounds of dimension 1 twice}}
  %0 = tt.load %p {boundaryCheck = array<i32: 1, 1>} : !tt.ptr<tensor<8x8xf32>>
  tt.return
}

// -----

tt.func public @mask_of_block_pointer(%p: !tt.ptr<tensor<8x8xf32>>, %m: tensor<8x8xi1>) {
  // expected-error @+1 {{has a mask; an access through a block pointer takes boundary_check instead}}
  %0 = tt.load %p, %m : !tt.ptr<tensor<8x8xf32>>
  tt.return
}

// -----

tt.func public @store_shape(%p: tensor<128x!tt.ptr<f32>>, %v: tensor<64xf32>) {
  // expected-error @+1 {{value has shape 64 but the pointers have shape 128}}
  "tt.store"(%p, %v) : (tensor<128x!tt.ptr<f32>>, tensor<64xf32>) -> ()
  tt.return
}

// -----

tt.func public @store_type(%p: tensor<128x!tt.ptr<f32>>, %v: tensor<128xi32>) {
  // expected-error @+1 {{value has elements of type 'i32' but the pointers point to 'f32'}}
  "tt.store"(%p, %v) : (tensor<128x!tt.ptr<f32>>, tensor<128xi32>) -> ()
  tt.return
}

// -----

tt.func public @atomic_type(%p: tensor<16x!tt.ptr<f32>>, %v: tensor<16xf32>) {
  // expected-error @+1 {{cannot do atomic umax on elements of type 'f32'}}
  %0 = tt.atomic_rmw umax, acq_rel, gpu, %p, %v : (tensor<16x!tt.ptr<f32>>, tensor<16xf32>) -> tensor<16xf32>
  tt.return
}

// -----

tt.func public @atomic_fadd(%p: !tt.ptr<i32>, %v: i32) {
  // expected-error @+1 {{cannot do atomic fadd on elements of type 'i32'}}
  %0 = tt.atomic_rmw fadd, acq_rel, gpu, %p, %v : (!tt.ptr<i32>, i32) -> i32
  tt.return
}

// -----

tt.func public @atomic_cas(%p: !tt.ptr<i64>, %v: i32, %w: i64) {
  // expected-error @+1 {{cmp has elements of type 'i32' but the pointers point to 'i64'}}
  %0 = tt.atomic_cas acq_rel, gpu, %p, %v, %w : (!tt.ptr<i64>, i32, i64) -> i64
  tt.return
}

// -----

tt.func public @atomic_load_order(%p: !tt.ptr<i32>) {
  // expected-error @+1 {{takes only the orderings acquire and relaxed, not release}}
  %0 = tt.atomic_load release, gpu, %p : (!tt.ptr<i32>) -> i32
  tt.return
}

// -----

tt.func public @atomic_store_order(%p: !tt.ptr<i32>, %v: i32) {
  // expected-error @+1 {{takes only the orderings release and relaxed, not acquire}}
  tt.atomic_store acquire, gpu, %p, %v : !tt.ptr<i32>
  tt.return
}

// -----

tt.func public @poll_type(%p: !tt.ptr<i32>, %v: i64) {
  // expected-error @+1 {{expected value has elements of type 'i64' but the pointers point to 'i32'}}
  %0 = tt.atomic_poll acquire, gpu, %p, %v : !tt.ptr<i32>, i64 -> i1
  tt.return
}

// -----

tt.func public @tensor_ptr_rank(%p: !tt.ptr<f16>, %n: i64, %i: i32) {
  // expected-error @+1 {{has 1 sizes for a block of 2 dimensions}}
  %0 = tt.make_tensor_ptr %p, [%n], [%n, %n], [%i, %i] {order = array<i32: 1, 0>} : <tensor<16x32xf16>>
  tt.return
}

// -----

tt.func public @advance_rank(%p: !tt.ptr<tensor<8x8xf32>>, %i: i32) {
  // expected-error @+1 {{has 1 offsets for a block of 2 dimensions}}
  %0 = tt.advance %p, [%i] : <tensor<8x8xf32>>
  tt.return
}

// -----

tt.func public @descriptor_rank(%p: !tt.ptr<f32>, %i: i32, %s: i64) {
  // expected-error @+1 {{has 1 strides for a block of 2 dimensions}}
  %0 = tt.make_tensor_descriptor %p, [%i, %i], [%s] : <f32>, <8x8xf32>
  tt.return
}

// -----

tt.func public @descriptor_element(%p: !tt.ptr<f32>, %i: i32, %s: i64) {
  // expected-error @+1 {{describes elements of type 'f16' behind a pointer to 'f32'}}
  %0 = tt.make_tensor_descriptor %p, [%i], [%s] : <f32>, <8xf16>
  tt.return
}

// -----

tt.func public @descriptor_indices(%d: !tt.tensordesc<8x8xf32>, %i: i32) {
  // expected-error @+1 {{has 1 indices for a block of 2 dimensions}}
  %0 = tt.descriptor_load %d[%i] : !tt.tensordesc<8x8xf32> -> tensor<8x8xf32>
  tt.return
}

// -----

tt.func public @descriptor_block(%d: !tt.tensordesc<8x8xf32>, %i: i32) {
  // expected-error @+1 {{moves a block of 8x4 f32 but the descriptor is of a block of 8x8 f32}}
  %0 = tt.descriptor_load %d[%i, %i] : !tt.tensordesc<8x8xf32> -> tensor<8x4xf32>
  tt.return
}

// -----

tt.func public @gather_rows(%d: !tt.tensordesc<1x64xf16>, %x: tensor<16xi32>, %y: i32) {
  // expected-error @+1 {{moves a block of 8x64 f16 but 16 rows of the descriptor are a block of 16x64 f16}}
  %0 = tt.descriptor_gather %d[%x, %y] : (!tt.tensordesc<1x64xf16>, tensor<16xi32>, i32) -> tensor<8x64xf16>
  tt.return
}

// -----

tt.func public @gather_descriptor(%d: !tt.tensordesc<2x64xf16>, %x: tensor<16xi32>, %y: i32) {
  // expected-error @+1 {{needs a descriptor of blocks of one row, not of a block of 2x64 f16}}
  %0 = tt.descriptor_gather %d[%x, %y] : (!tt.tensordesc<2x64xf16>, tensor<16xi32>, i32) -> tensor<16x64xf16>
  tt.return
}

// -----

tt.func public @range_bounds() {
  // expected-error @+1 {{needs a start below its end, but they are 4 and 0}}
  %0 = tt.make_range {end = 0 : i32, start = 4 : i32} : tensor<4xi32>
  tt.return
}

// -----

tt.func public @range_size() {
  // expected-error @+1 {{from 0 to 128 has 128 elements but its block has shape 64}}
  %0 = tt.make_range {end = 128 : i32, start = 0 : i32} : tensor<64xi32>
  tt.return
}

// -----

tt.func public @unsplat_size(%v: tensor<4xf32>) {
  // expected-error @+1 {{takes the only element of a block, but the block has shape 4}}
  %0 = tt.unsplat %v : tensor<4xf32>
  tt.return
}

// -----

tt.func public @broadcast_size(%v: tensor<8x2xf32>) {
  // expected-error @+1 {{cannot broadcast shape 8x2 to 8x4: only dimensions of size 1 can grow}}
  %0 = tt.broadcast %v : tensor<8x2xf32> -> tensor<8x4xf32>
  tt.return
}

// -----

tt.func public @reshape_size(%v: tensor<8x2xf32>) {
  // expected-error @+1 {{cannot reshape 8x2 (16 elements) to 32 (32 elements)}}
  %0 = tt.reshape %v : tensor<8x2xf32> -> tensor<32xf32>
  tt.return
}

// -----

tt.func public @expand_axis(%v: tensor<8xf32>) {
  // expected-error @+1 {{axis 2 is not in 0 to 1}}
  %0 = tt.expand_dims %v {axis = 2 : i32} : tensor<8xf32> -> tensor<8x1xf32>
  tt.return
}

// -----

tt.func public @expand_type(%v: tensor<8xf32>) {
  // expected-error @+1 {{gives a block of 8x1 f32 instead of a block of 1x8 f32}}
  %0 = tt.expand_dims %v {axis = 0 : i32} : tensor<8xf32> -> tensor<8x1xf32>
  tt.return
}

// -----

tt.func public @trans_order(%v: tensor<8x4xf32>) {
  // expected-error @+1 {{order is no permutation of the 2 dimensions of the block}}
  %0 = tt.trans %v {order = array<i32: 1, 1>} : tensor<8x4xf32> -> tensor<4x4xf32>
  tt.return
}

// -----

tt.func public @cat_size(%v: tensor<8xf32>) {
  // expected-error @+1 {{of two blocks of 8 elements has 16, not 8}}
  %0 = tt.cat %v, %v : tensor<8xf32> -> tensor<8xf32>
  tt.return
}

// -----

tt.func public @split_size(%v: tensor<8x4xf32>) {
  // expected-error @+1 {{a block of shape 8x4 cannot be split: its last dimension must have size 2}}
  %0, %1 = tt.split %v : tensor<8x4xf32> -> tensor<8xf32>
  tt.return
}

// -----

tt.func public @histogram_rank(%v: tensor<8xi32>) {
  // expected-error @+1 {{gives its counts as a block of one dimension, not of 2}}
  %0 = tt.histogram %v : tensor<8xi32> -> tensor<4x4xi32>
  tt.return
}

// -----

tt.func public @gather_axis(%v: tensor<8xf32>, %i: tensor<4xi32>) {
  // expected-error @+1 {{axis 1 is not a dimension of a block of 8 f32}}
  %0 = tt.gather %v[%i] {axis = 1 : i32} : (tensor<8xf32>, tensor<4xi32>) -> tensor<4xf32>
  tt.return
}

// -----

tt.func public @gather_rank(%v: tensor<8xf32>, %i: tensor<4x4xi32>) {
  // expected-error @+1 {{picks from a block of 1 dimensions with indices of 2}}
  %0 = tt.gather %v[%i] {axis = 0 : i32} : (tensor<8xf32>, tensor<4x4xi32>) -> tensor<4x4xf32>
  tt.return
}

// -----

tt.func public @gather_size(%v: tensor<8x2xf32>, %i: tensor<4x4xi32>) {
  // expected-error @+1 {{has indices of size 4 in dimension 1 where the block has 2}}
  %0 = tt.gather %v[%i] {axis = 0 : i32} : (tensor<8x2xf32>, tensor<4x4xi32>) -> tensor<4x4xf32>
  tt.return
}

// -----

tt.func public @gather_result(%v: tensor<8xf32>, %i: tensor<4xi32>) {
  // expected-error @+1 {{gives a block of 8 f32 but picks a block of 4 f32}}
  %0 = tt.gather %v[%i] {axis = 0 : i32} : (tensor<8xf32>, tensor<4xi32>) -> tensor<8xf32>
  tt.return
}

// -----

tt.func public @dot_inner(%a: tensor<8x16xf32>, %b: tensor<8x16xf32>, %c: tensor<8x16xf32>) {
  // expected-error @+1 {{multiplies 8x16 by 8x16: the inner sizes differ}}
  %0 = tt.dot %a, %b, %c : tensor<8x16xf32> * tensor<8x16xf32> -> tensor<8x16xf32>
  tt.return
}

// -----

tt.func public @dot_outer(%a: tensor<8x16xf32>, %b: tensor<16x4xf32>, %c: tensor<8x16xf32>) {
  // expected-error @+1 {{accumulates a 8x4 product into a 8x16 block}}
  %0 = tt.dot %a, %b, %c : tensor<8x16xf32> * tensor<16x4xf32> -> tensor<8x16xf32>
  tt.return
}

// -----

tt.func public @dot_rank(%a: tensor<16xf32>, %c: tensor<16x16xf32>) {
  // expected-error @+1 {{multiplies matrices, or batches of matrices, but its blocks have 1, 1 and 2 dimensions}}
  %0 = tt.dot %a, %a, %c : tensor<16xf32> * tensor<16xf32> -> tensor<16x16xf32>
  tt.return
}

// -----

tt.func public @dot_batch(%a: tensor<2x4x4xf32>, %b: tensor<4x4x4xf32>, %c: tensor<2x4x4xf32>) {
  // expected-error @+1 {{has batches of 2, 4 and 2 matrices}}
  %0 = tt.dot %a, %b, %c : tensor<2x4x4xf32> * tensor<4x4x4xf32> -> tensor<2x4x4xf32>
  tt.return
}

// -----

tt.func public @dot_types(%a: tensor<4x4xf32>, %b: tensor<4x4xi8>, %c: tensor<4x4xf32>) {
  // expected-error @+1 {{multiplies 'f32' by 'i8'}}
  %0 = tt.dot %a, %b, %c : tensor<4x4xf32> * tensor<4x4xi8> -> tensor<4x4xf32>
  tt.return
}

// -----

tt.func public @dot_scaled_inner(%a: tensor<128x32xi8>, %b: tensor<32x128xi8>, %c: tensor<128x128xf32>) {
  // expected-error @+1 {{multiplies 128x64 by 32x128: the inner sizes differ}}
  %0 = tt.dot_scaled %a, %b, %c lhs = e2m1 rhs = e4m3 {fastMath = false} : tensor<128x32xi8> * tensor<32x128xi8> -> tensor<128x128xf32>
  tt.return
}

// -----

tt.func public @bitcast_width(%v: tensor<4xf32>) {
  // expected-error @+1 {{cannot reinterpret 'f32' as 'i16': their widths differ}}
  %0 = tt.bitcast %v : tensor<4xf32> -> tensor<4xi16>
  tt.return
}

// -----

tt.func public @bitcast_pointer(%v: !tt.ptr<f32>) {
  // expected-error @+1 {{cannot reinterpret pointer to f32 as i64: cast between pointers and integers instead}}
  %0 = tt.bitcast %v : !tt.ptr<f32> -> i64
  tt.return
}

// -----

tt.func public @narrowing(%v: tensor<4xf32>) {
  // expected-error @+1 {{narrows 'f32' to 'f8E5M2' without a rounding mode}}
  %0 = tt.fp_to_fp %v : tensor<4xf32> -> tensor<4xf8E5M2>
  tt.return
}

// -----

tt.func public @asm_pack(%v: tensor<4xi32>) {
  // expected-error @+1 {{takes 8 elements at a time, which do not divide the 4 of its block}}
  %0 = tt.elementwise_inline_asm "" {constraints = "", packed_element = 8 : i32, pure = true} %v : tensor<4xi32> -> tensor<4xi32>
  tt.return
}

// -----

tt.func public @print_signs(%v: i32) {
  // expected-error @+1 {{prints 1 values but has 0 signs}}
  tt.print "x" {hex = false, isSigned = array<i32>} : %v : i32
  tt.return
}

// -----

tt.func public @addptr_shape(%p: tensor<8x!tt.ptr<f32>>, %o: tensor<4xi32>) {
  // expected-error @+1 {{requires the same shape for all operands and results}}
  %0 = tt.addptr %p, %o : tensor<8x!tt.ptr<f32>>, tensor<4xi32>
  tt.return
}

// -----

tt.func public @call_unknown() {
  // expected-error @+1 {{calls @nobody, which is no function}}
  tt.call @nobody() : () -> ()
  tt.return
}

// -----

tt.func public @call_count(%v: i32) {
  // expected-error @+1 {{has 0 arguments but @call_count has 1}}
  tt.call @call_count() : () -> ()
  tt.return
}

// -----

tt.func public @call_type(%v: i32, %w: f32) {
  // expected-error @+1 {{argument 1 is i32 but @call_type has f32}}
  tt.call @call_type(%v, %v) : (i32, i32) -> ()
  tt.return
}

// -----

tt.func public @call_result() {
  // expected-error @+1 {{has 1 results but @call_result has 0}}
  %0 = tt.call @call_result() : () -> i32
  tt.return
}

// -----

tt.func public @return_count(%v: i32) {
  // expected-error @+1 {{gives 1 values but @return_count returns 0}}
  tt.return %v : i32
}

// -----

tt.func public @reduce_axis(%v: tensor<8x4xf32>) {
  // expected-error @+1 {{axis 2 is not a dimension of a block of 8x4 f32}}
  %0 = "tt.reduce"(%v) <{axis = 2 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    tt.reduce.return %a : f32
  }) : (tensor<8x4xf32>) -> tensor<8xf32>
  tt.return
}

// -----

tt.func public @reduce_result(%v: tensor<8x4xf32>) {
  // expected-error @+1 {{gives a block of 4 f32 instead of a block of 8 f32}}
  %0 = "tt.reduce"(%v) <{axis = 1 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    tt.reduce.return %a : f32
  }) : (tensor<8x4xf32>) -> tensor<4xf32>
  tt.return
}

// -----

tt.func public @combine_count(%v: tensor<8x4xf32>) {
  // expected-error @+1 {{combines 1 block(s) with a function of 1 scalars; it needs 2}}
  %0 = "tt.reduce"(%v) <{axis = 1 : i32}> ({
  ^bb0(%a: f32):
    tt.reduce.return %a : f32
  }) : (tensor<8x4xf32>) -> tensor<8xf32>
  tt.return
}

// -----

tt.func public @combine_type(%v: tensor<8x4xf32>) {
  // expected-error @+1 {{parameter 1 of its function is f16 but the elements are 'f32'}}
  %0 = "tt.reduce"(%v) <{axis = 1 : i32}> ({
  ^bb0(%a: f32, %b: f16):
    tt.reduce.return %a : f32
  }) : (tensor<8x4xf32>) -> tensor<8xf32>
  tt.return
}

// -----

tt.func public @combine_return(%v: tensor<8x4xf32>) {
  // expected-error @+1 {{needs a function that gives one scalar a block, of the type of its elements}}
  %0 = "tt.reduce"(%v) <{axis = 1 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    tt.reduce.return %a, %b : f32, f32
  }) : (tensor<8x4xf32>) -> tensor<8xf32>
  tt.return
}

// -----

tt.func public @scan_axis(%v: tensor<8xf32>) {
  // expected-error @+1 {{axis -1 is not a dimension of a block of 8 f32}}
  %0 = "tt.scan"(%v) <{axis = -1 : i32, reverse = false}> ({
  ^bb0(%a: f32, %b: f32):
    tt.scan.return %a : f32
  }) : (tensor<8xf32>) -> tensor<8xf32>
  tt.return
}

// -----

tt.func public @map_arguments(%v: tensor<8xf32>) {
  // expected-error @+1 {{needs a function of 2 scalars, the elements of its blocks, but the function takes 1}}
  %0 = "tt.map_elementwise"(%v) <{pack = 2 : i32}> ({
  ^bb0(%a: f32):
    tt.map_elementwise.return %a, %a : f32, f32
  }) : (tensor<8xf32>) -> tensor<8xf32>
  tt.return
}

// -----

tt.func public @map_results(%v: tensor<8xf32>) {
  // expected-error @+1 {{needs a function that gives 2 scalars, the elements of its results, but the function gives 1}}
  %0 = "tt.map_elementwise"(%v) <{pack = 2 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    tt.map_elementwise.return %a : f32
  }) : (tensor<8xf32>) -> tensor<8xf32>
  tt.return
}

//===- Passes.td - transforms of the shared trunk ----------*- tablegen -*-===//
//
// Part of Seagrove, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SEAGROVE_TRANSFORMS_PASSES
#define SEAGROVE_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def MakeRangeKernel : Pass<"make-range-kernel", "mlir::ModuleOp"> {
  let summary = "Wrap each program in an exported loop over a range of programs";
  let description = [{
    A kernel in vector form is one private function `NAME.program` which runs one
    program of the grid: it takes the kernel's arguments, the program's three
    coordinates, the grid's three extents and a scratch pointer. This pass adds
    the function that the launcher calls,

    ```c
    void NAME(const void *args, const int32_t grid[3],
              int64_t first, int64_t last, void *scratch);
    ```

    which unpacks `args` (one 8-byte slot per kernel argument, value in the low
    bytes) once and then runs the programs whose linear id is in
    `first .. last-1`, x fastest. The coordinates are divided out once, for
    `first`, and then counted on, so that a program costs no division. Threads
    take disjoint ranges; an empty range does nothing.

    A program is a function that carries the attribute `sg.kernel_name`; its
    `sg.scratch_bytes` is copied to the exported function, which is marked
    `sg.range_kernel`. A program of one block is moved into the loop; one with
    branches between blocks is called and marked for LLVM to inline.

    What programs keep for one another in the scratch area
    (`sg.scratch_cleared`, its first and last byte) is cleared before the first
    of them. Then there is a second function `NAME.next`, which runs a further
    range of the same launch on the same thread without clearing.

    See test/Transforms/make-range-kernel.mlir.
  }];
  let dependentDialects = [
    "mlir::arith::ArithDialect", "mlir::func::FuncDialect",
    "mlir::LLVM::LLVMDialect", "mlir::scf::SCFDialect"
  ];
}

def ExpandDivision : Pass<"expand-division"> {
  let summary = "Divide integers so that no number traps, in vectors";
  let description = [{
    A division by zero, or of the least integer by -1, ends the process on some
    chips and is undefined in LLVM on all; on those that kernels are written for
    it gives some number and no more. Also a lane that a mask turns off divides.
    So a division of which the divisor is not known to be harmless takes 1 in
    the place of 0; -1 negates.

    Few chips divide vectors of integers: LLVM would take them apart. Vectors of
    up to 32 bits an element are divided in floats, exactly; where all elements
    have one divisor, by a product with its reciprocal. Remainders are what the
    quotients leave.

    See test/Transforms/expand-division.mlir.
  }];
  let options = [
    Option<"vectors", "vectors", "bool", /*default=*/"false",
           "the target divides vectors of integers">
  ];
  let dependentDialects = [
    "mlir::arith::ArithDialect", "mlir::math::MathDialect",
    "mlir::vector::VectorDialect"
  ];
}

def ExpandMath : Pass<"expand-math", "mlir::ModuleOp"> {
  let summary = "Expand math functions into arithmetic on scalars and vectors";
  let description = [{
    Replaces the operations of the `math` dialect that no chip has as an
    instruction by branch-free arithmetic of the same shape (scalar, fixed or
    scalable vector), so that a loop that calls `exp` stays a vector loop. Where
    there is no expansion in the IR (most of f64, rare functions), the operation
    becomes one call of the C library's function per element.

    f16 and bf16 are computed in f32 and rounded once. The expanded operations
    carry no fast-math flag: they rely on the exact order of operations.

    The error bounds in ulp are stated and measured in
    test/numeric/test_math_accuracy.py; infinities, NaN, signed zeros and
    denormals give what IEEE 754 and C ask for.

    With `fma`, polynomials and argument reductions use `math.fma`; without it
    they use a multiplication and an addition and reductions with more, shorter
    parts, and `math.fma` itself is computed exactly.

    See test/Transforms/expand-math.mlir.
  }];
  let options = [
    Option<"fma", "fma", "bool", /*default=*/"true",
           "the target has a fused multiply-add">,
    Option<"rounding", "rounding", "bool", /*default=*/"true",
           "the target rounds to integral values in one instruction">,
    Option<"f16Arithmetic", "f16-arithmetic", "bool", /*default=*/"false",
           "the target computes in f16">,
    Option<"f16Conversion", "f16-conversion", "bool", /*default=*/"true",
           "the target converts between f16 and f32">,
    Option<"bf16Arithmetic", "bf16-arithmetic", "bool", /*default=*/"false",
           "the target computes in bf16">,
    Option<"bf16Conversion", "bf16-conversion", "bool", /*default=*/"false",
           "the target converts f32 to bf16">,
    Option<"bf16Flushing", "bf16-flushing", "bool", /*default=*/"false",
           "the target's conversion to bf16 makes zeros of subnormal numbers">,
    Option<"truncating", "truncating", "bool", /*default=*/"true",
           "vectors of floats are converted to integers towards zero, not in "
           "the current rounding mode only">
  ];
  let dependentDialects = [
    "mlir::arith::ArithDialect", "mlir::func::FuncDialect",
    "mlir::math::MathDialect", "mlir::scf::SCFDialect",
    "mlir::vector::VectorDialect"
  ];
}

def AllowFPContraction : Pass<"allow-fp-contraction", "mlir::ModuleOp"> {
  let summary = "Allow the user's products and sums to be fused";
  let description = [{
    Puts the fast-math flag `contract` on the multiplications, additions and
    subtractions of the module, so that the code generator may compute
    `a * b + c` with one rounding, except on a difference whose exponential
    relies on its sign. Runs before `expand-math`, whose results must stay as
    they are written.

    See test/Transforms/allow-fp-contraction.mlir.
  }];
  let dependentDialects = ["mlir::arith::ArithDialect"];
}

def LowerVectorOps : Pass<"lower-vector-ops", "mlir::ModuleOp"> {
  let summary = "Lower vector operations to those that LLVM has";
  let description = [{
    Rewrites the vector operations that have no LLVM instruction of their own
    (multi-dimensional transposes, reductions, slices, transfers, masks, gathers)
    into extractions, insertions, shuffles and one-dimensional operations, so
    that one conversion to LLVM dialect finishes the work. A module that holds
    none of them is left alone at the cost of one walk.

    See test/Transforms/lower-vector-ops.mlir.
  }];
  let dependentDialects = [
    "mlir::arith::ArithDialect", "mlir::memref::MemRefDialect",
    "mlir::scf::SCFDialect", "mlir::ub::UBDialect",
    "mlir::vector::VectorDialect"
  ];
}

def LiftCallees : Pass<"lift-callees", "mlir::ModuleOp"> {
  let summary = "Give callees of several blocks structured control flow";
  let description = [{
    An early return in a helper function becomes branches between blocks, and a
    function of several blocks can be inlined into one block of its caller only:
    not into the body of an `scf.for` or `scf.if`, which has to stay one block.
    This pass turns the branches of every private function into `scf.if`,
    `scf.while` and `scf.index_switch`, so that the inliner takes it anywhere.
    Values that a path does not define are `ub.poison` there.

    See test/Transforms/lift-callees.mlir.
  }];
  let dependentDialects = [
    "mlir::arith::ArithDialect", "mlir::cf::ControlFlowDialect",
    "mlir::scf::SCFDialect", "mlir::ub::UBDialect"
  ];
}

def KeepWaits : Pass<"keep-waits", "mlir::ModuleOp"> {
  let summary = "Keep the reads by which a program waits for another";
  let description = [{
    A program may wait for another one in a loop that reads a flag or a lock.
    Nothing in the loop changes the flag, so that a later pass would read it
    once, before the loop, and drop a loop that is then without an effect.

    This pass makes such a read volatile: one whose value decides whether an
    `scf.while` goes on and whose address is the same in each iteration. A read
    with the cache modifier `cv`, which asks for memory and not for a cache, is
    made volatile wherever it stands.

    Atomic reads and writes of scalars become atomic updates here, and
    `tt.atomic_poll` a loop around such a read.

    A module with a loop that goes on by an atomic operation or a volatile read
    gets the attribute `sg.waits`: the launcher lets the programs of such a
    kernel run side by side (see docs/range-kernel.md). It does not where each
    such loop takes a lock that the program itself gives back behind the loop,
    and the kernel gives none back that it has not taken: whoever has a lock
    then comes to give it back, in whatever order the programs run.

    See test/Transforms/keep-waits.mlir.
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::scf::SCFDialect"];
}

def FlattenBlocks : Pass<"flatten-blocks", "mlir::ModuleOp"> {
  let summary = "Give blocks of many tiny dimensions one dimension";
  let description = [{
    Triton's library writes sorting networks and flips on blocks of shape
    2 x 2 x ... x 2, and exchanges two halves by `x xor (x0 xor x1)`, a reduction
    along a dimension of length two. Loops over such a block are as deep as it
    has dimensions, and its last dimension fills no vector.

    This pass replaces the exchange by `sg.butterfly`, which says what it does,
    and computes elementwise operations on blocks whose last dimension is tiny on
    their row-major elements as one dimension. An operand that depends on
    positions only (`sg.iota`, broadcast and reshaped) is computed from the bits
    of the flat position. A reduction of a flattened block sees three
    dimensions: those before, the reduced one, and those after.

    See test/Transforms/flatten-blocks.mlir.
  }];
  let dependentDialects = [
    "mlir::arith::ArithDialect", "mlir::tensor::TensorDialect",
    "seagrove::sg::SgDialect"
  ];
}

def LowerControlFlow : Pass<"lower-control-flow", "mlir::ModuleOp"> {
  let summary = "Lower structured control flow to branches, loops rotated";
  let description = [{
    Lowers loops and conditionals to branches between blocks. A counted loop
    becomes a test, a preheader and a body that tests at its end, which is the
    form that LLVM's loop passes want: it costs nothing to emit here and a
    sixth of LLVM's optimisation time to derive there.

    See test/Transforms/lower-control-flow.mlir.
  }];
  let dependentDialects = ["mlir::arith::ArithDialect",
                           "mlir::cf::ControlFlowDialect"];
}

def ShareLoops : Pass<"share-loops", "mlir::ModuleOp"> {
  let summary = "Emit equal loops once, as a function that is called";
  let description = [{
    A kernel's loops are often alike: attention runs over the blocks that need
    no mask, and then over those that do, with the same two products in both.
    Loops of one function that differ in nothing but the scalars and pointers
    that they take from outside become one private function, outer loops first.
    Constants are copied into it, and so are addresses at a constant distance of
    a base that all of them share.

    Only loops of `least-operations` and more are considered, next to which a
    call is nothing; of those, not one that carries values, takes a vector from
    outside that is no constant, or holds an instruction that only the target
    description knows.

    See test/Transforms/share-loops.mlir.
  }];
  let options = [
    Option<"leastOperations", "least-operations", "unsigned", /*default=*/"64",
           "number of operations from which on a loop is worth a function">
  ];
  let dependentDialects = ["mlir::func::FuncDialect"];
}

def FoldOperations : Pass<"fold-operations", "mlir::ModuleOp"> {
  let summary = "Fold what is known in one sweep, and drop what nobody reads";
  let description = [{
    Removes loops that are known to have no iteration or one, offers each
    operation to its folder once, operands before users, merges blocks that only
    follow one another, and erases what has no effect and no reader.

    Of a module in vector form this leaves nearly what canonicalisation to a
    fixed point leaves, in a tenth of the time: the lowering emits operands
    before users and folds most of them as it goes. LLVM finds the rest.

    See test/Transforms/fold-operations.mlir.
  }];
  let dependentDialects = ["mlir::arith::ArithDialect",
                           "mlir::scf::SCFDialect"];
}

#endif // SEAGROVE_TRANSFORMS_PASSES

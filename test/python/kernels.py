"""Kernels of the tests in this folder, as a user would write them."""

import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def add(x, y, out, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    tl.store(out + offsets, tl.load(x + offsets, inside) + tl.load(y + offsets, inside), inside)


@triton.jit
def mark(counts):
    """Adds one to counts[linear program id], x fastest."""
    row = tl.program_id(1) + tl.num_programs(1) * tl.program_id(2)
    program = tl.program_id(0) + tl.num_programs(0) * row
    tl.store(counts + program, tl.load(counts + program) + 1)


@triton.jit
def spin(out, rounds):
    """Writes what `rounds` dependent steps make of 1; takes some nanoseconds a step."""
    value = 1.0
    for _ in range(rounds):
        value = value * 0.5 + 1.0
    tl.store(out + tl.program_id(0), value)


@triton.jit
def count_after(steps, counts):
    """Adds one to counts[program id] after steps[program id] dependent steps."""
    at = tl.program_id(0)
    value = 1.0
    for _ in range(tl.load(steps + at)):
        value = value * 0.5 + 1.0
    tl.store(counts + at, tl.load(counts + at) + (value > 0).to(tl.int32))


@triton.jit
def scalars(
    out,
    a: tl.int8,
    b: tl.int16,
    c: tl.int32,
    d: tl.int64,
    e: tl.uint8,
    f: tl.uint32,
    g: tl.uint64,
    h: tl.float16,
    i: tl.bfloat16,
    j: tl.float32,
    k: tl.float64,
    m: tl.int1,
):
    """Writes each argument as fp64."""
    tl.store(out + 0, a.to(tl.float64))
    tl.store(out + 1, b.to(tl.float64))
    tl.store(out + 2, c.to(tl.float64))
    tl.store(out + 3, d.to(tl.float64))
    tl.store(out + 4, e.to(tl.float64))
    tl.store(out + 5, f.to(tl.float64))
    tl.store(out + 6, g.to(tl.float64))
    tl.store(out + 7, h.to(tl.float64))
    tl.store(out + 8, i.to(tl.float64))
    tl.store(out + 9, j.to(tl.float64))
    tl.store(out + 10, k.to(tl.float64))
    tl.store(out + 11, m.to(tl.float64))


@triton.jit
def copy_tile(source, out, BLOCK: tl.constexpr):
    """Copies the first tile of a host tensor descriptor."""
    tile = source.load([0, 0])
    rows = tl.arange(0, BLOCK)
    tl.store(out + rows[:, None] * BLOCK + rows[None, :], tile)


@triton.jit
def add_pair(pair, out, BLOCK: tl.constexpr):
    """Adds the two tensors of a tuple."""
    offsets = tl.arange(0, BLOCK)
    tl.store(out + offsets, tl.load(pair[0] + offsets) + tl.load(pair[1] + offsets))


@triton.jit
def arc_cosine(x, out, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(out + offsets, libdevice.acos(tl.load(x + offsets)))


@triton.jit
def adds_shapes_that_differ(x, out):
    values = tl.load(x + tl.arange(0, 8)) + tl.load(x + tl.arange(0, 16))
    tl.store(out + tl.arange(0, 8), values)

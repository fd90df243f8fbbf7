"""Loops that accumulate for a reduction, around a single iteration.

Sums of small integers are exact in fp32, so results are compared for equality. What lies outside of
the bounds is not a number, and spoils each result that it gets into.
"""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def row_kernel(x_ptr, out_ptr, first, last, step, pitch, BLOCK: tl.constexpr):
    """Sum, sum of squares and maximum of what lies from `first` up to `last`."""
    row = tl.program_id(0)
    sums = tl.zeros((BLOCK,), tl.float32)
    squares = tl.full((BLOCK,), 1.0, tl.float32)
    top = tl.full((BLOCK,), -100.0, tl.float32)
    for start in range(first, last, step):
        cols = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * pitch + cols, mask=cols < last, other=0.0)
        sums += x
        squares += x * x
        top = tl.maximum(top, tl.where(cols < last, x, -100.0))
    tl.store(out_ptr + 3 * row, tl.sum(sums, axis=0))
    tl.store(out_ptr + 3 * row + 1, tl.sum(squares, axis=0))
    tl.store(out_ptr + 3 * row + 2, tl.max(top, axis=0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("first", [0, 5])
@pytest.mark.parametrize("length", [-3, 0, 1, 63, 64, 65, 129])
def test_around_one_iteration(length, first, dtype):
    rows, block, last = 5, 64, first + length
    generator = torch.Generator().manual_seed(length + 10)
    whole = torch.full((rows + 1, 320), float("nan"))
    part = torch.randint(-8, 9, (rows, max(length, 0)), generator=generator).float()
    whole[:rows, first : first + max(length, 0)] = part
    x, out = whole.to(dtype), torch.empty(rows, 3)
    row_kernel[(rows,)](x, out, first, last, block, x.stride(0), BLOCK=block)
    assert torch.equal(out[:, 0], part.sum(1))
    assert torch.equal(out[:, 1], block + (part * part).sum(1))
    top = part.max(1).values if length > 0 else torch.full((rows,), -100.0)
    assert torch.equal(out[:, 2], top)


@triton.jit
def count_kernel(out_ptr, first, last, step, BLOCK: tl.constexpr):
    acc = tl.zeros((BLOCK,), tl.int32)
    for start in range(first, last, step):
        acc += 1 + 0 * start
    tl.store(out_ptr, tl.sum(acc, axis=0))


@pytest.mark.parametrize(
    "first, last, step",
    [
        (0, 1, 1), (0, 1, 7), (0, 7, 7), (0, 8, 7), (-5, 2, 7), (2, -5, 7), (3, 3, 1),
        (-(2**31), 2**31 - 1, 2**31 - 1), (-(2**31), 2**31 - 1, 2**30), (2**31 - 1, -(2**31), 1),
    ],
)  # fmt: skip
def test_far_bounds(first, last, step):
    out = torch.full((1,), -1, dtype=torch.int32)
    count_kernel[(1,)](out, first, last, step, BLOCK=16)
    # A step from the last iteration on wraps in 32 bits, on GPUs as well.
    if first + step * len(range(first, last, step)) < 2**31:
        assert out.item() == 16 * len(range(first, last, step))

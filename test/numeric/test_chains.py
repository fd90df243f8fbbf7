"""Loops that compute on the blocks that they carry, element by element."""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def steps_kernel(x_ptr, out_ptr, count_ptr, steps, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at, mask=at < n, other=1.0)
    acc, older, count = x, x + 1.0, steps * 0
    for step in range(steps):
        # The two blocks change places.
        acc, older = older, acc * 0.5 + older + step
        count += step
    tl.store(out_ptr + at, acc - older, mask=at < n)
    tl.store(count_ptr, count)


@triton.jit
def matrix_kernel(x_ptr, out_ptr, steps, R: tl.constexpr, C: tl.constexpr):
    r, c = tl.arange(0, R), tl.arange(0, C)
    at = r[:, None] * C + c[None, :]
    x = tl.load(x_ptr + at)
    scale = tl.load(x_ptr + r)
    number, value = tl.zeros((R, C), tl.int32), x
    for step in range(2, steps, 3):
        inside = tl.abs(value) < 100.0
        value = tl.where(inside, value * 1.25 + scale[:, None], value)
        number += tl.where(inside, step, 0)
    tl.store(out_ptr + at, value + number.to(tl.float32))


@triton.jit
def reads_kernel(x_ptr, out_ptr, steps, n, BLOCK: tl.constexpr, MASKED: tl.constexpr):
    at = tl.arange(0, BLOCK)
    acc = tl.zeros((BLOCK,), tl.float32)
    for step in range(steps):
        if MASKED:
            acc += tl.load(x_ptr + step * BLOCK + at, mask=step * BLOCK + at < n, other=0.0)
        else:
            acc += tl.load(x_ptr + step * BLOCK + at)
    tl.store(out_ptr + at, acc)


def integers(*shape: int) -> torch.Tensor:
    return torch.randint(-8, 9, shape, generator=torch.Generator().manual_seed(0)).float()


@pytest.mark.parametrize("block", [1, 2, 8, 64, 256])
@pytest.mark.parametrize("steps", [0, 1, 5])
@pytest.mark.parametrize("short", [0, 1])
def test_two_blocks_and_a_scalar(block, steps, short):
    n = block - short
    x, out = integers(block), torch.full((block,), -7.0)
    count = torch.zeros((), dtype=torch.int32)
    steps_kernel[(1,)](x, out, count, steps, n, BLOCK=block)
    acc, older = x, x + 1.0
    for step in range(steps):
        acc, older = older, acc * 0.5 + older + step
    assert torch.equal(out[:n], (acc - older)[:n])
    assert (out[n:] == -7.0).all() and count == sum(range(steps))


@pytest.mark.parametrize("shape", [(1, 1), (1, 64), (4, 8), (16, 4), (8, 64)])
@pytest.mark.parametrize("steps", [0, 3, 20])
def test_rows_of_vectors(shape, steps):
    x, out = integers(*shape), torch.empty(shape)
    if shape == (8, 64):
        x[1, 2], x[3, 4] = float("nan"), float("inf")
    matrix_kernel[(1,)](x, out, steps, R=shape[0], C=shape[1])
    value, number = x.double(), torch.zeros(shape).double()
    scale = x.flatten()[: shape[0], None].double()
    for step in range(2, steps, 3):
        inside = value.abs() < 100.0
        value = torch.where(inside, value * 1.25 + scale, value)
        number += torch.where(inside, step, 0)
    torch.testing.assert_close(out.double(), value + number, rtol=1e-6, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("block", [8, 64, 512])
@pytest.mark.parametrize("steps", [0, 1, 7])
@pytest.mark.parametrize("masked", [False, True])
def test_reads_in_the_loop(block, steps, masked):
    x, out = integers(max(steps, 1) * block), torch.empty(block)
    n = max(steps * block - 3, 0) if masked else steps * block
    reads_kernel[(1,)](x, out, steps, n, BLOCK=block, MASKED=masked)
    x[n:] = 0
    assert torch.equal(out, x.view(-1, block)[:steps].sum(0))

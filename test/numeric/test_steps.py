"""Reads at quotients of positions: a bias for each channel, a scale for each group."""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl

BLOCK = 64


@triton.jit
def bias_kernel(x_ptr, bias_ptr, y_ptr, n, SIZE, CHANNELS: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    channel = (at // SIZE) % CHANNELS
    bias = tl.load(bias_ptr + channel, mask=at < n, other=0)
    tl.store(y_ptr + at, tl.load(x_ptr + at, mask=at < n) + bias, mask=at < n)


@triton.jit
def group_kernel(x_ptr, scale_ptr, y_ptr, n, SHIFT: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    scale = tl.load(scale_ptr + (at >> SHIFT) * 3 + 1, mask=at < n, other=7)
    tl.store(y_ptr + at, tl.load(x_ptr + at, mask=at < n) * scale, mask=at < n)


@triton.jit
def masked_kernel(x_ptr, scale_ptr, y_ptr, SIZE, BLOCK: tl.constexpr):
    """What is not to be read has no address: its pointer is far outside."""
    at = tl.arange(0, BLOCK)
    wanted = tl.load(x_ptr + at) > 0
    where = tl.where(wanted, 0, 1 << 60) + (at // SIZE)
    tl.store(y_ptr + at, tl.load(scale_ptr + where, mask=wanted, other=5.0))


@triton.jit
def columns_kernel(x_ptr, w_ptr, y_ptr, STEP, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    """Weights that lie apart, for all rows."""
    row, column = tl.arange(0, ROWS)[:, None], tl.arange(0, BLOCK)
    w = tl.load(w_ptr + column * STEP) + tl.load(w_ptr + column * 3 + 1)
    at = row * BLOCK + column[None, :]
    tl.store(y_ptr + at, tl.load(x_ptr + at) * w[None, :])


SIZES = [1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 3]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8, torch.int64], ids=str)
@pytest.mark.parametrize("size", [1, 3, 7, 8, 9, 49, 64, 1000])
def test_bias(size, dtype):
    for n in SIZES:
        x, bias = torch.arange(n).to(dtype), torch.arange(7).to(dtype)
        y = torch.full((n,), 77).to(dtype)
        grid = (triton.cdiv(n, BLOCK),)
        bias_kernel[grid](x, bias, y, n, size, CHANNELS=7, BLOCK=BLOCK)
        torch.testing.assert_close(y, x + bias[torch.arange(n) // size % 7], rtol=0, atol=0)


@pytest.mark.parametrize("shift", [0, 2, 3, 5, 9])
def test_groups(shift):
    for n in SIZES:
        x, scale = torch.randn(n), torch.randn((n >> shift) * 3 + 2)
        y = torch.empty(n)
        group_kernel[(triton.cdiv(n, BLOCK),)](x, scale, y, n, SHIFT=shift, BLOCK=BLOCK)
        wanted = x * scale[(torch.arange(n) >> shift) * 3 + 1]
        torch.testing.assert_close(y, wanted, rtol=0, atol=0)


@pytest.mark.parametrize("size", [1, 8, 100])
def test_lanes_that_are_not_read(size):
    for step in (0, 1, 3):
        x = (torch.arange(BLOCK) % 4 >= step).float()
        scale, y = torch.randn(BLOCK), torch.empty(BLOCK)
        masked_kernel[(1,)](x, scale, y, size, BLOCK=BLOCK)
        wanted = torch.where(x > 0, scale[torch.arange(BLOCK) // size], 5.0)
        torch.testing.assert_close(y, wanted, rtol=0, atol=0)


@pytest.mark.parametrize("step", [1, 2, 5])
@pytest.mark.parametrize("rows", [1, 2, 16])
def test_columns_that_lie_apart(rows, step):
    x, w = torch.randn(rows, BLOCK), torch.randn(5 * BLOCK)
    y = torch.empty(rows, BLOCK)
    columns_kernel[(1,)](x, w, y, step, ROWS=rows, BLOCK=BLOCK)
    at = torch.arange(BLOCK)
    torch.testing.assert_close(y, x * (w[at * step] + w[at * 3 + 1]), rtol=0, atol=0)

"""Loops that only accumulate: iterations side by side, their rest, and what nobody reads.

Sums of small integers are exact in fp32, so results are compared for equality. What lies outside of
the bounds is not a number, and spoils each sum that it gets into.
"""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def sum_kernel(x_ptr, out_ptr, R, N, pitch, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    cols = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    acc = tl.zeros((ROWS, BLOCK), tl.float32)
    for start in range(0, R, ROWS):
        rows = start + tl.arange(0, ROWS)
        mask = (rows[:, None] < R) & (cols[None, :] < N)
        acc += tl.load(x_ptr + rows[:, None] * pitch + cols[None, :], mask=mask, other=0.0)
    tl.store(out_ptr + cols, tl.sum(acc, axis=0), mask=cols < N)


@triton.jit
def row_kernel(x_ptr, out_ptr, parts_ptr, N, pitch, keep, BLOCK: tl.constexpr):
    """The sum of each row, that of the squares, and the first `keep` partial sums."""
    row = tl.program_id(0)
    positions = tl.arange(0, BLOCK)
    sums = tl.zeros((BLOCK,), tl.float32)
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, N, BLOCK):
        cols = start + positions
        x = tl.load(x_ptr + row * pitch + cols, mask=cols < N, other=0.0)
        sums += x
        squares += tl.where(cols < N, (x - 1) * (x - 1), 0.0)
    tl.store(parts_ptr + row * keep + positions, sums, mask=positions < keep)
    tl.store(out_ptr + 2 * row, tl.sum(sums, axis=0))
    tl.store(out_ptr + 2 * row + 1, tl.sum(squares, axis=0))


def surrounded(rows: int, cols: int) -> tuple[torch.Tensor, int]:
    """Integers, with what is not a number behind each row and behind the last."""
    generator = torch.Generator().manual_seed(rows * 1000 + cols)
    whole = torch.full((rows + 1, cols + 3), float("nan"))
    whole[:rows, :cols] = torch.randint(-8, 9, (rows, cols), generator=generator).float()
    return whole, cols + 3


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 16, 17, 33])
@pytest.mark.parametrize("cols", [1, 63, 64, 65, 130, 300])
def test_sum_of_rows(rows, cols):
    x, pitch = surrounded(rows, cols)
    for height, block in ((4, 128), (2, 256), (1, 512)):
        out = torch.full((cols + 1,), -1.0)
        sum_kernel[(triton.cdiv(cols, block),)](x, out, rows, cols, pitch, ROWS=height, BLOCK=block)
        assert torch.equal(out[:cols], x[:rows, :cols].sum(0)) and out[cols] == -1


@pytest.mark.parametrize("cols", [1, 63, 64, 255, 256, 257, 512, 700, 1024])
@pytest.mark.parametrize("keep", [0, 1, 40, 64])
def test_sums_in_rows(cols, keep):
    x, pitch = surrounded(3, cols)
    for block in (64, 128):
        out, parts = torch.zeros(3, 2), torch.full((3, max(keep, 1)), -1.0)
        row_kernel[(3,)](x, out, parts, cols, pitch, keep, BLOCK=block)
        inside = x[:3, :cols]
        assert torch.equal(out, torch.stack((inside.sum(1), ((inside - 1) ** 2).sum(1)), 1))
        padded = torch.zeros(3, -(-cols // block) * block)
        padded[:, :cols] = inside
        assert torch.equal(parts[:, :keep], padded.view(3, -1, block).sum(1)[:, :keep])


@triton.jit
def far_kernel(x_ptr, out_ptr, low, high, STEP: tl.constexpr, BLOCK: tl.constexpr):
    cols = tl.arange(0, BLOCK)
    acc = tl.zeros((BLOCK,), tl.float32)
    for i in range(low, high, STEP):
        acc += tl.load(x_ptr + (i - low) * BLOCK + cols)
    tl.store(out_ptr + cols, acc)


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("trips", [1, 3, 4, 5, 8, 11])
def test_counters_next_to_the_largest(trips: int, step: int) -> None:
    """Of 64 bits and of 32: the counter behind the last iterations may not be one of them."""
    # A row of a page, so that iterations go side by side.
    x = torch.arange(33 * 1024, dtype=torch.float32).view(33, 1024) % 31
    want = x[: trips * step : step].sum(0)
    for high in (2**63 - 1, 2**31 - 1, 0, -(2**62)):
        out = torch.full((1024,), -1.0)
        low = high - (trips - 1) * step - 1
        far_kernel[(1,)](x, out, low, high, STEP=step, BLOCK=1024)
        assert torch.equal(out, want)

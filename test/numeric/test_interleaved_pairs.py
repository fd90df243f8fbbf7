"""Pairs of neighbours: even and odd elements, read, written and joined, also in place."""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl

SIZES = [0, 1, 7, 8, 31, 32, 33, 64]


@triton.jit
def turn(x, y, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    inside = at < n
    even = tl.load(x + 2 * at, mask=inside)
    odd = tl.load(x + 2 * at + 1, mask=inside)
    tl.store(y + 2 * at, even - odd, mask=inside)
    tl.store(y + 2 * at + 1, even + 2 * odd, mask=inside)


@triton.jit
def turn_rows(x, y, rows, pitch, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    row, at = tl.arange(0, ROWS)[:, None], tl.arange(0, BLOCK)[None, :]
    place = row * pitch + 2 * at
    even = tl.load(x + place, mask=row < rows)
    odd = tl.load(x + place + 1, mask=row < rows)
    tl.store(y + place, even - odd, mask=row < rows)
    tl.store(y + place + 1, even + 2 * odd, mask=row < rows)


@triton.jit
def joined(x, y, BLOCK: tl.constexpr):
    even, odd = tl.split(tl.reshape(tl.load(x + tl.arange(0, 2 * BLOCK)), (BLOCK, 2)))
    both = tl.join(even - odd, even + 2 * odd)
    tl.store(y + tl.arange(0, 2 * BLOCK), tl.reshape(both, (2 * BLOCK,)))


def turned(x: torch.Tensor) -> torch.Tensor:
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even - odd, even + 2 * odd), -1).flatten(-2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.int8, torch.int64])
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("to", [0, 1, 2, -2, -1, 3, 150])
def test_pairs(dtype, n, to):
    memory = (torch.arange(500) % 9).to(dtype)
    expected = memory.clone()
    expected[100 + to : 100 + to + 2 * n] = turned(memory[100 : 100 + 2 * n])
    turn[(1,)](memory[100:], memory[100 + to :], n, BLOCK=64)
    assert torch.equal(memory, expected)


@pytest.mark.parametrize("rows", [0, 1, 3, 4])
@pytest.mark.parametrize("to", [0, 1, 2, 50, 300])
def test_rows_of_pairs(rows, to):
    memory = (torch.arange(900) % 9).float()
    expected = memory.clone()
    source = torch.as_strided(memory, (rows, 32), (50, 1), 100).clone()
    torch.as_strided(expected, (rows, 32), (50, 1), 100 + to).copy_(turned(source))
    turn_rows[(1,)](memory[100:], memory[100 + to :], rows, 50, ROWS=4, BLOCK=16)
    assert torch.equal(memory, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8])
@pytest.mark.parametrize("block", [1, 2, 8, 16, 64])
def test_joined(dtype, block):
    x = (torch.arange(2 * block) % 2).to(dtype)
    y = torch.empty(2 * block, dtype=torch.float32)
    joined[(1,)](x, y, BLOCK=block)
    assert torch.equal(y, turned(x.float()))

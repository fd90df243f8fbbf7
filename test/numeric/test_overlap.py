"""Reads that a write of the same program overlaps: as if the whole block were read first."""

import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def shift(x, out, y, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    inside = offsets < n
    value = tl.load(x + offsets, inside) + tl.load(y + offsets, inside)
    tl.store(out + offsets, value, inside)


@triton.jit
def shift_rows(x, out, rows, columns, stride, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    row, column = tl.arange(0, ROWS)[:, None], tl.arange(0, COLUMNS)[None, :]
    inside = (row < rows) & (column < columns)
    value = tl.load(x + row * stride + column, inside)
    tl.store(out + row * stride + column, value + 1, inside)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.int8, torch.int64])
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 63, 64, 65, 128])
@pytest.mark.parametrize("distance", [-9, -1, 0, 1, 8, 100])
def test_shifted_in_place(dtype, n, distance):
    memory = torch.arange(400).to(dtype)
    x, out = memory[150 : 150 + n], memory[150 + distance : 150 + distance + n]
    y = memory[153 : 153 + n]
    expected = memory.clone()
    expected[150 + distance : 150 + distance + n] = x + y
    shift[(1,)](memory[150:], memory[150 + distance :], memory[153:], n, BLOCK=128)
    assert out.shape == y.shape and torch.equal(memory, expected)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (8, 16), (7, 16), (8, 9), (0, 4)])
@pytest.mark.parametrize("distance", [1, 17, 40])
def test_shifted_rows(shape, distance):
    rows, columns = shape
    memory = torch.arange(600, dtype=torch.float32)
    expected = memory.clone()
    source = torch.as_strided(memory, shape, (20, 1), 100).clone()
    torch.as_strided(expected, shape, (20, 1), 100 + distance).copy_(source + 1)
    shift_rows[(1,)](
        memory[100:], memory[100 + distance :], rows, columns, 20, ROWS=8, COLUMNS=16
    )  # fmt: skip
    assert torch.equal(memory, expected)


@triton.jit
def add_one(x, stride, other, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    at = tl.arange(0, ROWS)[:, None] * stride + tl.arange(0, COLUMNS)[None, :] * other
    tl.store(x + at, tl.load(x + at) + 1)


@pytest.mark.parametrize("strides", [(0, 1), (1, 0), (0, 0), (1, 1), (4, 1), (1, -3), (16, 1)])
@pytest.mark.parametrize("shape", [(8, 16), (1, 128), (16, 1)])
def test_lanes_that_write_one_element(strides, shape):
    memory = torch.zeros(1024)
    add_one[(1,)](memory[400:], *strides, ROWS=shape[0], COLUMNS=shape[1])
    expected = torch.zeros(1024)
    rows, columns = torch.arange(shape[0])[:, None], torch.arange(shape[1])
    expected[400 + rows * strides[0] + columns * strides[1]] = 1
    assert torch.equal(memory, expected)

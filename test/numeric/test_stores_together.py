"""Stores that one nest writes, sums that move into their loop, and reads through quotients.

All must give what the statements give one after the other, also where memory overlaps.
"""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl

SIZES = [0, 1, 7, 8, 63, 64, 65, 128]


@triton.jit
def moments(x, y, a, b, c, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < n
    first = tl.load(x + at, mask=inside)
    second = tl.load(y + at, mask=inside)
    total = first + second
    tl.store(a + at, total, mask=inside)
    tl.store(b + at, total * first, mask=inside)
    tl.store(c + at, total * second - 1, mask=inside)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(
    ("x", "y", "a", "b", "c"),
    [
        (0, 200, 400, 600, 800),
        (0, 200, 0, 200, 800),  # in place
        (0, 0, 0, 200, 400),
        (0, 200, 400, 400, 400),  # the last one stays
        (0, 200, 400, 401, 399),
        (0, 200, 1, 200, 400),
        (0, 200, 400, 201, 8),
        (100, 101, 102, 103, 104),
        (104, 103, 102, 101, 100),
        (100, 164, 164, 100, 133),
    ],
)
def test_overlapping_stores(n, x, y, a, b, c):
    memory = (torch.arange(1000) % 13).float()
    expected = memory.clone()
    first, second = memory[x : x + n].clone(), memory[y : y + n].clone()
    expected[a : a + n] = first + second
    expected[b : b + n] = (first + second) * first
    expected[c : c + n] = (first + second) * second - 1
    moments[(1,)](memory[x:], memory[y:], memory[a:], memory[b:], memory[c:], n, BLOCK=128)
    assert torch.equal(memory, expected)


@triton.jit
def crossed(x, a, b, rows, columns, stride, other, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    row, column = tl.arange(0, ROWS)[:, None], tl.arange(0, COLUMNS)[None, :]
    inside = (row < rows) & (column < columns)
    value = tl.load(x + row * stride + column, mask=inside)
    tl.store(a + row * stride + column, value + 1, mask=inside)
    tl.store(b + row * other + column, value * 2, mask=inside)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (8, 16), (7, 16), (8, 9)])
@pytest.mark.parametrize(
    ("a", "b", "other"),
    [(500, 900, 20), (0, 500, 20), (500, 500, 20), (500, 501, 20), (500, 500, 3), (0, 0, 40)],
)
def test_overlapping_rows(shape, a, b, other):
    rows, columns = shape
    memory = torch.arange(1400, dtype=torch.float32)
    expected = memory.clone()
    value = torch.as_strided(memory, shape, (20, 1)).clone()
    torch.as_strided(expected, shape, (20, 1), a).copy_(value + 1)
    for row in range(rows):  # rows of the second store may overlap
        for column in range(columns):
            expected[b + row * other + column] = value[row, column] * 2
    crossed[(1,)](memory, memory[a:], memory[b:], rows, columns, 20, other, ROWS=8, COLUMNS=16)
    if other >= columns:
        assert torch.equal(memory, expected)


@triton.jit
def masks(x, keep, y, sign, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    inside = at < n
    value = tl.load(x + at, mask=inside)
    flag = tl.load(keep + at, mask=inside, other=0) != 0
    tl.store(y + at, value * 2, mask=inside & flag)
    tl.store(sign + at, tl.where(value < 0, -1, 1), mask=inside & flag)


@pytest.mark.parametrize("n", SIZES)
def test_masks_of_their_own(n):
    x = torch.randn(128)
    x[3] = float("nan")
    keep = torch.arange(128, dtype=torch.int32) % 3
    y, sign = torch.zeros(128), torch.zeros(128, dtype=torch.int32)
    masks[(1,)](x, keep, y, sign, n, BLOCK=128)
    wanted = (torch.arange(128) < n) & (keep != 0)
    torch.testing.assert_close(y, torch.where(wanted, x * 2, 0.0), equal_nan=True)
    assert torch.equal(sign, torch.where(wanted, torch.where(x < 0, -1, 1), 0).int())


@triton.jit
def gemv(
    a, x, y, rows, columns, pitch, ROWS: tl.constexpr, BLOCK: tl.constexpr, MASKED: tl.constexpr
):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    acc = tl.zeros((ROWS, BLOCK), tl.float32)
    for start in range(0, columns, BLOCK):
        column = start + tl.arange(0, BLOCK)
        if MASKED:
            inside = (row[:, None] < rows) & (column[None, :] < columns)
            part = tl.load(a + row[:, None] * pitch + column[None, :], mask=inside, other=0.0)
            factor = tl.load(x + column, mask=column < columns, other=0.0)
        else:
            part = tl.load(a + row[:, None] * pitch + column[None, :])
            factor = tl.load(x + column)
        acc += part.to(tl.float32) * factor[None, :].to(tl.float32)
    tl.store(y + row, tl.sum(acc, 1), mask=row < rows)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("block", [(16, 128), (4, 16), (1, 64), (2, 8), (32, 32)])
@pytest.mark.parametrize("shape", [(1, 1), (5, 127), (16, 128), (17, 129), (31, 384), (3, 0)])
def test_sums_along_rows(dtype, block, shape):
    rows, columns = shape
    whole = torch.full((rows + 40, columns + 3), float("nan"), dtype=dtype)
    generator = torch.Generator().manual_seed(rows)
    whole[:rows, :columns] = torch.randint(-4, 5, shape, generator=generator).to(dtype)
    x = torch.full((columns + 200,), float("nan"), dtype=dtype)
    x[:columns] = torch.randint(-4, 5, (columns,), generator=generator).to(dtype)
    y = torch.full((rows + 40,), -1.0)
    grid = (triton.cdiv(rows, block[0]),)
    gemv[grid](whole, x, y, rows, columns, columns + 3, block[0], block[1], MASKED=True)
    expected = whole[:rows, :columns].float() @ x[:columns].float()
    assert torch.equal(y[:rows], expected) and (y[rows:] == -1).all()


def test_sums_along_whole_rows():
    a = torch.randint(-4, 5, (64, 512)).float()
    x, y = torch.randint(-4, 5, (512,)).float(), torch.empty(64)
    gemv[(4,)](a, x, y, 64, 512, 512, 16, 128, MASKED=False)
    assert torch.equal(y, a @ x)


@triton.jit
def extremes(x, top, total, rows, columns, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    most = tl.full((ROWS, BLOCK), -1000, tl.int32)
    acc = tl.zeros((ROWS, BLOCK), tl.int32)
    for start in range(0, columns, BLOCK):
        column = start + tl.arange(0, BLOCK)
        inside = (row[:, None] < rows) & (column[None, :] < columns)
        value = tl.load(x + row[:, None] * columns + column[None, :], mask=inside, other=-7)
        most = tl.maximum(most, value)
        acc += tl.where(inside, value, 0)
    tl.store(top + row, tl.max(most, 1), mask=row < rows)
    tl.store(total + row, tl.sum(acc, 1), mask=row < rows)


@pytest.mark.parametrize("shape", [(1, 1), (9, 63), (8, 64), (7, 65), (16, 200)])
def test_two_reductions_along_rows(shape):
    x = torch.randint(-50, 50, shape, dtype=torch.int32)
    top, total = torch.zeros(shape[0], dtype=torch.int32), torch.zeros(shape[0], dtype=torch.int32)
    extremes[(triton.cdiv(shape[0], 8),)](x, top, total, *shape, ROWS=8, BLOCK=64)
    padded = shape[1] % 64 != 0
    expected = x.max(1)[0].clamp(min=-7) if padded else x.max(1)[0]
    assert torch.equal(top, expected)
    assert torch.equal(total, x.sum(1).int())


@triton.jit
def normalize(x, scale, bias, y, start, size, n, BLOCK: tl.constexpr):
    for first in range(0, n, BLOCK):
        at = first + tl.arange(0, BLOCK)
        inside = at < n
        channel = (start + at) // size
        value = tl.load(x + at, mask=inside, other=0.0)
        factor = tl.load(scale + channel, mask=inside, other=0.0)
        shift = tl.load(bias + channel % 3, mask=inside, other=0.0)
        tl.store(y + at, value * factor + shift, mask=inside)


@pytest.mark.parametrize("size", [1, 3, 16, 64, 100, 1000])
@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 200])
@pytest.mark.parametrize(
    ("scale", "y"), [(1000, 2000), (1000, 0), (1000, 1001), (990, 900), (40, 0)]
)
def test_scale_of_a_channel(size, n, scale, y):
    memory = (torch.arange(3000) % 11).float()
    bias = torch.tensor([1.0, 2.0, 3.0])
    expected = memory.clone()
    for first in range(0, n, 64):  # an iteration reads before it writes
        at = torch.arange(first, min(first + 64, n))
        channel = (5 + at) // size
        expected[y + at] = expected[at] * expected[scale + channel] + bias[channel % 3]
    normalize[(1,)](memory, memory[scale:], bias, memory[y:], 5, size, n, BLOCK=64)
    assert torch.equal(memory, expected)


def test_division_by_what_is_not_positive():
    # Nothing is said of the result, but no division ends the process.
    memory, bias = torch.zeros(300), torch.zeros(3)
    keep = torch.zeros(5, dtype=torch.int32)
    guarded[(1,)](memory, keep, memory[100:], 0, 64, BLOCK=64)
    guarded[(1,)](memory, keep, memory[100:], -1, 64, BLOCK=64)
    assert bias.sum() == 0


@triton.jit
def guarded(x, keep, y, size, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    wanted = tl.load(keep) != 0
    value = tl.load(x + at // size, mask=(at < n) & wanted, other=1.0)
    tl.store(y + at, value, mask=at < n)

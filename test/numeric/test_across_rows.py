"""Reductions across the rows of a block, and rows that are only partly in bounds.

Sums of small integers are exact in fp32 in any order, so results are compared for equality.
"""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def columns_kernel(
    x_ptr, sum_ptr, top_ptr, at_ptr, rows, columns, stride,
    R: tl.constexpr, C: tl.constexpr, OTHER: tl.constexpr,
):  # fmt: skip
    r, c = tl.arange(0, R), tl.arange(0, C)
    mask = (r < rows)[:, None] & (c < columns)[None, :]
    x = tl.load(x_ptr + r[:, None] * stride + c[None, :], mask=mask, other=OTHER)
    tl.store(sum_ptr + c, tl.sum(x, 0))
    top, at = tl.max(x, 0, return_indices=True)
    tl.store(top_ptr + c, top)
    tl.store(at_ptr + c, at)


@triton.jit
def rows_kernel(x_ptr, y_ptr, sum_ptr, top_ptr, rows, R: tl.constexpr, C: tl.constexpr):
    r, c = tl.arange(0, R), tl.arange(0, C)
    at = r[:, None] * C + c[None, :]
    x = tl.load(x_ptr + at, mask=(r < rows)[:, None], other=2.0)
    y = tl.load(y_ptr + c)
    tl.store(sum_ptr + r, tl.sum(x * y[None, :], 1))
    tl.store(top_ptr + r, tl.max(x, 1))


def integers(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-8, 9, shape, generator=generator).float()


@pytest.mark.parametrize("rows", [0, 1, 3, 4, 15, 16])
@pytest.mark.parametrize("columns", [1, 7, 63, 64, 65, 100, 128])
@pytest.mark.parametrize("other", [0.0, 3.0])
def test_columns(rows, columns, other):
    height, width = 16, 128
    whole = torch.full((height, width), other)
    whole[:rows, :columns] = integers(rows, columns)
    padded = torch.full((height, width + 5), 1e30)
    padded[:rows, :columns] = whole[:rows, :columns]
    total, top = torch.empty(width), torch.empty(width)
    at = torch.empty(width, dtype=torch.int32)
    columns_kernel[(1,)](
        padded, total, top, at, rows, columns, padded.stride(0), R=height, C=width, OTHER=other
    )
    assert torch.equal(total, whole.sum(0))
    assert torch.equal(top, whole.max(0).values)
    # The first of equal elements.
    assert torch.equal(at, (whole == whole.max(0).values).int().argmax(0).int())


@pytest.mark.parametrize("width", [1, 2, 4, 8, 32, 256])
@pytest.mark.parametrize("height", [1, 2, 8])
def test_shapes(height, width):
    x = integers(height, width)
    total, top = torch.empty(width), torch.empty(width)
    at = torch.empty(width, dtype=torch.int32)
    columns_kernel[(1,)](x, total, top, at, height, width, width, R=height, C=width, OTHER=0.0)
    assert torch.equal(total, x.sum(0))
    assert torch.equal(top, x.max(0).values)


@pytest.mark.parametrize("rows", [0, 1, 15, 16])
@pytest.mark.parametrize("width", [8, 64])
def test_rows_in_bounds(rows, width):
    x = torch.full((16, width), 2.0)
    x[:rows] = integers(rows, width)
    y = integers(width, seed=1)
    total, top = torch.empty(16), torch.empty(16)
    given = torch.full((16, width), 1e30)
    given[:rows] = x[:rows]
    rows_kernel[(1,)](given, y, total, top, rows, R=16, C=width)
    assert torch.equal(total, (x * y).sum(1))
    assert torch.equal(top, x.max(1).values)


def test_not_a_number_stays_in_its_column():
    x = integers(16, 64)
    x[3, 5], x[0, 6], x[7, 9] = float("nan"), float("inf"), float("-inf")
    total, top = torch.empty(64), torch.empty(64)
    at = torch.empty(64, dtype=torch.int32)
    columns_kernel[(1,)](x, total, top, at, 16, 64, 64, R=16, C=64, OTHER=0.0)
    torch.testing.assert_close(total, x.sum(0), rtol=0, atol=0, equal_nan=True)
    assert top[6] == float("inf") and top[9] == x[:, 9].max()

"""Rows that do not fill their block, special values in reductions, loops that accumulate."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import triton
import triton.language as tl

BLOCK = 128
LENGTHS = [1, 7, 8, 9, 31, 33, BLOCK - 1, BLOCK]
NAN, INF = float("nan"), float("inf")


@triton.jit
def softmax_kernel(x_ptr, y_ptr, top_ptr, sum_ptr, pitch, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * pitch + cols, mask=cols < n, other=-float("inf"))
    top = tl.max(x, axis=0)
    e = tl.exp(x - top)
    total = tl.sum(e, axis=0)
    tl.store(top_ptr + row, top)
    tl.store(sum_ptr + row, total)
    tl.store(y_ptr + row * pitch + cols, e / total, mask=cols < n)


def special_rows(n: int) -> torch.Tensor:
    """Rows of `n` numbers, some of them with values that comparisons treat in their own way."""
    x = torch.randn(12, n, generator=torch.Generator().manual_seed(n)) * 4
    x[1] = NAN
    x[2] = -INF
    x[3, n // 2] = INF
    x[4, 0] = x[4, -1] = NAN
    x[5, 1:] = NAN
    x[6, :-1] = -INF
    x[7] = -0.0
    x[8, n // 3] = 0.0
    x[9] *= 60  # differences whose exponentials are denormal or zero
    x[10] = NAN
    x[10, n // 2] = -INF
    x[11] = torch.finfo(torch.float32).max * torch.sign(x[11])
    return x


@pytest.mark.parametrize("n", LENGTHS)
def test_softmax_of_special_values(n):
    x = special_rows(n)
    y, top, total = torch.full((len(x), BLOCK + 1), 7.0), torch.empty(len(x)), torch.empty(len(x))
    padded = torch.full_like(y, 9.0)
    padded[:, :n] = x
    softmax_kernel[(len(x),)](padded, y, top, total, y.shape[1], n, BLOCK=BLOCK)
    largest = np.fmax.reduce(x.numpy(), axis=1)
    if n < BLOCK:  # what is read beyond the row
        largest = np.fmax(largest, -np.inf)
    np.testing.assert_array_equal(top.numpy(), largest)
    with np.errstate(all="ignore"):
        e = np.exp(x.double().numpy() - largest[:, None].astype(float))
        beyond = np.isnan(largest) | np.isinf(largest)
        expected = np.where(beyond & (n < BLOCK) & ~(largest > 0), NAN, e.sum(axis=1))
    # An exponential as small as this has the error of a denormal.
    np.testing.assert_allclose(total.numpy(), expected, rtol=1e-6, atol=1e-45)
    with np.errstate(all="ignore"):
        rows = e / expected[:, None]
    np.testing.assert_allclose(y[:, :n].numpy(), rows, rtol=3e-6, atol=3e-45)
    assert (y[:, n:] == 7).all()


@triton.jit
def persistent_softmax_kernel(x_ptr, y_ptr, pitch, rows, n, BLOCK: tl.constexpr):
    cols = tl.arange(0, BLOCK)
    for row in range(tl.program_id(0), rows, tl.num_programs(0)):
        x = tl.load(x_ptr + row * pitch + cols, mask=cols < n, other=-float("inf"))
        e = tl.exp(x - tl.max(x, axis=0))
        tl.store(y_ptr + row * pitch + cols, e / tl.sum(e, axis=0), mask=cols < n)


@pytest.mark.parametrize("n", [1, 511, 512])
def test_rows_of_a_persistent_program(n):
    # Long enough for the next row to be asked for, which the last one does not have.
    x, y = torch.randn(7, n), torch.empty(7, n)
    persistent_softmax_kernel[(2,)](x, y, n, 7, n, BLOCK=512)
    torch.testing.assert_close(y, torch.softmax(x, 1))


@triton.jit
def extremes_kernel(
    x_ptr, high_ptr, low_ptr, n, ROWS: tl.constexpr, BLOCK: tl.constexpr, AXIS: tl.constexpr
):
    rows = tl.arange(0, ROWS)
    cols = tl.arange(0, BLOCK)
    at = rows[:, None] * n + cols[None, :]
    x = tl.load(x_ptr + at, mask=(cols < n)[None, :], other=float("nan"))
    high = tl.max(x, axis=AXIS)
    low = tl.min(x, axis=AXIS)
    if AXIS == 1:
        tl.store(high_ptr + rows, high)
        tl.store(low_ptr + rows, low)
    else:
        tl.store(high_ptr + cols, high)
        tl.store(low_ptr + cols, low)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [1, 5, 31, 32])
def test_extremes_skip_nan(n, dtype, axis):
    """A NaN is the result only where there is nothing else."""
    x = torch.cat([special_rows(n), special_rows(n)[:4]]).to(dtype)
    high, low = (torch.empty(32, dtype=dtype) for _ in range(2))
    extremes_kernel[(1,)](x, high, low, n, ROWS=16, BLOCK=32, AXIS=axis)
    count = n if axis == 0 else 16
    np.testing.assert_array_equal(high[:count].numpy(), np.fmax.reduce(x.numpy(), axis=axis))
    np.testing.assert_array_equal(low[:count].numpy(), np.fmin.reduce(x.numpy(), axis=axis))


@triton.jit
def beyond_kernel(x_ptr, out_ptr, n, other, BLOCK: tl.constexpr):
    cols = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + cols, mask=cols < n, other=other)
    tl.store(out_ptr, tl.sum(x * x + 1, axis=0))
    tl.store(out_ptr + 1, tl.max(x, axis=0))
    tl.store(out_ptr + 2, tl.min(-x, axis=0))
    tl.store(out_ptr + 3, tl.sum(x, axis=0))


@pytest.mark.parametrize("other", [0, 3, -5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.int32])
@pytest.mark.parametrize("n", [0, *LENGTHS])
def test_what_lies_beyond_the_bounds_counts(n, dtype, other):
    x = (torch.arange(BLOCK) % 11 - 5).to(dtype)
    out = torch.empty(4, dtype=dtype)
    beyond_kernel[(1,)](x, out, n, float(other) if dtype.is_floating_point else other, BLOCK=BLOCK)
    x[n:] = other
    expected = [(x * x + 1).sum(), x.max(), (-x).min(), x.sum()]
    assert out.tolist() == [v.item() for v in expected]


@triton.jit
def sums_kernel(
    x_ptr, out_ptr, rows, cols, start, ROWS: tl.constexpr, BLOCK: tl.constexpr, WHERE: tl.constexpr
):
    r = tl.arange(0, ROWS)
    sums = tl.full([ROWS, BLOCK], -0.0, dtype=tl.float32)
    counts = tl.full([ROWS, BLOCK], 3, dtype=tl.int32)
    for first in range(start, cols, BLOCK):
        c = first + tl.arange(0, BLOCK)
        inside = (r < rows)[:, None] & (c < cols)[None, :]
        x = tl.load(x_ptr + r[:, None] * cols + c[None, :], mask=inside, other=1.0)
        sums = sums * 0.5 + (tl.where((c < cols)[None, :], x, 7.0) if WHERE else x)
        counts += (x > 0).to(tl.int32)
    at = r[:, None] * BLOCK + tl.arange(0, BLOCK)[None, :]
    tl.store(out_ptr + at, sums)
    tl.store(out_ptr + ROWS * BLOCK + at, counts.to(tl.float32))


@pytest.mark.parametrize("where", [False, True])
@pytest.mark.parametrize("rows", [0, 1, 3, 4])
@pytest.mark.parametrize("cols", [0, 1, 31, 32, 33, 127, 128, 129, 300])
def test_accumulation_keeps_the_order_of_each_element(rows, cols, where):
    """Each element goes through the iterations in their order, with one rounding an operation."""
    start = 32 if cols == 300 else 0
    x = torch.randn(4, max(cols, 1), generator=torch.Generator().manual_seed(cols))
    out = torch.empty(2, 4, 32)
    sums_kernel[(1,)](x, out, rows, cols, start, ROWS=4, BLOCK=32, WHERE=where)
    sums, counts = torch.full((4, 32), -0.0), torch.full((4, 32), 3.0)
    for first in range(start, cols, 32):
        tile = torch.ones(4, 32)
        part = x[:rows, first : first + 32]
        tile[:rows, : part.shape[1]] = part
        added = tile.clone()
        if where:
            added[:, part.shape[1] :] = 7.0
        sums = sums * 0.5 + added
        counts += tile > 0
    torch.testing.assert_close(out[0], sums, rtol=1e-6, atol=1e-6)
    assert torch.equal(out[1], counts)


@triton.jit
def transposed_sum_kernel(x_ptr, y_ptr, rows, cols, N: tl.constexpr):
    r = tl.arange(0, N)
    at = r[:, None] * N + r[None, :]
    x = tl.load(x_ptr + at, mask=(r[:, None] < rows) & (r[None, :] < cols), other=0.0)
    tl.store(y_ptr + at, x + tl.trans(x))


@pytest.mark.parametrize("rows, cols", [(3, 16), (16, 3), (5, 9), (16, 16)])
def test_one_block_read_along_both_dimensions(rows, cols):
    x = torch.randn(16, 16)
    y = torch.empty_like(x)
    transposed_sum_kernel[(1,)](x, y, rows, cols, N=16)
    inside = torch.zeros_like(x)
    inside[:rows, :cols] = x[:rows, :cols]
    assert torch.equal(y, inside + inside.T)


@triton.jit
def square_kernel(x_ptr, y_ptr, N: tl.constexpr, AXIS: tl.constexpr, EXP2: tl.constexpr):
    r = tl.arange(0, N)
    at = r[:, None] * N + r[None, :]
    x = tl.load(x_ptr + at)
    top = tl.max(x, axis=AXIS)
    # The maximum of the rows less the elements of a column, and the other way round.
    difference = x - (top[:, None] if AXIS == 0 else top[None, :])
    tl.store(y_ptr + at, tl.exp2(difference) if EXP2 else tl.exp(difference))


@pytest.mark.parametrize("exp2", [False, True])
@pytest.mark.parametrize("axis", [0, 1])
def test_maximum_of_another_axis_bounds_nothing(axis, exp2):
    x = torch.randn(16, 16, generator=torch.Generator().manual_seed(1)) * 30
    y = torch.empty_like(x)
    square_kernel[(1,)](x, y, N=16, AXIS=axis, EXP2=exp2)
    top = x.amax(axis)
    difference = x - (top[:, None] if axis == 0 else top[None, :])
    wide = difference.double()
    expected = (wide.exp2() if exp2 else wide.exp()).float()
    torch.testing.assert_close(y, expected, rtol=3e-7, atol=2e-45)


@triton.jit
def below_top_kernel(x_ptr, y_ptr, N: tl.constexpr, EXP2: tl.constexpr):
    at = tl.arange(0, N)
    x = tl.load(x_ptr + at)
    difference = x - tl.maximum(tl.max(x, axis=0), 0.0)
    tl.store(y_ptr + at, tl.exp2(difference) if EXP2 else tl.exp(difference))


@pytest.mark.parametrize("exp2", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_exponential_of_what_is_never_positive(dtype, exp2):
    """A unit in the last place, without FMA 3% more, down to the last denormal, infinity, NaN."""
    lowest = {torch.float32: -160.0, torch.float64: -1100.0}[dtype]
    x = torch.linspace(lowest, 0, 4096, dtype=dtype)
    x[:6] = torch.tensor([-INF, NAN, -0.0, 0.0, torch.finfo(dtype).min, -1e-30])
    payload = torch.tensor([0x7FC12345], dtype=torch.int32).view(torch.float32)
    x[6] = payload.to(dtype)
    y = torch.empty_like(x)
    below_top_kernel[(1,)](x, y, N=4096, EXP2=exp2)
    wide = x.numpy().astype(np.longdouble)
    expected = np.exp2(wide) if exp2 else np.exp(wide)
    got = y.numpy()
    assert np.isnan(got[[1, 6]]).all() and got[0] == 0
    rest = ~np.isnan(expected)
    unit = np.spacing(expected[rest].astype(got.dtype))
    assert (np.abs(got[rest] - expected[rest]) <= 1.05 * unit).all()


@triton.jit
def scaled_softmax_kernel(x_ptr, y_ptr, scale, BLOCK: tl.constexpr):
    cols = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + cols) * scale
    e = tl.exp(x - tl.max(x, axis=0))
    tl.store(y_ptr + cols, e / tl.sum(e, axis=0))


@pytest.mark.parametrize("magnitude", [1.0, 1e10, 3.3e30, 3e38])
def test_the_largest_of_products_is_as_large_as_each(magnitude):
    """x * scale - max(x * scale) must not become one operation with one rounding."""
    x = torch.full((BLOCK,), magnitude)
    x[5], y = 0.9999 * magnitude, torch.empty(BLOCK)
    scaled_softmax_kernel[(1,)](x, y, 0.3333, BLOCK=BLOCK)
    torch.testing.assert_close(y, torch.softmax(x * 0.3333, 0))


@triton.jit
def _times(a, b):
    return a * b


@triton.jit
def places_kernel(x_ptr, at_ptr, product_ptr, rows, cols, R: tl.constexpr, C: tl.constexpr):
    i, j = tl.arange(0, R), tl.arange(0, C)
    inside = (i[:, None] < rows) & (j[None, :] < cols)
    x = tl.load(x_ptr + i[:, None] * C + j[None, :], mask=inside, other=1.0)
    tl.store(at_ptr + i, tl.argmax(x, axis=1))
    tl.store(product_ptr + i, tl.reduce(tl.where(j[None, :] % 2 == 0, x, 1.0), 1, _times))


@pytest.mark.parametrize("rows", [0, 1, 15, 16])
@pytest.mark.parametrize("cols", [0, 1, 7, 8, 31, 32])
def test_places_of_rows_in_bounds_and_beyond(rows: int, cols: int) -> None:
    """Rows in bounds and the rest are two loops, and both start from the first columns."""
    generator = torch.Generator().manual_seed(rows * 64 + cols)
    x = torch.randint(0, 3, (16, 32), generator=generator).float()
    at, product = torch.empty(16, dtype=torch.int32), torch.empty(16)
    places_kernel[(1,)](x, at, product, rows, cols, R=16, C=32)
    seen = torch.ones(16, 32)
    seen[:rows, :cols] = x[:rows, :cols]
    # The first of equal elements.
    assert torch.equal(at, (seen == seen.amax(1, keepdim=True)).int().argmax(1).int())
    assert torch.equal(product, seen[:, ::2].prod(1))

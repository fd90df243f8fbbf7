"""What one pass over a row serves together: several reductions, blocks that are needed later,
scans with their total, stores behind a branch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import triton
import triton.language as tl

from seagrove.runtime.device import last_level_cache_bytes

BLOCK = 128
LENGTHS = [0, 1, 7, 8, 9, 31, BLOCK - 1, BLOCK]


def numbers(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


@triton.jit
def moments_kernel(x_ptr, y_ptr, out_ptr, first, n, BLOCK: tl.constexpr):
    cols = first + tl.arange(0, BLOCK)
    mask = cols < n
    x = tl.load(x_ptr + cols, mask=mask, other=0)
    total = tl.sum(x, axis=0)
    y = tl.load(y_ptr + cols, mask=mask, other=0)
    scaled = tl.where(mask, x * y, 5)
    tl.store(out_ptr, total)
    tl.store(out_ptr + 1, tl.sum(scaled, axis=0))
    tl.store(out_ptr + 2, tl.sum(x * x, axis=0))
    tl.store(out_ptr + 3, tl.min(x, axis=0))
    # Of another reduction, so not at once with it.
    tl.store(out_ptr + 4, tl.sum(x - total, axis=0))


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.int32, torch.float64])
@pytest.mark.parametrize("first", [0, 3])
def test_reductions_of_one_row(n, dtype, first):
    x, y = ((numbers(BLOCK + 3, seed=s) * 50).to(dtype) for s in range(2))
    out = torch.zeros(5, dtype=dtype)
    moments_kernel[(1,)](x, y, out, first, n, BLOCK=BLOCK)
    inside = torch.arange(first, first + BLOCK) < n
    row = torch.where(inside, x[first : first + BLOCK], 0).double()
    scaled = torch.where(inside, row * y[first : first + BLOCK].double(), 5)
    wanted = [row.sum(), scaled.sum(), (row * row).sum(), row.min(), (row - row.sum()).sum()]
    torch.testing.assert_close(out.double(), torch.stack(wanted), rtol=2e-5, atol=0.05)


def test_reductions_keep_special_values():
    x, y, out = numbers(BLOCK), numbers(BLOCK, seed=1), torch.zeros(5)
    x[70] = float("nan")
    moments_kernel[(1,)](x, y, out, 0, BLOCK, BLOCK=BLOCK)
    assert out[[0, 1, 2, 4]].isnan().all() and out[3] == np.fmin.reduce(x.numpy())
    x[70] = float("inf")
    moments_kernel[(1,)](x, y, out, 0, BLOCK, BLOCK=BLOCK)
    assert out[0] == out[2] == float("inf")


@triton.jit
def add_shares_kernel(
    x_ptr, y_ptr, dx_ptr, a_ptr, b_ptr, lock_ptr, pitch, n, GROUPS: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < n
    x = tl.load(x_ptr + row * pitch + cols, mask=mask, other=0)
    y = tl.load(y_ptr + row * pitch + cols, mask=mask, other=0)
    scale = tl.sum(x * y, axis=0)
    tl.store(dx_ptr + row * pitch + cols, x - y * scale, mask=mask)
    a, b = tl.sqrt(tl.abs(x) + 1) * (y + 1) * (x - 2) * x, y
    group = row % GROUPS
    a_ptr += group * n + cols
    b_ptr += group * n + cols
    while tl.atomic_cas(lock_ptr + group, 0, 1) == 1:
        pass
    count_ptr = lock_ptr + GROUPS + group
    if tl.load(count_ptr) == 0:
        tl.atomic_xchg(count_ptr, 1)
    else:
        a += tl.load(a_ptr, mask=mask)
        b += tl.load(b_ptr, mask=mask)
    tl.store(a_ptr, a, mask=mask)
    tl.store(b_ptr, b * 2 - b, mask=mask)
    tl.debug_barrier()
    tl.atomic_xchg(lock_ptr + group, 0)


def shares(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
    x, y = x.double(), y.double()
    a = torch.sqrt(x.abs() + 1) * (y + 1) * (x - 2) * x
    return x - y * (x * y).sum(1, keepdim=True), a.sum(0), y.sum(0)


def run_shares(x, y, dx, n, block):
    groups = 3
    a, b = torch.full((groups, n), 9.0), torch.full((groups, n), 9.0)
    locks = torch.zeros(2 * groups, dtype=torch.int32)
    add_shares_kernel[(len(x),)](x, y, dx, a, b, locks, x.stride(0), n, GROUPS=groups, BLOCK=block)
    used = min(groups, len(x))
    return a[:used].sum(0), b[:used].sum(0)


@pytest.mark.parametrize("n", LENGTHS[1:])
@pytest.mark.parametrize("in_place", [False, True])
def test_shares_behind_a_lock(n, in_place):
    """What is added under the lock was read before; `dx` may lie where `x` does."""
    x, y = numbers(20, BLOCK), numbers(20, BLOCK, seed=1)
    dx = x.clone() if in_place else torch.zeros_like(x)
    wanted_dx, *wanted = shares(x[:, :n], y[:, :n])
    got = run_shares(dx if in_place else x, y, dx, n, BLOCK)
    torch.testing.assert_close(dx[:, :n].double(), wanted_dx, rtol=1e-4, atol=1e-3)
    for result, sums in zip(got, wanted, strict=True):
        torch.testing.assert_close(result.double(), sums, rtol=1e-4, atol=1e-3)


def test_streams_and_locks():
    """Rows go past the caches while programs wait for each other."""
    columns = 4096
    rows = max(last_level_cache_bytes(), 32 << 20) // 4 // (4 * columns) + 1
    x, y = numbers(rows, columns), numbers(rows, columns, seed=1)
    dx = torch.zeros_like(x)
    wanted_dx, *wanted = shares(x, y)
    got = run_shares(x, y, dx, columns, columns)
    torch.testing.assert_close(dx.double(), wanted_dx, rtol=1e-3, atol=1e-2)
    for result, sums in zip(got, wanted, strict=True):
        torch.testing.assert_close(result.double(), sums, rtol=1e-3, atol=1e-2)


@triton.jit
def store_either_kernel(x_ptr, y_ptr, flag_ptr, n, BLOCK: tl.constexpr):
    cols = tl.arange(0, BLOCK)
    mask = cols < n
    x = tl.load(x_ptr + cols, mask=mask, other=0)
    if tl.load(flag_ptr) > 0:
        first, second = x * 2, tl.load(y_ptr + cols, mask=mask, other=0)
        count = 1
    else:
        first, second = x + 1, x - 1
        count = 2
    # The second store overwrites a part of the first, and what the branch read.
    tl.store(y_ptr + cols, first + count, mask=mask)
    tl.store(y_ptr + 5 + cols, second * 3, mask=mask)


@pytest.mark.parametrize("flag", [0, 1])
@pytest.mark.parametrize("n", LENGTHS)
def test_stores_behind_a_branch(flag, n):
    x, y = numbers(BLOCK), numbers(BLOCK + 5, seed=1)
    wanted, row, old = y.clone(), x[:n], y[:n].clone()
    wanted[:n] = (row * 2 + 1) if flag else (row + 1 + 2)
    wanted[5 : 5 + n] = old * 3 if flag else (row - 1) * 3
    store_either_kernel[(1,)](x, y, torch.tensor([flag]), n, BLOCK=BLOCK)
    torch.testing.assert_close(y, wanted)


@triton.jit
def step(a, b, c, d):
    return a * c, b * c + d


@triton.jit
def add(a, b):
    return a + b


@triton.jit
def scans_kernel(
    x_ptr, sums_ptr, most_ptr, line_ptr, total_ptr, n, REVERSE: tl.constexpr, BLOCK: tl.constexpr
):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < n
    at = row * BLOCK + cols
    x = tl.load(x_ptr + at, mask=mask, other=0)
    tl.store(sums_ptr + at, tl.associative_scan(x, 0, add, reverse=REVERSE))
    tl.store(total_ptr + row, tl.reduce(x, 0, add))
    tl.store(most_ptr + at, tl.associative_scan(x, 0, triton.language.standard._elementwise_max,
                                                reverse=REVERSE))  # fmt: skip
    _, line = tl.associative_scan((x, x + 1), 0, step, reverse=REVERSE)
    tl.store(line_ptr + at, line)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.int32, torch.float64])
def test_scans(n, reverse, dtype):
    x = (numbers(3, BLOCK) * (1 if dtype.is_floating_point else 50)).to(dtype)
    sums, most, line = (torch.zeros_like(x) for _ in range(3))
    total = torch.zeros(3, dtype=dtype)
    scans_kernel[(3,)](x, sums, most, line, total, n, REVERSE=reverse, BLOCK=BLOCK)
    row = torch.where(torch.arange(BLOCK) < n, x, 0)
    row = row.flip(1) if reverse else row
    wide = row.double() if dtype.is_floating_point else row.long()
    state, wanted_line = (wide[:, 0] + 1), []
    for column in range(BLOCK):
        if column:
            state = state * wide[:, column] + wide[:, column] + 1
            state = state if dtype.is_floating_point else state.to(dtype).long()
        wanted_line.append(state)
    wanted = [wide.cumsum(1), wide.cummax(1).values, torch.stack(wanted_line, 1)]
    for got, values in zip((sums, most, line), wanted, strict=True):
        values = values.flip(1) if reverse else values
        torch.testing.assert_close(got, values.to(dtype), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(total, wide.sum(1).to(dtype), rtol=1e-5, atol=1e-4)


@triton.jit
def columns_kernel(
    x_ptr, sums_ptr, total_ptr, AXIS: tl.constexpr, M: tl.constexpr, N: tl.constexpr
):
    at = tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :]
    x = tl.load(x_ptr + at)
    tl.store(sums_ptr + at, tl.cumsum(x, axis=AXIS))
    tl.store(total_ptr + tl.arange(0, N if AXIS == 0 else M), tl.sum(x, axis=AXIS))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("m, n", [(8, 32), (2, 4), (1, 16), (16, 1)])
def test_scans_of_blocks(axis, m, n):
    x = numbers(m, n)
    sums, total = torch.zeros_like(x), torch.zeros(n if axis == 0 else m)
    columns_kernel[(1,)](x, sums, total, AXIS=axis, M=m, N=n)
    torch.testing.assert_close(sums, x.cumsum(axis), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(total, x.sum(axis), rtol=1e-5, atol=1e-5)

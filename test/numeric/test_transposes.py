"""Reads that cross the vectors of a nest, transposed in registers: edges, masks, types, overlap."""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl

TYPES = [torch.float32, torch.bfloat16, torch.float16, torch.int8, torch.int16, torch.float64]
SHAPES = [(1, 1), (7, 9), (32, 32), (31, 33), (48, 65), (33, 100), (64, 31), (96, 64)]


def values(rows, columns, dtype, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-100, 100, (rows, columns), generator=generator).to(dtype)


def grid(m, n, block):
    return triton.cdiv(m, block), triton.cdiv(n, block)


@triton.jit
def transpose_kernel(x_ptr, out_ptr, M, N, other, BLOCK: tl.constexpr, SWAP: tl.constexpr):
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = (rows[:, None] < M) & (columns[None, :] < N)
    x = tl.load(x_ptr + rows[:, None] * N + columns[None, :], mask=inside, other=other)
    if SWAP:
        out = out_ptr + columns[:, None] * M + rows[None, :]
        tl.store(out, tl.trans(x), mask=(columns[:, None] < N) & (rows[None, :] < M))
    else:
        tl.store(out_ptr + columns[None, :] * M + rows[:, None], x, mask=inside)


@pytest.mark.parametrize("swap", [True, False])
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_transpose(dtype, swap):
    """Blocks on and off the edges, of `tl.trans` and of a store to transposed addresses."""
    for m, n in SHAPES:
        x = values(m, n, dtype)
        out = torch.full((n + 1, m), 77).to(dtype)
        transpose_kernel[grid(m, n, 32)](x, out, m, n, 0, BLOCK=32, SWAP=swap)
        assert torch.equal(out[:n], x.t())
        assert (out[n:] == 77).all()


@triton.jit
def whole_kernel(x_ptr, out_ptr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    rows, columns = tl.arange(0, ROWS), tl.arange(0, COLUMNS)
    x = tl.load(x_ptr + rows[:, None] * COLUMNS + columns[None, :])
    tl.store(out_ptr + columns[:, None] * ROWS + rows[None, :], tl.trans(x))


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bfloat16, torch.int8, torch.float64], ids=str
)
def test_small_blocks(dtype):
    """Blocks of fewer rows or columns than a vector or a group."""
    for rows in (1, 2, 4, 8, 64):
        for columns in (1, 2, 4, 16):
            x = values(rows, columns, dtype)
            out = torch.empty(columns, rows, dtype=dtype)
            whole_kernel[(1,)](x, out, ROWS=rows, COLUMNS=columns)
            assert torch.equal(out, x.t())


@triton.jit
def mixed_kernel(a_ptr, b_ptr, bias_ptr, out_ptr, M, N, BLOCK: tl.constexpr):
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = (rows[:, None] < M) & (columns[None, :] < N)
    a = tl.load(a_ptr + rows[:, None] * N + columns[None, :], mask=inside, other=0)
    b = tl.load(b_ptr + rows[:, None] + columns[None, :] * M, mask=inside, other=0)
    bias = tl.load(bias_ptr + rows, mask=rows < M, other=0)
    total = a.to(tl.float32) * 2 + b.to(tl.float32) + bias[:, None]
    tl.store(out_ptr + rows[:, None] * N + columns[None, :], total, mask=inside)


@pytest.mark.parametrize(
    "types", [(torch.float32, torch.bfloat16), (torch.bfloat16, torch.float32)]
)
def test_mixed(types):
    """Only the operand that is transposed crosses the vectors; each has a type of its own."""
    for m, n in SHAPES:
        a, b, bias = values(m, n, types[0]), values(n, m, types[1], 1), values(m, 1, types[0], 2)
        out = torch.empty(m, n)
        mixed_kernel[grid(m, n, 32)](a, b, bias, out, m, n, BLOCK=32)
        assert torch.equal(out, a.float() * 2 + b.float().t() + bias.float())


@triton.jit
def symmetric_kernel(x_ptr, out_ptr, M, N, BLOCK: tl.constexpr):
    rows, columns = tl.arange(0, BLOCK), tl.arange(0, BLOCK)
    inside = (rows[:, None] < M) & (columns[None, :] < N)
    x = tl.load(x_ptr + rows[:, None] * N + columns[None, :], mask=inside, other=0)
    tl.store(out_ptr + rows[:, None] * BLOCK + columns[None, :], x + tl.trans(x))


@pytest.mark.parametrize("m, n", [(3, 30), (30, 3), (0, 5), (32, 32), (17, 32), (32, 17)])
def test_one_read_twice(m, n):
    """A block and its own transpose: one read, masked along either dimension."""
    guard = torch.full((64,), float("nan"))
    x = torch.cat([values(m, n, torch.float32).flatten(), guard])
    padded = torch.zeros(32, 32)
    padded[:m, :n] = x[: m * n].view(m, n)
    out = torch.empty(32, 32)
    symmetric_kernel[(1,)](x, out, m, n, BLOCK=32)
    assert torch.equal(out, padded + padded.t())


@triton.jit
def chosen_kernel(x_ptr, keep_ptr, out_ptr, N, BLOCK: tl.constexpr):
    rows, columns = tl.arange(0, BLOCK), tl.arange(0, BLOCK)
    keep = tl.load(keep_ptr + rows[:, None] * BLOCK + columns[None, :]) != 0
    x = tl.load(x_ptr + rows[:, None] * N + columns[None, :], mask=keep, other=-5)
    tl.store(out_ptr + columns[:, None] * BLOCK + rows[None, :], tl.trans(x))


def test_masks_from_memory():
    """A mask that is data, for the transposed read."""
    x, keep = values(32, 40, torch.float32), values(32, 32, torch.int8) > 0
    out = torch.empty(32, 32)
    chosen_kernel[(1,)](x, keep.to(torch.int8), out, 40, BLOCK=32)
    assert torch.equal(out, torch.where(keep, x[:, :32], torch.tensor(-5.0)).t())


@triton.jit
def wrapped_kernel(x_ptr, out_ptr, M, start, BLOCK: tl.constexpr):
    """Rows that wrap around M, contiguous along the wrapped dimension."""
    rows = (start + tl.arange(0, BLOCK)) % M
    columns = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + rows[:, None] + columns[None, :] * M)
    tl.store(out_ptr + tl.arange(0, BLOCK)[:, None] * BLOCK + columns[None, :], x)


@pytest.mark.parametrize("start", [0, 5, 18, 19, 40, 49])
def test_wrapped(start):
    x, out = values(32, 50, torch.float32), torch.empty(32, 32)
    wrapped_kernel[(1,)](x, out, 50, start, BLOCK=32)
    rows = (start + torch.arange(32)) % 50
    assert torch.equal(out, x[:, rows].t())


@pytest.mark.parametrize("shift", [0, 1, 5, 64, 1024])
def test_overlap(shift):
    """A block is transposed onto itself, or onto a part of itself."""
    memory = values(1, 3000, torch.float32).flatten()
    want = memory.clone()
    want[shift : shift + 1024] = memory[:1024].view(32, 32).t().flatten()
    whole_kernel[(1,)](memory, memory[shift:], ROWS=32, COLUMNS=32)
    assert torch.equal(memory, want)


@triton.jit
def scratch_kernel(x_ptr, out_ptr, sum_ptr, BLOCK: tl.constexpr):
    rows, columns = tl.arange(0, BLOCK), tl.arange(0, BLOCK)
    at = rows[:, None] * BLOCK + columns[None, :]
    x = tl.cumsum(tl.load(x_ptr + at), 1)
    tl.store(out_ptr + at, tl.trans(x))
    tl.store(sum_ptr + rows, tl.sum(x, 1))


def test_value_in_scratch():
    """A value of the scratch area is transposed as memory is."""
    x, out, sums = values(32, 32, torch.float32), torch.empty(32, 32), torch.empty(32)
    scratch_kernel[(1,)](x, out, sums, BLOCK=32)
    assert torch.equal(out, x.cumsum(1).t())
    assert torch.equal(sums, x.cumsum(1).sum(1))


@triton.jit
def product_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, am, ak, bk, bn,
    BLOCK: tl.constexpr, DEPTH: tl.constexpr, SUM: tl.constexpr,
):  # fmt: skip
    rows = (tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)) % M
    columns = (tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)) % N
    depth = tl.arange(0, DEPTH)
    total = tl.zeros((BLOCK, BLOCK), SUM)
    for k in range(tl.cdiv(K, DEPTH)):
        left = tl.load(
            a_ptr + rows[:, None] * am + (k * DEPTH + depth)[None, :] * ak,
            mask=depth[None, :] < K - k * DEPTH, other=0,
        )  # fmt: skip
        right = tl.load(
            b_ptr + (k * DEPTH + depth)[:, None] * bk + columns[None, :] * bn,
            mask=depth[:, None] < K - k * DEPTH, other=0,
        )  # fmt: skip
        total = tl.dot(left, right, total, input_precision="ieee", out_dtype=SUM)
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = (rows[:, None] < M) & (columns[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + columns[None, :], total, mask=inside)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8], ids=str)
@pytest.mark.parametrize("transposed", ["a", "b", "ab"])
def test_products(dtype, transposed):
    """Operands of a product that are contiguous along the other dimension, with wrapped rows."""
    total, of = (torch.int32, tl.int32) if dtype == torch.int8 else (torch.float32, tl.float32)
    for m, n, k in [(32, 32, 16), (33, 40, 23), (64, 31, 50), (5, 70, 64)]:
        a, b = values(m, k, dtype), values(k, n, dtype, 1)
        if "a" in transposed:
            a = a.t().contiguous().t()
        if "b" in transposed:
            b = b.t().contiguous().t()
        c = torch.empty(m, n, dtype=total)
        product_kernel[grid(m, n, 32)](
            a, b, c, m, n, k, *a.stride(), *b.stride(), BLOCK=32, DEPTH=16, SUM=of
        )
        assert torch.equal(c, a.to(total) @ b.to(total))

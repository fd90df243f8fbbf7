"""Products whose operands lie the other way around, and indices of quotients and remainders.

Sums of products of small integers are exact in fp32, so results are compared for equality.
"""

from __future__ import annotations

import itertools

import pytest
import torch
import triton
import triton.language as tl
from conv2d import conv2d
from matmul import matmul


def integers(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-8, 9, shape, generator=generator).float()


@triton.jit
def turned_kernel(
    a_ptr, b_ptr, bias_ptr, c_ptr, M, N, K, stride_ak, stride_bn, stride_cm, stride_cn,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """2 (a b + bias) for operands whose first dimension is contiguous."""
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    cols = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    acc = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for start in range(0, K, BLOCK_K):
        k = start + tl.arange(0, BLOCK_K)
        a_mask = (rows[:, None] < M) & (k[None, :] < K)
        a = tl.load(a_ptr + rows[:, None] + k[None, :] * stride_ak, mask=a_mask, other=0.0)
        b_mask = (k[:, None] < K) & (cols[None, :] < N)
        b = tl.load(b_ptr + k[:, None] + cols[None, :] * stride_bn, mask=b_mask, other=0.0)
        acc = tl.dot(a, b, acc, input_precision="ieee")
    acc += tl.load(bias_ptr + cols, mask=cols < N, other=0.0)[None, :]
    places = c_ptr + rows[:, None] * stride_cm + cols[None, :] * stride_cn
    tl.store(places, 2 * acc, mask=(rows[:, None] < M) & (cols[None, :] < N))


@pytest.mark.parametrize("m", [1, 64, 65])
@pytest.mark.parametrize("n", [1, 16, 17])
@pytest.mark.parametrize("k", [0, 1, 40])
@pytest.mark.parametrize("columns_first", [False, True])
def test_both_operands_lie_across(m, n, k, columns_first):
    a, b = integers(k, m + 1)[:, :m].t(), integers(n, k + 1, seed=1)[:, :k].t()
    bias = integers(n, seed=2)
    whole = torch.full((n + 1, m + 2) if columns_first else (m + 1, n + 2), -1.0)
    out = whole.t()[:m, :n] if columns_first else whole[:m, :n]
    grid = (triton.cdiv(m, 64), triton.cdiv(n, 16))
    turned_kernel[grid](
        a, b, bias, out, m, n, k, a.stride(1), b.stride(1), *out.stride(),
        BLOCK_M=64, BLOCK_N=16, BLOCK_K=16,
    )  # fmt: skip
    assert torch.equal(out, 2 * (a @ b + bias))
    outside = whole.clone()
    (outside.t() if columns_first else outside)[:m, :n] = -1
    assert (outside == -1).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("m, n, k", [(130, 16, 70), (64, 200, 33), (257, 127, 65)])
def test_transposed_matrices(m, n, k, dtype):
    a = integers(k, m).clamp(-2, 2).to(dtype).t()
    b = integers(n, k, seed=1).clamp(-2, 2).to(dtype).t()
    assert torch.equal(matmul(a, b), (a.double() @ b.double()).to(dtype))


@triton.jit(do_not_specialize=["M", "N", "K", "stride_cm"])
def block_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, stride_am, stride_ak, stride_bk, stride_bn, stride_cm,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    """a b, with rows and columns that wrap, for operands of any order."""
    first_row, first_col = tl.program_id(0) * BLOCK_M, tl.program_id(1) * BLOCK_N
    rows = (first_row + tl.arange(0, BLOCK_M)) % M
    cols = (first_col + tl.arange(0, BLOCK_N)) % N
    total: tl.constexpr = tl.int32 if a_ptr.dtype.element_ty == tl.int8 else tl.float32
    acc = tl.zeros((BLOCK_M, BLOCK_N), total)
    for start in range(0, K, BLOCK_K):
        k = start + tl.arange(0, BLOCK_K)
        a_at = a_ptr + rows[:, None] * stride_am + k[None, :] * stride_ak
        b_at = b_ptr + k[:, None] * stride_bk + cols[None, :] * stride_bn
        a = tl.load(a_at, mask=k[None, :] < K, other=0)
        b = tl.load(b_at, mask=k[:, None] < K, other=0)
        acc = tl.dot(a, b, acc, input_precision="ieee", out_dtype=total)
    rows, cols = first_row + tl.arange(0, BLOCK_M), first_col + tl.arange(0, BLOCK_N)
    mask = (rows[:, None] < M) & (cols[None, :] < N)
    tl.store(c_ptr + rows[:, None] * stride_cm + cols[None, :], acc, mask=mask)


@pytest.mark.parametrize("rows_are_few", [False, True])
@pytest.mark.parametrize("turned", ["nn", "nt", "tn", "tt"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_thin_blocks(dtype, turned, rows_are_few):
    block_m, block_n = (16, 64) if rows_are_few else (64, 16)
    for short, long, k in itertools.product((1, 15, 17), (1, 63, 129), (0, 1, 16, 100)):
        m, n = (short, long) if rows_are_few else (long, short)
        a = integers(m, k) if turned[0] == "n" else integers(k, m).t()
        b = integers(k, n, seed=1) if turned[1] == "n" else integers(n, k, seed=1).t()
        a, b = a.to(dtype), b.to(dtype)
        whole = torch.full((m + 1, n + 2), -1.0)
        block_kernel[triton.cdiv(m, block_m), triton.cdiv(n, block_n)](
            a, b, whole, m, n, k, *a.stride(), *b.stride(), whole.stride(0),
            BLOCK_M=block_m, BLOCK_N=block_n, BLOCK_K=16,
        )  # fmt: skip
        assert torch.equal(whole[:m, :n], a.float() @ b.float())
        assert (whole[m:] == -1).all() and (whole[:, n:] == -1).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8])
@pytest.mark.parametrize("turned", ["nn", "nt"])
def test_one_row(turned, dtype):
    # More steps of the depth than a chunk of it has, and remainders of vectors.
    for n, k in itertools.product((1, 64, 130), (1, 7, 8, 9, 2051)):
        a = integers(2, k)[:1].to(dtype)
        b = integers(k, n, seed=1) if turned[1] == "n" else integers(n, k, seed=1).t()
        b = b.to(dtype)
        whole = torch.full((2, n + 2), -1.0)
        block_kernel[1, triton.cdiv(n, 64)](
            a, b, whole, 1, n, k, *a.stride(), *b.stride(), whole.stride(0),
            BLOCK_M=16, BLOCK_N=64, BLOCK_K=32,
        )  # fmt: skip
        assert torch.equal(whole[0, :n], (a.double() @ b.double())[0].float())
        assert (whole[1] == -1).all() and (whole[:, n:] == -1).all()


def test_special_values_of_one_row():
    a, b = torch.ones(1, 40), torch.ones(64, 40)
    b[1, 3], b[2, 39], b[3, 7], b[3, 8] = torch.inf, torch.nan, torch.inf, -torch.inf
    out = torch.empty(1, 64)
    block_kernel[1, 1](
        a, b, out, 1, 64, 40, *a.stride(), 1, 40, 64, BLOCK_M=16, BLOCK_N=64, BLOCK_K=32
    )
    assert torch.equal(out.nan_to_num(-1.0, 7.0), (a @ b.t()).nan_to_num(-1.0, 7.0))


@pytest.mark.parametrize("size", [1, 8, 17])
@pytest.mark.parametrize("r, stride, pad", [(1, 1, 0), (3, 1, 1), (3, 1, 2), (3, 2, 1), (5, 1, 0)])
@pytest.mark.parametrize("n, c, f", [(1, 1, 1), (3, 5, 20)])
def test_images(n, c, size, f, r, stride, pad):
    if size + 2 * pad < r:
        pytest.skip("the filter is larger than the padded image")
    x, w, bias = integers(n, c, size, size), integers(f, c, r, r, seed=1), integers(f, seed=2)
    expected = torch.nn.functional.conv2d(x.double(), w.double(), bias.double(), stride, pad)
    assert torch.equal(conv2d(x, w, bias, stride, pad).double(), expected)


@triton.jit
def copy_pixels_kernel(x_ptr, out_ptr, n, W, x_pitch, out_pitch, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    p, q = i // W, i % W
    x = tl.load(x_ptr + p * x_pitch + q, mask=i < n)
    tl.store(out_ptr + p * out_pitch + q, x, mask=i < n)


@pytest.mark.parametrize("height, width", [(1, 1), (3, 5), (7, 8), (9, 16), (5, 17), (4, 100)])
@pytest.mark.parametrize("x_gap, out_gap", [(0, 0), (3, 0), (0, 5), (-1, 2)])
def test_pixels_of_rows_with_a_pitch(height, width, x_gap, out_gap):
    x_pitch, out_pitch = max(width + x_gap, 0), width + out_gap
    x = integers(height * max(x_pitch, 1) + width)
    out = torch.full((height * out_pitch + width,), -1.0)
    n = height * width
    copy_pixels_kernel[(triton.cdiv(n, 64),)](x, out, n, width, x_pitch, out_pitch, BLOCK=64)
    expected = torch.full_like(out, -1.0)
    for p in range(height):
        row = x[p * x_pitch : p * x_pitch + width]
        expected[p * out_pitch : p * out_pitch + width] = row
    assert torch.equal(out, expected)

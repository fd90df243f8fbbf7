"""Sorting networks at lengths around those of a vector and of a group of vectors."""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def sort_kernel(x_ptr, out_ptr, n, N: tl.constexpr, K: tl.constexpr, DESCENDING: tl.constexpr):
    at = tl.arange(0, N)
    x = tl.load(x_ptr + at, mask=at < n, other=0)
    if K:
        tl.store(out_ptr + tl.arange(0, K), tl.topk(x, K))
    else:
        tl.store(out_ptr + at, tl.sort(x, descending=DESCENDING))


@triton.jit
def rows_kernel(x_ptr, out_ptr, R: tl.constexpr, C: tl.constexpr):
    at = tl.arange(0, R)[:, None] * C + tl.arange(0, C)[None, :]
    x = tl.load(x_ptr + at)
    tl.store(out_ptr + at, tl.sort(x, descending=True) + tl.flip(x, 1))


def numbers(n: int, dtype: torch.dtype) -> torch.Tensor:
    generator = torch.Generator().manual_seed(n)
    if dtype.is_floating_point:
        return torch.randn(n, generator=generator).to(dtype)
    return torch.randint(-100, 100, (n,), generator=generator).to(dtype)


TYPES = [torch.float32, torch.float16, torch.int64, torch.int32, torch.int8]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", [2, 4, 8, 16, 32, 64, 128, 512])
@pytest.mark.parametrize("descending", [False, True])
def test_sort(n, dtype, descending):
    x = numbers(n, dtype)
    out = torch.empty_like(x)
    sort_kernel[(1,)](x, out, n, N=n, K=0, DESCENDING=descending)
    assert torch.equal(out, x.sort(descending=descending).values)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
@pytest.mark.parametrize("n", [64, 1024])
@pytest.mark.parametrize("k", [2, 8, 16, 64])
@pytest.mark.parametrize("short", [0, 1, 33])
def test_topk(n, k, dtype, short):
    x = numbers(n, dtype)
    out = torch.empty(k, dtype=dtype)
    sort_kernel[(1,)](x, out, n - short, N=n, K=k, DESCENDING=True)
    x[n - short :] = 0
    assert torch.equal(out, x.topk(k).values)


@pytest.mark.parametrize("shape", [(1, 8), (4, 4), (4, 64), (16, 128)])
def test_rows(shape):
    x = numbers(shape[0] * shape[1], torch.float32).view(shape)
    out = torch.empty_like(x)
    rows_kernel[(1,)](x, out, R=shape[0], C=shape[1])
    assert torch.equal(out, x.sort(descending=True, dim=1).values + x.flip(1))

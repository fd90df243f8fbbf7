"""Products whose blocks reach over the edge of a matrix: only what is needed is computed.

Sums of products of small integers are exact in fp32, so results are compared for equality.
"""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl


def integers(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-8, 9, shape, generator=generator).float()


@triton.jit
def two_stores_kernel(
    a_ptr, b_ptr, first_ptr, second_ptr, sums_ptr, m1, n1, m2, n2, K,
    BLOCK: tl.constexpr, SUMS: tl.constexpr,
):  # fmt: skip
    """The product under two bounds, and with `SUMS` the sums of all of its rows."""
    i, j = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    acc = tl.zeros((BLOCK, BLOCK), tl.float32)
    for start in range(0, K, 16):
        k = start + tl.arange(0, 16)
        a = tl.load(a_ptr + i * K + k[None, :], mask=k[None, :] < K, other=0.0)
        b = tl.load(b_ptr + k[:, None] * BLOCK + j, mask=k[:, None] < K, other=0.0)
        acc = tl.dot(a, b, acc, input_precision="ieee")
    tl.store(first_ptr + i * BLOCK + j, acc, mask=(i < m1) & (j < n1))
    tl.store(second_ptr + i * BLOCK + j, 2 * acc + 1, mask=(i < m2) & (j < n2))
    if SUMS:
        tl.store(sums_ptr + tl.arange(0, BLOCK), tl.sum(acc, axis=1))


@pytest.mark.parametrize("sums", [False, True])
@pytest.mark.parametrize(
    "first, second", [((3, 5), (40, 2)), ((0, 7), (33, 32)), ((48, 48), (1, 1)), ((0, 0), (0, 0))]
)
@pytest.mark.parametrize("k", [0, 9, 40])
def test_two_stores(first, second, k, sums):
    block = 64
    a, b = integers(block, k), integers(k, block, seed=1)
    one, two = torch.full((block, block), -1.0), torch.full((block, block), -1.0)
    rows = torch.full((block,), -1.0)
    two_stores_kernel[(1,)](a, b, one, two, rows, *first, *second, k, BLOCK=block, SUMS=sums)
    for stored, exact, (m, n) in ((one, a @ b, first), (two, 2 * (a @ b) + 1, second)):
        expected = torch.full((block, block), -1.0)
        expected[:m, :n] = exact[:m, :n]
        assert torch.equal(stored, expected)
    if sums:
        assert torch.equal(rows, (a @ b).sum(1))


@triton.jit
def masked_depth_kernel(
    a_ptr, b_ptr, c_ptr, K, a_other, b_other, N: tl.constexpr, BK: tl.constexpr,
    MASK_A: tl.constexpr, MASK_B: tl.constexpr,
):  # fmt: skip
    i, j = tl.arange(0, N)[:, None], tl.arange(0, N)[None, :]
    k = tl.arange(0, BK)
    a_mask = k[None, :] < K if MASK_A else k[None, :] < BK
    b_mask = k[:, None] < K if MASK_B else k[:, None] < BK
    a = tl.load(a_ptr + i * BK + k[None, :], mask=a_mask, other=a_other)
    b = tl.load(b_ptr + k[:, None] * N + j, mask=b_mask, other=b_other)
    tl.store(c_ptr + i * N + j, tl.dot(a, b, input_precision="ieee"))


@pytest.mark.parametrize("k", [0, 1, 15, 16])
@pytest.mark.parametrize("mask_a, mask_b", [(True, False), (False, True), (True, True)])
def test_a_mask_of_one_operand_keeps_infinities(mask_a, mask_b, k):
    a, b = integers(32, 16), integers(16, 32, seed=1)
    a[:, k:] = float("inf")
    b[k:] = float("inf")
    c = torch.empty(32, 32)
    masked_depth_kernel[(1,)](a, b, c, k, 0.0, 0.0, 32, 16, mask_a, mask_b)
    left, right = a.clone(), b.clone()
    left[:, k:] = 0 if mask_a else float("inf")
    right[k:] = 0 if mask_b else float("inf")
    assert torch.equal(c.isnan(), (left @ right).isnan())
    assert torch.equal(c.nan_to_num(7), (left @ right).nan_to_num(7))


def test_lanes_outside_of_a_mask_that_are_not_zero_count():
    a, b, c = integers(32, 16), integers(16, 32, seed=1), torch.empty(32, 32)
    masked_depth_kernel[(1,)](a, b, c, 5, 2.0, 3.0, 32, 16, True, True)
    a[:, 5:], b[5:] = 2, 3
    assert torch.equal(c, a @ b)


@triton.jit
def biased_kernel(
    a_ptr, b_ptr, bias_ptr, c_ptr, M, N, K,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
):  # fmt: skip
    """Starts from a row that is read; adds what the output holds."""
    i = tl.program_id(0) * BM + tl.arange(0, BM)
    j = tl.program_id(1) * BN + tl.arange(0, BN)
    inside = (i[:, None] < M) & (j[None, :] < N)
    bias = tl.load(bias_ptr + j, mask=j < N, other=0.0)
    acc = tl.zeros((BM, BN), tl.float32) + bias[None, :]
    for start in range(0, K, BK):
        k = start + tl.arange(0, BK)
        a = tl.load(a_ptr + (i % M)[:, None] * K + k[None, :], mask=k[None, :] < K, other=0.0)
        b = tl.load(b_ptr + k[:, None] * N + (j % N)[None, :], mask=k[:, None] < K, other=0.0)
        acc = tl.dot(a, b, acc, input_precision="ieee")
    at = c_ptr + i[:, None] * N + j[None, :]
    tl.store(at, acc + tl.load(at, mask=inside, other=0.0), mask=inside)


@pytest.mark.parametrize("m, n", [(1, 1), (1, 70), (17, 63), (64, 65), (129, 33)])
@pytest.mark.parametrize("k", [0, 3, 32, 1200])
def test_edges_of_all_sides(m, n, k):
    a, b = integers(m, k), integers(k, n, seed=1)
    bias, c = integers(n, seed=2), integers(m, n, seed=3)
    expected = a @ b + bias + c
    biased_kernel[(triton.cdiv(m, 64), triton.cdiv(n, 64))](
        a, b, bias, c, m, n, k, BM=64, BN=64, BK=32
    )
    assert torch.equal(c, expected)

"""Addresses that a loop computes as products of its counter: any sign, step and width."""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def _strided(x, out, first, last, STEP: tl.constexpr, stride, wide: tl.int64, BLOCK: tl.constexpr):
    lanes = tl.arange(0, BLOCK)
    total = tl.zeros((BLOCK,), tl.int32)
    for k in range(first, last, STEP):
        total += tl.load(x + (k + 3) * stride + lanes)
        total += 7 * tl.load(x + k * stride + lanes)
        total += 3 * tl.load(x + (k - 2).to(tl.int64) * wide + lanes)
    tl.store(out + lanes, total)


@pytest.mark.parametrize(
    ("first", "last", "step", "stride"),
    [(2, 9, 1, 5), (2, 3, 1, 5), (2, 2, 1, 5), (2, 17, 4, 0), (2, 12, 3, -11), (9, 2, -2, 4)],
)
def test_products_of_the_counter(first: int, last: int, step: int, stride: int) -> None:
    data = torch.arange(1024, dtype=torch.int32) ** 2 % 1009
    middle, block = 512, 16
    out = torch.empty(block, dtype=torch.int32)
    _strided[(1,)](data[middle:], out, first, last, step, stride, stride, BLOCK=block)
    want = torch.zeros(block, dtype=torch.int32)
    for k in range(first, last, step):
        for times, at in ((1, (k + 3) * stride), (7, k * stride), (3, (k - 2) * stride)):
            want += times * data[middle + at : middle + at + block]
    assert torch.equal(out, want)

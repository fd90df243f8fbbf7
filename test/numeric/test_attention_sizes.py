"""Attention kernels at boundary sequence lengths, with rows that see nothing or a NaN."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import triton
from benchmarks.kernels.attention import attention_kernel, decode_kernel

LENGTHS = [1, 31, 32, 33, 63, 64, 65, 100]


def inputs(n: int, d: int, dtype: torch.dtype, queries: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(n)
    return [torch.randn(1, 2, rows, d, generator=generator).to(dtype) for rows in (queries, n, n)]


def attend(q, k, v, causal: bool) -> torch.Tensor:
    out = torch.full_like(q, float("nan"))
    n, d = q.shape[2:]
    attention_kernel.fn[(triton.cdiv(n, 32), 2)](
        q, k, v, out, math.log2(math.e) / math.sqrt(d), *q.stride()[:3], 2, n, D=d, CAUSAL=causal,
        BLOCK_M=32, BLOCK_N=32,
    )  # fmt: skip
    return out


def exact(q, k, v, causal: bool = False) -> torch.Tensor:
    return torch.nn.functional.scaled_dot_product_attention(
        q.double(), k.double(), v.double(), is_causal=causal
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("n", LENGTHS)
def test_lengths(n, causal, dtype):
    q, k, v = inputs(n, 32, dtype, queries=n)
    bound = 16 * torch.finfo(dtype).eps
    torch.testing.assert_close(
        attend(q, k, v, causal).double(), exact(q, k, v, causal), rtol=bound, atol=bound
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("block", [16, 64])
@pytest.mark.parametrize("n", LENGTHS)
def test_decode(n, block, dtype):
    q, k, v = inputs(n, 64, dtype, queries=1)
    out = torch.full_like(q, float("nan"))
    decode_kernel.fn[(2,)](q, k, v, out, math.log2(math.e) / math.sqrt(64), n, D=64, BLOCK_N=block)
    bound = 16 * torch.finfo(dtype).eps
    torch.testing.assert_close(out.double(), exact(q, k, v), rtol=bound, atol=bound)


def test_a_key_of_nan_reaches_only_those_that_see_it():
    q, k, v = inputs(100, 32, torch.float32, queries=100)
    k[:, :, 70] = float("nan")
    out = attend(q, k, v, causal=True)
    torch.testing.assert_close(
        out[:, :, :70].double(), exact(q, k, v, True)[:, :, :70], rtol=1e-5, atol=1e-5
    )
    assert out[:, :, 70:].isnan().all()


def test_scores_of_minus_infinity():
    q, k, v = inputs(64, 32, torch.float32, queries=64)
    q, k = q.abs(), k.abs()
    k[:, :, 5:9, 0] = float("-inf")
    out = attend(q, k, v, causal=False)
    torch.testing.assert_close(out.double(), exact(q, k, v), rtol=1e-5, atol=1e-5)

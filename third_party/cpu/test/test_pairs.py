"""Products by instructions that multiply pairs of 16-bit numbers: results, and what is emitted."""

from __future__ import annotations

import re

import pytest
import torch
import triton
import triton.language as tl

from seagrove.backends import cpu
from seagrove.compiler import options, stages, targets


@triton.jit
def product_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr,
    SUM: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    acc = tl.full((BM, BN), 3, SUM)
    for start in range(0, K, BK):
        inside = start + k < K
        a_mask = (rows[:, None] < M) & inside[None, :]
        b_mask = inside[:, None] & (columns[None, :] < N)
        a = tl.load(a_ptr + rows[:, None] * K + (start + k)[None, :], mask=a_mask, other=0)
        b = tl.load(b_ptr + (start + k)[:, None] * N + columns[None, :], mask=b_mask, other=0)
        acc = tl.dot(a, b, acc, out_dtype=SUM)
    c_mask = (rows[:, None] < M) & (columns[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + columns[None, :], acc, mask=c_mask)


def product(a: torch.Tensor, b: torch.Tensor, bm: int, bn: int, bk: int, total=torch.int32):
    (m, k), n = a.shape, b.shape[1]
    c = torch.full((m, n), -1, dtype=total)
    kernel = product_kernel[(triton.cdiv(m, bm), triton.cdiv(n, bn))](
        a, b, c, m, n, k, BM=bm, BN=bn, BK=bk,
        SUM=tl.int32 if total == torch.int32 else tl.float32,
    )  # fmt: skip
    return c, kernel


def integers(*shape: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-128, 128, shape, generator=generator, dtype=torch.int8)


@pytest.mark.parametrize("block", [(16, 16, 16), (32, 64, 32), (64, 16, 64), (128, 32, 16)])
@pytest.mark.parametrize("m, n, k", [(1, 1, 1), (15, 17, 33), (64, 64, 64), (65, 50, 130)])
def test_integers(m, n, k, block):
    a, b = integers(m, k, seed=1), integers(k, n, seed=2)
    c, _ = product(a, b, *block)
    assert torch.equal(c.long(), a.long() @ b.long() + 3)


@triton.jit
def from_zero_kernel(a_ptr, b_ptr, c_ptr, K, B: tl.constexpr):
    at = tl.arange(0, B)
    acc = tl.zeros((B, B), tl.int32)
    for start in range(0, K, B):
        inside = start + at < K
        a = tl.load(a_ptr + at[:, None] * K + (start + at)[None, :], mask=inside[None, :], other=0)
        b = tl.load(b_ptr + (start + at)[:, None] * B + at[None, :], mask=inside[:, None], other=0)
        acc = tl.dot(a, b, acc, out_dtype=tl.int32)
    tl.store(c_ptr + at[:, None] * B + at[None, :], acc)


@pytest.mark.parametrize("k", [0, 1, 16, 17, 9001])
def test_sums_that_start_at_zero(k):
    """No iteration at all, one chunk of them, and several."""
    a, b = integers(16, k, seed=1), integers(k, 16, seed=2)
    c = torch.full((16, 16), -1, dtype=torch.int32)
    from_zero_kernel[(1,)](a, b, c, k, B=16)
    assert torch.equal(c.long(), a.long() @ b.long())


@pytest.mark.parametrize("left", [-128, 127])
@pytest.mark.parametrize("right", [-128, 127])
def test_extremes(left, right):
    """Two products of the largest numbers are as much as a sum of 32 bits must hold, not 16."""
    a = torch.full((32, 64), left, dtype=torch.int8)
    b = torch.full((64, 32), right, dtype=torch.int8)
    c, _ = product(a, b, 32, 32, 32)
    assert (c == 64 * left * right + 3).all()


INSTRUCTIONS = [
    ("x86-64-v2", torch.int8, r"pmaddwd\s.*%xmm"),
    ("x86-64-v3", torch.int8, r"vpmaddwd\s.*%ymm"),
    ("x86-64-v4", torch.int8, r"vpmaddwd\s.*%zmm"),
    ("x86-64-v4-bf16", torch.int8, r"vpdpbusd\s.*%zmm"),
    ("x86-64-v4-bf16", torch.bfloat16, r"vdpbf16ps\s.*%zmm"),
]


@pytest.mark.skipif(
    targets.host().triple.partition("-")[0] != "x86_64", reason="the host's code is of another ISA"
)
@pytest.mark.parametrize("target, dtype, pattern", INSTRUCTIONS)
def test_instructions(target, dtype, pattern):
    """The register tile: every multiplication of the innermost loop takes a pair, or four."""
    a, b = (integers(64, 64, seed=seed).to(dtype) for seed in range(2))
    total = torch.int32 if dtype == torch.int8 else torch.float32
    _, kernel = product(a, b, 64, 64, 64, total)
    described = next(t for t in cpu.descriptions() if t.name == target)
    compiled = stages.compile_ttir(
        kernel.asm["ttir"], described, options.CodegenOptions(), emit="asm", decisions=True
    )
    text = compiled.text()
    together = 4 if "busd" in pattern else 2
    wanted = f"{together} neighbours along the depth"
    assert any(wanted in said.text for said in compiled.decisions)
    tile = max(text.split(".LBB"), key=lambda block: len(re.findall(pattern, block)))
    # 64 rows are cut into tiles of 6 rows or 5, and 11 or 10 where there are 32 registers.
    rows = 10 if "zmm" in pattern else 5
    assert len(re.findall(pattern, tile)) >= 2 * rows
    assert not re.search(r"pmulld|vfmadd|vmulps", tile)
    assert not re.search(r"mov.*mm.*rsp", tile), "the sums do not stay in registers"


@triton.jit
def strided_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, stride_am, stride_ak, BM: tl.constexpr, BN: tl.constexpr,
    BK: tl.constexpr, SUM: tl.constexpr,
):  # fmt: skip
    # Blocks of columns in turn: each meets the rows of the one before again.
    rows = (tl.program_id(0) * BM + tl.arange(0, BM)) % M
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    acc = tl.zeros((BM, BN), SUM)
    for start in range(0, K, BK):
        inside = start + k < K
        a_place = rows[:, None] * stride_am + (start + k)[None, :] * stride_ak
        a = tl.load(a_ptr + a_place, mask=inside[None, :], other=0)
        b_mask = inside[:, None] & (columns[None, :] < N)
        b = tl.load(b_ptr + (start + k)[:, None] * N + columns[None, :], mask=b_mask, other=0)
        acc = tl.dot(a, b, acc, out_dtype=SUM)
    c_mask = (tl.program_id(0) * BM + tl.arange(0, BM) < M)[:, None] & (columns[None, :] < N)
    tl.store(c_ptr + rows[:, None] * N + columns[None, :], acc, mask=c_mask)


# Rows of 4 KiB, which are packed when they are met again; others, read in place; columns.
@pytest.mark.parametrize("layout", ["rows", "far rows", "columns"])
@pytest.mark.parametrize("dtype", [torch.int8, torch.bfloat16])
@pytest.mark.parametrize("k", [4096, 333, 64])
def test_rows_that_are_met_again(layout, dtype, k):
    a, b = integers(70, k, seed=1).to(dtype), integers(k, 150, seed=2).to(dtype)
    if layout == "columns":
        a = a.t().contiguous().t()
    if layout == "far rows":
        a = torch.empty(70, 4096, dtype=dtype)[:, :k].copy_(a)
    total = torch.int32 if dtype == torch.int8 else torch.float32
    c = torch.full((70, 150), -1, dtype=total)
    strided_kernel[(3, 5)](
        a, b, c, 70, 150, k, *a.stride(), BM=32, BN=32, BK=64,
        SUM=tl.int32 if dtype == torch.int8 else tl.float32,
    )  # fmt: skip
    # Sums of 4096 products of 14 bits: fp32 rounds them.
    torch.testing.assert_close(c.double(), a.double() @ b.double(), rtol=1e-5, atol=16)

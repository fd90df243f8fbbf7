"""Attention forward: all keys, causal, and one query against a cache of keys."""

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl
from attention import tolerance

from benchmarks.case import Case, dtype_label, pick, randn, tuned

BLOCKS = [
    {"BLOCK_M": m, "BLOCK_N": n} for m, n in ((64, 64), (128, 64), (128, 32), (64, 32), (128, 128))
]


@triton.jit
def attend(
    acc, total, top, q, k_ptrs, v_ptrs, stride_kn, stride_vn, low, high, n_ctx, offs_m, offs_n,
    BLOCK_N: tl.constexpr, MASKED: tl.constexpr, CAUSAL: tl.constexpr,
):  # fmt: skip
    """Adds the keys `low` .. `high` to the running softmax (`acc`, `total`, `top`)."""
    k_ptrs += low * stride_kn
    v_ptrs += low * stride_vn
    for start in range(low, high, BLOCK_N):
        start = tl.multiple_of(start, BLOCK_N)
        cols = start + offs_n
        if MASKED:
            k = tl.load(k_ptrs, mask=cols[None, :] < n_ctx, other=0.0)
            v = tl.load(v_ptrs, mask=cols[:, None] < n_ctx, other=0.0)
        else:
            k = tl.load(k_ptrs)
            v = tl.load(v_ptrs)
        scores = tl.dot(q, k, input_precision="ieee")
        if MASKED:
            seen = cols[None, :] < n_ctx
            if CAUSAL:
                seen = seen & (offs_m[:, None] >= cols[None, :])
            scores = tl.where(seen, scores, -1.0e6)
        new_top = tl.maximum(top, tl.max(scores, 1))
        p = tl.math.exp2(scores - new_top[:, None])
        decay = tl.math.exp2(top - new_top)
        total = total * decay + tl.sum(p, 1)
        acc = acc * decay[:, None]
        acc = tl.dot(p.to(v.dtype), v, acc, input_precision="ieee")
        top = new_top
        k_ptrs += BLOCK_N * stride_kn
        v_ptrs += BLOCK_N * stride_vn
    return acc, total, top


@tuned(BLOCKS, ["heads", "n_ctx", "D", "CAUSAL"])
@triton.jit
def attention_kernel(
    q_ptr, k_ptr, v_ptr, out_ptr, scale_log2,
    stride_z, stride_h, stride_n, heads, n_ctx, D: tl.constexpr, CAUSAL: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    start_m = tl.program_id(0)
    offset = (tl.program_id(1) // heads) * stride_z + (tl.program_id(1) % heads) * stride_h
    offs_m = start_m * BLOCK_M + tl.arange(0, BLOCK_M)
    offs_n = tl.arange(0, BLOCK_N)
    offs_d = tl.arange(0, D)
    k_ptrs = k_ptr + offset + offs_n[None, :] * stride_n + offs_d[:, None]
    v_ptrs = v_ptr + offset + offs_n[:, None] * stride_n + offs_d[None, :]
    rows = offset + offs_m[:, None] * stride_n + offs_d[None, :]

    q = tl.load(q_ptr + rows, mask=offs_m[:, None] < n_ctx, other=0.0)
    q = (q * scale_log2).to(q.dtype)
    top = tl.full([BLOCK_M], -float("inf"), dtype=tl.float32)
    total = tl.zeros([BLOCK_M], dtype=tl.float32)
    acc = tl.zeros([BLOCK_M, D], dtype=tl.float32)
    if CAUSAL:
        whole = start_m * BLOCK_M
        end = tl.minimum(whole + BLOCK_M, n_ctx)
    else:
        whole = n_ctx // BLOCK_N * BLOCK_N
        end = n_ctx
    # Only the blocks on the diagonal or at the end of the keys need a mask.
    acc, total, top = attend(
        acc, total, top, q, k_ptrs, v_ptrs, stride_n, stride_n, 0, whole, n_ctx,
        offs_m, offs_n, BLOCK_N, False, CAUSAL,
    )  # fmt: skip
    acc, total, top = attend(
        acc, total, top, q, k_ptrs, v_ptrs, stride_n, stride_n, whole, end, n_ctx,
        offs_m, offs_n, BLOCK_N, True, CAUSAL,
    )  # fmt: skip
    acc = acc / total[:, None]
    tl.store(out_ptr + rows, acc.to(out_ptr.dtype.element_ty), mask=offs_m[:, None] < n_ctx)


@tuned([{"BLOCK_N": n} for n in (64, 16, 32, 128)], ["n_ctx", "D"])
@triton.jit
def decode_kernel(
    q_ptr, k_ptr, v_ptr, out_ptr, scale_log2, n_ctx, D: tl.constexpr, BLOCK_N: tl.constexpr
):
    head = tl.program_id(0).to(tl.int64)
    offs_d = tl.arange(0, D)
    q = tl.load(q_ptr + head * D + offs_d).to(tl.float32) * scale_log2
    top = -float("inf")
    total = 0.0
    acc = tl.zeros([D], dtype=tl.float32)
    for start in range(0, n_ctx, BLOCK_N):
        rows = start + tl.arange(0, BLOCK_N)
        at = (head * n_ctx + rows[:, None]) * D + offs_d[None, :]
        k = tl.load(k_ptr + at, mask=rows[:, None] < n_ctx, other=0.0).to(tl.float32)
        scores = tl.where(rows < n_ctx, tl.sum(q[None, :] * k, 1), -1.0e6)
        new_top = tl.maximum(top, tl.max(scores, 0))
        p = tl.math.exp2(scores - new_top)
        decay = tl.math.exp2(top - new_top)
        v = tl.load(v_ptr + at, mask=rows[:, None] < n_ctx, other=0.0).to(tl.float32)
        acc = acc * decay + tl.sum(p[:, None] * v, 0)
        total = total * decay + tl.sum(p, 0)
        top = new_top
    tl.store(out_ptr + head * D + offs_d, (acc / total).to(out_ptr.dtype.element_ty))


def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, out: torch.Tensor, causal: bool
) -> torch.Tensor:
    """Attention of contiguous `[batch, heads, n_ctx, D]`, scaled by 1/sqrt(D)."""
    batch, heads, n_ctx, d = q.shape
    attention_kernel[lambda meta: (triton.cdiv(n_ctx, meta["BLOCK_M"]), batch * heads)](
        q, k, v, out, math.log2(math.e) / math.sqrt(d), *q.stride()[:3], heads, n_ctx, D=d,
        CAUSAL=causal,
    )  # fmt: skip
    return out


def decode(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """Attention of one query a head, `q` `[batch, heads, 1, D]`, to all keys."""
    batch, heads, n_ctx, d = k.shape
    decode_kernel[(batch * heads,)](q, k, v, out, math.log2(math.e) / math.sqrt(d), n_ctx, D=d)
    return out


def case(batch: int, heads: int, n_ctx: int, d: int, dtype: torch.dtype, causal: bool) -> Case:
    def make() -> tuple[torch.Tensor, ...]:
        q, k, v = (randn(batch, heads, n_ctx, d, dtype=dtype, seed=seed) for seed in range(3))
        return q, k, v, torch.empty_like(q)

    def pure(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

    # In fp64 a long sequence would take longer than everything else.
    exact = torch.float64 if n_ctx <= 2048 else torch.float32
    size = batch * heads * n_ctx
    return Case(
        f"attention {'causal' if causal else 'full'} {dtype_label(dtype)}",
        f"{batch}x{heads}x{n_ctx}x{d}", dtype, make,
        lambda q, k, v, out: attention(q, k, v, out, causal), lambda q, k, v, out: pure(q, k, v),
        pure, tolerance(dtype), bytes=4 * size * d * dtype.itemsize,
        flops=4 * size * n_ctx * d // (2 if causal else 1), own_output=True,
        reference=lambda *t: pure(*(x.to(exact) for x in t)), tuner=attention_kernel,
    )  # fmt: skip


def decode_case(batch: int, heads: int, n_ctx: int, d: int, dtype: torch.dtype) -> Case:
    def make() -> tuple[torch.Tensor, ...]:
        q = randn(batch, heads, 1, d, dtype=dtype, seed=0)
        k, v = (randn(batch, heads, n_ctx, d, dtype=dtype, seed=seed) for seed in (1, 2))
        return q, k, v, torch.empty_like(q)

    pure = torch.nn.functional.scaled_dot_product_attention
    size = batch * heads * n_ctx * d
    return Case(
        f"attention decode {dtype_label(dtype)}", f"{batch}x{heads}x{n_ctx}x{d}", dtype, make,
        decode, lambda q, k, v, out: pure(q, k, v), pure, tolerance(dtype),
        bytes=2 * size * dtype.itemsize, flops=4 * size, own_output=True, stream="read",
        reference=lambda *t: pure(*(x.double() for x in t)), tuner=decode_kernel,
    )  # fmt: skip


def cases() -> list[Case]:
    made = []
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        for causal in (True, False):
            made += [
                case(1, heads, n_ctx, d, dtype, causal)
                for n_ctx in pick((100,), (512, 1000, 2048, 8192))
                for heads, d in pick(((2, 64),), ((8, 64), (8, 128)))
            ]
        made += [
            decode_case(batch, 8, n_ctx, d, dtype)
            for batch, n_ctx in pick(((1, 100),), ((1, 2048), (8, 4096)))
            for d in (64, 128)
        ]
    return made

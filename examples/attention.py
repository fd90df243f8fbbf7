"""Causal flash attention, forward: the softmax runs along while K and V stream through."""

from __future__ import annotations

import math
import sys

import torch
import triton
import triton.language as tl
from _harness import Case, Tolerance, main, randn


@triton.jit
def load_keys(ptrs, mask, MASKED: tl.constexpr):
    if MASKED:
        return tl.load(ptrs, mask=mask, other=0.0)
    else:
        return tl.load(ptrs)


@triton.jit
def attend(
    acc, total, top, q, k_ptrs, v_ptrs, stride_kn, stride_vn, low, high, n_ctx, offs_m, offs_n,
    BLOCK_N: tl.constexpr, DIAGONAL: tl.constexpr,
):  # fmt: skip
    """Adds the keys `low` .. `high` to the running softmax (`acc`, `total`, `top`)."""
    k_ptrs += low * stride_kn
    v_ptrs += low * stride_vn
    for start in range(low, high, BLOCK_N):
        start = tl.multiple_of(start, BLOCK_N)
        cols = start + offs_n
        k = load_keys(k_ptrs, cols[None, :] < n_ctx, DIAGONAL)
        scores = tl.dot(q, k, input_precision="ieee")
        if DIAGONAL:
            seen = (offs_m[:, None] >= cols[None, :]) & (cols[None, :] < n_ctx)
            scores = tl.where(seen, scores, -1.0e6)
        new_top = tl.maximum(top, tl.max(scores, 1))
        p = tl.math.exp2(scores - new_top[:, None])
        decay = tl.math.exp2(top - new_top)
        total = total * decay + tl.sum(p, 1)
        acc = acc * decay[:, None]
        v = load_keys(v_ptrs, cols[:, None] < n_ctx, DIAGONAL)
        acc = tl.dot(p.to(v.dtype), v, acc, input_precision="ieee")
        top = new_top
        k_ptrs += BLOCK_N * stride_kn
        v_ptrs += BLOCK_N * stride_vn
    return acc, total, top


@triton.jit
def attention_kernel(
    q_ptr, k_ptr, v_ptr, out_ptr, scale_log2,
    stride_qz, stride_qh, stride_qm, stride_kz, stride_kh, stride_kn,
    stride_vz, stride_vh, stride_vn, stride_oz, stride_oh, stride_om,
    heads, n_ctx, D: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    start_m = tl.program_id(0)
    batch = tl.program_id(1) // heads
    head = tl.program_id(1) % heads
    offs_m = start_m * BLOCK_M + tl.arange(0, BLOCK_M)
    offs_n = tl.arange(0, BLOCK_N)
    offs_d = tl.arange(0, D)
    q_ptr += batch * stride_qz + head * stride_qh
    k_ptr += batch * stride_kz + head * stride_kh
    v_ptr += batch * stride_vz + head * stride_vh
    out_ptr += batch * stride_oz + head * stride_oh
    q_ptrs = q_ptr + offs_m[:, None] * stride_qm + offs_d[None, :]
    k_ptrs = k_ptr + offs_n[None, :] * stride_kn + offs_d[:, None]
    v_ptrs = v_ptr + offs_n[:, None] * stride_vn + offs_d[None, :]

    q = tl.load(q_ptrs, mask=offs_m[:, None] < n_ctx, other=0.0)
    q = (q * scale_log2).to(q.dtype)
    top = tl.full([BLOCK_M], -float("inf"), dtype=tl.float32)
    total = tl.zeros([BLOCK_M], dtype=tl.float32)
    acc = tl.zeros([BLOCK_M, D], dtype=tl.float32)
    # Key blocks left of the diagonal need no mask: each row of this block sees all of their keys.
    diagonal = start_m * BLOCK_M
    acc, total, top = attend(
        acc, total, top, q, k_ptrs, v_ptrs, stride_kn, stride_vn, 0, diagonal, n_ctx,
        offs_m, offs_n, BLOCK_N, False,
    )  # fmt: skip
    end = tl.minimum(diagonal + BLOCK_M, n_ctx)
    acc, total, top = attend(
        acc, total, top, q, k_ptrs, v_ptrs, stride_kn, stride_vn, diagonal, end, n_ctx,
        offs_m, offs_n, BLOCK_N, True,
    )  # fmt: skip
    acc = acc / total[:, None]
    out_ptrs = out_ptr + offs_m[:, None] * stride_om + offs_d[None, :]
    tl.store(out_ptrs, acc.to(out_ptr.dtype.element_ty), mask=offs_m[:, None] < n_ctx)


def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, out: torch.Tensor | None = None
) -> torch.Tensor:
    """Causal attention of `q`, `k`, `v`, each `[batch, heads, n_ctx, D]`, scaled by 1/sqrt(D).

    D is 16, 32, 64 or 128 and contiguous. Raises ValueError for other inputs.
    """
    if not q.shape == k.shape == v.shape or q.dim() != 4:
        raise ValueError("q, k and v must have the same 4D shape")
    batch, heads, n_ctx, d = q.shape
    if d not in (16, 32, 64, 128) or any(t.stride(3) != 1 for t in (q, k, v)):
        raise ValueError("the last axis must be contiguous and 16, 32, 64 or 128 long")
    out = torch.empty_like(q) if out is None else out
    if out.numel() == 0:
        return out
    attention_kernel[lambda meta: (triton.cdiv(n_ctx, meta["BLOCK_M"]), batch * heads)](
        q, k, v, out, math.log2(math.e) / math.sqrt(d),
        *q.stride()[:3], *k.stride()[:3], *v.stride()[:3], *out.stride()[:3],
        heads, n_ctx, D=d, BLOCK_M=128, BLOCK_N=64,
    )  # fmt: skip
    return out


def reference(q, k, v, out):
    return torch.nn.functional.scaled_dot_product_attention(
        q.double(), k.double(), v.double(), is_causal=True
    )


def tolerance(dtype: torch.dtype) -> Tolerance:
    eps = torch.finfo(dtype).eps
    return Tolerance(16 * eps, 4 * eps, "q, p and the output are each rounded to the input type")


def case(
    batch: int, heads: int, n_ctx: int, d: int, dtype: torch.dtype = torch.float32,
    quick: bool = False,
) -> Case:  # fmt: skip
    shape = (batch, heads, n_ctx, d)

    def make():
        q, k, v = (randn(*shape, dtype=dtype, seed=seed) for seed in range(3))
        return q, k, v, torch.empty_like(q)

    def torch_run(q, k, v, out):
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)

    return Case(
        "causal attention", shape, dtype, make, attention, torch_run, tolerance(dtype), reference,
        quick=quick,
    )  # fmt: skip


CASES = [
    case(1, 2, 256, 64, quick=True),
    case(1, 8, 2048, 64),
    case(2, 4, 1000, 64),
    case(1, 8, 1024, 64, torch.float16),
    case(1, 8, 1024, 64, torch.bfloat16),
]

if __name__ == "__main__":
    sys.exit(main(CASES))

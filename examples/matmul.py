"""Matrix multiplication with grouped program order and a fused activation."""

from __future__ import annotations

import sys

import torch
import triton
import triton.language as tl
from _harness import Case, Tolerance, main, randn


@triton.jit
def leaky_relu(x):
    return tl.where(x >= 0, x, 0.01 * x)


@triton.jit
def matmul_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K,
    stride_am, stride_ak, stride_bk, stride_bn, stride_cm, stride_cn,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
    GROUP_M: tl.constexpr, ACTIVATION: tl.constexpr,
):  # fmt: skip
    # Programs go through GROUP_M rows of blocks column by column, so that neighbours share B.
    pid = tl.program_id(0)
    blocks_m = tl.cdiv(M, BLOCK_M)
    blocks_n = tl.cdiv(N, BLOCK_N)
    per_group = GROUP_M * blocks_n
    group = pid // per_group
    first_m = group * GROUP_M
    group_rows = min(blocks_m - first_m, GROUP_M)
    pid_m = first_m + (pid % per_group) % group_rows
    pid_n = (pid % per_group) // group_rows

    offs_am = (pid_m * BLOCK_M + tl.arange(0, BLOCK_M)) % M
    offs_bn = (pid_n * BLOCK_N + tl.arange(0, BLOCK_N)) % N
    offs_k = tl.arange(0, BLOCK_K)
    a_ptrs = a_ptr + (offs_am[:, None] * stride_am + offs_k[None, :] * stride_ak)
    b_ptrs = b_ptr + (offs_k[:, None] * stride_bk + offs_bn[None, :] * stride_bn)
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for k in range(tl.cdiv(K, BLOCK_K)):
        a = tl.load(a_ptrs, mask=offs_k[None, :] < K - k * BLOCK_K, other=0.0)
        b = tl.load(b_ptrs, mask=offs_k[:, None] < K - k * BLOCK_K, other=0.0)
        acc = tl.dot(a, b, acc, input_precision="ieee")
        a_ptrs += BLOCK_K * stride_ak
        b_ptrs += BLOCK_K * stride_bk
    if ACTIVATION == "leaky_relu":
        acc = leaky_relu(acc)
    c = acc.to(c_ptr.dtype.element_ty)

    offs_cm = pid_m * BLOCK_M + tl.arange(0, BLOCK_M)
    offs_cn = pid_n * BLOCK_N + tl.arange(0, BLOCK_N)
    c_ptrs = c_ptr + stride_cm * offs_cm[:, None] + stride_cn * offs_cn[None, :]
    tl.store(c_ptrs, c, mask=(offs_cm[:, None] < M) & (offs_cn[None, :] < N))


def matmul(
    a: torch.Tensor, b: torch.Tensor, activation: str = "", out: torch.Tensor | None = None
) -> torch.Tensor:
    """`activation(a[M, K] @ b[K, N])`; any strides, fp32 sums, `activation` "" or "leaky_relu".

    Raises ValueError where shapes or dtypes do not fit.
    """
    if a.dim() != 2 or b.dim() != 2 or a.shape[1] != b.shape[0] or a.dtype != b.dtype:
        raise ValueError(f"cannot multiply {a.shape} {a.dtype} by {b.shape} {b.dtype}")
    m, k = a.shape
    n = b.shape[1]
    c = torch.empty(m, n, dtype=a.dtype) if out is None else out
    if c.numel() == 0:
        return c

    def grid(meta):
        return (triton.cdiv(m, meta["BLOCK_M"]) * triton.cdiv(n, meta["BLOCK_N"]),)

    matmul_kernel[grid](
        a, b, c, m, n, k, *a.stride(), *b.stride(), *c.stride(),
        BLOCK_M=128, BLOCK_N=128, BLOCK_K=32, GROUP_M=8, ACTIVATION=activation,
    )  # fmt: skip
    return c


def tolerance(k: int, dtype: torch.dtype) -> Tolerance:
    """Twelve standard deviations of a sum of `k` products of normal numbers in fp32.

    The i-th partial sum has the size sqrt(i) and is rounded once, by up to u = 2^-24 of it; taken
    as independent, these errors add up to u k / sqrt(6). The partial sums of one element are large
    together, so the tail is that of an exponential: of the 2^24 elements of a 4096 x 4096 product
    the worst is ten deviations off. The output's own rounding comes on top.
    """
    atol = 1e-6 + 12 * 2**-24 * k / 6**0.5
    rtol = 1e-6 if dtype == torch.float32 else torch.finfo(dtype).eps
    return Tolerance(atol, rtol, "12 sigma of K fp32 roundings + one rounding to the output type")


def case(
    m: int, n: int, k: int, dtype: torch.dtype = torch.float32, activation: str = "",
    quick: bool = False,
) -> Case:  # fmt: skip
    def make():
        a, b = randn(m, k, dtype=dtype), randn(k, n, dtype=dtype, seed=1)
        return a, b, activation, torch.empty(m, n, dtype=dtype)

    def torch_run(a, b, activation, out):
        torch.mm(a, b, out=out)
        return torch.nn.functional.leaky_relu_(out) if activation else out

    def reference(a, b, activation, out):
        exact = a.double() @ b.double()
        return torch.nn.functional.leaky_relu(exact) if activation else exact

    name = "matmul + leaky relu" if activation else "matmul"
    return Case(
        name, (m, n, k), dtype, make, matmul, torch_run, tolerance(k, dtype), reference,
        quick=quick,
    )  # fmt: skip


CASES = [
    case(256, 256, 256, quick=True),
    case(300, 200, 100, activation="leaky_relu", quick=True),
    case(1024, 1024, 1024),
    case(1024, 1024, 1024, activation="leaky_relu"),
    case(1000, 777, 515, activation="leaky_relu"),
    case(512, 512, 512, torch.float16),
    case(512, 512, 512, torch.bfloat16),
]

if __name__ == "__main__":
    sys.exit(main(CASES))

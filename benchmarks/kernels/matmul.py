"""Matrix products: blocked with autotuning, of a vector with a matrix, in batches."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from matmul import tolerance as sum_tolerance

from benchmarks.case import EXACT, Case, Tolerance, dtype_label, pick, rand_like_int8, randn, tuned

BLOCKS = [
    {"BLOCK_M": m, "BLOCK_N": n, "BLOCK_K": k, "GROUP_M": 8}
    for m, n, k in (
        (64, 64, 64), (128, 128, 32), (128, 128, 64), (64, 256, 32), (128, 256, 64),
        (32, 128, 64), (32, 256, 128), (32, 512, 64), (16, 128, 128), (16, 256, 64), (16, 512, 64),
    )
]  # fmt: skip


def fitting(configs: list[Any], args: dict[str, Any], **_: Any) -> list[Any]:
    """Blocks that are not much larger than the matrix and, for a large one, not small."""
    most = max(16, triton.next_power_of_2(args["M"]))
    kept = [c for c in configs if min(most, 64) <= c.kwargs["BLOCK_M"] <= most]
    return kept or configs[:1]


@tuned(BLOCKS, ["M", "N", "K", "stride_ak", "stride_bn"], fitting)
@triton.jit
def matmul_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K,
    stride_az, stride_am, stride_ak, stride_bz, stride_bk, stride_bn,
    stride_cz, stride_cm, stride_cn, ACC: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP_M: tl.constexpr,
):  # fmt: skip
    pid = tl.program_id(0)
    batch = tl.program_id(1).to(tl.int64)
    a_ptr += batch * stride_az
    b_ptr += batch * stride_bz
    c_ptr += batch * stride_cz
    # Programs go through GROUP_M rows of blocks column by column, so that neighbours share B.
    blocks_m = tl.cdiv(M, BLOCK_M)
    blocks_n = tl.cdiv(N, BLOCK_N)
    per_group = GROUP_M * blocks_n
    first_m = (pid // per_group) * GROUP_M
    group_rows = min(blocks_m - first_m, GROUP_M)
    pid_m = first_m + (pid % per_group) % group_rows
    pid_n = (pid % per_group) // group_rows

    offs_am = (pid_m * BLOCK_M + tl.arange(0, BLOCK_M)) % M
    offs_bn = (pid_n * BLOCK_N + tl.arange(0, BLOCK_N)) % N
    offs_k = tl.arange(0, BLOCK_K)
    a_ptrs = a_ptr + (offs_am[:, None] * stride_am + offs_k[None, :] * stride_ak)
    b_ptrs = b_ptr + (offs_k[:, None] * stride_bk + offs_bn[None, :] * stride_bn)
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=ACC)
    for k in range(tl.cdiv(K, BLOCK_K)):
        a = tl.load(a_ptrs, mask=offs_k[None, :] < K - k * BLOCK_K, other=0)
        b = tl.load(b_ptrs, mask=offs_k[:, None] < K - k * BLOCK_K, other=0)
        acc = tl.dot(a, b, acc, input_precision="ieee", out_dtype=ACC)
        a_ptrs += BLOCK_K * stride_ak
        b_ptrs += BLOCK_K * stride_bk

    offs_cm = pid_m * BLOCK_M + tl.arange(0, BLOCK_M)
    offs_cn = pid_n * BLOCK_N + tl.arange(0, BLOCK_N)
    c_ptrs = c_ptr + stride_cm * offs_cm[:, None] + stride_cn * offs_cn[None, :]
    mask = (offs_cm[:, None] < M) & (offs_cn[None, :] < N)
    tl.store(c_ptrs, acc.to(c_ptr.dtype.element_ty), mask=mask)


GEMV_BLOCKS = [
    {"BLOCK_N": n, "BLOCK_K": k}
    for n, k in ((64, 16), (128, 8), (512, 4), (1024, 1), (4096, 1), (4096, 4))
]


@tuned(GEMV_BLOCKS, ["N", "K"])
@triton.jit
def gemv_kernel(
    a_ptr, b_ptr, c_ptr, N, K, stride_ak, stride_bk, stride_bn, ACC: tl.constexpr,
    BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    cols = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    acc = tl.zeros((BLOCK_K, BLOCK_N), dtype=ACC)
    for start in range(0, K, BLOCK_K):
        rows = start + tl.arange(0, BLOCK_K)
        a = tl.load(a_ptr + rows * stride_ak, mask=rows < K, other=0).to(ACC)
        mask = (rows[:, None] < K) & (cols[None, :] < N)
        b = tl.load(b_ptr + rows[:, None] * stride_bk + cols[None, :] * stride_bn, mask, other=0)
        acc += a[:, None] * b.to(ACC)
    tl.store(c_ptr + cols, tl.sum(acc, axis=0).to(c_ptr.dtype.element_ty), mask=cols < N)


def accumulator(dtype: torch.dtype) -> Any:
    return tl.int32 if dtype == torch.int8 else tl.float32


def matmul(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """`c = a @ b` for matrices or batches of them, any strides; int8 gives int32."""
    (*batch, m, k), n = a.shape, b.shape[-1]
    # A matrix is a batch of one.
    outer = () if batch else (0,)
    # `triton.cdiv` takes 0.16 us a call, and the smallest product 12.
    matmul_kernel[
        lambda meta: (
            -(-m // meta["BLOCK_M"]) * -(-n // meta["BLOCK_N"]),
            batch[0] if batch else 1,
        )
    ](
        a, b, c, m, n, k, *outer, *a.stride(), *outer, *b.stride(), *outer, *c.stride(),
        ACC=accumulator(a.dtype),
    )  # fmt: skip
    return c


def gemv(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """`c[1, N] = a[1, K] @ b[K, N]`."""
    k, n = b.shape
    gemv_kernel[lambda meta: (triton.cdiv(n, meta["BLOCK_N"]),)](
        a, b, c, n, k, a.stride(1), *b.stride(), ACC=accumulator(a.dtype)
    )
    return c


def operand(dtype: torch.dtype, *shape: int, transposed: bool = False, seed: int) -> torch.Tensor:
    shape = (*shape[:-2], shape[-1], shape[-2]) if transposed else shape
    fill = rand_like_int8(*shape, seed=seed) if dtype == torch.int8 else None
    made = randn(*shape, dtype=dtype, seed=seed) if fill is None else fill
    return made.transpose(-1, -2) if transposed else made


def exact(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    # Sums of int8 products are exact in fp64.
    return torch.matmul(a.double(), b.double())


def case(
    group: str, dtype: torch.dtype, m: int, n: int, k: int, turned: str = "nn", batch: int = 0
) -> Case:
    """`turned`: n or t for each operand; a transposed one is a view of its transpose."""
    lead = (batch,) if batch else ()
    integers = dtype == torch.int8
    result_type = torch.int32 if integers else dtype

    def make() -> tuple[torch.Tensor, ...]:
        a = operand(dtype, *lead, m, k, transposed=turned[0] == "t", seed=0)
        b = operand(dtype, *lead, k, n, transposed=turned[1] == "t", seed=1)
        return a, b, torch.empty(*lead, m, n, dtype=result_type)

    product: Any = torch._int_mm if integers else torch.bmm if batch else torch.mm
    bound: Tolerance = EXACT if integers else sum_tolerance(k, dtype)
    count = max(batch, 1)
    sizes = "x".join(map(str, (*lead, m, n, k)))
    return Case(
        f"{group} {dtype_label(dtype)}", sizes + ("" if turned == "nn" else f" {turned}"), dtype,
        make, gemv if m == 1 and not batch else matmul,
        lambda a, b, out: product(a, b, out=out), product, bound,
        bytes=count * ((m * k + k * n) * dtype.itemsize + m * n * result_type.itemsize),
        flops=2 * count * m * n * k, own_output=True, reference=exact,
        tuner=gemv_kernel if m == 1 and not batch else matmul_kernel,
    )  # fmt: skip


TYPES = (torch.float32, torch.bfloat16, torch.float16, torch.int8)
SQUARES = (128, 256, 512, 1024, 2048, 4096)
ODD = ((257, 127, 65), (1000, 777, 515), (511, 1025, 2047))


def cases() -> list[Case]:
    made = []
    for dtype in TYPES:
        made += [case("matmul", dtype, n, n, n) for n in pick((64,), SQUARES)]
        made += [case("matmul odd", dtype, *s) for s in pick(((67, 45, 33),), ODD)]
        side = pick((96,), (1024,))[0]
        made += [case("matmul transposed", dtype, *[side] * 3, t) for t in ("nt", "tn", "tt")]
        wide = pick((128,), (4096,))[0]
        made += [case("matmul skinny", dtype, m, wide, wide) for m in (1, 8, 32)]
    for dtype in TYPES[:3]:
        batches = pick(
            ((2, 48, 32, 40),), ((64, 128, 128, 64), (16, 512, 512, 64), (8, 512, 512, 512))
        )
        made += [case("matmul batched", dtype, m, n, k, batch=z) for z, m, n, k in batches]
    return made

"""`tl.dot_scaled`: products of block-scaled numbers (OCP Microscaling Formats 1.0, 2023)."""

from __future__ import annotations

import numpy as np
import torch
import triton
import triton.language as tl
from kit import Array, Bound, assert_close, program

E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])
M, N, K, GROUP = 32, 32, 64, 32


@triton.jit
def scaled_kernel(
    a_ptr, a_scale_ptr, b_ptr, b_scale_ptr, c_ptr,
    M: tl.constexpr, N: tl.constexpr, A_K: tl.constexpr, B_K: tl.constexpr, GROUPS: tl.constexpr,
    A_FORMAT: tl.constexpr, B_FORMAT: tl.constexpr,
):  # fmt: skip
    i, j = tl.arange(0, M), tl.arange(0, N)
    a = tl.load(a_ptr + i[:, None] * A_K + tl.arange(0, A_K)[None, :])
    b = tl.load(b_ptr + tl.arange(0, B_K)[:, None] * N + j[None, :])
    groups = tl.arange(0, GROUPS)[None, :]
    a_scale = None
    b_scale = None
    if a_scale_ptr is not None:
        a_scale = tl.load(a_scale_ptr + i[:, None] * GROUPS + groups)
    if b_scale_ptr is not None:
        b_scale = tl.load(b_scale_ptr + j[:, None] * GROUPS + groups)
    c = tl.dot_scaled(a, a_scale, A_FORMAT, b, b_scale, B_FORMAT)
    tl.store(c_ptr + i[:, None] * N + j[None, :], c)


def _numbers(kind: str, rows: int, cols: int, seed: int) -> tuple[torch.Tensor, Array]:
    """A matrix as the kernel takes it, and its values; fp4 packs pairs along columns."""
    generator = torch.Generator().manual_seed(seed)
    if kind == "e2m1":
        codes = torch.randint(0, 16, (rows, cols), generator=generator)
        packed = (codes[:, ::2] | codes[:, 1::2] << 4).to(torch.uint8)
        return packed, E2M1[codes.numpy()]
    x = torch.randn(rows, cols, generator=generator)
    dtypes = {"e4m3": torch.float8_e4m3fn, "e5m2": torch.float8_e5m2, "bf16": torch.bfloat16}
    x = x.to(dtypes.get(kind, torch.float16))
    return x, x.double().numpy()


def _scales(rows: int, seed: int) -> tuple[torch.Tensor, Array]:
    """One power of two per group of 32 numbers (e8m0: exponent + 127)."""
    exponents = torch.randint(
        -3, 4, (rows, K // GROUP), generator=torch.Generator().manual_seed(seed)
    )
    return (exponents + 127).to(torch.uint8), np.repeat(2.0 ** exponents.numpy(), GROUP, axis=1)


def _check(device: str, a_kind: str, b_kind: str) -> None:
    a, a_values = _numbers(a_kind, M, K, 0)
    b, b_values = _numbers(b_kind, N, K, 1)
    a_scale, a_factor = _scales(M, 2)
    b_scale, b_factor = _scales(N, 3)
    a_scaled, b_scaled = a_kind not in ("bf16", "fp16"), b_kind not in ("bf16", "fp16")
    b = b.T.contiguous()
    c = torch.zeros(M, N, device=device)
    scaled_kernel[(1,)](
        a.to(device), a_scale.to(device) if a_scaled else None,
        b.to(device), b_scale.to(device) if b_scaled else None, c,
        M=M, N=N, A_K=a.shape[1], B_K=b.shape[0], GROUPS=K // GROUP,
        A_FORMAT=a_kind, B_FORMAT=b_kind,
    )  # fmt: skip
    want = (a_values * (a_factor if a_scaled else 1)) @ (b_values * (b_factor if b_scaled else 1)).T
    # A backend may compute in bf16, which holds each scaled operand exactly, with fp32 sums.
    assert_close(c, want, "float32", Bound(4, 64 * 2.0**-18), f"{a_kind} x {b_kind}")


@program("tl.dot_scaled", ("float8e4nv", "float8e5"))
def scaled_fp8(device: str, dtype: str) -> None:
    kind = "e4m3" if dtype == "float8e4nv" else "e5m2"
    _check(device, kind, kind)
    _check(device, kind, "e4m3")


@program("tl.dot_scaled", ("uint8",))
def scaled_fp4(device: str, dtype: str) -> None:
    _check(device, "e2m1", "e2m1")
    _check(device, "e4m3", "e2m1")


@program("tl.dot_scaled", ("bfloat16",))
def scaled_with_bf16(device: str, dtype: str) -> None:
    _check(device, "bf16", "e4m3")
    _check(device, "e2m1", "bf16")

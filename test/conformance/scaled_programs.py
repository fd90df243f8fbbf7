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
    a_ptr, a_scale_ptr, b_ptr, b_scale_ptr, c_ptr, M: tl.constexpr, N: tl.constexpr,
    A_ROWS: tl.constexpr, A_COLS: tl.constexpr, B_ROWS: tl.constexpr, B_COLS: tl.constexpr,
    GROUPS: tl.constexpr, A_FORMAT: tl.constexpr, B_FORMAT: tl.constexpr,
    A_K_PACK: tl.constexpr, B_K_PACK: tl.constexpr, ACC: tl.constexpr,
):  # fmt: skip
    i, j = tl.arange(0, M), tl.arange(0, N)
    a = tl.load(a_ptr + tl.arange(0, A_ROWS)[:, None] * A_COLS + tl.arange(0, A_COLS)[None, :])
    b = tl.load(b_ptr + tl.arange(0, B_ROWS)[:, None] * B_COLS + tl.arange(0, B_COLS)[None, :])
    groups = tl.arange(0, GROUPS)[None, :]
    a_scale = None
    b_scale = None
    if a_scale_ptr is not None:
        a_scale = tl.load(a_scale_ptr + i[:, None] * GROUPS + groups)
    if b_scale_ptr is not None:
        b_scale = tl.load(b_scale_ptr + j[:, None] * GROUPS + groups)
    c_ptrs = c_ptr + i[:, None] * N + j[None, :]
    acc = None
    if ACC:
        acc = tl.load(c_ptrs)
    c = tl.dot_scaled(
        a, a_scale, A_FORMAT, b, b_scale, B_FORMAT, acc=acc, lhs_k_pack=A_K_PACK,
        rhs_k_pack=B_K_PACK,
    )  # fmt: skip
    tl.store(c_ptrs, c)


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


def _check(
    device: str, a_kind: str, b_kind: str, *, scales: str = "both", k_pack: bool = True,
    acc: bool = False,
) -> None:  # fmt: skip
    """`scales` says which sides have scales; `k_pack` that 4-bit pairs lie along K."""
    a, a_values = _numbers(a_kind, M, K, 0)
    b, b_values = _numbers(b_kind, N, K, 1)
    a_scale, a_factor = _scales(M, 2)
    b_scale, b_factor = _scales(N, 3)
    a_scaled, b_scaled = scales in ("both", "left"), scales in ("both", "right")
    if not k_pack:
        a, b = (_repacked(x, kind) for x, kind in ((a, a_kind), (b, b_kind)))
    b = b.T.contiguous()
    c = torch.zeros(M, N, device=device)
    if acc:
        c += torch.arange(N, device=device)
    want = c.double().cpu().numpy()
    scaled_kernel[(1,)](
        a.to(device), a_scale.to(device) if a_scaled else None,
        b.to(device), b_scale.to(device) if b_scaled else None, c,
        M=M, N=N, A_ROWS=a.shape[0], A_COLS=a.shape[1], B_ROWS=b.shape[0], B_COLS=b.shape[1],
        GROUPS=K // GROUP, A_FORMAT=a_kind, B_FORMAT=b_kind, A_K_PACK=a.shape[0] == M,
        B_K_PACK=b.shape[1] == N, ACC=acc,
    )  # fmt: skip
    want += (a_values * (a_factor if a_scaled else 1)) @ (
        b_values * (b_factor if b_scaled else 1)
    ).T
    # A backend may compute in bf16, which holds each scaled operand exactly, with fp32 sums.
    assert_close(c, want, "float32", Bound(4, 64 * 2.0**-18), f"{a_kind} x {b_kind}, {scales}")


def _repacked(x: torch.Tensor, kind: str) -> torch.Tensor:
    """4-bit numbers that are packed along columns, packed along rows instead."""
    if kind != "e2m1":
        return x
    codes = torch.stack([x & 15, x >> 4], -1).reshape(x.shape[0], -1)
    return codes[::2] | codes[1::2] << 4


_DTYPES = {
    "float8e4nv": "e4m3", "float8e5": "e5m2", "uint8": "e2m1", "bfloat16": "bf16",
    "float16": "fp16",
}  # fmt: skip


@program("tl.dot_scaled", tuple(_DTYPES))
def every_pair_of_formats(device: str, dtype: str) -> None:
    for other in _DTYPES.values():
        _check(device, _DTYPES[dtype], other)


@program("tl.dot_scaled", tuple(_DTYPES))
def scales_of_one_side(device: str, dtype: str) -> None:
    for other in _DTYPES.values():
        for scales in ("left", "right", "none"):
            _check(device, _DTYPES[dtype], other, scales=scales)


@program("tl.dot_scaled", tuple(_DTYPES))
def pairs_along_the_other_axis(device: str, dtype: str) -> None:
    _check(device, _DTYPES[dtype], "e2m1", k_pack=False)
    _check(device, "e2m1", _DTYPES[dtype], k_pack=False)


@program("tl.dot_scaled", tuple(_DTYPES))
def scaled_with_accumulator(device: str, dtype: str) -> None:
    _check(device, _DTYPES[dtype], "e4m3", acc=True)

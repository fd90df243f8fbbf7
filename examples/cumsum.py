"""Cumulative sum along rows of any length: a scan per block, carried from block to block."""

from __future__ import annotations

import sys

import torch
import triton
import triton.language as tl
from _harness import EXACT, Case, Tolerance, main, randn, seeded


@triton.jit
def cumsum_kernel(x_ptr, out_ptr, stride_x, stride_out, n_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    x_ptr += row * stride_x
    out_ptr += row * stride_out
    carry = tl.zeros([1], dtype=x_ptr.dtype.element_ty)
    for start in range(0, n_cols, BLOCK):
        cols = start + tl.arange(0, BLOCK)
        mask = cols < n_cols
        x = tl.load(x_ptr + cols, mask=mask, other=0)
        tl.store(out_ptr + cols, tl.cumsum(x, axis=0) + carry, mask=mask)
        carry += tl.sum(x, axis=0)


def cumsum(x: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """Cumulative sum over the last axis of `x[rows, cols]`, in the dtype of `x`.

    Raises ValueError for another rank or strided rows.
    """
    if x.dim() != 2 or x.stride(1) != 1:
        raise ValueError("cumsum takes a 2D tensor with contiguous rows")
    out = torch.empty_like(x) if out is None else out
    rows, cols = x.shape
    if x.numel():
        cumsum_kernel[(rows,)](x, out, x.stride(0), out.stride(0), cols, BLOCK=1024)
    return out


def case(rows: int, cols: int, dtype: torch.dtype = torch.float32, quick: bool = False) -> Case:
    floating = dtype.is_floating_point

    def make():
        if floating:
            x = randn(rows, cols, dtype=dtype)
        else:
            x = torch.randint(-(2**31), 2**31 - 1, (rows, cols), generator=seeded()).to(dtype)
        return x, torch.empty_like(x)

    def torch_run(x, out):
        return torch.cumsum(x, 1, dtype=dtype, out=out)

    def reference(x, out):
        return x.double().cumsum(1) if floating else torch_run(x, out)

    sums = Tolerance(1e-6 + 2e-7 * cols, 1e-6, "8 sigma of one fp32 rounding per partial sum")
    return Case(
        "cumulative sum", (rows, cols), dtype, make, cumsum, torch_run,
        sums if floating else EXACT, reference, quick=quick,
    )  # fmt: skip


CASES = [
    case(64, 1500, quick=True),
    case(1024, 4096),
    case(997, 5003),
    case(512, 4096, torch.int32),
]

if __name__ == "__main__":
    sys.exit(main(CASES))

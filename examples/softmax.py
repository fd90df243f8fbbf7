"""Fused softmax: one row per program, the whole row in one block."""

from __future__ import annotations

import sys

import torch
import triton
import triton.language as tl
from _harness import Case, Tolerance, main, randn


@triton.jit
def softmax_kernel(out_ptr, in_ptr, in_stride, out_stride, n_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    x = tl.load(in_ptr + row * in_stride + cols, mask=mask, other=-float("inf"))
    x = x.to(tl.float32)
    numerator = tl.exp(x - tl.max(x, axis=0))
    y = numerator / tl.sum(numerator, axis=0)
    tl.store(out_ptr + row * out_stride + cols, y, mask=mask)


def softmax(x: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """Softmax over the last axis of a `[rows, cols]` tensor whose rows are contiguous.

    Raises ValueError for another rank or a strided row.
    """
    if x.dim() != 2 or x.stride(1) != 1:
        raise ValueError("softmax takes a 2D tensor with contiguous rows")
    out = torch.empty_like(x) if out is None else out
    rows, cols = x.shape
    if x.numel() == 0:
        return out
    block = triton.next_power_of_2(cols)
    softmax_kernel[(rows,)](out, x, x.stride(0), out.stride(0), cols, BLOCK=block)
    return out


def tolerance(dtype: torch.dtype) -> Tolerance:
    if dtype == torch.float32:
        return Tolerance(1e-8, 5e-6, "2 ulp of exp on each side, the sum in another order")
    return Tolerance(1e-8, 2 * torch.finfo(dtype).eps, "one rounding to the output type per side")


def case(rows: int, cols: int, dtype: torch.dtype = torch.float32, quick: bool = False) -> Case:
    def make():
        x = randn(rows, cols, dtype=dtype)
        return x, torch.empty_like(x)

    def torch_run(x, out):
        return torch.softmax(x, dim=1, out=out)

    return Case(
        "fused softmax", (rows, cols), dtype, make, softmax, torch_run, tolerance(dtype),
        quick=quick,
    )  # fmt: skip


CASES = [
    case(256, 781, quick=True),
    case(1823, 781),
    case(4096, 4096),
    case(1024, 1000, torch.float16),
    case(1024, 1000, torch.bfloat16),
]

if __name__ == "__main__":
    sys.exit(main(CASES))

"""Vector addition: the smallest kernel that has a mask."""

from __future__ import annotations

import sys

import torch
import triton
import triton.language as tl
from _harness import Case, Tolerance, main, randn


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    offsets = pid * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    tl.store(out_ptr + offsets, x + y, mask=mask)


def add(x: torch.Tensor, y: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """`x + y` for two contiguous tensors of the same shape and dtype.

    Raises ValueError where shape, dtype or layout differ from that.
    """
    if x.shape != y.shape or x.dtype != y.dtype:
        raise ValueError(f"operands differ: {x.shape} {x.dtype} and {y.shape} {y.dtype}")
    if not (x.is_contiguous() and y.is_contiguous()):
        raise ValueError("operands must be contiguous")
    out = torch.empty_like(x) if out is None else out
    n = x.numel()
    block = 1024
    add_kernel[(triton.cdiv(n, block),)](x, y, out, n, BLOCK=block)
    return out


ROUNDED_ONCE = Tolerance(0, 0, "one correctly rounded addition")


def case(n: int, dtype: torch.dtype = torch.float32, quick: bool = False) -> Case:
    def make():
        return randn(n, dtype=dtype), randn(n, dtype=dtype, seed=1), torch.empty(n, dtype=dtype)

    def torch_run(x, y, out):
        return torch.add(x, y, out=out)

    return Case("vector add", (n,), dtype, make, add, torch_run, ROUNDED_ONCE, quick=quick)


CASES = [
    case(98_432, quick=True),
    case(1 << 22),
    case((1 << 22) + 15),
    case(1 << 20, torch.float16),
    case(1 << 20, torch.bfloat16),
]

if __name__ == "__main__":
    sys.exit(main(CASES))

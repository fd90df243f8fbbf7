"""The k largest elements of each row and where they are, as a router of experts needs them."""

from __future__ import annotations

import sys

import torch
import triton
import triton.language as tl
from _harness import EXACT, Case, main, seeded


@triton.jit
def sortable(x):
    """Maps fp32 to int32 so that the order stays: negative numbers flip all bits but the sign."""
    bits = x.to(tl.int32, bitcast=True)
    return tl.where(bits < 0, bits ^ 0x7FFFFFFF, bits)


@triton.jit
def topk_kernel(
    x_ptr, values_ptr, indices_ptr, stride_x, n_cols, K: tl.constexpr, BLOCK: tl.constexpr
):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * stride_x + cols, mask=cols < n_cols, other=-float("inf"))
    # Value and index travel as one int64; ~index makes the first of equal values the larger one.
    packed = (sortable(x).to(tl.int64) << 32) | (~cols).to(tl.uint32, bitcast=True).to(tl.int64)
    best = tl.topk(packed, K)
    index = ~(best.to(tl.int32))
    key = (best >> 32).to(tl.int32)
    bits = tl.where(key < 0, key ^ 0x7FFFFFFF, key)
    out = row * K + tl.arange(0, K)
    tl.store(values_ptr + out, bits.to(tl.float32, bitcast=True))
    tl.store(indices_ptr + out, index)


def topk(
    x: torch.Tensor,
    k: int,
    values: torch.Tensor | None = None,
    indices: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The `k` largest of each row of fp32 `x[rows, cols]`, falling, and their columns as int64.

    Of equal values the first wins. `k` is a power of two <= cols. Raises ValueError otherwise.
    """
    if x.dim() != 2 or x.stride(1) != 1 or x.dtype != torch.float32:
        raise ValueError("topk takes a 2D fp32 tensor with contiguous rows")
    rows, cols = x.shape
    if k < 1 or k & (k - 1) or k > cols:
        raise ValueError(f"k = {k} is not a power of two in 1..{cols}")
    values = torch.empty(rows, k) if values is None else values
    indices = torch.empty(rows, k, dtype=torch.int64) if indices is None else indices
    if rows:
        block = triton.next_power_of_2(cols)
        topk_kernel[(rows,)](x, values, indices, x.stride(0), cols, K=k, BLOCK=block)
    return values, indices


def case(rows: int, cols: int, k: int, quick: bool = False) -> Case:
    def make():
        # A random permutation per row: no equal values, whose order torch leaves open.
        x = torch.rand(rows, cols, generator=seeded()).argsort(1).float() - cols / 2
        return x, k, torch.empty(rows, k), torch.empty(rows, k, dtype=torch.int64)

    def torch_run(x, k, values, indices):
        return torch.topk(x, k, dim=1, out=(values, indices))

    return Case("top-k", (rows, cols, k), torch.float32, make, topk, torch_run, EXACT, quick=quick)


CASES = [case(32, 500, 8, quick=True), case(4096, 128, 8), case(512, 1000, 16)]

if __name__ == "__main__":
    sys.exit(main(CASES))

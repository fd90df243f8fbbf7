"""Seeded dropout: the mask is recomputed from a seed (philox 4x32), never stored."""

from __future__ import annotations

import sys

import numpy as np
import torch
import triton
import triton.language as tl
from _harness import EXACT, Case, main, randn


@triton.jit
def dropout_kernel(x_ptr, out_ptr, n, p, seed, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    keep = tl.rand(seed, offsets) > p
    tl.store(out_ptr + offsets, tl.where(keep, x / (1 - p), 0.0), mask=mask)


def dropout(x: torch.Tensor, p: float, seed: int, out: torch.Tensor | None = None) -> torch.Tensor:
    """Zeroes each element of contiguous `x` with probability `p`, scales the others by 1/(1-p).

    The same seed gives the same mask. Raises ValueError for `p` outside [0, 1) or a strided `x`.
    """
    if not 0 <= p < 1:
        raise ValueError(f"p = {p} is not in [0, 1)")
    if not x.is_contiguous():
        raise ValueError("x must be contiguous")
    out = torch.empty_like(x) if out is None else out
    n = x.numel()
    dropout_kernel[lambda meta: (triton.cdiv(n, meta["BLOCK"]),)](x, out, n, p, seed, BLOCK=1024)
    return out


def philox_uniform(seed: int, n: int) -> np.ndarray:
    """The first `n` numbers of `tl.rand(seed, offset)`: Philox 4x32-10 (Salmon et al., SC 2011).

    The key is the seed, the counter is (offset, 0, 0, 0), the number is the first word.
    """
    low = np.uint64(0xFFFFFFFF)
    c0, zero = np.arange(n, dtype=np.uint64), np.zeros(n, dtype=np.uint64)
    c1, c2, c3 = zero, zero, zero
    k0, k1 = np.uint64(seed & 0xFFFFFFFF), np.uint64((seed >> 32) & 0xFFFFFFFF)
    for _ in range(10):
        a, b = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        a_high, b_high = a >> np.uint64(32), b >> np.uint64(32)
        c0, c1, c2, c3 = b_high ^ c1 ^ k0, b & low, a_high ^ c3 ^ k1, a & low
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
    word = c0.astype(np.uint32).view(np.int32)
    word = np.where(word < 0, -word - 1, word)
    return word.astype(np.float32) * np.float32(4.6566127342e-10)


def reference(x: torch.Tensor, p: float, seed: int, out: torch.Tensor) -> torch.Tensor:
    keep = torch.from_numpy(philox_uniform(seed, x.numel())) > np.float32(p)
    kept = x / (torch.ones(()) - torch.tensor(p, dtype=torch.float32))
    return torch.where(keep, kept, 0.0)


def case(n: int, p: float = 0.5, quick: bool = False) -> Case:
    def make():
        return randn(n), p, 123, torch.empty(n)

    def torch_run(x, p, seed, out):
        return torch.nn.functional.dropout(x, p)

    return Case(
        "dropout (philox)", (n,), torch.float32, make, dropout, torch_run, EXACT, reference,
        quick=quick,
    )  # fmt: skip


CASES = [case(98_432, quick=True), case(1 << 22), case(1_000_003, p=0.1)]

if __name__ == "__main__":
    sys.exit(main(CASES))

"""Reductions of short rows, several of them side by side: `docs/row-kernels.md`.

Rows of one vector up to one more than are short, numbers of rows that a group divides and that it
does not, each kind of combiner, NaN and infinities, against numpy. Integers and small whole numbers
are exact.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def rows_kernel(x_ptr, out_ptr, M: tl.constexpr, N: tl.constexpr, KIND: tl.constexpr):
    rows, cols = tl.arange(0, M), tl.arange(0, N)
    x = tl.load(x_ptr + rows[:, None] * N + cols[None, :])
    if KIND == "sum":
        y = tl.sum(x, 1)
    elif KIND == "max":
        y = tl.max(x, 1)
    elif KIND == "min":
        y = tl.min(x, 1)
    else:
        y = tl.xor_sum(x, 1)
    tl.store(out_ptr + rows, y)


@triton.jit
def softmax_kernel(x_ptr, out_ptr, total_ptr, M: tl.constexpr, N: tl.constexpr):
    rows, cols = tl.arange(0, M), tl.arange(0, N)
    at = rows[:, None] * N + cols[None, :]
    x = tl.load(x_ptr + at)
    e = tl.exp2(x - tl.max(x, 1)[:, None])
    total = tl.sum(e, 1)
    tl.store(out_ptr + at, e / total[:, None])
    tl.store(total_ptr + rows, total)


NUMPY = {"sum": np.sum, "max": np.fmax.reduce, "min": np.fmin.reduce, "xor": np.bitwise_xor.reduce}
SHAPES = [(1, 8), (2, 64), (4, 8), (8, 4), (8, 16), (16, 128), (32, 256), (8, 512)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("sum", torch.float32), ("max", torch.float32), ("min", torch.float64), ("max", torch.int32),
     ("sum", torch.int16), ("xor", torch.int32), ("max", torch.bfloat16)],
)  # fmt: skip
def test_rows(kind: str, dtype: torch.dtype, shape: tuple[int, int]) -> None:
    x = torch.randint(-100, 100, shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    out = torch.empty(shape[0], dtype=torch.int32 if dtype == torch.int16 else dtype)
    rows_kernel[(1,)](x, out, M=shape[0], N=shape[1], KIND=kind)
    wide = x.float() if dtype == torch.bfloat16 else x
    expected = NUMPY[kind](wide.numpy(), 1)
    np.testing.assert_array_equal(out.to(wide.dtype).numpy(), expected.astype(wide.numpy().dtype))


@pytest.mark.parametrize("kind", ["max", "min"])
def test_rows_without_a_number(kind: str) -> None:
    """A row of NaN gives NaN, one of infinities gives infinity, whatever its neighbours are."""
    worst = -np.inf if kind == "max" else np.inf
    x = np.random.default_rng(1).standard_normal((16, 32)).astype(np.float32)
    x[1], x[2, ::2], x[5], x[6], x[6, 3] = np.nan, np.nan, worst, np.nan, worst
    x[9, 31], x[10, 0], x[15] = -worst, np.nan, np.nan
    out = torch.empty(16)
    rows_kernel[(1,)](torch.from_numpy(x), out, M=16, N=32, KIND=kind)
    np.testing.assert_array_equal(out.numpy(), NUMPY[kind](x, 1))


@pytest.mark.parametrize("shape", [(4, 16), (8, 64), (16, 64)])
def test_softmax_of_a_block(shape: tuple[int, int]) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    out, total = torch.empty_like(x), torch.empty(shape[0])
    softmax_kernel[(1,)](x, out, total, M=shape[0], N=shape[1])
    e = torch.exp2(x.double() - x.double().amax(1, keepdim=True))
    torch.testing.assert_close(total.double(), e.sum(1), rtol=1e-6, atol=0)
    torch.testing.assert_close(out.double(), e / e.sum(1, keepdim=True), rtol=2e-6, atol=1e-7)

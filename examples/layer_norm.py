"""Layer norm, forward and backward.

The backward kernel gives dx row by row and adds its share of dw and db to one of `GROUPS` partial
buffers, each guarded by a spin lock; a second kernel sums the partial buffers.
"""

from __future__ import annotations

import sys

import torch
import triton
import triton.language as tl
from _harness import Case, Tolerance, main, randn


@triton.jit
def forward_kernel(
    x_ptr, y_ptr, w_ptr, b_ptr, mean_ptr, rstd_ptr, stride, n_cols, eps, BLOCK: tl.constexpr
):
    row = tl.program_id(0)
    x_ptr += row * stride
    y_ptr += row * stride
    total = tl.zeros([BLOCK], dtype=tl.float32)
    for start in range(0, n_cols, BLOCK):
        cols = start + tl.arange(0, BLOCK)
        total += tl.load(x_ptr + cols, mask=cols < n_cols, other=0.0).to(tl.float32)
    mean = tl.sum(total, axis=0) / n_cols

    squares = tl.zeros([BLOCK], dtype=tl.float32)
    for start in range(0, n_cols, BLOCK):
        cols = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + cols, mask=cols < n_cols, other=0.0).to(tl.float32)
        centred = tl.where(cols < n_cols, x - mean, 0.0)
        squares += centred * centred
    rstd = 1 / tl.sqrt(tl.sum(squares, axis=0) / n_cols + eps)
    tl.store(mean_ptr + row, mean)
    tl.store(rstd_ptr + row, rstd)

    for start in range(0, n_cols, BLOCK):
        cols = start + tl.arange(0, BLOCK)
        mask = cols < n_cols
        w = tl.load(w_ptr + cols, mask=mask)
        b = tl.load(b_ptr + cols, mask=mask)
        x = tl.load(x_ptr + cols, mask=mask, other=0.0).to(tl.float32)
        tl.store(y_ptr + cols, (x - mean) * rstd * w + b, mask=mask)


@triton.jit
def backward_rows_kernel(
    dx_ptr, dy_ptr, dw_ptr, db_ptr, x_ptr, w_ptr, mean_ptr, rstd_ptr, lock_ptr,
    stride, n_cols, GROUPS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    x = tl.load(x_ptr + row * stride + cols, mask=mask, other=0).to(tl.float32)
    dy = tl.load(dy_ptr + row * stride + cols, mask=mask, other=0).to(tl.float32)
    w = tl.load(w_ptr + cols, mask=mask).to(tl.float32)
    mean = tl.load(mean_ptr + row)
    rstd = tl.load(rstd_ptr + row)

    x_hat = tl.where(mask, (x - mean) * rstd, 0.0)
    w_dy = tl.where(mask, w * dy, 0.0)
    along = tl.sum(x_hat * w_dy, axis=0) / n_cols
    level = tl.sum(w_dy, axis=0) / n_cols
    tl.store(dx_ptr + row * stride + cols, (w_dy - (x_hat * along + level)) * rstd, mask=mask)

    dw_part = (dy * x_hat).to(w.dtype)
    db_part = dy.to(w.dtype)
    group = row % GROUPS
    lock_ptr += group
    count_ptr = lock_ptr + GROUPS
    dw_ptrs = dw_ptr + group * n_cols + cols
    db_ptrs = db_ptr + group * n_cols + cols
    while tl.atomic_cas(lock_ptr, 0, 1) == 1:
        pass
    count = tl.load(count_ptr)
    if count == 0:
        tl.atomic_xchg(count_ptr, 1)
    else:
        dw_part += tl.load(dw_ptrs, mask=mask)
        db_part += tl.load(db_ptrs, mask=mask)
    tl.store(dw_ptrs, dw_part, mask=mask)
    tl.store(db_ptrs, db_part, mask=mask)
    # All stores of this program come before the lock is free again.
    tl.debug_barrier()
    tl.atomic_xchg(lock_ptr, 0)


@triton.jit
def sum_partials_kernel(
    dw_ptr, db_ptr, final_dw_ptr, final_db_ptr, n_parts, n_cols,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    cols = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    dw = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    db = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for start in range(0, n_parts, BLOCK_M):
        rows = start + tl.arange(0, BLOCK_M)
        mask = (rows[:, None] < n_parts) & (cols[None, :] < n_cols)
        offsets = rows[:, None] * n_cols + cols[None, :]
        dw += tl.load(dw_ptr + offsets, mask=mask, other=0.0)
        db += tl.load(db_ptr + offsets, mask=mask, other=0.0)
    tl.store(final_dw_ptr + cols, tl.sum(dw, axis=0), mask=cols < n_cols)
    tl.store(final_db_ptr + cols, tl.sum(db, axis=0), mask=cols < n_cols)


def _check(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> None:
    if x.dim() != 2 or not x.is_contiguous():
        raise ValueError("x must be a contiguous 2D tensor")
    if w.shape != x.shape[1:] or b.shape != x.shape[1:]:
        raise ValueError("weight and bias must have one element per column")


def layer_norm(
    x: torch.Tensor,
    w: torch.Tensor,
    b: torch.Tensor,
    eps: float = 1e-5,
    out: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normalises each row of `x[rows, cols]`, then scales by `w[cols]` and adds `b[cols]`.

    Returns `(y, mean[rows], rstd[rows])`. Raises ValueError on shapes that do not fit.
    """
    _check(x, w, b)
    rows, cols = x.shape
    y = torch.empty_like(x) if out is None else out
    mean = torch.empty(rows, dtype=torch.float32)
    rstd = torch.empty(rows, dtype=torch.float32)
    if x.numel():
        block = min(4096, triton.next_power_of_2(cols))
        forward_kernel[(rows,)](x, y, w, b, mean, rstd, x.stride(0), cols, eps, BLOCK=block)
    return y, mean, rstd


def layer_norm_backward(
    dy: torch.Tensor, x: torch.Tensor, w: torch.Tensor, mean: torch.Tensor, rstd: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients `(dx, dw, db)` of `layer_norm` for the output's gradient `dy[rows, cols]`.

    Raises ValueError on shapes that do not fit.
    """
    _check(x, w, w)
    if dy.shape != x.shape or not dy.is_contiguous():
        raise ValueError("dy must be contiguous and have the shape of x")
    rows, cols = x.shape
    dx = torch.empty_like(x)
    dw, db = torch.zeros_like(w), torch.zeros_like(w)
    if x.numel() == 0:
        return dx, dw, db
    groups = 96
    locks = torch.zeros(2 * groups, dtype=torch.int32)
    dw_parts = torch.zeros(groups, cols, dtype=torch.float32)
    db_parts = torch.zeros(groups, cols, dtype=torch.float32)
    backward_rows_kernel[(rows,)](
        dx, dy, dw_parts, db_parts, x, w, mean, rstd, locks, x.stride(0), cols,
        GROUPS=groups, BLOCK=triton.next_power_of_2(cols),
    )  # fmt: skip
    sum_partials_kernel[lambda meta: (triton.cdiv(cols, meta["BLOCK_N"]),)](
        dw_parts, db_parts, dw, db, min(groups, rows), cols, BLOCK_M=32, BLOCK_N=128
    )
    return dx, dw, db


def inputs(rows: int, cols: int, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    x = randn(rows, cols, dtype=dtype) * 0.5 - 2.3
    w = torch.rand(cols, generator=torch.Generator().manual_seed(1)).to(dtype)
    b = randn(cols, dtype=dtype, seed=2)
    return x, w, b


def forward_case(
    rows: int, cols: int, dtype: torch.dtype = torch.float32, quick: bool = False
) -> Case:
    def make():
        x, w, b = inputs(rows, cols, dtype)
        return x, w, b, torch.empty_like(x)

    def run(x, w, b, out):
        return layer_norm(x, w, b, out=out)[0]

    def torch_run(x, w, b, out):
        return torch.nn.functional.layer_norm(x, (cols,), w, b)

    eps = torch.finfo(dtype).eps
    tolerance = Tolerance(40 * eps, 4 * eps, "|x| is up to 5 sigma, a few roundings per element")
    return Case("layer norm", (rows, cols), dtype, make, run, torch_run, tolerance, quick=quick)


def backward_case(rows: int, cols: int, quick: bool = False) -> Case:
    def make():
        x, w, b = inputs(rows, cols, torch.float32)
        dy = randn(rows, cols, seed=3) * 0.1
        _, mean, rstd = torch.native_layer_norm(x, (cols,), w, b, 1e-5)
        return dy, x, w, mean.reshape(-1), rstd.reshape(-1)

    def torch_run(dy, x, w, mean, rstd):
        m, r = mean[:, None], rstd[:, None]
        return torch.ops.aten.native_layer_norm_backward(
            dy, x, [cols], m, r, w, w, [True, True, True]
        )

    def reference(dy, x, w, mean, rstd):
        return torch_run(*(t.double() for t in (dy, x, w, mean, rstd)))

    tolerance = Tolerance(
        5e-6 * rows**0.5, 1e-5, "fp32 sums of `rows` terms in any order, against fp64"
    )
    return Case(
        "layer norm backward", (rows, cols), torch.float32, make, layer_norm_backward, torch_run,
        tolerance, reference, quick=quick,
    )  # fmt: skip


CASES = [
    forward_case(128, 1000, quick=True),
    forward_case(1151, 8192),
    forward_case(4096, 1024),
    forward_case(1024, 4096, torch.float16),
    backward_case(128, 1000, quick=True),
    backward_case(1151, 4096),
]

if __name__ == "__main__":
    sys.exit(main(CASES))

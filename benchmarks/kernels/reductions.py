"""Reductions along each axis, cumulative sum, top-k."""

from __future__ import annotations

from typing import Any

import cumsum
import topk
import torch
import triton
import triton.language as tl

from benchmarks.case import EXACT, Case, Tolerance, dtype_label, pick, randn, tuned


def fitting(configs: list[Any], args: dict[str, Any], **_: Any) -> list[Any]:
    """Blocks that are not much longer than a row."""
    longest = triton.next_power_of_2(args["n_cols"])
    return [c for c in configs if c.kwargs["BLOCK"] <= longest] or configs[:1]


@tuned([{"BLOCK": b} for b in (512, 1024, 4096)], ["n_cols", "MAX"], fitting)
@triton.jit
def last_axis_kernel(x_ptr, out_ptr, n_cols, MAX: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    x_ptr += row * n_cols
    other: tl.constexpr = -float("inf") if MAX else 0.0
    acc = tl.full([BLOCK], other, dtype=tl.float32)
    for start in range(0, n_cols, BLOCK):
        cols = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + cols, mask=cols < n_cols, other=other).to(tl.float32)
        acc = tl.maximum(acc, x) if MAX else acc + x
    result = tl.max(acc, axis=0) if MAX else tl.sum(acc, axis=0)
    tl.store(out_ptr + row, result.to(out_ptr.dtype.element_ty))


@tuned([{"BLOCK_R": r, "BLOCK_I": i} for r, i in ((8, 256), (32, 128), (4, 1024))], ["R", "INNER"])
@triton.jit
def leading_axis_kernel(
    x_ptr, out_ptr, R, INNER, MAX: tl.constexpr, BLOCK_R: tl.constexpr, BLOCK_I: tl.constexpr
):
    outer = tl.program_id(1)
    cols = tl.program_id(0) * BLOCK_I + tl.arange(0, BLOCK_I)
    x_ptr += outer * R * INNER
    other: tl.constexpr = -float("inf") if MAX else 0.0
    acc = tl.full([BLOCK_R, BLOCK_I], other, dtype=tl.float32)
    for start in range(0, R, BLOCK_R):
        rows = start + tl.arange(0, BLOCK_R)
        mask = (rows[:, None] < R) & (cols[None, :] < INNER)
        x = tl.load(x_ptr + rows[:, None] * INNER + cols[None, :], mask=mask, other=other)
        acc = tl.maximum(acc, x.to(tl.float32)) if MAX else acc + x.to(tl.float32)
    result = tl.max(acc, axis=0) if MAX else tl.sum(acc, axis=0)
    out = result.to(out_ptr.dtype.element_ty)
    tl.store(out_ptr + outer * INNER + cols, out, mask=cols < INNER)


def reduce(x: torch.Tensor, out: torch.Tensor, axis: int, largest: bool) -> torch.Tensor:
    """Sum or maximum of a contiguous tensor along one axis."""
    length = x.shape[axis]
    outer, inner = x.shape[:axis].numel(), x.shape[axis + 1 :].numel()
    if inner == 1:
        last_axis_kernel[(outer,)](x, out, length, MAX=largest)
    else:
        leading_axis_kernel[lambda meta: (triton.cdiv(inner, meta["BLOCK_I"]), outer)](
            x, out, length, inner, MAX=largest
        )
    return out


def reduce_case(shape: tuple[int, ...], axis: int, dtype: torch.dtype, largest: bool) -> Case:
    rest = shape[:axis] + shape[axis + 1 :]

    def make() -> tuple[torch.Tensor, ...]:
        return randn(*shape, dtype=dtype), torch.empty(rest, dtype=dtype)

    function: Any = torch.amax if largest else torch.sum
    length, total = shape[axis], torch.Size(shape).numel()
    eps = torch.finfo(dtype).eps
    sums = Tolerance(1e-6 + 2**-24 * length, eps, "8 sigma of fp32 sums, one output rounding")
    return Case(
        f"{'max' if largest else 'sum'} along {axis} of {len(shape)} {dtype_label(dtype)}",
        "x".join(map(str, shape)), dtype, make, lambda x, out: reduce(x, out, axis, largest),
        lambda x, out: function(x, axis, out=out), lambda x: function(x, axis),
        EXACT if largest else sums, bytes=(total + total // length) * dtype.itemsize, flops=total,
        stream="read", reference=lambda x: function(x.double(), axis),
        tuner=leading_axis_kernel if axis < len(shape) - 1 else last_axis_kernel,
    )  # fmt: skip


def cumsum_case(rows: int, cols: int) -> Case:
    example = cumsum.case(rows, cols)
    return Case(
        "cumulative sum fp32", f"{rows}x{cols}", torch.float32, example.make, example.run,
        lambda x, out: torch.cumsum(x, 1, out=out), lambda x: torch.cumsum(x, 1),
        example.tolerance, bytes=2 * rows * cols * 4, flops=rows * cols,
        reference=lambda x: x.double().cumsum(1),
    )  # fmt: skip


def topk_case(rows: int, cols: int, k: int) -> Case:
    make = topk.case(rows, cols, k).make

    def eager(x: torch.Tensor, values: torch.Tensor, indices: torch.Tensor) -> Any:
        return torch.topk(x, k, dim=1, out=(values, indices))

    return Case(
        "top-k fp32", f"{rows}x{cols}x{k}", torch.float32,
        lambda: tuple(t for t in make() if isinstance(t, torch.Tensor)),
        lambda x, values, indices: topk.topk(x, k, values, indices), eager,
        lambda x: torch.topk(x, k, dim=1), EXACT, bytes=rows * (cols * 4 + k * 12), outputs=2,
        stream="read",
    )  # fmt: skip


def cases() -> list[Case]:
    made = []
    for dtype in (torch.float32, torch.bfloat16):
        shapes = pick(((21, 65), (3, 17, 40)), ((4096, 4096), (64, 512, 512)))
        made += [
            reduce_case(shape, axis, dtype, largest)
            for shape in shapes
            for axis in range(len(shape))
            for largest in (False, True)
        ]
    made += [cumsum_case(*s) for s in pick(((9, 1500),), ((1024, 1024), (997, 5003), (4096, 4096)))]
    sizes = pick(((9, 100, 8),), ((4096, 128, 8), (512, 1000, 16), (128, 4096, 8)))
    return [*made, *(topk_case(*s) for s in sizes)]

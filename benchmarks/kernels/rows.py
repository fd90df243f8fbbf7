"""Kernels that take a matrix row by row: softmax, the norms, cross entropy."""

from __future__ import annotations

import layer_norm
import softmax
import torch
import triton
import triton.language as tl

from benchmarks.case import Case, Tolerance, dtype_label, pick, randn

functional = torch.nn.functional


@triton.jit
def rms_norm_kernel(x_ptr, w_ptr, y_ptr, stride, n_cols, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    x = tl.load(x_ptr + row * stride + cols, mask=mask, other=0.0).to(tl.float32)
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / n_cols + eps)
    w = tl.load(w_ptr + cols, mask=mask).to(tl.float32)
    y = (x * rstd * w).to(y_ptr.dtype.element_ty)
    tl.store(y_ptr + row * stride + cols, y, mask=mask)


@triton.jit
def cross_entropy_kernel(x_ptr, target_ptr, loss_ptr, stride, n_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    x_ptr += row * stride
    # The softmax runs along: the sum is rescaled where a block has a new maximum.
    top = -float("inf")
    total = 0.0
    for start in range(0, n_cols, BLOCK):
        cols = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + cols, mask=cols < n_cols, other=-float("inf")).to(tl.float32)
        new_top = tl.maximum(top, tl.max(x, axis=0))
        total = total * tl.exp(top - new_top) + tl.sum(tl.exp(x - new_top), axis=0)
        top = new_top
    at_target = tl.load(x_ptr + tl.load(target_ptr + row)).to(tl.float32)
    loss = top + tl.log(total) - at_target
    tl.store(loss_ptr + row, loss.to(loss_ptr.dtype.element_ty))


def rms_norm(x: torch.Tensor, w: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    rows, cols = x.shape
    block = triton.next_power_of_2(cols)
    rms_norm_kernel[(rows,)](x, w, y, x.stride(0), cols, 1e-6, BLOCK=block)
    return y


def cross_entropy(x: torch.Tensor, target: torch.Tensor, loss: torch.Tensor) -> torch.Tensor:
    rows, cols = x.shape
    block = min(4096, triton.next_power_of_2(cols))
    cross_entropy_kernel[(rows,)](x, target, loss, x.stride(0), cols, BLOCK=block)
    return loss


def softmax_case(rows: int, cols: int, dtype: torch.dtype) -> Case:
    def make() -> tuple[torch.Tensor, ...]:
        x = randn(rows, cols, dtype=dtype)
        return x, torch.empty_like(x)

    return Case(
        f"softmax {dtype_label(dtype)}", f"{rows}x{cols}", dtype, make, softmax.softmax,
        lambda x, out: torch.softmax(x, 1, out=out), lambda x: torch.softmax(x, 1),
        softmax.tolerance(dtype), bytes=2 * rows * cols * dtype.itemsize, flops=5 * rows * cols,
    )  # fmt: skip


def norm_tolerance(dtype: torch.dtype) -> Tolerance:
    eps = torch.finfo(dtype).eps
    return Tolerance(40 * eps, 4 * eps, "|x| is up to 5 sigma, a few roundings per element")


def layer_norm_case(rows: int, cols: int, dtype: torch.dtype) -> Case:
    def make() -> tuple[torch.Tensor, ...]:
        x, w, b = layer_norm.inputs(rows, cols, dtype)
        return x, w, b, torch.empty_like(x)

    def pure(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(x, (cols,), w, b)

    return Case(
        f"layer norm {dtype_label(dtype)}", f"{rows}x{cols}", dtype, make,
        lambda x, w, b, out: layer_norm.layer_norm(x, w, b, out=out)[0],
        lambda x, w, b, out: pure(x, w, b), pure, norm_tolerance(dtype),
        bytes=2 * rows * cols * dtype.itemsize, flops=8 * rows * cols,
    )  # fmt: skip


def layer_norm_backward_case(rows: int, cols: int) -> Case:
    example = layer_norm.backward_case(rows, cols)

    def pure(*inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        dy, x, w, mean, rstd = inputs
        gradients: tuple[torch.Tensor, ...] = torch.ops.aten.native_layer_norm_backward(
            dy, x, [cols], mean[:, None], rstd[:, None], w, w, [True, True, True]
        )
        return gradients

    return Case(
        "layer norm backward fp32", f"{rows}x{cols}", torch.float32, example.make, example.run,
        pure, pure, example.tolerance, bytes=3 * rows * cols * 4, flops=14 * rows * cols,
        outputs=0, own_output=True, reference=example.reference, stream="add",
    )  # fmt: skip


def rms_norm_case(rows: int, cols: int, dtype: torch.dtype) -> Case:
    def make() -> tuple[torch.Tensor, ...]:
        x = randn(rows, cols, dtype=dtype)
        return x, randn(cols, dtype=dtype, seed=1), torch.empty_like(x)

    def pure(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return functional.rms_norm(x, (cols,), w, 1e-6)

    return Case(
        f"rms norm {dtype_label(dtype)}", f"{rows}x{cols}", dtype, make, rms_norm,
        lambda x, w, out: pure(x, w), pure, norm_tolerance(dtype),
        bytes=2 * rows * cols * dtype.itemsize, flops=4 * rows * cols,
    )  # fmt: skip


def cross_entropy_case(rows: int, cols: int, dtype: torch.dtype) -> Case:
    def make() -> tuple[torch.Tensor, ...]:
        target = torch.randint(0, cols, (rows,), generator=torch.Generator().manual_seed(1))
        return randn(rows, cols, dtype=dtype), target, torch.empty(rows, dtype=dtype)

    def pure(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(x, target, reduction="none")

    eps = torch.finfo(dtype).eps
    return Case(
        f"cross entropy {dtype_label(dtype)}", f"{rows}x{cols}", dtype, make, cross_entropy,
        lambda x, target, out: pure(x, target), pure,
        Tolerance(8 * 2**-24 * 16, 2 * eps, "log of a sum in another order, one output rounding"),
        bytes=rows * cols * dtype.itemsize, flops=4 * rows * cols, stream="read",
        reference=lambda x, target: pure(x.double(), target),
    )  # fmt: skip


def cases() -> list[Case]:
    made = []
    small = ((33, 130),)
    for dtype in (torch.float32, torch.bfloat16):
        sizes = pick(small, ((4096, 256), (1823, 781), (4096, 1024), (4096, 4096)))
        made += [softmax_case(*size, dtype) for size in sizes]
        sizes = pick(small, ((4096, 1024), (1151, 8192), (4096, 4096)))
        made += [layer_norm_case(*size, dtype) for size in sizes]
        made += [rms_norm_case(*size, dtype) for size in sizes]
        vocabularies = pick(((9, 5000),), ((512, 32000), (256, 128256)))
        made += [cross_entropy_case(*size, dtype) for size in vocabularies]
    sizes = pick(small, ((4096, 1024), (2048, 2048), (1151, 4096)))
    return [*made, *(layer_norm_backward_case(*size) for size in sizes)]

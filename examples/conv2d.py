"""2D convolution as an implicit matrix multiplication: patches are gathered, never stored."""

from __future__ import annotations

import sys

import torch
import triton
import triton.language as tl
from _harness import Case, main, randn
from matmul import tolerance


@triton.jit
def conv2d_kernel(
    x_ptr, w_ptr, bias_ptr, y_ptr, N, C, H, W, F, P, Q,
    R: tl.constexpr, S: tl.constexpr, STRIDE: tl.constexpr, PAD: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    # Rows of the product are output pixels (n, p, q), columns are filters, K is (c, r, s).
    pixel = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    n = pixel // (P * Q)
    p = (pixel // Q) % P
    q = pixel % Q
    f = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    depth = C * R * S
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for start in range(0, depth, BLOCK_K):
        k = start + tl.arange(0, BLOCK_K)
        c = k // (R * S)
        r = (k // S) % R
        s = k % S
        h = p[:, None] * STRIDE + r[None, :] - PAD
        w = q[:, None] * STRIDE + s[None, :] - PAD
        inside = (h >= 0) & (h < H) & (w >= 0) & (w < W)
        inside = inside & (n[:, None] < N) & (k[None, :] < depth)
        x_ptrs = x_ptr + ((n[:, None] * C + c[None, :]) * H + h) * W + w
        x = tl.load(x_ptrs, mask=inside, other=0.0)
        w_ptrs = w_ptr + f[None, :] * depth + k[:, None]
        weight = tl.load(w_ptrs, mask=(f[None, :] < F) & (k[:, None] < depth), other=0.0)
        acc = tl.dot(x, weight, acc, input_precision="ieee")
    if HAS_BIAS:
        acc += tl.load(bias_ptr + f, mask=f < F, other=0.0)[None, :]
    y_ptrs = y_ptr + ((n[:, None] * F + f[None, :]) * P + p[:, None]) * Q + q[:, None]
    tl.store(y_ptrs, acc.to(y_ptr.dtype.element_ty), mask=(n[:, None] < N) & (f[None, :] < F))


def conv2d(
    x: torch.Tensor,
    w: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: int = 1,
    pad: int = 0,
) -> torch.Tensor:
    """Convolves `x[N, C, H, W]` with `w[F, C, R, S]`, both contiguous, and adds `bias[F]`.

    Returns `[N, F, P, Q]` with P = (H + 2 pad - R) // stride + 1. Raises ValueError where the
    shapes do not fit.
    """
    if x.dim() != 4 or w.dim() != 4 or x.shape[1] != w.shape[1]:
        raise ValueError(f"cannot convolve {tuple(x.shape)} with {tuple(w.shape)}")
    if not (x.is_contiguous() and w.is_contiguous()):
        raise ValueError("x and w must be contiguous")
    n, c, h, width = x.shape
    f, _, r, s = w.shape
    p, q = (h + 2 * pad - r) // stride + 1, (width + 2 * pad - s) // stride + 1
    if p < 1 or q < 1:
        raise ValueError("the filter is larger than the padded image")
    y = torch.empty(n, f, p, q, dtype=x.dtype)
    if y.numel() == 0:
        return y
    conv2d_kernel[lambda m: (triton.cdiv(n * p * q, m["BLOCK_M"]), triton.cdiv(f, m["BLOCK_N"]))](
        x, w, bias, y, n, c, h, width, f, p, q,
        R=r, S=s, STRIDE=stride, PAD=pad, HAS_BIAS=bias is not None,
        BLOCK_M=128, BLOCK_N=64, BLOCK_K=32,
    )  # fmt: skip
    return y


def case(
    n: int, c: int, size: int, f: int, r: int, stride: int = 1, pad: int = 1, quick: bool = False
) -> Case:
    def make():
        return randn(n, c, size, size), randn(f, c, r, r, seed=1), randn(f, seed=2), stride, pad

    def torch_run(x, w, bias, stride, pad):
        return torch.nn.functional.conv2d(x, w, bias, stride, pad)

    def reference(x, w, bias, stride, pad):
        return torch_run(x.double(), w.double(), bias.double(), stride, pad)

    return Case(
        "conv2d", (n, c, size, size, f, r, r), torch.float32, make, conv2d, torch_run,
        tolerance(c * r * r, torch.float32), reference, quick=quick,
    )  # fmt: skip


CASES = [
    case(1, 16, 14, 32, 3, quick=True),
    case(2, 64, 56, 64, 3),
    case(1, 3, 112, 64, 7, stride=2, pad=3),
    case(4, 128, 28, 128, 1, pad=0),
]

if __name__ == "__main__":
    sys.exit(main(CASES))

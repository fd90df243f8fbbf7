"""Matrix multiplication by tensor descriptors, made on the host or inside the kernel."""

from __future__ import annotations

import sys

import torch
import triton
import triton.language as tl
from _harness import Case, main, randn
from matmul import tolerance
from triton.tools.tensor_descriptor import TensorDescriptor


@triton.jit
def multiply_block(a_desc, b_desc, c_desc, K, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
                   BLOCK_K: tl.constexpr):  # fmt: skip
    """One block of C; loads outside of a descriptor's tensor give zeros, such stores nothing."""
    row = tl.program_id(0) * BLOCK_M
    col = tl.program_id(1) * BLOCK_N
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for k in range(0, K, BLOCK_K):
        a = a_desc.load([row, k])
        b = b_desc.load([k, col])
        acc = tl.dot(a, b, acc, input_precision="ieee")
    c_desc.store([row, col], acc.to(c_desc.dtype))


@triton.jit
def host_descriptor_kernel(
    a_desc, b_desc, c_desc, K, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr
):
    multiply_block(a_desc, b_desc, c_desc, K, BLOCK_M, BLOCK_N, BLOCK_K)


@triton.jit
def device_descriptor_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, stride_a, stride_b, stride_c,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):  # fmt: skip
    a_desc = tl.make_tensor_descriptor(a_ptr, [M, K], [stride_a, 1], [BLOCK_M, BLOCK_K])
    b_desc = tl.make_tensor_descriptor(b_ptr, [K, N], [stride_b, 1], [BLOCK_K, BLOCK_N])
    c_desc = tl.make_tensor_descriptor(c_ptr, [M, N], [stride_c, 1], [BLOCK_M, BLOCK_N])
    multiply_block(a_desc, b_desc, c_desc, K, BLOCK_M, BLOCK_N, BLOCK_K)


def scratch(size: int, alignment: int, stream: int | None) -> torch.Tensor:
    """Global scratch memory, which a backend may want for descriptors made in a kernel."""
    return torch.empty(size, dtype=torch.int8)


def matmul_descriptor(
    a: torch.Tensor, b: torch.Tensor, on_device: bool = False, out: torch.Tensor | None = None
) -> torch.Tensor:
    """`a[M, K] @ b[K, N]` with descriptors made on the host, or `on_device` in the kernel.

    Raises ValueError where shapes or dtypes do not fit, and where a row of `a`, `b` or the result
    is not contiguous or does not begin at a multiple of 16 bytes (a rule of descriptors).
    """
    if a.dim() != 2 or b.dim() != 2 or a.shape[1] != b.shape[0] or a.dtype != b.dtype:
        raise ValueError(f"cannot multiply {a.shape} {a.dtype} by {b.shape} {b.dtype}")
    m, k = a.shape
    n = b.shape[1]
    c = torch.empty(m, n, dtype=a.dtype) if out is None else out
    for name, t in (("a", a), ("b", b), ("the result", c)):
        if t.stride(1) != 1 or t.stride(0) * t.element_size() % 16:
            raise ValueError(f"rows of {name} must be contiguous and 16-byte aligned")
    if c.numel() == 0:
        return c
    if k == 0:
        return c.zero_()
    bm, bn, bk = 128, 128, 32
    grid = (triton.cdiv(m, bm), triton.cdiv(n, bn))
    blocks = {"BLOCK_M": bm, "BLOCK_N": bn, "BLOCK_K": bk}
    if on_device:
        triton.set_allocator(scratch)
        strides = (a.stride(0), b.stride(0), c.stride(0))
        device_descriptor_kernel[grid](a, b, c, m, n, k, *strides, **blocks)
        return c
    a_desc = TensorDescriptor.from_tensor(a, [bm, bk])
    b_desc = TensorDescriptor.from_tensor(b, [bk, bn])
    c_desc = TensorDescriptor.from_tensor(c, [bm, bn])
    host_descriptor_kernel[grid](a_desc, b_desc, c_desc, k, **blocks)
    return c


def case(
    m: int, n: int, k: int, dtype: torch.dtype = torch.float32, on_device: bool = False,
    quick: bool = False,
) -> Case:  # fmt: skip
    def make():
        a, b = randn(m, k, dtype=dtype), randn(k, n, dtype=dtype, seed=1)
        return a, b, on_device, torch.empty(m, n, dtype=dtype)

    def torch_run(a, b, on_device, out):
        return torch.mm(a, b, out=out)

    def reference(a, b, on_device, out):
        return a.double() @ b.double()

    name = "matmul device descriptor" if on_device else "matmul host descriptor"
    return Case(
        name, (m, n, k), dtype, make, matmul_descriptor, torch_run, tolerance(k, dtype), reference,
        quick=quick,
    )  # fmt: skip


CASES = [
    case(256, 256, 256, quick=True),
    case(300, 200, 100, on_device=True, quick=True),
    case(1024, 1024, 1024),
    case(1000, 776, 516, on_device=True),
    case(512, 512, 512, torch.float16),
]

if __name__ == "__main__":
    sys.exit(main(CASES))

"""Conversions to 16-bit floats, bit by bit: subnormal numbers, ties, the largest, NaN."""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def convert_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at, mask=at < n)
    tl.store(y_ptr + at, x.to(y_ptr.dtype.element_ty), mask=at < n)


def patterns() -> torch.Tensor:
    """fp32 numbers of all signs and exponents, with fractions around what rounding decides by."""
    high = torch.arange(0, 1 << 16, 8).view(-1, 1)
    high = (high + torch.tensor([0, 1, 7])).reshape(-1, 1)
    low = torch.tensor([0, 1, 0x0FFF, 0x1000, 0x1001, 0x7FFF, 0x8000, 0x8001, 0xFFFF])
    bits = (high << 16) + low
    return torch.where(bits >= 1 << 31, bits - (1 << 32), bits).to(torch.int32).view(torch.float32)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("count", [1, 255, 256, 257, None])
def test_conversion(dtype, count):
    x = patterns().flatten()
    x = x[:: len(x) // count][:count].contiguous() if count else x
    y = torch.full_like(x, -7, dtype=dtype)
    convert_kernel[(triton.cdiv(len(x), 256),)](x, y, len(x), BLOCK=256)
    # Torch's vectors of fp16 lose the sign of a NaN; which one it is does not matter.
    wanted = x.double().to(dtype) if dtype == torch.float16 else x.to(dtype)
    assert torch.equal(y.isnan(), x.isnan())
    known = ~x.isnan()
    assert torch.equal(y.view(torch.int16)[known], wanted.view(torch.int16)[known])


@triton.jit
def product_kernel(a_ptr, b_ptr, c_ptr, copy_ptr, B: tl.constexpr):
    at = tl.arange(0, B)
    place = at[:, None] * B + at[None, :]
    a = tl.load(a_ptr + place).to(tl.bfloat16)
    b = tl.load(b_ptr + place).to(tl.bfloat16)
    tl.store(copy_ptr + place, a)
    tl.store(c_ptr + place, tl.dot(a, b))


def test_operands_of_a_product():
    """What a product may take for zero, memory does not: subnormal operands, also stored."""
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(64, 64, generator=generator) for _ in range(2))
    a[::3] *= 2.0**-130
    c, copy = torch.empty(64, 64), torch.empty(64, 64, dtype=torch.bfloat16)
    product_kernel[(1,)](a, b, c, copy, B=64)
    assert torch.equal(copy, a.bfloat16())
    wanted = a.bfloat16().double() @ b.bfloat16().double()
    torch.testing.assert_close(c.double(), wanted, rtol=1e-5, atol=1e-5)
    # A sum of 64 products; 2^-126 times the largest factor is what may count as zero in each.
    torch.testing.assert_close(c[::3].double(), wanted[::3], rtol=1e-5, atol=64 * 2.0**-124)

"""Integers that are counted by bits, and those that become bf16, rounded once."""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl
from triton.language.extra.cpu import libdevice

BLOCK = 32


@triton.jit
def to_bf16_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(y_ptr + at, tl.load(x_ptr + at).to(tl.bfloat16))


@triton.jit
def bits_kernel(x_ptr, zeros_ptr, ones_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    tl.store(zeros_ptr + at, libdevice.clz(x))
    tl.store(ones_ptr + at, libdevice.popc(x))


def as_bf16(number: int) -> float:
    """The nearest number of 8 bits, the even one of two."""
    size = abs(number)
    shift = max(size.bit_length() - 8, 0)
    kept, lost, half = size >> shift, size % (1 << shift), (1 << shift) // 2
    kept += lost > half or (lost == half and shift > 0 and kept % 2)
    return float((kept << shift) * (1 if number >= 0 else -1))


DTYPES = [torch.int16, torch.int32, torch.int64, torch.uint32, torch.uint64]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_integers_to_bf16(dtype):
    """Ties of bf16, which f32 reaches from above and below where it has no more bits."""
    info = torch.iinfo(dtype)
    numbers = [info.min, info.max, 0, 1, 257]
    for power in range(9, info.bits, 3):
        tie = (1 << power) + (1 << (power - 8))
        odd = tie + (1 << (power - 7))
        numbers += [sign * (n + by) for n in (tie, odd) for by in (-1, 0, 1) for sign in (1, -1)]
    numbers = [n for n in numbers if info.min <= n <= info.max]
    for start in range(0, len(numbers), BLOCK):
        part = (numbers[start : start + BLOCK] * BLOCK)[:BLOCK]
        got = torch.empty(BLOCK, dtype=torch.bfloat16)
        to_bf16_kernel[(1,)](torch.tensor(part, dtype=dtype), got, BLOCK=BLOCK)
        assert got.double().tolist() == [as_bf16(number) for number in part]


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64], ids=str)
def test_bits(dtype):
    info = torch.iinfo(dtype)
    numbers = [0, 1, -1, 2, 3, info.max, info.min, *((5 << k) - 7 for k in range(BLOCK - 7))]
    zeros, ones = torch.empty(BLOCK, dtype=torch.int32), torch.empty(BLOCK, dtype=torch.int32)
    numbers = [(n + info.max + 1) % (1 << info.bits) - info.max - 1 for n in numbers]
    bits_kernel[(1,)](torch.tensor(numbers, dtype=dtype), zeros, ones, BLOCK=BLOCK)
    patterns = [format(n % (1 << info.bits), f"0{info.bits}b") for n in numbers]
    assert zeros.tolist() == [(p + "1").index("1") for p in patterns]
    assert ones.tolist() == [p.count("1") for p in patterns]

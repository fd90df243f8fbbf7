"""Quotients and remainders of integers: exact, and without an end of the process."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import triton
import triton.language as tl

BLOCK = 64
TYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


@triton.jit
def divide_kernel(a_ptr, b_ptr, q_ptr, r_ptr, n, ONE: tl.constexpr, BLOCK: tl.constexpr):
    """Divides by a number for each element, or by the one at `b_ptr`."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    a = tl.load(a_ptr + at, mask=at < n)
    b = tl.load(b_ptr) if ONE else tl.load(b_ptr + at, mask=at < n, other=0)
    tl.store(q_ptr + at, a // b, mask=at < n)
    tl.store(r_ptr + at, a % b, mask=at < n)


@triton.jit
def divide_scalars_kernel(a_ptr, b_ptr, q_ptr, r_ptr):
    at = tl.program_id(0)
    a = tl.load(a_ptr + at)
    b = tl.load(b_ptr + at)
    tl.store(q_ptr + at, a // b)
    tl.store(r_ptr + at, a % b)


def corners(dtype: str) -> np.ndarray:
    """Numbers around the ends, around powers of two, and around zero."""
    info = np.iinfo(dtype)
    numbers = {info.min, info.max, *(by for by in range(-3, 12))}
    for power in range(2, info.bits):
        numbers |= {sign * ((1 << power) + by) for by in (-1, 0, 1) for sign in (1, -1)}
    return np.array(sorted(n for n in numbers if info.min <= n <= info.max), dtype=dtype)


def quotients(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In Python's integers, cut off towards zero, in the bits of the type."""
    mask = (1 << a.dtype.itemsize * 8) - 1
    unsigned = np.dtype(f"u{a.dtype.itemsize}")

    def pairs():
        for x, y in zip(a.tolist(), b.tolist(), strict=True):
            quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
            yield quotient & mask, (x - quotient * y) & mask

    found = np.array(list(pairs()), dtype=unsigned).reshape(-1, 2)
    return found[:, 0].view(a.dtype), found[:, 1].view(a.dtype)


def divide(a: np.ndarray, b: np.ndarray, one: bool = False) -> tuple[np.ndarray, np.ndarray]:
    q, r = np.empty_like(a), np.empty_like(a)
    arrays = [torch.from_numpy(x) for x in (a, b, q, r)]
    divide_kernel[(triton.cdiv(len(a), BLOCK),)](*arrays, len(a), ONE=one, BLOCK=BLOCK)
    return q, r


@pytest.mark.parametrize("dtype", TYPES)
def test_each_element_has_a_divisor(dtype):
    numbers = corners(dtype)
    if len(numbers) > 120:  # All pairs of the narrow types, a part of those of the wide ones.
        numbers = numbers[::2]
    a, b = (x.ravel() for x in np.meshgrid(numbers, numbers[numbers != 0]))
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    for got, wanted in zip(divide(a, b), quotients(a, b), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("dtype", TYPES)
def test_all_elements_have_one_divisor(dtype):
    a = corners(dtype)
    for b in a[a != 0]:
        wanted = quotients(a, np.full_like(a, b))
        for got, expected in zip(divide(a, np.array([b]), one=True), wanted, strict=True):
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_all_numbers_of_eight_bits(dtype):
    info = np.iinfo(dtype)
    every = np.arange(info.min, info.max + 1).astype(dtype)
    a, b = (np.ascontiguousarray(x.ravel()) for x in np.meshgrid(every, every[every != 0]))
    for got, wanted in zip(divide(a, b), quotients(a, b), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("dtype", ["int32", "uint32"])
def test_multiples_and_their_neighbours(dtype):
    """Where a rounded quotient would be on the wrong side."""
    info = np.iinfo(dtype)
    draw = np.random.default_rng(20261123)
    b = draw.integers(1, info.max, 4000, dtype=dtype)
    b[::2] >>= draw.integers(0, info.bits - 1, 2000).astype(b.dtype)
    b = np.maximum(b, 1)
    a = (info.max // b).astype(dtype) * b
    a = np.concatenate([a - b + 1, a - 1, a, a - b])
    b = np.tile(b, 4)
    for got, wanted in zip(divide(a, b), quotients(a, b), strict=True):
        np.testing.assert_array_equal(got, wanted)
    for divisor in b[:60]:
        wanted = quotients(a[::50], np.full_like(a[::50], divisor))
        got = divide(np.ascontiguousarray(a[::50]), np.array([divisor]), one=True)
        for found, expected in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
@pytest.mark.parametrize("one", [False, True])
def test_sizes(size, one):
    a = np.arange(size, dtype=np.int32) * 977 - 5000
    b = np.arange(1, max(size, 1) + 1, dtype=np.int32)
    got = divide(a, b, one=one)
    for found, wanted in zip(
        got, quotients(a, b[:1].repeat(size) if one else b[:size]), strict=True
    ):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("dtype", TYPES)
def test_division_by_zero_is_some_number(dtype):
    """As on the chips that kernels are written for, and as in lanes that a mask turns off."""
    a = np.resize(corners(dtype), 2 * BLOCK)
    b = np.resize(np.array([3, 0, 7], dtype=dtype), len(a))
    fine = b != 0
    for found, wanted in zip(divide(a, b), quotients(a[fine], b[fine]), strict=True):
        np.testing.assert_array_equal(found[fine], wanted)
    divide(a, np.zeros(1, dtype), one=True)


@pytest.mark.parametrize("dtype", TYPES)
def test_scalars(dtype):
    a = corners(dtype)
    info = np.iinfo(dtype)
    for divisor in {info.max, info.min, 1, 3, 0, max(info.min, -1), max(info.min, -7)}:
        b = np.full_like(a, divisor)
        q, r = np.empty_like(a), np.empty_like(a)
        arrays = [torch.from_numpy(x) for x in (a, b, q, r)]
        divide_scalars_kernel[(len(a),)](*arrays)
        if divisor:
            for got, wanted in zip((q, r), quotients(a, b), strict=True):
                np.testing.assert_array_equal(got, wanted)

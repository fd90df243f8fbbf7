"""Tensors that begin or end at memory that is not there, and elements gigabytes apart."""

from __future__ import annotations

import ctypes
import mmap

import pytest
import torch
import triton
import triton.language as tl

PAGE = mmap.PAGESIZE
SIZES = [(1, 1), (3, 7), (7, 33), (8, 32), (16, 64), (15, 63)]
READ_WRITE, PRIVATE, UNRESERVED = 3, 0x22, 0x4000


def mapped(size: int, flags: int = 0) -> int:
    """The address of fresh memory that nobody gives back; skips the test if there is none."""
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    address = libc.mmap(None, size, READ_WRITE, PRIVATE | flags, -1, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        pytest.skip(f"no {size} bytes of address space")
    return int(address)


def at_the_end(values: torch.Tensor, at_start: bool) -> torch.Tensor:
    """A copy between two pages that fault, right behind the first or before the second."""
    size = values.numel() * values.element_size()
    pages = -(-size // PAGE)
    first = mapped((pages + 2) * PAGE)
    protect = ctypes.CDLL(None).mprotect
    for page in (0, pages + 1):
        assert protect(ctypes.c_void_p(first + page * PAGE), ctypes.c_size_t(PAGE), 0) == 0
    address = first + PAGE if at_start else first + (pages + 1) * PAGE - size
    memory = (ctypes.c_byte * size).from_address(address)
    copy = torch.frombuffer(memory, dtype=values.dtype).view(values.shape)
    return copy.copy_(values)


@triton.jit
def transposed(x, y, m, n, M: tl.constexpr, N: tl.constexpr):
    r, c = tl.arange(0, M)[:, None], tl.arange(0, N)[None, :]
    inside = (r < m) & (c < n)
    tl.store(y + c * m + r, tl.load(x + r * n + c, mask=inside), mask=inside)


@triton.jit
def sums(x, y, m, n, M: tl.constexpr, N: tl.constexpr):
    r, c = tl.arange(0, M), tl.arange(0, N)
    inside = (r < m)[:, None] & (c < n)[None, :]
    v = tl.load(x + r[:, None] * n + c[None, :], mask=inside, other=0.0)
    tl.store(y + r, tl.sum(v, 1), mask=r < m)
    tl.store(y + m + c, tl.sum(v, 0), mask=c < n)


@triton.jit
def centred(x, y, m, n, N: tl.constexpr):
    c = tl.arange(0, N)
    for row in range(m):
        v = tl.load(x + row * n + c, mask=c < n, other=0.0)
        d = tl.where(c < n, v - tl.sum(v, 0) / n, 0.0)
        tl.store(y + row * n + c, d / tl.sqrt(tl.sum(d * d, 0) + 1.0), mask=c < n)


@triton.jit
def running(x, y, m, n, N: tl.constexpr):
    c = tl.arange(0, N)
    for row in range(m):
        v = tl.load(x + row * n + c, mask=c < n, other=0.0)
        tl.store(y + row * n + c, tl.cumsum(v, 0), mask=c < n)


@triton.jit
def product(a, b, c, pitch, m, n, k, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    r, q = tl.arange(0, M)[:, None], tl.arange(0, N)[None, :]
    sums = tl.zeros([M, N], tl.float32)
    for start in range(0, k, K):
        i = start + tl.arange(0, K)
        left = tl.load(a + r * k + i[None, :], mask=(r < m) & (i < k)[None, :], other=0.0)
        rows = i[:, None].to(tl.int64) * pitch
        right = tl.load(b + rows + q, mask=(i < k)[:, None] & (q < n), other=0.0)
        sums = tl.dot(left, right, sums)
    tl.store(c + r * n + q, sums, mask=(r < m) & (q < n))


@pytest.mark.parametrize("at_start", [False, True])
@pytest.mark.parametrize(("m", "n"), SIZES)
def test_nothing_is_read_beyond_the_ends(m, n, at_start):
    def place(values: torch.Tensor) -> torch.Tensor:
        return at_the_end(values, at_start)

    x = place(torch.randn(m, n))
    y = place(torch.zeros(n, m))
    transposed[(1,)](x, y, m, n, M=16, N=64)
    assert torch.equal(y, x.t())
    y = place(torch.zeros(m + n))
    sums[(1,)](x, y, m, n, M=16, N=64)
    torch.testing.assert_close(y, torch.cat([x.sum(1), x.sum(0)]))
    y = place(torch.zeros(m, n))
    centred[(1,)](x, y, m, n, N=64)
    d = x - x.mean(1, keepdim=True)
    torch.testing.assert_close(y, d / (d.square().sum(1, keepdim=True) + 1).sqrt())
    running[(1,)](x, y, m, n, N=64)
    torch.testing.assert_close(y, x.cumsum(1))
    left, y = place(torch.randn(2, m)), place(torch.zeros(2, n))
    product[(1,)](left, x, y, n, 2, n, m, M=16, N=64, K=8)
    torch.testing.assert_close(y, left @ x, rtol=1e-4, atol=1e-4)


@triton.jit
def sum_of_rows(x, y, pitch, m, n, N: tl.constexpr):
    c = tl.arange(0, N)
    total = tl.zeros([N], tl.float32)
    for row in range(m):
        total += tl.load(x + row.to(tl.int64) * pitch + c, mask=c < n, other=0.0)
    tl.store(y + c, total, mask=c < n)


def test_rows_that_are_gigabytes_apart():
    m, n, pitch = 14, 33, 3 << 27
    size = 4 * (m * pitch)
    memory = (ctypes.c_byte * size).from_address(mapped(size, UNRESERVED))
    rows = torch.as_strided(torch.frombuffer(memory, dtype=torch.float32), (m, n), (pitch, 1))
    rows.copy_(torch.randn(m, n))
    y = torch.zeros(n)
    sum_of_rows[(1,)](rows, y, pitch, m, n, N=64)
    torch.testing.assert_close(y, rows.sum(0))
    for count in (2, 16):  # the right operand is read where it lies, and packed
        left, y = torch.randn(count, m), torch.zeros(count, n)
        product[(1,)](left, rows, y, pitch, count, n, m, M=16, N=64, K=8)
        torch.testing.assert_close(y, left @ rows, rtol=1e-4, atol=1e-4)

"""Loads, stores, pointers and aliasing, as whole kernels."""

from __future__ import annotations

import ctypes
import functools
import math
import mmap

import numpy as np
import torch
import triton
import triton.language as tl
from kit import (
    ALL,
    EVERY_WIDTH,
    EXACT,
    FLOATS,
    TORCH,
    assert_close,
    guarded_empty,
    make_input,
    program,
    to_numpy,
)

SIZES = (0, 1, 63, 64, 65, 331)


def equal(got: torch.Tensor, want: torch.Tensor, what: str) -> None:
    """Same bits."""
    assert got.dtype == want.dtype and got.shape == want.shape, f"{what}: {got.dtype} {got.shape}"
    left, right = (t.cpu().clone(memory_format=torch.contiguous_format) for t in (got, want))
    same = (left.reshape(-1, 1).view(torch.uint8) == right.reshape(-1, 1).view(torch.uint8)).all(1)
    if not same.all():
        at = int(same.int().argmin())
        pair = f"got {left.reshape(-1)[at]}, want {right.reshape(-1)[at]}"
        raise AssertionError(f"{what}: {(~same).sum()} of {same.numel()} differ, at {at} {pair}")


@triton.jit
def copy_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(y_ptr + offsets, tl.load(x_ptr + offsets, mask=mask), mask=mask)


@program("tl.load", ALL)
def masked_copy(device: str, dtype: str) -> None:
    for n in SIZES:
        x = make_input(dtype, n, "any", n).to(device)
        y = guarded_empty(n + 64, dtype, device)
        want = y.clone()
        want[:n] = x
        copy_kernel[(triton.cdiv(n, 64),)](x, y, n, BLOCK=64)
        equal(y, want, f"n = {n}")


@triton.jit
def copy_whole_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + offsets, tl.load(x_ptr + offsets))


@program("tl.load", ALL)
def unmasked_copy(device: str, dtype: str) -> None:
    x = make_input(dtype, 3 * 128, "any", 0).to(device)
    y = guarded_empty(4 * 128, dtype, device)
    want = y.clone()
    want[: 3 * 128] = x
    copy_whole_kernel[(3,)](x, y, BLOCK=128)
    equal(y, want, "copy")


@program("tl.load", FEW := ("int32", "float32"))
def block_sizes(device: str, dtype: str) -> None:
    """The same kernel from a block of one element to one far larger than any register file."""
    for block in (1, 2, 8, 16, 1024, 8192):
        n = block + block // 2
        x = make_input(dtype, n, "any", block).to(device)
        y = torch.zeros_like(x)
        copy_kernel[(triton.cdiv(n, block),)](x, y, n, BLOCK=block)
        equal(y, x, f"block {block}")


@triton.jit
def other_kernel(x_ptr, y_ptr, n, OTHER: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(y_ptr + offsets, tl.load(x_ptr + offsets, mask=offsets < n, other=OTHER))


@program("tl.load", ("int8", "int32", "uint8", "int64", *FLOATS))
def load_with_other(device: str, dtype: str) -> None:
    others = (0, 3) if not TORCH[dtype].is_floating_point else (0.0, -1.5, float("inf"), 2)
    for other in others:
        for n in (0, 1, 63, 64):
            x = make_input(dtype, 64, "small", n).to(device)
            y = guarded_empty(64, dtype, device)
            other_kernel[(1,)](x, y, n, OTHER=other, BLOCK=64)
            want = torch.where(torch.arange(64) < n, x.cpu(), torch.tensor(other).to(TORCH[dtype]))
            equal(y, want, f"other = {other}, n = {n}")


@triton.jit
def other_block_kernel(x_ptr, y_ptr, out_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    y = tl.load(y_ptr + offsets)
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=y > 0, other=y))


@program("tl.load", EVERY_WIDTH)
def load_with_other_block(device: str, dtype: str) -> None:
    """A mask that depends on data, and a block of other values."""
    x, y = (make_input(dtype, 64, "small", s).to(device) for s in (0, 1))
    out = torch.zeros_like(x)
    other_block_kernel[(1,)](x, y, out, BLOCK=64)
    equal(out, torch.where(y > 0, x, y), "masked by data")


@triton.jit
def matrix_kernel(
    x_ptr, y_ptr, m, n, x_row, x_col, y_row, y_col,
    ROWS: tl.constexpr, COLS: tl.constexpr, MASK: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    cols = tl.program_id(1) * COLS + tl.arange(0, COLS)
    x_ptrs = x_ptr + rows[:, None] * x_row + cols[None, :] * x_col
    y_ptrs = y_ptr + rows[:, None] * y_row + cols[None, :] * y_col
    if MASK == "rows":
        mask = rows[:, None] < m
    elif MASK == "cols":
        mask = cols[None, :] < n
    else:
        mask = (rows[:, None] < m) & (cols[None, :] < n)
    tl.store(y_ptrs, tl.load(x_ptrs, mask=mask), mask=mask)


def _strided(m: int, n: int, kind: str, dtype: str) -> torch.Tensor:
    """An m x n matrix: row-major, column-major, with padded rows, or every second column."""
    if kind == "columns":
        return make_input(dtype, m * n, "any", 0).reshape(n, m).T
    if kind == "padded":
        return make_input(dtype, m * (n + 3), "any", 0).reshape(m, n + 3)[:, :n]
    if kind == "every second":
        return make_input(dtype, m * 2 * n, "any", 0).reshape(m, 2 * n)[:, ::2]
    return make_input(dtype, m * n, "any", 0).reshape(m, n)


def _copy_matrix(x: torch.Tensor, y: torch.Tensor, mask: str = "both") -> None:
    m, n = x.shape
    grid = (triton.cdiv(m, 16), triton.cdiv(n, 32))
    matrix_kernel[grid](x, y, m, n, *x.stride(), *y.stride(), ROWS=16, COLS=32, MASK=mask)


@program("tl.load", EVERY_WIDTH)
def matrix_copy(device: str, dtype: str) -> None:
    for m, n in ((1, 1), (16, 32), (15, 31), (17, 33), (37, 101)):
        for source in ("rows", "columns", "padded", "every second"):
            x = _strided(m, n, source, dtype).to(device)
            y = torch.zeros(m, n, dtype=x.dtype, device=device)
            _copy_matrix(x, y)
            equal(y, x, f"{m}x{n} {source}")


@program("tl.store", EVERY_WIDTH)
def matrix_store_transposed(device: str, dtype: str) -> None:
    for m, n in ((16, 32), (17, 33), (37, 101)):
        x = _strided(m, n, "rows", dtype).to(device)
        y = torch.zeros(n, m, dtype=x.dtype, device=device).T
        _copy_matrix(x, y)
        equal(y, x, f"{m}x{n} transposed")


@program("tl.load", FEW)
def matrix_mask_of_one_axis(device: str, dtype: str) -> None:
    x = _strided(21, 32, "rows", dtype).to(device)
    y = torch.zeros(21, 32, dtype=x.dtype, device=device)
    _copy_matrix(x, y, "rows")
    equal(y, x, "rows")
    x = _strided(16, 45, "rows", dtype).to(device)
    y = torch.zeros(16, 45, dtype=x.dtype, device=device)
    _copy_matrix(x, y, "cols")
    equal(y, x, "cols")


@triton.jit
def cube_kernel(
    x_ptr, y_ptr, a, b, c, sx0, sx1, sx2, sy0, sy1, sy2,
    A: tl.constexpr, B: tl.constexpr, C: tl.constexpr,
):  # fmt: skip
    i = tl.arange(0, A)[:, None, None] + tl.program_id(0) * A
    j = tl.arange(0, B)[None, :, None] + tl.program_id(1) * B
    k = tl.arange(0, C)[None, None, :] + tl.program_id(2) * C
    mask = (i < a) & (j < b) & (k < c)
    x = tl.load(x_ptr + i * sx0 + j * sx1 + k * sx2, mask=mask)
    tl.store(y_ptr + i * sy0 + j * sy1 + k * sy2, x, mask=mask)


@program("tl.load", EVERY_WIDTH)
def cube_copy(device: str, dtype: str) -> None:
    for shape in ((1, 1, 1), (4, 8, 16), (5, 7, 19)):
        for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
            x = make_input(dtype, math.prod(shape), "any", 0).reshape(shape).to(device)
            y = torch.zeros([shape[i] for i in order], dtype=x.dtype, device=device)
            y = y.permute(tuple(np.argsort(order)))
            grid = tuple(triton.cdiv(s, b) for s, b in zip(shape, (4, 8, 16), strict=True))
            cube_kernel[grid](x, y, *shape, *x.stride(), *y.stride(), A=4, B=8, C=16)
            equal(y, x, f"{shape} in order {order}")


@triton.jit
def row_sum_kernel(x_ptr, out_ptr, n, stride, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    cols = tl.arange(0, BLOCK)
    ptrs = x_ptr + rows[:, None] * stride + cols[None, :]
    total = tl.zeros((ROWS, BLOCK), dtype=x_ptr.dtype.element_ty)
    for start in range(0, n, BLOCK):
        total += tl.load(ptrs, mask=cols[None, :] < n - start, other=0)
        ptrs += BLOCK
    tl.store(out_ptr + rows, tl.sum(total, 1))


@program("tl.load", ("int32", "int64", "float32"))
def stepping_pointers(device: str, dtype: str) -> None:
    """A block of pointers carried by a loop, with a mask that shrinks."""
    for n in (1, 15, 16, 17, 101):
        x = make_input(dtype, 8 * n, "small", n).reshape(8, n).to(device)
        out = torch.zeros(8, dtype=x.dtype, device=device)
        row_sum_kernel[(2,)](x, out, n, n, ROWS=4, BLOCK=16)
        equal(out, x.sum(1).to(x.dtype), f"n = {n}")


@triton.jit
def reverse_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(y_ptr + offsets, tl.load(x_ptr + (n - 1 - offsets), mask=mask), mask=mask)


@program("tl.load", EVERY_WIDTH)
def negative_step(device: str, dtype: str) -> None:
    for n in (1, 63, 64, 65):
        x = make_input(dtype, n, "any", n).to(device)
        y = torch.zeros_like(x)
        reverse_kernel[(triton.cdiv(n, 64),)](x, y, n, BLOCK=64)
        equal(y, x.flip(0), f"n = {n}")


@triton.jit
def gather_kernel(x_ptr, index_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    index = tl.load(index_ptr + offsets, mask=mask, other=0)
    tl.store(y_ptr + offsets, tl.load(x_ptr + index, mask=mask), mask=mask)


@triton.jit
def scatter_kernel(x_ptr, index_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    index = tl.load(index_ptr + offsets, mask=mask, other=0)
    tl.store(y_ptr + index, tl.load(x_ptr + offsets, mask=mask), mask=mask)


@program("tl.load", ALL)
def gather_by_index(device: str, dtype: str) -> None:
    for n in (1, 65, 331):
        for kind in (torch.int32, torch.int64):
            x = make_input(dtype, n, "any", n).to(device)
            index = torch.randint(0, n, (n,), generator=torch.Generator().manual_seed(0))
            y = torch.zeros_like(x)
            gather_kernel[(triton.cdiv(n, 64),)](x, index.to(kind).to(device), y, n, BLOCK=64)
            equal(y, x[index.to(device)], f"n = {n}")


@program("tl.store", ALL)
def scatter_by_index(device: str, dtype: str) -> None:
    for n in (1, 65, 331):
        x = make_input(dtype, n, "any", n).to(device)
        index = torch.randperm(n, generator=torch.Generator().manual_seed(0))
        y = torch.zeros_like(x)
        scatter_kernel[(triton.cdiv(n, 64),)](x, index.to(device), y, n, BLOCK=64)
        equal(y[index.to(device)], x, f"n = {n}")


@triton.jit
def wrap_kernel(x_ptr, y_ptr, n, ROWS: tl.constexpr, COLS: tl.constexpr):
    rows = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)) % n
    cols = tl.arange(0, COLS)
    out = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    x = tl.load(x_ptr + rows[:, None] * COLS + cols[None, :])
    tl.store(y_ptr + out[:, None] * COLS + cols[None, :], x)


@program("tl.load", FEW)
def rows_modulo_n(device: str, dtype: str) -> None:
    for n in (1, 7, 16, 21, 32):
        x = make_input(dtype, n * 8, "any", n).reshape(n, 8).to(device)
        y = torch.zeros(32, 8, dtype=x.dtype, device=device)
        wrap_kernel[(2,)](x, y, n, ROWS=16, COLS=8)
        equal(y, x[torch.arange(32) % n], f"n = {n}")


@triton.jit
def one_address_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
    zeros = tl.zeros([BLOCK], dtype=tl.int32)
    tl.store(y_ptr + tl.arange(0, BLOCK), tl.load(x_ptr + zeros))
    tl.store(y_ptr + BLOCK + tl.arange(0, BLOCK), tl.load(x_ptr + 1))


@program("tl.load", FEW)
def one_address_for_all(device: str, dtype: str) -> None:
    x = make_input(dtype, 2, "any", 0).to(device)
    y = torch.zeros(64, dtype=x.dtype, device=device)
    one_address_kernel[(1,)](x, y, BLOCK=32)
    equal(y, x.repeat_interleave(32), "one address")


@triton.jit
def scalar_kernel(x_ptr, y_ptr, n):
    pid = tl.program_id(0)
    x = tl.load(x_ptr + pid, mask=pid < n, other=0)
    tl.store(y_ptr + pid, x + x, mask=pid < n)


@program("tl.load", ("int8", "int32", "int64", "uint32", "float16", "float32", "float64"))
def scalars_in_memory(device: str, dtype: str) -> None:
    x = make_input(dtype, 13, "small", 0).to(device)
    y = guarded_empty(16, dtype, device)
    want = y.clone()
    want[:13] = x + x if dtype != "uint32" else torch.from_numpy(to_numpy(x) * 2).to(device)
    scalar_kernel[(16,)](x, y, 13)
    equal(y, want, "scalars")


@triton.jit
def store_scalar_kernel(y_ptr, value, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(y_ptr + offsets, value, mask=offsets < n)


@program("tl.store", EVERY_WIDTH)
def store_of_a_scalar(device: str, dtype: str) -> None:
    y = guarded_empty(64, dtype, device)
    want = y.clone()
    want[:37] = 7
    store_scalar_kernel[(1,)](y, 7, 37, BLOCK=64)
    equal(y, want, "scalar")


@triton.jit
def hints_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    a = tl.load(x_ptr + offsets, cache_modifier=".ca", eviction_policy="evict_first")
    b = tl.load(x_ptr + offsets, cache_modifier=".cg", eviction_policy="evict_last")
    c = tl.load(x_ptr + offsets, volatile=True)
    tl.store(y_ptr + offsets, a, cache_modifier=".wb", eviction_policy="evict_first")
    tl.store(y_ptr + BLOCK + offsets, b, cache_modifier=".cs")
    tl.store(y_ptr + 2 * BLOCK + offsets, c, cache_modifier=".wt")


@program("tl.load", FEW)
def cache_hints(device: str, dtype: str) -> None:
    x = make_input(dtype, 64, "any", 0).to(device)
    y = torch.zeros(192, dtype=x.dtype, device=device)
    hints_kernel[(1,)](x, y, BLOCK=64)
    equal(y, x.repeat(3), "hints")


@triton.jit
def address_kernel(addresses_ptr, y_ptr, n, BLOCK: tl.constexpr):
    source = tl.load(addresses_ptr + tl.program_id(0)).to(tl.pointer_type(y_ptr.dtype.element_ty))
    offsets = tl.arange(0, BLOCK)
    x = tl.load(source + offsets, mask=offsets < n)
    tl.store(y_ptr + tl.program_id(0) * n + offsets, x, mask=offsets < n)


@program("tl.load", EVERY_WIDTH)
def pointers_from_memory(device: str, dtype: str) -> None:
    """A grouped kernel: each program's base address comes out of an int64 tensor."""
    xs = [make_input(dtype, 37, "any", seed).to(device) for seed in range(4)]
    addresses = torch.tensor([x.data_ptr() for x in xs], dtype=torch.int64, device=device)
    y = torch.zeros(4 * 37, dtype=xs[0].dtype, device=device)
    address_kernel[(4,)](addresses, y, 37, BLOCK=64)
    equal(y, torch.cat(xs), "addresses")


@triton.jit
def address_block_kernel(addresses_ptr, y_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    pointers = tl.load(addresses_ptr + offsets).to(tl.pointer_type(tl.float32))
    tl.store(y_ptr + offsets, tl.load(pointers))


@program("tl.load")
def block_of_pointers_from_memory(device: str, dtype: str) -> None:
    x = make_input(dtype, 32, "any", 0).to(device)
    order = torch.randperm(32, generator=torch.Generator().manual_seed(0))
    addresses = (order * x.element_size() + x.data_ptr()).to(device)
    y = torch.zeros_like(x)
    address_block_kernel[(1,)](addresses, y, BLOCK=32)
    equal(y, x[order.to(device)], "pointers")


@triton.jit
def choose_kernel(a_ptr, b_ptr, y_ptr, which, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    base = a_ptr
    if which > 0:
        base = b_ptr
    tl.store(y_ptr + offsets, tl.load(base + offsets))
    pointers = tl.where(offsets % 2 == 0, a_ptr + offsets, b_ptr + offsets)
    tl.store(y_ptr + BLOCK + offsets, tl.load(pointers))


@program("tl.load", FEW)
def chosen_pointers(device: str, dtype: str) -> None:
    """A base chosen by a branch, and pointers chosen element by element."""
    a, b = (make_input(dtype, 32, "any", s).to(device) for s in (0, 1))
    mixed = torch.where(torch.arange(32, device=device) % 2 == 0, a, b)
    for which in (0, 2):
        y = torch.zeros(64, dtype=a.dtype, device=device)
        choose_kernel[(1,)](a, b, y, which, BLOCK=32)
        equal(y, torch.cat([b if which else a, mixed]), f"which = {which}")


@triton.jit
def wide_offset_kernel(x_ptr, y_ptr, step, BLOCK: tl.constexpr):
    small = tl.arange(0, BLOCK).to(tl.int8)
    wide = tl.arange(0, BLOCK).to(tl.int64) * step
    unsigned = tl.arange(0, BLOCK).to(tl.uint32)
    total = tl.load(x_ptr + small) + tl.load(x_ptr + wide) + tl.load(x_ptr + unsigned)
    tl.store(y_ptr + tl.arange(0, BLOCK), total)


@program("tl.load", ("int32", "int64"))
def offsets_of_other_widths(device: str, dtype: str) -> None:
    x = make_input(dtype, 64 * 3, "small", 0).to(device)
    y = torch.zeros(64, dtype=x.dtype, device=device)
    wide_offset_kernel[(1,)](x, y, 3, BLOCK=64)
    equal(y, x[:64] * 2 + x[::3], "offsets")


# --- the edge of memory --------------------------------------------------------------------------


@functools.cache
def _pages() -> tuple[mmap.mmap, int, int]:
    """Two pages of memory, the second one not accessible; the map, its address, a page's size."""
    page = mmap.PAGESIZE
    memory = mmap.mmap(-1, 2 * page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    none = 0
    if libc.mprotect(ctypes.c_void_p(address + page), ctypes.c_size_t(page), none):
        raise OSError(ctypes.get_errno(), "mprotect")
    return memory, address, page


def _before_the_edge(n: int, dtype: str) -> torch.Tensor:
    """A tensor of `n` elements that ends where accessible memory ends."""
    memory, _, page = _pages()
    size = n * TORCH[dtype].itemsize
    array = np.frombuffer(memory, dtype=np.uint8, count=size, offset=page - size)
    return torch.from_numpy(array).view(TORCH[dtype])


@program("tl.load", EVERY_WIDTH)
def masked_access_touches_nothing(device: str, dtype: str) -> None:
    """Elements under a false mask may lie in memory that must not be read or written."""
    if device != "cpu":
        return
    for n in (1, 3, 63, 65):
        x = make_input(dtype, n, "any", n)
        edge = _before_the_edge(n, dtype)
        edge.copy_(x)
        y = torch.zeros(n, dtype=x.dtype)
        copy_kernel[(triton.cdiv(n, 64),)](edge, y, n, BLOCK=64)
        equal(y, x, f"load, n = {n}")
        edge.zero_()
        copy_kernel[(triton.cdiv(n, 64),)](x, edge, n, BLOCK=64)
        equal(edge.clone(), x, f"store, n = {n}")


@program("tl.load", FEW)
def masked_rows_touch_nothing(device: str, dtype: str) -> None:
    if device != "cpu":
        return
    m, n = 5, 19
    edge = _before_the_edge(m * n, dtype)
    edge.copy_(make_input(dtype, m * n, "any", 0))
    y = torch.zeros(m, n, dtype=edge.dtype)
    _copy_matrix(edge.view(m, n), y)
    equal(y, edge.view(m, n).clone(), "matrix")


@program("tl.load", FEW)
def false_mask_everywhere(device: str, dtype: str) -> None:
    """No element is accessed, whatever the addresses are."""
    x = make_input(dtype, 1, "any", 0).to(device)
    y = guarded_empty(64, dtype, device)
    want = y.clone()
    copy_kernel[(4,)](x, y, 0, BLOCK=1024)
    equal(y, want, "nothing")


# --- aliasing ------------------------------------------------------------------------------------


@triton.jit
def shift_kernel(x_ptr, n, SHIFT: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n)
    tl.store(x_ptr + offsets + SHIFT, x, mask=offsets < n)


@program("aliasing", EVERY_WIDTH)
def shift_in_place(device: str, dtype: str) -> None:
    """All loads of a statement come before the stores of the next one: x[i + 1] = x[i]."""
    for shift in (1, 3, 16):
        for n in (16, 100, 128):
            x = make_input(dtype, 128 + shift, "any", n).to(device)
            want = x.clone()
            want[shift : shift + n] = x[:n]
            shift_kernel[(1,)](x, n, SHIFT=shift, BLOCK=128)
            equal(x, want, f"shift {shift}, n = {n}")


@triton.jit
def shift_back_kernel(x_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(x_ptr + offsets, tl.load(x_ptr + offsets + 1) * 2)


@program("aliasing", FEW)
def shift_back_in_place(device: str, dtype: str) -> None:
    x = make_input(dtype, 257, "small", 0).to(device)
    want = x.clone()
    want[:256] = x[1:] * 2
    shift_back_kernel[(1,)](x, BLOCK=256)
    equal(x, want, "shift back")


@triton.jit
def transpose_kernel(x_ptr, N: tl.constexpr):
    i = tl.arange(0, N)[:, None]
    j = tl.arange(0, N)[None, :]
    x = tl.load(x_ptr + i * N + j)
    tl.store(x_ptr + j * N + i, x)


@program("aliasing", EVERY_WIDTH)
def transpose_in_place(device: str, dtype: str) -> None:
    x = make_input(dtype, 64 * 64, "any", 0).reshape(64, 64).to(device)
    want = x.T.contiguous()
    transpose_kernel[(1,)](x, N=64)
    equal(x, want, "transpose")


@triton.jit
def read_after_write_kernel(x_ptr, y_ptr, z_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    before = tl.load(x_ptr + offsets)
    tl.store(y_ptr + offsets, before + 1)
    after = tl.load(x_ptr + offsets)
    tl.store(x_ptr + offsets, after + 10)
    tl.store(z_ptr + offsets, before * 1000 + after)


@program("aliasing", FEW)
def read_after_write(device: str, dtype: str) -> None:
    """Two names for one buffer, partly or wholly: the second load sees the first store."""
    for gap in (0, 1, 7, 64):
        memory = make_input(dtype, 128 + gap, "small", gap).to(device)
        x, y = memory[:64], memory[gap : gap + 64]
        z = torch.zeros(64, dtype=memory.dtype, device=device)
        copy = memory.clone()
        before = copy[:64].clone()
        copy[gap : gap + 64] = before + 1
        after = copy[:64].clone()
        copy[:64] = after + 10
        read_after_write_kernel[(1,)](x, y, z, BLOCK=64)
        equal(memory, copy, f"memory, gap {gap}")
        equal(z, before * 1000 + after, f"values, gap {gap}")


@triton.jit
def last_store_kernel(x_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(x_ptr + offsets, offsets)
    tl.store(x_ptr + offsets + BLOCK // 2, -offsets)


@program("aliasing", FEW)
def last_store_wins(device: str, dtype: str) -> None:
    x = torch.zeros(96, dtype=TORCH[dtype], device=device)
    last_store_kernel[(1,)](x, BLOCK=64)
    want = torch.cat([torch.arange(32), -torch.arange(64)]).to(x.dtype)
    equal(x, want, "stores")


@triton.jit
def running_kernel(x_ptr, steps, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    for i in range(steps):
        x = tl.load(x_ptr + i * BLOCK + offsets)
        tl.store(x_ptr + (i + 1) * BLOCK // 2 + offsets, x + 1)


@program("aliasing", FEW)
def loop_reads_what_it_wrote(device: str, dtype: str) -> None:
    x = make_input(dtype, 1024, "small", 0).to(device)
    want = x.clone()
    for i in range(8):
        at = (i + 1) * 32
        want[at : at + 64] = want[i * 64 : i * 64 + 64].clone() + 1
    running_kernel[(1,)](x, 8, BLOCK=64)
    equal(x, want, "loop")


@triton.jit
def dot_in_place_kernel(a_ptr, b_ptr, steps, N: tl.constexpr):
    i = tl.arange(0, N)[:, None]
    j = tl.arange(0, N)[None, :]
    acc = tl.zeros((N, N), dtype=tl.float32)
    for k in range(steps):
        a = tl.load(a_ptr + i * N * steps + k * N + j)
        b = tl.load(b_ptr + (i + k * N) * N + j)
        acc = tl.dot(a, b, acc, input_precision="ieee")
        tl.store(b_ptr + i * N + j, acc)
    tl.store(a_ptr + i * N * steps + j, acc)


@program("aliasing")
def dot_that_overwrites_its_operands(device: str, dtype: str) -> None:
    """The product is stored into B while the loop still runs, and into A at its end."""
    n, steps = 32, 3
    a = make_input(dtype, n * n * steps, "small", 0).reshape(n, n * steps).to(device)
    b = make_input(dtype, n * n * steps, "small", 1).reshape(n * steps, n).to(device)
    want_a, want_b = a.cpu().double(), b.cpu().double()
    acc = torch.zeros(n, n, dtype=torch.float64)
    for k in range(steps):
        acc += want_a[:, k * n : k * n + n] @ want_b[k * n : k * n + n]
        want_b[:n] = acc
    want_a[:, :n] = acc
    dot_in_place_kernel[(1,)](a, b, steps, N=n)
    assert_close(b, want_b.numpy(), dtype, EXACT, "b")
    assert_close(a, want_a.numpy(), dtype, EXACT, "a")


@triton.jit
def add_into_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    tl.store(x_ptr + offsets, x + y, mask=mask)


@program("aliasing", EVERY_WIDTH)
def add_in_place(device: str, dtype: str) -> None:
    for n in (1, 64, 331):
        x = make_input(dtype, n, "small", n).to(device)
        want = x + x
        add_into_kernel[(triton.cdiv(n, 64),)](x, x, n, BLOCK=64)
        equal(x, want, f"n = {n}")

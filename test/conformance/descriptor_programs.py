"""Tensor descriptors, made on the host or in the kernel, and block pointers."""

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl
from kit import EVERY_WIDTH, STORED, make_input, program
from memory_programs import equal
from triton.tools.tensor_descriptor import TensorDescriptor

FEW = ("int32", "float32")
WITH_FLOATS = ("int8", "int32", "float16", "bfloat16", "float32")


def scratch(size: int, alignment: int, stream: int | None) -> torch.Tensor:
    """Global scratch memory, which a backend may want for descriptors made in a kernel."""
    return torch.empty(size, dtype=torch.int8)


def padded(shape: tuple[int, ...], row: int, dtype: str, device: str) -> torch.Tensor:
    """A tensor whose rows are `row` elements apart, as descriptors want them 16-byte aligned."""
    whole = make_input(dtype, math.prod(shape[:-1]) * row, "any", 0).to(device)
    return whole.reshape(*shape[:-1], row)[..., : shape[-1]]


@triton.jit
def copy_host_kernel(x_desc, y_desc, ROWS: tl.constexpr, COLS: tl.constexpr):
    row = tl.program_id(0) * ROWS
    col = tl.program_id(1) * COLS
    y_desc.store([row, col], x_desc.load([row, col]))


@program("tl.load_tensor_descriptor", WITH_FLOATS)
def host_descriptors(device: str, dtype: str) -> None:
    for m, n in ((1, 1), (16, 32), (15, 31), (17, 33), (37, 101)):
        x, y = (padded((m, n), 128, dtype, device) for _ in range(2))
        y.zero_()
        descriptors = [TensorDescriptor.from_tensor(t, [16, 32]) for t in (x, y)]
        grid = (triton.cdiv(m, 16), triton.cdiv(n, 32))
        copy_host_kernel[grid](*descriptors, ROWS=16, COLS=32)
        equal(y, x, f"{m}x{n}")


@triton.jit
def copy_device_kernel(x_ptr, y_ptr, m, n, stride, ROWS: tl.constexpr, COLS: tl.constexpr):
    x_desc = tl.make_tensor_descriptor(x_ptr, [m, n], [stride, 1], [ROWS, COLS])
    y_desc = tl.make_tensor_descriptor(y_ptr, [m, n], [stride, 1], [ROWS, COLS])
    row = tl.program_id(0) * ROWS
    for col in range(0, n, COLS):
        y_desc.store([row, col], x_desc.load([row, col]))


@program("tl.make_tensor_descriptor", WITH_FLOATS)
def device_descriptors(device: str, dtype: str) -> None:
    triton.set_allocator(scratch)
    for m, n in ((1, 1), (16, 32), (17, 33), (37, 101)):
        x, y = (padded((m, n), 128, dtype, device) for _ in range(2))
        whole = y._base.reshape(-1, 128) if y._base is not None else y
        whole.zero_()
        copy_device_kernel[(triton.cdiv(m, 16),)](x, y, m, n, 128, ROWS=16, COLS=32)
        equal(y, x, f"{m}x{n}")
        assert not whole[:, n:].any(), "a store past the descriptor's shape"


@triton.jit
def window_kernel(x_ptr, y_ptr, m, n, stride, row, col, ROWS: tl.constexpr, COLS: tl.constexpr):
    desc = tl.make_tensor_descriptor(x_ptr, [m, n], [stride, 1], [ROWS, COLS])
    i = tl.arange(0, ROWS)[:, None]
    j = tl.arange(0, COLS)[None, :]
    tl.store(y_ptr + i * COLS + j, desc.load([row, col]))


@program("tl.make_tensor_descriptor", WITH_FLOATS)
def zeros_outside(device: str, dtype: str) -> None:
    """Windows that begin before, and end after, the descriptor's tensor."""
    triton.set_allocator(scratch)
    x = padded((21, 40), 48, dtype, device)
    for row, col in ((0, 0), (-3, -16), (15, 16), (21, 0), (0, 64), (-16, -32)):
        y = torch.ones(16, 32, dtype=x.dtype, device=device)
        window_kernel[(1,)](x, y, 21, 40, 48, row, col, ROWS=16, COLS=32)
        around = torch.nn.functional.pad(x.cpu().double(), (64, 128, 64, 128)).to(x.dtype)
        equal(y, around[64 + row : 80 + row, 64 + col : 96 + col], f"window at {row}, {col}")


@triton.jit
def nan_padding_kernel(x_ptr, y_ptr, m, n, ROWS: tl.constexpr, COLS: tl.constexpr):
    desc = tl.make_tensor_descriptor(x_ptr, [m, n], [n, 1], [ROWS, COLS], padding_option="nan")
    i = tl.arange(0, ROWS)[:, None]
    j = tl.arange(0, COLS)[None, :]
    tl.store(y_ptr + i * COLS + j, desc.load([0, 0]))


@program("tl.make_tensor_descriptor", ("float32", "float16"))
def nan_outside(device: str, dtype: str) -> None:
    triton.set_allocator(scratch)
    x = make_input(dtype, 5 * 16, "small", 0).reshape(5, 16).to(device)
    y = torch.zeros(8, 32, dtype=x.dtype, device=device)
    nan_padding_kernel[(1,)](x, y, 5, 16, ROWS=8, COLS=32)
    assert torch.equal(y[:5, :16], x)
    assert y[5:].isnan().all() and y[:, 16:].isnan().all()


@triton.jit
def copy_3d_kernel(
    x_ptr, y_ptr, a, b, c, s0, s1, A: tl.constexpr, B: tl.constexpr, C: tl.constexpr
):
    x_desc = tl.make_tensor_descriptor(x_ptr, [a, b, c], [s0, s1, 1], [A, B, C])
    y_desc = tl.make_tensor_descriptor(y_ptr, [a, b, c], [s0, s1, 1], [A, B, C])
    at = [tl.program_id(0) * A, tl.program_id(1) * B, tl.program_id(2) * C]
    y_desc.store(at, x_desc.load(at))


@program("tl.make_tensor_descriptor", FEW)
def descriptors_of_cubes(device: str, dtype: str) -> None:
    triton.set_allocator(scratch)
    shape, block = (5, 7, 19), (2, 4, 16)
    x, y = (padded(shape, 32, dtype, device) for _ in range(2))
    y.zero_()
    grid = tuple(triton.cdiv(s, b) for s, b in zip(shape, block, strict=True))
    copy_3d_kernel[grid](x, y, *shape, *x.stride()[:2], A=2, B=4, C=16)
    equal(y, x, "cube")


@triton.jit
def copy_1d_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    x_desc = tl.make_tensor_descriptor(x_ptr, [n], [1], [BLOCK])
    y_desc = tl.make_tensor_descriptor(y_ptr, [n], [1], [BLOCK])
    at = tl.program_id(0) * BLOCK
    y_desc.store([at], x_desc.load([at]) + 1)


@program("tl.make_tensor_descriptor", EVERY_WIDTH)
def descriptors_of_vectors(device: str, dtype: str) -> None:
    triton.set_allocator(scratch)
    for n in (1, 63, 64, 65, 331):
        x = make_input(dtype, n, "small", n).to(device)
        y = torch.zeros(n + 64, dtype=x.dtype, device=device)
        copy_1d_kernel[(triton.cdiv(n, 64),)](x, y, n, BLOCK=64)
        equal(y[:n], x + 1, f"n = {n}")
        assert not y[n:].any()


@triton.jit
def gather_kernel(x_ptr, rows_ptr, y_ptr, m, n, col, ROWS: tl.constexpr, COLS: tl.constexpr):
    desc = tl.make_tensor_descriptor(x_ptr, [m, n], [n, 1], [1, COLS])
    rows = tl.load(rows_ptr + tl.arange(0, ROWS))
    i = tl.arange(0, ROWS)[:, None]
    j = tl.arange(0, COLS)[None, :]
    tl.store(y_ptr + i * COLS + j, desc.gather(rows, col))


# Triton wants at most 32 bits here.
GATHERED = ("int8", "int16", "int32", "float16", "bfloat16", "float32")


@program("tensor_descriptor.gather", GATHERED)
def descriptor_gather(device: str, dtype: str) -> None:
    triton.set_allocator(scratch)
    x = make_input(dtype, 40 * 64, "any", 0).reshape(40, 64).to(device)
    rows = torch.randint(0, 40, (8,), generator=torch.Generator().manual_seed(0)).int()
    y = torch.zeros(8, 32, dtype=x.dtype, device=device)
    gather_kernel[(1,)](x, rows.to(device), y, 40, 64, 16, ROWS=8, COLS=32)
    equal(y, x[rows.long().to(device), 16:48], "gather")


@triton.jit
def scatter_kernel(x_ptr, rows_ptr, y_ptr, m, n, col, ROWS: tl.constexpr, COLS: tl.constexpr):
    desc = tl.make_tensor_descriptor(y_ptr, [m, n], [n, 1], [1, COLS])
    rows = tl.load(rows_ptr + tl.arange(0, ROWS))
    i = tl.arange(0, ROWS)[:, None]
    j = tl.arange(0, COLS)[None, :]
    desc.scatter(tl.load(x_ptr + i * COLS + j), rows, col)


@program("tensor_descriptor.scatter", GATHERED)
def descriptor_scatter(device: str, dtype: str) -> None:
    triton.set_allocator(scratch)
    x = make_input(dtype, 8 * 32, "any", 0).reshape(8, 32).to(device)
    rows = torch.randperm(40, generator=torch.Generator().manual_seed(0))[:8].int()
    y = torch.zeros(40, 64, dtype=x.dtype, device=device)
    scatter_kernel[(1,)](x, rows.to(device), y, 40, 64, 16, ROWS=8, COLS=32)
    want = torch.zeros_like(y)
    want[rows.long().to(device), 16:48] = x
    equal(y, want, "scatter")


@triton.jit
def reduce_kernel(x_ptr, y_ptr, m, n, OP: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr):
    desc = tl.make_tensor_descriptor(y_ptr, [m, n], [n, 1], [ROWS, COLS])
    i = tl.arange(0, ROWS)[:, None]
    j = tl.arange(0, COLS)[None, :]
    x = tl.load(x_ptr + i * COLS + j)
    if OP == "add":
        desc.atomic_add([0, 0], x)
    elif OP == "max":
        desc.atomic_max([0, 0], x)
    elif OP == "min":
        desc.atomic_min([0, 0], x)
    elif OP == "and":
        desc.atomic_and([0, 0], x)
    elif OP == "or":
        desc.atomic_or([0, 0], x)
    else:
        desc.atomic_xor([0, 0], x)


def _check_reduce(device: str, dtype: str, op: str) -> None:
    """Three programs update a descriptor's tensor, whose edge cuts the block."""
    triton.set_allocator(scratch)
    domain = "castable" if dtype.startswith("u") else "small"
    x = make_input(dtype, 16 * 32, domain, 0).reshape(16, 32)
    y = make_input(dtype, 13 * 28, domain, 1).reshape(13, 28)
    part = x[:13, :28]
    if x.dtype.is_floating_point:
        want = part * 3 + y
    else:
        a, b = y.long(), part.long()
        want = {
            "add": a + 3 * b, "max": a.maximum(b), "min": a.minimum(b), "and": a & b, "or": a | b,
            "xor": a ^ b,
        }[op].to(x.dtype)  # fmt: skip
    got = y.to(device)
    reduce_kernel[(3,)](x.to(device), got, 13, 28, OP=op, ROWS=16, COLS=32)
    equal(got + 0 if op == "add" and x.dtype.is_floating_point else got, want, op)


_INTEGERS = ("int32", "uint32", "int64", "uint64")


@program("tensor_descriptor.atomic_add", ("int32", "uint32", "uint64", "float16", "bfloat16",
                                          "float32"))  # fmt: skip
def descriptor_atomic_add(device: str, dtype: str) -> None:
    _check_reduce(device, dtype, "add")


@program("tensor_descriptor.atomic_max", _INTEGERS)
def descriptor_atomic_max(device: str, dtype: str) -> None:
    _check_reduce(device, dtype, "max")


@program("tensor_descriptor.atomic_min", _INTEGERS)
def descriptor_atomic_min(device: str, dtype: str) -> None:
    _check_reduce(device, dtype, "min")


@program("tensor_descriptor.atomic_and", _INTEGERS)
def descriptor_atomic_and(device: str, dtype: str) -> None:
    _check_reduce(device, dtype, "and")


@program("tensor_descriptor.atomic_or", _INTEGERS)
def descriptor_atomic_or(device: str, dtype: str) -> None:
    _check_reduce(device, dtype, "or")


@program("tensor_descriptor.atomic_xor", _INTEGERS)
def descriptor_atomic_xor(device: str, dtype: str) -> None:
    _check_reduce(device, dtype, "xor")


@triton.jit
def function_kernel(x_ptr, y_ptr, m, n, ROWS: tl.constexpr, COLS: tl.constexpr):
    x_desc = tl.make_tensor_descriptor(x_ptr, [m, n], [n, 1], [ROWS, COLS])
    y_desc = tl.make_tensor_descriptor(y_ptr, [m, n], [n, 1], [ROWS, COLS])
    tl.static_assert(x_desc.dtype == x_ptr.dtype.element_ty)
    tl.static_assert(x_desc.block_shape[0] == ROWS)
    x = tl.load_tensor_descriptor(x_desc, [0, 0])
    tl.store_tensor_descriptor(y_desc, [0, 0], x)


def _check_functions(device: str, dtype: str) -> None:
    triton.set_allocator(scratch)
    x = make_input(dtype, 8 * 16, "any", 0).reshape(8, 16).to(device)
    y = torch.zeros(8 * 16 * x.element_size(), dtype=torch.uint8, device=device)
    y = y.view(x.dtype).reshape(8, 16)
    function_kernel[(1,)](x, y, 8, 16, ROWS=8, COLS=16)
    equal(y, x, "copy")


_STORED = tuple(d for d in STORED if d != "int1")


@program("tl.load_tensor_descriptor", _STORED)
def load_function(device: str, dtype: str) -> None:
    _check_functions(device, dtype)


@program("tl.store_tensor_descriptor", _STORED)
def store_function(device: str, dtype: str) -> None:
    _check_functions(device, dtype)


@program("tensor_descriptor.block_shape", FEW)
def block_shape(device: str, dtype: str) -> None:
    _check_functions(device, dtype)


@program("tensor_descriptor.dtype", FEW)
def descriptor_dtype(device: str, dtype: str) -> None:
    _check_functions(device, dtype)


@program("tensor_descriptor.load", FEW)
def load_method(device: str, dtype: str) -> None:
    host_descriptors(device, dtype)


@program("tensor_descriptor.store", FEW)
def store_method(device: str, dtype: str) -> None:
    device_descriptors(device, dtype)


@triton.jit
def advance_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    x_block = tl.make_block_ptr(x_ptr, (n,), (1,), (0,), (BLOCK,), (0,))
    x_block = x_block.advance((BLOCK,))
    tl.store(y_ptr + tl.arange(0, BLOCK), tl.load(x_block, boundary_check=(0,)))


@program("tensor.advance", FEW)
def advance_method(device: str, dtype: str) -> None:
    """Block pointers exist up to Triton 3.7."""
    if not hasattr(tl, "advance"):
        return
    x = make_input(dtype, 32, "small", 0).to(device)
    y = torch.zeros(16, dtype=x.dtype, device=device)
    advance_kernel[(1,)](x, y, 32, BLOCK=16)
    equal(y, x[16:], "second half")


@triton.jit
def block_pointer_kernel(x_ptr, y_ptr, m, n, ROWS: tl.constexpr, COLS: tl.constexpr):
    row = tl.program_id(0) * ROWS
    x_block = tl.make_block_ptr(x_ptr, (m, n), (n, 1), (row, 0), (ROWS, COLS), (1, 0))
    y_block = tl.make_block_ptr(y_ptr, (m, n), (n, 1), (row, 0), (ROWS, COLS), (1, 0))
    for _ in range(0, n, COLS):
        x = tl.load(x_block, boundary_check=(0, 1), padding_option="zero")
        tl.store(y_block, x + x, boundary_check=(0, 1))
        x_block = tl.advance(x_block, (0, COLS))
        y_block = tl.advance(y_block, (0, COLS))


@program("tl.advance", FEW, name="advance")
@program("tl.make_block_ptr", (*EVERY_WIDTH, "float16", "float64"))
def block_pointers(device: str, dtype: str) -> None:
    """`tl.make_block_ptr` exists up to Triton 3.8."""
    if triton.__version__ >= "3.9":
        return
    for m, n in ((1, 1), (16, 32), (17, 33), (37, 101)):
        x = make_input(dtype, m * n, "small", 0).reshape(m, n).to(device)
        y = torch.zeros_like(x)
        block_pointer_kernel[(triton.cdiv(m, 16),)](x, y, m, n, ROWS=16, COLS=32)
        equal(y, x + x, f"{m}x{n}")

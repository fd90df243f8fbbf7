"""`tl.inline_asm_elementwise` with the host's assembly."""

from __future__ import annotations

import platform

import numpy as np
import torch
import triton
import triton.language as tl
from kit import make_input, program
from memory_programs import equal

_X86 = platform.machine() in ("x86_64", "AMD64")


@triton.jit
def one_kernel(x_ptr, y_ptr, z_ptr, ADD: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x, y = tl.load(x_ptr + at), tl.load(y_ptr + at)
    z = tl.inline_asm_elementwise(ADD, "=r,0,r", [x, y], dtype=x.dtype, is_pure=True, pack=1)
    tl.store(z_ptr + at, z)


@program("tl.inline_asm_elementwise", ("int32", "uint32", "int64", "uint64"))
def one_at_a_time(device: str, dtype: str) -> None:
    if not _X86:
        return
    x, y = (make_input(dtype, 64, "small", s).to(device) for s in (0, 1))
    z = torch.zeros_like(x)
    add = "addq $2, $0" if dtype.endswith("64") else "addl $2, $0"
    one_kernel[(1,)](x, y, z, ADD=add, BLOCK=64)
    equal(z.long(), x.long() + y.long(), "sums")


@triton.jit
def pack_kernel(x_ptr, y_ptr, z_ptr, ASM: tl.constexpr, PACK: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x, y = tl.load(x_ptr + at), tl.load(y_ptr + at)
    z = tl.inline_asm_elementwise(ASM, "=r,0,r", [x, y], dtype=x.dtype, is_pure=True, pack=PACK)
    tl.store(z_ptr + at, z)


@program("tl.inline_asm_elementwise", ("int8", "uint8", "int16", "uint16", "float16", "bfloat16"))
def packed_into_one_register(device: str, dtype: str) -> None:
    """Four bytes, or two halves, travel in one 32-bit register."""
    if not _X86:
        return
    x, y = (make_input(dtype, 64, "any", s).to(device) for s in (0, 1))
    pack = 4 // x.element_size()
    z = torch.zeros_like(x)
    pack_kernel[(1,)](x, y, z, ASM="xorl $2, $0", PACK=pack, BLOCK=64)
    kind = {1: torch.int8, 2: torch.int16}[x.element_size()]
    equal(z.view(kind), x.view(kind) ^ y.view(kind), "exclusive or")


@triton.jit
def several_kernel(x_ptr, y_ptr, z_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x, y = tl.load(x_ptr + at), tl.load(y_ptr + at)
    z = tl.inline_asm_elementwise(
        "addl $4, $0\n addl $5, $1", "=&r,=&r,0,1,r,r", [x, y], dtype=tl.int32, is_pure=True,
        pack=2,
    )  # fmt: skip
    tl.store(z_ptr + at, z)


@program("tl.inline_asm_elementwise", ("int32",))
def two_elements_in_two_registers(device: str, dtype: str) -> None:
    if not _X86:
        return
    x, y = (make_input(dtype, 64, "small", s).to(device) for s in (0, 1))
    z = torch.zeros_like(x)
    several_kernel[(1,)](x, y, z, BLOCK=64)
    equal(z, x + y, "sums of pairs")


@triton.jit
def results_kernel(x_ptr, y_ptr, z_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    y, z = tl.inline_asm_elementwise(
        "movl $2, $0\n negl $0\n leal 1($2), $1", "=&r,=&r,r", [x], dtype=(tl.int32, tl.int32),
        is_pure=True, pack=1,
    )  # fmt: skip
    tl.store(y_ptr + at, y)
    tl.store(z_ptr + at, z)


@program("tl.inline_asm_elementwise", ("int32",))
def two_results(device: str, dtype: str) -> None:
    if not _X86:
        return
    x = make_input(dtype, 64, "small", 0).to(device)
    y, z = torch.zeros_like(x), torch.zeros_like(x)
    results_kernel[(1,)](x, y, z, BLOCK=64)
    equal(y, -x, "negative")
    equal(z, x + 1, "successor")


@triton.jit
def scalar_kernel(x_ptr, y_ptr):
    x = tl.load(x_ptr)
    y = tl.inline_asm_elementwise("negl $0", "=r,0", [x], dtype=tl.int32, is_pure=False, pack=1)
    tl.store(y_ptr, y)


@program("tl.inline_asm_elementwise", ("int32",))
def of_a_scalar(device: str, dtype: str) -> None:
    if not _X86:
        return
    x = make_input(dtype, 1, "positive", 0).to(device)
    y = torch.zeros_like(x)
    scalar_kernel[(1,)](x, y)
    equal(y, -x, "negative")


@triton.jit
def vector_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    y = tl.inline_asm_elementwise(
        "sqrtss $1, $0", "=x,x", [x], dtype=tl.float32, is_pure=True, pack=1
    )
    tl.store(y_ptr + at, y)


@program("tl.inline_asm_elementwise")
def of_floats(device: str, dtype: str) -> None:
    if not _X86:
        return
    x = make_input(dtype, 64, "positive", 0).to(device)
    y = torch.zeros_like(x)
    vector_kernel[(1,)](x, y, BLOCK=64)
    equal(y, torch.from_numpy(np.sqrt(x.cpu().numpy())).to(device), "square roots")

"""`tl.inline_asm_elementwise`, in the assembly of each instruction set."""

from __future__ import annotations

import kit
import numpy as np
import torch
import triton
import triton.language as tl
from kit import make_input, program
from memory_programs import equal

# Text and constraints of each, by instruction set and purpose.
ASSEMBLY = {
    "x86_64": {
        "add 32": ("addl $2, $0", "=r,0,r"),
        "add 64": ("addq $2, $0", "=r,0,r"),
        "xor": ("xorl $2, $0", "=r,0,r"),
        "add pairs": ("addl $4, $0\n addl $5, $1", "=&r,=&r,0,1,r,r"),
        "both": ("movl $2, $0\n negl $0\n leal 1($2), $1", "=&r,=&r,r"),
        "negate": ("negl $0", "=r,0"),
        "root": ("sqrtss $1, $0", "=x,x"),
    },
    "aarch64": {
        "add 32": ("add ${0:w}, ${1:w}, ${2:w}", "=r,r,r"),
        "add 64": ("add $0, $1, $2", "=r,r,r"),
        "xor": ("eor ${0:w}, ${1:w}, ${2:w}", "=r,r,r"),
        "add pairs": (
            "add ${0:w}, ${2:w}, ${4:w}\n add ${1:w}, ${3:w}, ${5:w}", "=&r,=&r,r,r,r,r"
        ),
        "both": ("neg ${0:w}, ${2:w}\n add ${1:w}, ${2:w}, #1", "=&r,=&r,r"),
        "negate": ("neg ${0:w}, ${1:w}", "=r,r"),
        "root": ("fsqrt ${0:s}, ${1:s}", "=w,w"),
    },
    "riscv64": {
        "add 32": ("addw $0, $1, $2", "=r,r,r"),
        "add 64": ("add $0, $1, $2", "=r,r,r"),
        "xor": ("xor $0, $1, $2", "=r,r,r"),
        "add pairs": ("addw $0, $2, $4\n addw $1, $3, $5", "=&r,=&r,r,r,r,r"),
        "both": ("negw $0, $2\n addiw $1, $2, 1", "=&r,=&r,r"),
        "negate": ("negw $0, $1", "=r,r"),
        "root": ("fsqrt.s $0, $1", "=f,f"),
    },
    "ptx": {
        "add 32": ("add.s32 $0, $1, $2;", "=r,r,r"),
        "add 64": ("add.s64 $0, $1, $2;", "=l,l,l"),
        "xor": ("xor.b32 $0, $1, $2;", "=r,r,r"),
        "add pairs": ("add.s32 $0, $2, $4;\n add.s32 $1, $3, $5;", "=&r,=&r,r,r,r,r"),
        "both": ("neg.s32 $0, $2;\n add.s32 $1, $2, 1;", "=&r,=&r,r"),
        "negate": ("neg.s32 $0, $1;", "=r,r"),
        "root": ("sqrt.rn.f32 $0, $1;", "=f,f"),
    },
    "amdgcn": {
        "add 32": ("v_add_u32 $0, $1, $2", "=v,v,v"),
        "add 64": ("v_lshl_add_u64 $0, $1, 0, $2", "=v,v,v"),
        "xor": ("v_xor_b32 $0, $1, $2", "=v,v,v"),
        "add pairs": ("v_add_u32 $0, $2, $4\n v_add_u32 $1, $3, $5", "=&v,=&v,v,v,v,v"),
        "both": ("v_sub_u32 $0, 0, $2\n v_add_u32 $1, 1, $2", "=&v,=&v,v"),
        "negate": ("v_sub_u32 $0, 0, $1", "=v,v"),
        "root": ("v_sqrt_f32 $0, $1", "=v,v"),
    },
}  # fmt: skip


def assembly(purpose: str) -> tuple[str, str]:
    """Text and constraints for the instruction set that the suite runs on."""
    known = ASSEMBLY.get(kit.INSTRUCTION_SET)
    assert known, f"write the assembly of {kit.INSTRUCTION_SET} into ASSEMBLY"
    return known[purpose]


@triton.jit
def two_kernel(
    x_ptr, y_ptr, z_ptr, ASM: tl.constexpr, WHERE: tl.constexpr, PACK: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    at = tl.arange(0, BLOCK)
    x, y = tl.load(x_ptr + at), tl.load(y_ptr + at)
    z = tl.inline_asm_elementwise(ASM, WHERE, [x, y], dtype=x.dtype, is_pure=True, pack=PACK)
    tl.store(z_ptr + at, z)


@program("tl.inline_asm_elementwise", ("int32", "uint32", "int64", "uint64"))
def one_at_a_time(device: str, dtype: str) -> None:
    x, y = (make_input(dtype, 64, "small", s).to(device) for s in (0, 1))
    z = torch.zeros_like(x)
    two_kernel[(1,)](x, y, z, *assembly(f"add {dtype[-2:]}"), PACK=1, BLOCK=64)
    equal(z.long(), x.long() + y.long(), "sums")


@program("tl.inline_asm_elementwise", ("int8", "uint8", "int16", "uint16", "float16", "bfloat16"))
def packed_into_one_register(device: str, dtype: str) -> None:
    """Four bytes, or two halves, travel in one 32-bit register."""
    x, y = (make_input(dtype, 64, "any", s).to(device) for s in (0, 1))
    z = torch.zeros_like(x)
    two_kernel[(1,)](x, y, z, *assembly("xor"), PACK=4 // x.element_size(), BLOCK=64)
    kind = {1: torch.int8, 2: torch.int16}[x.element_size()]
    equal(z.view(kind), x.view(kind) ^ y.view(kind), "exclusive or")


@program("tl.inline_asm_elementwise", ("int32",))
def two_elements_in_two_registers(device: str, dtype: str) -> None:
    x, y = (make_input(dtype, 64, "small", s).to(device) for s in (0, 1))
    z = torch.zeros_like(x)
    two_kernel[(1,)](x, y, z, *assembly("add pairs"), PACK=2, BLOCK=64)
    equal(z, x + y, "sums of pairs")


@triton.jit
def results_kernel(
    x_ptr, y_ptr, z_ptr, ASM: tl.constexpr, WHERE: tl.constexpr, BLOCK: tl.constexpr
):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    y, z = tl.inline_asm_elementwise(
        ASM, WHERE, [x], dtype=(tl.int32, tl.int32), is_pure=True, pack=1
    )
    tl.store(y_ptr + at, y)
    tl.store(z_ptr + at, z)


@program("tl.inline_asm_elementwise", ("int32",))
def two_results(device: str, dtype: str) -> None:
    x = make_input(dtype, 64, "small", 0).to(device)
    y, z = torch.zeros_like(x), torch.zeros_like(x)
    results_kernel[(1,)](x, y, z, *assembly("both"), BLOCK=64)
    equal(y, -x, "negative")
    equal(z, x + 1, "successor")


@triton.jit
def scalar_kernel(x_ptr, y_ptr, ASM: tl.constexpr, WHERE: tl.constexpr):
    x = tl.load(x_ptr)
    y = tl.inline_asm_elementwise(ASM, WHERE, [x], dtype=tl.int32, is_pure=False, pack=1)
    tl.store(y_ptr, y)


@program("tl.inline_asm_elementwise", ("int32",))
def of_a_scalar(device: str, dtype: str) -> None:
    x = make_input(dtype, 1, "positive", 0).to(device)
    y = torch.zeros_like(x)
    scalar_kernel[(1,)](x, y, *assembly("negate"))
    equal(y, -x, "negative")


@triton.jit
def vector_kernel(x_ptr, y_ptr, ASM: tl.constexpr, WHERE: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    y = tl.inline_asm_elementwise(ASM, WHERE, [x], dtype=tl.float32, is_pure=True, pack=1)
    tl.store(y_ptr + at, y)


@program("tl.inline_asm_elementwise")
def of_floats(device: str, dtype: str) -> None:
    x = make_input(dtype, 64, "positive", 0).to(device)
    y = torch.zeros_like(x)
    vector_kernel[(1,)](x, y, *assembly("root"), BLOCK=64)
    equal(y, torch.from_numpy(np.sqrt(x.cpu().numpy())).to(device), "square roots")

"""Kernels that upstream's pipelines refuse, each for another reason."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def square(x, out, BLOCK: tl.constexpr):
    rows = tl.arange(0, BLOCK)
    places = rows[:, None] * BLOCK + rows[None, :]
    block = tl.load(x + places)
    tl.store(out + places, tl.dot(block, block))


@triton.jit
def bogus_instruction(x, out, BLOCK: tl.constexpr):
    places = tl.arange(0, BLOCK)
    number = tl.load(x + places)
    made = tl.inline_asm_elementwise("bogus $0, $1;", "=r,r", [number], tl.int32, True, 1)
    tl.store(out + places, made)


@triton.jit
def bogus_vector(x, out, BLOCK: tl.constexpr):
    places = tl.arange(0, BLOCK)
    number = tl.load(x + places)
    made = tl.inline_asm_elementwise("v_bogus $0, $1", "=v,v", [number], tl.int32, True, 1)
    tl.store(out + places, made)


@triton.jit
def widen(x, out, BLOCK: tl.constexpr):
    places = tl.arange(0, BLOCK)
    tl.store(out + places, tl.load(x + places).to(tl.float32))


@triton.jit
def add_atomically(x, out, BLOCK: tl.constexpr):
    places = tl.arange(0, BLOCK)
    number = tl.load(x + places)
    tl.atomic_add(out + places, number)

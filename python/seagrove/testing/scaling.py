"""How much code a kernel becomes, and how long that takes, as its block grows.

A kernel's code is meant to grow with what the user wrote and not with its block. `KINDS` has one
kernel per kind of operation; `sizes_of` and `compile_times_ms` compile it at two of its sizes.
"""

# mypy: disable-error-code="untyped-decorator,no-untyped-def,attr-defined,no-untyped-call"
# The kernels below are no Python: Triton compiles them, and its types are not Python's.

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import triton
import triton.language as tl

from seagrove.compiler.options import CodegenOptions
from seagrove.compiler.stages import compile_ttir
from seagrove.frontend import triton_compat


@triton.jit
def elementwise_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = at < n
    tl.store(z + at, tl.load(x + at, mask=mask) * 2 + tl.load(y + at, mask=mask), mask=mask)


@triton.jit
def math_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    value = tl.load(x + at, mask=at < n)
    tl.store(z + at, tl.exp(value) + tl.sin(value) / tl.sqrt(value), mask=at < n)


@triton.jit
def reduce_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    value = tl.load(x + tl.program_id(0) * n + at, mask=at < n, other=0.0)
    tl.store(z + tl.program_id(0), tl.sum(value, 0) + tl.max(value, 0))


@triton.jit
def argmax_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    value = tl.load(x + tl.program_id(0) * n + at, mask=at < n, other=0.0)
    tl.store(z + tl.program_id(0), tl.argmax(value, 0))


@triton.jit
def reduce_rows_kernel(x, y, z, n, ROWS: tl.constexpr, COLS: tl.constexpr):
    row, col = tl.arange(0, ROWS), tl.arange(0, COLS)
    value = tl.load(x + row[:, None] * n + col[None, :])
    tl.store(y + row, tl.sum(value, 1))
    tl.store(z + col, tl.max(value, 0))


@triton.jit
def scan_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    value = tl.load(x + tl.program_id(0) * n + at, mask=at < n, other=0.0)
    tl.store(z + tl.program_id(0) * n + at, tl.cumsum(value, 0), mask=at < n)


@triton.jit
def softmax_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    value = tl.load(x + tl.program_id(0) * n + at, mask=at < n, other=float("-inf"))
    power = tl.exp(value - tl.max(value, 0))
    tl.store(z + tl.program_id(0) * n + at, power / tl.sum(power, 0), mask=at < n)


@triton.jit
def matmul_kernel(x, y, z, n, SIDE: tl.constexpr):
    i = tl.program_id(0) * SIDE + tl.arange(0, SIDE)
    j = tl.program_id(1) * SIDE + tl.arange(0, SIDE)
    k = tl.arange(0, SIDE)
    total = tl.zeros((SIDE, SIDE), dtype=tl.float32)
    for start in range(0, n, SIDE):
        a = tl.load(x + i[:, None] * n + start + k[None, :])
        b = tl.load(y + (start + k[:, None]) * n + j[None, :])
        total = tl.dot(a, b, total, input_precision="ieee")
    tl.store(z + i[:, None] * n + j[None, :], total)


@triton.jit
def attention_kernel(x, y, z, n, SIDE: tl.constexpr):
    i, k = tl.arange(0, SIDE), tl.arange(0, 64)
    query = tl.load(x + i[:, None] * 64 + k[None, :])
    total = tl.zeros((SIDE, 64), dtype=tl.float32)
    top = tl.full((SIDE,), float("-inf"), tl.float32)
    weight = tl.zeros((SIDE,), dtype=tl.float32)
    for start in range(0, n, SIDE):
        j = start + tl.arange(0, SIDE)
        keys = tl.load(y + j[None, :] * 64 + k[:, None])
        scores = tl.dot(query, keys, input_precision="ieee")
        higher = tl.maximum(top, tl.max(scores, 1))
        power = tl.exp(scores - higher[:, None])
        scale = tl.exp(top - higher)
        weight = weight * scale + tl.sum(power, 1)
        values = tl.load(y + j[:, None] * 64 + k[None, :])
        total = tl.dot(power, values, total * scale[:, None], input_precision="ieee")
        top = higher
    tl.store(z + i[:, None] * 64 + k[None, :], total / weight[:, None])


@triton.jit
def lookup_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    index = tl.load(y.to(tl.pointer_type(tl.int32)) + at, mask=at < n, other=0)
    tl.store(z + at, tl.load(x + index, mask=index < n), mask=at < n)


@triton.jit
def gather_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    index = tl.load(y.to(tl.pointer_type(tl.int32)) + at)
    tl.store(z + at, tl.gather(tl.load(x + at), index, 0))


@triton.jit
def atomic_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(z + at % 16, tl.load(x + at, mask=at < n), mask=at < n)


@triton.jit
def histogram_kernel(x, y, z, n, BLOCK: tl.constexpr):
    value = tl.load(x.to(tl.pointer_type(tl.int32)) + tl.arange(0, BLOCK))
    count = tl.histogram(value, 32)
    tl.store(z.to(tl.pointer_type(tl.int32)) + tl.arange(0, 32), count)


@triton.jit
def transpose_kernel(x, y, z, n, ROWS: tl.constexpr, COLS: tl.constexpr):
    row, col = tl.arange(0, ROWS), tl.arange(0, COLS)
    value = tl.load(x + row[:, None] * n + col[None, :])
    tl.store(z + col[:, None] * n + row[None, :], value.T)


@triton.jit
def join_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    both = tl.interleave(tl.load(x + at), tl.load(y + at))
    tl.store(z + tl.arange(0, 2 * BLOCK), both)


@triton.jit
def reshape_kernel(x, y, z, n, ROWS: tl.constexpr, COLS: tl.constexpr):
    row, col = tl.arange(0, ROWS), tl.arange(0, COLS)
    value = tl.load(x + row[:, None] * n + col[None, :])
    flat = tl.reshape(tl.permute(value, (1, 0)), (ROWS * COLS,))
    tl.store(z + tl.arange(0, ROWS * COLS), flat)


@triton.jit
def descriptor_kernel(x, y, z, n, ROWS: tl.constexpr, COLS: tl.constexpr):
    source = tl.make_tensor_descriptor(x, [n, n], [n, 1], [ROWS, COLS])
    target = tl.make_tensor_descriptor(z, [n, n], [n, 1], [ROWS, COLS])
    at = [tl.program_id(0) * ROWS, tl.program_id(1) * COLS]
    target.store(at, source.load(at) + 1.0)


@triton.jit
def sort_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(z + at, tl.sort(tl.load(x + at)))


@triton.jit
def random_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(z + at, tl.rand(n, at), mask=at < n)


@triton.jit
def branch_kernel(x, y, z, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    value = tl.load(x + at)
    while tl.max(value, 0) > 1.0:
        value = tl.where(value > 1.0, value * 0.5, value)
    if n > 3:
        value += tl.load(y + at)
    tl.store(z + at, value)


@dataclass(frozen=True)
class Kind:
    """A kernel and the constants of its small and its large block.

    The small ones are for vectors of 256 bits; wider ones take as many vectors, so that the same
    code is needed for the small block as for the large one.
    """

    name: str
    kernel: Any
    small: dict[str, int]
    large: dict[str, int]
    unrolled: str = ""
    """Why the TTIR itself grows with the block; empty where it does not."""


_VECTOR = ({"BLOCK": 64}, {"BLOCK": 4096})
_MATRIX = ({"ROWS": 8, "COLS": 8}, {"ROWS": 64, "COLS": 64})
KINDS = (
    Kind("elementwise", elementwise_kernel, *_VECTOR),
    Kind("math", math_kernel, *_VECTOR),
    Kind("reduce", reduce_kernel, *_VECTOR),
    Kind("argmax", argmax_kernel, *_VECTOR),
    # A row long enough for several vectors at a time, as the larger one is taken.
    Kind(
        "reduce of both axes", reduce_rows_kernel,
        {"ROWS": 8, "COLS": 64}, {"ROWS": 64, "COLS": 512},
    ),
    Kind("scan", scan_kernel, *_VECTOR),
    Kind("softmax", softmax_kernel, *_VECTOR),
    # Smaller blocks read their right operand in place and have no code that packs.
    Kind("matmul", matmul_kernel, {"SIDE": 32}, {"SIDE": 128}),
    Kind("attention", attention_kernel, {"SIDE": 16}, {"SIDE": 64}),
    Kind("load through indices", lookup_kernel, *_VECTOR),
    Kind("gather", gather_kernel, *_VECTOR),
    Kind("atomic", atomic_kernel, *_VECTOR),
    Kind("histogram", histogram_kernel, *_VECTOR),
    Kind("transpose", transpose_kernel, *_MATRIX),
    Kind("interleave", join_kernel, *_VECTOR),
    Kind("permute and reshape", reshape_kernel, *_MATRIX),
    Kind("descriptor", descriptor_kernel, *_MATRIX),
    Kind("random", random_kernel, *_VECTOR),
    Kind("loop and branch", branch_kernel, *_VECTOR),
    Kind("sort", sort_kernel, *_VECTOR,
         unrolled="Triton's library writes the log2(n)^2 / 2 steps of a bitonic sort out"),
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """What one compilation gave: operations of the vector form, instructions of LLVM IR, bytes."""

    ttir_ops: int
    vector_ops: int
    instructions: int
    object_bytes: int


def ttir_of(kind: Kind, constants: dict[str, int]) -> str:
    """The kernel as TTIR, for fp32 pointers and a 32-bit size."""
    types = {"x": "*fp32", "y": "*fp32", "z": "*fp32", "n": "i32"}
    backend = triton_compat.make_backend("cpu", "")
    return str(triton_compat.kernel_ttir(kind.kernel, types, constants, backend))


def _operations(text: str) -> int:
    """Operations of MLIR's text form: the lines that are no brace, no attribute and no label."""
    return sum(
        bool(re.match(r'\s+(%|"|\w+\.\w+)', line)) and "loc(" not in line[:8]
        for line in text.splitlines()
    )


def _instructions(text: str) -> int:
    return sum(line.startswith("  ") and not line.startswith("    ") for line in text.splitlines())


def size_of(ttir: str, target: Any) -> Size:
    """How much one kernel becomes."""
    options = CodegenOptions()
    vector, llvm = (compile_ttir(ttir, target, options, emit=e).text() for e in ("vector", "llvm"))
    object_file = compile_ttir(ttir, target, options, emit="obj").output
    return Size(_operations(ttir), _operations(vector), _instructions(llvm), len(object_file))


def _blocks(kind: Kind, target: Any) -> tuple[dict[str, int], dict[str, int]]:
    wider = max(target.vector_bits // 256, 1)
    return {name: size * wider for name, size in kind.small.items()}, kind.large


def sizes_of(kind: Kind) -> tuple[Size, Size]:
    """Sizes at the small and at the large block."""
    target = triton_compat.make_backend("cpu", "").describe("")
    small, large = (size_of(ttir_of(kind, c), target) for c in _blocks(kind, target))
    return small, large


def compile_times_ms(kind: Kind, repeats: int) -> tuple[float, float]:
    """Medians of the time from TTIR to a library, the two blocks in turn, no cache in use."""
    target = triton_compat.make_backend("cpu", "").describe("")
    texts = [ttir_of(kind, constants) for constants in _blocks(kind, target)]
    times: Sequence[list[float]] = ([], [])
    for _ in range(repeats):
        for text, taken in zip(texts, times, strict=True):
            start = time.perf_counter()
            compile_ttir(text, target, CodegenOptions(), timing=True)
            taken.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times[0]), statistics.median(times[1])

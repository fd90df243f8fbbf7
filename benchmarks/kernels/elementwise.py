"""Kernels that map elements: vector add, GELU times a gate, rope, embedding, transpose."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
import vector_add

from benchmarks.case import EXACT, Case, Tolerance, dtype_label, pick, randn, tuned

functional = torch.nn.functional


@tuned([{"BLOCK": n} for n in (1024, 4096)], ["n"])
@triton.jit
def gelu_mul_kernel(x_ptr, gate_ptr, out_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = at < n
    x = tl.load(x_ptr + at, mask=mask).to(tl.float32)
    gate = tl.load(gate_ptr + at, mask=mask).to(tl.float32)
    y = 0.5 * x * (1 + tl.erf(x * 0.7071067811865476)) * gate
    tl.store(out_ptr + at, y.to(out_ptr.dtype.element_ty), mask=mask)


@triton.jit
def rope_kernel(x_ptr, cos_ptr, sin_ptr, out_ptr, HEADS: tl.constexpr, HALF: tl.constexpr):
    position = tl.program_id(0)
    dims = tl.arange(0, HALF)
    at = (position * HEADS + tl.arange(0, HEADS)[:, None]) * (2 * HALF) + dims[None, :]
    cos = tl.load(cos_ptr + position * HALF + dims)[None, :]
    sin = tl.load(sin_ptr + position * HALF + dims)[None, :]
    first = tl.load(x_ptr + at).to(tl.float32)
    second = tl.load(x_ptr + at + HALF).to(tl.float32)
    element = out_ptr.dtype.element_ty
    tl.store(out_ptr + at, (first * cos - second * sin).to(element))
    tl.store(out_ptr + at + HALF, (second * cos + first * sin).to(element))


@triton.jit
def embedding_kernel(table_ptr, index_ptr, out_ptr, n_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    index = tl.load(index_ptr + row)
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    x = tl.load(table_ptr + index * n_cols + cols, mask=mask)
    tl.store(out_ptr + row * n_cols + cols, x, mask=mask)


@tuned([{"BLOCK": n} for n in (32, 64, 128, 256)], ["M", "N"])
@triton.jit
def transpose_kernel(x_ptr, out_ptr, M, N, BLOCK: tl.constexpr):
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    cols = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = (rows[:, None] < M) & (cols[None, :] < N)
    x = tl.load(x_ptr + rows[:, None] * N + cols[None, :], mask=inside)
    out = out_ptr + cols[:, None] * M + rows[None, :]
    tl.store(out, tl.trans(x), mask=(cols[:, None] < N) & (rows[None, :] < M))


def gelu_mul(x: torch.Tensor, gate: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    n = x.numel()
    gelu_mul_kernel[lambda meta: (triton.cdiv(n, meta["BLOCK"]),)](x, gate, out, n)
    return out


def rope(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    positions, heads, d = x.shape
    rope_kernel[(positions,)](x, cos, sin, out, HEADS=heads, HALF=d // 2)
    return out


def embedding(table: torch.Tensor, index: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    cols = table.shape[1]
    block = triton.next_power_of_2(cols)
    embedding_kernel[(len(index),)](table, index, out, cols, BLOCK=block)
    return out


def transpose(x: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    m, n = x.shape
    transpose_kernel[lambda meta: (triton.cdiv(m, meta["BLOCK"]), triton.cdiv(n, meta["BLOCK"]))](
        x, out, m, n
    )
    return out


def add_case(n: int, dtype: torch.dtype) -> Case:
    return Case(
        f"vector add {dtype_label(dtype)}", str(n), dtype, vector_add.case(n, dtype).make,
        lambda x, y, out: vector_add.add(x, y, out), lambda x, y, out: torch.add(x, y, out=out),
        torch.add, EXACT, bytes=3 * n * dtype.itemsize, flops=n, stream="add",
    )  # fmt: skip


def gelu_mul_case(rows: int, cols: int, dtype: torch.dtype) -> Case:
    def make() -> tuple[torch.Tensor, ...]:
        x, gate = (randn(rows, cols, dtype=dtype, seed=seed) for seed in range(2))
        return x, gate, torch.empty_like(x)

    def pure(x: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
        return functional.gelu(x) * gate

    eps = torch.finfo(dtype).eps
    return Case(
        f"gelu*mul {dtype_label(dtype)}", f"{rows}x{cols}", dtype, make, gelu_mul,
        lambda x, gate, out: torch.mul(functional.gelu(x), gate, out=out), pure,
        Tolerance(4e-6, 2 * eps, "1 + erf cancels for negative x; one output rounding"),
        bytes=3 * rows * cols * dtype.itemsize, flops=20 * rows * cols, stream="add",
        reference=lambda x, gate: pure(x.double(), gate.double()), tuner=gelu_mul_kernel,
    )  # fmt: skip


def rope_case(positions: int, heads: int, d: int, dtype: torch.dtype) -> Case:
    def make() -> tuple[torch.Tensor, ...]:
        x = randn(positions, heads, d, dtype=dtype)
        rates = 10000.0 ** (-torch.arange(0, d, 2) / d)
        angles = torch.arange(positions)[:, None] * rates[None, :]
        return x, angles.cos(), angles.sin(), torch.empty_like(x)

    def parts(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> list[torch.Tensor]:
        first, second = x.chunk(2, -1)
        cos, sin = cos[:, None].to(x.dtype), sin[:, None].to(x.dtype)
        return [first * cos - second * sin, second * cos + first * sin]

    def pure(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        return torch.cat(parts(x, cos, sin), -1)

    eps = torch.finfo(dtype).eps
    size = positions * heads * d
    return Case(
        f"rope {dtype_label(dtype)}", f"{positions}x{heads}x{d}", dtype, make, rope,
        lambda x, cos, sin, out: torch.cat(parts(x, cos, sin), -1, out=out), pure,
        Tolerance(8 * 2**-24, 2 * eps, "two products and a sum in fp32, one output rounding"),
        bytes=2 * size * dtype.itemsize + positions * d * 4, flops=3 * size,
        reference=lambda x, cos, sin: pure(x.double(), cos, sin),
    )  # fmt: skip


def embedding_case(rows: int, cols: int, count: int, dtype: torch.dtype) -> Case:
    def make() -> tuple[torch.Tensor, ...]:
        index = torch.randint(0, rows, (count,), generator=torch.Generator().manual_seed(1))
        return randn(rows, cols, dtype=dtype), index, torch.empty(count, cols, dtype=dtype)

    return Case(
        f"embedding {dtype_label(dtype)}", f"{rows}x{cols} at {count}", dtype, make, embedding,
        lambda table, index, out: torch.index_select(table, 0, index, out=out),
        lambda table, index: functional.embedding(index, table), EXACT,
        bytes=2 * count * cols * dtype.itemsize,
    )  # fmt: skip


def transpose_case(m: int, n: int, dtype: torch.dtype) -> Case:
    def make() -> tuple[torch.Tensor, ...]:
        return randn(m, n, dtype=dtype), torch.empty(n, m, dtype=dtype)

    return Case(
        f"transpose {dtype_label(dtype)}", f"{m}x{n}", dtype, make, transpose,
        lambda x, out: out.copy_(x.t()), lambda x: x.t(), EXACT,
        bytes=2 * m * n * dtype.itemsize, tuner=transpose_kernel,
    )  # fmt: skip


def cases() -> list[Case]:
    made = []
    for dtype in (torch.float32, torch.bfloat16):
        made += [add_case(n, dtype) for n in pick((1000,), (1 << 16, 1 << 20, 1 << 24))]
        made += [gelu_mul_case(*s, dtype) for s in pick(((9, 110),), ((256, 1024), (2048, 8192)))]
        made += [
            rope_case(*s, dtype) for s in pick(((7, 4, 64),), ((512, 32, 128), (4096, 32, 128)))
        ]
        sizes = pick(((50, 70, 20),), ((32000, 1024, 4096), (32000, 4096, 4096)))
        made += [embedding_case(*s, dtype) for s in sizes]
        sizes = pick(((70, 45),), ((512, 512), (1000, 777), (4096, 4096)))
        made += [transpose_case(*s, dtype) for s in sizes]
    return made

"""The machine's ceilings, measured: stream bandwidth, and operations per second of each type.

Each ceiling is the best of several ways to reach it, by Triton kernels and by torch; the report
names the one that won.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl
from vector_add import add_kernel

from benchmarks.case import SMOKE

Ceiling = dict[str, Any]

# Far beyond a last-level cache.
STREAM_ELEMENTS = 1 << 12 if SMOKE else 1 << 26
ROUNDS = 1 if SMOKE else 5


@triton.jit
def copy_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + at, tl.load(x_ptr + at, mask=at < n), mask=at < n)


@triton.jit
def read_kernel(x_ptr, out_ptr, n, STEPS: tl.constexpr, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    acc = tl.zeros([BLOCK], dtype=tl.float32)
    for step in range(STEPS):
        at = (pid * STEPS + step) * BLOCK + tl.arange(0, BLOCK)
        acc += tl.load(x_ptr + at, mask=at < n, other=0.0)
    tl.store(out_ptr + pid, tl.sum(acc, axis=0))


@triton.jit
def fma_kernel(x_ptr, out_ptr, steps, BLOCK: tl.constexpr):
    """2 * BLOCK operations a step, all in registers; the elements are independent chains."""
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    acc = x
    for _ in range(steps):
        acc = tl.fma(acc, x, x)
    tl.store(out_ptr + tl.program_id(0) * BLOCK + at, acc)


@triton.jit
def dot_kernel(
    a_ptr, b_ptr, out_ptr, steps, ACC: tl.constexpr,
    M: tl.constexpr, N: tl.constexpr, K: tl.constexpr,
):  # fmt: skip
    """2 * M * N * K operations a step, on operands in the first cache."""
    rows, cols, depth = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K)
    acc = tl.zeros((M, N), dtype=ACC)
    for _ in range(steps):
        a = tl.load(a_ptr + rows[:, None] * K + depth[None, :])
        b = tl.load(b_ptr + depth[:, None] * N + cols[None, :])
        acc = tl.dot(a, b, acc, input_precision="ieee", out_dtype=ACC)
    out = (tl.program_id(0) * M + rows[:, None]) * N + cols[None, :]
    tl.store(out_ptr + out, acc)


def best_seconds(call: Callable[[], object], limit_s: float = 2.0) -> float:
    """Best time of a few calls, of one where that takes long: a ceiling is a best case."""
    best, stop = float("inf"), time.perf_counter() + limit_s
    call()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
        if time.perf_counter() > stop:
            break
    return best


def best_of(ways: dict[str, tuple[Callable[[], object], float]], unit: str) -> Ceiling:
    """The fastest of `ways`: what a call does (bytes, operations) in 1e9 a second."""
    rates = {way: amount / best_seconds(call) / 1e9 for way, (call, amount) in ways.items()}
    winner = max(rates, key=lambda way: rates[way])
    return {unit: rates[winner], "by": winner, "ways": rates}


def bandwidths() -> dict[str, Ceiling]:
    n, block, steps = STREAM_ELEMENTS, 1024, 64
    x, y, out = torch.rand(n), torch.rand(n), torch.empty(n)
    grid, size = (triton.cdiv(n, block),), 4.0 * n
    readers = triton.cdiv(n, block * steps)
    unit = "gbytes_per_s"
    return {
        "read": best_of({
            "Triton sum": (
                lambda: read_kernel[(readers,)](x, out, n, STEPS=steps, BLOCK=block), size,
            ),
            "torch.sum": (lambda: torch.sum(x), size),
        }, unit),
        "copy": best_of({
            "Triton copy": (lambda: copy_kernel[grid](x, out, n, BLOCK=block), 2 * size),
            "torch copy_": (lambda: out.copy_(x), 2 * size),
        }, unit),
        "add": best_of({
            "Triton add": (lambda: add_kernel[grid](x, y, out, n, BLOCK=block), 3 * size),
            "torch.add": (lambda: torch.add(x, y, out=out), 3 * size),
        }, unit),
    }  # fmt: skip


def fma_ways(programs: int) -> dict[str, tuple[Callable[[], object], float]]:
    steps = 1000 if SMOKE else 1_000_000
    ways: dict[str, tuple[Callable[[], object], float]] = {}
    for block in (32,) if SMOKE else (32, 64, 128, 256):
        x, out = torch.full((block,), 0.5), torch.empty(programs * block)
        ways[f"Triton fma, {block} elements in registers"] = (
            lambda x=x, out=out, block=block: fma_kernel[(programs,)](x, out, steps, BLOCK=block),
            2.0 * block * steps * programs,
        )
    return ways


def dot_ways(dtype: torch.dtype, programs: int) -> dict[str, tuple[Callable[[], object], float]]:
    integers = dtype == torch.int8
    large = dtype == torch.float32
    steps, side = (2, 64) if SMOKE else (2000, 1024 if large else 512)

    def operand(*shape: int) -> torch.Tensor:
        return (
            torch.randint(-100, 100, shape, dtype=dtype)
            if integers
            else torch.randn(shape).to(dtype)
        )

    acc = torch.int32 if integers else torch.float32
    ways: dict[str, tuple[Callable[[], object], float]] = {}
    for m, n, k in ((32, 32, 64), (64, 64, 64), (32, 128, 64), (64, 128, 128)):
        a, b, out = operand(m, k), operand(k, n), torch.empty(programs, m, n, dtype=acc)
        ways[f"Triton dot {m}x{n}x{k} from the first cache"] = (
            lambda a=a, b=b, out=out, m=m, n=n, k=k: dot_kernel[(programs,)](
                a, b, out, steps, ACC=tl.int32 if integers else tl.float32, M=m, N=n, K=k
            ),
            2.0 * m * n * k * steps * programs,
        )
    a, b = operand(side, side), operand(side, side)
    product = torch._int_mm if integers else torch.mm
    ways[f"torch product of {side}x{side}"] = (lambda: product(a, b), 2.0 * side**3)
    return ways


def computes(threads: int) -> dict[str, Ceiling]:
    made = {}
    types = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    for name, dtype in {**types, "int8": torch.int8}.items():
        ways = dot_ways(dtype, threads)
        if name == "fp32":
            ways |= fma_ways(threads)
        made[name] = best_of(ways, "gflops_per_s")
    # A type without units of its own can always be computed in fp32.
    for name in ("bf16", "fp16", "int8"):
        if made[name]["gflops_per_s"] < made["fp32"]["gflops_per_s"]:
            ways_of_both = made[name]["ways"] | made["fp32"]["ways"]
            made[name] = {**made["fp32"], "ways": ways_of_both, "by": "fp32's peak"}
    return made


def measure_ceilings(threads: int) -> dict[str, Any]:
    """Of `threads` cores: `{"bandwidth": {read, copy, add}, "compute": {a type: ...}}`."""
    return {"bandwidth": bandwidths(), "compute": computes(threads)}


def lines(ceilings: dict[str, Any]) -> list[str]:
    """The ceilings as text."""
    return [
        f"{kind:<5} {ceiling.get('gbytes_per_s', ceiling.get('gflops_per_s')):8.1f} "
        f"{'GB/s' if 'gbytes_per_s' in ceiling else 'GOP/s'} by {ceiling['by']}"
        for part in ceilings.values()
        for kind, ceiling in part.items()
    ]

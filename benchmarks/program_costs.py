"""What each program of a launch costs, and what whole launches on one and two threads take.

    python -m benchmarks.program_costs --out FILE.json

The figures are the input of the simulated schedules (tools/schedules.py, docs/schedules.md): costs
of single programs, in the order of their ids on one thread with warm caches, and, to compare the
simulation with, launches on one and two real cores.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import triton
import triton.language as tl

import seagrove

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples"))

RANGE = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p
)


@triton.jit
def empty_kernel(x, BLOCK: tl.constexpr):
    pass


def range_kernel(compiled: Any, args: tuple[Any, ...], grid: tuple[int, int, int]) -> Any:
    """The compiled kernel as `run(first, last)` on this thread (docs/range-kernel.md)."""
    types = list(compiled.src.signature.values())
    slots = []
    for value, kind in zip(args, types, strict=True):
        if kind == "constexpr":
            continue
        if isinstance(value, torch.Tensor):
            slots.append(struct.pack("<Q", value.data_ptr()))
        elif isinstance(value, float):
            slots.append(struct.pack("<f4x", value))
        else:
            slots.append(struct.pack("<q", value))
    packed = b"".join(slots)
    extents = (ctypes.c_int32 * 3)(*grid)
    scratch = torch.zeros(int(compiled.metadata.scratch_bytes) + 128, dtype=torch.uint8)
    aligned = (scratch.data_ptr() + 63) // 64 * 64
    function = RANGE(compiled.function.address)

    def run(first: int, last: int) -> None:
        function(packed, extents, first, last, aligned)

    run.keeps = (scratch, args, compiled)  # type: ignore[attr-defined]
    return run


def program_costs(run: Any, programs: int, step: int, rounds: int) -> list[float]:
    """Nanoseconds of each program, from the fastest of several runs of `step` neighbours."""
    best = [float("inf")] * (programs // step)
    nothing = float("inf")
    for _ in range(rounds):
        start = time.perf_counter_ns()
        run(0, 0)
        nothing = min(nothing, time.perf_counter_ns() - start)
        for index in range(programs // step):
            start = time.perf_counter_ns()
            run(index * step, (index + 1) * step)
            taken = time.perf_counter_ns() - start
            best[index] = min(best[index], taken)
    return [max(taken - nothing, 1.0) / step for taken in best]


def launch_ns(launch: Callable[[], object], threads: int, budget_s: float) -> float:
    """Time of a launch on this many threads, the fastest of many: what else runs only adds."""
    seagrove.set_num_threads(threads)
    launch()
    samples = []
    end = time.perf_counter() + budget_s
    while time.perf_counter() < end or len(samples) < 5:
        start = time.perf_counter_ns()
        launch()
        samples.append(time.perf_counter_ns() - start)
    seagrove.set_num_threads(0)
    return float(min(samples))


def cases() -> dict[str, tuple[Any, tuple[int, int, int], tuple[Any, ...], int, int, int]]:
    """Kernel, grid, arguments, neighbours measured together, bytes of memory traffic of a program
    that no cache keeps, and how often the grid is repeated in a simulated launch."""
    import attention
    import matmul
    import softmax
    import vector_add

    m = 1024
    a, b = torch.rand(m, m), torch.rand(m, m)
    c = torch.empty(m, m)
    side = triton.cdiv(m, 128)
    q = torch.rand(1, 1, 4096, 64)
    o = torch.empty_like(q)
    strides = q.stride()[:3]
    x = torch.rand(2048, 4096)
    y = torch.empty_like(x)
    u, v = torch.rand(1 << 22), torch.rand(1 << 22)
    w = torch.empty_like(u)
    return {
        "matmul fp32": (
            matmul.matmul_kernel, (side * side, 1, 1),
            (a, b, c, m, m, m, m, 1, m, 1, m, 1, 128, 128, 64, 8, ""), 4, 0, 8,
        ),
        "causal attention fp32": (
            attention.attention_kernel, (32, 1, 1),
            (q, q, q, o, 0.18, *strides * 4, 1, 4096, 64, 128, 64), 1, 0, 32,
        ),
        "softmax fp32": (
            softmax.softmax_kernel, (2048, 1, 1),
            (y, x, 4096, 4096, 4096, 4096), 8, 2 * 4096 * 4, 4,
        ),
        "vector add fp32": (
            vector_add.add_kernel, (4096, 1, 1), (u, v, w, 1 << 22, 1024), 32, 3 * 1024 * 4, 4,
        ),
        "small vector add": (
            vector_add.add_kernel, (256, 1, 1), (u, v, w, 1 << 18, 1024), 8, 0, 1,
        ),
    }  # fmt: skip


def measure(budget_s: float) -> dict[str, Any]:
    """Every case, and what starting and ending a launch costs on two threads."""
    found: dict[str, Any] = {}
    for name, (kernel, grid, args, step, traffic, repeats) in cases().items():
        compiled = kernel[grid](*args)
        run = range_kernel(compiled, args, grid)
        programs = grid[0] * grid[1] * grid[2]
        launch = lambda k=kernel, g=grid, a=args: k[g](*a)  # noqa: E731
        found[name] = {
            "ns": [round(cost, 1) for cost in program_costs(run, programs, step, 5)],
            "step": step,
            "bytes": traffic,
            "repeats": repeats,
            "one_thread_ns": round(launch_ns(launch, 1, budget_s)),
            "two_threads_ns": round(launch_ns(launch, 2, budget_s)),
        }
    x = torch.zeros(64)
    seagrove.set_num_threads(1)
    empty = min(launch_ns(lambda: empty_kernel[(1,)](x, 64), 1, 0.05) for _ in range(5))
    return {"cases": found, "empty_launch_ns": empty}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--budget", type=float, default=1.0, help="seconds a launch is repeated")
    options = parser.parse_args()
    from benchmarks.run import cpu_name

    result = {"cpu": cpu_name(), **measure(options.budget)}
    options.out.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()

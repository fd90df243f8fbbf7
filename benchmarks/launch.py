"""What a launch costs before and besides the kernel: kernels that do nothing, one program.

    python benchmarks/launch.py [--json FILE]

"upstream's path" is the same kernel through `JITFunction.run`, which is what `kernel[grid]` calls
without Seagrove; both end in the same launcher. Each figure is the best of several rounds, since
whatever else runs on the machine only adds to it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import triton
import triton.language as tl
from triton.tools.tensor_descriptor import TensorDescriptor

ROUNDS = 9
LAUNCHES = 5000


@triton.jit
def one(a):
    pass


@triton.jit
def five(a, b, c, n, BLOCK: tl.constexpr):
    pass


@triton.jit
def fifteen(a, b, c, d, e, f, g, h, i, j, k, l, m, n, BLOCK: tl.constexpr):  # noqa: E741
    pass


@triton.jit
def product(
    a, b, c, m, n, k, az, am, ak, bz, bk, bn, cz, cm, cn, ACC: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP_M: tl.constexpr,
):  # fmt: skip
    pass


def microseconds(launch: Callable[[], Any]) -> float:
    """Time of one launch in microseconds."""
    for _ in range(100):
        launch()
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(LAUNCHES):
            launch()
        best = min(best, (time.perf_counter() - start) / LAUNCHES)
    return best * 1e6


def measure() -> list[dict[str, Any]]:
    t = [torch.zeros(64) for _ in range(10)]
    descriptors = [TensorDescriptor.from_tensor(x.view(4, 16), [4, 16]) for x in t[:3]]
    cases: list[tuple[str, Any, tuple[Any, ...], dict[str, Any]]] = [
        ("1 argument", one, (t[0],), {}),
        ("5 arguments", five, (*t[:3], 64, 128), {}),
        ("5 arguments, two by name", five, t[:3], {"n": 64, "BLOCK": 128}),
        ("5 arguments, num_warps=8", five, (*t[:3], 64, 128), {"num_warps": 8}),
        ("15 arguments", fifteen, (*t[:10], 1, 16, 3, 64, 128), {}),
        ("5 arguments, 3 descriptors", five, (*descriptors, 64, 128), {}),
        ("5 arguments in 2 tuples", one, ((tuple(t[:3]), (64, 128)),), {}),
    ]
    configs = [triton.Config({"BLOCK": block}) for block in (64, 128)]
    tuned = triton.autotune(configs, ["n"], do_bench=lambda call, quantiles: [1.0])(five)
    cases.append(("5 arguments, autotuned", tuned, (*t[:3], 64), {}))
    blocks = {"BLOCK_N": 64, "BLOCK_K": 64, "GROUP_M": 8}
    configs = [triton.Config({"BLOCK_M": block, **blocks}) for block in (64, 128)]
    tuned = triton.autotune(
        configs, ["m", "n", "k", "ak", "bn"], do_bench=lambda call, quantiles: [1.0]
    )(product)
    sizes = (128, 128, 128, 0, 128, 1, 0, 128, 1, 0, 128, 1)
    accumulator = {"ACC": tl.float32}
    cases.append(("16 arguments, autotuned", tuned, (*t[:3], *sizes), accumulator))
    cases.append(("the same, grid a function", tuned, (*t[:3], *sizes), accumulator))
    rows = []
    for name, kernel, args, options in cases:
        grid: Any = (lambda meta: (1,)) if name.endswith("function") else (1,)
        short = microseconds(lambda k=kernel, g=grid, a=args, o=options: k[g](*a, **o))
        run = getattr(type(kernel).run, "__wrapped__", type(kernel).run)
        long = microseconds(
            lambda r=run, k=kernel, g=grid, a=args, o=options: r(k, *a, grid=g, warmup=False, **o)
        )
        rows.append({"launch": name, "us": round(short, 3), "upstream_path_us": round(long, 3)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = measure()
    print(f"{'launch':28} {'us':>8} {'upstream':>9} ratio")
    for row in rows:
        ratio = row["upstream_path_us"] / row["us"]
        print(f"{row['launch']:28} {row['us']:8.2f} {row['upstream_path_us']:9.2f} {ratio:5.1f}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

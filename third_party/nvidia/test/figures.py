"""Speed, and the cost of a launch, on a GPU: Seagrove's way against plain Triton's.

    python third_party/nvidia/test/figures.py [--json FILE]

Each side runs in processes of its own, in turn, three times: plain Triton with
TRITON_BACKENDS_IN_TREE=1, by which it looks for no backend but its own and Seagrove stays out. The
best time of each figure counts, since whatever else runs on the machine only adds to it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
ROUNDS, LAUNCHES = 3, 5000


def launch_figures() -> dict[str, float]:
    """Microseconds from call to return, for kernels that do nothing on one program."""
    import torch

    sys.path[:0] = [str(ROOT / "benchmarks")]
    import launch

    tensors = [torch.zeros(64, device="cuda") for _ in range(10)]
    cases = {
        "launch, 1 argument": lambda: launch.one[(1,)](tensors[0]),
        "launch, 5 arguments": lambda: launch.five[(1,)](*tensors[:3], 64, 128),
        "launch, 15 arguments": lambda: launch.fifteen[(1,)](*tensors, 1, 2, 3, 64, 128),
    }
    found = {}
    for name, start in cases.items():
        for _ in range(100):
            start()
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(LAUNCHES):
            start()
        found[name] = (time.perf_counter() - began) / LAUNCHES * 1e6
        torch.cuda.synchronize()
    return found


def kernel_figures() -> dict[str, float]:
    """Milliseconds of the examples' kernels, by Triton's own benchmark."""
    import torch
    from triton.testing import do_bench

    sys.path[:0] = [str(ROOT / "examples")]
    import matmul
    import softmax
    import vector_add

    half = {"device": "cuda", "dtype": torch.float16}
    a, b, c = (torch.randn(4096, 4096, **half) for _ in range(3))
    x, y = (torch.randn(1 << 26, device="cuda") for _ in range(2))
    rows = torch.randn(8192, 4096, device="cuda")
    return {
        "matmul 4096, fp16": do_bench(lambda: matmul.matmul(a, b, out=c)),
        "vector add 2^26, fp32": do_bench(lambda: vector_add.add(x, y)),
        "softmax 8192 x 4096, fp32": do_bench(lambda: softmax.softmax(rows)),
    }


def child(plain: bool) -> dict[str, float]:
    environment = {**os.environ, "TRITON_BACKENDS_IN_TREE": "1" if plain else "0"}
    command = [sys.executable, __file__, "--child"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure() -> list[dict[str, Any]]:
    runs: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for plain in runs:
            runs[plain].append(child(plain))
    rows = []
    for name in runs[True][0]:
        plain, ours = (min(run[name] for run in runs[side]) for side in (True, False))
        rows.append({"figure": name, "plain": plain, "seagrove": ours, "ratio": plain / ours})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps({**launch_figures(), **kernel_figures()}))
        return
    rows = measure()
    for row in rows:
        print(f"{row['figure']:28} {row['plain']:9.3f} {row['seagrove']:9.3f} {row['ratio']:6.2f}")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

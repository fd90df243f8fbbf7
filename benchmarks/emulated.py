"""What an emulated device costs: the start of its worker, a launch, a copy.

Usage: python benchmarks/emulated.py [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import triton
import triton.language as tl

import seagrove
from seagrove.runtime import registry


@triton.jit
def add(x, y, out, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = at < n
    tl.store(out + at, tl.load(x + at, mask=mask) + tl.load(y + at, mask=mask), mask=mask)


def median_us(work: Callable[[], object], times: int) -> float:
    """Median of `times` runs in microseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1e6)
    return statistics.median(taken)


def measure(name: str, bits: int) -> dict[str, Any]:
    """The costs of one device, in microseconds."""
    device = registry.device(name, vector_bits=bits)
    remote = device.driver.remote

    def restart() -> None:
        remote.stop()
        remote.start()

    on_device = [seagrove.zeros(1024, device=device) for _ in range(3)]
    on_host = [torch.zeros(1024) for _ in range(3)]
    large = [torch.zeros(1 << 20) for _ in range(3)]
    found: dict[str, Any] = {"device": name, "vector_bits": bits}
    with seagrove.use(name, vector_bits=bits):
        add[(1,)](*on_device, 1024, BLOCK=1024)
        add[(1,)](*on_host, 1024, BLOCK=1024)
        found["start"] = median_us(restart, 10)
        found["launch_device_tensors"] = median_us(
            lambda: add[(1,)](*on_device, 1024, BLOCK=1024), 300
        )
        found["launch_host_tensors"] = median_us(lambda: add[(1,)](*on_host, 1024, BLOCK=1024), 300)
        add[(1,)](*large, 0, BLOCK=1024)
        found["copies_of_12_MiB"] = median_us(lambda: add[(1,)](*large, 0, BLOCK=1024), 10)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", default="", metavar="FILE")
    args = parser.parse_args()
    rows = [measure("cpu:aarch64", 256), measure("cpu:riscv64", 256)]
    columns = list(rows[0])
    for row in [dict(zip(columns, columns, strict=True)), *rows]:
        cells = (row[c] if isinstance(row[c], (str, int)) else f"{row[c]:.0f}" for c in columns)
        print(*(f"{cell!s:>22}" for cell in cells))
    if args.json:
        Path(args.json).write_text(json.dumps({"unit": "us", "devices": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()

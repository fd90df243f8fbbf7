"""What is paid beside a kernel's own time: compiling, starting a process, launching."""

from __future__ import annotations

import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Row = dict[str, Any]

# Milliseconds (microseconds for a launch) that the project holds itself to.
BARS = {
    "compile vector add": 25.0, "compile matmul 128x128x64 fp16": 120.0,
    "compile causal attention": 300.0, "start of a cached kernel": 150.0,
    "launch with 5 arguments": 2.0,
}  # fmt: skip


def renamed_copy(module: str, kernel: str, number: int) -> Any:
    """An example's module whose kernel has a name of its own, which no cache can know."""
    text = (ROOT / "examples" / f"{module}.py").read_text(encoding="utf-8")
    name = f"{module}_{number}"
    path = Path(os.environ["TRITON_CACHE_DIR"]) / f"{name}.py"
    path.write_text(text.replace(kernel, f"{kernel}_{number}"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def kernel_of(module: Any, stem: str) -> Any:
    return next(value for name, value in vars(module).items() if name.startswith(stem + "_"))


def compile_ms(launch: Callable[[], object]) -> float:
    """Milliseconds that a first launch takes beyond the next one."""
    taken = []
    for _ in range(2):
        start = time.perf_counter()
        launch()
        taken.append((time.perf_counter() - start) * 1e3)
    return taken[0] - taken[1]


def compile_times(smoke: bool) -> list[Row]:
    """Of three kernels in a warm process without any cache, median of several."""
    import torch

    x = torch.ones(4096)
    a = torch.ones(128, 128, dtype=torch.float16)
    q = torch.ones(1, 1, 128, 64, dtype=torch.float16)

    def matmul(module: Any) -> None:
        kernel_of(module, "matmul_kernel")[(1,)](
            a, a, a, 128, 128, 128, 128, 1, 128, 1, 128, 1,
            BLOCK_M=128, BLOCK_N=128, BLOCK_K=64, GROUP_M=8, ACTIVATION="",
        )  # fmt: skip

    kernels: dict[str, tuple[str, str, Callable[[Any], object]]] = {
        "compile vector add": ("vector_add", "add_kernel", lambda m: m.add(x, x)),
        "compile matmul 128x128x64 fp16": ("matmul", "matmul_kernel", matmul),
        "compile causal attention": (
            "attention", "attention_kernel", lambda m: m.attention(q, q, q),
        ),
    }  # fmt: skip
    rows = []
    for name, (module, kernel, launch) in kernels.items():
        copies = [renamed_copy(module, kernel, i) for i in range(2 if smoke else 8)]
        times = [compile_ms(lambda c=copy, run=launch: run(c)) for copy in copies]
        # The first one warms the process up.
        rows.append({"benchmark": name, "ms": statistics.median(times[1:]), "passed": True})
    return rows


START = """
import sys, time
sys.path.insert(0, {examples!r})
import torch, triton, vector_add
x = torch.ones(4096)
start = time.perf_counter()
vector_add.add(x, x)
print((time.perf_counter() - start) * 1e3)
"""


def start_times(smoke: bool) -> list[Row]:
    """First launch of a kernel that is in the cache, in a new process, after the imports."""
    program = START.format(examples=str(ROOT / "examples"))

    def once() -> float:
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return float(done.stdout.split()[-1])

    once()
    times = [once() for _ in range(1 if smoke else 7)]
    return [
        {"benchmark": "start of a cached kernel", "ms": statistics.median(times), "passed": True}
    ]


def launch_times(smoke: bool) -> list[Row]:
    """Of kernels that do nothing on one program, by benchmarks/launch.py."""
    from benchmarks import launch

    if smoke:
        launch.ROUNDS, launch.LAUNCHES = 1, 10
    return [
        {
            "benchmark": f"launch with {row['launch']}",
            "ms": row["us"] / 1e3, "upstream_path_ms": row["upstream_path_us"] / 1e3,
            "passed": True,
        }
        for row in launch.measure()
    ]  # fmt: skip


SECTIONS: dict[str, Callable[[bool], list[Row]]] = {
    "compile": compile_times,
    "start": start_times,
    "launch": launch_times,
}


def measure_overheads(smoke: bool, wanted: Callable[[str], bool]) -> list[Row]:
    """The sections of which `wanted(name)` holds, with the project's bar beside each figure."""
    rows = []
    for name, section in SECTIONS.items():
        if wanted(name):
            rows += section(smoke)
    for row in rows:
        bar = BARS.get(row["benchmark"])
        if bar is not None:
            row["bar_ms"] = bar / 1e3 if row["benchmark"].startswith("launch") else bar
    return rows

"""Speed against torch, and compile times: prints a table, writes JSON.

Usage: python benchmarks/run.py [--smoke] [--threads N] [--only NAME ...] [--json FILE]

Runs on one thread unless told otherwise. Both sides of a comparison run in turn in one process,
with outputs allocated beforehand; `ratio` is torch's median time over ours. A compile time is the
time of the first launch of a kernel without any cache in a process that has compiled another kernel
before, less the time of the next launch.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Row = dict[str, Any]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="small sizes, a few seconds")
    parser.add_argument("--threads", type=int, default=1, help="cores to use (default: 1)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="benchmarks to run")
    parser.add_argument("--json", default="", metavar="FILE", help="where the results go")
    return parser.parse_args()


def prepare_process(threads: int) -> None:
    """Limits the cores, uses an empty kernel cache; must come before torch and triton."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    os.sched_setaffinity(0, cores)
    os.environ["OMP_NUM_THREADS"] = str(len(cores))
    os.environ["TRITON_CACHE_DIR"] = tempfile.mkdtemp(prefix="benchmark-cache-")
    sys.path.insert(0, str(ROOT / "examples"))


def cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(("model name", "Processor")):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def cases(smoke: bool) -> dict[str, Any]:
    """Name -> example case; the sizes of the bars, or small ones."""
    import torch

    vector_add, softmax, layer_norm, matmul, attention = (
        importlib.import_module(name)
        for name in ("vector_add", "softmax", "layer_norm", "matmul", "attention")
    )
    side, rows, vector, context = (256, 256, 1 << 16, 256) if smoke else (1024, 4096, 1 << 24, 2048)
    bf16 = torch.bfloat16
    return {
        "matmul fp32": matmul.case(side, side, side),
        "matmul fp32 512": matmul.case(side // 2, side // 2, side // 2),
        "matmul bf16": matmul.case(side, side, side, bf16),
        "softmax": softmax.case(rows, rows),
        "vector add": vector_add.case(vector),
        "vector add in cache": vector_add.case(1 << 16),
        "layer norm": layer_norm.forward_case(rows, rows),
        "layer norm backward": layer_norm.backward_case(rows // 2, rows // 2),
        "attention fp32": attention.case(1, 8, context, 64),
    }


def measure_speed(name: str, case: Any, smoke: bool) -> Row:
    """Interleaved medians of one case, after a check of its result."""
    import _harness

    result = _harness.run_case(case, budget_s=0.3 if smoke else 4.0)
    return {
        "benchmark": name, "shape": result.shape, "dtype": result.dtype,
        "backend": result.backend, "ms": result.ms, "torch_ms": result.torch_ms,
        "ratio": result.ratio, "passed": result.passed, "failure": result.failure,
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


def compile_ms(launch: Callable[[], object]) -> float:
    """Milliseconds that a first launch takes beyond the next one."""
    taken = []
    for _ in range(2):
        start = time.perf_counter()
        launch()
        taken.append((time.perf_counter() - start) * 1e3)
    return taken[0] - taken[1]


def measure_compile_times(smoke: bool) -> list[Row]:
    """Compile times of three kernels in a warm process, median of several."""
    import torch

    x, a, q = torch.ones(4096), torch.ones(128, 128), torch.ones(1, 1, 128, 64)
    kernels = {
        "compile vector add": ("vector_add", "add_kernel", lambda m: m.add(x, x)),
        "compile matmul 128x128x32": ("matmul", "matmul_kernel", lambda m: m.matmul(a, a)),
        "compile attention 128x64": (
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


def print_row(row: Row) -> None:
    torch_ms, ratio = (f"{row[k]:.3f}" if k in row else "" for k in ("torch_ms", "ratio"))
    verdict = "" if row["passed"] else "FAIL " + row.get("failure", "")
    print(
        f"{row['benchmark']:<26} {row.get('shape', ''):<17} {row.get('dtype', ''):<9}"
        f"{row['ms']:>10.3f} {torch_ms:>10} {ratio:>7} {verdict}",
        flush=True,
    )


def environment(threads: int) -> Row:
    """What the numbers depend on."""
    import _harness
    import torch
    import triton

    return {
        "cpu": cpu_name(), "threads": threads, "backend": _harness.backend_name(),
        "torch": torch.__version__, "triton": triton.__version__,
        "python": platform.python_version(), "command": " ".join(["python", *sys.argv]),
    }  # fmt: skip


def main() -> int:
    args = parse_arguments()
    prepare_process(args.threads)
    facts = environment(args.threads)
    print(", ".join(f"{k} {v}" for k, v in facts.items() if k != "command"))
    print(f"{'benchmark':<26} {'shape':<17} {'dtype':<9}{'ms':>10} {'torch ms':>10} {'ratio':>7}")
    rows: list[Row] = []
    for name, case in cases(args.smoke).items():
        if not args.only or name in args.only:
            rows.append(measure_speed(name, case, args.smoke))
            print_row(rows[-1])
    if not args.only or "compile" in args.only:
        for row in measure_compile_times(args.smoke):
            rows.append(row)
            print_row(row)
    if args.json:
        text = json.dumps({"environment": facts, "results": rows}, indent=1)
        Path(args.json).write_text(text + "\n", encoding="utf-8")
    return int(not all(row["passed"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())

"""Torch Inductor's Triton code on this backend against Inductor's own C++ code and eager.

Usage: python benchmarks/inductor.py [--sizes N ...] [--only MODEL ...] [--threads N] [--json FILE]

For each model of test/inductor/models.py, size and type: the processor time to compile forward and
backward pass with empty caches (of the first call and of the processes it starts, less a later
call; Inductor's own worker processes are off), and the median time of a forward and backward pass,
the three ways in turn. `error` is the largest error of outputs and gradients in units of what
test/inductor/models.py allows: at most 1 is right. `kernels` counts the different Triton kernels
that our driver launched.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Row = dict[str, Any]
WAYS = ("eager", "cpp", "triton")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", nargs="+", type=int, default=[8, 32], metavar="N")
    parser.add_argument("--only", nargs="+", default=[], metavar="MODEL")
    parser.add_argument("--types", nargs="+", default=["float32", "bfloat16"], metavar="TYPE")
    parser.add_argument("--threads", type=int, default=1, help="cores to use (default: 1)")
    parser.add_argument("--json", default="", metavar="FILE", help="where the results go")
    return parser.parse_args()


def prepare_process(threads: int) -> None:
    """Limits the cores and uses empty caches; must come before torch and triton."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    os.sched_setaffinity(0, cores)
    os.environ["OMP_NUM_THREADS"] = str(len(cores))
    for name in ("TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"):
        os.environ[name] = tempfile.mkdtemp(prefix="benchmark-cache-")
    sys.path[:0] = [str(ROOT / "test" / "inductor"), str(ROOT / "benchmarks")]


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def processor_seconds(call: Callable[[], object]) -> float:
    """Of this process and of those that it started and waited for."""
    start = sum(os.times()[:4])
    call()
    return sum(os.times()[:4]) - start


def compile_way(way: str, model: Any) -> Any:
    """The model, compiled that way with Inductor's defaults."""
    import torch
    import torch._inductor.config as config

    if way == "eager":
        return model
    config.cpu_backend = way
    return torch.compile(model)


def medians(calls: dict[str, Callable[[], object]], budget: float = 1.0) -> dict[str, float]:
    """Median milliseconds of each call, run in turn for `budget` seconds at least."""
    samples: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + budget
    while time.perf_counter() < end or min(map(len, samples.values())) < 5:
        for name, call in calls.items():
            samples[name].append(seconds(call) * 1e3)
    return {name: statistics.median(values) for name, values in samples.items()}


def measure(name: str, size: int, dtype: Any, launched: set[str]) -> Row:
    """One row of the table."""
    import models
    import torch

    row: Row = {"model": name, "size": size, "type": str(dtype).removeprefix("torch.")}
    calls: dict[str, Callable[[], object]] = {}
    results: dict[str, Any] = {}
    for way in WAYS:
        torch._dynamo.reset()
        model, x = models.make(name, size, dtype)
        compiled = compile_way(way, model)

        def call(model: Any = model, compiled: Any = compiled, x: Any = x) -> Any:
            return models.run(model, compiled, x)

        launched.clear()
        first = processor_seconds(lambda: results.update({way: call()}))  # noqa: B023
        if way != "eager":
            row[f"compile {way}"] = first - min(seconds(call) for _ in range(3))
        calls[way] = call
    row["kernels"] = len(launched)
    model, x = models.make(name, size, dtype)
    exact = models.run(wide := copy.deepcopy(model).double(), wide, _widen(x))
    for way in ("cpp", "triton"):
        row[f"error {way}"] = models.worst_error(results[way], results["eager"], exact, dtype)
    row.update({f"ms {way}": value for way, value in medians(calls).items()})
    return row


def _widen(x: Any) -> Any:
    return x.double() if x.is_floating_point() else x


COLUMNS = (
    ("model", "<10"), ("size", ">4"), ("type", "<9"), ("kernels", ">7"),
    ("compile cpp", ">11.1f"), ("compile triton", ">14.1f"), ("ms eager", ">9.3f"),
    ("ms cpp", ">9.3f"), ("ms triton", ">9.3f"), ("error cpp", ">9.2f"),
    ("error triton", ">12.2f"),
)  # fmt: skip


def show(row: Row) -> None:
    print("  ".join(format(row[name], form) for name, form in COLUMNS), flush=True)


def main() -> int:
    arguments = parse_arguments()
    prepare_process(arguments.threads)
    import models
    import torch
    import torch._inductor.config as config
    import triton
    from run import cpu_name

    config.compile_threads, config.force_disable_caches = 1, True
    launched: set[str] = set()
    hook = triton.knobs.runtime.launch_enter_hook
    hook.add(lambda metadata: launched.add(metadata.get()["name"]))
    machine = (
        f"cpu {cpu_name()}, threads {arguments.threads}, torch {torch.__version__}, "
        f"triton {triton.__version__}, python {sys.version.split()[0]}"
    )
    print(machine)
    print("compile: processor seconds for forward and backward; ms: one forward and backward pass")
    print("  ".join(format(name, form.split(".")[0]) for name, form in COLUMNS))
    # The headers of the C++ code are prepared once for all models, ours are loaded.
    for way in WAYS:
        torch._dynamo.reset()
        compile_way(way, torch.nn.Linear(4, 4))(torch.ones(4, 4)).sum().backward()
    rows = []
    for name in arguments.only or models.MODELS:
        for size in arguments.sizes:
            for kind in arguments.types:
                rows.append(measure(name, size, getattr(torch, kind), launched))
                show(rows[-1])
    if arguments.json:
        command = [word for word in sys.argv[1:] if word not in ("--json", arguments.json)]
        report = {"machine": machine, "command": command, "rows": rows}
        Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return int(any(row["error triton"] > 1 for row in rows))


if __name__ == "__main__":
    sys.exit(main())

"""How much faster the suite's cases are on several cores than on one.

    python -m benchmarks.scaling [--threads N] [--only NAME ...] [--budget S] [--json FILE]

One core and `--threads` cores take turns in one process, ours and torch, so that a machine that
others use as well slows all sides down alike; the suite, which runs one number of threads after the
other, compares minutes with each other. The first rows are what the machine itself gives: products
in registers, and streams from memory. A speed-up is the median over the turns of one core's time
over that of several, and in brackets the least time over the least.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.run import command_line, environment, prepare_process, wanted

Calls = dict[str, Callable[[int], object]]
SHORTEST_SAMPLE = 1e-3
TURNS = 41


def timed(call: Callable[[int], object], threads: int, repeats: int) -> float:
    """Seconds of a call on `threads` cores, the mean of `repeats` after one that warms up."""
    import torch

    from benchmarks.measure import seconds

    torch.set_num_threads(threads)
    call(threads)
    return seconds(lambda: call(threads), repeats)


def with_tuning(call: Callable[..., object], inputs: tuple[Any, ...], tuner: Any) -> Any:
    """`call(*inputs)` as a function of the number of threads, each with its own tuning."""
    tuned: dict[int, dict[Any, Any]] = {}
    current = 0

    def run(threads: int) -> object:
        nonlocal current
        if tuner is not None and threads != current:
            # The same dictionary: launches that are remembered watch it.
            tuned[current] = dict(tuner.cache)
            tuner.cache.clear()
            tuner.cache.update(tuned.get(threads, {}))
            current = threads
        return call(*inputs)

    return run


def in_turn(calls: Calls, threads: int, budget_s: float) -> dict[str, dict[str, Any]]:
    """Of each side: times on one core and on `threads`, and the speed-up."""
    sides = [(name, count) for name in calls for count in (1, threads)]
    repeats, spent = {}, 0.0
    for name, count in sides:
        timed(calls[name], count, 1)
        pilot = timed(calls[name], count, 1)
        repeats[name, count] = max(1, int(SHORTEST_SAMPLE / max(pilot, 1e-7)))
        spent += pilot * (repeats[name, count] + 1)
    turns = max(5, min(TURNS, int(budget_s / spent)))
    taken: dict[tuple[str, int], list[float]] = {side: [] for side in sides}
    for _ in range(turns):
        for name, count in sides:
            taken[name, count].append(timed(calls[name], count, repeats[name, count]))
    found = {}
    for name in calls:
        one, many = taken[name, 1], taken[name, threads]
        found[name] = {
            "one_ms": statistics.median(one) * 1e3,
            "ms": statistics.median(many) * 1e3,
            "speedup": statistics.median(a / b for a, b in zip(one, many, strict=True)),
            "speedup_of_least": min(one) / min(many),
            "least_ms": min(many) * 1e3,
            "turns": turns,
        }
    return found


def ceilings(threads: int) -> dict[str, Calls]:
    """What bounds any kernel: operations in registers, and memory read and copied."""
    import torch
    import triton

    from benchmarks.ceilings import copy_kernel, fma_kernel, read_kernel

    x = torch.full((128,), 0.5)
    sums = torch.empty(64 * 128)
    n, block, steps = 1 << 25, 1024, 64
    u, v = torch.rand(n), torch.empty(n)
    readers, blocks = triton.cdiv(n, block * steps), triton.cdiv(n, block)
    return {
        "operations in registers": {
            "ours": lambda _: fma_kernel[(64,)](x, sums, 4000, BLOCK=128),
        },
        "reading memory": {
            "ours": lambda _: read_kernel[(readers,)](u, v, n, STEPS=steps, BLOCK=block),
            "torch": lambda _: torch.sum(u),
        },
        "copying memory": {
            "ours": lambda _: copy_kernel[(blocks,)](u, v, n, BLOCK=block),
            "torch": lambda _: v.copy_(u),
        },
    }


def line(name: str, found: dict[str, dict[str, Any]]) -> str:
    cells = [f"{name:<42}"]
    for side in ("ours", "torch"):
        row = found.get(side)
        cells.append(
            f"{row['one_ms']:9.3f} {row['ms']:9.3f} {row['speedup']:5.2f}"
            f" ({row['speedup_of_least']:4.2f})"
            if row
            else " " * 32
        )
    if "torch" in found:
        ours, torch = found["ours"], found["torch"]
        cells.append(
            f"{torch['ms'] / ours['ms']:6.2f} ({torch['least_ms'] / ours['least_ms']:.2f})"
        )
    return "  ".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, metavar="N")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--budget", type=float, default=1.0, metavar="S", help="seconds a case")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the results go")
    options = parser.parse_args()
    prepare_process(options.threads, smoke=False)
    from benchmarks.kernels import all_cases

    facts = environment()
    facts["command"] = command_line("benchmarks.scaling")
    print(", ".join(f"{k} {v}" for k, v in facts.items()))
    print(f"{'':<42}  {'ours: one core, ' + str(options.threads):<32}  {'torch':<32}  ratio")
    found: dict[str, Any] = {}

    def add(name: str, calls: Calls) -> None:
        found[name] = in_turn(calls, options.threads, options.budget)
        print(line(name, found[name]), flush=True)

    for name, calls in ceilings(options.threads).items():
        if wanted(name, options.only):
            add(name, calls)
    for case in all_cases():
        if not wanted(case.name, options.only):
            continue
        inputs = case.make()
        torch = with_tuning(case.eager, inputs, None)
        add(case.name, {"ours": with_tuning(case.ours, inputs, case.tuner), "torch": torch})
    if options.json:
        text = json.dumps({"environment": facts, "threads": options.threads, "cases": found})
        options.json.write_text(text + os.linesep, encoding="utf-8")


if __name__ == "__main__":
    main()

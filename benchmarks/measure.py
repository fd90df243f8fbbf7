"""Checks and times one case: ours, torch eager and Inductor in turn."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from _harness import compare

from benchmarks.case import Case, Tensors

Row = dict[str, Any]
Calls = dict[str, Callable[[], object]]

SAMPLES = 25
SHORTEST_SAMPLE = 2e-4
LONG_CALL = 5.0
INDUCTOR = {"inductor": None, "inductor max": "max-autotune-no-cudagraphs"}


@dataclasses.dataclass
class Budget:
    """Seconds: for the timing of a case, and the most that a single call of torch may take."""

    case_s: float = 2.0
    call_s: float = 20.0
    rates: dict[tuple[str, str], float] = dataclasses.field(default_factory=dict)

    def expected(self, side: str, case: Case) -> float:
        """What a call will take by the smaller cases of its group; 0 where there are none."""
        return self.rates.get((side, case.group), 0.0) * max(case.flops, case.bytes)

    def learn(self, side: str, case: Case, seconds: float) -> None:
        self.rates[side, case.group] = seconds / max(case.flops, case.bytes, 1)


def seconds(call: Callable[[], object], repeats: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def interleaved(calls: Calls, budget_s: float) -> dict[str, list[float]]:
    """Seconds of each call, in turn, each side within its share of the budget.

    A sample is the mean of enough calls to last 0.2 ms. A side gets three samples at least, one if
    a single call takes more than its share.
    """
    share = budget_s / len(calls)
    # A first call may load a library or generate code, so it only counts where it takes seconds.
    firsts = {name: seconds(call) for name, call in calls.items()}
    pilots = {
        name: firsts[name] if firsts[name] > LONG_CALL else seconds(call)
        for name, call in calls.items()
    }
    repeats = {name: max(1, int(SHORTEST_SAMPLE / max(t, 1e-7))) for name, t in pilots.items()}
    slow = {name for name, t in pilots.items() if t > share}
    samples: dict[str, list[float]] = {n: [pilots[n]] if n in slow else [] for n in calls}
    spent = dict.fromkeys(calls, 0.0)
    for turn in range(SAMPLES):
        for name, call in calls.items():
            if name in slow or (turn >= 3 and spent[name] > share):
                continue
            taken = seconds(call, repeats[name])
            samples[name].append(taken)
            spent[name] += taken * repeats[name]
    return samples


def clones(result: Tensors) -> Tensors:
    # The next side may write into the same outputs.
    return result.clone() if isinstance(result, torch.Tensor) else [t.clone() for t in result]


def inductor_calls(case: Case, inputs: tuple[Any, ...]) -> Calls:
    """The case's mathematics, compiled by Inductor to C++ in its default mode and at its best."""
    import torch._inductor.config as config

    config.cpu_backend = "cpp"
    count = len(inputs) - case.outputs

    def into(*arguments: Any) -> Tensors:
        result = case.pure(*arguments[:count])
        if case.own_output:
            return result
        results = [result] if isinstance(result, torch.Tensor) else result
        return [out.copy_(r) for out, r in zip(arguments[count:], results, strict=True)]

    calls: Calls = {}
    for side, mode in INDUCTOR.items():
        torch._dynamo.reset()
        compiled = torch.compile(into, dynamic=False, mode=mode)
        calls[side] = lambda compiled=compiled: compiled(*inputs)  # type: ignore[misc]
    return calls


def start_row(case: Case, threads: int) -> Row:
    return {
        "benchmark": case.name, "group": case.group, "shape": case.shape, "dtype": case.unit,
        "threads": threads, "passed": False, "failure": "", "notes": [],
    }  # fmt: skip


def check(case: Case, inputs: tuple[Any, ...], row: Row) -> Callable[[], object]:
    """Runs ours once (compiling, autotuning) and compares; returns the call to be timed."""

    def ours() -> Tensors:
        return case.ours(*inputs)

    start = time.perf_counter()
    result = clones(ours())
    row["first_s"] = time.perf_counter() - start
    if case.tuner is not None:
        row["autotune_s"] = getattr(case.tuner, "bench_time", None)
        row["config"] = str(getattr(case.tuner, "best_config", "")).split(", num_warps")[0]
    count = len(inputs) - case.outputs
    want = case.reference(*inputs[:count]) if case.reference else case.eager(*inputs)
    row["error"], row["share_of_tolerance"] = compare(result, want, case.tolerance)
    row["tolerance"] = str(case.tolerance)
    row["passed"] = row["share_of_tolerance"] <= 1
    if not row["passed"]:
        row["failure"] = f"error {row['error']:.2e} is beyond {case.tolerance}"
    return ours


def check_inductor(calls: Calls, case: Case, inputs: tuple[Any, ...], row: Row) -> Calls:
    """Warms Inductor's sides up; one that fails is left out with a note."""
    kept: Calls = {}
    for side, call in calls.items():
        try:
            row[f"{side} first_s"] = seconds(call)
            kept[side] = call
        except Exception as failure:
            row["notes"].append(f"{side}: {type(failure).__name__}")
    return kept


def affordable(calls: Calls, case: Case, budget: Budget, row: Row) -> Calls:
    kept: Calls = {}
    for side, call in calls.items():
        expected = budget.expected(side, case)
        if expected > budget.call_s and side != "ours":
            row["notes"].append(f"{side} left out: about {expected:.0f} s a call")
        else:
            kept[side] = call
    return kept


def add_times(row: Row, case: Case, samples: dict[str, list[float]], budget: Budget) -> None:
    keys = {"ours": "ms", "eager": "torch_ms", "inductor": "inductor_ms"}
    keys["inductor max"] = "inductor_max_ms"
    for side, taken in samples.items():
        median = statistics.median(taken)
        row[keys[side]] = median * 1e3
        row[f"{keys[side][:-3]}_samples".lstrip("_")] = len(taken)
        budget.learn(side, case, median)
    if "torch_ms" in row:
        row["ratio"] = row["torch_ms"] / row["ms"]
    others = [row[k] for k in ("torch_ms", "inductor_ms", "inductor_max_ms") if k in row]
    if others:
        row["ratio_to_best"] = min(others) / row["ms"]


def add_roofline(row: Row, case: Case, ceilings: dict[str, Any]) -> None:
    """Rates, and the share of what the measured ceilings allow."""
    if "ms" not in row:
        return
    took = row["ms"] * 1e-3
    row["gbytes_per_s"], row["gflops_per_s"] = case.bytes / took / 1e9, case.flops / took / 1e9
    row["flops_per_byte"] = case.flops / max(case.bytes, 1)
    if not ceilings:
        return
    stream_s = case.bytes / (ceilings["bandwidth"][case.stream]["gbytes_per_s"] * 1e9)
    # Elementwise operations are done in fp32; a product has units of its own.
    unit = case.unit if case.group.startswith(("matmul", "attention")) else "fp32"
    compute_s = case.flops / (ceilings["compute"][unit]["gflops_per_s"] * 1e9)
    row["bound"] = "memory" if stream_s > compute_s else "compute"
    row["roofline"] = max(stream_s, compute_s) / took


def measure(
    case: Case, threads: int, budget: Budget, inductor: bool, timed: bool, ceilings: dict[str, Any]
) -> Row:
    """One row of the results. A failure is a row, too, so that a table shows every case."""
    row = start_row(case, threads)
    try:
        inputs = case.make()
        calls: Calls = {"ours": check(case, inputs, row)}
        if not timed or not row["passed"]:
            return row
        calls["eager"] = lambda: case.eager(*inputs)
        calls = affordable(calls, case, budget, row)
        if inductor:
            compiled = affordable(inductor_calls(case, inputs), case, budget, row)
            calls |= check_inductor(compiled, case, inputs, row)
        add_times(row, case, interleaved(calls, budget.case_s), budget)
        add_roofline(row, case, ceilings)
    except Exception as failure:
        row["passed"] = False
        row["failure"] = f"{type(failure).__name__}: {failure}".strip().splitlines()[0]
    return row

"""Runs an example's cases against torch: error, time, and one table line each.

A case is data (`Case`); this file holds all that the examples share. Times are medians of
interleaved runs, so that a busy machine disturbs both sides alike, and outputs are allocated
before the clock starts wherever torch takes `out=`.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
import triton

INTERPRETED = os.environ.get("TRITON_INTERPRET", "0") not in ("", "0")

Tensors = torch.Tensor | Sequence[torch.Tensor]


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """Largest allowed `|ours - reference|`, element by element: `atol + rtol * |reference|`.

    `why` says where the two numbers come from.
    """

    atol: float
    rtol: float
    why: str

    def __str__(self) -> str:
        if self.atol == 0 and self.rtol == 0:
            return "exact"
        return f"{self.atol:.0e}+{self.rtol:.0e}r"


EXACT = Tolerance(0, 0, "the same operations in the same order")


@dataclasses.dataclass(frozen=True)
class Case:
    """One line of the table.

    `make()` returns the inputs (and preallocated outputs) as a tuple; `run(*inputs)` and
    `torch_run(*inputs)` do the timed work and return the result; `reference(*inputs)` is what
    the result is compared to, where that is not torch's own result.
    """

    kernel: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    make: Callable[[], tuple[Any, ...]]
    run: Callable[..., Tensors]
    torch_run: Callable[..., Tensors]
    tolerance: Tolerance
    reference: Callable[..., Tensors] | None = None
    quick: bool = False


@dataclasses.dataclass(frozen=True)
class Result:
    """What a case gave: `error` is the largest absolute difference, `excess` its largest share of
    the tolerance (a case passes up to 1), times in milliseconds."""

    kernel: str
    backend: str
    shape: str
    dtype: str
    error: float
    tolerance: str
    excess: float
    ms: float
    torch_ms: float
    failure: str = ""

    @property
    def ratio(self) -> float:
        """Speed relative to torch: 2 is twice as fast as torch."""
        return self.torch_ms / self.ms if self.ms else math.nan

    @property
    def passed(self) -> bool:
        return not self.failure and self.excess <= 1


def seeded(seed: int = 0) -> torch.Generator:
    """A generator whose numbers do not depend on what ran before."""
    return torch.Generator().manual_seed(seed)


def randn(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> torch.Tensor:
    """Normal numbers on the host, the same for each call."""
    return torch.randn(shape, generator=seeded(seed)).to(dtype)


def backend_name() -> str:
    """The backend that `triton` launches on."""
    if INTERPRETED:
        return "interpreter"
    return triton.runtime.driver.active.get_current_target().backend


def compare(ours: Tensors, reference: Tensors, tolerance: Tolerance) -> tuple[float, float]:
    """Largest absolute error, and largest error as a share of the tolerance.

    nan must meet nan and an infinity the same infinity; otherwise both results are inf.
    """
    if isinstance(ours, torch.Tensor) and isinstance(reference, torch.Tensor):
        return _compare_one(ours, reference, tolerance)
    pairs = [_compare_one(o, r, tolerance) for o, r in zip(ours, reference, strict=True)]
    return max(p[0] for p in pairs), max(p[1] for p in pairs)


def _compare_one(
    ours: torch.Tensor, reference: torch.Tensor, tolerance: Tolerance
) -> tuple[float, float]:
    if ours.shape != reference.shape:
        return math.inf, math.inf
    if ours.numel() == 0:
        return 0.0, 0.0
    got, want = ours.double(), reference.double()
    same = (got == want) | (got.isnan() & want.isnan())
    error = torch.where(same, 0.0, (got - want).abs())
    error = error.nan_to_num(nan=math.inf)
    allowed = tolerance.atol + tolerance.rtol * want.abs()
    share = torch.where(same, 0.0, error / allowed).nan_to_num(nan=math.inf)
    return error.max().item(), share.max().item()


def interleaved_medians(
    work: Sequence[Callable[[], object]], budget_s: float = 1.0, most: int = 25
) -> list[float]:
    """Median milliseconds of each piece of work, run in turn until `budget_s` is spent.

    At least three rounds are run, at most `most`.
    """
    times: list[list[float]] = [[] for _ in work]
    stop = time.perf_counter() + budget_s
    for turn in range(most):
        if turn >= 3 and time.perf_counter() > stop:
            break
        for fn, taken in zip(work, times, strict=True):
            start = time.perf_counter()
            fn()
            taken.append((time.perf_counter() - start) * 1e3)
    return [statistics.median(taken) for taken in times]


def run_case(case: Case, budget_s: float = 1.0) -> Result:
    """Checks and times one case. An exception becomes the result's `failure`."""
    head = (case.kernel, backend_name(), "x".join(map(str, case.shape)), _dtype_name(case.dtype))
    try:
        inputs = case.make()
        ours = _cloned(case.run(*inputs))
        want = (case.reference or case.torch_run)(*inputs)
        error, excess = compare(ours, want, case.tolerance)
        ms, torch_ms = interleaved_medians(
            [lambda: case.run(*inputs), lambda: case.torch_run(*inputs)], budget_s
        )
    except Exception as failure:
        # A table shows every case, also after a failure.
        text = f"{type(failure).__name__}: {failure}"
        nan = math.nan
        return Result(*head, nan, str(case.tolerance), math.inf, nan, nan, text)
    return Result(*head, error, str(case.tolerance), excess, ms, torch_ms)


def _cloned(result: Tensors) -> Tensors:
    # The torch side may write into the same preallocated output.
    if isinstance(result, torch.Tensor):
        return result.clone()
    return [r.clone() for r in result]


def _dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


_COLUMNS = (
    ("kernel", 24), ("backend", 11), ("shape", 17), ("dtype", 8), ("max error", 9),
    ("tolerance", 12), ("ms", 9), ("torch ms", 9), ("ratio", 6), ("", 4),
)  # fmt: skip


def print_header() -> None:
    print(" ".join(f"{name:<{width}}" for name, width in _COLUMNS))
    print(" ".join("-" * width for _, width in _COLUMNS))


def print_result(result: Result) -> None:
    """One line of the table, and the reason below it where a case failed to run."""
    cells = (
        result.kernel, result.backend, result.shape, result.dtype, f"{result.error:.1e}",
        result.tolerance, f"{result.ms:.3f}", f"{result.torch_ms:.3f}", f"{result.ratio:.2f}",
        "PASS" if result.passed else "FAIL",
    )  # fmt: skip
    print(" ".join(f"{c:<{w}}" for c, (_, w) in zip(cells, _COLUMNS, strict=True)), flush=True)
    if result.failure:
        print(f"    {result.failure.strip().splitlines()[0]}", flush=True)


def write_json(results: Sequence[Result], path: str) -> None:
    """All results with the derived columns, as a list of objects."""
    rows = [{**dataclasses.asdict(r), "ratio": r.ratio, "passed": r.passed} for r in results]
    with open(path, "w", encoding="utf-8") as out:
        json.dump(rows, out, indent=1)
        out.write("\n")


def main(cases: Sequence[Case], *, quick: bool = False, json_path: str = "") -> int:
    """Runs the cases and prints the table; the exit status counts the failures (at most 1)."""
    chosen = [c for c in cases if c.quick] if quick else cases
    print_header()
    results = []
    for case in chosen:
        results.append(run_case(case, budget_s=0.2 if quick else 1.0))
        print_result(results[-1])
    failed = sum(not r.passed for r in results)
    print(f"{len(results) - failed}/{len(results)} pass; ratio = torch ms / ms")
    if json_path:
        write_json(results, json_path)
    return int(failed > 0)

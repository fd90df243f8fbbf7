"""Generates kernels, judges them, shrinks and saves what is found."""

from __future__ import annotations

import collections
import importlib
import re
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, reject, seed, settings

from seagrove.testing.differential import reducer, reproducer
from seagrove.testing.differential.generator import programs
from seagrove.testing.differential.ir import Op, Program, statements
from seagrove.testing.differential.ops import Rejected
from seagrove.testing.differential.oracle import Oracle, Verdict

CHUNK = 200


@dataclass(frozen=True)
class Finding:
    """An unexplained difference, shrunk as far as the time allowed."""

    seed: int
    text: str
    reproducer: str = ""


@dataclass
class Report:
    """What a run found; counts add up over chunks."""

    kernels: int = 0
    rejected: int = 0
    seconds: float = 0.0
    explained: collections.Counter[str] = field(default_factory=collections.Counter)
    constructs: collections.Counter[str] = field(default_factory=collections.Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Report) -> None:
        self.kernels += other.kernels
        self.rejected += other.rejected
        self.explained += other.explained
        self.constructs += other.constructs
        self.findings += other.findings

    def as_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "seconds": round(self.seconds, 1),
            "explained": dict(sorted(self.explained.items())),
            "constructs": dict(sorted(self.constructs.items())),
        }


@dataclass(frozen=True)
class Options:
    """What a run does.

    Attributes:
        shrink_s: longest time to make one finding smaller; 0 keeps it as it was drawn.
    """

    count: int = 2000
    seed: int = 0
    jobs: int = 1
    save_dir: Path | None = None
    shrink_s: float = 60.0
    interpret: bool = True
    timeout_s: float = 60.0


class _Found(Exception):
    """Tells hypothesis that a program shows a finding."""


@contextmanager
def same_draws_everywhere() -> Iterator[None]:
    """Makes a seed draw the same kernels in each process.

    Hypothesis also draws constants that it finds in the text of modules that are loaded and not
    installed, so that one seed would give other kernels in a test run than by the command line.
    """
    providers: Any = importlib.import_module("hypothesis.internal.conjecture.providers")
    found = getattr(providers, "_get_local_constants", None)
    if found is None:
        yield
        return
    providers._get_local_constants = providers.Constants
    providers.CONSTANTS_CACHE.cache.clear()
    try:
        yield
    finally:
        providers._get_local_constants = found
        providers.CONSTANTS_CACHE.cache.clear()


class Search:
    """One sequence of programs from one seed, until it ends or something is found."""

    def __init__(self, oracle: Oracle, shrink_s: float) -> None:
        self.oracle = oracle
        self.shrink_s = shrink_s
        self.report = Report()
        self.kind = ""
        self.smallest: tuple[Program, str] | None = None
        self.known: set[str] = set()
        self.deadline = 0.0

    def run(self, count: int, number: int) -> None:
        """Judges up to `count` programs."""
        phases = [Phase.generate] + [Phase.shrink] * (self.shrink_s > 0)
        shown: Any = given(programs())(self._check)
        limits = settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            report_multiple_bugs=False,
        )
        try:
            with same_draws_everywhere():
                seed(number)(limits(shown))()
        except _Found:
            pass
        except Exception:
            # Hypothesis calls a shrinking that ran out of time flaky.
            if self.smallest is None:
                raise

    def _check(self, program: Program) -> None:
        text = repr(program)
        if text in self.known:
            raise _Found
        if self.kind and time.monotonic() > self.deadline:
            return
        try:
            verdict = self.oracle.judge(program)
        except Rejected:
            self.report.rejected += not self.kind
            reject()
        if not self.kind:
            self._count(program, verdict)
        if not verdict.finding or (self.kind and kind_of(verdict) != self.kind):
            return
        if not self.kind:
            self.kind = kind_of(verdict)
            self.deadline = time.monotonic() + self.shrink_s / 4
        self.known.add(text)
        if self.smallest is None or len(text) <= len(repr(self.smallest[0])):
            self.smallest = program, verdict.finding
        raise _Found

    def reduce(self) -> tuple[Program, str]:
        """The finding after the reducer has taken statements out."""
        assert self.smallest is not None
        program, text = self.smallest
        texts = {repr(program): text}

        def fails(smaller: Program) -> bool:
            try:
                verdict = self.oracle.judge(smaller)
            except Exception:  # A name without a value, a race: no program to look at.
                return False
            texts[repr(smaller)] = verdict.finding
            return bool(verdict.finding) and kind_of(verdict) == self.kind

        smallest = reducer.shrink(program, fails, self.shrink_s)
        return smallest, texts[repr(smallest)]

    def _count(self, program: Program, verdict: Verdict) -> None:
        self.report.kernels += 1
        self.report.explained.update(verdict.explained)
        body = statements(program.body)
        names = {item.op if isinstance(item, Op) else type(item).__name__.lower() for item in body}
        self.report.constructs.update(names)


def kind_of(verdict: Verdict) -> str:
    """What must stay the same while a finding shrinks: who disagrees, and the kind of failure."""
    parts = []
    for engine, text in sorted(verdict.details.items()):
        # The last line of an error is the one that names it.
        head = re.sub(
            r"[\d.]+", "#", (text if text.startswith("storage") else text.splitlines()[-1])
        )
        parts.append(f"{engine}:{'differs' if head.startswith('storage') else head[:60]}")
    return "; ".join(parts)


def run_chunk(options: Options, number: int, count: int) -> Report:
    """Judges `count` programs from one seed on; goes on after a finding."""
    total = Report()
    with Oracle(options.interpret, options.timeout_s) as oracle:
        for start in _seeds(number):
            search = Search(oracle, options.shrink_s)
            search.run(count - total.kernels, start)
            total.add(search.report)
            if search.smallest is not None:
                program, text = search.reduce()
                path = reproducer.save(options.save_dir, program, text, start)
                total.findings.append(Finding(start, text, path))
            if total.kernels >= count or (search.smallest is None and not search.report.kernels):
                return total
    return total


def _seeds(number: int) -> Iterator[int]:
    while True:
        yield number
        number += 1_000_003


def run(options: Options, progress: Any = None) -> Report:
    """Runs all chunks, on `options.jobs` processes."""
    start = time.monotonic()
    total = Report()
    counts = [min(CHUNK, options.count - at) for at in range(0, options.count, CHUNK)]
    numbers = [options.seed * 10_000 + chunk for chunk in range(len(counts))]
    with ProcessPoolExecutor(options.jobs) as pool:
        for part in pool.map(run_chunk, [options] * len(counts), numbers, counts):
            total.add(part)
            if progress:
                progress(total)
    total.seconds = time.monotonic() - start
    return total

"""Do the oracles notice a broken compiler? `python -m seagrove.testing.mutations`.

Each kind of mistake that the pass plant-miscompile knows is planted into the kernels of the
differential runner, until the runner's comparison has caught it, or has missed it too often.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from seagrove.compiler.options import CodegenOptions
from seagrove.compiler.stages import compile_ttir
from seagrove.compiler.targets import TargetDescription
from seagrove.testing.differential import reference
from seagrove.testing.differential.generator import programs
from seagrove.testing.differential.ir import Program
from seagrove.testing.differential.isolation import Worker
from seagrove.testing.differential.ops import Rejected
from seagrove.testing.differential.oracle import compile_options, difference, request

# As in lib/Testing/Mistakes.h, which says what each is.
KINDS = (
    "store-one-more",
    "load-one-less",
    "load-low-ignored",
    "store-mask-dropped",
    "load-mask-dropped",
    "other-is-zero",
    "tail-uninitialised",
    "stride-off-by-one",
    "strides-swapped",
    "stale-address",
    "stale-accumulator",
    "loop-one-less",
    "load-past-store",
    "atomic-returns-new",
    "atomic-mask-dropped",
    "program-axis",
    "branch-inverted",
    "reduction-from-zero",
    "reduction-other-axis",
    "argmax-takes-last",
    "scan-exclusive",
    "scan-forward",
    "transpose-forgotten",
    "broadcast-other-axis",
    "join-swapped",
    "dot-drops-accumulator",
    "zero-extend",
    "sign-extend",
    "nan-lost",
    "nan-gained",
    "select-swapped",
    "signed-compare",
    "unsigned-compare",
    "compare-or-equal",
    "unsigned-extremes",
    "round-to-zero",
    "integer-cast-rounds",
    "unsigned-to-float",
    "division-floors",
    "remainder-unsigned",
    "shift-logical",
    "shift-arithmetic",
    "clamp-half",
    "fused-sign",
    "fused-unasked",
    "division-by-reciprocal",
    "negated-zero",
    "narrow-multiply",
)


@dataclass
class Tally:
    """What became of one kind.

    Attributes:
        changed: kernels that the mistake changed and that were run with it.
        caught: how many of these gave a result that the oracle refuses.
        until_caught: of the changed kernels, which was the first to be caught; 0: none.
        kernels: how many kernels the generator had made by then.
        refused: kernels that no longer compiled; they say nothing.
        how: what the first catch looked like.
    """

    changed: int = 0
    caught: int = 0
    until_caught: int = 0
    kernels: int = 0
    refused: int = 0
    how: str = ""

    def note(self, text: str, kernels: int) -> None:
        if _is_refusal(text):
            self.refused += 1
            return
        self.changed += 1
        if text and not self.caught:
            self.until_caught, self.kernels, self.how = self.changed, kernels, text[:120]
        self.caught += bool(text)


def _is_refusal(text: str) -> bool:
    return "CompileError" in text or "CompilationError" in text


@dataclass
class Hunt:
    """Plants every kind into one kernel after the other.

    Attributes:
        least: changed kernels to run for each kind even after it was caught, for a rate.
        most: changed kernels after which a kind counts as missed.
    """

    worker: Worker
    target: TargetDescription
    least: int = 5
    most: int = 100
    kernels: int = 0
    tallies: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in KINDS})

    def open_kinds(self) -> list[str]:
        return [
            kind
            for kind, tally in self.tallies.items()
            if tally.changed < (self.least if tally.caught else self.most)
        ]

    def consider(self, program: Program) -> None:
        """Runs the program with each open mistake that changes it."""
        kinds = self.open_kinds()
        try:
            want = reference.evaluate(program)
        except Rejected:
            return
        plain = compile_options(program, 3)
        answer = self.worker.run(request(program, {"plain": plain}))["plain"]
        if difference(answer, want):
            return
        self.kernels += 1
        changed = self.changed(answer.ttir, program, kinds)
        runs = {kind: {**plain, "planted_miscompile": kind} for kind in changed}
        if runs:
            answers = self.worker.run(request(program, runs))
            for kind in changed:
                self.tallies[kind].note(difference(answers[kind], want), self.kernels)

    def changed(self, ttir: str, program: Program, kinds: list[str]) -> list[str]:
        """The kinds that find in this kernel what they are about."""
        options = CodegenOptions(enable_fp_fusion=program.fusion)
        plain = compile_ttir(ttir, self.target, options, emit="tensor").output
        found = []
        for kind in kinds:
            planted = replace(options, planted_miscompile=kind)
            if compile_ttir(ttir, self.target, planted, emit="tensor").output != plain:
                found.append(kind)
        return found


def hunt(count: int, number: int, progress: Any = None) -> Hunt:
    """Considers up to `count` kernels; ends when no kind is open."""
    from seagrove.backends.cpu import describe

    with Worker() as worker:
        state = Hunt(worker, describe(""))

        def consider(program: Program) -> None:
            if state.open_kinds():
                state.consider(program)
                if progress:
                    progress(state)

        chunk = 100
        for start in range(0, count, chunk):
            if state.open_kinds():
                limits = settings(
                    max_examples=min(chunk, count - start),
                    database=None,
                    deadline=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                test: Any = given(programs())(consider)
                seed(number * 10_000 + start)(limits(test))()
    return state


def summary(state: Hunt) -> dict[str, Any]:
    """The report: a row for each kind, and the share of kinds that were caught."""
    caught = sum(tally.caught > 0 for tally in state.tallies.values())
    return {
        "kinds": len(state.tallies),
        "caught": caught,
        "share": round(caught / len(state.tallies), 3),
        "never_applied": [kind for kind, tally in state.tallies.items() if not tally.changed],
        "kernels": state.kernels,
        "mistakes": {kind: dict(tally.__dict__) for kind, tally in state.tallies.items()},
    }


def table(data: dict[str, Any]) -> str:
    """A report's rows as the table of docs/oracles.md."""
    rows = ["| mistake | kernels it changed | caught | until the first catch |", "| --- " * 4 + "|"]
    for kind, tally in data["mistakes"].items():
        first = tally["until_caught"] or "-"
        rows.append(f"| `{kind}` | {tally['changed']} | {tally['caught']} | {first} |")
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m seagrove.testing.mutations",
        description="plant mistakes into the compiler and see whether the oracles notice",
    )
    parser.add_argument("--count", type=int, default=1000, help="kernels to consider at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=Path, help="write the outcome of each kind to this JSON")
    parser.add_argument("--table", type=Path, help="print a report as a table and leave")
    args = parser.parse_args()
    if args.table:
        print(table(json.loads(args.table.read_text(encoding="utf-8"))))
        return 0
    start = time.monotonic()
    state = hunt(args.count, args.seed, _show if sys.stderr.isatty() else None)
    data = summary(state)
    data["seconds"] = round(time.monotonic() - start, 1)
    for kind, tally in state.tallies.items():
        print(f"{kind:24} changed {tally.changed:4}  caught {tally.caught:4}  {tally.how[:60]}")
    print(f"{data['caught']} of {data['kinds']} kinds caught ({data['share']:.1%})")
    if data["never_applied"]:
        print(f"never applied: {', '.join(data['never_applied'])}")
    if args.report:
        command = f"python -m seagrove.testing.mutations --count {args.count} --seed {args.seed}"
        args.report.write_text(json.dumps({"command": command, **data}, indent=1) + "\n")
    return 0 if data["share"] >= 0.95 and not data["never_applied"] else 1


def _show(state: Hunt) -> None:
    print(f"\r{state.kernels} kernels, {len(state.open_kinds())} kinds open ", end="")


if __name__ == "__main__":
    sys.exit(main())

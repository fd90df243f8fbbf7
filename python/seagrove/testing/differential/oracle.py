"""Runs one program on every engine and says whether they agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from seagrove.testing.differential import formats, printer, reference, rules
from seagrove.testing.differential.compare import differences
from seagrove.testing.differential.ir import Program
from seagrove.testing.differential.isolation import TIMEOUT_S, Worker
from seagrove.testing.differential.worker import Answer, Request

COMPILED = ("O0", "O3")
INTERPRETER = "interpreter"


@dataclass(frozen=True)
class Verdict:
    """What comparing one program gave.

    Attributes:
        finding: "" or the engines that disagree with NumPy, and how.
        explained: names of the rules that account for other differences.
        ttir: what the front end made of the kernel.
    """

    finding: str = ""
    explained: tuple[str, ...] = ()
    ttir: str = ""
    details: dict[str, str] = field(default_factory=dict)


def request(program: Program, runs: dict[str, dict[str, Any]]) -> Request:
    """The program as a worker takes it."""
    return Request(
        printer.source(program),
        reference.initial_bytes(program),
        [_argument(program, b.name, b.storage, b.start) for b in program.buffers],
        [scalar.value for scalar in program.scalars],
        program.grid,
        runs,
    )


def _argument(program: Program, name: str, storage: int, start: int) -> tuple[int, int, str]:
    dtype = program.buffer_dtype(name)
    return storage, start * formats.item_bytes(dtype), formats.ARGUMENT_NAMES[dtype]


def compile_options(program: Program, level: int) -> dict[str, Any]:
    return {"opt_level": level, "enable_fp_fusion": program.fusion}


class Oracle:
    """Our CPU at O0 and O3, Triton's interpreter, and NumPy as the arbiter."""

    def __init__(self, interpret: bool = True, timeout_s: float = TIMEOUT_S) -> None:
        self.compiled = Worker(timeout_s=timeout_s)
        self.interpreter = Worker(interpret=True, timeout_s=timeout_s) if interpret else None

    def __enter__(self) -> Oracle:
        return self

    def __exit__(self, *error: object) -> None:
        self.compiled.close()
        if self.interpreter is not None:
            self.interpreter.close()

    def judge(self, program: Program) -> Verdict:
        """Compares the engines on one program.

        Raises:
            Rejected: if the program has no one result.
        """
        want = reference.evaluate(program)
        runs = {name: compile_options(program, int(name[1:])) for name in COMPILED}
        answers = self.compiled.run(request(program, runs))
        wrong = {name: difference(answers[name], want) for name in COMPILED}
        wrong = {name: text for name, text in wrong.items() if text}
        ttir = answers["O3"].ttir
        if wrong:
            finding = "; ".join(f"{name}: {text}" for name, text in wrong.items())
            return Verdict(finding, ttir=ttir, details=wrong)
        if self.interpreter is None:
            return Verdict(ttir=ttir)
        answer = self.interpreter.run(request(program, {INTERPRETER: {}}))[INTERPRETER]
        text = difference(answer, want)
        if not text:
            return Verdict(ttir=ttir)
        explained = rules.explain(program, text)
        if explained:
            return Verdict(explained=explained, ttir=ttir, details={INTERPRETER: text})
        return Verdict(f"{INTERPRETER}: {text}", ttir=ttir, details={INTERPRETER: text})


def difference(answer: Answer, want: list[reference.Memory]) -> str:
    """ "" where a run gave what NumPy says, or else how it differs."""
    return answer.error or differences(answer.storages, want)

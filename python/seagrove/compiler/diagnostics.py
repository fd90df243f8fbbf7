"""Messages about the user's program: their text, and what each code means."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seagrove.compiler.codes import EXPLANATIONS
from seagrove.errors import CompileError

if TYPE_CHECKING:
    from seagrove import _seagrove


@dataclass(frozen=True)
class Diagnostic:
    """One message. `line` and `column` count from 1; 0 means unknown."""

    severity: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    code: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def from_native(cls, item: _seagrove.Diagnostic) -> Diagnostic:
        return cls(
            severity=item.severity,
            message=item.message,
            file=item.file,
            line=item.line,
            column=item.column,
            code=item.code,
            # The IR of the moment is not in the user's terms.
            notes=tuple(n for n in item.notes if not n.startswith("see current operation")),
        )


@dataclass(frozen=True)
class Decision:
    """What a pass chose, at a line of the user's source; 0 means unknown.

    Attributes:
        topic: the kind of choice, one word: "product", "loop", "stores", ...
        text: what was chosen, and why.
    """

    topic: str
    text: str
    file: str = ""
    line: int = 0
    column: int = 0

    @classmethod
    def from_native(cls, item: _seagrove.Decision) -> Decision:
        return cls(item.topic, item.text, item.file, item.line, item.column)


def format_decisions(decisions: Sequence[Decision]) -> str:
    """Decisions under the source lines that they are about, each once, in the source's order."""
    places: dict[tuple[str, int], dict[str, None]] = {}
    for item in decisions:
        places.setdefault((item.file, item.line), {})[f"  {item.topic:10} {item.text}"] = None
    lines: list[str] = []
    for (file, line), texts in sorted(places.items()):
        source = linecache.getline(file, line).strip() if line else ""
        lines += [f"{file}:{line}  {source}".rstrip() if line else "somewhere", *texts]
    return "\n".join(lines)


def format_diagnostic(item: Diagnostic) -> str:
    """The message as the user sees it: headline, source line with a caret, why, what to do."""
    code = f"[{item.code}]" if item.code else ""
    lines = [f"{item.severity}{code}: {item.message}", *_source_excerpt(item)]
    lines += [f"  = note: {note}" for note in item.notes]
    if item.code:
        explanation = EXPLANATIONS.get(item.code)
        if explanation and explanation.advice:
            lines.append(f"  = do:   {explanation.advice}")
        lines.append(f"  = more: seagrove explain {item.code}")
    return "\n".join(lines)


def _source_excerpt(item: Diagnostic) -> list[str]:
    if not item.file or not item.line:
        return []
    place = f"{item.file}:{item.line}" + (f":{item.column}" if item.column else "")
    source = linecache.getline(item.file, item.line).rstrip("\n")
    if not source:
        return [f"  --> {place}"]
    number = str(item.line)
    margin = " " * len(number)
    excerpt = [f"{margin} --> {place}", f"{number} | {source}"]
    if item.column:
        # A tab before the caret stays a tab, so that the caret stands below its column.
        before = "".join("\t" if c == "\t" else " " for c in source[: item.column - 1])
        excerpt.append(f"{margin} | {before}^")
    return excerpt


def compile_error(diagnostics: Sequence[Diagnostic]) -> CompileError:
    """The exception for a failed compilation: the errors first, then what else was said."""
    errors = [item for item in diagnostics if item.severity == "error"] or [
        Diagnostic("error", "the compiler failed and gave no reason", code="SG0001")
    ]
    text = "\n".join(format_diagnostic(item) for item in errors)
    error = CompileError(text, code=errors[0].code)
    error.diagnostics = tuple(diagnostics)
    return error


def explain(code: str) -> str:
    """The long text for a code such as "SG0601".

    Raises:
        KeyError: for a code that does not exist.
    """
    entry = EXPLANATIONS[code.upper()]
    parts = [f"{code.upper()}: {entry.headline}", f"Why\n  {entry.why}", f"Do\n  {entry.advice}"]
    if entry.example:
        parts.append("Example\n" + "\n".join(f"  {line}" for line in entry.example.splitlines()))
    return "\n\n".join(parts)

"""Saves a program as a file that shows its difference by itself, and replays such files."""

from __future__ import annotations

import hashlib
import importlib.util
import textwrap
from pathlib import Path
from typing import Any

from seagrove.testing.differential import printer
from seagrove.testing.differential.ir import Program
from seagrove.testing.differential.ops import Rejected
from seagrove.testing.differential.oracle import Oracle

_HEAD = '''"""A kernel on which engines disagree. Run this file, or replay it with
`python -m seagrove.testing.differential --replay FILE`.

{finding}
"""

'''
_TAIL = """
# The same kernel with its launch, as the oracles build it.
from seagrove.testing.differential import reproducer  # noqa: E402
from seagrove.testing.differential.ir import *  # noqa: E402, F403

PROGRAM = {program}

if __name__ == "__main__":
    raise SystemExit(reproducer.replay(PROGRAM))
"""


def save(folder: Path | None, program: Program, finding: str, seed: int) -> str:
    """Writes the file; returns its name, or "" where there is no folder."""
    if folder is None:
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(repr(program).encode()).hexdigest()[:8]
    path = folder / f"finding_{seed}_{digest}.py"
    quoted = finding.replace("\\", "/").replace('"""', "'''")
    text = _HEAD.format(finding=textwrap.fill(quoted[:1500], 98))
    text += printer.source(program) + _TAIL.format(program=repr(program))
    path.write_text(text, encoding="utf-8")
    return path.name


def load(path: Path) -> Program:
    """The program of a saved file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    program: Program = module.PROGRAM
    return program


def replay(program: Program) -> int:
    """Judges a program again and prints the verdict; returns 1 where the engines disagree."""
    with Oracle() as oracle:
        try:
            verdict = oracle.judge(program)
        except Rejected as reason:
            print(f"not a test: {reason}")
            return 2
    if verdict.finding:
        print(f"finding: {verdict.finding}")
        return 1
    print("the engines agree", *(f"(but for {name})" for name in verdict.explained))
    return 0

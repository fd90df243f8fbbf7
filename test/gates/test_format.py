"""Formatters, linters and the type checker are satisfied."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
import source_tree as tree


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=tree.ROOT, capture_output=True, text=True)
    output = (done.stdout + done.stderr)[-4000:]
    assert done.returncode == 0, f"{' '.join(command)}\n{output}"


def test_ruff_check() -> None:
    run(sys.executable, "-m", "ruff", "check", ".")


def test_ruff_format() -> None:
    run(sys.executable, "-m", "ruff", "format", "--check", ".")


@pytest.mark.slow
def test_types() -> None:
    run(sys.executable, "tools/type_check.py")


@pytest.mark.skipif(shutil.which("clang-format") is None, reason="clang-format is not installed")
def test_clang_format() -> None:
    run(sys.executable, "tools/clang_format.py", "--check")

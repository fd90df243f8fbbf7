"""The pages of the conformance suite are those that its kept results make."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest
import source_tree as tree


@pytest.fixture(scope="module")
def matrix() -> ModuleType:
    path = tree.ROOT / "test/conformance/matrix.py"
    spec = importlib.util.spec_from_file_location("conformance_matrix", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_fresh(matrix: ModuleType) -> None:
    stale = [str(path) for path, text in matrix.pages().items() if path.read_text() != text]
    assert not stale, "renew them: python test/conformance/matrix.py"


def test_a_run_is_kept_and_shown(matrix: ModuleType) -> None:
    outcomes = [("a", "pass", ""), ("b", "refused", "no beads"), ("c", "fail", "died")]
    cases = [
        {"id": f"x/{name}/int8", "primitive": f"tl.{name}", "dtype": "int8", "outcome": outcome,
         "reason": reason}
        for name, outcome, reason in outcomes
    ]  # fmt: skip
    result = matrix.kept({"backend": "abacus:2", "mode": "run", "triton": "3", "cases": cases})
    assert result["good"] == {"tl.a": {"int8": 1}} and len(result["others"]) == 2
    page = matrix.backend_page([result])
    for line in (
        "| `abacus:2` | runs and matches | 3 | 1/3 | 3 | 1 | 1 | 1 |",
        "| `tl.a` | runs |",
        "| `tl.b` | refused |",
        "| `tl.c` | **fails 1/1** |",
        "- 1: no beads (`x/b/int8`)",
    ):
        assert line in page.splitlines()

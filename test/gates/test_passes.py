"""Each pass has a lit test of its name, and the generated pages are what the compiler does."""

from __future__ import annotations

import re
from collections.abc import Callable

import gen_dialect_reference
import gen_pass_reference
import pages
import pytest
import source_tree as tree

GENERATORS = [gen_pass_reference.generate, gen_dialect_reference.generate]


def each_pass(wanted: Callable[[tree.Pass], bool] = lambda _: True) -> list[object]:
    return [pytest.param(p, id=p.name) for p in tree.passes() if wanted(p)]


def test_passes_are_found() -> None:
    assert tree.passes()


@pytest.mark.parametrize("item", each_pass())
def test_pass_has_a_lit_test(item: tree.Pass) -> None:
    runs = [flag for test in item.tests for flag in gen_pass_reference.flags(tree.text(test))]
    assert item.tests, f"{item.td}: no test {item.name}.mlir"
    assert any(re.search(rf"\b{item.name}\b", flag) for flag in runs), (
        f"{item.tests[0]} does not run --{item.name}"
    )


@pytest.mark.parametrize("item", each_pass(lambda p: p.emits_errors))
def test_pass_errors_are_tested(item: tree.Pass) -> None:
    assert item.error_tests, f"{item.name} emits errors; no test {item.name}-errors.mlir"


@pytest.mark.parametrize("item", each_pass())
def test_pass_has_an_example(item: tree.Pass) -> None:
    page = tree.ROOT / gen_pass_reference.FOLDER / f"{item.name}.md"
    assert page.exists() and "\nbecomes\n" in page.read_text(), f"run `make docs`: {page.name}"


@pytest.mark.parametrize("generate", GENERATORS, ids=lambda f: f.__module__)
def test_generated_pages_are_fresh(generate: Callable[[], pages.Pages]) -> None:
    assert not pages.stale(generate()), "run `make docs`"


def test_no_page_of_a_pass_that_is_gone() -> None:
    known = {f"{p.name}.md" for p in tree.passes()} | {"README.md"}
    folder = tree.ROOT / gen_pass_reference.FOLDER
    assert not {p.name for p in folder.glob("*.md")} - known

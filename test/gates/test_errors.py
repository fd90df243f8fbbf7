"""Every error code that the sources use is explained, and the page of errors is fresh."""

from __future__ import annotations

import re

import gen_errors
import pages
import source_tree as tree

from seagrove.compiler.codes import EXPLANATIONS

CODE = re.compile(r"\bSG\d{4}\b")
TABLE = "codes.py"
COMMENT = re.compile(r"^\s*(?://|#).*$", re.MULTILINE)


def used_codes() -> dict[str, str]:
    """Code -> a file that raises it."""
    folders = ("lib", "include", "python", "third_party")
    suffixes = (*tree.CPP_SUFFIXES, ".py", ".td")
    return {
        code: str(path)
        for path in tree.under(*folders, suffixes=suffixes)
        if path.name != TABLE and not tree.is_test(path)
        for code in re.findall(r'"(SG\d{4})[":]', COMMENT.sub("", tree.text(path)))
    }


def test_codes_are_explained() -> None:
    assert not {code: path for code, path in used_codes().items() if code not in EXPLANATIONS}


def test_explanations_are_of_codes_in_use() -> None:
    mentioned = "\n".join(
        tree.text(path)
        for path in tree.under("lib", "include", "python", "third_party")
        if path.name != TABLE
    )
    assert not set(EXPLANATIONS) - set(CODE.findall(mentioned))


def test_page_is_fresh() -> None:
    assert not pages.stale(gen_errors.generate()), "run `make docs`"

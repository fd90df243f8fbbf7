"""What the pages say exists: commands, files that they link to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import source_tree as tree

PAGES = tree.under(suffixes=(".md",))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", tree.text(Path("Makefile")), re.MULTILINE))


def test_make_commands_exist() -> None:
    used = {
        (str(page), name)
        for page in PAGES
        for name in re.findall(r"(?:`|^\s*(?:\$ )?)make ([a-z][a-z-]*)", tree.text(page), re.M)
    }
    assert {name for _, name in used} >= {"run", "test"}
    assert not {(page, name) for page, name in used if name not in make_targets()}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_resolve(page: Path) -> None:
    broken = []
    for link in LINK.findall(CODE.sub("", tree.text(page))):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        target = tree.ROOT / link.lstrip("/") if link[0] == "/" else tree.ROOT / page.parent / link
        if not target.exists():
            broken.append(link)
    assert not broken


def test_no_placeholder_is_left() -> None:
    marks = "TO" + "DO|FIX" + "ME|PLACE" + "HOLDER"
    assert not [str(p) for p in PAGES if re.search(rf"\b(?:{marks})\b", tree.text(p))]

"""Writes docs/passes/: for each pass its description and an executed before/after.

The example is the first case of the lit test of the pass's name, with the flags of its first RUN
line, run here and now; a page can therefore not show what the compiler does not do.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pages
import source_tree as tree

FOLDER = Path("docs/passes")
MAX_LINES = 70
_CHECK_LINE = re.compile(r"^\s*//\s*[A-Z][A-Z0-9_-]*(?:\{LITERAL\})?:.*\n", re.MULTILINE)
_RUN = re.compile(r"^//\s*RUN:\s*(.*?)(?<!\\)$", re.MULTILINE | re.DOTALL)
_NO_PASS_FLAG = re.compile(
    r"^(?:--?(?:split-input-file|verify-diagnostics|verify-each|o)(?:=.*)?|%s|2>&1|&&)$"
)


def flags(test: str) -> list[str]:
    """The options that the test's first RUN line gives to seagrove-opt."""
    for run in _RUN.findall(test):
        command = re.sub(r"\\\n//\s*RUN:", " ", run)
        found = re.search(r"seagrove-opt\b([^|]*)", command)
        if found:
            words = re.findall(r"(?:[^\s'\"]|'[^']*'|\"[^\"]*\")+", found.group(1))
            words = [re.sub(r"['\"]", "", word) for word in words]
            return [word for word in words if not _NO_PASS_FLAG.match(word)]
    return []


def cases(test: str) -> Iterator[str]:
    """Candidates for the example, shortest first: a function, then all of the first case."""
    first = re.split(r"^// -----.*$", test, maxsplit=1, flags=re.MULTILINE)[0]
    first = _CHECK_LINE.sub("", first)
    first = re.sub(r"\n{3,}", "\n\n", first).strip() + "\n"
    closed = re.search(r"^\}$", first, re.MULTILINE)
    if closed:
        yield first[: closed.end()] + "\n"
    yield first


def run(arguments: list[str], source: str) -> str | None:
    command = [pages.seagrove_opt(), *arguments, "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


def block(source: str) -> str:
    lines = source.strip("\n").splitlines()
    if len(lines) > MAX_LINES:
        lines = [*lines[:MAX_LINES], f"// ... {len(lines) - MAX_LINES} more lines"]
    return "```mlir\n" + "\n".join(line.rstrip() for line in lines) + "\n```\n"


def example(item: tree.Pass) -> str:
    """The executed before/after of a pass, or a sentence saying that there is none."""
    if not item.tests:
        return "No test of this name yet.\n"
    test = item.tests[0]
    arguments = flags(tree.text(test))
    for case in cases(tree.text(test)):
        after = run(arguments, case)
        if after is not None:
            command = " ".join(["seagrove-opt", *arguments])
            return (
                f"From [{test}](/{test}), with `{command}`:\n\n"
                f"{block(case)}\nbecomes\n\n{block(after)}"
            )
    return f"The first case of [{test}](/{test}) shows an error; see there.\n"


def descriptions(td: Path) -> dict[str, str]:
    """Pass name -> its description by mlir-tblgen, without the heading."""
    parts = re.split(r"^### `-([\w-]+)`\n", pages.tblgen(td, "-gen-pass-doc"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], (_tidy(text) for text in parts[2::2]), strict=True))


def _tidy(description: str) -> str:
    return re.sub(r"^#### ", "## ", description.strip(), flags=re.MULTILINE) + "\n"


def summary(description: str) -> str:
    return description.splitlines()[0].strip("_") if description else ""


def generate() -> pages.Pages:
    result: pages.Pages = {}
    index = [f"{pages.NOTICE}# Passes\n", "| pass | what it does |", "| --- | --- |"]
    described: dict[Path, dict[str, str]] = {}
    for item in tree.passes():
        known = described.setdefault(item.td, descriptions(item.td))
        text = known.get(item.name, "")
        result[FOLDER / f"{item.name}.md"] = (
            f"{pages.NOTICE}# `{item.name}`\n\n{text}\n"
            f"Declared in [{item.td}](/{item.td}).\n\n## Example\n\n{example(item)}"
        )
        index.append(f"| [`{item.name}`]({item.name}.md) | {summary(text)} |")
    result[FOLDER / "README.md"] = "\n".join(index) + "\n"
    return result


if __name__ == "__main__":
    pages.main(generate)

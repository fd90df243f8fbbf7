"""Writes docs/errors.md from the table behind `seagrove explain`."""

from __future__ import annotations

from pathlib import Path

import pages

from seagrove.compiler.codes import EXPLANATIONS, Explanation

PAGE = Path("docs/errors.md")
INTRODUCTION = """# Errors

Every error that a user can cause has a stable code. `seagrove explain CODE` prints the same text
as this page. Codes SG00xx are about the compiler itself, SG01xx to SG05xx about the user's kernel,
SG06xx about a launch, SG07xx about backends, targets and the installation.
"""


def section(code: str, entry: Explanation) -> str:
    text = f"## {code}: {entry.headline}\n\n{entry.why}\n\n*What to do.* {entry.advice}\n"
    if entry.example:
        text += f"\n```python\n{entry.example.strip()}\n```\n"
    return text


def generate() -> pages.Pages:
    sections = [section(code, entry) for code, entry in sorted(EXPLANATIONS.items())]
    return {PAGE: pages.NOTICE + INTRODUCTION + "\n" + "\n".join(sections)}


if __name__ == "__main__":
    pages.main(generate)

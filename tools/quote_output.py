"""Puts a command's real output into a page, between `<!-- NAME -->` and `<!-- end -->`.

    make run | python tools/quote_output.py README.md "make run" [FIRST LINE'S BEGINNING]

Lines before the first that begins with the third argument (set-up chatter) are left out.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def quote(page: str, name: str, output: str) -> str:
    block = f"<!-- {name} -->\n```\n{output.strip()}\n```\n<!-- end -->"
    pattern = re.compile(rf"<!-- {re.escape(name)} -->.*?<!-- end -->", re.DOTALL)
    if not pattern.search(page):
        raise LookupError(f"the page has no '<!-- {name} -->'")
    return pattern.sub(lambda _: block, page)


def main() -> None:
    path, name, begin = Path(sys.argv[1]), sys.argv[2], (sys.argv[3:] or [""])[0]
    lines = [line.rstrip() for line in sys.stdin]
    first = next((i for i, line in enumerate(lines) if line.startswith(begin)), 0)
    path.write_text(quote(path.read_text(), name, "\n".join(lines[first:])))


if __name__ == "__main__":
    main()

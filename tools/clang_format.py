"""Formats the project's C++ (`--check`: only says which files are not formatted)."""

from __future__ import annotations

import subprocess
import sys

import source_tree as tree


def main() -> int:
    sources = [str(p) for p in tree.under(suffixes=tree.CPP_SUFFIXES)]
    if not sources:
        return 0
    mode = ["--dry-run", "--Werror"] if "--check" in sys.argv[1:] else ["-i"]
    return subprocess.call(["clang-format", *mode, *sources], cwd=tree.ROOT)


if __name__ == "__main__":
    sys.exit(main())

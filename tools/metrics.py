"""Prints the numbers by which the tree's shape is judged (`make metrics`)."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import source_tree as tree


def spread(values: Sequence[int]) -> str:
    """Median, 90th percentile and maximum."""
    if not values:
        return "none"
    ordered = sorted(values)
    p90 = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    return f"median {statistics.median(ordered):.0f}, p90 {p90}, max {ordered[-1]} ({len(ordered)})"


def share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f}%)" if whole else "none"


def import_milliseconds(module: str, runs: int = 15) -> float:
    """Median time of `import module` in a fresh process, less that of an empty process."""

    def one(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return 1e3 * (time.perf_counter() - start)

    pairs = [(one(f"import {module}"), one("pass")) for _ in range(runs)]
    return statistics.median(loaded - empty for loaded, empty in pairs)


def installed_rows() -> list[tuple[str, str, str]]:
    """What can be said only of an installed package."""
    if importlib.util.find_spec("seagrove") is None:
        return []
    result = [("import seagrove, ms", f"{import_milliseconds('seagrove'):.1f}", "<= 60")]
    module = importlib.util.find_spec("seagrove._seagrove")
    if module and module.origin:
        size = Path(module.origin).stat().st_size / (1 << 20)
        result.append(("native module, MiB", f"{size:.1f}", "<= 200"))
        load = import_milliseconds("seagrove._seagrove")
        result.append(("import of the native module, ms", f"{load:.1f}", "-"))
    return result


def rows() -> list[tuple[str, str, str]]:
    """(what, measured, wanted) lines."""
    cpp, python = tree.cpp_sources(), tree.python_sources()
    passes = tree.passes()
    erring = [p for p in passes if p.emits_errors]
    result = [
        (
            "C++ file lines",
            spread([len(tree.text(p).splitlines()) for p in cpp]),
            "median <= 180, p90 <= 600, max <= 1000",
        ),
        (
            "C++ function lines",
            spread([f.lines for p in cpp for f in tree.cpp_functions(p)]),
            "max <= 100",
        ),
        ("Python file lines", spread([len(tree.text(p).splitlines()) for p in python]), "-"),
        (
            "Python function lines",
            spread([f.lines for p in python for f in tree.python_functions(p)]),
            "median <= 8, max <= 60",
        ),
        (
            "passes with a lit test",
            share(sum(bool(p.tests) for p in passes), len(passes)),
            ">= 95%",
        ),
        (
            "erring passes with an -errors test",
            share(sum(bool(p.error_tests) for p in erring), len(erring)),
            ">= 95%",
        ),
        ("vendor names in shared code", str(len(tree.vendor_mentions())), "0"),
    ]
    for vendor in tree.vendor_folders():
        copied = share(*tree.copied_share(vendor))
        result.append((f"copied lines in third_party/{vendor}", copied, "<= 5%"))
    return result + installed_rows()


def main() -> None:
    table = [("what", "measured", "wanted"), *rows()]
    widths = [max(len(row[i]) for row in table) for i in range(3)]
    for row in table:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


if __name__ == "__main__":
    main()

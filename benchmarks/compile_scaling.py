"""Compile time and code size at a small and a large block: prints a table, writes JSON.

Usage: python benchmarks/compile_scaling.py [--repeats N] [--only NAME ...] [--json FILE]

Every kind of kernel of `seagrove.testing.scaling` is compiled from TTIR to a library at two sizes
of its block, in turn, without any cache; a time is the median of the repeats. Fails where a time
grows by more than 1.5, or, for a kernel that Triton's own library writes out, by more than 1.5
times what its TTIR grows.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import sys
from pathlib import Path
from typing import Any

LIMIT = 1.5


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9, help="compilations each (default: 9)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="kinds to compile")
    parser.add_argument("--json", default="", metavar="FILE", help="where the results go")
    return parser.parse_args()


def measure(kind: Any, repeats: int) -> dict[str, Any]:
    from seagrove.testing import scaling

    small, large = scaling.sizes_of(kind)
    small_ms, large_ms = scaling.compile_times_ms(kind, repeats)
    allowed = LIMIT * (large.ttir_ops / small.ttir_ops if kind.unrolled else 1)
    return {
        "kernel": kind.name, "blocks": [kind.small, kind.large],
        "small": dataclasses.asdict(small) | {"ms": small_ms},
        "large": dataclasses.asdict(large) | {"ms": large_ms},
        "allowed": allowed, "note": kind.unrolled, "passed": large_ms <= allowed * small_ms,
    }  # fmt: skip


def print_row(row: dict[str, Any]) -> None:
    def pair(key: str, digits: int = 0) -> str:
        small, large = row["small"][key], row["large"][key]
        return f"{small:>8.{digits}f} {large:>8.{digits}f} {large / small:>5.2f}"

    columns = "  ".join((pair("ttir_ops"), pair("vector_ops"), pair("object_bytes"), pair("ms", 1)))
    print(f"{row['kernel']:<21}{columns}  {'' if row['passed'] else 'FAIL'}", flush=True)


def main() -> int:
    args = parse_arguments()
    from seagrove.compiler.native import native
    from seagrove.testing import scaling

    host = native().detect_host()
    facts = {
        "cpu": host.cpu, "python": platform.python_version(),
        "command": " ".join(["python", *sys.argv]),
    }  # fmt: skip
    print(f"{'':<21}{'TTIR operations':<23}  {'vector operations':<23}  {'object bytes':<23}  ms")
    rows = []
    for kind in scaling.KINDS:
        if not args.only or kind.name in args.only:
            rows.append(measure(kind, args.repeats))
            print_row(rows[-1])
    if args.json:
        text = json.dumps({"environment": facts, "results": rows}, indent=1)
        Path(args.json).write_text(text + "\n", encoding="utf-8")
    return int(not all(row["passed"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())

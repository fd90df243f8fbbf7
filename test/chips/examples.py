"""Compiles the examples, unmodified, for chips that are not here, and counts key instructions.

    python test/chips/examples.py [--targets cuda:90 ...] [--only matmul ...] [--keep]

Each example runs with a device that compiles its launches and starts none, in a process of its own.
Without options that is every example for six chips, some twenty minutes; --keep writes
results/examples.json and the table of docs/chips.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import fcntl
import importlib
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = HERE / "results" / "examples.json"
PAGE = ROOT / "docs" / "chips.md"
TARGETS = ("cuda:80", "cuda:90", "cuda:100", "hip:gfx90a", "hip:gfx942", "hip:gfx1100")
MARK = "<!-- table by test/chips/examples.py -->"

# What tells that upstream's pipeline used what the chip has: stage, and patterns by name.
INSTRUCTIONS = {
    "cuda": (
        "ptx",
        {
            "ld.global.v4": r"\bld\.global\S*\.v4\b",
            "cp.async": r"\bcp\.async\.c[ag]\b",
            "cp.async.bulk.tensor": r"\bcp\.async\.bulk\.tensor\b",
            "mma.sync": r"\bmma\.sync\b",
            "wgmma": r"\bwgmma\.mma_async\b",
            "tcgen05.mma": r"\btcgen05\.mma\b",
        },
    ),
    "hip": (
        "amdgcn",
        {
            "16-byte load": r"\b(?:global|buffer)_load_(?:dwordx4|b128)\b",
            "v_mfma": r"\bv_mfma_\w+",
            "v_wmma": r"\bv_wmma_\w+",
            "v_dot": r"\bv_dot\d\w+",
        },
    ),
}


@dataclasses.dataclass
class Row:
    """One kernel of an example for one target."""

    target: str
    example: str
    kernel: str
    dtype: str
    state: str
    seconds: float = 0.0
    shared: int = 0
    instructions: dict[str, int] = dataclasses.field(default_factory=dict)
    why: str = ""


def chosen_cases(example: str) -> list[Any]:
    """The quick cases of an example, and those of a dtype that these leave out."""
    sys.path[:0] = [str(ROOT / "examples")]
    cases = importlib.import_module(example).CASES
    chosen: list[Any] = [case for case in cases if case.quick]
    for case in cases:
        if not any((c.kernel, c.dtype) == (case.kernel, case.dtype) for c in chosen):
            chosen.append(case)
    return chosen


def count(target: str, kernel: Any) -> dict[str, int]:
    """How often each key instruction stands in the kernel's assembly."""
    stage, patterns = INSTRUCTIONS[target.partition(":")[0]]
    text = kernel.asm[stage]
    found = {name: len(re.findall(pattern, text)) for name, pattern in patterns.items()}
    return {name: number for name, number in found.items() if number}


def compile_case(target: str, example: str, case: Any) -> list[Row]:
    """The kernels that a case launches."""
    from seagrove.testing.compile_only import CompileOnly

    head = (target, example, case.kernel, str(case.dtype).removeprefix("torch."))
    start = time.perf_counter()
    with CompileOnly(target) as device:
        try:
            case.run(*case.make())
        except Exception as error:
            return [Row(*head, "fails", why=str(error).splitlines()[0][:200])]
    seconds = round(time.perf_counter() - start, 1)
    rows = []
    for kernel in device.kernels:
        row = Row(*head, "compiles", seconds, kernel.metadata.shared, count(target, kernel))
        row.kernel = f"{case.kernel}: {kernel.name}" if len(device.kernels) > 1 else case.kernel
        rows.append(row)
    return rows


def compile_example(target: str, example: str) -> list[Row]:
    return [row for case in chosen_cases(example) for row in compile_case(target, example, case)]


def run(targets: Sequence[str], examples: Sequence[str], keep: bool = False) -> list[Row]:
    """Compiles each example for each target, in a child that may die; keeps what is done."""
    from seagrove.compiler import foreign

    rows = []
    for target in targets:
        for example in examples:
            try:
                found = foreign.isolated(lambda t=target, e=example: compile_example(t, e))
            except foreign.Crash as crash:
                found = [Row(target, example, "", "", "fails", why=f"ended its process: {crash}")]
            rows += found
            if keep:
                keep_rows(target, example, found)
            for row in found:
                words = " ".join(f"{k} x{v}" for k, v in row.instructions.items())
                print(
                    f"{row.target:12} {row.kernel:32} {row.dtype:9} {row.state:9} {words}{row.why}"
                )
    return rows


def keep_rows(target: str, example: str, rows: Sequence[Row]) -> None:
    """Puts the rows of one example and target in the place of those that were kept."""
    sys.path[:0] = [str(ROOT / "examples")]
    from run_all import EXAMPLES

    with (HERE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = [row for row in load() if (row.target, row.example) != (target, example)]
        order = [(row.target, row.example) for row in kept]
        order = sorted({*order, (target, example)}, key=lambda k: (k[0], EXAMPLES.index(k[1])))
        everything = [*kept, *rows]
        data = [
            dataclasses.asdict(row)
            for place in sorted(order, key=lambda k: _rank(TARGETS, k[0]))
            for row in everything
            if (row.target, row.example) == place
        ]
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    (HERE / ".lock").unlink(missing_ok=True)


def _rank(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else len(names)


def load() -> list[Row]:
    """The kept rows."""
    if not RESULTS.exists():
        return []
    return [Row(**row) for row in json.loads(RESULTS.read_text(encoding="utf-8"))]


def cell(rows: Sequence[Row]) -> str:
    """What a target makes of one kernel."""
    if not rows:
        return ""
    if bad := [row for row in rows if row.state != "compiles"]:
        return f"**fails**: {bad[0].why}"
    found: dict[str, int] = {}
    for row in rows:
        for name, number in row.instructions.items():
            found[name] = max(found.get(name, 0), number)
    return ", ".join(f"{name} {number}" for name, number in found.items()) or "compiles"


def table(rows: Sequence[Row]) -> list[str]:
    targets = list(dict.fromkeys(row.target for row in rows))
    lines = ["| kernel | dtype | " + " | ".join(f"`{t}`" for t in targets) + " |"]
    lines.append("| --- | --- |" + " --- |" * len(targets))
    for kernel, dtype in dict.fromkeys((row.kernel, row.dtype) for row in rows):
        mine = [row for row in rows if (row.kernel, row.dtype) == (kernel, dtype)]
        cells = (cell([row for row in mine if row.target == target]) for target in targets)
        lines.append(f"| {kernel} | {dtype} | " + " | ".join(cells) + " |")
    return lines


def write_page(rows: Sequence[Row]) -> None:
    """Puts the table between the two marks of the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
    after = rest.partition(MARK)[2]
    text = "\n".join(table(rows))
    PAGE.write_text(f"{before}{MARK}\n\n{text}\n\n{MARK}{after}", encoding="utf-8")


def main() -> int:
    sys.path[:0] = [str(ROOT / "examples")]
    from run_all import EXAMPLES

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", nargs="+", default=TARGETS)
    parser.add_argument("--only", nargs="+", default=EXAMPLES, choices=EXAMPLES)
    parser.add_argument("--keep", action="store_true", help="write the result and the page")
    arguments = parser.parse_args()
    rows = run(arguments.targets, arguments.only, arguments.keep)
    bad = [row for row in rows if row.state != "compiles"]
    print(f"{len(rows) - len(bad)}/{len(rows)} kernels compile")
    if arguments.keep:
        write_page(load())
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())

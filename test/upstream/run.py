"""Runs Triton's own unit tests on one of our devices and writes a report.

    python test/upstream/run.py TREE [--triton DIR] [--device cpu] [--report FILE]

TREE is a checkout of Triton, or of a fork, whose `python/test/unit` belongs to the version of the
`triton` package that is imported (DIR: an unpacked wheel to import instead of the installed one).
Every case runs in a worker process: one that crashes or hangs ends as one case "crashed".
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FOLDERS = ("language", "runtime")
NOT_RUN = ("excluded", "skipped")
PASSED = ("passed", "expected failure")


def main() -> int:
    options = _options()
    rows, triton = _run(options)
    report = summary(rows)
    report["triton"] = triton
    report["device"] = options.device
    report["machine"] = platform.processor() or platform.machine()
    if options.report:
        options.report.write_text(json.dumps(report, indent=1) + "\n")
        options.report.with_suffix(".md").write_text(page(report))
    print(page(report))
    return 0 if report["share_passed"] == 1 else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tree", type=Path, help="checkout with python/test/unit")
    parser.add_argument("--triton", type=Path, help="unpacked wheel to import")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--timeout", type=int, default=900, help="seconds for one case")
    parser.add_argument("--report", type=Path, help="JSON to write, and a page beside it")
    parser.add_argument("--only", nargs="*", default=[], help="test files instead of all")
    parser.add_argument("-k", default="", help="pytest's expression of case names")
    return parser.parse_args()


def _run(options: argparse.Namespace) -> tuple[list[dict[str, Any]], str]:
    """One record per case, and the version of Triton that was imported."""
    tests = (options.tree / "python" / "test").resolve()
    chosen = options.only or [f"unit/{folder}" for folder in FOLDERS]
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.jsonl"
        environment = _environment(options, record, Path(folder) / "cache")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "plugin", "-p", "no:cacheprovider"]
        command += ["-c", os.devnull, "--rootdir", str(tests), "--confcutdir", str(tests)]
        command += ["-n", str(options.jobs), "--device", options.device, "-W", "ignore"]
        command += ["--timeout", str(options.timeout), "--timeout-method", "thread"]
        command += ["--tb", "short", "-k", options.k, *chosen]
        subprocess.run(command, cwd=tests, env=environment, check=False)
        rows = [json.loads(line) for line in record.read_text().splitlines()]
    version = "import triton; print(triton.__version__)"
    triton = subprocess.check_output([sys.executable, "-c", version], env=environment, text=True)
    return rows, triton.strip()


def _environment(options: argparse.Namespace, record: Path, cache: Path) -> dict[str, str]:
    folders = [options.triton, *os.environ.get("PYTHONPATH", "").split(os.pathsep), HERE]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(f) for f in folders if f),
        "TRITON_CACHE_DIR": str(cache),
        "SEAGROVE_UPSTREAM_RECORD": str(record),
        "SEAGROVE_UPSTREAM_DEVICE": options.device,
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts per file, and each case that neither passed nor was left out, with its reason.

    A case that a test file itself skips says nothing about the device and is counted apart.
    """
    files: dict[str, Counter[str]] = {}
    for row in rows:
        files.setdefault(row["case"].split("::")[0], Counter())[row["outcome"]] += 1
    total: Counter[str] = sum(files.values(), Counter())
    run = sum(count for outcome, count in total.items() if outcome not in NOT_RUN)
    passed = sum(total[outcome] for outcome in PASSED)
    return {
        "cases": sum(total.values()),
        "total": dict(total),
        "share_passed": round(passed / max(run, 1), 5),
        "share_excluded": round(total["excluded"] / max(sum(total.values()), 1), 5),
        "files": {name: dict(counts) for name, counts in sorted(files.items())},
        "left_out": [
            {"cases": count, "outcome": outcome, "reason": reason}
            for (outcome, reason), count in _reasons(rows).most_common()
        ],
        "not_passed": [
            {"case": row["case"], "outcome": row["outcome"], "reason": _portable(row["reason"])}
            for row in rows
            if row["outcome"] not in (*NOT_RUN, *PASSED)
        ],
    }


def _portable(reason: str) -> str:
    """A reason without the folders of the machine that it was met on."""
    return re.sub(r"(/[\w.+-]+)+/", "", reason)[:600]


def _reasons(rows: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter((r["outcome"], r["reason"]) for r in rows if r["outcome"] in NOT_RUN)


def page(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    kinds = ["passed", "failed", "crashed", "excluded", "skipped"]
    text = [
        f"# Upstream's unit tests, Triton {report['triton']}, `--device {report['device']}`",
        "",
        f"{report['share_passed']:.2%} of the cases that ran passed; "
        f"{report['share_excluded']:.2%} of all {report['cases']} are excluded by cause.",
        *(["", f"This report is {report['note']}."] if "note" in report else []),
        "",
        "| file | " + " | ".join(kinds) + " |",
        "| --- |" + " ---: |" * len(kinds),
    ]
    for name, counts in {**report["files"], "**all**": report["total"]}.items():
        passed = sum(counts.get(outcome, 0) for outcome in PASSED)
        cells = [passed, *(counts.get(kind, 0) for kind in kinds[1:])]
        text.append(f"| {name} | " + " | ".join(str(cell or "") for cell in cells) + " |")
    text += ["", "## Left out", "", "| cases | | reason |", "| ---: | --- | --- |"]
    for row in report["left_out"]:
        text.append(f"| {row['cases']} | {row['outcome']} | {_cell(row['reason'])} |")
    text += ["", "## Not passed", ""]
    for row in report["not_passed"]:
        text.append(f"- `{row['case']}` ({row['outcome']}): {_cell(row['reason'])[:300]}")
    return "\n".join(text) + ("\n" if report["not_passed"] else "\nNone.\n")


def _cell(reason: str) -> str:
    return " ".join(reason.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())

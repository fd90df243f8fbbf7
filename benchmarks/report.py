"""The report: a table, geometric means, reasons for what is slow, CSV and JSON."""

from __future__ import annotations

import csv
import fnmatch
import json
import math
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Row = dict[str, Any]

REASONS = Path(__file__).with_name("reasons.toml")
# Below this share of torch's speed a kernel misses the project's bar.
LEAST_RATIO = 0.8

COLUMNS = (
    ("benchmark", 42, ""), ("threads", 3, ""), ("ms", 11, ".3f"), ("torch_ms", 11, ".3f"),
    ("ratio", 7, ".2f"), ("inductor_ms", 11, ".3f"), ("inductor_max_ms", 11, ".3f"),
    ("gbytes_per_s", 7, ".1f"), ("gflops_per_s", 8, ".1f"), ("roofline", 6, ".0%"),
    ("first_s", 7, ".2f"),
)  # fmt: skip
HEADS = {
    "threads": "thr", "torch_ms": "torch ms", "inductor_ms": "inductor", "gbytes_per_s": "GB/s",
    "inductor_max_ms": "ind. max", "gflops_per_s": "GFLOP/s", "roofline": "roof",
    "first_s": "first s",
}  # fmt: skip
CSV_FIELDS = (
    "benchmark", "group", "shape", "dtype", "threads", "passed", "ms", "torch_ms", "ratio",
    "inductor_ms", "inductor_max_ms", "ratio_to_best", "gbytes_per_s", "gflops_per_s",
    "flops_per_byte", "bound", "roofline", "samples", "torch_samples", "first_s", "autotune_s",
    "config", "error", "tolerance", "notes", "failure",
)  # fmt: skip


def header() -> str:
    return " ".join(
        f"{HEADS.get(name, name):{'<' if name == 'benchmark' else '>'}{width}}"
        for name, width, _ in COLUMNS
    )


def line(row: Row) -> str:
    """A row of the table; what is absent stays empty."""
    cells = []
    for name, width, form in COLUMNS:
        value = row.get(name)
        text = "" if value is None else format(value, form)
        cells.append(f"{text:<{width}}" if name == "benchmark" else f"{text:>{width}}")
    verdict = (
        ("" if "ms" in row else "right") if row["passed"] else f"FAIL {row.get('failure', '')}"
    )
    return " ".join([*cells, *row.get("notes", []), verdict]).rstrip()


def share(value: float) -> str:
    return f"{value:.0%}" if math.isfinite(value) else ""


def geomean(values: Iterable[float]) -> float:
    logs = [math.log(v) for v in values]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def geomeans(rows: list[Row]) -> list[Row]:
    """Geometric means of the ratios of each group and number of threads, and of all."""
    made = []
    keys = list(dict.fromkeys((row["group"], row["threads"]) for row in rows if "ratio" in row))
    keys += [("all", threads) for threads in dict.fromkeys(t for _, t in keys)]
    for group, threads in keys:
        chosen = [
            row for row in rows
            if "ratio" in row and row["threads"] == threads and group in (row["group"], "all")
        ]  # fmt: skip
        made.append({
            "group": group, "threads": threads, "cases": len(chosen),
            "ratio": geomean(row["ratio"] for row in chosen),
            "ratio_to_best": geomean(row["ratio_to_best"] for row in chosen),
            "least": min(row["ratio"] for row in chosen),
            "roofline": geomean(row["roofline"] for row in chosen if "roofline" in row),
        })  # fmt: skip
    return made


def load_reasons(path: Path = REASONS) -> list[dict[str, Any]]:
    return tomllib.loads(path.read_text(encoding="utf-8")).get("reason", [])


def reason_for(row: Row, cpu: str, reasons: list[dict[str, Any]]) -> str:
    """Why a case is slower than torch: the first entry that fits, or "".

    `cpu` is the name that the machine has, and the one that LLVM has for it.
    """
    for entry in reasons:
        here = fnmatch.fnmatchcase(cpu, entry.get("cpu", "*"))
        here &= entry.get("threads", row["threads"]) == row["threads"]
        if here and fnmatch.fnmatchcase(row["benchmark"], entry["cases"]):
            return " ".join(entry["why"].split())
    return ""


def slow_cases(rows: list[Row], cpu: str, reasons: list[dict[str, Any]]) -> list[Row]:
    """The rows below torch's speed, slowest first, each with its reason."""
    slow = [row for row in rows if row.get("ratio", 1.0) < 1.0]
    return [
        {
            "benchmark": row["benchmark"], "threads": row["threads"], "ratio": row["ratio"],
            "why": reason_for(row, cpu, reasons),
        }
        for row in sorted(slow, key=lambda row: row["ratio"])
    ]  # fmt: skip


def speedups(rows: list[Row]) -> list[Row]:
    """Each group's time on one thread over its time on more, as geometric means."""
    single = {row["benchmark"]: row["ms"] for row in rows if row["threads"] == 1 and "ms" in row}
    gained: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        if row["threads"] > 1 and "ms" in row and row["benchmark"] in single:
            ratios = gained.setdefault((row["group"], row["threads"]), [])
            ratios.append(single[row["benchmark"]] / row["ms"])
    return [{"group": g, "threads": t, "speedup": geomean(r)} for (g, t), r in gained.items()]


def summary(document: dict[str, Any]) -> str:
    """The text below the table: means, overheads, slow cases."""
    text = ["", f"{'geometric means':<34} thr cases  ratio  to best  least  roof"]
    for mean in document["geomeans"]:
        text.append(
            f"{mean['group']:<34} {mean['threads']:>3} {mean['cases']:>5} {mean['ratio']:>6.2f} "
            f"{mean['ratio_to_best']:>8.2f} {mean['least']:>6.2f} {share(mean['roofline']):>5}"
        )
    if document["speedups"]:
        text += ["", "speed-up by threads"]
        text += [
            f"{s['group']:<34} {s['threads']:>3} {s['speedup']:>6.2f}" for s in document["speedups"]
        ]
    if document["overheads"]:
        text += ["", f"{'overheads':<34} {'ms':>9} {'bar':>8}"]
        for row in document["overheads"]:
            bar = f"{row['bar_ms']:8.3f}" if "bar_ms" in row else ""
            text.append(f"{row['benchmark']:<34} {row['ms']:>9.4f} {bar}".rstrip())
    if document["slow"]:
        text += ["", "slower than torch"]
    for row in document["slow"]:
        mark = "!" if row["ratio"] < LEAST_RATIO else " "
        why = row["why"] or "no reason in reasons.toml"
        text.append(f"{mark} {row['ratio']:.2f} {row['benchmark']} ({row['threads']} thr): {why}")
    failed = [row["benchmark"] for row in document["results"] if not row["passed"]]
    count = len(document["results"])
    text += ["", f"{count - len(failed)}/{count} right" + "".join(f"\nFAIL {n}" for n in failed)]
    return "\n".join(text)


def assemble(
    environment: Row, ceilings: dict[str, Any], rows: list[Row], overheads: list[Row]
) -> dict[str, Any]:
    """What a result file holds."""
    cpu = f"{environment['cpu']} {environment['target']}"
    return {
        "environment": environment, "ceilings": ceilings, "geomeans": geomeans(rows),
        "speedups": speedups(rows), "slow": slow_cases(rows, cpu, load_reasons()),
        "overheads": overheads, "results": rows,
    }  # fmt: skip


def write_json(document: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(rounded(document), indent=1) + "\n", encoding="utf-8")


def rounded(value: Any) -> Any:
    """Numbers with as many digits as a measurement has; JSON knows no nan or infinity."""
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value


def write_csv(rows: list[Row], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, CSV_FIELDS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({**rounded(row), "notes": "; ".join(row.get("notes", []))})

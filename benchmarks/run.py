"""Speed of our kernels against torch and Inductor, with a roofline and a report.

Usage: python -m benchmarks [--smoke] [--threads N ...] [--only NAME ...] [--inductor] [--full]
                            [--json FILE] [--save]

Runs on one thread unless told otherwise; several numbers run one after the other in processes of
their own. All sides of a comparison run in turn in one process, with outputs allocated beforehand;
`ratio` is torch's median time over ours. Each case is checked against torch first, and a wrong
result fails the run. benchmarks/README.md says how to read the report.
"""

from __future__ import annotations

import argparse
import ctypes
import fnmatch
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
Row = dict[str, Any]


def command_line(module: str = "benchmarks") -> str:
    """The command that this is, without the folder of the checkout."""
    return " ".join(["python", "-m", module, *map(shlex.quote, sys.argv[1:])])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, correctness only")
    parser.add_argument("--threads", type=int, nargs="+", default=[1], metavar="N", help="cores")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME",
        help="cases whose name starts with NAME or fits it as a pattern; compile, start, launch",
    )  # fmt: skip
    parser.add_argument("--inductor", action="store_true", help="Inductor's C++, both modes, too")
    parser.add_argument("--full", action="store_true", help="also cases that take torch minutes")
    parser.add_argument("--budget", type=float, default=2.0, metavar="S", help="seconds a case")
    parser.add_argument("--no-ceilings", action="store_true", help="without the roofline")
    parser.add_argument("--no-overheads", action="store_true", help="no compile, start, launch")
    parser.add_argument("--list", action="store_true", help="names of the cases")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the results go")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="the table's rows")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="the plot")
    parser.add_argument(
        "--save", action="store_true", help="all of them in benchmarks/results/CPU.*"
    )
    return parser.parse_args()


def prepare_process(threads: int, smoke: bool) -> None:
    """Limits the cores, uses empty caches; must come before torch and triton."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    os.sched_setaffinity(0, cores)
    os.environ["OMP_NUM_THREADS"] = str(len(cores))
    os.environ["SEAGROVE_BENCHMARK_SMOKE"] = str(int(smoke))
    for name in ("TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"):
        os.environ[name] = tempfile.mkdtemp(prefix="benchmark-cache-")
    sys.path[:0] = [str(ROOT), str(ROOT / "examples")]
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Lets malloc reuse large blocks instead of returning them to the system.

    Some of torch's functions take no `out=`; without this each of their calls pays the page faults
    of a new output, which ours does not.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
        m_trim_threshold, m_mmap_max = -1, -4
        libc.mallopt(m_mmap_max, 0)
        libc.mallopt(m_trim_threshold, -1)
    except (OSError, AttributeError):
        print("malloc cannot be told to keep memory: torch pays for new outputs", file=sys.stderr)


def cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(("model name", "Processor")):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def wanted(name: str, only: list[str]) -> bool:
    return not only or any(name.startswith(o) or fnmatch.fnmatchcase(name, o) for o in only)


def environment() -> Row:
    """What the numbers depend on."""
    import _harness
    import torch
    import triton

    from seagrove.compiler.native import native

    return {
        "cpu": cpu_name(), "target": native().detect_host().cpu,
        "backend": _harness.backend_name(), "torch": torch.__version__,
        "triton": triton.__version__, "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2), "command": command_line(),
    }  # fmt: skip


def run_here(args: argparse.Namespace) -> dict[str, Any]:
    """Everything on `args.threads[0]` cores, in this process."""
    threads = args.threads[0]
    prepare_process(threads, args.smoke)
    from benchmarks import ceilings, measure, overheads, report
    from benchmarks.kernels import all_cases

    facts = environment()
    print(", ".join(f"{k} {v}" for k, v in facts.items() if k != "command"), flush=True)
    cases = [case for case in all_cases() if wanted(case.name, args.only)]
    measured: dict[str, Any] = {}
    if cases and not args.no_ceilings:
        measured = ceilings.measure_ceilings(threads)
        print("\n".join(ceilings.lines(measured)) if not args.smoke else "", flush=True)
    budget = measure.Budget(args.budget, float("inf") if args.full else 20.0)
    print(report.header())
    rows = []
    for case in cases:
        rows.append(measure.measure(case, threads, budget, args.inductor, not args.smoke, measured))
        print(report.line(rows[-1]), flush=True)
    costs = []
    if not args.no_overheads:
        costs = overheads.measure_overheads(args.smoke, lambda name: wanted(name, args.only))
    return report.assemble(facts, {str(threads): measured} if measured else {}, rows, costs)


def run_each(args: argparse.Namespace) -> dict[str, Any]:
    """One process per number of threads; their results as one document."""
    sys.path[:0] = [str(ROOT), str(ROOT / "examples")]
    from benchmarks import report

    parts = []
    own = [a for a in sys.argv[1:] if a != "--save"]
    for threads in args.threads:
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            command = [sys.executable, str(Path(__file__)), *own]
            command += ["--threads", str(threads), "--json", out.name]
            command += ["--no-overheads"] if parts else []
            status = subprocess.run(command, cwd=ROOT, check=False).returncode
            result = Path(out.name).read_text(encoding="utf-8")
            if not result:
                sys.exit(f"the run on {threads} thread(s) ended without results, status {status}")
            parts.append(json.loads(result))
    ceilings = {key: value for part in parts for key, value in part["ceilings"].items()}
    rows = [row for part in parts for row in part["results"]]
    facts = {**parts[0]["environment"], "command": command_line()}
    return report.assemble(facts, ceilings, rows, parts[0]["overheads"])


def save(document: dict[str, Any], args: argparse.Namespace) -> None:
    """Writes the files that were asked for."""
    from benchmarks import plot, report

    stem = re.sub(r"\W+", "-", document["environment"]["cpu"]).strip("-").lower()
    stem = f"suite-{stem}-{document['environment']['target']}"
    paths = {
        suffix: getattr(args, suffix) or (RESULTS / f"{stem}.{suffix}" if args.save else None)
        for suffix in ("json", "csv", "svg")
    }
    if paths["json"]:
        report.write_json(document, paths["json"])
    if paths["csv"]:
        report.write_csv(document["results"], paths["csv"])
    if paths["svg"]:
        plot.write_svg(document, paths["svg"])
    if args.save:
        (RESULTS / f"{stem}.txt").write_text(full_text(document), encoding="utf-8")


def full_text(document: dict[str, Any]) -> str:
    from benchmarks import ceilings, report

    facts = document["environment"]
    lines = [", ".join(f"{k} {v}" for k, v in facts.items())]
    for threads, measured in document["ceilings"].items():
        lines += [f"ceilings on {threads} thread(s)", *ceilings.lines(measured)]
    lines += ["", report.header(), *(report.line(row) for row in document["results"])]
    return "\n".join([*lines, report.summary(document)]) + "\n"


def main() -> int:
    args = parse_arguments()
    if args.list:
        prepare_process(1, args.smoke)
        from benchmarks.kernels import all_cases

        print("\n".join(case.name for case in all_cases() if wanted(case.name, args.only)))
        return 0
    document = run_here(args) if len(args.threads) == 1 else run_each(args)
    from benchmarks import report

    print(report.summary(document))
    save(document, args)
    rows = [*document["results"], *document["overheads"]]
    return int(not rows or not all(row["passed"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())

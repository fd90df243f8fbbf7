"""Command line: `python -m seagrove.testing.differential`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from seagrove.testing.differential import reproducer
from seagrove.testing.differential.runner import Options, Report, run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m seagrove.testing.differential",
        description="compare random kernels on our CPU, Triton's interpreter and NumPy",
    )
    parser.add_argument("--count", type=int, default=200, help="number of kernels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes that judge kernels")
    parser.add_argument("--report", type=Path, help="write the counts and findings to this JSON")
    parser.add_argument("--save-dir", type=Path, help="write a reproducer of each finding here")
    parser.add_argument("--shrink", type=float, default=60, help="seconds to shrink a finding")
    parser.add_argument("--no-interpreter", action="store_true", help="compare to NumPy alone")
    parser.add_argument("--timeout", type=float, default=60, help="seconds until a run has hung")
    parser.add_argument("--replay", type=Path, help="judge the program of a saved reproducer")
    return parser


def _show(report: Report) -> None:
    explained = ", ".join(f"{name} {n}" for name, n in sorted(report.explained.items()))
    print(
        f"{report.kernels} kernels, {len(report.findings)} findings"
        + (f"; the interpreter differs by rule: {explained}" if explained else ""),
        flush=True,
    )


def main() -> int:
    args = _parser().parse_args()
    if args.replay:
        return reproducer.replay(reproducer.load(args.replay))
    options = Options(
        count=args.count,
        seed=args.seed,
        jobs=args.jobs,
        save_dir=args.save_dir,
        shrink_s=args.shrink,
        interpret=not args.no_interpreter,
        timeout_s=args.timeout,
    )
    report = run(options, _show)
    for finding in report.findings:
        print(f"seed {finding.seed}: {finding.text[:400]}\n  {finding.reproducer}")
    print(f"{report.seconds:.0f} s")
    if args.report:
        command = (
            f"python -m seagrove.testing.differential --count {args.count} --seed {args.seed} "
            f"--jobs {args.jobs}"
        )
        data = {"command": command, **report.as_json()}
        args.report.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())

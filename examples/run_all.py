"""Runs every example on the host and prints one table.

Usage: python examples/run_all.py [--quick] [--threads N] [--json FILE] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys

EXAMPLES = (
    "vector_add",
    "softmax",
    "dropout",
    "layer_norm",
    "matmul",
    "matmul_descriptor",
    "attention",
    "cumsum",
    "topk",
    "conv2d",
)


def limit_threads(count: int) -> None:
    """Lets this process use `count` cores; must come before torch is imported."""
    allowed = sorted(os.sched_getaffinity(0))[:count]
    os.sched_setaffinity(0, allowed)
    os.environ["OMP_NUM_THREADS"] = str(len(allowed))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, short timings")
    parser.add_argument("--threads", type=int, default=0, help="cores to use (default: all)")
    parser.add_argument("--json", default="", metavar="FILE", help="also write the results here")
    parser.add_argument("--only", nargs="+", choices=EXAMPLES, default=EXAMPLES, metavar="NAME")
    args = parser.parse_args()
    if args.threads:
        limit_threads(args.threads)
    import _harness

    cases = [case for name in args.only for case in importlib.import_module(name).CASES]
    return _harness.main(cases, quick=args.quick, json_path=args.json)


if __name__ == "__main__":
    sys.exit(main())

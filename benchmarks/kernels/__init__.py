"""The kernels, as they are written for GPUs, and the cases that they are measured in."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.kernels import attention, elementwise, matmul, reductions, rows


def all_cases() -> list[Case]:
    """Every case of this run, smaller sizes of a group before larger ones."""
    return [
        case
        for module in (matmul, attention, rows, elementwise, reductions)
        for case in module.cases()
    ]

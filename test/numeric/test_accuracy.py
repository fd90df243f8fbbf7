"""Every function of libdevice keeps its bound on a sample.

docs/math-accuracy.md shows a run on far more arguments; SEAGROVE_ACCURACY_SAMPLES sets how many.
"""

from __future__ import annotations

import dataclasses
import os

import accuracy
import pytest
from libdevice_functions import FUNCTIONS, Function

from seagrove.backends import cpu

SAMPLES = int(os.environ.get("SEAGROVE_ACCURACY_SAMPLES", 20_000))
CASES = [(f, kind) for f in FUNCTIONS for kind in accuracy.kinds_of(f)]


@pytest.mark.parametrize(("function", "kind"), CASES, ids=[f"{f.name}-{k}" for f, k in CASES])
def test_bound(function: Function, kind: str) -> None:
    measured = accuracy.measure(function, kind, SAMPLES)
    fused = cpu.describe(cpu.current_arch()).fma
    if not fused:
        bound = accuracy.UNFUSED.get((function.name, kind), measured.bound)
        measured = dataclasses.replace(measured, bound=bound)
    assert measured.passed, measured


def test_every_function_is_measured_or_exact() -> None:
    """What this table leaves out has no rounding: the conformance suite compares it exactly."""
    from seagrove.frontend import libdevice

    exact = {
        "clz", "ffs", "finitef", "ilogb", "isfinited", "isinf", "isnan", "llrint", "popc",
        "signbit",
    }  # fmt: skip
    public = {
        name for name in (*vars(libdevice), *libdevice._SPECIAL) if not name.startswith("_")
    } - {"annotations", "importlib", "Callable", "Sequence", "Any", "core", "math"}
    assert public - exact - {f.name for f in FUNCTIONS} == set()

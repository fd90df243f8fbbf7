"""What the examples' kernels hold for each generation of matrix units."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

COMMAND = Path(__file__).parents[3] / "test/chips/examples.py"
HALF = {"hip:gfx90a": "v_mfma", "hip:gfx942": "v_mfma", "hip:gfx1100": "v_wmma"}


@pytest.fixture(scope="module")
def command() -> ModuleType:
    sys.path.append(str(COMMAND.parent))
    return importlib.import_module(COMMAND.stem)


@pytest.mark.parametrize("target", HALF)
def test_products_of_halves_use_the_matrix_unit(command, target):
    halves = [c for c in command.chosen_cases("matmul") if "16" in str(c.dtype)]
    rows = command.compile_case(target, "matmul", halves[0])
    assert [row.state for row in rows] == ["compiles"], rows
    assert rows[0].instructions[HALF[target]] >= 4 and rows[0].instructions["16-byte load"]


def test_loads_are_wide_on_every_chip(command):
    from seagrove.runtime import registry

    for target in registry.find("amd").load().targets():
        add = command.chosen_cases("vector_add")[0]
        (row,) = command.compile_case(f"hip:{target.name}", "vector_add", add)
        if "SG0733" in row.why:  # This release of Triton has dropped the chip.
            continue
        assert "16-byte load" in row.instructions, f"{target.name} {row.why}"

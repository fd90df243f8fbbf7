"""The list of primitives is that of every supported Triton, and each has a case."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import triton
from test_triton_contract import SUPPORTED

CONFORMANCE = Path(__file__).parents[1] / "conformance"
sys.path.insert(0, str(CONFORMANCE))

import primitives  # noqa: E402


def _names(version: str) -> set[str]:
    """Public names of a Triton, which another process imports."""
    search = [os.environ.get("PYTHONPATH", "")]
    if version != triton.__version__:
        wheel = Path(os.environ.get("SEAGROVE_TRITON_WHEELS", "")) / version
        if not (wheel / "triton").is_dir():
            pytest.skip(f"NOT TESTED: triton {version} is not unpacked; run `make triton-wheels`")
        search.insert(0, str(wheel))
    path = os.pathsep.join(filter(None, search))
    done = subprocess.run(
        [sys.executable, str(CONFORMANCE / "primitives.py")],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("version", SUPPORTED)
def test_every_public_name_is_listed(version: str) -> None:
    known = primitives.listed()
    both = set(known["operations"]) & set(known["not_operations"])
    assert not both
    unknown = _names(version) - set(known["operations"]) - set(known["not_operations"])
    assert not unknown, "name these in test/conformance/primitives.json, and give each a case"


def test_every_operation_has_a_case() -> None:
    from cases import all_cases

    known = primitives.listed()
    tested = {case.primitive for case in all_cases()}
    assert set(known["operations"]) & primitives.public_names() <= tested
    assert tested <= set(known["operations"]) | set(known["constructs"])

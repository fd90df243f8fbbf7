"""Products by the tile unit of x86: the cases of tile_cases.py, in a process of their own.

They replace the handler of illegal instructions and the target of the host.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from seagrove.compiler import targets

CASES = Path(__file__).with_name("tile_cases.py")


@pytest.mark.skipif(
    targets.host().triple.partition("-")[0] != "x86_64", reason="the emulator is for x86-64"
)
def test_tiles():
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", str(CASES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 60 and "skipped" not in done.stdout

"""Runs the adapter's tests with every supported version of Triton.

SEAGROVE_TRITON_WHEELS names a folder with one unpacked wheel a version (`make triton-wheels` fills
it); the version in the environment is tested by the files themselves.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import triton

HERE = Path(__file__).parent
FILES = (
    "test_adapter.py",
    "test_block_pointers.py",
    "test_devices.py",
    "test_launch_arguments.py",
    "test_upstream_driver.py",
    "test_upstream_fork.py",
)
SUPPORTED = ("3.6.0", "3.7.1", "3.8.0", "3.9.0")


@pytest.mark.slow
@pytest.mark.parametrize("version", SUPPORTED)
def test_adapter_with(version: str, tmp_path: Path) -> None:
    if version == triton.__version__:
        pytest.skip("this version is the installed one: the files have run with it")
    wheel = Path(os.environ.get("SEAGROVE_TRITON_WHEELS", "")) / version
    if not (wheel / "triton").is_dir():
        pytest.skip(f"NOT TESTED: triton {version} is not unpacked; run `make triton-wheels`")
    path = os.pathsep.join(filter(None, (str(wheel), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "TRITON_CACHE_DIR": str(tmp_path)}
    environment.pop("PYTEST_XDIST_WORKER", None)
    found = subprocess.run(
        [sys.executable, "-c", "import triton; print(triton.__version__)"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert found.stdout.strip() == version, found.stderr
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *(str(HERE / name) for name in FILES)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"with triton {version}:\n{done.stdout[-6000:]}"

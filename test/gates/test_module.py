"""The built module: its size, what it shows to the process and what it asks of it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAX_BYTES = 200 << 20
# What a glibc system always has. LLVM, MLIR and lld are inside the module.
ALLOWED_LIBRARIES = re.compile(
    r"^(?:lib(?:c|m|dl|rt|pthread|stdc\+\+|gcc_s|z|zstd)\.so\.\d+|ld-linux[\w.-]*)$"
)


@pytest.fixture(scope="module")
def module() -> Path:
    spec = importlib.util.find_spec("seagrove._seagrove")
    assert spec and spec.origin, "seagrove is not installed: run `make build`"
    return Path(spec.origin)


def binutil(name: str, *arguments: str) -> str:
    tool = shutil.which(name)
    assert tool, f"{name} (binutils) is not installed"
    return subprocess.run([tool, *arguments], check=True, capture_output=True, text=True).stdout


def test_size(module: Path) -> None:
    assert module.stat().st_size <= MAX_BYTES


def test_exports_only_its_init_function(module: Path) -> None:
    listed = binutil("nm", "-D", "--defined-only", "--format=posix", str(module))
    names = {line.split()[0].split("@")[0] for line in listed.splitlines() if line}
    # Weak C++ symbols of the standard library would be shared with other modules.
    assert {name for name in names if name not in ("_init", "_fini")} == {"PyInit__seagrove"}


def test_needs_only_the_system(module: Path) -> None:
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", binutil("readelf", "-d", str(module)))
    assert not [name for name in needed if not ALLOWED_LIBRARIES.match(name)]


def test_import_is_light() -> None:
    """`import seagrove` brings in neither torch, nor triton's JIT, nor the compiler."""
    code = "import sys, seagrove; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"torch", "numpy", "triton.runtime", "seagrove._seagrove"} & set(done.stdout.split())

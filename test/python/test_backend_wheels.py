"""Backends in wheels of their own: built out of tree, installed, run; and broken ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from seagrove.tools import cli

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "backends" / "abacus"


class Environment:
    """A fresh environment that sees the packages of this one."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = folder / "bin" / "python"
        self.site = next(folder.glob("lib/python*/site-packages"))
        inherited = [path for path in sys.path if path and Path(path).is_dir()]
        (self.site / "inherited.pth").write_text("\n".join(inherited) + "\n")

    def install(self, *packages: Path) -> None:
        options = ["--no-index", "--no-build-isolation", "--no-deps", "--target", str(self.site)]
        command = [sys.executable, "-m", "pip", "install", "-q", *options, *map(str, packages)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def add(self, name: str, source: str) -> None:
        """Installs a package of one module by hand."""
        (self.site / f"broken_{name}.py").write_text(source)
        info = self.site / f"broken_{name}-1.0.dist-info"
        info.mkdir()
        text = f"Metadata-Version: 2.1\nName: broken-{name}\nVersion: 1.0\n"
        (info / "METADATA").write_text(text)
        entry = f"[seagrove.backends]\n{name} = broken_{name}:Broken\n"
        (info / "entry_points.txt").write_text(entry)

    def run(self, *arguments: str, expect: int = 0) -> str:
        kept = {key: value for key, value in os.environ.items() if key != "PYTEST_XDIST_WORKER"}
        done = subprocess.run(
            [str(self.python), *arguments], env=kept, capture_output=True, text=True
        )
        assert done.returncode == expect, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The skeleton and the worked example, built and installed."""
    folder = tmp_path_factory.mktemp("wheels")
    assert cli.main(["new-backend", "plinth", "--out", str(folder)]) == 0
    ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    shutil.copytree(EXAMPLE, folder / "abacus", ignore=ignored)
    environment = Environment(folder / "environment")
    environment.install(folder / "seagrove-plinth", folder / "abacus")
    return environment


KERNELS = """
import triton, triton.language as tl

@triton.jit
def softmax(x, out, stride, n, BLOCK: tl.constexpr):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    values = tl.load(x + row * stride + at, mask=at < n, other=-float("inf"))
    values = tl.exp(values - tl.max(values, axis=0))
    tl.store(out + row * stride + at, values / tl.sum(values, axis=0), mask=at < n)

@triton.jit
def matmul(a, b, c, N, K, M: tl.constexpr, B: tl.constexpr):
    m, n, k = tl.arange(0, M), tl.program_id(0) * B + tl.arange(0, B), tl.arange(0, B)
    total = tl.zeros((M, B), tl.float32)
    for step in range(0, K, B):
        left = tl.load(a + m[:, None] * K + (step + k)[None, :])
        total += tl.dot(left, tl.load(b + (step + k)[:, None] * N + n[None, :]))
    tl.store(c + m[:, None] * N + n[None, :], total)
"""

RUN = """
import sys, threading
import triton
from triton.backends import backends
assert {"abacus", "plinth", "cpu"} <= set(backends)
assert [name for name, b in backends.items() if b.driver.is_active()] == ["cpu"]
assert "seagrove_abacus" not in sys.modules
import numpy as np
import kernels_of_a_user as user
import seagrove

def softmax(device):
    x = np.random.randn(8, 200).astype("f4")
    there, out = seagrove.asarray(x, device=device), seagrove.zeros((8, 200), device=device)
    user.softmax[(8,)](there, out, 200, 200, BLOCK=256)
    want = np.exp(x - x.max(1, keepdims=True))
    assert np.allclose(out.numpy(), want / want.sum(1, keepdims=True), atol=1e-6), device

for device in ("abacus", "cpu", "abacus:1", "abacus", "cpu"):
    softmax(device)
assert set(user.softmax.device_caches) == {"abacus", "abacus:1", "cpu"}

a, b = np.random.rand(16, 48).astype("f4"), np.random.rand(48, 64).astype("f4")
c = np.zeros((16, 64), "f4")
with seagrove.use("abacus"):
    user.matmul[(4,)](a, b, c, 64, 48, M=16, B=16)
assert np.allclose(c, a @ b, atol=1e-5)
failed = []
def work(device):
    try:
        for _ in range(3): softmax(device)
    except BaseException as error: failed.append(error)
threads = [threading.Thread(target=work, args=(d,)) for d in ("abacus", "cpu", "abacus:1")]
[t.start() for t in threads]; [t.join() for t in threads]
assert not failed, failed
try:
    seagrove.use("plinth").__enter__(); softmax("plinth")
except triton.CompilationError as error:
    print(error.code)
"""


def test_kernels_run_on_an_installed_backend(wheels: Environment, tmp_path: Path):
    (wheels.site / "kernels_of_a_user.py").write_text(KERNELS)
    assert wheels.run("-c", RUN).split() == ["SG0714"]


def test_doctor_finds_both(wheels: Environment):
    answer = json.loads(wheels.run("-m", "seagrove", "doctor", "--json"))
    found = {item["name"]: item for item in answer["backends"]}
    assert found["abacus"]["usable"] and found["abacus"]["package"] == "seagrove-abacus"
    assert [other["name"] for other in found["abacus"]["others"]] == ["abacus:1"]
    assert found["cpu"]["usable"]
    assert found["plinth"]["state"] == "fails" and "SG0714" in found["plinth"]["why"]
    listed = wheels.run("-m", "seagrove", "targets")
    assert "abacus:numpy" in listed and "dot=any shape" in listed


@pytest.mark.parametrize(
    ("backend", "cases", "text"),
    [
        ("plinth", "elementwise and abs", "0/12 cases pass, 12 refused, 0 fail"),
        ("abacus", "elementwise and add", "13/14 cases pass, 1 refused, 0 fail"),
    ],
)
def test_conformance(wheels: Environment, backend: str, cases: str, text: str):
    options = ["-q", "-p", "no:cacheprovider", "--backend", backend, "-k", cases]
    found = wheels.run("-m", "pytest", str(ROOT / "test" / "conformance"), *options)
    line = next(line for line in found.splitlines() if line.startswith("conformance on"))
    assert text in line and ", 0 fail" in line, found


def test_the_skeletons_own_test(wheels: Environment):
    folder = wheels.site.parents[3] / "seagrove-plinth" / "test"
    assert "3 passed" in wheels.run("-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder))


def test_what_the_skeleton_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name in ("cpu", "Two", "9"):
        assert cli.main(["new-backend", name, "--out", str(tmp_path)]) == 1
    assert cli.main(["new-backend", "one", "--out", str(tmp_path)]) == 0
    assert cli.main(["new-backend", "one", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("[SG0715") == 4


def test_the_worked_example_is_small():
    lines = [len(path.read_text().splitlines()) for path in EXAMPLE.rglob("*.py")]
    assert sum(lines) <= 300


BACKEND = """
from seagrove.backend import Availability, Backend
class Broken(Backend):
    interface_version = 1
    name = "{name}"
"""
# Name -> (module, code of the error, what its line of `doctor` says).
BROKEN = {
    "raises": ("raise KeyError('no chip')", "SG0709", "KeyError: 'no chip'"),
    "leaves": ("import sys; sys.exit(3)", "SG0709", "SystemExit: 3"),
    "unlinked": ("import ctypes; ctypes.CDLL('libchip.so.1')", "SG0709", "libchip.so.1"),
    "syntax": ("def (", "SG0709", "SyntaxError"),
    "older": (BACKEND.replace("version = 1", "version = 0"), "SG0710", "written for version 0"),
    "newer": (BACKEND.replace("version = 1", "version = 2"), "SG0710", "written for version 2"),
    "lacking": ("Other = 1", "SG0711", "has no attribute 'Broken'"),
    "foreign": ("class Broken: pass", "SG0711", "not a subclass"),
    "unmade": (BACKEND + "    def __init__(self): 1 / 0", "SG0709", "ZeroDivisionError"),
    "renamed": (BACKEND.replace("{name}", "other"), "SG0711", "calls itself 'other'"),
    "unprobed": (BACKEND + "    def probe(self): raise OSError('gone')", "", "OSError: gone"),
    "absent": (
        BACKEND + "    def probe(self): return Availability(False, 'no libchip', 'install it')",
        "",
        "no libchip",
    ),
}

ASK = """
import json, sys
import triton
from triton.runtime.driver import driver
import numpy as np, kernels, seagrove
assert not any(name.startswith("broken_") for name in sys.modules)
x, out = np.ones(64, "f4"), np.zeros(64, "f4")
kernels.add[(1,)](x, x, out, 64, BLOCK=64)
assert out.sum() == 128 and driver.active.get_current_target().backend == "cpu"
codes = {}
for name in sys.argv[1:]:
    try:
        with seagrove.use(name): codes[name] = ""
    except seagrove.errors.SeagroveError as error:
        codes[name] = error.code
with seagrove.use("cpu"):
    kernels.add[(1,)](x, x, out, 64, BLOCK=64)
print(json.dumps(codes))
"""


def test_broken_backends_break_nothing_else(tmp_path: Path):
    environment = Environment(tmp_path / "environment")
    for name, (source, *_) in BROKEN.items():
        environment.add(name, source.replace("{name}", name))
    script = tmp_path / "ask.py"
    script.write_text(f"import sys; sys.path.append({str(Path(__file__).parent)!r})\n{ASK}")
    codes = json.loads(environment.run(str(script), *BROKEN))
    # Those without a code are sound; they have no device of that name.
    assert codes == {name: code or "SG0712" for name, (_, code, _) in BROKEN.items()}
    found = json.loads(environment.run("-m", "seagrove", "doctor", "--json"))
    backends = {item["name"]: item for item in found["backends"]}
    assert backends["cpu"]["usable"] and found["triton"]["active"] == "cpu"
    for name, (_, code, text) in BROKEN.items():
        assert not backends[name]["usable"] and text in backends[name]["why"], name
        assert backends[name]["advice"] and backends[name]["package"] == f"broken-{name}"
        assert backends[name]["state"] == ("broken" if code else "absent")
    listed = environment.run("-m", "seagrove", "targets")
    assert "cpu:" in listed and "broken: raises: KeyError: 'no chip'" in listed
    assert "usable" in environment.run("-m", "seagrove", "devices")

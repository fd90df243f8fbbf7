"""Backends, targets and what choosing between them does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import seagrove
from seagrove.compiler import targets
from seagrove.errors import BackendError, TargetError
from seagrove.runtime import registry


def python(code: str, **environment: str) -> str:
    import os

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_is_light():
    code = "import sys, seagrove; print(*sys.modules)"
    loaded = set(python(code).split())
    assert not {"torch", "triton", "numpy", "seagrove._seagrove"} & loaded


def test_cpu_is_registered_and_usable():
    answer = registry.find("cpu").probe()
    assert answer.usable and answer.why and answer.devices


def test_unknown_backend():
    with pytest.raises(BackendError, match="no backend called 'abacus'") as caught:
        seagrove.use("abacus")
    assert "cpu" in caught.value.why
    assert registry.chosen() is None


def wheel(folder: Path, package: str, backend: str) -> None:
    """An installed package that registers a backend."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[seagrove.backends]\n{backend} = {package}_backend\n")
    module = folder / f"{package}_backend"
    module.mkdir()
    (module / "__init__.py").write_text(
        "from seagrove.backend import Availability, Backend\n"
        "class BACKEND(Backend):\n"
        "    interface_version = 1\n"
        f"    name = '{backend}'\n"
        "    def probe(self): return Availability(False, 'no beads', 'buy some')\n"
    )


def test_third_party_backends_are_found(tmp_path: Path):
    wheel(tmp_path, "abacus", "abacus")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from seagrove.runtime import registry\n"
        "print(registry.find('abacus').probe().why)"
    )
    assert python(code).strip() == "no beads"


def test_two_backends_of_one_name(tmp_path: Path):
    for package, backend in (("abacus", "beads"), ("rosary", "beads"), ("other", "cpu")):
        wheel(tmp_path, package, backend)
    code = (
        f"import sys, warnings; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from seagrove.runtime import registry\n"
        "with warnings.catch_warnings(record=True) as told:\n"
        "    warnings.simplefilter('always')\n"
        "    print(registry.find('beads').package, registry.find('cpu').value)\n"
        "print(sorted(str(w.message) for w in told))"
    )
    used, told = python(code).splitlines()
    first, cpu = used.split()
    assert first in ("abacus", "rosary") and cpu.startswith("seagrove.")
    second = "rosary" if first == "abacus" else "abacus"
    assert f"'{first}_backend' of {first} is used" in told
    assert f"'{second}_backend' of {second} is not" in told
    assert "'other_backend' of other is not" in told and told.count("two packages") == 2


def test_choice_before_triton_is_imported():
    code = (
        "import seagrove; seagrove.use('cpu')\n"
        "from triton.runtime.driver import driver\n"
        "print(driver.active.get_current_target().backend)"
    )
    assert python(code).strip() == "cpu"


def test_choice_by_environment():
    code = (
        "import triton\nfrom triton.runtime.driver import driver\n"
        "try: print(driver.active.get_current_target().backend)\n"
        "except RuntimeError as error: print(error)"
    )
    assert python(code, SEAGROVE_BACKEND="cpu").strip() == "cpu"
    assert python(code, TRITON_DEFAULT_BACKEND="cpu").strip() == "cpu"
    assert "no backend called 'abacus'" in python(code, SEAGROVE_BACKEND="abacus")


# A wheel with another device's backend, which says that its device is there.
OTHER_BACKEND = """
import triton
from triton.backends import Backend, backends
from triton.backends.driver import DriverBase
class Other(DriverBase):
    @classmethod
    def is_active(cls): return True
    def map_python_to_cpp_type(self, ty): return ""
    def get_current_target(self): return type("T", (), {"backend": "other"})
    def get_active_torch_device(self): return None
    def get_benchmarker(self): return None
class OtherCompiler:
    supports_target = staticmethod(lambda target: False)
backends["other"] = Backend(compiler=OtherCompiler, driver=Other)
from seagrove.backends.cpu.driver import CpuDriver
CpuDriver.no_other_device = classmethod(lambda cls: False)
"""


def test_an_active_device_goes_first_and_never_is_an_error():
    code = OTHER_BACKEND + (
        "from triton.runtime.driver import driver\n"
        "assert not CpuDriver.is_active()\n"
        "print(driver.active.get_current_target().backend)\n"
        "import seagrove\n"
        "with seagrove.use('cpu'):\n"
        "    assert CpuDriver.is_active()\n"
        "    print(driver.active.get_current_target().backend)\n"
        "print(driver.active.get_current_target().backend)\n"
        "seagrove.use('cpu'); seagrove.use('other')\n"
        "print(driver.active.get_current_target().backend)\n"
    )
    assert python(code).split() == ["other", "cpu", "other", "other"]


def test_tensors_of_the_host_go_to_the_host_where_another_device_is_active():
    code = OTHER_BACKEND + (
        f"import sys; sys.path.append({str(Path(__file__).parent)!r})\n"
        "import kernels, numpy, seagrove\n"
        "from triton.runtime.driver import driver\n"
        "x, out = numpy.ones(64, 'f4'), numpy.zeros(64, 'f4')\n"
        "for _ in range(2): kernels.add[(1,)](x, x, out, 64, BLOCK=64)\n"
        "assert out.sum() == 128 and list(kernels.add.device_caches) == ['cpu']\n"
        "print(driver.active.get_current_target().backend)\n"
        "try: import torch\n"
        "except ImportError: sys.exit()\n"
        "t = torch.zeros(64)\n"
        "for _ in range(3): kernels.add[(1,)](t, t, t, 64, BLOCK=64)\n"
        "assert kernels.add._seagrove_dispatcher.entries == 1\n"
    )
    assert python(code).split() == ["other"]


def test_an_explicit_choice_wins_over_an_active_device():
    code = OTHER_BACKEND + (
        "from triton.runtime.driver import driver\n"
        "print(driver.active.get_current_target().backend)\n"
    )
    assert python(code, SEAGROVE_BACKEND="cpu").strip() == "cpu"


DESCRIPTION = {
    "triple": "any-unknown-linux-gnu",
    "targets": [
        {"name": "small", "cpu": "small", "requires": ["a"], "vector_bits": 128},
        {"name": "large", "cpu": "large", "requires": ["b"], "vector_bits": 512, "fma": True},
    ],
}


@pytest.fixture
def described(tmp_path: Path):
    path = tmp_path / "targets.json"
    path.write_text(json.dumps(DESCRIPTION))
    return targets.load_descriptions(path)


def machine(monkeypatch: pytest.MonkeyPatch, features: str) -> None:
    found = targets.TargetDescription("host", "any-none-linux", "mine", features, l1_bytes=1)
    monkeypatch.setattr(targets, "host", lambda: found)


def test_stronger_targets_require_what_weaker_ones_do(described):
    assert described[1].requires == ("a", "b")


@pytest.mark.parametrize(
    ("features", "name"), [("+a", "small"), ("+a,-b", "small"), ("+a,+b", "large")]
)
def test_host_takes_the_strongest_target_it_can_run(monkeypatch, described, features, name):
    machine(monkeypatch, features)
    target = targets.resolve("host", described)
    assert (target.name, target.cpu, target.features) == (name, "mine", features)
    assert target.l1_bytes == 1
    assert targets.resolve("", described) == target


def test_named_target_is_taken_as_described(monkeypatch, described):
    machine(monkeypatch, "+a")
    assert targets.resolve("large", described) == described[1]
    with pytest.raises(TargetError, match="cannot run code made for 'large'") as caught:
        targets.require_runnable(described[1])
    assert caught.value.why == "missing: b"


def test_no_target(monkeypatch, described):
    machine(monkeypatch, "+c")
    with pytest.raises(TargetError, match="no target description fits"):
        targets.resolve("host", described)
    with pytest.raises(TargetError, match="no target called 'huge'") as caught:
        targets.resolve("huge", described)
    assert "small, large" in caught.value.why


def test_every_described_cpu_target_is_complete():
    from seagrove.backends import cpu

    names = [item.name for item in cpu.descriptions()]
    assert len(names) == len(set(names)) >= 3
    for item in cpu.descriptions():
        assert item.requires and item.vector_bits >= 128 and item.l2_bytes > item.l1_bytes
        assert item.to_native().vector_bits == item.vector_bits


@pytest.mark.parametrize(
    ("isa", "strongest", "lengths_at_run_time"),
    [("aarch64", "armv9-a", True), ("riscv64", "rv64gcv", True)],
)
def test_an_instruction_set_means_its_strongest_target(isa, strongest, lengths_at_run_time):
    from seagrove.backends import cpu

    target = cpu.describe(isa)
    assert target.name == strongest and target.scalable == lengths_at_run_time
    assert target.to_native().scalable == lengths_at_run_time

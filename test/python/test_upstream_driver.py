"""Devices run by Triton's own drivers, with a driver that only writes down what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
import upstream_kernels
from triton.backends import backends
from triton.backends.compiler import GPUTarget
from triton.backends.driver import DriverBase
from triton.runtime.driver import driver

import seagrove
from seagrove.backend import Availability
from seagrove.errors import BackendError, CompileError, DeviceError
from seagrove.frontend.triton_compat import drivers, upstream
from seagrove.runtime import registry

LOG: list[tuple[Any, ...]] = []


class FakeUtils:
    def load_binary(self, name: str, image: bytes, shared: int, device: int) -> tuple[Any, ...]:
        LOG.append(("load", name, image[:4], device))
        return "module", f"function {name}", 16, 0, 1024

    def get_device_properties(self, device: int) -> dict[str, int]:
        return {"max_shared_mem": 100_000}

    def unload_module(self, module: Any) -> None:
        pass


class FakeLauncher:
    def __init__(self, source: Any, metadata: Any) -> None:
        self.name = metadata.name

    def __call__(self, x: int, y: int, z: int, stream: int, function: str, *rest: Any) -> None:
        LOG.append(("launch", (x, y, z), stream, function, rest[4:]))


class FakeDriver(DriverBase):
    """In the shape of Triton's: the questions about devices are attributes of the object."""

    def __init__(self) -> None:
        self.number = 0
        self.utils = FakeUtils()
        self.launcher_cls = FakeLauncher
        self.get_current_device = lambda: self.number
        self.set_current_device = self.make_current
        self.get_current_stream = lambda device: 70 + device

    def make_current(self, number: int) -> None:
        LOG.append(("current", number))
        self.number = number

    @staticmethod
    def is_active() -> bool:
        return True

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", 80, 32)

    def get_active_torch_device(self) -> torch.device:
        return torch.device("cpu")

    def get_benchmarker(self) -> Any:
        raise NotImplementedError

    def map_python_to_cpp_type(self, ty: str) -> str:
        return ty


def forget_answers() -> None:
    """What was asked once a process, of devices that come and go here."""
    drivers.driver_of.cache_clear()
    registry._backend_for_tensors_on.cache_clear()


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The backend `nvidia` with two devices of the kind above."""
    genuine = upstream.original
    kind = type(registry.find("nvidia").load())
    here = Availability(True, "2 x fake", devices=("nvidia:0", "nvidia:1"))
    monkeypatch.setattr(kind, "probe", lambda self: here)
    monkeypatch.setattr(
        upstream,
        "original",
        lambda name, part: FakeDriver if part == "driver" else genuine(name, part),
    )
    before = dict(backends)
    backends.pop(device := "nvidia")
    forget_answers()
    LOG.clear()
    yield device
    forget_answers()
    backends.clear()
    backends.update(before)


def tensors() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.ones(64, dtype=torch.float16), torch.zeros(64)


def test_a_launch_goes_through_upstreams_driver(device):
    x, out = tensors()
    with seagrove.use(device):
        assert driver.active.get_current_target() == GPUTarget("cuda", 80, 32)
        compiled = upstream_kernels.widen[(3, 2)](x, out, 64)
        upstream_kernels.widen[(1,)](x, out, 64)
    load, *launches = LOG
    assert load == ("load", "widen", b"\x7fELF", 0)
    grids = [(what, grid, stream) for what, grid, stream, *_ in launches]
    assert grids == [("launch", (3, 2, 1), 70), ("launch", (1, 1, 1), 70)]
    assert launches[0][4] == (x, out, 64) and launches[0][3] == "function widen"
    assert "ptx" in compiled.asm and compiled.metadata.target.arch == 80


def test_a_device_is_made_current_by_its_number(device):
    x, out = tensors()
    with seagrove.use("nvidia:1"):
        assert driver.active.get_current_device() == 1
        upstream_kernels.widen[(1,)](x, out, 64)
    assert LOG[0] == ("current", 1) and LOG.count(("current", 1)) == 1
    assert [entry[-1] for entry in LOG if entry[0] == "load"] == [1]
    assert [entry[2] for entry in LOG if entry[0] == "launch"] == [71]


class FakeTensor:
    """A tensor of a device, as far as a launch looks at it."""

    is_cpu = False

    def __init__(self, number: int, dtype: torch.dtype = torch.float16) -> None:
        self.number, self.dtype = number, dtype
        self.device = torch.device("cuda", number)

    def data_ptr(self) -> int:
        return 4096

    def get_device(self) -> int:
        return self.number


@pytest.fixture
def ways(monkeypatch) -> list[str]:
    """What goes Triton's way, by the name of the kernel."""
    from triton.runtime import jit

    from seagrove.compiler.native import native
    from seagrove.frontend.triton_compat import dispatch

    seen: list[str] = []
    launch = dispatch._launch

    def told(kernel, *rest):
        seen.append(kernel.__name__)
        return launch(kernel, *rest)

    def make(kernel):
        made = native().Dispatcher(
            kernel, told, (torch.Tensor, FakeTensor), (), (), registry.CURRENT
        )
        vars(kernel)["_seagrove_dispatcher"] = made
        return made

    monkeypatch.setattr(jit.JITFunction, "__getitem__", native().DispatchMethod(make))
    before = vars(upstream_kernels.widen).pop("_seagrove_dispatcher", None)
    yield seen
    vars(upstream_kernels.widen).pop("_seagrove_dispatcher", None)
    if before is not None:
        vars(upstream_kernels.widen)["_seagrove_dispatcher"] = before


def test_a_second_launch_is_short(device, ways):
    x, out = tensors()
    with seagrove.use(device):
        for grid in ((3, 2), (4,), (5, 1, 1)):
            upstream_kernels.widen[grid](x, out, 64)
    assert ways == ["widen"]
    launches = [entry[1:] for entry in LOG if entry[0] == "launch"]
    assert [launch[0] for launch in launches] == [(3, 2, 1), (4, 1, 1), (5, 1, 1)]
    assert {launch[1:3] for launch in launches} == {(70, "function widen")}
    assert all(launch[3] == (x, out, 64) for launch in launches)


def test_the_short_way_tells_devices_apart(device, ways):
    """By the number of the tensors' device, and by which one is current."""
    for number in (0, 1, 0, 1):
        x, out = FakeTensor(number), FakeTensor(number, torch.float32)
        upstream_kernels.widen[(1,)](x, out, 64)
    assert len(ways) == 2
    assert [entry[2] for entry in LOG if entry[0] == "launch"] == [70, 71, 70, 71]


def test_hooks_are_called_again(device, ways):
    from triton import knobs

    x, out = tensors()
    called = []
    with seagrove.use(device):
        upstream_kernels.widen[(1,)](x, out, 64)
        chain = knobs.runtime.launch_enter_hook
        chain.add(called.append)
        try:
            upstream_kernels.widen[(1,)](x, out, 64)
        finally:
            chain.remove(called.append)
    assert len(ways) == 2


def test_hosts_and_devices_in_turn(device):
    """One kernel object, two backends, no mixing of their compiled kernels."""
    x, out = tensors()
    for _ in range(3):
        out.zero_()
        upstream_kernels.widen[(1,)](x, out, 64, backend=device)
        assert out.eq(0).all()  # The fake runs nothing.
        upstream_kernels.widen[(1,)](x, out, 64, backend="cpu")
        assert out.eq(1).all()
    assert sum(entry[0] == "launch" for entry in LOG) == 3
    assert sum(entry[0] == "load" for entry in LOG) <= 1  # Compiled once, perhaps before.


def test_the_table_of_backends_has_one_compiler_a_target(device):
    with seagrove.use(device):
        assert isinstance(driver.active, FakeDriver)
    takers = [b for b in backends.values() if b.compiler.supports_target(GPUTarget("cuda", 80, 32))]
    assert len(takers) == 1 and issubclass(takers[0].compiler, upstream.UpstreamCompiler)
    assert issubclass(takers[0].compiler, upstream.original("nvidia", "compiler"))


def test_a_kernel_that_does_not_compile(device):
    x = torch.ones(64, dtype=torch.int32)
    with seagrove.use(device), pytest.raises(CompileError) as caught:
        upstream_kernels.bogus_instruction[(1,)](x, x, 64)
    assert "upstream_kernels.py" in str(caught.value) and caught.value.code == "SG0732"


def test_wrong_devices(device):
    for name in ("nvidia:first", "nvidia:90x"):
        with pytest.raises(DeviceError) as caught:
            seagrove.use(name)
        assert caught.value.code == "SG0712"


def test_a_driver_without_a_device_here():
    if registry.find("amd").probe().usable:
        pytest.skip("this machine has one")
    with seagrove.use("amd"), pytest.raises(BackendError) as caught:
        upstream_kernels.widen[(1,)](*tensors(), 64)
    assert caught.value.code == "SG0736" and "/dev/kfd" in caught.value.why


def test_memory_of_a_device(device, monkeypatch):
    """What a DeviceTensor asks for, on torch's own memory."""
    backend = registry.find(device).load()
    monkeypatch.setattr(type(backend), "tensor_device", "cpu")
    one = backend.open("", {})
    address = one.allocate(1024)
    one.write(address + 16, memoryview(b"some bytes"))
    found = bytearray(10)
    one.read(address + 16, memoryview(found))
    assert found == b"some bytes"
    with pytest.raises(DeviceError):
        one.write(address + 1020, memoryview(b"too many"))
    one.free(address)
    with pytest.raises(DeviceError):
        one.read(address, memoryview(found))

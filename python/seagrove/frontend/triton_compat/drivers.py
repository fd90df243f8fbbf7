"""Triton's driver classes, made from the devices of the registry, and which one is active."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Hashable
from functools import cache
from typing import TYPE_CHECKING, Any

from triton.backends.compiler import GPUTarget
from triton.backends.driver import DriverBase

from seagrove.frontend.triton_compat import launchers, upstream
from seagrove.runtime import device, registry

if TYPE_CHECKING:
    from seagrove.backend import Driver


class _Utils:
    """Loads compiled kernels and describes the device, for Triton's `driver.utils`."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def load_binary(
        self, name: str, image: bytes, shared: int, device_key: object
    ) -> tuple[Any, Any, int, int, int]:
        """Loads a kernel: (module, function, registers, spills, most threads of a program)."""
        kernel = self._driver.load(name, image)
        return kernel, kernel, 0, 0, 1 << 30

    def unload_module(self, module: Any) -> None:
        self._driver.unload(module)

    def get_device_properties(self, device_key: object) -> device.DeviceProperties:
        return self._driver.properties()


class DeviceNumber(int):
    """A device as Triton and libraries on top of it take one: a number, to index tables by.

    It equals its device's key and no plain number: Triton keeps compiled kernels by it, and device
    0 of another driver has others.
    """

    key: Hashable

    def __new__(cls, number: int, key: Hashable) -> DeviceNumber:
        made = super().__new__(cls, number)
        made.key = key
        return made

    def __getnewargs__(self) -> tuple[int, Hashable]:  # type: ignore[override]
        return int(self), self.key

    def __eq__(self, other: object) -> bool:
        return self.key == (other.key if isinstance(other, DeviceNumber) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.key)


class DriverAdapter(DriverBase):  # type: ignore[misc]  # Triton has no types
    """A device of ours, in the shape that Triton asks for."""

    backend_name = ""
    is_host = False

    def __init__(self, wanted: registry.Device | None = None) -> None:
        self.device = wanted or registry.device(self.backend_name)
        self.driver = self.device.driver
        self.backend = self.device.backend
        install_runtime(self.backend_name)
        self.utils = _Utils(self.driver)
        _, _, number = self.driver.device.partition(":")
        self.number = DeviceNumber(int(number) if number.isdecimal() else 0, self.driver.key())

    def launcher_cls(self, source: Any, metadata: Any) -> Callable[..., None]:
        """The launcher of a kernel, refused if the device lacks what its code needs."""
        return launchers.make_launcher(self.backend, self.driver, source, metadata)

    @classmethod
    def no_other_device(cls) -> bool:
        """Whether it is certain that no accelerator is there, without asking a driver."""
        return not registry.find(cls.backend_name).load().other_device_possible()

    @classmethod
    def is_active(cls) -> bool:
        """Only if chosen, or for a host where there is no other device to run on."""
        if (chosen := registry.chosen()) is not None:
            return chosen == cls.backend_name
        return cls.is_host and (cls.no_other_device() or not _other_driver_active(cls))

    def get_current_target(self) -> Any:
        return GPUTarget(*self.backend.triton_target(self.driver.arch))

    def get_current_device(self) -> Any:
        return self.number

    def set_current_device(self, device_key: object) -> None:
        """A driver has one device; `seagrove.use` chooses another."""

    def get_current_stream(self, device_key: object = None) -> int:
        return self.driver.stream()

    def get_active_torch_device(self) -> Any:
        import torch

        return torch.device(self.backend.tensor_device or "cpu")

    def get_device_interface(self) -> Any:
        return device.DeviceInterface(self.driver)

    def map_python_to_cpp_type(self, ty: str) -> str:
        """The C type of an argument's slot."""
        if ty.startswith("*"):
            return "void*"
        return {
            "i1": "int8_t",
            "u1": "uint8_t",
            "fp16": "uint16_t",
            "bf16": "uint16_t",
            "fp32": "float",
            "f32": "float",
            "fp64": "double",
        }.get(ty) or f"{'u' if ty[0] == 'u' else ''}int{ty[1:]}_t"

    def get_benchmarker(self) -> Any:
        from triton.testing import do_bench

        return do_bench

    def get_empty_cache_for_benchmark(self) -> device.CacheFlusher:
        size = device.last_level_cache_bytes() if self.driver.is_host else 1
        return device.CacheFlusher(size)

    def clear_cache(self, cache: device.CacheFlusher) -> None:
        cache.zero_()


@cache
def driver_class(name: str, is_host: bool = False) -> type[DriverAdapter]:
    """Triton's driver class of the backend `name`, which is loaded when one is made."""
    members = {"backend_name": name, "is_host": is_host}
    return type(f"{name.title()}Driver", (DriverAdapter,), members)


def install_runtime(backend: str) -> None:
    """Prepares Triton's launches; called when a driver of ours is made, before any launch."""
    from seagrove.frontend.triton_compat import binding, dispatch, front_end, hooks, tuning

    importlib.import_module(f"triton.language.extra.{backend}.libdevice")
    binding.install_binder()
    hooks.install_cheap_key()
    hooks.install_quick_put()
    hooks.install_quick_walk()
    front_end.install()
    tuning.install()
    dispatch.install_dispatch()


# --- which driver is active -------------------------------------------------------------------


@cache
def driver_config() -> Any:
    """Triton's object that holds the active driver."""
    return importlib.import_module("triton.runtime.driver").driver


@cache
def driver_of(wanted: registry.Device) -> Any:
    """Triton's driver of a device: an adapter for ours, else Triton's own."""
    name = wanted.backend_name
    if wanted.is_ours and wanted.backend.fork == "upstream":
        return upstream.make_driver(wanted)
    if wanted.is_ours:
        known = _triton_backends().get(name)
        kind = known.driver if known else None
        if not (isinstance(kind, type) and issubclass(kind, DriverAdapter)):
            kind = driver_class(name)
        return kind(wanted)
    if name not in _triton_backends():
        registry.find(name)  # Raises with the list of names.
    return _triton_backends()[name].driver()


def _triton_backends() -> dict[str, Any]:
    from seagrove.frontend.triton_compat.hooks import triton_backends

    return triton_backends()


def _other_driver_active(own: type) -> bool:
    from triton.backends import backends

    return any(item.driver.is_active() for item in backends.values() if item.driver is not own)


def _choose_driver(upstream: Callable[[], Any]) -> Any:
    """Makes the driver for this process: the chosen one, else a device's, else the host's."""
    if wanted := registry.from_environment():
        return driver_of(wanted)
    known = _triton_backends()
    hosts = [item.driver for item in known.values() if getattr(item.driver, "is_host", False)]
    if hosts and hosts[0].no_other_device():
        return hosts[0]()
    active = [
        item.driver
        for item in known.values()
        if item.driver not in hosts and item.driver.is_active()
    ]
    return (active or hosts)[0]() if active or hosts else upstream()


def install_choice() -> None:
    """Makes Triton ask for our choice of driver, once its driver module is complete."""
    module: Any = importlib.import_module("triton.runtime.driver")
    upstream = module._create_driver
    if getattr(upstream, "seagrove", False):
        return

    def create_driver() -> Any:
        return _choose_driver(upstream)

    create_driver.seagrove = True  # type: ignore[attr-defined]
    module._create_driver = create_driver
    base: Any = type(module.driver)

    class DriverConfig(base):  # type: ignore[misc]  # Triton has no types
        """Triton's, which asks for the choice of the thread or task before its own."""

        @property
        def active(self) -> Any:
            wanted = registry.chosen_device()
            return base.active.fget(self) if wanted is None else driver_of(wanted)

    module.driver.__class__ = DriverConfig


def backend_names() -> tuple[str, ...]:
    """Names of all backends that Triton knows, ours and its own."""
    return tuple(_triton_backends())


def active_driver_name() -> str:
    """Name of the backend that a launch would use now."""
    return str(driver_config().active.get_current_target().backend)


def upstream_backends() -> dict[str, bool]:
    """Triton's own backends by name, and whether each has a device to run on.

    They are asked, which may load a tensor library, only where some device is there.
    """
    known = _triton_backends()
    hosts = [item.driver for item in known.values() if getattr(item.driver, "is_host", False)]
    ask = not any(driver.no_other_device() for driver in hosts)
    return {
        name: ask and bool(item.driver.is_active())
        for name, item in known.items()
        if not issubclass(item.driver, DriverAdapter)
    }

"""The device of a launch: chosen explicitly, else that of its tensors, else the host."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from seagrove.errors import DeviceError
from seagrove.frontend.triton_compat.drivers import DriverAdapter, driver_config
from seagrove.runtime import registry

INSTALLED: set[Callable[..., Any]] = set()
"""What stands in the place of Triton's `run`, unless somebody else replaced it since."""


def install() -> bool:
    """Wraps what starts a launch in the parts of Triton that are imported; True if all are."""
    found = [
        getattr(sys.modules.get(f"triton.runtime.{module}"), name, None)
        for module, name in (("jit", "JITFunction"), ("autotuner", "Autotuner"))
    ]
    for kind in found:
        if kind is not None and not hasattr(kind.run, "seagrove"):
            kind.run = _on_its_device(kind.run)
            INSTALLED.add(kind.run)
    return None not in found


def _on_its_device(upstream: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(upstream)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        option = None
        if "backend" in kwargs and "backend" not in self.arg_names:
            option = kwargs.pop("backend")
        wanted = device_of_launch(option, args, kwargs)
        if wanted is None:
            return upstream(self, *args, **kwargs)
        with registry.on(wanted):
            return upstream(self, *args, **kwargs)

    run.seagrove = True  # type: ignore[attr-defined]
    return run


def device_of_launch(
    option: str | registry.Device | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> registry.Device | None:
    """The device that a launch asks for; None for the active driver's.

    Args:
        option: the launch option `backend`.
        args, kwargs: the launch's arguments.

    Raises:
        BackendError: SG0706, SG0709 to SG0711 for the option's backend.
        DeviceError: SG0617 for tensors of two devices, SG0712 for an unknown device.
    """
    if option is not None:
        return registry.device(option) if isinstance(option, str) else option
    if registry.chosen_device() is not None:
        return None
    found = tensors_device(_leaves((*args, *kwargs.values())))
    config = driver_config()
    if found is None or (found == "host" and _runs_on_host(config._active)):
        return None
    if registry.from_environment() is not None:
        return None
    if config._active is not None and config._active is not config._default:
        return None  # Chosen by Triton's own `set_active`.
    if isinstance(found, registry.Device):
        return found
    return registry.host() if found == "host" and not _runs_on_host(config.active) else None


def _runs_on_host(driver: Any) -> bool:
    return isinstance(driver, DriverAdapter) and driver.driver.is_host


def tensors_device(values: Iterable[Any]) -> registry.Device | str | None:
    """The device of these tensors: ours, "host", the name of one that is not ours, or None.

    Raises:
        DeviceError: SG0617 for tensors of two devices other than the host.
    """
    found: registry.Device | str | None = None
    for value in values:
        place = _device_of(value)
        if place is None or place == found or (place == "host" and found is not None):
            continue
        if found not in (None, "host"):
            raise DeviceError(
                f"the tensors of a launch live on two devices: {_name(found)} and {_name(place)}",
                code="SG0617",
                why="a launch runs on one device, which reads its own memory",
                advice="copy them to one device, or choose it by seagrove.use(...)",
            )
        found = place
    return found


def _name(place: Any) -> str:
    return repr(place.name if isinstance(place, registry.Device) else place)


def _leaves(values: Iterable[Any]) -> Iterator[Any]:
    """The values that may be tensors, those in tuples, and the tensors of descriptors."""
    for value in values:
        kind = type(value)
        if kind in _NO_TENSORS:
            continue
        if kind is tuple:
            yield from _leaves(value)
        elif kind.__name__ == "TensorDescriptor":
            yield value.base
        else:
            yield value


_NO_TENSORS = {int, float, bool, str, type(None)}
# Types whose instances have been seen to belong to a device of ours, or to none.
_ours: dict[type, bool] = {}


def _device_of(value: Any) -> registry.Device | str | None:
    kind = type(value)
    if (ours := _ours.get(kind)) is None:
        ours = _ours[kind] = hasattr(value, "seagrove_device")
    if ours:
        own: registry.Device = value.seagrove_device
        return "host" if own.driver.is_host else own
    if (on_host := getattr(value, "is_cpu", None)) is not None:
        if on_host is True:
            return "host"
        place = value.device
        return registry.device_for_tensors_on(place.type, place.index) or str(place)
    return "host" if hasattr(kind, "__array_interface__") else None

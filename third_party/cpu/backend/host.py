"""The host as a device: memory of this process, launches that end before they return."""

from __future__ import annotations

from typing import Any

from seagrove.backends.cpu import permission

from seagrove.backend import Driver
from seagrove.compiler import targets
from seagrove.compiler.native import native
from seagrove.runtime import device
from seagrove.runtime.memory import HostMemory


class HostDriver(HostMemory, Driver):
    """Runs kernels on the host's cores."""

    is_host = True

    def properties(self) -> device.DeviceProperties:
        return device.host_properties()

    def total_memory(self) -> int:
        return int(str(device.host_properties()["total_memory"]))

    def require(self, target: targets.TargetDescription) -> None:
        targets.require_runnable(target)
        permission.require(target)

    def load(self, name: str, image: bytes) -> Any:
        return native().Kernel(image, name)

    def unload(self, kernel: Any) -> None:
        if isinstance(kernel, native().Kernel):
            kernel.unload()

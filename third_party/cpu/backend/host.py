"""The host as a device: memory of this process, launches that end before they return."""

from __future__ import annotations

import ctypes
from threading import Lock
from typing import Any

from seagrove.backend import Driver
from seagrove.compiler import targets
from seagrove.compiler.native import native
from seagrove.runtime import device


class HostDriver(Driver):
    """Runs kernels on the host's cores."""

    is_host = True

    def __init__(self, name: str, arch: str) -> None:
        super().__init__(name, arch)
        self._blocks: dict[int, Any] = {}
        self._lock = Lock()

    def properties(self) -> device.DeviceProperties:
        return device.host_properties()

    def total_memory(self) -> int:
        return int(str(device.host_properties()["total_memory"]))

    def allocate(self, size: int) -> int:
        block = ctypes.create_string_buffer(size + 63)
        address = -(-ctypes.addressof(block) // 64) * 64
        with self._lock:
            self._blocks[address] = block
        return address

    def free(self, address: int) -> None:
        with self._lock:
            self._blocks.pop(address, None)

    def write(self, address: int, data: memoryview) -> None:
        ctypes.memmove(address, data.tobytes(), data.nbytes)

    def read(self, address: int, data: memoryview) -> None:
        data.cast("B")[:] = (ctypes.c_char * data.nbytes).from_address(address)

    def require(self, target: targets.TargetDescription) -> None:
        targets.require_runnable(target)

    def load(self, name: str, image: bytes) -> Any:
        return native().Kernel(image, name)

    def unload(self, kernel: Any) -> None:
        if isinstance(kernel, native().Kernel):
            kernel.unload()

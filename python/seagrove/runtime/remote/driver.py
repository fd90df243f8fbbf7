"""A remote device in the shape that backends offer devices in."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from seagrove.backend import Driver, Launch, MemoryStatistics
from seagrove.compiler.native import native
from seagrove.runtime.device import DeviceProperties
from seagrove.runtime.remote.device import RemoteDevice, RemoteKernel
from seagrove.runtime.remote.protocol import LaunchRequest


class RemoteDriver(Driver):
    """Launches that end before they return, on memory that is not the host's.

    Args:
        device, arch, settings: as for `Driver`.
        remote: the device.
        size: of its memory in bytes.
    """

    def __init__(
        self,
        device: str,
        arch: str,
        settings: Mapping[str, object],
        remote: RemoteDevice,
        size: int = 0,
    ) -> None:
        super().__init__(device, arch, settings)
        self.remote = remote
        self._size = size

    def exclusive(self) -> AbstractContextManager[object]:
        return self.remote.lock

    def properties(self) -> DeviceProperties:
        found = super().properties()
        found["total_memory"] = self.total_memory()
        found["multiprocessor_count"] = native().num_threads()
        found.update(self.settings)
        return found

    def total_memory(self) -> int:
        return self._size

    def memory_statistics(self) -> MemoryStatistics:
        """Of all memory in use, copies of host tensors included."""
        return self.remote.statistics()

    def allocate(self, size: int) -> int:
        return self.remote.allocate(size)

    def free(self, address: int) -> None:
        self.remote.free(address)

    def write(self, address: int, data: memoryview) -> None:
        self.remote.write(address, data)

    def read(self, address: int, data: memoryview) -> None:
        self.remote.read(address, data)

    def load(self, name: str, image: bytes) -> RemoteKernel:
        kernel = RemoteKernel(name, image)
        kernel.handle_on(self.remote)
        return kernel

    def unload(self, kernel: object) -> None:
        if isinstance(kernel, RemoteKernel):
            kernel.unload()

    def launch(self, kernel: RemoteKernel, launch: Launch) -> None:
        request = LaunchRequest(
            handle=0,
            grid=launch.grid,
            slots=launch.slots,
            scratch_bytes=launch.scratch_bytes,
            progress=launch.progress,
            threads=native().num_threads(),
        )
        self.remote.launch(kernel, request, launch.kernel)

    def close(self) -> None:
        self.remote.stop()

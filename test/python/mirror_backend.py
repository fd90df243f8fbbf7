"""A backend for tests: this machine's processor as devices with memory of their own."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Mapping
from typing import Any

from seagrove.backend import Availability, Backend, Driver, Launch, Refusal
from seagrove.compiler import targets
from seagrove.compiler.native import native
from seagrove.compiler.targets import TargetDescription
from seagrove.errors import DeviceError

RANGE_KERNEL = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p
)


class MirrorDriver(Driver):
    """Refuses every address that is not of its own memory; counts launches."""

    def __init__(self, device: str, settings: Mapping[str, object]) -> None:
        super().__init__(device, "", settings)
        self.blocks: dict[int, Any] = {}
        self.launches = 0

    def total_memory(self) -> int:
        return 1 << 30

    def allocate(self, size: int) -> int:
        if size > 1 << 30:
            raise DeviceError("no memory is left", code="SG0712")
        block = ctypes.create_string_buffer(size + 64)
        address = ctypes.addressof(block) + -ctypes.addressof(block) % 64
        self.blocks[address] = (block, size)
        return address

    def free(self, address: int) -> None:
        del self.blocks[address]

    def check(self, address: int, size: int = 1) -> None:
        inside = (a <= address and address + size <= a + n for a, (_, n) in self.blocks.items())
        assert any(inside), f"{address:#x} is no memory of {self.device}"

    def write(self, address: int, data: memoryview) -> None:
        self.check(address, data.nbytes)
        ctypes.memmove(address, data.tobytes(), data.nbytes)

    def read(self, address: int, data: memoryview) -> None:
        self.check(address, data.nbytes)
        data.cast("B")[:] = ctypes.string_at(address, data.nbytes)

    def load(self, name: str, image: bytes) -> Any:
        return native().Kernel(image, name)

    def launch(self, kernel: Any, launch: Launch) -> None:
        types = [item for item in launch.types if item != "constexpr"]
        if not all(isinstance(item, str) and "<" not in item for item in types):
            types = []  # More than one slot a parameter.
        for slot, kind in zip(struct.iter_unpack("<Q", launch.slots), types, strict=False):
            if str(kind).startswith("*"):
                self.check(slot[0])
        scratch = ctypes.create_string_buffer(launch.scratch_bytes + 64)
        grid = (ctypes.c_int32 * 3)(*launch.grid)
        programs = launch.grid[0] * launch.grid[1] * launch.grid[2]
        start = ctypes.addressof(scratch) + -ctypes.addressof(scratch) % 64
        RANGE_KERNEL(kernel.address)(launch.slots, ctypes.addressof(grid), 0, programs, start)
        self.launches += 1


class Mirror(Backend):
    interface_version = 1
    name = "mirror"
    refusals = (Refusal("tt.histogram", "mirrors do not count", "use tl.sum"),)

    def describe(self, arch: str) -> TargetDescription:
        return targets.resolve("host", targets_of_the_host())

    def probe(self) -> Availability:
        return Availability(True, "always", devices=("mirror", "mirror:1"))

    def open(self, target: str, settings: Mapping[str, object]) -> Driver:
        if target not in ("", "1") or set(settings) - {"polish"}:
            return super().open(target, settings)
        return MirrorDriver(f"mirror:{target}" if target else "mirror", settings)


def targets_of_the_host() -> tuple[TargetDescription, ...]:
    from seagrove.runtime import registry

    return next(e.load().targets() for e in registry.backends().values() if e.load().is_host)

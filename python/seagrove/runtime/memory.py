"""Memory of devices: blocks that are given back by themselves, and what of it is in use."""

from __future__ import annotations

import ctypes
import weakref
from dataclasses import dataclass
from threading import RLock
from typing import Any

from seagrove.backend import Driver, MemoryStatistics


@dataclass
class _Counters:
    allocated: int = 0
    peak: int = 0
    allocations: int = 0


_counters: weakref.WeakKeyDictionary[Driver, _Counters] = weakref.WeakKeyDictionary()
# A collection of garbage within the lock may free blocks on the same thread.
_lock = RLock()


class Block:
    """`size` bytes of a device's memory, given back when nobody refers to it any more.

    Raises:
        DeviceError: if the device has no more memory, or none of its own.
    """

    def __init__(self, driver: Driver, size: int) -> None:
        self.driver = driver
        self.size = size
        self.address = driver.allocate(max(size, 1))
        _count(driver, size)
        self.free = weakref.finalize(self, _free, driver, self.address, size)
        # At the end of the process the device may be gone first.
        self.free.atexit = False

    def write(self, data: memoryview, offset: int = 0) -> None:
        self.driver.write(self.address + offset, data)

    def read(self, data: memoryview, offset: int = 0) -> None:
        self.driver.read(self.address + offset, data)


def _count(driver: Driver, size: int) -> None:
    with _lock:
        counters = _counters.setdefault(driver, _Counters())
        counters.allocated += size
        counters.allocations += size > 0
        counters.peak = max(counters.peak, counters.allocated)


def _free(driver: Driver, address: int, size: int) -> None:
    try:
        driver.free(address)
    finally:
        _count(driver, -size)


def statistics(driver: Driver) -> MemoryStatistics:
    """What tensors hold of a device's memory."""
    total = driver.total_memory()
    with _lock:
        counters = _counters.get(driver, _Counters())
        return MemoryStatistics(counters.allocated, counters.peak, counters.allocations, total)


def host_bytes(address: int, size: int, owner: Any = None) -> memoryview:
    """Memory of this process as a buffer that keeps `owner` alive."""
    array = (ctypes.c_char * size).from_address(address)
    array._seagrove_owner = owner  # type: ignore[attr-defined]  # ctypes lets it live there
    return memoryview(array).cast("B")


class HostMemory:
    """Memory of a device that is memory of this process: a base for drivers, before `Driver`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._blocks: dict[int, Any] = {}

    def allocate(self, size: int) -> int:
        block = ctypes.create_string_buffer(size + 63)
        address = -(-ctypes.addressof(block) // 64) * 64
        self._blocks[address] = block
        return address

    def free(self, address: int) -> None:
        self._blocks.pop(address, None)

    def write(self, address: int, data: memoryview) -> None:
        host_bytes(address, data.nbytes)[:] = data.cast("B")

    def read(self, address: int, data: memoryview) -> None:
        data.cast("B")[:] = host_bytes(address, data.nbytes)

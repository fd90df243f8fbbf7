"""Memory of devices: blocks that are given back by themselves, and what of it is in use."""

from __future__ import annotations

import ctypes
import weakref
from dataclasses import dataclass
from threading import Lock
from typing import Any

from seagrove.backend import Driver, MemoryStatistics


@dataclass
class _Counters:
    allocated: int = 0
    peak: int = 0
    allocations: int = 0


_counters: weakref.WeakKeyDictionary[Driver, _Counters] = weakref.WeakKeyDictionary()
_lock = Lock()


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

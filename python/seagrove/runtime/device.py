"""Devices as Triton's benchmark and tuning code see them.

Launches on the host end before they return, so events are time stamps and there is nothing to
wait for. No tensor library is used here: one may have replaced the host's own operations.
"""

from __future__ import annotations

import ctypes
import os
import time
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seagrove.backend import Driver


class Event:
    """A point in time, with the interface of a device event."""

    def __init__(self, enable_timing: bool = True, **_: object) -> None:
        self._seconds = 0.0

    def record(self, stream: object = None) -> None:
        """Sets the event to now."""
        self._seconds = time.perf_counter()

    def elapsed_time(self, end: Event) -> float:
        """Milliseconds from this event to `end`."""
        return (end._seconds - self._seconds) * 1e3

    def synchronize(self) -> None:
        """Returns at once: what was recorded has happened."""

    def query(self) -> bool:
        """Whether the event has happened; always."""
        return True


class DeviceInterface:
    """What `driver.get_device_interface()` returns: torch's names for one device."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.Event = driver.event_type

    def synchronize(self, device: object = None) -> None:
        """Waits until what was launched has ended."""
        self._driver.synchronize()

    def is_available(self) -> bool:
        return True

    def device_count(self) -> int:
        return 1

    def current_device(self) -> int:
        return 0

    def set_device(self, device: object) -> None:
        """There is one device."""

    def current_stream(self, device: object = None) -> int:
        return self._driver.stream()

    def stream(self, stream: object) -> nullcontext[None]:
        """There is one stream."""
        return nullcontext()


class DeviceProperties(dict[str, object]):
    """Properties by key and, for libraries that expect it, by attribute."""

    def __getattr__(self, name: str) -> object:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class CacheFlusher:
    """Memory whose overwriting leaves none of a benchmark's data in the caches."""

    def __init__(self, size: int) -> None:
        self._memory = bytearray(size)
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))

    def zero_(self) -> None:
        """Overwrites all of it."""
        ctypes.memset(self._address, 0, len(self._memory))


_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def data_cache_bytes(level: int) -> int:
    """Size of core 0's data cache of a level, in bytes; 0 where the system tells none."""
    for cache in sorted(_CACHES.glob("index*")):
        try:
            if int((cache / "level").read_text()) != level:
                continue
            if (cache / "type").read_text().strip() == "Instruction":
                continue
            text = (cache / "size").read_text().strip()
        except (OSError, ValueError):
            continue
        return int(text.rstrip("KM")) * {"K": 1 << 10, "M": 1 << 20}.get(text[-1:], 1)
    return 0


def last_level_cache_bytes(default: int = 32 << 20, limit: int = 64 << 20) -> int:
    """Size of the outermost cache in bytes, at most `limit`; `default` where it is unknown."""
    return min(max(map(data_cache_bytes, (1, 2, 3, 4))) or default, limit)


@lru_cache(maxsize=1)
def host_properties() -> DeviceProperties:
    """Properties of the host under the names that Triton's code asks for; sizes in bytes."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return DeviceProperties(
        name="host",
        # Blocks live in registers and caches: no kernel is too large for "shared memory".
        max_shared_mem=1 << 30,
        max_num_regs=1 << 16,
        multiprocessor_count=len(os.sched_getaffinity(0)),
        warpSize=1,
        total_memory=memory,
        sm_clock_rate=0,
        mem_clock_rate=0,
        mem_bus_width=0,
    )

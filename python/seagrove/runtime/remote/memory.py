"""Which parts of a device's memory are in use."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque

from seagrove.backend import MemoryStatistics

ALIGNMENT = 64


class Allocator:
    """Hands out ranges of addresses, lowest fitting one first; neighbours that are free join.

    Not safe for threads: its owner has a lock. Only `release` may come from any thread, also in the
    middle of another call, as a garbage collection may: it takes effect with the next call.
    """

    def __init__(self, start: int, size: int) -> None:
        self._start, self._size = start, size
        self._free: list[tuple[int, int]] = [(start, size)] if size else []  # (address, bytes)
        self._used: dict[int, int] = {}
        self._released: deque[int] = deque()
        self._allocated = self._peak = 0

    def allocate(self, size: int) -> int | None:
        """The address of `size` bytes, a multiple of 64; None if no free range is as large."""
        self._collect()
        wanted = max(1, -(-size // ALIGNMENT)) * ALIGNMENT
        for index, (address, free) in enumerate(self._free):
            if free >= wanted:
                rest = [(address + wanted, free - wanted)] if free > wanted else []
                self._free[index : index + 1] = rest
                self._used[address] = wanted
                self._allocated += wanted
                self._peak = max(self._peak, self._allocated)
                return address
        return None

    def release(self, address: int) -> None:
        """Takes an allocation back, once."""
        self._released.append(address)

    def _collect(self) -> None:
        while self._released:
            self._join(self._released.popleft())

    def _join(self, address: int) -> None:
        size = self._used.pop(address, 0)
        if size == 0:
            return  # Not ours: memory of the parent process, or given back before.
        self._allocated -= size
        start, end = address, address + size
        index = bisect_left(self._free, (start, 0))
        if index < len(self._free) and self._free[index][0] == end:
            end += self._free.pop(index)[1]
        if index > 0 and sum(self._free[index - 1]) == start:
            index -= 1
            start = self._free.pop(index)[0]
        insort(self._free, (start, end - start))

    def holds(self, address: int, size: int) -> bool:
        """Whether a range lies in the memory and no byte of it is free."""
        self._collect()
        if not self._start <= address <= address + size <= self._start + self._size:
            return False
        index = bisect_right(self._free, (address, self._size)) - 1
        before_ends = index < 0 or sum(self._free[index]) <= address
        next_starts = index + 1 >= len(self._free) or self._free[index + 1][0] >= address + size
        return before_ends and next_starts

    def largest_free(self) -> int:
        """Bytes of the largest allocation that would succeed."""
        self._collect()
        return max((size for _, size in self._free), default=0)

    def statistics(self) -> MemoryStatistics:
        self._collect()
        return MemoryStatistics(self._allocated, self._peak, len(self._used), self._size)

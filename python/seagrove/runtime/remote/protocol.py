"""The messages between a host and a worker, as in third_party/cpu/runtime/protocol.h.

A message is a header and a body. The host asks; the worker answers each request with one OK,
ERROR, ASSERTION or FAULT, before which any number of TEXT messages may come. All numbers are little
endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

VERSION = 1


class Kind(IntEnum):
    """What a message is; below 0x80 the host's requests."""

    LOAD = 1
    UNLOAD = 2
    LAUNCH = 3
    READ = 4
    WRITE = 5
    HELLO = 0x80
    OK = 0x81
    ERROR = 0x82
    ASSERTION = 0x83
    FAULT = 0x84
    TEXT = 0x85


HEADER = struct.Struct("<IIQ")  # kind, sequence number of the request, bytes of the body
_HELLO = struct.Struct("<IIQQ")
_LAUNCH = struct.Struct("<Qqq3iIII")
_FAULT = struct.Struct("<IIQ")
_U64 = struct.Struct("<Q")


@dataclass(frozen=True)
class Message:
    """A message that has arrived."""

    kind: Kind
    sequence: int
    body: bytes

    def text(self) -> str:
        return self.body.decode(errors="replace")

    def number(self) -> int:
        """The body as one 64-bit number."""
        return int(_U64.unpack(self.body)[0])


@dataclass(frozen=True)
class Hello:
    """What a worker says of itself when it has started.

    Attributes:
        version: of the protocol.
        vector_bits: length of a scalable vector register; 0 if it has none.
        memory: address of the device's memory, as kernels see it.
        size: of that memory, in bytes.
        architecture: of its processor, as compilers name it.
    """

    version: int
    vector_bits: int
    memory: int
    size: int
    architecture: str

    @classmethod
    def parse(cls, body: bytes) -> Hello:
        version, vector_bits, memory, size = _HELLO.unpack_from(body)
        return cls(version, vector_bits, memory, size, body[_HELLO.size :].decode())


def pack_u64(value: int) -> bytes:
    return _U64.pack(value)


def pack_load(image: bytes, symbol: str) -> bytes:
    name = symbol.encode()
    return _U64.pack(len(name)) + name + image


@dataclass(frozen=True)
class LaunchRequest:
    """One launch of a loaded kernel; docs/range-kernel.md says what the members mean.

    `progress` is 0 where programs are independent, 1 where they may wait for each other, 2 where
    all of them begin at once. `threads` is 0 for as many as the worker has cores.
    """

    handle: int
    grid: tuple[int, int, int]
    slots: bytes
    scratch_bytes: int = 0
    progress: int = 0
    threads: int = 0

    @property
    def programs(self) -> int:
        x, y, z = self.grid
        return x * y * z

    def pack(self) -> bytes:
        fixed = (self.handle, self.programs, self.scratch_bytes, *self.grid)
        counts = (self.progress, self.threads, len(self.slots) // 8)
        return _LAUNCH.pack(*fixed, *counts) + self.slots


def parse_fault(body: bytes) -> tuple[int, int]:
    """The signal and the address of a fault."""
    signal, _, address = _FAULT.unpack(body)
    return signal, address

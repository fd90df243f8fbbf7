"""Kernels and helpers for the tests of emulated devices."""

from __future__ import annotations

import os
from typing import Any

import pytest
import triton
import triton.language as tl
from seagrove.backends.cpu import emulated

from seagrove.runtime import registry
from seagrove.runtime.remote.device import RemoteDevice

REQUIRED = "SEAGROVE_REQUIRE_EMULATED"
ALL = [("aarch64", bits) for bits in (128, 256, 512)] + [
    ("riscv64", bits) for bits in (128, 256, 1024)
]
# Where one of each will do.
SOME = [("aarch64", 256), ("riscv64", 256)]


def open_device(isa: str, bits: int) -> registry.Device:
    """The device, or a skipped test where it cannot be emulated; a failed one under `make test`."""
    if reason := emulated.missing(isa):
        text = "; ".join(reason)
        if os.environ.get(REQUIRED):
            pytest.fail(text)
        pytest.skip(text)
    return registry.device(f"cpu:{isa}", vector_bits=bits)


def remote_of(device: registry.Device) -> RemoteDevice:
    driver: Any = device.driver
    return driver.remote


@triton.jit
def add(x, y, out, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = at < n
    tl.store(out + at, tl.load(x + at, mask=mask) + tl.load(y + at, mask=mask), mask=mask)


@triton.jit
def store_at(address, out):
    """Writes to an address that is given as a number."""
    tl.store(address.to(tl.int64).to(tl.pointer_type(tl.int32)), 1)
    tl.store(out, 1)


@triton.jit
def wait_for(flag):
    """Ends when somebody sets the flag, which nobody can."""
    while tl.load(flag, volatile=True) == 0:
        pass


@triton.jit
def sum_of_two(table, out):
    """Adds the first values of two tensors whose addresses lie in memory."""
    first = tl.load(table).to(tl.pointer_type(tl.float32))
    second = tl.load(table + 1).to(tl.pointer_type(tl.float32))
    tl.store(out, tl.load(first) + tl.load(second))


@triton.jit
def increment(x, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x + at, tl.load(x + at, mask=at < n) + 1, mask=at < n)


@triton.jit
def checked(x, out, BLOCK: tl.constexpr):
    program = tl.program_id(0)
    tl.store(out + program, program + 1)
    value = tl.load(x + program)
    tl.device_assert(value < 3, "value is too large")


@triton.jit
def show(x, BLOCK: tl.constexpr):
    tl.device_print("value", tl.load(x + tl.arange(0, BLOCK)))

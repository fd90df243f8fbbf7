"""Tensors of the host in a launch on a device with memory of its own.

They are copied to the device before the launch and back after it: whole storages, since a kernel
may reach beyond the view that it was given, and those that overlap as one, since it may write by
one and read by the other. That costs; tensors that live on the device cost nothing.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

from seagrove.backend import Driver
from seagrove.errors import DeviceAssertError, DeviceError
from seagrove.runtime.memory import Block, host_bytes

_ALIGNMENT = 64


@dataclass
class _Range:
    """Bytes of the host from `start` to `end`, and where they are on the device."""

    start: int
    end: int
    writable: bool = True
    block: Block | None = None

    def on_device(self, address: int) -> int:
        # The same remainder as on the host: Triton has told the kernel what divides it.
        assert self.block is not None
        return self.block.address + self.start % _ALIGNMENT + address - self.start

    def bytes(self) -> memoryview:
        return host_bytes(self.start, self.end - self.start)


@dataclass(frozen=True)
class _OnDevice:
    """A tensor's stand-in: what a launcher reads of it."""

    address: int
    dtype: Any
    elements: int

    def data_ptr(self) -> int:
        return self.address

    def numel(self) -> int:
        return self.elements


class Staging:
    """The tensors of one launch; a context manager that copies back at the end.

    Args:
        driver: the device of the launch.
        kernel: the kernel's name, for messages.
        args: the launch's arguments.
    """

    def __init__(self, driver: Driver, kernel: str, args: tuple[Any, ...]) -> None:
        self._driver = driver
        self._kernel = kernel
        self._args = args
        self._ranges: list[_Range] = []
        self._exclusive = ExitStack()

    def __enter__(self) -> tuple[Any, ...]:
        """The arguments as the device sees them."""
        for arg in self._args:
            self._collect(arg)
        self._ranges = _merged(self._ranges)
        self._exclusive.enter_context(self._driver.exclusive())
        try:
            for part in self._ranges:
                part.block = Block(self._driver, part.end - part.start + _ALIGNMENT)
                self._driver.write(part.on_device(part.start), part.bytes())
            return tuple(map(self._place, self._args))
        except BaseException:
            self._free()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # What programs wrote before one of them failed an assertion stays, as on the host.
            if kind is None or issubclass(kind, DeviceAssertError):
                for part in self._ranges:
                    self._copy_back(part)
        finally:
            self._free()

    def _copy_back(self, part: _Range) -> None:
        result = bytearray(part.end - part.start)
        self._driver.read(part.on_device(part.start), memoryview(result))
        host = part.bytes()
        # What is the same is not written: it may be a file that is mapped for reading.
        if part.writable and bytes(host) != result:
            host[:] = result

    def _free(self) -> None:
        for part in self._ranges:
            if part.block:
                part.block.free()
        self._exclusive.close()

    def _collect(self, arg: Any) -> None:
        if type(arg) is tuple:
            for item in arg:
                self._collect(item)
        elif _is_descriptor(arg):
            self._collect(arg.base)
        elif _is_tensor(arg) and not self._is_at_home(arg):
            part = _range_of(arg)
            if part is None:
                raise self._foreign(arg)
            if part.end > part.start:
                self._ranges.append(part)

    def _is_at_home(self, arg: Any) -> bool:
        """Whether a tensor lives on the device of the launch."""
        own = getattr(arg, "seagrove_device", None)
        if own is None:
            return False
        if own.driver is not self._driver and not own.driver.is_host:
            raise self._foreign(arg)
        return bool(own.driver is self._driver)

    def _foreign(self, arg: Any) -> DeviceError:
        place = getattr(arg, "device", None) or f"a {type(arg).__name__}"
        return DeviceError(
            f"kernel '{self._kernel}' was launched on '{self._driver.device}' with a tensor on "
            f"'{place}'",
            code="SG0604",
            why="the device reads its own memory, and copies of tensors of the host",
            advice="copy it with seagrove.asarray(x, device=...)",
        )

    def _place(self, arg: Any) -> Any:
        if type(arg) is tuple:
            return tuple(map(self._place, arg))
        if _is_descriptor(arg):
            return replace(arg, base=self._place(arg.base))
        if not _is_tensor(arg):
            return arg
        address = _address(arg)
        if self._is_at_home(arg):
            return _OnDevice(address, arg.dtype, _count(arg))
        for part in self._ranges:
            if part.start <= address < part.end:
                return _OnDevice(part.on_device(address), arg.dtype, _count(arg))
        return _OnDevice(0, arg.dtype, 0)


def _merged(parts: list[_Range]) -> list[_Range]:
    """The ranges, with those that overlap as one."""
    found: list[_Range] = []
    for part in sorted(parts, key=lambda item: item.start):
        if found and part.start < found[-1].end:
            found[-1].end = max(found[-1].end, part.end)
            found[-1].writable |= part.writable
        else:
            found.append(part)
    return found


def _is_descriptor(arg: Any) -> bool:
    return type(arg).__name__ == "TensorDescriptor"


def _is_tensor(arg: Any) -> bool:
    return hasattr(arg, "data_ptr") or hasattr(arg, "__array_interface__")


def _address(arg: Any) -> int:
    if hasattr(arg, "data_ptr"):
        return int(arg.data_ptr())
    return int(arg.__array_interface__["data"][0])


def _count(arg: Any) -> int:
    return int(arg.numel()) if hasattr(arg, "numel") else int(arg.size)


def _range_of(arg: Any) -> _Range | None:
    """The host's bytes that a kernel may reach from this tensor; None if that is not known."""
    if callable(storage_of := getattr(arg, "untyped_storage", None)):
        if not arg.is_cpu:
            return None
        storage = storage_of()
        return _Range(storage.data_ptr(), storage.data_ptr() + storage.nbytes())
    if hasattr(arg, "seagrove_device"):
        return _Range(arg.data_ptr(), arg.data_ptr() + arg.nbytes)
    root = arg
    while getattr(root, "base", None) is not None and hasattr(root.base, "__array_interface__"):
        root = root.base
    if not hasattr(root, "__array_interface__"):
        return None
    interface = root.__array_interface__
    address, read_only = interface["data"]
    if interface.get("strides") is None:
        return _Range(address, address + root.nbytes, not read_only)
    low = high = address
    for step, size in zip(interface["strides"], interface["shape"], strict=True):
        low += min(0, step * (size - 1))
        high += max(0, step * (size - 1))
    return _Range(low, high + root.itemsize if root.size else low, not read_only)

"""Tensors that live on a device.

A `DeviceTensor` is memory, a shape and an element type: what a kernel takes, and what can be
copied from and to NumPy, torch and everything else that speaks DLPack or the buffer protocol. It
computes nothing: that is what kernels are for. On the host it shares memory with what it was made
from, and what is made from it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

from seagrove.backend import Driver
from seagrove.errors import ArgumentTypeError, ArgumentValueError
from seagrove.runtime import registry
from seagrove.runtime.dtypes import DTYPES, DType, dtype_of
from seagrove.runtime.memory import Block, host_bytes

Shape = tuple[int, ...]

# What the module `struct` calls an element type, and its bytes.
_FORMATS = {
    **{(code, size): DTYPES[f"i{8 * size}"] for code in "bhilq" for size in (1, 2, 4, 8)},
    **{(code, size): DTYPES[f"u{8 * size}"] for code in "BHILQ" for size in (1, 2, 4, 8)},
    ("?", 1): DTYPES["i1"],
    ("e", 2): DTYPES["fp16"],
    ("f", 4): DTYPES["fp32"],
    ("d", 8): DTYPES["fp64"],
}


class DeviceTensor:
    """A block of numbers in a device's memory; made by `empty`, `zeros` and `asarray`.

    Attributes:
        shape: elements along each dimension.
        strides: elements from one to the next along each dimension.
        dtype: the element type; `str(dtype)` is torch's name of it.
        seagrove_device: the device, by which a launch finds it.
    """

    def __init__(
        self,
        device: registry.Device,
        address: int,
        shape: Shape,
        strides: Shape,
        dtype: DType,
        owner: object,
    ) -> None:
        self.seagrove_device = device
        self.shape = shape
        self.strides = strides
        self.dtype = dtype
        self._address = address
        self._owner = owner

    def data_ptr(self) -> int:
        """Address of the first element in the device's memory."""
        return self._address

    @property
    def device(self) -> str:
        """The device's name."""
        return self.seagrove_device.name

    @property
    def is_cpu(self) -> bool:
        """Whether the elements lie in the memory of this process."""
        return self._driver.is_host

    @property
    def _driver(self) -> Driver:
        return self.seagrove_device.driver

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def numel(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes from the first element to the end of the last."""
        if 0 in self.shape:
            return 0
        last = sum(step * (n - 1) for step, n in zip(self.strides, self.shape, strict=True))
        return (last + 1) * self.dtype.itemsize

    def element_size(self) -> int:
        return self.dtype.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Elements from one to the next along a dimension, or along each."""
        return self.strides if dim is None else self.strides[dim]

    def is_contiguous(self) -> bool:
        return self.strides == _contiguous(self.shape)

    def reshape(self, *shape: int) -> DeviceTensor:
        """The same elements in another shape; shares memory.

        Raises:
            ArgumentValueError: SG0713 if the elements do not fit, or do not lie in one piece.
        """
        if not self.is_contiguous() or math.prod(shape) != self.numel():
            raise ArgumentValueError(
                f"a tensor of shape {self.shape} and strides {self.strides} cannot be "
                f"reshaped to {shape}",
                code="SG0713",
                advice="reshape the array that it is made from",
            )
        return self._view(self._address, shape, _contiguous(shape))

    def _view(self, address: int, shape: Shape, strides: Shape) -> DeviceTensor:
        return DeviceTensor(self.seagrove_device, address, shape, strides, self.dtype, self._owner)

    def to(self, device: str | registry.Device, **settings: object) -> DeviceTensor:
        """This tensor on another device: a copy, or itself if it is there already."""
        wanted = registry.device_or_chosen(device, settings)
        if wanted is self.seagrove_device:
            return self
        return _upload(wanted, self._on_host(), self.shape, self.dtype)

    def copy_from(self, source: Any) -> DeviceTensor:
        """Overwrites the elements by those of an array of the same shape; returns itself.

        Raises:
            ArgumentValueError: SG0713 for another shape, or a tensor that is not in one piece.
        """
        data, shape, dtype = _read_source(source, self.dtype)
        if shape != self.shape or dtype is not self.dtype or not self.is_contiguous():
            raise ArgumentValueError(
                f"a tensor of shape {self.shape} and type {self.dtype} cannot take the elements "
                f"of one of shape {shape} and type {dtype}",
                code="SG0713",
                advice="convert the source first",
            )
        if data.nbytes:
            self._driver.write(self._address, data)
        return self

    def _on_host(self) -> memoryview:
        """The elements' bytes: shared on the host, copied from elsewhere."""
        if self._driver.is_host:
            return host_bytes(self._address, self.nbytes, self._owner)
        data = memoryview(bytearray(self.nbytes))
        if self.nbytes:
            self._driver.read(self._address, data)
        return data

    def numpy(self) -> Any:
        """A NumPy array of the elements: shared on the host, a copy from elsewhere.

        Raises:
            ArgumentTypeError: SG0713 for an element type that NumPy does not have.
        """
        import numpy

        if not self.dtype.typestr:
            raise ArgumentTypeError(
                f"NumPy has no type '{self.dtype}'",
                code="SG0713",
                advice="use .torch(), or view the bytes: .bytes()",
            )
        steps = tuple(step * self.dtype.itemsize for step in self.strides)
        data = self._on_host()
        return numpy.ndarray(self.shape, self.dtype.typestr, data, strides=steps)

    def torch(self) -> Any:
        """A torch tensor of the elements on torch's host device: shared there, else a copy."""
        import torch

        dtype = getattr(torch, self.dtype.name)
        if self.nbytes == 0:
            return torch.empty(self.shape, dtype=dtype)
        flat = torch.frombuffer(self._on_host(), dtype=dtype)
        return flat.as_strided(self.shape, self.strides)

    def bytes(self) -> bytes:
        """The elements' bytes."""
        return self._on_host().tobytes()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        if not (self._driver.is_host and self.dtype.typestr):
            raise AttributeError("__array_interface__")
        size = self.dtype.itemsize
        steps = None if self.is_contiguous() else tuple(step * size for step in self.strides)
        return {
            "version": 3,
            "shape": self.shape,
            "typestr": self.dtype.typestr,
            "data": (self._address, False),
            "strides": steps,
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # The host's memory: what is elsewhere is copied there.

    def __dlpack__(self, **options: Any) -> Any:
        options.pop("stream", None)
        return (self.numpy() if self.dtype.typestr else self.torch()).__dlpack__(**options)

    def tolist(self) -> Any:
        return (self.numpy() if self.dtype.typestr else self.torch()).tolist()

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        shape = ", ".join(map(str, self.shape))
        return f"DeviceTensor([{shape}], dtype={self.dtype}, device={self.seagrove_device!r})"


def _contiguous(shape: Sequence[int]) -> Shape:
    steps, step = [], 1
    for size in reversed(shape):
        steps.append(step)
        step *= max(size, 1)
    return tuple(reversed(steps))


def empty(
    shape: int | Sequence[int],
    dtype: object = "float32",
    device: str | registry.Device | None = None,
    **settings: object,
) -> DeviceTensor:
    """See `seagrove.empty`."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(size < 0 for size in sizes):
        raise ArgumentValueError(f"a tensor cannot have the shape {sizes}", code="SG0713")
    wanted, element = registry.device_or_chosen(device, settings), dtype_of(dtype)
    block = Block(wanted.driver, math.prod(sizes) * element.itemsize)
    return DeviceTensor(wanted, block.address, sizes, _contiguous(sizes), element, block)


def zeros(
    shape: int | Sequence[int],
    dtype: object = "float32",
    device: str | registry.Device | None = None,
    **settings: object,
) -> DeviceTensor:
    """See `seagrove.zeros`."""
    made = empty(shape, dtype, device, **settings)
    if made.nbytes:
        made._driver.write(made.data_ptr(), memoryview(bytes(made.nbytes)))
    return made


def asarray(
    source: Any,
    dtype: object = None,
    device: str | registry.Device | None = None,
    **settings: object,
) -> DeviceTensor:
    """See `seagrove.asarray`."""
    if device is None and isinstance(source, DeviceTensor) and dtype is None:
        return source
    wanted = registry.device_or_chosen(device, settings)
    element = None if dtype is None else dtype_of(dtype)
    if wanted.driver.is_host and (shared := _shared(wanted, source, element)) is not None:
        return shared
    data, shape, found = _read_source(source, element)
    return _upload(wanted, data, shape, found)


def _upload(device: registry.Device, data: memoryview, shape: Shape, dtype: DType) -> DeviceTensor:
    made = empty(shape, dtype, device)
    if data.nbytes:
        made._driver.write(made.data_ptr(), data)
    return made


def _shared(device: registry.Device, source: Any, dtype: DType | None) -> DeviceTensor | None:
    """A tensor of the host in the memory of `source`; None where that cannot be."""
    if isinstance(source, DeviceTensor) and not source.is_cpu:
        return None
    if callable(getattr(source, "data_ptr", None)):
        if getattr(source, "is_cpu", None) is not True:
            return None
        address, steps = source.data_ptr(), tuple(source.stride())
        found = dtype_of(source.dtype)
    else:
        interface = getattr(source, "__array_interface__", None)
        if interface is None or interface["data"][1]:
            return None
        found = dtype_of(source.dtype)
        address, steps = interface["data"][0], _steps(source, interface)
    if (dtype is not None and dtype is not found) or any(step < 0 for step in steps):
        return None
    return DeviceTensor(device, address, tuple(source.shape), steps, found, source)


def _steps(array: Any, interface: dict[str, Any]) -> Shape:
    if interface.get("strides") is None:
        return _contiguous(array.shape)
    return tuple(step // array.dtype.itemsize for step in interface["strides"])


def _read_source(source: Any, dtype: DType | None) -> tuple[memoryview, Shape, DType]:
    """Bytes in order, shape and element type of anything that holds numbers.

    Raises:
        ArgumentTypeError: SG0713 if it holds none.
    """
    torch = sys.modules.get("torch")
    if isinstance(source, DeviceTensor):
        if source.is_contiguous() and dtype in (None, source.dtype):
            return source._on_host(), source.shape, source.dtype
        source = source.torch() if not source.dtype.typestr else source.numpy()
    if torch is not None and isinstance(source, torch.Tensor):
        host = source.detach().cpu()
        if dtype is not None:
            host = host.to(getattr(torch, dtype.name))
        host = host.contiguous()
        size = host.numel() * host.element_size()
        data = host_bytes(host.data_ptr(), size, host) if size else memoryview(b"")
        return data, tuple(host.shape), dtype_of(host.dtype)
    return _read_buffer(source, dtype) or _read_array(source, dtype)


def _read_buffer(source: Any, dtype: DType | None) -> tuple[memoryview, Shape, DType] | None:
    """What the buffer protocol tells of `source`, for which NumPy is not needed; else None."""
    try:
        data = memoryview(source)
    except TypeError:
        return None
    found = _FORMATS.get((data.format.lstrip("@=<"), data.itemsize))
    if found is None or not data.c_contiguous or not data.shape or dtype not in (None, found):
        return None
    return data.cast("B") if data.nbytes else memoryview(b""), tuple(data.shape), found


def _read_array(source: Any, dtype: DType | None) -> tuple[memoryview, Shape, DType]:
    import numpy

    if dtype is not None and not dtype.typestr:
        raise ArgumentTypeError(
            f"NumPy has no type '{dtype}'", code="SG0713", advice="pass a torch tensor"
        )
    try:
        if hasattr(source, "__dlpack__") and not hasattr(source, "__array_interface__"):
            source = numpy.from_dlpack(source)
        array = numpy.asarray(source, dtype=dtype.typestr if dtype else None, order="C")
        found = dtype_of(array.dtype)
    except (TypeError, ValueError, BufferError, ArgumentTypeError) as error:
        raise ArgumentTypeError(
            f"a {type(source).__name__} is no array of numbers",
            code="SG0713",
            why=str(error).partition("\n")[0],
            advice="pass a NumPy array, a torch tensor, or numbers with a dtype",
        ) from None
    # In order, and of this machine's byte order.
    array = numpy.ascontiguousarray(array).reshape(array.shape).astype(found.typestr, copy=False)
    data = memoryview(array.reshape(-1).view(numpy.uint8)) if array.size else memoryview(b"")
    return data, tuple(array.shape), found

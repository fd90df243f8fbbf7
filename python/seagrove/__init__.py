"""Seagrove compiles unmodified `@triton.jit` kernels for any chip.

Nothing needs to be imported from here: once the package is installed, `import triton` finds its
backends. What is here chooses a backend and the number of threads by hand. Importing the package
loads neither Triton, nor torch, nor the compiler, and opens no device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seagrove._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seagrove.backend import MemoryStatistics
    from seagrove.runtime.device import DeviceProperties
    from seagrove.runtime.registry import Choice, Device
    from seagrove.runtime.tensors import DeviceTensor

__all__ = [
    "__version__",
    "asarray",
    "device_properties",
    "devices",
    "empty",
    "explain",
    "get_num_threads",
    "memory_statistics",
    "set_num_threads",
    "synchronize",
    "use",
    "zeros",
]


def use(name: str, *, everywhere: bool = False, **settings: object) -> Choice:
    """Makes kernels run on the device `name` from now on, such as "cpu".

    The choice is that of the calling thread or asyncio task; others keep theirs. Also a context
    manager: `with seagrove.use("cpu"): ...` returns to the earlier choice at the end of the block.

    A choice goes before the device of a launch's tensors; the launch option `backend`, as in
    `kernel[grid](..., backend="cpu")`, goes before both. The environment variable
    SEAGROVE_BACKEND chooses from outside, for threads that have not chosen.

    Args:
        name: "backend" or "backend:device", as `seagrove devices` lists them, or the name of a
            backend of Triton's own.
        everywhere: makes it the choice of the process, for every thread without one of its own.
        settings: what the backend knows besides, such as the length of an emulated chip's vectors.

    Raises:
        seagrove.errors.BackendError: SG0706 if there is no such backend, SG0709 to SG0711 if it
            is broken.
        seagrove.errors.DeviceError: SG0712 for an unknown device or setting.
    """
    from seagrove.runtime import registry

    return registry.use(name, everywhere=everywhere, **settings)


def explain(compiled: object) -> str:
    """What the compiler decided about a kernel, and why, and the time that each pass takes.

    `print(seagrove.explain(kernel[grid](...)))`: the choices (register tiles, loops and their
    masks, what is kept in memory, how results are stored) stand below the kernel's source lines.
    `seagrove explain FILE.py::KERNEL` prints the same without a launch.

    Args:
        compiled: what a launch returned.

    Raises:
        TypeError: for anything else.
    """
    from seagrove.tools import explain_command

    return explain_command.explain_launched(compiled)


def set_num_threads(count: int) -> None:
    """Sets how many threads a launch may use, for the whole process.

    Args:
        count: a positive number; 0 returns to the default, which is torch's number of threads
            where torch is loaded and the number of this process's cores otherwise. The
            environment variable SEAGROVE_NUM_THREADS sets it from outside.

    Raises:
        ValueError: if `count` is negative.
    """
    from seagrove.compiler.native import native

    if count < 0:
        raise ValueError(f"the number of threads must be 0 or more, not {count}")
    native().set_num_threads(count)


def get_num_threads() -> int:
    """Returns how many threads the next launch from this thread may use."""
    from seagrove.compiler.native import native

    return native().num_threads()


def devices() -> tuple[str, ...]:
    """Names of the devices that kernels can run on here."""
    from seagrove.runtime import registry

    return tuple(name for entry in registry.backends().values() for name in entry.devices())


def device_properties(device: str | Device | None = None, **settings: object) -> DeviceProperties:
    """What a device has, by key and by attribute; sizes in bytes, None is the chosen device.

    Raises:
        seagrove.errors.BackendError, seagrove.errors.DeviceError: if there is no such device.
    """
    from seagrove.runtime import registry

    return registry.device_or_chosen(device, settings).driver.properties()


def memory_statistics(device: str | Device | None = None, **settings: object) -> MemoryStatistics:
    """What tensors hold of a device's memory, in bytes; None is the chosen device.

    Raises:
        seagrove.errors.BackendError, seagrove.errors.DeviceError: if there is no such device.
    """
    from seagrove.runtime import memory, registry

    return memory.statistics(registry.device_or_chosen(device, settings).driver)


def synchronize(device: str | Device | None = None, **settings: object) -> None:
    """Waits until what was launched on a device has ended; None is the chosen device."""
    from seagrove.runtime import registry

    registry.device_or_chosen(device, settings).driver.synchronize()


def empty(
    shape: int | Sequence[int],
    dtype: object = "float32",
    device: str | Device | None = None,
    **settings: object,
) -> DeviceTensor:
    """A tensor on a device whose elements are whatever was there.

    Args:
        shape: elements along each dimension.
        dtype: a name such as "float32" or "bf16", or a dtype of NumPy, torch or Triton.
        device: as for `use`; None is the chosen one, or else the host.
        settings: as for `use`.

    Raises:
        seagrove.errors.ArgumentTypeError: SG0713 for an element type that kernels do not have.
        seagrove.errors.BackendError, seagrove.errors.DeviceError: if there is no such device.
    """
    from seagrove.runtime import tensors

    return tensors.empty(shape, dtype, device, **settings)


def zeros(
    shape: int | Sequence[int],
    dtype: object = "float32",
    device: str | Device | None = None,
    **settings: object,
) -> DeviceTensor:
    """A tensor of zeros on a device; arguments as for `empty`."""
    from seagrove.runtime import tensors

    return tensors.zeros(shape, dtype, device, **settings)


def asarray(
    source: object,
    dtype: object = None,
    device: str | Device | None = None,
    **settings: object,
) -> DeviceTensor:
    """A tensor on a device with the elements of `source`.

    Args:
        source: a NumPy array, a torch tensor, anything that speaks DLPack or the buffer
            protocol, a number or nested lists of numbers.
        dtype: converts the elements; None leaves them.
        device, settings: as for `empty`.

    Returns:
        On the host a tensor that shares the memory of `source` where it can, else a copy.

    Raises:
        seagrove.errors.ArgumentTypeError: SG0713 if `source` holds no numbers.
        seagrove.errors.BackendError, seagrove.errors.DeviceError: if there is no such device.
    """
    from seagrove.runtime import tensors

    return tensors.asarray(source, dtype, device, **settings)

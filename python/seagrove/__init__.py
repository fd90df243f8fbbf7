"""Seagrove compiles unmodified `@triton.jit` kernels for any chip.

Nothing needs to be imported from here: once the package is installed, `import triton` finds its
backends. What is here chooses a backend and the number of threads by hand. Importing the package
loads neither Triton, nor torch, nor the compiler, and opens no device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seagrove._version import __version__

if TYPE_CHECKING:
    from seagrove.runtime.registry import Choice

__all__ = ["__version__", "get_num_threads", "set_num_threads", "use"]


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

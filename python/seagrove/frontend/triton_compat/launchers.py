"""Launchers: what Triton calls with a grid and the arguments of a kernel."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from seagrove.backend import Backend, Driver, Launch
from seagrove.errors import TargetError


def make_launcher(
    backend: Backend, driver: Driver, source: Any, metadata: Any
) -> Callable[..., None]:
    """The launcher of a compiled kernel (Triton's `launcher_cls`).

    Raises:
        TargetError: SG0704 if the device cannot run code made for the kernel's target.
    """
    compiled_for = metadata.target.backend
    if compiled_for != (backend.triton_name or backend.name):
        raise TargetError(
            f"a kernel that was compiled for '{compiled_for}' cannot run on '{driver.device}'",
            code="SG0704",
            why="it was compiled while another device was chosen, and is launched by hand",
            advice="launch it within the same seagrove.use(...), or launch the kernel itself",
        )
    if (own := driver.make_launcher(source, metadata)) is not None:
        launcher: Callable[..., None] = own
        return launcher
    driver.require(backend.describe(metadata.arch))
    names, types = launch_signature(source)
    name = getattr(source, "name", metadata.name).lstrip("@")
    progress = 2 if metadata.launch_cooperative_grid else int(metadata.waits)
    native = _native_launcher(name, names, types, metadata.scratch_bytes, progress)
    if driver.is_host:
        return native
    return _DeviceLauncher(
        driver, native, Launch(name, (0, 0, 0), b"", types, metadata.scratch_bytes, progress)
    )


def _native_launcher(
    name: str, names: tuple[str, ...], types: tuple[Any, ...], scratch_bytes: int, progress: int
) -> Callable[..., None]:
    from seagrove.compiler.native import native

    torch = sys.modules.get("torch")
    if callable(count := getattr(torch, "get_num_threads", None)):
        # Sets torch's own thread count up, which the native code reads from then on.
        count()
    return native().Launcher(name, names, types, scratch_bytes, progress)


class _DeviceLauncher:
    """Hands launches to a driver; tensors of the host are copied there and back."""

    def __init__(self, driver: Driver, pack: Callable[..., None], launch: Launch) -> None:
        self._driver = driver
        self._pack = pack
        self._launch = launch

    def __call__(self, x: Any, y: Any, z: Any, stream: Any, kernel: Any, *rest: Any) -> None:
        from seagrove.runtime.staging import Staging

        def start(slots: bytes, grid: tuple[int, int, int]) -> None:
            self._driver.launch(kernel, replace(self._launch, grid=grid, slots=slots))

        # What follows the kernel: two metadata, two hooks, then the arguments.
        with Staging(self._driver, self._launch.kernel, rest[4:]) as arguments:
            self._pack(x, y, z, stream, start, *rest[:4], *arguments)


def launch_signature(source: Any) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Names and Triton types of a kernel's parameters, in order.

    A parameter that the signature leaves out is a constexpr.
    """
    function = getattr(source, "fn", None)
    signature = dict(source.signature)
    if function is None:  # Compiled from a file of IR: parameters have numbers.
        return tuple(f"arg{key}" for key in signature), tuple(map(_from_ir, signature.values()))
    names = tuple(function.arg_names)
    constant = {path[0] for path in getattr(source, "constants", {}) if len(path) == 1}
    types = (
        "constexpr" if position in constant else signature.get(name, "constexpr")
        for position, name in enumerate(names)
    )
    return names, tuple(types)


_IR_TYPES = {
    "f16": "fp16",
    "f32": "fp32",
    "f64": "fp64",
    "f8E4M3FN": "fp8e4nv",
    "f8E4M3FNUZ": "fp8e4b8",
    "f8E5M2": "fp8e5",
    "f8E5M2FNUZ": "fp8e5b16",
}


def _from_ir(name: str) -> str:
    """Triton's name for a type that a file of IR names, such as "*fp32" for "*f32"."""
    element = name.lstrip("*")
    return name.removesuffix(element) + _IR_TYPES.get(element, element)

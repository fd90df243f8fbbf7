"""A backend whose processor is NumPy."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from seagrove.backend import Availability, Backend, Driver, Launch, LaunchOptions
from seagrove.compiler.stages import Compiled
from seagrove.compiler.targets import TargetDescription
from seagrove.errors import CompileError
from seagrove.runtime.memory import HostMemory


class AbacusDriver(HostMemory, Driver):
    """A device whose memory is memory of this process; programs run one after the other."""

    def load(self, name: str, image: bytes) -> Any:
        from seagrove_abacus.interpreter import Module

        return Module(image.decode())

    def launch(self, kernel: Any, launch: Launch) -> None:
        kernel.run([slot for (slot,) in struct.iter_unpack("<Q", launch.slots)], launch.grid)


class Abacus(Backend):
    """Compiles nothing: what it hands to the device is the text of the module."""

    interface_version = 1
    name = "abacus"
    fork = "own"
    binary_ext = "abacus"

    def targets(self) -> tuple[TargetDescription, ...]:
        return (TargetDescription("numpy", "abacus", "numpy", attributes=(("dot", "any shape"),)),)

    def probe(self) -> Availability:
        try:
            import numpy
        except ImportError as error:
            return Availability(False, str(error), "install numpy")
        return Availability(True, f"NumPy {numpy.__version__}", devices=("abacus", "abacus:1"))

    def open(self, target: str, settings: Mapping[str, object]) -> Driver:
        if target not in ("", "1") or settings:
            return super().open(target, settings)  # Raises: there is no such device.
        return AbacusDriver(f"{self.name}:{target}" if target else self.name, "numpy")

    def compile(self, ttir: str, target: TargetDescription, options: LaunchOptions) -> Compiled:
        from seagrove_abacus.interpreter import Module, Unknown

        try:
            module = Module(ttir)
        except Unknown as refusal:
            why = f"the backend 'abacus' does not compile {refusal} [SG0714]"
            raise CompileError(why, code="SG0714") from None
        return Compiled(output=ttir.encode(), symbol=module.entry.name, scratch_bytes=0)

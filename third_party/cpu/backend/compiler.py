"""The CPU backend's compiler, as Triton finds it."""

from __future__ import annotations

from dataclasses import dataclass

from seagrove.backends import cpu
from seagrove.compiler.targets import TargetDescription
from seagrove.frontend import triton_compat


@dataclass(frozen=True)
class CpuOptions(triton_compat.OptionsBase):
    """Options of a launch on the CPU.

    The members below tune other chips. They are accepted, so that a kernel's list of
    configurations works as it is, and change nothing.
    """

    maxnreg: int | None = None
    launch_pdl: bool = False
    waves_per_eu: int = 0
    matrix_instr_nonkdim: int = 0
    kpack: int = 1


class CpuBackend(triton_compat.BackendBase):
    """Compiles kernels for the host's CPU, or for another one that has a description."""

    name = cpu.NAME
    options_type = CpuOptions

    def describe(self, arch: str) -> TargetDescription:
        return cpu.describe(arch)


# Triton looks for the one backend class of this module: the base must not be a name in it.
triton_compat.install(cpu.NAME)

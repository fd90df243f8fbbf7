"""The host's own CPU as a backend: Triton's `cpu`.

Its instruction sets are descriptions under ../isa; which one is used is decided at run time from
what the machine reports. SEAGROVE_CPU_TARGET or the launch option `arch` names another.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from seagrove.backend import Availability, Backend, Driver, LaunchOptions
from seagrove.compiler import targets
from seagrove.compiler.targets import TargetDescription
from seagrove.errors import DeviceError, TargetError

NAME = "cpu"
ENVIRONMENT = "SEAGROVE_CPU_TARGET"
EMULATED_SUFFIX = "-emulated"

# Device nodes of accelerators that have a Triton backend of their own. Where none exists, nobody
# needs to be asked, which saves loading torch or a vendor's driver library.
_ACCELERATOR_NODES = (
    "nvidiactl",
    "nvidia[0-9]*",
    "nvhost-gpu",
    "nvgpu",
    "nvmap",
    "dxg",
    "kfd",
)


def _description_files() -> list[Path]:
    """Installed, the descriptions lie in this package; in a checkout, beside it."""
    here = Path(__file__).resolve().parent
    return sorted((here / "isa").glob("*/targets.json")) or sorted(
        (here.parent / "isa").glob("*/targets.json")
    )


@lru_cache(maxsize=1)
def descriptions() -> tuple[TargetDescription, ...]:
    """Every known target, each instruction set from the weakest to the strongest."""
    return tuple(item for path in _description_files() for item in targets.load_descriptions(path))


@lru_cache(maxsize=16)
def describe(arch: str) -> TargetDescription:
    """The target called `arch`; "" and "host" mean this machine.

    "<name>-emulated" is a target with what the emulator wants in addition.

    Raises:
        TargetError: for an unknown name.
    """
    base = arch.removesuffix(EMULATED_SUFFIX)
    found = targets.resolve(base, descriptions())
    if base == arch:
        return found
    from seagrove.backends.cpu.emulated import ATTRIBUTES

    extra = ATTRIBUTES.get(found.triple.partition("-")[0], ())
    return replace(found, name=arch, attributes=(*found.attributes, *extra))


def strongest(isa: str) -> TargetDescription | None:
    """The last target of an instruction set, which requires most; None without any."""
    known = [item for item in descriptions() if item.triple.partition("-")[0] == isa]
    return known[-1] if known else None


def current_arch() -> str:
    """The target that launches use where the kernel states none."""
    return os.environ.get(ENVIRONMENT) or "host"


@dataclass(frozen=True)
class CpuOptions(LaunchOptions):
    """Options of a launch on the CPU.

    The members below tune other chips. They are accepted, so that a kernel's list of
    configurations works as it is, and change nothing.
    """

    maxnreg: int | None = None
    launch_pdl: bool = False
    waves_per_eu: int = 0
    matrix_instr_nonkdim: int = 0
    kpack: int = 1


class CpuBackend(Backend):
    """The host, and every CPU that has a description."""

    interface_version = 1
    name = NAME
    is_host = True
    options = CpuOptions

    def targets(self) -> tuple[TargetDescription, ...]:
        return descriptions()

    def describe(self, arch: str) -> TargetDescription:
        return describe(arch)

    def probe(self) -> Availability:
        """Whether kernels can run on this machine, and on processors that it can emulate."""
        from seagrove.backends.cpu import emulated

        try:
            target = describe(current_arch())
            targets.require_runnable(target)
        except TargetError as error:
            return Availability(False, error.why or error.headline, error.advice)
        foreign = [isa for isa in emulated.EMULATED if not target.triple.startswith(isa)]
        lacks = {isa: emulated.missing(isa) for isa in foreign}
        return Availability(
            True,
            f"{target.cpu} as {target.name}, {target.vector_bits}-bit vectors",
            devices=(
                f"{NAME}:{target.name}",
                *(f"{NAME}:{isa}" for isa, lack in lacks.items() if lack is None),
            ),
            lacking=tuple((f"{NAME}:{isa}", *lack) for isa, lack in lacks.items() if lack),
        )

    def open(self, target: str, settings: Mapping[str, object]) -> Driver:
        from seagrove.backends.cpu.host import HostDriver

        if not target and not settings:
            return HostDriver(NAME, current_arch())  # What emulates others is not loaded.
        from seagrove.backends.cpu import emulated

        best = strongest(target) if target in emulated.EMULATED else None
        if best is not None and not targets.runs_here(best):
            return emulated.open_device(target, best.name + EMULATED_SUFFIX, settings)
        if settings:
            raise DeviceError(
                f"the device '{NAME}' has no setting '{next(iter(settings))}'",
                code="SG0712",
                why="the host is as it is",
                advice=f"leave the settings out; {ENVIRONMENT} chooses another target",
            )
        targets.require_runnable(describe(target))
        return HostDriver(f"{NAME}:{target}", target)

    def other_device_possible(self) -> bool:
        return any(any(Path("/dev").glob(node)) for node in _ACCELERATOR_NODES)


BACKEND = CpuBackend

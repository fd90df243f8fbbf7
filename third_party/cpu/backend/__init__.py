"""The host's own CPU as a backend: Triton's `cpu`.

Its instruction sets are descriptions under ../isa; which one is used is decided at run time from
what the machine reports. SEAGROVE_CPU_TARGET or the launch option `arch` names another.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from seagrove.compiler import targets
from seagrove.errors import TargetError
from seagrove.runtime.registry import Availability

NAME = "cpu"
ENVIRONMENT = "SEAGROVE_CPU_TARGET"


def _description_files() -> list[Path]:
    """Installed, the descriptions lie in this package; in a checkout, beside it."""
    here = Path(__file__).resolve().parent
    return sorted((here / "isa").glob("*/targets.json")) or sorted(
        (here.parent / "isa").glob("*/targets.json")
    )


@lru_cache(maxsize=1)
def descriptions() -> tuple[targets.TargetDescription, ...]:
    """Every known target, each instruction set from the weakest to the strongest."""
    return tuple(item for path in _description_files() for item in targets.load_descriptions(path))


@lru_cache(maxsize=16)
def describe(arch: str) -> targets.TargetDescription:
    """The target called `arch`; "" and "host" mean this machine.

    Raises:
        TargetError: for an unknown name.
    """
    return targets.resolve(arch, descriptions())


def current_arch() -> str:
    """The target that launches use where the kernel states none."""
    return os.environ.get(ENVIRONMENT) or "host"


def probe() -> Availability:
    """Whether kernels can run on this machine."""
    try:
        target = describe(current_arch())
        targets.require_runnable(target)
    except TargetError as error:
        return Availability(False, error.why or error.headline, error.advice)
    return Availability(
        True,
        f"{target.cpu} as {target.name}, {target.vector_bits}-bit vectors",
        devices=(f"{NAME}:{target.name}",),
    )

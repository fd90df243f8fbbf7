"""Target descriptions: what the compiler must know of a chip, as data.

A backend ships JSON files. Each names the targets of one instruction set from the weakest to the
strongest:

    {"isa": "...", "triple": "...", "targets": [
        {"name": "...", "cpu": "...", "features": "+a,+b", "requires": ["feature", ...],
         "vector_bits": 256, "vector_registers": 16, "fma": true, "scalable": false,
         "l1_bytes": 32768, "l2_bytes": 524288, "last_level_bytes": 33554432,
         "attributes": {"key": "value"}}]}

`requires` are LLVM feature names; what a weaker target of the file requires is implied. `features`
are those that `cpu` does not imply. The registers of a scalable target hold a power of two, known
at run time only, times `scalable_unit_bits`: from `vector_bits` to `scalable_max_bits`, and one
object runs at each of these lengths; a vector may take `register_group` of them (see
docs/scalable-vectors.md). The name of an instruction set means its strongest target. A name such as
"host" is resolved at run time, against the features that the running machine reports.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from seagrove.compiler.native import native
from seagrove.errors import TargetError
from seagrove.runtime.device import data_cache_bytes, last_level_cache_bytes

if TYPE_CHECKING:
    from seagrove._seagrove import Target

HOST_NAMES = ("", "host")


@dataclass(frozen=True)
class TargetDescription:
    """One chip that code can be made for. Sizes are in bits and bytes.

    `features` is an LLVM feature string ("+a,-b"); `requires` are the features without which
    code for this target must not run.
    """

    name: str
    triple: str
    cpu: str
    features: str = ""
    requires: tuple[str, ...] = ()
    vector_bits: int = 128
    scalable: bool = False
    scalable_unit_bits: int = 128
    scalable_max_bits: int = 2048
    register_group: int = 1
    vector_registers: int = 16
    fma: bool = False
    l1_bytes: int = 32 << 10
    l2_bytes: int = 512 << 10
    last_level_bytes: int = 32 << 20
    isa: str = ""
    attributes: tuple[tuple[str, str], ...] = field(default=())

    def cache_key(self) -> str:
        """A text that differs whenever generated code could differ."""
        return repr(self)

    def to_native(self) -> Target:
        """The same description for the compiler."""
        target = native().Target()
        target.triple = self.triple
        target.cpu = self.cpu
        target.features = self.features
        target.vector_bits = self.vector_bits
        target.scalable = self.scalable
        target.scalable_unit_bits = self.scalable_unit_bits
        target.scalable_max_bits = self.scalable_max_bits
        target.register_group = self.register_group
        target.vector_registers = self.vector_registers
        target.fma = self.fma
        target.l1_bytes = self.l1_bytes
        target.l2_bytes = self.l2_bytes
        target.last_level_bytes = self.last_level_bytes
        target.attributes = [*self.attributes, ("name", self.name)]
        return target


def load_descriptions(path: Path) -> tuple[TargetDescription, ...]:
    """Reads one description file, weakest target first."""
    data = json.loads(path.read_text())
    found: list[TargetDescription] = []
    required: tuple[str, ...] = ()
    for entry in data["targets"]:
        target = _from_json(data["triple"], {"isa": data.get("isa", ""), **entry})
        required += target.requires
        found.append(replace(target, requires=required))
    return tuple(found)


def _from_json(triple: str, entry: Mapping[str, object]) -> TargetDescription:
    values = dict(entry)
    attributes = values.pop("attributes", {})
    assert isinstance(attributes, dict)
    requires = values.pop("requires", [])
    assert isinstance(requires, list)
    return TargetDescription(
        triple=triple,
        requires=tuple(requires),
        attributes=tuple((key, str(value)) for key, value in attributes.items()),
        **values,  # type: ignore[arg-type]  # a wrong type in a file fails in the native module
    )


@lru_cache(maxsize=1)
def host() -> TargetDescription:
    """The running machine as LLVM names it; cache sizes are 0 where the system tells none."""
    found = native().detect_host()
    return TargetDescription(
        name="host",
        triple=found.triple,
        cpu=found.cpu,
        features=found.features,
        l1_bytes=data_cache_bytes(1),
        l2_bytes=data_cache_bytes(2),
        last_level_bytes=last_level_cache_bytes(),
    )


def enabled_features(features: str) -> frozenset[str]:
    """The names that an LLVM feature string switches on."""
    return frozenset(item[1:] for item in features.split(",") if item.startswith("+"))


def runs_here(target: TargetDescription) -> bool:
    """Whether the running machine has every feature that `target` requires."""
    same_isa = target.triple.partition("-")[0] == host().triple.partition("-")[0]
    return same_isa and set(target.requires) <= enabled_features(host().features)


def resolve(name: str, known: Iterable[TargetDescription]) -> TargetDescription:
    """Finds the target called `name`; "" and "host" mean the running machine.

    The host gets the strongest description that it can run, with its own CPU name, features and
    cache sizes in place of the generic ones.

    Raises:
        TargetError: SG0702 for a name that no description has; SG0703 if no description fits the
            running machine.
    """
    descriptions = tuple(known)
    if name not in HOST_NAMES:
        # Of those that an instruction set's name fits, the strongest is the last.
        for target in reversed(descriptions):
            if name in (target.name, target.isa):
                return target
        raise TargetError(
            f"there is no target called '{name}'",
            code="SG0702",
            why="known are: host, " + ", ".join(target.name for target in descriptions),
            advice="`seagrove targets` lists them with what each needs",
        )
    runnable = [target for target in descriptions if runs_here(target)]
    if not runnable:
        raise TargetError(
            f"no target description fits this machine ({host().triple}, {host().cpu})",
            code="SG0703",
            advice="name a target explicitly, or add a description for this machine",
        )
    mine = host()
    return replace(
        runnable[-1],
        triple=mine.triple,
        cpu=mine.cpu,
        features=mine.features,
        l1_bytes=mine.l1_bytes or runnable[-1].l1_bytes,
        l2_bytes=mine.l2_bytes or runnable[-1].l2_bytes,
        last_level_bytes=mine.last_level_bytes or runnable[-1].last_level_bytes,
    )


def require_runnable(target: TargetDescription) -> None:
    """Refuses a target whose code would end the process with an illegal instruction.

    Raises:
        TargetError: SG0704, naming the missing features.
    """
    if runs_here(target):
        return
    missing = sorted(set(target.requires) - enabled_features(host().features))
    raise TargetError(
        f"this machine ({host().cpu}) cannot run code made for '{target.name}'",
        code="SG0704",
        why=f"missing: {', '.join(missing)}" if missing else f"it needs {target.triple}",
        advice="leave the target unset, or choose one that `seagrove targets` marks as runnable",
    )

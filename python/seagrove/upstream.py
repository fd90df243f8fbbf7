"""Base of backends that the installed Triton already compiles for: the fork "upstream".

Such a backend states which of Triton's own backends does the work, describes its chips in a JSON
file, and names what it refuses. Everything else is here: the pipeline within our registry, what a
chip lacks as an error before upstream meets it, and a device that is upstream's own driver.

    from seagrove.upstream import Rule, UpstreamBackend

    class Abacus(UpstreamBackend):
        interface_version = 1
        name = "abacus"
        triton_name = "abc"
        upstream_name = "abacus"
        ...
"""

from __future__ import annotations

import ctypes
import glob
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from seagrove.backend import Availability, Backend, Driver
from seagrove.compiler.diagnostics import Diagnostic, compile_error
from seagrove.compiler.targets import TargetDescription, load_descriptions
from seagrove.errors import DeviceError, TargetError
from seagrove.runtime.device import DeviceProperties

if TYPE_CHECKING:
    from seagrove.compiler.stages import Compiled

__all__ = ["Rule", "UpstreamBackend"]


@dataclass(frozen=True)
class Rule:
    """What a backend refuses, because upstream would fail on it in words of its own.

    Attributes:
        pattern: a regular expression, looked for in each line of the kernel's TTIR.
        targets: the targets that it holds for, patterns of `fnmatch`.
        why: what it is that they do not take, one clause.
        advice: what to write instead.
        before: the release of Triton that first takes it, if one does.
        since: the release of Triton that first does not, if earlier ones do.
    """

    pattern: str
    targets: tuple[str, ...]
    why: str
    advice: str = ""
    before: tuple[int, int] | None = None
    since: tuple[int, int] = (0, 0)


class UpstreamBackend(Backend):
    """A chip family that a backend of the installed Triton compiles for."""

    fork = "upstream"
    default_emit = "llir"

    descriptions: ClassVar[Path]
    """The JSON file of the targets; see seagrove.compiler.targets."""

    target_aliases: ClassVar[tuple[str, ...]] = ()
    """Other spellings of a target's name: what may stand before it, longest first."""

    device_nodes: ClassVar[tuple[str, ...]] = ()
    """Where the system shows such a device; patterns of `glob`."""

    driver_library: ClassVar[str] = ""
    """The vendor's library without which nothing runs."""

    torch_build: ClassVar[str] = ""
    """The attribute of `torch.version` that is set where torch runs on these devices."""

    short_launches: ClassVar[bool] = False
    """Whether a launch may be remembered: upstream specialises on nothing but each argument's
    type, its address modulo 16, and the number of its device."""

    rules: ClassVar[tuple[Rule, ...]] = ()
    """What is refused, for some targets."""

    assembly_errors: ClassVar[tuple[str, ...]] = ()
    """How the vendor's assembler tells a mistake: regular expressions with a group `text` and
    either `line`, a number, or `code`, what stands in that line."""

    # --- targets ------------------------------------------------------------------------------

    @cached_property
    def _targets(self) -> tuple[TargetDescription, ...]:
        return load_descriptions(self.descriptions)

    def targets(self) -> tuple[TargetDescription, ...]:
        return self._targets

    def describe(self, arch: str) -> TargetDescription:
        for target in self._targets:
            if arch in (target.name, target.cpu):
                return target
        for alias in self.target_aliases:
            if arch.startswith(alias):
                return self.describe(arch.removeprefix(alias))
        known = ", ".join(target.name for target in self._targets)
        if not arch:
            headline = f"the backend '{self.name}' needs a target: it has no device here"
        else:
            headline = f"the backend '{self.name}' has no target called '{arch}'"
        raise TargetError(
            headline,
            code="SG0702",
            why=f"known are: {known}",
            advice=f"write --target {self.place(self._targets[0])}; `seagrove targets` lists all",
        )

    def place(self, target: TargetDescription) -> str:
        """A target as users write it: prefix and name."""
        return f"{self.triton_name or self.name}:{target.name}"

    def triton_target(self, arch: str) -> tuple[str, Any, int]:
        target = self.describe(arch)
        number: Any = int(target.name) if target.name.isdigit() else target.name
        warp = int(dict(target.attributes)["warp_size"])
        return self.triton_name or self.name, number, warp

    # --- compilation --------------------------------------------------------------------------

    def emit_kinds(self) -> tuple[str, ...]:
        from seagrove.frontend.triton_compat import upstream

        return (*upstream.stage_names(self), *upstream.ALIASES)

    def compile(self, ttir: str, target: TargetDescription, options: Any) -> Compiled:
        from seagrove.frontend.triton_compat import upstream

        return upstream.emit(self, ttir, target, options, "")

    def emit(
        self, ttir: str, target: TargetDescription, options: Any, kind: str, *, timing: bool = False
    ) -> Compiled:
        from seagrove.compiler import foreign
        from seagrove.frontend.triton_compat import upstream

        # In a process of its own: upstream's assertions end the one that they fail in.
        try:
            return foreign.isolated(lambda: upstream.emit(self, ttir, target, options, kind))
        except foreign.Crash as crash:
            raise upstream.crash_error(crash, ttir, self.place(target)) from None

    def refused(self, ttir: str, target: TargetDescription) -> Iterator[tuple[str, Rule]]:
        """The lines of a module that a rule refuses, each with the rule."""
        from seagrove.frontend.triton_compat.version import triton_version

        for rule in self.rules:
            if not rule.since <= triton_version() < (rule.before or (99, 0)):
                continue
            if any(fnmatchcase(target.name, pattern) for pattern in rule.targets):
                wanted = re.compile(rule.pattern)
                yield from ((line, rule) for line in ttir.splitlines() if wanted.search(line))

    def explained(self, found: Diagnostic, target: TargetDescription) -> Diagnostic:
        """A message of the front end, with what this backend knows about it."""
        match = re.search(r"type (\w+) not supported in this architecture", found.message)
        if match is None:
            return found
        takes = [t for t in self._targets if match[1] in dict(t.attributes)["fp8"].split()]
        places = ", ".join(map(self.place, takes)) or "none of this backend"
        has = dict(target.attributes)["fp8"].replace(" ", ", ")
        return replace(
            found,
            message=f"the target '{self.place(target)}' does not take {match[1]}",
            code="SG0733",
            notes=(f"it takes {has}", f"targets that take {match[1]}: {places}"),
        )

    def read_assembly_errors(self, said: str, listing: str) -> Iterator[tuple[int, str]]:
        """Line numbers (from 1) of the listing and what the assembler says of each."""
        lines = [line.strip() for line in listing.splitlines()]
        for pattern in self.assembly_errors if listing else ():
            for found in re.finditer(pattern, said, re.MULTILINE):
                groups = found.groupdict()
                if groups.get("line"):
                    number = int(groups["line"])
                elif (code := groups["code"].strip()) in lines:
                    number = lines.index(code) + 1
                else:
                    continue
                if 0 < number <= len(lines):
                    yield number, groups["text"].strip()

    def require_fit(
        self, metadata: Mapping[str, Any], target: TargetDescription, place: tuple[str, int]
    ) -> None:
        """Refuses a kernel that needs more memory on the chip than the chip has.

        Raises:
            CompileError: SG0735.
        """
        has = int(dict(target.attributes)["shared_bytes"])
        needs = int(metadata.get("shared") or 0)
        if needs <= has:
            return
        text = (
            f"the kernel needs {needs} bytes of shared memory for one program, "
            f"and '{self.place(target)}' has {has}"
        )
        raise compile_error([Diagnostic("error", text, *place, 0, "SG0735")])

    # --- devices ------------------------------------------------------------------------------

    def probe(self) -> Availability:
        """Whether such a device is here, asked in steps from cheap to dear."""
        advice = f"compile only: `seagrove compile --target {self.place(self._targets[-1])}`"
        if not any(glob.glob(node) for node in self.device_nodes):
            nodes = " or ".join(self.device_nodes)
            why = f"compiles, and has no device here: no {nodes}"
            return Availability(False, why, advice, compiles=True)
        try:
            ctypes.CDLL(self.driver_library)
        except OSError as error:
            why = f"a device is here and its driver library is not: {error}"
            advice = f"install the vendor's driver ({self.driver_library})"
            return Availability(False, why, advice, compiles=True)
        return self._ask_torch(advice)

    def _ask_torch(self, advice: str) -> Availability:
        try:
            import torch
        except ImportError:
            why = "a device is here, and upstream's driver needs torch"
            return Availability(False, why, "pip install torch", compiles=True)
        if not getattr(torch.version, self.torch_build, None):
            why = f"torch {torch.__version__} is built without support for this device"
            advice = f"install a torch for it; {advice}"
            return Availability(False, why, advice, compiles=True)
        here = getattr(torch, self.tensor_device)
        count = here.device_count() if here.is_available() else 0
        if not count:
            why = "the driver library finds no device"
            return Availability(False, why, advice, compiles=True)
        names = tuple(f"{self.name}:{index}" for index in range(count))
        return Availability(True, f"{count} x {here.get_device_name(0)}", devices=names)

    def other_device_possible(self) -> bool:
        return any(glob.glob(node) for node in self.device_nodes)

    def open(self, target: str, settings: Mapping[str, object]) -> Driver:
        if settings or not (target == "" or target.isdigit()):
            what = ", ".join(settings) or target
            raise DeviceError(
                f"the backend '{self.name}' has no device or setting '{what}'",
                code="SG0712",
                why=f"its devices are {self.name}:0, {self.name}:1, ...",
                advice="`seagrove devices` lists the ones that are here",
            )
        return UpstreamDevice(self, int(target) if target else None)


class UpstreamDevice(Driver):
    """Memory of one device, by torch; kernels go to upstream's own driver.

    Args:
        backend: whose device it is.
        index: torch's number of it; None is the current one at each call.
    """

    def __init__(self, backend: UpstreamBackend, index: int | None) -> None:
        super().__init__(backend.name if index is None else f"{backend.name}:{index}")
        self.index = index
        self._kind = backend.tensor_device
        self._blocks: dict[int, Any] = {}

    @property
    def _place(self) -> str:
        return self._kind if self.index is None else f"{self._kind}:{self.index}"

    def properties(self) -> DeviceProperties:
        import torch

        found = getattr(torch, self._kind).get_device_properties(self._place)
        return DeviceProperties(
            name=found.name,
            max_shared_mem=getattr(found, "shared_memory_per_block_optin", 1 << 30),
            multiprocessor_count=found.multi_processor_count,
            warpSize=getattr(found, "warp_size", 32),
            total_memory=found.total_memory,
        )

    def total_memory(self) -> int:
        return int(str(self.properties()["total_memory"]))

    def allocate(self, size: int) -> int:
        import torch

        block = torch.empty(size, dtype=torch.uint8, device=self._place)
        self._blocks[block.data_ptr()] = block
        return int(block.data_ptr())

    def free(self, address: int) -> None:
        self._blocks.pop(address, None)

    def _bytes_at(self, address: int, count: int) -> Any:
        for start, block in self._blocks.items():
            if start <= address and address + count <= start + block.numel():
                return block[address - start : address - start + count]
        raise DeviceError(
            f"device '{self.device}' holds no {count} bytes at {address:#x}",
            code="SG0712",
            why="the memory was given back, or belongs to another device",
        )

    def write(self, address: int, data: memoryview) -> None:
        import torch

        source = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        self._bytes_at(address, data.nbytes).copy_(source)

    def read(self, address: int, data: memoryview) -> None:
        found = self._bytes_at(address, data.nbytes).cpu().numpy()
        data.cast("B")[:] = memoryview(found)

    def synchronize(self) -> None:
        import torch

        getattr(torch, self._kind).synchronize(self.index)

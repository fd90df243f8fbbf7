"""The contract between Seagrove and a backend: what a chip family states, and what it may leave.

A backend is a subclass of `Backend`, a device of it a subclass of `Driver`. Every member has a
default, so that a backend states only what is its own. Neither touches Triton: the adapter
(seagrove.frontend.triton_compat) makes Triton's classes from them.

    from seagrove.backend import Backend, Driver

    class Abacus(Backend):
        interface_version = 1
        name = "abacus"
        ...

A wheel registers the class in the entry-point group `seagrove.backends`:

    [project.entry-points."seagrove.backends"]
    abacus = "seagrove_abacus:Abacus"

docs/adding-a-backend.md leads from an empty folder to a backend that passes the conformance suite.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from seagrove.compiler.options import EMIT_KINDS, LaunchOptions
from seagrove.errors import DeviceError, TargetError
from seagrove.runtime.device import DeviceProperties, Event

if TYPE_CHECKING:
    from seagrove.compiler.stages import Compiled
    from seagrove.compiler.targets import TargetDescription

__all__ = [
    "INTERFACE_VERSION",
    "Availability",
    "Backend",
    "Driver",
    "Event",
    "Launch",
    "LaunchOptions",
    "MemoryStatistics",
    "Refusal",
]

INTERFACE_VERSION = 1
"""Raised whenever a backend written for the earlier interface could go wrong."""


@dataclass(frozen=True)
class Availability:
    """Whether a backend can be used here.

    Attributes:
        usable: True if kernels can run.
        why: one sentence, in either case.
        advice: what to do where it is not usable.
        devices: names of the devices that it offers.
        compiles: True if kernels can be compiled all the same, where it is not usable.
        lacking: devices that it could offer besides, each as (name, what is missing, what to do).
    """

    usable: bool
    why: str
    advice: str = ""
    devices: tuple[str, ...] = ()
    compiles: bool = False
    lacking: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Refusal:
    """An operation that a backend does not compile.

    Attributes:
        operation: its name in Triton's IR, such as "tt.dot_scaled"; a pattern of `fnmatch`.
        why: the reason, one sentence.
        advice: what to write instead.
    """

    operation: str
    why: str
    advice: str = ""


@dataclass(frozen=True)
class Launch:
    """One launch, as a driver gets it.

    Attributes:
        kernel: the kernel's name in the user's source.
        grid: number of programs along each axis, none of them 0.
        slots: the arguments, 8 bytes each and the value in the low ones, in the order of the
            parameters: constexprs have none, tuples are flattened, a tensor descriptor is its
            base, shape, strides, shape, strides (docs/launch.md).
        types: Triton's type of each parameter, "constexpr" included; tuples where it is one.
        scratch_bytes: memory that each thread of a range kernel must be handed.
        progress: 0 if programs are independent, 1 if they wait for each other, 2 if the launch
            is cooperative.
    """

    kernel: str
    grid: tuple[int, int, int]
    slots: bytes
    types: tuple[Any, ...] = ()
    scratch_bytes: int = 0
    progress: int = 0


@dataclass(frozen=True)
class MemoryStatistics:
    """Memory of a device that tensors hold, in bytes; `total` is 0 where it is not known."""

    allocated: int = 0
    peak: int = 0
    allocations: int = 0
    total: int = 0


class Driver:
    """One device: its memory, and how kernels run on it.

    `Backend.open` makes it, at a time when nobody may want to launch yet: what costs (a context,
    a worker process) is made at the first call that needs it. Methods may be called from any
    thread. They raise `DeviceError` (or another `SeagroveError`) for what goes wrong on the
    device, and must leave it usable for the next launch.

    Args:
        device: the device's name, such as "cpu" or "abacus:1".
        arch: name of the target that kernels are compiled for, as `Backend.describe` takes it.
        settings: what the user gave besides the name, as in `seagrove.use(name, setting=value)`.
    """

    is_host: ClassVar[bool] = False
    """True if kernels read the memory of this process, so that any tensor of the host will do."""

    event_type: ClassVar[type] = Event

    def __init__(
        self, device: str, arch: str = "", settings: Mapping[str, object] | None = None
    ) -> None:
        self.device = device
        self.arch = arch
        self.settings = dict(settings or {})

    def key(self) -> Hashable:
        """Names device and settings. Kernels in memory are kept by it: no two drivers share it."""
        if not self.settings:
            return self.device
        return f"{self.device}?" + "&".join(f"{k}={v}" for k, v in sorted(self.settings.items()))

    def properties(self) -> DeviceProperties:
        """What the device has, under the names that Triton's code asks for; sizes in bytes."""
        return DeviceProperties(name=self.device, max_shared_mem=1 << 30, multiprocessor_count=1)

    def exclusive(self) -> AbstractContextManager[object]:
        """Held from the copy of a launch's host tensors to the device until they are back.

        A device on which launches of several threads are one after the other gives its lock here:
        two of them may write parts of one storage, and storages are copied as a whole.
        """
        return nullcontext()

    # --- memory -------------------------------------------------------------------------------

    def allocate(self, size: int) -> int:
        """Address of `size` new bytes, a multiple of 64; `size` is at least 1."""
        raise self._lacks("memory of its own")

    def free(self, address: int) -> None:
        """Gives back what `allocate` returned."""
        raise self._lacks("memory of its own")

    def write(self, address: int, data: memoryview) -> None:
        """Copies bytes of the host to the device; returns when `data` may change."""
        raise self._lacks("memory of its own")

    def read(self, address: int, data: memoryview) -> None:
        """Fills `data` with bytes of the device, after the launches before it."""
        raise self._lacks("memory of its own")

    def total_memory(self) -> int:
        """Size of the device's memory in bytes; 0 where it is not known."""
        return 0

    # --- kernels ------------------------------------------------------------------------------

    def require(self, target: TargetDescription) -> None:
        """Refuses code made for a target that the device cannot run.

        Raises:
            TargetError: SG0704, naming what is missing.
        """

    def load(self, name: str, image: bytes) -> Any:
        """Makes a compiled kernel ready; what it returns is handed to `launch` and `unload`.

        Args:
            name: the symbol of the kernel in the image.
            image: what `Backend.compile` made.
        """
        raise self._lacks("a loader")

    def unload(self, kernel: Any) -> None:
        """Forgets a kernel; also called for one that another driver has loaded."""

    def launch(self, kernel: Any, launch: Launch) -> None:
        """Runs every program of the grid, or starts them in the order of the stream."""
        raise self._lacks("a launcher")

    def make_launcher(self, source: Any, metadata: Any) -> Any:
        """A launcher of Triton's own calling convention; None for the one that calls `launch`."""
        return None

    def synchronize(self) -> None:
        """Waits until what was launched has ended; nothing to do where launches are synchronous."""

    def stream(self) -> int:
        """The stream that launches go to."""
        return 0

    def close(self) -> None:
        """Gives back everything; the device may be opened again."""

    def _lacks(self, what: str) -> DeviceError:
        return DeviceError(
            f"device '{self.device}' has no {what}",
            code="SG0712",
            why="its backend compiles kernels and does not run them here",
            advice="`seagrove devices` lists the devices that can be used",
        )


class Backend:
    """A chip family: what can be compiled for it, and which devices of it are here.

    Making one must be cheap: no device is probed and no vendor's library opened before `probe`,
    `devices` or `open` is called, or something is compiled.
    """

    interface_version: ClassVar[int] = 0
    """The `INTERFACE_VERSION` that the backend was written for; a backend must state it."""

    name: ClassVar[str] = ""
    """The name that users choose it by, equal to that of its entry point."""

    fork: ClassVar[str] = "vector"
    """Who compiles: "vector", our own pipeline down to an object; "upstream", the pipeline of the
    installed triton wheel for `upstream_name`; "own", the backend's `compile`."""

    triton_name: ClassVar[str] = ""
    """What Triton's `GPUTarget.backend` says; `name` where it is empty."""

    upstream_name: ClassVar[str] = ""
    """For the fork "upstream": the name of Triton's own backend."""

    binary_ext: ClassVar[str] = "so"
    """Name of what the last stage makes, in `compiled.asm`."""

    warp_size: ClassVar[int] = 1

    is_host: ClassVar[bool] = False
    """True for the backend of the machine that this process runs on."""

    tensor_device: ClassVar[str] = ""
    """The type of torch device whose tensors belong to this backend, if there is one."""

    options: ClassVar[type[LaunchOptions]] = LaunchOptions
    """Launch options; a subclass adds the backend's own."""

    libdevice: ClassVar[str] = "seagrove.frontend.libdevice"
    """The module that `triton.language.extra.<name>.libdevice` is."""

    default_emit: ClassVar[str] = "llvm"
    """What `seagrove compile` shows where nothing is asked for."""

    refusals: ClassVar[tuple[Refusal, ...]] = ()
    """What is not compiled, by name."""

    def triton_target(self, arch: str) -> tuple[str, Any, int]:
        """What Triton calls the target: backend, architecture, threads of a warp."""
        return self.triton_name or self.name, arch, self.warp_size

    def targets(self) -> tuple[TargetDescription, ...]:
        """Every chip that code can be made for: the rows of `seagrove targets`."""
        return ()

    def describe(self, arch: str) -> TargetDescription:
        """The target called `arch`; "" means the one of the default device.

        Raises:
            TargetError: SG0702 for an unknown name.
        """
        known = self.targets()
        for target in known:
            if arch in ("", target.name):
                return target
        raise TargetError(
            f"the backend '{self.name}' has no target called '{arch}'",
            code="SG0702",
            why="known are: " + (", ".join(target.name for target in known) or "none"),
            advice="`seagrove targets` lists them with what each needs",
        )

    def probe(self) -> Availability:
        """Whether kernels can run here, and why; asks the system, and raises nothing."""
        return Availability(
            False,
            "it compiles kernels and has no devices",
            "compile with `seagrove compile --backend " + self.name + "`",
        )

    def devices(self) -> tuple[str, ...]:
        """Names of the devices that can be used here, the default one first."""
        return self.probe().devices

    def open(self, target: str, settings: Mapping[str, object]) -> Driver:
        """The device `<name>:<target>`; "" is the default one.

        Args:
            target: what stands behind the colon of the device's name.
            settings: what the user gave besides.

        Raises:
            DeviceError: SG0712 for an unknown device or setting.
        """
        answer = self.probe()
        raise DeviceError(
            f"the backend '{self.name}' has no device '{target or self.name}'",
            code="SG0712",
            why="it offers: " + ", ".join(answer.devices) if answer.usable else answer.why,
            advice=answer.advice or "`seagrove devices` lists the devices that can be used",
        )

    def compile(self, ttir: str, target: TargetDescription, options: LaunchOptions) -> Compiled:
        """Compiles a module of Triton's IR; the pipeline of the fork "vector" by default.

        Raises:
            CompileError: with every diagnostic, located in the user's source.
        """
        from seagrove.compiler.stages import compile_ttir

        return compile_ttir(ttir, target, options.codegen())

    def emit_kinds(self) -> tuple[str, ...]:
        """What `seagrove compile --emit` can show, besides "ttir"."""
        return EMIT_KINDS

    def emit(
        self,
        ttir: str,
        target: TargetDescription,
        options: LaunchOptions,
        kind: str,
        *,
        timing: bool = False,
    ) -> Compiled:
        """One of `emit_kinds`, for the command line.

        With the time of each pass, and with what the passes chose, if `timing` asks for it.

        Raises:
            CompileError: as for `compile`.
        """
        from seagrove.compiler.stages import compile_ttir

        return compile_ttir(
            ttir, target, options.codegen(), emit=kind, timing=timing, decisions=timing
        )

    def key(self, target: TargetDescription) -> str:
        """Names everything that a compiled kernel depends on, for the cache on disk.

        By default: the target, Seagrove's build, and the files of the backend's own package.
        """
        from seagrove.compiler.cache import backend_key, package_key

        return f"{backend_key(self.name, target)}-{package_key(type(self).__module__)}"

    def other_device_possible(self) -> bool:
        """For a host: whether an accelerator may be there, by a look that loads no driver."""
        return True

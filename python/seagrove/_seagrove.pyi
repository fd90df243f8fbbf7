"""The native module: bindings of include/seagrove/Api.h and the launch core."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

class Diagnostic:
    """One message about the user's program. `line` and `column` are 0 where unknown."""

    @property
    def severity(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def notes(self) -> list[str]: ...

class Target:
    """The chip that code is made for; sizes in bits and bytes."""

    triple: str
    cpu: str
    features: str
    vector_bits: int
    vector_registers: int
    scalable: bool
    scalable_unit_bits: int
    scalable_max_bits: int
    register_group: int
    fma: bool
    l1_bytes: int
    l2_bytes: int
    last_level_bytes: int
    attributes: list[tuple[str, str]]

class CompileOptions:
    opt_level: int
    enable_fp_fusion: bool
    planted_miscompile: str
    emit: str
    collect_timing: bool
    collect_decisions: bool

class Decision:
    """What a pass chose; `line` and `column` are 0 where unknown."""

    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def text(self) -> str: ...

class CompileResult:
    @property
    def ok(self) -> bool: ...
    @property
    def output(self) -> bytes: ...
    @property
    def symbol(self) -> str: ...
    @property
    def scratch_bytes(self) -> int: ...
    @property
    def waits(self) -> bool: ...
    @property
    def diagnostics(self) -> list[Diagnostic]: ...
    @property
    def decisions(self) -> list[Decision]: ...
    @property
    def timings(self) -> list[tuple[str, float]]: ...

class Kernel:
    """A loaded shared object and the range kernel in it."""

    def __init__(self, image: bytes, symbol: str) -> None: ...
    @property
    def address(self) -> int: ...
    def unload(self) -> None: ...

class Launcher:
    """Starts one compiled kernel; called by position, as Triton calls a launcher.

    `progress` says what the programs need of each other: 0 nothing, 1 they may wait for each
    other, 2 all of them begin at once.
    """

    def __init__(
        self,
        kernel_name: str,
        names: tuple[str, ...],
        types: tuple[object, ...],
        scratch_bytes: int,
        progress: int = 0,
    ) -> None: ...
    def __call__(self, *args: object) -> None: ...

class Dispatcher:
    """Remembers the launches of one kernel, so that the next ones need not ask Triton.

    `slow(function, dispatcher, grid, args, names, values)` launches in Triton's way. `entries` is
    the number of launches remembered; `learns` becomes false where it is of no use. `choice` holds
    the device that the calling thread has chosen.
    """

    entries: int
    learns: bool

    def __init__(
        self,
        function: object,
        slow: Callable[..., object],
        tensor_types: tuple[type, ...],
        descriptor_types: tuple[type, ...],
        exact_types: tuple[type, ...],
        choice: ContextVar[Any],
    ) -> None: ...
    def add(
        self,
        args: tuple[object, ...],
        positional: int,
        names: tuple[str, ...],
        layout: tuple[object, ...],
        guards: tuple[object, ...],
        lists: tuple[object, ...],
        handles: tuple[object, ...],
    ) -> bool: ...
    def attempt(
        self, function: object, grid: object, /, *args: object, **kwargs: object
    ) -> object: ...
    def belongs_to(self, function: object, /) -> bool: ...

class DispatchMethod:
    """`__getitem__` of kernels; `maker(kernel)` gives the dispatcher of one that has none."""

    def __init__(self, maker: Callable[[object], Dispatcher]) -> None: ...

class ConstexprCall:
    """`__call__` of constexpr functions: plain integers need nothing taken off before `fn`."""

    __wrapped__: Callable[..., object]

    def __init__(self, upstream: Callable[..., object]) -> None: ...

def compile(ttir: str, target: Target, options: CompileOptions) -> CompileResult: ...
def run_passes(text: str, pipeline: str) -> CompileResult: ...
def llvm_targets() -> list[str]: ...
def detect_host() -> Target: ...
def build_id() -> str: ...
def num_threads() -> int: ...
def set_num_threads(count: int) -> None: ...

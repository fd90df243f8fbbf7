"""A small language of kernels: what the generator builds, the printer prints, NumPy evaluates.

A program is a list of statements over named values. A name that is assigned again, in a loop or a
branch, is what Triton turns into a loop-carried value. The `repr` of a program is Python that
makes it again; reproducers rely on that.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Type:
    """Dtype and shape of a value; () is a scalar, `*name` a pointer into that buffer."""

    dtype: str
    shape: tuple[int, ...] = ()

    @property
    def is_pointer(self) -> bool:
        return self.dtype.startswith("*")

    @property
    def elements(self) -> int:
        count = 1
        for extent in self.shape:
            count *= extent
        return count


Argument = str | int | float
"""A name, or a literal."""


@dataclass(frozen=True)
class Op:
    """`out = op(args)`; see `ops.OPS`. `attrs` are (key, value) pairs."""

    out: str
    type: Type
    op: str
    args: tuple[Argument, ...] = ()
    attrs: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Window:
    """A block of a matrix, by a tensor descriptor or a pointer to a block: what lies outside of
    `shape` is read as zeros and not written."""

    kind: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offsets: tuple[Argument, ...]


@dataclass(frozen=True)
class Load:
    """Reads a block of pointers or, with a window, the window of the matrix at `pointer`."""

    out: str
    type: Type
    pointer: str
    mask: str | None = None
    other: Argument | None = None
    window: Window | None = None


@dataclass(frozen=True)
class Store:
    pointer: str
    value: Argument
    mask: str | None = None
    window: Window | None = None
    block: tuple[int, ...] = ()


@dataclass(frozen=True)
class Atomic:
    """`out = tl.atomic_<kind>(pointer, value, mask)`; `out` may be "" where nobody reads it."""

    out: str
    type: Type
    kind: str
    pointer: str
    value: str
    mask: str | None = None


@dataclass(frozen=True)
class For:
    index: str
    start: Argument
    stop: Argument
    step: int
    body: tuple[Statement, ...]
    kind: str = "range"


@dataclass(frozen=True)
class While:
    """Runs `body` while `left < right`."""

    left: str
    right: Argument
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class If:
    condition: str
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()


Statement = Op | Load | Store | Atomic | For | While | If


@dataclass(frozen=True)
class Storage:
    """Memory of `size` numbers, filled by a named rule; see `reference.fill`."""

    dtype: str
    size: int
    fill: str
    seed: int = 0


@dataclass(frozen=True)
class Buffer:
    """A pointer argument: `storages[storage]` from number `start` on. Two may overlap."""

    name: str
    storage: int
    start: int = 0


@dataclass(frozen=True)
class Scalar:
    name: str
    value: int | float


@dataclass(frozen=True)
class Program:
    """A kernel with its launch.

    Attributes:
        fusion: whether a product and a sum may be rounded once.
    """

    storages: tuple[Storage, ...]
    buffers: tuple[Buffer, ...]
    scalars: tuple[Scalar, ...]
    grid: tuple[int, ...]
    body: tuple[Statement, ...]
    fusion: bool = False

    def buffer_dtype(self, name: str) -> str:
        return next(self.storages[b.storage].dtype for b in self.buffers if b.name == name)


def statements(body: tuple[Statement, ...]) -> list[Statement]:
    """Every statement, those of inner blocks included, in the order of the text."""
    found: list[Statement] = []
    for item in body:
        found.append(item)
        if isinstance(item, For | While):
            found += statements(item.body)
        elif isinstance(item, If):
            found += statements(item.then) + statements(item.otherwise)
    return found

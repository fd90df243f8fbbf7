"""What the generator builds with: choices, names, types, memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st

from seagrove.testing.differential import formats
from seagrove.testing.differential.ir import (
    Argument,
    Atomic,
    Buffer,
    Load,
    Op,
    Program,
    Scalar,
    Statement,
    Storage,
    Store,
    Type,
    Window,
)
from seagrove.testing.differential.ops import OPS

T = TypeVar("T")
# Float results of these are rounded in an order that a compiler may choose.
INEXACT_OPS = ("sum", "cumsum", "dot", "dot_acc", "exp")
# They hand an error on, so an inexact value may enter them.
SMOOTH_OPS = (
    *("add", "sub", "mul", "neg", "abs", "where", "sum", "reshape", "trans", "expand", "broadcast"),
    *("flip", "copy", "cast"),
)


@cache
def _sampled(options: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.sampled_from(options)


@cache
def _integers(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


class Choices:
    """Where the generator's decisions come from; each shrinks to the first option."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        return int(self._draw(_integers(low, high)))

    def pick(self, options: Sequence[T]) -> T:
        return options[0] if len(options) == 1 else self._draw(_sampled(tuple(options)))

    def chance(self, percent: int) -> bool:
        return bool(self._draw(_integers(0, 99)) >= 100 - percent)


@dataclass(frozen=True)
class Var:
    """A name in scope. `exact` is false where the value may differ by a rounding."""

    name: str
    type: Type
    exact: bool = True

    @property
    def dtype(self) -> str:
        return self.type.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.shape


class Builder:
    """Collects the parts of a program."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.fusion = choices.chance(15)
        self.grid = choices.pick([(2,), (1,), (3,), (2, 2), (5,), (1, 3), (2, 1, 2)])
        self.storages: list[Storage] = []
        self.buffers: list[Buffer] = []
        self.scalars: list[Scalar] = []
        self.body: list[Statement] = []
        self.scope: list[Var] = []
        self.used: set[str] = set()
        self.cache: dict[Any, Var] = {}
        self.plumbing = 0
        self.count = 0

    @property
    def programs(self) -> int:
        total = 1
        for extent in self.grid:
            total *= extent
        return total

    def program(self) -> Program:
        return Program(
            tuple(self.storages),
            tuple(self.buffers),
            tuple(self.scalars),
            self.grid,
            tuple(self.body),
            self.fusion,
        )

    # --- names -----------------------------------------------------------------------------------

    def fresh(self, prefix: str = "v") -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def declare(self, type_: Type, exact: bool = True, prefix: str = "v") -> Var:
        var = Var(self.fresh(prefix), type_, exact)
        if not self.plumbing:
            self.scope.append(var)
        return var

    def shared(self, key: Any, make: Callable[[], Var]) -> Var:
        """A value that addresses are made of: computed once, and no operand of random steps."""
        if key not in self.cache:
            self.plumbing += 1
            self.cache[key] = make()
            self.plumbing -= 1
        return self.cache[key]

    def show(self, var: Var) -> Var:
        """Lets random steps use a value that was made for an address."""
        if var not in self.scope:
            self.scope.append(var)
        return var

    def scalar(self, value: int | float) -> Var:
        """A scalar argument of this value."""
        dtype = "f32" if isinstance(value, float) else "i32" if -(2**31) <= value < 2**31 else "i64"
        var = Var(self.fresh("n"), Type(dtype))
        self.scalars.append(Scalar(var.name, value))
        return var

    def storage(self, dtype: str, size: int, fill: str) -> int:
        self.storages.append(Storage(dtype, size, fill, self.choices.integer(0, 999)))
        return len(self.storages) - 1

    def buffer(self, storage: int, start: int = 0) -> Var:
        name = self.fresh("p")
        self.buffers.append(Buffer(name, storage, start))
        return Var(name, Type(f"*{name}"))

    def buffer_dtype(self, pointer: Var) -> str:
        name = pointer.dtype[1:]
        return next(self.storages[b.storage].dtype for b in self.buffers if b.name == name)

    # --- statements ------------------------------------------------------------------------------

    def op(self, op: str, *args: Var | int | float, into: Var | None = None, **attrs: Any) -> Var:
        """Appends an operation; its result is a new name, or `into`."""
        operands = [arg for arg in args if isinstance(arg, Var)]
        exact = all(operand.exact for operand in operands)
        type_ = OPS[op].infer([operand.type for operand in operands], attrs)
        if formats.is_float(type_.dtype):
            exact = exact and op not in INEXACT_OPS
            exact = exact and not (self.fusion and op in ("add", "sub"))
        var = into or self.declare(type_, exact)
        assert into is None or into.type == type_, (into, type_)
        self.used.update(v.name for v in operands if into is None or v.name != into.name)
        names: list[Argument] = [arg.name if isinstance(arg, Var) else arg for arg in args]
        self.body.append(Op(var.name, type_, op, tuple(names), tuple(sorted(attrs.items()))))
        return var

    def load(self, pointer: Var, mask: Var | None = None, other: Any = None) -> Var:
        self.used.update(v.name for v in (pointer, mask, other) if isinstance(v, Var))
        var = self.declare(Type(self.buffer_dtype(pointer), pointer.shape))
        name = mask.name if mask else None
        self.body.append(Load(var.name, var.type, pointer.name, name, _name(other)))
        return var

    def store(self, pointer: Var, value: Var, mask: Var | None = None) -> None:
        self.used.update(v.name for v in (pointer, value, mask) if v is not None)
        self.body.append(Store(pointer.name, value.name, mask.name if mask else None))

    def load_window(self, pointer: Var, window: Window, block: tuple[int, ...]) -> Var:
        self._use_window(pointer, window)
        var = self.declare(Type(self.buffer_dtype(pointer), block))
        self.body.append(Load(var.name, var.type, pointer.name, window=window))
        return var

    def store_window(self, pointer: Var, value: Var, window: Window) -> None:
        self._use_window(pointer, window)
        self.used.add(value.name)
        self.body.append(Store(pointer.name, value.name, None, window, value.shape))

    def _use_window(self, pointer: Var, window: Window) -> None:
        self.used.add(pointer.name)
        self.used.update(offset for offset in window.offsets if isinstance(offset, str))

    def atomic(
        self, kind: str, pointer: Var, value: Var, mask: Var | None, used: bool
    ) -> Var | None:
        """Appends an atomic update; the old values, if they are used."""
        self.used.update(v.name for v in (pointer, value, mask) if v is not None)
        type_ = Type(value.dtype, pointer.shape)
        out = self.declare(type_) if used else None
        name = mask.name if mask else None
        text = out.name if out else ""
        self.body.append(Atomic(text, type_, kind, pointer.name, value.name, name))
        return out

    # --- operands --------------------------------------------------------------------------------

    def values(self, wanted: Callable[[Var], bool] = lambda v: True) -> list[Var]:
        """Names in scope that are no pointers, the youngest first."""
        return [v for v in reversed(self.scope) if not v.type.is_pointer and wanted(v)]

    def some(self, wanted: Callable[[Var], bool]) -> Var | None:
        found = self.values(wanted)
        # Most operands are results that nothing uses yet, so that little is dead code.
        unused = [v for v in found if v.name not in self.used][:6]
        if unused and self.choices.chance(65):
            return self.choices.pick(unused)
        return self.choices.pick(found[:8]) if found else None

    def unused(self, since: int = 0) -> list[Var]:
        """Values from scope entry `since` on that no statement reads, the youngest first."""
        return [v for v in reversed(self.scope[since:]) if self._is_result(v)]

    def _is_result(self, var: Var) -> bool:
        return var.name not in self.used and not var.type.is_pointer

    def linear_program(self) -> Var:
        """The number of this program among all."""
        return self.shared("program", self._linear_program)

    def _linear_program(self) -> Var:
        pid = self.op("pid", axis=0, dtype="i32")
        for axis, extent in enumerate(self.grid[1:], start=1):
            other = self.op("pid", axis=axis, dtype="i32")
            pid = self.op("add", self.op("mul", pid, extent), other)
        return pid

    def lanes(self, shape: tuple[int, ...], strides: Sequence[int]) -> Var:
        """The offset of each lane of a block: the sum of index times stride."""
        return self.shared(("lanes", shape, tuple(strides)), lambda: self._lanes(shape, strides))

    def _lanes(self, shape: tuple[int, ...], strides: Sequence[int]) -> Var:
        if not shape:
            return self.op("full", 0, dtype="i32", shape=())
        total: Var | None = None
        for axis, stride in enumerate(strides):
            part = self.along(shape, axis)
            part = part if stride == 1 else self.op("mul", part, stride)
            total = part if total is None else self.op("add", total, part)
        assert total is not None
        return total

    def along(self, shape: tuple[int, ...], axis: int) -> Var:
        """0, 1, ... along one dimension of a shape, of size 1 in the others."""
        return self.shared(("along", shape, axis), lambda: self._along(shape, axis))

    def _along(self, shape: tuple[int, ...], axis: int) -> Var:
        extent = shape[axis]
        index = self.shared(("arange", extent), lambda: self.op("arange", end=extent))
        for other in range(len(shape)):
            if other != axis:
                grown = list(index.shape)
                grown.insert(other, 1)
                index = self.op("expand", index, axis=other, shape=tuple(grown))
        return index


def _name(value: Any) -> Any:
    return value.name if isinstance(value, Var) else value


def row_major(shape: tuple[int, ...], padding: int = 0) -> list[int]:
    """Strides of a block in memory; `padding` more numbers between its rows."""
    strides: list[int] = []
    stride = 1
    for position, extent in enumerate(reversed(shape)):
        strides.insert(0, stride)
        stride *= extent + (padding if position == 0 else 0)
    return strides


def span(shape: tuple[int, ...], strides: Sequence[int]) -> int:
    """How many numbers lie from the first lane to the last."""
    return 1 + sum((extent - 1) * stride for extent, stride in zip(shape, strides, strict=True))

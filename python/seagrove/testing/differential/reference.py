"""Evaluates a program by NumPy, one program of the grid after the other.

It is the arbiter of the oracles, so it also refuses (`Rejected`) what has no one result: accesses
out of bounds, races between programs, two lanes that store different numbers to one place.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seagrove.testing.differential import formats
from seagrove.testing.differential.formats import Array
from seagrove.testing.differential.ir import (
    Argument,
    Atomic,
    For,
    If,
    Load,
    Op,
    Program,
    Statement,
    Storage,
    Store,
    While,
    Window,
)
from seagrove.testing.differential.ops import OPS, Rejected, Value

MOST_ITERATIONS = 200
_NOBODY, _SEVERAL = -1, -2


@dataclass(frozen=True)
class Memory:
    """What a storage holds after all programs.

    Attributes:
        error: a bound for each number; 0 where only `data` is allowed.
    """

    dtype: str
    data: Array
    error: Array


def fill(storage: Storage) -> Array:
    """The first contents of a storage, by the name of its rule."""
    rng = np.random.default_rng(storage.seed)
    if storage.fill == "mark":
        # A number that a stray store changes and that no kernel computes by chance.
        raw: Array = np.full(storage.size * formats.item_bytes(storage.dtype), 0x55, np.uint8)
        return formats.decode(raw, storage.dtype).copy()
    if storage.dtype == "i1":
        return rng.integers(0, 2, storage.size).astype(bool)
    if storage.fill == "zero":
        return np.zeros(storage.size, formats.CARRIERS[storage.dtype])
    if formats.is_float(storage.dtype):
        return _float_fill(storage, rng)
    return _int_fill(storage, rng)


def _int_fill(storage: Storage, rng: np.random.Generator) -> Array:
    carrier = formats.CARRIERS[storage.dtype]
    info = np.iinfo(carrier)
    if storage.fill.startswith("index:"):
        return rng.integers(0, int(storage.fill[6:]), storage.size).astype(carrier)
    if storage.fill == "small":
        return rng.integers(max(info.min, -4), 5, storage.size).astype(carrier)
    values = rng.integers(info.min, info.max, storage.size, carrier, endpoint=True)
    special = np.array([info.min, info.max, 0, 1, info.max - 1, info.min + 1], carrier)
    chosen = rng.random(storage.size) < 0.2
    return np.where(chosen, rng.choice(special, storage.size), values).astype(carrier)


def _float_fill(storage: Storage, rng: np.random.Generator) -> Array:
    dtype = storage.dtype
    if storage.fill == "small":
        return formats.round_float(rng.integers(-4, 5, storage.size).astype(np.float64), dtype)
    values = rng.standard_normal(storage.size) * 4.0 ** rng.integers(-2, 3, storage.size)
    if storage.fill == "special":
        tiny = formats.tiniest(dtype)
        top = formats.greatest(dtype)
        special = [0.0, -0.0, np.inf, -np.inf, np.nan, np.nan, top, -top, tiny, 3 * tiny, 1.0, 0.5]
        if dtype == "f8e4nv":
            special = [x for x in special if not np.isinf(x)]
        chosen = rng.random(storage.size) < 0.4
        values = np.where(chosen, rng.choice(special, storage.size), values)
    return formats.round_float(values, dtype)


class _Cells:
    """One storage while the kernel runs, and who has touched each number."""

    def __init__(self, storage: Storage) -> None:
        self.dtype = storage.dtype
        self.data = fill(storage)
        self.error = np.zeros(storage.size)
        self.reader = np.full(storage.size, _NOBODY)
        self.writer = np.full(storage.size, _NOBODY)
        self.updater = np.full(storage.size, _NOBODY)

    def check_bounds(self, index: Array) -> None:
        if np.any(index < 0) or np.any(index >= self.data.size):
            raise Rejected("out of bounds")

    def note_read(self, index: Array, program: int) -> None:
        _refuse_others(self.writer[index], program)
        _refuse_others(self.updater[index], program)
        seen = self.reader[index]
        self.reader[index] = np.where((seen == _NOBODY) | (seen == program), program, _SEVERAL)

    def note_write(self, index: Array, program: int) -> None:
        for owners in (self.writer, self.updater, self.reader):
            _refuse_others(owners[index], program)
        self.writer[index] = program

    def note_update(self, index: Array, program: int, result_is_used: bool) -> None:
        _refuse_others(self.writer[index], program)
        _refuse_others(self.reader[index], program)
        seen = self.updater[index]
        shared = np.any((seen != _NOBODY) & (seen != program))
        if result_is_used and (shared or np.unique(index).size != index.size):
            raise Rejected("an atomic result that depends on the order")
        # A number whose old value was read belongs to that program from then on.
        if result_is_used:
            self.reader[index] = program
        self.updater[index] = np.where((seen == _NOBODY) | (seen == program), program, _SEVERAL)


def _refuse_others(owners: Array, program: int) -> None:
    if np.any((owners != _NOBODY) & (owners != program)):
        raise Rejected("a race between programs")


def _add(a: Array, b: Array) -> Array:
    return a + b


_UPDATES: dict[str, Any] = {
    "add": _add,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "max": np.maximum,
    "min": np.minimum,
    "xchg": lambda old, new: new,
}


class _Run:
    """One program of the grid."""

    def __init__(self, program: Program, cells: list[_Cells], place: tuple[int, ...]) -> None:
        self.program = program
        self.cells = cells
        self.place = place
        self.number = int(np.ravel_multi_index(place, program.grid))
        self.names: dict[str, Value] = {}
        self.buffers = {b.name: b for b in program.buffers}
        for buffer in program.buffers:
            self.names[buffer.name] = Value(f"*{buffer.name}", np.zeros((), np.int64))
        for scalar in program.scalars:
            dtype = _scalar_dtype(scalar.value)
            data = np.asarray(scalar.value, formats.CARRIERS[dtype])
            self.names[scalar.name] = Value(dtype, data)

    def block(self, body: Sequence[Statement]) -> None:
        for item in body:
            getattr(self, f"_{type(item).__name__.lower()}")(item)

    def _op(self, op: Op) -> None:
        attrs = {**dict(op.attrs), "pid": self.place, "fusion": self.program.fusion}
        info = OPS[op.op]
        values = self._operands(op, info.promotes)
        result = info.run(op.type, values, attrs)
        assert result.data.shape == op.type.shape, f"{op}: {result.data.shape}"
        self.names[op.out] = result

    def _operands(self, op: Op, promotes: bool) -> list[Value]:
        known = [self.names[arg] for arg in op.args if isinstance(arg, str)]
        dtypes = [value.dtype for value in known if not value.dtype.startswith("*")]
        if op.op == "where":
            dtypes = dtypes[1:]
        if not promotes:
            if op.op == "full" and not known:
                dtypes = [op.type.dtype]
            first = dtypes[0] if dtypes else op.type.dtype
            return [self._value(arg, first) for arg in op.args]
        common = dtypes[0]
        for other in dtypes[1:]:
            common = formats.promote(common, other)
        values = [self._value(arg, common) for arg in op.args]
        data = [formats.convert(v.data, v.dtype, common) for v in values]
        return [Value(common, d, v.error) for d, v in zip(data, values, strict=True)]

    def _value(self, arg: Argument, dtype: str) -> Value:
        if isinstance(arg, str):
            return self.names[arg]
        if dtype.startswith("*"):
            dtype = "i64"
        if formats.is_float(dtype):
            return Value(dtype, formats.round_float(np.asarray(arg, np.float64), dtype))
        return Value(dtype, np.asarray(arg).astype(formats.CARRIERS[dtype]))

    def _address(self, pointer: str, mask: str | None, shape: tuple[int, ...]) -> Any:
        """(cells, index of each lane, which lanes are on), of the shape of the access."""
        value = self.names[pointer]
        buffer = self.buffers[value.dtype[1:]]
        index = np.broadcast_to(value.data, shape) + buffer.start
        lanes: Array = np.ones(shape, bool)
        if mask is not None:
            lanes = np.broadcast_to(self.names[mask].data, shape)
        cells = self.cells[buffer.storage]
        cells.check_bounds(index[lanes])
        return cells, index, lanes

    def _inside(self, pointer: str, window: Window, shape: tuple[int, ...]) -> Any:
        """As `_address`, for a window: the lanes that are on lie in the matrix."""
        value = self.names[pointer]
        buffer = self.buffers[value.dtype[1:]]
        index = np.full(shape, int(value.data) + buffer.start)
        lanes: Array = np.ones(shape, bool)
        for axis, extent in enumerate(shape):
            start = int(self._value(window.offsets[axis], "i32").data)
            sizes = [-1 if other == axis else 1 for other in range(len(shape))]
            along: Array = start + np.arange(extent).reshape(sizes)
            index = index + along * window.strides[axis]
            lanes = lanes & (along >= 0) & (along < window.shape[axis])
        cells = self.cells[buffer.storage]
        cells.check_bounds(index[lanes])
        return cells, index, lanes

    def _load(self, item: Load) -> None:
        if item.window is not None:
            found = self._inside(item.pointer, item.window, item.type.shape)
        else:
            found = self._address(item.pointer, item.mask, item.type.shape)
        cells, index, lanes = found
        cells.note_read(index[lanes], self.number)
        data = np.zeros(item.type.shape, cells.data.dtype)
        if item.other is not None:
            other = self._value(item.other, cells.dtype)
            data[...] = np.broadcast_to(other.data, item.type.shape)
        data[lanes] = cells.data[index[lanes]]
        error = np.zeros(item.type.shape)
        error[lanes] = cells.error[index[lanes]]
        self.names[item.out] = Value(item.type.dtype, data, error if np.any(error) else None)

    def _store(self, item: Store) -> None:
        pointer = self.names[item.pointer]
        if item.window is not None:
            found = self._inside(item.pointer, item.window, item.block)
        else:
            found = self._address(item.pointer, item.mask, pointer.data.shape)
        cells, index, lanes = found
        value = self._value(item.value, cells.dtype)
        where = index[lanes]
        cells.note_write(where, self.number)
        wanted = np.broadcast_to(value.data, index.shape)[lanes]
        cells.data[where] = wanted
        if not np.array_equal(cells.data[where], wanted, equal_nan=_is_float(wanted)):
            raise Rejected("two lanes store different numbers to one place")
        error = 0.0 if value.error is None else np.broadcast_to(value.error, index.shape)[lanes]
        cells.error[where] = error

    def _atomic(self, item: Atomic) -> None:
        cells, index, lanes = self._address(item.pointer, item.mask, item.type.shape)
        value = np.broadcast_to(self.names[item.value].data, index.shape)
        if self.names[item.value].error is not None:
            raise Rejected("an atomic of an inexact value")
        cells.note_update(index[lanes], self.number, bool(item.out))
        if item.kind == "xchg" and not item.out:
            raise Rejected("which exchange comes last")
        old = np.zeros(index.shape, cells.data.dtype)
        for lane in zip(*np.nonzero(lanes), strict=True):
            old[lane] = cells.data[index[lane]]
            updated = _UPDATES[item.kind](old[lane], value[lane])
            cells.data[index[lane]] = updated
        if item.out:
            self.names[item.out] = Value(item.type.dtype, old)

    def _for(self, item: For) -> None:
        start, stop = (int(self._value(arg, "i32").data) for arg in (item.start, item.stop))
        for index in range(start, stop, item.step):
            self.names[item.index] = Value("i32", np.asarray(index, np.int32))
            self.block(item.body)

    def _while(self, item: While) -> None:
        for _ in range(MOST_ITERATIONS):
            left = self.names[item.left]
            if not bool(left.data < self._value(item.right, left.dtype).data):
                return
            self.block(item.body)
        raise Rejected("a loop that does not end")

    def _if(self, item: If) -> None:
        self.block(item.then if bool(self.names[item.condition].data) else item.otherwise)


def _is_float(data: Array) -> bool:
    return bool(np.issubdtype(data.dtype, np.floating))


def _scalar_dtype(value: int | float) -> str:
    if isinstance(value, float):
        return "f32"
    return "i32" if -(2**31) <= value < 2**31 else "i64"


def evaluate(program: Program) -> list[Memory]:
    """What each storage must hold after the launch.

    Raises:
        Rejected: if the program has no one result.
    """
    cells = [_Cells(storage) for storage in program.storages]
    with np.errstate(all="ignore"):
        for place in itertools.product(*(range(extent) for extent in program.grid)):
            _Run(program, cells, place).block(program.body)
    return [Memory(c.dtype, c.data, c.error) for c in cells]


def initial_bytes(program: Program) -> list[bytes]:
    """The first contents of the storages, as memory has them."""
    return [formats.encode(fill(s), s.dtype).tobytes() for s in program.storages]

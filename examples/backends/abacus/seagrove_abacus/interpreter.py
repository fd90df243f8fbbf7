"""Triton's IR, computed by NumPy. Blocks are arrays, scalars are arrays without dimensions."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seagrove.runtime.memory import host_bytes

TYPES = {f"i{bits}": np.dtype(f"int{bits}") for bits in (8, 16, 32, 64)}
TYPES |= {f"f{bits}": np.dtype(f"float{bits}") for bits in (16, 32, 64)}
TYPES |= {"i1": np.dtype(bool)}


class Unknown(Exception):
    """Something that is not computed here; the text names it."""


def quotient(a: Any, b: Any) -> Any:
    floor = a // b
    return floor + ((floor * b != a) & ((a < 0) != (b < 0)))


_ARITH = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "max": np.maximum, "min": np.minimum,
    "divf": np.divide, "divsi": quotient, "remsi": lambda a, b: a - quotient(a, b) * b,
    "negf": np.negative, "andi": np.bitwise_and, "ori": np.bitwise_or, "xori": np.bitwise_xor,
    "shli": np.left_shift, "shrsi": np.right_shift, "select": np.where, "maxnumf": np.fmax,
    "minnumf": np.fmin, "fptosi": np.trunc,
}  # fmt: skip
ELEMENTWISE: dict[str, Any] = {f"arith.{name}": function for name, function in _ARITH.items()}
ELEMENTWISE |= {f"arith.{n}{kind}": _ARITH[n] for n in ("add", "sub", "mul") for kind in "if"}
ELEMENTWISE |= {f"arith.{n}{kind}": _ARITH[n] for n in ("max", "min") for kind in ("si", "imumf")}
ELEMENTWISE |= {f"arith.{n}": np.positive for n in ("extsi", "extf", "truncf", "trunci", "sitofp")}
for _name in ("exp", "exp2", "log", "log2", "sqrt", "sin", "cos", "tanh"):
    ELEMENTWISE[f"math.{_name}"] = getattr(np, _name)
COMPARE = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal,
           "gt": np.greater, "ge": np.greater_equal}  # fmt: skip

_LOCATION = re.compile(r"\s*loc\((?:[^()\"]|\"[^\"]*\"|\([^()]*\))*\)")
_STATEMENT = re.compile(r'(?:(%\w+)[^=]* = )?"?([a-z_]+\.[\w.]+)"?(.*)')
_LAST_TYPE = r"(tensor<\S*>|!tt\.ptr<\w+>|\w+)(?: \{)?$"
_VALUE = r"%\w+(?:#\d+)?"
_POINTER = re.compile(r"!tt\.ptr<(\w+)>")
_CALLEE = re.compile(r'@("[^"]*"|[\w.]+)')


def type_of(text: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and element type; an address is a 64-bit number."""
    inner = re.fullmatch(r"tensor<((?:\d+x)*)(.*)>", text)
    shape = tuple(map(int, inner[1].split("x")[:-1])) if inner else ()
    element = _POINTER.sub("i64", inner[2] if inner else text)
    if element not in TYPES:
        raise Unknown(f"the type {element}")
    return shape, TYPES[element]


@dataclass
class Statement:
    """One operation: its name, what is written behind it, and the body of its region."""

    result: str
    name: str
    rest: str
    body: list[Statement] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @property
    def operands(self) -> list[str]:
        return re.findall(_VALUE, self.rest.split(" : ")[0])

    def type(self) -> tuple[tuple[int, ...], np.dtype[Any]]:
        return type_of(self.find(_LAST_TYPE))

    def find(self, pattern: str | re.Pattern[str]) -> str:
        found = re.search(pattern, self.rest)
        assert found, f"{self.name}{self.rest} has no {pattern}"
        return found[1]


class Module:
    """A parsed module; raises `Unknown` for what cannot be computed."""

    def __init__(self, text: str) -> None:
        self.functions: dict[str, Statement] = {}
        stack: list[Statement] = []
        for line in map(str.strip, _LOCATION.sub("", text).splitlines()):
            if line.startswith("}") and stack:
                stack.pop()
            elif line.startswith("^bb0"):
                stack[-1].names = re.findall(_VALUE, line)
            elif match := _STATEMENT.match(line):
                self._add(Statement(match[1] or "", match[2], match[3]), stack)
        self.entry = next(f for f in self.functions.values() if "public" in f.rest)

    def _add(self, item: Statement, stack: list[Statement]) -> None:
        if item.name == "tt.func":
            item.name, item.names = item.find(_CALLEE), re.findall(r"(%\w+): ", item.rest)
            self.functions[item.name] = item
        else:
            if item.name not in ELEMENTWISE and not hasattr(Program, item.name.replace(".", "_")):
                raise Unknown(item.name)
            stack[-1].body.append(item)
        for text in re.findall(r"tensor<[^<>]*(?:<[^<>]*>)?>|\*?\b(?:bf16|f8\w+)\b", item.rest):
            type_of(text)
        if item.rest.endswith("{"):
            stack.append(item)

    def run(self, slots: list[int], grid: tuple[int, int, int]) -> None:
        """Runs every program of the grid, x fastest, with the packed arguments."""
        types = re.findall(r"%\w+: (!tt\.ptr<\w+>|\w+)", self.entry.rest)
        kinds = [type_of(text)[1] for text in types]
        slot_bytes = [slot.to_bytes(8, "little") for slot in slots]
        arguments = [np.frombuffer(*pair)[0] for pair in zip(slot_bytes, kinds, strict=True)]
        with np.errstate(all="ignore"):
            for z, y, x in itertools.product(*map(range, reversed(grid))):
                Program(self, (x, y, z), grid).call(self.entry, arguments)


class Program:
    """One program of a launch, with a method for each operation that is in no table."""

    def __init__(self, module: Module, place: Any, grid: Any) -> None:
        self.module, self.place, self.grid = module, place, grid
        self.values: dict[str, Any] = {}

    def call(self, function: Statement, arguments: list[Any]) -> list[Any]:
        inner = Program(self.module, self.place, self.grid)
        inner.values.update(zip(function.names, map(np.asarray, arguments), strict=True))
        return inner.block(function.body)

    def block(self, body: list[Statement]) -> list[Any]:
        """Computes statements up to the first that hands values to what is around them."""
        for item in body:
            operands = [self.values[name] for name in item.operands if name in self.values]
            if item.name in ("tt.return", "scf.yield", "tt.reduce.return"):
                return operands
            if item.name in ELEMENTWISE:
                value = ELEMENTWISE[item.name](*operands).astype(item.type()[1])
            else:
                value = getattr(self, item.name.replace(".", "_"))(item, *operands)
            results = value if isinstance(value, list) else [value]
            for index, part in enumerate(results):
                self.values[f"{item.result}#{index}"] = np.asarray(part)
            self.values[item.result] = self.values.get(f"{item.result}#0")
        return []

    def ub_poison(self, item: Statement) -> Any:
        return np.zeros(*item.type())

    tt_return = scf_yield = tt_reduce_return = ub_poison  # Known; `block` ends at them.

    def arith_bitcast(self, item: Statement, x: Any) -> Any:
        return x.view(item.type()[1])

    def tt_splat(self, item: Statement, x: Any) -> Any:
        return np.broadcast_to(x, item.type()[0])

    def tt_reshape(self, item: Statement, x: Any) -> Any:
        return x.reshape(item.type()[0])

    tt_broadcast, tt_expand_dims, tt_bitcast = tt_splat, tt_reshape, arith_bitcast

    def tt_get_program_id(self, item: Statement) -> Any:
        return np.int32(self.place["xyz".index(item.rest[1])])

    def tt_get_num_programs(self, item: Statement) -> Any:
        return np.int32(self.grid["xyz".index(item.rest[1])])

    def arith_constant(self, item: Statement) -> Any:
        shape, kind = item.type()
        text = item.find(r" (?:dense<)?([\w.+-]+)>? : ")
        if text.startswith("0x"):
            return np.full(shape, int(text, 16), f"u{kind.itemsize}").view(kind)
        number = {"true": 1, "false": 0}.get(text, text)
        return np.full(shape, float(number) if kind.kind == "f" else int(number), kind)

    def arith_cmpi(self, item: Statement, a: Any, b: Any) -> Any:
        name = item.rest.strip().split(",")[0]
        if name[0] == "u":
            a, b = a.view(f"u{a.itemsize}"), b.view(f"u{b.itemsize}")
        return COMPARE[name[-2:]](a, b)

    def arith_cmpf(self, item: Statement, a: Any, b: Any) -> Any:
        name = item.rest.strip().split(",")[0]
        found, unordered = COMPARE[name[1:]](a, b), np.isnan(a) | np.isnan(b)
        return found | unordered if name[0] == "u" else found & ~unordered

    def tt_make_range(self, item: Statement) -> Any:
        first, end = int(item.find(r"start = (\d+)")), int(item.find(r"end = (\d+)"))
        return np.arange(first, end, dtype=np.int32)

    def tt_addptr(self, item: Statement, pointer: Any, offset: Any) -> Any:
        return pointer + offset.astype(np.int64) * TYPES[item.find(_POINTER)].itemsize

    def _memory(self, item: Statement, pointer: Any, mask: Any) -> tuple[Any, Any, Any]:
        """The addressed memory as one array, the places in it, and which of them are meant."""
        kind, mask = TYPES[item.find(_POINTER)], np.broadcast_to(mask, pointer.shape)
        meant = pointer[mask] if mask.any() else np.zeros(1, np.int64)
        size = int(meant.max() - meant.min()) + kind.itemsize if mask.any() else 0
        memory = np.frombuffer(host_bytes(int(meant.min()), size), kind)
        return memory, (pointer[mask] - meant.min()) // kind.itemsize, mask

    def tt_load(self, item: Statement, pointer: Any, mask: Any = True, other: Any = 0) -> Any:
        memory, places, mask = self._memory(item, pointer, mask)
        values = np.array(np.broadcast_to(other, pointer.shape), memory.dtype)
        values[mask] = memory[places]
        return values

    def tt_store(self, item: Statement, pointer: Any, value: Any, mask: Any = True) -> None:
        memory, places, mask = self._memory(item, pointer, mask)
        memory[places] = value[mask]

    def tt_call(self, item: Statement, *arguments: Any) -> list[Any]:
        return self.call(self.module.functions[item.find(_CALLEE)], list(arguments))

    def tt_dot(self, item: Statement, a: Any, b: Any, c: Any) -> Any:
        return np.matmul(a.astype(c.dtype), b.astype(c.dtype)) + c

    def tt_reduce(self, item: Statement, *parts: Any) -> list[Any]:
        rows = [np.moveaxis(part, int(item.find(r"axis = (\d+)")), 0) for part in parts]
        while (half := len(rows[0]) // 2) > 0:  # Sizes are powers of 2.
            halves = [row[:half] for row in rows] + [row[half:] for row in rows]
            self.values.update(zip(item.names, halves, strict=True))
            rows = self.block(item.body)
        return [row[0] for row in rows]

    def scf_for(self, item: Statement, *_: Any) -> list[Any]:
        index, *bounds = (item.find(rf"{word}({_VALUE})") for word in (" ", "= ", "to ", "step "))
        carried = re.findall(rf"({_VALUE}) = ({_VALUE})", item.rest.partition("iter_args")[2])
        found = [self.values[initial] for _, initial in carried]
        for number in range(*(int(self.values[bound]) for bound in bounds)):
            self.values.update(zip([name for name, _ in carried], found, strict=True))
            self.values[index] = self.values[bounds[0]].dtype.type(number)
            found = self.block(item.body)
        return found

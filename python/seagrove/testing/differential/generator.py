"""Hypothesis strategies for kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from seagrove.testing.differential import formats, memory_steps
from seagrove.testing.differential.builder import Builder, Choices, Var
from seagrove.testing.differential.ir import For, If, Program, Statement, Type, While
from seagrove.testing.differential.value_steps import VALUE_STEPS

SHAPES_1D = ((16,), (8,), (32,), (64,), (4,), (128,), (256,), (2,), (1,), (512,))
SHAPES_2D = ((8, 8), (4, 8), (16, 4), (16, 16), (4, 4), (2, 32), (8, 1), (1, 16), (32, 8))
SHAPES_3D = ((2, 4, 8), (4, 2, 16), (2, 2, 2), (1, 8, 4))
DEEPEST = 2


@st.composite
def programs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Program:
    """Any kernel; some of them `reference.evaluate` rejects."""
    return Generator(Choices(draw)).run()


class Generator:
    """Draws one program."""

    def __init__(self, choices: Choices) -> None:
        self.b = Builder(choices)
        self.choices = choices
        self.shape = choices.pick(
            choices.pick([SHAPES_1D, SHAPES_2D, SHAPES_1D, SHAPES_2D, SHAPES_3D])
        )
        self.depth = 0

    def run(self) -> Program:
        memory_steps.load_own(self.b, self.shape)
        self.steps(self.choices.integer(3, 12))
        self.store_results()
        return self.b.program()

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.step()

    def step(self) -> None:
        kind = self.choices.pick(_KINDS)
        if kind == "value":
            self.choices.pick(VALUE_STEPS)(self.b)
        elif kind == "load":
            memory_steps.load_own(self.b, self.current_shape())
        elif kind == "shared":
            memory_steps.load_shared(self.b, self.current_shape())
        elif kind == "scalar":
            memory_steps.load_scalar(self.b)
        elif kind == "alias":
            memory_steps.alias(self.b, self.current_shape())
        elif kind == "atomic":
            memory_steps.atomic(self.b, self.current_shape())
        elif kind == "window":
            memory_steps.window(self.b)
        elif kind == "narrow":
            memory_steps.narrow(self.b, self.current_shape())
        elif kind == "store":
            self.store_one()
        elif self.depth < DEEPEST:
            self.nested(kind)

    def current_shape(self) -> tuple[int, ...]:
        known = self.b.some(lambda v: bool(v.shape))
        return known.shape if known is not None and self.choices.chance(40) else self.shape

    # --- control flow ----------------------------------------------------------------------------

    def nested(self, kind: str) -> None:
        self.depth += 1
        {"for": self.loop, "while": self.while_loop, "if": self.branch}[kind]()
        self.depth -= 1

    def inner(self, fill: Callable[[], None]) -> tuple[Statement, ...]:
        """The statements that `fill` appends; their names end with the block."""
        outer = self.b.body, list(self.b.scope), dict(self.b.cache)
        self.b.body = []
        fill()
        unused = [v for v in self.b.unused(len(outer[1])) if v.dtype != "i1"]
        if unused and self.choices.chance(50):
            memory_steps.store_own(self.b, unused[0])
        inner = self.b.body
        self.b.body, self.b.scope, self.b.cache = outer
        return tuple(inner)

    def carried(self) -> list[Var]:
        """Copies of values for a loop or a branch to change."""
        found = []
        for _ in range(self.choices.integer(1, 2)):
            value = self.b.some(lambda v: v.dtype != "i1")
            if value is None:
                continue
            # A float that a loop adds up is inexact from the start.
            exact = value.exact and not (
                formats.is_float(value.dtype) and (self.b.fusion or self.choices.chance(50))
            )
            copy = self.b.declare(value.type, exact, prefix="acc")
            self.b.op("copy", value, into=copy)
            found.append(copy)
        return found

    def update(self, var: Var) -> None:
        """`var = var op x` with an operand that keeps the type."""
        floating = formats.is_float(var.dtype)
        operand = self.b.some(
            lambda v: (
                v.dtype == var.dtype
                and v.name != var.name
                and _fits(v.shape, var.shape)
                and (v.exact or not var.exact)
            )
        )
        kinds = ["add", "sub"] if floating else ["add", "sub", "mul", "xor", "and", "or"]
        if floating and var.exact:
            if var.dtype == "bf16":
                kinds = ["add"] if not self.b.fusion else []
            elif self.b.fusion:
                kinds = ["fmax", "fmin"]
        if not kinds:
            return
        amount = operand if operand is not None else memory_steps.literal(self.b, var.dtype)
        self.b.op(self.choices.pick(kinds), var, amount, into=var)

    def total(self, pointer: Var) -> Var:
        """A carried sum of what a loop loads through `pointer`."""
        dtype = self.b.buffer_dtype(pointer)
        exact = not (formats.is_float(dtype) and self.b.fusion)
        total = self.b.declare(Type(dtype, pointer.shape), exact, prefix="acc")
        return self.b.op("full", 0, into=total, dtype=dtype, shape=pointer.shape)

    def loop(self) -> None:
        step = self.choices.pick([1, 1, 2, 3])
        iterations = self.choices.integer(0, 4)
        start = self.choices.pick([0, 0, 1, -3])
        stop = start + iterations * step - (self.choices.pick([0, 0, 1]) if step > 1 else 0)
        kind = self.choices.pick(["range", "range", "tl.range", "tl.static_range"])
        bound: int | str = stop
        if kind != "tl.static_range" and self.choices.chance(50):
            bound = self.b.scalar(stop).name
        carried = self.carried()
        moving: tuple[Var, int] | None = None
        if self.choices.chance(60):
            shape = self.current_shape()
            moving = memory_steps.stepping_pointer(self.b, shape, iterations + 1)
            total = self.total(moving[0])
        index = self.b.fresh("i")

        def fill() -> None:
            if kind != "tl.static_range":
                # In the interpreter the index is a Python number, so it is made a tensor.
                self.b.op("full", Var(index, _I32), dtype="i32", shape=())
            if moving is not None:
                pointer, by = moving
                mask = memory_steps.some_mask(self.b, pointer.shape)
                value = memory_steps.guarded_load(self.b, pointer, mask)
                self.b.op("add", total, value, into=total)
            self.steps(self.choices.integer(0, 3))
            for var in carried:
                self.update(var)
            if moving is not None:
                self.b.op("address", pointer, by, into=pointer)
                self.b.used.discard(pointer.name)

        self.b.body.append(For(index, start, bound, step, self.inner(fill), kind))

    def while_loop(self) -> None:
        counter = self.b.declare(_I32, prefix="w")
        self.b.op("int", self.choices.pick([0, 1]), into=counter, dtype="i32", shape=())
        limit = self.choices.integer(0, 4)
        bound: int | str = self.b.scalar(limit).name if self.choices.chance(50) else limit
        if self.choices.chance(30):
            known = self.b.some(lambda v: v.dtype == "i32" and v.shape == ())
            if known is not None:
                bound = self.b.op("and", known, 3).name
        carried = self.carried()

        def fill() -> None:
            self.steps(self.choices.integer(0, 2))
            for var in carried:
                self.update(var)
            self.b.op("add", counter, 1, into=counter)

        self.b.body.append(While(counter.name, bound, self.inner(fill)))

    def branch(self) -> None:
        condition = self.b.some(lambda v: v.dtype == "i1" and v.shape == ())
        if condition is None or self.choices.chance(50):
            left = self.b.some(lambda v: formats.is_int(v.dtype) and v.shape == ())
            left = left or self.b.linear_program()
            right = self.b.scalar(self.choices.integer(0, 3))
            # Not a cast: an argument of 1 is a Python number within the kernel.
            right = self.b.op("full", right, dtype=left.dtype, shape=())
            condition = self.b.op(self.choices.pick(["lt", "eq", "ge"]), left, right)
        carried = self.carried()

        def fill() -> None:
            self.steps(self.choices.integer(0, 2))
            for var in carried:
                self.update(var)

        then = self.inner(fill)
        otherwise = self.inner(fill) if self.choices.chance(50) else ()
        self.b.body.append(If(condition.name, then, otherwise))

    # --- results ---------------------------------------------------------------------------------

    def store_one(self) -> None:
        value = self.b.some(lambda v: v.dtype != "i1")
        if value is not None:
            memory_steps.store_own(self.b, value)

    def store_results(self) -> None:
        """Stores what nothing has used, and what loops and branches have changed."""
        changed = [v for v in self.b.values() if v.name.startswith("acc")]
        unused = [v for v in self.b.unused() if v not in changed]
        chosen = [*changed[:4], *unused[:6]]
        for value in chosen or self.b.values()[:1]:
            if value.dtype == "i1":
                value = self.b.op("cast", value, dtype="i8")
            memory_steps.store_own(self.b, value, masked=self.choices.chance(30))


_I32 = Type("i32")
_KINDS = (
    *["value"] * 16,
    *["load"] * 2,
    *["for"] * 2,
    *("shared", "scalar", "alias", "atomic", "store", "while", "if", "window", "narrow"),
)


def _fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    """Whether a value of `shape` broadcasts into `into` without growing it."""
    return not shape or (
        len(shape) == len(into) and all(a in (1, b) for a, b in zip(shape, into, strict=True))
    )

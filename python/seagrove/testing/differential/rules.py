"""Where Triton's interpreter is known to differ from the language, each cause by a name.

A rule is asked only where our compiled code agrees with NumPy at every level and the interpreter
does not. It looks at the program for the construct that it is about, so that a difference without
that construct stays a finding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seagrove.testing.differential import formats
from seagrove.testing.differential.ir import (
    Atomic,
    Load,
    Op,
    Program,
    Statement,
    Type,
    statements,
)


@dataclass(frozen=True)
class Rule:
    """A construct on which the interpreter is wrong, or has no answer."""

    name: str
    why: str
    applies: Callable[[list[Statement], dict[str, Type], str], bool]


def _types(program: Program, body: list[Statement]) -> dict[str, Type]:
    found = {item.out: item.type for item in body if isinstance(item, Op | Load | Atomic)}
    for buffer in program.buffers:
        found[buffer.name] = Type(f"*{buffer.name}")
    return found


def _computes_in(*dtypes: str) -> Callable[[list[Statement], dict[str, Type], str], bool]:
    """True where an operation, or the `other` of a load, has a dtype."""

    def applies(body: list[Statement], types: dict[str, Type], text: str) -> bool:
        for item in body:
            if isinstance(item, Load) and item.other is not None and item.type.dtype in dtypes:
                return True
            if isinstance(item, Op):
                operands = [types[a].dtype for a in item.args if isinstance(a, str) and a in types]
                if item.type.dtype in dtypes or any(d in dtypes for d in operands):
                    return True
        return False

    return applies


def _uses(*ops: str) -> Callable[[list[Statement], dict[str, Type], str], bool]:
    return lambda body, types, text: any(isinstance(i, Op) and i.op in ops for i in body)


def _inverts_unsigned(body: list[Statement], types: dict[str, Type], text: str) -> bool:
    found = any(
        isinstance(item, Op) and item.op == "not" and item.type.dtype in formats.UNSIGNED
        for item in body
    )
    return found and "Python integer -1 out of bounds for uint" in text


RULES = (
    Rule(
        "bf16-as-integers",
        "the interpreter keeps bf16 in 16-bit integers: it adds and compares the bit patterns, and "
        "cuts bits off where it converts",
        _computes_in("bf16"),
    ),
    Rule(
        "nan-spreads-in-extremes",
        "minimum, maximum and clamp without propagate_nan are NumPy's, which spread a nan",
        _uses("fmin", "fmax", "clamp"),
    ),
    Rule(
        "subnormal-narrow-floats",
        "the interpreter loses bits of subnormal 8-bit floats where it converts from or to them",
        _computes_in(*formats.NARROW_FLOATS),
    ),
    Rule(
        "unsigned-invert",
        "the interpreter makes the ones of ~x from -1, which NumPy 2 refuses to hold unsigned",
        _inverts_unsigned,
    ),
)


def explain(program: Program, text: str) -> tuple[str, ...]:
    """Names of the rules that account for the interpreter's difference; empty: none does."""
    body = statements(program.body)
    types = _types(program, body)
    return tuple(rule.name for rule in RULES if rule.applies(body, types, text))

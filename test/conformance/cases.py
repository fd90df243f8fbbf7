"""All cases: the tables of rows, for elements and for blocks, and the hand-written programs."""

from __future__ import annotations

import functools
import importlib

import blocks
import elementwise
import functions
import kit
import methods
import narrow
from kit import Case

PROGRAM_FAMILIES = (
    "memory",
    "descriptor",
    "atomic",
    "control",
    "launch",
    "random",
    "scaled",
    "assembly",
    "form",
    "ordering",
)


@functools.cache
def all_cases() -> list[Case]:
    """Every case, ids unique, in a stable order."""
    for family in PROGRAM_FAMILIES:
        importlib.import_module(f"{family}_programs")
    for table, more in (
        (elementwise.OPS, [*narrow.rows(), *functions.rows()]),
        (blocks.BLOCKS, methods.rows()),
    ):
        table.extend(row for row in more if row not in table)
    found = [*elementwise.cases(), *blocks.cases(), *kit.PROGRAMS]
    ids = [case.id for case in found]
    doubled = {i for i in ids if ids.count(i) > 1} if len(set(ids)) < len(ids) else set()
    assert not doubled, f"two cases of the same name: {sorted(doubled)}"
    return found


def core_cases() -> list[Case]:
    """Each primitive on int32 and float32 where it has them, else on two other dtypes."""
    by_primitive: dict[str, list[Case]] = {}
    for case in all_cases():
        by_primitive.setdefault(case.primitive, []).append(case)
    chosen: set[str] = set()
    for cases in by_primitive.values():
        common = [case for case in cases if case.dtype in kit.FEW]
        chosen.update(case.id for case in common or cases[:2])
    return [case for case in all_cases() if case.id in chosen]

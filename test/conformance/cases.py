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

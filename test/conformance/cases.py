"""All cases: the tables of `elementwise` and `blocks`, and the hand-written programs."""

from __future__ import annotations

import importlib

import blocks
import elementwise
import kit
from kit import Case

PROGRAM_FAMILIES = ("memory", "descriptor", "atomic", "control", "launch", "random", "scaled")


def all_cases() -> list[Case]:
    """Every case, ids unique, in a stable order."""
    for family in PROGRAM_FAMILIES:
        importlib.import_module(f"{family}_programs")
    found = [*elementwise.cases(), *blocks.cases(), *kit.PROGRAMS]
    ids = [case.id for case in found]
    doubled = {i for i in ids if ids.count(i) > 1} if len(set(ids)) < len(ids) else set()
    assert not doubled, f"two cases of the same name: {sorted(doubled)}"
    return found

"""Makes a program that shows a finding smaller, statement by statement.

Hypothesis shrinks the draws of the generator, each of which may change everything after it. Taking
statements out of a finished program is blunter and gets much further in the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from seagrove.testing.differential.ir import (
    Argument,
    Atomic,
    For,
    If,
    Load,
    Op,
    Program,
    Statement,
    Store,
    While,
    statements,
)

Body = tuple[Statement, ...]


def shrink(program: Program, fails: Callable[[Program], bool], seconds: float) -> Program:
    """The smallest program found in the time for which `fails` still holds."""
    deadline = time.monotonic() + seconds
    size = -1

    def still(smaller: Program) -> bool:
        return well_formed(smaller) and fails(smaller)

    while size != (size := _size(program)):
        for make in (_without_chunks, _unwrapped, _simpler):
            program = _first_steps(program, still, make, deadline)
    return program


def well_formed(program: Program) -> bool:
    """Whether each name is assigned before it is read, also in branches that are not taken."""
    names = {buffer.name for buffer in program.buffers}
    names |= {scalar.name for scalar in program.scalars}
    return _defined(program.body, names)


def _defined(body: Body, names: set[str]) -> bool:
    for item in body:
        read = {arg for arg in _operands(item) if isinstance(arg, str)}
        if not read <= names:
            return False
        if isinstance(item, For | While):
            inner = names | ({item.index} if isinstance(item, For) else set())
            if not _defined(item.body, inner):
                return False
        elif isinstance(item, If):
            if not (_defined(item.then, set(names)) and _defined(item.otherwise, set(names))):
                return False
        elif isinstance(item, Op | Load | Atomic) and item.out:
            names.add(item.out)
    return True


def _size(program: Program) -> int:
    return len(repr(program))


def _first_steps(
    program: Program,
    fails: Callable[[Program], bool],
    make: Callable[[Program], Iterator[Program]],
    deadline: float,
) -> Program:
    """Takes each smaller program that fails, until none of a round does."""
    progress = True
    while progress:
        progress = False
        for smaller in make(program):
            if time.monotonic() > deadline:
                return program
            if _size(smaller) < _size(program) and fails(smaller):
                program, progress = smaller, True
                break
    return program


def _without_chunks(program: Program) -> Iterator[Program]:
    count = len(statements(program.body))
    width = count // 2
    while width >= 1:
        for start in range(count - width, -1, -width):
            yield clean(_without(program, set(range(start, start + width))))
        width //= 2


def _without(program: Program, dropped: set[int]) -> Program:
    """Leaves out statements by their number in `statements`."""
    number = -1

    def walk(body: Body) -> Body:
        nonlocal number
        kept: list[Statement] = []
        for item in body:
            number += 1
            drop = number in dropped
            if isinstance(item, For | While):
                item = replace(item, body=walk(item.body))
            elif isinstance(item, If):
                item = replace(item, then=walk(item.then), otherwise=walk(item.otherwise))
            if not drop:
                kept.append(item)
        return tuple(kept)

    return replace(program, body=walk(program.body))


def _unwrapped(program: Program) -> Iterator[Program]:
    """The program with one loop or branch replaced by its statements."""

    def walk(body: Body) -> Iterator[Body]:
        for at, item in enumerate(body):
            inner: list[tuple[Body, Callable[[Body], Statement]]] = []
            if isinstance(item, For | While):
                inner = [(item.body, lambda b, item=item: replace(item, body=b))]  # type: ignore[misc]
            elif isinstance(item, If):
                inner = [
                    (item.then, lambda b, item=item: replace(item, then=b)),  # type: ignore[misc]
                    (item.otherwise, lambda b, item=item: replace(item, otherwise=b)),  # type: ignore[misc]
                ]
            for part, rebuild in inner:
                yield (*body[:at], *part, *body[at + 1 :])
                for smaller in walk(part):
                    yield (*body[:at], rebuild(smaller), *body[at + 1 :])

    for body in walk(program.body):
        yield clean(replace(program, body=body))


def _simpler(program: Program) -> Iterator[Program]:
    if program.grid != (1,) and len(program.grid) == 1:
        yield replace(program, grid=(1,))
    if program.fusion:
        yield replace(program, fusion=False)
    for at, storage in enumerate(program.storages):
        for fill in ("zero", "small"):
            changed = replace(storage, fill=fill)
            if len(fill) < len(storage.fill) and storage.fill != "mark":
                storages = (*program.storages[:at], changed, *program.storages[at + 1 :])
                yield replace(program, storages=storages)


# --- dead code -----------------------------------------------------------------------------------


def clean(program: Program) -> Program:
    """Leaves out what nothing reads: values, arguments, memory."""
    body = program.body
    while (smaller := _live(body, _read_names(body))) != body:
        body = smaller
    used = _read_names(body)
    buffers = tuple(b for b in program.buffers if b.name in used)
    kept = sorted({b.storage for b in buffers})
    return replace(
        program,
        body=body,
        buffers=tuple(replace(b, storage=kept.index(b.storage)) for b in buffers),
        storages=tuple(program.storages[number] for number in kept),
        scalars=tuple(s for s in program.scalars if s.name in used),
    )


def _live(body: Body, used: set[str]) -> Body:
    kept: list[Statement] = []
    for item in body:
        if isinstance(item, Op | Load) and item.out not in used:
            continue
        if isinstance(item, For | While):
            item = replace(item, body=_live(item.body, used))
        elif isinstance(item, If):
            then, otherwise = _live(item.then, used), _live(item.otherwise, used)
            item = replace(item, then=then, otherwise=otherwise)
        if isinstance(item, For) and not item.body:
            continue
        if isinstance(item, If) and not item.then and not item.otherwise:
            continue
        kept.append(item)
    return tuple(kept)


def _read_names(body: Body) -> set[str]:
    """Names that a statement reads, but for one that only feeds itself."""
    found: set[str] = set()
    for item in statements(body):
        read = {arg for arg in _operands(item) if isinstance(arg, str)}
        found |= read - ({item.out} if isinstance(item, Op | Load) else set())
    return found


def _operands(item: Statement) -> list[Argument | None]:
    if isinstance(item, Op):
        return list(item.args)
    if isinstance(item, Load):
        offsets = item.window.offsets if item.window else ()
        return [item.pointer, item.mask, item.other, *offsets]
    if isinstance(item, Store):
        offsets = item.window.offsets if item.window else ()
        return [item.pointer, item.value, item.mask, *offsets]
    if isinstance(item, Atomic):
        return [item.pointer, item.value, item.mask]
    if isinstance(item, For):
        return [item.start, item.stop]
    if isinstance(item, While):
        return [item.left, item.right]
    return [item.condition]

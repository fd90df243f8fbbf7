"""Runs cases in forked children, so that a crash or a hang is one failure and not the end.

A group of cases shares a child, as it shares kernels. Where that child dies or hangs, each case
that it owes an answer gets a child and a kernel of its own.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence

import kit
from kit import Case

Check = Callable[[Case], None]

TIMEOUT_S = 300.0


def outcomes(cases: Sequence[Case], check: Check) -> dict[str, str]:
    """Case id -> "" for a pass, or else what went wrong, for cases of one group."""
    found, _ = _in_child(cases, check, alone=False)
    for case in cases:
        if case.id not in found:
            answer, death = _in_child([case], check, alone=True)
            found[case.id] = answer.get(case.id, death)
    return found


def _in_child(cases: Sequence[Case], check: Check, alone: bool) -> tuple[dict[str, str], str]:
    """The answers of a child that runs the cases, and how it died, if it did."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reader)
        kit.ALONE = alone
        _run_child(cases, check, writer)
    os.close(writer)
    found, late = {}, False
    for line in _lines(reader):
        if line is None:
            os.kill(child, signal.SIGKILL)
            late = True
            break
        found.update(json.loads(line))
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if late:
        return found, f"no end within {TIMEOUT_S:g} s"
    if os.WIFSIGNALED(status):
        return found, f"the process died of {signal.Signals(os.WTERMSIG(status)).name}"
    return found, f"the process left with status {os.WEXITSTATUS(status)}"


def _run_child(cases: Sequence[Case], check: Check, writer: int) -> None:
    try:
        for case in cases:
            text = ""
            try:
                check(case)
            except Exception as failure:
                text = "".join(traceback.format_exception_only(failure))
            os.write(writer, (json.dumps({case.id: text[:20000]}) + "\n").encode())
    finally:
        os._exit(0)


def _lines(reader: int) -> Iterator[bytes | None]:
    """The lines that a child writes, until it closes the pipe; None where one takes too long."""
    data = b""
    while True:
        ready, _, _ = select.select([reader], [], [], TIMEOUT_S)
        if not ready:
            yield None
            return
        part = os.read(reader, 65536)
        if not part:
            return
        *whole, data = (data + part).split(b"\n")
        yield from whole

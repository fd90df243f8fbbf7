"""Compilers that are not ours and run in this process: what they say, and how they end.

Such a compiler tells its mistakes on the standard error stream, in the form of MLIR and LLVM
(`file:line:column: error: text`), may print a page of its intermediate code behind it, and may end
the process where an assertion of its own fails. Here its text is caught, read, and turned into the
diagnostics that all of Seagrove uses.
"""

from __future__ import annotations

import ctypes
import io
import os
import pickle
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, TypeVar

from seagrove.compiler.diagnostics import Diagnostic

T = TypeVar("T")

# --- what was said ----------------------------------------------------------------------------

_MESSAGE = re.compile(
    r"^(?:(?P<file>[^\s:][^:\n]*):(?P<line>\d+)(?::(?P<column>\d+))?: "
    r"|loc\(unknown\): |<unknown>:0: )?"
    r"(?P<severity>error|warning|remark|note): (?P<text>.*)$"
)
# What is said about the compiler's own passes tells its users nothing.
_INTERNAL = (
    "see current operation",
    "Failures have been detected while processing",
    "Pipeline failed while executing",
    "A signal was caught while processing",
    "The full compiler's reproducer",
)
_ASSERTION = re.compile(
    r"^\S+: (?P<place>\S+:\d+): .*Assertion `(?P<text>.*)' failed", re.MULTILINE
)
_FATAL = re.compile(r"^(?:LLVM ERROR|fatal error): (?P<text>.*)$", re.MULTILINE)


def read_messages(text: str) -> list[Diagnostic]:
    """The messages in what a compiler printed; notes belong to the message before them.

    Positions count from 1 as the user's editor does; MLIR counts columns of Python from 1 too.
    """
    found: list[Diagnostic] = []
    for line in text.splitlines():
        match = _MESSAGE.match(line)
        if match is None or match["text"].startswith(_INTERNAL):
            continue
        if match["severity"] == "note":
            if found:
                last = found[-1]
                found[-1] = Diagnostic(
                    **{**vars(last), "notes": (*last.notes, _note(match))},
                )
            continue
        found.append(
            Diagnostic(
                severity=match["severity"],
                message=match["text"],
                file=match["file"] or "",
                line=int(match["line"] or 0),
                column=int(match["column"] or 0),
            )
        )
    return found


def _note(match: re.Match[str]) -> str:
    where = f" ({match['file']}:{match['line']})" if match["file"] else ""
    return match["text"] + where


def read_crash(text: str) -> str:
    """The sentence that a compiler ended the process with; "" if it left none."""
    if found := _ASSERTION.search(text):
        return f"assertion `{found['text']}` at {found['place']}"
    if found := _FATAL.search(text):
        return found["text"]
    return ""


# --- where in assembly text -------------------------------------------------------------------

_FILE = re.compile(r'^\s*\.file\s+(\d+)\s+(?:"([^"]*)"\s+)?"([^"]*)"')
_PLACE = re.compile(r"^\s*\.loc\s+(\d+)\s+(\d+)\s+(\d+)")


def place_in_source(assembly: str, number: int) -> tuple[str, int, int]:
    """File, line and column of the user's source for a line of assembly (from 1); ("", 0, 0)
    where the assembly does not say."""
    files: dict[str, str] = {}
    place = ("", 0, 0)
    lines = assembly.splitlines()
    for line in lines:
        if found := _FILE.match(line):
            files[found[1]] = str(Path(found[2] or "") / found[3])
    for line in lines[:number]:
        # The debug format uses line 0 for code that belongs to no line.
        if (found := _PLACE.match(line)) and found[2] != "0":
            place = (files.get(found[1], ""), int(found[2]), int(found[3]))
    return place


# --- where in a module ------------------------------------------------------------------------

_LOCATION = re.compile(r'^(#\w+) = loc\((?:"[^"]*"\()?"([^"]+)":(\d+):(\d+)', re.MULTILINE)
_ALIAS = re.compile(r"^(#\w+) = loc\((?:\"[^\"]*\"|callsite)\((#\w+)", re.MULTILINE)
_FUNCTION = re.compile(r"^\s*tt\.func public @", re.MULTILINE)


def _locations(module: str) -> dict[str, tuple[str, int, int]]:
    places = {
        name: (file, int(line), int(column))
        for name, file, line, column in _LOCATION.findall(module)
    }
    aliases = dict(_ALIAS.findall(module))
    for name in aliases:
        end = name
        while end in aliases:  # The printer numbers without cycles.
            end = aliases[end]
        if end in places:
            places.setdefault(name, places[end])
    return places


def place_of_kernel(ttir: str) -> tuple[str, int]:
    """File and line of the kernel's definition, from the text of its module; ("", 0) if unknown."""
    if not _FUNCTION.search(ttir):
        return "", 0
    # The first location that the printer writes is that of the module's function.
    file, line, _ = _locations(ttir).get("#loc", ("", 0, 0))
    return file, line


def place_of_line(module: str, line: str) -> tuple[str, int, int]:
    """File, line and column of an operation, given as its line of the module's text."""
    found = re.search(r"loc\((#\w+)\)\s*$", line)
    return _locations(module).get(found[1], ("", 0, 0)) if found else ("", 0, 0)


# --- catching it ------------------------------------------------------------------------------


@dataclass
class _Stream:
    """The process's standard streams while at least one stage has them caught.

    They are of the process and not of a thread: stages of several threads share one catch.
    """

    lock: Lock = field(default_factory=Lock)
    users: int = 0
    saved: int = -1
    file: Any = None
    failed: bool = False
    listing: io.StringIO | None = None
    stdout: Any = None
    on_abort: Any = None
    previous: Any = None


_stream = _Stream()


class Caught:
    """Catches what a stage prints: `with Caught() as caught: ...`, then `caught.text`.

    A stage that succeeds has its text printed after all, once no other stage runs; that of a stage
    that raises is kept for the error. Where the stage ends the process, its text is printed first.
    """

    def __init__(self) -> None:
        self.text = ""
        self._start = 0

    def __enter__(self) -> Caught:
        with _stream.lock:
            if _stream.users == 0:
                _open()
            _stream.users += 1
            self._start = os.fstat(_stream.file.fileno()).st_size if _stream.file else 0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _stream.lock:
            _stream.failed |= error is not None
            if _stream.file:
                size = os.fstat(_stream.file.fileno()).st_size - self._start
                data = os.pread(_stream.file.fileno(), size, self._start)
                self.text = data.decode(errors="replace")
            _stream.users -= 1
            if _stream.users == 0:
                _close()


def _open() -> None:
    # Some stages print whole listings by `print`.
    _stream.listing, _stream.stdout = io.StringIO(), sys.stdout
    _stream.failed = False
    sys.stdout = _stream.listing
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    try:
        _stream.saved = os.dup(2)
    except OSError:
        return  # There is no standard error stream: nothing is printed, and nothing caught.
    _stream.file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `_close`)
    os.dup2(_stream.file.fileno(), 2)
    _watch_abort()


def _close() -> None:
    if sys.stdout is _stream.listing:
        sys.stdout = _stream.stdout
    if _stream.listing is not None and not _stream.failed:
        _stream.stdout.write(_stream.listing.getvalue())
    _stream.listing = None
    if not _stream.file:
        return
    _unwatch_abort()
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    os.dup2(_stream.saved, 2)
    if not _stream.failed:
        size = os.fstat(_stream.file.fileno()).st_size
        os.write(2, os.pread(_stream.file.fileno(), size, 0))
    os.close(_stream.saved)
    _stream.file.close()
    _stream.file, _stream.saved = None, -1


_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int)


def _watch_abort() -> None:
    """Prints the caught text when the compiler aborts; the process ends as it would have."""
    library = ctypes.CDLL(None)
    library.signal.restype = ctypes.c_void_p
    library.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    _stream.on_abort = _HANDLER(_print_before_abort)
    address = ctypes.cast(_stream.on_abort, ctypes.c_void_p)
    _stream.previous = library.signal(signal.SIGABRT, address)


def _unwatch_abort() -> None:
    ctypes.CDLL(None).signal(ctypes.c_int(signal.SIGABRT), ctypes.c_void_p(_stream.previous))
    _stream.on_abort = None


def _print_before_abort(number: int) -> None:
    file, saved = _stream.file, _stream.saved
    if file is not None:
        os.write(saved, os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0))


# --- a process of its own ---------------------------------------------------------------------


class Crash(Exception):
    """The work ended its process. `text` is what it printed, `number` the signal."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(read_crash(text) or f"signal {number}")
        self.number = number
        self.text = text


def isolated(work: Callable[[], T]) -> T:
    """Does `work` in a forked child and returns its result, or raises its exception.

    For processes with one thread, such as a command: a fork takes only the calling one along.

    Raises:
        Crash: if the work ended its process.
    """
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as said:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            _run_child(work, answer, said.fileno())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        text = os.pread(said.fileno(), os.fstat(said.fileno()).st_size, 0).decode(errors="replace")
        answer.seek(0)
        data = answer.read()
        if status != 0 or not data:
            raise Crash(abs(status), text)
        sys.stderr.write(text)
        ok, value = pickle.loads(data)
    if not ok:
        raise value
    result: T = value
    return result


def _run_child(work: Callable[[], Any], answer: Any, errors: int) -> None:
    code = 1
    try:
        os.dup2(errors, 2)
        try:
            result = (True, work())
        except Exception as error:
            result = (False, error)
        answer.write(pickle.dumps(result))
        answer.flush()
        code = 0
    finally:
        os._exit(code)

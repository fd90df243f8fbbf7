"""The child process that compiles and launches kernels: `python -m ... worker`.

Reads requests from its standard input and answers each run of a request on what was its standard
output, so that its parent knows which run a crash belongs to. With TRITON_INTERPRET=1 the same
code runs Triton's interpreter.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pickle
import struct
import sys
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

GUARD_BYTES = 1 << 16
_GUARD = 0x55
_ALIGNMENT = 64


@dataclass(frozen=True)
class Request:
    """One kernel and its launch.

    Attributes:
        storages: the first contents of the memory.
        buffers: (storage, offset in bytes, dtype) of each pointer argument.
        runs: launch options by the name of the run.
    """

    source: str
    storages: list[bytes]
    buffers: list[tuple[int, int, str]]
    scalars: list[int | float]
    grid: tuple[int, ...]
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What one run left in memory, or why it did not."""

    run: str
    storages: list[bytes] = field(default_factory=list)
    error: str = ""
    ttir: str = ""


class _Pointer:
    """A pointer argument, with as much of a tensor as Triton and its interpreter look at."""

    def __init__(self, address: int, dtype: str) -> None:
        self.address = address
        self.dtype = dtype

    def data_ptr(self) -> int:
        return self.address

    def _self(self, *args: object, **options: object) -> _Pointer:
        return self

    def _nothing(self, *args: object) -> int:
        return 0

    untyped_storage = cpu = new_empty = _self
    set_ = copy_ = storage_offset = size = stride = _nothing


class _Guarded:
    """A copy of a storage between two guards that show a stray store."""

    def __init__(self, contents: bytes) -> None:
        length = len(contents) + 2 * GUARD_BYTES + _ALIGNMENT
        self.memory: Any = np.full(length, _GUARD, np.uint8)
        skip = -(self.memory.ctypes.data + GUARD_BYTES) % _ALIGNMENT
        self.start = GUARD_BYTES + skip
        self.end = self.start + len(contents)
        self.memory[self.start : self.end] = np.frombuffer(contents, np.uint8)

    @property
    def address(self) -> int:
        return int(self.memory.ctypes.data) + self.start

    def contents(self) -> bytes:
        outside = np.concatenate([self.memory[: self.start], self.memory[self.end :]])
        if np.any(outside != _GUARD):
            raise RuntimeError("the kernel wrote outside of its memory")
        return bytes(self.memory[self.start : self.end])


def load_kernel(source: str, folder: Path, name: str) -> Any:
    """The `kernel` of a module with this text: a file, because Triton reads functions' source."""
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.kernel


def launch(kernel: Any, request: Request, run: str) -> Answer:
    """Runs the kernel on fresh memory."""
    storages = [_Guarded(contents) for contents in request.storages]
    pointers = [_Pointer(storages[s].address + at, dtype) for s, at, dtype in request.buffers]
    compiled = kernel[request.grid](*pointers, *request.scalars, **request.runs[run])
    ttir = getattr(compiled, "asm", {}).get("ttir", "")
    return Answer(run, [storage.contents() for storage in storages], ttir=ttir)


def _answer(kernel: Any, request: Request, run: str) -> Answer:
    try:
        return launch(kernel, request, run)
    except Exception as error:
        text = "".join(traceback.format_exception_only(error)).strip()
        return Answer(run, error=text[-4000:])


def write_message(stream: BinaryIO, message: object) -> None:
    data = pickle.dumps(message)
    stream.write(struct.pack("<Q", len(data)) + data)
    stream.flush()


def read_message(stream: BinaryIO) -> Any:
    """The next message; None at the end."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    (length,) = struct.unpack("<Q", head)
    return pickle.loads(stream.read(length))


def serve(requests: BinaryIO, answers: BinaryIO, folder: Path) -> None:
    number = 0
    while (request := read_message(requests)) is not None:
        number += 1
        try:
            kernel = load_kernel(request.source, folder, f"kernel_{number}")
        except Exception as error:
            kernel = None
            load_error = repr(error)
        for run in request.runs:
            if kernel is None:
                write_message(answers, Answer(run, error=load_error))
            else:
                write_message(answers, _answer(kernel, request, run))


class _AnyInt(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, int)


class _Int(int, metaclass=_AnyInt):
    """`int` that also takes an array of one number, as NumPy's did before 2.4."""

    def __new__(cls, value: Any = 0) -> int:  # type: ignore[misc]
        return int(value.item() if isinstance(value, np.ndarray) else value)


def _mend_interpreter() -> None:
    """What Triton's interpreter does that NumPy refuses since 2.0 and 2.4."""
    interpreter: Any = importlib.import_module("triton.runtime.interpreter")
    # Its scalars are arrays of one number, which it passes to `int`.
    interpreter.int = _Int
    # NumPy sums 32-bit numbers to one of 64 bits, which is to wrap where it is stored in 32.
    operations = interpreter.ReduceScanOpInterface
    upstream = operations.to_tensor

    def to_tensor(self: Any, ret: Any, dtype: Any) -> Any:
        narrow = interpreter._get_np_dtype(dtype)
        return upstream(self, np.asarray(ret).astype(narrow), dtype)

    operations.to_tensor = to_tensor


def main() -> None:
    # What a kernel or a library prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    np.seterr(all="ignore")
    with tempfile.TemporaryDirectory(prefix="seagrove-differential-") as folder:
        os.environ["TRITON_CACHE_DIR"] = str(Path(folder) / "cache")
        if os.environ.get("TRITON_INTERPRET") == "1":
            _mend_interpreter()
        else:
            import seagrove

            seagrove.use("cpu")
        serve(sys.stdin.buffer, answers, Path(folder))


if __name__ == "__main__":
    main()

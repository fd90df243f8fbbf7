"""The parent's side of a worker: a crash or a hang of a kernel becomes an answer."""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import time
from contextlib import suppress
from typing import IO, cast

from seagrove.testing.differential.worker import Answer, Request, write_message

TIMEOUT_S = 60.0
# A worker that never ends would keep the code of all kernels that it has loaded.
REQUESTS_PER_PROCESS = 250
# Not "-m": the classes of the messages must have the same module on both sides.
_CHILD = "from seagrove.testing.differential.worker import main; main()"


class Worker:
    """Runs requests in a child process, which is started anew after a crash.

    Args:
        interpret: run Triton's interpreter.
        timeout_s: longest time of one run, compilation included.
    """

    def __init__(self, interpret: bool = False, timeout_s: float = TIMEOUT_S) -> None:
        self.interpret = interpret
        self.timeout_s = timeout_s
        self.process: subprocess.Popen[bytes] | None = None
        self.served = 0

    def run(self, request: Request) -> dict[str, Answer]:
        """The answer of each run; after a crash or a hang the rest run in a new process."""
        found: dict[str, Answer] = {}
        left = dict(request.runs)
        while left:
            part = Request(**{**request.__dict__, "runs": left})
            for answer in self._attempt(part):
                found[answer.run] = answer
                left.pop(answer.run)
        return found

    def close(self) -> None:
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            cast(IO[bytes], pipe).close()
        self.process = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        if self.served >= REQUESTS_PER_PROCESS:
            self.close()
        if self.process is None or self.process.poll() is not None:
            self.close()
            environment = {**os.environ, "TRITON_INTERPRET": "1" if self.interpret else "0"}
            environment.setdefault("OMP_NUM_THREADS", "2")
            environment.setdefault("SEAGROVE_VERIFY_PASSES", "1")
            self.process = subprocess.Popen(
                [sys.executable, "-c", _CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )
            self.served = 0
        self.served += 1
        return self.process

    def _attempt(self, request: Request) -> list[Answer]:
        process = self._start()
        found: list[Answer] = []
        with suppress(BrokenPipeError):
            write_message(cast(IO[bytes], process.stdin), request)  # type: ignore[arg-type]
        for run in request.runs:
            answer = self._read(process)
            if isinstance(answer, str):
                self.close()
                return [*found, Answer(run, error=answer)]
            found.append(answer)
        return found

    def _read(self, process: subprocess.Popen[bytes]) -> Answer | str:
        """The next answer, or how the process died."""
        deadline = time.monotonic() + self.timeout_s
        head = self._take(process, 8, deadline)
        if isinstance(head, str):
            return head
        body = self._take(process, struct.unpack("<Q", head)[0], deadline)
        return body if isinstance(body, str) else cast(Answer, pickle.loads(body))

    def _take(self, process: subprocess.Popen[bytes], count: int, deadline: float) -> bytes | str:
        assert process.stdout is not None
        data = b""
        while len(data) < count:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([process.stdout], [], [], left)[0]:
                process.kill()
                return f"hang: no end within {self.timeout_s:g} s"
            part = os.read(process.stdout.fileno(), count - len(data))
            if not part:
                status = process.wait()
                name = signal.Signals(-status).name if status < 0 else f"status {status}"
                return f"crash: the process died of {name}"
            data += part
        return data

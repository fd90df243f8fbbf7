"""A worker that is a process on this machine, over a socket and shared memory.

The memory is a file without a name, so nothing is left behind when processes are killed. It
belongs to the transport and outlives a worker: tensors stay where they are when a kernel
takes its worker down. The worker maps it at a fixed address, which makes addresses in it mean
the same to every worker.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence

from seagrove.runtime.remote.protocol import HEADER, Hello, Kind, Message
from seagrove.runtime.remote.transport import (
    Bytes,
    StartError,
    Transport,
    TransportClosed,
    TransportTimeout,
)

_STOP_SECONDS = 2.0
_SEND_SECONDS = 60.0


class LocalTransport(Transport):
    """Starts `command(socket, memory, address, size)`, given descriptors that it inherits.

    Args:
        command: makes the command line; raises `StartError` where that is not possible.
        address: where the worker maps the memory.
        size: of the memory in bytes. Pages take room only once they are used.
    """

    keeps_memory = True

    def __init__(
        self, command: Callable[[int, int, int, int], Sequence[str]], address: int, size: int
    ) -> None:
        self._command = command
        self._address = address
        self._size = size
        self._memory: mmap.mmap | None = None
        self._memory_file = -1
        self._memory_start = 0
        self._messages = -1
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._sequence = 0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int | None:
        """Of the worker that runs, else None."""
        return self._process.pid if self._process and self.running else None

    def start(self, timeout: float) -> Hello:
        self.stop()
        self._map()
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._messages = os.memfd_create("seagrove-messages")
        descriptors = (theirs.fileno(), self._memory_file)
        try:
            command = self._command(*descriptors, self._address, self._size)
            # A session of its own: the terminal's Ctrl-C is for this process to handle.
            self._process = subprocess.Popen(
                command,
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=self._messages,
                stderr=self._messages,
                start_new_session=True,
            )
        except OSError as error:
            self.stop()
            raise StartError(f"{command[0]} cannot be run: {error.strerror}") from error
        except StartError:
            self.stop()
            raise
        finally:
            theirs.close()
        try:
            return self._hello(timeout)
        except StartError:
            self.stop()
            raise

    def _hello(self, timeout: float) -> Hello:
        try:
            message = self.wait(timeout)
        except TransportTimeout as error:
            raise StartError(f"the worker did not answer within {timeout:g} s") from error
        except TransportClosed as error:
            raise StartError(str(error)) from error
        if message.kind != Kind.HELLO:
            raise StartError(message.text())
        return Hello.parse(message.body)

    def _map(self) -> None:
        if self._memory is not None:
            return
        file = os.memfd_create("seagrove-device")
        try:
            os.ftruncate(file, self._size)
            self._memory = mmap.mmap(file, self._size)
        except (OSError, ValueError, OverflowError) as error:
            os.close(file)
            raise StartError(
                f"{self._size >> 20} MiB of memory cannot be had: {error}",
                "ask for less",
            ) from error
        self._memory_file = file
        self._memory_start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))

    def submit(self, kind: Kind, *parts: Bytes) -> int:
        if self._socket is None:
            raise TransportClosed("the worker has not been started")
        views = [memoryview(part).cast("B") for part in parts]
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        header = HEADER.pack(kind, self._sequence, sum(map(len, views)))
        try:
            self._socket.settimeout(_SEND_SECONDS)
            self._socket.sendall(b"".join((header, *views)))
        except TimeoutError as error:
            raise TransportTimeout("the worker takes no request") from error
        except OSError as error:
            raise TransportClosed(self._reason()) from error
        return self._sequence

    def wait(self, timeout: float | None) -> Message:
        deadline = None if timeout is None else time.monotonic() + timeout
        kind, sequence, size = HEADER.unpack(self._receive(HEADER.size, deadline))
        return Message(Kind(kind), sequence, bytes(self._receive(size, deadline)))

    def _receive(self, size: int, deadline: float | None) -> bytearray:
        if self._socket is None:
            raise TransportClosed("the worker has not been started")
        buffer = bytearray(size)
        rest = memoryview(buffer)
        while rest:
            try:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError
                self._socket.settimeout(left)
                count = self._socket.recv_into(rest)
            except TimeoutError as error:
                raise TransportTimeout("no answer in time") from error
            except OSError as error:
                raise TransportClosed(self._reason()) from error
            if count == 0:
                raise TransportClosed(self._reason())
            rest = rest[count:]
        return buffer

    def _reason(self) -> str:
        """How the worker ended, with the last lines that it wrote."""
        if self._process is None:
            return "the worker does not run"
        try:
            status = self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return "the worker closed its connection"
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        size = os.fstat(self._messages).st_size
        text = os.pread(self._messages, 2000, max(0, size - 2000)).decode(errors="replace").strip()
        return f"the worker ended {how}" + (f": {text}" if text else "")

    def stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        process, self._process, self._socket = self._process, None, None
        if process is not None:
            process.kill()
            process.wait()
        if self._messages >= 0:
            os.close(self._messages)
            self._messages = -1

    def abandon(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._messages >= 0:
            os.close(self._messages)
        if self._memory_file >= 0:
            os.close(self._memory_file)
        if self._process is not None:
            self._process.returncode = 0  # Not our child: nobody must wait for it.
        self._process = self._socket = self._memory = None
        self._messages = self._memory_file = -1

    def read(self, address: int, target: memoryview) -> None:
        if self._memory is None:
            raise TransportClosed("the worker has not been started")
        start = address - self._address
        target[:] = memoryview(self._memory)[start : start + len(target)]

    def write(self, address: int, source: memoryview) -> None:
        if self._memory is None:
            raise TransportClosed("the worker has not been started")
        start = address - self._address
        memoryview(self._memory)[start : start + len(source)] = source

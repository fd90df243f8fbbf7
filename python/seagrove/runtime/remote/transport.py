"""The way to a worker, as an interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeAlias

from seagrove.runtime.remote.protocol import Hello, Kind, Message, pack_u64

Bytes: TypeAlias = bytes | bytearray | memoryview


class TransportError(Exception):
    """The worker cannot be reached; the text says why."""


class TransportClosed(TransportError):
    """The worker ended, or the way to it broke."""


class TransportTimeout(TransportError):
    """Nothing arrived in time."""


class StartError(TransportError):
    """The worker cannot be started.

    Attributes:
        advice: what to do.
    """

    def __init__(self, why: str, advice: str = "") -> None:
        super().__init__(why)
        self.advice = advice


class Transport(ABC):
    """Starts a worker and carries messages to and from it.

    One thread at a time uses a transport. After `stop`, or after a `TransportError`, `start` may be
    called again and brings up a new worker. `keeps_memory` says whether the device's memory and
    its address are then the old ones.

    Memory is read and written by messages here. A transport that reaches it otherwise overrides
    `read` and `write`.
    """

    keeps_memory = False

    @abstractmethod
    def start(self, timeout: float) -> Hello:
        """Brings up the worker.

        Args:
            timeout: seconds until it must have answered.

        Raises:
            StartError: if there is nothing to start, or it does not answer.
        """

    @abstractmethod
    def submit(self, kind: Kind, *parts: Bytes) -> int:
        """Sends a request, whose body is `parts` one after the other; returns its number.

        Raises:
            TransportClosed: if the worker is gone.
        """

    @abstractmethod
    def wait(self, timeout: float | None) -> Message:
        """The next message, after at most `timeout` seconds (None: forever).

        Raises:
            TransportClosed, TransportTimeout: after which the worker must be stopped.
        """

    @abstractmethod
    def stop(self) -> None:
        """Ends the worker, whatever it is doing, and whether or not it is there."""

    @abstractmethod
    def abandon(self) -> None:
        """Lets go of a worker that belongs to the parent of this process, without ending it."""

    @property
    @abstractmethod
    def running(self) -> bool:
        """Whether the worker can take a request."""

    def read(self, address: int, target: memoryview) -> None:
        """Fills `target`, which is of bytes, from the device's memory."""
        self.submit(Kind.READ, pack_u64(address), pack_u64(len(target)))
        target[:] = self._answer().body

    def write(self, address: int, source: memoryview) -> None:
        """Copies `source`, which is of bytes, to the device's memory."""
        self.submit(Kind.WRITE, pack_u64(address), source)
        self._answer()

    def _answer(self) -> Message:
        message = self.wait(60.0)
        if message.kind != Kind.OK:
            raise TransportClosed(f"the device's memory cannot be reached: {message.text()}")
        return message

"""A device whose kernels run in a worker."""

from __future__ import annotations

import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from seagrove.backend import MemoryStatistics
from seagrove.errors import (
    BackendError,
    DeviceError,
    DeviceFaultError,
    DeviceMemoryError,
    DeviceTimeoutError,
    LoadError,
)
from seagrove.runtime import arguments
from seagrove.runtime.remote import protocol
from seagrove.runtime.remote.memory import Allocator
from seagrove.runtime.remote.protocol import Hello, Kind, LaunchRequest, Message
from seagrove.runtime.remote.transport import (
    StartError,
    Transport,
    TransportError,
    TransportTimeout,
)

TIMEOUT_ENVIRONMENT = "SEAGROVE_DEVICE_TIMEOUT"
_DEFAULT_TIMEOUT = 300.0
_START_TIMEOUT = 60.0


def default_timeout() -> float | None:
    """Seconds that a launch may take: SEAGROVE_DEVICE_TIMEOUT, 300 without it; 0 means forever."""
    try:
        seconds = float(os.environ.get(TIMEOUT_ENVIRONMENT, _DEFAULT_TIMEOUT))
    except ValueError:
        seconds = _DEFAULT_TIMEOUT
    return seconds if seconds > 0 else None


class RemoteDevice:
    """One device. Its worker starts with the first use and anew after one that ended.

    Safe for threads: what reaches the worker is one operation after the other.

    Args:
        name: distinct for each device of the process, such as "chip:0".
        make_transport: makes the way to it.
        check: looks at what the worker says of itself and raises BackendError if it is another
            machine than it should be.

    Attributes:
        timeout: seconds that a launch may take; None for any time.
        starts: how many workers have been started.
        launches: how many launches have ended.
    """

    def __init__(
        self,
        name: str,
        make_transport: Callable[[], Transport],
        check: Callable[[Hello], None] = lambda hello: None,
    ) -> None:
        self.name = name
        self.timeout = default_timeout()
        self.starts = self.launches = 0
        self._make_transport = make_transport
        self._check = check
        self._reset()
        _devices.add(self)

    def __repr__(self) -> str:
        return f"<device {self.name}>"

    def _reset(self) -> None:
        self.lock = threading.RLock()
        self.transport: Transport | None = None
        self._allocator: Allocator | None = None
        self._memory: tuple[int, int] = (0, 0)
        # Changes with each worker: what was loaded before is no longer there.
        self._generation = object()

    def _after_fork(self) -> None:
        """In a child: the worker and the memory are the parent's."""
        transport = self.transport
        self._reset()
        if transport is not None:
            transport.abandon()

    # ----------------------------------------------------------------------------------------
    # The worker
    # ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the worker if none runs.

        Raises:
            BackendError: SG0721 if that fails.
        """
        with self.lock:
            if self.transport is None:
                self.transport = self._make_transport()
            if not self.transport.running:
                self._start(self.transport)

    def _start(self, transport: Transport) -> None:
        try:
            hello = transport.start(_START_TIMEOUT)
        except StartError as error:
            raise BackendError(
                f"the device '{self.name}' cannot be started",
                code="SG0721",
                why=str(error),
                advice=error.advice or "`seagrove doctor` says what each device needs",
            ) from None
        try:
            if hello.version != protocol.VERSION:
                raise BackendError(
                    f"the device '{self.name}' cannot be started",
                    code="SG0721",
                    why=f"its worker speaks version {hello.version} of the protocol, "
                    f"this package version {protocol.VERSION}",
                    advice="install both from one build",
                )
            self._check(hello)
        except BackendError:
            transport.stop()
            raise
        self.starts += 1
        self._generation = object()
        memory = (hello.memory, hello.size)
        if self._allocator is None or memory != self._memory or not transport.keeps_memory:
            self._allocator, self._memory = Allocator(*memory), memory

    def stop(self) -> None:
        """Ends the worker; the next use starts another one. The memory stays."""
        with self.lock:
            if self.transport is not None:
                self.transport.stop()

    def _request(self, kernel: str, timeout: float | None, kind: Kind, *parts: bytes) -> Message:
        """Sends a request and waits for its answer, ending a worker that gives none.

        Raises:
            DeviceFaultError: SG0722 to SG0724.
        """
        assert self.transport is not None
        try:
            number = self.transport.submit(kind, *parts)
            while (message := self.transport.wait(timeout)).kind == Kind.TEXT:
                _print(message.body)
        except TransportError as error:
            self.transport.stop()
            raise self._lost(kernel, timeout, error) from None
        except BaseException:  # Such as Ctrl-C: the answer would meet the next request.
            self.transport.stop()
            raise
        if message.kind == Kind.FAULT:
            self.transport.stop()
            raise self._fault(kernel, *protocol.parse_fault(message.body))
        assert message.sequence == number
        return message

    def _lost(self, kernel: str, timeout: float | None, error: TransportError) -> DeviceFaultError:
        if isinstance(error, TransportTimeout):
            return DeviceTimeoutError(
                f"kernel '{kernel}' ran for more than {timeout or _START_TIMEOUT:g} s on "
                f"'{self.name}'",
                code="SG0724",
                why="the worker was ended",
                advice=f"look for a loop without an end, or set {TIMEOUT_ENVIRONMENT} to more "
                "seconds (0 for any time)",
            )
        return DeviceFaultError(
            f"the worker of '{self.name}' ended while kernel '{kernel}' ran",
            code="SG0723",
            why=str(error),
            advice="launch again: a new worker starts by itself",
        )

    def _fault(self, kernel: str, number: int, address: int) -> DeviceFaultError:
        names = {item.value: item.name for item in signal.Signals}
        name = names.get(number, f"signal {number}")
        why, advice = name, "report this kernel"
        if name in ("SIGSEGV", "SIGBUS"):
            why = f"{name}: it used the address {address:#x}, where the device has no memory"
            advice = "check the kernel's masks and offsets against the sizes of its tensors"
            start, size = self._memory
            if address >= 1 << 32 and not start <= address < start + size:
                advice += "; a pointer that lies in memory must point into the device's"
        return DeviceFaultError(
            f"kernel '{kernel}' faulted on '{self.name}'", code="SG0722", why=why, advice=advice
        )

    # ----------------------------------------------------------------------------------------
    # Kernels
    # ----------------------------------------------------------------------------------------

    def launch(self, kernel: RemoteKernel, request: LaunchRequest, name: str = "") -> float:
        """Runs a kernel to its end; returns the seconds that the worker took.

        Args:
            kernel: it is loaded if the present worker has not loaded it.
            request: its handle is filled in.
            name: what the user calls the kernel, for messages.

        Raises:
            DeviceFaultError: SG0722 to SG0724, after which the next launch starts a new worker.
            DeviceAssertError: SG0614.
            LoadError: SG0705, SG0727.
            DeviceMemoryError: SG0725 if there is no room for scratch memory.
        """
        name = name or kernel.name
        with self.lock:
            self.start()
            request = replace(request, handle=kernel.handle_on(self))
            answer = self._request(name, self.timeout, Kind.LAUNCH, request.pack())
            if answer.kind == Kind.ASSERTION:
                arguments.raise_assertion_error(name, answer.text())
            if answer.kind != Kind.OK:
                raise DeviceMemoryError(
                    f"kernel '{name}' cannot run on '{self.name}'",
                    code="SG0725",
                    why=answer.text(),
                    advice="launch smaller blocks",
                )
            self.launches += 1
            return answer.number() * 1e-9

    def load(self, name: str, image: bytes) -> tuple[object, int]:
        """Loads a compiled kernel; returns the worker's generation and the kernel's handle.

        Raises:
            LoadError: SG0727 if the worker refuses it.
        """
        with self.lock:
            self.start()
            answer = self._request(name, _START_TIMEOUT, Kind.LOAD, protocol.pack_load(image, name))
            if answer.kind != Kind.OK:
                raise LoadError(
                    f"the compiled kernel '{name}' cannot be loaded on '{self.name}'",
                    code="SG0727",
                    why=answer.text(),
                    advice="launch it through the kernel, which compiles for the chosen device",
                )
            return self._generation, answer.number()

    def unload(self, loaded: tuple[object, int]) -> None:
        """Forgets a kernel, if the worker that loaded it still runs."""
        with self.lock:
            if self.is_current(loaded):
                self._request("", _START_TIMEOUT, Kind.UNLOAD, protocol.pack_u64(loaded[1]))

    def is_current(self, loaded: tuple[object, int]) -> bool:
        """Whether the worker that loaded a kernel still runs."""
        running = self.transport is not None and self.transport.running
        return running and loaded[0] is self._generation

    # ----------------------------------------------------------------------------------------
    # Memory
    # ----------------------------------------------------------------------------------------

    def allocate(self, size: int) -> int:
        """Address of `size` new bytes, a multiple of 64.

        Raises:
            DeviceMemoryError: SG0725 if there is not enough.
        """
        with self.lock:
            self.start()
            assert self._allocator is not None
            address = self._allocator.allocate(size)
            if address is not None:
                return address
            known = self._allocator.statistics()
            raise DeviceMemoryError(
                f"'{self.name}' has no room for {size} bytes",
                code="SG0725",
                why=f"{known.allocated} of {known.total} bytes are in use, the largest free "
                f"range has {self._allocator.largest_free()}",
                advice="free tensors, or give the device more memory",
            )

    def free(self, address: int) -> None:
        """Gives memory back; may be called at any time, by a garbage collection too."""
        if self._allocator is not None:
            self._allocator.release(address)

    def statistics(self) -> MemoryStatistics:
        """What of the memory is in use; all zeros before the first use."""
        with self.lock:
            return self._allocator.statistics() if self._allocator else MemoryStatistics()

    @contextmanager
    def _reaching(self, address: int, size: int) -> Iterator[Transport]:
        with self.lock:
            transport = self.transport
            if transport is not None and not (transport.keeps_memory or transport.running):
                self.start()  # With memory that is empty: what was allocated is gone.
            if self._allocator is None or not self._allocator.holds(address, size):
                raise DeviceError(
                    f"'{self.name}' has no {size} bytes of memory at {address:#x}",
                    code="SG0726",
                    why="they were never allocated, have been freed, or belong to the process "
                    "that this one was forked from",
                    advice="allocate a tensor in the process that uses it",
                )
            assert self.transport is not None
            try:
                yield self.transport
            except TransportError as error:
                self.transport.stop()
                raise self._lost("(a copy)", None, error) from None
            except KeyboardInterrupt:  # Half of a copy may be on its way.
                self.transport.stop()
                raise

    def read(self, address: int, target: memoryview) -> None:
        """Copies from the device.

        Raises:
            DeviceError: SG0726 for memory that is not in use.
        """
        with self._reaching(address, target.nbytes) as transport:
            transport.read(address, target.cast("B"))

    def write(self, address: int, source: memoryview) -> None:
        """Copies to the device; raises as `read` does."""
        with self._reaching(address, source.nbytes) as transport:
            transport.write(address, source.cast("B"))


class RemoteKernel:
    """A compiled kernel, which any device that can run it loads when it is first launched there."""

    def __init__(self, name: str, image: bytes) -> None:
        self.name = name
        self._image = image
        self._loaded: weakref.WeakKeyDictionary[RemoteDevice, tuple[object, int]] = (
            weakref.WeakKeyDictionary()
        )

    def handle_on(self, device: RemoteDevice) -> int:
        """The number under which the device's worker knows the kernel.

        Raises:
            LoadError: SG0705 after `unload`, SG0727 if the device refuses it.
        """
        if not self._image:
            arguments.raise_load_error(self.name, "the kernel has been unloaded")
        loaded = self._loaded.get(device)
        if loaded is None or not device.is_current(loaded):
            loaded = self._loaded[device] = device.load(self.name, self._image)
        return loaded[1]

    def unload(self) -> None:
        """Unmaps the code everywhere; a later launch of this kernel raises an error."""
        self._image = b""
        for device, loaded in list(self._loaded.items()):
            device.unload(loaded)


def _print(text: bytes) -> None:
    """Writes what a program printed behind what Python has printed."""
    # There may be no such stream, or it is closed.
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    while text:
        text = text[os.write(1, text) :]


_devices: weakref.WeakSet[RemoteDevice] = weakref.WeakSet()


def _forget_workers() -> None:
    for device in list(_devices):
        device._after_fork()


def _stop_workers() -> None:
    for device in list(_devices):
        device.stop()


os.register_at_fork(after_in_child=_forget_workers)
weakref.finalize(RemoteDevice, _stop_workers)  # At the interpreter's exit.

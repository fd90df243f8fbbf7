"""The interface of a transport: a device whose worker is reached by TCP and shares no memory.

The worker is a thread of this process that speaks the protocol and whose kernels are Python.
"""

from __future__ import annotations

import socket
import struct
import threading

import pytest

from seagrove.errors import (
    BackendError,
    DeviceAssertError,
    DeviceError,
    DeviceFaultError,
    LoadError,
)
from seagrove.runtime.remote import protocol
from seagrove.runtime.remote.device import RemoteDevice, RemoteKernel
from seagrove.runtime.remote.protocol import HEADER, Hello, Kind, LaunchRequest, Message
from seagrove.runtime.remote.transport import (
    StartError,
    Transport,
    TransportClosed,
    TransportTimeout,
)

MEMORY, SIZE = 0x1000, 4096


def receive(connection: socket.socket) -> Message:
    def read(size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = connection.recv(size - len(data))
            if not part:
                raise TransportClosed("the board closed the connection")
            data += part
        return data

    kind, sequence, size = HEADER.unpack(read(HEADER.size))
    return Message(Kind(kind), sequence, read(size))


class Board:
    """Listens; a connection is a worker with memory of its own that starts empty."""

    version = protocol.VERSION

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        memory, names = bytearray(SIZE), []

        def send(kind: Kind, sequence: int, body: bytes = b"") -> None:
            connection.sendall(HEADER.pack(kind, sequence, len(body)) + body)

        send(Kind.HELLO, 0, struct.pack("<IIQQ", self.version, 0, MEMORY, SIZE) + b"board")
        while True:
            try:
                request = receive(connection)
            except (TransportClosed, OSError):
                return
            answer = self.answer(request, memory, names, send)
            if answer is None:
                connection.close()
                return
            send(*answer[:1], request.sequence, *answer[1:])

    def answer(self, request, memory, names, send):
        body = request.body
        if request.kind == Kind.WRITE:
            start = struct.unpack_from("<Q", body)[0] - MEMORY
            memory[start : start + len(body) - 8] = body[8:]
            return Kind.OK, b""
        if request.kind == Kind.READ:
            start, size = struct.unpack("<QQ", body)
            return Kind.OK, bytes(memory[start - MEMORY : start - MEMORY + size])
        if request.kind == Kind.LOAD:
            size = struct.unpack_from("<Q", body)[0]
            names.append(body[8 : 8 + size].decode())
            if body[8 + size :] != b"for the board":
                return Kind.ERROR, b"it is code for something else"
            return Kind.OK, protocol.pack_u64(len(names) - 1)
        handle = struct.unpack_from("<Q", body)[0]
        if names[handle] == "dies":
            return None
        if names[handle] == "asserts":
            return Kind.ASSERTION, b"not so"
        if names[handle] == "prints":
            send(Kind.TEXT, request.sequence, b"printed\n")
        return Kind.OK, protocol.pack_u64(2_000_000_000)


class TcpTransport(Transport):
    """All that a board needs; memory goes by messages."""

    def __init__(self, address) -> None:
        self.address = address
        self.connection: socket.socket | None = None
        self.number = 0

    def start(self, timeout: float) -> Hello:
        try:
            self.connection = socket.create_connection(self.address, timeout)
        except OSError as error:
            raise StartError(f"the board does not answer: {error}", "switch it on") from error
        return Hello.parse(self.wait(timeout).body)

    def submit(self, kind, *parts):
        self.number += 1
        body = b"".join(map(bytes, parts))
        self.connection.sendall(HEADER.pack(kind, self.number, len(body)) + body)
        return self.number

    def wait(self, timeout):
        self.connection.settimeout(timeout)
        try:
            return receive(self.connection)
        except TimeoutError as error:
            raise TransportTimeout("silence") from error

    def stop(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    abandon = stop

    @property
    def running(self):
        return self.connection is not None


@pytest.fixture(scope="module")
def board():
    return Board()


@pytest.fixture
def device(board):
    return RemoteDevice("board:0", lambda: TcpTransport(board.listener.getsockname()))


def launch(device: RemoteDevice, name: str) -> float:
    kernel = RemoteKernel(name, b"for the board")
    return device.launch(kernel, LaunchRequest(0, (1, 1, 1), b""))


def test_memory_by_messages(device):
    first, second = device.allocate(100), device.allocate(100)
    device.write(first, memoryview(b"a" * 100))
    device.write(second, memoryview(b"b" * 100))
    target = bytearray(100)
    device.read(first, memoryview(target))
    assert target == b"a" * 100 and second == first + 128 == MEMORY + 128


def test_launch_and_print(device, capfd):
    assert launch(device, "works") == 2.0
    assert launch(device, "prints") == 2.0
    assert capfd.readouterr().out == "printed\n"
    assert device.starts == 1 and device.launches == 2


def test_errors(device):
    address = device.allocate(8)
    with pytest.raises(DeviceAssertError, match="failed an assertion"):
        launch(device, "asserts")
    with pytest.raises(LoadError, match="cannot be loaded on 'board:0'"):
        RemoteKernel("works", b"other").handle_on(device)
    device.read(address, memoryview(bytearray(8)))
    with pytest.raises(DeviceFaultError) as caught:
        launch(device, "dies")
    assert caught.value.code == "SG0723" and "closed the connection" in caught.value.why
    # The next worker's memory is empty.
    with pytest.raises(DeviceError) as lost:
        device.read(address, memoryview(bytearray(8)))
    assert lost.value.code == "SG0726"
    assert launch(device, "works") == 2.0 and device.starts == 2


def test_board_that_is_off():
    nobody = socket.create_server(("127.0.0.1", 0))
    address = nobody.getsockname()
    nobody.close()
    device = RemoteDevice("board:1", lambda: TcpTransport(address))
    with pytest.raises(BackendError, match="'board:1' cannot be started") as caught:
        device.start()
    assert caught.value.code == "SG0721" and caught.value.advice == "switch it on"


def test_another_version_of_the_protocol(board, device, monkeypatch):
    monkeypatch.setattr(Board, "version", protocol.VERSION + 1)
    with pytest.raises(BackendError, match="cannot be started") as caught:
        device.start()
    assert f"version {protocol.VERSION + 1} of the protocol" in caught.value.why

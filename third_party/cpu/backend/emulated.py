"""Processors of other instruction sets as devices, emulated by qemu's user mode.

A device is named after its instruction set and, where its vectors have a length that the machine
chooses, that length: each has a worker of its own, and all of one instruction set run the same
compiled kernels. SEAGROVE_VECTOR_BITS sets the length that is meant where none is stated.
"""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seagrove.errors import BackendError, DeviceError
from seagrove.runtime.remote.device import RemoteDevice
from seagrove.runtime.remote.driver import RemoteDriver
from seagrove.runtime.remote.local import LocalTransport
from seagrove.runtime.remote.protocol import Hello
from seagrove.runtime.remote.transport import StartError

LENGTH_ENVIRONMENT = "SEAGROVE_VECTOR_BITS"
MEMORY_ENVIRONMENT = "SEAGROVE_EMULATED_MEMORY"
WORKER_ENVIRONMENT = "SEAGROVE_WORKER_DIR"
# Far from where a system puts anything; each device has an address space of its own.
_FIRST_ADDRESS, _ADDRESS_STEP = 0x2000_0000_0000, 1 << 40
_DEFAULT_MEMORY_MIB = 1024


@dataclass(frozen=True)
class Emulated:
    """One emulated instruction set.

    Attributes:
        isa: its name, also of qemu's program.
        cpu: qemu's name of a processor, with the vector length in bits or bytes to fill in.
        lengths: the vector lengths in bits that it can have, up to the longest that compiled code
            reckons with (`scalable_max_bits` of its target); the first is the default.
    """

    isa: str
    cpu: str
    lengths: tuple[int, ...]

    def processor(self, vector_bits: int) -> str:
        return self.cpu.format(bits=vector_bits, bytes=vector_bits // 8)


EMULATED = {
    item.isa: item
    for item in (
        Emulated("aarch64", "max,sve-default-vector-length={bytes}", (256, 128, 512)),
        Emulated(
            "riscv64", "rv64,v=true,vext_spec=v1.0,vlen={bits},elen=64", (256, 128, 512, 1024)
        ),
    )
}

# What code for the emulator must leave out or take in, as attributes of its target. qemu 7.2 ends
# itself at conversions of vectors with a rounding mode of their own.
ATTRIBUTES = {"riscv64": (("rounding_modes", "current"),)}


def emulator(isa: str) -> str | None:
    """Path of qemu's program; None where it is not installed."""
    return shutil.which(f"qemu-{isa}") or shutil.which(f"qemu-{isa}-static")


def worker(isa: str) -> Path | None:
    """The worker's program: installed beside this file, in a checkout in the build tree."""
    name = f"seagrove-worker-{isa}"
    here = Path(__file__).resolve()
    root = here.parents[3]
    build = Path(os.environ.get("SEAGROVE_BUILD_DIR", root / "build"))
    folders = [here.parent / "runtime", build / "third_party" / "cpu" / "runtime"]
    if chosen := os.environ.get(WORKER_ENVIRONMENT):
        folders = [Path(chosen)]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def missing(isa: str) -> tuple[str, str] | None:
    """Why the instruction set cannot be emulated here, and what to do; None if it can."""
    if emulator(isa) is None:
        return f"qemu-{isa} is not installed", "install qemu's user mode (Debian: qemu-user)"
    if worker(isa) is None:
        return (
            f"this build has no worker for {isa}",
            "build with its cross compiler installed "
            f"(Debian: g++-{isa.replace('_', '-')}-linux-gnu)",
        )
    return None


def vector_bits(isa: str, wanted: object = None) -> int:
    """The vector length that a device gets: the one wanted, the environment's, or the default.

    Raises:
        BackendError: SG0729 for a length that the instruction set cannot have.
    """
    lengths = EMULATED[isa].lengths
    text = os.environ.get(LENGTH_ENVIRONMENT) if wanted is None else str(wanted)
    if not text:
        return lengths[0]
    if not text.isdigit() or int(text) not in lengths:
        raise BackendError(
            f"'cpu:{isa}' has no vectors of {text} bits",
            code="SG0729",
            why="it has " + ", ".join(map(str, sorted(lengths))),
            advice=f'write seagrove.use("cpu:{isa}", vector_bits={lengths[0]}), or set '
            f"{LENGTH_ENVIRONMENT}",
        )
    return int(text)


def memory_bytes() -> int:
    """Size of a device's memory: SEAGROVE_EMULATED_MEMORY in MiB, 1024 without it."""
    text = os.environ.get(MEMORY_ENVIRONMENT, "")
    return (int(text) if text.isdigit() and int(text) else _DEFAULT_MEMORY_MIB) << 20


_drivers: dict[tuple[str, int], RemoteDriver] = {}
_lock = threading.Lock()
_addresses = itertools.count(_FIRST_ADDRESS, _ADDRESS_STEP)


def open_device(isa: str, arch: str, settings: Mapping[str, object]) -> RemoteDriver:
    """The device `cpu:<isa>`; nothing of it is started yet.

    Args:
        isa: one of `EMULATED`.
        arch: the target that kernels are compiled for.
        settings: `vector_bits`, the length of a scalable vector.

    Raises:
        DeviceError: SG0712 for an unknown setting.
        BackendError: SG0729 for a length that there is not.
    """
    wanted = dict(settings)
    length = vector_bits(isa, wanted.pop("vector_bits", None))
    if wanted:
        raise DeviceError(
            f"the device 'cpu:{isa}' has no setting '{next(iter(wanted))}'",
            code="SG0712",
            why="its settings are: vector_bits",
            advice=f'write seagrove.use("cpu:{isa}", vector_bits={length})',
        )
    with _lock:
        known = _drivers.get((isa, length))
        if known is None:
            remote = remote_device(isa, length)
            settings = {"vector_bits": length}
            known = RemoteDriver(f"cpu:{isa}", arch, settings, remote, memory_bytes())
            _drivers[isa, length] = known
        return known


def remote_device(isa: str, length: int) -> RemoteDevice:
    """A worker of its own, with memory of its own, at addresses of its own."""

    def command(socket: int, memory: int, address: int, size: int) -> Sequence[str]:
        if reason := missing(isa):
            raise StartError(*reason)
        processor = EMULATED[isa].processor(length)
        numbers = map(str, (socket, memory, address, size))
        return [str(emulator(isa)), "-cpu", processor, str(worker(isa)), *numbers]

    def check(hello: Hello) -> None:
        if (hello.architecture, hello.vector_bits) != (isa, length):
            raise BackendError(
                f"the device 'cpu:{isa}' cannot be started",
                code="SG0721",
                why=f"it should have vectors of {length} bits, and its worker says that it runs on "
                f"{hello.architecture} with {hello.vector_bits}",
                advice="install a newer qemu",
            )

    # A child process takes another address: a pointer of its parent's device leads nowhere then.
    return RemoteDevice(
        f"cpu:{isa}", lambda: LocalTransport(command, next(_addresses), memory_bytes()), check
    )

"""What goes wrong on an emulated device is an error of the launch, and of nothing else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from emulated import SOME, add, open_device, remote_of, store_at, wait_for
from seagrove.backends.cpu import emulated

import seagrove
from seagrove.errors import BackendError, DeviceFaultError, DeviceTimeoutError, LoadError
from seagrove.runtime import registry
from seagrove.runtime.remote.device import RemoteKernel
from seagrove.tools import devices_command

DEVICES = pytest.mark.parametrize(("isa", "bits"), SOME)


@contextmanager
def using(isa, bits, timeout=60.0):
    """The device, chosen, with a time-out; afterwards it must still work."""
    device = open_device(isa, bits)
    remote = remote_of(device)
    previous, remote.timeout = remote.timeout, timeout
    try:
        with seagrove.use(device.name, vector_bits=bits):
            require_working()
            yield remote
            require_working()
    finally:
        remote.timeout = previous


def require_working():
    x = torch.arange(100.0)
    out = torch.empty(100)
    add[(1,)](x, x, out, 100, BLOCK=128)
    assert torch.equal(out, 2 * x)


@DEVICES
def test_kernel_that_faults(isa, bits):
    with using(isa, bits) as remote:
        other = remote_of(open_device("riscv64" if isa == "aarch64" else "aarch64", 256))
        other.start()
        bystander, starts = other.transport.process_id, remote.starts
        out = torch.zeros(1, dtype=torch.int32)
        with pytest.raises(DeviceFaultError, match="kernel 'store_at' faulted on") as caught:
            store_at[(1,)](4096, out)
        assert caught.value.code == "SG0722" and "SIGSEGV" in caught.value.why
        assert "0x1000" in caught.value.why
        assert out.item() == 0
        require_working()
        assert remote.starts == starts + 1 and other.transport.process_id == bystander


@DEVICES
def test_kernel_that_hangs(isa, bits):
    with using(isa, bits, timeout=1.0):
        start = time.monotonic()
        with pytest.raises(DeviceTimeoutError, match="'wait_for' ran for more than 1 s") as caught:
            wait_for[(1,)](torch.zeros(1, dtype=torch.int32))
        assert caught.value.code == "SG0724" and isinstance(caught.value, TimeoutError)
        assert time.monotonic() - start < 20


@DEVICES
def test_worker_that_is_killed(isa, bits):
    with using(isa, bits) as remote:
        killer = threading.Timer(0.5, lambda: os.kill(remote.transport.process_id, signal.SIGKILL))
        killer.start()
        with pytest.raises(DeviceFaultError, match="ended while kernel 'wait_for' ran") as caught:
            wait_for[(1,)](torch.zeros(1, dtype=torch.int32))
        assert caught.value.code == "SG0723" and "signal 9" in caught.value.why
        # Between two launches nobody notices.
        require_working()
        kill_worker(remote)


def kill_worker(remote):
    """Returns when this process can know of it."""
    os.kill(remote.transport.process_id, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while remote.transport.running and time.monotonic() < deadline:
        time.sleep(0.01)


def test_interrupted_launch():
    """Ctrl-C ends the launch, and the next one gets its own answer."""
    # The background job of a script starts with the signal ignored, and Python leaves it so.
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with using("aarch64", 256):
            threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            with pytest.raises(KeyboardInterrupt):
                wait_for[(1,)](torch.zeros(1, dtype=torch.int32))
    finally:
        signal.signal(signal.SIGINT, previous)


def test_memory_outlives_the_worker():
    with using("riscv64", 256) as remote:
        address = remote.allocate(64)
        remote.write(address, memoryview(bytes(range(64))))
        kill_worker(remote)
        require_working()
        target = bytearray(64)
        remote.read(address, memoryview(target))
        assert target == bytes(range(64))
        remote.free(address)


def test_code_for_another_architecture():
    x = torch.ones(64)
    with using("riscv64", 256):
        foreign = add[(1,)](x, x, x, 64, BLOCK=64).asm["so"]
    with using("aarch64", 256) as remote:
        image = add[(1,)](x, x, x, 64, BLOCK=64).asm["so"]
        starts = remote.starts
        for broken, why in (
            (foreign, "it is code for riscv64, the device is aarch64"),
            (b"no object", "too short"),
            (bytes(1000), "no ELF file"),
            (image[:200], "cut off|no shared object"),
            (image[: len(image) // 2], "cut off"),
        ):
            with pytest.raises(LoadError, match="cannot be loaded on") as caught:
                RemoteKernel("add", broken).handle_on(remote)
            assert caught.value.code == "SG0727"
            assert re.search(why, caught.value.why)
        assert remote.starts == starts


def test_emulator_is_missing(monkeypatch, capsys):
    open_device("aarch64", 256)
    monkeypatch.setattr(emulated, "emulator", lambda isa: None)
    lacking = registry.find("cpu").probe().lacking
    assert lacking[0][0] == "cpu:aarch64" and "qemu-aarch64" in lacking[0][1]
    assert devices_command.print_devices(as_json=False) == 0
    assert "cpu:aarch64          not usable: qemu-aarch64 is not in" in capsys.readouterr().out
    require_start_error("qemu-aarch64 is not installed", "install qemu")


def test_worker_is_missing(monkeypatch, tmp_path):
    open_device("aarch64", 256)
    monkeypatch.setenv(emulated.WORKER_ENVIRONMENT, str(tmp_path))
    require_start_error("no worker for aarch64", "cross compiler")


def test_worker_is_something_else(monkeypatch, tmp_path):
    open_device("aarch64", 256)
    (tmp_path / "seagrove-worker-aarch64").write_bytes(b"\x7fELF no")
    monkeypatch.setenv(emulated.WORKER_ENVIRONMENT, str(tmp_path))
    require_start_error("ended with status", "doctor")


def test_vectors_of_another_length(monkeypatch):
    """An emulator that does not do what it is told is noticed before the first launch."""
    open_device("aarch64", 256)
    monkeypatch.setattr(emulated.Emulated, "processor", lambda self, bits: "max")
    require_start_error("should have vectors of 256 bits", "newer qemu")


def require_start_error(why, advice):
    """A new device cannot be started."""
    with pytest.raises(BackendError, match="cannot be started") as caught:
        emulated.remote_device("aarch64", 256).start()
    assert caught.value.code == "SG0721"
    assert why in caught.value.why and advice in caught.value.advice


# --- processes ----------------------------------------------------------------------------------

PROGRAM = f"""
import os, signal, sys, time
import torch
sys.path.insert(0, {str(Path(__file__).parent)!r})
import seagrove
from emulated import add, open_device, remote_of, wait_for
device = open_device("aarch64", 256)
remote = remote_of(device)
seagrove.use("cpu:aarch64", vector_bits=256)

def work(times=1):
    x = torch.randn(300)
    for _ in range(times):
        out = torch.empty(300)
        add[(3,)](x, x, out, 300, BLOCK=128)
        assert torch.equal(out, 2 * x)
    return remote.transport.process_id

"""


def spawn(code: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM + code], stdout=pipe, stderr=pipe, text=True
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    return out


def gone(pid: int, seconds: float = 10) -> bool:
    """Whether a process ends within some seconds."""
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}/stat").exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_two_processes():
    """Each has a worker and memory of its own."""
    open_device("aarch64", 256)
    processes = [spawn("print(work(200))") for _ in range(2)]
    assert len({finish(process) for process in processes}) == 2


def test_fork():
    """A child has a device of its own; the parent's goes on."""
    open_device("aarch64", 256)
    code = """
from seagrove.errors import DeviceError
mine = work()
address = remote.allocate(64)
child = os.fork()
if child == 0:
    try:
        assert work() not in (mine, None)
        try:
            remote.read(address, memoryview(bytearray(64)))
        except DeviceError as error:
            assert error.code == "SG0726"
        else:
            os._exit(2)
    except BaseException:
        import traceback
        traceback.print_exc()
        os._exit(1)
    remote.stop()
    os._exit(0)
assert work() == mine
_, status = os.waitpid(child, 0)
assert status == 0, status
assert work() == mine
print(mine)
"""
    assert gone(int(finish(spawn(code))))


@pytest.mark.parametrize(
    "end", ["", "remote = device = None", "raise SystemExit(0)", "os._exit(0)"]
)
def test_end_of_the_interpreter(end):
    open_device("aarch64", 256)
    files = set(os.listdir("/dev/shm"))
    worker = int(finish(spawn(f"print(work(), flush=True)\n{end}")))
    assert gone(worker) and set(os.listdir("/dev/shm")) <= files


def test_parent_that_is_killed():
    """The worker ends too, even while it runs a kernel that does not."""
    open_device("aarch64", 256)
    process = spawn("print(work(), flush=True)\nwait_for[(1,)](torch.zeros(1, dtype=torch.int32))")
    worker = int(process.stdout.readline())
    time.sleep(1)
    assert not gone(worker, 0)
    process.kill()
    process.communicate()
    assert gone(worker)

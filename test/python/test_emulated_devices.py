"""Emulated devices: results, memory, threads, and what a launch copies."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from emulated import ALL, SOME, add, checked, increment, open_device, remote_of, sum_of_two
from seagrove.backends.cpu import emulated

import seagrove
from seagrove.errors import BackendError, DeviceAssertError, DeviceError, DeviceMemoryError
from seagrove.runtime.remote.memory import Allocator


def use(isa: str, bits: int):
    open_device(isa, bits)
    return seagrove.use(f"cpu:{isa}", vector_bits=bits)


@pytest.mark.parametrize(("isa", "bits"), ALL)
def test_add(isa, bits):
    x, y, out = torch.randn(1000), torch.randn(1000), torch.zeros(1002)
    with use(isa, bits):
        add[(8,)](x, y, out[1:], 1000, BLOCK=128)
    assert torch.equal(out[1:-1], x + y) and out[0] == out[-1] == 0
    assert remote_of(open_device(isa, bits)).starts >= 1  # It did not run on the host.


@pytest.mark.parametrize("isa", ["aarch64", "riscv64"])
def test_one_object_for_all_lengths(isa):
    lengths = [bits for name, bits in ALL if name == isa]
    objects = set()
    for bits in lengths:
        x = torch.ones(64)
        with use(isa, bits):
            objects.add(add[(1,)](x, x, x, 64, BLOCK=64).asm["so"])
    assert len(objects) == 1
    devices = [remote_of(open_device(isa, bits)) for bits in lengths]
    assert len({device.transport.process_id for device in devices}) == len(lengths)


def test_devices_and_host_alternate():
    x = torch.arange(100.0)
    for _ in range(3):
        for isa, bits in SOME:
            with use(isa, bits):
                increment[(1,)](x, 100, BLOCK=128)
        with seagrove.use("cpu"):
            increment[(1,)](x, 100, BLOCK=128)
    assert torch.equal(x, torch.arange(100.0) + 9)


def test_views_of_one_storage_are_copied_once():
    """A kernel that writes by one argument reads it by the other."""
    whole = torch.zeros(200)
    with use("aarch64", 256):
        add[(2,)](whole[0:100], whole[50:150], whole[50:150], 100, BLOCK=64)
        assert torch.equal(whole, torch.zeros(200))
        whole[:] = 1
        add[(1,)](whole[0:64], whole[100:164], whole[32:96], 64, BLOCK=64)
    assert torch.equal(whole[32:96], torch.full((64,), 2.0))
    assert whole.sum() == 200 + 64


def test_arrays_and_memory_for_reading():
    x = np.arange(64, dtype=np.float32)
    x.setflags(write=False)
    y = np.frombuffer(bytes(256), dtype=np.float32)
    out = np.zeros((8, 16), np.float32)
    with use("riscv64", 256):
        add[(1,)](x, y, out[2:6], 64, BLOCK=64)
    assert np.array_equal(out[2:6].ravel(), x) and not out[:2].any() and not out[6:].any()


def test_threads_share_a_storage():
    """Each launch writes a part of one storage; no part is lost."""
    x = torch.zeros(8, 256)
    device = open_device("aarch64", 256)

    def work(row):
        with seagrove.use(device.name, vector_bits=256):
            for _ in range(10):
                increment[(2,)](x[row], 256, BLOCK=128)

    threads = [threading.Thread(target=work, args=(row,)) for row in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torch.equal(x, torch.full((8, 256), 10.0))


@pytest.mark.parametrize(("isa", "bits"), SOME)
def test_pointers_in_memory(isa, bits):
    """Tensors of the device, the launch runs where they are; results can be copied back."""
    where = open_device(isa, bits)
    values = seagrove.asarray(np.array([1.5, 2.25], np.float32), device=where)
    first = values.data_ptr()
    table = seagrove.asarray(np.array([first, first + 4], np.int64), device=where)
    out = seagrove.zeros(1, device=where)
    sum_of_two[(1,)](table, out)
    assert out.numpy().tolist() == [3.75]


def test_assertion():
    """What other programs wrote stays, and so does the worker."""
    device = remote_of(open_device("aarch64", 256))
    out = torch.zeros(6, dtype=torch.int32)
    with use("aarch64", 256):
        device.start()
        starts = device.starts
        with pytest.raises(DeviceAssertError, match="failed an assertion") as caught:
            checked[(6,)](torch.arange(6), out, BLOCK=1, debug=True)
        assert "value is too large" in caught.value.why
        assert out[0] == 1 and device.starts == starts


@pytest.mark.parametrize("name", ["cpu:aarch64", "cpu:riscv64"])
def test_printed_text(name, tmp_path: Path):
    """In order with what Python prints, on the standard output of this process."""
    open_device(name[4:], 256)
    folder = Path(__file__).parent
    script = tmp_path / "show.py"
    script.write_text(
        f"import sys, torch; sys.path.insert(0, {str(folder)!r})\n"
        "from emulated import show\n"
        "print('before')\n"
        "show[(1,)](torch.arange(4), BLOCK=4)\n"
        "print('after')\n"
    )
    import os

    environment = {**os.environ, "SEAGROVE_BACKEND": name}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "before" and lines[-1] == "after"
    assert sorted(lines[1:-1]) == [f"pid (0, 0, 0) idx ({i}) value: {i}" for i in range(4)]


def test_memory_of_a_device():
    device = open_device("riscv64", 256)
    before = device.driver.memory_statistics()
    address = device.driver.allocate(1000)
    now = device.driver.memory_statistics()
    assert now.allocated - before.allocated == 1024 and now.allocations == before.allocations + 1
    device.driver.write(address, memoryview(bytes(range(200))))
    target = bytearray(100)
    device.driver.read(address + 100, memoryview(target))
    assert target == bytes(range(100, 200))
    with pytest.raises(DeviceMemoryError, match="has no room for") as caught:
        device.driver.allocate(now.total)
    assert caught.value.code == "SG0725"
    device.driver.free(address)
    device.driver.free(address)  # Once is enough.
    assert device.driver.memory_statistics().allocated == before.allocated
    with pytest.raises(DeviceError) as lost:
        device.driver.read(now.total + address, memoryview(target))
    assert lost.value.code == "SG0726"


def test_allocator_hands_out_no_byte_twice():
    random = np.random.default_rng(0)
    allocator = Allocator(1 << 20, 1 << 16)
    used: dict[int, int] = {}
    for _ in range(2000):
        size = int(random.integers(1, 3000))
        address = allocator.allocate(size) if random.random() < 0.6 else None
        if address is not None:
            assert address % 64 == 0
            overlap = [a for a, s in used.items() if a < address + size and address < a + s]
            assert not overlap and allocator.holds(address, size)
            used[address] = size
        elif used:
            gone = list(used)[int(random.integers(len(used)))]
            allocator.release(gone)
            assert not allocator.holds(gone, used.pop(gone))
    for address in used:
        allocator.release(address)
    assert allocator.largest_free() == 1 << 16 and allocator.statistics().allocated == 0


def test_lengths_that_there_are_not():
    with pytest.raises(BackendError, match="has no vectors of 192 bits") as caught:
        seagrove.use("cpu:aarch64", vector_bits=192)
    assert caught.value.code == "SG0729" and "128, 256, 512" in caught.value.why
    with pytest.raises(DeviceError, match="no setting 'colour'"):
        seagrove.use("cpu:riscv64", colour="green")


def test_length_from_the_environment(monkeypatch):
    monkeypatch.setenv("SEAGROVE_VECTOR_BITS", "512")
    assert emulated.vector_bits("aarch64") == emulated.vector_bits("riscv64") == 512
    assert emulated.vector_bits("aarch64", 128) == 128

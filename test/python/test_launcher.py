"""The launch core: threads, concurrency, forks, memory of kernels."""

from __future__ import annotations

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
import time

import kernels
import numpy as np
import pytest

import seagrove
from seagrove.compiler.native import native


@pytest.fixture(params=[1, 2, 4, 7, 37])
def threads(request):
    seagrove.set_num_threads(request.param)
    yield request.param
    seagrove.set_num_threads(0)


@pytest.fixture
def many_threads():
    seagrove.set_num_threads(4)
    yield
    seagrove.set_num_threads(0)


@pytest.mark.parametrize("grid", [(1,), (2,), (3, 5), (7, 11, 13), (100_003,)])
def test_each_program_runs_once(threads, grid):
    counts = np.zeros(int(np.prod(grid)), np.int32)
    for launches in range(1, 6):
        kernels.mark[grid](counts)
        assert (counts == launches).all()


@pytest.mark.parametrize("heavy", [slice(0, 8), slice(-8, None), slice(3, None, 16)])
def test_unequal_programs_run_once_each(threads, heavy):
    """Threads whose share is light take over programs of others."""
    steps, counts = np.full(128, 10, np.int32), np.zeros(128, np.int32)
    steps[heavy] = 100_000
    for launches in range(1, 4):
        kernels.count_after[(128,)](steps, counts)
        assert (counts == launches).all()


def test_short_launches_one_after_the_other(many_threads):
    """They begin to be shared once they follow each other closely."""
    counts = np.zeros(400, np.int32)
    steps = np.full(400, 30, np.int32)
    for launches in range(1, 200):
        kernels.count_after[(400,)](steps, counts)
        assert (counts == launches).all()


def test_long_programs_run_on_several_threads(many_threads):
    out = np.zeros(64, np.float32)
    for _ in range(20):
        out[:] = 0
        kernels.spin[(64,)](out, 20_000)
        assert (out == 2.0).all()


def test_the_interpreter_runs_on_during_a_launch():
    """The interpreter's lock is given back: another thread makes progress meanwhile."""
    out = np.zeros(1, np.float32)
    kernels.spin[(1,)](out, 1000)
    done = threading.Event()
    ticks = []

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    start = time.perf_counter()
    kernels.spin[(1,)](out, 100_000_000)
    end = time.perf_counter()
    done.set()
    ticker.join()
    assert end - start > 0.02
    assert len([t for t in ticks if start < t < end]) >= 3


def test_launches_from_many_python_threads(many_threads):
    kernels.mark[(1,)](np.zeros(1, np.int32))
    kernels.spin[(1,)](np.zeros(1, np.float32), 10)
    failures = []

    def work(seed):
        generator = np.random.default_rng(seed)
        for _ in range(40):
            programs = int(generator.integers(1, 300))
            counts = np.zeros(programs, np.int32)
            out = np.zeros(programs, np.float32)
            kernels.mark[(programs,)](counts)
            kernels.spin[(programs,)](out, 2000)
            if not ((counts == 1).all() and (out == 2.0).all()):
                failures.append(seed)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures


def test_launch_within_a_hook_of_a_launch(many_threads):
    from triton import knobs

    inner = np.zeros(500, np.float32)
    depth = []

    def enter(metadata):
        if not depth:
            depth.append(1)
            kernels.spin[(500,)](inner, 5000)

    outer = np.zeros(500, np.float32)
    kernels.spin[(500,)](outer, 5000)
    knobs.runtime.launch_enter_hook.add(enter)
    try:
        kernels.spin[(500,)](outer, 5000)
    finally:
        knobs.runtime.launch_enter_hook.remove(enter)
    assert (inner == 2.0).all() and (outer == 2.0).all()


def _launch_in_child(results):
    counts = np.zeros(5000, np.int32)
    out = np.zeros(500, np.float32)
    for _ in range(3):
        kernels.mark[(5000,)](counts)
        kernels.spin[(500,)](out, 5000)
    results.put(bool((counts == 3).all() and (out == 2.0).all()))


def test_launches_in_a_forked_child(many_threads):
    _launch_in_child(multiprocessing.SimpleQueue())  # The parent has a pool with workers.
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        results = context.SimpleQueue()
        child = context.Process(target=_launch_in_child, args=(results,))
        child.start()
        child.join(60)
        assert child.exitcode == 0
        assert results.get()
    _launch_in_child(multiprocessing.SimpleQueue())


def test_fork_while_another_thread_launches(many_threads):
    out = np.zeros(200, np.float32)
    stop = threading.Event()

    def keep_launching():
        while not stop.is_set():
            kernels.spin[(200,)](out, 20_000)

    kernels.spin[(200,)](out, 20_000)
    worker = threading.Thread(target=keep_launching)
    worker.start()
    context = multiprocessing.get_context("fork")
    try:
        for _ in range(5):
            results = context.SimpleQueue()
            child = context.Process(target=_launch_in_child, args=(results,))
            child.start()
            child.join(60)
            assert child.exitcode == 0 and results.get()
    finally:
        stop.set()
        worker.join()


def test_number_of_threads(monkeypatch):
    torch = pytest.importorskip("torch")
    kernels.mark[(1,)](np.zeros(1, np.int32))  # A loaded kernel follows torch from now on.
    seagrove.set_num_threads(3)
    assert seagrove.get_num_threads() == 3
    seagrove.set_num_threads(0)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        native().Launcher("again", (), (), 0)
        assert seagrove.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    with pytest.raises(ValueError):
        seagrove.set_num_threads(-1)


@pytest.mark.parametrize(("value", "expected"), [("3", 3), ("1", 1), ("junk", None), ("-2", None)])
def test_number_of_threads_from_outside(value, expected):
    code = "import seagrove; print(seagrove.get_num_threads())"
    environment = {**os.environ, "SEAGROVE_NUM_THREADS": value}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == (expected or len(os.sched_getaffinity(0)))


def test_scratch_memory_grows_and_is_reused():
    """A launcher may ask for more memory than an earlier one did."""
    counts = np.zeros(4, np.int32)
    compiled = kernels.mark[(4,)](counts)
    for size in (64, 1 << 20, 128, 8 << 20):
        launcher = native().Launcher("mark", ("counts",), ("*i32",), size)
        launcher(4, 1, 1, 0, compiled.function, None, None, None, None, counts)
    assert (counts == 5).all()


def test_kernels_are_unmapped_and_not_mixed_up():
    """File descriptors do not leak, and a new kernel is never an older one of the same number."""

    def mapped() -> int:
        with open("/proc/self/maps") as maps:
            return maps.read().count("memfd:seagrove-kernel")

    counts = np.zeros(1, np.int32)
    image = kernels.mark[(1,)](counts).asm["so"]
    symbol = kernels.mark[(1,)](counts).metadata.name
    other = kernels.spin[(1,)](np.zeros(1, np.float32), 3)
    before = len(os.listdir("/proc/self/fd"))
    mapped_before = mapped()
    addresses = set()
    kept = []
    for i in range(200):
        kernel = native().Kernel(image, symbol)
        addresses.add(kernel.address)
        if i % 2:
            kept.append(kernel)
            kept.append(native().Kernel(other.asm["so"], other.metadata.name))
    assert len({kernel.address for kernel in kept}) == len(kept)
    launcher = native().Launcher("mark", ("counts",), ("*i32",), 0)
    counts[:] = 0
    for kernel in kept[::2]:
        launcher(1, 1, 1, 0, kernel, None, None, None, None, counts)
    assert counts[0] == len(kept) // 2
    assert len(os.listdir("/proc/self/fd")) <= before + 1
    kept.clear()
    del kernel
    gc.collect()
    assert mapped() <= mapped_before


def test_launch_overhead():
    """The launcher's own part of a small launch: some microseconds, whatever else goes on."""
    counts = np.zeros(1, np.int32)
    compiled = kernels.mark[(1,)](counts)
    run, arguments = compiled.run, (0, compiled.function, None, None, None, None, counts)
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(500):
            run(1, 1, 1, *arguments)
        best = min(best, (time.perf_counter() - start) / 500)
    assert best < 5e-6


def test_launcher_is_called_by_position_only():
    launcher = native().Launcher("mark", ("counts",), ("*i32",), 0)
    with pytest.raises(TypeError):
        launcher(1, 1, 1)
    with pytest.raises(TypeError):
        launcher(1, 1, 1, 0, "no kernel", None, None, None, None, 0)
    with pytest.raises(TypeError, match="unsupported type '!odd'"):
        native().Launcher("odd", ("x",), ("!odd",), 0)


FILL = """
import triton, triton.language as tl

@triton.jit
def fill(out, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, tl.exp(i * 1e-6))
"""

THREADS_OF_THE_LIBRARY = """
import os, torch
from program import fill

torch.set_num_threads(2)
out = torch.ones(1 << 22)
out.exp_()
before = len(os.listdir("/proc/self/task"))
for _ in range(3):
    fill[(1024,)](out, BLOCK=4096)
assert torch.allclose(out, torch.exp(torch.arange(1 << 22) * 1e-6))
print(len(os.listdir("/proc/self/task")) - before)
"""


def test_launches_run_on_the_threads_of_the_tensor_library(tmp_path, monkeypatch):
    """Its workers spin on the other cores after each of its operations."""
    monkeypatch.delenv("SEAGROVE_NUM_THREADS", raising=False)
    (tmp_path / "program.py").write_text(FILL)
    path = tmp_path / "parent.py"
    path.write_text(THREADS_OF_THE_LIBRARY)
    command = [sys.executable, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0"]


FORKED_CHILD = """
import os, signal, torch
from program import fill

torch.set_num_threads(2)
out = torch.ones(1 << 22)
out.exp_()
LAUNCHES
if not (child := os.fork()):
    signal.alarm(30)
    for _ in range(3):
        fill[(1024,)](out, BLOCK=4096)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.parametrize(
    "launches", ["", "fill[(1,)](out, BLOCK=4096)", "fill[(1024,)](out, BLOCK=4096)"]
)
def test_the_threads_of_the_tensor_library_are_not_in_a_forked_child(launches, tmp_path):
    """Its runtime does not know that, wherever the parent was when it forked."""
    (tmp_path / "program.py").write_text(FILL)
    path = tmp_path / "parent.py"
    path.write_text(FORKED_CHILD.replace("LAUNCHES", launches))
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr

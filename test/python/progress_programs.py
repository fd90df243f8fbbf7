"""Programs of one launch that wait for each other; test_launch_progress.py runs them in a process.

`python progress_programs.py THREADS [NAME ...]` ends with status 0 if all results are right. It
prints the name of each case before it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import triton
import triton.language as tl

import seagrove

CASES: dict[str, Callable[[], None]] = {}


def case(function: Callable[[], None]) -> Callable[[], None]:
    CASES[function.__name__] = function
    return function


def zeros(count: int, dtype: type = np.int32) -> np.ndarray:
    return np.zeros(count, dtype)


@triton.jit
def locked_kernel(lock, sums, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    while tl.atomic_cas(lock, 0, 1) == 1:
        pass
    tl.store(sums + offsets, tl.load(sums + offsets) + tl.program_id(0))
    tl.debug_barrier()
    tl.atomic_xchg(lock, 0)


@case
def lock() -> None:
    """64 programs add to a block under a lock: no update is lost."""
    for _ in range(5):
        taken, sums = zeros(1), zeros(100)
        locked_kernel[(64,)](taken, sums, BLOCK=64)
        assert (sums[:64] == 64 * 63 // 2).all() and not sums[64:].any() and not taken.any()


@triton.jit
def chain_kernel(flags, sums, HOW: tl.constexpr):
    pid = tl.program_id(0)
    total = pid
    if pid > 0:
        if HOW == "cas":
            while tl.atomic_cas(flags + pid - 1, 1, 1) != 1:
                pass
        elif HOW == "volatile":
            while tl.load(flags + pid - 1, volatile=True) == 0:
                pass
        elif HOW == "uncached":
            while tl.load(flags + pid - 1, cache_modifier=".cv") == 0:
                pass
        else:
            while tl.load(flags + pid - 1) == 0:
                pass
        total += tl.load(sums + pid - 1)
    tl.store(sums + pid, total)
    tl.debug_barrier()
    tl.atomic_xchg(flags + pid, 1)


@case
def chain() -> None:
    """Each program waits for the flag of the one before it, however it reads the flag."""
    for how in ("cas", "volatile", "uncached", "plain"):
        flags, sums = zeros(1000), zeros(1000)
        chain_kernel[(1000,)](flags, sums, HOW=how)
        assert (sums == np.arange(1000).cumsum()).all(), how


@triton.jit
def ticket_kernel(counter, serving, order, BLOCK: tl.constexpr):
    ticket = tl.atomic_add(counter, 1)
    while tl.atomic_add(serving, 0) != ticket:
        pass
    tl.store(order + ticket, tl.program_id(0))
    tl.debug_barrier()
    tl.atomic_add(serving, 1)


@case
def tickets() -> None:
    """Programs are served in the order in which they draw a ticket."""
    counter, serving, order = zeros(1), zeros(1), zeros(300) - 1
    ticket_kernel[(300,)](counter, serving, order, BLOCK=16)
    assert sorted(order) == list(range(300))


@triton.jit
def last_sums_kernel(x, partial, arrived, out, PARTS: tl.constexpr, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    tl.store(partial + pid, tl.sum(tl.load(x + pid * BLOCK + tl.arange(0, BLOCK))))
    tl.debug_barrier()
    if tl.atomic_add(arrived, 1) == PARTS - 1:
        tl.store(out, tl.sum(tl.load(partial + tl.arange(0, PARTS))))


@case
def last_arrival() -> None:
    """The program that arrives last adds up what all have written."""
    for seed in range(20):
        x = np.random.default_rng(seed).integers(0, 100, 64 * 32).astype(np.int32)
        out = zeros(1)
        last_sums_kernel[(64,)](x, zeros(64), zeros(1), out, PARTS=64, BLOCK=32)
        assert out[0] == x.sum()


@triton.jit
def shared_tiles_kernel(x, partial, flags, out, TILES: tl.constexpr, BLOCK: tl.constexpr):
    """Two programs share each tile; the first one waits for the second, which comes later."""
    pid = tl.program_id(0)
    tile = pid % TILES
    total = tl.sum(tl.load(x + pid * BLOCK + tl.arange(0, BLOCK)))
    if pid >= TILES:
        tl.store(partial + tile, total)
        tl.debug_barrier()
        tl.atomic_xchg(flags + tile, 1)
    else:
        while tl.atomic_cas(flags + tile, 1, 1) != 1:
            pass
        tl.store(out + tile, total + tl.load(partial + tile))


@case
def later_program() -> None:
    """A wait for a program of a higher id, as split reductions have it."""
    x = np.arange(32 * 16, dtype=np.int32)
    out = zeros(16)
    shared_tiles_kernel[(32,)](x, zeros(16), zeros(16), out, TILES=16, BLOCK=16)
    assert (out == x.reshape(2, 16, 16).sum((0, 2))).all()


@triton.jit
def barrier_kernel(arrived, values, out):
    pid, count = tl.program_id(0), tl.num_programs(0)
    for round in range(3):
        tl.store(values + pid, pid * (round + 1))
        tl.debug_barrier()
        tl.atomic_add(arrived, 1)
        while tl.atomic_add(arrived, 0) < (2 * round + 1) * count:
            pass
        neighbour = tl.load(values + (pid + 1) % count, volatile=True)
        tl.store(out + pid, tl.load(out + pid) + neighbour)
        tl.debug_barrier()
        tl.atomic_add(arrived, 1)
        while tl.atomic_add(arrived, 0) < (2 * round + 2) * count:
            pass


def _barrier(programs: int, **options: object) -> None:
    arrived, values, out = zeros(1), zeros(programs), zeros(programs)
    barrier_kernel[(programs,)](arrived, values, out, **options)
    assert (out == 6 * np.roll(np.arange(programs), -1)).all()


@case
def grid_barrier() -> None:
    """All programs of the grid meet, several times."""
    _barrier(24)
    _barrier(24, launch_cooperative_grid=True)


@case
def too_many_for_a_cooperative_launch() -> None:
    try:
        _barrier(100_000, launch_cooperative_grid=True)
    except seagrove.errors.GridError as error:
        assert error.code == "SG0615" and "100000 programs" in str(error)
    else:
        raise AssertionError("no error")
    _barrier(4, launch_cooperative_grid=True)


@case
def many_python_threads() -> None:
    """Launches with locks from several Python threads, and one within another's hook."""
    import threading

    failures: list[int] = []

    def launch(seed: int) -> None:
        for _ in range(5):
            taken, sums = zeros(1), zeros(64)
            locked_kernel[(32,)](taken, sums, BLOCK=64)
            if not (sums == 32 * 31 // 2).all():
                failures.append(seed)

    threads = [threading.Thread(target=launch, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures

    def enter(metadata: object) -> None:
        triton.knobs.runtime.launch_enter_hook.remove(enter)
        launch(-1)

    triton.knobs.runtime.launch_enter_hook.add(enter)
    launch(-2)
    assert not failures


if __name__ == "__main__":
    seagrove.set_num_threads(int(sys.argv[1]))
    for name in sys.argv[2:] or CASES:
        print(name, flush=True)
        CASES[name]()

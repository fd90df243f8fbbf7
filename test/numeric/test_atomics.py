"""Atomic updates: in what order, on how many threads and beside which launches they run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
import triton
import triton.language as tl

import seagrove


@pytest.fixture(params=[1, 2])
def threads(request) -> Iterator[int]:
    seagrove.set_num_threads(request.param)
    yield request.param
    seagrove.set_num_threads(0)


@triton.jit
def update(x, at, v, old, n, OP: tl.constexpr, KEEP: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    place = x + tl.load(at + offsets, inside, other=0)
    value = tl.load(v + offsets, inside)
    if OP == "add":
        before = tl.atomic_add(place, value, inside)
    elif OP == "max":
        before = tl.atomic_max(place, value, inside)
    elif OP == "min":
        before = tl.atomic_min(place, value, inside)
    elif OP == "and":
        before = tl.atomic_and(place, value, inside)
    elif OP == "or":
        before = tl.atomic_or(place, value, inside)
    elif OP == "xor":
        before = tl.atomic_xor(place, value, inside)
    else:
        before = tl.atomic_xchg(place, value, inside)
    if KEEP:
        tl.store(old + offsets, before, inside)


COMBINED: dict[str, Callable] = {
    "add": lambda a, b: a + b,
    "max": np.fmax,
    "min": np.fmin,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "xchg": lambda a, b: b,
}
CASES = [(op, np.int32) for op in COMBINED] + [
    *((op, dtype) for op in ("add", "max", "min") for dtype in (np.float32, np.float64)),
    *(("add", dtype) for dtype in (np.int64, np.float16)),
    *((op, np.int64) for op in ("xor", "xchg")),
]


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(("op", "dtype"), CASES)
def test_updates_that_meet(op, dtype, keep):
    """One program: its elements update in their order, also where they meet at an address."""
    generator = np.random.default_rng(0)
    for n in (0, 1, 7, 8, 9, 63, 64):
        at = generator.integers(0, 9, 64).astype(np.int32)
        x = generator.integers(-8, 9, 16).astype(dtype)
        v = generator.integers(-8, 9, 64).astype(dtype)
        if dtype in (np.float32, np.float64) and op != "add":
            x[2], v[3], v[11] = np.inf, -np.inf, np.inf
        old, want, seen = np.zeros(64, dtype), x.copy(), np.zeros(64, dtype)
        for i in range(n):
            seen[i] = want[at[i]]
            want[at[i]] = COMBINED[op](want[at[i]], v[i])
        update[(1,)](x, at, v, old, n, OP=op, KEEP=keep, BLOCK=64)
        np.testing.assert_array_equal(x, want)
        # Triton updates by positive floats first, then by negative ones.
        if keep and (op == "add" or dtype not in (np.float32, np.float64)):
            np.testing.assert_array_equal(old, seen)


@triton.jit
def add_some(x, at, v, old, chosen, KEEP: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    mask = tl.load(chosen + offsets) != 0
    before = tl.atomic_add(x + tl.load(at + offsets), tl.load(v + offsets), mask)
    if KEEP:
        tl.store(old + offsets, before, mask)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("dtype", [torch.int32, torch.float32, torch.float16])
def test_masks(dtype, share, keep):
    """Places that are masked may lie anywhere; what lies there is never touched."""
    numbers = torch.Generator().manual_seed(int(share * 10))
    chosen = (torch.rand(64, generator=numbers) < share).to(torch.int8)
    at = torch.randint(0, 9, (64,), generator=numbers, dtype=torch.int64)
    at[chosen == 0] = 1 << 60
    v = torch.randint(-4, 5, (64,), generator=numbers).to(dtype)
    x = torch.zeros(9, dtype=dtype)
    want, seen, old = x.clone(), torch.zeros_like(v), torch.zeros_like(v)
    for i in chosen.nonzero().flatten():
        seen[i] = want[at[i]]
        want[at[i]] += v[i]
    add_some[(1,)](x, at, v, old, chosen, KEEP=keep, BLOCK=64)
    assert torch.equal(x, want)
    assert not keep or torch.equal(old, seen)


@triton.jit
def add_rows(
    x, rows, v, old, columns, period, BLOCK: tl.constexpr, ROWS: tl.constexpr, KEEP: tl.constexpr
):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    column = tl.arange(0, BLOCK)
    inside = (column < columns)[None, :] & (row >= 0)[:, None]
    at = tl.load(rows + row)[:, None] * columns + (column % period)[None, :]
    places = row[:, None] * columns + column[None, :]
    before = tl.atomic_add(x + at, tl.load(v + places, inside), inside)
    if KEEP:
        tl.store(old + places, before, inside)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bfloat16])
@pytest.mark.parametrize("period", [16, 23, 1000])
@pytest.mark.parametrize("columns", [1, 31, 32, 33, 63, 64])
def test_rows(columns, period, dtype):
    """Addresses that follow one another, and some that start again in the middle of a vector."""
    numbers = torch.Generator().manual_seed(columns)
    rows = torch.randint(0, 3, (8,), generator=numbers, dtype=torch.int32)
    v = torch.randint(-4, 5, (8, columns), generator=numbers).to(dtype)
    for keep in (False, True):
        x = torch.randint(-4, 5, (3, columns), generator=numbers).to(dtype)
        want, seen, old = x.clone(), torch.zeros_like(v), torch.zeros_like(v)
        for r in range(8):
            for c in range(columns):
                seen[r, c] = want.view(-1)[rows[r] * columns + c % period]
                want.view(-1)[rows[r] * columns + c % period] += v[r, c]
        add_rows[(4,)](x, rows, v, old, columns, period, BLOCK=64, ROWS=2, KEEP=keep)
        # Four programs take turns, in their order on one thread.
        assert torch.equal(x, want)
        if keep and seagrove.get_num_threads() == 1:
            assert torch.equal(old, seen)


@triton.jit
def add_to_itself(x, distance, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.atomic_add(x + offsets, tl.load(x + offsets + distance))


@pytest.mark.parametrize("distance", [-9, -1, 0, 1, 8])
def test_values_from_where_they_go(distance):
    x = torch.arange(100, dtype=torch.int32)
    want = x.clone()
    want[20:52] += x[20 + distance : 52 + distance]
    add_to_itself[(1,)](x[20:], distance, BLOCK=32)
    assert torch.equal(x, want)


@triton.jit
def count(x, bins, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    tl.atomic_add(bins + tl.load(x + offsets, inside), 1, inside)


@triton.jit
def count_in_system(x, bins, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    tl.atomic_add(bins + tl.load(x + offsets, inside), 1, inside, scope="sys")


@triton.jit
def count_under_lock(x, bins, lock, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    while tl.atomic_cas(lock, 0, 1) == 1:
        pass
    tl.atomic_add(bins + tl.load(x + offsets, inside), 1, inside)
    tl.debug_barrier()
    tl.atomic_xchg(lock, 0)


@triton.jit
def count_by_histogram(x, bins, n, BLOCK: tl.constexpr, BINS: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    counts = tl.histogram(tl.load(x + offsets, inside, other=0), BINS, mask=inside)
    tl.atomic_add(bins + tl.arange(0, BINS), counts)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
@pytest.mark.parametrize("bins", [1, 2, 16, 256])
def test_histograms(bins, dtype):
    generator = np.random.default_rng(bins)
    for n in (0, 1, 7, 8, 9, 63, 64, 65, 200):
        x = generator.integers(-20, 127, 256).astype(dtype)
        totals = np.zeros(bins, np.int32)
        count_by_histogram[(4,)](x, totals, n, BLOCK=64, BINS=bins)
        known = x[:n][(x[:n] >= 0) & (x[:n] < bins)]
        np.testing.assert_array_equal(totals, np.bincount(known, minlength=bins))


@triton.jit
def count_perhaps(x, bins, copy, counts: tl.int32, BLOCK: tl.constexpr, BINS: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    value = tl.load(x + offsets)
    if counts > 0:
        tl.store(bins + tl.arange(0, BINS), tl.histogram(value, BINS))
    tl.store(copy + offsets, value)


@pytest.mark.parametrize("counts", [0, 7])
def test_histogram_in_a_branch(counts):
    x = torch.arange(64, dtype=torch.int32) % 16
    bins, copy = torch.zeros(16, dtype=torch.int32), torch.zeros(64, dtype=torch.int32)
    count_perhaps[(1,)](x, bins, copy, counts, BLOCK=64, BINS=16)
    assert torch.equal(copy, x)
    assert torch.equal(bins, torch.full((16,), 4 if counts else 0, dtype=torch.int32))


def test_many_launches(threads):
    """Whichever way the programs of a launch run, nothing is lost."""
    x = torch.randint(0, 64, (50_000,), dtype=torch.int32)
    bins = torch.zeros(64, dtype=torch.int64)
    for launch in range(1, 200):
        count[(triton.cdiv(50_000, 512),)](x, bins, 50_000, BLOCK=512)
        if launch % 20 == 0:
            assert torch.equal(bins, launch * torch.bincount(x, minlength=64))


def test_launches_of_several_threads(threads):
    """Kernels that may be alone beside those that never are, at the same memory."""
    n = 20_000
    x = torch.randint(0, 64, (n,), dtype=torch.int32)
    bins, lock = torch.zeros(64, dtype=torch.int64), torch.zeros(1, dtype=torch.int32)
    grid = (triton.cdiv(n, 512),)
    kinds: list[Callable[[], object]] = [
        lambda: count[grid](x, bins, n, BLOCK=512),
        lambda: count_in_system[grid](x, bins, n, BLOCK=512),
        lambda: count_under_lock[grid](x, bins, lock, n, BLOCK=512),
        lambda: count[grid](x, bins, n, BLOCK=512),
        lambda: count_by_histogram[grid](x, bins, n, BLOCK=512, BINS=64),
    ]
    for launch in kinds:
        launch()
    failures: list[BaseException] = []

    def work(launch: Callable[[], object]) -> None:
        try:
            for _ in range(40):
                launch()
        except BaseException as error:  # shown by the test's thread
            failures.append(error)

    workers = [threading.Thread(target=work, args=(launch,)) for launch in kinds]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures
    assert torch.equal(bins, 41 * len(kinds) * torch.bincount(x, minlength=64))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_fork_beside_a_launch():
    """A child that is forked while a launch of another thread updates memory."""
    n = 200_000
    x = torch.randint(0, 64, (n,), dtype=torch.int32)
    want = torch.bincount(x, minlength=64)
    grid = (triton.cdiv(n, 512),)
    busy = torch.zeros(64, dtype=torch.int64)
    count[grid](x, busy, n, BLOCK=512)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            count[grid](x, busy, n, BLOCK=512)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                bins = torch.zeros(64, dtype=torch.int64)
                count[grid](x, bins, n, BLOCK=512)
                os._exit(0 if bool((bins == want).all()) else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        worker.join()

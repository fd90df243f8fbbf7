"""Atomics: what they return, what they leave, and programs that wait for each other."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from kit import EXACT, TORCH, assert_close, make_input, program
from memory_programs import equal

INTEGERS = ("int32", "int64", "uint32", "uint64")
ADDABLE = (*INTEGERS, "float16", "bfloat16", "float32", "float64")


@triton.jit
def update_kernel(x_ptr, y_ptr, old_ptr, n, OP: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    mask = offsets < n
    y = tl.load(y_ptr + offsets)
    if OP == "add":
        old = tl.atomic_add(x_ptr + offsets, y, mask=mask)
    elif OP == "max":
        old = tl.atomic_max(x_ptr + offsets, y, mask=mask)
    elif OP == "min":
        old = tl.atomic_min(x_ptr + offsets, y, mask=mask)
    elif OP == "and":
        old = tl.atomic_and(x_ptr + offsets, y, mask=mask)
    elif OP == "or":
        old = tl.atomic_or(x_ptr + offsets, y, mask=mask)
    elif OP == "xor":
        old = tl.atomic_xor(x_ptr + offsets, y, mask=mask)
    else:
        old = tl.atomic_xchg(x_ptr + offsets, y, mask=mask)
    tl.store(old_ptr + offsets, old, mask=mask)


def _new_value(op: str, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """What the element becomes; unsigned numbers are small here, so int64 holds them."""
    if not x.dtype.is_floating_point:
        a, b = x.long(), y.long()
        results = {
            "add": a + b, "max": a.maximum(b), "min": a.minimum(b), "and": a & b, "or": a | b,
            "xor": a ^ b, "xchg": b,
        }  # fmt: skip
        return results[op].to(x.dtype)
    results = {"add": x + y, "max": x.maximum(y), "min": x.minimum(y), "xchg": y}
    return results[op]


def _check_update(device: str, dtype: str, op: str) -> None:
    """Each element has an address of its own: the old value comes back, masked ones stay."""
    for n in (0, 1, 37, 64):
        x, y = (make_input(dtype, 64, "castable" if "u" in dtype else "small", s) for s in (0, 1))
        x, y = x.to(device), y.to(device)
        old = torch.zeros_like(x)
        want_x, want_old = x.clone(), old.clone()
        want_x[:n] = _new_value(op, x, y)[:n]
        want_old[:n] = x[:n]
        update_kernel[(1,)](x, y, old, n, OP=op, BLOCK=64)
        equal(x, want_x, f"memory, n = {n}")
        equal(old, want_old, f"old values, n = {n}")


@program("tl.atomic_add", ADDABLE)
def atomic_add(device: str, dtype: str) -> None:
    _check_update(device, dtype, "add")


@program("tl.atomic_max", (*INTEGERS, "float32", "float64"))
def atomic_max(device: str, dtype: str) -> None:
    _check_update(device, dtype, "max")


@program("tl.atomic_min", (*INTEGERS, "float32", "float64"))
def atomic_min(device: str, dtype: str) -> None:
    _check_update(device, dtype, "min")


@program("tl.atomic_and", INTEGERS)
def atomic_and(device: str, dtype: str) -> None:
    _check_update(device, dtype, "and")


@program("tl.atomic_or", INTEGERS)
def atomic_or(device: str, dtype: str) -> None:
    _check_update(device, dtype, "or")


@program("tl.atomic_xor", INTEGERS)
def atomic_xor(device: str, dtype: str) -> None:
    _check_update(device, dtype, "xor")


@program("tl.atomic_xchg", (*INTEGERS, "float32", "float64"))
def atomic_xchg(device: str, dtype: str) -> None:
    _check_update(device, dtype, "xchg")


@triton.jit
def crowd_kernel(sum_ptr, top_ptr, low_ptr, x_ptr, BLOCK: tl.constexpr):
    x = tl.load(x_ptr + tl.program_id(0) * BLOCK + tl.arange(0, BLOCK))
    zeros = tl.zeros([BLOCK], dtype=tl.int32)
    tl.atomic_add(sum_ptr + zeros, x)
    tl.atomic_max(top_ptr, tl.max(x))
    tl.atomic_min(low_ptr, tl.min(x))


@program("tl.atomic_add", ("int32", "int64", "float32", "float64"))
def many_on_one_address(device: str, dtype: str) -> None:
    """Every element of every program meets at one address, within a block and between programs."""
    x = make_input(dtype, 200 * 32, "small", 0).to(device)
    total, top, low = (torch.zeros(1, dtype=x.dtype, device=device) for _ in range(3))
    crowd_kernel[(200,)](total, top, low, x, BLOCK=32)
    assert_close(total, x.sum(0, keepdim=True).cpu().numpy(), dtype, EXACT, "sum")
    equal(top, x.max().reshape(1), "max")
    equal(low, x.min().reshape(1), "min")


@triton.jit
def count_kernel(x_ptr, bins_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask, other=0)
    tl.atomic_add(bins_ptr + x, 1, mask=mask, sem="relaxed", scope="gpu")


@program("tl.atomic_add", ("int32", "int64"))
def histogram_of_atomics(device: str, dtype: str) -> None:
    x = torch.randint(0, 10, (3001,), generator=torch.Generator().manual_seed(0))
    bins = torch.zeros(10, dtype=TORCH[dtype], device=device)
    count_kernel[(triton.cdiv(3001, 64),)](x.to(device), bins, 3001, BLOCK=64)
    equal(bins, x.bincount(minlength=10).to(bins.dtype), "bins")


@triton.jit
def orders_kernel(x_ptr, old_ptr):
    pid = tl.program_id(0)
    a = tl.atomic_add(x_ptr, 1, sem="relaxed", scope="cta")
    b = tl.atomic_add(x_ptr + 1, 1, sem="acquire", scope="gpu")
    c = tl.atomic_add(x_ptr + 2, 1, sem="release", scope="sys")
    d = tl.atomic_add(x_ptr + 3, 1, sem="acq_rel")
    tl.store(old_ptr + pid * 4, a)
    tl.store(old_ptr + pid * 4 + 1, b)
    tl.store(old_ptr + pid * 4 + 2, c)
    tl.store(old_ptr + pid * 4 + 3, d)


@program("tl.atomic_add", ("int32", "int64"))
def memory_orders(device: str, dtype: str) -> None:
    """Each program gets a number of its own, in every memory order and scope."""
    x = torch.zeros(4, dtype=TORCH[dtype], device=device)
    old = torch.zeros(100, 4, dtype=x.dtype, device=device)
    orders_kernel[(100,)](x, old)
    equal(x, torch.full_like(x, 100), "counters")
    equal(old.sort(0).values, torch.arange(100).to(x.dtype)[:, None].expand(100, 4), "tickets")


@triton.jit
def swap_kernel(x_ptr, old_ptr, expected, desired, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    compare = tl.zeros([BLOCK], dtype=x_ptr.dtype.element_ty) + expected
    value = tl.zeros([BLOCK], dtype=x_ptr.dtype.element_ty) + desired
    tl.store(old_ptr + offsets, tl.atomic_cas(x_ptr + offsets, compare, value))


@program("tl.atomic_cas", ("int32", "int64"))
def compare_and_swap(device: str, dtype: str) -> None:
    x = make_input(dtype, 64, "small", 0).to(device)
    want = torch.where(x == 2, torch.full_like(x, 9), x)
    before, old = x.clone(), torch.zeros_like(x)
    swap_kernel[(1,)](x, old, 2, 9, BLOCK=64)
    equal(x, want, "memory")
    equal(old, before, "old values")


@triton.jit
def lock_kernel(lock_ptr, x_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    while tl.atomic_cas(lock_ptr, 0, 1) == 1:
        pass
    tl.store(x_ptr + offsets, tl.load(x_ptr + offsets) + 1)
    tl.debug_barrier()
    tl.atomic_xchg(lock_ptr, 0)


@program("tl.atomic_cas", ("int32", "float32"))
def spin_lock(device: str, dtype: str) -> None:
    """A block of plain loads and stores under a lock: no update may be lost."""
    lock = torch.zeros(1, dtype=torch.int32, device=device)
    x = torch.zeros(128, dtype=TORCH[dtype], device=device)
    lock_kernel[(500,)](lock, x, BLOCK=128)
    equal(x, torch.full_like(x, 500), "sum under a lock")
    assert lock.item() == 0


@triton.jit
def chain_kernel(x_ptr, sums_ptr, flags_ptr, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    total = tl.sum(tl.load(x_ptr + pid * BLOCK + tl.arange(0, BLOCK)))
    if pid > 0:
        while tl.atomic_add(flags_ptr + pid - 1, 0, sem="acquire") == 0:
            pass
        total += tl.load(sums_ptr + pid - 1, volatile=True)
    tl.store(sums_ptr + pid, total)
    tl.debug_barrier()
    tl.atomic_xchg(flags_ptr + pid, 1, sem="release")


@program("tl.atomic_xchg", ("int32",))
def programs_that_wait(device: str, dtype: str) -> None:
    """A chained scan: each program waits for the one before it. A scheduler must not deadlock."""
    x = make_input(dtype, 300 * 16, "small", 0).to(device)
    sums, flags = (torch.zeros(300, dtype=torch.int32, device=device) for _ in range(2))
    chain_kernel[(300,)](x, sums, flags, BLOCK=16)
    equal(sums, x.reshape(300, 16).sum(1).cumsum(0).int(), "chained sums")

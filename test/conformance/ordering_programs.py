"""More of atomics: every operation, dtype, memory order and scope; methods; and the newer ones."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from atomic_programs import ADDABLE, INTEGERS, _new_value
from kit import TORCH, make_input, program
from memory_programs import equal

ORDERS = ("relaxed", "acquire", "release", "acq_rel")
SCOPES = ("cta", "gpu", "sys")
SWAPPABLE = ("int16", "uint16", *INTEGERS, "float16", "bfloat16", "float32", "float64")


@triton.jit
def ordered_kernel(
    x_ptr, y_ptr, old_ptr, OP: tl.constexpr, SEM: tl.constexpr, SCOPE: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    at = tl.arange(0, BLOCK)
    y = tl.load(y_ptr + at)
    if OP == "add":
        old = (x_ptr + at).atomic_add(y, sem=SEM, scope=SCOPE)
    elif OP == "max":
        old = (x_ptr + at).atomic_max(y, sem=SEM, scope=SCOPE)
    elif OP == "min":
        old = (x_ptr + at).atomic_min(y, sem=SEM, scope=SCOPE)
    elif OP == "and":
        old = (x_ptr + at).atomic_and(y, sem=SEM, scope=SCOPE)
    elif OP == "or":
        old = (x_ptr + at).atomic_or(y, sem=SEM, scope=SCOPE)
    elif OP == "xor":
        old = (x_ptr + at).atomic_xor(y, sem=SEM, scope=SCOPE)
    else:
        old = (x_ptr + at).atomic_xchg(y, sem=SEM, scope=SCOPE)
    tl.store(old_ptr + at, old)


def _orders_and_scopes(op: str, dtypes: tuple[str, ...]) -> None:
    """A case for each dtype: all twelve pairs, called as a method of the pointers."""

    def check(device: str, dtype: str) -> None:
        x, y = (make_input(dtype, 16, "castable" if "u" in dtype else "small", s) for s in (0, 1))
        x, y = x.to(device), y.to(device)
        want = _new_value(op, x, y)
        for sem in ORDERS:
            for scope in SCOPES:
                memory, old = x.clone(), torch.zeros_like(x)
                ordered_kernel[(1,)](memory, y, old, OP=op, SEM=sem, SCOPE=scope, BLOCK=16)
                equal(memory, want, f"memory, {sem}, {scope}")
                equal(old, x, f"old values, {sem}, {scope}")

    check.__module__ = __name__
    program(f"tensor.atomic_{op}", dtypes, name=f"orders_and_scopes_of_{op}")(check)


for _op in ("add", "max", "min", "and", "or", "xor", "xchg"):
    _orders_and_scopes(
        _op,
        ADDABLE if _op == "add"
        else (*INTEGERS, "float32", "float64") if _op in ("max", "min", "xchg")
        else INTEGERS,
    )  # fmt: skip


@triton.jit
def swap_kernel(
    x_ptr, cmp_ptr, val_ptr, old_ptr, SEM: tl.constexpr, SCOPE: tl.constexpr, BLOCK: tl.constexpr
):
    at = tl.arange(0, BLOCK)
    compare, value = tl.load(cmp_ptr + at), tl.load(val_ptr + at)
    old = (x_ptr + at).atomic_cas(compare, value, sem=SEM, scope=SCOPE)
    tl.store(old_ptr + at, old)


@program("tensor.atomic_cas", SWAPPABLE)
def swaps_of_every_width(device: str, dtype: str) -> None:
    x = make_input(dtype, 32, "positive", 0).to(device)
    compare = torch.where(torch.arange(32, device=device) % 3 == 0, x, x.roll(1))
    value = make_input(dtype, 32, "castable", 2).to(device)
    want = torch.where(compare == x, value, x)
    for sem in ORDERS:
        for scope in SCOPES:
            memory, old = x.clone(), torch.zeros_like(x)
            swap_kernel[(1,)](memory, compare, value, old, SEM=sem, SCOPE=scope, BLOCK=32)
            equal(memory, want, f"memory, {sem}, {scope}")
            equal(old, x, f"old values, {sem}, {scope}")


@triton.jit
def scalar_swap_kernel(x_ptr, old_ptr, compare, value):
    kind = x_ptr.dtype.element_ty
    old = tl.atomic_cas(x_ptr, tl.cast(compare, kind), tl.cast(value, kind))
    tl.store(old_ptr, old)


@program("tl.atomic_cas", SWAPPABLE)
def swap_of_a_scalar(device: str, dtype: str) -> None:
    x = torch.full((1,), 5, dtype=TORCH[dtype], device=device)
    old = torch.zeros_like(x)
    scalar_swap_kernel[(1,)](x, old, 5, 9)
    assert (x.item(), old.item()) == (9, 5)
    scalar_swap_kernel[(1,)](x, old, 5, 1)
    assert (x.item(), old.item()) == (9, 9)


@triton.jit
def sum_of_all_kernel(x_ptr, total_ptr, BLOCK: tl.constexpr):
    x = tl.load(x_ptr + tl.program_id(0) * BLOCK + tl.arange(0, BLOCK))
    tl.atomic_add(total_ptr, tl.sum(x))
    tl.atomic_add(total_ptr + 1 + tl.zeros([BLOCK], tl.int32), x)


@program("tl.atomic_add", ADDABLE, name="sums_at_one_address")
def sums_at_one_address(device: str, dtype: str) -> None:
    """Small whole numbers, so that any order of the sum is exact in 16 bits."""
    x = (torch.arange(20 * 8) % 2).to(TORCH[dtype]).to(device)
    total = torch.zeros(2, dtype=x.dtype, device=device)
    sum_of_all_kernel[(20,)](x, total, BLOCK=8)
    assert total.tolist() == [80, 80]


if hasattr(tl, "atomic_load"):

    @triton.jit
    def hand_over_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
        at = tl.arange(0, BLOCK)
        x = tl.atomic_load(x_ptr + at, mask=at < n, sem="acquire", scope="gpu")
        tl.atomic_store(y_ptr + at, x, mask=at < n, sem="release", scope="sys")

    @program("tl.atomic_load", (*INTEGERS, "float32", "float64"))
    def atomic_load(device: str, dtype: str) -> None:
        x = make_input(dtype, 32, "any", 0).to(device)
        y = torch.zeros_like(x)
        hand_over_kernel[(1,)](x, y, 29, BLOCK=32)
        equal(y[:29], x[:29], "copy")
        assert not y[29:].any()

    @program("tl.atomic_store", (*INTEGERS, "float32", "float64"))
    def atomic_store(device: str, dtype: str) -> None:
        atomic_load(device, dtype)

    @triton.jit
    def method_kernel(x_ptr, y_ptr):
        y_ptr.atomic_store(x_ptr.atomic_load(sem="relaxed"), sem="relaxed")

    @program("tensor.atomic_load", ("int32", "float32"))
    def atomic_load_method(device: str, dtype: str) -> None:
        x = make_input(dtype, 1, "small", 0).to(device)
        y = torch.zeros_like(x)
        method_kernel[(1,)](x, y)
        equal(y, x, "copy")

    @program("tensor.atomic_store", ("int32", "float32"))
    def atomic_store_method(device: str, dtype: str) -> None:
        atomic_load_method(device, dtype)

    @triton.jit
    def poll_kernel(flags_ptr, out_ptr, METHOD: tl.constexpr):
        pid = tl.program_id(0)
        if pid > 0:
            if METHOD:
                (flags_ptr + pid - 1).atomic_poll(1)
            else:
                tl.atomic_poll(flags_ptr + pid - 1, 1, sem="acquire", scope="gpu")
            tl.store(out_ptr + pid, tl.load(out_ptr + pid - 1) + 1)
        tl.atomic_store(flags_ptr + pid, 1, sem="release", scope="gpu")

    def _poll(device: str, dtype: str, method: bool) -> None:
        flags = torch.zeros(50, dtype=TORCH[dtype], device=device)
        out = torch.zeros(50, dtype=torch.int32, device=device)
        poll_kernel[(50,)](flags, out, METHOD=method)
        assert out.tolist() == list(range(50))

    @program("tl.atomic_poll", ("int32", "int64"))
    def atomic_poll(device: str, dtype: str) -> None:
        """A chain of programs, each waiting for the one before."""
        _poll(device, dtype, False)

    @program("tensor.atomic_poll", ("int32",))
    def atomic_poll_method(device: str, dtype: str) -> None:
        _poll(device, dtype, True)

"""Loops, branches and calls."""

from __future__ import annotations

from typing import NamedTuple

import combine
import torch
import triton
import triton.language as tl
from kit import EXACT, TORCH, assert_close, make_input, program
from memory_programs import equal

FEW = ("int32", "float32")
GLOBAL: tl.constexpr = tl.constexpr(5)


@triton.jit
def carried_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    a = tl.load(x_ptr + offsets)
    b = a + 1
    for i in range(n):
        a, b = b, a + i
    tl.store(y_ptr + offsets, a)
    tl.store(y_ptr + BLOCK + offsets, b)


@program("for", FEW)
def loop_carried_blocks(device: str, dtype: str) -> None:
    """Two blocks that change places; also with no iteration."""
    x = make_input(dtype, 32, "small", 0).to(device)
    for n in (0, 1, 2, 7):
        y = torch.zeros(64, dtype=x.dtype, device=device)
        carried_kernel[(1,)](x, y, n, BLOCK=32)
        a, b = x, x + 1
        for i in range(n):
            a, b = b, a + i
        equal(y, torch.cat([a, b]), f"n = {n}")


@triton.jit
def ranges_kernel(out_ptr, start, stop, STEP: tl.constexpr):
    count = 0
    last = start - start - 1
    for i in range(start, stop, STEP):
        count += 1
        last = i
    tl.store(out_ptr, count)
    tl.store(out_ptr + 1, last)


@program("for", ("int32", "int64"))
def ranges(device: str, dtype: str) -> None:
    out = torch.zeros(2, dtype=TORCH[dtype], device=device)
    wide = 1 << 33 if dtype == "int64" else 0
    for start, stop, step in ((0, 10, 1), (3, 10, 4), (10, 3, 1), (10, 0, -3), (-5, 5, 2)):
        ranges_kernel[(1,)](out, start + wide, stop + wide, STEP=step)
        steps = range(start + wide, stop + wide, step)
        want = [len(steps), steps[-1] if steps else -1]
        assert out.tolist() == want, f"{steps}: {out.tolist()}, not {want}"


@triton.jit
def nested_kernel(x_ptr, out_ptr, m, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    total = tl.zeros([BLOCK], dtype=x_ptr.dtype.element_ty)
    row_ptr = x_ptr
    for i in range(m):
        part = tl.zeros([BLOCK], dtype=x_ptr.dtype.element_ty)
        ptrs = row_ptr + offsets
        for j in range(n):
            part += tl.load(ptrs) * (j + 1)
            ptrs += BLOCK
        if i % 2 == 0:
            total += part
        else:
            total -= part
        row_ptr += n * BLOCK
    tl.store(out_ptr + offsets, total)


@program("for", FEW)
def nested_loops(device: str, dtype: str) -> None:
    """Pointers carried by both loops, a branch between them."""
    for m, n in ((0, 3), (3, 0), (1, 1), (4, 5)):
        x = make_input(dtype, max(m * n, 1) * 16, "small", 0).to(device)
        out = torch.zeros(16, dtype=x.dtype, device=device)
        nested_kernel[(1,)](x, out, m, n, BLOCK=16)
        weights = torch.arange(1, n + 1).to(x.dtype)[None, :, None]
        rows = (x[: m * n * 16].reshape(m, n, 16) * weights).sum(1)
        signs = (1 - 2 * (torch.arange(m) % 2)).to(x.dtype)[:, None]
        equal(out, (rows * signs).sum(0).to(x.dtype), f"{m} x {n}")


@triton.jit
def while_kernel(x_ptr, steps_ptr):
    """Collatz steps of one number."""
    pid = tl.program_id(0)
    x = tl.load(x_ptr + pid)
    steps = 0
    while x > 1:
        x = tl.where(x % 2 == 0, x // 2, 3 * x + 1)
        steps += 1
    tl.store(steps_ptr + pid, steps)


def collatz(x: int) -> int:
    steps = 0
    while x > 1:
        x, steps = (x // 2 if x % 2 == 0 else 3 * x + 1), steps + 1
    return steps


@program("while", ("int32", "int64"))
def while_loop(device: str, dtype: str) -> None:
    x = torch.arange(40).to(TORCH[dtype]).to(device)
    steps = torch.full((40,), -1, dtype=torch.int32, device=device)
    while_kernel[(40,)](x, steps)
    assert steps.tolist() == [collatz(i) for i in range(40)]


@triton.jit
def while_block_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets)
    steps = tl.zeros([BLOCK], dtype=tl.int32)
    while tl.max(x) > 1:
        active = x > 1
        x = tl.where(active, tl.where(x % 2 == 0, x // 2, 3 * x + 1), x)
        steps += active.to(tl.int32)
    tl.store(y_ptr + offsets, steps)


@program("while", ("int32", "int64"))
def while_over_blocks(device: str, dtype: str) -> None:
    """The condition is a reduction of a carried block."""
    x = torch.arange(32).to(TORCH[dtype]).to(device)
    y = torch.zeros(32, dtype=torch.int32, device=device)
    while_block_kernel[(1,)](x, y, BLOCK=32)
    assert y.tolist() == [collatz(i) for i in range(32)]


@triton.jit
def branch_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    offsets = pid * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets)
    scale = 1
    if pid % 3 == 0:
        x = x + 10
        scale = 2
    elif pid % 3 == 1:
        if tl.sum(x) > 0:
            x = x * 2
            scale = 1
        else:
            x = -x
    tl.store(y_ptr + offsets, x * scale)


@program("if", FEW)
def branches_with_blocks(device: str, dtype: str) -> None:
    x = make_input(dtype, 9 * 16, "small", 0).reshape(9, 16).to(device)
    y = torch.zeros_like(x)
    branch_kernel[(9,)](x, y, BLOCK=16)
    want = x.clone()
    want[0::3] = (x[0::3] + 10) * 2
    sums = x[1::3].sum(1, keepdim=True)
    want[1::3] = torch.where(sums > 0, x[1::3] * 2, -x[1::3])
    equal(y + 0, want + 0, "branches")


@triton.jit
def early_return_kernel(x_ptr, n):
    pid = tl.program_id(0)
    if pid >= n:
        return
    if pid == 3:
        tl.store(x_ptr + pid, 33)
        return
    tl.store(x_ptr + pid, pid)


@program("return", ("int32",))
def early_return(device: str, dtype: str) -> None:
    x = torch.full((10,), -1, dtype=torch.int32, device=device)
    early_return_kernel[(10,)](x, 7)
    assert x.tolist() == [0, 1, 2, 33, 4, 5, 6, -1, -1, -1]


@triton.jit
def static_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr, TIMES: tl.constexpr):
    tl.static_assert(TIMES > 1, "TIMES is too small")
    offsets = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets)
    for i in tl.static_range(TIMES):
        if i % 2 == 0:
            x += i * GLOBAL
    tl.store(y_ptr + offsets, x)


@program("tl.static_range", FEW)
def static_range(device: str, dtype: str) -> None:
    x = make_input(dtype, 16, "small", 0).to(device)
    y = torch.zeros_like(x)
    static_kernel[(1,)](x, y, BLOCK=16, TIMES=5)
    equal(y, x + (0 + 2 + 4) * 5, "static range")


@triton.jit
def range_options_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    total = tl.zeros([BLOCK], dtype=x_ptr.dtype.element_ty)
    for i in tl.range(0, n, num_stages=3):
        total += tl.load(x_ptr + i * BLOCK + offsets)
    for i in tl.range(n, loop_unroll_factor=2, disallow_acc_multi_buffer=True):
        for j in tl.range(0, 2, flatten=True):
            total += tl.load(x_ptr + i * BLOCK + offsets) * j
    tl.store(y_ptr + offsets, total)


@program("tl.range", FEW)
def range_options(device: str, dtype: str) -> None:
    x = make_input(dtype, 5 * 16, "small", 0).to(device)
    y = torch.zeros(16, dtype=x.dtype, device=device)
    range_options_kernel[(1,)](x, y, 5, BLOCK=16)
    equal(y, (x.reshape(5, 16).sum(0) * 2).to(x.dtype), "tl.range")


@triton.jit
def conditions_kernel(out_ptr, a, b):
    tl.store(out_ptr, (a > 1) and (b > 1))
    tl.store(out_ptr + 1, (a > 1) or (b > 1))
    tl.store(out_ptr + 2, not (a > 1))
    tl.store(out_ptr + 3, a if a > b else b)
    tl.store(out_ptr + 4, min(a, b) + max(a, b))
    tl.store(out_ptr + 5, tl.abs(a - b))


@program("if", ("int32", "int64"))
def scalar_conditions(device: str, dtype: str) -> None:
    out = torch.zeros(6, dtype=TORCH[dtype], device=device)
    for a, b in ((0, 5), (5, 0), (7, 9), (-3, -2)):
        conditions_kernel[(1,)](out, a, b)
        want = [a > 1 and b > 1, a > 1 or b > 1, not a > 1, max(a, b), a + b, abs(a - b)]
        assert out.tolist() == [int(w) for w in want], f"{a}, {b}"


@triton.jit(noinline=True)
def power_and_half(x, n):
    result = x
    for _ in range(1, n):
        result *= x
    return result, x // 2


@triton.jit(noinline=True)
def store_twice(ptr, value):
    tl.store(ptr, value)
    tl.store(ptr + 1, value)


@triton.jit(noinline=True)
def block_sum(ptr, BLOCK: tl.constexpr):
    total = tl.sum(tl.load(ptr + tl.arange(0, BLOCK)))
    return total


@triton.jit
def call_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    power, half = power_and_half(pid + 1, n)
    again, _ = power_and_half(half, 2)
    store_twice(y_ptr + 2 * pid, block_sum(x_ptr, BLOCK) * (power + again))


@program("noinline", FEW)
def functions_not_inlined(device: str, dtype: str) -> None:
    """Functions that stay functions: scalars and pointers in, one or two scalars out."""
    x = make_input(dtype, 32, "small", 0).to(device)
    y = torch.zeros(10, dtype=x.dtype, device=device)
    call_kernel[(5,)](x, y, 3, BLOCK=32)
    want = [((i + 1) ** 3 + ((i + 1) // 2) ** 2) * x.sum().item() for i in range(5)]
    assert y.tolist() == [w for value in want for w in (value, value)]


class Pair(NamedTuple):
    """Travels through calls as one argument."""

    first: tl.tensor
    second: tl.tensor


@triton.jit
def swap_pair(pair, offset=1):
    return pair.second + offset, pair.first


@triton.jit
def tuple_kernel(x_ptr, ptrs, scalars, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets)
    first, second = swap_pair(Pair(x, x * scalars[0]), offset=scalars[1])
    for i in tl.static_range(len(ptrs)):
        tl.store(ptrs[i] + offsets, first if i == 0 else second)


@program("tl.tuple", FEW)
def tuples(device: str, dtype: str) -> None:
    """Tuples of pointers and of scalars as arguments, a named tuple between functions."""
    x = make_input(dtype, 32, "small", 0).to(device)
    outs = tuple(torch.zeros_like(x) for _ in range(2))
    tuple_kernel[(1,)](x, outs, (3, 4), BLOCK=32)
    equal(outs[0], x * 3 + 4, "first")
    equal(outs[1], x, "second")


@triton.constexpr_function
def half_of(n):
    return n // 2


@triton.jit
def apply(x, FN: tl.constexpr):
    return FN(x, x)


@triton.jit
def constexpr_kernel(x_ptr, y_ptr, FN: tl.constexpr, BLOCK: tl.constexpr):
    HALF: tl.constexpr = half_of(BLOCK)
    offsets = tl.arange(0, HALF)
    tl.store(y_ptr + offsets, apply(tl.load(x_ptr + offsets), FN))


@program("tl.constexpr", FEW)
def constexpr_functions(device: str, dtype: str) -> None:
    """A size from a function that runs while compiling, and a function as an argument."""
    x = make_input(dtype, 32, "small", 0).to(device)
    y = torch.zeros_like(x)
    constexpr_kernel[(1,)](x, y, FN=combine.product, BLOCK=32)
    equal(y, torch.cat([x[:16] * x[:16], torch.zeros_like(x[16:])]), "half")


@triton.jit
def loop_dot_kernel(a_ptr, b_ptr, c_ptr, steps, N: tl.constexpr):
    i = tl.arange(0, N)[:, None]
    j = tl.arange(0, N)[None, :]
    acc = tl.zeros((N, N), dtype=tl.float32)
    skipped = 0
    for k in range(steps):
        a = tl.load(a_ptr + k * N * N + i * N + j)
        if tl.sum(a) > 0:
            b = tl.load(b_ptr + k * N * N + i * N + j)
            acc = tl.dot(a, b, acc, input_precision="ieee")
        else:
            skipped += 1
    tl.store(c_ptr + i * N + j, acc + skipped)


@program("tl.dot", ("float32",))
def dot_under_a_condition(device: str, dtype: str) -> None:
    a, b = (make_input(dtype, 6 * 256, "small", s).reshape(6, 16, 16).to(device) for s in (0, 1))
    c = torch.zeros(16, 16, device=device)
    loop_dot_kernel[(1,)](a, b, c, 6, N=16)
    used = a.sum((1, 2)) > 0
    want = (a[used].double() @ b[used].double()).sum(0) + (~used).sum()
    assert_close(c, want.cpu().numpy(), dtype, EXACT, "sum of products")


@triton.jit
def barrier_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    tl.assume(n >= 0)
    offsets = tl.max_contiguous(tl.multiple_of(tl.arange(0, BLOCK), BLOCK), BLOCK)
    x = tl.load(x_ptr + offsets, mask=offsets < n, other=0)
    tl.device_assert(x < 1000, "x is too large")
    tl.debug_barrier()
    tl.store(y_ptr + offsets, x)
    tl.debug_barrier()
    tl.store(y_ptr + BLOCK + offsets, tl.load(y_ptr + (offsets + 1) % BLOCK))


@program("tl.debug_barrier", FEW)
def barriers_and_hints(device: str, dtype: str) -> None:
    x = make_input(dtype, 64, "small", 0).to(device)
    y = torch.zeros(128, dtype=x.dtype, device=device)
    barrier_kernel[(1,)](x, y, 64, BLOCK=64)
    equal(y, torch.cat([x, x.roll(-1)]), "barriers")


@triton.jit
def print_kernel(x_ptr, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offsets)
    tl.device_print("x", x)
    tl.device_print("pid and sum", tl.program_id(0), tl.sum(x))
    tl.static_print("block", BLOCK)
    tl.store(x_ptr + offsets, x + 1)


@program("tl.device_print", ("int8", "int32", "int64", "uint8", "float16", "float32", "float64"))
def device_print(device: str, dtype: str) -> None:
    """Printing changes nothing and reaches the end."""
    x = make_input(dtype, 4, "small", 0).to(device)
    want = x + 1
    print_kernel[(1,)](x, BLOCK=4)
    equal(x, want, "after print")

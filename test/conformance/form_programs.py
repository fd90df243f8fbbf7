"""Forms of the language that need a kernel of their own, one primitive each."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import triton
import triton.language as tl
from kit import EXACT, NUMBERS, STORED, TORCH, Bound, assert_close, make_input, program
from memory_programs import equal
from random_programs import philox, uniform

FEW = ("int32", "float32")


def _interpreted() -> bool:
    return triton.knobs.runtime.interpret


@triton.jit
def programs_kernel(out_ptr):
    tl.store(out_ptr + tl.program_id(0), tl.num_programs(0))


@program("tl.num_programs", ("int32", "int64"))
def num_programs(device: str, dtype: str) -> None:
    out = torch.zeros(5, dtype=TORCH[dtype], device=device)
    programs_kernel[(5,)](out)
    assert out.tolist() == [5] * 5


@triton.jit
def assume_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    tl.assume(n > 0)
    tl.assume(n % 16 == 0)
    at = tl.arange(0, BLOCK)
    tl.store(y_ptr + at, tl.load(x_ptr + at, mask=at < n, other=0), mask=at < n)


@program("tl.assume", FEW)
def assume(device: str, dtype: str) -> None:
    x = make_input(dtype, 64, "small", 0).to(device)
    y = torch.zeros_like(x)
    assume_kernel[(1,)](x, y, 48, BLOCK=64)
    equal(y[:48], x[:48], "copy")
    assert not y[48:].any()


@triton.jit
def assert_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    tl.device_assert(x < 100, "x is too large")
    tl.store(y_ptr + at, x)


@program("tl.device_assert", FEW)
def device_assert(device: str, dtype: str) -> None:
    """One that holds changes nothing."""
    x = make_input(dtype, 64, "small", 0).to(device)
    y = torch.zeros_like(x)
    assert_kernel[(1,)](x, y, BLOCK=64)
    equal(y, x, "copy")


@triton.jit
def static_kernel(x_ptr, N: tl.constexpr):
    tl.static_assert(N == 3, "N is 3")
    tl.static_print("N is", N)
    tl.store(x_ptr, N)


@program("tl.static_assert", ("int32",))
def static_assert(device: str, dtype: str) -> None:
    x = torch.zeros(1, dtype=TORCH[dtype], device=device)
    static_kernel[(1,)](x, N=3)
    assert x.item() == 3
    if not _interpreted():
        with pytest.raises(triton.CompilationError, match="N is 3"):
            static_kernel[(1,)](x, N=4)


@program("tl.static_print", ("int32",))
def static_print(device: str, dtype: str) -> None:
    x = torch.zeros(1, dtype=TORCH[dtype], device=device)
    static_kernel[(1,)](x, N=3)
    assert x.item() == 3


@triton.jit
def condition_kernel(x_ptr, n):
    i = 0
    while tl.condition(i < n, disable_licm=True):
        i += 3
    tl.store(x_ptr, i)


@program("tl.condition", ("int32",))
def condition(device: str, dtype: str) -> None:
    if _interpreted():
        return
    x = torch.zeros(1, dtype=TORCH[dtype], device=device)
    condition_kernel[(1,)](x, 10)
    assert x.item() == 12


@triton.jit
def slice_kernel(x_ptr, pairs, BLOCK: tl.constexpr):
    for i in tl.static_range(len(pairs[1:3])):
        tl.store(x_ptr + i, pairs[1:3][i])
    at = tl.arange(0, BLOCK)
    row = (at + 5)[None, :]
    tl.store(x_ptr + 2 + at, tl.sum(row, 0))


@program("tl.slice", ("int32",))
def slices(device: str, dtype: str) -> None:
    """Of a tuple, and of a block by `:` and `None`."""
    x = torch.zeros(10, dtype=TORCH[dtype], device=device)
    slice_kernel[(1,)](x, (1, 20, 30, 4), BLOCK=8)
    assert x.tolist() == [20, 30, *range(5, 13)]


@triton.jit
def const_kernel(x_ptr: tl.const, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(y_ptr + at, tl.load(x_ptr + at))


@program("tl.const", FEW)
def const_pointer(device: str, dtype: str) -> None:
    x = make_input(dtype, 64, "any", 0).to(device)
    y = torch.zeros_like(x)
    const_kernel[(1,)](x, y, BLOCK=64)
    equal(y, x, "copy")


@triton.jit
def pointer_type_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    raw = x_ptr.to(tl.pointer_type(tl.int8), bitcast=True)
    tl.store(y_ptr + at, tl.load(raw + at))


@program("tl.pointer_type", ("int32", "int64", "float32", "float64"))
def pointer_types(device: str, dtype: str) -> None:
    x = make_input(dtype, 16, "any", 0).to(device)
    y = torch.zeros(16 * x.element_size(), dtype=torch.int8, device=device)
    pointer_type_kernel[(1,)](x, y, BLOCK=y.numel())
    equal(y, x.view(torch.int8), "bytes")


@triton.jit
def moves_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at, mask=at < n)
    tl.store(y_ptr + at, x, mask=at < n)
    tl.store(y_ptr + BLOCK + at, tl.load(x_ptr + (BLOCK - 1 - at)))
    tl.store(y_ptr + 2 * BLOCK + at, tl.load(x_ptr + 3))


@program("tl.load", STORED, name="moves_of_every_dtype")
def moves(device: str, dtype: str) -> None:
    x = make_input(dtype, 64, "any", 0).to(device)
    y = torch.zeros(192, dtype=torch.uint8, device=device)
    y = y.repeat(x.element_size()).view(x.dtype)
    want = y.clone()
    want[:37] = x[:37]
    want[64:128] = x.view(torch.uint8).reshape(64, -1).flip(0).reshape(-1).view(x.dtype)
    want[128:] = x[3:4].view(torch.uint8).repeat(64).view(x.dtype)
    moves_kernel[(1,)](x, y, 37, BLOCK=64)
    equal(y, want, "moves")


@triton.jit
def store_method_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    (y_ptr + at).store(tl.load(x_ptr + at))


@program("tensor.store", NUMBERS)
def store_method(device: str, dtype: str) -> None:
    x = make_input(dtype, 64, "any", 0).to(device)
    y = torch.zeros_like(x)
    store_method_kernel[(1,)](x, y, BLOCK=64)
    equal(y, x, "copy")


@triton.jit
def words_kernel(out_ptr, seed, BLOCK: tl.constexpr, STEP: tl.constexpr):
    at = tl.arange(0, BLOCK)
    zeros = at * 0
    if STEP == "philox":
        a, b, c, d = tl.philox(seed, at, zeros, zeros, zeros)
    elif STEP == "philox_impl":
        key = (zeros + seed).to(tl.uint32)
        u = zeros.to(tl.uint32)
        a, b, c, d = tl.philox_impl(at.to(tl.uint32), u, u, u, key, u)
    else:
        a, b, c, d = tl.randint4x(seed, at)
    tl.store(out_ptr + at, a.to(tl.int32, bitcast=True))
    tl.store(out_ptr + BLOCK + at, b.to(tl.int32, bitcast=True))
    tl.store(out_ptr + 2 * BLOCK + at, c.to(tl.int32, bitcast=True))
    tl.store(out_ptr + 3 * BLOCK + at, d.to(tl.int32, bitcast=True))


def _check_words(device: str, step: str) -> None:
    out = torch.zeros(256, dtype=torch.int32, device=device)
    words_kernel[(1,)](out, 77, BLOCK=64, STEP=step)
    want = np.concatenate([w.view("i4") for w in philox(77, np.arange(64))])
    assert_close(out, want, "int32", EXACT, step)


@program("tl.philox", ("int32",))
def philox_words(device: str, dtype: str) -> None:
    _check_words(device, "philox")


@program("tl.philox_impl", ("int32",))
def philox_rounds(device: str, dtype: str) -> None:
    _check_words(device, "philox_impl")


@program("tl.randint4x", ("int32",))
def randint4x(device: str, dtype: str) -> None:
    _check_words(device, "randint4x")


@triton.jit
def uniform_kernel(x_ptr, u_ptr, n_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    u = tl.uint_to_uniform_float(tl.load(x_ptr + at))
    v = tl.uint_to_uniform_float(tl.load(x_ptr + BLOCK + at))
    tl.store(u_ptr + at, u)
    a, b = tl.pair_uniform_to_normal(u, v)
    tl.store(n_ptr + at, a)
    tl.store(n_ptr + BLOCK + at, b)


def _uniforms(device: str) -> tuple[torch.Tensor, torch.Tensor, np.ndarray, np.ndarray]:
    x = make_input("int32", 128, "any", 0)
    u, n = torch.zeros(64, device=device), torch.zeros(128, device=device)
    uniform_kernel[(1,)](x.to(device), u, n, BLOCK=64)
    words = x.numpy().view(np.uint32)
    return u, n, uniform(words[:64]), uniform(words[64:])


@program("tl.uint_to_uniform_float")
def uniform_floats(device: str, dtype: str) -> None:
    u, _, want, _ = _uniforms(device)
    assert_close(u, want, dtype, EXACT, "uniform")


@program("tl.pair_uniform_to_normal")
def normal_pairs(device: str, dtype: str) -> None:
    _, n, u, v = _uniforms(device)
    radius = np.sqrt(-2 * np.log(np.maximum(u.astype("f8"), 1e-7)))
    angle = 6.283185307179586 * v.astype("f8")
    want = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
    assert_close(n, want, dtype, Bound(8, 3e-6), "normal")


@triton.jit
def random_kernel(out_ptr, seed, BLOCK: tl.constexpr, KIND: tl.constexpr):
    at = tl.arange(0, BLOCK)
    if KIND == "randint":
        tl.store(out_ptr + at, tl.randint(seed, at).to(tl.int32, bitcast=True))
    elif KIND == "randn":
        tl.store(out_ptr + at, tl.randn(seed, at))
    else:
        a, b, c, d = tl.rand4x(seed, at)
        tl.store(out_ptr + at, a + b + c + d)


@program("tl.randint", ("int32",))
def randint(device: str, dtype: str) -> None:
    out = torch.zeros(64, dtype=torch.int32, device=device)
    random_kernel[(1,)](out, 3, BLOCK=64, KIND="randint")
    assert_close(out, philox(3, np.arange(64))[0].view("i4"), dtype, EXACT, "randint")


@program("tl.randn")
def randn(device: str, dtype: str) -> None:
    out = torch.zeros(64, device=device)
    random_kernel[(1,)](out, 3, BLOCK=64, KIND="randn")
    words = [uniform(w).astype("f8") for w in philox(3, np.arange(64))]
    want = np.sqrt(-2 * np.log(np.maximum(words[0], 1e-7))) * np.cos(2 * np.pi * words[1])
    assert_close(out, want, dtype, Bound(8, 3e-6), "randn")


@program("tl.rand4x")
def rand4x(device: str, dtype: str) -> None:
    out = torch.zeros(64, device=device)
    random_kernel[(1,)](out, 3, BLOCK=64, KIND="rand4x")
    want = sum(uniform(w).astype("f8") for w in philox(3, np.arange(64)))
    assert_close(out, want, dtype, Bound(4), "rand4x")


@triton.jit
def range_kernel(out_ptr, n, ATTRIBUTE: tl.constexpr):
    total = 0
    if ATTRIBUTE == "step":
        for i in tl.range(0, 3 * n, step=3):
            total += i // 3
    elif ATTRIBUTE == "num_stages":
        for i in tl.range(0, n, 1, num_stages=3):
            total += i
    elif ATTRIBUTE == "loop_unroll_factor":
        for i in tl.range(0, n, loop_unroll_factor=4):
            total += i
    elif ATTRIBUTE == "disallow_acc_multi_buffer":
        for i in tl.range(0, n, disallow_acc_multi_buffer=True):
            total += i
    elif ATTRIBUTE == "flatten":
        for i in tl.range(0, n, flatten=True):
            for _ in tl.range(0, 1):
                total += i
    elif ATTRIBUTE == "warp_specialize":
        for i in tl.range(0, n, warp_specialize=True):
            total += i
    else:
        for i in tl.range(0, n, disable_licm=True):
            total += i
    tl.store(out_ptr, total)


def _range_attribute(name: str) -> None:
    def check(device: str, dtype: str) -> None:
        for n in (0, 1, 7):
            out = torch.full((1,), -1, dtype=TORCH[dtype], device=device)
            range_kernel[(1,)](out, n, ATTRIBUTE=name)
            assert out.item() == n * (n - 1) // 2

    check.__module__ = __name__
    program(f"tl.range.{name}", ("int32", "int64"), name=f"range_with_{name}")(check)


for _name in (
    "step", "num_stages", "loop_unroll_factor", "disallow_acc_multi_buffer", "flatten",
    "warp_specialize", "disable_licm",
):  # fmt: skip
    _range_attribute(_name)


@triton.jit
def target_kernel(out_ptr):
    # No target of a GPU here: what asks for one takes its other way.
    if tl.target_info.is_cuda():
        tl.store(out_ptr, 1)
    else:
        tl.store(out_ptr, 2)


@program("tl.target_info", ("int32",))
def target_info(device: str, dtype: str) -> None:
    if _interpreted() or device != "cpu":
        return
    out = torch.zeros(1, dtype=torch.int32, device=device)
    target_kernel[(1,)](out)
    assert out.item() == 2


if hasattr(tl, "expect_zero"):

    @triton.jit
    def newer_kernel(x_ptr, y_ptr, BLOCK: tl.constexpr):
        at = tl.arange(0, BLOCK)
        x = tl.load(x_ptr + at, mask=at < 10, other=0)
        tl.store(y_ptr + at, tl.expect_zero(x, at >= 10) + tl.to_tensor(1))

    @program("tl.expect_zero", FEW)
    def expect_zero(device: str, dtype: str) -> None:
        x = make_input(dtype, 16, "small", 0).to(device)
        y = torch.zeros_like(x)
        newer_kernel[(1,)](x, y, BLOCK=16)
        x[10:] = 0
        equal(y, x + 1, "sum")

    @program("tl.to_tensor", FEW)
    def to_tensor(device: str, dtype: str) -> None:
        expect_zero(device, dtype)

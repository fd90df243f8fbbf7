"""Bad input: a typed Python error that names the user's line, and the next kernel runs."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
import torch
import triton
import triton.language as tl

pytestmark = pytest.mark.skipif(
    os.environ.get("TRITON_INTERPRET", "0") == "1", reason="the interpreter has its own errors"
)


@triton.jit
def good_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) + 1, mask=mask)


def launch_good(x, grid=(2,)) -> torch.Tensor:
    out = torch.zeros(100)
    good_kernel[grid](x, out, 100, BLOCK=64)
    return out


@pytest.fixture(autouse=True)
def next_kernel_runs():
    """After each refusal the process can still launch."""
    yield
    assert torch.equal(launch_good(torch.arange(100.0)), torch.arange(100.0) + 1)


# --- kernels that cannot be compiled -------------------------------------------------------------


@triton.jit
def adds_pointers(x_ptr, out_ptr):
    bad = x_ptr + out_ptr
    tl.store(out_ptr, tl.load(bad))


@triton.jit
def float_offsets(x_ptr, out_ptr):
    bad = x_ptr + tl.arange(0, 64) * 1.5
    tl.store(out_ptr + tl.arange(0, 64), tl.load(bad))


@triton.jit
def mask_of_wrong_shape(x_ptr, out_ptr):
    bad = tl.load(x_ptr + tl.arange(0, 64), mask=tl.arange(0, 32) < 5)
    tl.store(out_ptr + tl.arange(0, 64), bad)


@triton.jit
def mask_of_wrong_rank(x_ptr, out_ptr):
    rows = tl.arange(0, 8)
    tl.store(out_ptr + rows, 1.0, mask=(rows[:, None] < 5) & (rows[None, :] < 6))  # bad


@triton.jit
def shapes_that_do_not_fit(x_ptr, out_ptr):
    x = tl.load(x_ptr + tl.arange(0, 64))
    bad = x + tl.arange(0, 32)
    tl.store(out_ptr + tl.arange(0, 64), bad)


@triton.jit
def arange_of_odd_size(x_ptr, out_ptr):
    bad = tl.arange(0, 60)
    tl.store(out_ptr + bad, tl.load(x_ptr + bad))


@triton.jit
def type_changes_in_loop(x_ptr, out_ptr):
    bad = 0
    for i in range(tl.num_programs(0)):
        bad = tl.load(x_ptr + i) + bad
    tl.store(out_ptr, bad)


@triton.jit
def undefined_name(x_ptr, out_ptr):
    tl.store(out_ptr, tl.load(x_ptr) + bad)  # noqa: F821


@triton.jit
def loads_a_number(x_ptr, out_ptr):
    bad = tl.load(tl.program_id(0))
    tl.store(out_ptr, bad)


@triton.jit
def dot_that_does_not_fit(x_ptr, out_ptr):
    x = tl.load(x_ptr + tl.arange(0, 32)[:, None] * 16 + tl.arange(0, 16)[None, :])
    bad = tl.dot(x, x)
    tl.store(out_ptr + tl.arange(0, 32)[:, None] + tl.arange(0, 16)[None, :], bad)


@triton.jit
def calls_python(x_ptr, out_ptr):
    bad = math.sqrt(tl.load(x_ptr))
    tl.store(out_ptr, bad)


@triton.jit
def failing_static_assert(x_ptr, out_ptr):
    tl.static_assert(x_ptr.dtype.element_ty == tl.int8, "bad element type")
    tl.store(out_ptr, tl.load(x_ptr))


@triton.jit
def foreign_assembly(x_ptr, out_ptr):
    x = tl.load(x_ptr + tl.arange(0, 64))
    bad = tl.inline_asm_elementwise(
        "mov.b32 $0, $1;", "=r,r", [x], dtype=tl.float32, is_pure=True, pack=1
    )
    tl.store(out_ptr + tl.arange(0, 64), bad)


def test_foreign_assembly_is_refused_by_the_assembler() -> None:
    x, out = torch.zeros(64), torch.zeros(64)
    with pytest.raises(triton.CompilationError, match="invalid instruction mnemonic"):
        foreign_assembly[(1,)](x, out)


FAULTY = [
    adds_pointers, float_offsets, mask_of_wrong_shape, mask_of_wrong_rank, shapes_that_do_not_fit,
    arange_of_odd_size, type_changes_in_loop, undefined_name, loads_a_number,
    dot_that_does_not_fit, calls_python, failing_static_assert,
]  # fmt: skip


@pytest.mark.parametrize("kernel", FAULTY, ids=lambda k: k.fn.__name__)
def test_kernel_that_cannot_be_compiled(kernel) -> None:
    """A compilation error whose text holds the user's line (it has the word `bad` in it)."""
    x, out = torch.zeros(512), torch.zeros(512)
    with pytest.raises(triton.CompilationError) as caught:
        kernel[(1,)](x, out)
    assert "bad" in str(caught.value), str(caught.value)
    assert not out.any()


def test_the_same_error_twice() -> None:
    """Nothing of a failed compilation stays in a cache."""
    for _ in range(2):
        with pytest.raises(triton.CompilationError, match="bad"):
            mask_of_wrong_shape[(1,)](torch.zeros(64), torch.zeros(64))


def test_recursion_is_refused() -> None:
    with pytest.raises(Exception) as caught:
        recursive[(1,)](torch.zeros(1), 3)
    assert isinstance(caught.value, (triton.CompilationError, RecursionError))


@triton.jit
def recursive(x_ptr, n):
    tl.store(x_ptr, n)
    recursive(x_ptr, n)


# --- launches that cannot run --------------------------------------------------------------------


class Lost:
    """Says that it has elements and has no memory."""

    dtype = torch.float32

    def data_ptr(self) -> int:
        return 0

    def numel(self) -> int:
        return 100


def test_null_pointer() -> None:
    with pytest.raises(ValueError, match="x_ptr"):
        launch_good(Lost())


def test_negative_strides() -> None:
    with pytest.raises(ValueError, match="stride"):
        launch_good(np.arange(100, dtype=np.float32)[::-1])


@pytest.mark.parametrize(
    "value", ["text", object(), [1.0, 2.0], {}], ids=["str", "object", "list", "dict"]
)
def test_object_without_data_ptr(value: object) -> None:
    with pytest.raises(TypeError, match="x_ptr"):
        launch_good(value)


@pytest.mark.parametrize("grid", [(0,), (2, 0), (1, 1, 0)])
def test_empty_grid(grid: tuple[int, ...]) -> None:
    assert not launch_good(torch.ones(100), grid).any()


@pytest.mark.parametrize("grid", [(-1,), (1, -5)])
def test_negative_grid(grid: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="grid"):
        launch_good(torch.ones(100), grid)


def test_missing_argument() -> None:
    with pytest.raises(TypeError, match="n"):
        good_kernel[(1,)](torch.ones(100), torch.ones(100), BLOCK=64)


def test_numpy_arrays_are_accepted() -> None:
    x, out = np.arange(100, dtype=np.float32), np.zeros(100, dtype=np.float32)
    good_kernel[(2,)](x, out, 100, BLOCK=64)
    assert (out == x + 1).all()

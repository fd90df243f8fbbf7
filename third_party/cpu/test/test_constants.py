"""Constants of loops: read from memory where they are used, and not spread by an instruction."""

from __future__ import annotations

import re

import pytest
import torch
import triton
import triton.language as tl

from seagrove.backends import cpu
from seagrove.compiler import options, stages, targets


@triton.jit
def error_function_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at, mask=at < n)
    tl.store(y_ptr + at, tl.erf(x), mask=at < n)


def loops(assembly: str) -> list[str]:
    """The text from each label up to a branch back to it, without a label in between."""
    pattern = r"^(\.LBB\w+):\n((?:\t.*\n)*?)\tj\w+\t\1$"
    return [body for _, body in re.findall(pattern, assembly, re.MULTILINE)]


@pytest.mark.skipif(
    targets.host().triple.partition("-")[0] != "x86_64", reason="the host's code is of another ISA"
)
@pytest.mark.parametrize("target, register", [("x86-64-v3", "ymm"), ("x86-64-v4", "zmm")])
def test_no_constant_is_spread_in_a_loop(target, register):
    x = torch.randn(1000)
    y = torch.empty_like(x)
    kernel = error_function_kernel[(1,)](x, y, 1000, BLOCK=1024)
    assert torch.allclose(y, torch.erf(x))
    described = next(t for t in cpu.descriptions() if t.name == target)
    compiled = stages.compile_ttir(
        kernel.asm["ttir"], described, options.CodegenOptions(), emit="asm"
    )
    polynomial = max(loops(compiled.text()), key=lambda body: len(re.findall("vfn?madd", body)))
    assert len(re.findall(rf"vfn?madd.*%{register}", polynomial)) >= 15
    assert len(re.findall("vbroadcastss", polynomial)) <= 2


def test_two_loops_share_a_constant():
    """Loops of one function: with many constants, and with few of the same."""

    @triton.jit
    def kernel(x_ptr, y_ptr, z_ptr, n, BLOCK: tl.constexpr):
        at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + at, mask=at < n, other=4.0)
        tl.store(y_ptr + at, tl.erf(x), mask=at < n)
        tl.store(z_ptr + at, x * 4.0 + 1.0, mask=at < n)

    for n in (0, 1, 63, 64, 65):
        x = torch.randn(65)
        y, z = torch.full_like(x, -7), torch.full_like(x, -7)
        kernel[(2,)](x, y, z, n, BLOCK=64)
        assert torch.allclose(y[:n], torch.erf(x[:n]))
        assert torch.equal(z[:n], x[:n] * 4 + 1)
        assert (y[n:] == -7).all() and (z[n:] == -7).all()

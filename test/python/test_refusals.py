"""What is refused, as a user meets it: a typed error with the line, the reason and what to do."""

from __future__ import annotations

import inspect
import re

import pytest
import torch
import triton
import triton.language as tl
from triton.language import core

from seagrove.errors import CompileError


@triton.jit
def foreign_assembly_kernel(x_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at)
    y = tl.inline_asm_elementwise(  # here
        "shl.b32 $0, $0, 3;", "=r,r", [x], dtype=tl.int32, is_pure=True, pack=1
    )
    tl.store(x_ptr + at, y)


@core.extern
def no_such_function(x, _semantic=None):
    return core.extern_elementwise(
        "other", "", [x], {(core.dtype("fp32"),): ("__nv_nothing", core.dtype("fp32"))},
        is_pure=True, _semantic=_semantic,
    )  # fmt: skip


@triton.jit
def foreign_function_kernel(x_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + at).to(tl.float32)
    tl.store(x_ptr + at, no_such_function(x).to(tl.int32))


@pytest.mark.parametrize(
    ("kernel", "code", "reason", "advice"),
    [
        (foreign_assembly_kernel, "SG0505", "shl.b32", "tl operations"),
        (foreign_function_kernel, "SG0310", "__nv_nothing", "libdevice"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("SG") else "",
)
def test_refusal(kernel, code, reason, advice):
    x = torch.zeros(16, dtype=torch.int32)
    with pytest.raises(CompileError) as caught:
        kernel[(1,)](x, BLOCK=16)
    text = str(caught.value)
    assert caught.value.code == code
    assert reason in text and advice in text
    assert f"seagrove explain {code}" in text
    [error] = [d for d in caught.value.diagnostics if d.severity == "error"]
    lines, first = inspect.getsourcelines(kernel.fn)
    assert error.file == __file__ or code == "SG0310"
    if code == "SG0505":
        marked = next(i for i, line in enumerate(lines) if "# here" in line)
        assert first + marked <= error.line <= first + marked + 2
    assert re.search(r"--> .*\.py:\d+:\d+", text)

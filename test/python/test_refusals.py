"""What is refused, as a user meets it: a typed error with the line, the reason and what to do."""

from __future__ import annotations

import inspect
import re

import pytest
import torch
import triton
import triton.language as tl
from triton.language import core

from seagrove.compiler.options import CodegenOptions
from seagrove.compiler.stages import compile_ttir
from seagrove.errors import CompileError
from seagrove.runtime import registry


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


@triton.jit
def same(pointer):
    return pointer


@triton.jit
def unknown_pointers_kernel(x_ptr, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(tl.map_elementwise(same, x_ptr + at), at)  # here


@triton.jit
def returning_kernel(x_ptr, BLOCK: tl.constexpr):
    tl.store(x_ptr + tl.arange(0, BLOCK), 1)
    return BLOCK  # here


@pytest.mark.parametrize(
    ("kernel", "code", "reason", "advice"),
    [
        (foreign_assembly_kernel, "SG0505", "shl.b32", "tl operations"),
        (foreign_function_kernel, "SG0310", "__nv_nothing", "libdevice"),
        (unknown_pointers_kernel, "SG0211", "where the pointers", "tl.arange"),
        (returning_kernel, "SG0406", "returns nothing", "Store the value"),
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
    if code != "SG0310":
        marked = next(i for i, line in enumerate(lines) if "# here" in line)
        assert first + marked <= error.line <= first + marked + 2
    assert re.search(r"--> .*\.py:\d+:\d+", text)


def of_text(body: str, parameters: str = "%p: !tt.ptr<i32>", before: str = "") -> str:
    """A kernel whose first `HERE` is a place in this file."""
    here = f'loc("{__file__}":{inspect.getsourcelines(of_text)[1]}:5)'
    text = f"module {{ {before} tt.func public @k({parameters}) {{ {body} tt.return }} HERE }}"
    return text.replace("HERE", here, 1).replace("HERE", "")


BLOCK = "%c = arith.constant dense<1> : tensor<4xi32>"
STORE = """
  %s = tt.splat %p : !tt.ptr<i32> -> tensor<4x!tt.ptr<i32>>
  tt.store %s, %0 : tensor<4x!tt.ptr<i32>>
"""
FOREIGN = "tt.func private @foreign(tensor<4xi32>)"
ENDLESS = """
  %0 = "tt.map_elementwise"(%c) <{pack = 1 : i32}> ({
  ^bb0(%a: i32):
    %none = arith.constant 0 : i32
    %more = arith.cmpi sgt, %a, %none : i32
    cf.cond_br %more, ^bb1, ^bb2
  ^bb1:
    cf.br ^bb1
  ^bb2:
    tt.map_elementwise.return %a : i32
  }) : (tensor<4xi32>) -> tensor<4xi32> HERE
"""
INSERT = "%0 = tensor.insert %v into %c[%i] : tensor<4xi32> HERE"
PRODUCT = """
  %m = arith.constant dense<1> : tensor<4x4xi32>
  %0 = linalg.matvec ins(%m, %c : tensor<4x4xi32>, tensor<4xi32>) outs(%c : tensor<4xi32>)
    -> tensor<4xi32> HERE
"""


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("SG0303", of_text(BLOCK + ENDLESS + STORE)),
        ("SG0401", of_text(BLOCK + INSERT + STORE, "%p: !tt.ptr<i32>, %i: index, %v: i32")),
        ("SG0404", of_text("", "%c: tensor<4xi32>")),
        ("SG0405", of_text(BLOCK + "tt.call @foreign(%c) : (tensor<4xi32>) -> () HERE",
                           before=FOREIGN + " ")),
        ("SG0407", of_text(BLOCK + PRODUCT + STORE)),
    ],
)  # fmt: skip
def test_refusal_of_what_no_front_end_writes_today(code, text):
    with pytest.raises(CompileError) as caught:
        compile_ttir(text, registry.find("cpu").load().describe(""), CodegenOptions())
    assert caught.value.code == code
    first = inspect.getsourcelines(of_text)[1]
    found = caught.value.diagnostics
    assert any((d.code, d.file, d.line) == (code, __file__, first) for d in found)
    assert f"seagrove explain {code}" in str(caught.value)

"""Programs as Python source with `@triton.jit`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seagrove.testing.differential import formats
from seagrove.testing.differential.ir import (
    Argument,
    Atomic,
    For,
    If,
    Load,
    Op,
    Program,
    Statement,
    Store,
    While,
    Window,
)
from seagrove.testing.differential.ops import OPS

HEADER = "import triton\nimport triton.language as tl\n"
HELPERS = """
@triton.jit
def multiply(a, b):
    return a * b


@triton.jit
def larger(a, b):
    return tl.maximum(a, b)


@triton.jit
def sum_and_larger(a, b, c, d):
    return a + c, tl.maximum(b, d)


@triton.jit
def compose(a, b, c, d):
    return a * c, b * c + d

"""


def source(program: Program) -> str:
    """The text of a module whose `kernel` is the program."""
    names = [b.name for b in program.buffers] + [s.name for s in program.scalars]
    body = "\n".join(_lines(program.body, "    ")) or "    pass"
    return f"{HEADER}\n{HELPERS}\n@triton.jit\ndef kernel({', '.join(names)}):\n{body}\n"


def _lines(body: Sequence[Statement], indent: str) -> list[str]:
    found: list[str] = []
    for item in body:
        if isinstance(item, For):
            found.append(f"{indent}for {item.index} in {_range(item)}:")
            found += _block(item.body, indent)
        elif isinstance(item, While):
            found.append(f"{indent}while {item.left} < {item.right}:")
            found += _block(item.body, indent)
        elif isinstance(item, If):
            found.append(f"{indent}if {item.condition}:")
            found += _block(item.then, indent)
            if item.otherwise:
                found.append(f"{indent}else:")
                found += _block(item.otherwise, indent)
        else:
            found.append(indent + _line(item))
    return found


def _block(body: Sequence[Statement], indent: str) -> list[str]:
    return _lines(body, indent + "    ") or [f"{indent}    pass"]


def _range(loop: For) -> str:
    return f"{loop.kind}({loop.start}, {loop.stop}, {loop.step})"


def _line(item: Statement) -> str:
    if isinstance(item, Op):
        return f"{item.out} = {expression(item)}"
    if isinstance(item, Load) and item.window is not None:
        return f"{item.out} = {_window_load(item, item.window)}"
    if isinstance(item, Store) and item.window is not None:
        return _window_store(item, item.window)
    if isinstance(item, Load):
        return f"{item.out} = tl.load({_call(item.pointer, mask=item.mask, other=item.other)})"
    if isinstance(item, Store):
        return f"tl.store({_call(item.pointer, _literal(item.value), mask=item.mask)})"
    assert isinstance(item, Atomic)
    call = f"tl.atomic_{item.kind}({_call(item.pointer, item.value, mask=item.mask)})"
    return f"{item.out} = {call}" if item.out else call


def _descriptor(pointer: str, window: Window, block: tuple[int, ...]) -> str:
    """Makes what describes the matrix; a pointer to a block is also where the block is."""
    shape, strides = f"shape={list(window.shape)}", f"strides={list(window.strides)}"
    of_block = f"block_shape={list(block)}"
    if window.kind == "descriptor":
        return f"tl.make_tensor_descriptor({pointer}, {shape}, {strides}, {of_block})"
    order = list(range(len(block)))[::-1]
    places = f"offsets={_places(window)}, {of_block}, order={order}"
    return f"tl.make_block_ptr({pointer}, {shape}, {strides}, {places})"


def _places(window: Window) -> str:
    return "[" + ", ".join(_literal(offset) for offset in window.offsets) + "]"


def _window_load(item: Load, window: Window) -> str:
    made = _descriptor(item.pointer, window, item.type.shape)
    if window.kind == "descriptor":
        return f"{made}.load({_places(window)})"
    checked = list(range(len(item.type.shape)))
    return f"tl.load({made}, boundary_check={checked}, padding_option='zero')"


def _window_store(item: Store, window: Window) -> str:
    made = _descriptor(item.pointer, window, item.block)
    if window.kind == "descriptor":
        return f"{made}.store({_places(window)}, {_literal(item.value)})"
    checked = list(range(len(item.block)))
    return f"tl.store({made}, {_literal(item.value)}, boundary_check={checked})"


def expression(op: Op) -> str:
    """The Triton expression of one operation."""
    attrs: dict[str, Any] = dict(op.attrs)
    attrs.setdefault("keep", False)
    attrs.setdefault("reverse", False)
    attrs["shape"] = list(op.type.shape)
    if not op.type.is_pointer:
        attrs["dtype"] = f"tl.{formats.TRITON_NAMES[op.type.dtype]}"
    return OPS[op.op].text.format(*(_literal(arg) for arg in op.args), **attrs)


def _literal(arg: Argument) -> str:
    if isinstance(arg, str):
        return arg
    return f"({arg!r})" if arg < 0 else repr(arg)


def _call(*parts: str, **named: Argument | None) -> str:
    given = [f"{key}={_literal(value)}" for key, value in named.items() if value is not None]
    return ", ".join((*parts, *given))

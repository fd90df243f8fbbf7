"""Primitives on whole blocks: shapes, reductions, scans, sorting, products of matrices.

A row is an expression over loaded blocks and its reference over NumPy arrays. Floats take integer
values where the order of a sum is free, so that the comparison can be exact.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Callable
from typing import Any

import kit
import numpy as np
import torch
from kit import (
    ALL,
    EVERY_WIDTH,
    EXACT,
    FEW,
    FLOATS,
    INTS,
    NARROW,
    NUMBERS,
    TORCH,
    WIDE_FLOATS,
    Array,
    Bound,
    Case,
    assert_close,
    build_kernel,
    is_float,
    make_input,
    to_numpy,
)

Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Block:
    """`expr` over blocks x, y, z of the given `shapes`, whose results have the shapes `outs`.

    `ref` gives one array, or a tuple where there are several outputs.
    """

    name: str
    expr: str
    ref: Callable[..., Any]
    shapes: tuple[Shape, ...]
    outs: tuple[Shape, ...]
    dtypes: tuple[str, ...] = FEW
    domain: str = "small"
    out: str = ""
    bound: Bound = EXACT
    primitive: str = ""
    family: str = "shape"
    second_dtype: str = ""

    def tested_primitive(self) -> str:
        """As given, or else the first one that the expression calls."""
        found = re.search(r"tl\.(?!u?int\d|float\d)\w+", self.expr)
        return self.primitive or (found.group() if found else "tl.broadcast")

    def operand_dtype(self, dtype: str, index: int) -> str:
        return self.second_dtype if index and self.second_dtype else dtype


def _swizzle_row(i: Array, j: Array) -> Array:
    """Row of (i, j) of a 4 x 8 grid, walked column by column in groups of two rows."""
    linear = i * 8 + j
    first = linear // 16 * 2
    return first + linear % 16 % 2


A, B = (4, 8), (8, 16)
SHAPES = [
    Block("arange", "tl.arange(0, 32) + x", lambda x: np.arange(32) + x, ((),), ((32,),)),
    Block("arange with start", "tl.arange(16, 32) + x", lambda x: np.arange(16, 32) + x,
          ((),), ((16,),)),
    Block("zeros", "tl.zeros((4, 8), tl.int32) + x", lambda x: np.zeros(A) + x, ((),), (A,)),
    Block("zeros like", "tl.zeros_like(x)", np.zeros_like, (A,), (A,), NUMBERS),
    Block("full", "tl.full((4, 8), 3, tl.int32) + x", lambda x: np.full(A, 3) + x, ((),), (A,)),
    Block("full of a loaded value", "tl.full((4, 8), x, x.dtype)", lambda x: np.full(A, x),
          ((),), (A,), ALL, "any"),
    Block("broadcast rows", "x[:, None] + y[None, :]", lambda x, y: x[:, None] + y, ((4,), (8,)),
          (A,), EVERY_WIDTH),
    Block("broadcast to", "tl.broadcast_to(x, (4, 8))", lambda x: np.broadcast_to(x, A), ((4, 1),),
          (A,), ALL),
    Block("broadcast of two", "tl.where(x > y, x, y)", np.maximum, ((4, 1), (1, 8)), (A,),
          NUMBERS),
    Block("expand dims", "tl.expand_dims(x, 1) + y", lambda x, y: x[:, None] + y, ((4,), A), (A,)),
    Block("expand dims twice", "tl.expand_dims(x, (0, 2)) + y",
          lambda x, y: x[None, :, None] + y, ((4,), (2, 4, 8)), ((2, 4, 8),)),
    Block("reshape", "tl.reshape(x, (8, 4))", lambda x: x.reshape(8, 4), (A,), ((8, 4),), ALL),
    Block("reshape to three", "x.reshape(2, 4, 16)", lambda x: x.reshape(2, 4, 16), (B,),
          ((2, 4, 16),), primitive="tl.reshape"),
    Block("reshape of one", "tl.reshape(x, (1, 1))", lambda x: x.reshape(1, 1), ((1,),),
          ((1, 1),)),
    Block("view", "tl.view(x, (32,))", lambda x: x.reshape(32), (A,), ((32,),)),
    Block("ravel", "tl.ravel(x)", np.ravel, (A,), ((32,),)),
    Block("trans", "tl.trans(x)", np.transpose, (A,), ((8, 4),), ALL),
    Block("trans of a product", "(x.T + y).T", lambda x, y: x + y.T, (A, (8, 4)), (A,),
          EVERY_WIDTH, primitive="tl.trans"),
    Block("permute", "tl.permute(x, (2, 0, 1))", lambda x: x.transpose(2, 0, 1), ((2, 4, 8),),
          ((8, 2, 4),), EVERY_WIDTH),
    Block("trans of three", "tl.trans(x, 0, 2, 1)", lambda x: x.transpose(0, 2, 1),
          ((2, 4, 8),), ((2, 8, 4),)),
    Block("join", "tl.join(x, y)", lambda x, y: np.stack([x, y], -1), (A, A), ((4, 8, 2),), ALL),
    Block("join of scalars", "tl.join(x, y)", lambda x, y: np.stack([x, y], -1), ((), ()), ((2,),)),
    Block("split", "tl.split(x)", lambda x: (x[..., 0], x[..., 1]), ((4, 8, 2),), (A, A), ALL),
    Block("split of two", "tl.split(x)", lambda x: (x[0], x[1]), ((2,),), ((), ())),
    Block("interleave", "tl.interleave(x, y)",
          lambda x, y: np.stack([x, y], -1).reshape(4, 16), (A, A), ((4, 16),), EVERY_WIDTH),
    Block("cat", "tl.sort(tl.cat(x, y, can_reorder=True))",
          lambda x, y: np.sort(np.concatenate([x, y])), ((16,), (16,)), ((32,),),
          primitive="tl.cat"),
    Block("flip", "tl.flip(x, 1)", lambda x: x[:, ::-1], (A,), (A,), NUMBERS),
    Block("flip of an axis", "tl.flip(x, 0)", lambda x: x[::-1], (A,), (A,)),
    Block("item of one", "tl.sum(x) + y", lambda x, y: x.sum() + y, ((1,), ()), ((),)),
    Block("blocks of one", "x[:, None] * y", lambda x, y: x[:, None] * y, ((1,), (1, 1)),
          ((1, 1),)),
    Block("swizzle", "tl.swizzle2d(x, y, 4, 8, 2)[0]", _swizzle_row, (A, A), (A,), ("int32",),
          "grid"),
]  # fmt: skip
HINTS = [
    Block(hint, f"tl.{hint}(x, 1) + 1", lambda x: x + 1, ((16,),), ((16,),), ("int32",))
    for hint in ("multiple_of", "max_contiguous", "max_constancy")
]


_REDUCERS: dict[str, Callable[..., Array]] = {
    "sum": np.sum, "max": np.max, "min": np.min, "argmax": np.argmax, "argmin": np.argmin,
    "xor_sum": np.bitwise_xor.reduce,
}  # fmt: skip


def reduce_rows() -> list[Block]:
    rows = []
    for name, ref in _REDUCERS.items():
        dtypes = INTS if name == "xor_sum" else NUMBERS
        out = "int32" if name.startswith("arg") else ""
        for shape in ((1,), (2,), (64,), (1024,), (8, 32), (32, 8), (4, 2, 16)):
            for axis in range(len(shape)):
                rest = shape[:axis] + shape[axis + 1 :]
                few = dtypes if shape in ((64,), (8, 32)) else _only(dtypes, EVERY_WIDTH)
                rows.append(
                    Block(f"{name} {shape} axis {axis}", f"tl.{name}(x, axis={axis})",
                          functools.partial(ref, axis=axis), (shape,), (rest,), few, "small", out,
                          primitive=f"tl.{name}", family="reduce")
                )  # fmt: skip
    rows += _reduce_forms()
    return rows


def _only(dtypes: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(d for d in dtypes if d in wanted)


def _welford_reference(x: Array) -> tuple[Array, Array]:
    return x.mean(1), ((x - x.mean(1, keepdims=True)) ** 2).sum(1)


def _reduce_forms() -> list[Block]:
    shape = (8, 32)
    left = "tie_break_left=True"

    def row(
        name: str, expr: str, ref: Callable[..., Any], outs: tuple[Shape, ...], **more: Any
    ) -> Block:
        return Block(name, expr, ref, (shape,), outs, family="reduce", **more)

    return [
        row("sum of all", "tl.sum(x)", np.sum, ((),), dtypes=NUMBERS),
        row("max of all", "tl.max(x)", np.max, ((),), dtypes=NUMBERS),
        row("sum keeps dims", "tl.sum(x, 1, keep_dims=True)", lambda x: x.sum(1, keepdims=True),
            ((8, 1),)),
        row("sum in a wider type", "tl.sum(x, 1, dtype=tl.int64)", lambda x: x.sum(1), ((8,),),
            dtypes=("int8", "int16", "int32"), domain="any", out="int64"),
        row("sum wraps", "tl.sum(x, 1)", lambda x: x.sum(1, dtype="i4"), ((8,),), dtypes=("int32",),
            domain="any"),
        row("max of any", "tl.max(x, 1)", lambda x: x.max(1), ((8,),), dtypes=INTS, domain="any"),
        row("min of any", "tl.min(x, 0)", lambda x: x.min(0), ((32,),), dtypes=INTS, domain="any"),
        row("max of negatives", "tl.max(-tl.abs(x) - 1, 1)", lambda x: (-abs(x) - 1).max(1),
            ((8,),), dtypes=("int8", "int32", *FLOATS)),
        row("max and index", f"tl.max(x, 1, return_indices=True, return_indices_{left})",
            lambda x: (x.max(1), x.argmax(1)), ((8,), (8,)), dtypes=("int32",)),
        row("min and index", f"tl.min(x, 0, return_indices=True, return_indices_{left})",
            lambda x: (x.min(0), x.argmin(0)), ((32,), (32,)), dtypes=("int32",)),
        row("reduce or", "tl.reduce_or(x > 1, 1)", lambda x: (x > 1).any(1), ((8,),), out="int1"),
        row("custom product", "tl.reduce(x, 1, combine.product)", lambda x: x.prod(1), ((8,),),
            dtypes=("int32", "int64", "float32", "float64"), domain="sign"),
        row("custom maximum", "tl.reduce(x, 0, combine.maximum)", lambda x: x.max(0), ((32,),),
            dtypes=EVERY_WIDTH),
        row("custom xor", "tl.reduce(x, 1, combine.exclusive_or)",
            lambda x: np.bitwise_xor.reduce(x, 1), ((8,),), dtypes=INTS, domain="any"),
        row("custom, of all", "tl.reduce(x, None, combine.maximum)", np.max, ((),)),
        row("welford", "tl.reduce((x, x * 0, x * 0 + 1), 1, combine.welford)[0:2]",
            _welford_reference, ((8,), (8,)), dtypes=WIDE_FLOATS, bound=Bound(8, 1e-5)),
        row("softmax", "tl.softmax(x, dim=1, keep_dims=True)",
            lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True), (shape,),
            dtypes=("float32",), bound=Bound(16, 1e-9)),
    ]  # fmt: skip


def _reversed_scan(ref: Callable[..., Array], axis: int) -> Callable[[Array], Array]:
    return lambda x: np.flip(ref(np.flip(x, axis), axis), axis)


def _linear_reference(a: Array, b: Array, axis: int) -> tuple[Array, Array]:
    """Composition of the maps t -> a t + b along an axis, one step at a time."""
    a, b = np.moveaxis(a.copy(), axis, 0), np.moveaxis(b.copy(), axis, 0)
    for i in range(1, len(a)):
        a[i], b[i] = a[i - 1] * a[i], a[i] * b[i - 1] + b[i]
    return np.moveaxis(a, 0, axis), np.moveaxis(b, 0, axis)


def scan_rows() -> list[Block]:
    rows = []
    cums: dict[str, Callable[..., Array]] = {"cumsum": np.cumsum, "cumprod": np.cumprod}
    for (name, ref), shape in itertools.product(
        cums.items(), ((1,), (32,), (512,), (8, 16), (4, 2, 8))
    ):
        for axis, reverse in itertools.product(range(len(shape)), (False, True)):
            forward = functools.partial(_scan_as, ref)
            scan = (
                _reversed_scan(forward, axis) if reverse else functools.partial(forward, axis=axis)
            )
            label = "reverse " if reverse else ""
            dtypes = ("int32", "float32", "float16", "bfloat16", "int64", "float64", "int8")
            rows.append(
                Block(f"{label}{name} {shape} axis {axis}",
                      f"tl.{name}(x, axis={axis}, reverse={reverse})", scan, (shape,), (shape,),
                      dtypes if shape == (8, 16) else FEW, "sign" if name == "cumprod" else "small",
                      primitive=f"tl.{name}", family="scan")
            )  # fmt: skip
    for axis, reverse in itertools.product((0, 1), (False, True)):
        label = f"axis {axis}" + (" reverse" if reverse else "")
        forward = np.maximum.accumulate
        scan = functools.partial(forward, axis=axis)
        rows.append(
            Block(f"associative maximum {label}",
                  f"tl.associative_scan(x, {axis}, combine.maximum, reverse={reverse})",
                  _reversed_scan(forward, axis) if reverse else scan,
                  ((8, 16),), ((8, 16),), EVERY_WIDTH, family="scan")
        )  # fmt: skip
    rows.append(
        Block("keep the first", "tl.associative_scan(x, 1, combine.first)",
              lambda x: np.broadcast_to(x[:, :1], x.shape), ((8, 16),), ((8, 16),), family="scan")
    )  # fmt: skip
    rows.append(
        Block("linear recurrence", "tl.associative_scan((x, y), 1, combine.linear)",
              functools.partial(_linear_reference, axis=1), ((4, 16), (4, 16)), ((4, 16), (4, 16)),
              WIDE_FLOATS, "tiny", bound=Bound(64, 1e-4),
              family="scan")
    )  # fmt: skip
    return rows


def _scan_as(ref: Callable[..., Array], x: Array, axis: int) -> Array:
    return ref(x, axis=axis, dtype=x.dtype)


def _topk_reference(k: int) -> Callable[[Array], Array]:
    return lambda x: -np.sort(-x.astype(np.float64), -1)[..., :k]


def order_rows() -> list[Block]:
    sortable = ("int8", "int16", "int32", "int64", "uint8", "uint32", *FLOATS)
    rows = [
        Block("sort", "tl.sort(x)", np.sort, ((64,),), ((64,),), sortable),
        Block("sort of one", "tl.sort(x)", np.sort, ((1,),), ((1,),)),
        Block("sort of rows", "tl.sort(x)", np.sort, ((4, 32),), ((4, 32),)),
        Block("sort falling", "tl.sort(x, descending=True)", lambda x: -np.sort(-x), ((4, 32),),
              ((4, 32),), ("int32", "float32", "float16")),
        Block("sort of 1024", "tl.sort(x)", np.sort, ((1024,),), ((1024,),), ("float32",)),
        Block("topk", "tl.topk(x, 8)", _topk_reference(8), ((4, 64),), ((4, 8),),
              ("int32", "float32", "float16")),
        Block("topk of one", "tl.topk(x, 1)", _topk_reference(1), ((2, 16),), ((2, 1),)),
        Block("histogram", "tl.histogram(x, 8)", lambda x: np.bincount(x, minlength=8), ((64,),),
              ((8,),), ("int32",), "bins"),
        Block("histogram, masked", "tl.histogram(x, 8, mask=tl.arange(0, 64) < 37)",
              lambda x: np.bincount(x[:37], minlength=8), ((64,),), ((8,),), ("int32",), "bins"),
        Block("gather rows", "tl.gather(x, y, 0)", lambda x, y: np.take_along_axis(x, y, 0),
              ((8, 16), (4, 16)), ((4, 16),), EVERY_WIDTH, second_dtype="int32"),
        Block("gather columns", "tl.gather(x, y, 1)", lambda x, y: np.take_along_axis(x, y, 1),
              ((8, 16), (8, 4)), ((8, 4),), ("int64", "float32", "float16"), second_dtype="int32"),
        Block("gather of a vector", "tl.gather(x, y, 0)", lambda x, y: x[y], ((32,), (64,)),
              ((64,),), second_dtype="int32"),
        Block("map elementwise", "tl.map_elementwise(combine.square_or_zero, x)",
              lambda x: np.where(x > 0, x * x, 0), ((16,),), ((16,),)),
        Block("bitonic merge", "tl.bitonic_merge(x)", np.sort, ((32,),), ((32,),), ("float32",),
              "bitonic"),
    ]  # fmt: skip
    return [dataclasses.replace(row, family="order") for row in rows]


_DOT_SIZES = (
    (16, 16, 16), (32, 64, 16), (64, 32, 128), (128, 128, 32), (16, 16, 64), (1, 16, 16),
    (16, 1, 16), (16, 16, 1), (1, 1, 1), (2, 4, 8), (8, 8, 8),
)  # fmt: skip


def _matmul(x: Array, y: Array) -> Array:
    wide = "i4" if x.dtype.kind in "iu" else "f8"
    return x.astype(wide) @ y.astype(wide)


def dot_rows() -> list[Block]:
    rows = []
    for m, n, k in _DOT_SIZES:
        common = (m, n, k) == (16, 16, 16) or (m, n, k) == (128, 128, 32) or (m, n, k) == (2, 4, 8)
        floats = FLOATS if common else ("float32", "bfloat16")
        rows.append(
            Block(f"dot {m}x{n}x{k}", 'tl.dot(x, y, input_precision="ieee")', _matmul,
                  ((m, k), (k, n)), ((m, n),), floats, out="float32")
        )  # fmt: skip
        rows.append(
            Block(f"dot {m}x{n}x{k} integers", "tl.dot(x, y)", _matmul, ((m, k), (k, n)), ((m, n),),
                  ("int8",), domain="any", out="int32")
        )  # fmt: skip
    square, batch = (16, 16), (2, 16, 16)
    rows += [
        Block("dot with accumulator", "tl.dot(x, y, z.to(tl.float32))",
              lambda x, y, z: _matmul(x, y) + z, (square,) * 3, (square,),
              ("float32", "float16", "bfloat16"), out="float32"),
        Block("dot with integer accumulator", "tl.dot(x, y, z.to(tl.int32), out_dtype=tl.int32)",
              lambda x, y, z: _matmul(x, y) + z, (square,) * 3, (square,), ("int8",), out="int32"),
        Block("dot to half", "tl.dot(x, y, out_dtype=tl.float16)", _matmul, (square,) * 2,
              (square,), ("float16",)),
        Block("dot, tf32 asked", 'tl.dot(x, y, input_precision="tf32")', _matmul, (square,) * 2,
              (square,), ("float32",)),
        Block("dot, tf32x3 asked", 'tl.dot(x, y, input_precision="tf32x3")', _matmul, (square,) * 2,
              (square,), ("float32",)),
        *(
            Block(f"dot, {precision} asked", f'tl.dot(x, y, input_precision="{precision}")',
                  _matmul, (square,) * 2, (square,), ("float32",))
            for precision in ("bf16x3", "bf16x6")
        ),
        Block("dot, tf32 allowed", "tl.dot(x, y, allow_tf32=True)", _matmul, (square,) * 2,
              (square,), ("float32",)),
        Block("dot, imprecise sums asked", "tl.dot(x, y, max_num_imprecise_acc=16)", _matmul,
              (square,) * 2, (square,), NARROW, out="float32"),
        Block("dot of 8-bit floats", "tl.dot(x, y)", _matmul, (square,) * 2, (square,), NARROW,
              out="float32"),
        Block("dot of 8-bit floats to half", "tl.dot(x, y, out_dtype=tl.float16)", _matmul,
              (square,) * 2, (square,), NARROW, out="float16"),
        *(
            Block(f"dot of {first} and {second}", "tl.dot(x, y)", _matmul, (square,) * 2, (square,),
                  (first,), out="float32", second_dtype=second)
            for first in NARROW for second in NARROW if first != second
        ),
        Block("dot of doubles with accumulator", "tl.dot(x, y, z, out_dtype=tl.float64)",
              lambda x, y, z: _matmul(x, y) + z, (square,) * 3, (square,), ("float64",)),
        Block("dot to half with accumulator", "tl.dot(x, y, z, out_dtype=tl.float16)",
              lambda x, y, z: _matmul(x, y) + z, (square,) * 3, (square,), ("float16",)),
        Block("batched dot of integers", "tl.dot(x, y)", _matmul, (batch,) * 2, (batch,),
              ("int8",), out="int32"),
        Block("batched dot of doubles", "tl.dot(x, y, out_dtype=tl.float64)", _matmul,
              (batch,) * 2, (batch,), ("float64",)),
        Block("batched dot", "tl.dot(x, y)", _matmul, (batch,) * 2, (batch,),
              ("float32", "float16", "bfloat16"), out="float32"),
        Block("batched dot of other sizes", "tl.dot(x, y, z)", lambda x, y, z: _matmul(x, y) + z,
              ((4, 16, 32), (4, 32, 64), (4, 16, 64)), ((4, 16, 64),), ("float32",)),
        Block("dot of a transposed block", "tl.dot(x, y.T)", lambda x, y: _matmul(x, y.T),
              ((32, 16), (64, 16)), ((32, 64),), ("float32", "float16"), out="float32"),
        Block("chain of dots", "tl.dot(tl.dot(x, y).to(x.dtype), z)",
              lambda x, y, z: _matmul(_matmul(x, y), z), (square,) * 3, (square,), ("float32",)),
        Block("dot and row maximum", "tl.max(tl.dot(x, y), 1)", lambda x, y: _matmul(x, y).max(1),
              (square,) * 2, ((16,),), ("float32", "float16"), out="float32"),
    ]  # fmt: skip
    return [dataclasses.replace(row, family="dot") for row in rows]


BLOCKS: list[Block] = [
    *SHAPES, *HINTS, *reduce_rows(), *scan_rows(), *order_rows(), *dot_rows(),
]  # fmt: skip


# --- from rows to cases --------------------------------------------------------------------------


def index_text(shape: Shape) -> str:
    """Row-major offsets of a block as text: only `arange`, `[None]` and arithmetic."""
    if not shape:
        return "0"
    terms, step = [], 1
    for axis in reversed(range(len(shape))):
        subscript = ", ".join(":" if i == axis else "None" for i in range(len(shape)))
        arange = f"tl.arange(0, {shape[axis]})"
        terms.append(f"{arange}[{subscript}] * {step}" if len(shape) > 1 else arange)
        step *= shape[axis]
    return " + ".join(terms)


def _kernel_source(rows: list[Block]) -> str:
    params, lines = [], []
    for i, row in enumerate(rows):
        for v, shape in zip("xyz", row.shapes):  # noqa: B905
            params.append(f"{v}{i}_ptr")
            lines.append(f"{v} = tl.load({v}{i}_ptr + ({index_text(shape)}))")
        results = [f"r{k}" for k in range(len(row.outs))]
        lines.append(f"{', '.join(results)} = {row.expr}")
        for k, shape in enumerate(row.outs):
            params.append(f"out{i}_{k}_ptr")
            lines.append(f"tl.store(out{i}_{k}_ptr + ({index_text(shape)}), r{k})")
    body = "\n".join(f"    {line}" for line in lines)
    return f"@triton.jit\ndef kernel({', '.join(params)}):\n{body}\n"


def _operands(row: Block, dtype: str) -> list[torch.Tensor]:
    operands = []
    for i, shape in enumerate(row.shapes):
        n = int(np.prod(shape))
        second = row.operand_dtype(dtype, i)
        is_index = i == 1 and "tl.gather(" in row.expr
        if row.domain in ("bins", "grid") or is_index:
            top = {"bins": 8, "grid": 4}.get(row.domain, row.shapes[0][_gather_axis(row)])
            x = torch.randint(0, top, (n,), generator=torch.Generator().manual_seed(i))
            x = x.to(TORCH[second])
        elif row.domain == "bitonic":
            x = torch.cat([torch.arange(n // 2), torch.arange(n - n // 2).flip(0)]).to(TORCH[dtype])
        else:
            x = make_input(second, n, row.domain, i)
        operands.append(x.reshape(shape))
    return operands


def _gather_axis(row: Block) -> int:
    return int(row.expr.endswith(", 1)"))


def _outputs(row: Block, dtype: str, device: str) -> list[torch.Tensor]:
    kind = TORCH[row.out or dtype]
    return [torch.zeros(max(int(np.prod(s)), 1), dtype=kind, device=device) for s in row.outs]


def _run(rows: list[Block], dtype: str, device: str) -> list[list[torch.Tensor]]:
    kernel = build_kernel(_kernel_source(rows))
    args, outputs = [], []
    for row in rows:
        outputs.append(_outputs(row, dtype, device))
        args += [x.contiguous().to(device) for x in _operands(row, dtype)] + outputs[-1]
    kernel[(1,)](*args)
    return outputs


GROUP_SIZE = 12


@functools.cache
def _group(family: str, dtype: str) -> list[list[Block]]:
    """The rows of a family in portions that share a kernel."""
    rows = [row for row in BLOCKS if row.family == family and dtype in row.dtypes]
    return [rows[i : i + GROUP_SIZE] for i in range(0, len(rows), GROUP_SIZE)]


@functools.cache
def _group_results(
    family: str, dtype: str, part: int, device: str
) -> dict[str, list[torch.Tensor]]:
    """Results of the kernel that a portion of rows shares; empty where that kernel fails."""
    rows = _group(family, dtype)[part]
    try:
        return dict(zip((r.name for r in rows), _run(rows, dtype, device), strict=True))
    except Exception:
        return {}


def _check(row: Block, dtype: str, device: str) -> None:
    part = next(i for i, rows in enumerate(_group(row.family, dtype)) if row in rows)
    shared = {} if kit.ALONE else _group_results(row.family, dtype, part, device)
    results = shared[row.name] if shared else _run([row], dtype, device)[0]
    want = row.ref(*(to_numpy(x) for x in _operands(row, dtype)))
    wants = want if len(row.outs) > 1 else (want,)
    out_dtype = row.out or dtype
    for k, (got, one) in enumerate(zip(results, wants, strict=True)):
        expected = np.asarray(one)
        if not is_float(out_dtype) and out_dtype != "int1":
            expected = expected.astype(out_dtype)
        assert_close(got.reshape(row.outs[k]), expected, out_dtype, row.bound, row.expr)


def cases() -> list[Case]:
    return [
        Case(row.family, row.name.replace(" ", "_"), row.tested_primitive(), dtype,
             functools.partial(_check, row, dtype))
        for row in BLOCKS
        for dtype in row.dtypes
    ]  # fmt: skip

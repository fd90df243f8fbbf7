"""Rows that call each primitive as a method of a block, and forms that exist in newer Tritons."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import triton.language as tl
from blocks import Block, Shape
from kit import ALL, EVERY_WIDTH, FEW, INTS, NARROW, NUMBERS, STORED, WIDE_FLOATS, Bound

A = (4, 8)
BOTH = ("int32", "float32")


def _row(
    name: str, expr: str, ref: Callable[..., Any], shapes: tuple[Shape, ...] = (A,),
    outs: tuple[Shape, ...] = (A,), dtypes: tuple[str, ...] = BOTH, **more: Any,
) -> Block:  # fmt: skip
    return Block(
        f"method {name}", expr, ref, shapes, outs, dtypes, primitive=f"tensor.{name}",
        family="method", **more,
    )  # fmt: skip


def _erf(x: Any) -> Any:
    return torch.erf(torch.from_numpy(x)).numpy()


_MATH = {
    "abs": np.abs, "ceil": np.ceil, "cos": np.cos, "erf": _erf, "exp": np.exp, "exp2": np.exp2,
    "floor": np.floor, "log": np.log, "log2": np.log2, "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "sin": np.sin, "sqrt": np.sqrt,
    "sqrt_rn": np.sqrt,
}  # fmt: skip


def _math_methods() -> list[Block]:
    return [
        _row(name, f"x.{name}()", ref, dtypes=("float32",) if name == "sqrt_rn" else WIDE_FLOATS,
             domain="positive", bound=Bound(6))
        for name, ref in _MATH.items()
    ]  # fmt: skip


def _shape_methods() -> list[Block]:
    return [
        _row("T", "x.T", np.transpose, outs=((8, 4),), dtypes=ALL),
        _row("trans", "x.trans()", np.transpose, outs=((8, 4),)),
        _row("permute", "x.permute(1, 0)", np.transpose, outs=((8, 4),), dtypes=STORED,
             domain="any"),
        _row("reshape", "x.reshape((2, 16))", lambda x: x.reshape(2, 16), outs=((2, 16),)),
        _row("view", "x.view(8, 4)", lambda x: x.reshape(8, 4), outs=((8, 4),), dtypes=STORED,
             domain="any"),
        _row("ravel", "x.ravel()", np.ravel, outs=((32,),), dtypes=STORED, domain="any"),
        _row("broadcast_to", "x.broadcast_to(4, 8)", lambda x: np.broadcast_to(x, A), ((1, 8),)),
        _row("expand_dims", "x.expand_dims(0)", lambda x: x[None], ((8,),), ((1, 8),),
             dtypes=STORED, domain="any"),
        _row("flip", "x.flip(1)", lambda x: x[:, ::-1]),
        _row("split", "x.split()", lambda x: (x[..., 0], x[..., 1]), ((4, 8, 2),), (A, A)),
        _row("item", "x.item() + y", lambda x, y: x.item() + y, ((1,), ()), ((),)),
        _row("to", "x.to(tl.float64)", lambda x: x, dtypes=NUMBERS, out="float64"),
        _row("cast", "x.cast(tl.float64)", lambda x: x, dtypes=NUMBERS, out="float64"),
        _row("cdiv", "x.cdiv(3)", lambda x: -(-x // 3), dtypes=("int32", "int64"),
             domain="positive"),
    ]  # fmt: skip


def _order_methods() -> list[Block]:
    left = dict.fromkeys(("argmax", "argmin"), "int32")
    refs = {
        "sum": np.sum, "max": np.max, "min": np.min, "argmax": np.argmax, "argmin": np.argmin,
        "xor_sum": np.bitwise_xor.reduce,
    }  # fmt: skip
    rows = [
        _row(name, f"x.{name}(1)", lambda x, ref=ref: ref(x, axis=1), outs=((4,),),
             dtypes=("int32",) if name == "xor_sum" else BOTH, out=left.get(name, ""))
        for name, ref in refs.items()
    ]  # fmt: skip
    return [
        *rows,
        _row("reduce", "x.reduce(1, combine.maximum)", lambda x: x.max(1), outs=((4,),)),
        _row("reduce_or", "(x > 1).reduce_or(1)", lambda x: (x > 1).any(1), outs=((4,),),
             out="int1"),
        _row("associative_scan", "x.associative_scan(1, combine.maximum)",
             lambda x: np.maximum.accumulate(x, 1)),
        _row("cumsum", "x.cumsum(1)", lambda x: x.cumsum(1).astype(x.dtype)),
        _row("cumprod", "x.cumprod(1)", lambda x: x.cumprod(1).astype(x.dtype), domain="sign"),
        _row("softmax", "x.softmax(dim=1, keep_dims=True)",
             lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True), dtypes=("float32",),
             bound=Bound(16, 1e-9)),
        _row("gather", "x.gather((y > 0).to(tl.int32), 1)",
             lambda x, y: np.take_along_axis(x, (y > 0).astype("i4"), 1), (A, A)),
        _row("histogram", "(x.to(tl.int32) & 7).histogram(8)",
             lambda x: np.bincount((x.astype("i4") & 7).ravel(), minlength=8), ((32,),), ((8,),),
             out="int32"),
        _row("logical_and", "(x > 0).logical_and(y > 0)", lambda x, y: (x > 0) & (y > 0), (A, A),
             out="int1"),
        _row("logical_or", "(x > 0).logical_or(y > 0)", lambda x, y: (x > 0) | (y > 0), (A, A),
             out="int1"),
    ]  # fmt: skip


def _more_dtypes() -> list[Block]:
    """Forms of primitives that the other tables have on few dtypes."""
    every = {"dtypes": STORED, "domain": "any", "family": "moves"}
    return [
        Block("reshape", "tl.reshape(x, (8, 4))", lambda x: x.reshape(8, 4), (A,), ((8, 4),),
              **every),
        Block("trans", "tl.trans(x)", np.transpose, (A,), ((8, 4),), **every),
        Block("permute", "tl.permute(x, (2, 0, 1))", lambda x: x.transpose(2, 0, 1),
              ((2, 4, 8),), ((8, 2, 4),), **every),
        Block("broadcast to", "tl.broadcast_to(x, (4, 8))", lambda x: np.broadcast_to(x, A),
              ((4, 1),), (A,), **every),
        Block("expand dims", "tl.expand_dims(x, 1)", lambda x: x[:, None], ((8,),), ((8, 1),),
              **every),
        Block("join", "tl.join(x, y)", lambda x, y: np.stack([x, y], -1), (A, A), ((4, 8, 2),),
              **every),
        Block("split", "tl.split(x)", lambda x: (x[..., 0], x[..., 1]), ((4, 8, 2),), (A, A),
              **every),
        Block("interleave", "tl.interleave(x, y)",
              lambda x, y: np.stack([x, y], -1).reshape(4, 16), (A, A), ((4, 16),), **every),
        Block("ravel", "tl.ravel(x)", np.ravel, (A,), ((32,),), **every),
        Block("view", "tl.view(x, (32,))", np.ravel, (A,), ((32,),), **every),
        Block("full", "tl.full((4, 8), x, x.dtype)", lambda x: np.full(A, x), ((),), (A,),
              **every),
        Block("zeros", "tl.zeros((4, 8), x.dtype)", lambda x: np.zeros(A), ((),), (A,), **every),
        Block("zeros like", "tl.zeros_like(x)", np.zeros_like, (A,), (A,), **every),
        Block("broadcast", "tl.broadcast(x, y)[0]", lambda x, y: np.broadcast_to(x, A),
              ((4, 1), A), (A,), **every),
        Block("gather", "tl.gather(x, y, 0)", lambda x, y: np.take_along_axis(x, y, 0),
              ((8, 16), (4, 16)), ((4, 16),), second_dtype="int32", **every),
        Block("cat", "tl.ravel(tl.cat(x, y, can_reorder=True))",
              lambda x, y: np.concatenate([x, y]), ((16,), (16,)), ((32,),), **every),
        Block("flip", "tl.flip(x, 1)", lambda x: x[:, ::-1], (A,), (A,), (*NUMBERS, *NARROW),
              "any", family="moves"),
        Block("hints", "tl.max_constancy(tl.max_contiguous(tl.multiple_of(x, 1), 1), 1)",
              lambda x: x, ((16,),), ((16,),), family="moves", primitive="tl.multiple_of",
              dtypes=NUMBERS, domain="any"),
    ]  # fmt: skip


def _larger_pair(x: Any, y: Any) -> Any:
    largest = x.max(1, keepdims=True)
    lowest = np.finfo("f8").min if y.dtype.kind == "f" else np.iinfo(y.dtype).min
    return largest[:, 0], np.where(x == largest, y, y.dtype.type(lowest)).max(1)


def _larger_first_scan(x: Any, y: Any) -> Any:
    x, y = x.copy(), y.copy()
    for i in range(1, len(x)):
        keep = x[i - 1] >= x[i]
        x[i], y[i] = np.where(keep, x[i - 1], x[i]), np.where(keep, y[i - 1], y[i])
    return x, y


def _more_orders() -> list[Block]:
    rows = [
        Block("reduce with product", "tl.reduce(x, 1, combine.product)", lambda x: x.prod(1),
              (A,), ((4,),), NUMBERS, "sign"),
        Block("reduce keeps dims", "tl.reduce(x, 0, combine.maximum, keep_dims=True)",
              lambda x: x.max(0, keepdims=True), (A,), ((1, 8),), NUMBERS),
        Block("reduce of two", "tl.reduce((x, y), 1, combine.larger_pair)", _larger_pair, (A, A),
              ((4,), (4,)), NUMBERS),
        Block("scan that keeps the first", "tl.associative_scan(x, 1, combine.first)",
              lambda x: np.broadcast_to(x[:, :1], x.shape), (A,), (A,), NUMBERS),
        Block("scan of two", "tl.associative_scan((x, y), 0, combine.larger_first)",
              _larger_first_scan, (A, A), (A, A), NUMBERS),
        Block("scan of maxima", "tl.associative_scan(x, 0, combine.maximum)",
              lambda x: np.maximum.accumulate(x, 0), (A,), (A,), NUMBERS),
        Block("scan of maxima, reverse", "tl.associative_scan(x, 1, combine.maximum, reverse=True)",
              lambda x: np.flip(np.maximum.accumulate(np.flip(x, 1), 1), 1), (A,), (A,), NUMBERS),
        Block("cumsum of all types", "tl.cumsum(x, 0)", lambda x: x.cumsum(0).astype(x.dtype),
              (A,), (A,), NUMBERS),
        Block("cumprod of all types", "tl.cumprod(x, 1)", lambda x: x.cumprod(1).astype(x.dtype),
              (A,), (A,), NUMBERS, "sign"),
        Block("sort of all types", "tl.sort(x)", np.sort, ((2, 16),), ((2, 16),), NUMBERS,
              "any no nan"),
        Block("sort falling of all types", "tl.sort(x, 1, descending=True)",
              lambda x: np.sort(x)[:, ::-1], ((2, 16),), ((2, 16),), NUMBERS, "any no nan"),
        Block("topk of all types", "tl.topk(x, 4)", lambda x: np.sort(x)[:, ::-1][:, :4],
              ((2, 16),), ((2, 4),), NUMBERS, "any no nan"),
        Block("histogram of all types", "tl.histogram(x, 8)",
              lambda x: np.bincount(x, minlength=8), ((64,),), ((8,),),
              INTS, "bins", "int32"),
        Block("map elementwise of all types", "tl.map_elementwise(combine.square_or_zero, x)",
              lambda x: np.where(x > 0, x * x, 0), ((16,),), ((16,),), NUMBERS),
        Block("map elementwise of two",
              "tl.map_elementwise(combine.both_ways, x, y)",
              lambda x, y: (np.where(x > y, x, y), np.where(x > y, y, x)), ((16,), (16,)),
              ((16,), (16,)), NUMBERS),
        Block("map elementwise in pairs",
              "tl.map_elementwise(combine.pair_sum, x, pack=2)[0]",
              lambda x: np.stack([x[::2] + x[1::2], x[::2] - x[1::2]], 1).ravel(), ((16,),),
              ((16,),), EVERY_WIDTH),
        Block("softmax of rows and columns", "tl.softmax(x, dim=0, keep_dims=True)",
              lambda x: np.exp(x) / np.exp(x).sum(0, keepdims=True), (A,), (A,), WIDE_FLOATS,
              bound=Bound(16, 1e-9)),
        Block("max and index of all types", "tl.max(x, 1, return_indices=True)",
              lambda x: (x.max(1), x.argmax(1)), (A,), ((4,), (4,)), ("int32", "uint32")),
        Block("argmax, any of the ties", "x.max(1) == tl.gather(x, "
              "tl.argmax(x, 1, tie_break_left=False)[:, None], 1).reshape(4)",
              lambda x: np.ones(4, bool), (A,), ((4,),), NUMBERS, out="int1",
              primitive="tl.argmax"),
    ]  # fmt: skip
    return [dataclasses.replace(row, family="orders") for row in rows]


def _newer() -> list[Block]:
    """Forms that the newest Tritons added."""
    rows = []
    if hasattr(tl, "squeeze"):
        rows += [
            Block("squeeze", "tl.squeeze(x, 0)", lambda x: x[0], ((1, 8),), ((8,),), STORED),
            Block("unsqueeze", "tl.unsqueeze(x, 1)", lambda x: x[:, None], ((8,),), ((8, 1),),
                  STORED),
            Block("cat of an axis", "tl.cat(x, y, dim=1)",
                  lambda x, y: np.concatenate([x, y], 1), (A, A), ((4, 16),), STORED),
            Block("lowest of all types", "tl.topk(x, 4, descending=False)",
                  lambda x: np.sort(x)[:, :4], ((2, 16),), ((2, 4),), FEW, "small"),
        ]  # fmt: skip
    return [dataclasses.replace(row, family="newer") for row in rows]


def rows() -> list[Block]:
    """All of them."""
    return [
        *_math_methods(), *_shape_methods(), *_order_methods(), *_more_dtypes(), *_more_orders(),
        *_newer(),
    ]  # fmt: skip

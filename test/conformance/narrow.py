"""Rows of 8-bit floats: every pattern cast up, casts down, arithmetic; and rounding modes."""

from __future__ import annotations

import functools

import numpy as np
from elementwise import Op
from formats import quantize
from kit import FLOATS, NARROW, Array


def _quantized(target: str, toward_zero: bool = False) -> functools.partial[Array]:
    return functools.partial(quantize, dtype=target, toward_zero=toward_zero)


def _through(dtype: str, ref: np.ufunc) -> object:
    """Arithmetic is done in fp32, whose result is rounded to the operands' dtype.

    An infinity stays one, unlike in a cast, in the format that has it.
    """

    def apply(*x: Array) -> Array:
        exact = ref(*(v.astype("f4") for v in x)).astype("f8")
        keep = np.isinf(exact) & (dtype == "float8e5")
        return np.where(keep, exact, quantize(exact, dtype))

    return apply


def _casts() -> list[Op]:
    ops = []
    for small in NARROW:
        for wide in FLOATS:
            ops += [
                Op(f"to {small}", f"x.to(tl.{small})", _quantized(small), (wide,), ("spread",),
                   small, primitive="tl.cast", family="fp8"),
                Op(f"to {small} toward zero", f'x.to(tl.{small}, fp_downcast_rounding="rtz")',
                   _quantized(small, True), (wide,), ("spread",), small, primitive="tl.cast",
                   family="fp8"),
                Op(f"to {wide}", f"x.to(tl.{wide})", lambda x: x, (small,), ("patterns",), wide,
                   primitive="tl.cast", family="fp8"),
            ]  # fmt: skip
        for other in NARROW:
            if other != small:
                ops.append(
                    Op(f"to {other}", f"x.to(tl.{other})", _quantized(other), (small,),
                       ("patterns",), other, primitive="tl.cast", family="fp8")
                )  # fmt: skip
    return ops


def _arithmetic() -> list[Op]:
    both = ("patterns", "patterns")
    ops = []
    for small in NARROW:
        for name, expr, ref in (
            ("add", "x + y", np.add), ("sub", "x - y", np.subtract), ("mul", "x * y", np.multiply),
        ):  # fmt: skip
            ops.append(
                Op(f"{name} of 8 bits", expr, _through(small, ref), (small,), both,
                   primitive=f"tl.{name}", family="fp8")
            )  # fmt: skip
    return [
        *ops,
        Op("less of 8 bits", "x < y", np.less, NARROW, both, "int1", family="fp8",
           primitive="operator: less"),
        Op("equal of 8 bits", "x == y", np.equal, NARROW, both, "int1", family="fp8",
           primitive="operator: equal"),
        Op("where of 8 bits", "tl.where(x > y, x, y)", lambda x, y: np.where(x > y, x, y), NARROW,
           both, family="fp8", primitive="tl.where"),
        Op("abs of 8 bits", "tl.abs(x)", np.abs, NARROW, ("patterns",), family="fp8",
           primitive="tl.abs"),
    ]  # fmt: skip


def _e4b15_bits(toward_zero: bool) -> object:
    """As a byte: this format has no dtype in torch."""

    def ref(x: Array) -> Array:
        q = quantize(x, "float8e4b15", toward_zero)
        magnitude = np.abs(q).astype(np.float16).view(np.uint16) >> 7
        return (magnitude | np.signbit(q).astype(np.uint16) << 7).astype(np.uint8)

    return ref


def _from_e4b15(x: Array) -> Array:
    wide = x.astype(np.uint16)
    return ((wide & 0x80) << 8 | (wide & 0x7F) << 7).view(np.float16).astype(np.float64)


def _e4b15() -> list[Op]:
    ops = []
    for wide in FLOATS:
        ops += [
            Op("to float8e4b15", "x.to(tl.float8e4b15).to(tl.uint8, bitcast=True)",
               _e4b15_bits(False), (wide,), ("numberspread",), "uint8",
               primitive="tl.float8e4b15", family="fp8"),
            Op("to float8e4b15 toward zero",
               'x.to(tl.float8e4b15, fp_downcast_rounding="rtz").to(tl.uint8, bitcast=True)',
               _e4b15_bits(True), (wide,), ("numberspread",), "uint8",
               primitive="tl.float8e4b15", family="fp8"),
            Op(f"float8e4b15 to {wide}", f"x.to(tl.float8e4b15, bitcast=True).to(tl.{wide})",
               _from_e4b15, ("uint8",), ("any",), wide, primitive="tl.float8e4b15", family="fp8"),
        ]  # fmt: skip
    return ops


def _rounding() -> list[Op]:
    """Wide floats: once, in both modes."""
    ops = []
    for source, targets in {
        "float64": ("float32", "float16", "bfloat16"), "float32": ("float16", "bfloat16"),
    }.items():  # fmt: skip
        for target in targets:
            ops += [
                Op(f"to {target} once", f"x.to(tl.{target})", _quantized(target), (source,),
                   ("spread",), target, primitive="tl.cast", family="rounding"),
                Op(f"to {target} toward zero", f'x.to(tl.{target}, fp_downcast_rounding="rtz")',
                   _quantized(target, True), (source,), ("spread",), target, primitive="tl.cast",
                   family="rounding"),
                Op(f"cast to {target} with rtne",
                   f'tl.cast(x, tl.{target}, fp_downcast_rounding="rtne")', _quantized(target),
                   (source,), ("spread",), target, primitive="tl.cast", family="rounding"),
            ]  # fmt: skip
    return ops


def rows() -> list[Op]:
    """All of them."""
    return [*_casts(), *_arithmetic(), *_e4b15(), *_rounding()]

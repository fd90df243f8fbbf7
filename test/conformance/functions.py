"""Rows of `libdevice`: every function at ordinary arguments.

Their accuracy over the whole range is test/numeric/test_accuracy.py's matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from elementwise import Op, erf, rounded_fma
from kit import EXACT, FLOATS, WIDE_FLOATS, Array, Bound

CLOSE = Bound(ulp=8)


def _each(fn: Callable[..., Any]) -> Callable[..., Array]:
    return np.vectorize(fn, otypes=[np.float64])


def _special(name: str) -> Callable[[Array], Array]:
    def ref(x: Array) -> Array:
        from mpmath import mp

        return np.array([float(getattr(mp, name)(float(v))) for v in x.ravel()]).reshape(x.shape)

    return ref


def _erfcx(x: Array) -> Array:
    return np.array([math.exp(v * v) * math.erfc(v) for v in x])


def _bessel(kind: str, order: int) -> Callable[[Array], Array]:
    def ref(x: Array) -> Array:
        from mpmath import mp

        return np.array([float(getattr(mp, f"bessel{kind}")(order, float(v))) for v in x])

    return ref


def _round_away(x: Array) -> Array:
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


_UNARY: dict[str, tuple[Callable[..., Array], str, Bound]] = {
    "abs": (np.abs, "any", EXACT), "acos": (np.arccos, "unit", CLOSE),
    "acosh": (lambda x: np.arccosh(x), "overone", CLOSE), "asin": (np.arcsin, "unit", CLOSE),
    "asinh": (np.arcsinh, "wide", CLOSE), "atan": (np.arctan, "wide", CLOSE),
    "atanh": (np.arctanh, "unit", CLOSE), "cbrt": (np.cbrt, "wide", CLOSE),
    "ceil": (np.ceil, "any", EXACT), "cos": (np.cos, "wide", CLOSE),
    "cosh": (np.cosh, "small", CLOSE), "erf": (erf, "wide", CLOSE),
    "erfc": (_each(math.erfc), "small", CLOSE), "erfcx": (_erfcx, "tiny", CLOSE),
    "erfinv": (_special("erfinv"), "unit", CLOSE), "exp": (np.exp, "wide", CLOSE),
    "exp2": (np.exp2, "wide", CLOSE), "expm1": (np.expm1, "wide", CLOSE),
    "floor": (np.floor, "any", EXACT), "j0": (_bessel("j", 0), "tiny", Bound(32)),
    "j1": (_bessel("j", 1), "tiny", Bound(32)),
    "lgamma": (_each(math.lgamma), "overtwo", Bound(8, 1.5e-14)),
    "log": (np.log, "positive", CLOSE), "log10": (np.log10, "positive", CLOSE),
    "log1p": (np.log1p, "positive", CLOSE), "log2": (np.log2, "positive", CLOSE),
    "nearbyint": (np.rint, "any", EXACT), "rint": (np.rint, "any", EXACT),
    "round": (_round_away, "wide", EXACT), "rsqrt": (lambda x: 1 / np.sqrt(x), "positive", CLOSE),
    "sin": (np.sin, "wide", CLOSE), "sinh": (np.sinh, "small", CLOSE),
    "sqrt": (np.sqrt, "positive", Bound(0.51)), "tan": (np.tan, "wide", CLOSE),
    "tanh": (np.tanh, "wide", CLOSE), "trunc": (np.trunc, "any", EXACT),
    "y0": (_bessel("y", 0), "tiny", Bound(64, 1e-14)),
    "y1": (_bessel("y", 1), "tiny", Bound(64, 1e-14)),
    "cyl_bessel_i0": (_bessel("i", 0), "tiny", Bound(32)),
    "cyl_bessel_i1": (_bessel("i", 1), "tiny", Bound(32)),
}  # fmt: skip
_BINARY: dict[str, tuple[Callable[..., Array], tuple[str, ...], Bound]] = {
    "atan2": (np.arctan2, ("wide", "wide"), CLOSE),
    "copysign": (np.copysign, ("wide", "wide"), EXACT),
    "div_rn": (np.divide, ("wide", "nonzero"), Bound(0.51)),
    "fmod": (np.fmod, ("wide", "positive"), EXACT),
    "hypot": (np.hypot, ("wide", "wide"), CLOSE),
    "pow": (np.power, ("positive", "small"), CLOSE),
}  # fmt: skip
_FAST = {
    "fast_cosf": (np.cos, ("wide",)), "fast_expf": (np.exp, ("wide",)),
    "fast_logf": (np.log, ("positive",)), "fast_log2f": (np.log2, ("positive",)),
    "fast_sinf": (np.sin, ("wide",)), "fast_tanhf": (np.tanh, ("wide",)),
    "fast_tanf": (np.tan, ("wide",)),
    "fast_dividef": (np.divide, ("wide", "nonzero")),
    "fast_powf": (np.power, ("positive", "small")),
}  # fmt: skip


def _op(
    name: str, ref: Callable[..., Array], dtypes: tuple[str, ...], domains: tuple[str, ...],
    bound: Bound = EXACT, out: str = "", expr: str = "",
) -> Op:  # fmt: skip
    call = expr or f"libdevice.{name}({', '.join('xyz'[: len(domains)])})"
    label = f"{name} of an integer" if expr else name
    primitive = f"libdevice.{name}"
    return Op(label, call, ref, dtypes, domains, out, bound, primitive, "libdevice")


def _first_set(x: Array) -> Array:
    return np.array([(int(v) & -int(v)).bit_length() for v in x])


def _leading_zeros(bits: int) -> Callable[[Array], Array]:
    return lambda x: np.array([bits - (int(v) % (1 << bits)).bit_length() for v in x])


def _ones(bits: int) -> Callable[[Array], Array]:
    return lambda x: np.array([(int(v) % (1 << bits)).bit_count() for v in x])


def _next_after_of(dtype: str) -> Callable[[Array, Array], Array]:
    kind = np.dtype(dtype)
    return lambda x, y: np.nextafter(x.astype(kind), y.astype(kind)).astype(np.float64)


def rows() -> list[Op]:
    """All of them."""
    both, any_pair = WIDE_FLOATS, ("any", "any")
    return [
        *(_op(n, ref, FLOATS, (d,), bound) for n, (ref, d, bound) in _UNARY.items()),
        *(_op(n, ref, FLOATS, d, bound) for n, (ref, d, bound) in _BINARY.items()),
        *(_op(n, ref, ("float32",), d, CLOSE) for n, (ref, d) in _FAST.items()),
        *(_op("nextafter", _next_after_of(d), (d,), any_pair) for d in both),
        _op("fma", rounded_fma, both, ("small", "small", "wide"), Bound(1)),
        _op("sqrt_rn", np.sqrt, ("float32",), ("positive",), Bound(0.51)),
        _op("pow", lambda x, y: x ** np.trunc(y), both, ("positive", "small"), CLOSE,
            expr="libdevice.pow(x, y.to(tl.int32))"),
        _op("mul_rn", np.multiply, both, ("wide", "wide"), Bound(0.51)),
        _op("ldexp", lambda x, y: np.ldexp(x, np.trunc(y).astype("i4")), both, ("wide", "wide"),
            Bound(0.51), expr="libdevice.ldexp(x, y.to(tl.int32))"),
        _op("ilogb", lambda x: (np.frexp(x)[1] - 1).astype("i4"), both, ("nonzero",), out="int32"),
        _op("llrint", lambda x: np.rint(x).astype("i8"), both, ("wide",), out="int64"),
        *(_op("clz", _leading_zeros(bits), (f"int{bits}",), ("any",), out="int32")
          for bits in (32, 64)),
        *(_op("popc", _ones(bits), (f"int{bits}",), ("any",), out="int32") for bits in (32, 64)),
        _op("ffs", _first_set, ("int32", "int64"), ("any",), out="int32"),
        _op("finitef", np.isfinite, ("float32",), ("any",), out="int1"),
        _op("isfinited", np.isfinite, ("float64",), ("any",), out="int1"),
        _op("isinf", np.isinf, both, ("any",), out="int1"),
        _op("isnan", np.isnan, both, ("any",), out="int1"),
        _op("signbit", lambda x: np.signbit(x).astype("i4"), both, ("wide",), out="int32"),
    ]  # fmt: skip

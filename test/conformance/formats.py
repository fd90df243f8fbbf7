"""Floating formats as numbers, and rounding to them, apart from torch's and NumPy's own casts."""

from __future__ import annotations

import dataclasses

import numpy as np
from kit import Array


@dataclasses.dataclass(frozen=True)
class Format:
    """Binary numbers of `mantissa` stored bits, the smallest normal one 2 ** `lowest`.

    Casts to a format that saturates give its largest number for all that is larger.
    """

    mantissa: int
    lowest: int
    largest: float
    saturates: bool = False
    signed_zero: bool = True


FORMATS = {
    "float8e4nv": Format(3, -6, 448.0, True),
    "float8e5": Format(2, -14, 57344.0, True),
    "float8e4b8": Format(3, -7, 240.0, True, False),
    "float8e5b16": Format(2, -15, 57344.0, True, False),
    "float8e4b15": Format(3, -14, 1.75, True),
    "float16": Format(10, -14, 65504.0),
    "bfloat16": Format(7, -126, 3.3895313892515355e38),
    "float32": Format(23, -126, 3.4028234663852886e38),
    "float64": Format(52, -1022, 1.7976931348623157e308),
}


def quantize(x: Array, dtype: str, toward_zero: bool = False) -> Array:
    """fp64 numbers rounded once to a format: to nearest, ties to even, or toward zero."""
    kind = FORMATS[dtype]
    if dtype == "float64":
        return x
    with np.errstate(all="ignore"):
        exponent = np.frexp(np.where(np.isfinite(x), x, 1.0))[1] - 1
        unit = np.exp2(np.maximum(exponent, kind.lowest) - kind.mantissa)
        rounded = (np.trunc if toward_zero else np.rint)(x / unit) * unit
    rounded = np.where(np.isfinite(x), rounded, x)
    over = np.abs(rounded) > kind.largest
    if kind.saturates:
        limit = kind.largest
    else:
        limit = np.where(np.isfinite(x) & toward_zero, kind.largest, np.inf)
    rounded = np.where(over, np.copysign(limit, x), rounded)
    return rounded if kind.signed_zero else rounded + 0.0

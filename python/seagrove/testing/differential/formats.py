"""Number formats: what each dtype can hold, and Triton's rules of promotion.

A value of dtype `bf16` or of an 8-bit float is carried in a float32 array that holds only numbers
of the format; every other dtype has a NumPy dtype of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# NumPy's own types cannot say of most results which dtype they have.
Array = Any

SIGNED = ("i8", "i16", "i32", "i64")
UNSIGNED = ("u8", "u16", "u32", "u64")
INTS = SIGNED + UNSIGNED
FLOATS = ("f16", "bf16", "f32", "f64")
NARROW_FLOATS = ("f8e5", "f8e4nv")

TRITON_NAMES = {
    "i1": "int1",
    **{f"i{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"u{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "f16": "float16",
    "bf16": "bfloat16",
    "f32": "float32",
    "f64": "float64",
    "f8e5": "float8e5",
    "f8e4nv": "float8e4nv",
}
# How an argument's dtype is called where it is passed to a kernel.
ARGUMENT_NAMES = {
    **TRITON_NAMES,
    "i1": "bool",
    "f8e5": "float8_e5m2",
    "f8e4nv": "float8_e4m3fn",
}
CARRIERS = {
    "i1": np.dtype(bool),
    **{f"i{bits}": np.dtype(f"int{bits}") for bits in (8, 16, 32, 64)},
    **{f"u{bits}": np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64)},
    "f16": np.dtype(np.float16),
    "bf16": np.dtype(np.float32),
    "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
    "f8e5": np.dtype(np.float32),
    "f8e4nv": np.dtype(np.float32),
}
# Significant bits (with the hidden one), least exponent of a normal number, greatest number.
_FLOAT_SHAPES = {
    "f16": (11, -14, 65504.0),
    "bf16": (8, -126, float.fromhex("0x1.fep127")),
    "f32": (24, -126, float.fromhex("0x1.fffffep127")),
    "f64": (53, -1022, float.fromhex("0x1.fffffffffffffp1023")),
    "f8e5": (3, -14, 57344.0),
    "f8e4nv": (4, -6, 448.0),
}


def is_float(dtype: str) -> bool:
    return dtype in _FLOAT_SHAPES


def is_signed(dtype: str) -> bool:
    return dtype in SIGNED


def is_int(dtype: str) -> bool:
    return dtype in INTS


def bits(dtype: str) -> int:
    """Width of a number as an operation sees it."""
    if dtype == "i1":
        return 1
    return 8 if dtype in NARROW_FLOATS else int("".join(c for c in dtype if c.isdigit()))


def item_bytes(dtype: str) -> int:
    """Bytes of a number in memory."""
    return max(1, bits(dtype) // 8)


def epsilon(dtype: str) -> float:
    """Distance from 1 to the next number: twice the error of one rounding."""
    return float(2.0 ** (1 - _FLOAT_SHAPES[dtype][0]))


def tiniest(dtype: str) -> float:
    """The least positive number, denormals included."""
    precision, least, _ = _FLOAT_SHAPES[dtype]
    return float(2.0 ** (least - precision + 1))


def greatest(dtype: str) -> float:
    return _FLOAT_SHAPES[dtype][2]


def round_float(values: Array, dtype: str) -> Array:
    """Rounds fp64 numbers once to a format, ties to even; what is too large becomes infinite.

    f8e4nv has no infinity: there it becomes the greatest number, as Triton's conversion does.
    """
    precision, least, largest = _FLOAT_SHAPES[dtype]
    if dtype in ("f64", "f32"):
        return np.asarray(values, np.float64).astype(CARRIERS[dtype])
    values = np.asarray(values, np.float64)
    finite = np.isfinite(values)
    _, exponent = np.frexp(np.where(finite, values, 0.0))
    quantum = np.ldexp(1.0, np.maximum(exponent - 1, least) - precision + 1)
    with np.errstate(invalid="ignore"):
        rounded = np.where(finite, np.rint(values / quantum) * quantum, values)
    too_large = np.abs(rounded) > largest
    limit = largest if dtype in NARROW_FLOATS else np.inf
    rounded = np.where(too_large, np.copysign(limit, rounded), rounded)
    return np.copysign(rounded, values).astype(CARRIERS[dtype])


def fit(values: Array, dtype: str) -> Array:
    """The result of one operation, rounded into a float dtype or wrapped into an integer one."""
    if dtype in ("bf16", *NARROW_FLOATS):
        return round_float(values, dtype)
    return np.asarray(values).astype(CARRIERS[dtype])


def _to_odd(values: Array) -> Array:
    """64-bit integers as fp64 numbers which any narrower format rounds as it would the integer."""
    wide = values.astype(object)
    limited = [_odd_float(int(item)) for item in wide.ravel()]
    return np.array(limited, np.float64).reshape(values.shape)


def _odd_float(item: int) -> float:
    excess = abs(item).bit_length() - 53
    if excess <= 0:
        return float(item)
    kept = abs(item) >> excess
    if abs(item) & ((1 << excess) - 1):
        kept |= 1
    return float((kept << excess) * (1 if item >= 0 else -1))


def convert(values: Array, source: str, target: str) -> Array:
    """Triton's `.to`. A float that leaves an integer's range must not come here."""
    if source == target:
        return values
    if target == "i1":
        return np.asarray(values != 0)
    if not is_float(target):
        # A boolean is 0 or 1, also where it becomes signed.
        return np.asarray(values).astype(CARRIERS[target])
    if source == "i1":
        values = values.astype(np.int32)
    if is_int(source) and bits(source) == 64 and target != "f64":
        return round_float(_to_odd(values), target)
    if target == "f64":
        return np.asarray(values).astype(np.float64)
    return round_float(values.astype(np.float64), target)


def decode(raw: Array, dtype: str) -> Array:
    """Bytes of memory as values; `raw` is a one-dimensional array of uint8."""
    if dtype == "bf16":
        return (raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    if dtype in NARROW_FLOATS:
        return _narrow_table(dtype)[raw]
    if dtype == "i1":
        return raw != 0
    return raw.view(CARRIERS[dtype])


def encode(values: Array, dtype: str) -> Array:
    """Values as the bytes of memory."""
    values = np.ascontiguousarray(values)
    if dtype == "bf16":
        return (values.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
    if dtype in NARROW_FLOATS:
        table = _narrow_table(dtype)
        bits_of = {_bit_key(value): code for code, value in enumerate(table)}
        return np.array([bits_of[_bit_key(v)] for v in values.ravel()], np.uint8)
    return values.astype(CARRIERS[dtype]).view(np.uint8)


def _bit_key(value: float) -> tuple[float, bool]:
    return (-1.0, False) if np.isnan(value) else (abs(float(value)), bool(np.signbit(value)))


def _narrow_table(dtype: str) -> Array:
    """The value of each of the 256 patterns of an 8-bit float."""
    precision, least, _ = _FLOAT_SHAPES[dtype]
    code = np.arange(256)
    exponent = (code >> (precision - 1)) & ((1 << (8 - precision)) - 1)
    fraction = code & ((1 << (precision - 1)) - 1)
    normal = fraction + np.where(exponent > 0, 1 << (precision - 1), 0)
    value = np.ldexp(normal.astype(np.float64), np.maximum(exponent, 1) - 1 + least - precision + 1)
    if dtype == "f8e5":
        value = np.where(exponent == 31, np.where(fraction > 0, np.nan, np.inf), value)
    else:
        value = np.where((code & 0x7F) == 0x7F, np.nan, value)
    return np.where(code & 0x80, -value, value).astype(np.float32)


def promote(left: str, right: str) -> str:
    """The dtype in which Triton computes `left + right` for two tensors (not Python numbers)."""
    pair = {left, right}
    for wide in ("f64", "f32", "f16"):
        if wide in pair:
            return wide
    if "bf16" in pair:
        return "bf16" if pair == {"bf16"} else "f32"
    if is_signed(left) == is_signed(right):
        return left if bits(left) >= bits(right) else right
    unsigned, signed = (right, left) if is_signed(left) else (left, right)
    return unsigned if bits(unsigned) >= bits(signed) else signed

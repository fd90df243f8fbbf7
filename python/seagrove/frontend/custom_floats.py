"""Casts of `tl.float8e4b15`, which Triton leaves to the backend: no MLIR type stands for it.

The format has a sign, four bits of exponent with bias 15 and three of mantissa, no infinity and no
NaN. Triton's casts to it end at 1.75: what is larger, and NaN, becomes that. A number cast up is
exact. A cast down rounds once, to nearest with ties to even, or toward zero where that is asked.
"""

from __future__ import annotations

from typing import Any

from triton.language import core

_LARGEST = 1.75
_SMALLEST_NORMAL = 2.0**-14
_UNIT = 2.0**-17
# Between the mantissas of fp32 and of this format, and between their exponents' biases.
_SHIFT = 20
_BIAS = (127 - 15) << 23


def convert(value: Any, to: Any, toward_zero: bool, semantic: Any) -> Any:
    """Casts to, or from, `tl.float8e4b15`.

    Args:
        value: a tensor of this format or of any other float.
        to: the type of the result, a block or a scalar one.
        toward_zero: rounds a cast down toward zero instead of to nearest.
        semantic: Triton's builder of the operations.
    """
    if value.dtype.is_fp8e4b15():
        return _Writer(semantic).widen(value).cast(to.scalar)
    return _Writer(semantic).narrow(value, toward_zero)


class _Number:
    """A tensor with operators, which outside of a kernel need Triton's builder."""

    def __init__(self, tensor: Any, semantic: Any) -> None:
        self.tensor = tensor
        self.semantic = semantic

    def _new(self, tensor: Any) -> _Number:
        return _Number(tensor, self.semantic)

    def _other(self, value: Any) -> Any:
        if isinstance(value, _Number):
            return value.tensor
        constant = self.semantic.scalar_constant(value, self.tensor.dtype)
        if self.tensor.type.is_block():
            return self.semantic.splat(constant, self.tensor.shape)
        return constant

    def __and__(self, value: Any) -> _Number:
        return self._new(self.semantic.and_(self.tensor, self._other(value)))

    def __or__(self, value: Any) -> _Number:
        return self._new(self.semantic.or_(self.tensor, self._other(value)))

    def __lshift__(self, value: Any) -> _Number:
        return self._new(self.semantic.shl(self.tensor, self._other(value)))

    def __rshift__(self, value: Any) -> _Number:
        return self._new(self.semantic.lshr(self.tensor, self._other(value)))

    def __add__(self, value: Any) -> _Number:
        return self._new(self.semantic.add(self.tensor, self._other(value), False))

    def __sub__(self, value: Any) -> _Number:
        return self._new(self.semantic.sub(self.tensor, self._other(value), False))

    def __mul__(self, value: Any) -> _Number:
        return self._new(self.semantic.mul(self.tensor, self._other(value), False))

    def __lt__(self, value: Any) -> _Number:
        return self._new(self.semantic.less_than(self.tensor, self._other(value)))

    def __gt__(self, value: Any) -> _Number:
        return self._new(self.semantic.greater_than(self.tensor, self._other(value)))

    def differs(self, value: Any) -> _Number:
        return self._new(self.semantic.not_equal(self.tensor, self._other(value)))

    def choose(self, yes: _Number, no: _Number) -> _Number:
        return self._new(self.semantic.where(self.tensor, yes.tensor, no.tensor))

    def cast(self, dtype: Any) -> Any:
        return self.semantic.cast(self.tensor, dtype)

    def to(self, dtype: Any) -> _Number:
        return self._new(self.cast(dtype))

    def bits_as(self, dtype: Any) -> _Number:
        return self._new(self.semantic.bitcast(self.tensor, dtype))


class _Writer:
    def __init__(self, semantic: Any) -> None:
        self.semantic = semantic

    def widen(self, value: Any) -> _Number:
        """As fp16, whose exponent has the same bias."""
        byte = _Number(value, self.semantic).bits_as(core.uint8).to(core.uint16)
        return (((byte & 0x80) << 8) | ((byte & 0x7F) << 7)).bits_as(core.float16)

    def narrow(self, value: Any, toward_zero: bool) -> Any:
        exact = _Number(value, self.semantic)
        bits = self._as_fp32(exact).bits_as(core.uint32)
        sign = (bits & 0x80000000) >> 24
        magnitude = (bits & 0x7FFFFFFF).bits_as(core.float32)
        # Also where it is NaN, which is not less.
        largest = _Number(magnitude._other(_LARGEST), self.semantic)
        magnitude = (magnitude < _LARGEST).choose(magnitude, largest)
        bits = magnitude.bits_as(core.uint32)
        normal = (bits if toward_zero else self._to_nearest(bits)) - _BIAS
        if toward_zero:
            units = (magnitude * (1.0 / _UNIT)).to(core.uint32)
        else:
            # In the sum, the last bit of an fp32 counts units: the addition rounds.
            anchor = _UNIT * 2.0**23
            fixed = _Number(magnitude._other(anchor), self.semantic).bits_as(core.uint32)
            units = (magnitude + anchor).bits_as(core.uint32) - fixed
        pattern = (magnitude < _SMALLEST_NORMAL).choose(units, normal >> _SHIFT)
        byte = (pattern | sign).to(core.uint8)
        return byte.bits_as(core.float8e4b15).tensor

    @staticmethod
    def _to_nearest(bits: _Number) -> _Number:
        return bits + ((bits >> _SHIFT) & 1) + ((1 << (_SHIFT - 1)) - 1)

    def _as_fp32(self, exact: _Number) -> _Number:
        """Exactly, or, of fp64, toward zero with the last bit set where something was lost."""
        if not exact.tensor.dtype.is_fp64():
            return exact.to(core.float32)
        lower = _Number(self.semantic.cast(exact.tensor, core.float32, "rtz"), self.semantic)
        lost = lower.to(core.float64).differs(exact).to(core.uint32)
        return (lower.bits_as(core.uint32) | lost).bits_as(core.float32)

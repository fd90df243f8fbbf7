"""The operations of generated kernels: how each is written in Triton and what it computes.

Float results that are exact by IEEE 754 come without an error bound. The others (sums, products of
matrices, exponentials) carry one for each element, which later operations hand on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seagrove.testing.differential import formats
from seagrove.testing.differential.formats import Array
from seagrove.testing.differential.ir import Type

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class Value:
    """A value while NumPy evaluates a kernel.

    Attributes:
        error: a bound on the distance to any allowed result, or None where only `data` is allowed.
    """

    dtype: str
    data: Array
    error: Array | None = None


@dataclass(frozen=True)
class OpInfo:
    """One operation.

    Attributes:
        text: Triton's expression; {0}, {1} are operands, {dtype} and {shape} the result's, other
            names are attributes.
        infer: operand types and attributes to the result's type.
        run: result type, operands, attributes to the result.
        promotes: operands are first converted to one dtype by Triton's rules.
    """

    text: str
    infer: Callable[[Sequence[Type], Attributes], Type]
    run: Callable[[Type, Sequence[Value], Attributes], Value]
    promotes: bool = False


class Rejected(Exception):
    """The program does something that has no one result: it is no test."""


# --- types ---------------------------------------------------------------------------------------


def broadcast(types: Sequence[Type]) -> tuple[int, ...]:
    return tuple(np.broadcast_shapes(*(t.shape for t in types)))


def _common(types: Sequence[Type]) -> str:
    dtype = types[0].dtype
    for other in types[1:]:
        dtype = formats.promote(dtype, other.dtype)
    return dtype


def _same(types: Sequence[Type], attrs: Attributes) -> Type:
    return Type(_common(types), broadcast(types))


def _without_bf16(types: Sequence[Type], attrs: Attributes) -> Type:
    dtype = _common([Type("f32") if t.dtype == "bf16" else t for t in types])
    return Type(dtype, broadcast(types))


def _truth(types: Sequence[Type], attrs: Attributes) -> Type:
    return Type("i1", broadcast(types))


def _chosen(types: Sequence[Type], attrs: Attributes) -> Type:
    return Type(_common(types[1:]) if len(types) > 1 else str(attrs["dtype"]), broadcast(types))


def _stated(types: Sequence[Type], attrs: Attributes) -> Type:
    shape = attrs.get("shape", types[0].shape if types else ())
    return Type(attrs.get("dtype") or types[0].dtype, tuple(shape))


def _pointer(types: Sequence[Type], attrs: Attributes) -> Type:
    return Type(types[0].dtype, broadcast(types))


def _sum_dtype(dtype: str) -> str:
    if dtype in formats.SIGNED or dtype == "i1":
        return "i64" if dtype == "i64" else "i32"
    if dtype in formats.UNSIGNED:
        return "u64" if dtype == "u64" else "u32"
    return dtype


def _extreme_dtype(dtype: str) -> str:
    if formats.bits(dtype) >= 32:
        return dtype
    return "f32" if formats.is_float(dtype) else "i32"


def _reduced(shape: tuple[int, ...], attrs: Attributes) -> tuple[int, ...]:
    axis = attrs["axis"]
    kept = (1,) if attrs.get("keep") else ()
    return shape[:axis] + kept + shape[axis + 1 :]


def _reduction(dtype_of: Callable[[str], str]) -> Callable[[Sequence[Type], Attributes], Type]:
    return lambda types, attrs: Type(dtype_of(types[0].dtype), _reduced(types[0].shape, attrs))


def _scan(dtype_of: Callable[[str], str]) -> Callable[[Sequence[Type], Attributes], Type]:
    return lambda types, attrs: Type(dtype_of(types[0].dtype), types[0].shape)


def _index(dtype: str) -> str:
    return "i32"


def _unchanged(dtype: str) -> str:
    return dtype


# --- errors --------------------------------------------------------------------------------------


def exact(values: Sequence[Value]) -> None:
    """Refuses operands whose value is not known: the operation may jump at any of them."""
    if any(value.error is not None for value in values):
        raise Rejected("an inexact value reaches an operation that is not smooth")


def bound(value: Value) -> Any:
    return 0.0 if value.error is None else value.error


def _inexact(values: Sequence[Value]) -> bool:
    return any(value.error is not None for value in values)


def _magnitude(data: Array) -> Array:
    return np.abs(data.astype(np.float64))


def rounded_error(dtype: str, data: Array, error: Any) -> Array:
    """The bound after one more rounding of a result whose operands were inexact."""
    grown = error + formats.epsilon(dtype) * (_magnitude(data) + error) + formats.tiniest(dtype)
    # Near the end of the range one allowed result may be infinite: nothing is known.
    return np.where(_magnitude(data) + grown > formats.greatest(dtype) / 2, np.inf, grown)


# --- elementwise ---------------------------------------------------------------------------------


def _elementwise(
    fn: Callable[..., Any],
) -> Callable[[Type, Sequence[Value], Attributes], Value]:
    def run(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
        exact(values)
        return Value(type_.dtype, formats.fit(fn(*(v.data for v in values)), type_.dtype))

    return run


def _smooth(
    fn: Callable[..., Any], grow: Callable[..., Any]
) -> Callable[[Type, Sequence[Value], Attributes], Value]:
    """An operation of two operands; `grow(a, b, ea, eb)` is the error before rounding."""

    def run(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
        left, right = values
        data = formats.fit(fn(left.data, right.data), type_.dtype)
        fused = attrs.get("fusion") and formats.is_float(type_.dtype) and fn is not np.multiply
        if not _inexact(values) and not fused:
            return Value(type_.dtype, data)
        a, b = _magnitude(left.data), _magnitude(right.data)
        error = grow(a, b, bound(left), bound(right))
        if fused:
            error = error + formats.epsilon(type_.dtype) * (a + b)
        return Value(type_.dtype, data, rounded_error(type_.dtype, data, error))

    return run


def _trunc_div(a: Array, b: Array) -> Array:
    _nonzero_divisor(a, b)
    return (a - np.fmod(a, b)) // b


def _c_remainder(a: Array, b: Array) -> Array:
    _nonzero_divisor(a, b)
    return np.fmod(a, b)


def _nonzero_divisor(a: Array, b: Array) -> None:
    if np.any(b == 0) or (np.issubdtype(b.dtype, np.signedinteger) and np.any(b == -1)):
        raise Rejected("a division by zero, or one that may overflow")


def _shift(fn: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    def run(a: Array, b: Array) -> Array:
        if np.any(b < 0) or np.any(b >= a.dtype.itemsize * 8):
            raise Rejected("a shift by more than the width")
        return fn(a, b)

    return run


def _high_product(a: Array, b: Array) -> Array:
    width = a.dtype.itemsize * 8
    product = a.astype(object) * b.astype(object)
    return np.asarray(product // (1 << width)).astype(a.dtype)


def _negate(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    # Triton writes -x as 0 - x, so that -(+0) is +0.
    data = values[0].data
    zero = np.zeros((), data.dtype)
    return Value(type_.dtype, formats.fit(zero - data, type_.dtype), values[0].error)


def _absolute(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    return Value(type_.dtype, np.abs(values[0].data), values[0].error)


def _where(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    condition, left, right = values
    exact([condition])
    data: Array = np.where(condition.data, left.data, right.data)
    error = None
    if _inexact(values):
        error = np.where(condition.data, bound(left), bound(right))
    return Value(type_.dtype, data.astype(left.data.dtype), error)


def _cast(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    (value,) = values
    if value.error is not None and not formats.is_float(type_.dtype):
        exact(values)
    if formats.is_float(value.dtype) and formats.is_int(type_.dtype):
        _check_range(value.data, type_.dtype)
    data = formats.convert(value.data, value.dtype, type_.dtype)
    error = None
    if value.error is not None:
        error = rounded_error(type_.dtype, data, value.error)
    return Value(type_.dtype, data, error)


def _check_range(data: Array, dtype: str) -> None:
    low = -(2.0 ** (formats.bits(dtype) - 1)) if formats.is_signed(dtype) else 0.0
    high = 2.0 ** (formats.bits(dtype) - formats.is_signed(dtype))
    if not np.all((data > low - 1) & (data < high)):
        raise Rejected("a float outside of the integer's range")


def _bitcast(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    exact(values)
    (value,) = values
    if formats.is_float(value.dtype) and np.any(np.isnan(value.data)):
        raise Rejected("the bits of a nan")
    raw = formats.encode(value.data.ravel(), value.dtype)
    data = formats.decode(raw, type_.dtype).reshape(value.data.shape)
    return Value(type_.dtype, data)


def _full(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    exact(values)
    data = formats.convert(values[0].data, values[0].dtype, type_.dtype)
    return Value(type_.dtype, np.broadcast_to(data, type_.shape))


def _exp(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    exact(values)
    data = formats.fit(np.exp(values[0].data.astype(np.float64)), type_.dtype)
    return Value(type_.dtype, data, rounded_error(type_.dtype, data, 4 * _ulps(type_.dtype, data)))


def _ulps(dtype: str, data: Array) -> Array:
    return formats.epsilon(dtype) * np.where(np.isfinite(data), _magnitude(data), 0.0)


def _float_extreme(fn: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    """Of +0 and -0 either may be the extreme: adding 0 makes them one."""

    def run(a: Array, b: Array) -> Array:
        found = fn(a, b)
        return found + found.dtype.type(0)

    return run


# --- shapes --------------------------------------------------------------------------------------


def _moved(
    fn: Callable[[Array, Type, Attributes], Array],
) -> Callable[[Type, Sequence[Value], Attributes], Value]:
    """An operation that moves elements: each takes its error along."""

    def run(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
        (value,) = values
        error = None
        if value.error is not None:
            error = fn(np.broadcast_to(value.error, value.data.shape), type_, attrs)
        return Value(value.dtype, fn(value.data, type_, attrs), error)

    return run


def _transposed(types: Sequence[Type], attrs: Attributes) -> Type:
    return Type(types[0].dtype, tuple(types[0].shape[i] for i in attrs["order"]))


def _joined(types: Sequence[Type], attrs: Attributes) -> Type:
    return Type(types[0].dtype, (*types[0].shape, 2))


def _join(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    exact(values)
    return Value(type_.dtype, np.stack([v.data for v in values], axis=-1))


def _interleaved(types: Sequence[Type], attrs: Attributes) -> Type:
    return Type(types[0].dtype, (*types[0].shape[:-1], 2 * types[0].shape[-1]))


def _interleave(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    return Value(type_.dtype, _join(type_, values, attrs).data.reshape(type_.shape))


def _gather(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    exact(values)
    source, index = values
    extent = source.data.shape[attrs["axis"]]
    if np.any(index.data < 0) or np.any(index.data >= extent):
        raise Rejected("an index outside of its block")
    taken = np.take_along_axis(source.data, index.data.astype(np.int64), attrs["axis"])
    return Value(type_.dtype, taken)


def _histogram(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    exact(values)
    data, bins = values[0].data, attrs["bins"]
    if np.any(data < 0) or np.any(data >= bins):
        raise Rejected("a number outside of the bins")
    return Value(type_.dtype, np.bincount(data, minlength=bins).astype(np.int32))


# --- reductions, scans, products -----------------------------------------------------------------


def _sum(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    (value,) = values
    keep = bool(attrs.get("keep"))
    data = formats.convert(value.data, value.dtype, type_.dtype)
    if not formats.is_float(type_.dtype):
        exact(values)
        return Value(type_.dtype, data.sum(attrs["axis"], dtype=data.dtype, keepdims=keep))
    terms: Array = data.astype(np.float64)
    total = formats.fit(terms.sum(attrs["axis"], keepdims=keep), type_.dtype)
    absolute = _finite(terms).sum(attrs["axis"], keepdims=keep)
    error = data.shape[attrs["axis"]] * formats.epsilon(type_.dtype) * absolute
    if value.error is not None:
        own = np.broadcast_to(value.error, data.shape)
        error = error + own.sum(attrs["axis"], keepdims=keep) * 2
    elif _any_order_exact(terms, absolute, type_.dtype):
        return _settled(type_.dtype, total)
    return Value(type_.dtype, total, _near(total, error, absolute, type_.dtype))


def _any_order_exact(terms: Array, absolute: Array, dtype: str) -> bool:
    """Whether each partial sum, in any order, is a whole number that the format holds."""
    whole = bool(np.all(np.isfinite(terms)) and np.all(terms == np.rint(terms)))
    return whole and bool(np.all(absolute < 1 / formats.epsilon(dtype)))


def _settled(dtype: str, data: Array) -> Value:
    """A sum that is the same in any order, but for the sign of a zero."""
    return Value(dtype, data, np.where(data == 0, formats.tiniest(dtype) / 2, 0.0))


def _finite(terms: Array) -> Array:
    """Magnitudes; infinities and nans, which any order hands on, count as 0."""
    return np.where(np.isfinite(terms), np.abs(terms), 0.0)


def _near(data: Array, error: Array, absolute: Array, dtype: str) -> Array:
    """The bound of a sum; nothing is known where its finite terms might overflow on the way."""
    # An infinite bound stays: the sum of a term that may be anything may be anything.
    known = ~np.isfinite(data) & np.isfinite(error)
    error = np.where(known, 0.0, error + 2 * formats.tiniest(dtype))
    return np.where(absolute > formats.greatest(dtype) / 4, np.inf, error)


def _cumsum(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    (value,) = values
    exact(values)
    axis, reverse = attrs["axis"], bool(attrs.get("reverse"))
    data = formats.convert(value.data, value.dtype, type_.dtype)
    data = np.flip(data, axis) if reverse else data
    back: Callable[[Array], Array] = (lambda x: np.flip(x, axis)) if reverse else (lambda x: x)
    if not formats.is_float(type_.dtype):
        return Value(type_.dtype, back(np.cumsum(data, axis, dtype=data.dtype)))
    terms: Array = data.astype(np.float64)
    absolute = np.cumsum(_finite(terms), axis)
    total = formats.fit(np.cumsum(terms, axis), type_.dtype)
    if _any_order_exact(terms, absolute, type_.dtype):
        return _settled(type_.dtype, back(total))
    error = data.shape[axis] * formats.epsilon(type_.dtype) * absolute
    return Value(type_.dtype, back(total), back(_near(total, error, absolute, type_.dtype)))


def _cumprod(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    exact(values)
    axis, reverse = attrs["axis"], bool(attrs.get("reverse"))
    data = np.flip(values[0].data, axis) if reverse else values[0].data
    product = np.cumprod(data, axis, dtype=data.dtype)
    return Value(type_.dtype, np.flip(product, axis) if reverse else product)


def _fold(
    combine: Callable[[Array, Array], Array], zeros: bool = False
) -> Callable[[Type, Sequence[Value], Attributes], Value]:
    """A reduction by an exact combiner, from the first element to the last."""

    def run(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
        exact(values)
        axis = attrs["axis"]
        data = formats.convert(values[0].data, values[0].dtype, type_.dtype)
        parts = np.moveaxis(data, axis, 0)
        total = parts[0]
        for part in parts[1:]:
            total = combine(total, part).astype(data.dtype)
        if zeros and formats.is_float(type_.dtype):
            total = total + total.dtype.type(0)
        return Value(type_.dtype, np.expand_dims(total, axis) if attrs.get("keep") else total)

    return run


def _running(
    combine: Callable[[Array, Array], Array],
) -> Callable[[Type, Sequence[Value], Attributes], Value]:
    def run(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
        exact(values)
        axis, reverse = attrs["axis"], bool(attrs.get("reverse"))
        parts = list(np.moveaxis(values[0].data, axis, 0))
        parts = parts[::-1] if reverse else parts
        for i in range(1, len(parts)):
            parts[i] = combine(parts[i - 1], parts[i]).astype(parts[i].dtype)
        parts = parts[::-1] if reverse else parts
        return Value(type_.dtype, np.moveaxis(np.stack(parts), 0, axis))

    return run


def _paired(types: Sequence[Type], attrs: Attributes) -> Type:
    return Type(types[attrs["part"]].dtype, _reduced(types[0].shape, attrs))


def _sum_and_larger(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    """One result of a reduction of two operands."""
    exact(values)
    combine = np.add if attrs["part"] == 0 else np.maximum
    return _fold(combine)(type_, [values[attrs["part"]]], attrs)


def _composed(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    """One result of a scan of two operands: of x * a + b, one after the other."""
    exact(values)
    axis, reverse = attrs["axis"], bool(attrs.get("reverse"))
    parts = [list(np.moveaxis(v.data, axis, 0)) for v in values]
    parts = [part[::-1] for part in parts] if reverse else parts
    for i in range(1, len(parts[0])):
        factor, term = parts[0][i], parts[1][i]
        parts[1][i] = (parts[1][i - 1] * factor + term).astype(term.dtype)
        parts[0][i] = (parts[0][i - 1] * factor).astype(factor.dtype)
    chosen = parts[attrs["part"]][:: -1 if reverse else 1]
    return Value(type_.dtype, np.moveaxis(np.stack(chosen), 0, axis))


def _where_extreme(
    fn: Callable[..., Any],
) -> Callable[[Type, Sequence[Value], Attributes], Value]:
    def run(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
        exact(values)
        data = values[0].data
        if formats.is_float(values[0].dtype) and np.any(np.isnan(data)):
            raise Rejected("the place of an extreme among nans")
        index = fn(data, axis=attrs["axis"], keepdims=bool(attrs.get("keep")))
        return Value("i32", np.asarray(index, np.int32))

    return run


def _producted(types: Sequence[Type], attrs: Attributes) -> Type:
    rows, columns = types[0].shape[-2], types[1].shape[-1]
    return Type(attrs["dtype"], (*types[0].shape[:-2], rows, columns))


def _dot(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    exact(values[:2])
    if not formats.is_float(type_.dtype):
        wide: list[Array] = [v.data.astype(np.int64) for v in values]
        total = wide[0] @ wide[1] + (wide[2] if len(wide) > 2 else 0)
        return Value(type_.dtype, total.astype(formats.CARRIERS[type_.dtype]))
    left: Array = values[0].data.astype(np.float64)
    right: Array = values[1].data.astype(np.float64)
    total, absolute = left @ right, _finite(left) @ _finite(right)
    own: Any = 0.0
    if len(values) > 2:
        total = total + values[2].data
        absolute = absolute + _finite(values[2].data.astype(np.float64))
        own = bound(values[2])
    whole = np.all(left == np.rint(left)) and np.all(right == np.rint(right))
    data = formats.fit(total, type_.dtype)
    if whole and not np.any(own) and _any_order_exact(total, absolute, type_.dtype):
        return _settled(type_.dtype, data)
    error = own + (left.shape[-1] + 2) * formats.epsilon(type_.dtype) * (absolute + own)
    # A product that is rounded to a subnormal number loses up to half of the least one.
    error = error + left.shape[-1] * formats.tiniest(type_.dtype) / 2
    return Value(type_.dtype, data, _near(data, error, absolute, type_.dtype))


def _sort(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    exact(values)
    data = values[0].data
    if formats.is_float(type_.dtype) and np.any(np.isnan(data)):
        raise Rejected("an order among nans")
    ordered = np.sort(data, axis=-1)
    return Value(type_.dtype, np.flip(ordered, -1) if attrs.get("descending") else ordered)


# --- the table -----------------------------------------------------------------------------------


def _binary(text: str, fn: Callable[..., Any], infer: Any = _same) -> OpInfo:
    return OpInfo(text, infer, _elementwise(fn), promotes=True)


def _unary(text: str, fn: Callable[..., Any]) -> OpInfo:
    return OpInfo(text, _same, _elementwise(fn))


_GUARD = "tl.where(({0} > {low}) & ({0} < {high}), {0}, 0.0).to({dtype})"
_REDUCE = "axis={axis}, keep_dims={keep}"
_SCAN = "axis={axis}, reverse={reverse}"


def _guarded_cast(type_: Type, values: Sequence[Value], attrs: Attributes) -> Value:
    exact(values)
    (value,) = values
    inside = (value.data > attrs["low"]) & (value.data < attrs["high"])
    kept = np.where(inside, value.data, np.zeros((), value.data.dtype))
    return _cast(type_, [Value(value.dtype, kept)], attrs)


OPS: dict[str, OpInfo] = {
    "add": OpInfo("{0} + {1}", _same, _smooth(np.add, lambda a, b, x, y: x + y), True),
    "sub": OpInfo("{0} - {1}", _same, _smooth(np.subtract, lambda a, b, x, y: x + y), True),
    "mul": OpInfo(
        "{0} * {1}", _same, _smooth(np.multiply, lambda a, b, x, y: a * y + b * x + x * y), True
    ),
    "div": _binary("{0} / {1}", np.divide),
    "idiv": _binary("{0} // {1}", _trunc_div),
    "mod": _binary("{0} % {1}", _c_remainder),
    "and": _binary("{0} & {1}", np.bitwise_and),
    "or": _binary("{0} | {1}", np.bitwise_or),
    "xor": _binary("{0} ^ {1}", np.bitwise_xor),
    "shl": _binary("{0} << {1}", _shift(np.left_shift)),
    "shr": _binary("{0} >> {1}", _shift(np.right_shift)),
    "umulhi": _binary("tl.umulhi({0}, {1})", _high_product),
    "lt": _binary("{0} < {1}", np.less, _truth),
    "le": _binary("{0} <= {1}", np.less_equal, _truth),
    "gt": _binary("{0} > {1}", np.greater, _truth),
    "ge": _binary("{0} >= {1}", np.greater_equal, _truth),
    "eq": _binary("{0} == {1}", np.equal, _truth),
    "ne": _binary("{0} != {1}", np.not_equal, _truth),
    "min": _binary("tl.minimum({0}, {1})", np.minimum, _same),
    "max": _binary("tl.maximum({0}, {1})", np.maximum, _same),
    "fmin": _binary("tl.minimum({0}, {1}) + 0.0", _float_extreme(np.fmin), _without_bf16),
    "fmax": _binary("tl.maximum({0}, {1}) + 0.0", _float_extreme(np.fmax), _without_bf16),
    "fmin_nan": _binary(
        "tl.minimum({0}, {1}, propagate_nan=tl.PropagateNan.ALL) + 0.0",
        _float_extreme(np.minimum),
        _without_bf16,
    ),
    "fmax_nan": _binary(
        "tl.maximum({0}, {1}, propagate_nan=tl.PropagateNan.ALL) + 0.0",
        _float_extreme(np.maximum),
        _without_bf16,
    ),
    "clamp": _unary("tl.clamp({0}, -2.0, 3.0)", lambda x: np.fmin(np.fmax(x, -2.0), 3.0)),
    "neg": OpInfo("-{0}", _same, _negate),
    "not": _unary("~{0}", np.invert),
    "abs": OpInfo("tl.abs({0})", _same, _absolute),
    "floor": _unary("tl.floor({0})", np.floor),
    "ceil": _unary("tl.ceil({0})", np.ceil),
    "sqrt": _unary("tl.sqrt_rn({0})", np.sqrt),
    "exp": OpInfo("tl.exp({0})", _same, _exp),
    "where": OpInfo("tl.where({0}, {1}, {2})", _chosen, _where),
    "cast": OpInfo("{0}.to({dtype})", _stated, _cast),
    "guarded_cast": OpInfo(_GUARD, _stated, _guarded_cast),
    "bitcast": OpInfo("{0}.to({dtype}, bitcast=True)", _stated, _bitcast),
    "full": OpInfo(
        "tl.full({shape}, {0}, {dtype})",
        _stated,
        _full,
    ),
    "copy": OpInfo("{0}", lambda types, attrs: types[0], lambda t, v, a: v[0]),
    "int": OpInfo("{0}", _stated, lambda t, v, a: v[0]),
    "arange": OpInfo(
        "tl.arange(0, {end})",
        lambda types, attrs: Type("i32", (attrs["end"],)),
        lambda t, v, a: Value("i32", np.arange(a["end"], dtype=np.int32)),
    ),
    "pid": OpInfo(
        "tl.program_id({axis})",
        _stated,
        lambda t, v, a: Value("i32", np.asarray(a["pid"][a["axis"]], np.int32)),
    ),
    "expand": OpInfo(
        "tl.expand_dims({0}, {axis})",
        _stated,
        _moved(lambda x, t, a: np.expand_dims(x, a["axis"])),
    ),
    "broadcast": OpInfo(
        "tl.broadcast_to({0}, {shape})",
        _stated,
        _moved(lambda x, t, a: np.broadcast_to(x, t.shape)),
    ),
    "reshape": OpInfo(
        "tl.reshape({0}, {shape})", _stated, _moved(lambda x, t, a: x.reshape(t.shape))
    ),
    "trans": OpInfo(
        "tl.permute({0}, {order})",
        _transposed,
        _moved(lambda x, t, a: np.transpose(x, a["order"])),
    ),
    "flip": OpInfo("tl.flip({0}, {axis})", _same, _moved(lambda x, t, a: np.flip(x, a["axis"]))),
    "join": OpInfo("tl.join({0}, {1})", _joined, _join),
    "interleave": OpInfo("tl.interleave({0}, {1})", _interleaved, _interleave),
    "split": OpInfo(
        "tl.split({0})[{part}]",
        lambda types, attrs: Type(types[0].dtype, types[0].shape[:-1]),
        _moved(lambda x, t, a: x[..., a["part"]]),
    ),
    "gather": OpInfo(
        "tl.gather({0}, {1}, axis={axis})",
        lambda types, attrs: Type(types[0].dtype, types[1].shape),
        _gather,
    ),
    "histogram": OpInfo(
        "tl.histogram({0}, {bins})",
        lambda types, attrs: Type("i32", (attrs["bins"],)),
        _histogram,
    ),
    "sort": OpInfo("tl.sort({0}, descending={descending})", _same, _sort),
    "sum": OpInfo(f"tl.sum({{0}}, {_REDUCE})", _reduction(_sum_dtype), _sum),
    "rmax": OpInfo(
        f"tl.max({{0}}, {_REDUCE})", _reduction(_extreme_dtype), _fold(np.fmax, zeros=False)
    ),
    "rmin": OpInfo(
        f"tl.min({{0}}, {_REDUCE})", _reduction(_extreme_dtype), _fold(np.fmin, zeros=False)
    ),
    "frmax": OpInfo(
        f"tl.max({{0}}, {_REDUCE}) + 0.0", _reduction(_extreme_dtype), _fold(np.fmax, zeros=True)
    ),
    "frmin": OpInfo(
        f"tl.min({{0}}, {_REDUCE}) + 0.0", _reduction(_extreme_dtype), _fold(np.fmin, zeros=True)
    ),
    "rxor": OpInfo(f"tl.xor_sum({{0}}, {_REDUCE})", _reduction(_unchanged), _fold(np.bitwise_xor)),
    "rmul": OpInfo(
        "tl.reduce({0}, {axis}, multiply, keep_dims={keep})",
        _reduction(_unchanged),
        _fold(np.multiply),
    ),
    "pair": OpInfo(
        "tl.reduce(({0}, {1}), {axis}, sum_and_larger, keep_dims={keep})[{part}]",
        _paired,
        _sum_and_larger,
    ),
    "compose": OpInfo(
        "tl.associative_scan(({0}, {1}), {axis}, compose, reverse={reverse})[{part}]",
        lambda types, attrs: types[attrs["part"]],
        _composed,
    ),
    "argmax": OpInfo(f"tl.argmax({{0}}, {_REDUCE})", _reduction(_index), _where_extreme(np.argmax)),
    "argmin": OpInfo(f"tl.argmin({{0}}, {_REDUCE})", _reduction(_index), _where_extreme(np.argmin)),
    "cumsum": OpInfo(f"tl.cumsum({{0}}, {_SCAN})", _scan(_sum_dtype), _cumsum),
    "cumprod": OpInfo(f"tl.cumprod({{0}}, {_SCAN})", _scan(_unchanged), _cumprod),
    "cummax": OpInfo(
        "tl.associative_scan({0}, {axis}, larger, reverse={reverse})",
        _scan(_unchanged),
        _running(np.maximum),
    ),
    "dot": OpInfo("tl.dot({0}, {1}, input_precision='ieee', out_dtype={dtype})", _producted, _dot),
    "dot_acc": OpInfo(
        "tl.dot({0}, {1}, {2}, input_precision='ieee', out_dtype={dtype})", _producted, _dot
    ),
    "address": OpInfo(
        "{0} + {1}",
        _pointer,
        lambda t, v, a: Value(t.dtype, v[0].data + v[1].data.astype(np.int64)),
    ),
}
"""Every operation by its name in the IR."""

"""Steps of the generator that compute: each appends one operation, or a few."""

from __future__ import annotations

from collections.abc import Callable

from seagrove.testing.differential import formats, memory_steps
from seagrove.testing.differential.builder import Builder, Var
from seagrove.testing.differential.ir import Type
from seagrove.testing.differential.memory_steps import literal

LARGEST = 4096
CASTS = ("f32", "i32", "f16", "i64", "i8", "bf16", "u8", "i16", "u16", "u32", "f64", "u64", "i1")


def compatible(left: tuple[int, ...], right: tuple[int, ...]) -> bool:
    """Whether two shapes broadcast to a block of a sensible size."""
    if not left or not right:
        return True
    if len(left) != len(right):
        return False
    size = 1
    for a, b in zip(left, right, strict=True):
        if a != b and 1 not in (a, b):
            return False
        size *= max(a, b)
    return size <= LARGEST


def number(b: Builder, wanted: Callable[[Var], bool] = lambda v: True) -> Var:
    """An exact number in scope; a new one where there is none."""
    found = b.some(lambda v: v.dtype != "i1" and v.exact and wanted(v))
    if found is not None:
        return found
    for dtype in memory_steps.LOADED:
        shape = b.scope[-1].shape if b.scope and b.scope[-1].type.elements <= 512 else (16,)
        made = Var("", _type(dtype, shape))
        if wanted(made):
            return memory_steps.load_own(b, shape, dtype)
    return memory_steps.load_own(b, (16,), "i32")


def _type(dtype: str, shape: tuple[int, ...]) -> Type:
    return Type(dtype, shape)


def second(b: Builder, left: Var, mixed: bool = False, exact: bool = True) -> Var | int | float:
    """A right operand for `left`: of its dtype, or of any kind where `mixed`."""

    def fits(v: Var) -> bool:
        if v.dtype == "i1" or not compatible(left.shape, v.shape) or (exact and not v.exact):
            return False
        return v.dtype == left.dtype or mixed

    found = b.some(fits)
    if found is not None and not b.choices.chance(20):
        return found
    if left.type.elements <= 256 and b.choices.chance(40):
        return memory_steps.load_own(b, left.shape, left.dtype)
    return literal(b, left.dtype)


def arithmetic(b: Builder) -> None:
    left = b.some(lambda v: v.dtype != "i1") or number(b)
    mixed = b.choices.chance(25)
    right = second(b, left, mixed, exact=False)
    right_dtype = right.dtype if isinstance(right, Var) else left.dtype
    dtype = formats.promote(left.dtype, right_dtype)
    exact = left.exact and (not isinstance(right, Var) or right.exact)
    # A scalar tensor takes part in promotion like a block. Operators take the other operand's type
    # for a literal, functions int32 or float32.
    extremes = (
        isinstance(right, Var)
        or formats.promote(dtype, "f32" if formats.is_float(dtype) else "i32") == dtype
    )
    if formats.is_float(dtype):
        ops = ["add", "mul", "sub"]
        if exact and extremes and dtype != "bf16" and left.dtype == right_dtype:
            ops += ["fmin", "fmax", "fmin_nan", "fmax_nan"]
        if exact and dtype in ("f32", "f64") and left.dtype == right_dtype:
            ops += ["div", "div"]
    else:
        ops = ["add", "mul", "sub", "and", "or", "xor"] + ["min", "max"] * extremes
        if dtype in ("u32", "u64") and left.dtype == right_dtype:
            ops += ["umulhi"]
    b.op(b.choices.pick(ops), left, right)


def multiply_add(b: Builder) -> None:
    """What a compiler may fuse, and must not where the kernel asks for two roundings."""
    left = number(b, lambda v: v.dtype in ("f32", "f64", "f16"))
    if not formats.is_float(left.dtype):
        return
    product = b.op("mul", left, second(b, left))
    added = second(b, product, exact=False)
    op = b.choices.pick(["sub", "add"])
    if isinstance(added, Var) and b.choices.chance(40):
        b.op(op, added, product)
    else:
        b.op(op, product, added)


def extreme(b: Builder) -> None:
    value = number(b, lambda v: v.dtype in ("f32", "f64", "f16"))
    if value.dtype in ("f32", "f64", "f16"):
        ops = ["fmin_nan", "fmax_nan", "fmin", "fmax", *["clamp"] * (value.dtype == "f32")]
        op = b.choices.pick(ops)
        b.op(op, value) if op == "clamp" else b.op(op, value, second(b, value))


def position(b: Builder) -> None:
    """Lets the place of a lane, or the number of the program, be data."""
    shape = b.scope[-1].shape if b.scope else ()
    b.show(b.along(shape, 0) if shape and b.choices.chance(60) else b.linear_program())


def division(b: Builder) -> None:
    left = number(b, lambda v: formats.is_int(v.dtype))
    right = second(b, left)
    if isinstance(right, Var):
        right = b.op("add", b.op("and", right, 7), 1)
    elif right in (0, -1):
        right = 3
    b.op(b.choices.pick(["idiv", "mod"]), left, right)


def shift(b: Builder) -> None:
    left = number(b, lambda v: formats.is_int(v.dtype))
    right = second(b, left)
    if isinstance(right, Var):
        right = b.op("and", right, formats.bits(left.dtype) - 1)
    else:
        right = abs(int(right)) % formats.bits(left.dtype)
    b.op(b.choices.pick(["shr", "shl", "shr"]), left, right)


def comparison(b: Builder) -> None:
    left = number(b)
    right = second(b, left)
    if isinstance(right, Var) and b.choices.chance(10):
        right = left
    b.op(b.choices.pick(["lt", "le", "gt", "ge", "eq", "ne"]), left, right)


def logic(b: Builder) -> None:
    left = b.some(lambda v: v.dtype == "i1")
    if left is None:
        return comparison(b)
    right = b.some(lambda v: v.dtype == "i1" and compatible(left.shape, v.shape))
    if right is None or b.choices.chance(25):
        b.op("not", left)
    else:
        b.op(b.choices.pick(["and", "or", "xor"]), left, right)
    return None


def where(b: Builder) -> None:
    condition = b.some(lambda v: v.dtype == "i1")
    if condition is None:
        return comparison(b)
    left = b.some(lambda v: v.dtype != "i1" and compatible(v.shape, condition.shape))
    left = left or number(b, lambda v: compatible(v.shape, condition.shape))
    if not compatible(left.shape, condition.shape):
        return None

    def fits(v: Var) -> bool:
        return (
            v.dtype == left.dtype
            and compatible(left.shape, v.shape)
            and compatible(v.shape, condition.shape)
        )

    right = b.some(fits)
    b.op("where", condition, left, literal(b, left.dtype) if right is None else right)
    return None


def cast(b: Builder) -> None:
    value = b.some(lambda v: True) or number(b)
    targets = [t for t in CASTS if t != value.dtype]
    if not value.exact:
        targets = [t for t in ("f64", "f32", "f16") if t != value.dtype]
    target = b.choices.pick(targets)
    if formats.is_float(value.dtype) and formats.is_int(target):
        most = 15 if value.dtype == "f16" else 63
        high = 2.0 ** min(formats.bits(target) - formats.is_signed(target), most)
        low = -high if formats.is_signed(target) else -1.0
        b.op("guarded_cast", value, dtype=target, low=low, high=high)
    else:
        b.op("cast", value, dtype=target)


def bitcast(b: Builder) -> None:
    value = number(b)
    same = [
        t
        for t in (*formats.INTS, *formats.FLOATS)
        if formats.bits(t) == formats.bits(value.dtype) and t != value.dtype
    ]
    if formats.is_float(value.dtype):
        # The bits of a nan are nobody's promise.
        inside = b.op("eq", value, value)
        value = b.op("where", inside, value, 1.0)
    b.op("bitcast", value, dtype=b.choices.pick(same))


def unary(b: Builder) -> None:
    value = b.some(lambda v: v.dtype != "i1") or number(b)
    ops = ["neg", "abs"]
    if formats.is_int(value.dtype):
        ops = ["neg", "not", *(["abs"] if formats.is_signed(value.dtype) else [])]
    elif value.exact and value.dtype == "f32":
        ops += ["floor", "ceil", "sqrt", "exp", "clamp"]
    b.op(b.choices.pick(ops), value)


def reduction(b: Builder) -> None:
    value = b.some(lambda v: bool(v.shape) and v.dtype != "i1") or number(b)
    if not value.shape:
        return
    axis = b.choices.integer(0, len(value.shape) - 1)
    keep = b.choices.chance(30)
    ops = ["sum"]
    if formats.is_int(value.dtype):
        ops = ["sum", "rmax", "rmin", "rmul", "argmax", "argmin", "rxor"]
    elif value.exact:
        ops = ["sum", "frmax", "frmin", "argmax", "argmin"]
    op = b.choices.pick(ops)
    if op.startswith("arg") and formats.is_float(value.dtype):
        value = b.op("where", b.op("eq", value, value), value, 0.0)
    b.op(op, value, axis=axis, keep=keep)


def pair(b: Builder) -> None:
    """A reduction, or a scan, of two operands at once."""
    left = number(b, lambda v: formats.is_int(v.dtype) and bool(v.shape))
    right = b.some(lambda v: v.shape == left.shape and formats.is_int(v.dtype)) or left
    if not left.shape or not formats.is_int(left.dtype) or left.type.elements > 256:
        return
    axis = b.choices.integer(0, len(left.shape) - 1)
    part = b.choices.pick([0, 1])
    if b.choices.chance(60):
        b.op("pair", left, right, axis=axis, part=part, keep=b.choices.chance(30))
    elif left.dtype == right.dtype:
        b.op("compose", left, right, axis=axis, part=part, reverse=b.choices.chance(40))


def scan(b: Builder) -> None:
    value = number(b, lambda v: bool(v.shape))
    if not value.shape:
        return
    axis = b.choices.integer(0, len(value.shape) - 1)
    ops = ["cumsum", "cumprod", "cummax"] if formats.is_int(value.dtype) else ["cumsum"]
    if value.dtype == "bf16":
        value = b.op("cast", value, dtype="f32")
    b.op(b.choices.pick(ops), value, axis=axis, reverse=b.choices.chance(40))


def product(b: Builder) -> None:
    kinds = ("f32", "f16", "i8", "bf16", "f64")
    left = number(b, lambda v: v.dtype in kinds and len(v.shape) == 2)
    if left.dtype not in kinds or len(left.shape) != 2 or left.type.elements > 512:
        left = memory_steps.load_own(b, (16, 8), b.choices.pick(kinds))
    rows, inner = left.shape
    if b.choices.chance(30):
        right = b.op("trans", left, order=(1, 0))
    else:
        right = memory_steps.load_own(b, (inner, b.choices.pick([8, 16, 4])), left.dtype)
    dtype = {"i8": "i32", "f64": "f64"}.get(left.dtype, "f32")
    shape = (rows, right.shape[1])
    if b.choices.chance(60):
        known = b.some(lambda v: v.dtype == dtype and v.shape == shape)
        acc = known or memory_steps.load_own(b, shape, dtype)
        b.op("dot_acc", left, right, acc, dtype=dtype)
    else:
        b.op("dot", left, right, dtype=dtype)


def reshape(b: Builder) -> None:
    value = b.some(lambda v: v.type.elements >= 4 and v.dtype != "i1") or number(b)
    if value.type.elements < 4:
        return
    total = value.type.elements
    splits = [(1 << i, total >> i) for i in range(1, total.bit_length() - 1)]
    shapes: list[tuple[int, ...]] = [(total,), *splits]
    b.op("reshape", value, shape=b.choices.pick([s for s in shapes if s != value.shape]))


def transpose(b: Builder) -> None:
    value = b.some(lambda v: len(v.shape) >= 2 and v.dtype != "i1")
    if value is None:
        return reshape(b)
    order = list(range(len(value.shape)))[::-1]
    if len(order) == 3:
        order = list(b.choices.pick([(2, 1, 0), (0, 2, 1), (1, 0, 2), (2, 0, 1), (1, 2, 0)]))
    b.op("trans", value, order=tuple(order))
    return None


def expand(b: Builder) -> None:
    value = b.some(lambda v: len(v.shape) == 1 and v.type.elements <= 64)
    if value is None:
        return reshape(b)
    axis = b.choices.integer(0, 1)
    extent = value.shape[0]
    grown = b.op("expand", value, axis=axis, shape=(1, extent) if axis == 0 else (extent, 1))
    other = b.choices.pick([extent, extent, 4, 16])
    b.op("broadcast", grown, shape=(other, extent) if axis == 0 else (extent, other))
    return None


def flip(b: Builder) -> None:
    # Triton's flip needs two elements.
    value = b.some(lambda v: bool(v.shape) and v.dtype != "i1" and 1 not in v.shape)
    if value is not None:
        b.op("flip", value, axis=b.choices.integer(0, len(value.shape) - 1))


def join(b: Builder) -> None:
    left = number(b, lambda v: 1 <= len(v.shape) <= 2 and v.type.elements <= 512)
    right = b.some(lambda v: v.type == left.type and v.exact) or left
    if not left.shape:
        return
    op = b.choices.pick(["join", "interleave", "split"])
    if op == "interleave":
        b.op("interleave", left, right)
        return
    joined = b.op("join", left, right)
    if op == "split":
        halves = b.op("trans", joined, order=_rotated(len(joined.shape)))
        if halves.shape[-1] == 2:
            joined = halves
        b.op("split", joined, part=b.choices.pick([0, 1]))
    else:
        b.op("reshape", joined, shape=(joined.type.elements,))


def _rotated(rank: int) -> tuple[int, ...]:
    return (*range(1, rank), 0)


def gather(b: Builder) -> None:
    value = number(b, lambda v: bool(v.shape))
    index = b.some(lambda v: v.shape == value.shape and formats.is_int(v.dtype))
    if index is None or not value.shape:
        return
    axis = b.choices.integer(0, len(value.shape) - 1)
    place = b.op("and", b.op("cast", index, dtype="i32"), value.shape[axis] - 1)
    b.op("gather", value, place, axis=axis)


def histogram(b: Builder) -> None:
    value = number(b, lambda v: formats.is_int(v.dtype) and len(v.shape) == 1)
    if not formats.is_int(value.dtype) or len(value.shape) != 1:
        return
    bins = b.choices.pick([8, 2, 16])
    b.op("histogram", b.op("and", b.op("cast", value, dtype="i32"), bins - 1), bins=bins)


def sort(b: Builder) -> None:
    value = number(b, lambda v: formats.is_int(v.dtype) and len(v.shape) == 1)
    if formats.is_int(value.dtype) and len(value.shape) == 1 and 2 <= value.shape[0] <= 64:
        b.op("sort", value, descending=b.choices.chance(50))


VALUE_STEPS = (
    *[arithmetic] * 5,
    *[cast, reduction] * 4,
    *[comparison, where, unary, extreme, multiply_add] * 2,
    *[scan, transpose, join, expand, pair] * 2,
    *(division, division, shift, shift, logic, bitcast, product, reshape),
    *(flip, gather, histogram, sort, position),
)

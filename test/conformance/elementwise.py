"""Element by element primitives: a table of expressions, and how a row becomes cases.

Each row runs at sizes 0, 1, block - 1, block, block + 1 and a prime, under a mask.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable

import kit
import numpy as np
import torch
from kit import (
    ALL,
    EXACT,
    FLOATS,
    INTS,
    NUMBERS,
    SIGNED,
    TORCH,
    WIDE_FLOATS,
    Array,
    Bound,
    Case,
    assert_close,
    bits,
    build_kernel,
    guarded_empty,
    is_float,
    make_input,
    to_numpy,
)

BLOCK = 64
SIZES = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 331)


@dataclasses.dataclass(frozen=True)
class Op:
    """`expr` over blocks x, y, z, against `ref` over NumPy arrays (floats come as fp64).

    `domains` says which numbers each operand takes, `out` the dtype stored ("" = the operands').
    """

    name: str
    expr: str
    ref: Callable[..., Array]
    dtypes: tuple[str, ...] = NUMBERS
    domains: tuple[str, ...] = ("any", "any")
    out: str = ""
    bound: Bound = EXACT
    primitive: str = ""
    family: str = "elementwise"

    def out_dtype(self, dtype: str) -> str:
        return self.out or dtype


def truncated_div(x: Array, y: Array) -> Array:
    """Integer division as in C: towards zero."""
    a, b = x.astype(object), np.asarray(y).astype(object)
    quotient = abs(a) // abs(b)
    return np.where((a < 0) != (b < 0), -quotient, quotient).astype(x.dtype)


def truncated_rem(x: Array, y: Array) -> Array:
    """Remainder as in C: it has the sign of the dividend."""
    return x - truncated_div(x, y) * y if x.dtype.kind in "iu" else np.fmod(x, y)


def high_product(x: Array, y: Array) -> Array:
    """High half of the product of two integers (both taken as unsigned, as `mulhi` does)."""
    width = x.dtype.itemsize * 8
    unsigned = np.dtype(f"uint{width}")
    wide = x.view(unsigned).astype(object) * y.view(unsigned).astype(object)
    return (wide >> width).astype(unsigned).view(x.dtype)


def erf(x: Array) -> Array:
    return torch.erf(torch.from_numpy(x)).numpy()


def select_nan(fn: Callable[..., Array]) -> Callable[..., Array]:
    """minimum/maximum that return the number where one operand is nan: IEEE minNum."""
    return lambda x, y: np.where(np.isnan(x), y, np.where(np.isnan(y), x, fn(x, y)))


NONZERO = ("any", "nonzero")
HALF_ULP = Bound(ulp=0.51)
ARITHMETIC = [
    Op("add", "x + y", np.add, primitive="tl.add"),
    Op("add function", "tl.add(x, y)", np.add, ("int32", "float32"), primitive="tl.add"),
    Op("sub", "x - y", np.subtract, primitive="tl.sub"),
    Op("sub function", "tl.sub(x, y)", np.subtract, ("int32", "float32"), primitive="tl.sub"),
    Op("mul", "x * y", np.multiply, primitive="tl.mul"),
    Op("mul function", "tl.mul(x, y)", np.multiply, ("int32", "float32"), primitive="tl.mul"),
    Op("negate", "-x", np.negative, (*SIGNED, *FLOATS), ("any",)),
    Op("floor divide", "x // y", truncated_div, INTS, NONZERO),
    Op("remainder", "x % y", truncated_rem, INTS, NONZERO),
    Op("remainder of floats", "x % y", np.fmod, ("float32", "float64"), ("wide", "positive")),
    Op("divide", "x / y", np.divide, FLOATS, ("any", "any"), bound=HALF_ULP),
    Op("divide integers", "x / y", lambda x, y: x.astype("f4") / y.astype("f4"),
       ("int32", "uint8"), NONZERO, out="float32", bound=Bound(ulp=1)),
    Op("scalar right", "x + 3", lambda x: x + x.dtype.type(3), domains=("any",)),
    Op("scalar left", "2 * x", lambda x: x * x.dtype.type(2), domains=("any",)),
    Op("float scalar", "x * 1.5 - 0.25", lambda x: x * 1.5 - 0.25, WIDE_FLOATS, ("wide",),
       bound=Bound(ulp=1, absolute=1e-7)),
    Op("divide by scalar", "x // 3", lambda x: truncated_div(x, x.dtype.type(3)), INTS, ("any",)),
    Op("remainder by scalar", "x % 7", lambda x: truncated_rem(x, x.dtype.type(7)), INTS, ("any",)),
    Op("cdiv", "tl.cdiv(x, y)", lambda x, y: truncated_div(x + (y - 1), y),
       ("int32", "int64", "uint32"), ("positive", "tiny1"), primitive="tl.cdiv"),
    Op("umulhi", "tl.umulhi(x, y)", high_product, ("int32", "int64", "uint32", "uint64"),
       primitive="tl.umulhi"),
]  # fmt: skip

BITWISE = [
    Op("and", "x & y", np.bitwise_and, (*INTS, "int1")),
    Op("or", "x | y", np.bitwise_or, (*INTS, "int1")),
    Op("xor", "x ^ y", np.bitwise_xor, (*INTS, "int1")),
    Op("not", "~x", np.invert, (*INTS, "int1"), ("any",)),
    Op("shift left", "x << y", np.left_shift, INTS, ("any", "shift")),
    Op("shift right", "x >> y", np.right_shift, INTS, ("any", "shift")),
    Op("shift by scalar", "(x >> 1) ^ (x << 3)", lambda x: (x >> 1) ^ (x << 3), INTS, ("any",)),
]

COMPARE = [
    Op(name, f"x {sign} y", ref, ALL if sign in ("==", "!=") else NUMBERS, out="int1")
    for name, sign, ref in (
        ("equal", "==", np.equal),
        ("not equal", "!=", np.not_equal),
        ("less", "<", np.less),
        ("less or equal", "<=", np.less_equal),
        ("greater", ">", np.greater),
        ("greater or equal", ">=", np.greater_equal),
    )
] + [
    Op("compare with scalar", "x > 1", lambda x: x > 1, NUMBERS, ("any",), "int1"),
    Op("logical and", "(x > y).logical_and(x > 1)", lambda x, y: (x > y) & (x > 1), NUMBERS,
       out="int1"),
    Op("logical or", "(x > y).logical_or(x > 1)", lambda x, y: (x > y) | (x > 1), NUMBERS,
       out="int1"),
    Op("not of a comparison", "not (x > y)", lambda x, y: ~(x > y), NUMBERS, out="int1"),
    Op("where", "tl.where(x > y, x, y)", lambda x, y: np.where(x > y, x, y), primitive="tl.where"),
    Op("where scalar", "tl.where(x > y, x, 0)", lambda x, y: np.where(x > y, x, 0),
       primitive="tl.where"),
    Op("where of booleans", "tl.where(x, y, True)", lambda x, y: np.where(x, y, True), ("int1",),
       primitive="tl.where"),
]  # fmt: skip

PROPAGATE = "propagate_nan=tl.PropagateNan.ALL"
MINMAX = [
    Op("minimum", "tl.minimum(x, y)", np.minimum, INTS, primitive="tl.minimum"),
    Op("maximum", "tl.maximum(x, y)", np.maximum, INTS, primitive="tl.maximum"),
    Op("minimum of floats", "tl.minimum(x, y)", select_nan(np.minimum), FLOATS,
       primitive="tl.minimum"),
    Op("maximum of floats", "tl.maximum(x, y)", select_nan(np.maximum), FLOATS,
       primitive="tl.maximum"),
    Op("minimum with nan", f"tl.minimum(x, y, {PROPAGATE})", np.minimum, FLOATS,
       primitive="tl.minimum"),
    Op("maximum with nan", f"tl.maximum(x, y, {PROPAGATE})", np.maximum, FLOATS,
       primitive="tl.maximum"),
    Op("clamp", "tl.clamp(x, -1.0, 2.0)", lambda x: np.clip(x, -1, 2), FLOATS, ("wide",),
       primitive="tl.clamp"),
    Op("clamp with nan", f"tl.clamp(x, -1.0, 2.0, {PROPAGATE})", lambda x: np.clip(x, -1, 2),
       ("float32", "float64"), ("any",), primitive="tl.clamp"),
    Op("abs", "tl.abs(x)", np.abs, domains=("any",), primitive="tl.abs"),
]  # fmt: skip

ONE = ("wide",)


def math_op(name: str, ref: Callable[..., Array], ulp: float, domains: tuple[str, ...]) -> Op:
    args = ", ".join("xyz"[: len(domains)])
    return Op(
        name, f"tl.math.{name}({args})", ref, WIDE_FLOATS, domains, bound=Bound(ulp=ulp),
        primitive=f"tl.{name}", family="math",
    )  # fmt: skip


def rounded_fma(x: Array, y: Array, z: Array) -> Array:
    """Exact for fp32 operands but for one rounding of fp64; for fp64 the error is one ulp."""
    return (x.astype(np.longdouble) * y + z).astype(np.float64)


_with_specials = {
    "exp": np.exp, "exp2": np.exp2, "log": np.log, "log2": np.log2, "sqrt": np.sqrt,
    "floor": np.floor, "ceil": np.ceil, "erf": erf,
}  # fmt: skip
MATH = [
    math_op("exp", np.exp, 2, ONE),
    math_op("exp2", np.exp2, 2, ONE),
    math_op("log", np.log, 2, ("positive",)),
    math_op("log2", np.log2, 2, ("positive",)),
    math_op("sin", np.sin, 2, ONE),
    math_op("cos", np.cos, 2, ONE),
    math_op("sqrt", np.sqrt, 0.51, ("positive",)),
    dataclasses.replace(math_op("sqrt_rn", np.sqrt, 0.51, ("positive",)), dtypes=("float32",)),
    math_op("rsqrt", lambda x: 1 / np.sqrt(x), 2, ("positive",)),
    math_op("erf", erf, 4, ONE),
    math_op("floor", np.floor, 0, ONE),
    math_op("ceil", np.ceil, 0, ONE),
    math_op("abs", np.abs, 0, ("any",)),
    math_op("fdiv", np.divide, 1, ("wide", "nonzero")),
    dataclasses.replace(
        math_op("div_rn", np.divide, 0.51, ("wide", "nonzero")), dtypes=("float32",)
    ),
    math_op("fma", rounded_fma, 1, ("small", "small", "wide")),
    *(
        dataclasses.replace(math_op(name, ref, 4, ("any",)), name=f"{name} of special numbers")
        for name, ref in _with_specials.items()
    ),
    Op("sigmoid", "tl.sigmoid(x)", lambda x: 1 / (1 + np.exp(-x)), WIDE_FLOATS, ONE,
       bound=Bound(ulp=6, absolute=1e-37), primitive="tl.sigmoid", family="math"),
]  # fmt: skip


def _cast_reference(target: str) -> Callable[[Array], Array]:
    if target == "int1":
        return lambda x: x != 0
    if is_float(target):
        return lambda x: x.astype(np.float64)
    return lambda x: (np.trunc(x) if x.dtype.kind == "f" else x).astype(target)


def _bitcast_reference(source: str, target: str) -> Callable[[Array], Array]:
    def ref(x: Array) -> Array:
        raw = torch.from_numpy(x)
        return to_numpy((raw.to(TORCH[source]) if is_float(source) else raw).view(TORCH[target]))

    return ref


def cast_ops() -> list[Op]:
    """`x.to(dtype)` for every pair, on any number unless the target cannot hold it.

    Integers wrap and floats overflow to infinity; float to integer is undefined out of range.
    """
    ops = []
    for source in ALL:
        for target in ALL:
            narrow = is_float(target) and not is_float(source) and bits(target) == 16
            undefined = is_float(source) and not is_float(target)
            domain = "castable" if narrow or undefined else "any"
            ops.append(
                Op(f"to {target}", f"x.to(tl.{target})", _cast_reference(target), (source,),
                   (domain,), target, primitive="tl.cast", family="cast")
            )  # fmt: skip
    return ops


def bitcast_ops() -> list[Op]:
    pairs = [
        (source, target)
        for source in NUMBERS
        for target in NUMBERS
        if source != target and bits(source) == bits(target)
    ]
    return [
        Op(f"bits as {target}", f"x.to(tl.{target}, bitcast=True)",
           _bitcast_reference(source, target), (source,), ("any",),
           target, primitive="tl.cast", family="bitcast")
        for source, target in pairs
    ]  # fmt: skip


FUNCTION = [
    Op("cast function", "tl.cast(x, tl.float64)", lambda x: x, ("float32",), ("any",), "float64",
       primitive="tl.cast", family="cast"),
]  # fmt: skip

OPS: list[Op] = [
    *ARITHMETIC, *BITWISE, *COMPARE, *MINMAX, *MATH, *cast_ops(), *bitcast_ops(),
    *FUNCTION,
]  # fmt: skip


# --- from rows to cases --------------------------------------------------------------------------


def _kernel_source(ops: list[Op], dtype: str) -> tuple[str, list[tuple[str, int]]]:
    """Text of one kernel that computes every row, and its inputs as (domain, operand number)."""
    inputs = sorted({(d, i) for op in ops for i, d in enumerate(op.domains)})
    names = {key: f"{key[0]}{key[1]}" for key in inputs}
    params = [f"{n}_ptr" for n in names.values()] + [f"out{i}_ptr" for i in range(len(ops))]
    other = "1.0" if is_float(dtype) else "1"
    lines = []
    if any(op.family == "libdevice" for op in ops):
        lines += ["from triton.language.extra import libdevice", ""]
    lines += [
        '@triton.jit(do_not_specialize=["n"])',
        f"def kernel({', '.join(params)}, n, BLOCK: tl.constexpr):",
        "    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)",
        "    mask = offsets < n",
        *(
            f"    {n} = tl.load({n}_ptr + offsets, mask=mask, other={other})"
            for n in names.values()
        ),
    ]
    for i, op in enumerate(ops):
        lines += [f"    {v} = {names[d, j]}" for j, (v, d) in enumerate(zip("xyz", op.domains))]  # noqa: B905
        lines += [f"    tl.store(out{i}_ptr + offsets, {op.expr}, mask=mask)"]
    return "\n".join(lines) + "\n", inputs


def _operand(dtype: str, domain: str, index: int) -> torch.Tensor:
    n = max(SIZES)
    if domain == "unit":
        return make_input(dtype, n, "wide", index).sin()
    if domain.startswith("over"):
        return make_input(dtype, n, "positive", index) + {"one": 1.0, "two": 2.0}[domain[4:]]
    if domain == "tiny1":
        return torch.from_numpy(to_numpy(make_input(dtype, n, "positive", index)) % 50 + 1)
    return make_input(dtype, n, domain, index)


def _run(ops: list[Op], dtype: str, device: str) -> list[dict[int, torch.Tensor]]:
    """Outputs of each row at each size, longer than the size to show stores that went astray."""
    source, inputs = _kernel_source(ops, dtype)
    kernel = build_kernel(source)
    operands = [_operand(dtype, d, i).to(device) for d, i in inputs]
    results: list[dict[int, torch.Tensor]] = [{} for _ in ops]
    for n in SIZES:
        outs = [guarded_empty(n + BLOCK, op.out_dtype(dtype), device) for op in ops]
        kernel[(math.ceil(n / BLOCK),)](*operands, *outs, n, BLOCK=BLOCK)
        for result, out in zip(results, outs, strict=True):
            result[n] = out
    return results


GROUP_SIZE = 16


@functools.cache
def _portions(family: str, dtype: str) -> list[list[Op]]:
    """The rows of a family in portions that share a kernel."""
    ops = [op for op in OPS if op.family == family and dtype in op.dtypes]
    return [ops[i : i + GROUP_SIZE] for i in range(0, len(ops), GROUP_SIZE)]


@functools.cache
def _portion_results(
    family: str, dtype: str, part: int, device: str
) -> dict[str, dict[int, torch.Tensor]]:
    """Results of the kernel that a portion of rows shares; empty where that kernel fails."""
    ops = _portions(family, dtype)[part]
    try:
        return dict(zip((op.name for op in ops), _run(ops, dtype, device), strict=True))
    except Exception:
        return {}


def _check(op: Op, dtype: str, device: str) -> None:
    part = next(i for i, ops in enumerate(_portions(op.family, dtype)) if op in ops)
    shared = {} if kit.ALONE else _portion_results(op.family, dtype, part, device)
    results = shared[op.name] if shared else _run([op], dtype, device)[0]
    out_dtype = op.out_dtype(dtype)
    operands = [to_numpy(_operand(dtype, d, i)) for i, d in enumerate(op.domains)]
    with np.errstate(all="ignore"):
        want = op.ref(*operands)
    for n, out in results.items():
        assert_close(out[:n], want[:n], out_dtype, op.bound, f"{op.expr} at n = {n}")
        untouched = guarded_empty(n + BLOCK, out_dtype, device)[n:].view(torch.uint8)
        assert torch.equal(out[n:].view(torch.uint8), untouched), f"{op.expr}: store past n = {n}"


def cases() -> list[Case]:
    return [
        Case(op.family, op.name.replace(" ", "_"), op.primitive or f"operator: {op.name}", dtype,
             functools.partial(_check, op, dtype))
        for op in OPS
        for dtype in op.dtypes
    ]  # fmt: skip

"""The functions of `triton.language.extra.libdevice`, for every backend of Seagrove.

Loaded under the name `triton.language.extra.<backend>.libdevice`. Functions that Triton's own
`tl.math` has are those; every other one becomes a pure `tt.extern_elementwise` of library
"seagrove" whose symbol is `__sg_<function>_<types>`, the types being f32, f64, i32, i64 of the
operands, written once where they are all the same: `__sg_acos_f32`, `__sg_pow_f64_i32`. The
function's name is that of the math dialect's operation where there is one. Special functions are
written in Triton, in special.py.

Names and result types follow upstream's libdevice, whose documentation applies. fp16 and bf16
are computed in fp32 and rounded to the operands' type.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from triton.language import core, math

_F32, _F64 = core.dtype("fp32"), core.dtype("fp64")
_SMALL = (core.dtype("fp16"), core.dtype("bf16"))
_I32, _I64 = core.dtype("int32"), core.dtype("int64")
_SUFFIX = {"fp32": "f32", "fp64": "f64", "int32": "i32", "int64": "i64"}


def _symbol(name: str, operands: Sequence[Any]) -> str:
    suffixes = [_SUFFIX[operand.name] for operand in operands]
    if len(set(suffixes)) == 1:
        suffixes = suffixes[:1]
    return "_".join(["__sg", name, *suffixes])


def _promote(arguments: Sequence[Any], semantic: Any) -> tuple[list[Any], Any]:
    """The operands with fp16 and bf16 as fp32, and the type that the result goes back to.

    That is None where some float operand was wider; Python's numbers do not count.
    """
    floats = {a.dtype for a in arguments if isinstance(a, core.tensor) and a.dtype.is_floating()}
    small = {dtype for dtype in floats if dtype in _SMALL}
    operands = [semantic.to_tensor(argument) for argument in arguments]
    promoted = [semantic.cast(o, _F32) if o.dtype in small else o for o in operands]
    return promoted, floats.pop() if small and len(floats) == 1 else None


def _restore(result: Any, dtype: Any, semantic: Any) -> Any:
    """A result of promoted operands, rounded to their type where it is a float."""
    return semantic.cast(result, dtype) if dtype and result.dtype == _F32 else result


def _function(
    name: str, *signatures: tuple[Any, ...], result: Any = None, symbol: str | None = None
) -> Any:
    """A library function with one overload for each tuple of operand types.

    The result has the first operand's type unless `result` says otherwise.
    """
    overloads = {
        operands: (_symbol(symbol or name, operands), result or operands[0])
        for operands in signatures
    }

    def call(*args: Any, _semantic: Any = None) -> Any:
        operands, small = _promote(args, _semantic)
        given = tuple(operand.dtype for operand in operands)
        if len(args) != len(signatures[0]):
            raise TypeError(f"libdevice.{name} takes {len(signatures[0])} arguments")
        if given not in overloads:
            accepted = " or ".join(
                "(" + ", ".join(map(str, operands)) + ")" for operands in overloads
            )
            raise TypeError(
                f"libdevice.{name} takes {accepted}, not ({', '.join(map(str, given))}): "
                "convert the operands with .to(...)"
            )
        result = core.extern_elementwise(
            "seagrove", "", operands, overloads, is_pure=True, _semantic=_semantic
        )
        return _restore(result, small, _semantic)

    call.__name__ = call.__qualname__ = name
    return core.extern(call)


def _alias(name: str, function: Callable[..., Any]) -> Any:
    """`function` under a name of this module, by which Triton looks functions up."""

    def call(*args: Any, _semantic: Any = None) -> Any:
        operands, small = _promote(args, _semantic)
        return _restore(function(*operands, _semantic=_semantic), small, _semantic)

    call.__name__ = call.__qualname__ = name
    return core.extern(call)


abs = math.abs
ceil = _alias("ceil", math.ceil)
cos = _alias("cos", math.cos)
div_rn = _function("div_rn", (_F32, _F32), (_F64, _F64))
erf = _alias("erf", math.erf)
exp = _alias("exp", math.exp)
exp2 = _alias("exp2", math.exp2)
floor = _alias("floor", math.floor)
fma = _alias("fma", math.fma)
log = _alias("log", math.log)
log2 = _alias("log2", math.log2)
rsqrt = _alias("rsqrt", math.rsqrt)
sin = _alias("sin", math.sin)
sqrt = _alias("sqrt", math.sqrt)
sqrt_rn = _alias("sqrt_rn", math.sqrt_rn)

fast_cosf = _alias("fast_cosf", math.cos)
fast_dividef = _alias("fast_dividef", math.fdiv)
fast_expf = _alias("fast_expf", math.exp)
fast_logf = _alias("fast_logf", math.log)
fast_log2f = _alias("fast_log2f", math.log2)
fast_sinf = _alias("fast_sinf", math.sin)

_UNARY = ((_F32,), (_F64,))
_BINARY = ((_F32, _F32), (_F64, _F64))

acos = _function("acos", *_UNARY)
acosh = _function("acosh", *_UNARY)
asin = _function("asin", *_UNARY)
asinh = _function("asinh", *_UNARY)
atan = _function("atan", *_UNARY)
atanh = _function("atanh", *_UNARY)
cbrt = _function("cbrt", *_UNARY)
cosh = _function("cosh", *_UNARY)
erfc = _function("erfc", *_UNARY)
expm1 = _function("expm1", *_UNARY)
log10 = _function("log10", *_UNARY)
log1p = _function("log1p", *_UNARY)
nearbyint = _function("nearbyint", *_UNARY, symbol="roundeven")
rint = _function("rint", *_UNARY, symbol="roundeven")
round = _function("round", *_UNARY)
sinh = _function("sinh", *_UNARY)
tan = _function("tan", *_UNARY)
tanh = _function("tanh", *_UNARY)
trunc = _function("trunc", *_UNARY)

atan2 = _function("atan2", *_BINARY)
copysign = _function("copysign", *_BINARY)
fmod = _function("fmod", *_BINARY)
hypot = _function("hypot", *_BINARY)
nextafter = _function("nextafter", *_BINARY)
pow = _function("pow", *_BINARY, (_F32, _I32), (_F64, _I32))
fast_powf = _function("fast_powf", (_F32, _F32), symbol="pow")
fast_tanf = _function("fast_tanf", (_F32,), symbol="tan")
fast_tanhf = _function("fast_tanhf", (_F32,), symbol="tanh")

clz = _function("clz", (_I32,), (_I64,), result=_I32)
ffs = _function("ffs", (_I32,), (_I64,), result=_I32)
finitef = _function("finitef", (_F32,), result=core.int1, symbol="isfinite")
isfinited = _function("isfinited", (_F64,), result=core.int1, symbol="isfinite")
isinf = _function("isinf", *_UNARY, result=core.int1)
isnan = _function("isnan", *_UNARY, result=core.int1)
popc = _function("popc", (_I32,), (_I64,), result=_I32)
signbit = _function("signbit", *_UNARY, result=_I32)

_SPECIAL = (
    "cyl_bessel_i0",
    "cyl_bessel_i1",
    "erfcx",
    "erfinv",
    "ilogb",
    "j0",
    "j1",
    "ldexp",
    "lgamma",
    "llrint",
    "mul_rn",
    "y0",
    "y1",
)


def __getattr__(name: str) -> Any:
    if name not in _SPECIAL:
        raise AttributeError(f"libdevice has no function '{name}'")
    return getattr(importlib.import_module("seagrove.frontend.special"), name)

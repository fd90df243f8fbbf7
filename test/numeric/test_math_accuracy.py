"""Error of the math expansions in ulp, against the bounds that the documentation states.

Every function runs as a compiled loop over vectors: 10^5 values (bit patterns drawn at random, and
the function's interesting range) and the special ones. f32 is held against f64 of NumPy or of the C
library, f64 against mpmath. SEAGROVE_ACCURACY_SAMPLES sets the number of values.
"""

from __future__ import annotations

import ctypes
import math
import os
import re
from collections.abc import Callable
from typing import Any

import accuracy
import numpy as np
import pytest

from seagrove.compiler.native import native

SAMPLES = int(os.environ.get("SEAGROVE_ACCURACY_SAMPLES", 100_000))
LANES = 8

# The stated bounds: largest error in ulp of the result, and the range that is drawn from besides
# random bit patterns. Infinities, NaN, zeros with their signs and denormals are exact for all.
BOUNDS_F32: dict[str, tuple[float, float, float]] = {
    "acos": (1.5, -1, 1),
    "acosh": (2.5, 1, 50),
    "asin": (2.5, -1, 1),
    "asinh": (2.0, -50, 50),
    "atan": (1.5, -5, 5),
    "atanh": (2.5, -1, 1),
    "cbrt": (0.51, -100, 100),
    "ceil": (0, -100, 100),
    "cos": (2.0, -100, 100),
    "cosh": (1.5, -90, 90),
    "erf": (1.5, -5, 5),
    "erfc": (4.0, -6, 11),
    "exp": (1.0, -105, 90),
    "exp2": (1.0, -152, 129),
    "expm1": (1.5, -20, 89),
    "floor": (0, -100, 100),
    "log": (1.0, 0, 10),
    "log10": (1.0, 0, 10),
    "log1p": (1.6, -1, 10),
    "log2": (1.1, 0, 10),
    "round": (0, -100, 100),
    "roundeven": (0, -100, 100),
    "rsqrt": (1.5, 0, 100),
    "sin": (2.0, -100, 100),
    "sinh": (2.0, -90, 90),
    "sqrt": (0.5, 0, 100),
    "tan": (3.5, -100, 100),
    "tanh": (1.5, -10, 10),
    "trunc": (0, -100, 100),
}
BOUNDS_F32_BINARY = {"atan2": 1.6, "powf": 0.51}
BOUNDS_F64: dict[str, tuple[float, float, float]] = {
    "cos": (1.5, -1e6, 1e6),
    "exp": (1.0, -746, 710),
    "exp2": (1.0, -1076, 1025),
    "log": (1.0, 0, 20),
    "log10": (1.0, 0, 20),
    "log2": (1.0, 0, 20),
    "sin": (1.5, -1e6, 1e6),
}

SPECIAL = np.array(
    [0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, -0.5, 2, -2, 1e-45, -1e-45, 5e-40, -5e-40]
    + [1.1754944e-38, -1.1754944e-38, 1.1754942e-38, 3.4028235e38, -3.4028235e38, 1e-30, -1e-7]
    + [88.72283, 88.72284, -87.33654, -87.4, -103.97, -104.5, 128, 127.99999, -126, -149.5, -151]
    + [math.pi, math.pi / 2, 0.99999994, 1.0000001, 65536, 1e10, 1e38, 16777216, 3, -3],
    np.float32,
)


def on_each(function: Callable[[float], float]) -> Callable[[Any], Any]:
    return np.vectorize(function, otypes=[np.float64])


REFERENCES: dict[str, Callable[..., Any]] = {
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "atanh": np.arctanh,
    "erf": on_each(math.erf),
    "erfc": on_each(math.erfc),
    "powf": np.power,
    "round": lambda x: np.copysign(np.floor(np.abs(x)) + (np.abs(x) % 1 >= 0.5), x),
    "roundeven": np.rint,
    "rsqrt": lambda x: 1 / np.sqrt(x),
}

KERNEL = """
func.func @k.program({pointers}, %n: i64, %px: i32, %py: i32, %pz: i32, %nx: i32, %ny: i32,
                     %nz: i32, %scratch: !llvm.ptr) attributes {{sg.kernel_name = "k"}} {{
  %zero = arith.constant 0 : i64
  %step = arith.constant {lanes} : i64
  scf.for %i = %zero to %n step %step : i64 {{
{loads}
    %r = math.{op} {values} : {vector}
    %at = llvm.getelementptr %p{result}[%i] : (!llvm.ptr, i64) -> !llvm.ptr, {element}
    llvm.store %r, %at {{alignment = 4 : i64}} : {vector}, !llvm.ptr
  }}
  return
}}
"""
LOAD = """
    %a{i} = llvm.getelementptr %p{i}[%i] : (!llvm.ptr, i64) -> !llvm.ptr, {element}
    %x{i} = llvm.load %a{i} {{alignment = 4 : i64}} : !llvm.ptr -> {vector}
"""


def kernel_text(op: str, operands: int, element: str) -> str:
    vector = f"vector<{LANES}x{element}>"
    return KERNEL.format(
        op=op,
        element=element,
        vector=vector,
        lanes=LANES,
        result=operands,
        pointers=", ".join(f"%p{i}: !llvm.ptr" for i in range(operands + 1)),
        loads="".join(LOAD.format(i=i, element=element, vector=vector) for i in range(operands)),
        values=", ".join(f"%x{i}" for i in range(operands)),
    )


def apply(op: str, inputs: list[Any], *, fused: bool = True) -> Any:
    """Compiles `op` for this machine and runs it over arrays of one length."""
    api = native()
    target = api.detect_host()
    if not fused:
        target.features = re.sub(r"\+(fma4?|avx512\w*)\b", r"-\1", target.features)
        target.cpu = ""
        target.fma = False
    options = api.CompileOptions()
    element = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}[inputs[0].dtype]
    compiled = api.compile(kernel_text(op, len(inputs), element), target, options)
    assert compiled.ok, [item.message for item in compiled.diagnostics]

    kernel = api.Kernel(compiled.output, "k")
    void, word = ctypes.c_void_p, ctypes.c_int64
    entry = ctypes.CFUNCTYPE(None, void, void, word, word, void)(kernel.address)
    result = np.zeros_like(inputs[0])
    slots = np.array([a.ctypes.data for a in [*inputs, result]] + [len(result)], np.uint64)
    grid = np.ones(3, np.int32)
    entry(slots.ctypes.data, grid.ctypes.data, 0, 1, None)
    kernel.unload()
    return result


def whole_vectors(*arrays: Any) -> list[Any]:
    count = min(len(a) for a in arrays) // LANES * LANES
    return [np.ascontiguousarray(a[:count]) for a in arrays]


def draw(low: float, high: float, count: int = SAMPLES) -> Any:
    """Special values, random bit patterns, and numbers from the range and around zero."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 2**32, count // 3, dtype=np.uint32).view(np.float32)
    wide, near = rng.uniform(low, high, count // 3), rng.uniform(-2, 2, count // 3)
    return np.concatenate([SPECIAL, patterns, wide.astype("f4"), near.astype("f4")])


def error_f32(got: Any, exact: Any) -> Any:
    """Error in ulp of the exact value; infinite where NaN or the sign of zero is wrong."""
    top = 2.0**128  # where infinity would be, were it a number
    _, exponent = np.frexp(np.where(np.isfinite(exact), exact, 1.0))
    ulp = np.ldexp(1.0, np.clip(exponent, -125, 128) - 24)
    with np.errstate(invalid="ignore"):  # NaN of every kind
        wide = got.astype("f8")
    wide = np.clip(np.nan_to_num(wide, nan=0, posinf=top, neginf=-top), -top, top)
    error = np.abs(wide - np.clip(np.nan_to_num(exact, posinf=top, neginf=-top), -top, top)) / ulp
    wrong = np.isnan(got) != np.isnan(exact)
    wrong |= (got == 0) & (exact == 0) & (np.signbit(got) != np.signbit(exact))
    return np.where(wrong, np.inf, error)


def assert_within(bound: float, error: Any, inputs: list[Any], got: Any) -> None:
    worst = int(np.argmax(error))
    at = [float(x[worst]) for x in inputs]
    assert error[worst] <= bound, f"{error[worst]:.3g} ulp at {at}, where it gave {got[worst]}"


@pytest.mark.parametrize("op", BOUNDS_F32)
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "unfused"])
def test_f32(op: str, fused: bool) -> None:
    bound, low, high = BOUNDS_F32[op]
    inputs = whole_vectors(draw(low, high))
    got = apply(op, inputs, fused=fused)
    reference = REFERENCES.get(op) or getattr(np, op)
    with np.errstate(all="ignore"):
        exact = reference(inputs[0].astype(np.float64))
    bound = bound if fused else max(bound, accuracy.UNFUSED.get((op, "f32"), 0))
    assert_within(bound, error_f32(got, exact), inputs, got)


@pytest.mark.parametrize("op", BOUNDS_F32_BINARY)
def test_f32_of_two(op: str) -> None:
    rng = np.random.default_rng(1)
    pairs = np.repeat(SPECIAL, len(SPECIAL)), np.tile(SPECIAL, len(SPECIAL))
    first = rng.uniform(-10, 10, SAMPLES).astype("f4")
    second = rng.uniform(-20, 20, SAMPLES).astype("f4")
    second[::3] = np.rint(second[::3])
    inputs = whole_vectors(np.concatenate([pairs[0], first]), np.concatenate([pairs[1], second]))
    got = apply(op, inputs)
    with np.errstate(all="ignore"):
        exact = REFERENCES[op](*[x.astype(np.float64) for x in inputs])
    assert_within(BOUNDS_F32_BINARY[op], error_f32(got, exact), inputs, got)


@pytest.mark.parametrize("op", BOUNDS_F64)
def test_f64(op: str) -> None:
    mp = pytest.importorskip("mpmath")
    mp.mp.prec = 120
    functions = {"exp2": lambda x: mp.mpf(2) ** x, "log2": lambda x: mp.log(x, 2)}
    reference = functions.get(op) or getattr(mp, op)
    bound, low, high = BOUNDS_F64[op]
    rng = np.random.default_rng(2)
    (x,) = whole_vectors(np.concatenate([rng.uniform(low, high, 3000), rng.uniform(0, 2, 1000)]))
    got = apply(op, [x])
    for value, result in zip(x.tolist(), got.tolist(), strict=True):
        exact = reference(mp.mpf(value))
        if not math.isfinite(result):
            assert abs(exact) > 1.79e308
            continue
        exponent = max(int(mp.floor(mp.log(abs(exact), 2))), -1022)
        error = abs(mp.mpf(result) - exact) / mp.mpf(2) ** (exponent - 52)
        assert error <= bound, f"{mp.nstr(error, 4)} ulp at {value}"


@pytest.mark.parametrize("op", BOUNDS_F64)
def test_f64_specials(op: str) -> None:
    values = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1e308, -1e308, 1e22, -1.0]
    (x,) = whole_vectors(np.array(values * LANES))
    got = apply(op, [x])
    with np.errstate(all="ignore"):
        exact = getattr(np, op)(x)
    special = ~np.isfinite(exact) | (exact == 0)
    np.testing.assert_array_equal(got[special], exact[special])
    np.testing.assert_array_equal(np.signbit(got[exact == 0]), np.signbit(exact[exact == 0]))


def test_fused_product_rounds_once() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 4096)).astype("f4")
    c = -(a * b)
    c[::2] = rng.normal(size=2048).astype("f4")
    exact = a.astype("f8") * b.astype("f8") + c.astype("f8")  # one rounding, to f64
    for fused in (True, False):
        got = apply("fma", [a, b, c], fused=fused)
        np.testing.assert_array_equal(got[1::2], exact[1::2].astype("f4"))
        assert np.abs(got / exact - 1).max() <= 2.0**-24 * (1 + 2.0**-20)

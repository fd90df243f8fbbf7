"""What every function of libdevice promises: the largest error that is allowed, and where to look.

An error counts in units in the last place (ulp) of the exact result, over all arguments: random
bit patterns, infinities, NaN, denormals and signed zeros among them. A function whose zeros lie
elsewhere than at simple numbers (the Bessel functions, lgamma) cannot keep small relative errors
there; its unit is that of an amplitude, which `amplitude` gives.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = Any
INF = math.inf


@dataclasses.dataclass(frozen=True)
class Function:
    """One function: its reference, the bounds in fp32 and fp64, and where its trouble is.

    `reference` takes arrays of a wider type (fp64 for fp32, extended for fp64) and is good enough
    to find the worst arguments; `exact` then decides for those, at 200 bits. A bound of 0 means
    that the result is that of IEEE 754. A bound of None means that there is no such overload.
    """

    name: str
    reference: Callable[..., Array]
    f32: float | None
    f64: float | None
    interval: tuple[float, float] = (-10, 10)
    points: Sequence[float] = ()
    arity: int = 1
    exact: Callable[..., Any] | None = None
    amplitude: Callable[..., Array] | None = None
    expression: str = ""
    unit: str = "ulp"


def each(function: Callable[..., float]) -> Callable[..., Array]:
    """A function of Python floats over arrays, for references that NumPy lacks."""

    def guarded(*x: float) -> float:
        try:
            return function(*x)
        except OverflowError:
            return INF
        except ValueError:
            return math.nan

    whole = np.vectorize(guarded, otypes=[np.float64])
    return lambda *x: whole(*(np.asarray(v, np.float64) for v in x))


def of_torch(name: str) -> Callable[[Array], Array]:
    """A special function of torch, in fp64."""

    def call(x: Array) -> Array:
        import torch

        function = getattr(torch.special, name)
        return function(torch.from_numpy(np.asarray(x, np.float64))).numpy()

    return call


def _mp() -> Any:
    from mpmath import mp

    return mp


def mp_function(name: str, *before: Any) -> Callable[..., Any]:
    """A function of mpmath by name, with leading arguments; not for what takes it too long."""

    def call(*x: Any) -> Any:
        if before and abs(x[0]) > 1e6:
            raise ValueError("too large")
        return getattr(_mp(), name)(*before, *x)

    return call


def _round_away(x: Array) -> Array:
    whole = np.floor(np.abs(x))
    return np.copysign(whole + (np.abs(x) - whole >= 0.5), x)


def _rsqrt(x: Array) -> Array:
    return 1 / np.sqrt(x)


def _lgamma(x: float) -> float:
    return INF if x == 0 or (x < 0 and x == math.floor(x)) or abs(x) == INF else math.lgamma(x)


def _ldexp(x: Array, y: Array) -> Array:
    return np.ldexp(x, np.trunc(y).astype(np.int32)).astype(x.dtype)


def _nearest_even_power(x: Array, y: Array) -> Array:
    return np.power(x, np.trunc(y))


EXTENDED = np.longdouble
PI = EXTENDED("3.14159265358979323846264338327950288")
# Beyond, J_n(25) is below the last digit for each n that these miss.
NODES, TERMS = 36, 36


def _near(order: int, second: bool, x: Array) -> Array:
    """J or Y for 0 < x < 25: means over an angle, and Neumann's series (A&S 9.1.89) with them."""
    total, slope, weighted, change = (np.zeros_like(x) for _ in range(4))
    for i in range(NODES):
        angle = (i + EXTENDED(0.5)) * (PI / (2 * NODES))
        weight = sum((-1) ** k * np.cos(2 * k * angle) / k for k in range(1, TERMS))
        sine, weight = x.dtype.type(np.sin(angle)), x.dtype.type(weight)
        c = np.cos(x * sine) if order == 0 or second else 0
        s = np.sin(x * sine) * sine if order == 1 else 0
        total, slope = total + c, slope + s
        weighted, change = weighted + c * weight, change + s * weight
    if not second:
        return (slope if order else total) / NODES
    pi = x.dtype.type(PI)
    logarithm = np.log(x / 2) + x.dtype.type(EXTENDED("0.577215664901532860606512090082402431"))
    if order == 0:
        return 2 / pi * (logarithm * total - 2 * weighted) / NODES
    return 2 / pi * ((logarithm * slope - 2 * change) / NODES - total / NODES / x)


def _far(order: int, second: bool, x: Array) -> Array:
    """J or Y for x > 25, A&S 9.2.5 to 9.2.10."""
    p, q, term = np.ones_like(x), np.zeros_like(x), np.ones_like(x)
    for k in range(1, 24):
        term = term * (4 * order**2 - (2 * k - 1) ** 2) / (k * 8 * x)
        sign = -1 if k // 2 % 2 else 1
        p, q = (p, q + sign * term) if k % 2 else (p + sign * term, q)
    root = np.sqrt(x.dtype.type(0.5))
    cosine, sine = (np.cos(x) + np.sin(x)) * root, (np.sin(x) - np.cos(x)) * root
    if order:
        cosine, sine = sine, -cosine
    scale = np.sqrt(2 / x.dtype.type(PI)) / np.sqrt(x)
    return scale * (p * sine + q * cosine if second else p * cosine - q * sine)


def _bessel(kind: str, order: int) -> Callable[[Array], Array]:
    """A Bessel function of the first ("j") or the second ("y") kind."""

    def call(x: Array) -> Array:
        size = np.abs(x)
        value = np.where(np.isnan(x), x, np.zeros_like(x))
        for part, form in (((size > 0) & (size < 25), _near), ((size >= 25) & (size < INF), _far)):
            value[part] = form(order, kind == "y", size[part])
        if kind == "y":
            return np.where(x == 0, -np.inf, np.where(x < 0, np.nan, value))
        value = np.where(x == 0, 1 - order, value)
        return np.copysign(1, x) * value if order else value

    return call


def _scaled_erfc(x: Array) -> Array:
    wide = np.asarray(x, EXTENDED)
    product = np.exp(np.minimum(wide * wide, 11000)) * each(math.erfc)(x)
    return np.where(wide < 20, product, of_torch("erfcx")(x))


def _growing(order: int) -> Callable[[Array], Array]:
    """torch's; infinite from where the result overflows."""
    scaled = of_torch(f"i{order}e")

    def call(x: Array) -> Array:
        y = np.abs(x).astype(np.longdouble)
        value = scaled(np.minimum(y, 1e300)) * np.exp(np.minimum(y, 11000))
        value = np.where(y > 11000, np.inf, np.where(np.isnan(y), y, value))
        return np.copysign(1, x) * value if order else value

    return call


def _wave(x: Array) -> Array:
    """Amplitude of the Bessel functions: 1 near zero, then that of their asymptotic form."""
    return math.sqrt(2 / math.pi) / np.sqrt(np.maximum(np.abs(x), 0.7))


def _second_kind(x: Array) -> Array:
    return np.maximum(_wave(x), np.abs(np.log(np.maximum(np.abs(x), 1e-300))))


def _at_least_one(x: Array) -> Array:
    return np.ones_like(x)


def _erfcx(x: Any) -> Any:
    mp = _mp()
    if x > 1e6:
        return (1 - 1 / (2 * x * x)) / (x * mp.sqrt(mp.pi))
    return mp.exp(x * x) * mp.erfc(x)


HALVES = [k * math.pi / 2 for k in range(-8, 9)]
LARGE = [1e5, 1e10, 1e22, 1e30, 3e38]

FUNCTIONS = [
    Function("acos", np.arccos, 1.5, 1.0, (-1, 1), [-1, 0, 1, 0.5, -0.5]),
    Function("acosh", np.arccosh, 2.8, 2.5, (1, 50), [1]),
    Function("asin", np.arcsin, 2.5, 1.0, (-1, 1), [-1, 0, 1, 0.5]),
    Function("asinh", np.arcsinh, 2.0, 2.0, (-50, 50), [0]),
    Function("atan", np.arctan, 1.5, 1.0, (-5, 5), [0, 1, -1, 2.4142135]),
    Function("atanh", np.arctanh, 2.5, 2.0, (-1, 1), [-1, 0, 1]),
    Function("cbrt", np.cbrt, 0.51, 4.0, (-100, 100), [0, 1, 8]),
    Function("cos", np.cos, 2.0, 1.6, (-100, 100), [*HALVES, *LARGE]),
    Function("cosh", np.cosh, 1.5, 2.0, (-90, 90), [0, 88.72, 710.4]),
    Function("erf", each(math.erf), 1.5, 1.5, (-6, 6), [0, 1], exact=mp_function("erf")),
    Function("erfc", each(math.erfc), 4.5, 5.0, (-6, 28), [0, 1, 10, 26.5],
             exact=mp_function("erfc")),
    Function("erfcx", _scaled_erfc, 1.0, 8.0, (-27, 50), [0, 12, -9.38, -26.6],
             exact=_erfcx),
    Function("erfinv", of_torch("erfinv"), 1.0, 8.0, (-1, 1), [-1, 0, 1, 0.5, 0.9999999],
             exact=lambda x: _mp().erfinv(x)),
    Function("exp", np.exp, 1.0, 1.0, (-110, 90), [0, 88.7228, -87.3365, -103.97, 709.78, -745.1]),
    Function("exp2", np.exp2, 1.0, 1.0, (-152, 129), [0, 128, -126, -149, 1024, -1022, -1074]),
    Function("expm1", np.expm1, 1.6, 1.0, (-20, 89), [0, -17, -37]),
    Function("log", np.log, 1.0, 1.0, (0, 10), [1, 0]),
    Function("log10", np.log10, 1.1, 2.0, (0, 10), [1, 0, 10]),
    Function("log1p", np.log1p, 1.6, 1.0, (-1, 10), [0, -1]),
    Function("log2", np.log2, 1.1, 1.1, (0, 10), [1, 0, 2]),
    Function("lgamma", each(_lgamma), 1.0, 64.0, (-10, 10), [*range(-10, 4), 1e5],
             exact=lambda x: _mp().log(abs(_mp().gamma(x))) if abs(x) < 1e4
             else _mp().re(_mp().loggamma(x)),
             amplitude=_at_least_one, unit="ulp of the larger of |lgamma| and 1"),
    Function("rsqrt", _rsqrt, 1.5, 1.5, (0, 100), [0, 1]),
    Function("sin", np.sin, 2.0, 1.6, (-100, 100), [*HALVES, *LARGE]),
    Function("sinh", np.sinh, 2.0, 2.0, (-90, 90), [0, 88.72, 710.4]),
    Function("tan", np.tan, 3.5, 1.5, (-100, 100), [*HALVES, *LARGE]),
    Function("tanh", np.tanh, 1.5, 2.5, (-10, 10), [0, 9, 20]),
    *(
        Function(name, reference, 1.0, 32.0, (low, 60), [0, 1, 25], exact=exact,
                 amplitude=amplitude, unit="ulp of the amplitude")
        for name, reference, exact, amplitude, low in (
            ("j0", _bessel("j", 0), mp_function("besselj", 0), _wave, -60),
            ("j1", _bessel("j", 1), mp_function("besselj", 1), _wave, -60),
            ("y0", _bessel("y", 0), mp_function("bessely", 0), _second_kind, 0),
            ("y1", _bessel("y", 1), mp_function("bessely", 1), _second_kind, 0),
        )
    ),
    *(
        Function(f"cyl_bessel_i{n}", _growing(n), 1.0, 16.0, (-90, 90), [0, 25, 700],
                 exact=mp_function("besseli", n))
        for n in (0, 1)
    ),
    Function("abs", np.abs, 0, 0),
    Function("ceil", np.ceil, 0, 0, (-100, 100), [0, 2.0**23, 2.0**52]),
    Function("floor", np.floor, 0, 0, (-100, 100), [0, 2.0**23, 2.0**52]),
    Function("nearbyint", np.rint, 0, 0, (-100, 100), [0.5, 1.5, 2.5, 2.0**23, 2.0**52]),
    Function("rint", np.rint, 0, 0, (-100, 100), [0.5, 1.5, 2.5, 2.0**23, 2.0**52]),
    Function("round", _round_away, 0, 0, (-100, 100), [0.5, 1.5, 2.5, 2.0**23, 2.0**52]),
    Function("sqrt", np.sqrt, 0, 0, (0, 100), [0, 1]),
    Function("sqrt_rn", np.sqrt, 0, None, (0, 100), [0, 1]),
    Function("trunc", np.trunc, 0, 0, (-100, 100), [0, 2.0**23, 2.0**52]),
    Function("atan2", np.arctan2, 1.6, 1.0, (-10, 10), [0], arity=2),
    Function("copysign", np.copysign, 0, 0, arity=2),
    Function("div_rn", np.divide, 0, 0, arity=2),
    Function("fmod", np.fmod, 0, 0, (-100, 100), [1, 3], arity=2),
    Function("hypot", np.hypot, 2.5, 2.5, arity=2),
    Function("nextafter", np.nextafter, 0, 0, arity=2, points=[0, 1]),
    Function("pow", np.power, 0.51, 1.0, (0, 20), [1, 0.5, 2, 3], arity=2),
    Function("pow of an integer", _nearest_even_power, 0.51, 1.0, (-10, 10), [1], arity=2,
             expression="libdevice.pow(x, y.to(tl.int32))"),
    Function("fma", lambda x, y, z: x * y + z, 0.5, 0.5, arity=3,
             exact=lambda x, y, z: x * y + z),
    Function("fast_cosf", np.cos, 2.0, None, (-100, 100), HALVES),
    Function("fast_dividef", np.divide, 0, None, arity=2),
    Function("fast_expf", np.exp, 1.0, None, (-110, 90)),
    Function("fast_logf", np.log, 1.0, None, (0, 10), [1]),
    Function("fast_log2f", np.log2, 1.1, None, (0, 10), [1]),
    Function("fast_powf", np.power, 0.51, None, (0, 20), [1], arity=2),
    Function("fast_sinf", np.sin, 2.0, None, (-100, 100), HALVES),
    Function("fast_tanf", np.tan, 3.5, None, (-100, 100), HALVES),
    Function("fast_tanhf", np.tanh, 1.5, None),
    Function("mul_rn", np.multiply, 0, 0, arity=2),
    Function("ldexp", _ldexp, 0, 0, (-150, 150), arity=2,
             expression="libdevice.ldexp(x, y.to(tl.int32))"),
]  # fmt: skip

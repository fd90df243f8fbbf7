"""Functions of libdevice that are written in Triton itself, so that every backend has them.

The special functions compute in fp64 and round once to the argument's type; for arguments of
moderate size the result is accurate to 1e-14, relative to the function's amplitude. Loaded by
libdevice.py on first use of one of these functions.
"""

# mypy: ignore-errors
# The functions below are no Python: Triton compiles them, and its types are not Python's.

import triton
import triton.language as tl
from triton.language.extra import libdevice

_PI = tl.constexpr(3.141592653589793)
_ROOT_PI = tl.constexpr(1.7724538509055159)
_ROOT_2_OVER_PI = tl.constexpr(0.7978845608028654)
_EULER = tl.constexpr(0.5772156649015329)
_LOG_2 = tl.constexpr(0.6931471805599453)
# Nodes of the quadrature that stands for the Bessel functions' integrals, and the argument from
# which on their asymptotic series is the more accurate one.
_NODES = tl.constexpr(32)
_LARGE = tl.constexpr(25.0)


@triton.jit
def erfinv(x):
    """The y with erf(y) = x; infinite at -1 and 1.

    Starts from M. Giles, "Approximating the erfinv function" (GPU Computing Gems, 2012), followed
    by two steps of Halley's method, on erfc where erf is close to 1 and would lose its digits.
    """
    y = x.to(tl.float64)
    a = tl.abs(y)
    w = -tl.log((1.0 - a) * (1.0 + a))
    t = w - 2.5
    p = 2.81022636e-08 * t + 3.43273939e-07
    p = p * t - 3.5233877e-06
    p = p * t - 4.39150654e-06
    p = p * t + 0.00021858087
    p = p * t - 0.00125372503
    p = p * t - 0.00417768164
    p = p * t + 0.246640727
    central = p * t + 1.50140941
    t = tl.sqrt(tl.maximum(w, 5.0)) - 3.0
    p = -0.000200214257 * t + 0.000100950558
    p = p * t + 0.00134934322
    p = p * t - 0.00367342844
    p = p * t + 0.00573950773
    p = p * t - 0.0076224613
    p = p * t + 0.00943887047
    p = p * t + 1.00167406
    tail = p * t + 2.83297682
    # The fits end at 1 - a = 1e-7; beyond, erfc's own asymptotic form is the better start.
    far = tl.sqrt(-tl.log(1.0 - a) - 0.5 * tl.log(_PI * tl.maximum(w, 1.0)))
    r = tl.where(w < 5.0, central, tail) * a
    r = tl.where(w > 15.0, far, r)
    for _ in tl.static_range(2):
        rest = tl.where(a < 0.5, a - libdevice.erf(r), libdevice.erfc(r) - (1.0 - a))
        step = rest * tl.exp(r * r) * (0.5 * _ROOT_PI)
        r += step / (1.0 - step * r)
    r = tl.where(a == 1.0, float("inf"), r)
    r = tl.where(a > 1.0, float("nan"), r)
    return libdevice.copysign(r, y).to(x.dtype)


@triton.jit
def erfcx(x):
    """exp(x^2) erfc(x): the product up to 12, the asymptotic series beyond."""
    y = x.to(tl.float64)
    square = y * y
    rest = tl.fma(y, y, -square)
    product = tl.exp(square) * (1.0 + rest) * libdevice.erfc(y)
    far = tl.maximum(y, 12.0)
    u = 0.5 / (far * far)
    series = 1.0 + 0.0 * u
    for k in tl.static_range(14):
        series = 1.0 - (2 * (14 - k) - 1) * u * series
    result = tl.where(y > 12.0, series / far * (1.0 / _ROOT_PI), product)
    # exp overflows before the product does.
    return tl.where(y < -26.7, float("inf"), result).to(x.dtype)


@triton.jit
def lgamma(x):
    """log |gamma(x)| by Stirling's series from 8 on, recurrence and reflection below."""
    y = x.to(tl.float64)
    z = tl.where(y < 0.5, 1.0 - y, y)
    product = 1.0 + 0.0 * z
    for _ in tl.static_range(8):
        small = z < 8.0
        product = tl.where(small, product * z, product)
        z = tl.where(small, z + 1.0, z)
    r = 1.0 / (z * z)
    s = 1.0 / 156.0 * r - 691.0 / 360360.0
    s = s * r + 1.0 / 1188.0
    s = s * r - 1.0 / 1680.0
    s = s * r + 1.0 / 1260.0
    s = s * r - 1.0 / 360.0
    s = (s * r + 1.0 / 12.0) / z
    logarithm = tl.log(z)
    stirling = z * (logarithm - 1.0) - 0.5 * logarithm + 0.9189385332046727 + s - tl.log(product)
    # The distance to the nearest integer is exact, also next to a pole.
    distance = tl.abs(y - libdevice.rint(y))
    reflected = tl.log(_PI / tl.sin(_PI * distance)) - stirling
    result = tl.where(y < 0.5, reflected, stirling)
    # Next to 0 the quotient overflows; gamma is 1 / y there.
    result = tl.where(tl.abs(y) < 1e-20, -tl.log(tl.abs(y)), result)
    is_pole = (y <= 0.0) & (y == tl.floor(y))
    result = tl.where(is_pole | (tl.abs(y) == float("inf")), float("inf"), result)
    return result.to(x.dtype)


@triton.jit
def _hankel(x, ORDER: tl.constexpr):
    """The two sums of Hankel's asymptotic expansion, Abramowitz and Stegun 9.2.9-10."""
    p = 1.0 + 0.0 * x
    q = 0.0 * x
    term = p
    for k in tl.static_range(1, 17):
        term = term * ((4.0 * ORDER * ORDER - (2 * k - 1) * (2 * k - 1)) / (8.0 * k)) / x
        if k % 4 == 0:
            p += term
        elif k % 4 == 1:
            q += term
        elif k % 4 == 2:
            p -= term
        else:
            q -= term
    return p, q


@triton.jit
def _turned(x, ORDER: tl.constexpr):
    """Cosine and sine of x - pi/4, or of x - 3 pi/4, without the rounding of that difference."""
    cosine = tl.cos(x)
    sine = tl.sin(x)
    total = (cosine + sine) * 0.7071067811865476
    difference = (sine - cosine) * 0.7071067811865476
    if ORDER == 0:
        return total, difference
    else:
        return difference, -total


@triton.jit
def _select(x, near, far):
    """The form for the size of x; 0 at infinity, NaN for NaN."""
    result = tl.where(x < _LARGE, near, far)
    result = tl.where(x == float("inf"), 0.0, result)
    return tl.where(x == x, result, x)


@triton.jit
def _odd(x, result):
    """An odd function from its values at |x|; a zero keeps its sign."""
    # A product, since Triton's -0.0 is 0.0.
    result = tl.where(x < 0.0, result * -1.0, result)
    return tl.where(x == 0.0, x, result)


@triton.jit
def j0(x):
    """Bessel function of the first kind, order 0: the mean of cos(x sin t), A&S 9.1.18."""
    y = tl.abs(x.to(tl.float64))
    near = tl.minimum(y, _LARGE)
    total = 0.0 * near
    for i in range(_NODES):
        angle = (i.to(tl.float64) + 0.5) * (_PI / (2 * _NODES))
        total += tl.cos(near * tl.sin(angle))
    far = tl.maximum(y, _LARGE)
    p, q = _hankel(far, 0)
    cosine, sine = _turned(far, 0)
    wave = _ROOT_2_OVER_PI / tl.sqrt(far) * (p * cosine - q * sine)
    return _select(y, total / _NODES, wave).to(x.dtype)


@triton.jit
def j1(x):
    """Bessel function of the first kind, order 1: the mean of sin(x sin t) sin t."""
    y_signed = x.to(tl.float64)
    y = tl.abs(y_signed)
    near = tl.minimum(y, _LARGE)
    total = 0.0 * near
    for i in range(_NODES):
        node = tl.sin((i.to(tl.float64) + 0.5) * (_PI / (2 * _NODES)))
        total += tl.sin(near * node) * node
    far = tl.maximum(y, _LARGE)
    p, q = _hankel(far, 1)
    cosine, sine = _turned(far, 1)
    wave = _ROOT_2_OVER_PI / tl.sqrt(far) * (p * cosine - q * sine)
    # The sum's own digits end where the function does: x / 2 is all of it there.
    result = _select(y, tl.where(y < 1e-8, 0.5 * y, total / _NODES), wave)
    return _odd(y_signed, result).to(x.dtype)


@triton.jit
def _neumann_weight(angle):
    """What a node counts in the sum over k of (-1)^k J_2k / k."""
    weight = 0.0 * angle
    sign = 1.0 + 0.0 * angle
    for k in range(1, _NODES + 1):
        sign = -sign
        order = k.to(tl.float64)
        weight += sign * tl.cos(2.0 * order * angle) / order
    return weight


@triton.jit
def y0(x):
    """Bessel function of the second kind, order 0, for x > 0; -infinity at 0.

    Neumann's series (A&S 9.1.89) in the functions of even order, each of which is a mean over the
    same nodes, so that the series becomes one weight for each node.
    """
    y = x.to(tl.float64)
    near = tl.minimum(y, _LARGE)
    total = 0.0 * near
    weighted = 0.0 * near
    for i in range(_NODES):
        angle = (i.to(tl.float64) + 0.5) * (_PI / (2 * _NODES))
        weight = _neumann_weight(angle)
        value = tl.cos(near * tl.sin(angle))
        total += value
        weighted += value * weight
    logarithm = tl.log(near) - (_LOG_2 - _EULER)
    sums = (2.0 / _PI) * (logarithm * total - 2.0 * weighted) / _NODES
    far = tl.maximum(y, _LARGE)
    p, q = _hankel(far, 0)
    cosine, sine = _turned(far, 0)
    wave = _ROOT_2_OVER_PI / tl.sqrt(far) * (p * sine + q * cosine)
    result = _select(y, sums, wave)
    return tl.where(y < 0.0, float("nan"), result).to(x.dtype)


@triton.jit
def y1(x):
    """Bessel function of the second kind, order 1, for x > 0: minus the derivative of y0's form."""
    y = x.to(tl.float64)
    near = tl.minimum(y, _LARGE)
    total = 0.0 * near
    slope = 0.0 * near
    weighted = 0.0 * near
    for i in range(_NODES):
        angle = (i.to(tl.float64) + 0.5) * (_PI / (2 * _NODES))
        weight = _neumann_weight(angle)
        node = tl.sin(angle)
        total += tl.cos(near * node)
        change = tl.sin(near * node) * node
        slope += change
        weighted += change * weight
    logarithm = tl.log(near) - (_LOG_2 - _EULER)
    sums = (2.0 / _PI) * (logarithm * slope - 2.0 * weighted) / _NODES
    sums -= (2.0 / _PI) * (total / _NODES) / near
    far = tl.maximum(y, _LARGE)
    p, q = _hankel(far, 1)
    cosine, sine = _turned(far, 1)
    wave = _ROOT_2_OVER_PI / tl.sqrt(far) * (p * sine + q * cosine)
    result = tl.where(y < 0.0, float("nan"), _select(y, sums, wave))
    return tl.where(y == 0.0, float("-inf"), result).to(x.dtype)


@triton.jit
def _growing(x, ORDER: tl.constexpr):
    """exp(x) times the asymptotic expansion of the modified functions, A&S 9.7.1."""
    total = 1.0 + 0.0 * x
    term = total
    for k in tl.static_range(1, 17):
        term = term * (((2 * k - 1) * (2 * k - 1) - 4.0 * ORDER * ORDER) / (8.0 * k)) / x
        total += term
    # In two halves: the function overflows later than exp does.
    half = tl.exp(0.5 * x)
    return half * (total * (0.5 * _ROOT_2_OVER_PI) / tl.sqrt(x)) * half


@triton.jit
def cyl_bessel_i0(x):
    """Modified Bessel function of the first kind, order 0: the mean of cosh(x sin t)."""
    y = tl.abs(x.to(tl.float64))
    near = tl.minimum(y, _LARGE)
    total = 0.0 * near
    for i in range(_NODES):
        angle = (i.to(tl.float64) + 0.5) * (_PI / (2 * _NODES))
        total += libdevice.cosh(near * tl.sin(angle))
    far = _growing(tl.maximum(y, _LARGE), 0)
    result = tl.where(y < _LARGE, total / _NODES, far)
    result = tl.where(y == float("inf"), y, result)
    return tl.where(y == y, result, y).to(x.dtype)


@triton.jit
def cyl_bessel_i1(x):
    """Modified Bessel function of the first kind, order 1: the mean of sinh(x sin t) sin t."""
    y_signed = x.to(tl.float64)
    y = tl.abs(y_signed)
    near = tl.minimum(y, _LARGE)
    total = 0.0 * near
    for i in range(_NODES):
        node = tl.sin((i.to(tl.float64) + 0.5) * (_PI / (2 * _NODES)))
        total += libdevice.sinh(near * node) * node
    far = _growing(tl.maximum(y, _LARGE), 1)
    result = tl.where(y < _LARGE, total / _NODES, far)
    result = tl.where(y == float("inf"), y, result)
    result = tl.where(y == y, tl.where(y < 1e-8, 0.5 * y, result), y)
    return _odd(y_signed, result).to(x.dtype)


@triton.jit
def mul_rn(x, y):
    """x * y, rounded by itself even where sums of products are contracted."""
    product = tl.fma(x, y, 0.0)
    # The sum has lost the sign of a zero.
    return tl.where(product == 0.0, x * y, product)


@triton.jit
def llrint(x):
    """The nearest integer, ties to even, as int64."""
    return libdevice.rint(x).to(tl.int64)


@triton.jit
def ilogb(x):
    """The exponent of |x| as int32; the least one for 0 and NaN, the greatest one for infinity."""
    y = tl.abs(x.to(tl.float64))
    tiny = y < 2.2250738585072014e-308
    # By 2^54, which makes each subnormal a normal number.
    bits = tl.where(tiny, y * 18014398509481984.0, y).to(tl.int64, bitcast=True)
    exponent = (bits >> 52).to(tl.int32) - tl.where(tiny, 1077, 1023)
    exponent = tl.where(y == float("inf"), 2147483647, exponent)
    return tl.where((y == 0.0) | (y != y), -2147483648, exponent)


@triton.jit
def _power_of_two(n):
    """2^n as fp64, for the exponents of normal numbers."""
    return ((n.to(tl.int64) + 1023) << 52).to(tl.float64, bitcast=True)


@triton.jit
def ldexp(x, n):
    """x * 2^n, rounded once.

    In three factors, since 2^n may be no number where the product is one. The first one of a small
    power leaves the digits of every product that is not 0 in the end.
    """
    n = tl.minimum(tl.maximum(n, -2200), 2200)
    first = tl.where(n < -1022, -969, tl.minimum(n, 1023))
    rest = n - first
    second = tl.where(rest < -1022, -969, tl.minimum(rest, 1023))
    third = tl.maximum(tl.minimum(rest - second, 1023), -1022)
    y = x.to(tl.float64) * _power_of_two(first)
    return (y * _power_of_two(second) * _power_of_two(third)).to(x.dtype)

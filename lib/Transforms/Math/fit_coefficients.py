#!/usr/bin/env python3
"""Fits the polynomials of the math expansions and writes Coefficients.inc.

Each polynomial is a weighted minimax fit (Remez's exchange algorithm in
multi-precision arithmetic). Its coefficients are rounded one after the other to
the format they are used in, the remaining ones being fitted again, so that the
rounding of one is made up for by the others.

    python3 fit_coefficients.py > Coefficients.inc      # needs mpmath
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Sequence
from functools import partial

import mpmath as mp

mp.mp.prec = 200
GRID = 800
Function = Callable[[mp.mpf], mp.mpf]


def round_to(value: mp.mpf, bits: int) -> mp.mpf:
    """Rounds to a significand of `bits` bits (no subnormals needed here)."""
    if value == 0:
        return value
    mantissa, exponent = mp.frexp(value)
    return mp.ldexp(mp.nint(mp.ldexp(mantissa, bits)), int(exponent) - bits)


def grid(low: mp.mpf, high: mp.mpf) -> list[mp.mpf]:
    middle, half = (low + high) / 2, (high - low) / 2
    return [middle - half * mp.cos(mp.pi * i / GRID) for i in range(GRID + 1)]


def pick_extrema(errors: Sequence[mp.mpf], count: int) -> list[int]:
    """Indices of `count` alternating extrema of a sampled error."""
    runs: list[int] = []
    for i, error in enumerate(errors):
        if runs and (errors[runs[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[runs[-1]]):
                runs[-1] = i
        else:
            runs.append(i)
    while len(runs) > count:
        drop = 0 if abs(errors[runs[0]]) < abs(errors[runs[-1]]) else -1
        runs.pop(drop)
    return runs


def remez(
    f: Function, weight: Function, powers: Sequence[int], low: mp.mpf, high: mp.mpf
) -> tuple[list[mp.mpf], mp.mpf]:
    """Minimax fit of f by sum(c * x**p), error times weight; also its maximum."""
    # Where the weight vanishes any value will do, and equations blow up.
    xs = grid(low, high)
    floor = max(abs(weight(x)) for x in xs) * mp.mpf(2) ** -40
    xs = [x for x in xs if abs(weight(x)) > floor]
    fs, ws = [f(x) for x in xs], [weight(x) for x in xs]
    count = len(powers) + 1
    points = [round(i * (len(xs) - 1) / (count - 1)) for i in range(count)]
    best: list[mp.mpf] = []
    worst = mp.inf
    for _ in range(30):
        rows = [[xs[p] ** k for k in powers] + [(-1) ** i / ws[p]] for i, p in enumerate(points)]
        solution = mp.lu_solve(mp.matrix(rows), mp.matrix([fs[p] for p in points]))
        coefficients = list(solution)[:-1]
        errors = [
            w * (y - mp.fsum(c * x**k for c, k in zip(coefficients, powers, strict=True)))
            for x, y, w in zip(xs, fs, ws, strict=True)
        ]
        largest = max(abs(e) for e in errors)
        if largest < worst:
            best, worst = coefficients, largest
        extrema = pick_extrema(errors, count)
        if len(extrema) < count or extrema == points:
            break
        points = extrema
    return best, worst


def fit(
    f: Function,
    weight: Function,
    powers: Sequence[int],
    low: float | mp.mpf,
    high: float | mp.mpf,
    bits: int,
) -> tuple[list[mp.mpf], mp.mpf]:
    """A fit whose coefficients have `bits` bits, lowest power first."""
    low, high = mp.mpf(low), mp.mpf(high)

    # Of fewer coefficients than powers: what is left to fit.
    def error(coefficients: Sequence[mp.mpf], x: mp.mpf) -> mp.mpf:
        return f(x) - mp.fsum(c * x**k for c, k in zip(coefficients, powers, strict=False))

    def worst(coefficients: Sequence[mp.mpf]) -> mp.mpf:
        return max(abs(weight(x) * error(coefficients, x)) for x in grid(low, high))

    candidates = []
    fixed: list[mp.mpf] = []
    for done in range(len(powers)):
        rest, _ = remez(partial(error, fixed), weight, powers[done:], low, high)
        candidates.append(fixed + [round_to(c, bits) for c in rest])
        fixed = fixed + [round_to(rest[0], bits)]
    best = min(candidates, key=worst)
    return best, worst(best)


def literal(value: mp.mpf, bits: int) -> str:
    if bits == 24:
        packed = struct.unpack("f", struct.pack("f", float(value)))[0]
        assert mp.mpf(packed) == value
        return float(packed).hex()
    assert mp.mpf(float(value)) == value
    return float(value).hex()


def emit(name: str, what: str, coefficients: list[mp.mpf], worst: mp.mpf, bits: int) -> None:
    print(f"/// {what}; error {mp.nstr(mp.log(worst, 2), 4)} bits.")
    print(f"constexpr double {name}[] = {{")
    for c in coefficients:
        print(f"    {literal(c, bits)},")
    print("};\n")
    print(f"{name}: 2^{mp.nstr(mp.log(worst, 2), 4)}", file=sys.stderr)


def over_x(numerator: Function, power: int, limit: mp.mpf) -> Function:
    """numerator(x) / x**power, with its limit at 0."""
    return lambda x: limit if x == 0 else numerator(x) / x**power


def odd_tail(f: Function, limit: mp.mpf) -> Function:
    """P of f(x) = x + x^3 P(x^2), as a function of z = x^2."""

    def tail(z: mp.mpf) -> mp.mpf:
        if z == 0:
            return limit
        x = mp.sqrt(z)
        return (f(x) - x) / (x * z)

    return tail


def odd_weight(f: Function) -> Function:
    """Turns an error of that P into a relative error of f."""

    def weight(z: mp.mpf) -> mp.mpf:
        if z == 0:
            return mp.mpf(0)
        x = mp.sqrt(z)
        return x * z / f(x)

    return weight


def exponentials(suffix: str, bits: int, degree: int) -> None:
    half = mp.log(2) / 2 * mp.mpf("1.0001")
    c, e = fit(
        over_x(lambda r: mp.expm1(r) - r, 2, mp.mpf("0.5")),
        lambda r: r * r / mp.exp(r),
        range(degree - 1),
        -half,
        half,
        bits,
    )
    emit(f"kExp{suffix}", "exp(r) = 1 + r + r^2 P(r), |r| <= ln(2)/2", c, e, bits)
    c, e = fit(
        over_x(lambda r: mp.mpf(2) ** r - 1, 1, mp.log(2)),
        lambda r: r / mp.mpf(2) ** r,
        range(degree),
        -0.50005,
        0.50005,
        bits,
    )
    emit(f"kExp2{suffix}", "exp2(r) = 1 + r P(r), |r| <= 1/2", c, e, bits)


def exp2_medium() -> None:
    c, e = fit(
        over_x(lambda r: mp.mpf(2) ** r - 1, 1, mp.log(2)),
        lambda r: r / mp.mpf(2) ** r,
        range(7),
        -0.50005,
        0.50005,
        53,
    )
    emit("kExp2Medium", "exp2(r) = 1 + r P(r), |r| <= 1/2, rounded to f32 later", c, e, 53)


def trigonometric(suffix: str, bits: int, sine: int, cosine: int) -> None:
    end = (mp.pi / 4 * mp.mpf("1.01")) ** 2
    c, e = fit(odd_tail(mp.sin, -mp.mpf(1) / 6), odd_weight(mp.sin), range(sine), 0, end, bits)
    emit(f"kSin{suffix}", "sin(x) = x + x^3 P(x^2), |x| <= pi/4", c, e, bits)
    c, e = fit(
        over_x(lambda z: mp.cos(mp.sqrt(z)) - 1 + z / 2, 2, mp.mpf(1) / 24),
        lambda z: z * z / mp.cos(mp.sqrt(z)),
        range(cosine),
        0,
        end,
        bits,
    )
    emit(f"kCos{suffix}", "cos(x) = 1 - x^2/2 + x^4 P(x^2), |x| <= pi/4", c, e, bits)


def log_f32() -> None:
    low, high = mp.sqrt(mp.mpf("0.5")) - 1, mp.sqrt(2) - 1
    c, e = fit(
        over_x(lambda f: mp.log1p(f) - f + f * f / 2, 3, mp.mpf(1) / 3),
        lambda f: mp.mpf(0) if f == 0 else f**3 / mp.log1p(f),
        range(8),
        low,
        high,
        24,
    )
    emit("kLogF32", "log(1+f) = f - f^2/2 + f^3 P(f), 1+f in [sqrt(1/2), sqrt(2)]", c, e, 24)


def log_f64() -> None:
    """fdlibm's form of the logarithm, in s = f/(2+f)."""
    end = (3 - 2 * mp.sqrt(2)) ** 2 * mp.mpf("1.001")

    def tail(z: mp.mpf) -> mp.mpf:
        s = mp.sqrt(z)
        return mp.mpf(2) / 3 if z == 0 else (2 * mp.atanh(s) - 2 * s) / (s * z)

    def weight(z: mp.mpf) -> mp.mpf:
        s = mp.sqrt(z)
        return mp.mpf(0) if z == 0 else s * z / (2 * mp.atanh(s))

    c, e = fit(tail, weight, range(7), 0, end, 53)
    emit("kLogF64", "log(1+f) = 2s + s^3 P(s^2), s = f/(2+f)", c, e, 53)


def odd_functions_f32() -> None:
    for name, f, limit, terms, end in [
        ("Tanh", mp.tanh, -mp.mpf(1) / 3, 5, "0.64"),
        ("Sinh", mp.sinh, mp.mpf(1) / 6, 4, "1.01"),
        ("Asin", mp.asin, mp.mpf(1) / 6, 5, "0.501"),
        ("Atan", mp.atan, -mp.mpf(1) / 3, 9, "1.0001"),
    ]:
        c, e = fit(odd_tail(f, limit), odd_weight(f), range(terms), 0, mp.mpf(end) ** 2, 24)
        emit(f"k{name}F32", f"{name.lower()}(x) = x + x^3 P(x^2), |x| <= {end}", c, e, 24)


def error_functions_f32() -> None:
    def small(z: mp.mpf) -> mp.mpf:
        x = mp.sqrt(z)
        return 2 / mp.sqrt(mp.pi) - 1 if z == 0 else mp.erf(x) / x - 1

    c, e = fit(
        small,
        lambda z: 1 / (small(z) + 1),
        range(7),
        0,
        1,
        24,
    )
    emit("kErfSmallF32", "erf(x) = x + x P(x^2), |x| <= 1", c, e, 24)

    # Near 4, where erf rounds to 1, a coarse fit will do.
    c, e = fit(
        lambda x: mp.log(mp.erfc(x), 2) / x,
        lambda x: mp.log(2) * x * mp.erfc(x) / mp.erf(x),
        range(6),
        0.998,
        4.0,
        24,
    )
    emit("kErfLargeF32", "erf(x) = 1 - 2^(x P(x)), 1 <= x <= 4", c, e, 24)
    # At most a sixth of erf: errors count less, and all of them about as much.
    c, e = fit(
        lambda r: mp.mpf(2) ** r,
        lambda r: mp.mpf(2) ** (-r / 16),
        range(6),
        -0.50005,
        0.50005,
        24,
    )
    emit("kExp2CoarseF32", "2^r = P(r), |r| <= 1/2, where 2^r is a small part of a sum", c, e, 24)

    # Shepherd and Laframboise, "Chebyshev approximation of (1+2x) exp(x^2) erfc x
    # in 0 <= x < inf", Math. Comp. 36 (1981): the map t = (x-k)/(x+k).
    k = mp.mpf(2)

    def scaled(t: mp.mpf) -> mp.mpf:
        x = k * (1 + t) / (1 - t)
        return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)

    end = (mp.mpf("10.1") - k) / (mp.mpf("10.1") + k)
    start = (mp.mpf("0.45") - k) / (mp.mpf("0.45") + k)
    c, e = fit(scaled, lambda t: 1 / scaled(t), range(11), start, end, 24)
    emit("kErfcF32", "erfc(x) = exp(-x^2) P(t) / (1+2x), t = (x-2)/(x+2), x >= 0.45", c, e, 24)


def main() -> None:
    print("// Written by fit_coefficients.py; lowest power first.\n")
    exponentials("F32", 24, 6)
    log_f32()
    trigonometric("F32", 24, 4, 3)
    odd_functions_f32()
    error_functions_f32()
    exp2_medium()
    exponentials("F64", 53, 12)
    log_f64()
    trigonometric("F64", 53, 7, 6)


if __name__ == "__main__":
    main()

"""libdevice's special functions in fp64 and fp32, against mpmath."""

from __future__ import annotations

import pytest
import triton
import triton.language as tl
from triton.language.extra import libdevice

torch = pytest.importorskip("torch")
mpmath = pytest.importorskip("mpmath")


@triton.jit
def apply(x, out, n, NAME: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    values = tl.load(x + offsets, inside, other=1.0)
    if NAME == "erfinv":
        values = libdevice.erfinv(values)
    elif NAME == "erfcx":
        values = libdevice.erfcx(values)
    elif NAME == "lgamma":
        values = libdevice.lgamma(values)
    elif NAME == "j0":
        values = libdevice.j0(values)
    elif NAME == "j1":
        values = libdevice.j1(values)
    elif NAME == "y0":
        values = libdevice.y0(values)
    elif NAME == "y1":
        values = libdevice.y1(values)
    elif NAME == "cyl_bessel_i0":
        values = libdevice.cyl_bessel_i0(values)
    else:
        values = libdevice.cyl_bessel_i1(values)
    tl.store(out + offsets, values, inside)


def spread(low, high, count=120):
    """Numbers between 10^low and 10^high and their negatives."""
    values = torch.logspace(low, high, count, dtype=torch.float64)
    return torch.cat([-values, values])


def line(low, high, count=150):
    return torch.linspace(low, high, count, dtype=torch.float64)


CASES = {
    "erfinv": (
        mpmath.erfinv,
        torch.cat([line(-0.999, 0.999), spread(-12, -0.01), 1 - spread(-15, -1).abs()]),
    ),
    "erfcx": (
        lambda x: mpmath.exp(x * x) * mpmath.erfc(x),
        torch.cat([line(-26, 60), spread(-8, 0.9), line(61, 1e8)]),
    ),
    "lgamma": (
        lambda x: mpmath.log(abs(mpmath.gamma(x))) if abs(x) < 1e4 else mpmath.loggamma(x),
        torch.cat([line(-9.97, 40), spread(-8, 12).abs()]),
    ),
    "j0": (lambda x: mpmath.besselj(0, x), torch.cat([line(-60, 60), spread(-6, 4)])),
    "j1": (lambda x: mpmath.besselj(1, x), torch.cat([line(-60, 60), spread(-6, 4)])),
    "y0": (lambda x: mpmath.bessely(0, x), torch.cat([line(0.01, 60), spread(-6, 4).abs()])),
    "y1": (lambda x: mpmath.bessely(1, x), torch.cat([line(0.01, 60), spread(-6, 4).abs()])),
    "cyl_bessel_i0": (lambda x: mpmath.besseli(0, x), torch.cat([line(-80, 80), spread(-6, 2)])),
    "cyl_bessel_i1": (lambda x: mpmath.besseli(1, x), torch.cat([line(-80, 80), spread(-6, 2)])),
}


def run(name, x):
    out = torch.empty_like(x)
    apply[(triton.cdiv(len(x), 256),)](x, out, len(x), NAME=name, BLOCK=256)
    return out


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 2e-13), (torch.float32, 1.2e-7)])
def test_special_function(name, dtype, tolerance):
    reference, points = CASES[name]
    x = points.to(dtype)
    with mpmath.workdps(60):
        exact = [float(reference(mpmath.mpf(value))) for value in x.tolist()]
    wanted = torch.tensor(exact, dtype=torch.float64)
    keep = (wanted != 0) & (wanted.abs() < torch.finfo(dtype).max)
    x, wanted = x[keep], wanted[keep]
    error = (run(name, x).double() - wanted).abs()
    # Zeros of these are no tighter than the function's amplitude.
    amplitude = {"lgamma": 1.0, "j0": 0.1, "j1": 0.1, "y0": 0.1, "y1": 0.1}.get(name, 0.0)
    relative = error / wanted.abs().clamp(min=amplitude)
    assert relative.max() < tolerance, f"{relative.max()} at {x[relative.argmax()]}"


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_special_values(dtype):
    infinity, nan = float("inf"), float("nan")

    def of(name, *values):
        return run(name, torch.tensor(values, dtype=dtype)).tolist()

    assert of("erfinv", -1.0, 0.0, 1.0) == [-infinity, 0.0, infinity]
    assert of("erfcx", -100.0, 0.0) == [infinity, 1.0]
    assert of("lgamma", 0.0, -3.0, infinity, -infinity) == [infinity] * 4
    assert of("j0", 0.0) == [1.0]
    assert of("j1", 0.0) == [0.0]
    assert of("y0", 0.0) + of("y1", 0.0, infinity) == [-infinity, -infinity, 0.0]
    assert of("cyl_bessel_i0", 0.0, infinity, -infinity) == [1.0, infinity, infinity]
    assert of("cyl_bessel_i1", 0.0, infinity, -infinity) == [0.0, infinity, -infinity]
    assert of("j0", infinity) + of("j1", -infinity) + of("y0", infinity) == [0.0] * 3
    for name in CASES:
        assert str(of(name, nan)) == "[nan]"
    assert str(of("erfinv", 1.5, -1.5)) == str([nan, nan])


@triton.jit
def apply_scaling(x, n, square, exponent, scaled, nearest, rest, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    values = tl.load(x + offsets)
    tl.store(exponent + offsets, libdevice.ilogb(values))
    tl.store(scaled + offsets, libdevice.ldexp(values, tl.load(n + offsets)))
    tl.store(nearest + offsets, libdevice.llrint(values))
    # Contracted, this would be the part of the square that rounding takes away.
    tl.store(rest + offsets, libdevice.mul_rn(values, values) - tl.load(square + offsets))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_exponents_and_scaling(dtype):
    """Exact, also from and to subnormal numbers, with one rounding."""
    generator = torch.Generator().manual_seed(0)
    bits = torch.finfo(dtype).bits
    raw = torch.randint(-(2**31), 2**31 - 1, (2048 * bits // 32,), generator=generator)
    x = raw.to(torch.int32).view(dtype)
    x[:6] = torch.tensor([0.0, -0.0, float("inf"), -float("inf"), float("nan"), 1.0], dtype=dtype)
    n = torch.randint(-300, 300, x.shape, generator=generator, dtype=torch.int32)
    n *= 8 if dtype == torch.float64 else 1
    exponent, nearest = torch.zeros_like(n), torch.zeros(len(x), dtype=torch.int64)
    scaled, rest = torch.zeros_like(x), torch.zeros_like(x)
    apply_scaling[(1,)](x, n, x * x, exponent, scaled, nearest, rest, BLOCK=2048)
    double = x.double()
    _, wanted = torch.frexp(double)
    least, greatest = torch.iinfo(torch.int32).min, torch.iinfo(torch.int32).max
    wanted = torch.where((x == 0) | x.isnan(), least, wanted - 1)
    assert torch.equal(exponent, torch.where(x.isinf(), greatest, wanted).int())
    exact = [
        _scaled(value, power, dtype) for value, power in zip(x.tolist(), n.tolist(), strict=True)
    ]
    assert torch.equal(scaled.nan_to_num(7), torch.tensor(exact, dtype=dtype).nan_to_num(7))
    small = x.abs() < 2.0**60
    assert torch.equal(nearest[small], double[small].round().long())
    assert not rest[x.abs() < 1e18].any()


def _scaled(value, power, dtype):
    """value * 2^power, rounded once to dtype."""
    import numpy

    to = numpy.float64 if dtype == torch.float64 else numpy.float32
    with numpy.errstate(all="ignore"):
        return float(numpy.ldexp(to(value), power))

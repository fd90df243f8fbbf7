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
    else:
        values = libdevice.y0(values)
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
    amplitude = {"lgamma": 1.0, "j0": 0.1, "j1": 0.1, "y0": 0.1}.get(name, 0.0)
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
    assert of("y0", 0.0) == [-infinity]
    assert of("j0", infinity) + of("j1", -infinity) + of("y0", infinity) == [0.0] * 3
    for name in CASES:
        assert str(of(name, nan)) == "[nan]"
    assert str(of("erfinv", 1.5, -1.5)) == str([nan, nan])

"""Measures the error of every function of libdevice, as a kernel computes it.

    python test/numeric/accuracy.py [--samples N] [--only NAME ...] [--json FILE] [--page FILE]

Writes one line for each function and dtype: the largest error that was met, where, and the bound
(libdevice_functions.py). `--json` keeps the results, among those of earlier runs of other
functions, and `--page` makes the page of them. Exits with 1 where a bound is broken.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from libdevice_functions import FUNCTIONS, Array, Function

KINDS = {"f32": (np.float32, np.uint32, np.float64), "f64": (np.float64, np.uint64, np.longdouble)}
REFINED = 48
"""How many of the worst arguments get an exact reference."""
AUDITED = 48
"""How many arguments besides, drawn at random, which would show a wrong reference."""

UNFUSED = {
    ("exp", "f32"): 1.3, ("exp2", "f32"): 1.3, ("fast_expf", "f32"): 1.3, ("expm1", "f32"): 1.6,
    ("log2", "f32"): 2.0, ("log10", "f32"): 2.0, ("fast_log2f", "f32"): 2.0,
    ("exp", "f64"): 1.3, ("exp2", "f64"): 1.3, ("log2", "f64"): 2.0,
    ("cos", "f64"): 2.5, ("sin", "f64"): 2.5,
}  # fmt: skip
"""The bounds on machines without a fused multiply-add (x86-64-v2), where they are others."""

KERNEL = """
import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def kernel({pointers}, out_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = at < n
{loads}
    tl.store(out_ptr + at, {expression}, mask=mask)
"""


@dataclasses.dataclass(frozen=True)
class Measured:
    """The largest error of one function in one dtype, in units of its bound."""

    name: str
    kind: str
    error: float
    at: tuple[float, ...]
    got: float
    want: float
    bound: float
    unit: str
    samples: int

    @property
    def passed(self) -> bool:
        # Screening references are rounded themselves, by less than this.
        return self.error <= self.bound * (1 + 1e-3)


# --- arguments -----------------------------------------------------------------------------------


def specials(kind: str) -> Array:
    """Zeros, infinities, NaN, the ends of each range, small whole numbers and multiples of pi."""
    dtype = KINDS[kind][0]
    info = np.finfo(dtype)
    tiny, small = info.smallest_subnormal, info.tiny
    values = [0, np.inf, tiny, small - tiny, small, small + tiny, info.max, info.eps, 0.5, 1, 2, 3]
    values += [1 - info.eps / 2, 1 + info.eps, 1 / info.eps, 2 / info.eps, 1e10, 1e22, 1e30]
    values += [k * np.pi / 4 for k in range(1, 17)] + [np.log(info.max), np.log2(info.max), 20, 127]
    positive = np.array(values, dtype)
    return np.concatenate([positive, -positive, [dtype(np.nan)]])


def draw(function: Function, kind: str, count: int, seed: int) -> Array:
    """One operand: bit patterns, magnitudes, the interval, and the neighbourhood of its points."""
    dtype, bits, _ = KINDS[kind]
    rng = np.random.default_rng(seed)
    share = count // 4
    patterns = rng.integers(0, np.iinfo(bits).max, share, bits, endpoint=True).view(dtype)
    # Of NaN the quiet kind: by C's rules pow(x, 0) is 1 for that one only.
    patterns = np.where(np.isnan(patterns), dtype(np.nan), patterns)
    sign = rng.choice([-1.0, 1.0], share)
    magnitudes = sign * np.exp2(rng.uniform(-40, 40, share))
    inside = rng.uniform(*function.interval, share)
    points = np.array(function.points or [0.0, 1.0])
    near = rng.choice(points, share)
    scale = np.where(near == 0, 1.0, np.abs(near))
    near = near + rng.choice([-1.0, 1.0], share) * scale * np.exp2(rng.uniform(-53, 0, share))
    with np.errstate(over="ignore", invalid="ignore"):
        return np.concatenate([patterns, *(x.astype(dtype) for x in (magnitudes, inside, near))])


def arguments(function: Function, kind: str, samples: int) -> list[Array]:
    """Every operand; those of two or three meet all pairs of special values."""
    fixed = specials(kind)
    drawn = [draw(function, kind, samples, seed) for seed in range(function.arity)]
    if function.arity == 1:
        return [np.concatenate([fixed, drawn[0]])]
    rng = np.random.default_rng(99)
    drawn = [drawn[0], *(rng.permutation(x) for x in drawn[1:])]
    if function.name.startswith("pow") or function.name == "fast_powf":
        whole = slice(None, None, 3)
        drawn[1][whole] = rng.integers(-30, 30, len(drawn[1][whole]))
    pairs = [np.repeat(fixed, len(fixed)), np.tile(fixed, len(fixed))]
    if function.arity == 3:
        pairs.append(rng.permutation(pairs[1]))
    if "int32" in function.expression:
        limit = function.interval[1] * 4
        drawn[1], pairs[1] = (
            np.clip(np.nan_to_num(v), -limit, limit) for v in (drawn[1], pairs[1])
        )
    return [np.concatenate(x) for x in zip(pairs, drawn, strict=True)]


# --- the kernel ----------------------------------------------------------------------------------


def run(function: Function, inputs: list[Array]) -> Array:
    """The function over arrays, by a kernel on the host's CPU."""
    import torch

    names = "xyz"[: function.arity]
    expression = function.expression or f"libdevice.{function.name}({', '.join(names)})"
    source = KERNEL.format(
        pointers=", ".join(f"{n}_ptr" for n in names),
        loads="\n".join(f"    {n} = tl.load({n}_ptr + at, mask=mask)" for n in names),
        expression=expression,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "accuracy_kernel.py"
        path.write_text(source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("accuracy_kernel", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        tensors = [torch.from_numpy(np.ascontiguousarray(x)) for x in inputs]
        out = torch.empty_like(tensors[0])
        n = len(out)
        module.kernel[(-(-n // 1024),)](*tensors, out, n, BLOCK=1024)
    return out.numpy()


# --- the error -----------------------------------------------------------------------------------


def unit_of(exact: Array, kind: str) -> Array:
    """The distance of numbers of a dtype around each value."""
    dtype, _, wide = KINDS[kind]
    info = np.finfo(dtype)
    _, exponent = np.frexp(np.where(np.isfinite(exact) & (exact != 0), exact, 1))
    exponent = np.where(exact == 0, info.minexp, exponent)
    exponent = np.clip(exponent, info.minexp + 1, info.maxexp)
    return np.ldexp(wide(1), exponent - info.nmant - 1)


def errors(function: Function, kind: str, inputs: list[Array], got: Array, exact: Array) -> Array:
    """Error of each result; infinite where NaN, an infinity or the sign of a zero is wrong."""
    dtype, _, wide = KINDS[kind]
    top = np.ldexp(wide(1), np.finfo(dtype).maxexp)  # where infinity would be, were it a number
    unit = unit_of(exact, kind)
    if function.amplitude:
        amplitude = function.amplitude(inputs[0].astype(np.float64))
        unit = np.maximum(unit, unit_of(amplitude.astype(wide), kind))
    with np.errstate(all="ignore"):
        ours, theirs = (
            np.clip(np.nan_to_num(x.astype(wide), nan=0, posinf=top, neginf=-top), -top, top)
            for x in (got, exact)
        )
        error = np.abs(ours - theirs) / unit
    wrong = np.isnan(got) != np.isnan(exact)
    wrong |= (got == 0) & (exact == 0) & (np.signbit(got) != np.signbit(exact))
    return np.where(wrong, np.inf, error)


def refine(function: Function, inputs: list[Array], got: Array, error: Array, unit: Array) -> None:
    """Replaces the largest finite errors by exact ones, at 200 bits."""
    from mpmath import mp

    assert function.exact
    finite = np.isfinite(got) & np.isfinite(error)
    order = np.argsort(np.where(finite, error, -1))[::-1][:REFINED]
    order = np.concatenate([order, np.random.default_rng(5).integers(0, len(got), AUDITED)])
    with mp.workprec(200 + 2200 * (function.arity == 3)):
        for i in order:
            if not finite[i]:
                continue
            try:
                exact = function.exact(*(mp.mpf(float(x[i])) for x in inputs))
            except (ValueError, TypeError, OverflowError):
                # mpmath's own limits; the screening reference stands.
                continue
            scale = mp.mpf(float(unit[i]))
            error[i] = abs(mp.mpf(float(got[i])) - exact) / scale


@np.errstate(all="ignore")
def measure(function: Function, kind: str, samples: int) -> Measured:
    """Runs one function in one dtype over its arguments and finds the worst."""
    bound = bound_of(function, kind)
    inputs = arguments(function, kind, samples)
    got = run(function, inputs)
    wide = KINDS[kind][2]
    same = bound == 0
    exact = function.reference(*(x if same else x.astype(wide) for x in inputs))
    error = errors(function, kind, inputs, got, np.asarray(exact, wide))
    if function.exact:
        unit = unit_of(np.asarray(exact, wide), kind)
        if function.amplitude:
            amplitude = function.amplitude(inputs[0].astype(np.float64)).astype(wide)
            unit = np.maximum(unit, unit_of(amplitude, kind))
        refine(function, inputs, got, error, unit)
    worst = int(np.argmax(error))
    return Measured(
        function.name, kind, float(error[worst]), tuple(float(x[worst]) for x in inputs),
        float(got[worst]), float(exact[worst]), bound, function.unit, len(got),
    )  # fmt: skip


# --- reports -------------------------------------------------------------------------------------


def kinds_of(function: Function) -> list[str]:
    return [k for k, bound in (("f32", function.f32), ("f64", function.f64)) if bound is not None]


def bound_of(function: Function, kind: str) -> float:
    bound = function.f32 if kind == "f32" else function.f64
    assert bound is not None
    return bound


def _line(m: Measured) -> str:
    at = ", ".join(f"{x:.9g}" if m.kind == "f32" else f"{x:.17g}" for x in m.at)
    verdict = "" if m.passed else "  FAIL"
    return f"{m.name:<18} {m.kind} {m.error:>10.4g} <= {m.bound:<6g} at {at}: {m.got:.17g}{verdict}"


PAGE = """# Accuracy of the mathematical functions

Generated by `python test/numeric/accuracy.py --json benchmarks/results/math-accuracy.json --page
docs/math-accuracy.md`.

Each function of `triton.language.extra.libdevice` (of which `tl.math` has a part, under the same
names) as a kernel computes it, against a reference of more precision: fp64 for fp32, the 80-bit
extended format for fp64, and 200 bits for the worst arguments of the special functions. The
arguments are at least {samples} for each function and dtype, a quarter of them random bit
patterns, and all special values: zeros of both signs, infinities, NaN, denormals, the ends of each
range. Where the exact result is NaN, infinite or a zero, so is ours, with its sign. fp16 and bf16
are computed in fp32 and rounded once more.

The bound is what we promise for every argument, in units in the last place (ulp) of the exact
result; 0 means the result that IEEE 754 demands. `make test` checks it on fewer arguments.

On machines without a fused multiply-add (x86-64-v2) the bounds of these are wider: {unfused}.

| function | dtype | bound | largest error met | at | unit |
| --- | --- | --- | --- | --- | --- |
"""


def page(results: list[Measured]) -> str:
    """The results as Markdown."""
    lines = []
    for m in results:
        at = ", ".join(f"{x:.9g}" if m.kind == "f32" else f"{x:.17g}" for x in m.at)
        at = at if m.error else ""
        lines.append(f"| `{m.name}` | {m.kind} | {m.bound:g} | {m.error:.3g} | {at} | {m.unit} |\n")
    samples = min(m.samples for m in results)
    unfused = ", ".join(f"`{name}` {kind} {bound:g}" for (name, kind), bound in UNFUSED.items())
    return PAGE.format(samples=samples, unfused=unfused) + "".join(lines)


def kept(path: str, fresh: list[Measured]) -> list[Measured]:
    """The results of a file, renewed by `fresh`, in the order of the table; writes them back."""
    file = Path(path)
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    results = {(m["name"], m["kind"]): Measured(**{**m, "at": tuple(m["at"])}) for m in known}
    results |= {(m.name, m.kind): m for m in fresh}
    ordered = [
        dataclasses.replace(results[f.name, kind], bound=bound_of(f, kind))
        for f in FUNCTIONS
        for kind in kinds_of(f)
        if (f.name, kind) in results
    ]
    text = json.dumps([dataclasses.asdict(m) for m in ordered], indent=1)
    file.write_text(text + "\n", encoding="utf-8")
    return ordered


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_000_000, help="arguments of each function")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--json", default="", metavar="FILE", help="where the results are kept")
    parser.add_argument("--page", default="", metavar="FILE", help="where the page goes")
    options = parser.parse_args()
    results: list[Measured] = []
    for function in FUNCTIONS:
        if options.only and function.name not in options.only:
            continue
        for kind in kinds_of(function):
            start = time.perf_counter()
            results.append(measure(function, kind, options.samples))
            print(f"{_line(results[-1])}  ({time.perf_counter() - start:.1f} s)", flush=True)
            if options.json:
                kept(options.json, results)
    if options.json:
        results = kept(options.json, results)
    if options.page:
        Path(options.page).write_text(page(results), encoding="utf-8")
    return int(not all(m.passed for m in results))


if __name__ == "__main__":
    sys.exit(main())

"""What the conformance tables are made of: dtypes, inputs, comparison, and cases.

A *case* is one primitive on one dtype. Cases of the same family and dtype share one generated
kernel, because a kernel costs a compilation; when that kernel fails, each case gets its own, so
that a failure names the primitive and not its neighbours.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import itertools
import platform
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

TORCH = {
    "int1": torch.bool,
    "int8": torch.int8,
    "int16": torch.int16,
    "int32": torch.int32,
    "int64": torch.int64,
    "uint8": torch.uint8,
    "uint16": torch.uint16,
    "uint32": torch.uint32,
    "uint64": torch.uint64,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
    "float8e4nv": torch.float8_e4m3fn,
    "float8e5": torch.float8_e5m2,
    "float8e4b8": torch.float8_e4m3fnuz,
    "float8e5b16": torch.float8_e5m2fnuz,
}
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTS = SIGNED + UNSIGNED
FLOATS = ("float16", "bfloat16", "float32", "float64")
WIDE_FLOATS = ("float32", "float64")
NUMBERS = INTS + FLOATS
ALL = ("int1", *NUMBERS)
NARROW = ("float8e4nv", "float8e5", "float8e4b8", "float8e5b16")
STORED = (*ALL, *NARROW)
FEW = ("int32", "float32")
EVERY_WIDTH = ("int8", "int16", "int32", "int64", "float32")

Array = np.ndarray[Any, Any]

INSTRUCTION_SET = {"AMD64": "x86_64", "arm64": "aarch64"}.get(
    platform.machine(), platform.machine()
)
"""What kernels are compiled to: the first part of a target's triple, or "ptx"."""

ALONE = False
"""Each case gets a kernel of its own: slower, and a crash of the process names its case."""


def bits(dtype: str) -> int:
    """Width of a number of this dtype in bits (a boolean counts as 8, as it is stored)."""
    return TORCH[dtype].itemsize * 8


def is_float(dtype: str) -> bool:
    return TORCH[dtype].is_floating_point


@dataclasses.dataclass(frozen=True)
class Bound:
    """Allowed error: `ulp` units in the last place of the output dtype, plus `absolute`."""

    ulp: float = 0
    absolute: float = 0

    def allowed(self, want: Array, dtype: str) -> Array:
        info = torch.finfo(TORCH[dtype])
        finite = np.where(np.isfinite(want), np.abs(want), 0)
        return self.ulp * (info.eps * finite + info.smallest_normal * info.eps) + self.absolute


EXACT = Bound()


# --- inputs --------------------------------------------------------------------------------------


def _integers(dtype: str, n: int, domain: str, rng: np.random.Generator) -> Array:
    info = np.iinfo(dtype)
    ranges = {
        "any": (info.min, info.max),
        "any no nan": (info.min, info.max),
        "positive": (1, info.max // 2),
        "nonzero": (1, info.max),
        "shift": (0, info.bits - 1),
        "small": (max(info.min, -3), 3),
        "tiny": (0, 1),
        "castable": (max(info.min, -100), 100),
        "wide": (max(info.min, -100), 100),
        "sign": (1, 1),
    }
    low, high = ranges[domain]
    x = rng.integers(low, high, size=n, dtype=dtype, endpoint=True)
    if domain == "any":
        special = np.array([info.min, info.max, 0, 1, info.max - 1], dtype=dtype)
        x[: special.size] = special[:n]
    return x


def _floats(dtype: str, n: int, domain: str, rng: np.random.Generator) -> Array:
    x = rng.standard_normal(n) * 4
    limits = torch.finfo(TORCH[dtype])
    if domain == "any":
        special = [0.0, -0.0, np.inf, -np.inf, np.nan, limits.max, limits.tiny, 1.0]
        x[1 : 1 + len(special)] = special[: max(n - 1, 0)]
    elif domain in ("positive", "nonzero"):
        x = np.abs(x) + 0.125
    elif domain == "small":
        x = np.round(x)
    elif domain == "tiny":
        x = rng.uniform(0.5, 1.5, size=n)
    elif domain == "castable":
        x = rng.uniform(0, 100, size=n)
    elif domain == "sign":
        x = np.sign(x)
    elif domain == "wide":
        x = x * 10.0 ** rng.integers(-3, 2, size=n)
    elif domain.endswith("spread"):
        # All magnitudes of the small formats, and ties between two of their numbers.
        x = x * 2.0 ** rng.integers(-24, 18, size=n)
        width = rng.choice([3, 4, 8, 11, 24], 33)
        odd = 2 * rng.integers(0, 2 ** (width - 1)) + 1
        ties = (1 + odd * 2.0**-width) * 2.0 ** rng.integers(-18, 16, size=33)
        x[:99] = np.concatenate([ties, ties * (1 + 2.0**-40), -ties * (1 - 2.0**-40)])
        special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-300, 65519.999999, 65520.0, 3.4e38, 1.75]
        x[99 : 99 + len(special)] = special
        if domain == "numberspread":
            x[np.isnan(x)] = 3.0
    return x


def make_input(dtype: str, n: int, domain: str, seed: int) -> torch.Tensor:
    """`n` numbers of a dtype on the host; the domain says which (see the tables above)."""
    rng = np.random.default_rng(seed)
    if dtype == "int1":
        return torch.from_numpy(rng.integers(0, 2, size=n).astype(bool))
    if domain == "patterns":
        patterns = np.arange(n).astype(np.uint8)
        return torch.from_numpy(rng.permutation(patterns)).view(TORCH[dtype])
    if is_float(dtype):
        with np.errstate(over="ignore"):
            return torch.from_numpy(_floats(dtype, n, domain, rng)).to(TORCH[dtype])
    return torch.from_numpy(_integers(dtype, n, domain, rng))


def to_numpy(t: torch.Tensor) -> Array:
    """As the references see it: integers as they are, every float widened to fp64."""
    t = t.cpu()
    return t.double().numpy() if t.dtype.is_floating_point else t.numpy()


def guarded_empty(n: int, dtype: str, device: str) -> torch.Tensor:
    """A tensor of `n` recognisable numbers, so that a store that goes astray shows."""
    if dtype == "int1":
        return torch.ones(n, dtype=torch.bool, device=device)
    t = torch.full((n,), 85, dtype=torch.uint8)
    return t.repeat(TORCH[dtype].itemsize).view(TORCH[dtype]).to(device)


def assert_close(got: torch.Tensor, want: Any, dtype: str, bound: Bound, what: str) -> None:
    """Compares an output to its reference; nan meets nan, an infinity the same infinity.

    A floating reference (fp64) is first rounded to the dtype, which may overflow as ours does.
    """
    got_np, want_np = to_numpy(got), np.asarray(want)
    assert got_np.shape == want_np.shape, f"{what}: shape {got_np.shape}, not {want_np.shape}"
    if not is_float(dtype):
        same = got_np == want_np
    else:
        rounded = torch.from_numpy(want_np.astype(np.float64)).to(TORCH[dtype]).double().numpy()
        same = (got_np == rounded) | (np.isnan(got_np) & np.isnan(rounded))
        with np.errstate(invalid="ignore"):
            same |= np.abs(got_np - want_np) <= bound.allowed(want_np, dtype)
        same &= np.isnan(got_np) == np.isnan(rounded)
        want_np = rounded
    if not same.all():
        at = tuple(int(i[0]) for i in np.nonzero(~np.atleast_1d(same)))
        first_got, first_want = np.atleast_1d(got_np)[at], np.atleast_1d(want_np)[at]
        raise AssertionError(
            f"{what}: {np.sum(~same)} of {same.size} differ, first at {list(at)}: "
            f"got {first_got}, want {first_want}"
        )


# --- cases ---------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Case:
    """One primitive on one dtype. `check(device)` raises where the backend is wrong."""

    family: str
    name: str
    primitive: str
    dtype: str
    check: Callable[[str], None]

    @property
    def id(self) -> str:
        return f"{self.family}/{self.name}/{self.dtype}"

    @property
    def group(self) -> str:
        """Cases of one group share a kernel, so they belong into one process."""
        return f"{self.family}/{self.dtype}"


def program(
    primitive: str, dtypes: Sequence[str] = ("float32",), name: str = ""
) -> Callable[[Callable[[str, str], None]], Callable[[str, str], None]]:
    """Registers `fn(device, dtype)`, which launches a hand-written kernel, as a case per dtype."""

    def register(fn: Callable[[str, str], None]) -> Callable[[str, str], None]:
        family = fn.__module__.removesuffix("_programs")
        for dtype in dtypes:
            check = _bound_check(fn, dtype)
            PROGRAMS.append(Case(family, name or fn.__name__, primitive, dtype, check))
        return fn

    return register


def _bound_check(fn: Callable[[str, str], None], dtype: str) -> Callable[[str], None]:
    return lambda device: fn(device, dtype)


PROGRAMS: list[Case] = []

# --- generated kernels ---------------------------------------------------------------------------

_folder = tempfile.TemporaryDirectory(prefix="conformance-")
_serial = itertools.count()
_HEADER = """import torch
import triton
import triton.language as tl
import combine

"""


def build_kernel(source: str) -> Any:
    """The `kernel` of a module with this text: a file, because Triton reads functions' source."""
    name = f"generated_{next(_serial)}"
    path = Path(_folder.name) / f"{name}.py"
    path.write_text(_HEADER + source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.kernel

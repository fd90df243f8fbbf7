"""Arguments, grids and the ways to launch."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from kit import NUMBERS, TORCH, make_input, program
from memory_programs import equal


@triton.jit
def scalar_kernel(out_ptr, value):
    tl.store(out_ptr, value)


_VALUES: dict[str, tuple[int | float, ...]] = {
    "int8": (0, 1, -1, 127, -128),
    "int16": (300, -300),
    "int32": (0, 1, 16, -1, 2**31 - 1, -(2**31)),
    "int64": (2**31, -(2**31) - 1, 2**62, -(2**63)),
    "uint8": (0, 1, 255),
    "uint16": (65535,),
    "uint32": (2**32 - 1, 1),
    "uint64": (2**63, 2**64 - 1),
    "float16": (0.0, 1.0, -2.5),
    "bfloat16": (0.0, 1.0, -2.5),
    "float32": (0.0, 1.0, -2.5, float("inf"), 1e30),
    "float64": (0.0, 1.0, -2.5, 1e30),
}


@program("arguments", NUMBERS)
def scalar_arguments(device: str, dtype: str) -> None:
    """Python numbers, which specialise on 1 and on multiples of 16."""
    for value in _VALUES[dtype]:
        out = torch.zeros(1, dtype=TORCH[dtype], device=device)
        scalar_kernel[(1,)](out, value)
        want = torch.tensor([value], dtype=torch.float32).to(TORCH[dtype])
        if not TORCH[dtype].is_floating_point:
            want = torch.tensor([value], dtype=TORCH[dtype])
        equal(out, want, f"value {value}")


@triton.jit
def flags_kernel(out_ptr, flag, nothing, text: tl.constexpr, kind: tl.constexpr):
    value = tl.where(flag, 10, 20)
    if nothing is None:
        value += 1
    if text == "yes":
        value += 2
    tl.store(out_ptr, value.to(kind))


@program("arguments", ("int32", "float32"))
def booleans_none_text_and_types(device: str, dtype: str) -> None:
    kind = getattr(tl, dtype)
    out = torch.zeros(1, dtype=TORCH[dtype], device=device)
    for flag in (True, False):
        flags_kernel[(1,)](out, flag, None, "yes", kind)
        assert out.item() == (10 if flag else 20) + 3
        flags_kernel[(1,)](out, flag=flag, nothing=5, text="no", kind=kind)
        assert out.item() == (10 if flag else 20)


@triton.jit
def many_kernel(out_ptr, a, b, c, d, e, f, g, h, i, j, k, scale=2.0, BLOCK: tl.constexpr = 16):
    total = a + b + c + d + e + f + g + h + i + j + k
    tl.store(out_ptr + tl.arange(0, BLOCK), total * scale)


@program("arguments")
def many_and_default_arguments(device: str, dtype: str) -> None:
    out = torch.zeros(32, device=device)
    many_kernel[(1,)](out, *range(11))
    many_kernel[(1,)](out[16:], *range(11), scale=0.5)
    assert out.tolist() == [110.0] * 16 + [27.5] * 16


@triton.jit
def grid_kernel(out_ptr, sizes_ptr):
    x, y, z = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    nx, ny, nz = tl.num_programs(0), tl.num_programs(1), tl.num_programs(2)
    tl.store(out_ptr + (z * ny + y) * nx + x, x + 100 * y + 10000 * z)
    if (x == 0) & (y == 0) & (z == 0):
        tl.store(sizes_ptr, nx)
        tl.store(sizes_ptr + 1, ny)
        tl.store(sizes_ptr + 2, nz)


@program("tl.program_id", ("int32", "int64"))
def grids(device: str, dtype: str) -> None:
    for grid in ((1,), (7,), (3, 5), (4, 3, 2), (1, 1, 9)):
        nx, ny, nz = (*grid, 1, 1)[:3]
        out = torch.zeros(nx * ny * nz, dtype=TORCH[dtype], device=device)
        sizes = torch.zeros(3, dtype=TORCH[dtype], device=device)
        grid_kernel[grid](out, sizes)
        z, y, x = torch.meshgrid(*(torch.arange(n) for n in (nz, ny, nx)), indexing="ij")
        equal(out, (x + 100 * y + 10000 * z).reshape(-1).to(out.dtype), f"grid {grid}")
        assert sizes.tolist() == [nx, ny, nz]


@triton.jit
def mark_kernel(out_ptr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + offsets, offsets)


@program("tl.program_id", ("int32",))
def many_programs(device: str, dtype: str) -> None:
    """More programs than fit 16 bits; the grid may be a function."""
    count = 70_001 if device == "cpu" and not _interpreted() else 301
    out = torch.zeros(count * 2, dtype=torch.int32, device=device)
    mark_kernel[lambda meta: (count * 2 // meta["BLOCK"],)](out, BLOCK=2)
    equal(out, torch.arange(count * 2).int(), "marks")


def _interpreted() -> bool:
    return triton.knobs.runtime.interpret


@program("grid", ("int32",))
def empty_grids(device: str, dtype: str) -> None:
    """No program, no effect."""
    out = torch.zeros(16, dtype=torch.int32, device=device)
    for grid in ((0,), (0, 4), (4, 0, 1)):
        mark_kernel[grid](out, BLOCK=2)
    assert not out.any()


@triton.jit
def annotated_kernel(out_ptr, a: tl.int64, b: tl.float64, c: tl.int8):
    tl.static_assert(a.dtype == tl.int64)
    tl.static_assert(b.dtype == tl.float64)
    tl.store(out_ptr, a)
    tl.store(out_ptr + 1, b)
    tl.store(out_ptr + 2, c)


@program("arguments", ("float64",))
def annotated_arguments(device: str, dtype: str) -> None:
    """A type on a parameter, not the value, decides how it travels."""
    if _interpreted():
        return
    out = torch.zeros(3, dtype=torch.float64, device=device)
    annotated_kernel[(1,)](out, 5, 0.1, -7)
    assert out.tolist() == [5.0, 0.1, -7.0]


@triton.heuristics({"EVEN": lambda args: args["n"] % args["BLOCK"] == 0})
@triton.jit
def heuristic_kernel(x_ptr, n, EVEN: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    if EVEN:
        tl.store(x_ptr + offsets, 2)
    else:
        tl.store(x_ptr + offsets, 1, mask=offsets < n)


@program("triton.heuristics", ("int32",))
def heuristics(device: str, dtype: str) -> None:
    for n in (64, 63):
        x = torch.zeros(64, dtype=torch.int32, device=device)
        heuristic_kernel[(triton.cdiv(n, 16),)](x, n, BLOCK=16)
        assert x.tolist() == [2] * 64 if n == 64 else [1] * 63 + [0]


@triton.autotune(
    [triton.Config({"BLOCK": b}) for b in (32, 64)], key=["n"], reset_to_zero=["y_ptr"]
)
@triton.jit
def tuned_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    tl.store(y_ptr + offsets, x + y, mask=mask)


@program("triton.autotune")
def autotune(device: str, dtype: str) -> None:
    if _interpreted():
        return
    x = make_input(dtype, 331, "small", 0).to(device)
    y = torch.zeros_like(x)
    for _ in range(2):
        y.zero_()
        tuned_kernel[lambda meta: (triton.cdiv(331, meta["BLOCK"]),)](x, y, 331)
        equal(y, x + 0, "tuned")  # 0 + -0 is 0
    assert tuned_kernel.best_config.kwargs["BLOCK"] in (32, 64)


@triton.jit
def plus_one_kernel(x_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(x_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) + 1, mask=mask)


@program("kernel.warmup")
def warmup_and_relaunch(device: str, dtype: str) -> None:
    """What a launch returns can be launched again, with every argument in order."""
    if _interpreted():
        return
    x = torch.zeros(100, device=device)
    plus_one_kernel.warmup(torch.float32, 100, BLOCK=64, grid=(2,))
    compiled = plus_one_kernel[(2,)](x, 100, BLOCK=64)
    compiled[(2, 1, 1)](x, 100, 64)
    equal(x, torch.full_like(x, 2), "twice")


@program("arguments")
def views_and_storage_offsets(device: str, dtype: str) -> None:
    """A tensor that begins inside of another one, not 16-byte aligned."""
    x = torch.zeros(101, device=device)
    plus_one_kernel[(2,)](x[1:], 100, BLOCK=64)
    plus_one_kernel[(2,)](x, 101, BLOCK=64)
    assert x.tolist() == [1.0] + [2.0] * 100

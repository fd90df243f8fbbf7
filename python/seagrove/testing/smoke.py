"""A kernel that is run to find out whether a backend works; it needs no tensor library."""

from __future__ import annotations

import time
from array import array
from typing import Any

import triton
import triton.language as tl

import seagrove


@triton.jit  # type: ignore[untyped-decorator]  # Triton has no types
def scale_and_add(x, y, out, n, scale, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    values = tl.load(x + offsets, inside) * scale + tl.load(y + offsets, inside)
    tl.store(out + offsets, values, inside)


def run(count: int = 1000, block: int = 256) -> float:
    """Runs the kernel on `count` values and checks every result.

    Returns:
        Milliseconds of a second launch, when everything is compiled.

    Raises:
        AssertionError: if a result is wrong.
    """
    x = seagrove.asarray(array("f", range(count)))
    y = seagrove.asarray(array("f", (3 * i for i in range(count))))
    # The values behind the end show a store that should have been masked.
    out = seagrove.asarray(array("f", [-1.0] * (count + block)))
    launch: Any = scale_and_add[(triton.cdiv(count, block),)]
    launch(x, y, out, count, 0.5, BLOCK=block)
    start = time.perf_counter()
    launch(x, y, out, count, 0.5, BLOCK=block)
    elapsed = (time.perf_counter() - start) * 1e3
    wanted = [3.5 * i for i in range(count)] + [-1.0] * block
    wrong = [i for i, value in enumerate(array("f", out.bytes())) if value != wanted[i]]
    assert not wrong, f"{len(wrong)} wrong values, the first at {wrong[0]}"
    return elapsed

"""Compares what an engine left in memory to what NumPy says must be there."""

from __future__ import annotations

import numpy as np

from seagrove.testing.differential import formats
from seagrove.testing.differential.formats import Array
from seagrove.testing.differential.reference import Memory


def differences(got: list[bytes], want: list[Memory]) -> str:
    """ "" where all storages agree, or else where the first one differs."""
    for number, (raw, memory) in enumerate(zip(got, want, strict=True)):
        data = formats.decode(np.frombuffer(raw, np.uint8).copy(), memory.dtype)
        same = agree(data, memory)
        if not same.all():
            at = int(np.argmin(same))
            return (
                f"storage {number} ({memory.dtype}): {int((~same).sum())} of {same.size} differ, "
                f"first at {at}: got {data[at]!r}, want {memory.data[at]!r}"
                f" within {float(memory.error[at]):.3g}"
            )
    return ""


def agree(got: Array, want: Memory) -> Array:
    """Which numbers are allowed.

    Bit for bit where nothing was rounded in an unknown order, but for the payload of a nan; within
    the derived bound elsewhere.
    """
    if not formats.is_float(want.dtype):
        return np.asarray(got == want.data)
    with np.errstate(all="ignore"):
        same = (got == want.data) & (np.signbit(got) == np.signbit(want.data))
        same |= np.isnan(got) & np.isnan(want.data)
        distance = np.abs(got.astype(np.float64) - want.data.astype(np.float64))
        inexact = want.error > 0
        same |= inexact & (distance <= want.error)
        return np.asarray(same | np.isinf(want.error) | np.isnan(want.error))

"""Which Triton is installed."""

from __future__ import annotations

import triton

SUPPORTED = ((3, 6), (3, 9))


def triton_version() -> tuple[int, int]:
    """Major and minor version of the installed Triton."""
    major, minor = triton.__version__.split(".")[:2]
    return int(major), int(minor)

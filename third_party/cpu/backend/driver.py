"""The CPU backend's driver, where Triton looks for it."""

from __future__ import annotations

from seagrove.backends import cpu
from seagrove.frontend import triton_compat

CpuDriver = triton_compat.driver_class(cpu.NAME, is_host=True)

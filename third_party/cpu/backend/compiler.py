"""The CPU backend's compiler, where Triton looks for it."""

from __future__ import annotations

from seagrove.backends import cpu
from seagrove.frontend import triton_compat

CpuCompiler = triton_compat.compiler_class(cpu.NAME)
triton_compat.install()

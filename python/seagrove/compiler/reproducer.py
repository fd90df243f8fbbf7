"""Reproducers: a kernel's text with the passes that compile it, in one file.

`seagrove-opt --run-reproducer FILE` runs them. Triton's environment variable TRITON_REPRODUCER_PATH
asks for one of each kernel that is compiled, written before the compiler starts.
"""

from __future__ import annotations

import os
from pathlib import Path

from seagrove.compiler.targets import TargetDescription

ENVIRONMENT = "TRITON_REPRODUCER_PATH"
SUFFIX = ".make_so.repro.mlir"

_RESOURCES = """
{{-#
  external_resources: {{
    mlir_reproducer: {{
      pipeline: "{pipeline}",
      disable_threading: true,
      verify_each: true
    }}
  }}
#-}}
"""


def pipeline(target: TargetDescription) -> str:
    """The passes from TTIR to LLVM dialect for a target, in MLIR's textual form."""
    vectorize = (
        f"vectorize-blocks{{vector-bits={target.vector_bits} "
        f"vector-registers={target.vector_registers} "
        f"scalable-unit-bits={target.scalable_unit_bits if target.scalable else 0} "
        f"scalable-max-bits={target.scalable_max_bits} register-group={target.register_group} "
        f"l1-bytes={target.l1_bytes} "
        f"l2-bytes={target.l2_bytes} last-level-bytes={target.last_level_bytes} "
        f"fma={str(target.fma).lower()}}}"
    )
    passes = ("sg-structure", "sg-tensor", vectorize, "canonicalize", "cse", "sg-lower-to-llvm")
    return f"builtin.module({','.join(passes)})"


def write_if_asked(ttir: str, target: TargetDescription) -> None:
    """Writes the reproducer of a kernel where the environment names a path for it.

    Raises:
        OSError: the file cannot be written.
    """
    if prefix := os.environ.get(ENVIRONMENT):
        text = ttir + _RESOURCES.format(pipeline=pipeline(target))
        Path(prefix + SUFFIX).write_text(text)

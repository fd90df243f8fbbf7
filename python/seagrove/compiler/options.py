"""What may be chosen for one compilation, independent of the front end."""

from __future__ import annotations

from dataclasses import dataclass

EMIT_KINDS = (
    "ttir",
    "structured",
    "tensor",
    "linalg",
    "vector",
    "llvm-dialect",
    "llvm",
    "asm",
    "obj",
    "so",
)
BINARY_KINDS = ("obj", "so")


@dataclass(frozen=True)
class CodegenOptions:
    """Options that change the generated code.

    Attributes:
        opt_level: 0 to 3; 0 keeps the code readable.
        enable_fp_fusion: allows `a * b + c` to be rounded once.
        planted_miscompile: a mistake to make on purpose, for tests of the oracles
            (docs/oracles.md); empty everywhere else.
    """

    opt_level: int = 3
    enable_fp_fusion: bool = True
    planted_miscompile: str = ""

    def cache_key(self) -> str:
        return repr(self)

"""What may be chosen for one compilation, independent of the front end."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from seagrove.errors import OptionError

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


@dataclass(frozen=True)
class LaunchOptions:
    """Options of a launch; a backend that has more adds them in a subclass.

    These are the members that Triton's front end, cache and hooks read. `num_warps`, `num_ctas`
    and `num_stages` are launch tuning that a backend may ignore.
    """

    num_warps: int = 4
    num_ctas: int = 1
    num_stages: int = 3
    warp_size: int = 1
    debug: bool = False
    sanitize_overflow: bool = False
    instrumentation_mode: str = ""
    fpsan_homomorphic_casts: bool = False
    supported_fp8_dtypes: tuple[str, ...] = (
        "fp8e5",
        "fp8e4nv",
        "fp8e4b8",
        "fp8e5b16",
        "fp8e4b15",
    )
    deprecated_fp8_dot_operand_dtypes: tuple[str, ...] = ()
    default_dot_input_precision: str = "ieee"
    allowed_dot_input_precisions: tuple[str, ...] = ("ieee", "tf32", "tf32x3", "bf16x3", "bf16x6")
    max_num_imprecise_acc_default: int = 0
    enable_fp_fusion: bool = True
    launch_cooperative_grid: bool = False
    extern_libs: tuple[tuple[str, str], ...] = ()
    ir_override: str | None = None
    arch: str = ""
    backend_name: str = ""
    opt_level: int = 3
    planted_miscompile: str = ""

    def __post_init__(self) -> None:
        if self.num_warps <= 0 or self.num_warps & (self.num_warps - 1):
            raise OptionError(
                f"num_warps must be a power of 2, not {self.num_warps}",
                code="SG0616",
                advice="launch with num_warps=1, 2, 4, 8, ...",
            )

    def hash(self) -> str:
        """Key of these options in Triton's cache of compiled kernels."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    def codegen(self) -> CodegenOptions:
        """The options that change the code that we make."""
        return CodegenOptions(
            opt_level=self.opt_level,
            enable_fp_fusion=self.enable_fp_fusion,
            planted_miscompile=self.planted_miscompile,
        )

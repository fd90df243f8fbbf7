"""What a case of the suite is, and the pieces that the kernels' files make theirs of."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any

import torch
import triton
from _harness import EXACT, Tolerance, randn

__all__ = [
    "EXACT",
    "SMOKE",
    "Case",
    "Tolerance",
    "dtype_label",
    "pick",
    "rand_like_int8",
    "randn",
    "tuned",
]

Tensors = torch.Tensor | Sequence[torch.Tensor]

# Tiny sizes, one configuration each: set by the command before the kernels are imported.
SMOKE = os.environ.get("SEAGROVE_BENCHMARK_SMOKE", "") == "1"

LABELS = {
    torch.float32: "fp32",
    torch.bfloat16: "bf16",
    torch.float16: "fp16",
    torch.int8: "int8",
    torch.int32: "int32",
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One comparison.

    `make()` returns the inputs followed by `outputs` preallocated outputs. `ours` and `eager` take
    all of them and return the result; `eager` writes into the outputs wherever torch takes `out=`.
    `pure` is the mathematics, taking the inputs alone: Inductor compiles it, followed by a copy
    into the outputs (which it fuses) unless `own_output`. `reference` takes the inputs alone, too,
    and gives what ours is compared to (eager's result where it is None). `bytes` is what has to be
    read and written at least, `flops` the operations, of which `unit` names the measured peak;
    `stream` names the bandwidth that fits. `tuner` is the autotuner that `ours` launches, if any.
    """

    group: str
    shape: str
    dtype: torch.dtype
    make: Callable[[], tuple[Any, ...]]
    ours: Callable[..., Tensors]
    eager: Callable[..., Tensors]
    pure: Callable[..., Tensors]
    tolerance: Tolerance
    bytes: int
    flops: int = 0
    outputs: int = 1
    own_output: bool = False
    reference: Callable[..., Tensors] | None = None
    stream: str = "copy"
    tuner: Any = None

    @property
    def name(self) -> str:
        return f"{self.group} {self.shape}"

    @property
    def unit(self) -> str:
        return dtype_label(self.dtype)


def dtype_label(dtype: torch.dtype) -> str:
    return LABELS[dtype]


def pick(smoke: Sequence[Any], default: Sequence[Any]) -> Sequence[Any]:
    """The sizes of this run."""
    return smoke if SMOKE else default


def rand_like_int8(*shape: int, seed: int = 0) -> torch.Tensor:
    """Uniform int8 numbers on the host, the same for each call."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-128, 128, shape, generator=generator, dtype=torch.int8)


def quick_bench(call: Callable[[], object], quantiles: Any = None) -> list[float]:
    """Milliseconds of a configuration for the autotuner: best of what fits into 3 ms, of three at
    least, or of two if slow: one that was disturbed must not decide."""
    import time

    call()
    best, spent, calls = float("inf"), 0.0, 0
    while calls < 3 or spent < 3:
        start = time.perf_counter()
        call()
        taken = (time.perf_counter() - start) * 1e3
        best, spent, calls = min(best, taken), spent + taken, calls + 1
        if best > 200 and calls > 1:
            break
    return [best] * 3


def tuned(
    configs: Sequence[dict[str, int]], key: Sequence[str], prune: Callable[..., Any] | None = None
) -> Callable[[Any], Any]:
    """`triton.autotune` over block sizes, as a GPU's kernel has it; one of them in a smoke run."""
    chosen = [triton.Config(dict(c)) for c in (configs[:1] if SMOKE else configs)]
    return triton.autotune(
        configs=chosen,
        key=list(key),
        do_bench=quick_bench,
        prune_configs_by={"early_config_prune": prune} if prune and not SMOKE else None,
    )

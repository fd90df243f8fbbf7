"""The stages of a compilation: TTIR text in, any later form out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from seagrove.compiler.cache import RecentResults
from seagrove.compiler.diagnostics import Decision, Diagnostic, compile_error, format_diagnostic
from seagrove.compiler.native import native
from seagrove.compiler.options import BINARY_KINDS, EMIT_KINDS, CodegenOptions
from seagrove.compiler.targets import TargetDescription


@dataclass(frozen=True)
class Compiled:
    """The outcome of one compilation.

    Attributes:
        output: what was asked for; UTF-8 where it is text.
        symbol: name of the range kernel.
        scratch_bytes: memory that each thread must hand to the kernel.
        waits: whether programs may wait for each other, by a lock or a flag.
        remarks: messages that are no errors, such as "not vectorised because ...".
        timings: (pass, milliseconds), if asked for.
        decisions: what the passes chose and why, if asked for.
    """

    output: bytes
    symbol: str
    scratch_bytes: int
    waits: bool = False
    remarks: tuple[Diagnostic, ...] = ()
    timings: tuple[tuple[str, float], ...] = ()
    decisions: tuple[Decision, ...] = ()

    def text(self) -> str:
        return self.output.decode(errors="replace")


_recent: RecentResults[Compiled] = RecentResults()


def compile_ttir(
    ttir: str,
    target: TargetDescription,
    options: CodegenOptions,
    *,
    emit: str = "so",
    timing: bool = False,
    decisions: bool = False,
) -> Compiled:
    """Compiles one kernel.

    Args:
        ttir: text of a Triton module with one public function.
        target: the chip.
        options: options that change the code.
        emit: one of `EMIT_KINDS`.
        timing: also measure each pass.
        decisions: also note what the passes choose.

    Raises:
        CompileError: with every diagnostic, located in the user's source.
        ValueError: for an unknown `emit`.
    """
    if emit not in EMIT_KINDS:
        raise ValueError(f"cannot emit '{emit}'; known: {', '.join(EMIT_KINDS)}")
    key = "\0".join((emit, target.cache_key(), options.cache_key(), ttir))
    watched = timing or decisions
    if not watched and (known := _recent.get(key)):
        return known
    api = native()
    wanted = api.CompileOptions()
    wanted.opt_level = options.opt_level
    wanted.enable_fp_fusion = options.enable_fp_fusion
    wanted.planted_miscompile = options.planted_miscompile
    wanted.emit = emit
    wanted.collect_timing = timing
    wanted.collect_decisions = decisions
    result = api.compile(ttir, target.to_native(), wanted)
    diagnostics = tuple(Diagnostic.from_native(item) for item in result.diagnostics)
    if not result.ok:
        raise compile_error(diagnostics)
    for item in diagnostics:
        if item.severity == "warning":
            warnings.warn(format_diagnostic(item), stacklevel=2)
    compiled = Compiled(
        output=result.output,
        symbol=result.symbol,
        scratch_bytes=result.scratch_bytes,
        waits=result.waits,
        remarks=tuple(item for item in diagnostics if item.severity == "remark"),
        timings=tuple(result.timings),
        decisions=tuple(Decision.from_native(item) for item in result.decisions),
    )
    if not watched and emit in BINARY_KINDS:
        _recent.put(key, compiled)
    return compiled

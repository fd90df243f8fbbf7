"""`seagrove explain`: what a code means, or what the compiler decided about a kernel and how long
each pass took."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from seagrove.compiler.diagnostics import format_decisions
from seagrove.compiler.stages import Compiled


def describe(compiled: Compiled) -> str:
    """Decisions by source line, then the time of each pass; passes that ran often are summed."""
    parts = []
    if compiled.decisions:
        parts.append(format_decisions(compiled.decisions))
    if compiled.timings:
        times: dict[str, list[float]] = {}
        for name, milliseconds in compiled.timings:
            times.setdefault(name, []).append(milliseconds)
        lines = []
        for name, each in times.items():
            often = f"  ({len(each)} times)" if len(each) > 1 else ""
            lines.append(f"{sum(each):9.3f} ms  {name}{often}")
        total = sum(milliseconds for _, milliseconds in compiled.timings)
        parts.append("\n".join([*lines, f"{total:9.3f} ms  together"]))
    return "\n\n".join(parts)


def explain_launched(compiled: Any) -> str:
    """What the compiler decides about a kernel that a launch returned; compiles it once more.

    Raises:
        TypeError: for anything but a kernel that a launch returned.
        CompileError: if its target is not there any more.
    """
    from seagrove.frontend import triton_compat

    metadata = getattr(compiled, "metadata", None)
    ttir = getattr(compiled, "asm", {}).get("ttir")
    if metadata is None or ttir is None:
        raise TypeError("explain takes what kernel[grid](...) returned")
    name = str(metadata.backend_name)
    arch = str(metadata.target.arch)
    compiler = triton_compat.make_backend(name, arch)
    backend = compiler.backend
    options = compiler.parse_options(metadata._asdict())
    kind = backend.emit_kinds()[-1]
    return describe(backend.emit(ttir, compiler.describe(arch), options, kind, timing=True))


def main(arguments: argparse.Namespace) -> int:
    """Prints; returns the exit status."""
    if arguments.what is not None and ".py" in arguments.what:
        from seagrove.tools import compile_command

        arguments.kernel = arguments.what
        print(describe(compile_command.compile_kernel(arguments, last=True)))
        return 0
    return _explain_code(arguments.what)


def _explain_code(code: str | None) -> int:
    from seagrove.compiler.codes import EXPLANATIONS
    from seagrove.compiler.diagnostics import explain

    if code is None:
        for known, entry in sorted(EXPLANATIONS.items()):
            print(f"{known}  {entry.headline}")
        return 0
    try:
        print(explain(code))
    except KeyError:
        print(f"there is no code '{code}'; `seagrove explain` lists all", file=sys.stderr)
        return 1
    return 0

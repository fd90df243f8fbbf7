"""`seagrove compile`: a kernel of a file, at any stage of its compilation."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seagrove.backend import Backend
from seagrove.compiler.stages import Compiled
from seagrove.errors import SeagroveError

_TYPE = re.compile(r"\*?k?\*?(i1|[iu](8|16|32|64)|u1|fp16|bf16|fp32|fp64|fp8\w+)(:16)?$|tensordesc")


def load_file(path: Path) -> dict[str, Any]:
    """Executes a Python file and returns its names."""
    if not path.is_file():
        raise SeagroveError(f"there is no file '{path}'", code="SG0707")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return vars(module)


def find_kernel(place: str) -> Any:
    """The kernel that "FILE.py::NAME" names.

    Raises:
        SeagroveError: SG0707 if there is none.
    """
    from seagrove.frontend.triton_compat import is_kernel, unwrap_kernel

    file, _, name = place.partition("::")
    names = load_file(Path(file))
    kernels = sorted(key for key, value in names.items() if is_kernel(value))
    if name not in kernels:
        raise SeagroveError(
            f"'{file}' has no kernel '{name}'" if name else f"'{file}' has these kernels",
            code="SG0707",
            why="found under @triton.jit: " + (", ".join(kernels) or "none"),
            advice=f"write {file}::NAME",
        )
    return unwrap_kernel(names[name])


def split_signature(text: str) -> list[str]:
    """Splits at the commas that are not within brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "<[(") - (character in ">])")
        if character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


def _constant(text: str) -> object:
    if text.startswith("tl."):
        import triton.language as tl

        return getattr(tl, text[3:])
    return ast.literal_eval(text)


def bind_signature(kernel: Any, text: str | None) -> tuple[dict[str, str], dict[str, object]]:
    """Types and constants by parameter name.

    Raises:
        SeagroveError: SG0708 if the text does not fit the kernel's parameters.
    """
    names: Sequence[str] = kernel.arg_names
    entries = split_signature(text) if text else []
    types: dict[str, str] = {}
    constants: dict[str, object] = {}
    try:
        for name, entry in zip(names, entries, strict=False):
            if _TYPE.match(entry):
                types[name] = entry
            else:
                constants[name] = _constant(entry)
    except (ValueError, SyntaxError, AttributeError):
        raise _signature_error(kernel, f"'{entry}' is neither a type nor a value") from None
    for parameter in kernel.params[len(entries) :]:
        if not parameter.has_default:
            raise _signature_error(kernel, f"nothing is given for '{parameter.name}'")
        constants[parameter.name] = parameter.default
    if len(entries) > len(names):
        raise _signature_error(kernel, f"{len(entries)} entries for {len(names)} parameters")
    return types, constants


def _signature_error(kernel: Any, why: str) -> SeagroveError:
    return SeagroveError(
        f"the signature does not fit kernel '{kernel.__name__}'",
        code="SG0708",
        why=f"{why}; the parameters are ({', '.join(kernel.arg_names)})",
        advice='write for example --signature "*fp32,*fp32,i32,1024"',
    )


def parse_options(entries: Sequence[str]) -> dict[str, object]:
    """Launch options out of "NAME=VALUE" texts.

    Raises:
        SeagroveError: SG0738 for a text of another form.
    """
    options: dict[str, object] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not (name.isidentifier() and equals):
            raise SeagroveError(
                f"'{entry}' is no launch option", code="SG0738", advice="write NAME=VALUE"
            )
        try:
            options[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            options[name] = value
    return options


def _check_kind(kind: str, backend: Backend) -> None:
    if kind not in (kinds := ("ttir", *backend.emit_kinds())):
        raise SeagroveError(
            f"the backend '{backend.name}' makes no '{kind}'",
            code="SG0738",
            why="its stages are: " + ", ".join(dict.fromkeys(kinds)),
            advice="name one of them with --emit",
        )


def compile_kernel(arguments: argparse.Namespace, last: bool = False) -> Compiled:
    """The kernel at the stage that the command line asks for, or at the last one, with timing.

    Raises:
        SeagroveError: for a wrong command line, or a kernel that does not compile.
    """
    from seagrove.frontend import triton_compat
    from seagrove.runtime import registry

    kernel = find_kernel(arguments.kernel)
    types, constants = bind_signature(kernel, arguments.signature)
    text = f"{arguments.backend}:{arguments.target}" if arguments.backend else arguments.target
    name, arch = registry.split_target(text)
    backend = registry.find(name).load()
    kind = backend.emit_kinds()[-1] if last else arguments.emit or backend.default_emit
    _check_kind(kind, backend)
    compiler = triton_compat.make_backend(name, arch)
    options = compiler.parse_options(
        {"opt_level": arguments.opt_level, **parse_options(arguments.options)}
    )
    ttir = triton_compat.kernel_ttir(kernel, types, constants, compiler, options)
    if kind == "ttir":
        return Compiled(ttir.encode(), "", 0)
    target = compiler.describe(arch)
    if last:  # The first compilation of a process pays for more than the kernel.
        backend.emit(ttir, target, options, kind, timing=True)
    return backend.emit(ttir, target, options, kind, timing=last or arguments.timing)


def main(arguments: argparse.Namespace) -> int:
    """Compiles and writes; returns the exit status."""
    from seagrove.compiler.diagnostics import format_diagnostic

    compiled = compile_kernel(arguments)
    if arguments.remarks:
        for remark in compiled.remarks:
            print(format_diagnostic(remark), file=sys.stderr)
    if arguments.timing:
        for name, milliseconds in compiled.timings:
            print(f"{milliseconds:9.3f} ms  {name}", file=sys.stderr)
    if arguments.output:
        Path(arguments.output).write_bytes(compiled.output)
    elif b"\0" in compiled.output and sys.stdout.isatty():
        raise SeagroveError(f"'{arguments.emit}' is no text", advice="name a file with -o")
    else:
        sys.stdout.buffer.write(compiled.output)
    return 0

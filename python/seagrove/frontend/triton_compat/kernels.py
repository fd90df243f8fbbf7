"""Kernels by hand, for the command line."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import triton
from triton.backends.compiler import GPUTarget

from seagrove.compiler.diagnostics import Diagnostic, compile_error
from seagrove.errors import CompileError
from seagrove.frontend.triton_compat import upstream
from seagrove.frontend.triton_compat.compilers import as_triton_error, compiler_class, ttir_text
from seagrove.runtime import registry
from seagrove.upstream import UpstreamBackend


def is_kernel(value: object) -> bool:
    """Whether `value` is a kernel: a function under @triton.jit, perhaps autotuned."""
    return isinstance(unwrap_kernel(value), triton.JITFunction)


def unwrap_kernel(value: Any) -> Any:
    """The function under @triton.jit within @triton.autotune and @triton.heuristics."""
    while not isinstance(value, triton.JITFunction) and hasattr(value, "fn"):
        value = value.fn
    return value


def kernel_ttir(
    kernel: Any,
    signature: Mapping[str, Any],
    constants: Mapping[str, Any],
    backend: Any,
    options: Any = None,
) -> str:
    """The TTIR of a kernel, as the front end makes it.

    Args:
        kernel: a function under @triton.jit.
        signature: Triton's type for each parameter that is no constant, ":16" behind it for a
            number that is a multiple of 16.
        constants: the value for each tl.constexpr.
        backend: what `make_backend` returns; decides library functions.
        options: what its `parse_options` returned; None for the defaults.

    Raises:
        CompileError: SG0737 for what the front end refuses, at the user's line; also a
            triton.CompilationError.
    """
    from triton._C.libtriton import ir
    from triton.compiler import ASTSource, CompilationError

    names = kernel.arg_names
    types = {name: str(signature.get(name, "constexpr")) for name in names}
    # What Triton's launch path says of aligned pointers, since most are, and of multiples of 16.
    attrs = {
        (position,): [["tt.divisibility", 16]]
        for position, name in enumerate(names)
        if types[name].startswith("*") or types[name].endswith(":16")
    }
    types = {name: text.removesuffix(":16") for name, text in types.items()}
    source = ASTSource(kernel, types, dict(constants), attrs)
    options = backend.parse_options({}) if options is None else options
    context = ir.context()
    ir.load_dialects(context)
    backend.load_dialects(context)
    functions = backend.get_codegen_implementation(options)
    try:
        module = source.make_ir(
            backend.target, options, functions, backend.get_module_map(), context
        )
    except CompilationError as error:
        if isinstance(error, CompileError):
            raise
        raise front_end_error(error, kernel, backend) from None
    return ttir_text(module)


def front_end_error(error: Any, kernel: Any, compiler: Any) -> CompileError:
    """A refusal of Triton's front end as ours: at the user's line, in the front end's words."""
    node, decorators = error.node, 0
    while not kernel.raw_src[decorators].lstrip().startswith("def "):
        decorators += 1
    first = kernel.starting_line_number + decorators
    line = first - 1 + node.lineno if hasattr(node, "lineno") else first
    file = kernel.fn.__code__.co_filename
    text = str(error.error_message or error).strip()
    if text.startswith("ValueError("):  # The front end quotes other exceptions.
        text = text.removeprefix("ValueError(").removesuffix(")").strip("\"'")
    column = getattr(node, "col_offset", -1) + 1
    found = Diagnostic("error", text, file, line, column, "SG0737")
    if isinstance(compiler, upstream.UpstreamCompiler):
        found = compiler.backend.explained(found, compiler.target_description)
    return as_triton_error(compile_error([found]))


def make_backend(name: str, arch: str) -> Any:
    """The compiler of the backend `name` for the target `arch`.

    Raises:
        BackendError: SG0706 if there is no such backend, SG0730 if Triton lacks its pipeline.
        TargetError: SG0702 if it has no such target.
    """
    backend = registry.find(name).load()
    if isinstance(backend, UpstreamBackend):
        return upstream.make_compiler(backend, arch)
    return compiler_class(name)(GPUTarget(*backend.triton_target(arch)))


@contextmanager
def watched_launches(
    started: Callable[[Any], None], failed: Callable[[Exception], None]
) -> Iterator[None]:
    """Tells of each launch within the block: the compiled kernel, or what it ended with."""
    jit: Any = importlib.import_module("triton.runtime.jit")
    upstream_run = jit.JITFunction.run

    @functools.wraps(upstream_run)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            compiled = upstream_run(self, *args, **kwargs)
        except Exception as error:
            failed(error)
            raise
        started(compiled)
        return compiled

    jit.JITFunction.run = run
    try:
        yield
    finally:
        jit.JITFunction.run = upstream_run

"""Kernels by hand, for the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import triton
from triton.backends.compiler import GPUTarget

from seagrove.frontend.triton_compat.compilers import CompilerBase, ttir_text
from seagrove.frontend.triton_compat.hooks import triton_backends


def is_kernel(value: object) -> bool:
    """Whether `value` is a kernel: a function under @triton.jit, perhaps autotuned."""
    return isinstance(unwrap_kernel(value), triton.JITFunction)


def unwrap_kernel(value: Any) -> Any:
    """The function under @triton.jit within @triton.autotune and @triton.heuristics."""
    while not isinstance(value, triton.JITFunction) and hasattr(value, "fn"):
        value = value.fn
    return value


def kernel_ttir(
    kernel: Any, signature: Mapping[str, Any], constants: Mapping[str, Any], backend: CompilerBase
) -> str:
    """The TTIR of a kernel, as the front end makes it.

    Args:
        kernel: a function under @triton.jit.
        signature: Triton's type for each parameter that is no constant, ":16" behind it for a
            number that is a multiple of 16.
        constants: the value for each tl.constexpr.
        backend: decides options and library functions.

    Raises:
        triton.CompilationError: for an error in the kernel.
    """
    from triton._C.libtriton import ir
    from triton.compiler import ASTSource

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
    options = backend.parse_options({})
    context = ir.context()
    ir.load_dialects(context)
    backend.load_dialects(context)
    module = source.make_ir(
        backend.target,
        options,
        backend.get_codegen_implementation(options),
        backend.get_module_map(),
        context,
    )
    return ttir_text(module)


def make_backend(name: str, arch: str) -> CompilerBase:
    """The compiler of the backend `name` for the target `arch`."""
    backend = triton_backends()[name].compiler(GPUTarget(name, arch, 1))
    assert isinstance(backend, CompilerBase)
    return backend

"""Triton's compiler classes, made from the backends of the registry."""

from __future__ import annotations

import fnmatch
import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from triton import knobs
from triton.backends.compiler import BaseBackend

from seagrove.compiler.options import LaunchOptions
from seagrove.errors import CompileError
from seagrove.frontend.triton_compat.version import triton_version
from seagrove.runtime import registry

if TYPE_CHECKING:
    from seagrove.backend import Backend
    from seagrove.compiler.stages import Compiled
    from seagrove.compiler.targets import TargetDescription

LIBDEVICE = "triton.language.extra.libdevice"


class CompilerBase(BaseBackend):  # type: ignore[misc]  # Triton has no types
    """The compiler of one backend, in the shape that Triton asks for.

    Its stages are `ttir`, the module as Triton's front end made it, and the backend's binary.
    """

    binary_ext = "so"
    name = ""
    accepts_arrays = True

    @classmethod
    def supports_target(cls, target: Any) -> bool:
        return bool(target.backend == cls.name)  # Asked of every backend: loads nothing.

    def __init__(self, target: Any) -> None:
        super().__init__(target)
        self.backend = registry.find(self.name).load()
        self.binary_ext = self.backend.binary_ext

    def describe(self, arch: str) -> TargetDescription:
        """The target description for an architecture's name."""
        return self.backend.describe(arch)

    def hash(self) -> str:
        return self.backend.key(self.describe(str(self.target.arch)))

    def get_target_name(self, options: LaunchOptions) -> str:
        return self.name

    def parse_options(self, opts: Mapping[str, Any]) -> LaunchOptions:
        """Picks the options of the backend out of a launch's keyword arguments."""
        known = {field.name for field in fields(self.backend.options)}
        given = {key: opts[key] for key in known if opts.get(key) is not None}
        if isinstance(libraries := given.get("extern_libs"), Mapping):
            given["extern_libs"] = tuple(libraries.items())
        given.setdefault("arch", str(self.target.arch))
        given.setdefault("backend_name", self.name)
        return self.backend.options(**given)

    def get_codegen_implementation(self, options: LaunchOptions) -> dict[str, Callable[..., Any]]:
        return {
            "min_dot_size": lambda lhs, rhs: (1, 1, 1),
            "convert_custom_types": _convert_custom_types,
        }

    def get_module_map(self) -> dict[str, ModuleType]:
        install_block_pointers()
        return {LIBDEVICE: importlib.import_module(f"triton.language.extra.{self.name}.libdevice")}

    def load_dialects(self, context: Any) -> None:
        """The front end needs none beyond Triton's own."""

    def pack_metadata(self, metadata: Any) -> tuple[int, int, int]:
        return metadata.num_warps, metadata.num_ctas, metadata.shared

    def add_stages(
        self, stages: dict[str, Any], options: LaunchOptions, language: object = None
    ) -> None:
        # As text, so that it is printed once for the cache and for the next stage.
        stages["ttir"] = lambda module, metadata: (
            module if knobs.compilation.use_ir_loc else ttir_text(module)
        )
        stages[self.binary_ext] = lambda module, metadata: self.make_binary(
            module, metadata, options
        )

    def make_binary(self, module: Any, metadata: dict[str, Any], options: LaunchOptions) -> bytes:
        """Hands the module's text to the compiler and fills in the metadata of a launch."""
        compiled = self.compile(ttir_text(module), options)
        metadata.update(
            name=compiled.symbol,
            shared=0,
            scratch_bytes=compiled.scratch_bytes,
            waits=compiled.waits,
            global_scratch_size=0,
            global_scratch_align=1,
            profile_scratch_size=0,
            profile_scratch_align=1,
            tensordesc_meta=None,
        )
        return compiled.output

    def compile(self, ttir: str, options: LaunchOptions) -> Compiled:
        """Compiles TTIR text for this backend's target.

        Raises:
            CompileError: which is also Triton's CompilationError.
        """
        from seagrove.compiler import reproducer

        target = self.describe(options.arch)
        refuse(ttir, self.backend)
        reproducer.write_if_asked(ttir, target)
        try:
            return self.backend.compile(ttir, target, options)
        except CompileError as error:
            raise as_triton_error(error) from None


def compiler_class(name: str) -> type[CompilerBase]:
    """Triton's compiler class of the backend `name`, which is loaded when one is made."""
    kind = type(f"{name.title()}Compiler", (CompilerBase,), {"name": name})
    return kind


def refuse(ttir: str, backend: Backend) -> None:
    """Refuses a module with an operation that the backend names as not compiled.

    Raises:
        CompileError: SG0714, which is also Triton's CompilationError.
    """
    if not backend.refusals:
        return
    found = set(_OPERATION.findall(ttir))
    for refusal in backend.refusals:
        for operation in sorted(fnmatch.filter(found, refusal.operation)):
            error = CompileError(
                f"the backend '{backend.name}' does not compile {operation}: {refusal.why}"
                + (f"; {refusal.advice}" if refusal.advice else "")
                + " [SG0714]",
                code="SG0714",
                why=refusal.why,
                advice=refusal.advice,
            )
            raise as_triton_error(error)


# Operations at the start of a line, perhaps behind their results.
_OPERATION = re.compile(r"^\s*(?:%[\w:, %#]+= )?\"?([a-z_]+\.[\w.]+)", re.MULTILINE)


def _convert_custom_types(value: Any, to: Any, rounding: Any = None, *, _semantic: Any) -> Any:
    """Casts between float formats that Triton leaves to the backend (`tl.float8e4b15`)."""
    from triton._C.libtriton import ir

    from seagrove.frontend import custom_floats

    toward_zero = rounding == ir.ROUNDING_MODE.RTZ
    return custom_floats.convert(value, to, toward_zero, _semantic)


def ttir_text(module: Any) -> str:
    """The module's text, with the locations of the user's source."""
    return str(module)


@lru_cache(maxsize=1)
def _error_type() -> type[CompileError]:
    from triton.compiler.errors import CompilationError

    class TritonCompileError(CompileError, CompilationError):  # type: ignore[misc]
        """A CompileError that code which handles Triton's errors can handle as well."""

        def __init__(self, source: CompileError) -> None:
            # Not Triton's __init__, which formats its message from a syntax tree.
            Exception.__init__(self, source.headline)
            self.__dict__.update(source.__dict__)
            self.src = self.node = None
            self.error_message = self.message = source.headline

        def __reduce__(self) -> tuple[Any, ...]:
            plain = CompileError(self.headline, code=self.code)
            plain.diagnostics = self.diagnostics
            return as_triton_error, (plain,)

    TritonCompileError.__name__ = TritonCompileError.__qualname__ = "CompileError"
    TritonCompileError.__module__ = CompileError.__module__
    return TritonCompileError


def as_triton_error(error: CompileError) -> CompileError:
    """The same error, as a kind of Triton's CompilationError."""
    make: Callable[[CompileError], CompileError] = _error_type()
    return make(error)


def install_block_pointers() -> None:
    """Gives tl.make_block_ptr and tl.advance back where Triton has them no more."""
    if triton_version() >= (3, 9):
        from seagrove.frontend import block_pointers

        block_pointers.install(importlib.import_module("triton.language"))

"""The fork "upstream": kernels that a backend of the installed Triton compiles, in our registry.

A backend of ours names one of Triton's own (`Backend.upstream_name`). That one's pipeline runs here
as it is, stage by stage. What is added around the stages: the cache key holds our build too; what
the backend refuses is refused by name; and whatever goes wrong becomes a CompileError at the user's
line, with upstream's own words as the reason.

Two ways lead through it: Triton's own compilation, by the class that `compiler_class` makes, and
`emit`, which needs no device.
"""

from __future__ import annotations

import importlib
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from triton.backends.compiler import BaseBackend, GPUTarget, Language
from triton.backends.driver import DriverBase

from seagrove.compiler import foreign
from seagrove.compiler.diagnostics import Diagnostic, compile_error
from seagrove.compiler.stages import Compiled
from seagrove.errors import BackendError, CompileError, OptionError, SeagroveError
from seagrove.frontend.triton_compat.compilers import as_triton_error

if TYPE_CHECKING:
    from seagrove.compiler.targets import TargetDescription
    from seagrove.runtime.registry import Device
    from seagrove.upstream import UpstreamBackend

ALIASES = {"llvm": "llir", "llvm-ir": "llir"}
"""Stages that Triton and our own pipeline name differently."""


@cache
def original(name: str, part: str) -> type:
    """Triton's own class for its backend `name`; `part` is "compiler" or "driver".

    Not taken from Triton's table of backends, where ours may stand in the place of its own.

    Raises:
        BackendError: SG0730 if the installed Triton has no such backend.
    """
    base = {"compiler": BaseBackend, "driver": DriverBase}[part]
    try:
        module = importlib.import_module(f"triton.backends.{name}.{part}")
    except ImportError as error:
        raise BackendError(
            f"the installed Triton has no backend '{name}'",
            code="SG0730",
            why=str(error),
            advice="install a wheel of triton that has it: pip install 'triton>=3.6,<3.10'",
        ) from error
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == module.__name__
        and not getattr(value, "__abstractmethods__", None)
    ]
    return found[0]


# --- the compiler -----------------------------------------------------------------------------


@dataclass
class Trace:
    """What is remembered of one compilation, for the errors of its later stages."""

    first: str
    ttir: str = ""

    def kernel(self) -> tuple[str, int]:
        """File and line of the kernel's definition."""
        return foreign.place_of_kernel(self.ttir)


class UpstreamCompiler:
    """Mixed into one of Triton's compiler classes; the top of this file says what it adds."""

    backend: UpstreamBackend
    accepts_arrays = False

    def __init__(self, target: Any) -> None:
        super().__init__(target)  # type: ignore[call-arg]  # upstream's class is the next base
        self.target_description = self.backend.describe(str(target.arch))

    def describe(self, arch: str) -> TargetDescription:
        """The target description for an architecture's name."""
        return self.backend.describe(arch or self.target_description.name)

    def hash(self) -> str:
        own = self.backend.key(self.target_description)
        return f"{own}-{super().hash()}"  # type: ignore[misc]

    def parse_options(self, opts: Mapping[str, Any]) -> Any:
        """Upstream's options of a launch.

        Raises:
            OptionError: SG0731, in upstream's words.
        """
        try:
            return super().parse_options(dict(opts))  # type: ignore[misc]
        except (ValueError, AssertionError) as error:
            raise OptionError(
                f"a launch option does not fit the target '{self.place()}'",
                code="SG0731",
                why=str(error) or type(error).__name__,
                advice="change it for this target; `seagrove explain SG0731` lists the usual ones",
            ) from error

    def place(self) -> str:
        """The target as users write it, prefix and architecture."""
        return self.backend.place(self.target_description)

    def add_stages(self, stages: dict[str, Any], options: Any, language: Any = None) -> None:
        """Upstream's stages, each within `run_stage`."""
        super().add_stages(stages, options, language or Language.TRITON)  # type: ignore[misc]
        trace = Trace(first=next(iter(stages)))
        for name, run in list(stages.items()):
            stages[name] = partial(self.run_stage, trace, name, run)

    def run_stage(
        self, trace: Trace, name: str, run: Callable[..., Any], module: Any, metadata: Any
    ) -> Any:
        """Runs one stage.

        Raises:
            CompileError: SG0732, located, if it fails; SG0733 for what the backend refuses. Also
                of the type that upstream raised.
        """
        if name == trace.first:
            trace.ttir = str(module)
            refuse(trace.ttir, self)
        caught = foreign.Caught()
        try:
            with caught:
                return run(module, metadata)
        except SeagroveError:
            raise
        except Exception as error:
            found = diagnose(self, trace, name, module, caught.text, error)
            raise of_both_kinds(compile_error(found), error) from None


@cache
def compiler_class(backend: UpstreamBackend) -> type:
    """Triton's compiler class of a backend of the fork "upstream"."""
    base = original(backend.upstream_name, "compiler")
    return type(base.__name__, (UpstreamCompiler, base), {"backend": backend})


def make_compiler(backend: UpstreamBackend, arch: str) -> Any:
    """The compiler for the target `arch`, no device needed.

    Raises:
        TargetError: SG0702 for an unknown target.
        BackendError: SG0730 if the installed Triton lacks the pipeline.
    """
    name = backend.describe(arch).name
    return compiler_class(backend)(GPUTarget(*backend.triton_target(name)))


# --- what goes wrong --------------------------------------------------------------------------


def refuse(ttir: str, compiler: UpstreamCompiler) -> None:
    """Refuses what the backend's rules refuse for the target.

    Raises:
        CompileError: SG0733, at the line of the first operation that is refused.
    """
    for line, rule in compiler.backend.refused(ttir, compiler.target_description):
        file, number, column = foreign.place_of_line(ttir, line)
        text = f"the target '{compiler.place()}' does not take this: {rule.why}"
        notes = (f"instead: {rule.advice}",) if rule.advice else ()
        found = Diagnostic("error", text, file, number, column, "SG0733", notes)
        raise as_triton_error(compile_error([found]))


def diagnose(
    compiler: UpstreamCompiler, trace: Trace, stage: str, module: Any, said: str, error: Exception
) -> list[Diagnostic]:
    """Upstream's messages, located in the user's source as well as can be."""
    file, line = trace.kernel()
    reason = f"{type(error).__name__}: {error}".strip()
    tail = f"upstream's stage {stage} for '{compiler.place()}' ended with {_shortened(reason)}"
    listing = module if isinstance(module, str) else ""
    found = []
    for number, text in compiler.backend.read_assembly_errors(f"{said}\n{error}", listing):
        place = foreign.place_in_source(listing, number)
        code = f"in the generated code: {listing.splitlines()[number - 1].strip()}"
        found.append(Diagnostic("error", text, *place, "SG0732", (code, tail)))
    if not found:
        for item in foreign.read_messages(said):
            known = item if item.line else Diagnostic("error", item.message, file, line)
            if known.severity == "error":
                notes = (*item.notes, tail)
                values = {**vars(known), "code": "SG0732", "notes": notes}
                found.append(Diagnostic(**values))
    text = f"upstream's compiler failed: {foreign.read_crash(said) or _shortened(reason)}"
    return found or [Diagnostic("error", text, file, line, 0, "SG0732", (tail,))]


def _shortened(text: str, limit: int = 300) -> str:
    first = text.splitlines()[0] if text else ""
    return first if len(first) <= limit else first[: limit - 4] + " ..."


def crash_error(crash: foreign.Crash, ttir: str, place: str) -> CompileError:
    """The error for a compiler that ended its process."""
    file, line = foreign.place_of_kernel(ttir)
    messages = [item for item in foreign.read_messages(crash.text) if item.severity == "error"]
    where = messages[-1] if messages else Diagnostic("error", "", file, line)
    text = f"upstream's compiler ended its process: {crash}"
    notes = (f"a defect of the installed Triton's pipeline for '{place}'",)
    return compile_error(
        [Diagnostic("error", text, where.file, where.line, where.column, "SG0734", notes)]
    )


def of_both_kinds(error: CompileError, cause: Exception) -> CompileError:
    """The error, also as an instance of what upstream raised: its callers may expect that."""
    plain = as_triton_error(error)
    if isinstance(plain, type(cause)):
        return plain
    bases = (type(plain), type(cause))
    kind: Any = type(CompileError.__name__, bases, {"__module__": CompileError.__module__})
    mixed: CompileError = kind.__new__(kind)
    Exception.__init__(mixed, error.headline)
    vars(mixed).update({**vars(cause), **vars(plain)})
    return mixed


# --- without a device -------------------------------------------------------------------------


def stage_names(backend: UpstreamBackend) -> tuple[str, ...]:
    """The stages of upstream's pipeline, in order."""
    compiler = make_compiler(backend, backend.targets()[0].name)
    stages: dict[str, Any] = {}
    compiler.add_stages(stages, compiler.parse_options({}))
    return tuple(stages)


def emit(
    backend: UpstreamBackend, ttir: str, target: TargetDescription, options: Any, kind: str
) -> Compiled:
    """Compiles TTIR text, as the front end made it, up to a stage.

    Args:
        backend: whose pipeline it is.
        ttir: a module with one public function.
        target: one of the backend's.
        options: what the compiler's `parse_options` returned.
        kind: a stage's name; "" is the last one.

    Raises:
        CompileError: SG0732 to SG0735, located.
    """
    compiler = make_compiler(backend, target.name)
    stages: dict[str, Any] = {}
    compiler.add_stages(stages, options)
    last = ALIASES.get(kind, kind) or list(stages)[-1]
    module = parse_module(ttir, compiler)
    metadata: dict[str, Any] = {"target": compiler.target, **vars(options)}
    timings = []
    for name, run in stages.items():
        start = time.perf_counter()
        module = run(module, metadata)
        timings.append((name, (time.perf_counter() - start) * 1e3))
        if name == last:
            break
    backend.require_fit(metadata, target, foreign.place_of_kernel(ttir))
    return Compiled(
        output=module if isinstance(module, bytes) else str(module).encode(),
        symbol=str(metadata.get("name", "")),
        scratch_bytes=int(metadata.get("global_scratch_size") or 0),
        timings=tuple(timings),
    )


def parse_module(ttir: str, compiler: Any) -> Any:
    """Upstream's module of a TTIR text."""
    from triton._C.libtriton import ir

    context = ir.context()
    ir.load_dialects(context)
    compiler.load_dialects(context)
    with tempfile.NamedTemporaryFile("w", suffix=".ttir") as file:
        file.write(ttir)
        file.flush()
        module = ir.parse_mlir_module(file.name, context)
    module.context = context
    return module


# --- on a device ------------------------------------------------------------------------------


def install(backend: UpstreamBackend) -> None:
    """Puts our classes in the place of upstream's in Triton's table of backends.

    Triton looks the compiler of a target up there, and wants exactly one that takes it.
    """
    from triton.backends import Backend, backends

    name = backend.upstream_name
    if name not in backends or backends[name].compiler is not compiler_class(backend):
        bases = (UpstreamDriver, original(name, "driver"))
        driver = type(f"{name.title()}Driver", bases, {"backend": backend})
        backends[name] = Backend(compiler=compiler_class(backend), driver=driver)


def make_driver(wanted: Device) -> Any:
    """Triton's driver of a device of the registry whose backend is of the fork "upstream".

    Raises:
        BackendError: SG0736 if no such device can be used here, SG0730 if Triton lacks its driver.
    """
    from seagrove.frontend.triton_compat import drivers
    from seagrove.upstream import UpstreamDevice

    backend: Any = wanted.backend
    if not isinstance(wanted.driver, UpstreamDevice):
        install(backend)
        return drivers.driver_class(backend.name)(wanted)
    if not (answer := backend.probe()).usable:
        raise BackendError(
            f"the backend '{backend.name}' cannot run kernels here",
            code="SG0736",
            why=answer.why,
            advice=answer.advice,
        )
    install(backend)
    from triton.backends import backends

    return backends[backend.upstream_name].driver(wanted)


class UpstreamDriver:
    """Mixed into one of Triton's driver classes: a device of the registry, run by upstream.

    Loading, launching, streams and events are upstream's. The choice of a device by its number is
    added, and the key of Triton itself that does not read half a gigabyte.
    """

    backend: UpstreamBackend
    get_current_stream: Callable[[Any], Any]
    get_current_device: Callable[[], Any]
    set_current_device: Callable[[Any], None]

    def __init__(self, wanted: Device | None = None) -> None:
        from seagrove.frontend.triton_compat import binding, dispatch, hooks

        super().__init__()
        self.device = wanted
        index = wanted.driver.index if wanted is not None else None  # type: ignore[attr-defined]
        if index is not None:
            # Upstream's are attributes of the object and not methods.
            current, make_current = self.get_current_device, self.set_current_device
            self.get_current_device = lambda: _made_current(index, current, make_current)
        binding.install_binder()
        hooks.install_cheap_key()
        hooks.install_quick_put()
        hooks.install_quick_walk()
        dispatch.install_dispatch()


def _made_current(
    index: int, current: Callable[[], Any], make_current: Callable[[Any], None]
) -> int:
    if current() != index:
        make_current(index)
    return index


def short_start(driver: Any, compiled: Any) -> Callable[..., Any] | None:
    """Starts a compiled kernel without Triton's way before the launcher (docs/launch.md).

    There are no launch hooks then, which is a guard of the short way. The callable returns False
    where another device has become the current one.
    """
    if not isinstance(driver, UpstreamDriver) or not driver.backend.short_launches:
        return None
    current, stream_of = driver.get_current_device, driver.get_current_stream
    device = current()
    launcher, function = compiled.run, compiled.function
    packed = compiled.packed_metadata

    def start(x: int, y: int, z: int, *parameters: Any) -> bool:
        if current() != device:
            return False
        launcher(x, y, z, stream_of(device), function, packed, None, None, None, *parameters)
        return True

    return start

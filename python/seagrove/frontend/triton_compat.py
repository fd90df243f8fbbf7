"""The adapter to upstream Triton: the only file that knows Triton's private parts.

Works with triton 3.6 to 3.9; test/python/test_triton_contract.py runs against each of them. What
is private and used here:

    triton.backends                    the backend and driver base classes, the dict `backends`
    triton.runtime.driver              `driver` and `_create_driver`, which we replace by a policy
                                       that chooses instead of failing on several active drivers
    triton.runtime.jit                 `create_function_from_signature`, wrapped so that NumPy
                                       arrays are accepted and errors name kernel and argument;
                                       `JITFunction.__getitem__`, which remembers launches, and
                                       what a launch depends on: its caches, hooks, globals, knobs
    triton.runtime.cache               `triton_key`, replaced by one that does not read 500 MB
    triton.compiler                    CompilationError, ASTSource, compile
    triton.language.extra              where `libdevice` is looked up

`import triton` imports this file through a backend's modules, half-way through Triton's own
import: at module level only what exists by then may be imported.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import triton
from triton.backends.compiler import BaseBackend, GPUTarget
from triton.backends.driver import DriverBase

from seagrove.compiler.options import CodegenOptions
from seagrove.errors import ArgumentCountError, ArgumentTypeError, CompileError, OptionError
from seagrove.runtime import registry

if TYPE_CHECKING:
    from seagrove.compiler.stages import Compiled
    from seagrove.compiler.targets import TargetDescription

__all__ = [
    "BackendBase",
    "DriverBase",
    "GPUTarget",
    "OptionsBase",
    "activate",
    "install",
    "restore_driver",
]

SUPPORTED = ((3, 6), (3, 9))
LIBDEVICE = "triton.language.extra.libdevice"


def triton_version() -> tuple[int, int]:
    """Major and minor version of the installed Triton."""
    major, minor = triton.__version__.split(".")[:2]
    return int(major), int(minor)


# --------------------------------------------------------------------------------------------
# Options
# --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OptionsBase:
    """Every member that Triton's front end, cache and hooks read from a backend's options.

    `num_warps`, `num_ctas` and `num_stages` are launch tuning that a backend may ignore.
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


Options = TypeVar("Options", bound=OptionsBase)


# --------------------------------------------------------------------------------------------
# Backend
# --------------------------------------------------------------------------------------------


class BackendBase(BaseBackend):  # type: ignore[misc]  # Triton has no types
    """A Triton backend whose kernels are compiled by Seagrove.

    A backend states `name`, `options_type` and `describe`. Its stages are `ttir`, the module as
    Triton's front end made it, and `so`, the shared object with the range kernel.
    """

    binary_ext = "so"
    name = ""
    options_type: type[OptionsBase] = OptionsBase
    accepts_arrays = True

    def describe(self, arch: str) -> TargetDescription:
        """The target description for an architecture's name; "" means the running machine."""
        raise NotImplementedError

    def key_of(self, target: TargetDescription) -> str:
        """Names the exact target and our build, for Triton's cache of compiled kernels."""
        from seagrove.compiler.cache import backend_key

        return backend_key(self.name, target)

    @classmethod
    def supports_target(cls, target: Any) -> bool:
        return bool(target.backend == cls.name)

    def hash(self) -> str:
        return self.key_of(self.describe(str(self.target.arch)))

    def get_target_name(self, options: OptionsBase) -> str:
        return self.name

    def parse_options(self, opts: Mapping[str, Any]) -> OptionsBase:
        """Picks the members of `options_type` out of a launch's keyword arguments."""
        known = {field.name for field in fields(self.options_type)}
        given = {key: opts[key] for key in known if opts.get(key) is not None}
        if isinstance(libraries := given.get("extern_libs"), Mapping):
            given["extern_libs"] = tuple(libraries.items())
        given.setdefault("arch", str(self.target.arch))
        given.setdefault("backend_name", self.name)
        return self.options_type(**given)

    def get_codegen_implementation(self, options: OptionsBase) -> dict[str, Callable[..., Any]]:
        return {
            "min_dot_size": lambda lhs, rhs: (1, 1, 1),
            "convert_custom_types": _convert_custom_types,
        }

    def get_module_map(self) -> dict[str, ModuleType]:
        _install_block_pointers()
        return {LIBDEVICE: importlib.import_module(f"triton.language.extra.{self.name}.libdevice")}

    def load_dialects(self, context: Any) -> None:
        """The front end needs none beyond Triton's own."""

    def pack_metadata(self, metadata: Any) -> tuple[int, int, int]:
        return metadata.num_warps, metadata.num_ctas, metadata.shared

    def add_stages(
        self, stages: dict[str, Any], options: OptionsBase, language: object = None
    ) -> None:
        stages["ttir"] = lambda module, metadata: module
        stages[self.binary_ext] = lambda module, metadata: self.make_binary(
            module, metadata, options
        )

    def make_binary(self, module: Any, metadata: dict[str, Any], options: OptionsBase) -> bytes:
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

    def compile(self, ttir: str, options: OptionsBase) -> Compiled:
        """Compiles TTIR text for this backend's target.

        Raises:
            CompileError: which is also Triton's CompilationError.
        """
        from seagrove.compiler import reproducer
        from seagrove.compiler.stages import compile_ttir

        target = self.describe(options.arch)
        reproducer.write_if_asked(ttir, target)
        try:
            return compile_ttir(ttir, target, options.codegen())
        except CompileError as error:
            raise as_triton_error(error) from None


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


# --------------------------------------------------------------------------------------------
# Launch
# --------------------------------------------------------------------------------------------


def make_launcher(source: Any, metadata: Any) -> Callable[..., None]:
    """The launcher of a compiled kernel (Triton's `launcher_cls`)."""
    from seagrove.compiler.native import native

    torch = sys.modules.get("torch")
    if callable(count := getattr(torch, "get_num_threads", None)):
        # Sets torch's own thread count up, which the native code reads from then on.
        count()
    names, types = launch_signature(source)
    name = getattr(source, "name", metadata.name).lstrip("@")
    progress = 2 if metadata.launch_cooperative_grid else int(metadata.waits)
    return native().Launcher(name, names, types, metadata.scratch_bytes, progress)


def launch_signature(source: Any) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Names and Triton types of a kernel's parameters, in order.

    A parameter that the signature leaves out is a constexpr.
    """
    function = getattr(source, "fn", None)
    signature = dict(source.signature)
    if function is None:  # Compiled from a file of IR: parameters have numbers.
        return tuple(f"arg{key}" for key in signature), tuple(map(_from_ir, signature.values()))
    names = tuple(function.arg_names)
    constant = {path[0] for path in getattr(source, "constants", {}) if len(path) == 1}
    types = (
        "constexpr" if position in constant else signature.get(name, "constexpr")
        for position, name in enumerate(names)
    )
    return names, tuple(types)


_IR_TYPES = {
    "f16": "fp16",
    "f32": "fp32",
    "f64": "fp64",
    "f8E4M3FN": "fp8e4nv",
    "f8E4M3FNUZ": "fp8e4b8",
    "f8E5M2": "fp8e5",
    "f8E5M2FNUZ": "fp8e5b16",
}


def _from_ir(name: str) -> str:
    """Triton's name for a type that a file of IR names, such as "*fp32" for "*f32"."""
    element = name.lstrip("*")
    return name.removesuffix(element) + _IR_TYPES.get(element, element)


# --------------------------------------------------------------------------------------------
# Which driver is active
# --------------------------------------------------------------------------------------------


def _triton_backends() -> dict[str, Any]:
    """Triton's backends by name; ours are added where they are not installed (a checkout)."""
    from triton.backends import Backend, backends

    known: dict[str, Any] = backends
    for name, backend in registry.backends().items():
        if name not in known:
            package = backend.load().__name__
            known[name] = Backend(
                compiler=_only_subclass(f"{package}.compiler", BaseBackend),
                driver=_only_subclass(f"{package}.driver", DriverBase),
            )
    return known


def _only_subclass(module: str, base: type) -> type:
    found = [
        value
        for value in vars(importlib.import_module(module)).values()
        if isinstance(value, type) and issubclass(value, base) and not inspect.isabstract(value)
    ]
    concrete = [value for value in found if value.__module__ == module]
    assert len(concrete) == 1, f"{module} must define one subclass of {base.__name__}"
    return concrete[0]


def other_driver_active(own: type) -> bool:
    """Whether a driver that is not `own` says that it is active."""
    from triton.backends import backends

    return any(item.driver.is_active() for item in backends.values() if item.driver is not own)


def _choose_driver(upstream: Callable[[], Any]) -> Any:
    """Makes the driver for this process: the chosen one, else a device's, else the host's."""
    from triton.backends import backends as known

    name = registry.chosen()
    if name is not None:
        if name not in known:
            registry.find(name)  # Raises with the list of names.
            known = _triton_backends()
        return known[name].driver()
    hosts = [item.driver for item in known.values() if getattr(item.driver, "is_host", False)]
    if hosts and hosts[0].no_other_device():
        return hosts[0]()
    active = [
        item.driver
        for item in known.values()
        if item.driver not in hosts and item.driver.is_active()
    ]
    return (active or hosts)[0]() if active or hosts else upstream()


def activate(name: str) -> object:
    """Makes `name` the active driver; returns what `restore_driver` takes."""
    config = _driver_config()
    previous = config._active
    config.set_active(_triton_backends()[name].driver())
    return previous


def restore_driver(previous: object) -> None:
    """Returns to an earlier driver; None means to choose again at the next use."""
    config = _driver_config()
    config._active = previous
    if previous is None:
        config._default = None


def _driver_config() -> Any:
    return importlib.import_module("triton.runtime.driver").driver


def backend_names() -> tuple[str, ...]:
    """Names of all backends that Triton knows, ours and its own."""
    return tuple(_triton_backends())


def active_driver_name() -> str:
    """Name of the backend that a launch would use now."""
    return str(_driver_config().active.get_current_target().backend)


# --------------------------------------------------------------------------------------------
# Hooks into Triton's import
# --------------------------------------------------------------------------------------------


class _ImportHook:
    """Waits until Triton's driver module is complete, then puts our choice of driver there."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        module = sys.modules.get("triton.runtime.driver")
        if module is not None and hasattr(module, "driver"):
            sys.meta_path.remove(cls)
            _install_choice(module)


class _LibdeviceFinder:
    """Finds `triton.language.extra.<ours>.libdevice`, which no file of Triton's wheel holds."""

    names: set[str] = set()

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        prefix, _, rest = name.partition("triton.language.extra.")
        backend, _, module = rest.partition(".")
        if prefix or backend not in cls.names or module not in ("", "libdevice"):
            return None
        folder = Path(__file__).parent
        if module:
            return importlib.util.spec_from_file_location(name, folder / "libdevice.py")
        return importlib.util.spec_from_loader(name, loader=None, is_package=True)


def _install_choice(module: Any) -> None:
    upstream = module._create_driver
    if getattr(upstream, "seagrove", False):
        return

    def create_driver() -> Any:
        return _choose_driver(upstream)

    create_driver.seagrove = True  # type: ignore[attr-defined]
    module._create_driver = create_driver


def install(backend: str) -> None:
    """Prepares Triton for a backend of ours; called when the backend's modules are imported."""
    if _LibdeviceFinder not in sys.meta_path:
        sys.meta_path.append(_LibdeviceFinder)
        sys.meta_path.insert(0, _ImportHook)
    _LibdeviceFinder.names.add(backend)


def install_runtime(backend: str) -> None:
    """Completes the preparation; called when a driver of ours is made, before any launch."""
    importlib.import_module(f"triton.language.extra.{backend}.libdevice")
    _install_binder()
    _install_cheap_key()
    _install_dispatch()


def _install_block_pointers() -> None:
    """Gives tl.make_block_ptr and tl.advance back where Triton has them no more."""
    if triton_version() >= (3, 9):
        from seagrove.frontend import block_pointers

        block_pointers.install(importlib.import_module("triton.language"))


# --------------------------------------------------------------------------------------------
# Triton's key of itself
# --------------------------------------------------------------------------------------------


def _install_cheap_key() -> None:
    cache: Any = importlib.import_module("triton.runtime.cache")
    if not getattr(cache.triton_key, "seagrove", False):
        cache.triton_key = _installation_key


@lru_cache(maxsize=1)
def _installation_key() -> str:
    """Names the installed Triton by its version and its files' sizes and times.

    Upstream's key hashes the contents, half a gigabyte of them, in every process.
    """
    root = Path(triton.__file__).parent
    text = "\n".join(sorted(_file_stamps(root)))
    return f"{triton.__version__}-{hashlib.sha256(text.encode()).hexdigest()}"


_installation_key.seagrove = True  # type: ignore[attr-defined]


def _file_stamps(root: Path) -> Iterator[str]:
    for part in ("_C", "compiler", "backends", "language", "runtime"):
        for folder, _, files in os.walk(root / part):
            for name in files:
                if name.endswith((".py", ".so")):
                    path = os.path.join(folder, name)
                    status = os.stat(path)
                    yield f"{path}:{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"


# --------------------------------------------------------------------------------------------
# Binding arguments
# --------------------------------------------------------------------------------------------


def _install_binder() -> None:
    """Wraps the function that makes a kernel's binder, once.

    A binder takes a launch's arguments and says how the kernel is specialised on them. Ours runs
    upstream's and looks at the arguments itself only where that fails, so that a launch with
    tensors pays one Python call.
    """
    jit: Any = importlib.import_module("triton.runtime.jit")
    upstream = jit.create_function_from_signature
    if getattr(upstream, "seagrove", False):
        return

    def create_function_from_signature(signature: Any, parameters: Any, backend: Any) -> Any:
        native = upstream(signature, parameters, backend)
        if not getattr(backend, "accepts_arrays", False):
            return native
        caller = inspect.currentframe()
        kernel = caller.f_back.f_locals.get("self") if caller and caller.f_back else None
        rebind = _Rebinder(native, signature, getattr(kernel, "__name__", "kernel"))

        def binder(*args: Any, **kwargs: Any) -> Any:
            try:
                return native(*args, **kwargs)
            except (TypeError, RuntimeError):
                pass
            return rebind(args, kwargs)

        return binder

    create_function_from_signature.seagrove = True  # type: ignore[attr-defined]
    jit.create_function_from_signature = create_function_from_signature


class _ArrayView:
    """Shows an array as Triton wants to see a tensor: data_ptr() and dtype."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.dtype = array.dtype
        self.shape = array.shape

    def data_ptr(self) -> int:
        return int(self.array.__array_interface__["data"][0])


class _Rebinder:
    """Binds the arguments of one kernel where upstream's binder refused them."""

    def __init__(self, native: Callable[..., Any], signature: Any, kernel: str) -> None:
        self.native = native
        self.signature = signature
        self.kernel = kernel

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.check_count(args, kwargs)
        viewed = tuple(_as_tensor(arg) for arg in args)
        viewed_kwargs = {key: _as_tensor(value) for key, value in kwargs.items()}
        try:
            bound, specialization, options = self.native(*viewed, **viewed_kwargs)
        except (TypeError, RuntimeError) as error:
            self.raise_for_argument(viewed, viewed_kwargs, error)
        # The launcher reads arrays itself, and hooks shall see what the user passed.
        return {key: _as_given(value) for key, value in bound.items()}, specialization, options

    def check_count(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        known = {key: kwargs[key] for key in kwargs if key in self.signature.parameters}
        try:
            self.signature.bind(*args, **known)
        except TypeError as error:
            raise ArgumentCountError(
                f"kernel '{self.kernel}' was launched with the wrong arguments: {error}",
                code="SG0608",
                why=f"its parameters are ({', '.join(self.signature.parameters)})",
                advice="compare the call with the kernel's definition",
            ) from None

    def raise_for_argument(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception
    ) -> NoReturn:
        from triton.runtime.jit import mangle_type

        from seagrove.runtime.arguments import raise_no_storage

        names = list(self.signature.parameters)
        given = [*zip(names, args, strict=False), *kwargs.items()]
        for name, value in given:
            try:
                mangle_type(value, specialize=True)
            except RuntimeError as refusal:
                raise_no_storage(f"argument '{name}' of kernel '{self.kernel}'", value, refusal)
            except TypeError:
                if "constexpr" in str(self.signature.parameters[name].annotation):
                    continue
                kind = type(value)
                raise ArgumentTypeError(
                    f"argument '{name}' of kernel '{self.kernel}' cannot be passed to a kernel: "
                    f"it is a {kind.__module__}.{kind.__name__}",
                    code="SG0613",
                    why="it is no number and has no data_ptr() and dtype",
                    advice="pass a torch tensor, a NumPy array, a number, or an object with "
                    "data_ptr() and dtype",
                ) from None
        raise error


def _as_tensor(arg: Any) -> Any:
    """An array as something that Triton can specialise on; anything else unchanged."""
    if type(arg) is tuple:
        return tuple(_as_tensor(item) for item in arg)
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return arg
    if isinstance(arg, numpy.ndarray):
        return _ArrayView(arg)
    return arg.item() if isinstance(arg, numpy.generic) else arg


def _as_given(arg: Any) -> Any:
    if type(arg) is tuple:
        return tuple(_as_given(item) for item in arg)
    return arg.array if type(arg) is _ArrayView else arg


# --------------------------------------------------------------------------------------------
# The short way of a launch
# --------------------------------------------------------------------------------------------


def _install_dispatch() -> None:
    """Makes `kernel[grid]` remember what Triton's launch path finds out (python/src/dispatch.h)."""
    from seagrove.compiler.native import native

    jit: Any = importlib.import_module("triton.runtime.jit")
    method = native().DispatchMethod
    if not isinstance(vars(jit.JITFunction).get("__getitem__"), method):
        jit.JITFunction.__getitem__ = method(_make_dispatcher)


def _make_dispatcher(kernel: Any) -> Any:
    from seagrove.compiler.native import native

    torch = sys.modules.get("torch")
    tensors = (torch.Tensor, torch.nn.Parameter) if torch else ()
    dtypes = (triton.language.dtype,)
    dispatcher = native().Dispatcher(kernel, _launch_and_remember, tensors, dtypes)
    vars(kernel)["_seagrove_dispatcher"] = dispatcher
    return dispatcher


def _launch_and_remember(
    kernel: Any,
    dispatcher: Any,
    grid: Any,
    args: tuple[Any, ...],
    names: tuple[str, ...],
    values: tuple[Any, ...],
) -> Any:
    """A launch in Triton's way, remembered where the next one may be short."""
    compiled = kernel.run(*args, grid=grid, warmup=False, **dict(zip(names, values, strict=True)))
    if dispatcher.learns and (guards := _launch_guards(kernel, compiled)):
        layout = _argument_layout(kernel, len(args), names)
        handles = (compiled, vars(compiled)["_run"], vars(compiled)["function"])
        dispatcher.add((*args, *values), len(args), names, layout, *guards, handles)
    return compiled


def _argument_layout(kernel: Any, positional: int, names: tuple[str, ...]) -> tuple[Any, ...]:
    """How the arguments of a call become parameters.

    Returns:
        Whether each argument of the call counts by its value; the argument of each parameter, -1
        where it has its default; the defaults; the parameters' names.
    """
    constexpr = [param.is_constexpr for param in kernel.params]
    parameters = tuple(kernel.signature.parameters.values())
    order = {parameter.name: index for index, parameter in enumerate(parameters)}
    places = [*range(positional), *(order.get(name, -1) for name in names)]
    # What is no parameter is an option of the compilation.
    exact = tuple(place < 0 or constexpr[place] for place in places)
    sources = tuple(places.index(i) if i in places else -1 for i in range(len(parameters)))
    defaults = tuple(parameter.default for parameter in parameters)
    return exact, sources, defaults, tuple(order)


def _launch_guards(kernel: Any, compiled: Any) -> tuple[Any, Any] | None:
    """What a launch depended on besides its arguments.

    Returns:
        Entries of dicts that have to stay what they are, as (dict, key, value) or (dict, key) for
        an absent one, and lists that have to stay empty; None if the launch must not be remembered.
    """
    from triton import knobs
    from triton.runtime import jit

    kinds = {parameter.kind for parameter in kernel.signature.parameters.values()}
    if type(kernel) is not jit.JITFunction or inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    handles = getattr(compiled, "__dict__", {})
    if not {"_run", "function"} <= handles.keys():
        return None
    chains = [knobs.runtime.launch_enter_hook, knobs.runtime.launch_exit_hook]
    lists = [vars(chain).get("calls") for chain in chains if chain is not None]
    lists.append(kernel.pre_run_hooks)
    if any(type(calls) is not list or calls for calls in lists):
        return None
    runtime = ("debug", "launch_enter_hook", "launch_exit_hook", "add_stages_inspection_hook")
    config = _driver_config()
    device = config.active.get_current_device()
    caches = kernel.device_caches[device]
    key = next((key for key, known in caches[0].items() if known is compiled), None)
    watched: list[tuple[Any, Any]] = [
        *((vars(knobs), name) for name in ("runtime", "compilation")),
        *((vars(knobs.runtime), name) for name in runtime),
        *((vars(knobs.compilation), "instrumentation_mode"),),
        *((vars(knobs.compilation), "fpsan_homomorphic_casts"),),
        *((vars(chain), "calls") for chain in chains if chain is not None),
        (getattr(os.environ, "_data", {}), b"TRITON_FPSAN_HOMOMORPHIC_CASTS"),
        (vars(config), "_active"),
        *((vars(kernel), name) for name in ("run", "debug", "pre_run_hooks", "device_caches")),
        (vars(kernel), "used_global_vals"),
        (kernel.device_caches, device),
        (caches[0], key),
        (handles, "_run"),
        (handles, "function"),
    ]
    guards = [(table, key, table[key]) if key in table else (table, key) for table, key in watched]
    for (name, _), (value, table) in kernel.used_global_vals.items():
        guards.append((table, name, value))
    return tuple(guards), tuple(lists)


# --------------------------------------------------------------------------------------------
# Kernels by hand, for the command line
# --------------------------------------------------------------------------------------------


def is_kernel(value: object) -> bool:
    """Whether `value` is a kernel: a function under @triton.jit, perhaps autotuned."""
    return isinstance(unwrap_kernel(value), triton.JITFunction)


def unwrap_kernel(value: Any) -> Any:
    """The function under @triton.jit within @triton.autotune and @triton.heuristics."""
    while not isinstance(value, triton.JITFunction) and hasattr(value, "fn"):
        value = value.fn
    return value


def kernel_ttir(
    kernel: Any, signature: Mapping[str, Any], constants: Mapping[str, Any], backend: BackendBase
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


def make_backend(name: str, arch: str) -> BackendBase:
    """The compiler of the backend `name` for the target `arch`."""
    backend = _triton_backends()[name].compiler(GPUTarget(name, arch, 1))
    assert isinstance(backend, BackendBase)
    return backend


def upstream_backends() -> dict[str, bool]:
    """Triton's own backends by name, and whether each has a device to run on.

    They are asked, which may load a tensor library, only where some device is there.
    """
    own, known = registry.backends(), _triton_backends()
    hosts = [item.driver for item in known.values() if getattr(item.driver, "is_host", False)]
    ask = not any(driver.no_other_device() for driver in hosts)
    return {
        name: ask and bool(item.driver.is_active())
        for name, item in known.items()
        if name not in own
    }

"""The short way of a launch: what Triton found out, remembered."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

import triton

from seagrove.frontend.triton_compat import choice, upstream
from seagrove.frontend.triton_compat.drivers import driver_config, driver_of
from seagrove.runtime import registry


def install_dispatch() -> None:
    """Makes launches remember what Triton's launch path finds out (python/src/dispatch.h)."""
    from seagrove.compiler.native import native

    jit: Any = importlib.import_module("triton.runtime.jit").JITFunction
    autotuner: Any = importlib.import_module("triton.runtime.autotuner").Autotuner
    method = native().DispatchMethod
    if isinstance(vars(jit).get("__getitem__"), method):
        return
    jit.__getitem__ = method(functools.partial(_make_dispatcher, _launch))
    autotuner.__getitem__ = method(functools.partial(_make_dispatcher, _launch_tuned))
    # Whoever replaced it before us wants to see each launch.
    if jit.run in choice.INSTALLED:
        jit.run = _short_run(jit, jit.run)
    constexpr: Any = importlib.import_module("triton.runtime.jit").ConstexprFunction
    # `triton.cdiv` in a grid comes to it, and took longer than a launch.
    constexpr.__call__ = native().ConstexprCall(constexpr.__call__)


def _short_run(jit: type, upstream: Callable[..., Any]) -> Callable[..., Any]:
    """`JITFunction.run`, which heuristics, autotuners and others call: short where it can be."""

    @functools.wraps(upstream)
    def run(self: Any, *args: Any, grid: Any, warmup: bool, **kwargs: Any) -> Any:
        dispatcher = vars(self).get("_seagrove_dispatcher")
        if dispatcher is not None and not warmup:
            started = dispatcher.attempt(self, grid, *args, **kwargs)
            if started is not NotImplemented:
                return started
        compiled = upstream(self, *args, grid=grid, warmup=warmup, **kwargs)
        if not warmup and type(self) is jit:
            if dispatcher is None or not dispatcher.belongs_to(self):
                dispatcher = _make_dispatcher(_launch, self)
            if dispatcher.learns:
                _remember(self, dispatcher, compiled, args, kwargs)
        return compiled

    return run


def _make_dispatcher(slow: Callable[..., Any], kernel: Any) -> Any:
    from seagrove.compiler.native import native
    from seagrove.runtime.tensors import DeviceTensor

    torch = sys.modules.get("torch")
    tensors: tuple[type, ...] = (DeviceTensor,)
    if torch is not None:
        tensors = (torch.Tensor, torch.nn.Parameter, DeviceTensor)
    descriptors = (importlib.import_module("triton.tools.tensor_descriptor").TensorDescriptor,)
    dtypes = (triton.language.dtype,)
    dispatcher = native().Dispatcher(kernel, slow, tensors, descriptors, dtypes, registry.CURRENT)
    vars(kernel)["_seagrove_dispatcher"] = dispatcher
    return dispatcher


def _launch(
    kernel: Any,
    dispatcher: Any,
    grid: Any,
    args: tuple[Any, ...],
    names: tuple[str, ...],
    values: tuple[Any, ...],
) -> Any:
    """A launch in Triton's way; it is `run` that remembers."""
    kwargs = dict(zip(names, values, strict=True))
    return kernel.run(*args, grid=grid, warmup=False, **kwargs)


def _launch_tuned(
    tuner: Any,
    dispatcher: Any,
    grid: Any,
    args: tuple[Any, ...],
    names: tuple[str, ...],
    values: tuple[Any, ...],
) -> Any:
    """A launch by an autotuner, remembered where the next one has the same configuration."""
    kwargs = dict(zip(names, values, strict=True))
    compiled = tuner.run(*args, grid=grid, warmup=False, **kwargs)
    if dispatcher.learns and (guards := _tuner_guards(tuner, args, kwargs)):
        _remember(tuner.fn, dispatcher, compiled, args, kwargs, tuner=tuner, guards=guards)
    return compiled


def _remember(
    kernel: Any,
    dispatcher: Any,
    compiled: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    tuner: Any = None,
    guards: tuple[Any, ...] = (),
) -> None:
    """Adds a launch to a kernel's dispatcher, or to that of its autotuner, if it may be short."""
    starter = None
    if not _runs_in_native_code(compiled):
        starter = _starter(kernel, compiled, args, dict(kwargs))
        if starter is None:
            return
    if found := _launch_guards(kernel, compiled):
        watched, lists = found
        layout = _argument_layout(kernel, len(args), tuple(kwargs), tuner)
        handles = [compiled, vars(compiled)["_run"], vars(compiled)["function"], starter]
        if tuner is not None:
            handles.append((vars(tuner), "best_config", tuner.best_config))
        values = (*args, *kwargs.values())
        names = tuple(kwargs)
        dispatcher.add(values, len(args), names, layout, (*guards, *watched), lists, tuple(handles))


def _tuner_guards(
    tuner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...] | None:
    """What the choice of an autotuner depended on besides the arguments, as `_launch_guards` has
    it; None where the choice must be made anew: by a function that the user gave, that is."""
    from triton.runtime import autotuner, jit

    config = vars(tuner).get("best_config")
    plain = type(tuner) is autotuner.Autotuner and type(vars(tuner).get("fn")) is jit.JITFunction
    if not plain or config is None or config.pre_hook is not None:
        return None
    own = vars(tuner)
    watched: list[tuple[Any, Any]] = [
        (own, name) for name in ("arg_names", "cache", "configs", "fn", "keys", "run")
    ]
    watched += [(vars(config), name) for name in vars(config)]
    watched += [(config.kwargs, name) for name in config.kwargs]
    watched += [(jit.JITFunction, "run")]
    if len(tuner.configs) > 1:
        given = {**dict(zip(tuner.arg_names, args, strict=False)), **kwargs}
        known = {name: value for name, value in given.items() if name in tuner.arg_names}
        key: tuple[Any, ...] = tuple(known[name] for name in tuner.keys if name in known)
        key += tuple(str(value.dtype) for value in known.values() if hasattr(value, "dtype"))
        if tuner.cache.get(key) is not config:
            return None
        watched.append((tuner.cache, key))
    return _as_guards(watched)


def _as_guards(watched: Iterable[tuple[Any, Any]]) -> tuple[Any, ...]:
    """Guards for entries of dicts, or of types, to stay what they are or to stay absent."""

    def guard(table: Any, key: Any) -> tuple[Any, ...]:
        entries = vars(table) if isinstance(table, type) else table
        return (table, key, entries[key]) if key in entries else (table, key)

    return tuple(guard(table, key) for table, key in watched)


def _runs_in_native_code(compiled: Any) -> bool:
    """False for a device whose driver is asked for each launch."""
    from seagrove.compiler.native import native

    return isinstance(vars(compiled).get("_run"), native().Launcher)


def _starter(
    kernel: Any, compiled: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Callable[..., Any] | None:
    """What starts a kernel that a driver of Triton's own launches, if a launch may be short."""
    if type(vars(compiled).get("_run")).__module__.startswith("seagrove."):
        return None
    option = kwargs.pop("backend", None) if "backend" not in kernel.arg_names else None
    wanted = choice.device_of_launch(option, args, kwargs)
    driver = driver_config().active if wanted is None else driver_of(wanted)
    return upstream.short_start(driver, compiled)


def _argument_layout(
    kernel: Any, positional: int, names: tuple[str, ...], tuner: Any = None
) -> tuple[Any, ...]:
    """How the arguments of a call, and of a tuner's configuration, become parameters.

    Returns:
        Whether each argument of the call counts by its value; the argument of each parameter, -1
        where it has its default or the configuration's value; those; the parameters' names.
    """
    keys = () if tuner is None else tuner.keys
    given = {} if tuner is None else tuner.best_config.kwargs
    constexpr = [param.is_constexpr or param.name in keys for param in kernel.params]
    parameters = tuple(kernel.signature.parameters.values())
    order = {parameter.name: index for index, parameter in enumerate(parameters)}
    places = [*range(positional), *(order.get(name, -1) for name in names)]
    # What is no parameter is an option of the compilation.
    exact = tuple(place < 0 or constexpr[place] for place in places)
    sources = tuple(places.index(i) if i in places else -1 for i in range(len(parameters)))
    defaults = tuple(given.get(parameter.name, parameter.default) for parameter in parameters)
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
    config = driver_config()
    if (place := _place_in_caches(kernel, compiled)) is None:
        return None
    device, caches, key = place
    watched: list[tuple[Any, Any]] = [
        *((vars(knobs), name) for name in ("runtime", "compilation")),
        *((vars(knobs.runtime), name) for name in runtime),
        *((vars(knobs.compilation), "instrumentation_mode"),),
        *((vars(knobs.compilation), "fpsan_homomorphic_casts"),),
        *((vars(chain), "calls") for chain in chains if chain is not None),
        (getattr(os.environ, "_data", {}), b"TRITON_FPSAN_HOMOMORPHIC_CASTS"),
        (vars(config), "_active"),
        (vars(registry), "_everywhere"),
        *((vars(kernel), name) for name in ("run", "debug", "pre_run_hooks", "device_caches")),
        (vars(kernel), "used_global_vals"),
        (kernel.device_caches, device),
        (caches[0], key),
        (handles, "_run"),
        (handles, "function"),
    ]
    used = kernel.used_global_vals.items()
    guards = [(table, name, value) for (name, _), (value, table) in used]
    return (*_as_guards(watched), *guards), tuple(lists)


def _place_in_caches(kernel: Any, compiled: Any) -> tuple[Any, Any, Any] | None:
    """The device whose cache holds this compiled kernel, that device's caches, and its key."""
    for device, caches in tuple(kernel.device_caches.items()):
        for key, known in tuple(caches[0].items()):
            if known is compiled:
                return device, caches, key
    return None

"""The short way of a launch: what Triton found out, remembered."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from typing import Any

import triton

from seagrove.frontend.triton_compat import choice, upstream
from seagrove.frontend.triton_compat.drivers import driver_config, driver_of
from seagrove.runtime import registry


def install_dispatch() -> None:
    """Makes `kernel[grid]` remember what Triton's launch path finds out (python/src/dispatch.h)."""
    from seagrove.compiler.native import native

    jit: Any = importlib.import_module("triton.runtime.jit")
    method = native().DispatchMethod
    if not isinstance(vars(jit.JITFunction).get("__getitem__"), method):
        jit.JITFunction.__getitem__ = method(_make_dispatcher)


def _make_dispatcher(kernel: Any) -> Any:
    from seagrove.compiler.native import native
    from seagrove.runtime.tensors import DeviceTensor

    torch = sys.modules.get("torch")
    tensors: tuple[type, ...] = (DeviceTensor,)
    if torch is not None:
        tensors = (torch.Tensor, torch.nn.Parameter, DeviceTensor)
    dtypes = (triton.language.dtype,)
    dispatcher = native().Dispatcher(
        kernel, _launch_and_remember, tensors, dtypes, registry.CURRENT
    )
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
    if not dispatcher.learns:
        return compiled
    starter = None
    if not _runs_in_native_code(compiled):
        starter = _starter(kernel, compiled, args, dict(zip(names, values, strict=True)))
        if starter is None:
            return compiled
    if guards := _launch_guards(kernel, compiled):
        layout = _argument_layout(kernel, len(args), names)
        run, function = vars(compiled)["_run"], vars(compiled)["function"]
        handles = (compiled, run, function, starter)
        dispatcher.add((*args, *values), len(args), names, layout, *guards, handles)
    return compiled


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
    guards = [(table, key, table[key]) if key in table else (table, key) for table, key in watched]
    for (name, _), (value, table) in kernel.used_global_vals.items():
        guards.append((table, name, value))
    return tuple(guards), tuple(lists)


def _place_in_caches(kernel: Any, compiled: Any) -> tuple[Any, Any, Any] | None:
    """The device whose cache holds this compiled kernel, that device's caches, and its key."""
    for device, caches in tuple(kernel.device_caches.items()):
        for key, known in tuple(caches[0].items()):
            if known is compiled:
                return device, caches, key
    return None

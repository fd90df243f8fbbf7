"""Autotuning: configurations that come to the same code are timed once.

A list of configurations that was written for a GPU tries each block size with several `num_warps`
and `num_stages`. Our own pipeline makes the same code of all of these, so the time of one is that
of the others, and a sweep over 96 of them is one over 16.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from seagrove.compiler.options import LaunchOptions
from seagrove.frontend.triton_compat import choice
from seagrove.frontend.triton_compat.drivers import DriverAdapter, driver_config, driver_of

# Members of `triton.Config` that reach neither the front end nor our pipeline.
WITHOUT_EFFECT = ("num_warps", "num_stages", "num_ctas", "maxnreg")


def install() -> None:
    """Lets Triton's autotuner take the time of an equal configuration."""
    tuner: Any = importlib.import_module("triton.runtime.autotuner").Autotuner
    if hasattr(tuner._bench, "__wrapped__"):
        return
    tuner.prune_configs = _fresh(tuner.prune_configs)
    tuner._bench = _once(tuner._bench)


def _fresh(upstream: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(upstream)
    def prune_configs(self: Any, kwargs: Any) -> Any:
        # Triton calls it at the beginning of a sweep, for the arguments of one launch.
        vars(self)["_seagrove_times"] = {}
        return upstream(self, kwargs)

    return prune_configs


def _once(upstream: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(upstream)
    def bench(self: Any, *args: Any, config: Any, **meta: Any) -> Any:
        times = vars(self).get("_seagrove_times")
        if times is None or not _is_plain(self, config, args, meta):
            return upstream(self, *args, config=config, **meta)
        counts = {k: v for k, v in config.all_kwargs().items() if k not in WITHOUT_EFFECT}
        key = tuple((name, type(value), _identity(value)) for name, value in counts.items())
        if key not in times:
            times[key] = upstream(self, *args, config=config, **meta)
        return times[key]

    return bench


def _identity(value: object) -> object:
    return value if isinstance(value, (bool, int, float, str)) else id(value)


def _is_plain(tuner: Any, config: Any, args: tuple[Any, ...], meta: dict[str, Any]) -> bool:
    """Whether nothing sees a configuration but Triton's front end and our own pipeline.

    A kernel may have a parameter of such a name; a hook, heuristics and a function that the user
    gave for timing see all of it.
    """
    from triton.runtime.jit import JITFunction

    if (
        config.pre_hook is not None
        or type(tuner.fn) is not JITFunction
        or tuner._do_bench is not None
        or tuner.user_defined_pre_hook
        or tuner.user_defined_post_hook
        or set(WITHOUT_EFFECT) & {*tuner.fn.arg_names, *meta}
    ):
        return False
    option = meta.get("backend") if "backend" not in tuner.fn.arg_names else None
    wanted = choice.device_of_launch(option, args, meta)
    driver = driver_config().active if wanted is None else driver_of(wanted)
    return (
        isinstance(driver, DriverAdapter)
        and driver.backend.fork == "vector"
        and driver.backend.options.codegen is LaunchOptions.codegen
    )

"""How the arguments of a launch are bound to a kernel's parameters."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from seagrove.errors import ArgumentCountError, ArgumentTypeError


def install_binder() -> None:
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

"""Devices that compile and do not run: every launch compiles its kernel for a target, and returns.

For chips that are not here. What a launch would have written is left as it is, so only the
compilation can be judged:

    with CompileOnly("abacus:2") as device:
        run_something_that_launches()
    print(device.kernels[0].asm["ttir"])

Kernels are compiled down to the target's binary, in Triton's own order: options, front end,
stages, cache of compiled kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from seagrove.backend import Backend, Driver
from seagrove.runtime import registry


class CompileOnlyDriver(Driver):
    """Loads nothing and starts nothing."""

    def __init__(self, backend: Backend, arch: str) -> None:
        super().__init__(f"{backend.name}:{arch}", arch)

    def key(self) -> str:
        return f"{self.device}, compiled only"

    def load(self, name: str, image: bytes) -> Any:
        return name

    def make_launcher(self, source: Any, metadata: Any) -> Callable[..., None]:
        return lambda *arguments: None


class CompileOnly:
    """A context in which launches compile for a target, as `seagrove compile --target` names it.

    Attributes:
        kernels: the compiled kernels that would have been launched, each once, as Triton
            has them: `name`, `asm` (the text or bytes of each stage), `metadata`.
        failures: exceptions that ended a launch, whoever caught them.

    Raises:
        BackendError: SG0706, SG0730 for the target's backend.
        TargetError: SG0702 for an unknown target.
    """

    def __init__(self, target: str) -> None:
        name, arch = registry.split_target(target)
        backend = registry.find(name).load()
        arch = backend.describe(arch).name
        settings: Mapping[str, Any] = {"compile_only": True}
        self.device = registry.device(f"{name}:{arch}", **settings)
        # In the place of what the backend would open.
        vars(self.device).setdefault("driver", CompileOnlyDriver(backend, arch))
        self.kernels: list[Any] = []
        self.failures: list[BaseException] = []
        self._stack = ExitStack()

    def __enter__(self) -> CompileOnly:
        from seagrove.frontend import triton_compat

        self._stack.enter_context(registry.on(self.device))
        watched = triton_compat.watched_launches(self._started, self.failures.append)
        self._stack.enter_context(watched)
        return self

    def _started(self, compiled: Any) -> None:
        if not any(compiled is kernel for kernel in self.kernels):
            self.kernels.append(compiled)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def caused(self, error: BaseException) -> bool:
        """Whether an exception is, or comes from, one that ended a launch."""
        seen: list[BaseException | None] = [error]
        while seen:
            item = seen.pop()
            if item is None:
                continue
            if any(item is failure for failure in self.failures):
                return True
            seen += [item.__cause__, item.__context__]
        return False

"""Where the suite runs: the interpreter, a device, or a target to compile for."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import kit
from kit import Case

INTERPRETER = "interpreter"
INSTRUCTION_SETS = {"nvptx64": "ptx"}


@dataclasses.dataclass(frozen=True)
class Place:
    """What `--backend`, `--setting` and `--compile-only` ask for.

    Attributes:
        name: "interpreter", or a device or target such as "cpu", "cpu:aarch64", "cuda:90".
        settings: of the device.
        compiles: kernels are compiled and not run; a case then tells of its compilation alone.
        tensors: the torch device of the cases' tensors.
    """

    name: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    compiles: bool = False
    tensors: str = "cpu"

    @property
    def outcome(self) -> str:
        """What a good case is called."""
        return "compiles" if self.compiles else "pass"

    @property
    def title(self) -> str:
        """The name with the settings."""
        more = ",".join(f"{key}={value}" for key, value in sorted(self.settings.items()))
        return f"{self.name},{more}" if more else self.name

    def check(self, case: Case) -> None:
        """Runs a case; raises where the backend is wrong.

        Where nothing runs, only what ended a launch counts: results are those of no launch.
        """
        if not self.compiles:
            case.check(self.tensors)
            return
        from seagrove.testing.compile_only import CompileOnly

        with CompileOnly(self.name) as device:
            try:
                case.check(self.tensors)
            except Exception as error:
                if device.caused(error):
                    raise
            except BaseException as error:
                # Pytest's own: a case that waited for an error of the launch.
                if type(error).__name__ != "Failed":
                    raise


def resolve(name: str, settings: Sequence[str], compile_only: bool) -> Place:
    """The place for these options; makes launches go there."""
    if name == INTERPRETER:
        return Place(name)
    import seagrove
    from seagrove.runtime import registry

    backend_name, arch = registry.split_target(name)
    backend = registry.find(backend_name).load()
    pairs = (item.split("=", 1) for item in settings)
    given = {key: _value(text) for key, text in pairs}
    place = Place(name, given)
    answer = backend.probe()
    if compile_only or (answer.compiles and not answer.usable):
        place = dataclasses.replace(place, compiles=True)
        arch = backend.describe(arch).name
    else:
        device = registry.device(f"{backend_name}:{arch}" if arch else backend_name, **given)
        arch = device.driver.arch
        seagrove.use(name, everywhere=True, **place.settings)
        if not backend.is_host and backend.tensor_device:
            place = dataclasses.replace(place, tensors=backend.tensor_device)
    if arch or not backend.tensor_device:
        first = backend.describe(arch).triple.partition("-")[0]
        kit.INSTRUCTION_SET = INSTRUCTION_SETS.get(first, first)
    return place


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text

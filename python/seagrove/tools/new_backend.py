"""`seagrove new-backend`: the skeleton of a package with a backend of its own.

What it writes can be installed at once. It is found by `seagrove doctor`, has a device with
memory, and refuses to compile every kernel: with that it passes the conformance suite, where
everything is expected to be refused, and is then filled in part by part
(docs/adding-a-backend.md).
"""

from __future__ import annotations

import re
from pathlib import Path

from seagrove.backend import INTERFACE_VERSION
from seagrove.errors import SeagroveError
from seagrove.runtime import registry

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "seagrove-@name@"
version = "0.1.0"
description = "A backend of Seagrove for @name@"
requires-python = ">=3.11"
dependencies = ["seagrove"]

# By this line Seagrove, and with it `import triton`, finds the backend.
[project.entry-points."seagrove.backends"]
@name@ = "seagrove_@name@:@Class@"

[tool.setuptools]
packages = ["seagrove_@name@"]

[tool.setuptools.package-data]
seagrove_@name@ = ["refusals.json"]
"""

_BACKEND = '''\
"""A backend of Seagrove for @name@."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seagrove.backend import Availability, Backend, Driver, Launch, LaunchOptions
from seagrove.compiler.stages import Compiled
from seagrove.compiler.targets import TargetDescription
from seagrove.errors import CompileError
from seagrove.runtime.memory import HostMemory


class @Class@Driver(HostMemory, Driver):
    """The device. `HostMemory` gives it memory of this process: replace it by the chip's own
    `allocate`, `free`, `write` and `read`."""

    def load(self, name: str, image: bytes) -> Any:
        """Makes ready what `compile` has made."""
        return name, image

    def launch(self, kernel: Any, launch: Launch) -> None:
        """Runs every program of `launch.grid` with the arguments in `launch.slots`."""
        raise NotImplementedError


class @Class@(Backend):
    """What Seagrove asks of @name@."""

    interface_version = @version@
    name = "@name@"
    # "vector" instead, for a chip that LLVM has code for: then leave out `compile`.
    fork = "own"
    binary_ext = "@name@"

    def targets(self) -> tuple[TargetDescription, ...]:
        """The chips of the family, weakest first."""
        return (TargetDescription(name="generic", triple="@name@", cpu="generic"),)

    def probe(self) -> Availability:
        """Whether a device is here; a missing library is said here, and raises nothing."""
        return Availability(True, "a skeleton with memory and no compiler", devices=(self.name,))

    def open(self, target: str, settings: Mapping[str, object]) -> Driver:
        """The device called "@name@:<target>", or "@name@"."""
        if target or settings:
            return super().open(target, settings)  # Raises: there is no such device.
        return @Class@Driver(self.name, "generic")

    def compile(self, ttir: str, target: TargetDescription, options: LaunchOptions) -> Compiled:
        """Makes the device's binary from a module of Triton's IR."""
        raise CompileError(
            "the backend '@name@' does not compile anything yet [SG0714]", code="SG0714"
        )
'''

_REFUSALS = """\
{
  "*": "@name@ compiles nothing yet"
}
"""

_TEST = '''\
"""What the skeleton promises; grows with the backend."""

import pytest
import triton
import triton.language as tl

import seagrove
from seagrove import errors
from seagrove.runtime import registry


@triton.jit
def double(x, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(x + at, tl.load(x + at) * 2)


def test_it_is_found():
    assert registry.find("@name@").probe().usable
    assert "@name@" in seagrove.devices()


def test_memory():
    tensor = seagrove.asarray(bytes(range(64)), device="@name@")
    assert tensor.bytes() == bytes(range(64))
    assert seagrove.memory_statistics("@name@").allocated >= 64


def test_a_kernel_is_refused_by_name():
    x = seagrove.zeros(16, "int32", device="@name@")
    with pytest.raises(errors.CompileError, match="does not compile"):
        double[(1,)](x, BLOCK=16)
'''

_README = """\
# seagrove-@name@

A backend of Seagrove for @name@. Written by `seagrove new-backend`; Seagrove's
docs/adding-a-backend.md says how to go on.

```
pip install .
seagrove doctor                    # finds it
python -m pytest test              # what holds today
python -m pytest <seagrove>/test/conformance --backend @name@
```

The last command runs Seagrove's conformance suite, from a checkout of Seagrove. What
`seagrove_@name@/refusals.json` names must fail; whatever works is taken out of it.
"""

_FILES = {
    "pyproject.toml": _PYPROJECT,
    "README.md": _README,
    "seagrove_@name@/__init__.py": _BACKEND,
    "seagrove_@name@/refusals.json": _REFUSALS,
    "test/test_backend.py": _TEST,
}


def write(name: str, folder: Path) -> Path:
    """Writes the package of the backend `name` into `folder`; returns its own folder.

    Raises:
        SeagroveError: SG0715 if the name is not free or no name, or the folder exists.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise _error(f"'{name}' cannot be a backend's name", "use lower case, digits and _")
    if name in registry.backends():
        raise _error(f"there is a backend called '{name}' already", "choose another name")
    package = folder / f"seagrove-{name}"
    if package.exists():
        raise _error(f"'{package}' exists already", "remove it, or name another place by --out")
    words = {
        "@name@": name,
        "@Class@": "".join(part.title() for part in name.split("_")),
        "@version@": str(INTERFACE_VERSION),
    }
    for path, text in _FILES.items():
        file = package / _filled(path, words)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_filled(text, words), encoding="utf-8")
    return package


def _filled(text: str, words: dict[str, str]) -> str:
    for key, value in words.items():
        text = text.replace(key, value)
    return text


def _error(headline: str, advice: str) -> SeagroveError:
    return SeagroveError(headline, code="SG0715", advice=advice)


def main(name: str, folder: Path) -> int:
    """Writes the package and says how to go on; returns the exit status."""
    package = write(name, folder)
    print(f"written: {package}")
    print(f"next:    pip install {package} && seagrove doctor")
    return 0

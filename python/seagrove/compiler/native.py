"""The one door to the native module, opened on first use.

`native()` keeps importing the package cheap (the module carries all of the compiler) and is the
place where a test puts another implementation, by `override`.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from seagrove.errors import BackendError

if TYPE_CHECKING:
    from seagrove import _seagrove as types


class Native(Protocol):
    """What Python uses of the native module; see _seagrove.pyi."""

    Target: type[types.Target]
    CompileOptions: type[types.CompileOptions]
    Kernel: type[types.Kernel]
    Launcher: type[types.Launcher]
    Dispatcher: type[types.Dispatcher]
    DispatchMethod: type[types.DispatchMethod]
    ConstexprCall: type[types.ConstexprCall]

    def compile(
        self, ttir: str, target: types.Target, options: types.CompileOptions
    ) -> types.CompileResult: ...
    def run_passes(self, text: str, pipeline: str) -> types.CompileResult: ...
    def llvm_targets(self) -> list[str]: ...
    def detect_host(self) -> types.Target: ...
    def build_id(self) -> str: ...
    def num_threads(self) -> int: ...
    def set_num_threads(self, count: int) -> None: ...


_loaded: Native | None = None


def native() -> Native:
    """Returns the native module, loading it at the first call (some 20 ms).

    Raises:
        BackendError: SG0701 if the module is not built or does not fit this Python.
    """
    global _loaded
    if _loaded is None:
        _loaded = _load()
    return _loaded


@contextmanager
def override(implementation: Native) -> Iterator[None]:
    """Puts `implementation` in the place of the native module, for tests."""
    global _loaded
    previous, _loaded = _loaded, implementation
    try:
        yield
    finally:
        _loaded = previous


def _load() -> Native:
    try:
        return cast(Native, importlib.import_module("seagrove._seagrove"))
    except ImportError as error:
        if _extend_by_build_tree():
            return cast(Native, importlib.import_module("seagrove._seagrove"))
        raise BackendError(
            "Seagrove's native module cannot be loaded",
            code="SG0701",
            why=str(error),
            advice="install the package (pip install .), or set SEAGROVE_BUILD_DIR to a build tree",
        ) from error


def _extend_by_build_tree() -> bool:
    """In a checkout, lets the package find the module in CMake's build tree."""
    import seagrove

    root = Path(__file__).resolve().parents[3]
    build = Path(os.environ.get("SEAGROVE_BUILD_DIR", root / "build")) / "python" / "src"
    if not any(build.glob("_seagrove*.so")):
        return False
    seagrove.__path__.append(str(build))
    importlib.invalidate_caches()
    return True

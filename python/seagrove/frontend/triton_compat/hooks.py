"""Hooks into Triton: our backends in its table, our choice of driver, its key of itself and its
files."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import lru_cache, wraps
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

import triton

from seagrove.errors import BackendError
from seagrove.frontend.triton_compat import choice, drivers
from seagrove.frontend.triton_compat.compilers import compiler_class
from seagrove.runtime import registry

_EXTRA = "triton.language.extra."


class _ImportHook:
    """Waits for the parts of Triton that we change, and changes each when it is complete."""

    _done = False

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        if not cls._done and hasattr(sys.modules.get("triton.runtime.driver"), "driver"):
            cls._done = True  # What follows may import.
            triton_backends()
            drivers.install_choice()
        if cls._done and choice.install() and cls in sys.meta_path:
            sys.meta_path.remove(cls)


class _LibdeviceFinder:
    """Finds `triton.language.extra.<ours>.libdevice`, which no file of Triton's wheel holds."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith(_EXTRA):
            return None
        backend, _, module = name.removeprefix(_EXTRA).partition(".")
        if backend not in registry.backends() or module not in ("", "libdevice"):
            return None
        if not module:
            return importlib.util.spec_from_loader(name, loader=None, is_package=True)
        try:
            library = registry.find(backend).load().libdevice
        except BackendError:
            return None
        found = importlib.util.find_spec(library)
        if found is None or found.origin is None:
            return None
        return importlib.util.spec_from_file_location(name, found.origin)


def install() -> None:
    """Prepares Triton for our backends; called when Triton imports the first of their modules."""
    if _LibdeviceFinder not in sys.meta_path:
        sys.meta_path.append(_LibdeviceFinder)
        sys.meta_path.insert(0, _ImportHook)


def triton_backends() -> dict[str, Any]:
    """Triton's table of backends; ours are put into it, without loading any."""
    from triton.backends import Backend, backends

    known: dict[str, Any] = backends
    for name in registry.backends():
        if name not in known:
            known[name] = Backend(compiler=compiler_class(name), driver=drivers.driver_class(name))
    return known


# --- Triton's key of itself -------------------------------------------------------------------


def install_cheap_key() -> None:
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


# --- Triton's cache of compiled kernels ----------------------------------------------------------


def install_quick_put() -> None:
    """Lets Triton's cache write a file without a folder of its own for it.

    Upstream makes a folder for each of a kernel's five files, moves the file out of it, and
    removes the folder, and the kernel's if that were empty: on a journaling file system a third
    of the time that a small kernel takes to compile.
    """
    manager: Any = importlib.import_module("triton.runtime.cache").FileCacheManager
    code = getattr(manager.put, "__code__", None)
    if code is not None and {"makedirs", "removedirs", "replace"} <= set(code.co_names):
        manager.put = _quick_put


def _quick_put(self: Any, data: Any, filename: str, binary: bool = True) -> str:
    """FileCacheManager.put: writes beside the file's place and moves it there, all or nothing."""
    if not self.cache_dir:
        raise RuntimeError("Could not create or locate cache dir")
    contents = data if isinstance(data, bytes) else str(data).encode()
    path = os.path.join(self.cache_dir, filename)
    # As long as upstream allows for: see the length that it cuts names to.
    temporary = os.path.join(self.cache_dir, f"{filename}.tmp.pid_{os.getpid()}_{uuid.uuid4()}")
    with open(temporary, "wb") as file:
        file.write(contents)
    os.replace(temporary, path)
    return path


# --- Triton's walk over a kernel's source --------------------------------------------------------


def install_quick_walk() -> None:
    """Lets Triton's code generator keep the filters of warnings, and what it knows of its library.

    Triton 3.6 enters filters anew at each node of a kernel's syntax tree (3.7 no longer does), and
    each version parses `tl.cdiv` or `tl.sum` again for each kernel that calls it, and takes the
    signature of `tl.load` at each call.
    """
    generator: Any = importlib.import_module("triton.compiler.code_generator")
    visit = getattr(generator.CodeGenerator.visit, "__code__", None)
    if visit is not None and "catch_warnings" in visit.co_names:
        generator.warnings = _SameFilters()
    if isinstance(getattr(generator, "inspect", None), ModuleType):
        generator.inspect = _KeptSignatures()
    function: Any = importlib.import_module("triton.runtime.jit").JITFunction
    if not hasattr(function.parse, "__wrapped__"):
        function.parse = _quick_parse(function.parse)


class _SameFilters:
    """The module `warnings`, except that filters stay as they are."""

    catch_warnings = staticmethod(nullcontext)

    @staticmethod
    def simplefilter(*_: object) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return getattr(warnings, name)


class _KeptSignatures:
    """The module `inspect`, except that signatures of Triton's library are taken once."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, bool], inspect.Signature] = {}

    def signature(self, function: Any) -> inspect.Signature:
        # Of a method, not of the tensor that it is bound to.
        key = getattr(function, "__func__", function), isinstance(function, MethodType)
        if not isinstance(key[0], FunctionType) or not _is_of_library(key[0]):
            return inspect.signature(function)
        if key not in self._known:
            self._known[key] = inspect.signature(function)
        return self._known[key]

    def __getattr__(self, name: str) -> Any:
        return getattr(inspect, name)


def _is_of_library(function: Any) -> bool:
    return str(function.__module__).startswith("triton.language.")


def _quick_parse(upstream: Callable[[Any], Any]) -> Callable[[Any], Any]:
    trees: dict[str, Any] = {}

    @wraps(upstream)
    def parse(function: Any) -> Any:
        if not _is_of_library(function):
            return upstream(function)
        source = function.src
        if source not in trees:
            trees[source] = upstream(function)
        return trees[source]

    return parse

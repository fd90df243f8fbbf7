"""Keys of compiled kernels.

Triton keeps compiled kernels on disk under a key that holds the kernel's source, its options and
`backend.hash()`. The last must change whenever our compiler or the target does.
"""

from __future__ import annotations

import hashlib
import sys
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from seagrove.compiler.native import native
from seagrove.compiler.targets import TargetDescription

T = TypeVar("T")


def backend_key(backend: str, target: TargetDescription) -> str:
    """The part of a cache key that names the compiler build and the exact target.

    Triton cannot see which of our library functions a kernel calls, so all of their text counts.
    """
    text = f"{backend}-{native().build_id()}-{_library_key()}-{target.cache_key()}"
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=1)
def _library_key() -> str:
    """Changes with the functions that kernels may call, and with the adapter (some 0.2 ms)."""
    frontend = Path(__file__).parents[1] / "frontend"
    digest = hashlib.sha256()
    for path in sorted(frontend.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=32)
def package_key(module: str) -> str:
    """Changes with the files beside a module, by their names, sizes and times."""
    found = getattr(sys.modules.get(module), "__file__", None)
    if found is None:
        return ""
    path = Path(found)
    files = sorted(path.parent.rglob("*")) if path.name == "__init__.py" else [path]
    stamps = []
    for file in files:
        if file.suffix in (".py", ".so", ".json"):
            status = file.stat()
            stamps.append(f"{file}:{status.st_size}:{status.st_mtime_ns}")
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()


class RecentResults(Generic[T]):
    """The last `capacity` results by key; safe to use from many threads.

    Several launch options (warps, stages) do not change the code that we make, while Triton
    compiles once for each of their values: this makes the second time free.
    """

    def __init__(self, capacity: int = 64) -> None:
        self._capacity = capacity
        self._results: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> T | None:
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
            return self._results.get(key)

    def put(self, key: str, result: T) -> None:
        with self._lock:
            self._results[key] = result
            while len(self._results) > self._capacity:
                self._results.popitem(last=False)

"""Home of the backends: `seagrove.backends.<name>`.

An installed package has them as subpackages. In a checkout they stay where they are written, in
third_party/<name>/backend, and are found there.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

_THIRD_PARTY = Path(__file__).resolve().parents[3] / "third_party"


def checkout_backends() -> tuple[str, ...]:
    """Names of the backends that lie in this checkout; none where the package is installed."""
    return tuple(
        sorted(path.parent.parent.name for path in _THIRD_PARTY.glob("*/backend/__init__.py"))
    )


class _CheckoutFinder:
    """Finds `seagrove.backends.<name>` in third_party/<name>/backend."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, backend = name.rpartition(".")
        folder = _THIRD_PARTY / backend / "backend"
        if package != __name__ or not (folder / "__init__.py").is_file():
            return None
        return importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )


if checkout_backends():
    sys.meta_path.append(_CheckoutFinder)

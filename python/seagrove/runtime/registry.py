"""Which backends exist, and which one was chosen.

Backends come from two entry-point groups, read on first use:

* `triton.backends`, entries whose module lies in `seagrove.backends`: the ones of this wheel;
* `seagrove.backends`: those of third-party wheels, same shape (a package with the modules
  `compiler` and `driver`, and a function `probe() -> Availability`).

In a checkout without an installation, the folders third_party/*/backend are taken instead.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType, TracebackType

from seagrove.errors import BackendError

TRITON_GROUP = "triton.backends"
OWN_GROUP = "seagrove.backends"
# Ours, then Triton's own variable, which its older versions do not read.
ENVIRONMENT = ("SEAGROVE_BACKEND", "TRITON_DEFAULT_BACKEND")
_ADAPTER = "seagrove.frontend.triton_compat"


@dataclass(frozen=True)
class Availability:
    """Whether a backend can be used here.

    Attributes:
        usable: True if kernels can run.
        why: one sentence, in either case.
        advice: what to do where it is not usable.
        devices: names of the devices that it offers.
    """

    usable: bool
    why: str
    advice: str = ""
    devices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Backend:
    """A backend by name; nothing of it is imported until it is needed."""

    name: str
    module: str

    def load(self) -> ModuleType:
        """Imports the backend's package.

        Raises:
            BackendError: SG0706 if that fails.
        """
        try:
            return importlib.import_module(self.module)
        except ImportError as error:
            raise BackendError(
                f"the backend '{self.name}' cannot be imported",
                code="SG0706",
                why=str(error),
                advice=f"reinstall the package that provides {self.module}",
            ) from error

    def probe(self) -> Availability:
        """Asks the backend whether it can be used; opens a device at most here."""
        try:
            answer = self.load().probe()
        except BackendError as error:
            return Availability(False, error.why or error.headline, error.advice)
        assert isinstance(answer, Availability)
        return answer


@lru_cache(maxsize=1)
def backends() -> dict[str, Backend]:
    """All registered backends by name."""
    from importlib.metadata import entry_points

    found: dict[str, Backend] = {}
    for entry in entry_points(group=TRITON_GROUP):
        if entry.value.startswith("seagrove.backends."):
            found[entry.name] = Backend(entry.name, entry.value)
    for entry in entry_points(group=OWN_GROUP):
        found[entry.name] = Backend(entry.name, entry.value)
    from seagrove.backends import checkout_backends

    for name in checkout_backends():
        found.setdefault(name, Backend(name, f"seagrove.backends.{name}"))
    return found


def find(name: str) -> Backend:
    """The backend called `name`.

    Raises:
        BackendError: SG0706 if there is none.
    """
    known = backends()
    if name not in known:
        raise BackendError(
            f"there is no backend called '{name}'",
            code="SG0706",
            why="installed are: " + (", ".join(sorted(known)) or "none"),
            advice="`seagrove devices` lists them",
        )
    return known[name]


_chosen: str | None = None


def chosen() -> str | None:
    """The backend that was chosen explicitly, by `use` or by the environment; else None."""
    return _chosen or next(filter(None, map(os.environ.get, ENVIRONMENT)), None)


class Choice:
    """A choice of backend that is in effect; leaving its `with` block takes it back."""

    def __init__(self, name: str, previous: str | None, restore: object) -> None:
        self.name = name
        self._previous = previous
        self._restore = restore

    def __enter__(self) -> Choice:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        global _chosen
        _chosen = self._previous
        if "triton" in sys.modules:
            importlib.import_module(_ADAPTER).restore_driver(self._restore)

    def __repr__(self) -> str:
        return f"seagrove.use({self.name!r})"


def use(name: str) -> Choice:
    """Makes kernels run on the backend `name` from now on: one of ours, or one of Triton's own.

    Also a context manager: `with seagrove.use("cpu"): ...` returns to the earlier choice at the
    end of the block. Kernels that were compiled for another backend stay usable there.

    Raises:
        BackendError: SG0706 if there is no such backend.
    """
    global _chosen
    if name not in backends() and name not in importlib.import_module(_ADAPTER).backend_names():
        find(name)  # Raises with the list of names.
    previous, _chosen = _chosen, name
    restore = None
    # Triton asks for the choice when it is imported later.
    if "triton" in sys.modules:
        restore = importlib.import_module(_ADAPTER).activate(name)
    return Choice(name, previous, restore)

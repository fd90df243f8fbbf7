"""Which backends exist, which devices they have, and which of them was chosen.

Backends come from the entry-point group `seagrove.backends`, where each names a subclass of
`seagrove.backend.Backend`; it is read on first use. In a checkout without an installation, the
folders third_party/*/backend are taken too. A backend is imported when it is needed, and one
that cannot be is a finding of `seagrove doctor` and an error where it is asked for by name;
neither Triton nor another backend notices.
"""

from __future__ import annotations

import ast
import importlib
import os
from collections.abc import Hashable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, lru_cache
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any

from seagrove.backend import INTERFACE_VERSION, Availability, Backend, Driver
from seagrove.errors import BackendError, DeviceError, SeagroveError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Availability", "Choice", "Device", "Entry", "backends", "device", "find", "use"]

GROUP = "seagrove.backends"
# Ours, then Triton's own variable, which its older versions do not read.
ENVIRONMENT = ("SEAGROVE_BACKEND", "TRITON_DEFAULT_BACKEND")
_ADAPTER = "seagrove.frontend.triton_compat"
_lock = RLock()


# --- backends ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A registered backend; nothing of it is imported until it is needed.

    Attributes:
        name: what users choose it by.
        value: "module:attribute" of the class; the attribute is BACKEND where none is named.
        package: the distribution that registers it; "" in a checkout.
    """

    name: str
    value: str
    package: str = ""

    @property
    def origin(self) -> str:
        """Where it comes from, for people."""
        return f"'{self.value}' of {self.package or 'this checkout'}"

    def load(self) -> Backend:
        """Imports the backend and checks that it keeps the contract.

        Raises:
            BackendError: SG0709 if that fails, SG0710 for another version of the interface,
                SG0711 for something that is no backend.
        """
        found = _loaded.get(self)
        if found is None:
            # No lock: Python's own of imports must not be waited for under one of ours.
            found = _loaded.setdefault(self, self._load())
        if isinstance(found, BackendError):
            raise found.with_traceback(None)
        return found

    def _load(self) -> Backend | BackendError:
        module, _, attribute = self.value.partition(":")
        # Whatever a broken package does while it is imported is its own.
        try:
            kind = getattr(importlib.import_module(module), attribute or "BACKEND")
        except AttributeError as error:
            return self._error("SG0711", "is no backend", str(error), _REPORT)
        except (Exception, SystemExit) as error:
            return self._error("SG0709", "cannot be imported", _in_words(error))
        if not (isinstance(kind, type) and issubclass(kind, Backend)):
            why = f"{self.value} is not a subclass of seagrove.backend.Backend"
            return self._error("SG0711", "is no backend", why, _REPORT)
        if kind.interface_version != INTERFACE_VERSION:
            why = (
                f"it is written for version {kind.interface_version} of the interface, "
                f"and this Seagrove has version {INTERFACE_VERSION}"
            )
            newer = kind.interface_version > INTERFACE_VERSION
            advice = "upgrade seagrove" if newer else f"upgrade {self.package or module}"
            return self._error("SG0710", "does not fit this Seagrove", why, advice)
        if kind.name != self.name:
            why = f"{self.value} calls itself '{kind.name}'"
            return self._error("SG0711", "is no backend", why, _REPORT)
        try:
            return kind()
        except Exception as error:
            return self._error("SG0709", "cannot be made", _in_words(error))

    def is_sound(self) -> bool:
        """Whether it can be imported and keeps the contract."""
        try:
            self.load()
        except BackendError:
            return False
        return True

    def devices(self) -> tuple[str, ...]:
        """Names of the devices that it offers here; none if it is broken."""
        try:
            return self.load().devices()
        except Exception:  # The same error stands in the backend's line of `doctor`.
            return ()

    def _error(self, code: str, what: str, why: str, advice: str = "") -> BackendError:
        advice = advice or f"reinstall {self.package or self.value.partition(':')[0]}, or remove it"
        return BackendError(f"the backend '{self.name}' {what}", code=code, why=why, advice=advice)

    def probe(self) -> Availability:
        """Asks the backend whether it can be used; opens a device at most here."""
        try:
            return self.load().probe()
        except SeagroveError as error:
            return Availability(False, error.why or error.headline, error.advice)
        except Exception as error:
            return Availability(False, f"its probe failed: {_in_words(error)}", _REPORT)


_REPORT = "report it to those who made the backend"
_loaded: dict[Entry, Backend | BackendError] = {}


def _in_words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]


@lru_cache(maxsize=1)
def backends() -> dict[str, Entry]:
    """All registered backends by name.

    Of two with the same name, one of this package goes first, then the one that is found first;
    a warning names both.
    """
    import warnings
    from importlib.metadata import entry_points

    from seagrove.backends import checkout_backends

    found = {name: Entry(name, f"{GROUP}.{name}") for name in checkout_backends()}
    entries = sorted(entry_points(group=GROUP), key=lambda e: not e.value.startswith(GROUP))
    for entry in entries:
        package = entry.dist.name if entry.dist else ""
        other = Entry(entry.name, entry.value, package)
        taken = found.setdefault(entry.name, other)
        if taken.value != other.value:
            warnings.warn(
                f"two packages register a backend called '{entry.name}': {taken.origin} is used, "
                f"and {other.origin} is not; remove one of them",
                stacklevel=2,
            )
    return found


def find(name: str) -> Entry:
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


def split_target(text: str) -> tuple[str, str]:
    """Backend and architecture of "PREFIX:ARCH", where the prefix is a backend's name or Triton's
    name of its targets; "PREFIX" alone is the backend's default, "ARCH" alone one of the host.

    Raises:
        BackendError: SG0706 if there is no such backend.
    """
    prefix, colon, arch = text.partition(":")
    if prefix in backends():
        return prefix, arch
    if colon:
        for name, entry in backends().items():
            try:
                if prefix == entry.load().triton_name:
                    return name, arch
            except BackendError:
                continue
        find(prefix)  # Raises with the list of names.
    return next((n for n, e in backends().items() if _is_host(e)), ""), text


# --- devices ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Device:
    """A device by name and settings; there is one object of each.

    Attributes:
        name: "backend" or "backend:target", such as "cpu".
        settings: what the user gave besides the name.
    """

    name: str
    settings: tuple[tuple[str, Any], ...] = ()

    @property
    def backend_name(self) -> str:
        return self.name.partition(":")[0]

    @property
    def is_ours(self) -> bool:
        """False for a device that only one of Triton's own backends knows."""
        return self.backend_name in backends()

    @property
    def backend(self) -> Backend:
        return find(self.backend_name).load()

    @cached_property
    def driver(self) -> Driver:
        """The driver, made at the first use.

        Raises:
            BackendError: SG0706, SG0709 to SG0711 for its backend.
            DeviceError: SG0712 for an unknown device or setting.
        """
        backend = self.backend
        try:
            with _lock:
                return backend.open(self.name.partition(":")[2], dict(self.settings))
        except SeagroveError:
            raise
        except Exception as error:
            raise DeviceError(
                f"the device '{self.name}' cannot be opened",
                code="SG0712",
                why=_in_words(error),
                advice="`seagrove doctor` says what its backend needs",
            ) from error

    @property
    def key(self) -> Hashable:
        return self.driver.key()

    def __repr__(self) -> str:
        return ", ".join([repr(self.name), *(f"{k}={v!r}" for k, v in self.settings)])

    def __reduce__(self) -> tuple[Any, ...]:
        return _device_of, (self.name, self.settings)


_devices: dict[tuple[str, str], Device] = {}


def device(name: str, **settings: object) -> Device:
    """The device called `name` with these settings; nothing of it is opened yet.

    A name may bring settings along, as in "name?lanes=4&mode=slow".
    """
    name, _, more = name.partition("?")
    for item in filter(None, more.split("&")):
        key, _, value = item.partition("=")
        settings.setdefault(key, _value(value))
    return _device_of(name, tuple(sorted(settings.items())))


def _value(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _device_of(name: str, settings: tuple[tuple[str, Any], ...]) -> Device:
    with _lock:
        return _devices.setdefault((name, repr(settings)), Device(name, settings))


def opened_devices() -> tuple[Device, ...]:
    """Devices that something was asked of in this process."""
    return tuple(item for item in _devices.values() if "driver" in vars(item))


# --- choice -----------------------------------------------------------------------------------

CURRENT: ContextVar[Device | None] = ContextVar("seagrove_device", default=None)
"""The choice of this thread or task."""

_everywhere: Device | None = None


def from_environment() -> Device | None:
    """The device that a variable of the environment names."""
    name = next(filter(None, map(os.environ.get, ENVIRONMENT)), None)
    return device(name) if name else None


def chosen_device() -> Device | None:
    """The choice by `use`: that of this thread or task, else that of the process."""
    return CURRENT.get() or _everywhere


def chosen() -> str | None:
    """Name of the backend that was chosen explicitly, by `use` or by the environment."""
    found = chosen_device() or from_environment()
    return found.backend_name if found else None


def device_or_chosen(
    wanted: str | Device | None, settings: Mapping[str, object] | None = None
) -> Device:
    """The device of that name; None is the chosen one, or else the host.

    Raises:
        BackendError: SG0706 if there is none.
    """
    if isinstance(wanted, Device):
        return wanted
    if wanted is not None:
        return device(wanted, **(settings or {}))
    found = chosen_device() or from_environment() or host()
    if found is None:
        find("")  # Raises with the list of names.
    assert found is not None
    return found


class Choice:
    """A choice of device that is in effect; leaving its `with` block takes it back."""

    def __init__(self, device: Device, previous: Device | None, everywhere: bool) -> None:
        self.device = device
        self._previous = previous
        self._everywhere = everywhere

    @property
    def name(self) -> str:
        return self.device.name

    def __enter__(self) -> Choice:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _set(self._previous, self._everywhere)

    def __repr__(self) -> str:
        return f"seagrove.use({self.device!r})"


def _set(wanted: Device | None, everywhere: bool) -> None:
    global _everywhere
    if everywhere:
        _everywhere = wanted
    else:
        CURRENT.set(wanted)


def use(name: str, *, everywhere: bool = False, **settings: object) -> Choice:
    """Makes kernels run on the device `name` from now on; see `seagrove.use`.

    Raises:
        BackendError: SG0706 if there is no such backend, SG0709 to SG0711 if it is broken.
        DeviceError: SG0712 for an unknown device or setting.
    """
    wanted = device(name, **settings)
    if wanted.is_ours:
        assert wanted.driver
    elif name not in importlib.import_module(_ADAPTER).backend_names():
        find(name)  # Raises with the list of names.
    previous = _everywhere if everywhere else CURRENT.get()
    _set(wanted, everywhere)
    return Choice(wanted, previous, everywhere)


@contextmanager
def on(wanted: Device) -> Iterator[None]:
    """Runs a block with this choice, whatever was chosen before."""
    token = CURRENT.set(wanted)
    try:
        yield
    finally:
        CURRENT.reset(token)


def host() -> Device | None:
    """The device that is this machine itself, if its backend is here and can be used."""
    for name, entry in backends().items():
        if _is_host(entry) and entry.probe().usable:
            return device(name)
    return None


def _is_host(entry: Entry) -> bool:
    # Others are not imported to be asked: a host's backend is part of this package.
    if not entry.value.startswith(GROUP):
        return False
    try:
        return entry.load().is_host
    except BackendError:
        return False


def device_for_tensors_on(kind: str, index: int | None) -> Device | None:
    """The device of ours whose tensors torch calls `kind:index`, if there is one."""
    name = _backend_for_tensors_on(kind)
    if name is None:
        return None
    return device(name if index is None else f"{name}:{index}")


@lru_cache(maxsize=32)
def _backend_for_tensors_on(kind: str) -> str | None:
    for name, entry in backends().items():
        try:
            fits = entry.load().tensor_device == kind
        except BackendError:
            continue
        if fits and entry.probe().usable:
            return name
    return None

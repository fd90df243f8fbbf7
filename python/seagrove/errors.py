"""The errors that Seagrove raises.

Each is also one of Python's own kinds (TypeError, ValueError, ...), so that code which knows
nothing of Seagrove can handle it. The text is one headline, then why, then what to do, then the
stable code that `seagrove explain` takes.
"""

from __future__ import annotations


class SeagroveError(Exception):
    """Base of all errors.

    Args:
        headline: one sentence in the user's terms.
        code: stable code such as "SG0601"; "" where there is none.
        why: the reason, one or more sentences.
        advice: what to change.
    """

    def __init__(self, headline: str, *, code: str = "", why: str = "", advice: str = "") -> None:
        self.headline = headline
        self.code = code
        self.why = why
        self.advice = advice
        Exception.__init__(self, headline)

    def __str__(self) -> str:
        lines = [self.headline]
        if self.why:
            lines.append(f"  why: {self.why}")
        if self.advice:
            lines.append(f"  do:  {self.advice}")
        if self.code:
            lines.append(f"  [{self.code}; more by: seagrove explain {self.code}]")
        return "\n".join(lines)


class CompileError(SeagroveError):
    """A kernel could not be compiled; `diagnostics` has every message, located in the source.

    What a launch raises is in addition a `triton.compiler.errors.CompilationError`.
    """

    diagnostics: tuple[object, ...] = ()

    def __str__(self) -> str:
        return self.headline  # The formatted diagnostics, which say everything.

    def __reduce__(self) -> tuple[object, ...]:
        return CompileError, (self.headline,), {**self.__dict__}


class LaunchError(SeagroveError):
    """A launch was refused before any program ran."""


class ArgumentTypeError(LaunchError, TypeError):
    """An argument is of a kind that the parameter cannot take."""


class ArgumentValueError(LaunchError, ValueError):
    """An argument has the right kind and an impossible value."""


class ArgumentRangeError(LaunchError, OverflowError, ValueError):
    """A number does not fit the parameter's integer type."""


class ArgumentCountError(LaunchError, TypeError):
    """Too many or too few arguments."""


class DeviceError(LaunchError, ValueError):
    """A tensor lives on a device that the chosen backend cannot read."""


class GridError(LaunchError, ValueError):
    """The launch grid is negative, too large or not made of integers."""


class OptionError(LaunchError, ValueError, AssertionError):
    """A compile option of the launch has an impossible value.

    Also an `AssertionError`, as which Triton's own backends report it.
    """


class DeviceAssertError(SeagroveError, RuntimeError):
    """A program of a launch ended by `tl.device_assert`; the process lives on."""


class LoadError(SeagroveError, RuntimeError):
    """A compiled kernel could not be mapped, or was used after it had been unloaded."""


class BackendError(SeagroveError, RuntimeError):
    """A backend does not exist or cannot be used here."""


class TargetError(SeagroveError, ValueError):
    """A target name is unknown, or this machine cannot run code made for it."""


class DeviceFaultError(SeagroveError, RuntimeError):
    """A kernel ended the device's worker, or did not end itself; the next launch works."""


class DeviceTimeoutError(DeviceFaultError, TimeoutError):
    """The device did not answer within its time."""


class DeviceMemoryError(SeagroveError, MemoryError):
    """The device has no memory left for an allocation."""

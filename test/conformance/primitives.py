"""The list of primitives, and what the installed Triton has of them.

`primitives.json` names every operation of the language, each of which needs a case, and every
public name that is no operation, with the reason. Run as a program, this prints the public names
of the installed Triton, one a line.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

_IMPORTED = ("Any", "Callable", "Sequence")
LIST = Path(__file__).with_name("primitives.json")


def listed() -> dict[str, Any]:
    """`operations`: names; `not_operations`: names with reasons; `constructs`: of the language."""
    data: dict[str, Any] = json.loads(LIST.read_text(encoding="utf-8"))
    return data


def _members(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def public_names() -> set[str]:
    """Every public name of `triton.language`, its methods and its libdevice, as cases name them."""
    import triton.language as tl

    from seagrove.frontend import libdevice

    names = {f"tl.{name}" for name in tl.__all__}
    names |= {
        f"tl.{name}"
        for name, value in vars(tl.math).items()
        if not name.startswith("_")
        and callable(value)
        and getattr(value, "__module__", "") == tl.math.__name__
    }
    descriptor = tl.core.tensor_descriptor
    for label, kind in {
        "tensor": tl.tensor,
        "tensor_descriptor": descriptor,
    }.items():
        for base in kind.__mro__:
            if base.__module__.startswith("triton"):
                names |= {f"{label}.{name}" for name in _members(base)}
    parameters = inspect.signature(tl.range.__init__).parameters
    names |= {f"tl.range.{name}" for name in parameters if name not in ("self", "arg1", "arg2")}
    names |= {f"libdevice.{name}" for name in _library_names(libdevice)}
    return names


def _library_names(module: Any) -> set[str]:
    own = {
        name
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and name not in _IMPORTED
    }
    return own | set(module._SPECIAL)


if __name__ == "__main__":
    print("\n".join(sorted(public_names())))

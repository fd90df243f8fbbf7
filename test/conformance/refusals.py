"""What a backend refuses, by name and with the reason."""

from __future__ import annotations

import fnmatch
import json
import sys
from pathlib import Path

from seagrove.runtime import registry

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


def refusals_of(place: str) -> dict[str, str]:
    """What a backend refuses: patterns of case ids, each with the reason.

    A backend keeps them in `third_party/<vendor>/test/refusals.json`, or, in a package of its own,
    in a file `refusals.json` beside its class; those of one target in `refusals-<target>.json`.
    """
    if place == "interpreter":
        return _read(HERE / "interpreter_refusals.json")
    name, arch = registry.split_target(place)
    folder = REPOSITORY / "third_party" / name / "test"
    if not folder.parent.is_dir():
        module = type(registry.find(name).load()).__module__
        folder = Path(sys.modules[module].__file__ or "").parent
    own = _read(folder / f"refusals-{arch}.json") if arch else {}
    return {**_read(folder / "refusals.json"), **own}


def _read(path: Path) -> dict[str, str]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def refusal_for(case_id: str, refusals: dict[str, str]) -> str:
    """The reason why this case is refused, or ""."""
    for pattern, reason in refusals.items():
        if fnmatch.fnmatchcase(case_id, pattern):
            return reason
    return ""

"""What a backend refuses, by name and with the reason."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


def refusals_of(backend: str) -> dict[str, str]:
    """What a backend refuses: patterns of case ids, each with the reason.

    A backend keeps them in `third_party/<vendor>/test/refusals.json`.
    """
    if backend == "interpreter":
        path = HERE / "interpreter_refusals.json"
    else:
        path = REPOSITORY / "third_party" / backend / "test" / "refusals.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def refusal_for(case_id: str, refusals: dict[str, str]) -> str:
    """The reason why this case is refused, or ""."""
    for pattern, reason in refusals.items():
        if fnmatch.fnmatchcase(case_id, pattern):
            return reason
    return ""

"""Prints the targets that this machine can run besides the one that it runs, a line each.

What it chooses for itself is the last of them that it can run; the rest have narrower vectors or
fewer instructions, and `make narrow` tests them by their names.
"""

from __future__ import annotations

from seagrove.backends import cpu
from seagrove.compiler import targets


def narrower() -> list[str]:
    """The names, from the weakest to the strongest."""
    return [target.name for target in cpu.descriptions() if targets.runs_here(target)][:-1]


if __name__ == "__main__":
    print("\n".join(narrower()))

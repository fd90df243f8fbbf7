"""Runs mypy over the package as it is installed: python/seagrove with the backends in place.

A backend lies in third_party/<vendor>/backend, which mypy cannot know by its installed name,
seagrove.backends.<vendor>; a folder of links gives it the installed layout.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import source_tree as tree


def link_layout(target: Path) -> None:
    """Makes target/seagrove look like the installed package."""
    package = target / "seagrove"
    backends = package / "backends"
    backends.mkdir(parents=True)
    for entry in (tree.ROOT / "python/seagrove").iterdir():
        if entry.name != "backends":
            (package / entry.name).symlink_to(entry)
    for entry in (tree.ROOT / "python/seagrove/backends").glob("*"):
        (backends / entry.name).symlink_to(entry)
    for backend in tree.ROOT.glob("third_party/*/backend"):
        (backends / backend.parent.name).symlink_to(backend)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        link_layout(Path(folder))
        environment = {**os.environ, "MYPYPATH": f"{folder}:{tree.ROOT / 'tools'}"}
        config = ["--config-file", str(tree.ROOT / "pyproject.toml")]
        cache = ["--cache-dir", str(tree.ROOT / ".mypy_cache")]
        command = [sys.executable, "-m", "mypy", *config, *cache]
        package = subprocess.call([*command, "-p", "seagrove"], cwd=folder, env=environment)
        tools = [str(p) for p in sorted((tree.ROOT / "tools").glob("*.py"))]
        return package or subprocess.call([*command, *tools], cwd=folder, env=environment)


if __name__ == "__main__":
    sys.exit(main())

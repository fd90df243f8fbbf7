"""Writes or checks the generated pages of docs/.

A generator is a function that returns {page, relative to the root: text}. `make docs` writes the
pages; a gate runs the same functions and fails where the tree holds another text.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import source_tree as tree

NOTICE = "<!-- Made by `make docs`; do not edit. -->\n"
Pages = dict[Path, str]


@cache
def build_dir() -> Path:
    return Path(os.environ.get("SEAGROVE_BUILD_DIR") or tree.ROOT / "build").resolve()


@cache
def seagrove_opt() -> str:
    """The seagrove-opt of the build tree, else the installed one."""
    built = [p for p in (build_dir() / "bin").glob("**/seagrove-opt") if p.is_file()]
    found = str(built[0]) if built else shutil.which("seagrove-opt")
    if not found:
        raise FileNotFoundError("seagrove-opt is not built: run `make build`")
    return found


@cache
def mlir_tblgen() -> str:
    """The mlir-tblgen that the build uses, read from its CMake cache."""
    for key in ("MLIR_TABLEGEN_EXE", "MLIR_TABLEGEN"):
        path = Path(cmake_cache(key))
        if path.is_file():
            return str(path)
    beside = Path(cmake_cache("MLIR_DIR") or "/usr/lib/llvm-22/lib/cmake/mlir").parents[2]
    return str(beside / "bin/mlir-tblgen")


def cmake_cache(key: str) -> str:
    cache_file = build_dir() / "CMakeCache.txt"
    if not cache_file.exists():
        return ""
    found = re.search(rf"^{key}:\w+=(.*)$", cache_file.read_text(), re.MULTILINE)
    return found.group(1) if found else ""


def tblgen(td: Path, *arguments: str) -> str:
    """What mlir-tblgen makes of a .td file of the tree."""
    mlir_include = Path(mlir_tblgen()).parent.parent / "include"
    includes = [f"-I{tree.ROOT / 'include'}", f"-I{mlir_include}", f"-I{(tree.ROOT / td).parent}"]
    if td.parts[0] == "third_party":
        includes.append(f"-I{tree.ROOT / Path(*td.parts[:2]) / 'include'}")
    command = [mlir_tblgen(), *arguments, *includes, str(tree.ROOT / td)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def stale(pages: Pages) -> list[str]:
    """Names of the pages whose text in the tree is not the generated one."""
    return [
        str(page)
        for page, text in pages.items()
        if not (tree.ROOT / page).exists() or (tree.ROOT / page).read_text() != text
    ]


def main(generate: Callable[[], Pages]) -> None:
    parser = argparse.ArgumentParser(description="Writes generated pages of docs/.")
    parser.add_argument("--check", action="store_true", help="only say which pages are out of date")
    check = parser.parse_args().check
    pages = generate()
    outdated = stale(pages)
    for page in outdated:
        print(f"{'out of date' if check else 'written'}: {page}")
        if not check:
            (tree.ROOT / page).parent.mkdir(parents=True, exist_ok=True)
            (tree.ROOT / page).write_text(pages[Path(page)])
    sys.exit(bool(check and outdated))

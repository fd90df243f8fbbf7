"""lit configuration of the compiler's tests, shared by test/ and third_party/*/test/.

The tools come from the build tree: `--param build=DIR` or $SEAGROVE_BUILD_DIR, else build/ at the
root of the checkout; where that has none, from PATH (an installed wheel).
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import lit.formats

config: Any
lit_config: Any

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(
    lit_config.params.get("build") or os.environ.get("SEAGROVE_BUILD_DIR") or ROOT / "build"
).resolve()
TOOLS = ("seagrove-opt", "seagrove-translate")


def find_tool(name: str) -> str | None:
    """Path of one of our tools, or None where this build has none of that name."""
    built = [p for p in (BUILD / "bin").glob(f"**/{name}") if p.is_file()]
    return str(built[0]) if built else shutil.which(name)


def find_filecheck() -> str:
    """LLVM's own FileCheck where MLIR brings it (it starts faster), else PyPI's filecheck."""
    llvm_bin = (
        Path(os.environ.get("MLIR_DIR", "/usr/lib/llvm-22/lib/cmake/mlir")).parents[2] / "bin"
    )
    found = shutil.which("FileCheck", path=str(llvm_bin)) or shutil.which("filecheck")
    if found is None:
        lit_config.fatal("neither LLVM's FileCheck nor the filecheck of PyPI is installed")
        sys.exit(2)
    return found


config.name = "seagrove"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".ttir"]
config.excludes = ["Inputs", "Output"]
# A suite outside test/ (a backend's own) sets its root before it loads this file.
config.test_source_root = config.test_source_root or str(ROOT / "test")
config.test_exec_root = str(BUILD / "test" / Path(config.test_source_root).relative_to(ROOT))
config.environment["PATH"] = os.environ["PATH"]

config.substitutions += [
    ("%root", str(ROOT)),
    (r"(?<![\w/.-])[Ff]ile[Cc]heck(?![\w.-])", find_filecheck()),
]
for tool in TOOLS:
    path = find_tool(tool)
    if path:
        config.substitutions.append((rf"(?<![\w/.-]){tool}(?![\w.-])", path))
        config.available_features.add(tool)

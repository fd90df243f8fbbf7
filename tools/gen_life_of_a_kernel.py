"""Writes docs/life-of-a-kernel.md: vector addition through every stage, with the real IR.

Each stage is what `seagrove compile … --emit STAGE` prints here and now for a fixed target, so that
the page does not depend on the machine that made it.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pages
import source_tree as tree

PAGE = Path("docs/life-of-a-kernel.md")
FILE, KERNEL = Path("examples/vector_add.py"), "add_kernel"
SIGNATURE = "*fp32:16,*fp32:16,*fp32:16,i32,1024"
TARGET = "x86-64-v3"
MAX_LINES = 90


@dataclass(frozen=True)
class Stage:
    """One form of the kernel and what to see in it."""

    emit: str
    title: str
    language: str
    prose: str


STAGES = (
    Stage(
        "ttir",
        "What Triton hands over",
        "mlir",
        """
        Triton's own front end turns the syntax tree into TTIR. This text is all that crosses from
        the installed `triton` into Seagrove. A block of 1024 addresses is a tensor of pointers, the
        mask a tensor of bits.
        """,
    ),
    Stage(
        "structured",
        "Structured accesses",
        "mlir",
        """
        One analysis follows pointers and masks together (see
        [structured access](structured-access.md)). The three tensors of pointers are gone: each
        access is a base, an offset, a stride of 1 and an interval of valid indices, which the mask
        `offsets < n` became.
        """,
    ),
    Stage(
        "tensor",
        "Tensors",
        "mlir",
        """
        Every operation on blocks is now one of the upstream dialects or of `sg`, on tensors of
        values. For this kernel only the function changes: `arith.addf` was upstream's already. A
        `tl.dot` would be a `linalg.matmul` here, a `tl.sum` an `sg.reduce`.
        """,
    ),
    Stage(
        "vector",
        "Loops over registers",
        "mlir",
        """
        The vector fork cuts the block into pieces of the target's vector width. A first loop runs
        over whole vectors without a mask, a second one over the rest under a mask. Both loads are
        evaluated where the store needs them, so nothing is written but the result. The function is
        one program of the grid.

        Left out here is what comes before the loops: Triton reads `x` and `y` before it writes
        `out`, so the program compares the three address ranges, and only where `out` overlaps an
        input at another position it copies that input to `%arg10`, the scratch area, first. The
        loops then read the copy; for all other programs they read `x` and `y` in place.
        """,
    ),
    Stage(
        "llvm",
        "LLVM IR",
        "llvm",
        """
        [`make-range-kernel`](passes/make-range-kernel.md) has put the loop over programs around it
        ([the range kernel](range-kernel.md)), LLVM has inlined and simplified. This is the function
        that the launcher calls, with its innermost loop.
        """,
    ),
    Stage(
        "asm",
        "Instructions",
        "asm",
        """
        The same loop for AVX2, eight lanes per instruction. The object is linked in the process; no
        file and no tool of the system is involved.
        """,
    ),
)

INTRODUCTION = """# Life of a kernel

This page follows one kernel, [{file}](../{file}), from Python to instructions. Each
listing is real: `make docs` runs the compiler for `{target}` and writes down what it prints
(locations and attributes are left out).

```python
{source}
```

To see the same of your own kernel:

```
seagrove compile {file}::{kernel} --signature "{signature}" --target {target} --emit structured
```
"""


def kernel_source() -> str:
    text = tree.text(FILE)
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == KERNEL:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise LookupError(f"{FILE} has no {KERNEL}")


def emit(stage: str) -> str:
    command = [sys.executable, "-m", "seagrove", "compile", f"{FILE}::{KERNEL}"]
    command += ["--signature", SIGNATURE, "--target", TARGET, "--emit", stage]
    done = subprocess.run(command, cwd=tree.ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def without_locations(text: str) -> str:
    text = re.sub(r" loc\((?:[^()]|\([^()]*\))*\)", "", text)
    return "\n".join(line for line in text.splitlines() if not line.startswith("#loc"))


def vector_loops(text: str) -> str:
    """The function's head and the loops that make the result."""
    head = next(line for line in text.splitlines() if "func.func private" in line)
    loops = re.findall(r"^    scf\.for .*?^    \}$", text, re.MULTILINE | re.DOTALL)
    return "\n".join([head.strip(), "    ...", *loops, "    return", "}"])


def llvm_loop(text: str) -> str:
    """The exported function's head and the block that adds whole vectors."""
    head = next(line for line in text.splitlines() if line.startswith("define "))
    blocks = re.split(r"\n\n(?=[\w.]+:)", text)
    loop = next(block for block in blocks if re.search(r"\bfadd [a-z ]*<\d+ x", block))
    shown = f"{head}\n  ...\n{loop.rstrip()}\n  ...\n}}"
    return re.sub(r"(?:, ![\w.]+ ![\d]+| #\d+|\s+; preds = .*)", "", shown)


def innermost_loop(text: str) -> str:
    """The block of instructions that adds whole registers and jumps back to itself."""
    blocks = re.split(r"^(?=\.L\w+:)", text, flags=re.MULTILINE)
    loops = [
        block
        for block in blocks
        if (label := block.partition(":")[0]).startswith(".L")
        and re.search(rf"\bj\w+\s+{re.escape(label)}\b", block)
        and re.search(r"\bv?addps\b", block)
    ]
    chosen = loops[0] if loops else text
    lines = [re.sub(r"\s*#.*$", "", line) for line in chosen.splitlines()]
    return "\n".join(line for line in lines if line.strip() and not line.strip().startswith(".cfi"))


def listing(stage: Stage) -> str:
    shorten = {"vector": vector_loops, "llvm": llvm_loop, "asm": innermost_loop}
    text = shorten.get(stage.emit, without_locations)(emit(stage.emit))
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    if len(lines) > MAX_LINES:
        lines = [*lines[:MAX_LINES], f"... {len(lines) - MAX_LINES} more lines"]
    return "\n".join(lines)


def generate() -> pages.Pages:
    parts = [
        pages.NOTICE
        + INTRODUCTION.format(
            file=FILE, kernel=KERNEL, source=kernel_source(), signature=SIGNATURE, target=TARGET
        )
    ]
    for number, stage in enumerate(STAGES, 1):
        prose = textwrap.dedent(stage.prose).strip()
        heading = f"## {number}. {stage.title} (`--emit {stage.emit}`)"
        parts.append(f"{heading}\n\n{prose}\n\n```{stage.language}\n{listing(stage)}\n```\n")
    return {PAGE: "\n".join(parts)}


if __name__ == "__main__":
    pages.main(generate)

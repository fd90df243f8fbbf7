"""What code for other CPUs consists of: the hot loops of the examples, instruction by instruction.

Nothing is run here; the emulated devices do that.
"""

from __future__ import annotations

import importlib
import re
import sys
from functools import lru_cache
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SIGNATURES = {
    "vector_add.add_kernel": "*fp32,*fp32,*fp32,i32,1024",
    "softmax.softmax_kernel": "*fp32,*fp32,i32,i32,i32,1024",
    "matmul.matmul_kernel": "*fp32,*fp32,*fp32,i32,i32,i32,i32,1,i32,1,i32,1,64,128,32,4,''",
}


@lru_cache(maxsize=16)
def assembly(name: str, target: str) -> str:
    from seagrove.compiler.options import CodegenOptions
    from seagrove.compiler.stages import compile_ttir
    from seagrove.frontend import triton_compat
    from seagrove.tools.compile_command import bind_signature

    module, _, kernel_name = name.partition(".")
    sys.path.insert(0, str(EXAMPLES))
    try:
        kernel = getattr(importlib.import_module(module), kernel_name)
    finally:
        sys.path.remove(str(EXAMPLES))
    types, constants = bind_signature(kernel, SIGNATURES[name])
    backend = triton_compat.make_backend("cpu", target)
    ttir = triton_compat.kernel_ttir(kernel, types, constants, backend)
    compiled = compile_ttir(ttir, backend.describe(target), CodegenOptions(), emit="asm")
    return compiled.text()


def innermost_loops(text: str) -> list[list[str]]:
    """The instructions from each label to the last jump back to it, innermost ones only."""
    lines = [line.strip() for line in text.splitlines()]
    labels = {line[:-1].split(":")[0]: at for at, line in enumerate(lines) if ":" in line}
    spans = {}
    for at, line in enumerate(lines):
        for label in re.findall(r"\.LBB\w+", line):
            if ":" not in line and labels.get(label, at) < at:
                spans[labels[label]] = at
    found = []
    for first, last in spans.items():
        if not any(first < other < last for other in spans):
            body = [x for x in lines[first + 1 : last + 1] if x and x[0] not in ".#/;"]
            found.append([re.sub(r"\s+", " ", line) for line in body])
    return found


def loops_with(name: str, target: str, *patterns: str) -> list[list[str]]:
    """The innermost loops in which every pattern is found."""
    return [
        loop
        for loop in innermost_loops(assembly(name, target))
        if all(any(re.search(pattern, line) for line in loop) for pattern in patterns)
    ]


def count(loop: list[str], pattern: str) -> int:
    return sum(1 for line in loop if re.search(pattern, line))


ADD, SOFTMAX, MATMUL = SIGNATURES
ISSUE = {
    ("armv9-a", ADD): (r"^ld1w .*z\d", r"^fadd z", r"^st1w .*z\d"),
    ("armv9-a", SOFTMAX): (r"^fml[as] z|^fmad z", r"^st1w|^str z"),
    ("armv9-a", MATMUL): (r"^fmla z\d+\.s", r"^ld1w|^ldr z", r"^ld1rw|^mov z|^ld1rqw"),
    ("rv64gcv", ADD): (r"^vl4re32\.v", r"^vfadd\.vv", r"^vs4r\.v"),
    ("rv64gcv", SOFTMAX): (r"^vfm(acc|add)\.v", r"^vs4r\.v"),
    ("rv64gcv", MATMUL): (r"^vle32\.v|^vl\d+re32\.v", r"^vfmacc\.vf"),
    ("armv8-a", MATMUL): (r"^fmla v\d+\.4s, v\d+\.4s, v\d+\.(s\[\d\]|4s)", r"^ld[rp] q"),
}
SCALAR_CODE = r"^(fmadd|fmul|fadd|fadd\.s|fmul\.s|fmadd\.s|ldr) ?(s\d|fa|ft|fs\d)|^bl |^call"


@pytest.mark.parametrize(("target", "name"), ISSUE)
def test_hot_loop(target: str, name: str) -> None:
    found = loops_with(name, target, *ISSUE[target, name])
    assert found, assembly(name, target)
    if name != MATMUL:
        assert not any(count(loop, SCALAR_CODE) for loop in found)


@pytest.mark.parametrize(
    ("target", "pattern", "least"),
    [("armv9-a", r"^fmla z", 16), ("rv64gcv", r"^vfmacc\.vf", 7), ("armv8-a", r"^fmla v", 16)],
)
def test_accumulators_stay_in_registers(target: str, pattern: str, least: int) -> None:
    loops = loops_with(MATMUL, target, pattern)
    tile = max(loops, key=lambda loop: count(loop, pattern))
    assert count(tile, pattern) >= least
    assert not count(tile, r"\[?sp\b.*|^vs\d?r?e?\w*\.v|^st")


def test_length_of_vectors_is_asked_at_run_time() -> None:
    sve = assembly(ADD, "armv9-a")
    assert re.search(r"\bwhilel[ot]\b", sve) and re.search(r"\b(cntw|incw|rdvl|cntd|addvl)\b", sve)
    rvv = assembly(ADD, "rv64gcv")
    assert re.search(r"vsetvli\s+\w+, \w+, e32, m[48]", rvv) and "vlenb" in rvv

"""Key instructions of the examples, unmodified: a sample; test/chips/examples.py has them all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path[:0] = [str(Path(__file__).parents[3] / "test" / "chips")]
import examples  # noqa: E402  (the path has to be there first)


@pytest.mark.parametrize(
    ("target", "example", "dtype", "wanted"),
    [
        ("cuda:80", "vector_add", torch.float32, {"ld.global.v4"}),
        ("cuda:80", "matmul", torch.float16, {"mma.sync", "cp.async"}),
        ("cuda:90", "matmul", torch.float16, {"wgmma", "cp.async"}),
        ("cuda:100", "matmul", torch.float16, {"tcgen05.mma"}),
    ],
)
def test_key_instructions(target, example, dtype, wanted):
    case = next(case for case in examples.chosen_cases(example) if case.dtype == dtype)
    (row,) = examples.compile_case(target, example, case)
    assert row.state == "compiles", row.why
    assert wanted <= set(row.instructions)


def test_every_target_compiles():
    """A small kernel down to the binary, for each described chip."""
    from seagrove.runtime import registry

    case = examples.chosen_cases("vector_add")[0]
    for target in registry.find("nvidia").load().targets():
        (row,) = examples.compile_case(f"cuda:{target.name}", "vector_add", case)
        assert row.instructions.get("ld.global.v4"), f"{target.name}: {row.why}"

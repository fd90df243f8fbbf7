"""The examples, as they are, on emulated devices at two vector lengths each."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
import torch
from emulated import open_device, remote_of

import seagrove

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = (
    "vector_add", "softmax", "dropout", "layer_norm", "matmul", "matmul_descriptor", "attention",
    "cumsum", "topk", "conv2d",
)  # fmt: skip
DEVICES = [("aarch64", 128), ("aarch64", 512), ("riscv64", 128), ("riscv64", 1024)]


@pytest.fixture(scope="module", autouse=True)
def examples_on_path():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        yield
    for name in (*NAMES, "_harness"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("isa", "bits"), DEVICES)
@pytest.mark.parametrize("name", NAMES)
def test_example(name, isa, bits):
    """Every quick case of the example, within the example's own tolerance."""
    device = open_device(isa, bits)
    module = importlib.import_module(name)
    harness = importlib.import_module("_harness")
    launches = remote_of(device).launches
    for case in (case for case in module.CASES if case.quick):
        inputs = case.make()
        with seagrove.use(device.name, vector_bits=bits):
            ours = case.run(*inputs)
        ours = ours.clone() if isinstance(ours, torch.Tensor) else [t.clone() for t in ours]
        want = (case.reference or case.torch_run)(*inputs)
        error, share = harness.compare(ours, want, case.tolerance)
        assert share <= 1, f"{case.kernel}: error {error:.3e}, tolerance {case.tolerance}"
    assert remote_of(device).launches > launches  # On the device, not on the host.

"""torch.compile with Inductor's Triton code on the CPU: models forward and backward, as in eager.

`benchmarks/inductor.py --check` runs all models in more sizes and types; its report is committed.
"""

from __future__ import annotations

import copy

import models
import pytest
import torch


def compare(recorder, name, size, dtype, **options):
    model, x = models.make(name, size, dtype)
    exact, eager = copy.deepcopy(model).double(), copy.deepcopy(model)
    compiled = torch.compile(model, **options)
    got = recorder.run(lambda: models.run(model, compiled, x))
    recorder.check()
    wide = x.double() if x.is_floating_point() else x
    references = models.run(eager, eager, x), models.run(exact, exact, wide)
    assert models.worst_error(got, *references, dtype) <= 1


@pytest.mark.parametrize("name", sorted(models.MODELS))
def test_forward_and_backward(recorder, name):
    compare(recorder, name, 8, torch.float32)


def test_bfloat16(recorder):
    compare(recorder, "mlp", 4, torch.bfloat16)


def test_dynamic_shapes_compile_once(recorder):
    model, _ = models.make("mlp", 4)
    eager = copy.deepcopy(model)
    exact = copy.deepcopy(model).double()
    compiled = torch.compile(model, dynamic=True)
    for rows in (5, 16, 33):
        x = torch.randn(rows, 32)
        if rows == 5:
            got = recorder.run(lambda x=x: models.run(model, compiled, x))
            recorder.check()
        else:
            recorder.launches.clear()
            with torch._dynamo.config.patch(error_on_recompile=True):
                got = models.run(model, compiled, x)
            assert recorder.launches
        references = models.run(eager, eager, x), models.run(exact, exact, x.double())
        assert models.worst_error(got, *references, torch.float32) <= 1


def test_training_with_a_compiled_optimizer(recorder):
    """Three steps of AdamW, the step itself compiled: parameters as with eager's optimizer."""

    def train(dtype, wrap):
        model, tokens = models.make("language", 4, dtype)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
        forward, step = wrap(model), wrap(optimizer.step)
        for _ in range(3):
            optimizer.zero_grad()
            forward(tokens).backward()
            step()
        return {name: p.detach().double() for name, p in model.named_parameters()}

    got = recorder.run(lambda: train(torch.float32, torch.compile))
    recorder.check()
    eager = train(torch.float32, lambda function: function)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "float", lambda self: self)
        exact = train(torch.float64, lambda function: function)
    assert models.worst_error(got, eager, exact, torch.float32) <= 1

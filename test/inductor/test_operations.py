"""What Inductor's Triton code uses beyond elementwise kernels and plain sums."""

from __future__ import annotations

import pytest
import torch
import torch._inductor.config as config
import triton
import triton.language as tl
from torch._dynamo.utils import counters
from torch._inductor.utils import fresh_cache
from torch.nn import functional as F


def check(recorder, function, *args, ulps=16, backend_only=True):
    """Compiles and compares with eager; floats may differ by `ulps` of the largest element."""
    got = recorder.run(lambda: torch.compile(function)(*args))
    if backend_only:
        recorder.check()
    want = function(*args)
    for mine, theirs in zip(got, want, strict=True):
        if not mine.is_floating_point():
            assert torch.equal(mine, theirs)
            continue
        tolerance = ulps * torch.finfo(mine.dtype).eps * float(theirs.abs().max())
        torch.testing.assert_close(mine, theirs, rtol=0, atol=tolerance)


def test_reductions_of_several_values(recorder):
    """Welford's variance, arg reductions and the online softmax: tl.reduce with tuples."""

    def function(x, i):
        wide = torch.var_mean(x, -1)
        return (*wide, x.argmax(-1), *x.min(0), i.argmin(-1), x.softmax(-1), x.logsumexp(-1))

    # A sum of n terms in another order: log2(n) = 12 levels of rounding, for squares twice that.
    check(recorder, function, torch.randn(7, 3000), torch.randint(0, 3, (9, 33)), ulps=24)


def test_scans_and_sort(recorder):
    """Integers in floats, so that sums in any order are exact; ties keep their order."""

    def function(x, i):
        best = x.cummax(-1)
        ordered = i.sort(dim=-1, stable=True, descending=True)
        return x.cumsum(-1), best.values, best.indices, ordered.values, ordered.indices

    x = torch.randint(-9, 9, (3, 200)).float()
    check(recorder, function, x, torch.randint(0, 9, (5, 50)))


def test_scatters_are_atomic(recorder):
    def function(x, n, i, v):
        return (
            x.index_put((i,), v, accumulate=True),
            x.scatter_reduce(0, i, v, "amax"),
            n.index_put((i,), v.long(), accumulate=True),
        )

    i, v = torch.randint(0, 50, (3000,)), torch.randint(-50, 50, (3000,)).float()
    check(recorder, function, torch.zeros(50), torch.zeros(50, dtype=torch.long), i, v)


def test_cooperative_reductions(recorder):
    """Programs that share a row meet at a barrier of the grid."""
    with config.patch({"triton.force_cooperative_reductions": True}):
        check(recorder, lambda x: (x.sum(-1), x.amax(-1)), torch.randint(0, 9, (3, 30_000)).float())
    assert any("x_grid_barrier" in code for code in recorder.code)


def test_indices_out_of_bounds_raise(recorder):
    """tl.device_assert of an index that is read from memory; the process lives on."""
    x = torch.randn(10)
    compiled = torch.compile(lambda x, i: x[i] * 2)
    good = torch.tensor([1, -1, 9])
    assert torch.equal(recorder.run(lambda: compiled(x, good)), x[good] * 2)
    recorder.check()
    with pytest.raises(RuntimeError, match="index out of bounds"):
        compiled(x, torch.tensor([1, 2, 10]))
    assert torch.equal(compiled(x, good), x[good] * 2)


def test_random_numbers(recorder):
    """Philox in the kernel: distributed as asked for, and the same again for the same seed."""

    def function(x):
        return torch.rand_like(x), torch.randn_like(x), F.dropout(x, 0.3)

    x, count = torch.ones(100_000), 100_000
    compiled = torch.compile(function)
    uniform, normal, kept = recorder.run(lambda: compiled(x))
    recorder.check()
    # Five standard deviations of each mean.
    assert abs(uniform.mean() - 0.5) < 5 * (1 / 12 / count) ** 0.5
    assert uniform.min() >= 0 and uniform.max() < 1
    assert abs(normal.mean()) < 5 / count**0.5 and abs(normal.std() - 1) < 5 / (2 * count) ** 0.5
    assert abs(kept.count_nonzero() / count - 0.7) < 5 * (0.3 * 0.7 / count) ** 0.5
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(compiled(x)[0])
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])


def test_dropout_backward_uses_the_same_mask(recorder):
    x = torch.randn(1000, requires_grad=True)

    def train():
        y = torch.compile(lambda x: F.dropout(x, 0.5) * 3)(x)
        y.sum().backward()
        return y

    y = recorder.run(train)
    recorder.check()
    assert torch.equal(x.grad == 0, y == 0) and 300 < y.count_nonzero() < 700


@triton.jit
def double_kernel(x, out, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + offsets, tl.load(x + offsets, offsets < n) * 2, offsets < n)


def test_kernels_of_the_user(recorder):
    def function(x):
        out = torch.empty_like(x)
        double_kernel[(triton.cdiv(x.numel(), 32),)](x, out, x.numel(), BLOCK=32)
        return (out.sin(),)

    check(recorder, function, torch.randn(100))
    assert recorder.launches["double_kernel"]


def test_compile_workers_and_caches(recorder):
    """Kernels compiled by worker processes, then again from Inductor's cache on disk."""

    def function(x, y):
        return x.sin().sum(-1), y.exp()

    args = torch.randn(10, 12), torch.randn(33)
    with fresh_cache(), config.patch(compile_threads=2, force_disable_caches=False):
        check(recorder, function, *args)
        counters.clear()
        check(recorder, function, *args, backend_only=False)
        assert counters["inductor"]["fxgraph_cache_hit"] == 1 and recorder.launches


def test_matrix_products_as_templates(recorder):
    """Inductor's own Triton kernel for x @ y, tuned among the block sizes it proposes."""
    options = {
        "max_autotune": True,
        "max_autotune_gemm_backends": "TRITON",
        "max_autotune_gemm_search_space": "DEFAULT",
        "benchmark_epilogue_fusion": False,  # Its code for the CPU does not parse in torch 2.13.
    }
    x, y = torch.randint(-4, 5, (40, 32)).float(), torch.randint(-4, 5, (32, 48)).float()
    with config.patch(options):
        check(recorder, lambda x, y: (torch.relu(x @ y + 1),), x, y)
    assert any("tl.dot" in code for code in recorder.code)

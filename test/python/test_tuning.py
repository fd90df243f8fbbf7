"""Autotuning: what Triton's front end is asked, and what is timed, for alike configurations."""

import pytest
import torch
import triton
import triton.language as tl
from triton.compiler import code_generator, compiler

from seagrove.compiler.options import LaunchOptions
from seagrove.frontend.triton_compat import front_end, tuning

N = 64


def configs(blocks=(16, 32), warps=(1, 4), stages=(2, 3)):
    return [
        triton.Config({"BLOCK": b}, num_warps=w, num_stages=s)
        for b in blocks
        for w in warps
        for s in stages
    ]


@pytest.fixture
def walks(monkeypatch, tmp_path):
    """The kernels that the front end walks through, by name and block size."""
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    seen = []
    ast_to_ttir = code_generator.ast_to_ttir

    def told(fn, src, **rest):
        seen.append((fn.__name__, *(v for v in src.constants.values() if isinstance(v, int))))
        return ast_to_ttir(fn, src, **rest)

    monkeypatch.setattr(code_generator, "ast_to_ttir", told)
    monkeypatch.setattr(front_end, "KEPT", front_end.KeptTexts())
    return seen


@pytest.fixture
def timed(monkeypatch):
    """How often something is timed."""
    from triton import testing

    seen = []
    do_bench = testing.do_bench

    def told(call, **rest):
        seen.append(call)
        return do_bench(call, warmup=0, rep=1, **rest)

    monkeypatch.setattr(testing, "do_bench", told)
    return seen


def make_kernel():
    @triton.jit
    def twice(x, out, n, BLOCK: tl.constexpr):
        offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(out + offsets, 2 * tl.load(x + offsets, mask=offsets < n), mask=offsets < n)

    return twice


def launch(kernel, n=N, dtype=torch.float32):
    x, out = torch.arange(N).to(dtype), torch.zeros(N, dtype=dtype)
    kernel[lambda meta: (triton.cdiv(n, meta["BLOCK"]),)](x, out, n)
    assert torch.equal(out[:n], 2 * x[:n])


def test_each_block_size_is_compiled_and_timed_once(walks, timed):
    tuned = triton.autotune(configs(), ["n"])(make_kernel())
    launch(tuned)
    assert sorted(walk[-1] for walk in walks) == [16, 32]
    assert len(timed) == 2
    assert len(tuned.configs_timings) == 8
    assert tuned.best_config.num_warps == 1 and tuned.best_config.num_stages == 2


def test_another_sweep_is_timed_anew(walks, timed):
    tuned = triton.autotune(configs(), ["n"])(make_kernel())
    launch(tuned)
    launch(tuned, n=48)
    assert len(timed) == 4


def test_what_sees_a_configuration_sees_each(walks):
    calls = []

    def bench(call, quantiles):
        call()
        calls.append(call)
        return [1.0] * 3

    launch(triton.autotune(configs(), ["n"], do_bench=bench)(make_kernel()))
    assert len(calls) == 8

    hooked = []
    many = configs()
    for config in many:
        config.pre_hook = lambda arguments: hooked.append(arguments["num_warps"])
    launch(triton.autotune(many, ["n"])(make_kernel()))
    assert {1, 4} == set(hooked)


def test_a_parameter_called_num_warps(walks, timed):
    @triton.jit
    def store(out, n, BLOCK: tl.constexpr, num_warps: tl.constexpr):
        offsets = tl.arange(0, BLOCK)
        tl.store(out + offsets, num_warps + 0 * offsets, mask=offsets < n)

    out = torch.zeros(N, dtype=torch.int32)
    triton.autotune(configs(stages=(3,)), ["n"])(store)[(1,)](out, N)
    assert len(timed) == 4


def test_options_that_the_front_end_reads(walks):
    kernel = make_kernel()
    x, out = torch.arange(N), torch.zeros(N, dtype=torch.int64)
    for _ in range(2):
        for option in ({}, {"num_warps": 8}, {"num_stages": 1}):
            kernel[(2,)](x, out, N, BLOCK=32, **option)
    assert len(walks) == 1
    # Overflow checks are code.
    kernel[(2,)](x, out, N, BLOCK=32, debug=True, sanitize_overflow=True)
    assert len(walks) == 2
    kernel[(2,)](x, out, N, BLOCK=64)
    kernel[(2,)](x.float(), out, N, BLOCK=32)
    assert len(walks) == 4


def test_who_asks_for_each_compilation_gets_it(walks, monkeypatch):
    kernel = make_kernel()
    x, out = torch.arange(N), torch.zeros(N, dtype=torch.int64)
    kernel[(2,)](x, out, N, BLOCK=32)
    monkeypatch.setattr(triton.knobs.compilation, "always_compile", True)
    kernel[(2,)](x, out, N, BLOCK=32, num_warps=8)
    assert len(walks) == 2


def test_only_as_many_texts_are_kept():
    texts = front_end.KeptTexts()
    plain, checked = LaunchOptions(), LaunchOptions(debug=True)
    for number in range(2 * front_end.MOST_SOURCES):
        texts.keep(number, {"debug": False}, f"text {number}")
    assert texts.find(0, plain) is None
    last = 2 * front_end.MOST_SOURCES - 1
    assert texts.find(last, plain) == f"text {last}"
    assert texts.find(last, checked) is None


def test_the_front_end_is_wrapped_once():
    before = compiler.ASTSource.make_ir
    front_end.install()
    tuning.install()
    assert compiler.ASTSource.make_ir is before

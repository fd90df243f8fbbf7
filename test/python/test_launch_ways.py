"""The ways to launch: hooks, warm-up, relaunch, tuning, threads, processes, failures."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading

import kernels
import numpy as np
import pytest
import triton
import triton.language as tl

from seagrove import errors

torch = pytest.importorskip("torch")

N = 100


@pytest.fixture
def good():
    return torch.rand(N), torch.rand(N), torch.zeros(N)


@triton.jit
def scale(x, factor, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    tl.store(x + offsets, tl.load(x + offsets, inside) * factor, inside)


# Grids


def test_grid_functions_see_every_argument_by_name(good):
    seen = {}

    def grid(meta):
        seen.update(meta)
        return (triton.cdiv(meta["n"], meta["BLOCK"]), 1)

    kernels.add[grid](*good[:2], out=good[2], n=N, BLOCK=32)
    assert torch.equal(good[2], good[0] + good[1])
    assert seen["n"] == N and seen["BLOCK"] == 32 and seen["x"] is good[0]


@pytest.mark.parametrize("number", [np.int64, np.int32, torch.tensor, lambda n: n])
def test_grid_of_any_integers(number):
    counts = np.zeros(12, np.int32)
    kernels.mark[(number(2), number(3), number(2))](counts)
    assert (counts == 1).all()
    kernels.mark[[number(6), number(2)]](counts)
    assert (counts == 2).all()


@pytest.mark.parametrize("grid", [(1.5,), ("2",), (None,)])
def test_grid_of_no_integers(grid):
    with pytest.raises(errors.GridError):
        kernels.mark[grid](np.zeros(4, np.int32))


@triton.jit
def far_program(out, x, y, z):
    here = (tl.program_id(0) == x) & (tl.program_id(1) == y) & (tl.program_id(2) == z)
    if here:
        tl.store(out, tl.program_id(0).to(tl.int64) + tl.num_programs(1) + tl.num_programs(2))


@pytest.mark.parametrize("grid", [(70_000_001,), (3, 70_001, 65), (1, 1, 300_000)])
def test_huge_grids(grid):
    """More programs than any device's limits for y and z, and than 16 bits hold."""
    x, y, z = (*grid, 1, 1)[:3]
    out = torch.zeros(1, dtype=torch.int64)
    far_program[grid](out, x - 1, y - 1, z - 1)
    assert out.item() == x - 1 + y + z


def test_empty_grids_still_check_and_return():
    x = torch.ones(4)
    compiled = scale[(0,)](x, 2.0, 4, BLOCK=4)
    assert (x == 1).all()
    compiled[(1, 1, 1)](x, 2.0, 4, 4)
    assert (x == 2).all()


# Hooks and metadata


def test_launch_metadata_function_gets_grid_and_arguments():
    seen = []

    def describe(grid, metadata, args):
        return {"flops": 2 * args["n"], "blocks": grid[0], "title": metadata.name}

    @triton.jit(launch_metadata=describe)
    def described(x, n, BLOCK: tl.constexpr):
        tl.store(x + tl.arange(0, BLOCK), 1.0)

    hooks = triton.knobs.runtime
    enter, leave = (lambda m: seen.append(m.get())), (lambda m: seen.append("left"))
    hooks.launch_enter_hook.add(enter)
    hooks.launch_exit_hook.add(leave)
    try:
        described[(3,)](torch.zeros(8), 21, BLOCK=8)
        described[(0,)](torch.zeros(8), 21, BLOCK=8)
    finally:
        hooks.launch_enter_hook.remove(enter)
        hooks.launch_exit_hook.remove(leave)
    assert len(seen) == 2 and seen[1] == "left"
    assert seen[0]["flops"] == 42 and seen[0]["blocks"] == 3
    assert seen[0]["name"] == "described"


def test_pre_run_hooks_see_arguments_and_may_raise(good):
    seen = []

    def hook(*args, **kwargs):
        seen.append((args[3], kwargs["BLOCK"]))
        if len(seen) == 2:
            raise RuntimeError("enough")

    kernels.add.add_pre_run_hook(hook)
    try:
        kernels.add[(1,)](*good, N, BLOCK=128)
        good[2].zero_()
        with pytest.raises(RuntimeError, match="enough"):
            kernels.add[(1,)](*good, N, BLOCK=128)
    finally:
        kernels.add.pre_run_hooks.clear()
    assert seen == [(N, 128)] * 2 and not good[2].any()
    kernels.add[(1,)](*good, N, BLOCK=128)
    assert torch.equal(good[2], good[0] + good[1])


def test_an_exit_hook_that_raises_leaves_the_results(good):
    def leave(metadata):
        raise ValueError("late")

    triton.knobs.runtime.launch_exit_hook.add(leave)
    try:
        with pytest.raises(ValueError, match="late"):
            kernels.add[(1,)](*good, N, BLOCK=128)
    finally:
        triton.knobs.runtime.launch_exit_hook.remove(leave)
    assert torch.equal(good[2], good[0] + good[1])


# Specialisation


@triton.jit(do_not_specialize=["n"])
def general(out, n):
    tl.store(out, n)


@triton.jit(do_not_specialize_on_alignment=["n", "out"])
def unaligned(out, n):
    tl.store(out, n)


def compiled_kernels(kernel):
    return sum(len(cache[0]) for cache in kernel.device_caches.values())


def test_do_not_specialize():
    out = torch.zeros(1, dtype=torch.int64)
    for value in (1, 16, 17, 0, -5):
        general[(1,)](out, value)
        assert out.item() == value
    assert compiled_kernels(general) == 1
    general[(1,)](out, 2**40)
    assert out.item() == 2**40 and compiled_kernels(general) == 2


def test_do_not_specialize_on_alignment():
    out = torch.zeros(3, dtype=torch.int32)
    for value in (16, 17, 3):
        unaligned[(1,)](out[1:], value)
        assert out[1].item() == value
    unaligned[(1,)](out, 48)
    assert out[0].item() == 48
    assert compiled_kernels(unaligned) == 1


@triton.jit(noinline=True)
def not_inlined(x, factor):
    return x * factor + 1


@triton.jit
def calls(x, out, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    value = not_inlined(tl.load(x), 3.0) + not_inlined(tl.load(x + 1), 5.0)
    tl.store(out + offsets, tl.load(x + offsets) + value)


def test_noinline():
    x, out = torch.rand(64), torch.zeros(64)
    calls[(1,)](x, out, BLOCK=64)
    torch.testing.assert_close(out, x + (x[0] * 3 + x[1] * 5 + 2))


# Compiling ahead


def test_warmup_then_launch_compiles_once(good):
    @triton.jit
    def fresh(x, n, BLOCK: tl.constexpr):
        tl.store(x + tl.arange(0, BLOCK), n)

    compiled = fresh.warmup(torch.float32, 7, BLOCK=16, grid=(1,))
    x = torch.zeros(16)
    compiled[(1, 1, 1)](x, 7, 16)
    assert (x == 7).all()
    fresh[(1,)](x, 9, BLOCK=16)
    assert (x == 9).all() and compiled_kernels(fresh) == 1


def test_compile_of_a_source_by_hand():
    source = triton.compiler.ASTSource(
        fn=scale,
        signature={"x": "*fp32", "factor": "fp32", "n": "i32", "BLOCK": "constexpr"},
        constexprs={"BLOCK": 32},
    )
    compiled = triton.compile(source)
    x = torch.ones(64)
    compiled[(2, 1, 1)](x, 3.0, 64, 32)
    assert (x == 3).all()


def test_compile_of_a_file_of_ir(tmp_path):
    compiled = scale.warmup(torch.float32, 2.0, 64, BLOCK=64, grid=(1,))
    path = tmp_path / "scale.ttir"
    path.write_text(compiled.asm["ttir"])
    again = triton.compile(str(path))
    x = torch.ones(64)
    again[(1, 1, 1)](x, 2.0, 64)
    assert (x == 2).all()


# Tuning


@triton.autotune(
    configs=[triton.Config({"BLOCK": 32}, num_warps=1), triton.Config({"BLOCK": 64}, num_warps=8)],
    key=["n"],
    restore_value=["x"],
)
@triton.heuristics({"EVEN": lambda args: args["n"] % args["BLOCK"] == 0})
@triton.jit
def tuned(x, n, EVEN: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    if EVEN:
        tl.store(x + offsets, tl.load(x + offsets) + 1)
    else:
        inside = offsets < n
        tl.store(x + offsets, tl.load(x + offsets, inside) + 2, inside)


def test_autotuner_restores_values_between_its_runs():
    x = torch.zeros(128)

    def grid(meta):
        return (triton.cdiv(meta["n"], meta["BLOCK"]),)

    tuned[grid](x, 128)
    assert (x == 1).all()
    tuned[grid](x, 127)
    assert (x[:127] == 3).all() and x[127] == 1
    assert tuned.best_config.kwargs["BLOCK"] in (32, 64)


def test_do_bench_of_a_launch(good):
    def run():
        return kernels.add[(1,)](*good, N, BLOCK=128)

    assert 0 < triton.testing.do_bench(run, warmup=1, rep=3) < 1000
    for mode in ("min", "max", "mean", "median"):
        assert triton.testing.do_bench(run, warmup=1, rep=2, return_mode=mode) > 0
    assert len(triton.testing.do_bench(run, warmup=1, rep=2, return_mode="all")) > 0


# Threads and processes


def test_first_launches_from_many_threads_at_once():
    """Compiling, loading and launching a kernel by eight threads that have never seen it."""

    @triton.jit
    def fresh(x, value, BLOCK: tl.constexpr):
        tl.store(x + tl.arange(0, BLOCK), value)

    start, failures = threading.Barrier(8), []

    def work(number):
        start.wait()
        for block in (8, 16, 32):
            x = torch.zeros(block)
            fresh[(1,)](x, float(number), BLOCK=block)
            if not (x == number).all():
                failures.append((number, block))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def _compile_and_launch(connection):
    try:
        x = torch.ones(96)
        for block in (16, 32):  # One that the parent has compiled, one that is new.
            scale[(triton.cdiv(96, block),)](x, 2.0, 96, BLOCK=block)
        connection.send(x.tolist() == [4.0] * 96)
    except BaseException as error:  # The parent shows it.
        connection.send(repr(error))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_launches_in_another_process(method):
    x = torch.ones(96)
    scale[(6,)](x, 2.0, 96, BLOCK=16)
    context = multiprocessing.get_context(method)
    mine, theirs = context.Pipe()
    child = context.Process(target=_compile_and_launch, args=(theirs,))
    child.start()
    assert mine.poll(120), "the child does not answer"
    assert mine.recv() is True
    child.join(60)
    assert child.exitcode == 0


# Failures


@triton.jit
def asserts(x, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    value = tl.load(x + offsets, offsets < n, other=0.0)
    tl.device_assert(value < 10, "too large")
    tl.store(x + offsets, value + 1, offsets < n)


def test_failures_leave_everything_usable(good):
    """One after the other: a failed compilation, assertion, launch and hook; then all is well."""
    x = torch.zeros(8)
    for _ in range(2):
        with pytest.raises(triton.CompilationError):
            kernels.adds_shapes_that_differ[(1,)](x, x)
        with pytest.raises(errors.DeviceAssertError, match="asserts"):
            asserts[(1,)](torch.full((8,), 11.0), 8, BLOCK=8, debug=True)
        with pytest.raises(errors.ArgumentTypeError):
            asserts[(1,)]("x", 8, BLOCK=8, debug=True)
        with pytest.raises(errors.GridError):
            asserts[(-1,)](x, 8, BLOCK=8, debug=True)
        asserts[(1,)](x, 8, BLOCK=8, debug=True)
        kernels.add[(1,)](*good, N, BLOCK=128)
    assert (x == 2).all() and torch.equal(good[2], good[0] + good[1])


INTERPRETED = """
import os, torch, triton, triton.language as tl
assert triton.knobs.runtime.interpret

@triton.jit
def double(x, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    value = tl.load(x + offsets, offsets < n)
    print("in python", type(value.handle).__name__)
    tl.store(x + offsets, value * 2, offsets < n)

x = torch.ones(20)
double[(2,)](x, 20, BLOCK=16)
assert (x == 2).all()
"""


def test_the_interpreter_is_left_alone(tmp_path):
    script = tmp_path / "interpreted.py"
    script.write_text(INTERPRETED)
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("in python") == 2


def test_extern_libs_as_a_dict():
    """The form in which Triton's tutorials give it; an option has to be hashable."""
    x = torch.ones(20)
    compiled = kernels.add[(1,)](x, x, x.clone(), 20, BLOCK=32, extern_libs={"name": "path"})
    assert dict(compiled.metadata.extern_libs) == {"name": "path"}


def test_compilation_in_a_thread_pool():
    """`triton.AsyncCompileMode`: a launch waits for the kernel that it needs."""
    from concurrent.futures import ThreadPoolExecutor

    @triton.jit
    def fill(out, value: tl.constexpr):
        tl.store(out, value)

    out = torch.zeros(1)
    with ThreadPoolExecutor(2) as pool, triton.AsyncCompileMode(pool):
        for value in (3, 4):
            fill.warmup(out, value, grid=(1,))
        for value in (4, 3, 4):
            fill[(1,)](out, value)
            assert out.item() == value

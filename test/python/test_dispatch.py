"""The short way of a launch: what it remembers, and what it must notice."""

import copy
import gc
import pickle
import threading
import weakref

import pytest
import torch
import triton
import triton.language as tl
from triton import knobs
from triton.runtime import driver
from triton.tools.tensor_descriptor import TensorDescriptor

from seagrove import errors

N = 64


def make_kernel():
    """A kernel that nobody has launched."""
    # The first launch of a process goes the long way: it makes the driver.
    assert driver.active

    @triton.jit
    def scale(x, out, n, factor, SHIFT: tl.constexpr, BLOCK: tl.constexpr):
        offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        value = tl.load(x + offsets, mask=offsets < n)
        tl.store(out + offsets, value * factor + SHIFT, mask=offsets < n)

    return scale


@pytest.fixture
def scale():
    return make_kernel()


def entries(kernel):
    return kernel._seagrove_dispatcher.entries


def check(kernel, dtype=torch.float32, n=N, factor=3, shift=1, grid=(1,), **options):
    x = torch.arange(N).to(dtype)
    out = torch.zeros(N, dtype=dtype)
    compiled = kernel[grid](x, out, n, factor, SHIFT=shift, BLOCK=N, **options)
    expected = torch.zeros(N, dtype=dtype)
    expected[:n] = (x * factor + shift)[:n].to(dtype)
    assert torch.equal(out, expected)
    return compiled


def test_second_launch_is_remembered(scale):
    first = check(scale)
    assert entries(scale) == 1
    assert check(scale) is first
    assert entries(scale) == 1


def test_each_specialisation_is_told_apart(scale):
    cases = [
        {},
        {"dtype": torch.int32},
        {"dtype": torch.float64},
        {"n": 63},
        {"n": 1},
        {"factor": 1},
        {"factor": 16},
        {"factor": 2**33, "dtype": torch.int64},
        {"factor": 0.5},
        {"factor": True},
        {"shift": 2},
        {"shift": 2**40, "dtype": torch.int64},
        {"shift": 0.5},
        {"num_warps": 8},
    ]
    for _ in range(3):
        for case in cases:
            check(scale, **case)
    assert entries(scale) == len(cases)


def test_other_values_of_the_same_kind_share_a_kernel(scale):
    first = check(scale, factor=3)
    for factor in (5, 7, -9):
        assert check(scale, factor=factor) is first
    assert entries(scale) == 1


def test_unaligned_tensor(scale):
    whole = torch.arange(N + 1, dtype=torch.float32)
    out = torch.zeros(N)
    for _ in range(2):
        for x in (whole[:N], whole[1:]):
            scale[(1,)](x, out, N, 2, SHIFT=0, BLOCK=N)
            assert torch.equal(out, x * 2)
    assert entries(scale) == 2


def test_grid_function_sees_the_arguments(scale):
    seen = []

    def grid(meta):
        seen.append((meta["n"], meta["SHIFT"], meta["BLOCK"], meta["factor"]))
        return (1,)

    for _ in range(3):
        check(scale, grid=grid)
    assert seen == [(N, 1, N, 3)] * 3 and entries(scale) == 1


def test_grid_function_that_launches_the_same_kernel(scale):
    def grid(meta):
        for factor in (1, 16, 0.25):
            check(scale, factor=factor, shift=factor)
        return (1,)

    for _ in range(3):
        check(scale, grid=grid)


def test_grid_function_that_raises(scale):
    check(scale)
    with pytest.raises(KeyError, match="nothing"):
        check(scale, grid=lambda meta: (meta["nothing"],))


@pytest.mark.parametrize("grid", [(-1,), (2**31,), ("1",), (1.5,)])
def test_impossible_grid(scale, grid):
    check(scale)
    with pytest.raises((errors.GridError, TypeError)):
        check(scale, grid=grid)
    check(scale)


def test_empty_grid(scale):
    check(scale)
    check(scale, grid=(0,), n=0)


def test_hooks_that_come_and_go(scale):
    check(scale)
    seen = []
    for chain in (knobs.runtime.launch_enter_hook, knobs.runtime.launch_exit_hook):

        def hook(metadata, chain=chain):
            seen.append((chain, metadata.get()["name"]))

        chain.add(hook)
        try:
            check(scale)
        finally:
            chain.remove(hook)
        assert seen.pop() == (chain, "scale")
        check(scale)
        assert not seen


def test_pre_run_hook(scale):
    check(scale)
    seen = []
    scale.add_pre_run_hook(lambda *args, **kwargs: seen.append(args[2]))
    check(scale)
    assert seen == [N]


def test_knobs(scale, monkeypatch):
    first = check(scale)
    monkeypatch.setattr(knobs.runtime, "debug", True)
    assert check(scale) is not first
    monkeypatch.undo()
    assert check(scale) is first


def test_forgotten_kernels_are_compiled_again(scale):
    first = check(scale)
    scale.device_caches.clear()
    assert check(scale) is not first


def test_other_driver(scale, monkeypatch):
    check(scale)

    class Elsewhere:
        def get_current_device(self):
            raise RuntimeError("asked the other driver")

    monkeypatch.setattr(driver, "_active", Elsewhere())
    with pytest.raises(RuntimeError, match="asked the other driver"):
        check(scale)
    monkeypatch.undo()
    check(scale)


def test_replaced_run(scale, monkeypatch):
    check(scale)
    seen = []
    upstream = triton.JITFunction.run

    def run(self, *args, **kwargs):
        seen.append(self)
        return upstream(self, *args, **kwargs)

    monkeypatch.setattr(triton.JITFunction, "run", run)
    check(scale)
    assert seen == [scale]
    monkeypatch.undo()
    check(scale)
    assert seen == [scale]


OFFSET = tl.constexpr(5)


@triton.jit
def uses_global(out):
    tl.store(out, OFFSET)


def test_changed_global(monkeypatch):
    out = torch.zeros(1, dtype=torch.int32)
    for _ in range(2):
        uses_global[(1,)](out)
    assert out.item() == 5
    monkeypatch.setitem(globals(), "OFFSET", tl.constexpr(6))
    with pytest.raises(RuntimeError, match="OFFSET has changed"):
        uses_global[(1,)](out)


def test_arguments_of_other_kinds_go_the_long_way(scale):
    numpy = pytest.importorskip("numpy")
    for _ in range(20):
        out = numpy.zeros(N, numpy.float32)
        scale[(1,)](numpy.arange(N, dtype=numpy.float32), out, N, 2, SHIFT=0, BLOCK=N)
        assert out[-1] == 2 * (N - 1)
    assert entries(scale) == 0 and not scale._seagrove_dispatcher.learns


def test_wrong_arguments_are_still_refused(scale):
    check(scale)
    x = torch.zeros(N)
    for _ in range(2):
        with pytest.raises(errors.ArgumentCountError):
            scale[(1,)](x, x, N, SHIFT=0, BLOCK=N)
        with pytest.raises(errors.LaunchError):
            scale[(1,)](x.to("meta"), x, N, 2, SHIFT=0, BLOCK=N)
        with pytest.raises((errors.LaunchError, KeyError)):
            scale[(1,)](x, x, N, 2, SHIFT=0, BLOCK=N, no_such_option=1)
    check(scale)


def test_endless_specialisations_are_given_up(scale):
    out = torch.zeros(N, dtype=torch.int64)
    scale[(1,)](out, out, 0, 3, SHIFT=0, BLOCK=N)
    dispatcher = scale._seagrove_dispatcher
    compiled = check(scale)
    handles = (compiled, vars(compiled)["_run"], vars(compiled)["function"])
    layout = ((True,), (0, -1, -1, -1, -1, -1), (0,) * 6, tuple("abcdef"))
    for value in range(3000):
        assert dispatcher.add((value,), 1, (), layout, (), (), handles)
        assert entries(scale) <= 256
    assert not dispatcher.learns
    check(scale)


def test_bound_kernel_outlives_its_name(scale):
    x, out = torch.ones(N), torch.zeros(N)
    launch = scale[(1,)]
    del scale
    for _ in range(3):
        launch(x, out, N, 2, SHIFT=0, BLOCK=N)
    assert torch.equal(out, x * 2)


def lives_on(launch):
    kernel = make_kernel()
    for _ in range(2):
        launch(kernel)
    gone = weakref.ref(kernel)
    del kernel
    gc.collect()
    return gone() is not None


def test_kernel_is_freed():
    def in_tritons_way(kernel):
        x = torch.zeros(N)
        kernel.run(x, x, N, 2, SHIFT=0, BLOCK=N, grid=(1,), warmup=False)

    if lives_on(in_tritons_way):
        pytest.skip("this version of Triton keeps every kernel")
    assert not lives_on(check)


def test_copies_do_not_share(scale):
    check(scale)
    other = copy.copy(scale)
    check(other)
    assert other._seagrove_dispatcher is not scale._seagrove_dispatcher
    assert pickle.loads(pickle.dumps(scale._seagrove_dispatcher)) == {}


def test_threads(scale):
    failures = []

    def work(seed):
        try:
            for step in range(200):
                check(scale, factor=(seed, 16, 0.5, 1)[step % 4], shift=step % 3)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (3, 5, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_tensor_subclass_and_parameter(scale):
    out = torch.zeros(N)
    parameter = torch.nn.Parameter(torch.ones(N))
    for _ in range(2):
        scale[(1,)](parameter, out, N, 2, SHIFT=0, BLOCK=N)
    assert torch.equal(out, torch.full((N,), 2.0)) and entries(scale) == 1

    class Wrapped(torch.Tensor):
        pass

    for _ in range(2):
        scale[(1,)](torch.ones(N).as_subclass(Wrapped), out, N, 4, SHIFT=0, BLOCK=N)
    assert torch.equal(out, torch.full((N,), 4.0)) and entries(scale) == 1


BYTES = (torch.int8, torch.uint8, torch.bool, torch.float8_e5m2, torch.float8_e4m3fn)


@pytest.fixture(params=["by C functions", "by attributes"])
def way_of_reading(request, monkeypatch):
    """Both ways to read a tensor; older versions of torch have the second alone."""
    if request.param == "by attributes":
        if not hasattr(torch.Tensor, "__dlpack_c_exchange_api__"):
            pytest.skip("there is no other way in this version of torch")
        monkeypatch.delattr(torch.Tensor, "__dlpack_c_exchange_api__")
    return request.param


def test_element_types_of_one_size(way_of_reading):
    @triton.jit
    def copy_bytes(x, out, BLOCK: tl.constexpr):
        offsets = tl.arange(0, BLOCK)
        tl.store(out + offsets, tl.load(x + offsets).to(tl.float32))

    out = torch.zeros(N)
    compiled = {}
    for _ in range(2):
        for dtype in BYTES:
            x = (torch.arange(N) % 2).to(dtype)
            kernel = copy_bytes[(1,)](x, out, BLOCK=N)
            assert compiled.setdefault(dtype, kernel) is kernel
            assert torch.equal(out, x.float()), dtype
    assert entries(copy_bytes) == len(set(compiled.values())) == len(BYTES)


def test_views_and_other_tensors_at_the_same_place(scale, way_of_reading):
    whole = torch.arange(4 * N, dtype=torch.float32)
    out = torch.zeros(N)
    views = [whole[:N], whole[N : 2 * N], whole[4 : 4 + N], whole.view(4, N)[3], whole.clone()[:N]]
    for x in views:
        scale[(1,)](x, out, N, 2, SHIFT=0, BLOCK=N)
        assert torch.equal(out, x * 2)
    assert entries(scale) == 1
    for x in (whole[1 : 1 + N], torch.nn.Parameter(whole[:N]), whole[:N].requires_grad_()):
        scale[(1,)](x, out, N, 2, SHIFT=0, BLOCK=N)
        assert torch.equal(out, x.detach() * 2)


def test_none_and_tuples():
    @triton.jit
    def shifted(x, shift, sizes, out, BLOCK: tl.constexpr):
        offsets = tl.arange(0, BLOCK)
        value = tl.load(x + offsets, mask=offsets < sizes[0])
        if shift is not None:
            value += tl.load(shift + offsets)
        tl.store(out + offsets, value, mask=offsets < sizes[0])

    x, out = torch.ones(N), torch.zeros(N)
    for _ in range(3):
        for shift, expected in ((None, 1.0), (x, 2.0)):
            for size in (7, 16, 1):
                out.zero_()
                shifted[(1,)](x, shift, (size, 5), out, BLOCK=N)
                assert out.sum() == size * expected


@pytest.fixture
def copied():
    @triton.jit
    def copy_block(source, target, row, BLOCK: tl.constexpr):
        target.store([row, 0], source.load([row, 0]))

    return copy_block


def test_descriptors_are_remembered(copied):
    for number in range(3):
        x, out = torch.randn(16, 32), torch.zeros(16, 32)
        blocks = [4, 32] if number else (4, 32)
        descriptors = [TensorDescriptor.from_tensor(t, blocks) for t in (x, out)]
        copied[(1,)](*descriptors, 4, BLOCK=4)
        assert torch.equal(out[4:8], x[4:8]) and out.count_nonzero() == 4 * 32
        assert entries(copied) == 1


def test_descriptors_are_told_apart(copied):
    def run(dtype, blocks, offset=0):
        x = torch.arange(16 * 32 + 4).to(dtype)[offset:][: 16 * 32].view(16, 32)
        out = torch.zeros(16, 32, dtype=dtype)
        # An address that no descriptor may have is only seen when it is used.
        source = TensorDescriptor.from_tensor(torch.zeros(16, 32, dtype=dtype), blocks)
        source.base = x
        copied[(1,)](source, TensorDescriptor.from_tensor(out, blocks), 0, BLOCK=4)
        assert torch.equal(out[: blocks[0], : blocks[1]], x[: blocks[0], : blocks[1]])
        assert out.count_nonzero() == x[: blocks[0], : blocks[1]].count_nonzero()

    for _ in range(3):
        run(torch.float32, [4, 32])
        run(torch.float32, [8, 32])
        run(torch.float32, [8, 16])
        run(torch.int32, [4, 32])
        run(torch.float32, [4, 32], offset=1)
    assert entries(copied) == 5


def test_descriptors_of_no_use(copied):
    good = TensorDescriptor.from_tensor(torch.zeros(16, 32), [4, 32])
    copied[(1,)](good, good, 0, BLOCK=4)
    for field, value in (("block_shape", [3, 32]), ("base", None), ("strides", [32])):
        bad = TensorDescriptor.from_tensor(torch.zeros(16, 32), [4, 32])
        setattr(bad, field, value)
        for _ in range(2):
            with pytest.raises(Exception) as error:
                copied[(1,)](bad, good, 0, BLOCK=4)
            assert not isinstance(error.value, SystemError)
    copied[(1,)](good, good, 0, BLOCK=4)
    assert entries(copied) == 1


def test_tuples_are_remembered():
    @triton.jit
    def add(inputs, out, SHAPE: tl.constexpr):
        offsets = tl.arange(0, SHAPE[0])
        total = (offsets * 0).to(tl.float32)
        for i in tl.static_range(len(inputs)):
            value, factor = inputs[i]
            total += tl.load(value + offsets) * factor
        tl.store(out + offsets, total + SHAPE[1])

    x, y = torch.randn(N), torch.randn(N)
    for _ in range(3):
        for shift in (0, 1):
            for inputs in (((x, 2),), ((x, 2), (y, 3)), ((x, 1), (y.double(), 3))):
                out = torch.zeros(N)
                add[(1,)](inputs, out, SHAPE=(N, shift))
                expected = sum(value.float() * factor for value, factor in inputs) + shift
                torch.testing.assert_close(out, expected)
    assert entries(add) == 6


def test_a_tuple_too_long_to_be_remembered():
    @triton.jit
    def first(numbers, out):
        tl.store(out, numbers[0])

    out = torch.zeros(1, dtype=torch.int32)
    for number in (5, 6):
        first[(1,)]((number,) * 400, out)
        assert out.item() == number
    assert entries(first) == 0


def test_tensors_without_memory_here(scale):
    out = torch.zeros(N)
    check(scale)
    for strange in (torch.zeros(N, device="meta"), torch.zeros(N).to_sparse()):
        for _ in range(2):
            with pytest.raises((errors.SeagroveError, RuntimeError)):
                scale[(1,)](strange, out, N, 2, SHIFT=0, BLOCK=N)
    assert entries(scale) == 1


def test_what_changes_and_changes_back(scale):
    calls = []
    check(scale)
    for _ in range(2):
        knobs.runtime.launch_enter_hook.add(calls.append)
        check(scale)
        knobs.runtime.launch_enter_hook.remove(calls.append)
        check(scale)
        check(scale)
    assert len(calls) == 2
    # Entries that nobody watches come and go in the same dicts.
    for number in range(3):
        scale.other = number
        knobs.other = number
        check(scale)
    del scale.other, knobs.other
    check(scale)
    assert entries(scale) == 1


def test_grid_function_may_keep_what_it_gets(scale):
    kept = []

    def grid(meta):
        kept.append(meta)
        return (1,)

    for shift in (1, 2, 1, 2):
        check(scale, shift=shift, grid=grid)
    assert [*kept[0]] == ["x", "out", "n", "factor", "SHIFT", "BLOCK"]
    assert [(meta["n"], meta["SHIFT"], meta["BLOCK"]) for meta in kept] == [
        (N, shift, N) for shift in (1, 2, 1, 2)
    ]
    assert len({id(meta) for meta in kept}) == len(kept)


# --- kernels that others launch ------------------------------------------------------------------


def make_tuner(configs, key=("n",)):
    return triton.autotune(configs, list(key), do_bench=lambda call, quantiles: call() or [1.0])(
        make_kernel()
    )


CONFIGS = [triton.Config({"BLOCK": 32}), triton.Config({"BLOCK": 64}, num_warps=8)]


def launch_tuned(tuner, n=N, factor=3, shift=1, blocks=None, **options):
    x = torch.arange(N, dtype=torch.float32)
    out = torch.zeros(N)

    def grid(meta):
        if blocks is not None:
            blocks.append(meta["BLOCK"])
        return (triton.cdiv(n, meta["BLOCK"]),)

    compiled = tuner[grid](x, out, n, factor, SHIFT=shift, **options)
    expected = torch.zeros(N)
    expected[:n] = (x * factor + shift)[:n]
    assert torch.equal(out, expected)
    return compiled


def runs_of(monkeypatch, kind=None):
    """Collects the names of what goes Triton's way."""
    from triton.runtime.autotuner import Autotuner

    kind = kind or Autotuner
    seen, original = [], kind.run

    def run(self, *args, **kwargs):
        seen.append(self)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(kind, "run", run)
    return seen


@pytest.mark.parametrize("configs", [CONFIGS, CONFIGS[1:]])
def test_tuned_launch_is_remembered(configs):
    tuner = make_tuner(configs)
    first = launch_tuned(tuner)
    assert entries(tuner) == 1
    blocks = []
    assert launch_tuned(tuner, blocks=blocks) is first
    assert launch_tuned(tuner, factor=5) is first and entries(tuner) == 1
    assert blocks == [tuner.best_config.kwargs["BLOCK"]]


def test_each_key_has_its_configuration():
    tuner = make_tuner(CONFIGS)
    keys = {}
    for n in (64, 63, 1):
        launch_tuned(tuner, n=n)
        keys[n] = tuner.best_config = CONFIGS[n % 2]
        tuner.cache[next(k for k in tuner.cache if k[0] == n)] = keys[n]
    for _ in range(3):
        for n, config in keys.items():
            blocks = []
            launch_tuned(tuner, n=n, blocks=blocks)
            assert tuner.best_config is config and blocks == [config.kwargs["BLOCK"]]
    assert entries(tuner) == len(keys)


def test_a_forgotten_or_changed_choice_is_made_again():
    tuner = make_tuner(CONFIGS)
    launch_tuned(tuner)
    (key,) = tuner.cache
    before = tuner.best_config
    other = next(config for config in CONFIGS if config is not before)
    tuner.cache[key] = other
    blocks = []
    launch_tuned(tuner, blocks=blocks)
    assert tuner.best_config is other and blocks == [other.kwargs["BLOCK"]]
    tuner.cache.clear()
    launch_tuned(tuner)
    assert key in tuner.cache


def test_hook_of_a_configuration_sees_each_launch():
    calls = []
    config = triton.Config({"BLOCK": 64}, pre_hook=lambda given: calls.append(given["n"]))
    tuner = make_tuner([config])
    for _ in range(3):
        launch_tuned(tuner)
    assert calls == [N] * 3 and entries(tuner) == 0
    plain = triton.Config({"BLOCK": 64})
    tuner = make_tuner([plain])
    launch_tuned(tuner)
    plain.pre_hook = config.pre_hook
    launch_tuned(tuner)
    assert calls == [N] * 4
    plain.pre_hook = None
    plain.kwargs["BLOCK"] = 16
    blocks = []
    launch_tuned(tuner, blocks=blocks)
    assert blocks == [16]


def test_hooks_of_a_tuned_launch():
    tuner = make_tuner(CONFIGS[1:])
    launch_tuned(tuner)
    seen = []
    knobs.runtime.launch_enter_hook.add(seen.append)
    try:
        launch_tuned(tuner)
    finally:
        knobs.runtime.launch_enter_hook.remove(seen.append)
    launch_tuned(tuner)
    assert len(seen) == 1
    tuner.fn.add_pre_run_hook(lambda *args, **kwargs: seen.append(kwargs["BLOCK"]))
    launch_tuned(tuner)
    assert seen[1:] == [64]


def test_replaced_run_of_a_tuned_kernel(monkeypatch):
    from triton.runtime.jit import JITFunction

    tuner = make_tuner(CONFIGS[1:])
    launch_tuned(tuner)
    seen = runs_of(monkeypatch)
    launch_tuned(tuner)
    assert seen == [tuner]
    monkeypatch.undo()
    inner = runs_of(monkeypatch, JITFunction)
    launch_tuned(tuner)
    assert inner == [tuner.fn]


def test_heuristics_end_in_a_short_way(monkeypatch):
    kernel = make_kernel()
    heuristic = triton.heuristics({"BLOCK": lambda given: 64 if given["n"] > 10 else 16})(kernel)
    for n in (64, 5, 64, 5):
        launch_tuned(heuristic, n=n)
    assert entries(kernel) == 2
    # Whatever it is that launches: the second time, nothing asks for a specialisation.
    monkeypatch.setattr(kernel, "device_caches", kernel.device_caches)
    launch_tuned(heuristic, n=5)
    assert entries(kernel) == 2


def test_run_called_by_name(scale):
    x, out = torch.ones(N), torch.zeros(N)
    for _ in range(3):
        compiled = scale.run(x, out, N, 2, SHIFT=1, BLOCK=N, grid=(1,), warmup=False)
        assert torch.equal(out, x * 2 + 1)
        out.zero_()
    assert entries(scale) == 1
    assert scale.run(x, out, N, 2, SHIFT=1, BLOCK=N, grid=(1,), warmup=True) is compiled
    assert not out.any()
    other = copy.copy(scale)
    other.run(x, out, N, 2, SHIFT=1, BLOCK=N, grid=(1,), warmup=False)
    assert other._seagrove_dispatcher is not scale._seagrove_dispatcher


def test_grids_of_plain_numbers(scale):
    check(scale, grid=(triton.cdiv(N, 64),))
    assert (triton.cdiv(65, 64), triton.next_power_of_2(65)) == (2, 128)
    assert triton.cdiv(x=65, y=64) == triton.cdiv(65, y=tl.constexpr(64)) == 2
    assert triton.cdiv(tl.constexpr(65), 64) == 2
    # In a kernel what it returns is a constant.
    assert isinstance(triton.cdiv(65, 64, _semantic=object()), tl.constexpr)
    with pytest.raises(TypeError):
        triton.cdiv(65)
    with pytest.raises(ZeroDivisionError):
        triton.cdiv(65, 0)

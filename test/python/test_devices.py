"""Several devices in one process: which one a launch takes, and tensors that live on one."""

from __future__ import annotations

import pickle
import threading

import kernels
import numpy as np
import pytest
import triton
import triton.language as tl
from triton.runtime.driver import driver

import seagrove
from seagrove import errors
from seagrove.runtime import registry

torch = pytest.importorskip("torch")

N, BLOCK = 1000, 256
GRID = (triton.cdiv(N, BLOCK),)


@pytest.fixture(autouse=True)
def mirror():
    """The test backend is registered while a test runs."""
    registry.backends()["mirror"] = registry.Entry("mirror", "mirror_backend:Mirror")
    yield lambda name="mirror", **settings: registry.device(name, **settings).driver
    del registry.backends()["mirror"]
    assert registry.chosen_device() is None


@pytest.fixture
def fresh():
    """A kernel that nobody has launched."""

    @triton.jit
    def add(x, y, out, n, BLOCK: tl.constexpr):
        offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        inside = offsets < n
        tl.store(out + offsets, tl.load(x + offsets, inside) + tl.load(y + offsets, inside), inside)

    return add


def arrays(kind=np.asarray):
    return [kind(np.random.rand(N).astype(np.float32)) for _ in range(2)] + [
        kind(np.zeros(N, np.float32))
    ]


def launch(kernel, x, y, out, **options):
    return kernel[GRID](x, y, out, N, BLOCK=BLOCK, **options)


# --- choice -----------------------------------------------------------------------------------


def test_the_device_of_the_tensors_decides(mirror, fresh):
    x, y, out = arrays(lambda a: seagrove.asarray(a, device="mirror"))
    before = mirror().launches
    for _ in range(3):
        launch(fresh, x, y, out)
    assert mirror().launches == before + 3
    assert np.array_equal(out.numpy(), x.numpy() + y.numpy())
    assert driver.active.get_current_device() == "cpu"


def test_a_choice_goes_before_the_tensors_device(mirror, fresh):
    x, y, out = arrays(lambda a: seagrove.asarray(a, device="mirror"))
    with seagrove.use("mirror:1"), pytest.raises(errors.DeviceError, match="with a tensor on 'mir"):
        launch(fresh, x, y, out)
    with seagrove.use("cpu"):
        assert driver.active.get_current_device() == "cpu"
    launch(fresh, x, y, out)


def test_the_launch_option_goes_before_the_choice(mirror, fresh):
    x, y, out = arrays()
    with seagrove.use("mirror:1"):
        before = mirror("mirror").launches, mirror("mirror:1").launches
        launch(fresh, x, y, out, backend="mirror")
        launch(fresh, x, y, out)
        launch(fresh, x, y, out, backend="cpu")
        assert (mirror("mirror").launches, mirror("mirror:1").launches) == (
            before[0] + 1,
            before[1] + 1,
        )
    assert np.array_equal(out, x + y)
    with pytest.raises(errors.BackendError, match="no backend called 'abacus'"):
        launch(fresh, x, y, out, backend="abacus")
    with pytest.raises(errors.DeviceError, match="no device '7'"):
        launch(fresh, x, y, out, backend="mirror:7")
    assert list(fresh.device_caches) == ["mirror", "mirror:1", "cpu"]


def test_settings_make_another_device(mirror, fresh):
    x, y, out = arrays()
    with seagrove.use("mirror", polish=3) as choice:
        launch(fresh, x, y, out)
        assert choice.device.driver.settings == {"polish": 3}
        assert repr(choice) == "seagrove.use('mirror', polish=3)"
    launch(fresh, x, y, out, backend="mirror")
    assert list(fresh.device_caches) == ["mirror?polish=3", "mirror"]
    assert registry.device("mirror", polish=3) is choice.device
    with pytest.raises(errors.DeviceError):
        seagrove.use("mirror", shine=3)


def test_alternate_launches_never_mix(mirror, fresh):
    for _ in range(3):
        for name in ("cpu", "mirror", "mirror:1"):
            x, y, out = arrays(torch.from_numpy)
            counts = {item: mirror(item).launches for item in ("mirror", "mirror:1")}
            with seagrove.use(name):
                compiled = launch(fresh, x, y, out)
            assert torch.equal(out, x + y)
            assert compiled.metadata.target.backend == name.partition(":")[0]
            for item, before in counts.items():
                assert mirror(item).launches == before + (item == name)
    assert len(fresh.device_caches) == 3
    images = {id(next(iter(caches[0].values()))) for caches in fresh.device_caches.values()}
    assert len(images) == 3


def test_choices_of_threads_are_apart(mirror, fresh):
    names = ("cpu", "mirror", "mirror:1", None)
    barrier, failures = threading.Barrier(len(names)), []

    def work(name):
        try:
            barrier.wait()
            for _ in range(30):
                x, y, out = arrays(torch.from_numpy)
                if name is None:
                    launch(fresh, x, y, out)
                    assert driver.active.get_current_device() == "cpu"
                else:
                    with seagrove.use(name):
                        launch(fresh, x, y, out)
                        assert driver.active.get_current_device() == name
                assert torch.equal(out, x + y)
        except BaseException as error:
            failures.append(error)

    before = [mirror(name).launches for name in ("mirror", "mirror:1")]
    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    after = [mirror(name).launches for name in ("mirror", "mirror:1")]
    assert after == [count + 30 for count in before]


def test_a_choice_everywhere_reaches_other_threads(mirror, fresh):
    x, y, out = arrays(torch.from_numpy)
    launch(fresh, x, y, out)
    launch(fresh, x, y, out)
    before = mirror().launches
    with seagrove.use("mirror", everywhere=True):
        thread = threading.Thread(target=launch, args=(fresh, x, y, out))
        thread.start()
        thread.join()
        assert mirror().launches == before + 1
        with seagrove.use("cpu"):
            launch(fresh, x, y, out)
        assert mirror().launches == before + 1
        launch(fresh, x, y, out)
        assert mirror().launches == before + 2
    launch(fresh, x, y, out)
    assert mirror().launches == before + 2


def test_choices_of_tasks_are_apart(fresh):
    import asyncio

    seen = []

    async def task(name):
        with seagrove.use(name):
            for _ in range(3):
                x, y, out = arrays()
                launch(fresh, x, y, out)
                seen.append((name, driver.active.get_current_device()))
                await asyncio.sleep(0)

    async def main():
        await asyncio.gather(task("mirror"), task("cpu"), task("mirror:1"))

    asyncio.run(main())
    assert len(seen) == 9 and all(name == device for name, device in seen)


def test_settings_within_the_name():
    chosen = registry.device("mirror?polish=3")
    assert chosen is registry.device("mirror", polish=3)
    assert registry.device(str(chosen.key)) is chosen
    assert registry.device("mirror?polish=high").settings == (("polish", "high"),)


def test_compiled_kernels_launched_by_hand(mirror, fresh):
    x, y, out = arrays(lambda a: seagrove.asarray(a, device="mirror"))
    compiled = launch(fresh, x, y, out)
    out.copy_from(np.zeros(N, np.float32))
    compiled[(*GRID, 1, 1)](x, y, out, N, BLOCK)
    assert np.array_equal(out.numpy(), x.numpy() + y.numpy())
    with seagrove.use("mirror"):
        unlaunched = fresh.warmup(x, y, out, N, BLOCK=64, grid=GRID)
    with pytest.raises(errors.TargetError, match="compiled for 'mirror' cannot run on 'cpu'"):
        unlaunched[(*GRID, 1, 1)](x, y, out, N, 64)


def test_the_key_on_disk_changes_with_the_backends_files(tmp_path, monkeypatch):
    import importlib
    import os

    from seagrove.compiler import cache

    path = tmp_path / "some_backend.py"
    path.write_text("value = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("some_backend")
    first = cache.package_key("some_backend")
    os.utime(path, (1, 1))
    cache.package_key.cache_clear()
    assert first and cache.package_key("some_backend") != first
    assert cache.package_key("some_backend") in _key_of_the_module("some_backend")


def _key_of_the_module(module):
    from seagrove.backend import Backend

    kind = type("Some", (Backend,), {"name": "some", "__module__": module})
    return kind().key(registry.device("mirror").backend.describe(""))


def test_choice_inside_of_a_choice():
    with seagrove.use("mirror"):
        with seagrove.use("cpu"):
            assert driver.active.get_current_device() == "cpu"
        assert driver.active.get_current_device() == "mirror"
    assert driver.active.get_current_device() == "cpu"


def test_short_launches_stay_short_beside_another_device(fresh):
    x, y, out = arrays(torch.from_numpy)
    for _ in range(20):
        launch(fresh, x, y, out, backend="mirror")
    assert fresh._seagrove_dispatcher.learns and fresh._seagrove_dispatcher.entries == 0
    for _ in range(2):
        launch(fresh, x, y, out)
    assert fresh._seagrove_dispatcher.entries == 1
    with seagrove.use("cpu"):
        for _ in range(2):
            launch(fresh, x, y, out)
    assert fresh._seagrove_dispatcher.entries == 2


def test_the_current_device_is_a_number(mirror):
    """Libraries keep their own tables of kernels: one for each device number."""
    with seagrove.use("cpu"):
        here = driver.active.get_current_device()
    with seagrove.use("mirror"):
        there = driver.active.get_current_device()
    tables = (["first"],)
    assert tables[here] is tables[there] is tables[0]
    assert here == "cpu" and here != there and here != 0
    assert {0: "plain", here: "ours", there: "other"} == {there: "other", "cpu": "ours", 0: "plain"}
    assert pickle.loads(pickle.dumps(here)) == here


def test_autotuned_kernels_are_tuned_on_the_device(mirror):
    @triton.autotune([triton.Config({"BLOCK": 128}), triton.Config({"BLOCK": 256})], key=["n"])
    @triton.jit
    def tuned(x, y, out, n, BLOCK: tl.constexpr):
        offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        inside = offsets < n
        tl.store(out + offsets, tl.load(x + offsets, inside) + tl.load(y + offsets, inside), inside)

    x, y, out = arrays(lambda a: seagrove.asarray(a, device="mirror"))
    before = mirror().launches
    tuned[lambda meta: (triton.cdiv(N, meta["BLOCK"]),)](x, y, out, N)
    assert mirror().launches > before + 2
    assert np.array_equal(out.numpy(), x.numpy() + y.numpy())
    x, y, out = arrays()
    tuned[lambda meta: (triton.cdiv(N, meta["BLOCK"]),)](x, y, out, N, backend="mirror:1")
    assert np.array_equal(out, x + y)


def test_tensors_of_two_devices_are_refused(fresh):
    x = seagrove.zeros(N, device="mirror")
    y = seagrove.zeros(N, device="mirror:1")
    with pytest.raises(errors.DeviceError, match="two devices: 'mirror' and 'mirror:1'") as caught:
        launch(fresh, x, y, x)
    assert caught.value.code == "SG0617"


def test_the_host_refuses_another_devices_tensor(fresh):
    x, y, out = arrays(lambda a: seagrove.asarray(a, device="mirror"))
    with seagrove.use("cpu"), pytest.raises(errors.DeviceError, match="tensor on 'mirror'"):
        launch(fresh, x, y, out)


def test_operations_that_the_backend_refuses():
    @triton.jit
    def count(x, out, BLOCK: tl.constexpr):
        values = tl.load(x + tl.arange(0, BLOCK))
        tl.store(out + tl.arange(0, 4), tl.histogram(values, 4))

    x, out = np.zeros(16, np.int32), np.zeros(4, np.int32)
    with seagrove.use("mirror"), pytest.raises(triton.CompilationError) as caught:
        count[(1,)](x, out, BLOCK=16)
    assert "does not compile tt.histogram: mirrors do not count; use tl.sum" in str(caught.value)
    assert caught.value.code == "SG0714"
    count[(1,)](x, out, BLOCK=16)
    assert out[0] == 16


# --- tensors of the host on another device ----------------------------------------------------


def test_overlapping_views_are_one_memory():
    whole = np.arange(2 * N, dtype=np.float32)
    x, out = whole[:N], whole[1 : N + 1]
    expected = whole.copy()
    expected[1 : N + 1] = whole[:N] + whole[N:]
    kernels.add[(1,)](x, whole[N:], out, N, BLOCK=1024, backend="mirror")
    assert np.array_equal(whole, expected)


def test_memory_beyond_the_view_belongs_to_the_launch():
    @triton.jit
    def second_row(x, out, BLOCK: tl.constexpr):
        at = tl.arange(0, BLOCK)
        tl.store(out + at, tl.load(x + BLOCK + at))

    x = torch.rand(2, 64)
    out = torch.zeros(64)
    second_row[(1,)](x[0], out, BLOCK=64, backend="mirror")
    assert torch.equal(out, x[1])


def test_read_only_arrays_can_be_read():
    x, y, out = arrays()
    x.flags.writeable = False
    launch(kernels.add, x, y, out, backend="mirror")
    assert np.array_equal(out, x + y)


def test_staging_leaves_no_memory_behind(mirror):
    held = len(mirror().blocks)
    x, y, out = arrays(torch.from_numpy)
    launch(kernels.add, x, y, out, backend="mirror")
    assert len(mirror().blocks) == held


def test_descriptors_and_tuples_on_a_device():
    from triton.tools.tensor_descriptor import TensorDescriptor

    source, out = torch.rand(40, 32), torch.zeros(16, 16)
    descriptor = TensorDescriptor.from_tensor(source, [16, 16])
    kernels.copy_tile[(1,)](descriptor, out, BLOCK=16, backend="mirror")
    assert torch.equal(out, source[:16, :16])
    x, y, out = torch.rand(3, 64)
    kernels.add_pair[(1,)]((x, y), out, BLOCK=64, backend="mirror")
    assert torch.equal(out, x + y)


# --- tensors that live on a device ------------------------------------------------------------


@pytest.mark.parametrize("device", ["cpu", "mirror"])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float16", "float64"])
def test_there_and_back(device, dtype):
    source = (np.random.rand(3, 5) * 100).astype(dtype)
    tensor = seagrove.asarray(source, device=device)
    assert (tensor.shape, tensor.strides, str(tensor.dtype)) == ((3, 5), (5, 1), dtype)
    assert np.array_equal(tensor.numpy(), source)
    assert np.array_equal(np.asarray(tensor), source)
    assert np.array_equal(np.from_dlpack(tensor), source)
    assert torch.equal(tensor.torch(), torch.from_numpy(source))
    assert tensor.tolist() == source.tolist()


@pytest.mark.parametrize("device", ["cpu", "mirror"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2fnuz"])
def test_types_that_only_torch_has(device, dtype):
    source = torch.rand(4, 6).to(getattr(torch, dtype))
    tensor = seagrove.asarray(source, device=device)
    assert tensor.torch().float().equal(source.float())
    with pytest.raises(errors.ArgumentTypeError, match="NumPy has no type"):
        tensor.numpy()


def test_the_host_shares_memory():
    source = np.zeros((4, 6), np.float32)
    tensor = seagrove.asarray(source[:, ::2], device="cpu")
    assert tensor.data_ptr() == source.ctypes.data and tensor.strides == (6, 2)
    tensor.numpy()[1, 1] = 5
    tensor.torch()[2, 2] = 6
    assert source[1, 2] == 5 and source[2, 4] == 6
    assert seagrove.asarray(torch.from_numpy(source)).data_ptr() == source.ctypes.data
    assert seagrove.asarray(source, "float64").data_ptr() != source.ctypes.data


def test_a_view_keeps_the_memory_alive():
    view = seagrove.asarray([1.0, 2.0], "float32").torch()
    other = np.from_dlpack(seagrove.asarray(np.arange(1000)))
    for _ in range(10):
        seagrove.zeros(1000)
    assert view.tolist() == [1.0, 2.0] and other[-1] == 999


def test_views_and_copies():
    tensor = seagrove.zeros((2, 3), "int32", "mirror")
    assert tensor.reshape(6).shape == (6,) and tensor.numel() == 6 and tensor.nbytes == 24
    assert tensor.copy_from(np.arange(6, dtype=np.int32).reshape(2, 3)) is tensor
    assert tensor.reshape(3, 2).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert tensor.to("cpu").numpy()[1, 2] == 5 and tensor.to("mirror") is tensor
    assert tensor.to("mirror:1").to("cpu").tolist() == tensor.tolist()
    assert "shape" not in repr(tensor) and repr(tensor).endswith("device='mirror')")
    with pytest.raises(errors.ArgumentValueError, match="cannot be reshaped"):
        tensor.reshape(5)
    with pytest.raises(errors.ArgumentValueError, match="cannot take the elements"):
        tensor.copy_from(np.zeros((3, 2), np.int32))


@pytest.mark.parametrize("source", ["text", object(), np.zeros(2, complex), {}])
def test_what_is_no_array_is_refused(source):
    with pytest.raises(errors.ArgumentTypeError) as caught:
        seagrove.asarray(source, device="mirror")
    assert caught.value.code == "SG0713"


def test_empty_tensors(fresh):
    tensor = seagrove.zeros((0, 4), device="mirror")
    assert tensor.numpy().shape == (0, 4) and tensor.torch().shape == (0, 4)
    assert seagrove.asarray(np.zeros(0, np.float32), device="mirror").nbytes == 0


def test_memory_is_given_back_and_counted(mirror):
    before = seagrove.memory_statistics("mirror:1")
    tensor = seagrove.empty(1000, "float64", "mirror:1")
    during = seagrove.memory_statistics("mirror:1")
    assert during.allocated == before.allocated + 8000 and during.peak >= 8000
    view = tensor.reshape(10, 100)
    del tensor
    assert seagrove.memory_statistics("mirror:1").allocated == during.allocated
    del view
    after = seagrove.memory_statistics("mirror:1")
    assert after.allocated == before.allocated and after.total == 1 << 30
    with pytest.raises(errors.DeviceError, match="no memory is left"):
        seagrove.empty(1 << 40, device="mirror:1")
    assert seagrove.memory_statistics("mirror:1").allocated == before.allocated


def test_properties_answer_both_ways():
    for name in ("cpu", "mirror"):
        found = seagrove.device_properties(name)
        assert found["max_shared_mem"] == found.max_shared_mem
        with pytest.raises(AttributeError):
            assert found.no_such_property
    assert seagrove.devices()[0].startswith("cpu") and "mirror:1" in seagrove.devices()
    seagrove.synchronize("mirror")


def test_host_tensors_take_the_short_way(fresh):
    x, y, out = arrays(seagrove.asarray)
    for _ in range(3):
        launch(fresh, x, y, out)
    assert np.array_equal(out.numpy(), x.numpy() + y.numpy())
    assert fresh._seagrove_dispatcher.entries == 1

"""What the adapter promises of Triton's JIT on the CPU backend.

test_triton_contract.py runs this file again with every supported version of Triton.
"""

from __future__ import annotations

import copy
import importlib
import subprocess
import sys
import warnings
from pathlib import Path

import kernels
import numpy as np
import pytest
import triton
import triton.language as tl
from triton.runtime.driver import driver

import seagrove
from seagrove import errors
from seagrove.frontend import triton_compat

torch = pytest.importorskip("torch")

N, BLOCK = 1000, 256
GRID = (triton.cdiv(N, BLOCK),)


def tensors(dtype=torch.float32):
    return torch.rand(N, dtype=dtype), torch.rand(N, dtype=dtype), torch.zeros(N, dtype=dtype)


def launch(x, y, out, **options):
    return kernels.add[GRID](x, y, out, N, BLOCK=BLOCK, **options)


def test_version_is_supported():
    low, high = triton_compat.SUPPORTED
    assert low <= triton_compat.triton_version() <= high


def test_cpu_is_active_where_nothing_else_is():
    target = driver.active.get_current_target()
    assert (target.backend, target.arch) == ("cpu", "host")
    assert driver.active.get_active_torch_device() == torch.device("cpu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.int32])
def test_torch_tensors(dtype):
    x, y, out = (t.to(dtype) for t in tensors(torch.float64))
    launch(x, y, out)
    assert torch.equal(out, x + y)


def test_numpy_arrays():
    x, y = np.random.rand(2, N).astype(np.float32)
    out = np.zeros_like(x)
    launch(x, y, out)
    assert np.array_equal(out, x + y)


def test_numpy_and_torch_mixed_with_numpy_scalars():
    x, y, out = tensors()
    kernels.add[GRID](x.numpy(), y, out, np.int64(N), BLOCK=BLOCK)
    assert torch.equal(out, x + y)


def test_any_object_with_data_ptr():
    class Mine:
        dtype = "float32"

        def __init__(self, tensor):
            self.tensor = tensor

        def data_ptr(self):
            return self.tensor.data_ptr()

    x, y, out = tensors()
    launch(Mine(x), y, Mine(out))
    assert torch.equal(out, x + y)


def test_relaunch_of_the_compiled_kernel():
    x, y, out = tensors()
    compiled = launch(x, y, out)
    out.zero_()
    compiled[(*GRID, 1, 1)](x, y, out, N, BLOCK)
    assert torch.equal(out, x + y)


def test_grid_function_and_two_dimensions():
    counts = torch.zeros(6, dtype=torch.int32)
    kernels.mark[lambda meta: (2, 3)](counts)
    assert counts.tolist() == [1] * 6


def test_warmup_compiles_without_a_launch():
    compiled = kernels.add.warmup(
        torch.float32, torch.float32, torch.float32, N, BLOCK=64, grid=(1,)
    )
    assert {"ttir", "so"} <= set(compiled.asm)
    assert "tt.load" in compiled.asm["ttir"]
    assert compiled.asm["so"].startswith(b"\x7fELF")


def test_metadata():
    compiled = launch(*tensors(), num_warps=8)
    metadata = compiled.metadata
    assert metadata.num_warps == 8
    assert metadata.shared == 0
    assert metadata.target.backend == "cpu"
    assert metadata.scratch_bytes >= 0


def test_options_of_other_chips_are_accepted():
    x, y, out = tensors()
    launch(x, y, out, num_stages=4, maxnreg=128, waves_per_eu=2)
    assert torch.equal(out, x + y)


def test_unknown_option_is_refused():
    with pytest.raises(KeyError, match="no_such_option"):
        launch(*tensors(), no_such_option=1)


def test_launch_hooks():
    seen = []

    def enter(metadata):
        seen.append(("enter", metadata.get()["name"]))

    def leave(metadata):
        seen.append(("exit", metadata.get()["name"]))

    runtime = triton.knobs.runtime
    runtime.launch_enter_hook.add(enter)
    runtime.launch_exit_hook.add(leave)
    try:
        compiled = launch(*tensors())
    finally:
        runtime.launch_enter_hook.remove(enter)
        runtime.launch_exit_hook.remove(leave)
    assert seen == [("enter", compiled.name), ("exit", compiled.name)]


def test_a_hook_that_raises_stops_the_launch():
    def enter(metadata):
        raise RuntimeError("no")

    x, y, out = tensors()
    triton.knobs.runtime.launch_enter_hook.add(enter)
    try:
        with pytest.raises(RuntimeError, match="no"):
            launch(x, y, out)
    finally:
        triton.knobs.runtime.launch_enter_hook.remove(enter)
    assert not out.any()


def test_pre_run_hook():
    names = []
    kernels.mark.add_pre_run_hook(lambda *args, **kwargs: names.append("mark"))
    try:
        kernels.mark[(1,)](torch.zeros(1, dtype=torch.int32))
    finally:
        kernels.mark.pre_run_hooks.clear()
    assert names == ["mark"]


def test_do_bench():
    x, y, out = tensors()
    milliseconds = triton.testing.do_bench(lambda: launch(x, y, out), warmup=1, rep=2)
    assert 0 < milliseconds < 1000
    low, high = triton.testing.do_bench(
        lambda: launch(x, y, out), warmup=1, rep=2, quantiles=[0.2, 0.8]
    )
    assert 0 < low <= high


def test_autotuner_and_heuristics():
    configs = [
        triton.Config({"BLOCK": block}, num_warps=warps) for block, warps in ((128, 4), (256, 8))
    ]

    @triton.autotune(configs=configs, key=["n"])
    @triton.heuristics({"EVEN": lambda args: args["n"] % 2 == 0})
    @triton.jit
    def tuned(x, y, out, n, EVEN: tl.constexpr, BLOCK: tl.constexpr):
        offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        inside = offsets < n
        tl.store(out + offsets, tl.load(x + offsets, inside) + tl.load(y + offsets, inside), inside)

    x, y, out = tensors()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tuned[lambda meta: (triton.cdiv(N, meta["BLOCK"]),)](x, y, out, N)
    assert torch.equal(out, x + y)
    assert tuned.best_config in configs


def test_host_tensor_descriptor():
    from triton.tools.tensor_descriptor import TensorDescriptor

    source = torch.rand(40, 32)
    out = torch.zeros(16, 16)
    kernels.copy_tile[(1,)](TensorDescriptor.from_tensor(source, [16, 16]), out, BLOCK=16)
    assert torch.equal(out, source[:16, :16])


@pytest.mark.parametrize("padding", ["zero", "nan"])
def test_padding_of_a_host_descriptor(padding):
    from triton.tools.tensor_descriptor import TensorDescriptor

    source = torch.rand(5, 16)[:, :12]
    descriptor = TensorDescriptor.from_tensor(source, [16, 16], padding=padding)
    out = torch.ones(16, 16)
    kernels.copy_tile[(1,)](descriptor, out, BLOCK=16)
    outside = torch.full((16, 16), 0.0 if padding == "zero" else float("nan"))
    outside[:5, :12] = source
    assert torch.equal(out.nan_to_num(-1.0), outside.nan_to_num(-1.0))


def test_tuple_argument():
    x, y = torch.rand(2, 64)
    out = torch.zeros(64)
    kernels.add_pair[(1,)]((x, y), out, BLOCK=64)
    assert torch.equal(out, x + y)


def test_scalar_arguments():
    out = torch.zeros(12, dtype=torch.float64)
    values = (-7, -300, 70000, -(2**40), 200, 2**31 + 5, 2**53, 0.1, 0.1, 0.1, 0.1, True)
    kernels.scalars[(1,)](out, *values)
    expected = [*values[:7], 0.0999755859375, 0.10009765625, float(np.float32(0.1)), 0.1, 1.0]
    assert out.tolist() == pytest.approx(expected, abs=0)


def test_libdevice_is_ours():
    from triton.language.extra.cpu import libdevice

    assert libdevice is tl.extra.cpu.libdevice
    backend = triton_compat.make_backend("cpu", "")
    ttir = triton_compat.kernel_ttir(
        kernels.arc_cosine, {"x": "*fp32", "out": "*fp32"}, {"BLOCK": 64}, backend
    )
    assert 'symbol = "__sg_acos_f32"' in ttir


def test_libdevice_has_what_libraries_ask_for():
    from triton.language.extra.cpu import libdevice

    wanted = (
        "acos asin atan atan2 cos div_rn erf erfc erfcx erfinv exp exp2 fast_dividef fast_expf ffs "
        "finitef floor fmod isfinited isinf isnan j0 j1 lgamma log1p log2 nearbyint nextafter pow "
        "rint rsqrt sin sqrt tan tanh trunc y0"
    )
    for name in wanted.split():
        assert getattr(libdevice, name).__name__ == name


def test_libdevice_says_which_types_it_takes():
    backend = triton_compat.make_backend("cpu", "")
    with pytest.raises(triton.CompilationError, match=r"acos takes .*fp32.* not \(int32\)"):
        triton_compat.kernel_ttir(
            kernels.arc_cosine, {"x": "*i32", "out": "*fp32"}, {"BLOCK": 64}, backend
        )


def test_error_in_the_kernel_names_the_line():
    x = torch.rand(16)
    with pytest.raises(triton.CompilationError) as caught:
        kernels.adds_shapes_that_differ[(1,)](x, x)
    assert "tl.load(x + tl.arange(0, 8))" in str(caught.value)
    launch(*tensors())


def test_our_compile_error_is_tritons_as_well():
    plain = errors.CompileError("error: no", code="SG0001")
    error = triton_compat.as_triton_error(plain)
    assert isinstance(error, errors.CompileError) and isinstance(error, triton.CompilationError)
    assert str(copy.deepcopy(error)) == str(error) == "error: no"
    assert error.code == "SG0001"


def test_device_interface_and_properties():
    interface = driver.active.get_device_interface()
    start, end = interface.Event(enable_timing=True), interface.Event(enable_timing=True)
    start.record()
    end.record()
    interface.synchronize()
    assert start.elapsed_time(end) >= 0
    properties = driver.active.utils.get_device_properties(driver.active.get_current_device())
    assert properties["max_shared_mem"] > 0
    assert properties.total_memory == properties["total_memory"] > 0


def test_use_is_a_choice_and_a_context():
    before = driver.active
    with seagrove.use("cpu"):
        assert driver.active is not before
        launch(*tensors())
    assert driver.active is before


def test_the_backend_key_holds_target_and_build(monkeypatch):
    backend = triton_compat.make_backend("cpu", "")
    key = backend.hash()
    assert key == triton_compat.make_backend("cpu", "host").hash()
    other = next(t.name for t in _descriptions() if t.name != backend.describe("").name)
    assert triton_compat.make_backend("cpu", other).hash() != key


def _descriptions():
    from seagrove.backends import cpu

    return cpu.descriptions()


SCRIPT = """
import triton, triton.language as tl, numpy

@triton.jit
def double(x, out, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(out + offsets, tl.load(x + offsets) * 2)

x = numpy.arange(32, dtype="float32")
out = numpy.zeros_like(x)
double[(1,)](x, out, BLOCK=32)
assert (out == 2 * x).all()
"""


def test_a_script_that_only_imports_triton(tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    for _ in range(2):  # The second finds the kernel in the cache.
        done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_cache_files_are_written_whole_and_without_folders(tmp_path, monkeypatch):
    from triton.runtime import cache

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    launch(*tensors())
    manager = cache.FileCacheManager("key")
    assert "quick" in manager.put.__name__
    contents = {"name.so": b"\0\xff", "name.json": "{}", "name.ttir": "caf\u00e9"}
    for name, data in contents.items():
        path = Path(manager.put(data, name))
        assert path.name == name and path.parent == tmp_path / "key"
        assert path.read_bytes() == (data if isinstance(data, bytes) else data.encode())
    assert manager.put("{ }", "name.json") == manager.get_file("name.json")
    manager.put_group("name.json", {"name.so": manager.get_file("name.so")})
    assert set(manager.get_group("name.json")) == {"name.so"}
    assert sorted(p.name for p in (tmp_path / "key").iterdir()) == [
        "__grp__name.json", "name.json", "name.so", "name.ttir",
    ]  # fmt: skip


def test_trees_of_the_library_are_kept_and_those_of_users_are_not():
    library, users = tl.cdiv, kernels.add
    assert library.parse() is library.parse()
    assert users.parse() is not users.parse()


def test_filters_of_warnings_are_the_users_while_a_kernel_is_read():
    generator = importlib.import_module("triton.compiler.code_generator")
    before = list(warnings.filters)
    with generator.warnings.catch_warnings():
        generator.warnings.simplefilter("ignore", DeprecationWarning)
    assert generator.warnings.warn is warnings.warn
    assert warnings.filters == before

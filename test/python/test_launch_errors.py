"""Every refused launch raises a typed error in the user's words, and the next launch runs."""

from __future__ import annotations

import kernels
import numpy as np
import pytest
import triton

from seagrove import errors

torch = pytest.importorskip("torch")

N, BLOCK = 100, 128


@pytest.fixture(autouse=True)
def the_process_lives_on():
    yield
    x, out = torch.rand(N), torch.zeros(N)
    kernels.add[(1,)](x, x, out, N, BLOCK=BLOCK)
    assert torch.equal(out, x + x)


@pytest.fixture
def good():
    return torch.rand(N), torch.rand(N), torch.zeros(N)


@pytest.fixture
def compiled(good):
    return kernels.add[(1,)](*good, N, BLOCK=BLOCK)


def message(caught: pytest.ExceptionInfo[errors.SeagroveError]) -> str:
    text = str(caught.value)
    assert caught.value.code in text and "do: " in text
    return text


@pytest.mark.parametrize("value", [[1.0, 2.0], "text", object(), {}])
def test_object_without_data_ptr(good, value):
    with pytest.raises(TypeError, match="'y' of kernel 'add'") as caught:
        kernels.add[(1,)](good[0], value, good[2], N, BLOCK=BLOCK)
    assert caught.value.code == "SG0613"
    assert "data_ptr()" in message(caught)


def test_relaunch_with_none(good, compiled):
    with pytest.raises(TypeError, match="'x' of kernel 'add' is not a tensor but None") as caught:
        compiled[(1, 1, 1)](None, *good[1:], N, BLOCK)
    assert caught.value.code == "SG0601"


def test_null_pointer_of_a_tensor_with_elements(good):
    class Lost:
        dtype = torch.float32

        def data_ptr(self):
            return 0

        def numel(self):
            return N

    with pytest.raises(ValueError, match="'x' of kernel 'add' has 100 elements but no memory"):
        kernels.add[(1,)](Lost(), *good[1:], N, BLOCK=BLOCK)


def test_null_pointer_of_an_empty_tensor_is_fine():
    empty = torch.empty(0)
    kernels.add[(1,)](empty, empty, empty, 0, BLOCK=BLOCK)


def test_negative_strides(good):
    x = np.arange(N, dtype=np.float32)
    with pytest.raises(ValueError, match="negative stride") as caught:
        kernels.add[(1,)](x[::-1], *good[1:], N, BLOCK=BLOCK)
    assert "ascontiguousarray" in message(caught)
    # Also after an array of this type was accepted, which the launcher remembers.
    kernels.add[(1,)](x, *good[1:], N, BLOCK=BLOCK)
    with pytest.raises(ValueError, match="negative stride"):
        kernels.add[(1,)](x[::-1], *good[1:], N, BLOCK=BLOCK)


def test_positive_strides_are_the_callers_business(good):
    x = np.arange(2 * N, dtype=np.float32)[::2]
    kernels.add[(1,)](x, good[1], good[2], 2, BLOCK=BLOCK)
    assert good[2][0] == good[1][0]


def test_tensor_of_another_device(good):
    with pytest.raises(ValueError, match="'x' of kernel 'add' is a tensor on 'meta'") as caught:
        kernels.add[(1,)](torch.empty(N, device="meta"), *good[1:], N, BLOCK=BLOCK)
    assert isinstance(caught.value, errors.DeviceError)
    assert ".cpu()" in message(caught)


@pytest.mark.parametrize("grid", [(-1,), (1, -2), (2**31,), (1, 1, 2**40), (2**31 - 1,) * 3])
def test_impossible_grid(good, grid):
    with pytest.raises(ValueError, match="grid") as caught:
        kernels.add[grid](*good, N, BLOCK=BLOCK)
    assert isinstance(caught.value, errors.GridError)


@pytest.mark.parametrize("grid", [(0,), (4, 0), (1, 1, 0)])
def test_empty_grid_launches_nothing(good, grid):
    good[2].fill_(-1)
    kernels.add[grid](*good, N, BLOCK=BLOCK)
    assert (good[2] == -1).all()


def test_wrong_dtype_of_a_relaunch(good, compiled):
    with pytest.raises(TypeError, match="dtype fp64, but the kernel was compiled for fp32"):
        compiled[(1, 1, 1)](good[0].double(), *good[1:], N, BLOCK)
    with pytest.raises(TypeError, match="dtype i32"):
        compiled[(1, 1, 1)](good[0].int(), *good[1:], N, BLOCK)


def test_number_out_of_range(good, compiled):
    with pytest.raises(OverflowError, match="'n' of kernel 'add' is 1099511627776") as caught:
        compiled[(1, 1, 1)](*good, 2**40, BLOCK)
    assert isinstance(caught.value, ValueError)


def test_not_a_number(good, compiled):
    with pytest.raises(TypeError, match="'n' of kernel 'add' is not a number but 'many'"):
        compiled[(1, 1, 1)](*good, "many", BLOCK)


def test_too_few_and_too_many_arguments(good, compiled):
    with pytest.raises(TypeError, match="'add' .*missing a required argument: 'n'"):
        kernels.add[(1,)](*good, BLOCK=BLOCK)
    with pytest.raises(TypeError, match="too many positional"):
        kernels.add[(1,)](*good, N, BLOCK, 1, 2)
    with pytest.raises(errors.ArgumentCountError, match="takes 5 arguments, 3 were given"):
        compiled[(1, 1, 1)](*good)


def test_unloaded_kernel(good):
    compiled = kernels.add[(1,)](*good, N, BLOCK=64)
    compiled.function.unload()
    with pytest.raises(errors.LoadError, match="unloaded"):
        compiled[(1, 1, 1)](*good, N, 64)
    kernels.add.device_caches.clear()


def test_image_that_is_none():
    from seagrove.compiler.native import native

    with pytest.raises(RuntimeError, match="cannot be loaded"):
        native().Kernel(b"not a shared object", "add")


def test_target_that_this_machine_cannot_run(good):
    from seagrove.backends import cpu
    from seagrove.compiler import targets

    foreign = [item.name for item in cpu.descriptions() if not targets.runs_here(item)]
    if not foreign:
        pytest.skip("this machine runs every described target")
    with pytest.raises(errors.TargetError, match=f"cannot run code made for '{foreign[0]}'"):
        kernels.add[(1,)](*good, N, BLOCK=BLOCK, arch=foreign[0])


def test_error_codes_are_explained():
    from seagrove.compiler.diagnostics import EXPLANATIONS, explain

    for code, entry in EXPLANATIONS.items():
        assert entry.headline in explain(code)
        assert entry.why.endswith(".") and entry.advice
    assert triton.__version__


def test_num_warps_of_no_power_of_two(good):
    with pytest.raises(errors.OptionError, match="must be a power of 2, not 3"):
        kernels.add[(1,)](*good, N, BLOCK=BLOCK, num_warps=3)

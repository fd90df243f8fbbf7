"""Every kind of argument that a kernel takes, as a value, by annotation and by keyword."""

from __future__ import annotations

from typing import NamedTuple

import kernels
import numpy as np
import pytest
import triton
import triton.language as tl

from seagrove import errors

torch = pytest.importorskip("torch")


@triton.jit
def store_value(out, value):
    tl.store(out, value)


@triton.jit
def store_float16(out, value: tl.float16):
    tl.static_assert(value.dtype == tl.float16)
    tl.store(out, value)


@triton.jit
def store_bfloat16(out, value: tl.bfloat16):
    tl.static_assert(value.dtype == tl.bfloat16)
    tl.store(out, value)


@triton.jit
def store_float64(out, value: tl.float64):
    tl.static_assert(value.dtype == tl.float64)
    tl.store(out, value)


@triton.jit
def store_uint64(out, value: tl.uint64):
    tl.static_assert(value.dtype == tl.uint64)
    tl.store(out, value)


@triton.jit
def store_bool(out, value: tl.int1):
    tl.store(out, tl.where(value, 7, 9))


INTEGERS = [0, 1, -1, 16, 2**31 - 1, -(2**31), 2**31, -(2**31) - 1, 2**63 - 1, -(2**63)]


@pytest.mark.parametrize("value", INTEGERS)
def test_integers(value):
    out = torch.zeros(1, dtype=torch.int64)
    store_value[(1,)](out, value)
    assert out.item() == value


@pytest.mark.parametrize("value", [2**63, 2**64 - 1, 0, 1])
def test_unsigned_integers(value):
    out = np.zeros(1, np.uint64)
    store_value[(1,)](out, value)
    assert out[0] == value
    store_uint64[(1,)](out, value)
    assert out[0] == value


def test_integers_that_fit_no_type():
    with pytest.raises(OverflowError):
        store_value[(1,)](torch.zeros(1, dtype=torch.int64), 2**64)
    with pytest.raises(OverflowError):
        store_uint64[(1,)](torch.zeros(1, dtype=torch.int64), -1)


FLOATS = [0.0, -0.0, 1.0, -2.5, 0.1, 65504.0, 1e-7, float("inf"), float("-inf")]


@pytest.mark.parametrize("value", FLOATS)
@pytest.mark.parametrize(
    ("kernel", "dtype"),
    [
        (store_value, torch.float32),
        (store_float16, torch.float16),
        (store_bfloat16, torch.bfloat16),
        (store_float64, torch.float64),
    ],
)
def test_floats_by_annotation(kernel, dtype, value):
    """A float is rounded to the annotated type, without one to fp32."""
    out = torch.zeros(1, dtype=torch.float64)
    kernel[(1,)](out, value)
    want = torch.tensor([value], dtype=torch.float64).to(dtype).double()
    assert torch.equal(out, want) and torch.equal(out.signbit(), want.signbit())


def test_float_nan_and_overflow_of_half():
    out = torch.zeros(1)
    for kernel in (store_value, store_float16, store_bfloat16):
        kernel[(1,)](out, float("nan"))
        assert out.isnan().item()
    store_float16[(1,)](out, 1e6)
    assert out.item() == float("inf")


@pytest.mark.parametrize("value", [True, False])
def test_booleans(value):
    out = torch.zeros(1, dtype=torch.int32)
    store_value[(1,)](out, value)
    assert out.item() == int(value)
    for given in (value, int(value), np.bool_(value)):
        store_bool[(1,)](out, given)
        assert out.item() == (7 if value else 9)


NUMPY_SCALARS = [
    np.int8(-5), np.uint8(200), np.int16(-300), np.uint16(65535), np.int32(-70000),
    np.uint32(2**32 - 1), np.int64(-(2**40)), np.uint64(2**63 + 1), np.float16(1.5),
    np.float32(0.1), np.float64(0.5), np.bool_(True),
]  # fmt: skip


@pytest.mark.parametrize("value", NUMPY_SCALARS, ids=lambda value: value.dtype.name)
def test_numpy_scalars(value):
    out = np.zeros(1, value.dtype if value.dtype != np.bool_ else np.int8)
    store_value[(1,)](out, value)
    assert out[0] == value


def test_scalars_of_no_dimension_are_pointers():
    """A torch scalar is a tensor: the kernel gets its address, as on every device."""
    x, y, out = torch.tensor(2.5), np.array(1.5, np.float32), torch.zeros(1)
    kernels.add[(1,)](x, y, out, 1, BLOCK=1)
    assert out.item() == 4.0


@triton.jit
def optional(out, x, scale, n, BLOCK: tl.constexpr, kind: tl.constexpr = None):
    offsets = tl.arange(0, BLOCK)
    inside = offsets < n
    value = tl.full([BLOCK], 1.0, tl.float32)
    if x is not None:
        value = tl.load(x + offsets, inside)
    if scale is not None:
        value *= scale
    if kind == "negative":
        value = -value
    tl.store(out + offsets, value, inside)


def test_none_in_any_place():
    out, x = torch.zeros(8), torch.arange(8.0)
    optional[(1,)](out, None, None, 8, BLOCK=8)
    assert (out == 1).all()
    optional[(1,)](out, x, None, 8, BLOCK=8)
    assert torch.equal(out, x)
    optional[(1,)](out, x, 2.0, 8, BLOCK=8, kind="negative")
    assert torch.equal(out, -2 * x)
    optional[(1,)](out, None, 0.5, 8, 8, None)
    assert (out == 0.5).all()


@triton.jit
def with_defaults(out, a, b=5, c: tl.float32 = 0.25, D: tl.constexpr = 3, e=None):
    value = a * 1000 + b * 100 + c + D * 10
    if e is not None:
        value += e
    tl.store(out, value)


def test_keywords_and_defaults():
    out = torch.zeros(1)
    for args, kwargs, want in (
        ((1,), {}, 1530.25),
        ((1, 2), {}, 1230.25),
        ((), {"a": 2, "D": 4}, 2540.25),
        ((1,), {"c": 0.5, "b": 7, "e": 1}, 1731.5),
    ):
        with_defaults[(1,)](out, *args, **kwargs)
        assert out.item() == want
    with_defaults[(1,)](a=3, out=out, e=2.0)
    assert out.item() == 3532.25


class Layout(NamedTuple):
    pointer: object
    stride: object
    shape: object = None


@triton.jit
def sum_of(pair, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    return tl.load(pair[0] + offsets * pair[1])


@triton.jit
def tuples(out, layout, rest, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    value = tl.load(layout.pointer + offsets * layout.stride)
    value += layout.shape[0] * 100 + layout.shape[1][0]
    value += sum_of(rest[0], BLOCK) * rest[1]
    tl.static_assert(rest[2] is None)
    tl.store(out + offsets, value)


@pytest.mark.parametrize("stride", [1, 3])
def test_nested_and_named_tuples_with_pointers(stride):
    x = torch.arange(64.0)
    y = np.arange(64, dtype=np.float32) * 2
    out = torch.zeros(16)
    rest = ((y, stride), 0.5, None)
    tuples[(1,)](out, Layout(x, stride, (3, (7.0,))), rest, BLOCK=16)
    at = torch.arange(16) * stride
    assert torch.equal(out, x[at] + 307 + torch.from_numpy(y)[at] * 0.5)


def test_tuple_of_another_shape_compiles_anew():
    out = torch.zeros(64)
    x = torch.rand(64)
    kernels.add_pair[(1,)]((x, x), out, BLOCK=64)
    kernels.add_pair[(1,)]((x, x.double()), out, BLOCK=64)
    assert torch.equal(out, (x + x.double()).float())
    kernels.add_pair[(1,)]([x, x][0:2] and (x, x, x), out, BLOCK=64)
    assert torch.equal(out, x + x)


@triton.jit
def typed(out, KIND: tl.constexpr, SHAPE: tl.constexpr, TEXT: tl.constexpr, F: tl.constexpr):
    value = tl.full(SHAPE, 3, KIND)
    if TEXT == "two":
        value = F(value)
    tl.store(out + tl.arange(0, SHAPE[0]), value)


@triton.jit
def twice(x):
    return x * 2


def test_constants_of_many_kinds():
    out = torch.zeros(8, dtype=torch.float16)
    typed[(1,)](out, tl.float16, (8,), "two", twice)
    assert (out == 6).all()
    typed[(1,)](out, KIND=tl.float16, SHAPE=(4,), TEXT="one", F=None)
    assert out.tolist() == [3] * 4 + [6] * 4


def test_tensors_that_are_not_contiguous():
    """A kernel gets the address of the first element; strides are the caller's."""
    base = torch.arange(60.0).reshape(6, 10)
    out = torch.zeros(6)
    column, transposed = base[:, 3], base.t()
    for tensor, stride in ((column, 10), (transposed[3], 10), (base[2], 1), (base[::2, 1], 20)):
        count = min(6, tensor.numel())
        strided[(1,)](tensor, out, stride, count, BLOCK=8)
        assert torch.equal(out[:count], tensor[:count])


@triton.jit
def strided(x, out, stride, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(out + offsets, tl.load(x + offsets * stride, offsets < n), offsets < n)


def test_empty_tensors():
    for empty in (torch.empty(0), torch.empty(3, 0), np.zeros(0, np.float32)):
        kernels.add[(1,)](empty, empty, empty, 0, BLOCK=16)
        kernels.add[(0,)](empty, empty, empty, 0, BLOCK=16)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.empty(4, device="meta"),
        lambda: torch.eye(4).to_sparse(),
        lambda: torch.eye(4).to_sparse_csr(),
    ],
    ids=["meta", "sparse", "sparse_csr"],
)
def test_tensors_without_memory(make):
    out = torch.zeros(4)
    with pytest.raises(errors.LaunchError, match="'x' of kernel 'add'") as caught:
        kernels.add[(1,)](make(), out, out, 4, BLOCK=4)
    assert "do: " in str(caught.value)
    compiled = kernels.add[(1,)](out, out, out, 4, BLOCK=4)
    with pytest.raises(errors.LaunchError, match="'x' of kernel 'add'"):
        compiled[(1, 1, 1)](make(), out, out, 4, 4)


class Owner:
    """An object of somebody's own with data_ptr() and dtype."""

    def __init__(self, array, dtype):
        self.array, self.dtype = array, dtype

    def data_ptr(self):
        return self.array.ctypes.data


@pytest.mark.parametrize("dtype", ["float32", torch.float32, tl.float32, np.dtype("float32")])
def test_objects_with_data_ptr_and_any_dtype(dtype):
    x, out = np.arange(16, dtype=np.float32), np.zeros(16, np.float32)
    kernels.add[(1,)](Owner(x, dtype), Owner(x, dtype), Owner(out, dtype), 16, BLOCK=16)
    assert np.array_equal(out, 2 * x)


def test_parameters_and_subclasses_of_tensors():
    class Mine(torch.Tensor):
        pass

    x = torch.nn.Parameter(torch.rand(16))
    y = torch.rand(16).as_subclass(Mine)
    out = torch.zeros(16)
    kernels.add[(1,)](x, y, out, 16, BLOCK=16)
    assert torch.equal(out, (x + y).detach().as_subclass(torch.Tensor))


def test_arrays_by_the_buffer_protocol_are_refused_or_read():
    """What has no dtype and no data_ptr() is named as the wrong argument."""
    for value in (bytearray(64), memoryview(bytearray(64)), [1.0]):
        with pytest.raises(errors.ArgumentTypeError, match="'x' of kernel 'add'"):
            kernels.add[(1,)](value, value, value, 4, BLOCK=4)


SMALL_FLOATS = ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"]
ELEMENTS = [
    "bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
    "float16", "bfloat16", "float32", "float64", *SMALL_FLOATS,
]  # fmt: skip


@triton.jit
def copy(x, out, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(out + offsets, tl.load(x + offsets))


@pytest.mark.parametrize("name", ELEMENTS)
def test_pointers_of_every_dtype(name):
    dtype = getattr(torch, name)
    x = torch.tensor([0.0, 1.0, 0.5, 2.0]).to(dtype)
    out = torch.zeros(4, dtype=dtype)
    copy[(1,)](x, out, BLOCK=4)
    assert torch.equal(out.view(torch.uint8), x.view(torch.uint8))

"""The example functions at boundary sizes: 1, block - 1, block, block + 1, primes, empty."""

from __future__ import annotations

import attention
import conv2d
import cumsum
import dropout
import layer_norm
import matmul
import matmul_descriptor
import pytest
import softmax
import topk
import torch
import vector_add
from _harness import Case, Tolerance, compare, randn, seeded

HALVES = (torch.float16, torch.bfloat16)


def check_case(case: Case) -> None:
    """Runs a case of an example's own list, untimed."""
    inputs = case.make()
    ours = case.run(*inputs)
    ours = ours.clone() if isinstance(ours, torch.Tensor) else [t.clone() for t in ours]
    want = (case.reference or case.torch_run)(*inputs)
    close(ours, want, case.tolerance)


def close(ours, want, tolerance: Tolerance) -> None:
    error, share = compare(ours, want, tolerance)
    assert share <= 1, f"error {error:.3e} is {share:.2f} of the tolerance {tolerance}"


QUICK = [
    case
    for module in (
        vector_add, softmax, dropout, layer_norm, matmul, matmul_descriptor, attention, cumsum,
        topk, conv2d,
    )
    for case in module.CASES
    if case.quick
]  # fmt: skip


@pytest.mark.parametrize("case", QUICK, ids=lambda c: f"{c.kernel}-{c.shape}".replace(" ", ""))
def test_quick_cases(case: Case) -> None:
    check_case(case)


@pytest.mark.parametrize("n", [0, 1, 2, 1023, 1024, 1025, 997, 4099])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.int32, torch.int64])
def test_vector_add(n: int, dtype: torch.dtype) -> None:
    x, y = (10 * randn(n, seed=s) for s in (0, 1))
    x, y = x.to(dtype), y.to(dtype)
    close(vector_add.add(x, y), x + y, vector_add.ROUNDED_ONCE)


def test_vector_add_in_place() -> None:
    x, y = randn(3001), randn(3001, seed=1)
    want = x + y
    assert vector_add.add(x, y, out=x) is x
    close(x, want, vector_add.ROUNDED_ONCE)


@pytest.mark.parametrize(
    "shape", [(0, 8), (4, 0), (1, 1), (3, 2), (5, 127), (5, 128), (2, 129), (7, 997)]
)
def test_softmax(shape: tuple[int, int]) -> None:
    x = randn(*shape)
    close(softmax.softmax(x), torch.softmax(x, 1), softmax.tolerance(torch.float32))


def test_softmax_of_strided_rows_and_infinities() -> None:
    x = randn(9, 200)[:, 3:150]
    x[2, 5] = -float("inf")
    x[3] = 1e4
    close(softmax.softmax(x), torch.softmax(x, 1), softmax.tolerance(torch.float32))


@pytest.mark.parametrize("dtype", HALVES)
def test_softmax_of_halves(dtype: torch.dtype) -> None:
    x = randn(5, 77, dtype=dtype)
    close(softmax.softmax(x), torch.softmax(x, 1), softmax.tolerance(dtype))


@pytest.mark.parametrize("n", [0, 1, 1023, 1024, 1025, 2003])
@pytest.mark.parametrize("p", [0.0, 0.3])
@pytest.mark.parametrize("seed", [0, 123, 2**31 - 1])
def test_dropout(n: int, p: float, seed: int) -> None:
    x = randn(n)
    got = dropout.dropout(x, p, seed)
    assert torch.equal(got, dropout.reference(x, p, seed, x))
    assert torch.equal(got, dropout.dropout(x, p, seed)), "the same seed gives the same mask"


ROWS_AND_COLS = [(1, 1), (1, 1024), (3, 1023), (2, 1025), (7, 997), (3, 4097), (130, 64)]


@pytest.mark.parametrize(("rows", "cols"), [(0, 5), *ROWS_AND_COLS])
def test_layer_norm_forward(rows: int, cols: int) -> None:
    x, w, b = layer_norm.inputs(rows, cols, torch.float32)
    y, _, _ = layer_norm.layer_norm(x, w, b)
    want = torch.nn.functional.layer_norm(x, (cols,), w, b)
    close(y, want, Tolerance(5e-6, 5e-7, "a few fp32 roundings of values up to 5 sigma"))


@pytest.mark.parametrize(("rows", "cols"), ROWS_AND_COLS[1:])
def test_layer_norm_backward(rows: int, cols: int) -> None:
    check_case(layer_norm.backward_case(rows, cols))


MATMUL_SIZES = [
    (1, 1, 1), (1, 128, 32), (128, 128, 32), (127, 129, 31), (129, 127, 33), (128, 256, 64),
    (131, 37, 61), (2, 300, 5), (200, 1, 97), (16, 16, 513),
]  # fmt: skip


@pytest.mark.parametrize("size", MATMUL_SIZES, ids=str)
@pytest.mark.parametrize("activation", ["", "leaky_relu"])
def test_matmul(size: tuple[int, int, int], activation: str) -> None:
    check_case(matmul.case(*size, activation=activation))


@pytest.mark.parametrize("dtype", HALVES)
def test_matmul_of_halves(dtype: torch.dtype) -> None:
    check_case(matmul.case(130, 70, 45, dtype))


@pytest.mark.parametrize("layout", ["transposed a", "transposed b", "both", "padded"])
def test_matmul_of_strided_operands(layout: str) -> None:
    m, n, k = 133, 65, 47
    a = randn(k, m).T if layout in ("transposed a", "both") else randn(m, k)
    b = randn(n, k, seed=1).T if layout in ("transposed b", "both") else randn(k, n, seed=1)
    if layout == "padded":
        a, b = randn(m, k + 5)[:, 2:-3], randn(k + 2, 2 * n, seed=1)[2:, ::2]
    close(matmul.matmul(a, b), a.double() @ b.double(), matmul.tolerance(k, a.dtype))


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3), (4, 5, 0)])
def test_matmul_of_nothing(shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    got = matmul.matmul(torch.ones(m, k), torch.ones(k, n))
    assert got.shape == (m, n) and not got.any()


def test_matmul_keeps_nan_and_infinity() -> None:
    a, b = randn(40, 50), randn(50, 40, seed=1)
    a[3, 7], b[2, 5] = float("nan"), float("inf")
    close(matmul.matmul(a, b), a @ b, matmul.tolerance(50, a.dtype))


@pytest.mark.parametrize("on_device", [False, True], ids=["host", "device"])
@pytest.mark.parametrize(
    "size", [(1, 4, 4), (128, 128, 32), (127, 132, 28), (131, 36, 100)], ids=str
)
def test_matmul_by_descriptors(size: tuple[int, int, int], on_device: bool) -> None:
    check_case(matmul_descriptor.case(*size, on_device=on_device))


@pytest.mark.parametrize("n_ctx", [0, 1, 63, 64, 65, 127, 128, 129, 257])
@pytest.mark.parametrize("d", [16, 64])
def test_attention(n_ctx: int, d: int) -> None:
    check_case(attention.case(1, 2, n_ctx, d))


@pytest.mark.parametrize("dtype", HALVES)
def test_attention_of_halves(dtype: torch.dtype) -> None:
    check_case(attention.case(2, 1, 150, 32, dtype))


def test_attention_of_strided_heads() -> None:
    """q, k and v as views of one projection, heads after positions."""
    qkv = randn(2, 100, 3, 2, 32)
    q, k, v = (qkv[:, :, i].transpose(1, 2) for i in range(3))
    want = attention.reference(q, k, v, None)
    close(attention.attention(q, k, v), want, attention.tolerance(torch.float32))


@pytest.mark.parametrize("cols", [0, 1, 1023, 1024, 1025, 2053])
@pytest.mark.parametrize("dtype", [torch.float32, torch.int32])
def test_cumsum(cols: int, dtype: torch.dtype) -> None:
    check_case(cumsum.case(3, cols, dtype))


@pytest.mark.parametrize(("cols", "k"), [(1, 1), (8, 8), (127, 2), (128, 16), (129, 4), (997, 64)])
def test_topk(cols: int, k: int) -> None:
    check_case(topk.case(5, cols, k))


def test_topk_of_equal_and_special_values() -> None:
    x = torch.zeros(1, 20)
    x[0, 3], x[0, 9], x[0, 11], x[0, 12] = 1.0, 1.0, float("inf"), -0.0
    values, indices = topk.topk(x, 4)
    assert values.tolist() == [[float("inf"), 1.0, 1.0, 0.0]]
    assert indices.tolist() == [[11, 3, 9, 0]]


@pytest.mark.parametrize("pad", [0, 1, 2])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("size", "r"), [(3, 3), (7, 1), (13, 5)])
def test_conv2d(size: int, r: int, stride: int, pad: int) -> None:
    check_case(conv2d.case(2, 5, size, 17, r, stride, pad))


def test_conv2d_without_bias_and_of_nothing() -> None:
    x, w = randn(1, 3, 9, 9), randn(70, 3, 3, 3, seed=1)
    want = torch.nn.functional.conv2d(x.double(), w.double())
    close(conv2d.conv2d(x, w), want, matmul.tolerance(27, x.dtype))
    assert conv2d.conv2d(x[:0], w).shape == (0, 70, 7, 7)


@pytest.mark.parametrize(
    "call",
    [
        lambda: vector_add.add(torch.ones(3), torch.ones(4)),
        lambda: softmax.softmax(torch.ones(3)),
        lambda: dropout.dropout(torch.ones(3), 1.0, 0),
        lambda: layer_norm.layer_norm(torch.ones(2, 3), torch.ones(2), torch.ones(3)),
        lambda: matmul.matmul(torch.ones(2, 3), torch.ones(2, 3)),
        lambda: matmul_descriptor.matmul_descriptor(torch.ones(2, 3), torch.ones(3, 3)),
        lambda: attention.attention(*(torch.ones(1, 1, 4, 5) for _ in range(3))),
        lambda: cumsum.cumsum(torch.ones(3)),
        lambda: topk.topk(torch.ones(2, 8), 3),
        lambda: conv2d.conv2d(torch.ones(1, 2, 3, 3), torch.ones(1, 1, 3, 3)),
    ],
)
def test_wrong_arguments(call) -> None:
    with pytest.raises(ValueError):
        call()


def test_inputs_do_not_depend_on_order() -> None:
    assert torch.equal(torch.randn(3, generator=seeded(5)), torch.randn(3, generator=seeded(5)))

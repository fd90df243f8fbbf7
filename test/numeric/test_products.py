"""Matrix products: operands read in place, packed, and kept between programs.

Sums of K products of small integers are exact in fp32, so results are compared for equality: an
element that was read from a wrong place, or that is stale, cannot hide in a tolerance.
"""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl


@triton.jit
def product_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, am, ak, bk, bn, cm, cn,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, WRAP: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    row_mask, column_mask = rows < M, columns < N
    a_rows, b_columns = rows, columns
    if WRAP:
        a_rows, b_columns = rows % M, columns % N
    k = tl.arange(0, BK)
    acc = tl.zeros((BM, BN), tl.float32)
    for start in range(0, K, BK):
        a_mask = (start + k < K)[None, :]
        b_mask = (start + k < K)[:, None]
        if not WRAP:
            a_mask = a_mask & row_mask[:, None]
            b_mask = b_mask & column_mask[None, :]
        a = tl.load(
            a_ptr + a_rows[:, None] * am + (start + k)[None, :] * ak, mask=a_mask, other=0.0
        )
        b = tl.load(
            b_ptr + (start + k)[:, None] * bk + b_columns[None, :] * bn, mask=b_mask, other=0.0
        )
        acc = tl.dot(a, b, acc, input_precision="ieee")
    tl.store(
        c_ptr + rows[:, None] * cm + columns[None, :] * cn, acc,
        mask=row_mask[:, None] & column_mask[None, :],
    )  # fmt: skip


def integers(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-8, 9, shape, generator=generator).float()


def multiply(a, b, bm=32, bn=32, bk=16, wrap=False) -> torch.Tensor:
    (m, k), n = a.shape, b.shape[1]
    c = torch.full((m, n), -1.0)
    grid = (triton.cdiv(m, bm), triton.cdiv(n, bn))
    product_kernel[grid](
        a, b, c, m, n, k, *a.stride(), *b.stride(), *c.stride(), BM=bm, BN=bn, BK=bk, WRAP=wrap
    )
    return c


SIZES = [1, 31, 32, 33, 77, 96]


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("m", SIZES)
@pytest.mark.parametrize("k", [0, 1, 15, 16, 17, 100])
def test_boundary_sizes(m, k, wrap):
    a, b = integers(m, k), integers(k, 65, seed=1)
    assert torch.equal(multiply(a, b, wrap=wrap), a @ b)


def spaced(x: torch.Tensor) -> torch.Tensor:
    """The same numbers, neither rows nor columns next to each other."""
    wide = torch.full((2 * x.shape[0], 3 * x.shape[1]), 1e30)
    wide[::2, ::3] = x
    return wide[::2, ::3]


LAYOUTS = {
    "rows": lambda x: x,
    "columns": lambda x: x.t().contiguous().t(),
    "a slice": lambda x: torch.cat([x, torch.full_like(x, 1e30)], dim=1)[:, : x.shape[1]],
    "spaced": spaced,
    "one row for all": lambda x: x[:1].expand(x.shape),
}


@pytest.mark.parametrize("right", LAYOUTS)
@pytest.mark.parametrize("left", LAYOUTS)
def test_layouts(left, right):
    a, b = LAYOUTS[left](integers(70, 50)), LAYOUTS[right](integers(50, 66, seed=1))
    assert torch.equal(multiply(a, b), a @ b)


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("n", [31, 32, 33, 48, 64])
@pytest.mark.parametrize("m", [1, 6, 7, 18, 19, 50])
def test_few_rows(m, n, wrap):
    """The right operand is read where it lies; next to both lies what spoils each sum."""
    a, b = torch.full((m + 1, 41), float("nan")), torch.full((41, n + 9), float("nan"))
    a[:m, :40], b[:40, :n] = integers(m, 40), integers(40, n, seed=1)
    left, right = a[:m, :40], b[:40, :n]
    assert torch.equal(multiply(left, right, wrap=wrap), left @ right)
    lower = right.flip(0)  # A copy: other numbers at another place.
    assert torch.equal(multiply(left, lower, wrap=wrap), left @ lower)


def test_more_of_k_than_is_kept():
    """The panels of this K do not fit into what a thread keeps."""
    a, b = integers(96, 40_000), integers(40_000, 128, seed=1)
    assert torch.equal(multiply(a, b, bn=128), a @ b)


@pytest.mark.parametrize("m", [1, 11, 12, 13, 31, 33, 64])
@pytest.mark.parametrize("k", [1, 3, 4, 5, 31, 32, 33, 97])
def test_packed_rows_of_two_heights(m, k):
    """fp16 is packed when it is met first, in tiles of six and of five rows."""
    a, b = integers(m, k), integers(k, 65, seed=1)
    assert torch.equal(multiply(a.half(), b.half(), bk=32), a @ b)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_rows_that_share_their_slots(dtype):
    """More blocks of rows are met in turn than there is room for."""
    a, b = integers(16 * 70, 2100), integers(2100, 70, seed=1)
    assert torch.equal(multiply(a.to(dtype), b.to(dtype), bm=16, bn=16), a @ b)


def test_memory_that_changes_between_launches():
    a, b = integers(96, 64), integers(64, 32, seed=1)
    first = multiply(a, b)
    assert torch.equal(first, a @ b)
    b += 1
    assert torch.equal(multiply(a, b), a @ b)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_go_on_with_their_panels(threads):
    """Each thread runs several ranges of a launch, and keeps its panels from one to the next."""
    import seagrove

    before = seagrove.get_num_threads()
    seagrove.set_num_threads(threads)
    try:
        a, b = integers(1000, 200), integers(200, 250, seed=1)
        for number in range(6):
            assert torch.equal(multiply(a, b, bm=16, bn=64, bk=32), a @ b), number
            b += 1
    finally:
        seagrove.set_num_threads(before)


@triton.jit
def writes_first_kernel(a_ptr, b_ptr, c_ptr, BLOCK: tl.constexpr):
    """Each program replaces B by its own number, and multiplies by that."""
    i, j = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    at = i * BLOCK + j
    pid = tl.program_id(0)
    tl.store(b_ptr + at, tl.zeros((BLOCK, BLOCK), tl.float32) + pid)
    c = tl.dot(tl.load(a_ptr + at), tl.load(b_ptr + at), input_precision="ieee")
    tl.store(c_ptr + pid * BLOCK * BLOCK + at, c)


@triton.jit
def writes_between_kernel(a_ptr, b_ptr, c_ptr, n, BLOCK: tl.constexpr):
    """Each iteration multiplies by B and then adds one to it."""
    i, j = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    at = i * BLOCK + j
    for number in range(n):
        b = tl.load(b_ptr + at)
        c = tl.dot(tl.load(a_ptr + at), b, input_precision="ieee")
        tl.store(c_ptr + number * BLOCK * BLOCK + at, c)
        tl.store(b_ptr + at, b + 1)


def test_a_program_sees_what_it_wrote():
    """On one thread: the programs race for B, and the order of a launch is not defined."""
    import seagrove

    a, b, c = integers(16, 16), torch.zeros(16, 16), torch.empty(4, 16, 16)
    threads = seagrove.get_num_threads()
    seagrove.set_num_threads(1)
    try:
        writes_first_kernel[(4,)](a, b, c, BLOCK=16)
    finally:
        seagrove.set_num_threads(threads)
    for pid in range(4):
        assert torch.equal(c[pid], a @ torch.full((16, 16), float(pid)))


def test_a_loop_sees_what_it_wrote():
    a, b, c = integers(16, 16), integers(16, 16, seed=1), torch.empty(3, 16, 16)
    before = b.clone()
    writes_between_kernel[(1,)](a, b, c, 3, BLOCK=16)
    for number in range(3):
        assert torch.equal(c[number], a @ (before + number))


@triton.jit
def in_place_kernel(a_ptr, b_ptr, BLOCK: tl.constexpr):
    """Writes the product over its own left operand."""
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    i, j = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    at = a_ptr + rows[:, None] * BLOCK + j
    b = tl.load(b_ptr + i * BLOCK + j)
    tl.store(at, tl.dot(tl.load(at), b, input_precision="ieee"))


def test_product_over_its_left_operand():
    a, b = integers(96, 32), integers(32, 32, seed=1)
    expected = a @ b
    in_place_kernel[(3,)](a, b, BLOCK=32)
    assert torch.equal(a, expected)


@triton.jit
def chained_kernel(q_ptr, k_ptr, v_ptr, out_ptr, n, D: tl.constexpr, BLOCK: tl.constexpr):
    """(Q Kt) V over blocks of K and V: two products in a loop, kept apart by head and block."""
    head = tl.program_id(1)
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    d = tl.arange(0, D)
    base = head * n * D
    q = tl.load(q_ptr + base + rows[:, None] * D + d[None, :], mask=rows[:, None] < n, other=0.0)
    acc = tl.zeros((BLOCK, D), tl.float32)
    for start in range(0, n, BLOCK):
        columns = start + tl.arange(0, BLOCK)
        inside = columns < n
        k = tl.load(
            k_ptr + base + columns[None, :] * D + d[:, None], mask=inside[None, :], other=0.0
        )
        v = tl.load(
            v_ptr + base + columns[:, None] * D + d[None, :], mask=inside[:, None], other=0.0
        )
        scores = tl.dot(q, k, input_precision="ieee")
        acc = tl.dot(scores, v, acc, input_precision="ieee")
    tl.store(out_ptr + base + rows[:, None] * D + d[None, :], acc, mask=rows[:, None] < n)


@pytest.mark.parametrize("n", [1, 16, 50, 64])
def test_products_in_a_loop(n):
    q, k, v = (integers(3, n, 16, seed=seed) for seed in range(3))
    out = torch.empty_like(q)
    chained_kernel[(triton.cdiv(n, 16), 3)](q, k, v, out, n, D=16, BLOCK=16)
    assert torch.equal(out, q @ k.transpose(1, 2) @ v)


@triton.jit
def tiny_kernel(a_ptr, b_ptr, c_ptr, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    m, n, k = tl.arange(0, M)[:, None], tl.arange(0, N)[None, :], tl.arange(0, K)
    a = tl.load(a_ptr + m * K + k[None, :])
    b = tl.load(b_ptr + k[:, None] * N + n)
    tl.store(c_ptr + m * N + n, tl.dot(a, b, out_dtype=c_ptr.dtype.element_ty))


@pytest.mark.parametrize("dtype", [torch.float32, torch.int8])
@pytest.mark.parametrize(
    "m, n, k", [(1, 1, 1), (1, 1, 4), (1, 4, 1), (4, 1, 1), (2, 1, 2), (1, 8, 8)]
)
def test_tiny_blocks(m, n, k, dtype):
    a, b = integers(m, k).to(dtype), integers(k, n, seed=1).to(dtype)
    c = torch.empty(m, n, dtype=torch.int32 if dtype == torch.int8 else dtype)
    tiny_kernel[(1,)](a, b, c, m, n, k)
    assert torch.equal(c.double(), a.double() @ b.double())

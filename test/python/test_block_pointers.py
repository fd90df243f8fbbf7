"""Block pointers, which every supported version of Triton has: of its own or by our library.

test_triton_contract.py runs this file again with every supported version of Triton.
"""

from __future__ import annotations

import pytest
import triton
import triton.language as tl

from seagrove.frontend import triton_compat

torch = pytest.importorskip("torch")


@triton.jit
def copy_block(
    x, out, rows, columns, row, column, M: tl.constexpr, N: tl.constexpr, PAD: tl.constexpr
):
    source = tl.make_block_ptr(x, (rows, columns), (columns, 1), (row, column), (M, N), (1, 0))
    value = tl.load(source, boundary_check=(0, 1), padding_option=PAD)
    target = tl.make_block_ptr(out, shape=(M, N), strides=(N, 1), offsets=(0, 0),
                               block_shape=(M, N), order=(1, 0))  # fmt: skip
    tl.store(target, value)


def block_of(x, row, column, shape, outside):
    """What a load of a block gives, by indexing."""
    padded = torch.full((row + shape[0] + 99, column + shape[1] + 99), outside, dtype=x.dtype)
    padded[: x.shape[0], : x.shape[1]] = x
    return padded[row : row + shape[0], column : column + shape[1]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.int32, torch.int8])
@pytest.mark.parametrize("place", [(0, 0), (3, 5), (8, 16), (12, 30), (40, 40)])
def test_load_with_boundaries(dtype, place):
    x = (torch.rand(13, 33) * 100).to(dtype)
    out = torch.zeros(16, 32, dtype=dtype)
    copy_block[(1,)](x, out, 13, 33, *place, M=16, N=32, PAD="zero")
    assert torch.equal(out, block_of(x, *place, (16, 32), 0))


def test_padding_of_nan():
    x, out = torch.rand(13, 33), torch.zeros(16, 32)
    copy_block[(1,)](x, out, 13, 33, 3, 5, M=16, N=32, PAD="nan")
    want = block_of(x, 3, 5, (16, 32), float("nan"))
    assert torch.equal(out.nan_to_num(-1), want.nan_to_num(-1))


@triton.jit
def store_block(x, out, rows, columns, row, column, M: tl.constexpr, N: tl.constexpr):
    value = tl.load(x + tl.arange(0, M)[:, None] * N + tl.arange(0, N)[None, :])
    target = tl.make_block_ptr(out, (rows, columns), (columns, 1), (row, column), (M, N), (1, 0))
    tl.store(target, value, boundary_check=(0, 1))


@pytest.mark.parametrize("place", [(0, 0), (3, 5), (-2, 30), (-20, 0)])
def test_store_with_boundaries(place):
    """Nothing is written outside, before the first element as little as behind the last."""
    x = torch.rand(16, 32)
    memory = torch.zeros(33, 33)
    out, want = memory[10:23], torch.zeros(33, 33)
    for i in range(16):
        for j in range(32):
            row, column = place[0] + i, place[1] + j
            if 0 <= row < 13 and 0 <= column < 33:
                want[10 + row, column] = x[i, j]
    store_block[(1,)](x, out, 13, 33, *place, M=16, N=32)
    assert torch.equal(memory, want)


@triton.jit
def matmul(a, b, c, m, n, k, stride_a, stride_b, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    row, column = tl.program_id(0) * M, tl.program_id(1) * N
    left = tl.make_block_ptr(a, (m, k), (stride_a, 1), (row, 0), (M, K), (1, 0))
    right = tl.make_block_ptr(b, (k, n), (1, stride_b), (0, column), (K, N), (0, 1))
    total = tl.zeros((M, N), tl.float32)
    for _ in range(0, k, K):
        x = tl.load(left, boundary_check=(0, 1), padding_option="zero")
        y = tl.load(right, boundary_check=(0, 1), padding_option="zero")
        total = tl.dot(x, y, total)
        left = tl.advance(left, (0, K))
        right = right.advance((K, 0))
    out = tl.make_block_ptr(c, (m, n), (n, 1), (row, column), (M, N), (1, 0))
    tl.store(out, total.to(c.dtype.element_ty), boundary_check=(0, 1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_blocks_that_advance_in_a_loop(dtype):
    a = torch.randint(-4, 5, (45, 70)).to(dtype)
    b = torch.randint(-4, 5, (51, 70)).to(dtype)  # Column-major for the kernel.
    c = torch.zeros(45, 51, dtype=dtype)
    grid = (triton.cdiv(45, 16), triton.cdiv(51, 32))
    matmul[grid](a, b, c, 45, 51, 70, 70, 70, M=16, N=32, K=32)
    assert torch.equal(c, a @ b.t())


@triton.jit
def next_of(block, step):
    return tl.advance(block, (step,))


@triton.jit
def walk(x, out, n, steps, BLOCK: tl.constexpr):
    block = tl.make_block_ptr(x, (n,), (1,), (0,), (BLOCK,), (0,))
    total = tl.zeros((BLOCK,), tl.float32)
    i = 0
    while i < steps:
        total += tl.load(block, boundary_check=(0,), padding_option="zero")
        if i % 2 == 0:
            block = next_of(block, BLOCK)
        else:
            block = tl.advance(block, (2 * BLOCK,))
        i += 1
    tl.store(out + tl.arange(0, BLOCK), total)


def test_blocks_through_branches_functions_and_while():
    x, out = torch.randint(0, 9, (70,)).float(), torch.zeros(8)
    walk[(1,)](x, out, 70, 7, BLOCK=8)
    padded = torch.cat([x, torch.zeros(58)]).reshape(-1, 8)
    assert torch.equal(out, padded[[0, 1, 3, 4, 6, 7, 9]].sum(0))


@triton.jit
def transposed_3d(x, out, A: tl.constexpr, B: tl.constexpr, C: tl.constexpr):
    source = tl.make_block_ptr(x, (A, B, C), (B * C, C, 1), (0, 0, 0), (A, B, C), (2, 1, 0))
    target = tl.make_block_ptr(out, (A, C, B), (B * C, B, 1), (0, 0, 0), (A, C, B), (2, 1, 0))
    tl.store(target, tl.permute(tl.load(source), (0, 2, 1)), boundary_check=(0,))


def test_three_dimensions_without_a_check():
    x, out = torch.rand(2, 4, 8), torch.zeros(2, 8, 4)
    transposed_3d[(1,)](x, out, 2, 4, 8)
    assert torch.equal(out, x.transpose(1, 2))


@triton.jit
def wrong(x, n, KIND: tl.constexpr):
    block = tl.make_block_ptr(x, (n,), (1,), (0,), (8,), (0,))
    if KIND == "mask":
        tl.store(x + tl.arange(0, 8), tl.load(block, mask=tl.arange(0, 8) < n))
    elif KIND == "dimension":
        tl.store(x + tl.arange(0, 8), tl.load(block, boundary_check=(1,)))
    elif KIND == "order":
        tl.store(tl.make_block_ptr(x, (n,), (1,), (0,), (8,), (1,)), 0.0)
    elif KIND == "rank":
        tl.store(tl.make_block_ptr(x, (n, n), (1,), (0,), (8,), (0,)), 0.0)
    elif KIND == "plain":
        tl.store(x + tl.arange(0, 8), tl.load(x + tl.arange(0, 8), boundary_check=(0,)))


@pytest.mark.parametrize("kind", ["mask", "dimension", "order", "rank", "plain"])
def test_misuse_is_an_error(kind):
    with pytest.raises(triton.CompilationError):
        wrong[(1,)](torch.zeros(8), 8, KIND=kind)


def test_accesses_are_structured():
    """The compiler sees blocks of strided memory, not lists of pointers."""
    from seagrove.compiler.stages import compile_ttir

    backend = triton_compat.make_backend("cpu", "")
    signature = {"a": "*fp32", "b": "*fp32", "c": "*fp32"}
    signature |= dict.fromkeys(("m", "n", "k", "stride_a", "stride_b"), "i32")
    ttir = triton_compat.kernel_ttir(matmul, signature, {"M": 16, "N": 32, "K": 32}, backend)
    options = backend.parse_options({}).codegen()
    text = compile_ttir(ttir, backend.describe(""), options, emit="structured").text()
    assert "sg.load" in text and "sg.store" in text
    assert "sg.gather" not in text and "sg.scatter" not in text

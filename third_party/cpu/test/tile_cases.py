"""Products by the tile unit of x86, emulated instruction by instruction where there is none.

Run by test_tiles.py in a process of its own. Operands are small integers, so that sums are exact in
fp32 and results are compared for equality.
"""

from __future__ import annotations

import ctypes
import dataclasses
import errno
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
import triton
import triton.language as tl

import seagrove
from seagrove.backends import cpu
from seagrove.compiler import options, stages, targets
from seagrove.errors import TargetError

EMULATOR = Path(__file__).with_name("emulate_tiles.c")
COMPILER = shutil.which("cc") or shutil.which("gcc") or "cc"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    """The handler of illegal instructions; it stays for the rest of the process."""
    library = tmp_path_factory.mktemp("tiles") / "emulate_tiles.so"
    subprocess.run(
        [
            COMPILER,
            "-O2",
            "-shared",
            "-fPIC",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-o",
            library,
            EMULATOR,
        ],
        check=True,
    )
    return ctypes.CDLL(str(library))


@pytest.fixture
def tiles(emulator, monkeypatch):
    """Launches for a 256-bit target with tiles, on one thread: workers block signals."""
    wide = next(t for t in cpu.descriptions() if t.name == "x86-64-v3")
    target = dataclasses.replace(
        wide,
        name="tiles-for-tests",
        features="+amx-tile,+amx-bf16,+amx-int8",
        attributes=(("matrix_units", "tiles"),),
    )
    known = (*cpu.descriptions(), target)
    cpu.describe.cache_clear()
    monkeypatch.setattr(cpu, "descriptions", lambda: known)
    monkeypatch.setenv("SEAGROVE_CPU_TARGET", target.name)
    threads = seagrove.get_num_threads()
    seagrove.set_num_threads(1)
    before = emulator.emulated_instructions()
    yield target
    has_tiles = "amx-tile" in targets.enabled_features(targets.host().features)
    assert has_tiles or emulator.emulated_instructions() > before
    seagrove.set_num_threads(threads)
    cpu.describe.cache_clear()


@triton.jit
def product_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, am, ak, bk, bn, cm, cn,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, WRAP: tl.constexpr, SUM: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    row_mask, column_mask = rows < M, columns < N
    a_rows = rows % M if WRAP else rows
    k = tl.arange(0, BK)
    acc = tl.zeros((BM, BN), SUM)
    for start in range(0, K, BK):
        inside = start + k < K
        a_mask = inside[None, :]
        if not WRAP:
            a_mask = a_mask & row_mask[:, None]
        a_at = a_ptr + a_rows[:, None] * am + (start + k)[None, :] * ak
        b_at = b_ptr + (start + k)[:, None] * bk + columns[None, :] * bn
        a = tl.load(a_at, mask=a_mask, other=0)
        b = tl.load(b_at, mask=inside[:, None] & column_mask[None, :], other=0)
        acc = tl.dot(a, b, acc, out_dtype=SUM)
    c_at = c_ptr + rows[:, None] * cm + columns[None, :] * cn
    tl.store(c_at, acc, mask=row_mask[:, None] & column_mask[None, :])


def integers(*shape: int, dtype=torch.bfloat16, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    low, high = (-128, 128) if dtype == torch.int8 else (-8, 9)
    return torch.randint(low, high, shape, generator=generator).to(dtype)


def check(a, b, bm, bn, bk, wrap=False):
    (m, k), n = a.shape, b.shape[1]
    whole = a.dtype == torch.int8
    c = torch.full((m, n), -1, dtype=torch.int32 if whole else torch.float32)
    grid = (triton.cdiv(m, bm), triton.cdiv(n, bn))
    compiled = product_kernel[grid](
        a, b, c, m, n, k, *a.stride(), *b.stride(), *c.stride(), BM=bm, BN=bn, BK=bk, WRAP=wrap,
        SUM=tl.int32 if whole else tl.float32,
    )  # fmt: skip
    assert torch.equal(c.double(), a.double() @ b.double())
    return compiled


# One result, two in a row or a column, 2 x 2, and a number that 2 does not divide.
BLOCKS = [(16, 16, 32), (16, 32, 64), (64, 16, 32), (32, 32, 128), (64, 64, 64)]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.int8])
@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("m, k", [(1, 1), (15, 32), (33, 63), (64, 64), (65, 130)])
def test_sizes(tiles, m, k, block, dtype):
    check(integers(m, k, dtype=dtype), integers(k, 50, dtype=dtype, seed=1), *block)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.int8])
@pytest.mark.parametrize("k", [0, 5000])
def test_chunks(tiles, k, dtype):
    """No iteration at all, and more than are packed together: only the first start at zero."""
    check(integers(33, k, dtype=dtype), integers(k, 50, dtype=dtype, seed=1), 32, 32, 128)


@pytest.mark.parametrize("m", [32, 70])
def test_rows_that_wrap(tiles, m):
    check(integers(m, 64), integers(64, 32, seed=1), 32, 32, 32, wrap=True)


LAYOUTS = {
    "rows": lambda x: x,
    "columns": lambda x: x.t().contiguous().t(),
    "spaced rows": lambda x: torch.cat([x, x + 100], dim=1)[:, : x.shape[1]],
    "one row for all": lambda x: x[:1].expand(x.shape),
}


@pytest.mark.parametrize("right", LAYOUTS)
@pytest.mark.parametrize("left", LAYOUTS)
def test_layouts(tiles, left, right):
    a, b = LAYOUTS[left](integers(64, 64)), LAYOUTS[right](integers(64, 32, seed=1))
    check(a, b, 32, 32, 32)


def test_halves_are_exact(tiles):
    """Numbers of all 11 bits, powers of two, subnormals: each product is exact in fp32.

    One product an element of the result, so that no sum is rounded.
    """
    generator = torch.Generator().manual_seed(5)
    bits = torch.randint(0, 1 << 16, (64,), generator=generator).to(torch.int32)
    edges = [0, 0x8000, 1, 0x8001, 0x03FF, 0x0400, 0x3C00, 0x3BFF, 0x3C01, 0x7BFF, 0xFBFF, 0x43FF]
    bits[: len(edges)] = torch.tensor(edges)
    numbers = bits.to(torch.int16).view(torch.float16)
    numbers = torch.where(numbers.isfinite(), numbers, 2047).reshape(64, 1)
    check(numbers, numbers.t().contiguous(), 32, 32, 32)


def test_halves_that_are_not_finite(tiles):
    """As in fp64: an infinity stays one unless it meets zero or its opposite."""
    inf, nan = float("inf"), float("nan")
    numbers = [inf, -inf, nan, 0.0, -0.0, 1.0, -2.0, 1.999, 6e-8, -65504.0]
    a = torch.tensor([[x, y] for x in numbers for y in numbers], dtype=torch.float16)
    b = a.t().contiguous()
    c = torch.empty(len(a), len(a))
    product_kernel[(4, 4)](
        a, b, c, len(a), len(a), 2, *a.stride(), *b.stride(), *c.stride(),
        BM=32, BN=32, BK=32, WRAP=False, SUM=tl.float32,
    )  # fmt: skip
    torch.testing.assert_close(
        c.double(), a.double() @ b.double(), rtol=2e-7, atol=0, equal_nan=True
    )


def test_random_halves(tiles):
    """Within what sums in fp32 lose."""
    generator = torch.Generator().manual_seed(6)
    a, b = (torch.randn(64, 256, generator=generator).half() for _ in range(2))
    c = torch.empty(64, 64)
    product_kernel[(2, 2)](
        a, b.t(), c, 64, 64, 256, *a.stride(), *b.t().stride(), *c.stride(),
        BM=32, BN=32, BK=64, WRAP=False, SUM=tl.float32,
    )  # fmt: skip
    bound = 256 * 2.0**-24 * (a.double().abs() @ b.double().abs().t())
    assert ((c.double() - a.double() @ b.double().t()).abs() <= bound).all()


@triton.jit
def two_products_kernel(q_ptr, k_ptr, v_ptr, out_ptr, n, D: tl.constexpr, BLOCK: tl.constexpr):
    """(Q Kt) V over blocks, the scores rounded to the operands' type in between."""
    rows = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    d = tl.arange(0, D)
    q = tl.load(q_ptr + rows[:, None] * D + d[None, :], mask=rows[:, None] < n, other=0)
    acc = tl.zeros((BLOCK, D), tl.float32)
    for start in range(0, n, BLOCK):
        columns = start + tl.arange(0, BLOCK)
        inside = columns < n
        k_at = k_ptr + columns[None, :] * D + d[:, None]
        v_at = v_ptr + columns[:, None] * D + d[None, :]
        scores = tl.dot(q, tl.load(k_at, mask=inside[None, :], other=0))
        v = tl.load(v_at, mask=inside[:, None], other=0)
        acc = tl.dot(scores.to(v.dtype), v, acc)
    tl.store(out_ptr + rows[:, None] * D + d[None, :], acc, mask=rows[:, None] < n)


@pytest.mark.parametrize("n", [1, 32, 50])
def test_two_products(tiles, n):
    q, k, v = (integers(n, 32, seed=seed).sign() for seed in range(3))
    out = torch.empty(n, 32)
    two_products_kernel[(triton.cdiv(n, 32),)](q, k, v, out, n, D=32, BLOCK=32)
    assert torch.equal(out.double(), (q.double() @ k.double().T) @ v.double())


def test_a_system_that_refuses(tiles, monkeypatch):
    from seagrove.backends.cpu import permission

    needs = dataclasses.replace(tiles, requires=("amx-tile",))
    permission.require(tiles)
    monkeypatch.setattr(permission, "_request_tiles", lambda: 0)
    permission.require(needs)
    monkeypatch.setattr(permission, "_request_tiles", lambda: errno.EPERM)
    with pytest.raises(TargetError, match="not let this process use the tiles") as caught:
        permission.require(needs)
    assert caught.value.code == "SG0740" and "SEAGROVE_CPU_TARGET" in caught.value.advice
    check(integers(16, 32), integers(32, 16, seed=1), 16, 16, 32)


@pytest.mark.parametrize(
    "dtype, products, loads", [(torch.bfloat16, 4, 4), (torch.float16, 16, 10)]
)
def test_instructions(tiles, dtype, products, loads):
    """The whole K loop in tiles: four of results, and no other access to them."""
    a, b = integers(32, 64, dtype=dtype), integers(64, 32, dtype=dtype, seed=1)
    compiled = check(a, b, 32, 32, 32)
    code = stages.compile_ttir(
        compiled.asm["ttir"], tiles, options.CodegenOptions(), emit="asm", decisions=True
    )
    assert any("no block of zeros is written" in said.text for said in code.decisions)
    text = code.text()
    assert text.count("tdpbf16ps") == products
    assert text.count("ldtilecfg") == 1
    loop = text[: text.rindex("tdpbf16ps")].rpartition(".LBB")[2]
    assert loop.count("tileloadd") == loads and "tilestored" not in loop

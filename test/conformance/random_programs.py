"""Random numbers: Philox 4x32-10 (Salmon et al., SC 2011), word for word."""

from __future__ import annotations

import numpy as np
import torch
import triton
import triton.language as tl
from kit import Array, Bound, assert_close, program

_SEEDS = (0, 42, 0xFFFFFFFF, 0x123456789ABCDEF0)


def philox(seed: int, offsets: Array, rounds: int = 10) -> list[Array]:
    """The four words for each counter (offset, 0, 0, 0) under a 64-bit key, as uint32."""
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    c = [offsets.astype(np.uint64) & low, *(np.zeros(len(offsets), np.uint64) for _ in range(3))]
    k0, k1 = np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32 & 0xFFFFFFFF)
    for _ in range(rounds):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> half) ^ c[1] ^ k0, b & low, (a >> half) ^ c[3] ^ k1, a & low]
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
    return [word.astype(np.uint32) for word in c]


def uniform(word: Array) -> Array:
    """[0, 1) from 32 bits, the way of `tl.rand`: the sign folded, then a scale."""
    signed = word.view(np.int32)
    return np.where(signed < 0, -signed - 1, signed).astype("f4") * np.float32(4.6566127342e-10)


def normal(word1: Array, word2: Array) -> tuple[Array, Array]:
    """Box-Muller in fp64."""
    u1 = np.maximum(uniform(word1).astype("f8"), 1e-7)
    radius, angle = np.sqrt(-2 * np.log(u1)), 6.283185307179586 * uniform(word2).astype("f8")
    return radius * np.cos(angle), radius * np.sin(angle)


@triton.jit
def random_kernel(int_ptr, uniform_ptr, normal_ptr, four_ptr, seed, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(int_ptr + offsets, tl.randint(seed, offsets), mask=mask)
    tl.store(uniform_ptr + offsets, tl.rand(seed, offsets), mask=mask)
    tl.store(normal_ptr + offsets, tl.randn(seed, offsets), mask=mask)
    a, b, c, d = tl.randint4x(seed, offsets)
    tl.store(four_ptr + offsets, a, mask=mask)
    tl.store(four_ptr + n + offsets, b, mask=mask)
    tl.store(four_ptr + 2 * n + offsets, c, mask=mask)
    tl.store(four_ptr + 3 * n + offsets, d, mask=mask)


@program("tl.rand", ("int32", "float32"))
def random_numbers(device: str, dtype: str) -> None:
    """randint, rand, randn and randint4x for seeds of 32 and 64 bits."""
    n = 331
    for seed in _SEEDS:
        ints, four = (torch.zeros(k, dtype=torch.int32, device=device) for k in (n, 4 * n))
        uniforms, normals = (torch.zeros(n, device=device) for _ in range(2))
        random_kernel[(triton.cdiv(n, 64),)](ints, uniforms, normals, four, seed, n, BLOCK=64)
        words = philox(seed, np.arange(n))
        if dtype == "int32":
            assert_close(ints, words[0].view("i4"), dtype, Bound(), f"randint, seed {seed}")
            all_words = np.concatenate([w.view("i4") for w in words])
            assert_close(four, all_words, dtype, Bound(), f"randint4x, seed {seed}")
        else:
            assert_close(uniforms, uniform(words[0]), dtype, Bound(), f"rand, seed {seed}")
            want = normal(words[0], words[1])[0]
            # The angle is a rounded fp32 product of up to 2 pi: half an ulp of it is 2.4e-7.
            assert_close(normals, want, dtype, Bound(8, 3e-6), f"randn, seed {seed}")


@triton.jit
def four_kernel(uniform_ptr, normal_ptr, raw_ptr, seed, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    a, b, c, d = tl.rand4x(seed, offsets)
    tl.store(uniform_ptr + offsets, a + b + c + d)
    e, f, g, h = tl.randn4x(seed, offsets)
    tl.store(normal_ptr + offsets, e + f + g + h)
    zeros = offsets * 0
    w, x, y, z = tl.philox(seed, offsets, zeros, zeros, zeros, n_rounds=7)
    tl.store(raw_ptr + offsets, w ^ x ^ y ^ z)


@program("tl.randn4x")
def four_at_once(device: str, dtype: str) -> None:
    uniforms, normals = (torch.zeros(64, device=device) for _ in range(2))
    raw = torch.zeros(64, dtype=torch.int32, device=device)
    four_kernel[(1,)](uniforms, normals, raw, 7, BLOCK=64)
    words = philox(7, np.arange(64))
    sums = sum(uniform(w).astype("f8") for w in words)
    assert_close(uniforms, sums, dtype, Bound(4), "rand4x")
    sums = sum(normal(words[0], words[1])) + sum(normal(words[2], words[3]))
    assert_close(normals, sums, dtype, Bound(8, 1e-5), "randn4x")
    seven = philox(7, np.arange(64), rounds=7)
    want = np.bitwise_xor.reduce([w.view("i4") for w in seven])
    assert_close(raw, want, "int32", Bound(), "philox of seven rounds")
